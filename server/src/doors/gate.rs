//! What all doors share: the services, the accounts, and the credentials that come with a request.

use super::{
    address::{self, Proxies},
    host_check::Hosts,
    live::Live,
    mcp,
    problem::{self, Problem},
    rate::{self, Limits},
    refusals::Refusals,
    session::Session,
};
use crate::{
    accounts::{Accounts, Identity, InCluster, NotIn, oidc::Oidc},
    notify::Notifications,
    services::Services,
};
use app::{ProviderWay, SignInWays};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{
    identity::{Caller, Door, Role, Way},
    ports::{IdempotencyStore, Ids, OldCookie},
    token_review::is_jwt,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The header that carries the request id, in and out.
pub const REQUEST_ID: &str = "x-request-id";

/// Shared by all doors; cheap to clone.
#[derive(Clone)]
pub struct Gate {
    /// The authorised services.
    pub services: Services,
    /// People and tokens.
    pub accounts: Accounts,
    /// What receivers outside are told.
    pub notifications: Notifications,
    /// The provider that people sign in at, if there is one.
    pub oidc: Option<Oidc>,
    /// Callers from the cluster.
    pub in_cluster: InCluster,
    /// First answers of repeated requests.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Live events.
    pub live: Live,
    /// How often one may knock.
    pub limits: Limits,
    /// What was refused, for the audit trail.
    pub refusals: Refusals,
    /// The proxies that may say for whom they ask.
    pub proxies: Proxies,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
    /// Whether the cluster is the sandbox: said on the sign-in page too.
    pub sandbox: bool,
    /// Where people reach the console, without a slash at the end.
    pub public_url: Arc<str>,
    /// The names by which it is reached.
    pub hosts: Hosts,
    /// Ends open streams when the process is to stop.
    pub stop: CancellationToken,
}

impl Gate {
    /// By which ways people sign in.
    pub fn ways(&self) -> SignInWays {
        let provider = self.oidc.as_ref().map(|oidc| ProviderWay {
            name: oidc.rules().provider.clone(),
            issuer: oidc.rules().issuer.clone(),
            reachable: oidc.reachable(),
        });
        SignInWays { provider, local: self.accounts.local() }
    }
}

/// The id of a request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Gives each request an id and names it in the answer: in its header, and in its body where that is a problem. What
/// programs are told of an error is always a problem.
pub async fn named(State(ids): State<Arc<dyn Ids>>, mut request: Request, next: Next) -> Response {
    let id = ids.fresh();
    request.extensions_mut().insert(RequestId(id.clone()));
    let programs = for_programs(&request);
    let mut answer = next.run(request).await;
    // An error without a word of its own gets one, whoever asked: a browser would take nothing for a broken document.
    if programs || !answer.headers().contains_key(header::CONTENT_TYPE) {
        answer = problem::completed(answer);
    }
    answer = problem::written(answer, &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

/// Whether programs use this address.
fn for_programs(request: &Request) -> bool {
    request.uri().path().starts_with("/api/")
}

/// The way by which a request for this path came: from its client's address, also behind a proxy that is believed.
pub fn way(path: &str, extensions: &Extensions) -> Way {
    let door = if path.starts_with("/api/") || path == mcp::PATH { Door::Api } else { Door::Page };
    Way { door, address: address::of(extensions) }
}

/// Finds out who a request is from. What is for programs is for nobody without credentials, whatever is asked.
pub async fn identify(State(gate): State<Gate>, session: Session, mut request: Request, next: Next) -> Response {
    let credentials = Credentials { authorization: request.headers().get(header::AUTHORIZATION).cloned(), session };
    let from = address::of(request.extensions());
    let stranger = || gate.limits.stranger(from);
    // Whoever comes with a token that the cluster has to be asked about is a stranger until it has answered.
    let asks = credentials.asks_the_cluster(&gate);
    if asks && let Some(seconds) = stranger() {
        return rate::too_often(seconds).into_response();
    }
    let found = credentials.identity(&gate, true).await;
    if !asks
        && !matches!(found, Ok(Some(_)))
        && let Some(seconds) = stranger()
    {
        return rate::too_often(seconds).into_response();
    }
    match found {
        Ok(Some(identity)) => {
            if identity.outdated {
                credentials.session.renew(&gate, &identity.roles, OldCookie::Lingers).await;
            }
            let route = request
                .extensions()
                .get::<MatchedPath>()
                .map_or_else(|| request.uri().path().to_owned(), |p| p.as_str().to_owned());
            let route = format!("{} {route}", request.method());
            let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
            let way = way(request.uri().path(), request.extensions());
            let Identity { actor, roles, session, .. } = identity;
            request.extensions_mut().insert(Caller { actor, roles, request_id, route, way, session });
            request.extensions_mut().insert(credentials);
            next.run(request).await
        }
        Ok(None) if for_programs(&request) => Problem::unauthenticated().into_response(),
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// What came with a request to say who it is from; kept while a stream is open, to be asked again.
#[derive(Clone)]
pub struct Credentials {
    authorization: Option<HeaderValue>,
    session: Session,
}

impl Credentials {
    /// Who they belong to by now; none when they belong to nobody any more. That a stream is open is no use of a session.
    pub async fn identity_by_now(&self, gate: &Gate) -> Result<Option<Identity>, Problem> {
        self.identity(gate, false).await
    }

    /// The token that came; none where something else did.
    fn bearer(&self) -> Option<&str> {
        let (scheme, secret) = self.authorization.as_ref()?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
    }

    /// Whether the cluster has to be asked whose they are.
    fn asks_the_cluster(&self, gate: &Gate) -> bool {
        let of_cluster = |secret: &&str| gate.in_cluster.is_on() && is_jwt(secret);
        self.bearer().filter(of_cluster).is_some_and(|secret| !gate.in_cluster.remembers(secret))
    }

    async fn identity(&self, gate: &Gate, used: bool) -> Result<Option<Identity>, Problem> {
        if self.authorization.is_some() {
            let Some(secret) = self.bearer() else { return Err(Problem::unauthenticated()) };
            if gate.in_cluster.is_on() && is_jwt(secret) {
                return gate.in_cluster.bearer(secret).await.map(Some).map_err(not_in);
            }
            let identity = gate.accounts.bearer(secret).await.map_err(|error| unavailable(&error))?;
            return identity.map(Some).ok_or_else(|| {
                let detail = "this token is unknown, expired or revoked; ask an admin for a new one";
                Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
            });
        }
        // A store that does not answer is no sign-out.
        match self.session.hash() {
            Some(hash) => gate.accounts.by_session(&hash, used).await.map_err(|error| unavailable(&error)),
            None => Ok(None),
        }
    }
}

impl Session {
    /// Gives the session another cookie, since its person may do something else than when it got this one, or has just proved who
    /// they are. That it can't be done now is no reason to turn somebody away: what they may do is asked anew each time.
    pub async fn renew(&self, gate: &Gate, roles: &[Role], old: OldCookie) {
        let Some(hash) = self.hash() else { return };
        match gate.accounts.renew_session(&hash, roles, old).await {
            Ok(Some(secret)) => self.set(&secret, gate.accounts.cookie_ms()),
            // Another request was faster.
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a session's cookie can't be renewed"),
        }
    }
}

/// Why a token of the cluster lets nobody in.
fn not_in(why: NotIn) -> Problem {
    match why {
        NotIn::Unknown => {
            let detail =
                "the cluster does not know this token, or it was made for another audience; ask it for a new one";
            Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
        }
        NotIn::NoRole(user) => {
            let detail = format!("{user} has no role here; ask an administrator for one (--token-review)");
            Problem::new(StatusCode::FORBIDDEN, "no-role", detail)
        }
        NotIn::Unavailable(error) => {
            tracing::error!(error, "the cluster does not say whose a token is");
            let detail = "the cluster does not say whose this token is; try again in a moment";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "credentials can't be checked");
    let detail = "the database is not available; try again in a moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
}
