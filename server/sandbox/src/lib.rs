//! An in-process Kubernetes API and Tekton stand-in.
//!
//! Everything else in the house talks to it through an ordinary [`kube::Client`]; it knows nothing of the console.
//! Where it differs from a real API server with a real Tekton, the sandbox is wrong.

mod api;
mod digest;
mod events;
mod faults;
mod images;
mod janitor;
mod kubelet;
mod manifests;
mod quantity;
mod queue;
mod registry;
mod tekton;
mod termination;
mod time;
mod value;
mod workloads;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use self::api::{Api, Service, gc};
pub use self::faults::{Effect, Fault, Faults, Verb};
pub use self::manifests::ApplyError;
pub use self::quantity::parse as memory_bytes;
pub use self::registry::{Reference, Registry, ResolveError};
pub use self::time::Clock;
use self::time::Time;
pub use self::workloads::{Alert, AlertState};
use self::workloads::{Alerts, Demand};

/// How much happens by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scene {
    /// The workloads are there, as things to act on, and all of them are well: nothing happens by itself.
    #[default]
    Off,
    /// Some of them are short of memory from the start, for a server that lets incidents arise among them.
    Demo,
}

/// How to start a sandbox.
#[derive(Clone)]
pub struct Options {
    /// Unix milliseconds.
    pub clock: Clock,
    /// Real seconds per second of the sandbox's world: 1.0 as in a real cluster, 0.01 for tests.
    pub pace: f64,
    /// The namespace in which runs happen; it exists from the start.
    pub namespace: String,
    pub scene: Scene,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clock: _, pace, namespace, scene } = self;
        f.debug_struct("Options")
            .field("pace", pace)
            .field("namespace", namespace)
            .field("scene", scene)
            .finish_non_exhaustive()
    }
}

/// A running cluster. Dropping it ends it.
pub struct Sandbox {
    api: Arc<Api>,
    client: kube::Client,
    registry: Registry,
    demand: Arc<Demand>,
    alerts: Arc<Alerts>,
    tasks: Mutex<JoinSet<()>>,
}

impl Sandbox {
    /// Starts the cluster and its controllers on the current tokio runtime.
    pub fn start(options: Options) -> Self {
        let Options { clock, pace, namespace, scene } = options;
        let time = Time::new(clock, pace);
        let api = Arc::new(Api::new(time, Arc::default(), tekton::admission::WEBHOOKS));
        let (demand, alerts) = (Arc::<Demand>::default(), Arc::<Alerts>::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(gc::run(&api));
        tasks.spawn(janitor::run(&api));
        tasks.spawn(kubelet::run(&api, Arc::clone(&demand)));
        tasks.spawn(workloads::run(&api, Arc::clone(&demand), Arc::clone(&alerts)));
        for controller in tekton::controllers(&api) {
            tasks.spawn(controller);
        }
        manifests::found(&api, &namespace);
        workloads::found(&api, &demand, scene);
        let client = kube::Client::new(Service(Arc::clone(&api)), namespace);
        Self { api, client, registry: Registry, demand, alerts, tasks: Mutex::new(tasks) }
    }

    /// A client of this cluster's API; it never retries by itself.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Where to order failures.
    pub fn faults(&self) -> &Faults {
        &self.api.faults
    }

    /// The image registry that the cluster pulls from.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Creates or updates the objects of a (multi-document) YAML text, as `kubectl apply` would.
    pub fn apply_yaml(&self, text: &str) -> Result<(), ApplyError> {
        manifests::apply(&self.api, text)
    }

    /// The alert of each workload that has had one, firing or resolved.
    pub fn alerts(&self) -> Vec<Alert> {
        self.alerts.list()
    }

    /// Moves whenever an alert fires or resolves.
    pub fn alert_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.alerts.changes()
    }

    /// Sets how much memory each pod of a workload needs from now on (`1638Mi`): this is how trouble begins and ends.
    /// `false` when that is no quantity.
    pub fn set_memory_need(&self, namespace: &str, workload: &str, quantity: &str) -> bool {
        let bytes = quantity::parse(quantity);
        if let Some(bytes) = bytes {
            self.demand.set(namespace, workload, bytes);
        }
        bytes.is_some()
    }

    /// From now on this user may nothing, as far as anybody asks by a SubjectAccessReview; all others may everything.
    pub fn forbid(&self, user: &str) {
        self.api.identities.forbid(user);
    }

    /// Forgets the API server's history: watches that resume from before are answered 410.
    pub fn compact(&self) {
        self.api.compact();
    }

    /// Ends the controllers and breaks open connections.
    pub async fn shutdown(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        self.api.faults.set_down(true);
    }
}
