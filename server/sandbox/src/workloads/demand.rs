//! How much memory each workload needs, and which pods do not get it: a pod is killed while its limit is below its
//! need, or while its node promised more than it has and the pod takes more than it asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use crate::api::{Api, Key, Object};
use crate::quantity;

/// The label by which a pod names its workload.
pub(crate) const WORKLOAD: &str = "app.kubernetes.io/name";
/// What a lean profile saves.
const LEAN_PERCENT: u64 = 55;

/// See the module.
pub(crate) struct Demand {
    /// Bytes, by namespace and workload.
    needs: Mutex<BTreeMap<(String, String), u64>>,
    pressure: watch::Sender<u64>,
}

impl Default for Demand {
    fn default() -> Self {
        Self { needs: Mutex::default(), pressure: watch::Sender::new(0) }
    }
}

impl Demand {
    /// Moves whenever somebody's memory may have become more or less.
    pub(crate) fn pressure(&self) -> watch::Receiver<u64> {
        self.pressure.subscribe()
    }

    pub(crate) fn bump(&self) {
        self.pressure.send_modify(|count| *count += 1);
    }

    /// Sets what each pod of a workload needs, in bytes.
    pub(crate) fn set(&self, namespace: &str, workload: &str, bytes: u64) {
        let key = (namespace.to_owned(), workload.to_owned());
        self.needs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bytes);
        self.bump();
    }

    fn need(&self, namespace: &str, workload: &str) -> Option<u64> {
        let key = (namespace.to_owned(), workload.to_owned());
        self.needs.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }

    fn need_of(&self, object: &Object, pod: &Value) -> Option<u64> {
        let need = self.need(&object.key.namespace, object.labels.get(WORKLOAD)?)?;
        let env = pod["spec"]["containers"][0]["env"].as_array();
        let lean = env
            .is_some_and(|env| env.iter().any(|entry| entry["name"] == "MEMORY_PROFILE" && entry["value"] == "lean"));
        Some(if lean { need / 100 * LEAN_PERCENT } else { need })
    }

    /// Whether this pod does not get the memory that it needs.
    pub(crate) fn suffers(&self, api: &Api, key: &Key) -> bool {
        let Some(object) = api.get("pods", key) else { return false };
        let pod = object.value();
        let Some(need) = self.need_of(&object, &pod) else { return false };
        let resources = &pod["spec"]["containers"][0]["resources"];
        if quantity::bytes(&resources["limits"]["memory"]).is_some_and(|limit| need > limit) {
            return true;
        }
        let asked = quantity::bytes(&resources["requests"]["memory"]).unwrap_or(0);
        let Some(node) = pod["spec"]["nodeName"].as_str() else { return false };
        need > asked && self.overcommitted(api, node)
    }

    fn overcommitted(&self, api: &Api, node: &str) -> bool {
        let capacity = api
            .read("nodes", &Key::new("", node))
            .and_then(|node| quantity::bytes(&node["status"]["allocatable"]["memory"]));
        let pods = api.list("pods", None);
        let there = pods.iter().filter(|object| !object.deleting && object.labels.contains_key(WORKLOAD));
        let needed: u64 = there
            .map(|object| (object, object.value()))
            .filter(|(_, pod)| pod["spec"]["nodeName"] == node)
            .filter_map(|(object, pod)| self.need_of(object, &pod))
            .sum();
        capacity.is_some_and(|capacity| needed > capacity)
    }
}
