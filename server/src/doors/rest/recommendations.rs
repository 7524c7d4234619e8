//! `/api/v1/recommendations`.

use super::{
    conditional::{ASK_AGAIN, known, tagged},
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::doors::{
    access::{Access, Routes, Who, Whose},
    body::{self, Json},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    decision::{Decision, Verb, tag},
    fault::{Complaint, Faults, code},
    identity::Right,
    ids::{Digest, RecommendationId},
    json::diff::Change,
    policy::{Grant, Ruling},
    ports::RecommendationFilter,
    reader,
    recommendation::{Recommendation, RecommendationState, Severity},
    services::{ApprovalService, DecisionAnswer, DecisionRequest, ServiceError, TicketView},
    signature::{Signature, SignedImage},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

/// The most characters of what confirms an approval: the name of an object or of an incident.
const MAX_CONFIRM: usize = 512;

/// A recommendation with the decisions that counted.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct RecommendationBody {
    /// The recommendation's own fields.
    #[serde(flatten)]
    recommendation: Recommendation,
    /// The decisions that counted, oldest first.
    decisions: Vec<Decision>,
}

/// How many approvals there are and how many it takes.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Approvals {
    /// Given, by distinct people, for this ticket.
    have: u32,
    /// Needed.
    need: u32,
}

/// What a decision came to.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DecisionBody {
    /// What was decided.
    decision: Verb,
    /// The decision's id.
    id: String,
    /// Approvals of this ticket.
    approvals: Approvals,
    /// The execution, once the last approval was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<String>,
}

/// What the approval policy says about a ticket.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyBody {
    /// Which policy.
    name: String,
    /// Which version of it.
    version: u32,
    /// Which of its rules.
    rule: String,
    /// Who may let it run: people, the policy itself, or nobody.
    grant: Grant,
    /// How many must approve; 0 where nobody can.
    need: u32,
    /// The same in words, with what made the rule match.
    explanation: String,
    /// What else the rule asks for.
    conditions: Vec<String>,
}

impl PolicyBody {
    fn of(ruling: &Ruling) -> Self {
        let terms = ruling.ticket_terms();
        Self {
            name: terms.id,
            version: terms.version,
            rule: ruling.terms.rule.clone(),
            grant: ruling.terms.grant,
            need: terms.approvals,
            explanation: ruling.explanation(),
            conditions: ruling.conditions(),
        }
    }
}

/// A run ticket.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TicketBody {
    /// What a decision must carry.
    #[schema(value_type = String)]
    digest: Digest,
    /// Exactly what would run.
    #[schema(value_type = Object)]
    content: Value,
    /// The text that was hashed (RFC 8785).
    canonical: String,
    /// The name of the run.
    name: String,
    /// What the operator changed of the model's parameters.
    changes: Vec<Change>,
    /// What to know before deciding.
    warnings: Vec<String>,
    /// Who signed what would run: of its images, the worst.
    signature: Signature,
    /// Who signed each of its images.
    images: Vec<SignedImage>,
    /// What the approval policy says about it, while it can be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyBody>,
    /// The PipelineRun as it would be applied.
    #[schema(value_type = Object)]
    pipeline_run: Value,
    /// When its approval runs out.
    expires_at: Timestamp,
}

impl TicketBody {
    pub fn linked(view: TicketView) -> Linked<Self> {
        let id = view.content.recommendation_id.clone();
        let page = format!("/recommendations/{id}?strategy={}&ticket={}", view.content.strategy, view.digest);
        let body = Self {
            digest: view.digest,
            content: serde_json::from_str(&view.canonical).unwrap_or(Value::Null),
            canonical: view.canonical,
            name: view.name,
            changes: view.changes,
            warnings: view.warnings,
            signature: view.signature,
            images: view.images,
            policy: view.ruling.as_ref().map(PolicyBody::of),
            pipeline_run: view.pipeline_run,
            expires_at: view.expires_at,
        };
        let this = format!("/api/v1/recommendations/{id}/tickets/{}", body.digest);
        Linked::new(body, this, page)
    }
}

/// A recommendation with its links.
pub fn linked(recommendation: Recommendation, decisions: Vec<Decision>) -> Linked<RecommendationBody> {
    let id = recommendation.id.clone();
    let body = RecommendationBody { recommendation, decisions };
    Linked::new(body, format!("/api/v1/recommendations/{id}"), format!("/recommendations/{id}"))
}

pub fn routes(routes: Routes) -> Routes {
    let (read, decide) = (Access::Needs(Right::RecommendationsRead), Access::Needs(Right::Decide));
    routes
        .add(Method::POST, "/api/v1/recommendations", Access::Needs(Right::Propose), submit)
        .add(Method::GET, "/api/v1/recommendations", read, list)
        .add(Method::GET, "/api/v1/recommendations/{id}", read, get)
        .add(Method::POST, "/api/v1/recommendations/{id}/tickets", decide, make_ticket)
        .add(Method::GET, "/api/v1/recommendations/{id}/tickets/{digest}", read, ticket)
        .add(Method::POST, "/api/v1/recommendations/{id}/decisions", decide, make_decision)
        .whose(Whose::Others)
        .add(Method::GET, "/api/v1/recommendations/{id}/decisions/{decision}", read, decision)
}

/// Takes in a model's answer, in this form or in kubernaut's present one (docs/mcp.md). A strategy that can't run is stored with its errors and can't be approved. It comes back decided
/// where the approval policy lets it run by itself.
#[utoipa::path(post, path = "/api/v1/recommendations", tag = "recommendations",
    responses((status = 201, body = Linked<RecommendationBody>)))]
pub async fn submit(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let taken = gate.services.submit(&caller, &sent).await?;
    let decisions = gate.services.decisions_at_intake(&taken).await;
    Ok(created(&linked(taken, decisions)))
}

/// 201 with its address.
pub fn created(body: &Linked<RecommendationBody>) -> Response {
    ([(header::LOCATION, body.links.this.clone())], json(StatusCode::CREATED, body)).into_response()
}

/// A page of recommendations: open ones by when somebody has to begin (the deadline, earlier by what deciding a risky one
/// takes); otherwise newest first.
#[utoipa::path(get, path = "/api/v1/recommendations", tag = "recommendations",
    params(("state" = Option<String>, Query), ("incident" = Option<String>, Query), ("signal_type" = Option<String>, Query),
        ("severity" = Option<String>, Query), ("workflow_id" = Option<String>, Query), ("q" = Option<String>, Query),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<RecommendationBody>>)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let severity = query.parsed("severity", "one of critical, high, medium, low, info", Severity::from_name);
    let filter = RecommendationFilter {
        state: query.parsed("state", "one of open, decided, expired, superseded", RecommendationState::from_name),
        incident: query.text("incident"),
        signal_type: query.text("signal_type"),
        severity: severity.map(|s| s.name().to_owned()),
        workflow_id: query.text("workflow_id"),
        q: query.text("q"),
    };
    let page = query.page();
    query.finish()?;
    let found = ApprovalService::list(&gate.services, &caller, &filter, &page).await?;
    let ids: Vec<_> = found.items.iter().map(|one| one.id.clone()).collect();
    let mut decisions = gate.services.decisions_of_each(&caller, &ids).await?;
    let list = found.map(|recommendation| {
        let decided = decisions.remove(&recommendation.id).unwrap_or_default();
        linked(recommendation, decided)
    });
    Ok(json(StatusCode::OK, &List::from(list)))
}

/// One recommendation.
#[utoipa::path(get, path = "/api/v1/recommendations/{id}", tag = "recommendations", params(("id" = String, Path)),
    responses((status = 200, body = Linked<RecommendationBody>)))]
pub async fn get(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (recommendation, decisions) = ApprovalService::get(&gate.services, &caller, &RecommendationId::new(id)).await?;
    let tag = tag(&recommendation, decisions.len());
    Ok(tagged(&headers, json(StatusCode::OK, &linked(recommendation, decisions)), &tag, ASK_AGAIN))
}

/// Makes the run ticket of a strategy, with the operator's parameters in place of the model's where given.
#[utoipa::path(post, path = "/api/v1/recommendations/{id}/tickets", tag = "recommendations", params(("id" = String, Path)),
    responses((status = 201, body = Linked<TicketBody>)))]
pub async fn make_ticket(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let (strategy, parameters) = body::read(&sent, |o| {
        let strategy = o.optional("strategy", strategy_index);
        let parameters = o.optional("parameters", |value, pointer, faults: &mut Faults| match value.as_object() {
            Some(map) => Some(map.clone()),
            None => reader::wrong_type(value, pointer, faults, "an object {…}"),
        });
        Some((strategy.unwrap_or(0), parameters))
    })?;
    let view = ApprovalService::ticket(&gate.services, &caller, &RecommendationId::new(id), strategy, parameters).await;
    let ticket = TicketBody::linked(view?);
    Ok(([(header::LOCATION, ticket.links.this.clone())], json(StatusCode::CREATED, &ticket)).into_response())
}

/// Approves exactly this ticket, or rejects.
#[utoipa::path(post, path = "/api/v1/recommendations/{id}/decisions", tag = "recommendations", params(("id" = String, Path)),
    responses((status = 200, body = Linked<DecisionBody>)))]
pub async fn make_decision(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let request = body::read(&sent, |o| {
        let decision = o.required("decision", reader::one_of(&[("approve", Verb::Approve), ("reject", Verb::Reject)]));
        let strategy = o.optional("strategy", strategy_index);
        let ticket_digest = o.optional("ticket_digest", digest);
        let reason = o.optional("reason", reader::paragraphs(0..=4096));
        let confirm = o.optional("confirm", reader::line(0..=MAX_CONFIRM));
        let (strategy, known) = (strategy.unwrap_or(0), known(&headers));
        Some(DecisionRequest { decision: decision?, strategy, ticket_digest, reason, confirm, known })
    })?;
    let id = RecommendationId::new(id);
    let DecisionAnswer { decision, have, need, execution_id } = gate.services.decide(&caller, &id, request).await?;
    let body = DecisionBody {
        decision: decision.verb,
        id: decision.id.to_string(),
        approvals: Approvals { have, need },
        execution_id: execution_id.map(|id| id.to_string()),
    };
    let (this, page) = decision_addresses(&id, &body.id);
    Ok(json(StatusCode::OK, &Linked::new(body, this, page)))
}

/// A decision that counted.
#[utoipa::path(get, path = "/api/v1/recommendations/{id}/decisions/{decision}", tag = "recommendations",
    params(("id" = String, Path), ("decision" = String, Path)), responses((status = 200, body = Linked<Decision>)))]
pub async fn decision(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, decision)): Path<(String, String)>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let id = RecommendationId::new(id);
    let decision = gate.services.decision(&caller, &id, &decision).await?;
    let (this, page) = decision_addresses(&id, decision.id.as_str());
    Ok(json(StatusCode::OK, &Linked::new(decision, this, page)))
}

fn decision_addresses(of: &RecommendationId, id: &str) -> (String, String) {
    (format!("/api/v1/recommendations/{of}/decisions/{id}"), format!("/recommendations/{of}"))
}

/// A run ticket that was made.
#[utoipa::path(get, path = "/api/v1/recommendations/{id}/tickets/{digest}", tag = "recommendations",
    params(("id" = String, Path), ("digest" = String, Path)), responses((status = 200, body = Linked<TicketBody>)))]
pub async fn ticket(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, digest)): Path<(String, String)>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let digest = Digest::try_from(digest).map_err(|_| ServiceError::NotFound("ticket"))?;
    let view = gate.services.stored_ticket(&caller, &RecommendationId::new(id), &digest).await?;
    Ok(json(StatusCode::OK, &TicketBody::linked(view)))
}

fn strategy_index(value: &Value, pointer: &str, faults: &mut Faults) -> Option<u32> {
    reader::integer(0..=i64::from(u32::MAX))(value, pointer, faults).and_then(|i| u32::try_from(i).ok())
}

fn digest(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Digest> {
    let text = reader::line(1..=128)(value, pointer, faults)?;
    Digest::try_from(text)
        .map_err(|error| reader::refuse::<()>(Complaint::new(code::MALFORMED, error.to_string()), pointer, faults))
        .ok()
}
