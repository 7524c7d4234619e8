//! What all doors share: the services, the accounts, and the credentials that come with a request.

use super::{
    entrance::Hosts,
    live::Live,
    problem::{self, Problem},
    rate::{self, Limits},
    refusals::Refusals,
};
use crate::{
    accounts::{Accounts, Identity, oidc::Oidc},
    services::Services,
};
use app::{ProviderWay, SignInWays};
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{
    identity::{Caller, Door, Way},
    ports::{IdempotencyStore, Ids},
    services::ShellService as _,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;
use tower_sessions::Session;

/// The key under which a session holds its person; the store ends a person's sessions by it.
pub use store::SESSION_USER;
/// The key under which a session holds when its use was last noted, milliseconds since 1970.
const SESSION_USED: &str = "used";
/// A session that is used is written so often at most: what is written gets its whole time again.
pub const SESSION_NOTED_MS: i64 = 10 * 60 * 1000;
/// The header that carries the request id, in and out.
pub const REQUEST_ID: &str = "x-request-id";

/// Shared by all doors; cheap to clone.
#[derive(Clone)]
pub struct Gate {
    /// The authorised services.
    pub services: Services,
    /// People and tokens.
    pub accounts: Accounts,
    /// The provider that people sign in at, if there is one.
    pub oidc: Option<Oidc>,
    /// First answers of repeated requests.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Live events.
    pub live: Live,
    /// How often one may knock.
    pub limits: Limits,
    /// What was refused, for the audit trail.
    pub refusals: Refusals,
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

/// The way by which a request for this path came.
pub fn way(path: &str, extensions: &Extensions) -> Way {
    let door = if path.starts_with("/api/") { Door::Api } else { Door::Page };
    let address = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
    Way { door, address }
}

/// Finds out who a request is from. What is for programs is for nobody without credentials, whatever is asked.
pub async fn identify(State(gate): State<Gate>, session: Session, mut request: Request, next: Next) -> Response {
    let credentials = Credentials { authorization: request.headers().get(header::AUTHORIZATION).cloned(), session };
    let found = credentials.identity(&gate).await;
    if !matches!(found, Ok(Some(_)))
        && let Some(seconds) = gate.limits.stranger(address_of(&request))
    {
        return rate::too_often(seconds).into_response();
    }
    match found {
        Ok(Some(identity)) => {
            let route = request
                .extensions()
                .get::<MatchedPath>()
                .map_or_else(|| request.uri().path().to_owned(), |p| p.as_str().to_owned());
            let route = format!("{} {route}", request.method());
            let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
            let way = way(request.uri().path(), request.extensions());
            let caller = Caller { actor: identity.actor, roles: identity.roles, request_id, route, way };
            request.extensions_mut().insert(caller);
            credentials.note_use(gate.services.now().as_millis()).await;
            request.extensions_mut().insert(credentials);
            next.run(request).await
        }
        Ok(None) if for_programs(&request) => Problem::unauthenticated().into_response(),
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Where a request came from.
fn address_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

/// What came with a request to say who it is from; kept while a stream is open, to be asked again.
#[derive(Clone)]
pub struct Credentials {
    authorization: Option<HeaderValue>,
    session: Session,
}

impl Credentials {
    /// Who they belong to by now; none when they belong to nobody any more.
    pub async fn identity_by_now(&self, gate: &Gate) -> Result<Option<Identity>, Problem> {
        if self.authorization.is_none() {
            self.session.load().await.map_err(|error| unavailable(&error))?;
        }
        self.identity(gate).await
    }

    /// Lets a session that is used live on. That it can't be noted is no reason to turn somebody away.
    async fn note_use(&self, now_ms: i64) {
        if self.authorization.is_some() {
            return;
        }
        let noted: Option<i64> = self.session.get(SESSION_USED).await.ok().flatten();
        if noted.is_none_or(|noted| now_ms - noted >= SESSION_NOTED_MS)
            && let Err(error) = self.session.insert(SESSION_USED, now_ms).await
        {
            tracing::warn!(%error, "the use of a session can't be noted");
        }
    }

    async fn identity(&self, gate: &Gate) -> Result<Option<Identity>, Problem> {
        if let Some(value) = &self.authorization {
            let secret = value
                .to_str()
                .ok()
                .and_then(|v| v.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let Some((_, secret)) = secret else { return Err(Problem::unauthenticated()) };
            let identity = gate.accounts.bearer(secret.trim()).await.map_err(|error| unavailable(&error))?;
            return identity.map(Some).ok_or_else(|| {
                let detail = "this token is unknown, expired or revoked; ask an admin for a new one";
                Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
            });
        }
        // A store that does not answer is no sign-out.
        let user: Option<String> = self.session.get(SESSION_USER).await.map_err(|error| unavailable(&error))?;
        match user {
            Some(user) => gate.accounts.person(&user).await.map_err(|error| unavailable(&error)),
            None => Ok(None),
        }
    }
}

fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "credentials can't be checked");
    let detail = "the database is not available; try again in a moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(2)
}
