//! The pages' door: renders them, and takes their forms. A form is an ordinary POST: it works without JavaScript. What
//! can't be taken is shown again on its page with what is wrong; what was taken leads on with 303, so that a reload
//! repeats nothing.

mod audit;
mod edit;
mod oidc;
mod register;
mod review;
mod runs;
mod settings;

use super::{
    access::{Access, Routes, Whose},
    form::{Fields, Form, field},
    gate::{self, Gate, RequestId, SESSION_USER},
    problem::Problem,
    rest::openapi,
    urlencoded,
    visible::visible,
};
use app::{
    Away, Console, FormOutcome, document,
    error::Trouble,
    pages::{api::OpenApiDocument, playbook::Done},
};
use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    decision::Verb,
    fault::Fault,
    identity::{Caller, Right},
    ids::{Digest, RecommendationId},
    playbook::{PlaybookId, Version},
    ports::{PlaybookStatus, StatusChange},
    services::{Answer, ApprovalService, CatalogService, DecisionRequest, RecommendationView, ServiceError},
};
use leptos::{
    config::LeptosOptions,
    nonce::Nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use std::sync::Arc;
use tower_sessions::Session;

pub fn routes(routes: Routes) -> Routes {
    // Who is not signed in is led to the sign-in page by the page itself; what it shows beside its own right, its services decide.
    let read = |right| Access::Page(Some(right));
    let mut routes = routes.add(Method::GET, "/login", Access::Public, show);
    for (path, access) in [
        ("/", read(Right::RunsRead)),
        ("/approvals", read(Right::RecommendationsRead)),
        ("/approvals/review", read(Right::Decide)),
        ("/recommendations/{id}", read(Right::RecommendationsRead)),
        ("/runs", read(Right::RunsRead)),
        ("/runs/{id}", read(Right::RunsRead)),
        ("/catalog", read(Right::CatalogSearch)),
        ("/catalog/new", read(Right::CatalogWrite)),
        ("/catalog/{workflow_id}", read(Right::CatalogRead)),
        ("/effectiveness", read(Right::RunsRead)),
        ("/audit", read(Right::AuditRead)),
        ("/search", Access::Page(None)),
        ("/settings", Access::Page(None)),
        ("/settings/accounts", read(Right::AccountsRead)),
        ("/settings/keys", Access::Page(None)),
        ("/settings/cluster", read(Right::RunsRead)),
        ("/api", Access::Page(None)),
    ] {
        routes = routes.add(Method::GET, path, access, show);
    }
    routes =
        routes.add(Method::GET, "/settings/tokens", Access::Page(None), show).whose(Whose::Own(Right::AccountsRead));
    oidc::routes(settings::routes(audit::routes(routes)))
        .add(Method::POST, "/login", Access::Public, sign_in)
        .add(Method::POST, "/logout", Access::SignedIn, sign_out)
        .add(Method::POST, "/approvals/review", Access::Needs(Right::Decide), review::decide)
        .whose(Whose::Others)
        .add(Method::POST, "/recommendations/{id}", Access::Needs(Right::Decide), decide)
        .whose(Whose::Others)
        .add(Method::POST, "/recommendations/{id}/parameters", Access::Needs(Right::Decide), edit::parameters)
        .add(Method::GET, "/runs/{id}/log", Access::Needs(Right::RunsRead), runs::log)
        .add(Method::POST, "/recommendations/{id}/check", Access::Needs(Right::Decide), edit::check)
        .add(Method::POST, "/runs/{id}/cancel", Access::Needs(Right::RunsControl), runs::cancel)
        .add(
            Method::POST,
            "/runs/{id}/workspaces/{workspace}/listing",
            Access::Needs(Right::RunsControl),
            runs::list_workspace,
        )
        .add(Method::POST, "/catalog/new", Access::Needs(Right::CatalogWrite), register::sent)
        .add(Method::POST, "/catalog/new/check", Access::Needs(Right::CatalogWrite), register::check)
        .add(
            Method::POST,
            "/catalog/{workflow_id}/versions/{version}/status",
            Access::Needs(Right::CatalogWrite),
            set_status,
        )
}

/// Renders the page that the address names.
async fn show(State(gate): State<Gate>, request: Request) -> Response {
    render(&gate, request, None, None).await
}

/// What no route stands for: a page for people, a problem for programs.
pub async fn missing(State(gate): State<Gate>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        let caller = request.extensions().get::<Caller>();
        return match super::access::admit(Access::SignedIn, caller) {
            Ok(()) => Problem::from(ServiceError::NotFound("route")).into_response(),
            Err(problem) => problem.into_response(),
        };
    }
    if request.method() != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    render(&gate, request, None, None).await
}

async fn render(gate: &Gate, request: Request, form: Option<FormOutcome>, trouble: Option<Trouble>) -> Response {
    let services = Arc::new(gate.services.clone());
    let console = Console {
        caller: request.extensions().get::<Caller>().cloned(),
        catalog: services.clone(),
        approvals: services.clone(),
        runs: services.clone(),
        effectiveness: services.clone(),
        audit: services.clone(),
        accounts: Arc::new(gate.accounts.clone()),
        shell: services,
        sandbox: gate.sandbox,
        ways: gate.ways(),
        away: request.extensions().get::<Away>().cloned(),
        event: gate.live.told(),
        public_url: gate.public_url.to_string(),
        request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        form,
        trouble,
    };
    let context = move || {
        provide_context(console.clone());
        provide_context(OpenApiDocument(openapi::described()));
        if let (Some(nonce), Some(response)) = (use_context::<Nonce>(), use_context::<ResponseOptions>())
            && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    };
    let options = LeptosOptions::builder().output_name("console").site_pkg_dir("pkg").build();
    let page = render_app_async_with_context(context, move || document(options.clone()));
    visible(page(request).await).await
}

/// Nothing but our own files; scripts by nonce, WebAssembly allowed, no inline handlers, no frames.
fn content_security_policy(nonce: &Nonce) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         font-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Shows a form's page again: at the page's own address, with what was typed and what is wrong.
async fn again(gate: &Gate, page: &str, request: Parts, outcome: FormOutcome) -> Response {
    let Ok(mut shown) = Request::builder().method(Method::GET).uri(page).body(Body::empty()) else {
        // What was sent makes no address: there is no page to show it on.
        let refused = Trouble { status: outcome.status, ..Trouble::default() };
        return trouble(gate, request.headers, request.extensions, refused).await;
    };
    *shown.headers_mut() = request.headers;
    *shown.extensions_mut() = request.extensions;
    render(gate, shown, Some(outcome), None).await
}

/// The page that says why a request was refused, in place of any other.
pub async fn trouble(gate: &Gate, headers: HeaderMap, extensions: Extensions, trouble: Trouble) -> Response {
    // An address at which no page stands.
    let mut shown = Request::builder().method(Method::GET).uri("/-").body(Body::empty()).unwrap_or_default();
    *shown.headers_mut() = headers;
    *shown.extensions_mut() = extensions;
    render(gate, shown, None, Some(trouble)).await
}

/// What of a request is needed to show its page again.
struct Parts {
    headers: HeaderMap,
    extensions: Extensions,
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Parts {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self { headers: parts.headers.clone(), extensions: parts.extensions.clone() })
    }
}

fn who(parts: &Parts) -> Answer<Caller> {
    // The route's right has been checked; without a caller nothing gets here.
    parts.extensions.get::<Caller>().cloned().ok_or(ServiceError::Forbidden("sign in first".into()))
}

// --- signing in and out ---------------------------------------------------------------------------------------------

async fn sign_in(State(gate): State<Gate>, session: Session, parts: Parts, Form(fields): Form) -> Response {
    let (name, password) =
        (field(&fields, "username").unwrap_or_default(), field(&fields, "password").unwrap_or_default());
    let next = app::pages::login::safe_next(field(&fields, "next"));
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let (route, way) = ("POST /login", gate::way("/login", &parts.extensions));
    let typed = vec![("username".to_owned(), name.to_owned()), ("next".to_owned(), next.clone())];
    let refused = |status, message: String| FormOutcome {
        fields: typed.clone(),
        message: Some(message),
        status,
        ..FormOutcome::default()
    };
    if !gate.accounts.local() {
        gate.refusals.sign_in("account.refuse_sign_in", None, route, way, &id).await;
        let message = "Accounts of this console are switched off. Sign in at the provider.".to_owned();
        return again(&gate, "/login", parts, refused(StatusCode::FORBIDDEN, message)).await;
    }
    if let Some(seconds) = gate.limits.sign_in(name, way.address) {
        gate.refusals.sign_in("account.limit_sign_in", None, route, way, &id).await;
        let outcome = refused(StatusCode::TOO_MANY_REQUESTS, format!("Too many attempts. Try again in {seconds} s."));
        let mut answer = again(&gate, "/login", parts, outcome).await;
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return answer;
    }
    let outcome = match gate.accounts.sign_in(name, password, route, &id, way).await {
        Ok(Some(user)) => match open_session(&session, &user.id).await {
            Ok(()) => return Redirect::to(&next).into_response(),
            Err(error) => {
                tracing::error!(%error, "a session can't be opened");
                refused(StatusCode::SERVICE_UNAVAILABLE, "The database is not available. Try again in a moment.".into())
            }
        },
        Ok(None) => {
            let account = gate.accounts.named(name).await;
            gate.refusals.sign_in("account.refuse_sign_in", account, route, way, &id).await;
            refused(StatusCode::UNAUTHORIZED, "User name or password is wrong.".into())
        }
        Err(error) => {
            tracing::error!(%error, "sign-in can't be checked");
            refused(StatusCode::SERVICE_UNAVAILABLE, "The database is not available. Try again in a moment.".into())
        }
    };
    again(&gate, "/login", parts, outcome).await
}

/// A fresh session id at each sign-in: one that somebody planted before is worth nothing afterwards.
async fn open_session(session: &Session, user: &str) -> Result<(), tower_sessions::session::Error> {
    session.cycle_id().await?;
    session.insert(SESSION_USER, user).await?;
    session.save().await
}

async fn sign_out(State(gate): State<Gate>, session: Session, parts: Parts) -> Response {
    let hint = oidc::hint(&session).await;
    if let Err(error) = session.flush().await {
        tracing::error!(%error, "a session can't be ended");
    }
    oidc::signed_out(&gate, parts, hint).await
}

/// The address of a recommendation's page.
fn page_of(recommendation: &str) -> String {
    format!("/recommendations/{}", urlencoded::segment(recommendation))
}

// --- deciding -------------------------------------------------------------------------------------------------------

async fn decide(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts, Form(fields): Form) -> Response {
    let named = field(&fields, "strategy").map(str::parse);
    let strategy = named.clone().and_then(Result::ok).unwrap_or(0);
    let outcome = match named {
        Some(Err(_)) => Err(invalid("/strategy", "malformed", "name the strategy by its number; load the page again")),
        _ => decided(&gate, &RecommendationId::new(&id), strategy, &parts, &fields).await,
    };
    match outcome {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(error) => {
            let ticket = field(&fields, "ticket_digest").and_then(|d| Digest::try_from(d.to_owned()).ok());
            let ticket = ticket.map(|digest| format!("&ticket={digest}")).unwrap_or_default();
            let outcome = FormOutcome::refused(fields.clone(), &error);
            again(&gate, &format!("{}?strategy={strategy}{ticket}", page_of(&id)), parts, outcome).await
        }
    }
}

async fn decided(gate: &Gate, id: &RecommendationId, strategy: u32, parts: &Parts, fields: &Fields) -> Answer<String> {
    let caller = who(parts)?;
    let decision = verb(fields)?;
    let ticket_digest = digest("/ticket_digest", field(fields, "ticket_digest"))?;
    if decision == Verb::Approve {
        let view = gate.services.view(&caller, id, Some(strategy), ticket_digest.clone()).await?;
        edit::nothing_unsaved(&view, fields)?;
        confirmed(&view, "/confirm", field(fields, "confirm"))?;
    }
    let reason = field(fields, "reason").map(str::to_owned);
    let request = DecisionRequest { decision, strategy, ticket_digest, reason };
    let answer = gate.services.decide(&caller, id, request).await?;
    Ok(match answer.execution_id {
        Some(execution) => format!("/runs/{execution}"),
        // Where it says what has been decided: on a phone that is far down.
        None => format!("{}?strategy={strategy}#decided", page_of(id.as_str())),
    })
}

/// The button that was pressed.
fn verb(fields: &Fields) -> Answer<Verb> {
    let pressed = field(fields, "decision").and_then(Verb::from_name);
    pressed.ok_or_else(|| invalid("/decision", "required", "press Approve or Reject"))
}

/// The digest in a field, where there is one.
fn digest(pointer: &str, text: Option<&str>) -> Answer<Option<Digest>> {
    let read = text.map(|text| Digest::try_from(text.to_owned())).transpose();
    read.map_err(|error| invalid(pointer, "malformed", &error.to_string()))
}

/// Whoever approves a high risk has typed, in the field that `pointer` names, what the ticket acts on.
fn confirmed(view: &RecommendationView, pointer: &str, typed: Option<&str>) -> Answer<()> {
    match view.confirmation() {
        Some(target) if typed.map(str::trim) != Some(target.as_str()) => {
            let message = format!("type {target} to approve: this strategy's risk is high");
            Err(invalid(pointer, "mismatch", &message))
        }
        _ => Ok(()),
    }
}

fn invalid(pointer: &str, code: &'static str, message: &str) -> ServiceError {
    ServiceError::Invalid(vec![Fault::new(pointer.to_owned(), code, message.to_owned())])
}

// --- the catalog ----------------------------------------------------------------------------------------------------

async fn set_status(
    State(gate): State<Gate>,
    Path((id, version)): Path<(String, String)>,
    parts: Parts,
    Form(fields): Form,
) -> Response {
    let page = format!("/catalog/{}", urlencoded::segment(&id));
    let done = async {
        let caller = who(&parts)?;
        let playbook = id.parse::<PlaybookId>().map_err(|_| ServiceError::NotFound("playbook"))?;
        let version = version.parse::<Version>().map_err(|_| ServiceError::NotFound("playbook version"))?;
        let status = field(&fields, "status").and_then(PlaybookStatus::from_name);
        let status =
            status.ok_or_else(|| invalid("/status", "not_allowed", "choose active, disabled or deprecated"))?;
        let reason = field(&fields, "reason").map(str::to_owned);
        gate.services.set_status(&caller, &playbook, &version, StatusChange::to(status, reason)).await
    };
    match done.await {
        Ok(record) => Redirect::to(&Done::Status.address(&record.registration)).into_response(),
        Err(error) => {
            let outcome = FormOutcome::refused(fields.clone(), &error);
            again(&gate, &page, parts, outcome).await
        }
    }
}
