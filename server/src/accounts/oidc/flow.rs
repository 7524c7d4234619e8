//! One sign-in at the provider: it begins here, goes on there, and ends here. What comes back is held against what was kept
//! when it began; whoever is let in has an account afterwards (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207).

use super::{
    Oidc,
    wire::{Client, Metadata, Token, algorithms},
};
use crate::{
    edge,
    outbound::{OutboundError, in_words},
};
use axum::http::StatusCode;
use domain::{
    audit::AuditEntry,
    identity::{Actor, Role, Way},
    ports::{Arrival, BegunSignIn, StoreError, UserRecord},
    provider::{ClaimFault, Person, Refusal},
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, CsrfToken,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RequestTokenError,
    SignatureVerificationError, StandardErrorResponse, TokenResponse as _,
    core::{CoreClientAuthMethod, CoreErrorResponseType, CoreIdTokenVerifier, CoreResponseType},
};
use serde_json::{Map, Value, json};
use std::time::{Duration, UNIX_EPOCH};

/// Groups that the audit trail names.
const AUDITED_GROUPS: usize = 50;

/// A sign-in that goes on at the provider.
pub struct Begun {
    /// Where.
    pub url: String,
    /// What the browser keeps meanwhile, so that nobody else ends it.
    pub browser: String,
}

/// What the provider sent back with the browser.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// What the ID token is fetched with.
    pub code: String,
    /// Which sign-in it belongs to.
    pub state: String,
    /// Who says so, where it is said.
    pub issuer: Option<String>,
}

/// Somebody who is let in.
pub struct SignedIn {
    /// Their account.
    pub user: UserRecord,
    /// The page to go on to.
    pub next: String,
    /// The ID token: by it the provider knows later who signs out.
    pub hint: String,
}

/// Why somebody is not.
#[derive(Debug)]
pub enum SignInFault {
    /// Too late, used already, or another browser's.
    Stale,
    /// The provider does not answer. The detail is for the log.
    Away(String),
    /// What it answers is not to be believed, or it did not believe us. The detail is for the log.
    Untrusted(String),
    /// It does not say who somebody is.
    Claims(ClaimFault),
    /// It does, and they are not let in; with their groups.
    Refused(Refusal, Vec<String>),
    /// The database.
    Store(StoreError),
}

impl From<StoreError> for SignInFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl SignInFault {
    /// Whether somebody was refused of whom nobody knows who they are: who is known was written to the audit trail where it was judged.
    pub const fn of_a_stranger(&self) -> bool {
        matches!(self, Self::Stale | Self::Untrusted(_) | Self::Claims(_))
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Stale | Self::Untrusted(_) => StatusCode::UNAUTHORIZED,
            Self::Claims(_) | Self::Refused(..) => StatusCode::FORBIDDEN,
            Self::Away(_) | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What whoever signs in is told.
    pub fn in_words(&self, provider: &str) -> String {
        match self {
            Self::Stale => {
                "This sign-in took too long, was used already or began in another browser. Begin again.".into()
            }
            Self::Away(_) => format!("{provider} can't be reached from here right now. Try again in a moment."),
            Self::Untrusted(_) => format!(
                "What {provider} answered can't be trusted, so you are not signed in. Begin again; if it stays, tell an \
                 administrator the request id."
            ),
            Self::Claims(fault) => format!("You are not signed in. {provider}: {fault}."),
            Self::Refused(refusal, groups) => refusal.in_words(provider, groups),
            Self::Store(_) => "The database is not available. Try again in a moment.".into(),
        }
    }

    /// What the log says.
    pub fn detail(&self) -> String {
        match self {
            Self::Stale => "no such sign-in is under way for this browser".into(),
            Self::Away(detail) | Self::Untrusted(detail) => detail.clone(),
            Self::Claims(fault) => fault.to_string(),
            Self::Refused(refusal, _) => refusal.code().into(),
            Self::Store(error) => error.to_string(),
        }
    }
}

/// Why an ID token is not believed.
enum Doubt {
    /// It names a key that is not known (any more).
    UnknownKey,
    Other(String),
}

impl Doubt {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Other(in_words(error))
    }
}

impl From<Doubt> for SignInFault {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::UnknownKey => {
                Self::Untrusted("the ID token is signed with a key that the provider does not name".into())
            }
            Doubt::Other(detail) => Self::Untrusted(detail),
        }
    }
}

impl Oidc {
    /// Begins a sign-in that is to end at the page `next`. `browser` is what this browser keeps from another one, so that
    /// several tabs may be under way.
    pub async fn begin(&self, next: &str, browser: Option<&str>) -> Result<Begun, SignInFault> {
        let metadata = self.0.provider.metadata().await.map_err(SignInFault::Away)?;
        let (state, nonce, verifier) = (secret(), secret(), secret());
        let browser = browser.map_or_else(secret, str::to_owned);
        let begun = BegunSignIn { nonce: nonce.clone(), verifier: verifier.clone(), next: next.to_owned() };
        self.0.store.begin_sign_in(&state, &browser, begun).await?;
        let client = self.client(&metadata);
        let request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(self.0.scopes.iter().cloned())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier)));
        let (url, _, _) = request.url();
        Ok(Begun { url: url.into(), browser })
    }

    /// Ends one: whoever comes back is let in or not, and the audit trail says so where it is known who that is.
    pub async fn finish(
        &self,
        answered: &Answered,
        browser: Option<&str>,
        route: &str,
        request_id: &str,
        way: Way,
    ) -> Result<SignedIn, SignInFault> {
        let ended = self.end(answered, browser, route, request_id, way).await;
        if let Err(fault) = &ended {
            tracing::warn!(request_id, detail = fault.detail(), "a sign-in at the provider was refused");
            metrics::counter!("kubernaut_sign_ins_refused_total").increment(1);
        }
        ended
    }

    async fn end(
        &self,
        answered: &Answered,
        browser: Option<&str>,
        route: &str,
        request_id: &str,
        way: Way,
    ) -> Result<SignedIn, SignInFault> {
        let browser = browser.ok_or(SignInFault::Stale)?;
        let begun = self.0.store.take_sign_in(&answered.state, browser).await?.ok_or(SignInFault::Stale)?;
        let metadata = self.0.provider.metadata().await.map_err(SignInFault::Away)?;
        self.named_issuer(&metadata, answered.issuer.as_deref())?;
        let (claims, hint) =
            self.exchanged(&metadata, &answered.code, begun.verifier, &Nonce::new(begun.nonce)).await?;
        let person = self.0.rules.person(&claims).map_err(SignInFault::Claims)?;
        let groups = person.from.groups.clone();
        let roles = self.0.rules.roles_of(&groups);
        let entry = self.entry(&person, &roles, route, request_id, way);
        let arrival = Arrival { id: format!("user:{}", self.0.ids.fresh()), person, roles };
        match self.0.store.admit(arrival, entry).await? {
            Ok(user) => Ok(SignedIn { user, next: begun.next, hint }),
            Err(refusal) => Err(SignInFault::Refused(refusal, groups)),
        }
    }

    /// Where the browser goes to sign out at the provider, if that can be done there. `hint` is the ID token of the sign-in.
    pub fn end_session(&self, hint: &str) -> Option<String> {
        let endpoint = self.0.provider.known()?.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(self.0.client_id.clone())
            .set_post_logout_redirect_uri(self.0.left.clone());
        let mut url = request.http_get_url();
        if !hint.is_empty() {
            url.query_pairs_mut().append_pair("id_token_hint", hint);
        }
        Some(url.into())
    }

    fn client(&self, metadata: &Metadata) -> Client {
        let methods = metadata.token_endpoint_auth_methods_supported();
        let basic = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let by = if basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        Client::from_provider_metadata(metadata.clone(), self.0.client_id.clone(), self.0.client_secret.clone())
            .set_redirect_uri(self.0.redirect.clone())
            .set_auth_type(by)
    }

    /// An answer of another provider must not be taken for this one's (RFC 9207).
    fn named_issuer(&self, metadata: &Metadata, issuer: Option<&str>) -> Result<(), SignInFault> {
        let answers = &metadata.additional_metadata().additional_metadata;
        let always = answers.authorization_response_iss_parameter_supported == Some(true);
        match issuer {
            Some(issuer) if issuer != self.0.rules.issuer => {
                Err(SignInFault::Untrusted("the answer names another issuer".into()))
            }
            None if always => Err(SignInFault::Untrusted("the answer names no issuer".into())),
            _ => Ok(()),
        }
    }

    /// The claims that a code stands for, verified, and the ID token that makes them.
    async fn exchanged(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: String,
        nonce: &Nonce,
    ) -> Result<(Map<String, Value>, String), SignInFault> {
        let client = self.client(metadata);
        let exchange = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| SignInFault::Untrusted(in_words(&error)))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let tokens = exchange.request_async(self.0.provider.http()).await.map_err(|error| not_exchanged(&error))?;
        let token = tokens.id_token().ok_or_else(|| SignInFault::Untrusted("there is no ID token".into()))?;
        let claims = match self.verified(metadata, token, tokens.access_token(), nonce) {
            Err(Doubt::UnknownKey) => match self.0.provider.with_newer_keys().await {
                Some(newer) => self.verified(&newer, token, tokens.access_token(), nonce)?,
                None => return Err(Doubt::UnknownKey.into()),
            },
            judged => judged?,
        };
        Ok((claims, token.to_string()))
    }

    /// All claims of an ID token that is the provider's, for this client and this sign-in, and in time.
    fn verified(
        &self,
        metadata: &Metadata,
        token: &Token,
        access: &AccessToken,
        nonce: &Nonce,
    ) -> Result<Map<String, Value>, Doubt> {
        let now = UNIX_EPOCH + Duration::from_millis(self.0.clock.now().as_millis().unsigned_abs());
        let verifier = CoreIdTokenVerifier::new_public_client(
            self.0.client_id.clone(),
            metadata.issuer().clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs(algorithms())
        .set_time_fn(move || now.into());
        let claims = token.claims(&verifier, nonce).map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Doubt::UnknownKey
            }
            other => Doubt::of(&other),
        })?;
        if claims.authorized_party().is_some_and(|party| party.as_str() != self.0.client_id.as_str()) {
            return Err(Doubt::Other("the ID token was made for another client (azp)".into()));
        }
        if let Some(said) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| Doubt::of(&error))?;
            let key = token.signing_key(&verifier).map_err(|error| Doubt::of(&error))?;
            let hash = AccessTokenHash::from_token(access, algorithm, key).map_err(|error| Doubt::of(&error))?;
            if hash != *said {
                return Err(Doubt::Other("the ID token belongs to another access token (at_hash)".into()));
            }
        }
        match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => Ok(claims),
            Ok(_) => Err(Doubt::Other("the ID token's claims are no object".into())),
            Err(error) => Err(Doubt::of(&error)),
        }
    }

    /// The audit row of whatever becomes of somebody at the door.
    fn entry(&self, person: &Person, roles: &[Role], route: &str, request_id: &str, way: Way) -> AuditEntry {
        let groups: Vec<&String> = person.from.groups.iter().take(AUDITED_GROUPS).collect();
        AuditEntry {
            actor: Actor::system("sign-in"),
            way,
            route: route.to_owned(),
            action: "account.sign_in".into(),
            object_kind: "account".into(),
            object_id: person.name.clone(),
            before: None,
            after: Some(json!({
                "provider": self.0.rules.provider, "issuer": person.from.issuer, "subject": person.from.subject,
                "groups": groups, "roles": roles,
            })),
            reason: None,
            request_id: request_id.to_owned(),
        }
    }
}

/// 256 random bits in letters that fit everywhere; as a verifier long enough (RFC 7636, section 4.1).
fn secret() -> String {
    hex::encode(edge::random_bytes::<32>())
}

type Unexchanged = RequestTokenError<OutboundError, StandardErrorResponse<CoreErrorResponseType>>;

fn not_exchanged(error: &Unexchanged) -> SignInFault {
    let detail = format!("the code was not exchanged: {}", in_words(error));
    match error {
        RequestTokenError::Request(OutboundError::Failed { .. }) => SignInFault::Away(detail),
        _ => SignInFault::Untrusted(detail),
    }
}
