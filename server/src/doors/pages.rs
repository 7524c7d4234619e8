//! The pages' door: renders them, and takes their forms. A form is an ordinary POST: it works without JavaScript. What
//! can't be taken is shown again on its page with what is wrong; what was taken leads on with 303, so that a reload
//! repeats nothing.

mod audit;
mod edit;
mod effectiveness;
mod findings;
mod incidents;
mod notifications;
mod oidc;
mod policies;
mod reauthentication;
mod register;
mod review;
mod runs;
mod sessions;
mod settings;
mod sign_in;

use super::{
    access::{Access, Routes, Whose},
    address,
    form::{Fields, Form, field},
    gate::{Gate, RequestId},
    problem::Problem,
    rest::openapi,
    visible::visible,
};
use crate::urlencoded;
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
    agent,
    decision::Verb,
    fault::Fault,
    identity::{Caller, Right},
    ids::{Digest, RecommendationId},
    playbook::{PlaybookId, Version},
    ports::{CameFrom, Known, PlaybookStatus, StatusChange},
    services::{Answer, ApprovalService, CatalogService, DecisionRequest, ServiceError},
};
use leptos::{
    config::LeptosOptions,
    nonce::Nonce,
    prelude::{provide_context, use_context},
};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use reauthentication::Sent;
use std::{net::IpAddr, sync::Arc};

/// After how many seconds to come back when something is away for the moment.
const AWAY_S: u32 = 5;

pub fn routes(routes: Routes) -> Routes {
    // Who is not signed in is led to the sign-in page by the page itself; what it shows beside its own right, its services decide.
    let read = |right| Access::Page(Some(right));
    let mut routes = routes.add(Method::GET, "/login", Access::Public, show);
    for (path, access) in [
        ("/", read(Right::RunsRead)),
        ("/approvals", read(Right::RecommendationsRead)),
        ("/approvals/review", read(Right::Decide)),
        ("/recommendations/{id}", read(Right::RecommendationsRead)),
        ("/incidents", read(Right::RecommendationsRead)),
        ("/incidents/{id}", read(Right::RecommendationsRead)),
        ("/runs", read(Right::RunsRead)),
        ("/runs/{id}", read(Right::RunsRead)),
        ("/catalog", read(Right::CatalogSearch)),
        ("/catalog/new", read(Right::CatalogWrite)),
        ("/catalog/actions", read(Right::CatalogRead)),
        ("/catalog/{workflow_id}", read(Right::CatalogRead)),
        ("/findings", read(Right::RecommendationsRead)),
        ("/findings/{id}", read(Right::RecommendationsRead)),
        ("/effectiveness", read(Right::RunsRead)),
        ("/effectiveness/patterns", read(Right::RunsRead)),
        ("/audit", read(Right::AuditRead)),
        ("/search", Access::Page(None)),
        ("/settings", Access::Page(None)),
        ("/settings/accounts", read(Right::AccountsRead)),
        ("/settings/keys", Access::Page(None)),
        ("/settings/cluster", read(Right::RunsRead)),
        ("/settings/policies", read(Right::PoliciesRead)),
        ("/settings/policies/{version}", read(Right::PoliciesRead)),
        ("/settings/notifications", read(Right::NotificationsRead)),
        ("/api", Access::Page(None)),
    ] {
        routes = routes.add(Method::GET, path, access, show);
    }
    routes = routes
        .add(Method::GET, "/settings/sessions", Access::Page(None), show)
        .whose(Whose::Persons)
        .add(Method::GET, "/settings/tokens", Access::Page(None), show)
        .whose(Whose::Own(Right::AccountsRead));
    routes = notifications::routes(policies::routes(sessions::routes(settings::routes(audit::routes(routes)))));
    oidc::routes(findings::routes(effectiveness::routes(routes)))
        .add(Method::POST, "/login", Access::Public, sign_in::sign_in)
        .add(Method::POST, "/logout", Access::SignedIn, sign_in::sign_out)
        .add(Method::POST, "/approvals/review", Access::Needs(Right::Decide), review::decide)
        .whose(Whose::Others)
        .add(Method::POST, "/recommendations/{id}", Access::Needs(Right::Decide), decide)
        .whose(Whose::Others)
        .add(Method::POST, "/recommendations/{id}/parameters", Access::Needs(Right::Decide), edit::parameters)
        .add(Method::GET, "/runs/{id}/log", Access::Needs(Right::RunsRead), runs::log)
        .add(Method::POST, "/recommendations/{id}/check", Access::Needs(Right::Decide), edit::check)
        .add(Method::POST, "/incidents/{id}/investigations", Access::Needs(Right::Investigate), incidents::investigate)
        .add(Method::POST, "/incidents/{id}/close", Access::Needs(Right::Decide), incidents::close)
        .add(Method::POST, "/runs/{id}/cancel", Access::Needs(Right::RunsControl), runs::cancel)
        .add(Method::POST, "/runs/{id}/rollback", Access::Needs(Right::RunsControl), runs::rollback)
        .add(Method::POST, "/runs/{id}/retry", Access::Needs(Right::RunsControl), runs::retry)
        .add(Method::POST, "/runs/{id}/assessment", Access::Needs(Right::RunsControl), runs::overrule)
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
        incidents: services.clone(),
        approvals: services.clone(),
        runs: services.clone(),
        recoveries: services.clone(),
        findings: services.clone(),
        effectiveness: services.clone(),
        audit: services.clone(),
        policies: services.clone(),
        accounts: Arc::new(gate.accounts.clone()),
        notifications: Arc::new(gate.notifications.clone()),
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

/// Shows a form's page again: at the page's own address, with what was typed and what is wrong. Where something is away for the moment
/// the answer says when to come back.
async fn again(gate: &Gate, page: &str, request: Parts, outcome: FormOutcome) -> Response {
    let Ok(mut shown) = Request::builder().method(Method::GET).uri(page).body(Body::empty()) else {
        // What was sent makes no address: there is no page to show it on.
        let refused = Trouble { status: outcome.status, ..Trouble::default() };
        return trouble(gate, request.headers, request.extensions, refused).await;
    };
    *shown.headers_mut() = request.headers;
    *shown.extensions_mut() = request.extensions;
    let away = outcome.status == StatusCode::SERVICE_UNAVAILABLE;
    let answer = render(gate, shown, Some(outcome), None).await;
    if away { sign_in::later(answer, AWAY_S) } else { answer }
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

impl Parts {
    /// The address that the request came from.
    fn address(&self) -> Option<IpAddr> {
        address::of(&self.extensions)
    }

    /// What is noted of where a session is from.
    fn came_from(&self) -> CameFrom {
        let said = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        CameFrom { address: self.address().map(|address| address.to_string()), agent: said.map(agent::kept) }
    }
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

/// The address of a recommendation's page.
fn page_of(recommendation: &str) -> String {
    format!("/recommendations/{}", urlencoded::segment(recommendation))
}

// --- deciding -------------------------------------------------------------------------------------------------------

async fn decide(State(gate): State<Gate>, Path(id): Path<String>, sent: Sent) -> Response {
    let named = field(&sent.fields, "strategy").map(str::parse);
    let strategy = named.clone().and_then(Result::ok).unwrap_or(0);
    let outcome = match named {
        Some(Err(_)) => Err(invalid("/strategy", "malformed", "name the strategy by its number; load the page again")),
        _ => decided(&gate, &RecommendationId::new(&id), strategy, &sent.parts, &sent.fields).await,
    };
    match outcome {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => {
            let Sent { parts, fields, .. } = sent;
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
    }
    let text = |name| field(fields, name).map(str::to_owned);
    let (reason, confirm) = (text("reason"), text("confirm"));
    let request = DecisionRequest { decision, strategy, ticket_digest, reason, confirm, known: Known::Any };
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
