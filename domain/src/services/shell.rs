//! The frame around every page, and what is asked from anywhere: the overview, a search over everything, the engine's health.

use super::{Answer, OverviewView, ShellView};
use crate::{
    execution::Execution,
    identity::Caller,
    incident::IncidentRecord,
    ports::{ClusterHealth, PlaybookRecord, PreflightCheck},
    recommendation::Recommendation,
    time::Timestamp,
};
use async_trait::async_trait;

/// The frame around every page.
#[async_trait]
pub trait ShellService: Send + Sync {
    /// Badge, cluster, server time: any signed-in caller.
    async fn shell(&self, caller: &Caller) -> Answer<ShellView>;
    /// The overview; needs `runs:read`.
    async fn overview(&self, caller: &Caller) -> Answer<OverviewView>;
    /// A few of each kind that these words find, what is open and newest first; without words what needs somebody now. Any
    /// signed-in caller: of each kind only what they may read.
    async fn search(&self, caller: &Caller, words: Option<&str>) -> Answer<SearchView>;
    /// How the engine is; any signed-in caller.
    async fn health(&self, caller: &Caller) -> Answer<HealthView>;
    /// Whether the cluster has all that runs need, and what mends each miss: asked of the cluster now, as the console; none of the
    /// sandbox, which has it. Needs `runs:control`.
    async fn preflight(&self, caller: &Caller) -> Answer<Vec<PreflightCheck>>;
    /// The server's time now.
    fn now(&self) -> Timestamp;
}

/// A few of each kind that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchView {
    /// Incidents, newest first.
    pub incidents: Vec<IncidentRecord>,
    /// Recommendations, the open ones first.
    pub recommendations: Vec<Recommendation>,
    /// Executions, newest first.
    pub runs: Vec<Execution>,
    /// Playbooks.
    pub playbooks: Vec<PlaybookRecord>,
    /// Where there are more than these.
    pub more: MoreFound,
}

/// Of which kinds more was found than is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoreFound {
    /// Incidents.
    pub incidents: bool,
    /// Recommendations.
    pub recommendations: bool,
    /// Executions.
    pub runs: bool,
    /// Playbooks.
    pub playbooks: bool,
}

/// How the engine is: what `/readyz` knows, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthView {
    /// The cluster and what is missing there.
    pub cluster: ClusterHealth,
    /// Milliseconds in which the database answered; none when it did not.
    pub database_ms: Option<i64>,
    /// What the cluster is for, such as production; none where nobody said.
    pub environment: Option<String>,
    /// The namespace of the runs.
    pub namespace: String,
    /// The Secret by which playbooks reach their target; none when the pod's own account reaches it.
    pub kubeconfig_secret: Option<String>,
    /// How long a recommendation can be decided and its approval holds, milliseconds.
    pub approval_ttl_ms: i64,
}

impl HealthView {
    /// Whether decisions and starts are possible.
    pub fn ready(&self) -> bool {
        self.cluster.ready && self.database_ms.is_some()
    }
}
