//! Signing in at a provider (OpenID Connect): the authorization code with PKCE, one provider. `known` asks it what it is,
//! `flow` is one sign-in, `wire` names the library's types. Who is let in is for `domain::provider` to say.

mod flow;
mod known;
mod wire;

pub use flow::{Answered, SignInFault, SignedIn};

use crate::{
    config::OidcConfig,
    outbound::{Outbound, in_words},
};
use domain::{
    ports::{Clock, Ids, ProviderStore},
    provider::Rules,
};
use known::Provider;
use openidconnect::{ClientId, ClientSecret, IssuerUrl, PostLogoutRedirectUrl, RedirectUrl, Scope};
use std::sync::Arc;

/// Where the provider sends people back to.
pub const CALLBACK: &str = "/login/oidc/callback";

/// The provider that people sign in at. Cheap to clone.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    rules: Rules,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    scopes: Vec<Scope>,
    redirect: RedirectUrl,
    /// Where people come back to from signing out.
    left: PostLogoutRedirectUrl,
    provider: Provider,
    store: Arc<dyn ProviderStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Oidc {
    /// By these settings, for a console that is reached at `public_url`. Calls nobody yet. What can't be used is said in a
    /// sentence.
    pub fn new(
        config: &OidcConfig,
        public_url: &str,
        store: Arc<dyn ProviderStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, String> {
        let http = Outbound::believing("oidc-ca-file", config.ca_file.as_deref(), config.allow_private)?;
        let issuer = IssuerUrl::new(config.rules.issuer.clone()).map_err(|error| in_words(&error))?;
        Ok(Self(Arc::new(Inner {
            client_id: ClientId::new(config.client_id.clone()),
            client_secret: config.client_secret.clone().map(|secret| ClientSecret::new(secret.0)),
            scopes: config.scopes.iter().cloned().map(Scope::new).collect(),
            redirect: RedirectUrl::new(format!("{public_url}{CALLBACK}")).map_err(|error| in_words(&error))?,
            left: PostLogoutRedirectUrl::new(format!("{public_url}/login")).map_err(|error| in_words(&error))?,
            provider: Provider::new(issuer, http),
            rules: config.rules.clone(),
            store,
            clock,
            ids,
        })))
    }

    /// How its people become people of the console.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// Whether it answered when it was last asked.
    pub fn reachable(&self) -> bool {
        self.0.provider.reachable()
    }

    /// Asks it now and then what it is, for ever.
    pub async fn keep(self) {
        self.0.provider.keep().await;
    }
}
