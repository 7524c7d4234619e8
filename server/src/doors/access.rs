//! Which right each route needs. Routes are added only through [`Routes`], so one without a declaration does not compile.

use super::{
    gate::{Credentials, Gate},
    idempotency, lapse,
    problem::Problem,
};
use axum::{
    RequestExt as _, Router,
    extract::{FromRequestParts, RawPathParams, Request, State},
    handler::Handler,
    http::{Method, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodFilter, get, on},
};
use domain::{
    identity::{Caller, Right},
    services::ServiceError,
};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not: sign-in itself, health, the site's files.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Whoever has this right.
    Needs(Right),
    /// A page: whoever is not signed in is led to sign-in, whoever lacks the right, where it takes one, is told so on a page.
    Page(Option<Right>),
}

/// Whose the object of a route has to be, where that decides, too. Its service is the judge; it is declared here so that the table
/// of rights tells it, and a test tries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It makes no difference.
    Anybodys,
    /// One's own; what is others', only with this right.
    Own(Right),
    /// One's own, as a person: a token has nothing of the kind.
    Persons,
    /// Others': nobody approves what they proposed themselves.
    Others,
}

/// A declared route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The method.
    pub method: Method,
    /// The path template, `/api/v1/playbooks/{workflow_id}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Whose its object has to be.
    pub whose: Whose,
}

/// A router whose every route has said who may use it.
pub struct Routes {
    router: Router<Gate>,
    declared: Vec<Declared>,
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self { router: Router::new(), declared: Vec::new() }
    }

    /// Adds a route. The right is checked before anything of the request but its credentials is looked at.
    #[must_use]
    pub fn add<H, T>(mut self, method: Method, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Gate>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
        let guarded = move |State(gate): State<Gate>, request: Request| {
            let handler = handler.clone();
            async move {
                enter(&gate.clone(), access, request, |request| handler.call(request, gate))
                    .await
                    .unwrap_or_else(IntoResponse::into_response)
            }
        };
        self.router = self.router.route(path, on(filter, guarded));
        self.declared.push(Declared { method, path, access, whose: Whose::Anybodys });
        self
    }

    /// Says whose the object of the route that was added last has to be.
    #[must_use]
    pub fn whose(mut self, whose: Whose) -> Self {
        if let Some(last) = self.declared.last_mut() {
            last.whose = whose;
        }
        self
    }

    /// The router, and what was declared.
    pub fn finish(self) -> (Router<Gate>, Vec<Declared>) {
        (self.router, self.declared)
    }
}

/// Routes that anybody may read, and that know of no caller: health, and the site's files.
pub struct Open<S> {
    router: Router<S>,
    declared: Vec<Declared>,
}

impl<S: Clone + Send + Sync + 'static> Open<S> {
    /// No routes yet.
    pub fn new() -> Self {
        Self { router: Router::new(), declared: Vec::new() }
    }

    /// Adds a route that is read.
    #[must_use]
    pub fn add<H, T>(mut self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.router = self.router.route(path, get(handler));
        self.declared.push(Declared { method: Method::GET, path, access: Access::Public, whose: Whose::Anybodys });
        self
    }

    /// The router, and what was declared.
    pub fn finish(self) -> (Router<S>, Vec<Declared>) {
        (self.router, self.declared)
    }
}

/// The way to a handler: the right, then whether the address is text at all, then whether this request was answered before.
/// Streams end when the right does.
async fn enter<F>(
    gate: &Gate,
    access: Access,
    mut request: Request,
    handle: impl FnOnce(Request) -> F,
) -> Result<Response, Problem>
where
    F: Future<Output = Response> + Send + 'static,
{
    let caller = request.extensions().get::<Caller>();
    admit(access, caller).inspect_err(|_| refused(caller))?;
    // Percent signs that stand for no text name nothing.
    request.extract_parts::<RawPathParams>().await.map_err(|_| ServiceError::NotFound("object"))?;
    let credentials = request.extensions().get::<Credentials>().cloned();
    let answer = idempotency::once(gate, request, handle).await?;
    Ok(match (access, credentials) {
        (Access::Needs(right), Some(credentials)) => lapse::with_the_right(answer, gate, credentials, right),
        _ => answer,
    })
}

/// Who tries what they may not is worth a line. Strangers are counted, not told one by one.
fn refused(caller: Option<&Caller>) {
    if let Some(Caller { actor, route, request_id, .. }) = caller {
        let (actor, route, request_id) = (actor.id.as_str(), route.as_str(), request_id.as_str());
        tracing::info!(actor, route, request_id, "refused: a right is missing");
    }
}

/// Whether a caller may use a route: 401 before 403, and both before the object is looked for.
pub fn admit(access: Access, caller: Option<&Caller>) -> Result<(), Problem> {
    match (access, caller) {
        (Access::Public, _) | (Access::SignedIn | Access::Page(None), Some(_)) | (Access::Page(_), None) => Ok(()),
        (_, None) => Err(Problem::unauthenticated()),
        (Access::Needs(right) | Access::Page(Some(right)), Some(caller)) => {
            caller.require(right).map_err(|denied| Problem::denied(&denied))
        }
    }
}

/// The authenticated caller, for handlers of routes that are not public.
pub struct Who(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(Self).ok_or_else(|| Problem::unauthenticated().into_response())
    }
}
