//! The controllers of Deployments and StatefulSets: from replicas and template to pods, and back to status.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::alerts::Alerts;
use super::budgets;
use super::demand::{Demand, WORKLOAD};
use crate::api::{Api, DeleteOptions, Key, Object};
use crate::queue::Queue;
use crate::value::owner;
use crate::{digest, manifests};

const DEPLOYMENTS: &str = "deployments.apps";
const STATEFUL_SETS: &str = "statefulsets.apps";
const REPLICA_SETS: &str = "replicasets.apps";
/// World milliseconds without a kill after which a workload counts as well.
const WELL_MS: u64 = 15_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Workload(String, Key),
    /// The owner of something that changed, by uid.
    Owner(String),
}

/// Runs until it is dropped.
pub(crate) fn run(api: &Arc<Api>, demand: Arc<Demand>, alerts: Arc<Alerts>) -> impl Future<Output = ()> + Send + use<> {
    let queue = Arc::new(Queue::new());
    let feed = Arc::clone(&queue);
    api.observe(move |change| {
        let object = &change.object;
        match object.kind.qualified.as_str() {
            kind @ (DEPLOYMENTS | STATEFUL_SETS) => feed.push(Work::Workload(kind.to_owned(), object.key.clone())),
            REPLICA_SETS => object.owners.iter().for_each(|owner| feed.push(Work::Owner(owner.clone()))),
            "pods"
                if object.labels.contains_key("pod-template-hash")
                    || object.labels.contains_key("controller-revision-hash") =>
            {
                object.owners.iter().for_each(|owner| feed.push(Work::Owner(owner.clone())));
            }
            _ => {}
        }
    });
    let mut controller = Controller { api: Arc::clone(api), demand, alerts, queue, ill: Vec::new() };
    async move {
        loop {
            match controller.queue.next().await {
                Work::Workload(kind, key) => controller.reconcile(&kind, &key),
                Work::Owner(uid) => controller.reconcile_owner(&uid),
            }
        }
    }
}

struct Controller {
    api: Arc<Api>,
    demand: Arc<Demand>,
    alerts: Arc<Alerts>,
    queue: Arc<Queue<Work>>,
    /// Workloads that were ill, and when last.
    ill: Vec<(String, Key, Instant)>,
}

/// A pod of the workload, as far as it matters here.
struct Pod {
    object: Arc<Object>,
    value: Value,
}

impl Pod {
    fn ready(&self) -> bool {
        let conditions = self.value["status"]["conditions"].as_array();
        conditions.is_some_and(|list| list.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
    }

    fn kills(&self) -> u64 {
        let containers = self.value["status"]["containerStatuses"].as_array().into_iter().flatten();
        containers
            .filter(|c| c["lastState"]["terminated"]["reason"] == "OOMKilled")
            .filter_map(|c| c["restartCount"].as_u64())
            .sum()
    }

    /// Waits to be restarted after a kill.
    fn down(&self) -> bool {
        self.value["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    }
}

impl Controller {
    /// A pod's owner is a ReplicaSet, whose owner is the Deployment; a StatefulSet owns its pods itself.
    fn reconcile_owner(&mut self, uid: &str) {
        let mut next = self.api.transaction(|tx| tx.by_uid(uid));
        while let Some(object) = next {
            match object.kind.qualified.as_str() {
                kind @ (DEPLOYMENTS | STATEFUL_SETS) => return self.reconcile(kind, &object.key),
                _ => next = object.owners.first().and_then(|owner| self.api.transaction(|tx| tx.by_uid(owner))),
            }
        }
    }

    fn reconcile(&mut self, kind: &str, key: &Key) {
        let Some(object) = self.api.get(kind, key) else {
            self.ill.retain(|(of, ill, _)| !(of == kind && ill == key));
            return;
        };
        if object.deleting {
            return;
        }
        let workload = object.value();
        let hash = template_hash(&workload);
        let owner = if kind == DEPLOYMENTS { self.replica_set(&workload, key, &hash) } else { Some(workload.clone()) };
        let Some(owner) = owner else { return };
        let pods = self.pods(kind, &object.uid);
        let (new, old): (Vec<&Pod>, Vec<&Pod>) = pods
            .iter()
            .filter(|pod| !pod.object.deleting)
            .partition(|pod| pod.object.labels.values().any(|value| *value == hash));
        let wanted = usize::try_from(workload["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
        if kind == DEPLOYMENTS {
            self.roll(&owner, &workload, key, &hash, wanted, &new, &old);
        } else {
            self.roll_in_order(&workload, key, &hash, wanted, &pods);
        }
        self.write_status(kind, key, &workload, wanted);
        budgets::count(&self.api, &key.namespace);
        self.note(kind, key, &object, wanted);
    }

    fn pods(&self, kind: &str, uid: &str) -> Vec<Pod> {
        let owners: Vec<String> = if kind == DEPLOYMENTS {
            self.api.owned(uid, REPLICA_SETS).iter().map(|set| set.uid.clone()).collect()
        } else {
            vec![uid.to_owned()]
        };
        let pods = owners.iter().flat_map(|owner| self.api.owned(owner, "pods"));
        pods.map(|object| Pod { value: object.value(), object }).collect()
    }

    fn replica_set(&self, workload: &Value, key: &Key, hash: &str) -> Option<Value> {
        let name = format!("{}-{hash}", key.name);
        let set_key = Key::new(key.namespace.as_str(), name.as_str());
        let replicas = workload["spec"]["replicas"].clone();
        if self.api.get(REPLICA_SETS, &set_key).is_none() {
            let mut template = workload["spec"]["template"].clone();
            template["metadata"]["labels"]["pod-template-hash"] = hash.into();
            let mut selector = workload["spec"]["selector"].clone();
            selector["matchLabels"]["pod-template-hash"] = hash.into();
            let set = json!({
                "metadata": {"name": name, "labels": template["metadata"]["labels"], "ownerReferences": [owner(workload)]},
                "spec": {"replicas": replicas, "selector": selector, "template": template},
            });
            manifests::create(&self.api, REPLICA_SETS, &key.namespace, set);
        }
        for set in self.api.owned(workload["metadata"]["uid"].as_str().unwrap_or_default(), REPLICA_SETS) {
            let replicas = if set.key == set_key { replicas.clone() } else { json!(0) };
            self.api.modify(REPLICA_SETS, &set.key, |set| set["spec"]["replicas"] = replicas);
        }
        self.api.read(REPLICA_SETS, &set_key)
    }

    /// Rolling update with a quarter more and a quarter less than wanted.
    #[expect(clippy::too_many_arguments, reason = "one step of the rollout needs all that it weighs")]
    fn roll(&self, set: &Value, workload: &Value, key: &Key, hash: &str, wanted: usize, new: &[&Pod], old: &[&Pod]) {
        let (surge, slack) = (wanted.div_ceil(4), wanted / 4);
        let room = (wanted + surge).saturating_sub(new.len() + old.len());
        let create = wanted.saturating_sub(new.len()).min(if old.is_empty() { usize::MAX } else { room });
        for index in 0..create {
            let uid = set["metadata"]["uid"].as_str().unwrap_or_default();
            let turn = self.api.transaction(|tx| tx.version()).to_string();
            let name = format!("{}-{hash}-{}", key.name, digest::suffix(&[uid, &turn, &index.to_string()], 5));
            let mut template = workload["spec"]["template"].clone();
            template["metadata"]["labels"]["pod-template-hash"] = hash.into();
            self.create_pod(key, name, &template, set);
        }
        let mut extra: Vec<&&Pod> = new.iter().collect();
        extra.sort_by_key(|pod| (pod.ready(), pod.object.key.name.clone()));
        for pod in extra.iter().take(new.len().saturating_sub(wanted)) {
            self.delete(pod);
        }
        let ready = new.iter().chain(old).filter(|pod| pod.ready()).count();
        let mut spare = ready.saturating_sub(wanted.saturating_sub(slack));
        for pod in old {
            if !pod.ready() {
                self.delete(pod);
            } else if spare > 0 {
                spare -= 1;
                self.delete(pod);
            }
        }
    }

    /// One pod after the other, by number.
    fn roll_in_order(&self, workload: &Value, key: &Key, hash: &str, wanted: usize, pods: &[Pod]) {
        for pod in pods.iter().filter(|pod| !pod.object.deleting) {
            let number = pod.object.key.name.rsplit('-').next().and_then(|text| text.parse::<usize>().ok());
            if number.is_none_or(|number| number >= wanted) {
                self.delete(pod);
            }
        }
        let outdated =
            pods.iter().rev().find(|pod| pod.object.labels.get("controller-revision-hash").is_none_or(|of| of != hash));
        let settled = pods.iter().all(|pod| pod.ready() && !pod.object.deleting);
        if let Some(pod) = outdated.filter(|pod| settled || !pod.ready()) {
            self.delete(pod);
        }
        for number in 0..wanted {
            let name = format!("{}-{number}", key.name);
            if pods.iter().any(|pod| pod.object.key.name == name) {
                continue;
            }
            let mut template = workload["spec"]["template"].clone();
            template["metadata"]["labels"]["controller-revision-hash"] = hash.into();
            self.create_pod(key, name, &template, workload);
        }
    }

    fn create_pod(&self, key: &Key, name: String, template: &Value, of: &Value) {
        let mut metadata = template["metadata"].clone();
        metadata["name"] = name.into();
        metadata["ownerReferences"] = json!([owner(of)]);
        manifests::create(&self.api, "pods", &key.namespace, json!({"metadata": metadata, "spec": template["spec"]}));
    }

    fn delete(&self, pod: &Pod) {
        // Someone else may have deleted it.
        let _ = self.api.delete(&pod.object.kind, &pod.object.key, &DeleteOptions::default());
    }

    fn write_status(&self, kind: &str, key: &Key, workload: &Value, wanted: usize) {
        let uid = workload["metadata"]["uid"].as_str().unwrap_or_default();
        let hash = template_hash(workload);
        let pods = self.pods(kind, uid);
        let alive: Vec<&Pod> = pods.iter().filter(|pod| !pod.object.deleting).collect();
        let ready = alive.iter().filter(|pod| pod.ready()).count();
        let updated = alive.iter().filter(|pod| pod.object.labels.values().any(|value| *value == hash)).count();
        let now = self.api.time.now();
        let available = ready + wanted / 4 >= wanted;
        let condition = |kind: &str, status: bool, reason: &str, message: &str| {
            json!({"type": kind, "status": if status { "True" } else { "False" }, "reason": reason, "message": message,
                "lastUpdateTime": now, "lastTransitionTime": now})
        };
        let generation = workload["metadata"]["generation"].clone();
        self.api.modify(kind, key, |workload| {
            let old = workload["status"]["conditions"].clone();
            let mut status = json!({
                "observedGeneration": generation, "replicas": alive.len(), "updatedReplicas": updated,
                "readyReplicas": ready, "availableReplicas": ready,
            });
            if wanted > ready {
                status["unavailableReplicas"] = json!(wanted - ready);
            }
            if kind == DEPLOYMENTS {
                let (reason, message) = if available {
                    ("MinimumReplicasAvailable", "Deployment has minimum availability.")
                } else {
                    ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
                };
                let kept = old
                    .as_array()
                    .and_then(|list| list.iter().find(|c| c["type"] == "Available" && c["reason"] == reason));
                let available = kept.cloned().unwrap_or_else(|| condition("Available", available, reason, message));
                status["conditions"] = json!([available]);
            }
            workload["status"] = status;
        });
    }

    /// Tells the alert how the workload is.
    fn note(&mut self, kind: &str, key: &Key, object: &Object, wanted: usize) {
        let pods = self.pods(kind, &object.uid);
        let alive = || pods.iter().filter(|pod| !pod.object.deleting);
        let kills = alive().map(Pod::kills).sum();
        let down = alive().any(Pod::down);
        let suffering = alive().any(|pod| self.demand.suffers(&self.api, &pod.object.key));
        let name = object.labels.get(WORKLOAD).unwrap_or(&key.name).clone();
        let who = (key.namespace.as_str(), object.kind.kind.as_str(), name.as_str());
        // New pods that suffer on have only not been killed yet.
        let fires = self.ill.iter().any(|(of, ill, _)| of == kind && ill == key);
        if down || suffering && (kills > 0 || fires) {
            self.ill.retain(|(of, ill, _)| !(of == kind && ill == key));
            self.ill.push((kind.to_owned(), key.clone(), Instant::now()));
            self.alerts.note(who, Some(true), kills, self.api.time.now_ms());
            return;
        }
        let since = self.ill.iter().find(|(of, ill, _)| of == kind && ill == key).map(|(_, _, since)| *since);
        let Some(since) = since else { return };
        let well = since + self.api.time.scaled(WELL_MS);
        let all_ready = alive().filter(|pod| pod.ready()).count() >= wanted;
        if all_ready && Instant::now() >= well {
            self.ill.retain(|(of, ill, _)| !(of == kind && ill == key));
            self.alerts.note(who, Some(false), kills, self.api.time.now_ms());
        } else {
            self.alerts.note(who, None, kills, self.api.time.now_ms());
            let wait = well.saturating_duration_since(Instant::now()).max(self.api.time.scaled(1_000));
            self.queue.push_after(Work::Workload(kind.to_owned(), key.clone()), wait);
        }
    }
}

fn template_hash(workload: &Value) -> String {
    digest::suffix(&[&workload["spec"]["template"].to_string()], 10)
}
