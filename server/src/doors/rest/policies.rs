//! `/api/v1/policies`.

use super::{
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::doors::{
    access::{Access, Routes, Who},
    body::{self, Json},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    fault::Fault,
    identity::Right,
    policy::{
        MAX_BYTES, Policy,
        simulate::{Effect, Simulation},
    },
    ports::PolicyRecord,
    reader,
    services::{ActivationAnswer, LOOK_BACK_DAYS, PolicyService, ServiceError},
};
use serde::Serialize;
use serde_json::Value;

/// A policy that was understood.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CheckedBody {
    /// What it says.
    policy: Policy,
    /// Names in its groups that no account has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_names: Vec<String>,
}

/// How many agree and how many must.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Agreed {
    /// Distinct people who agree.
    have: u32,
    /// Needed, as the policy in force says.
    need: u32,
}

/// What an activation came to.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ActivationBody {
    /// The version, as it stands now.
    policy: PolicyRecord,
    /// Who agrees.
    approvals: Agreed,
    /// Names in its groups that no account has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_names: Vec<String>,
}

/// A version that was kept.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DraftBody {
    /// The version.
    #[serde(flatten)]
    record: PolicyRecord,
    /// Names in its groups that no account has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_names: Vec<String>,
}

/// How many decisions would have been others.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct DifferenceCounts {
    /// Would not have run then.
    stricter: usize,
    /// Would have run with less.
    looser: usize,
    /// Would have run without anybody.
    automatic: usize,
}

/// What a version would have changed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SimulationBody {
    /// What was found.
    #[serde(flatten)]
    simulation: Simulation,
    /// The same in numbers.
    counts: DifferenceCounts,
}

pub fn routes(routes: Routes) -> Routes {
    let (read, write) = (Access::Needs(Right::PoliciesRead), Access::Needs(Right::PoliciesWrite));
    routes
        .add(Method::GET, "/api/v1/policies", read, list)
        .add(Method::POST, "/api/v1/policies", write, draft)
        .add(Method::POST, "/api/v1/policies/validate", write, validate)
        .add(Method::GET, "/api/v1/policies/{version}", read, version)
        .add(Method::GET, "/api/v1/policies/{version}/simulate", read, simulate)
        .add(Method::POST, "/api/v1/policies/{version}/activate", write, activate)
}

fn linked(record: PolicyRecord) -> Linked<PolicyRecord> {
    let (this, page) = addresses(record.version);
    Linked::new(record, this, page)
}

fn addresses(version: u32) -> (String, String) {
    (format!("/api/v1/policies/{version}"), format!("/settings/policies/{version}"))
}

/// The version that an address names.
fn named(version: &str) -> Result<u32, ServiceError> {
    version.parse().map_err(|_| ServiceError::NotFound("version of the policy"))
}

/// The text of a policy in a body.
fn yaml(sent: &Value) -> Result<String, Problem> {
    body::read(sent, |o| o.required("yaml", reader::free_text(1..=MAX_BYTES)))
}

/// Faults of the document, told where it was sent.
fn below_yaml(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Invalid(faults) => ServiceError::Invalid(
            faults.into_iter().map(|fault| Fault { pointer: format!("/yaml{}", fault.pointer), ..fault }).collect(),
        ),
        other => other,
    }
}

/// Versions of the approval policy, newest first; one of them is in force.
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies",
    params(("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<PolicyRecord>>)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let page = query.page();
    query.finish()?;
    let found = gate.services.policies(&caller, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(linked))))
}

/// Keeps a policy as a new version that is not in force.
#[utoipa::path(post, path = "/api/v1/policies", tag = "policies",
    responses((status = 201, body = Linked<DraftBody>)))]
pub async fn draft(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let record = gate.services.draft_policy(&caller, &yaml(&sent)?).await.map_err(below_yaml)?;
    let unknown_names = gate.services.unknown_names(&caller, &record.policy).await?;
    let (this, page) = addresses(record.version);
    let body = Linked::new(DraftBody { record, unknown_names }, this, page);
    Ok(([(header::LOCATION, body.links.this.clone())], json(StatusCode::CREATED, &body)).into_response())
}

/// The same checks, nothing kept.
#[utoipa::path(post, path = "/api/v1/policies/validate", tag = "policies",
    responses((status = 200, body = CheckedBody)))]
pub async fn validate(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let policy = gate.services.check_policy(&caller, &yaml(&sent)?).await.map_err(below_yaml)?;
    let unknown_names = gate.services.unknown_names(&caller, &policy).await?;
    Ok(json(StatusCode::OK, &CheckedBody { policy, unknown_names }))
}

/// One version.
#[utoipa::path(get, path = "/api/v1/policies/{version}", tag = "policies", params(("version" = u32, Path)),
    responses((status = 200, body = Linked<PolicyRecord>)))]
pub async fn version(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(version): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let record = PolicyService::policy(&gate.services, &caller, named(&version)?).await?;
    Ok(json(StatusCode::OK, &linked(record)))
}

/// What this version would have said to the decisions of the last days. It changes nothing.
#[utoipa::path(get, path = "/api/v1/policies/{version}/simulate", tag = "policies",
    params(("version" = u32, Path), ("days" = Option<u32>, Query)),
    responses((status = 200, body = Linked<SimulationBody>)))]
pub async fn simulate(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(version): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let days = query.parsed("days", "a number from 1 to 365", |t| t.parse().ok().filter(|n| (1..=365).contains(n)));
    query.finish()?;
    let version = named(&version)?;
    let simulation = gate.services.simulate_policy(&caller, version, days.unwrap_or(LOOK_BACK_DAYS)).await?;
    let counts = DifferenceCounts {
        stricter: simulation.count(Effect::Stricter),
        looser: simulation.count(Effect::Looser),
        automatic: simulation.count(Effect::Automatic),
    };
    let (this, page) = addresses(version);
    let (this, page) = (format!("{this}/simulate"), format!("{page}?simulate=1"));
    Ok(json(StatusCode::OK, &Linked::new(SimulationBody { simulation, counts }, this, page)))
}

/// Agrees that a version is put in force, which it is once as many agree as the policy in force asks for.
#[utoipa::path(post, path = "/api/v1/policies/{version}/activate", tag = "policies", params(("version" = u32, Path)),
    responses((status = 200, body = Linked<ActivationBody>)))]
pub async fn activate(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(version): Path<String>,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let reason = body::read(&sent, |o| o.required("reason", reader::paragraphs(1..=4096)))?;
    let version = named(&version)?;
    let ActivationAnswer { record, have, need } = gate.services.activate_policy(&caller, version, Some(reason)).await?;
    let unknown_names = gate.services.unknown_names(&caller, &record.policy).await?;
    let body = ActivationBody { policy: record, approvals: Agreed { have, need }, unknown_names };
    let (this, page) = addresses(version);
    Ok(json(StatusCode::OK, &Linked::new(body, this, page)))
}
