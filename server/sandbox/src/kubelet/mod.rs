//! The nodes: each pod that appears gets a task that lives its life, and loses it when the pod goes.
//! It knows neither Tekton nor Deployments: a pod that restarts runs for ever, one that does not runs to its end.

mod env;
mod job;
mod pull;
mod schedule;
mod service;
mod status;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::api::{Api, ChangeKind, DeleteOptions, Key, Object};
use crate::events::{self, Event};
use crate::workloads::Demand;

/// What all pods share.
pub(crate) struct Cluster {
    pub(crate) api: Arc<Api>,
    /// How much memory workloads need, and whether they get it.
    pub(crate) demand: Arc<Demand>,
    /// Images that the nodes have already.
    present: Mutex<HashSet<String>>,
}

/// One pod, as the task that lives it sees it.
pub(crate) struct Pod {
    cluster: Arc<Cluster>,
    key: Key,
    uid: String,
    /// Moves when the pod's object does.
    changed: watch::Receiver<()>,
}

enum Word {
    Added(Arc<Object>),
    Changed(String),
    Gone(String),
}

struct Life {
    handle: AbortHandle,
    changed: watch::Sender<()>,
}

/// Runs until it is dropped; all pods' tasks end with it.
pub(crate) fn run(api: &Arc<Api>, demand: Arc<Demand>) -> impl Future<Output = ()> + Send + use<> {
    let (sender, mut words) = mpsc::unbounded_channel();
    api.observe(move |change| {
        let object = &change.object;
        if object.kind.qualified != "pods" {
            return;
        }
        let word = match change.kind {
            ChangeKind::Added => Word::Added(Arc::clone(object)),
            ChangeKind::Modified => Word::Changed(object.uid.clone()),
            ChangeKind::Deleted => Word::Gone(object.uid.clone()),
        };
        // The kubelet has ended: nobody listens any more.
        let _ = sender.send(word);
    });
    let cluster = Arc::new(Cluster { api: Arc::clone(api), demand, present: Mutex::default() });
    async move {
        let mut lives: HashMap<String, Life> = HashMap::new();
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                word = words.recv() => match word {
                    Some(Word::Added(object)) => {
                        let (changed, receiver) = watch::channel(());
                        let pod = Pod { cluster: Arc::clone(&cluster), key: object.key.clone(), uid: object.uid.clone(), changed: receiver };
                        let handle = tasks.spawn(pod.live());
                        lives.insert(object.uid.clone(), Life { handle, changed });
                    }
                    Some(Word::Changed(uid)) => {
                        if let Some(life) = lives.get(&uid) {
                            life.changed.send_replace(());
                        }
                    }
                    Some(Word::Gone(uid)) => {
                        if let Some(life) = lives.remove(&uid) {
                            life.handle.abort();
                            cluster.demand.bump();
                        }
                    }
                    None => return,
                },
                Some(_) = tasks.join_next() => {}
            }
        }
    }
}

impl Pod {
    async fn live(self) {
        let Some(pod) = self.read() else { return };
        let ends = pod["spec"]["restartPolicy"] == "Never";
        let living = async { if ends { job::live(&self, &pod).await } else { service::live(&self).await } };
        tokio::select! {
            () = living => self.deleted().await,
            () = self.deleted() => {}
        }
        self.terminate(ends).await;
    }

    fn read(&self) -> Option<Value> {
        self.cluster.api.read("pods", &self.key).filter(|pod| pod["metadata"]["uid"] == self.uid.as_str())
    }

    /// Changes the pod's status, unless it is another pod by now.
    fn update(&self, change: impl FnOnce(&mut Value)) {
        self.cluster.api.modify("pods", &self.key, |pod| {
            if pod["metadata"]["uid"] == self.uid.as_str() {
                change(&mut pod["status"]);
            }
        });
    }

    /// Waits until the pod is as `wanted` says.
    async fn until(&self, wanted: impl Fn(&Value) -> bool) {
        let mut changed = self.changed.clone();
        loop {
            changed.borrow_and_update();
            match self.read() {
                Some(pod) if !wanted(&pod) => {}
                _ => return,
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    async fn deleted(&self) {
        self.until(|pod| pod["metadata"].get("deletionTimestamp").is_some()).await;
    }

    /// SIGTERM, a moment, and the end of the object.
    async fn terminate(&self, ends: bool) {
        let api = &self.cluster.api;
        let Some(pod) = self.read() else { return };
        self.cluster.demand.bump();
        let running = status::running(&pod);
        for container in &running {
            self.event(&pod, Some(container), false, "Killing", &format!("Stopping container {container}"));
        }
        if !running.is_empty() {
            api.time.sleep(if ends { 350 } else { 1000 }).await;
            let now = api.time.now();
            self.update(|status| status::killed(status, &now));
            running.iter().filter_map(|container| api.logs.get(&self.uid, container)).for_each(|log| log.close());
        }
        api.time.sleep(700).await;
        if let Ok(kind) = api.kind("pods") {
            let options = DeleteOptions { uid: Some(self.uid.clone()), ..DeleteOptions::now() };
            // Someone may have forced it already.
            let _ = api.delete(&kind, &self.key, &options);
        }
    }

    /// An event of the kubelet's about this pod or one of its containers.
    fn event(&self, pod: &Value, container: Option<&str>, warning: bool, reason: &str, message: &str) {
        let field = container.map(|name| {
            let list = if name == "prepare" { "initContainers" } else { "containers" };
            format!("spec.{list}{{{name}}}")
        });
        let host = pod["spec"]["nodeName"].as_str();
        let event = Event { about: pod, field, warning, reason, message, component: "kubelet", host };
        events::emit(&self.cluster.api, &event);
    }

    fn is_present(&self, image: &str) -> bool {
        self.cluster.present.lock().unwrap_or_else(PoisonError::into_inner).contains(image)
    }

    fn keep(&self, image: &str) {
        self.cluster.present.lock().unwrap_or_else(PoisonError::into_inner).insert(image.to_owned());
    }

    async fn pause(&self, world_ms: u64) {
        self.cluster.api.time.sleep(world_ms).await;
    }
}
