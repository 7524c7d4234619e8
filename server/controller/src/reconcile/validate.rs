//! Whether a run may start: the object is the one that was created, is to stay, says what was approved, and the store permits it:
//! in time by the database's clock, and nobody cancelled it. Pure; the ticket was proved to hash to the approved digest where it was read.

use super::dereference::Run;
use crate::{NOT_AS_APPROVED, compare, desired};
use domain::{
    execution::{Execution, ExecutionState},
    ports::Permit,
};

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Create the PipelineRun, in the try of this epoch.
    Start(i64),
    /// Leave it: it runs, has ended, or another replica is at it.
    Leave,
    /// Not yet: why, for people.
    Wait(&'static str),
    /// End it, unless its PipelineRun is there after all.
    Stop {
        /// How it ends.
        state: ExecutionState,
        /// A word for programs.
        reason: &'static str,
        /// A sentence for people.
        message: String,
    },
}

/// Judges a run, by what the store said to this try.
pub fn judge(run: &Run, permit: Permit) -> Verdict {
    let failed = |reason, message: String| Verdict::Stop { state: ExecutionState::Failed, reason, message };
    let uid = run.object["metadata"]["uid"].as_str();
    if uid != run.execution.uid.as_deref() {
        let message = "another WorkflowExecution stands under the name than the one that was created; nothing runs";
        return failed("NameTaken", message.into());
    }
    if !run.object["metadata"]["deletionTimestamp"].is_null() {
        let message =
            "the WorkflowExecution was deleted before its PipelineRun was started; it is not made again".into();
        return Verdict::Stop { state: ExecutionState::Lost, reason: "WorkflowExecutionDeleted", message };
    }
    let differences = desired::deviations(&run.ticket, &run.object["spec"]);
    if !differences.is_empty() {
        let what = compare::sentence(&differences);
        return failed(
            NOT_AS_APPROVED,
            format!("the WorkflowExecution is not what was approved, so nothing runs: {what}"),
        );
    }
    if run.object["metadata"]["namespace"].as_str() != Some(&run.ticket.content().namespace) {
        return failed(NOT_AS_APPROVED, "the WorkflowExecution stands in another namespace than was approved".into());
    }
    match permit {
        Permit::Given(epoch) => Verdict::Start(epoch),
        Permit::Overtaken | Permit::Over => Verdict::Leave,
        Permit::Busy => Verdict::Wait(BUSY),
        Permit::Unsigned => Verdict::Wait(UNSIGNED),
        Permit::Cancelled => {
            let (state, reason, message) = cancelled();
            Verdict::Stop { state, reason, message }
        }
        Permit::Expired => {
            let (state, reason, message) = expired(&run.execution);
            Verdict::Stop { state, reason, message }
        }
    }
}

/// What a run waits for that another one is in the way of; its approval may run out meanwhile.
pub const BUSY: &str =
    "another run on the same object goes on or has just ended, and the approval policy keeps them apart";

/// What a run waits for of whose images one does not count as signed any more; its approval may run out meanwhile.
pub const UNSIGNED: &str = "the approval policy asks for signed images, and it is not known any more that somebody trusted signed each of them";

/// How a run ends that was cancelled before it started.
pub fn cancelled() -> (ExecutionState, &'static str, String) {
    (ExecutionState::Cancelled, "Cancelled", "cancelled before its PipelineRun was started; nothing ran".into())
}

/// How a run ends whose approval ran out before it started.
pub fn expired(execution: &Execution) -> (ExecutionState, &'static str, String) {
    let at = execution.expires_at;
    let why = execution.message.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let message = format!("the approval ran out at {at} before the run could start; nothing ran{why}");
    (ExecutionState::Failed, "ApprovalExpired", message)
}
