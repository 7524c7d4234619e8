//! What the WorkflowExecution says of itself, for `kubectl get`: phase, conditions and steps, from the execution. Only changes
//! are written. The times in it are those of the execution, so the same execution always gives the same status.

use crate::{
    calls::{CallError, Kind},
    context::Context,
    crd::{Condition, Phase, StepStatus, WorkflowExecutionStatus},
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState, Stage},
    pipeline_run::DIGEST_ANNOTATION,
    time::Timestamp,
};
use serde_json::Value;

/// The status of an execution.
pub fn of(execution: &Execution) -> WorkflowExecutionStatus {
    let phase = match (execution.state, execution.stage) {
        (ExecutionState::Succeeded, _) => Phase::Completed,
        (state, _) if state.ended() => Phase::Failed,
        (_, Stage::Started) => Phase::Executing,
        _ => Phase::Initializing,
    };
    let message = execution.message.clone().unwrap_or_else(|| format!("the run is {}", execution.state));
    let (status, since) = match phase {
        Phase::Completed => ("True", execution.finished_at),
        Phase::Failed => ("False", execution.finished_at),
        _ => ("Unknown", execution.started_at),
    };
    let reason = execution.reason.as_deref().unwrap_or(match execution.state {
        ExecutionState::Pending => "Pending",
        ExecutionState::Running => "Running",
        ExecutionState::Succeeded => "Succeeded",
        ExecutionState::Failed => "Failed",
        ExecutionState::Cancelled => "Cancelled",
        ExecutionState::TimedOut => "TimedOut",
        ExecutionState::Lost => "Lost",
    });
    let invalid = reason == crate::NOT_AS_APPROVED || reason == "TicketTampered";
    let approved = approvers(execution);
    let steps = execution.tasks.iter().map(|task| StepStatus {
        name: task.name.clone(),
        state: task.state.to_string(),
        reason: task.reason.clone(),
        started_at: task.started_at.map(|t| t.to_string()),
        finished_at: task.finished_at.map(|t| t.to_string()),
    });
    WorkflowExecutionStatus {
        phase,
        conditions: vec![
            if invalid {
                condition("Valid", "False", reason, &message, since.unwrap_or(execution.created_at))
            } else {
                condition("Valid", "True", "TicketProved", "it says what was approved", execution.created_at)
            },
            condition("Approved", "True", "TicketApproved", &approved, execution.created_at),
            condition("Succeeded", status, reason, &message, since.unwrap_or(execution.created_at)),
        ],
        message: Some(message),
        observed_generation: Some(1),
        pipeline_run: (execution.started_at.is_some() || execution.stage == Stage::Started)
            .then(|| execution.subject.name.clone()),
        ticket_digest: Some(execution.subject.ticket_digest.to_string()),
        steps: steps.collect(),
        start_time: execution.started_at.map(|t| t.to_string()),
        completion_time: execution.finished_at.map(|t| t.to_string()),
    }
}

fn approvers(execution: &Execution) -> String {
    let names: Vec<&str> = execution.approved_by.iter().map(|actor| actor.name.as_str()).collect();
    if names.is_empty() { "approved".into() } else { format!("approved by {}", names.join(" and ")) }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, since: Timestamp) -> Condition {
    Condition {
        kind: kind.into(),
        status: status.into(),
        reason: word(reason),
        message: message.chars().take(32_768).collect(),
        last_transition_time: since.to_string(),
        // The spec never changes, so there is only the first generation.
        observed_generation: Some(1),
    }
}

/// A condition's reason is one word of letters, digits, `_`, `,` and `:` (metav1.Condition).
fn word(reason: &str) -> String {
    let word: String = reason.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ':')).collect();
    if word.starts_with(|c: char| c.is_ascii_alphabetic()) { word } else { format!("R{word}") }
}

/// Writes the status of a run that the store has, if it differs from what was written before.
pub async fn follow(context: &Context, execution: &Execution) -> Result<(), Trouble> {
    let status = of(execution);
    let name = &execution.subject.name;
    if context.written().get(name).is_some_and(|written| *written == status) {
        return Ok(());
    }
    let Some(uid) = uid_of(context, execution).await? else { return Ok(()) };
    write(context, &execution.subject.namespace, name, &uid, &status).await?;
    if execution.state.ended() {
        context.written().remove(name);
    } else {
        context.written().insert(name.clone(), status);
    }
    Ok(())
}

/// The uid of the execution's object. A run that ended before its object's uid was written may still have one in the
/// cluster: that which bears its digest.
async fn uid_of(context: &Context, execution: &Execution) -> Result<Option<String>, Trouble> {
    if execution.uid.is_some() {
        return Ok(execution.uid.clone());
    }
    let subject = &execution.subject;
    let there = match context.calls.get(Kind::Workflow, &subject.namespace, &subject.name).await {
        Ok(there) => there,
        Err(CallError::NotFound(_)) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let uid = there["metadata"]["uid"].as_str();
    let adopted = match context.ticket(&subject.ticket_digest).await {
        Ok(ticket) => ticket.and_then(|t| t.content().adopts.clone()),
        Err(_) => None,
    };
    let marked = there["metadata"]["annotations"][DIGEST_ANNOTATION] == subject.ticket_digest.as_str();
    let ours = marked || adopted.is_some_and(|adopts| Some(adopts.uid.as_str()) == uid);
    Ok(uid.filter(|_| ours).map(str::to_owned))
}

/// Says on an object without a run why it will not run.
pub async fn refuse(context: &Context, object: &Value, reason: &str, message: &str) -> Result<(), Trouble> {
    let now = context.ports.clock.now();
    let kind = if matches!(reason, "Rejected" | "DecisionExpired" | "Superseded" | "UnknownTicket") {
        "Approved"
    } else {
        "Valid"
    };
    let status = WorkflowExecutionStatus {
        phase: Phase::Failed,
        message: Some(message.to_owned()),
        observed_generation: object["metadata"]["generation"].as_i64(),
        conditions: vec![condition(kind, "False", reason, message, now)],
        completion_time: Some(now.to_string()),
        ..WorkflowExecutionStatus::default()
    };
    tracing::info!(name = %object["metadata"]["name"], reason, message, "a WorkflowExecution will not run");
    on_object(context, object, &status).await
}

/// Says on an applied object that it waits for a decision.
pub async fn awaiting(context: &Context, object: &Value, message: &str) -> Result<(), Trouble> {
    let said = object["status"]["message"] == message && object["status"]["phase"] == "Initializing";
    if said {
        return Ok(());
    }
    let status = WorkflowExecutionStatus {
        phase: Phase::Initializing,
        message: Some(message.to_owned()),
        observed_generation: object["metadata"]["generation"].as_i64(),
        conditions: vec![condition("Approved", "False", "AwaitingDecision", message, context.ports.clock.now())],
        ..WorkflowExecutionStatus::default()
    };
    on_object(context, object, &status).await
}

async fn on_object(context: &Context, object: &Value, status: &WorkflowExecutionStatus) -> Result<(), Trouble> {
    let meta = &object["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    write(context, &text(&meta["namespace"]), &text(&meta["name"]), &text(&meta["uid"]), status).await
}

async fn write(
    context: &Context,
    namespace: &str,
    name: &str,
    uid: &str,
    status: &WorkflowExecutionStatus,
) -> Result<(), Trouble> {
    let value = serde_json::to_value(status).unwrap_or_default();
    match context.calls.merge_status(Kind::Workflow, namespace, name, uid, value).await {
        // Deleted, or another object under the name: there is nothing to tell it.
        Ok(_) | Err(CallError::NotFound(_) | CallError::Conflict(_)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
