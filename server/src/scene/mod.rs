//! The demo scene: a small world in the sandbox for whoever tries the console. A library of playbooks, a few colleagues,
//! ninety days of history, workloads that get into trouble, and a scripted investigator who answers as a model would.
//!
//! It comes in by the same doors as everybody (`Services`), reads the cluster by its API, and knows no SQL and no pages.
//! Nothing here runs outside the sandbox.

mod alerting;
mod answer;
mod catalog;
mod evidence;
mod incidents;
mod investigation;
mod investigator;
mod memory;
mod notes;
mod past;
mod people;
mod policy;
mod script;

use crate::services::Services;
use domain::{
    identity::{Actor, Caller, Role, Way},
    investigation::SCENE,
    ports::{
        AccountStore, Clock, ExecutionStore, Ids, InvestigationStore, PolicyStore, RecommendationStore, Registry,
        StoreError,
    },
    services::ServiceError,
};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The route that the scene's doings have in the audit trail.
const ROUTE: &str = SCENE;

/// What the scene lives in.
#[derive(Clone)]
pub struct SceneWorld {
    /// The doors.
    pub services: Services,
    /// Where history is written.
    pub executions: Arc<dyn ExecutionStore>,
    /// And what led to it.
    pub recommendations: Arc<dyn RecommendationStore>,
    /// Where it is written down how recommendations come about.
    pub investigations: Arc<dyn InvestigationStore>,
    /// Whether an agent is set that investigates: then the scene leaves that to it.
    pub has_agent: bool,
    /// Where its images come from.
    pub registry: Arc<dyn Registry>,
    /// Where policies are.
    pub policies: Arc<dyn PolicyStore>,
    /// Where the colleagues are.
    pub accounts: Arc<dyn AccountStore>,
    /// The cluster.
    pub sandbox: Arc<sandbox::Sandbox>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
    /// The cluster's name.
    pub cluster: String,
    /// The namespace of the runs.
    pub namespace: String,
    /// How long after a run's end it is looked whether it helped, milliseconds.
    pub settle_ms: i64,
}

/// Why the scene can't begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// A service said no.
    #[error("the demo scene was refused: {}", in_words(.0))]
    Service(#[from] ServiceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the library is not what it should be.
    #[error(transparent)]
    Library(#[from] history::library::LibraryError),
    /// No password could be made.
    #[error("the demo scene's accounts can't be made: {0}")]
    Password(String),
    /// The sandbox's API did not answer as it should.
    #[error("the sandbox can't be asked: {0}")]
    Cluster(String),
}

fn in_words(error: &ServiceError) -> String {
    match error {
        ServiceError::Invalid(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// Sets the scene, when the catalog is empty, and lets it play until `stop`. What was set in an earlier start stays as people
/// have left it.
pub async fn start(world: SceneWorld, stop: CancellationToken) -> Result<JoinHandle<()>, SceneError> {
    if catalog::is_empty(&world.services).await? {
        people::create(world.accounts.as_ref(), world.ids.as_ref()).await?;
        past::import(&world).await?;
        policy::put_in_force(&world).await?;
        // Last: a catalog with something in it says that all of this has been done.
        catalog::register(&world.services).await?;
    }
    Ok(tokio::spawn(investigator::run(world, stop)))
}

/// Who looks at what became of things: whoever proposes or tells of alerts may not.
fn reader() -> Caller {
    caller(Actor::system("demo scene"), Role::Viewer)
}

fn caller(actor: Actor, role: Role) -> Caller {
    let (request_id, route) = (ROUTE.into(), ROUTE.into());
    Caller { actor, roles: vec![role], request_id, route, way: Way::default(), session: None }
}
