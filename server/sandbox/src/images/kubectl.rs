//! What playbooks do to the cluster, as they would with kubectl: look at a workload, scale it, patch it, wait for it.

use serde_json::Value;

use super::{Exit, FAILED, Machine};
use crate::api::Key;

/// A workload that a playbook works on.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Target {
    /// From `TARGET_RESOURCE_KIND`, `TARGET_RESOURCE_NAME` and `TARGET_NAMESPACE`.
    pub(crate) fn of(machine: &Machine) -> Result<Self, Exit> {
        Ok(Self {
            kind: machine.required("TARGET_RESOURCE_KIND")?.to_owned(),
            name: machine.required("TARGET_RESOURCE_NAME")?.to_owned(),
            namespace: machine.required("TARGET_NAMESPACE")?.to_owned(),
        })
    }

    fn qualified(&self) -> String {
        format!("{}s.apps", self.kind.to_lowercase())
    }

    fn key(&self) -> Key {
        Key::new(self.namespace.as_str(), self.name.as_str())
    }

    pub(crate) fn get(&self, machine: &Machine) -> Option<Value> {
        machine.api.read(&self.qualified(), &self.key())
    }

    /// The workload, or what kubectl says when it is not there.
    pub(crate) fn require(&self, machine: &Machine) -> Result<Value, Exit> {
        self.get(machine).ok_or_else(|| {
            machine.say(format!("Error from server (NotFound): {} \"{}\" not found", self.qualified(), self.name));
            machine.say("ERROR: Resource not found");
            FAILED
        })
    }

    /// Merges `patch` into it through the API server, so that its rules hold.
    pub(crate) fn patch(&self, machine: &Machine, patch: &Value) -> Result<(), Exit> {
        let refused = |error: crate::api::ApiError| {
            machine.say(format!("Error from server ({}): {}", error.reason, error.message));
            FAILED
        };
        let kind = machine.api.kind(&self.qualified()).map_err(refused)?;
        machine.api.merge(&kind, &self.key(), patch).map(|_| ()).map_err(refused)
    }

    /// Waits until `ready` says so, for so many world seconds; whether it did.
    pub(crate) async fn wait(&self, machine: &Machine, seconds: u64, ready: impl Fn(&Value) -> bool) -> bool {
        for _ in 0..seconds {
            if self.get(machine).is_some_and(|workload| ready(&workload)) {
                return true;
            }
            machine.pause(1_000).await;
        }
        false
    }
}

pub(crate) fn replicas(workload: &Value) -> i64 {
    workload["spec"]["replicas"].as_i64().unwrap_or(1)
}

/// Whether the controller has done what the spec says: all pods are of the newest template, none is left over.
pub(crate) fn rolled_out(workload: &Value) -> bool {
    let status = &workload["status"];
    let wanted = replicas(workload);
    status["observedGeneration"] == workload["metadata"]["generation"]
        && status["updatedReplicas"].as_i64().unwrap_or(0) == wanted
        && status["replicas"].as_i64().unwrap_or(0) == wanted
}
