//! `/api/v1/executions/{id}/rollback`, `/retry` and what came of them.

use super::{
    query::NoQuery,
    recommendations::{self, RecommendationBody},
    wire::{Linked, json},
};
use crate::doors::{
    access::{Access, Routes, Who},
    body::{self, OptionalJson},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode},
    response::Response,
};
use domain::{
    identity::Right,
    ids::ExecutionId,
    reader,
    services::{Aftermath, RecoveryService},
};
use serde_json::Value;

pub fn routes(routes: Routes) -> Routes {
    let control = Access::Needs(Right::RunsControl);
    routes
        .add(Method::POST, "/api/v1/executions/{id}/rollback", control, rollback)
        .add(Method::POST, "/api/v1/executions/{id}/retry", control, retry)
        .add(Method::GET, "/api/v1/executions/{id}/recoveries", Access::Needs(Right::RunsRead), recoveries)
}

fn reason(sent: Option<&Value>) -> Result<Option<String>, Problem> {
    match sent {
        Some(sent) => body::read(sent, |o| Some(o.optional("reason", reader::paragraphs(0..=4096)))),
        None => Ok(None),
    }
}

/// Makes a recommendation that undoes a run: its own playbook with the model's rollback parameters, else with what was captured
/// before it. It awaits its decision like any other. 409 says by its `type` why it can't be undone: `not-ended`, `nothing-ran`,
/// `no-rollback`, `not-kept`, `recovering`, `undone`.
#[utoipa::path(post, path = "/api/v1/executions/{id}/rollback", tag = "executions", params(("id" = String, Path)),
    responses((status = 201, body = Linked<RecommendationBody>)))]
pub async fn rollback(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    let reason = reason(sent.as_ref())?;
    let made = gate.services.rollback(&caller, &ExecutionId::new(id), reason).await?;
    Ok(recommendations::created(&recommendations::linked(made, Vec::new())))
}

/// Makes a recommendation that repeats a run: its playbook whole where that is registered as idempotent, or the failed steps and
/// those after them where each that had begun says that it is. 409 says by its `type` why it can't be repeated: `not-ended`,
/// `succeeded`, `not-idempotent`, `no-retry`, `not-kept`, `recovering`.
#[utoipa::path(post, path = "/api/v1/executions/{id}/retry", tag = "executions", params(("id" = String, Path)),
    responses((status = 201, body = Linked<RecommendationBody>)))]
pub async fn retry(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    let reason = reason(sent.as_ref())?;
    let made = gate.services.retry(&caller, &ExecutionId::new(id), reason).await?;
    Ok(recommendations::created(&recommendations::linked(made, Vec::new())))
}

/// What came after a run and what it came of: rollbacks, retries and next strategies with how they stand; whether it can be undone
/// and repeated, and why not.
#[utoipa::path(get, path = "/api/v1/executions/{id}/recoveries", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, body = Linked<Aftermath>)))]
pub async fn recoveries(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let id = ExecutionId::new(id);
    let found = gate.services.aftermath(&caller, &id).await?;
    let linked = Linked::new(found, format!("/api/v1/executions/{id}/recoveries"), format!("/runs/{id}"));
    Ok(json(StatusCode::OK, &linked))
}
