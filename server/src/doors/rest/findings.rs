//! `/api/v1/findings`.

use super::{
    query::{NoQuery, Query},
    recommendations::{self, RecommendationBody},
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
    http::{Method, StatusCode},
    response::Response,
};
use domain::{
    fault::Faults,
    finding::{Card, FindingState},
    identity::Right,
    ids::FindingId,
    playbook::PlaybookId,
    ports::FindingFilter,
    reader,
    recommendation::Severity,
    services::FindingService,
};

pub fn routes(routes: Routes) -> Routes {
    let read = Access::Needs(Right::RecommendationsRead);
    let decide = Access::Needs(Right::Decide);
    routes
        .add(Method::GET, "/api/v1/findings", read, list)
        .add(Method::GET, "/api/v1/findings/{id}", read, get)
        .add(Method::POST, "/api/v1/findings/{id}/status", decide, set_status)
        .add(Method::POST, "/api/v1/findings/{id}/recommendation", decide, turn)
}

fn linked(card: Card) -> Linked<Card> {
    let id = card.id.clone();
    Linked::new(card, format!("/api/v1/findings/{id}"), format!("/findings/{id}"))
}

/// A page of findings, the gravest first. The same finding noticed again is one, with a count.
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings",
    params(("state" = Option<String>, Query), ("severity" = Option<String>, Query), ("kind" = Option<String>, Query),
        ("recommendation" = Option<String>, Query), ("q" = Option<String>, Query), ("limit" = Option<u32>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<Card>>)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let state = query.parsed("state", "one of open, acknowledged, dismissed, resolved", FindingState::from_name);
    let filter = FindingFilter {
        states: state.into_iter().collect(),
        severity: query.parsed("severity", "one of critical, high, medium, low, info", Severity::from_name),
        kind: query.text("kind"),
        recommendation_id: query.text("recommendation"),
        q: query.text("q"),
    };
    let page = query.page();
    query.finish()?;
    let found = gate.services.findings(&caller, &filter, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(linked))))
}

/// One finding, with the recommendations that it was noticed with.
#[utoipa::path(get, path = "/api/v1/findings/{id}", tag = "findings", params(("id" = String, Path)),
    responses((status = 200, body = Linked<Card>)))]
pub async fn get(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let card = gate.services.finding(&caller, &FindingId::new(id)).await?;
    Ok(json(StatusCode::OK, &linked(card)))
}

/// Sets the state of a finding; dismissing one takes a reason.
#[utoipa::path(post, path = "/api/v1/findings/{id}/status", tag = "findings", params(("id" = String, Path)),
    responses((status = 200, body = Linked<Card>)))]
pub async fn set_status(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let (state, reason) = body::read(&sent, |o| {
        let state = o.required("status", reader::one_of(FindingState::WORDS));
        let reason = o.optional("reason", reader::paragraphs(0..=4096));
        Some((state?, reason))
    })?;
    let card = gate.services.triage(&caller, &FindingId::new(id), state, reason).await?;
    Ok(json(StatusCode::OK, &linked(card)))
}

/// Makes a recommendation of a finding, as by hand: it is checked, gets its own ticket and awaits its decision like any other. The
/// finding is acknowledged.
#[utoipa::path(post, path = "/api/v1/findings/{id}/recommendation", tag = "findings", params(("id" = String, Path)),
    responses((status = 201, body = Linked<RecommendationBody>)))]
pub async fn turn(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let (playbook, reason, values) = body::read(&sent, |o| {
        let playbook = o.required("workflow_id", reader::parsed::<PlaybookId>());
        let reason = o.required("reason", reader::paragraphs(1..=4096));
        let values = o.optional("parameters", |value, pointer, faults: &mut Faults| match value.as_object() {
            Some(map) => Some(map.clone()),
            None => reader::wrong_type(value, pointer, faults, "an object {…}"),
        });
        Some((playbook?, reason?, values.unwrap_or_default()))
    })?;
    let made = gate.services.turn(&caller, &FindingId::new(id), &playbook, reason, values).await?;
    Ok(recommendations::created(&recommendations::linked(made, Vec::new())))
}
