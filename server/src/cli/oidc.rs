//! The flags of the provider that people sign in at.

use clap::Args;

// The client's secret is no flag: KUBERNAUT_OIDC_CLIENT_SECRET, or the file.
#[derive(Debug, Args)]
pub struct OidcSettings {
    /// The provider that people sign in at, exactly as it calls itself [KUBERNAUT_OIDC_ISSUER]
    #[arg(long, global = true, value_name = "URL")]
    oidc_issuer: Option<String>,
    /// What the provider calls the console [KUBERNAUT_OIDC_CLIENT_ID]
    #[arg(long, global = true, value_name = "ID")]
    oidc_client_id: Option<String>,
    /// Authorities to believe besides the system's, PEM [KUBERNAUT_OIDC_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    oidc_ca_file: Option<String>,
    /// What is asked for [KUBERNAUT_OIDC_SCOPES] [default: openid profile email]
    #[arg(long, global = true, value_name = "SCOPES")]
    oidc_scopes: Option<String>,
    /// The claim that names people [KUBERNAUT_OIDC_USERNAME_CLAIM] [default: preferred_username]
    #[arg(long, global = true, value_name = "CLAIM")]
    oidc_username_claim: Option<String>,
    /// What stands before their names here [KUBERNAUT_OIDC_USERNAME_PREFIX]
    #[arg(long, global = true, value_name = "TEXT")]
    oidc_username_prefix: Option<String>,
    /// The claim that lists groups [KUBERNAUT_OIDC_GROUPS_CLAIM] [default: groups]
    #[arg(long, global = true, value_name = "CLAIM")]
    oidc_groups_claim: Option<String>,
    /// What stands before groups here [KUBERNAUT_OIDC_GROUPS_PREFIX]
    #[arg(long, global = true, value_name = "TEXT")]
    oidc_groups_prefix: Option<String>,
    /// A group and the role it gives; may repeat, and * is everybody [KUBERNAUT_OIDC_ROLE: semicolons between them]
    #[arg(long, global = true, value_name = "GROUP=ROLE")]
    oidc_role: Vec<String>,
    /// The provider's name on the button [KUBERNAUT_OIDC_NAME] [default: its host]
    #[arg(long, global = true, value_name = "NAME")]
    oidc_name: Option<String>,
    /// on, or off: its hosts may have private addresses [KUBERNAUT_OIDC_ALLOW_PRIVATE] [default: off]
    #[arg(long, global = true, value_name = "SWITCH")]
    oidc_allow_private: Option<String>,
    /// on, or off: people sign in with accounts of the console's own [KUBERNAUT_LOCAL_ACCOUNTS] [default: on]
    #[arg(long, global = true, value_name = "SWITCH")]
    local_accounts: Option<String>,
}

impl OidcSettings {
    /// What was given, by the settings' names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let roles = Some(self.oidc_role.join("\n")).filter(|roles| !roles.is_empty());
        let given = [
            ("oidc-issuer", self.oidc_issuer.clone()),
            ("oidc-client-id", self.oidc_client_id.clone()),
            ("oidc-ca-file", self.oidc_ca_file.clone()),
            ("oidc-scopes", self.oidc_scopes.clone()),
            ("oidc-username-claim", self.oidc_username_claim.clone()),
            ("oidc-username-prefix", self.oidc_username_prefix.clone()),
            ("oidc-groups-claim", self.oidc_groups_claim.clone()),
            ("oidc-groups-prefix", self.oidc_groups_prefix.clone()),
            ("oidc-role", roles),
            ("oidc-name", self.oidc_name.clone()),
            ("oidc-allow-private", self.oidc_allow_private.clone()),
            ("local-accounts", self.local_accounts.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
