//! Executions and their tasks: states, the durable stages before each effect, and the rule that nothing goes backwards.

use crate::{
    identity::Actor,
    ids::{Digest, ExecutionId, RecommendationId},
    recommendation::{ResourceRef, Severity},
    spans::{Phase, Span, spans},
    time::Timestamp,
    warning::Warning,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|x| x.name() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

words! {
    /// How an execution stands (`api.md`, Executions).
    ExecutionState {
        /// Decided, not started.
        Pending = "pending",
        /// At work.
        Running = "running",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended badly.
        Failed = "failed",
        /// Ended by a person.
        Cancelled = "cancelled",
        /// Ended by the clock.
        TimedOut = "timed_out",
        /// Its PipelineRun vanished; never re-created.
        Lost = "lost",
    }
}

words! {
    /// How a task stands.
    TaskState {
        /// Waits for its predecessors or for its pod.
        Pending = "pending",
        /// At work.
        Running = "running",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended badly.
        Failed = "failed",
        /// Never started, because of what happened before it.
        Skipped = "skipped",
        /// Ended by a person.
        Cancelled = "cancelled",
        /// Ended by the clock.
        TimedOut = "timed_out",
        /// Vanished with its run.
        Lost = "lost",
    }
}

words! {
    /// The durable stages, each written before its effect (`safety.md`, Faults).
    Stage {
        /// Approved; one dispatcher may create it.
        Claimed = "claimed",
        /// The WorkflowExecution exists, uid known.
        Created = "created",
        /// The PipelineRun exists.
        Started = "started",
        /// Terminal or lost.
        Ended = "ended",
    }
}

words! {
    /// The verdict on whether an execution helped.
    Assessment {
        /// The signal cleared and stayed away.
        Effective = "effective",
        /// It did not.
        Ineffective = "ineffective",
        /// It can't be told.
        Inconclusive = "inconclusive",
        /// Nobody looked yet.
        NotAssessed = "not_assessed",
    }
}

impl ExecutionState {
    /// Whether it has ended, in whatever way.
    pub const fn ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Whether an observation may move it to `to`: forwards only; an ended execution stays as it ended. A lost one may
    /// still be found to have ended otherwise only before it was written as lost.
    pub const fn may_become(self, to: Self) -> bool {
        match self {
            Self::Pending => true,
            Self::Running => !matches!(to, Self::Pending),
            _ => false,
        }
    }
}

impl TaskState {
    /// Whether it has ended, in whatever way.
    pub const fn ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

impl Task {
    /// Adds up over all attempts how long the task was queued, pulled its image and ran; a span counts once both its ends
    /// are known.
    pub fn measure(&mut self) {
        let all: Vec<Span> = self.attempts.iter().flat_map(spans).collect();
        let total = |phase: Phase| {
            all.iter().filter(|span| span.phase == phase).filter_map(|span| span.ms()).reduce(|a, b| a + b)
        };
        self.queued_ms = total(Phase::Queued);
        self.pulling_ms = total(Phase::Pulling);
        self.running_ms = total(Phase::Running);
    }

    /// Ends what an ended task has left open: its last attempt ended as it did and when it did, one before it failed.
    pub fn close_attempts(&mut self) {
        let count = self.attempts.len();
        let mut open = false;
        for (at, attempt) in self.attempts.iter_mut().enumerate().filter(|(_, a)| !a.state.ended()) {
            open = true;
            let last = at + 1 == count;
            attempt.state = if last { self.state } else { TaskState::Failed };
            attempt.finished_at = attempt.finished_at.or(self.finished_at.filter(|_| last));
        }
        if open {
            self.measure();
        }
    }
}

impl Stage {
    const fn rank(self) -> u8 {
        match self {
            Self::Claimed => 0,
            Self::Created => 1,
            Self::Started => 2,
            Self::Ended => 3,
        }
    }

    /// Whether `to` comes after this stage.
    pub const fn may_become(self, to: Self) -> bool {
        to.rank() > self.rank()
    }
}

/// One try of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskAttempt {
    /// Counted from 1.
    pub attempt: u32,
    /// How it stands.
    pub state: TaskState,
    /// Tekton's or the kubelet's reason, as the cluster gives it.
    pub reason: Option<String>,
    /// The pod, while known.
    pub pod: Option<String>,
    /// When its TaskRun was made (or the retry began).
    pub queued_at: Option<Timestamp>,
    /// When its pod was bound to a node and the image pull began.
    pub pulling_at: Option<Timestamp>,
    /// When its container started.
    pub running_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A task of an execution. Every task is there from the first moment, also those that have not started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Task {
    /// Its name in the pipeline.
    pub name: String,
    /// How it stands.
    pub state: TaskState,
    /// The reason, as the cluster gives it.
    pub reason: Option<String>,
    /// The sentence behind the reason.
    pub message: Option<String>,
    /// What it waits for.
    pub run_after: Vec<String>,
    /// Runs after everything else, whatever happened.
    #[serde(default)]
    pub finally: bool,
    /// Its tries, oldest first.
    pub attempts: Vec<TaskAttempt>,
    /// Milliseconds waiting for a node, over all attempts, also where that is all they did; none before the first such wait was over.
    pub queued_ms: Option<i64>,
    /// Milliseconds pulling the image and creating the container.
    pub pulling_ms: Option<i64>,
    /// Milliseconds running.
    pub running_ms: Option<i64>,
    /// When its first attempt started running.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What it reported.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub results: serde_json::Map<String, Value>,
    /// What it was given, for people.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub parameters: serde_json::Map<String, Value>,
    /// The ticket it runs under.
    pub ticket: Digest,
}

/// What an execution is about; fixed when it is approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecutionSubject {
    /// Its id.
    pub id: ExecutionId,
    /// The recommendation it comes from.
    pub recommendation_id: RecommendationId,
    /// Which strategy of it.
    pub strategy: u32,
    /// The approved ticket.
    pub ticket_digest: Digest,
    /// Name of the WorkflowExecution and the PipelineRun, derived from the ticket.
    pub name: String,
    /// The cluster.
    pub cluster: String,
    /// Whether the cluster is the sandbox.
    pub sandbox: bool,
    /// The namespace of the objects.
    pub namespace: String,
    /// The incident.
    pub incident_id: String,
    /// The kind of signal.
    pub signal_type: String,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub environment: Option<String>,
    /// The object in trouble.
    pub resource: Option<ResourceRef>,
    /// The object that it acts on, as the ticket says; none where nothing names one.
    #[serde(default)]
    pub acts_on: Option<ResourceRef>,
    /// The playbook; none for a step list.
    pub workflow_id: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What kind of thing it does.
    pub action_type: String,
    /// The model that recommended it.
    pub model: Option<String>,
    /// The version of that model's prompt.
    #[serde(default)]
    pub prompt_version: Option<String>,
    /// How sure it was.
    pub confidence: Option<f64>,
    /// A line for lists.
    pub title: String,
}

/// An execution as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Execution {
    /// What it is about.
    #[serde(flatten)]
    pub subject: ExecutionSubject,
    /// How it stands.
    pub state: ExecutionState,
    /// How far it has got.
    pub stage: Stage,
    /// Grows with each change of the row; a page never shows a smaller one after a greater.
    pub revision: i64,
    /// The reason, as the cluster gives it.
    pub reason: Option<String>,
    /// The sentence behind the reason.
    pub message: Option<String>,
    /// Uid of the WorkflowExecution.
    pub uid: Option<String>,
    /// Uid of the PipelineRun, once it was seen: another one under the name is another run.
    pub run_uid: Option<String>,
    /// Who approved.
    pub approved_by: Vec<Actor>,
    /// When it was approved.
    pub created_at: Timestamp,
    /// Until when it may start.
    pub expires_at: Timestamp,
    /// When its PipelineRun started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Whether a person asked to cancel it.
    pub cancel_requested: bool,
    /// Whether it helped.
    pub assessment: Assessment,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// What Kubernetes warned of while it went on, newest first. Told of one execution, not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// How far an execution has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Tasks that have ended.
    pub ended: u32,
    /// All tasks.
    pub tasks: u32,
}

/// How many executions go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Those that run.
    pub running: u32,
    /// Those that were approved and have not started.
    pub pending: u32,
    /// When the oldest of these was approved.
    pub pending_since: Option<Timestamp>,
}

/// An execution in a list for people: they look at how far it has got, not at each task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionLine {
    /// The execution without its tasks.
    pub execution: Execution,
    /// How far it has got; nothing is counted of one that has ended.
    pub progress: Progress,
}

impl ExecutionSubject {
    /// The object that it acts on; where the ticket named none, the one in trouble.
    pub fn target(&self) -> Option<&ResourceRef> {
        self.acts_on.as_ref().or(self.resource.as_ref())
    }
}

/// One durable row for one executed step (`product.md`, Words; the seed's action history).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionRecord {
    /// Its id.
    pub id: crate::ids::ActionId,
    /// The execution.
    pub execution_id: ExecutionId,
    /// The task.
    pub task: String,
    /// The playbook; none for a step list.
    pub workflow_id: Option<String>,
    /// What kind of thing it does.
    pub action_type: String,
    /// The image, by digest.
    pub image: String,
    /// What went in; secrets are only named.
    pub inputs: Value,
    /// What came out.
    pub outputs: Option<Value>,
    /// How it stands.
    pub status: TaskState,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A line of a task's log, as archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Counted from 1 within the attempt.
    pub line: u32,
    /// The kubelet's time stamp, where it gave one.
    pub at: Option<Timestamp>,
    /// The text, cleaned of bidirectional controls and of escape sequences but those of [`crate::log::ansi`], which are taken
    /// out or made into colours wherever it is shown.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_run_never_goes_back_to_running() {
        for from in ExecutionState::ALL.iter().filter(|s| s.ended()) {
            assert!(ExecutionState::ALL.iter().all(|to| !from.may_become(*to)), "{from}");
        }
        assert!(!ExecutionState::Running.may_become(ExecutionState::Pending));
        assert!(ExecutionState::Pending.may_become(ExecutionState::Failed));
    }

    #[test]
    fn stages_only_advance() {
        assert!(Stage::Claimed.may_become(Stage::Created));
        assert!(Stage::Created.may_become(Stage::Ended));
        assert!(!Stage::Started.may_become(Stage::Created));
        assert!(!Stage::Ended.may_become(Stage::Ended));
    }
}
