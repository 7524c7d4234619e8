//! The settings of the provider that people sign in at (OpenID Connect).

use super::{ConfigError, Reader, Setting, parse::unread};
use axum::http::Uri;
use domain::{
    accounts::Secret,
    identity::Role,
    provider::{EVERYBODY, Rules, check_group},
    text::check_line,
};
use std::path::PathBuf;

/// The settings that are of no use without the first.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "oidc-issuer",
        "URL",
        "The provider that people sign in at, exactly as it calls itself [KUBERNAUT_OIDC_ISSUER]",
    ),
    Setting::flag("oidc-client-id", "ID", "What the provider calls the console [KUBERNAUT_OIDC_CLIENT_ID]"),
    Setting::secret("oidc-client-secret"),
    Setting::flag("oidc-ca-file", "FILE", "Authorities to believe besides the system's, PEM [KUBERNAUT_OIDC_CA_FILE]"),
    Setting::flag("oidc-scopes", "SCOPES", "What is asked for [KUBERNAUT_OIDC_SCOPES] [default: openid profile email]"),
    Setting::flag(
        "oidc-username-claim",
        "CLAIM",
        "The claim that names people [KUBERNAUT_OIDC_USERNAME_CLAIM] [default: preferred_username]",
    ),
    Setting::flag(
        "oidc-username-prefix",
        "TEXT",
        "What stands before their names here [KUBERNAUT_OIDC_USERNAME_PREFIX]",
    ),
    Setting::flag(
        "oidc-groups-claim",
        "CLAIM",
        "The claim that lists groups [KUBERNAUT_OIDC_GROUPS_CLAIM] [default: groups]",
    ),
    Setting::flag("oidc-groups-prefix", "TEXT", "What stands before groups here [KUBERNAUT_OIDC_GROUPS_PREFIX]"),
    Setting::many(
        "oidc-role",
        "GROUP=ROLE",
        "A group and the role it gives; may repeat, and * is everybody [KUBERNAUT_OIDC_ROLE: semicolons between them]",
    ),
    Setting::flag("oidc-name", "NAME", "The provider's name on the button [KUBERNAUT_OIDC_NAME] [default: its host]"),
    Setting::flag(
        "oidc-allow-private",
        "SWITCH",
        "on, or off: its hosts may have private addresses [KUBERNAUT_OIDC_ALLOW_PRIVATE] [default: off]",
    ),
];

/// The provider, and how its people become people of the console.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// What the provider calls the console.
    pub client_id: String,
    /// What the console proves that with; a public client has none.
    pub client_secret: Option<Secret>,
    /// Authorities whose certificates are believed besides the system's.
    pub ca_file: Option<PathBuf>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Whether its hosts may have private addresses.
    pub allow_private: bool,
    /// Issuer, name, claims, prefixes, roles.
    pub rules: Rules,
}

/// What is set; none where no issuer is.
pub(super) fn read(reader: &Reader<'_>) -> Result<Option<OidcConfig>, ConfigError> {
    if !reader.texts.contains_key("oidc-issuer") {
        // A secret that lies ready is no wish for a provider.
        let mut wishes = SETTINGS.iter().filter(|setting| !setting.is_secret());
        return if wishes.any(|setting| reader.texts.contains_key(setting.name)) {
            Err(ConfigError::Together("settings that begin with oidc- need the provider: add --oidc-issuer https://…"))
        } else {
            Ok(None)
        };
    }
    let claim = "write a claim's name, such as email";
    let prefix = "write at most 64 visible characters, such as sso:";
    let issuer = reader.get(
        "oidc-issuer",
        "",
        issuer,
        "write it exactly as the provider calls itself, https://…; http:// on a loopback address only",
    )?;
    let roles = reader.get(
        "oidc-role",
        "",
        roles,
        "write group=role, such as oncall=operator; the roles are viewer, operator, author, auditor and admin",
    )?;
    if roles.is_empty() {
        return Err(ConfigError::Together(
            "nobody could sign in at the provider: say with --oidc-role group=role which group may do what",
        ));
    }
    Ok(Some(OidcConfig {
        client_id: reader.get("oidc-client-id", "", word, "write the client's id, as the provider has it")?,
        client_secret: reader.texts.get("oidc-client-secret").map(|text| Secret(text.trim().to_owned())),
        ca_file: reader.texts.get("oidc-ca-file").map(PathBuf::from),
        scopes: reader.get(
            "oidc-scopes",
            "openid profile email",
            scopes,
            "write scopes with blanks between them, such as openid profile email groups",
        )?,
        allow_private: reader.get("oidc-allow-private", "off", super::on_or_off, "write on or off")?,
        rules: Rules {
            provider: reader.get(
                "oidc-name",
                &host(&issuer).unwrap_or_default(),
                |text| word(text).filter(|text| text.chars().nth(40).is_none()),
                "write a word or two of at most 40 characters for the button, such as Keycloak",
            )?,
            username_claim: reader.get("oidc-username-claim", "preferred_username", word, claim)?,
            username_prefix: reader.get("oidc-username-prefix", "", prefix_of, prefix)?,
            groups_claim: reader.get("oidc-groups-claim", "groups", word, claim)?,
            groups_prefix: reader.get("oidc-groups-prefix", "", prefix_of, prefix)?,
            issuer,
            roles,
        },
    }))
}

/// For `config show`, with the secret hidden.
pub(super) fn shown(config: Option<&OidcConfig>) -> Vec<(&'static str, String)> {
    let unset = || "(not set)".to_owned();
    let Some(config) = config else { return SETTINGS.iter().map(|setting| (setting.name, unset())).collect() };
    let rules = &config.rules;
    let values = [
        rules.issuer.clone(),
        config.client_id.clone(),
        if config.client_secret.is_some() { "(set)".to_owned() } else { unset() },
        config.ca_file.as_ref().map_or_else(unset, |path| path.display().to_string()),
        config.scopes.join(" "),
        rules.username_claim.clone(),
        rules.username_prefix.clone(),
        rules.groups_claim.clone(),
        rules.groups_prefix.clone(),
        rules.roles.iter().map(|(group, role)| format!("{group}={role}")).collect::<Vec<_>>().join("; "),
        rules.provider.clone(),
        if config.allow_private { "on" } else { "off" }.to_owned(),
    ];
    SETTINGS.iter().map(|setting| setting.name).zip(values).collect()
}

/// A table of the file, a group each with its role or its roles, as the lines that flags would make.
pub(super) fn lines(table: &toml::Table) -> Option<String> {
    let mut lines = Vec::new();
    for (group, roles) in table {
        let roles = match roles {
            toml::Value::String(one) => vec![one.as_str()],
            toml::Value::Array(all) => all.iter().map(toml::Value::as_str).collect::<Option<_>>()?,
            _ => return None,
        };
        lines.extend(roles.into_iter().map(|role| format!("{group}={role}")));
    }
    Some(lines.join("\n"))
}

/// A line each; of several equals signs the last one counts, since a directory's groups are made of them.
fn roles(text: &str) -> Option<Vec<(String, Role)>> {
    let each = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let (group, role) = line.rsplit_once('=')?;
        let (group, role) = (group.trim(), role.trim().parse::<Role>().ok()?);
        let good = (group == EVERYBODY || check_group(group).is_ok()) && !role.tokens_only();
        good.then(|| (group.to_owned(), role))
    });
    each.collect()
}

fn scopes(text: &str) -> Option<Vec<String>> {
    let good = |scope: &str| scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    text.split_whitespace().all(good).then(|| {
        // The first one is always asked for.
        text.split_whitespace().filter(|scope| *scope != "openid").map(str::to_owned).collect()
    })
}

fn word(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && check_line(text).is_ok()).then(|| text.to_owned())
}

fn prefix_of(text: &str) -> Option<String> {
    (text.chars().nth(64).is_none() && check_line(text).is_ok()).then(|| text.to_owned())
}

/// As it is written: issuers are compared letter by letter (OpenID Connect Discovery 1.0, section 4.3).
fn issuer(text: &str) -> Option<String> {
    unread(text)?;
    (!text.contains(['?', '#', '@'])).then(|| text.to_owned())
}

/// The host in an address.
fn host(url: &str) -> Option<String> {
    url.parse::<Uri>().ok()?.host().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Given};
    use super::*;

    const LEAST: [(&str, &str); 3] = [
        ("oidc-issuer", "https://sso.example/realms/x"),
        ("oidc-client-id", "console"),
        ("oidc-role", "oncall=operator"),
    ];

    fn load(pairs: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
        let flags: Given = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Config::load(&flags, None, |_| None)
    }

    fn with(pairs: &[(&'static str, &'static str)]) -> Result<Config, ConfigError> {
        load(&[&LEAST[..], pairs].concat())
    }

    #[test]
    fn an_issuer_a_client_and_a_role_are_enough() {
        let config = with(&[]).unwrap().oidc.unwrap();
        let rules = &config.rules;
        assert_eq!((rules.issuer.as_str(), rules.provider.as_str()), ("https://sso.example/realms/x", "sso.example"));
        assert_eq!((rules.username_claim.as_str(), rules.groups_claim.as_str()), ("preferred_username", "groups"));
        assert_eq!(rules.roles, [("oncall".to_owned(), Role::Operator)]);
        assert_eq!((config.scopes, config.allow_private), (vec!["profile".to_owned(), "email".to_owned()], false));
        assert!(load(&[]).unwrap().oidc.is_none());
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        for (pairs, told) in [
            (&[("oidc-client-id", "console")][..], "--oidc-issuer"),
            (&LEAST[..2], "--oidc-role"),
            (&[LEAST[0], LEAST[2]][..], "oidc-client-id"),
            (&[("local-accounts", "off")][..], "--oidc-issuer"),
        ] {
            let error = load(pairs).unwrap_err().to_string();
            assert!(error.contains(told), "{pairs:?}: {error}");
        }
        assert!(!with(&[("local-accounts", "off")]).unwrap().local_accounts);
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_to_write() {
        for (name, value) in [
            ("oidc-issuer", "http://sso.example"),
            ("oidc-issuer", "https://sso.example/?x=1"),
            ("oidc-issuer", "https://me@sso.example"),
            ("oidc-issuer", "sso.example"),
            ("oidc-role", "oncall"),
            ("oidc-role", "oncall=boss"),
            ("oidc-role", "oncall=propose"),
            ("oidc-role", "=operator"),
            ("oidc-scopes", "openid \u{e4}"),
            ("oidc-name", "a\tb"),
            ("oidc-username-claim", " "),
            ("oidc-allow-private", "yes"),
            ("local-accounts", "no"),
        ] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("write"), "{name} {value}: {error}");
        }
        for good in ["http://127.0.0.1:5556/dex", "http://localhost/dex", "https://sso.example/"] {
            assert_eq!(with(&[("oidc-issuer", good)]).unwrap().oidc.unwrap().rules.issuer, good);
        }
    }

    #[test]
    fn groups_may_hold_commas_and_equals_signs_wherever_they_are_written() {
        let directory = "cn=sre,ou=groups,dc=example".to_owned();
        let wanted =
            [("oncall".to_owned(), Role::Operator), (directory.clone(), Role::Admin), ("*".into(), Role::Viewer)];
        let of = |config: Config| config.oidc.unwrap().rules.roles;
        let text = "oncall=operator\ncn=sre,ou=groups,dc=example=admin\n*=viewer";
        assert_eq!(of(with(&[("oidc-role", text)]).unwrap()), wanted);
        let env = |name: &str| match name {
            "KUBERNAUT_OIDC_ISSUER" => Some("https://sso.example".to_owned()),
            "KUBERNAUT_OIDC_CLIENT_ID" => Some("console".to_owned()),
            "KUBERNAUT_OIDC_ROLE" => Some("oncall=operator; cn=sre,ou=groups,dc=example=admin; *=viewer".to_owned()),
            _ => None,
        };
        assert_eq!(of(Config::load(&Given::new(), None, env).unwrap()), wanted);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("console.toml");
        let text = "oidc-issuer = \"https://sso.example\"\noidc-client-id = \"console\"\n[oidc-role]\n\
                    oncall = [\"operator\", \"author\"]\n\"cn=sre,ou=groups,dc=example\" = \"admin\"\n";
        std::fs::write(&file, text).unwrap();
        let roles = of(Config::load(&Given::new(), Some(&file), |_| None).unwrap());
        for wanted in [("oncall".to_owned(), Role::Operator), ("oncall".into(), Role::Author), (directory, Role::Admin)]
        {
            assert!(roles.contains(&wanted), "{wanted:?} in {roles:?}");
        }
        std::fs::write(&file, "[oidc-role]\noncall = 7\n").unwrap();
        assert!(Config::load(&Given::new(), Some(&file), |_| None).unwrap_err().to_string().contains("oidc-role"));
    }

    #[test]
    fn the_secret_comes_by_no_flag_and_is_not_shown() {
        let flagged = with(&[("oidc-client-secret", "hunter2")]).unwrap();
        assert!(flagged.oidc.unwrap().client_secret.is_none(), "what stands on a command line is seen by all");
        let pairs = LEAST;
        let flags: Given = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let env = |name: &str| (name == "KUBERNAUT_OIDC_CLIENT_SECRET").then(|| "hunter2\n".to_owned());
        let config = Config::load(&flags, None, env).unwrap();
        assert_eq!(config.oidc.as_ref().unwrap().client_secret, Some(Secret("hunter2".into())));
        assert!(!config.show().iter().any(|(_, value, _)| value.contains("hunter2")));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
