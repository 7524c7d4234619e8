//! What lives as long as the process, whether or not this console is the one that acts.

use crate::{Config, Ports, calls::Calls, health::Health};
use domain::time::Timestamp;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Shared by whoever acts, waits for its turn, or only looks.
pub struct Common {
    pub config: Config,
    pub ports: Ports,
    pub client: kube::Client,
    pub calls: Calls,
    pub health: Health,
    /// There is something to dispatch.
    pub wake: Notify,
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
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// The time by the clock that wrote when the cluster's runs began; this machine's where the cluster has told none.
    pub fn cluster_now(&self) -> Timestamp {
        self.calls.now().unwrap_or_else(|| self.ports.clock.now())
    }
}
