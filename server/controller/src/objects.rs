//! What the recorder keeps of the cluster's objects: a few fields each, taken out of the wire form as it arrives, so that ten
//! thousand runs fit into little memory. It knows the wire form of `tekton.dev/v1`, of pods and of Events, and no rules about them.

mod event;
mod wire;

pub use event::EventObject;
pub use wire::{PipelineRunObject, PodObject, RegistrationObject, TaskRunObject, WorkflowObject};

use domain::{time::Timestamp, warning::Warning};
use serde_json::Value;

/// A Knative-style condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// When its status last changed.
    pub since: Option<Timestamp>,
}

/// A WorkflowExecution, as far as the queue needs it: its content is always read afresh before anything is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Grows with the spec.
    pub generation: i64,
    /// The ticket it claims to come from.
    pub digest: Option<String>,
    /// Whether its phase says that nothing more will happen.
    pub ended: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// A RemediationWorkflow, as far as the queue needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its name.
    pub name: String,
    /// Whether its status says, about this very spec, that it is registered or that it can't be.
    pub settled: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// A task of a pipeline, from `status.pipelineSpec` or `spec.pipelineSpec`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelineTask {
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub run_after: Vec<String>,
    /// Runs after everything else.
    pub finally: bool,
}

/// A TaskRun that a PipelineRun says it has made (`status.childReferences`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The TaskRun's name.
    pub name: String,
    /// Which task of the pipeline it is.
    pub task: String,
}

/// A PipelineRun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineRun {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its label `kubernaut.io/workflow`.
    pub workflow: String,
    /// The uid of the WorkflowExecution that controls it.
    pub owner_uid: Option<String>,
    /// Its annotation `kubernaut.io/ticket-digest`.
    pub digest: Option<String>,
    /// The condition `Succeeded`.
    pub condition: Option<Condition>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Whether it waits to be let go ([`PENDING`]).
    pub held: bool,
    /// When Tekton started it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its tasks, once Tekton has resolved them.
    pub tasks: Vec<PipelineTask>,
    /// Its TaskRuns.
    pub children: Vec<Child>,
    /// Tasks that Tekton skipped, with the reason.
    pub skipped: Vec<(String, String)>,
}

/// Tekton's word for "created, not to be started" (`spec.status` of a PipelineRun).
pub const PENDING: &str = "PipelineRunPending";

/// The reason of a try whose TaskRun somebody deleted while the run went on: Tekton makes another.
pub const DELETED: &str = "TaskRunDeleted";

impl Attempt {
    /// This try, as it stood when its TaskRun was deleted.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        if self.condition.as_ref().is_none_or(|c| c.status == "Unknown") {
            self.condition = Some(Condition {
                status: "False".into(),
                reason: DELETED.into(),
                message: "somebody deleted the TaskRun while it ran, and Tekton started the task again".into(),
                since: None,
            });
        }
        self
    }
}

/// How a task's container stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name, `step-execute`.
    pub name: String,
    /// Why it waits: reason and message.
    pub waiting: Option<(String, String)>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its exit code, once it has ended.
    pub exit_code: Option<i64>,
    /// Why it ended: `Completed`, `Error`, `OOMKilled`.
    pub reason: Option<String>,
}

/// One try of a TaskRun: the present one, or one of `status.retriesStatus`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The condition `Succeeded`.
    pub condition: Option<Condition>,
    /// Its pod.
    pub pod: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its step.
    pub step: Option<Container>,
    /// What it reported.
    pub results: Vec<(String, Value)>,
}

/// A TaskRun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRun {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its label `kubernaut.io/workflow`.
    pub workflow: String,
    /// The uid of the PipelineRun that controls it.
    pub owner_uid: Option<String>,
    /// Which task of the pipeline it is.
    pub task: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Why it was cancelled (`spec.statusMessage`): only this tells a timeout of the pipeline from a cancellation.
    pub asked_because: Option<String>,
    /// The present try.
    pub now: Attempt,
    /// Earlier tries, oldest first.
    pub earlier: Vec<Attempt>,
    /// Tries under TaskRuns of this name that somebody deleted: each was a try too, and is shown as one.
    pub replaced: Vec<Attempt>,
}

/// A pod of a TaskRun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its label `kubernaut.io/workflow`.
    pub workflow: String,
    /// The uid of the TaskRun that controls it.
    pub owner_uid: Option<String>,
    /// When it was bound to a node.
    pub scheduled_at: Option<Timestamp>,
    /// Why it is not bound yet: reason and message.
    pub unscheduled: Option<(String, String)>,
    /// Its sandbox stands, or stood: its volumes are mounted.
    pub set_up: bool,
    /// The PersistentVolumeClaims that it mounts, by name.
    pub claims: Vec<String>,
    /// Its containers that run steps.
    pub steps: Vec<Container>,
    /// Whether its phase is Succeeded or Failed.
    pub ended: bool,
}

/// A Warning, as an Event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned {
    /// Uid of the object that it is about.
    pub uid: String,
    /// What it says; of which task it is stands in no Event.
    pub warning: Warning,
}

impl PipelineRun {
    /// Whether nothing more will happen to it.
    pub fn ended(&self) -> bool {
        self.condition.as_ref().is_some_and(|c| c.status != "Unknown")
    }

    /// Whether it was let go and Tekton has not begun with it.
    pub fn untaken(&self) -> bool {
        !self.held && self.started_at.is_none() && !self.ended()
    }
}

impl TaskRun {
    /// A newer state. Another uid under the name is another TaskRun: what ran before it stays told.
    pub fn renew(&mut self, mut newer: Self) {
        newer.replaced = std::mem::take(&mut self.replaced);
        if newer.uid != self.uid {
            tracing::warn!(
                task_run = self.name,
                task = self.task,
                "a TaskRun was deleted while its run went on; Tekton starts its task again"
            );
            metrics::counter!("kubernaut_task_runs_replaced_total").increment(1);
            newer.replaced.append(&mut self.earlier);
            newer.replaced.push(std::mem::take(&mut self.now).deleted());
        } else if self.ended() && newer.ended() {
            // Tekton now and then writes an end once more, a second later: it ended when that was said first.
            newer.now.condition = self.now.condition.take();
            newer.now.finished_at = self.now.finished_at.or(newer.now.finished_at);
        }
        *self = newer;
    }

    /// Whether nothing more will happen to it.
    pub fn ended(&self) -> bool {
        self.now.condition.as_ref().is_some_and(|c| c.status != "Unknown")
    }
}
