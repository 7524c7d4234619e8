//! `/api/v1/signals` and `/api/v1/incidents`.

use super::{
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::doors::{
    access::{Access, Routes, Who},
    body::{self, Json, OptionalJson},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    identity::Right,
    ids::{ExecutionId, IncidentId, InvestigationId, RecommendationId},
    incident::{IncidentRecord, IncidentState},
    ports::IncidentFilter,
    reader,
    recommendation::Severity,
    services::{IncidentService, IncidentView, InvestigationView, SignalsTaken},
    signal::Signal,
};
use serde::Serialize;

/// An incident with its signals and what came of it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct IncidentBody {
    /// The incident's own fields.
    #[serde(flatten)]
    incident: IncidentRecord,
    /// Its signals, those that fire first; at most 200.
    signals: Vec<Signal>,
    /// What was recommended for it, newest first; at most 10.
    #[schema(value_type = Vec<String>)]
    recommendations: Vec<RecommendationId>,
    /// What ran for it, newest first.
    #[schema(value_type = Vec<String>)]
    runs: Vec<ExecutionId>,
    /// How it was investigated, newest first; at most 5.
    #[schema(value_type = Vec<String>)]
    investigations: Vec<InvestigationId>,
}

impl From<IncidentView> for IncidentBody {
    fn from(view: IncidentView) -> Self {
        Self {
            incident: view.incident,
            signals: view.signals,
            recommendations: view.recommendations.into_iter().map(|one| one.id).collect(),
            runs: view.runs.into_iter().map(|line| line.execution.subject.id).collect(),
            investigations: view.investigations.into_iter().map(|one| one.investigation.id).collect(),
        }
    }
}

fn linked<T>(id: &IncidentId, body: T) -> Linked<T> {
    Linked::new(body, format!("/api/v1/incidents/{id}"), format!("/incidents/{id}"))
}

fn investigated(view: InvestigationView) -> Linked<InvestigationView> {
    let (incident, id) = (&view.investigation.incident, &view.investigation.id);
    let (this, page) =
        (format!("/api/v1/incidents/{incident}/investigations/{id}"), format!("/incidents/{incident}#investigations"));
    Linked::new(view, this, page)
}

/// What is told of all of them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Investigations {
    /// Newest first; at most 5.
    items: Vec<Linked<InvestigationView>>,
}

pub fn routes(routes: Routes) -> Routes {
    let read = Access::Needs(Right::RecommendationsRead);
    routes
        .add(Method::POST, "/api/v1/signals/alertmanager", Access::Needs(Right::Ingest), alertmanager)
        .add(Method::GET, "/api/v1/incidents", read, list)
        .add(Method::GET, "/api/v1/incidents/{id}", read, get)
        .add(Method::POST, "/api/v1/incidents/{id}/close", Access::Needs(Right::Decide), close)
        .add(Method::GET, "/api/v1/incidents/{id}/investigations", read, investigations)
        .add(Method::POST, "/api/v1/incidents/{id}/investigations", Access::Needs(Right::Investigate), investigate)
        .add(Method::GET, "/api/v1/incidents/{id}/investigations/{investigation}", read, investigation)
}

/// Takes in what an Alertmanager sends (webhook, version 4). The same again changes nothing, so that it needs no Idempotency-Key, and
/// Alertmanager sends none.
#[utoipa::path(post, path = "/api/v1/signals/alertmanager", tag = "incidents",
    responses((status = 200, body = SignalsTaken)))]
pub async fn alertmanager(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &gate.services.take_alerts(&caller, &sent).await?))
}

/// A page of incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents",
    params(("state" = Option<String>, Query), ("unanswered" = Option<bool>, Query), ("signal_type" = Option<String>, Query),
        ("severity" = Option<String>, Query), ("q" = Option<String>, Query), ("limit" = Option<u32>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<IncidentRecord>>)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let severity = query.parsed("severity", "one of critical, high, medium, low, info", Severity::from_name);
    let filter = IncidentFilter {
        state: query.parsed("state", "one of firing, resolved", IncidentState::from_name),
        unanswered: query.parsed("unanswered", "true or false", |t| t.parse().ok()).unwrap_or(false),
        signal_type: query.text("signal_type"),
        severity: severity.map(|s| s.name().to_owned()),
        q: query.text("q"),
    };
    let page = query.page();
    query.finish()?;
    let found = gate.services.incidents(&caller, &filter, &page).await?;
    let list = found.map(|incident| linked(&incident.id.clone(), incident));
    Ok(json(StatusCode::OK, &List::from(list)))
}

/// One incident with its signals, and what was recommended and run for it.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Linked<IncidentBody>)))]
pub async fn get(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let id = IncidentId::new(id);
    let view = gate.services.incident(&caller, &id).await?;
    Ok(json(StatusCode::OK, &linked(&id, IncidentBody::from(view))))
}

/// Closes an incident that fires, by hand: for one that no alert will end. Its signals end with it, which is no all-clear for runs. What is
/// told to fire after that is a new incident. 409 `resolved` where nothing fires.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/close", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Linked<IncidentBody>)))]
pub async fn close(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let reason = body::read(&sent, |o| o.required("reason", reader::paragraphs(1..=4096)))?;
    let id = IncidentId::new(id);
    let view = gate.services.close(&caller, &id, Some(reason)).await?;
    Ok(json(StatusCode::OK, &linked(&id, IncidentBody::from(view))))
}

/// How an incident was investigated, newest first, with what was told of it.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/investigations", tag = "incidents", params(("id" = String, Path)),
    responses((status = 200, body = Investigations)))]
pub async fn investigations(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let all = gate.services.investigations(&caller, &IncidentId::new(id)).await?;
    Ok(json(StatusCode::OK, &Investigations { items: all.into_iter().map(investigated).collect() }))
}

/// Has an incident investigated by HolmesGPT. 201 where it is queued; 200 with the one that waits or goes on already. 409 says by its `type`
/// why it is not: nothing fires any more, or no agent is set.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/investigations", tag = "incidents", params(("id" = String, Path)),
    responses((status = 201, body = Linked<InvestigationView>), (status = 200, body = Linked<InvestigationView>)))]
pub async fn investigate(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    if let Some(sent) = sent {
        body::read(&sent, |_| Some(()))?;
    }
    let (view, new) = gate.services.investigate(&caller, &IncidentId::new(id)).await?;
    let view = investigated(view);
    if !new {
        return Ok(json(StatusCode::OK, &view));
    }
    let location = [(header::LOCATION, view.links.this.clone())];
    Ok((location, json(StatusCode::CREATED, &view)).into_response())
}

/// One investigation, with what was told of it.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/investigations/{investigation}", tag = "incidents",
    params(("id" = String, Path), ("investigation" = String, Path)),
    responses((status = 200, body = Linked<InvestigationView>)))]
pub async fn investigation(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, investigation)): Path<(String, String)>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let (of, id) = (IncidentId::new(id), InvestigationId::new(investigation));
    Ok(json(StatusCode::OK, &investigated(gate.services.investigation(&caller, &of, &id).await?)))
}
