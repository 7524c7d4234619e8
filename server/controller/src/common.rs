//! What lives as long as the process, whether or not this console is the one that acts.

use crate::{Config, Ports, calls::Calls, health::Health, listing};
use domain::{
    execution::{ExecutionState, Stage},
    ids::{ExecutionId, RecommendationId},
    observation::Observation,
    time::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Locks it; what another thread left behind when it panicked is used as it is.
pub fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shared by whoever acts, waits for its turn, or only looks.
pub struct Common {
    pub config: Config,
    pub ports: Ports,
    pub client: kube::Client,
    pub calls: Calls,
    pub health: Health,
    /// There is something to dispatch.
    pub wake: Notify,
    /// WorkflowExecutions that somebody applied and that wait for a decision, by their recommendation.
    undecided: Mutex<HashMap<RecommendationId, String>>,
    /// Those of them that wait no longer, by name, until whoever acts has looked at them.
    decided: Mutex<Vec<String>>,
    /// Turns at listing workspaces.
    pub listings: Arc<Semaphore>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

impl Common {
    pub fn new(client: kube::Client, config: Config, ports: Ports, stop: CancellationToken) -> Self {
        Self {
            calls: Calls::new(client.clone()),
            health: Health::new(&config),
            client,
            config,
            ports,
            wake: Notify::new(),
            undecided: Mutex::default(),
            decided: Mutex::default(),
            listings: Arc::new(Semaphore::new(listing::AT_ONCE)),
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// A WorkflowExecution waits for the decision on this recommendation.
    pub fn waits_for(&self, recommendation: &RecommendationId, name: &str) {
        lock(&self.undecided).insert(recommendation.clone(), name.to_owned());
    }

    /// A recommendation is open no longer: what waits for it is to be told.
    pub fn decided(&self, recommendation: &RecommendationId) {
        let waited = lock(&self.undecided).remove(recommendation);
        if let Some(name) = waited {
            lock(&self.decided).push(name);
            self.wake.notify_one();
        }
    }

    /// What was decided since this was asked last.
    pub fn take_decided(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.decided))
    }

    /// Writes why a run that was approved has not started yet.
    pub async fn waits(&self, id: &ExecutionId, why: &str) {
        self.says(id, ExecutionState::Pending, "WaitingForCluster", format!("not started yet: {why}")).await;
    }

    /// Writes what a run in this state is held up by; whether that is new.
    pub async fn says(&self, id: &ExecutionId, state: ExecutionState, reason: &str, message: String) -> bool {
        let seen = Observation {
            state,
            stage: Stage::Claimed,
            reason: Some(reason.into()),
            message: Some(message),
            uid: None,
            run_uid: None,
            started_at: None,
            finished_at: None,
            tasks: Vec::new(),
            warnings: Vec::new(),
        };
        match self.ports.executions.observe(id, seen).await {
            Ok(changed) => changed.any(),
            Err(error) => {
                tracing::debug!(%error, "what holds a run up could not be written");
                false
            }
        }
    }

    /// The time by the clock that wrote when the cluster's runs began; this machine's where the cluster has told none.
    pub fn cluster_now(&self) -> Timestamp {
        self.calls.now().unwrap_or_else(|| self.ports.clock.now())
    }
}
