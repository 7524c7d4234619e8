//! From a claimed execution to its WorkflowExecution: claim, prove the ticket, create (or mark the one that waits), compare,
//! write the stage. Each try begins with the claim, so that an approval that ran out or was cancelled meanwhile never starts.
//!
//! It knows nothing of PipelineRuns: those are the reconciler's.

use crate::{
    NOT_AS_APPROVED,
    calls::Kind,
    compare,
    context::Context,
    desired,
    ensure::{Ensured, ensure},
    queue::Next,
    recorder,
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState, Stage},
    ids::ExecutionId,
    pipeline_run::DIGEST_ANNOTATION,
    ports::StoreError,
    ticket::{Adopts, Ticket},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often the store is asked without being woken: another replica may have taken the approval.
const SWEEP: Duration = Duration::from_secs(30);
/// How often it is asked for all that has not ended: a replica that died may have been the only one to follow a run.
const WHOLE: Duration = Duration::from_mins(5);
/// The pause after the store did not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Claims worked on at a time.
const WORKERS: usize = 8;

/// Starts it.
pub fn start(context: &Arc<Context>) {
    let sweeper = Arc::clone(context);
    context.tasks.spawn(async move {
        let mut whole_at = Instant::now();
        loop {
            let swept = if Instant::now() >= whole_at {
                let swept = sweep_all(&sweeper).await;
                whole_at = if swept.is_ok() { Instant::now() + WHOLE } else { whole_at };
                swept
            } else {
                sweep(&sweeper).await
            };
            if let Err(error) = &swept {
                tracing::warn!(%error, "the dispatcher can't ask the store what to do");
            }
            let pause = if swept.is_ok() { SWEEP } else { STORE_PAUSE };
            tokio::select! {
                () = sweeper.stop.cancelled() => return,
                () = sweeper.wake.notified() => {
                    for name in sweeper.take_decided() {
                        sweeper.reconcile.add(name);
                    }
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
    for _ in 0..WORKERS {
        let context = Arc::clone(context);
        context.clone().tasks.spawn(async move {
            context.dispatch.work(&context.stop, |id| dispatch(&context, id)).await;
        });
    }
}

/// Finds what is claimed or held, and what is to be cancelled.
async fn sweep(context: &Context) -> Result<(), StoreError> {
    for execution in context.ports.executions.due(&context.config.cluster_name).await? {
        hand_on(context, execution);
    }
    Ok(())
}

/// The same, and what nobody follows here.
async fn sweep_all(context: &Context) -> Result<(), StoreError> {
    for execution in context.ports.executions.unfinished(&context.config.cluster_name).await? {
        if execution.stage == Stage::Started && !context.index().is_tracked(&execution.subject.name) {
            recorder::follow_up(context, &execution).await;
        }
        hand_on(context, execution);
    }
    Ok(())
}

fn hand_on(context: &Context, execution: Execution) {
    let name = execution.subject.name;
    let settled = execution.state != ExecutionState::Pending || context.verified().contains(&name);
    match execution.stage {
        Stage::Claimed => context.dispatch.add(execution.subject.id),
        Stage::Started if settled && !execution.cancel_requested => {}
        Stage::Created | Stage::Started | Stage::Ended => context.reconcile.add(name),
    }
}

async fn dispatch(context: &Context, id: ExecutionId) -> Next {
    match claim_and_create(context, &id).await {
        Ok(()) => Next::Done,
        Err(trouble) => {
            if let Trouble::Later { why, .. } = &trouble {
                tracing::warn!(execution = %id, why, "an approved run could not be created yet");
                context.waits(&id, why).await;
            }
            metrics::counter!("kubernaut_dispatch_failures_total").increment(1);
            trouble.into()
        }
    }
}

async fn claim_and_create(context: &Context, id: &ExecutionId) -> Result<(), Trouble> {
    let claimed = context.ports.executions.take_claim(id).await?;
    let Some(execution) = context.ports.executions.get(id).await? else { return Ok(()) };
    if execution.stage != Stage::Claimed || execution.state.ended() {
        return Ok(());
    }
    let Some(epoch) = claimed else { return give_up(context, &execution).await };
    let created = async {
        let ticket = ticket_of(context, &execution).await?;
        let ensured = match &ticket.content().adopts {
            Some(adopts) => mark_waiting(context, &ticket, adopts, id).await?,
            None => ensure(&context.calls, Kind::Workflow, &desired::workflow_execution(&ticket, id)).await?,
        };
        as_approved(&ticket, &ensured.object, id)?;
        context.track(&Execution { uid: Some(ensured.uid().to_owned()), ..execution.clone() }, &ticket);
        Ok(ensured)
    };
    let name = &execution.subject.name;
    match created.await.map_err(|trouble| context.settled(name, trouble)) {
        Ok(ensured) => {
            context.went_on(name);
            context.reached(id, Stage::Created, ensured.uid()).await?;
            let Ensured { object, adopted } = ensured;
            tracing::info!(execution = %id, name = execution.subject.name, epoch, adopted, "WorkflowExecution is there");
            if !adopted {
                context.fresh().insert(execution.subject.name.clone(), (object, Instant::now()));
            }
            context.reconcile.add(execution.subject.name);
            Ok(())
        }
        Err(Trouble::Never { reason, message }) => {
            context.conclude(&execution, ExecutionState::Failed, &reason, &message).await?;
            Ok(())
        }
        Err(later) => Err(later),
    }
}

/// The claim is not given any more: the approval ran out, or somebody cancelled.
async fn give_up(context: &Context, execution: &Execution) -> Result<(), Trouble> {
    let (state, reason, message) = if execution.cancel_requested {
        (ExecutionState::Cancelled, "Cancelled", "cancelled before it was created; nothing ran".to_owned())
    } else {
        let at = execution.expires_at;
        let why = execution.message.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let message = format!("the approval ran out at {at} before the run could be created; nothing ran{why}");
        (ExecutionState::Failed, "ApprovalExpired", message)
    };
    context.conclude(execution, state, reason, &message).await?;
    Ok(())
}

/// The ticket, proved to hash to the approved digest and to be for this very run.
async fn ticket_of(context: &Context, execution: &Execution) -> Result<Ticket, Trouble> {
    let subject = &execution.subject;
    let Some(ticket) = context.ticket(&subject.ticket_digest).await? else {
        return Err(Trouble::never("UnknownTicket", "there is no ticket under the approved digest; nothing runs"));
    };
    for (what, of_ticket, of_execution) in [
        ("name", ticket.name().as_str(), subject.name.as_str()),
        ("cluster", ticket.content().cluster.as_str(), context.config.cluster_name.as_str()),
        ("namespace", ticket.content().namespace.as_str(), subject.namespace.as_str()),
    ] {
        if of_ticket != of_execution {
            let message = format!("the ticket's {what} is {of_ticket}, the run's is {of_execution}; nothing runs");
            return Err(Trouble::never("TicketMismatch", message));
        }
    }
    Ok(ticket)
}

/// Ties the WorkflowExecution that waits in the cluster to its decision; only the very object that was decided about.
async fn mark_waiting(
    context: &Context,
    ticket: &Ticket,
    adopts: &Adopts,
    id: &ExecutionId,
) -> Result<Ensured, Trouble> {
    let namespace = &ticket.content().namespace;
    let there = match context.calls.get(Kind::Workflow, namespace, &adopts.name).await {
        Ok(there) => there,
        Err(crate::calls::CallError::NotFound(_)) => {
            return Err(Trouble::never(
                "WorkflowExecutionGone",
                "the WorkflowExecution was deleted before it was approved",
            ));
        }
        Err(other) => return Err(other.into()),
    };
    if there["metadata"]["uid"] != adopts.uid.as_str() {
        let message = "another WorkflowExecution has taken the name since; nothing was changed";
        return Err(Trouble::never("NameTaken", message));
    }
    if !there["metadata"]["deletionTimestamp"].is_null() {
        let message = "the WorkflowExecution is being deleted; nothing was changed";
        return Err(Trouble::never("WorkflowExecutionGone", message));
    }
    let annotations = desired::annotations(ticket, id);
    if there["metadata"]["annotations"][DIGEST_ANNOTATION] == ticket.digest().to_string() {
        return Ok(Ensured { object: there, adopted: true });
    }
    spec_as_approved(ticket, &there)?;
    let change = json!({ "metadata": {
        "resourceVersion": there["metadata"]["resourceVersion"],
        "annotations": annotations,
    }});
    let object = context.calls.merge(Kind::Workflow, namespace, &adopts.name, &adopts.uid, change).await?;
    Ok(Ensured { object, adopted: true })
}

/// What came back says what the ticket says.
fn as_approved(ticket: &Ticket, got: &Value, id: &ExecutionId) -> Result<(), Trouble> {
    spec_as_approved(ticket, got)?;
    let mut found = Vec::new();
    for (key, value) in desired::annotations(ticket, id).as_object().into_iter().flatten() {
        compare::same(&format!("metadata.annotations.{key}"), value, &got["metadata"]["annotations"][key], &mut found);
    }
    if found.is_empty() { Ok(()) } else { Err(not_as_approved(&found)) }
}

fn spec_as_approved(ticket: &Ticket, got: &Value) -> Result<(), Trouble> {
    let found = desired::deviations(ticket, &got["spec"]);
    if found.is_empty() { Ok(()) } else { Err(not_as_approved(&found)) }
}

fn not_as_approved(found: &[compare::Difference]) -> Trouble {
    let message =
        format!("the WorkflowExecution is not what was approved, so nothing runs: {}", compare::sentence(found));
    Trouble::never(NOT_AS_APPROVED, message)
}
