//! What the watches can't tell is asked for: whose a PipelineRun is, whether it is really gone, where its TaskRuns are; and the
//! ends that follow from the answers. Nothing is ever concluded from what a watch does not show.

use super::DEADLINE_GRACE_MS;
use crate::{
    calls::{CallError, Kind},
    context::Context,
    index::Tracked,
    objects::{PipelineRun, PipelineRunObject, TaskRun, TaskRunObject},
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState, Stage},
    time::Timestamp,
};

/// Asks the API server for TaskRuns that no watch has shown to have ended. What it does not answer is asked for again: a run
/// is not told as ended before.
pub(super) async fn ask_for(context: &Context, name: &str, unseen: Vec<String>) -> Result<(), Trouble> {
    for child in unseen {
        let object = match context.calls.get(Kind::TaskRun, &context.config.namespace, &child).await {
            Ok(there) => serde_json::from_value::<TaskRunObject>(there).ok().map(TaskRun::from),
            Err(CallError::NotFound(_)) => None,
            Err(CallError::Refused { message, .. }) => {
                tracing::warn!(name, child, message, "the cluster does not show a TaskRun of a run that has ended");
                None
            }
            Err(later) => return Err(later.into()),
        };
        context.index().task_run_asked(name, &child, object);
    }
    Ok(())
}

/// Whether Tekton has really not begun with a run that was let go: a watch that is behind shows the same.
pub(super) async fn is_untaken(context: &Context, name: &str, tracked: &Tracked) -> bool {
    let there = context.calls.get(Kind::PipelineRun, &context.config.namespace, name).await.ok();
    there.and_then(pipeline_run).is_some_and(|run| tracked.owns(&run) && run.untaken())
}

/// A PipelineRun that the index does not know: whose is it?
pub(super) async fn look_up(context: &Context, name: &str) -> Result<bool, Trouble> {
    let Some(execution) = context.ports.executions.by_name(&context.config.cluster_name, name).await? else {
        context.index().foreign(name);
        return Ok(false);
    };
    if execution.state.ended() {
        context.index().forget(name);
        return Ok(false);
    }
    // Nobody made a PipelineRun for it yet, and whose it would be is not known before its WorkflowExecution is.
    if execution.stage == Stage::Claimed {
        return Ok(true);
    }
    match context.ticket(&execution.subject.ticket_digest).await {
        Ok(Some(ticket)) => {
            context.track(&execution, &ticket);
            context.record.add(name.to_owned());
            Ok(true)
        }
        Ok(None) | Err(Trouble::Never { .. }) => {
            context.index().foreign(name);
            Ok(false)
        }
        Err(later) => Err(later),
    }
}

/// The watch says that the PipelineRun is gone: only the API server's own answer makes it lost.
pub(super) async fn confirm(context: &Context, name: &str, tracked: &Tracked) -> Result<bool, Trouble> {
    let Some(execution) = context.ports.executions.get(&tracked.id).await?.filter(|e| !e.state.ended()) else {
        context.index().forget(name);
        return Ok(false);
    };
    match context.calls.get(Kind::PipelineRun, &execution.subject.namespace, name).await {
        Ok(there) => {
            let found = pipeline_run(there);
            if let Some(run) = found.clone().filter(|run| tracked.owns(run)) {
                context.index().found(run);
                context.record.add(name.to_owned());
                return Ok(true);
            }
            let ours = found.filter(|run| tracked.run_uid.as_ref() == Some(&run.uid));
            if let Some(run) = ours {
                ask_to_stop(context, &execution, &run.uid).await;
                let message = "the ticket's digest or the owner of the PipelineRun was changed while it ran; it was asked \
                               to stop, look after its pods";
                return lose(context, &execution, "PipelineRunChanged", message).await;
            }
            let message =
                "another PipelineRun stands under the name of this run's own, which is gone; it is not made again";
            lose(context, &execution, "PipelineRunDeleted", message).await
        }
        Err(CallError::NotFound(_)) => {
            let message = "the PipelineRun was deleted while it ran; it is not made again";
            lose(context, &execution, "PipelineRunDeleted", message).await
        }
        Err(other) => {
            let began = execution.started_at.unwrap_or(execution.created_at);
            if overdue(began, tracked.timeout_ms, context.cluster_now()) {
                end_overdue(context, tracked).await?;
                return Ok(false);
            }
            Err(other.into())
        }
    }
}

fn pipeline_run(there: serde_json::Value) -> Option<PipelineRun> {
    serde_json::from_value::<PipelineRunObject>(there).ok().map(PipelineRun::from)
}

async fn lose(context: &Context, execution: &Execution, reason: &str, message: &str) -> Result<bool, Trouble> {
    context.conclude(execution, ExecutionState::Lost, reason, message).await?;
    Ok(false)
}

/// Asks Tekton to stop exactly this PipelineRun. The run ends here whatever becomes of it.
async fn ask_to_stop(context: &Context, execution: &Execution, uid: &str) {
    let subject = &execution.subject;
    let change = serde_json::json!({ "spec": { "status": "Cancelled" } });
    let asked = context.calls.merge(Kind::PipelineRun, &subject.namespace, &subject.name, uid, change).await;
    if let Err(error) = asked {
        tracing::warn!(%error, name = subject.name, "a PipelineRun could not be asked to stop");
    }
}

/// Whether a run has outlived its own deadline and the time that Tekton has to notice.
pub(super) fn overdue(began: Timestamp, timeout_ms: u64, now: Timestamp) -> bool {
    let limit = i64::try_from(timeout_ms).unwrap_or(i64::MAX).saturating_add(DEADLINE_GRACE_MS);
    now.since(began) > limit
}

/// Tekton did not end it in time: it is asked to stop, and the run ends here whatever becomes of that.
pub(super) async fn end_overdue(context: &Context, tracked: &Tracked) -> Result<(), Trouble> {
    let Some(execution) = context.ports.executions.get(&tracked.id).await? else { return Ok(()) };
    let subject = &execution.subject;
    let there = context.calls.get(Kind::PipelineRun, &subject.namespace, &subject.name).await.ok();
    // Somebody else's under the name is left alone.
    if let Some(run) = there.and_then(pipeline_run).filter(|run| tracked.owns(run)) {
        ask_to_stop(context, &execution, &run.uid).await;
    }
    let message = "the run's deadline passed and Tekton did not end it; it was asked to stop, look after its pods";
    context.conclude(&execution, ExecutionState::TimedOut, "DeadlineExceeded", message).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_own_deadline_leaves_tekton_time() {
        let began = Timestamp::from_millis(0);
        assert!(!overdue(began, 600_000, Timestamp::from_millis(600_000 + DEADLINE_GRACE_MS)));
        assert!(overdue(began, 600_000, Timestamp::from_millis(600_001 + DEADLINE_GRACE_MS)));
        assert!(!overdue(began, u64::MAX, Timestamp::from_millis(i64::MAX)));
    }
}
