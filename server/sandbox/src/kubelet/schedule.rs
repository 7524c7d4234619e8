//! The scheduler: which node a pod comes to, or why to none.

use serde_json::Value;

use super::{Pod, status};
use crate::events::{self, Event};
use crate::faults::Effect;
use crate::quantity;

/// World milliseconds between looks at a pod that fits nowhere.
const RETRY_MS: u64 = 5_000;

/// Waits until a node takes the pod; its name is then in the pod.
pub(crate) async fn schedule(pod: &Pod) {
    loop {
        let Some(object) = pod.read() else { return };
        match choose(pod, &object) {
            Ok(node) => {
                assign(pod, &object, &node);
                return;
            }
            Err(why) => refuse(pod, &object, &why),
        }
        pod.pause(RETRY_MS).await;
    }
}

fn requested(pod: &Value) -> u64 {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers.filter_map(|container| quantity::bytes(&container["resources"]["requests"]["memory"])).sum()
}

fn choose(pod: &Pod, object: &Value) -> Result<String, String> {
    let api = &pod.cluster.api;
    let nodes: Vec<Value> = api.list("nodes", None).iter().map(|node| node.value()).collect();
    let count = nodes.len();
    let none = |why: &str| {
        format!(
            "0/{count} nodes are available: {count} {why}. preemption: 0/{count} nodes are available: {count} No preemption victims \
             found for incoming pod."
        )
    };
    if api.faults.holds(&Effect::Unschedulable, &pod.key.name) {
        return Err(none("Insufficient memory"));
    }
    let wanted = object["spec"]["nodeSelector"]["kubernetes.io/hostname"].as_str();
    let need = requested(object);
    let fits = |node: &&Value| {
        let capacity = quantity::bytes(&node["status"]["allocatable"]["memory"]).unwrap_or(0);
        wanted.is_none_or(|name| node["metadata"]["name"] == name) && need <= capacity
    };
    let names: Vec<&str> = nodes.iter().filter(fits).filter_map(|node| node["metadata"]["name"].as_str()).collect();
    // Spread by the pod's uid: even enough, and the same in every sandbox.
    let seed = pod.uid.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let chosen = names.get(seed.checked_rem(names.len()).unwrap_or(0));
    chosen.map(|name| (*name).to_owned()).ok_or_else(|| none("Insufficient memory"))
}

fn assign(pod: &Pod, object: &Value, node: &str) {
    let api = &pod.cluster.api;
    let message = format!("Successfully assigned {}/{} to {node}", pod.key.namespace, pod.key.name);
    report(pod, object, false, "Scheduled", &message);
    let now = api.time.now();
    api.modify("pods", &pod.key, |object| {
        object["spec"]["nodeName"] = node.into();
        status::set_condition(&mut object["status"], "PodScheduled", Ok(""), &now);
    });
    pod.cluster.demand.bump();
}

fn refuse(pod: &Pod, object: &Value, why: &str) {
    report(pod, object, true, "FailedScheduling", why);
    let now = pod.cluster.api.time.now();
    pod.update(|status| status::set_condition(status, "PodScheduled", Err(("Unschedulable", why)), &now));
}

fn report(pod: &Pod, object: &Value, warning: bool, reason: &str, message: &str) {
    let event =
        Event { about: object, field: None, warning, reason, message, component: "default-scheduler", host: None };
    events::emit(&pod.cluster.api, &event);
}
