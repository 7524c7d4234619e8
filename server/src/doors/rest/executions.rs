//! `/api/v1/executions` and `/api/v1/actions`.

pub mod assessment;
mod follower;

use super::{
    accept,
    query::{NoQuery, Query},
    recommendations::{self, RecommendationBody, TicketBody},
    wire::{Linked, List, StreamEvent, json},
};
use crate::doors::{
    access::{Access, Routes, Who},
    body::{self, Json, OptionalJson},
    gate::Gate,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    execution::{ActionRecord, Execution, ExecutionState},
    identity::Right,
    ids::ExecutionId,
    ports::{ActionFilter, ExecutionFilter},
    reader,
    services::{ApprovalService, RunService},
    workspace::WorkspaceListing,
};
use follower::{Follower, Resumed};

pub fn linked(execution: Execution) -> Linked<Execution> {
    let id = execution.subject.id.clone();
    Linked::new(execution, format!("/api/v1/executions/{id}"), format!("/runs/{id}"))
}

pub fn routes(routes: Routes) -> Routes {
    let (read, control) = (Access::Needs(Right::RunsRead), Access::Needs(Right::RunsControl));
    routes
        .add(Method::GET, "/api/v1/executions", read, list)
        .add(Method::POST, "/api/v1/executions", Access::Needs(Right::Decide), propose)
        .add(Method::GET, "/api/v1/executions/{id}", read, get)
        .add(Method::GET, "/api/v1/executions/{id}/tasks/{task}/logs", read, logs)
        .add(Method::GET, "/api/v1/executions/{id}/pipelinerun", read, pipeline_run)
        .add(Method::GET, "/api/v1/executions/{id}/ticket", read, ticket)
        .add(Method::POST, "/api/v1/executions/{id}/cancel", control, cancel)
        .add(Method::GET, "/api/v1/executions/{id}/assessment", read, assessment::assessment)
        .add(Method::POST, "/api/v1/executions/{id}/assessment", control, assessment::overrule)
        .add(Method::POST, "/api/v1/executions/{id}/workspaces/{workspace}/listing", control, list_workspace)
        .add(Method::GET, "/api/v1/actions", read, actions)
        .add(Method::GET, "/api/v1/actions/{id}", read, action)
}

/// A page of executions, newest first.
#[utoipa::path(get, path = "/api/v1/executions", tag = "executions",
    params(("state" = Option<String>, Query), ("workflow_id" = Option<String>, Query), ("recommendation" = Option<String>, Query),
        ("q" = Option<String>, Query), ("since" = Option<String>, Query), ("limit" = Option<u32>, Query),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<Execution>>)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let words = "one of pending, running, succeeded, failed, cancelled, timed_out, lost";
    let filter = ExecutionFilter {
        state: query.parsed("state", words, ExecutionState::from_name),
        workflow_id: query.text("workflow_id"),
        recommendation_id: query.text("recommendation"),
        q: query.text("q"),
        since: query.time("since"),
        ..ExecutionFilter::default()
    };
    let page = query.page();
    query.finish()?;
    let found = RunService::list(&gate.services, &caller, &filter, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(linked))))
}

/// Proposes a step list by hand (the `spec` of a WorkflowExecution); it awaits its decision like any other.
#[utoipa::path(post, path = "/api/v1/executions", tag = "executions",
    responses((status = 201, body = Linked<RecommendationBody>)))]
pub async fn propose(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let recommendation = gate.services.propose_steps(&caller, &sent).await?;
    Ok(recommendations::created(&recommendations::linked(recommendation, Vec::new())))
}

/// One execution with all its tasks.
#[utoipa::path(get, path = "/api/v1/executions/{id}", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, body = Linked<Execution>)))]
pub async fn get(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let execution = RunService::get(&gate.services, &caller, &ExecutionId::new(id)).await?;
    Ok(json(StatusCode::OK, &linked(execution)))
}

/// The run ticket that it runs under.
#[utoipa::path(get, path = "/api/v1/executions/{id}/ticket", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, body = Linked<TicketBody>)))]
pub async fn ticket(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let view = RunService::ticket(&gate.services, &caller, &ExecutionId::new(id)).await?;
    Ok(json(StatusCode::OK, &TicketBody::linked(view)))
}

/// The PipelineRun as the cluster has it, JSON or YAML by `Accept`.
#[utoipa::path(get, path = "/api/v1/executions/{id}/pipelinerun", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, content((Object = "application/json"), (String = "application/yaml")))))]
pub async fn pipeline_run(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let object = gate.services.pipeline_run(&caller, &ExecutionId::new(id)).await?;
    let vary = [(header::VARY, "accept")];
    if !accept::prefers_yaml(&headers) {
        return Ok((vary, json(StatusCode::OK, &object)).into_response());
    }
    let yaml = serde_norway::to_string(&object).map_err(|error| {
        tracing::error!(%error, "a PipelineRun can't be written as YAML");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the object can't be written as YAML; ask for JSON")
    })?;
    Ok((vary, [(header::CONTENT_TYPE, "application/yaml")], yaml).into_response())
}

/// Asks to cancel.
#[utoipa::path(post, path = "/api/v1/executions/{id}/cancel", tag = "executions", params(("id" = String, Path)),
    responses((status = 202, body = Linked<Execution>)))]
pub async fn cancel(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    // A cancel in a hurry needs no reason.
    let reason = match sent {
        Some(sent) => body::read(&sent, |o| Some(o.optional("reason", reader::paragraphs(0..=4096))))?,
        None => None,
    };
    let execution = gate.services.cancel(&caller, &ExecutionId::new(id), reason).await?;
    Ok(json(StatusCode::ACCEPTED, &linked(execution)))
}

/// What a run that has ended left in the volume that its steps shared: names, kinds, sizes and times, never contents, and at most
/// 5,000 entries; `cut` says why there may be more. A pod of its own looks, so this takes up to a minute. 409 says by its `type` why there is no
/// listing: the run goes on, its volume is gone, it is being listed already.
#[utoipa::path(post, path = "/api/v1/executions/{id}/workspaces/{workspace}/listing", tag = "executions",
    params(("id" = String, Path), ("workspace" = String, Path)),
    responses((status = 200, body = Linked<WorkspaceListing>)))]
pub async fn list_workspace(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, workspace)): Path<(String, String)>,
    _: NoQuery,
    OptionalJson(sent): OptionalJson,
) -> Result<Response, Problem> {
    if let Some(sent) = sent {
        body::read(&sent, |_| Some(()))?;
    }
    let id = ExecutionId::new(id);
    let listing = gate.services.list_workspace(&caller, &id, &workspace).await?;
    let run = Linked::new(listing, format!("/api/v1/executions/{id}"), format!("/runs/{id}"));
    Ok(json(StatusCode::OK, &run))
}

/// A page of action records, newest first.
#[utoipa::path(get, path = "/api/v1/actions", tag = "executions",
    params(("workflow_id" = Option<String>, Query), ("action_type" = Option<String>, Query), ("status" = Option<String>, Query),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<ActionRecord>>)))]
pub async fn actions(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let status = query.parsed("status", "a task's state such as succeeded", domain::execution::TaskState::from_name);
    let filter = ActionFilter {
        id: None,
        workflow_id: query.text("workflow_id"),
        action_type: query.text("action_type"),
        status: status.map(|s| s.name().to_owned()),
        from: query.time("from"),
        to: query.time("to"),
    };
    let page = query.page();
    query.finish()?;
    let found = gate.services.actions(&caller, &filter, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(linked_action))))
}

fn linked_action(record: ActionRecord) -> Linked<ActionRecord> {
    let (this, page) = (format!("/api/v1/actions/{}", record.id), format!("/runs/{}", record.execution_id));
    Linked::new(record, this, page)
}

/// One action record.
#[utoipa::path(get, path = "/api/v1/actions/{id}", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, body = Linked<ActionRecord>)))]
pub async fn action(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &linked_action(gate.services.action(&caller, &id).await?)))
}

/// The log of a task: from the live pod or the archive, without a seam. `follow=true` is an event stream of `line`s that ends
/// with `end`. Without `attempt` the text is of the newest one; the stream goes on from each attempt to the next, and an event
/// `attempt` says where lines are counted from 1 again. Lines that may be missing at an end are told as its `gap`.
#[utoipa::path(get, path = "/api/v1/executions/{id}/tasks/{task}/logs", tag = "executions",
    params(("id" = String, Path), ("task" = String, Path), ("attempt" = Option<u32>, Query), ("follow" = Option<bool>, Query),
        ("since_line" = Option<u32>, Query), ("timestamps" = Option<bool>, Query)),
    responses((status = 200, content((String = "text/plain"), (StreamEvent = "text/event-stream")))))]
pub async fn logs(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, task)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let attempt = query.parsed("attempt", "a number from 1", |t| t.parse::<u32>().ok().filter(|n| *n > 0));
    let follow = query.parsed("follow", "true or false", |t| t.parse::<bool>().ok()).unwrap_or(false);
    let timestamps = query.parsed("timestamps", "true or false", |t| t.parse::<bool>().ok()).unwrap_or(false);
    let since = query.parsed("since_line", "a number from 0", |t| t.parse::<u32>().ok()).unwrap_or(0);
    query.finish()?;
    let follower = Follower::new(gate, caller, ExecutionId::new(id), task, attempt, since);
    if follow {
        let resumed = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(Resumed::parse);
        return follower.stream(resumed).await;
    }
    follower.text(timestamps).await
}
