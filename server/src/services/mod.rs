//! The authorised service layer: what every door (pages, REST, MCP) calls. Each method checks the caller's right
//! first, asks the pure rules of `domain`, and writes through the ports. It knows no HTTP, no SQL, no Kubernetes objects.

mod actions;
mod approvals;
mod assessment;
mod audit;
mod automatic;
mod capture;
mod catalog;
mod check;
mod effectiveness;
mod findings;
mod inbox;
mod incidents;
mod intake;
pub mod investigations;
pub mod limits;
pub mod models;
mod obstacles;
mod patterns;
mod people;
mod policies;
mod policing;
pub mod reason;
mod recommendation_view;
mod recovering;
mod recovery;
mod runs;
mod shell;
mod signing;
mod simulation;
mod single;
mod step_up;
mod targets;
mod tickets;
mod workspaces;

pub use policies::{read_document, read_policy};
pub use step_up::asks_again;

use domain::{
    fault::Fault,
    policy::Conditions,
    ports::{
        AccountStore, AssessmentStore, AuditStore, CatalogStore, Clock, Cluster, ClusterError, EffectivenessStore,
        ExecutionStore, FindingStore, Ids, InvestigationStore, LogReader, Meanings, NoModel, PolicyStore,
        RecommendationStore, RecoveryStore, Registry, SignalStore, SignatureStore, StoreError,
    },
    services::ServiceError,
    signal::mapping::Mapping,
};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// What the services need of the world.
#[derive(Clone)]
pub struct World {
    /// Playbooks.
    pub catalog: Arc<dyn CatalogStore>,
    /// Recommendations, tickets, decisions.
    pub recommendations: Arc<dyn RecommendationStore>,
    /// Executions.
    pub executions: Arc<dyn ExecutionStore>,
    /// What is made of runs that went wrong.
    pub recoveries: Arc<dyn RecoveryStore>,
    /// What was noticed beside the point.
    pub findings: Arc<dyn FindingStore>,
    /// Their logs.
    pub logs: Arc<dyn LogReader>,
    /// Signals and incidents.
    pub signals: Arc<dyn SignalStore>,
    /// Whether they helped.
    pub assessments: Arc<dyn AssessmentStore>,
    /// Investigations of them.
    pub investigations: Arc<dyn InvestigationStore>,
    /// Rollups.
    pub effectiveness: Arc<dyn EffectivenessStore>,
    /// The audit trail.
    pub audit: Arc<dyn AuditStore>,
    /// Approval policies.
    pub policies: Arc<dyn PolicyStore>,
    /// What their conditions mean.
    pub conditions: Arc<dyn Conditions>,
    /// Accounts, for who is behind an approval; policies name them.
    pub people: Arc<dyn AccountStore>,
    /// Where images come from.
    pub registry: Arc<dyn Registry>,
    /// Who signed them, as it was last found out.
    pub signatures: Arc<dyn SignatureStore>,
    /// The cluster; set once the controller has been started, which itself needs the intake.
    pub cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
    /// What does not change while the process runs.
    pub settings: Settings,
}

/// What does not change while the process runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster's name.
    pub cluster: String,
    /// Whether it is the sandbox.
    pub sandbox: bool,
    /// What the cluster is for, such as production.
    pub environment: Option<String>,
    /// The namespace of the runs.
    pub namespace: String,
    /// Whether an image is set that lists workspaces.
    pub lists_workspaces: bool,
    /// The Secret with the target's kubeconfig; none when the pod's own account reaches it.
    pub kubeconfig_secret: Option<String>,
    /// What labels of alerts mean.
    pub signals: Arc<Mapping>,
    /// Whether there is an agent that investigates.
    pub investigates: bool,
    /// How long a recommendation can be decided and its approval holds, milliseconds.
    pub approval_ttl_ms: i64,
    /// How long ago a person may have signed in who approves a high risk, milliseconds.
    pub recent_sign_in_ms: i64,
    /// Whether the cluster is asked about each person who approves.
    pub subject_access_review: bool,
    /// Whether whoever may only propose is told what was measured.
    pub models_see_record: bool,
    /// The file that the approval policy is kept in; none where it is kept in the console.
    pub policy_file: Option<String>,
}

/// The services over one world. Cheap to clone; implements every trait of `domain::services`.
#[derive(Clone)]
pub struct Services {
    world: World,
    checks: Arc<audit::Checks>,
    /// Whoever tries a policy on the past: one at a time.
    simulating: Arc<Semaphore>,
    /// Who knows what questions to the catalog mean.
    meanings: Arc<dyn Meanings>,
}

impl Services {
    /// Over this world.
    pub fn new(world: World) -> Self {
        let simulating = Arc::new(Semaphore::new(1));
        Self { world, checks: Arc::default(), simulating, meanings: Arc::new(NoModel) }
    }

    /// The same with somebody who knows what questions to the catalog mean.
    #[must_use]
    pub fn with_meanings(self, meanings: Arc<dyn Meanings>) -> Self {
        Self { meanings, ..self }
    }

    fn cluster(&self) -> Result<&Arc<dyn Cluster>, ServiceError> {
        self.world.cluster.get().ok_or_else(|| ServiceError::Unavailable("the cluster is still being connected".into()))
    }

    fn wake_cluster(&self) {
        if let Some(cluster) = self.world.cluster.get() {
            cluster.wake();
        }
    }
}

/// What a failing store means to a caller. The driver's words go to the log, never to the caller.
pub fn store_fault(error: StoreError) -> ServiceError {
    match error {
        StoreError::BadCursor => ServiceError::Invalid(vec![Fault::new("/cursor", "bad_cursor", error.to_string())]),
        StoreError::Unavailable(detail) => {
            tracing::error!(detail, "the database is not available");
            ServiceError::Unavailable(
                "the database is not available; nothing was changed, try again in a moment".into(),
            )
        }
        StoreError::Unsure(detail) => {
            tracing::error!(detail, "the database went away during a commit");
            ServiceError::Unsure
        }
        StoreError::Corrupt { .. } | StoreError::Failed(_) => ServiceError::Internal(error.to_string()),
    }
}

/// What an image that can't be pinned means to whoever named it: a fault at that place, unless the registry is not there.
fn image_fault(error: &ClusterError, pointer: impl Into<String>) -> Result<Fault, ServiceError> {
    match error {
        ClusterError::Image { .. } => {
            let message = format!("{error}; check the name, or write the image with its digest");
            Ok(Fault::new(pointer, "unresolvable_image", message))
        }
        other => Err(ServiceError::Unavailable(other.to_string())),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use async_trait::async_trait;
    use domain::{
        execution::Execution,
        ids::RecommendationId,
        ports::{ClusterHealth, ClusterRight, ClusterUser, PreflightCheck},
        recommendation::ResourceRef,
        target::state::Reading,
        workspace::{NoListing, WorkspaceListing},
    };
    use serde_json::Value;
    use std::{
        collections::{BTreeMap, HashMap},
        sync::{
            Mutex,
            atomic::{AtomicBool, Ordering},
        },
    };

    /// Of a cluster that is no sandbox, with what is usual.
    pub fn settings() -> Settings {
        Settings {
            cluster: "test".into(),
            sandbox: false,
            environment: None,
            namespace: "kubernaut-system".into(),
            lists_workspaces: false,
            kubeconfig_secret: None,
            signals: Arc::default(),
            investigates: false,
            approval_ttl_ms: 900_000,
            recent_sign_in_ms: 600_000,
            subject_access_review: false,
            models_see_record: false,
            policy_file: None,
        }
    }

    /// A cluster that knows tokens and who may nothing, and nothing else.
    #[derive(Default)]
    pub struct TestCluster {
        tokens: Mutex<HashMap<String, ClusterUser>>,
        asked: Mutex<Vec<String>>,
        forbidden: Mutex<Vec<String>>,
        away: AtomicBool,
        contracts: Mutex<Option<BTreeMap<String, String>>>,
    }

    impl TestCluster {
        pub fn knows(&self, token: &str, username: &str, groups: &[&str]) {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            let user = ClusterUser { username: username.into(), groups };
            self.tokens.lock().unwrap().insert(token.into(), user);
        }

        pub fn forgets(&self, token: &str) {
            self.tokens.lock().unwrap().remove(token);
        }

        pub fn forbids(&self, username: &str) {
            self.forbidden.lock().unwrap().push(username.into());
        }

        /// Has an action registry with this contract from now on.
        pub fn registers(&self, key: &str, contract: &Value) {
            let mut contracts = self.contracts.lock().unwrap();
            contracts.get_or_insert_default().insert(key.into(), contract.to_string());
        }

        /// What it was asked about, in that order.
        pub fn asked(&self) -> Vec<String> {
            self.asked.lock().unwrap().clone()
        }

        pub fn away(&self, away: bool) {
            self.away.store(away, Ordering::SeqCst);
        }

        fn ask(&self, what: String) -> Result<(), ClusterError> {
            self.asked.lock().unwrap().push(what);
            if self.away.load(Ordering::SeqCst) { Err(ClusterError::Unavailable("away".into())) } else { Ok(()) }
        }
    }

    #[async_trait]
    impl Cluster for TestCluster {
        fn health(&self) -> ClusterHealth {
            ClusterHealth {
                name: "test".into(),
                sandbox: false,
                version: None,
                ready: true,
                problems: vec![],
                acting: None,
            }
        }

        async fn pipeline_run(&self, _: &str, _: &str) -> Result<Value, ClusterError> {
            Err(ClusterError::NotFound)
        }

        async fn target(&self, _: &ResourceRef) -> Reading {
            Reading::Unknown
        }

        async fn whose_token(&self, token: &str, audience: &str) -> Result<Option<ClusterUser>, ClusterError> {
            assert_eq!(audience, "kubernaut-console");
            self.ask(token.into())?;
            Ok(self.tokens.lock().unwrap().get(token).cloned())
        }

        async fn may(&self, user: &ClusterUser, right: &ClusterRight) -> Result<bool, ClusterError> {
            self.ask(format!("{} ({}): {right}", user.username, user.groups.join(" ")))?;
            Ok(!self.forbidden.lock().unwrap().contains(&user.username))
        }

        async fn preflight(&self) -> Vec<PreflightCheck> {
            Vec::new()
        }

        async fn may_list_workspace(&self, _: &Execution, _: &str) -> Result<(), NoListing> {
            Err(NoListing::Sandbox)
        }

        async fn list_workspace(&self, _: &Execution, _: &str) -> Result<WorkspaceListing, NoListing> {
            Err(NoListing::Sandbox)
        }

        async fn action_contracts(&self) -> Result<Option<BTreeMap<String, String>>, ClusterError> {
            Ok(self.contracts.lock().unwrap().clone())
        }

        fn wake(&self) {}

        fn decided(&self, _: &RecommendationId) {}
    }

    #[test]
    fn a_registry_that_is_away_is_no_fault_of_the_name() {
        let wrong = ClusterError::Image { image: "x/y:1".into(), detail: "unknown".into() };
        assert_eq!(image_fault(&wrong, "/steps/0/image").unwrap().pointer, "/steps/0/image");
        let away = image_fault(&ClusterError::Unavailable("no answer".into()), "/container_image");
        assert!(matches!(away, Err(ServiceError::Unavailable(_))), "{away:?}");
    }
}
