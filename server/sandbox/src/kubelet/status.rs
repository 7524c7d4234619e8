//! A pod's status, as the kubelet writes it. Pure: it knows no store and no clock.

use serde_json::{Value, json};

use crate::digest;
use crate::termination::Note;

const CONDITIONS: [&str; 5] = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// Sets one condition: `True`, or `False` with its reason and message.
pub(crate) fn set_condition(status: &mut Value, kind: &str, holds: Result<&str, (&str, &str)>, now: &str) {
    let mut new = json!({"type": kind, "status": if holds.is_ok() { "True" } else { "False" }});
    let (reason, message) = match holds {
        Ok(reason) => (reason, ""),
        Err((reason, message)) => (reason, message),
    };
    if !reason.is_empty() {
        new["reason"] = reason.into();
    }
    if !message.is_empty() {
        new["message"] = message.into();
    }
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    let old = conditions.iter().position(|condition| condition["type"] == kind);
    let since = old.and_then(|index| conditions.get(index)).filter(|old| old["status"] == new["status"]);
    new["lastProbeTime"] = Value::Null;
    new["lastTransitionTime"] = since.map_or_else(|| now.into(), |old| old["lastTransitionTime"].clone());
    match old {
        Some(index) => {
            if let Some(place) = conditions.get_mut(index) {
                *place = new;
            }
        }
        None => conditions.push(new),
    }
    let rank = |condition: &Value| CONDITIONS.iter().position(|kind| condition["type"] == *kind);
    conditions.sort_by_key(rank);
}

fn names(pod: &Value, list: &str) -> Vec<String> {
    let containers = pod["spec"][list].as_array().into_iter().flatten();
    containers.filter_map(|container| container["name"].as_str().map(Into::into)).collect()
}

/// The status of a pod that has come to a node: everything waits.
pub(crate) fn arrived(pod: &Value, status: &mut Value, now: &str) {
    let fresh = |list: &str| -> Vec<Value> {
        let containers = pod["spec"][list].as_array().into_iter().flatten();
        containers
            .map(|container| {
                json!({"name": container["name"], "state": {"waiting": {"reason": "PodInitializing"}}, "lastState": {}, "ready": false,
                    "restartCount": 0, "image": container["image"], "imageID": "", "started": false})
            })
            .collect()
    };
    let (first, rest) = (fresh("initContainers"), fresh("containers"));
    let (init, steps) = (names(pod, "initContainers"), names(pod, "containers"));
    status["startTime"] = now.into();
    let (host, ip) = ("10.0.0.10", digest::sha256(&["ip", pod["metadata"]["uid"].as_str().unwrap_or_default()]));
    let octet = u8::from_str_radix(ip.get(7..9).unwrap_or("0a"), 16).unwrap_or(10);
    status["hostIP"] = host.into();
    status["podIP"] = format!("10.42.0.{octet}").into();
    status["podIPs"] = json!([{"ip": status["podIP"]}]);
    if first.is_empty() {
        set_condition(status, "Initialized", Ok(""), now);
    } else {
        status["initContainerStatuses"] = first.into();
        let message = format!("containers with incomplete status: [{}]", init.join(" "));
        set_condition(status, "Initialized", Err(("ContainersNotInitialized", &message)), now);
    }
    status["containerStatuses"] = rest.into();
    set_condition(status, "PodReadyToStartContainers", Err(("", "")), now);
    let message = format!("containers with unready status: [{}]", steps.join(" "));
    for kind in ["Ready", "ContainersReady"] {
        set_condition(status, kind, Err(("ContainersNotReady", &message)), now);
    }
}

/// Sets the state of a container, and all that hangs on it.
pub(crate) fn set_state(status: &mut Value, list: &str, name: &str, state: &Value) {
    let containers = status[list].as_array_mut().into_iter().flatten();
    for container in containers.filter(|container| container["name"] == name) {
        container["state"] = state.clone();
        let running = state.get("running").is_some();
        let completed = state["terminated"]["exitCode"] == 0 && list == "initContainerStatuses";
        container["ready"] = (running || completed).into();
        container["started"] = running.into();
        if running || state.get("terminated").is_some() {
            container["containerID"] = container_id(name, container).into();
        }
    }
}

fn container_id(name: &str, container: &Value) -> String {
    let known = container["containerID"].as_str().filter(|_| container["restartCount"] == 0);
    known.map_or_else(
        || {
            let hash = digest::sha256(&["container", name, &container.to_string()]);
            format!("containerd://{}", hash.get(7..).unwrap_or_default())
        },
        Into::into,
    )
}

pub(crate) fn set_image_id(status: &mut Value, name: &str, id: &str) {
    let containers = status["containerStatuses"].as_array_mut().into_iter().flatten();
    for container in containers.filter(|container| container["name"] == name) {
        container["imageID"] = id.into();
    }
}

/// Ready and ContainersReady together.
pub(crate) fn set_ready(status: &mut Value, ready: Result<&str, (&str, &str)>, now: &str) {
    for kind in ["Ready", "ContainersReady"] {
        set_condition(status, kind, ready, now);
    }
}

/// Names of the containers that run.
pub(crate) fn running(pod: &Value) -> Vec<String> {
    let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    containers
        .filter(|container| container["state"].get("running").is_some())
        .filter_map(|container| container["name"].as_str().map(Into::into))
        .collect()
}

/// What ran has ended by SIGTERM.
pub(crate) fn killed(status: &mut Value, now: &str) {
    for container in status["containerStatuses"].as_array_mut().into_iter().flatten() {
        let Some(started) = container["state"]["running"].get("startedAt").cloned() else { continue };
        let message = Note::message(&[Note::internal("StartedAt", started.as_str().unwrap_or_default())]);
        container["state"] = json!({"terminated": {"exitCode": 143, "reason": "Error", "message": message, "startedAt": started, "finishedAt": now}});
        container["ready"] = false.into();
        container["started"] = false.into();
    }
    status["phase"] = "Failed".into();
    set_ready(status, Err(("PodFailed", "")), now);
    set_condition(status, "PodReadyToStartContainers", Err(("", "")), now);
}
