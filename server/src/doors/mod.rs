//! The doors: pages, REST, MCP, live events, health. Each declares the right that each of its routes needs; none knows how
//! anything is done.

pub mod access;
pub mod address;
mod body;
mod drain;
mod export;
mod form;
pub mod gate;
mod guard;
mod health;
pub mod host_check;
mod idempotency;
mod lapse;
pub mod listen;
pub mod live;
mod mcp;
mod pages;
mod problem;
pub mod rate;
pub mod refusals;
pub mod rest;
pub mod rights;
mod session;
mod site;
mod told;
mod visible;

use access::{Declared, Routes};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use gate::Gate;
use problem::Problem;
use std::time::Instant;
use tower::{Layer as _, ServiceExt as _};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

pub use health::Readiness;

/// The routes behind the gate, and what each of them needs.
fn gated() -> (Router<Gate>, Vec<Declared>) {
    let routes = Routes::new();
    let routes = rest::routes(routes);
    let routes = mcp::routes(routes);
    let routes = pages::routes(routes);
    routes.finish()
}

/// Every route that there is, and every tool of models, with what it needs.
pub fn declared() -> Vec<Declared> {
    [gated().1, mcp::declared(), site::routes().finish().1, health::routes().finish().1].concat()
}

/// The whole server: routes, and what stands before them.
pub fn router(gate: Gate, readiness: Readiness) -> Router {
    // The pages' futures run on this runtime; a second call finds it done.
    let _ = any_spawner::Executor::init_tokio();
    let (routes, _) = gated();
    let (ids, proxies, https) = (gate.ids.clone(), gate.proxies.clone(), gate.public_url.starts_with("https://"));
    let guarded = routes
        .fallback(pages::missing)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(gate.clone(), rate::limit))
        .layer(middleware::from_fn_with_state(gate.clone(), guard::same_origin))
        .layer(middleware::from_fn_with_state(gate.clone(), refusals::noted))
        // Twice: inside with the person, and outside for what is refused before it is known who asks.
        .layer(middleware::from_fn_with_state(gate.clone(), told::as_page))
        .layer(middleware::from_fn_with_state(gate.clone(), gate::identify))
        .layer(middleware::from_fn(session::cookies))
        .layer(middleware::from_fn_with_state(gate.clone(), host_check::proper))
        .layer(middleware::from_fn_with_state(gate.clone(), told::as_page))
        .layer(DefaultBodyLimit::max(body::MAX_BODY))
        .with_state(gate);
    let health: Router = health::routes().finish().0.with_state(readiness);
    guarded
        .merge(site::routes().finish().0)
        .merge(health)
        .layer(middleware::from_fn_with_state(https, guard::headers))
        .layer(middleware::from_fn_with_state(proxies, address::noted))
        .layer(middleware::from_fn_with_state(ids, gate::named))
        .layer(middleware::from_fn(drain::to_the_end))
        .layer(middleware::from_fn(compressed))
        .layer(middleware::from_fn(measured))
}

/// Compresses answers. Nothing of the event stream is compressed anyway, and the room for an encoder would be kept by each of
/// thousands of readers.
async fn compressed(request: Request, next: Next) -> Response {
    if request.uri().path() == rest::EVENTS {
        return next.run(request).await;
    }
    match CompressionLayer::new().layer(next).oneshot(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(never) => match never {},
    }
}

/// A panic is our fault; the process lives on.
#[expect(clippy::needless_pass_by_value, reason = "what the layer hands in")]
fn panicked(what: Box<dyn std::any::Any + Send>) -> Response {
    let text = what.downcast_ref::<String>().map(String::as_str).or_else(|| what.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("?"), "a handler panicked");
    let detail = "something went wrong on our side; name the request id when you ask for help";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
}

/// One log line and one observation per request.
async fn measured(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let answer = next.run(request).await;
    let status = answer.status();
    let request_id = answer.headers().get(gate::REQUEST_ID).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let elapsed = begun.elapsed();
    metrics::histogram!("kubernaut_http_request_seconds", "status" => status.as_str().to_owned())
        .record(elapsed.as_secs_f64());
    tracing::debug!(%method, path, status = status.as_u16(), request_id, ms = elapsed.as_secs_f64() * 1e3, "request");
    answer
}
