//! The controller: from an approved run ticket to a WorkflowExecution, from that to Tekton's PipelineRun, and from what the
//! cluster shows back to executions, action records and archived logs.
//!
//! What decides is pure (`crd`, `desired`, `compare`, `observe`, `index`); effects stand at the edge (`calls`, `logs`). It meets
//! the rest of the console in the ports of `domain` and knows no database, no HTTP server and no page.
//!
//! ```text
//! leader: the Lease is ours ─▶ everything below
//! store ─ claimed ─▶ dispatcher ─▶ WorkflowExecution ─ watch ─▶ reconcile ─▶ ConfigMaps, PipelineRun
//! store ◀─ observations, log lines ─ recorder ◀─ index ◀─ watches of WorkflowExecutions, PipelineRuns, TaskRuns, pods, Events
//! catalog ◀─ intake ◀─ registrar ◀─ watch of RemediationWorkflows
//! incidents ◀─ intake ◀─ warnings ◀─ watches of Events in namespaces that somebody named
//! page ─ listing ─▶ a pod that looks into a run's volume, once
//! ```

pub mod client;
pub mod crd;
pub mod doctor;

mod backoff;
mod calls;
mod common;
mod compare;
mod context;
mod desired;
mod dispatcher;
mod ensure;
mod health;
mod idle;
mod index;
mod leader;
mod lease;
mod listing;
mod logs;
mod mend;
mod objects;
mod observe;
mod queue;
mod reconcile;
mod recorder;
mod registrar;
mod reviews;
mod shipped;
mod target;
mod trouble;
mod warnings;

#[cfg(test)]
#[allow(dead_code, reason = "shared with the suite, each uses a part")]
#[path = "../tests/support/tickets.rs"]
mod fixtures;

use async_trait::async_trait;
use calls::{CallError, Kind};
use common::Common;
use domain::{
    assessment::judge::TargetHealth,
    execution::Execution,
    ids::RecommendationId,
    playbook::actions,
    ports::{
        Clock, Cluster, ClusterError, ClusterHealth, ClusterIntake, ClusterRight, ClusterUser, ExecutionStore,
        PreflightCheck, RecommendationStore, SignalIntake,
    },
    recommendation::ResourceRef,
    target::state::Reading,
    time::Timestamp,
    workspace::{NoListing, WorkspaceListing},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

pub use client::{ClientChoice, ClientError, InstallError, client, install};
pub use reviews::Reviews;
pub use warnings::EventNamespaces;

/// The reason given when an object is not what was approved.
const NOT_AS_APPROVED: &str = "NotAsApproved";

/// Which cluster, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The cluster's name, as executions and tickets carry it.
    pub cluster_name: String,
    /// Whether it is the sandbox.
    pub sandbox: bool,
    /// The namespace of WorkflowExecutions and PipelineRuns.
    pub namespace: String,
    /// Which database the console works on. One with another sees nothing of what is approved here.
    pub database: String,
    /// The name, no other process's, under which this one waits for its turn to act, by a Lease in that namespace; none where it
    /// acts whatever others do.
    pub replica: Option<String>,
    /// The image with `kubernaut-console list-volume`, for listing workspaces; none where they are not listed.
    pub lister_image: Option<String>,
    /// Whose Warnings are signals.
    pub events: EventNamespaces,
    /// What the cluster is asked about others: the preflight looks whether it may be.
    pub reviews: Reviews,
}

/// What the controller needs from the rest of the console.
#[derive(Clone)]
pub struct Ports {
    /// Executions, tasks, logs.
    pub executions: Arc<dyn ExecutionStore>,
    /// Tickets and decisions.
    pub recommendations: Arc<dyn RecommendationStore>,
    /// The door for WorkflowExecutions and RemediationWorkflows that somebody applied.
    pub intake: Arc<dyn ClusterIntake>,
    /// The door for what Kubernetes warns of.
    pub signals: Arc<dyn SignalIntake>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// A running controller.
pub struct Controller {
    common: Arc<Common>,
}

/// Starts the controller on the present tokio runtime; it runs until `stop`. Returns at once: what is missing in the cluster
/// shows in [`Cluster::health`]. The client must not retry by itself (see [`client`]).
pub fn start(client: kube::Client, config: Config, ports: Ports, stop: CancellationToken) -> Controller {
    let common = Arc::new(Common::new(client, config, ports, stop));
    health::start(&common);
    leader::start(&common);
    common.tasks.close();
    Controller { common }
}

impl Controller {
    /// The cluster as the services see it.
    pub fn cluster(&self) -> Arc<dyn Cluster> {
        Arc::new(Handle { common: Arc::clone(&self.common), targets: target::Recent::default() })
    }

    /// Waits until everything has stopped after the token was cancelled: what was begun is finished first.
    pub async fn finished(self) {
        self.common.tasks.wait().await;
    }
}

struct Handle {
    common: Arc<Common>,
    /// Targets that were looked at lately.
    targets: target::Recent,
}

#[async_trait]
impl Cluster for Handle {
    fn acts(&self) -> bool {
        self.common.health.is_acting()
    }

    fn health(&self) -> ClusterHealth {
        self.common.health.report()
    }

    async fn pipeline_run(&self, namespace: &str, name: &str) -> Result<Value, ClusterError> {
        Ok(self.common.calls.get(Kind::PipelineRun, namespace, name).await?)
    }

    async fn target(&self, resource: &ResourceRef) -> Reading {
        target::read(&self.common, &self.targets, resource).await
    }

    async fn fields(&self, resource: &ResourceRef, pointers: &[String]) -> Result<Vec<Option<Value>>, String> {
        target::fields(&self.common, resource, pointers).await
    }

    async fn health_since(&self, resource: &ResourceRef, since: Timestamp) -> TargetHealth {
        target::health::read(&self.common, resource, since).await
    }

    async fn may_list_workspace(&self, run: &Execution, workspace: &str) -> Result<(), NoListing> {
        listing::check(&self.common, run, workspace).await
    }

    async fn list_workspace(&self, run: &Execution, workspace: &str) -> Result<WorkspaceListing, NoListing> {
        listing::list(&self.common, run, workspace).await
    }

    async fn whose_token(&self, token: &str, audience: &str) -> Result<Option<ClusterUser>, ClusterError> {
        reviews::whose_token(&self.common.calls, token, audience).await
    }

    async fn may(&self, user: &ClusterUser, right: &ClusterRight) -> Result<bool, ClusterError> {
        reviews::may(&self.common.calls, user, right).await
    }

    async fn preflight(&self) -> Vec<PreflightCheck> {
        let config = &self.common.config;
        let extras = doctor::Extras {
            lister: config.lister_image.as_deref(),
            event_namespaces: &config.events.namespaces,
            reviews: config.reviews,
        };
        doctor::look(&self.common.calls, &config.namespace, &extras).await
    }

    async fn action_contracts(&self) -> Result<Option<BTreeMap<String, String>>, ClusterError> {
        let Common { calls, config, .. } = &*self.common;
        match calls.get(Kind::ConfigMap, &config.namespace, actions::CONFIG_MAP).await {
            Ok(object) => {
                let members = object["data"].as_object().into_iter().flatten();
                let text = |(key, text): (&String, &Value)| Some((key.clone(), text.as_str()?.to_owned()));
                Ok(Some(members.filter_map(text).collect()))
            }
            Err(CallError::NotFound(_)) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    fn wake(&self) {
        self.common.wake.notify_one();
    }

    fn decided(&self, recommendation: &RecommendationId) {
        self.common.decided(recommendation);
    }
}
