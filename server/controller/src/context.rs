//! What the parts of the controller share, and the two things that all of them do: tell the store how a run ended, and follow a
//! run in the index.

use crate::{
    common::{Common, lock},
    crd::WorkflowExecutionStatus,
    index::{Index, Tracked},
    objects::Workflow,
    queue::Queue,
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState, Stage},
    ids::{Digest, ExecutionId},
    observation::{Changed, Observation},
    ports::StoreError,
    ticket::Ticket,
};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Followed logs at a time; more wait, and are read from their start when their turn comes.
const LOGS: usize = 256;
/// Logs that ask the store at a time.
const LOG_TURNS: usize = 2;

/// For so long a right that is missing may only not be known yet: an API server that starts fills its lists of rights within seconds.
const DENIED: Duration = Duration::from_secs(20);

/// Shared by all parts that act, from the beginning of this console's turn to its end.
pub struct Context {
    common: Arc<Common>,
    /// Executions that may be claimed.
    pub dispatch: Queue<ExecutionId>,
    /// WorkflowExecutions to reconcile, by name.
    pub reconcile: Queue<String>,
    /// Runs whose reading may have changed, by name.
    pub record: Queue<String>,
    /// RemediationWorkflows to register, by name.
    pub register: Queue<String>,
    /// The RemediationWorkflows that were there when they were listed last, all of which have been asked for; none before that.
    pub registrations_listed: watch::Sender<Option<HashSet<String>>>,
    /// For [`LOGS`].
    pub log_permits: Arc<Semaphore>,
    /// For [`LOG_TURNS`]: whoever decides meanwhile does not stand in line behind hundreds.
    pub log_turns: Arc<Semaphore>,
    /// The end of its turn.
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    index: Mutex<Index>,
    written: Mutex<HashMap<String, WorkflowExecutionStatus>>,
    seen: Mutex<HashMap<String, Workflow>>,
    fresh: Mutex<HashMap<String, (Value, Instant)>>,
    verified: Mutex<HashSet<String>>,
    condemned: Mutex<HashMap<String, Trouble>>,
    denied: Mutex<HashMap<String, Instant>>,
}

impl Deref for Context {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

impl Context {
    pub fn new(common: &Arc<Common>, stop: CancellationToken) -> Self {
        Self {
            common: Arc::clone(common),
            dispatch: Queue::default(),
            reconcile: Queue::default(),
            record: Queue::default(),
            register: Queue::default(),
            registrations_listed: watch::Sender::new(None),
            log_permits: Arc::new(Semaphore::new(LOGS)),
            log_turns: Arc::new(Semaphore::new(LOG_TURNS)),
            stop,
            tasks: TaskTracker::new(),
            index: Mutex::default(),
            written: Mutex::default(),
            seen: Mutex::default(),
            fresh: Mutex::default(),
            verified: Mutex::default(),
            condemned: Mutex::default(),
            denied: Mutex::default(),
        }
    }

    /// The index; never held across an await.
    pub fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.index)
    }

    /// The status last written of each run that has not ended.
    pub fn written(&self) -> MutexGuard<'_, HashMap<String, WorkflowExecutionStatus>> {
        lock(&self.written)
    }

    /// The WorkflowExecutions that have not ended, as the watch saw them last.
    pub fn seen(&self) -> MutexGuard<'_, HashMap<String, Workflow>> {
        lock(&self.seen)
    }

    /// WorkflowExecutions as the API server answered their creation, and when, until the reconciler has looked at them.
    pub fn fresh(&self) -> MutexGuard<'_, HashMap<String, (Value, Instant)>> {
        lock(&self.fresh)
    }

    /// Runs that have not ended and whose PipelineRun was seen here, let go, to be what was approved.
    pub fn verified(&self) -> MutexGuard<'_, HashSet<String>> {
        lock(&self.verified)
    }

    /// A run whose PipelineRun is being stopped for this cause: that is how it ends, not what the cluster makes of the stop.
    pub fn condemn(&self, name: &str, cause: Trouble) {
        lock(&self.condemned).insert(name.to_owned(), cause);
    }

    /// Nothing speaks against the run any more: the cluster's word counts again.
    pub fn absolve(&self, name: &str) {
        if lock(&self.condemned).remove(name).is_some() {
            self.record.add(name.to_owned());
        }
    }

    /// What ends this run once it has stopped, where it is being stopped.
    pub fn cause_against(&self, name: &str) -> Option<Trouble> {
        lock(&self.condemned).get(name).cloned()
    }

    /// Trouble with a run, with a missing right told apart: for a while it may come back, then that is the API server's word.
    pub fn settled(&self, name: &str, trouble: Trouble) -> Trouble {
        let Trouble::Later { denied: Some(reason), why, .. } = &trouble else {
            // Whatever it is, it is another trouble: the time begins anew.
            self.went_on(name);
            return trouble;
        };
        let since = *lock(&self.denied).entry(name.to_owned()).or_insert_with(Instant::now);
        if since.elapsed() < DENIED {
            // As it is: whoever settles it once more finds the same.
            return trouble;
        }
        Trouble::Never { reason: reason.clone(), message: why.clone() }
    }

    /// The run went a step on: what was denied before does not count any more.
    pub fn went_on(&self, name: &str) {
        lock(&self.denied).remove(name);
    }

    /// The approved ticket under this digest, proved to hash to it. `None`: there is none.
    pub async fn ticket(&self, digest: &Digest) -> Result<Option<Ticket>, Trouble> {
        let Some(stored) = self.ports.recommendations.ticket(digest).await? else { return Ok(None) };
        Ticket::verify(&stored.canonical, digest).map(Some).map_err(|e| Trouble::never("TicketTampered", e.to_string()))
    }

    /// Follows a run from now on.
    pub fn track(&self, execution: &Execution, ticket: &Ticket) {
        self.index().track(&execution.subject.name, Tracked::new(execution, ticket.content()));
    }

    /// Writes that a run got to a stage.
    pub async fn reached(&self, id: &ExecutionId, stage: Stage, uid: &str) -> Result<Changed, StoreError> {
        self.ports.executions.observe(id, at_stage(stage, uid)).await
    }

    /// Writes that the PipelineRun is there, and which one it is: another under its name is never this run.
    pub async fn started(&self, execution: &Execution, owner: &str, run_uid: &str) -> Result<Changed, StoreError> {
        let seen = Observation { run_uid: Some(run_uid.to_owned()), ..at_stage(Stage::Started, owner) };
        let changed = self.ports.executions.observe(&execution.subject.id, seen).await?;
        self.index().started(&execution.subject.name, run_uid);
        Ok(changed)
    }

    /// Writes that a run ended without Tekton's word for it.
    pub async fn conclude(
        &self,
        execution: &Execution,
        state: ExecutionState,
        reason: &str,
        message: &str,
    ) -> Result<(), StoreError> {
        tracing::warn!(execution = %execution.subject.id, name = execution.subject.name, %state, reason, message, "a run ended");
        let seen = Observation {
            state,
            stage: Stage::Ended,
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            uid: None,
            run_uid: None,
            started_at: None,
            finished_at: Some(self.ports.clock.now()),
            tasks: Vec::new(),
            warnings: Vec::new(),
        };
        self.ports.executions.observe(&execution.subject.id, seen).await?;
        self.index().forget(&execution.subject.name);
        // Whoever follows its logs must hear that it has ended.
        self.record.add(execution.subject.name.clone());
        self.verified().remove(&execution.subject.name);
        lock(&self.condemned).remove(&execution.subject.name);
        self.went_on(&execution.subject.name);
        self.reconcile.add(execution.subject.name.clone());
        Ok(())
    }
}

fn at_stage(stage: Stage, uid: &str) -> Observation {
    Observation {
        state: ExecutionState::Pending,
        stage,
        reason: None,
        message: None,
        uid: Some(uid.to_owned()),
        run_uid: None,
        started_at: None,
        finished_at: None,
        tasks: Vec::new(),
        warnings: Vec::new(),
    }
}
