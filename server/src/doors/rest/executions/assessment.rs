//! `/api/v1/executions/{id}/assessment`.

use crate::doors::{
    access::Who,
    body::{self, Json},
    gate::Gate,
    problem::Problem,
    rest::{
        query::NoQuery,
        wire::{Linked, json},
    },
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use domain::{
    assessment::AssessmentRecord,
    execution::Assessment,
    ids::ExecutionId,
    reader,
    services::{RunService, ServiceError},
};
use serde::Serialize;

/// Whether a run helped.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AssessmentBody {
    /// The verdict that counts.
    verdict: Assessment,
    /// What it rests on.
    #[serde(flatten)]
    record: AssessmentRecord,
}

fn linked(id: &str, record: AssessmentRecord) -> Linked<AssessmentBody> {
    let body = AssessmentBody { verdict: record.verdict(), record };
    Linked::new(body, format!("/api/v1/executions/{id}/assessment"), format!("/runs/{id}#assessment"))
}

/// Whether it helped: the verdict, its evidence, whether the signal came back, and a person's word where one overruled it. 404 while
/// nobody has looked.
#[utoipa::path(get, path = "/api/v1/executions/{id}/assessment", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, body = Linked<AssessmentBody>)))]
pub async fn assessment(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let record = RunService::assessment(&gate.services, &caller, &ExecutionId::new(&*id)).await?;
    let record = record.ok_or(ServiceError::NotFound("assessment of this execution yet"))?;
    Ok(json(StatusCode::OK, &linked(&id, record)))
}

/// Overrules the verdict, with a reason. What the console saw stays beside it; statistics go by the verdict that counts.
#[utoipa::path(post, path = "/api/v1/executions/{id}/assessment", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, body = Linked<AssessmentBody>)))]
pub async fn overrule(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    const WORDS: &[(&str, Assessment)] = &[
        ("effective", Assessment::Effective),
        ("ineffective", Assessment::Ineffective),
        ("inconclusive", Assessment::Inconclusive),
    ];
    let (verdict, reason) = body::read(&sent, |o| {
        let verdict = o.required("verdict", reader::one_of(WORDS));
        let reason = o.required("reason", reader::paragraphs(1..=4096));
        Some((verdict?, reason?))
    })?;
    let record = gate.services.overrule(&caller, &ExecutionId::new(&*id), verdict, Some(reason)).await?;
    Ok(json(StatusCode::OK, &linked(&id, record)))
}
