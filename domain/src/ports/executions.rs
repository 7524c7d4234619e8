//! Executions, their tasks, action records and archived logs.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    execution::{ActionRecord, Execution, ExecutionLine, ExecutionState, ExecutionSubject, LogLine, Standing, Task},
    ids::ExecutionId,
    observation::{Changed, Observation},
    paging::{Page, PageOf},
    policy::{Concurrency, InTheWay},
    recommendation::ResourceRef,
    target::kinds::Spot,
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// An execution to be claimed with the last approval.
#[derive(Clone, Debug, PartialEq)]
pub struct NewExecution {
    /// What it is about.
    pub subject: ExecutionSubject,
    /// Until when it may start.
    pub expires_at: Timestamp,
    /// Every task from the first moment.
    pub tasks: Vec<Task>,
    /// One action record per task, status pending.
    pub actions: Vec<ActionRecord>,
    /// All that it acts on: what other runs are kept apart from it by.
    pub objects: Vec<Spot>,
    /// What the policy asks of other runs on the same objects.
    pub guard: Concurrency,
}

/// The store's word on one try at starting a run (`safety.md`, Faults: the approval's expiry by the database's clock and the
/// epoch, both at each try).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may start; the epoch of this try.
    Given(i64),
    /// A later try has begun: that one decides, and this one leaves everything as it is.
    Overtaken,
    /// A person asked to cancel it.
    Cancelled,
    /// The approval ran out, by the database's clock.
    Expired,
    /// Another run on the same object goes on or has ended a short time ago, and the policy of one of them asks for a distance.
    Busy,
    /// There is nothing to start: it runs, has ended, or was not created.
    Over,
}

/// Which executions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionFilter {
    /// Only this state.
    pub state: Option<ExecutionState>,
    /// Only this playbook.
    pub workflow_id: Option<String>,
    /// Only this recommendation.
    pub recommendation_id: Option<String>,
    /// Words in name, title, incident or resource.
    pub q: Option<String>,
    /// Approved at or after.
    pub since: Option<Timestamp>,
    /// Only those about this very object.
    pub target: Option<ResourceRef>,
}

/// Which action records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionFilter {
    /// Only this one.
    pub id: Option<String>,
    /// Only this playbook.
    pub workflow_id: Option<String>,
    /// Only this action type.
    pub action_type: Option<String>,
    /// Only this status, by its word.
    pub status: Option<String>,
    /// Started at or after.
    pub from: Option<Timestamp>,
    /// Started before.
    pub to: Option<Timestamp>,
}

/// Executions and what they leave behind.
#[async_trait]
pub trait ExecutionStore: Send + Sync {
    /// One, with its tasks.
    async fn get(&self, id: &ExecutionId) -> Result<Option<Execution>, StoreError>;
    /// The one of that object name in that cluster, with its tasks.
    async fn by_name(&self, cluster: &str, name: &str) -> Result<Option<Execution>, StoreError>;
    /// A page, newest first, with tasks.
    async fn list(&self, filter: &ExecutionFilter, page: &Page) -> Result<PageOf<Execution>, StoreError>;
    /// The same page for people: how far each has got in place of its tasks. It costs the same whatever the size of the runs.
    async fn lines(&self, filter: &ExecutionFilter, page: &Page) -> Result<PageOf<ExecutionLine>, StoreError>;
    /// What ended last, newest end first.
    async fn last_ended(&self, many: u32) -> Result<Vec<ExecutionLine>, StoreError>;
    /// How many go on.
    async fn standing(&self) -> Result<Standing, StoreError>;
    /// Of each object in its cluster the newest that was approved on it at or after `since`, without tasks: for hints about what was
    /// tried before. It costs as much as it returns.
    async fn newest_on(&self, objects: &[(&str, &ResourceRef)], since: Timestamp)
    -> Result<Vec<Execution>, StoreError>;
    /// The run that keeps another one on these objects of the cluster from being approved now; none said: it may act on anything.
    async fn in_the_way(&self, cluster: &str, objects: &[Spot], guard: Concurrency) -> Result<Option<InTheWay>, StoreError>;
    /// Those of these that there are, in no order, without tasks.
    async fn these(&self, ids: &[ExecutionId]) -> Result<Vec<Execution>, StoreError> {
        // For stores that have nothing to gain by asking once.
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.get(id).await?);
        }
        Ok(found)
    }
    /// All that have not ended in this cluster, with tasks: what a starting dispatcher and recorder must catch up with.
    async fn unfinished(&self, cluster: &str) -> Result<Vec<Execution>, StoreError>;
    /// Those in this cluster that wait for the dispatcher: not seen running yet, or to be cancelled; without tasks. For whoever
    /// is woken: it costs as much as there is to do, not as much as runs.
    async fn due(&self, cluster: &str) -> Result<Vec<Execution>, StoreError>;
    /// Takes the claim for one attempt at creating it: raises the epoch if the stage is still `claimed`, it has not expired
    /// by the database's clock and no cancel was asked for. The epoch, or `None` when it is not to be created.
    async fn take_claim(&self, id: &ExecutionId) -> Result<Option<i64>, StoreError>;
    /// Begins a try at starting it: raises the epoch of one that was created and does not run, was not cancelled, has not
    /// expired by the database's clock and has no other run in its way. No earlier try gets its permit any more.
    async fn begin_start(&self, id: &ExecutionId) -> Result<Permit, StoreError>;
    /// The permit to start, for the try of this epoch and the PipelineRun of this uid: one conditional update, which writes the
    /// stage `started`. Holds for one attempt at letting the run go; the next attempt asks again.
    async fn may_start(&self, id: &ExecutionId, epoch: i64, run_uid: &str) -> Result<Permit, StoreError>;
    /// Merges a reading (`domain::observation::merge`) under the row's lock, with action records, rollup when it ends, and
    /// events; nothing is written when nothing changed.
    async fn observe(&self, id: &ExecutionId, seen: Observation) -> Result<Changed, StoreError>;
    /// Notes that a person asked to cancel; `false` when it has ended.
    async fn request_cancel(&self, id: &ExecutionId, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Appends log lines of an attempt; lines already there (by number) are left as they are. An event tells how many
    /// there are now.
    async fn append_log(&self, id: &ExecutionId, task: &str, attempt: u32, lines: &[LogLine])
    -> Result<(), StoreError>;
    /// Log lines after `since_line`, at most `limit`, in order.
    async fn log(
        &self,
        id: &ExecutionId,
        task: &str,
        attempt: u32,
        since_line: u32,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError>;
    /// Notes that all of an attempt's log that will ever be there is archived. An event tells it.
    async fn close_log(&self, id: &ExecutionId, task: &str, attempt: u32) -> Result<(), StoreError>;
    /// Whether that was noted.
    async fn log_closed(&self, id: &ExecutionId, task: &str, attempt: u32) -> Result<bool, StoreError>;
    /// A page of action records, newest first.
    async fn actions(&self, filter: &ActionFilter, page: &Page) -> Result<PageOf<ActionRecord>, StoreError>;
    /// Writes finished history as it is (the demo scene and restore): executions with rollups, no events.
    async fn import(&self, executions: &[Execution]) -> Result<(), StoreError>;
}
