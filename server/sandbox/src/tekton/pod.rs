//! The pod of a TaskRun's attempt: volumes, the `prepare` container and one container a step, as Tekton's entry point
//! needs them. Pure: it knows no store.

use serde_json::{Value, json};

use super::graph::name;
use super::{add_all, names};
use crate::time;
use crate::value::{list, owner};

/// The image that Tekton puts its entry point from.
pub(crate) const ENTRYPOINT: &str = "ghcr.io/tektoncd/pipeline/entrypoint:v1.12.0";

pub(crate) fn pod_name(task_run: &str, attempt: usize) -> String {
    let suffix = if attempt == 0 { "-pod".to_owned() } else { format!("-pod-retry{attempt}") };
    names::child(task_run, &suffix)
}

/// `task` is the task spec with everything filled in.
pub(crate) fn build(task_run: &Value, task: &Value, attempt: usize) -> Value {
    let metadata = &task_run["metadata"];
    let spec = &task_run["spec"];
    let mut labels = metadata["labels"].clone();
    labels["tekton.dev/taskRun"] = metadata["name"].clone();
    labels["tekton.dev/taskRunUID"] = metadata["uid"].clone();
    let limit = spec["timeout"].as_str().and_then(time::parse_duration).unwrap_or(3_600_000);
    let mut pod = json!({
        "metadata": {
            "name": pod_name(name(metadata), attempt),
            "labels": labels,
            "annotations": metadata["annotations"],
            "ownerReferences": [owner(task_run)],
        },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": spec["serviceAccountName"],
            "serviceAccount": spec["serviceAccountName"],
            "initContainers": [prepare(task)],
            "containers": containers(task_run, task),
            "volumes": volumes(task_run, task),
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "dnsPolicy": "ClusterFirst",
            "terminationGracePeriodSeconds": 30,
        },
    });
    if limit > 0 {
        // One and a half times the limit: a net below Tekton's own.
        pod["spec"]["activeDeadlineSeconds"] = json!(limit / 1000 * 3 / 2);
    }
    let template = &spec["podTemplate"];
    for field in
        ["securityContext", "nodeSelector", "tolerations", "imagePullSecrets", "priorityClassName", "runtimeClassName"]
    {
        if let Some(value) = template.get(field) {
            pod["spec"][field] = value.clone();
        }
    }
    pod
}

fn step_container(index: usize, step: &Value) -> String {
    match name(step) {
        "" => format!("step-unnamed-{index}"),
        name => format!("step-{name}"),
    }
}

fn prepare(task: &Value) -> Value {
    let steps = list(&task["steps"]).iter().enumerate().map(|(index, step)| step_container(index, step));
    let fixed = ["/ko-app/entrypoint", "init", "/ko-app/entrypoint", "/tekton/bin/entrypoint"].map(ToOwned::to_owned);
    let command: Vec<String> = fixed.into_iter().chain(steps).collect();
    json!({
        "name": "prepare", "image": ENTRYPOINT, "command": command, "workingDir": "/", "resources": {},
        "volumeMounts": [mount("tekton-internal-bin", "/tekton/bin"), mount("tekton-internal-steps", "/tekton/steps")],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
    })
}

fn mount(name: &str, path: &str) -> Value {
    json!({"name": name, "mountPath": path})
}

fn read_only(name: &str, path: &str) -> Value {
    json!({"name": name, "mountPath": path, "readOnly": true})
}

/// Workspaces that are bound, with the volume that each becomes.
fn workspaces(task_run: &Value) -> Vec<(String, Value)> {
    let volume = |binding: &Value| {
        ["persistentVolumeClaim", "emptyDir", "configMap", "secret", "projected", "csi"]
            .into_iter()
            .find_map(|kind| Some(json!({ kind: binding.get(kind)? })))
    };
    let bound = list(&task_run["spec"]["workspaces"]).iter();
    bound.filter_map(|binding| Some((name(binding).to_owned(), volume(binding)?))).collect()
}

fn containers(task_run: &Value, task: &Value) -> Vec<Value> {
    let steps = list(&task["steps"]).iter().enumerate();
    steps.map(|(index, step)| container(task_run, task, index, step)).collect()
}

fn container(task_run: &Value, task: &Value, index: usize, step: &Value) -> Value {
    let mut env = list(&step["env"]).to_vec();
    if step.get("command").is_none() && step.get("script").is_none() {
        // What Tekton found out about the image's own command; the entry point chooses by platform.
        env.push(json!({"name": "TEKTON_PLATFORM_COMMANDS", "value": "{\"linux/amd64\":[\"/playbook\"]}"}));
    }
    env.extend(list(&task_run["spec"]["podTemplate"]["env"]).iter().cloned());
    let mut container = json!({
        "name": step_container(index, step),
        "image": step["image"],
        "command": ["/tekton/bin/entrypoint"],
        "args": arguments(task, index, step),
        "env": env,
        "resources": resources(task_run, step),
        "volumeMounts": mounts(task_run, task, index),
        "terminationMessagePath": "/tekton/termination", "terminationMessagePolicy": "File",
        "imagePullPolicy": step["imagePullPolicy"].as_str().unwrap_or("IfNotPresent"),
    });
    for field in ["envFrom", "securityContext", "workingDir"] {
        if let Some(value) = step.get(field) {
            container[field] = value.clone();
        }
    }
    container
}

fn resources(task_run: &Value, step: &Value) -> Value {
    let mut resources = step["computeResources"].clone();
    add_all(&mut resources, &task_run["spec"]["computeResources"]);
    if resources.is_object() { resources } else { json!({}) }
}

fn arguments(task: &Value, index: usize, step: &Value) -> Vec<String> {
    let mut words = match index.checked_sub(1) {
        None => vec!["-wait_file".into(), "/tekton/downward/ready".into(), "-wait_file_content".into()],
        Some(before) => vec!["-wait_file".into(), format!("/tekton/run/{before}/out")],
    };
    let post = format!("/tekton/run/{index}/out");
    let status = format!("/tekton/run/{index}/status");
    for word in ["-post_file", &post, "-termination_path", "/tekton/termination", "-step_metadata_dir", &status] {
        words.push(word.to_owned());
    }
    let results: Vec<&str> = list(&task["results"]).iter().map(name).collect();
    if !results.is_empty() {
        words.extend(["-results".to_owned(), results.join(",")]);
    }
    let text = |value: &Value| list(value).iter().filter_map(|v| v.as_str().map(ToOwned::to_owned)).collect::<Vec<_>>();
    let command = text(&step["command"]);
    if step.get("script").is_some() {
        words.extend(["-entrypoint".to_owned(), format!("/tekton/scripts/script-{index}")]);
    } else if let Some((program, _)) = command.split_first() {
        words.extend(["-entrypoint".to_owned(), program.clone()]);
    }
    words.push("--".into());
    words.extend(command.into_iter().skip(1));
    words.extend(text(&step["args"]));
    words
}

fn mounts(task_run: &Value, task: &Value, index: usize) -> Vec<Value> {
    let mut mounts: Vec<Value> = Vec::new();
    for (position, (workspace, _)) in workspaces(task_run).iter().enumerate() {
        let declared = list(&task["workspaces"]).iter().find(|declared| name(declared) == workspace.as_str());
        let path = declared
            .and_then(|d| d["mountPath"].as_str())
            .map_or_else(|| format!("/workspace/{workspace}"), Into::into);
        let volume = format!("ws-{position}");
        let only_read = declared.is_some_and(|d| d["readOnly"] == Value::Bool(true));
        mounts.push(if only_read { read_only(&volume, &path) } else { mount(&volume, &path) });
    }
    if index == 0 {
        mounts.push(read_only("tekton-internal-downward", "/tekton/downward"));
    }
    mounts.push(mount(&format!("tekton-creds-init-home-{index}"), "/tekton/creds"));
    for run in 0..list(&task["steps"]).len() {
        let (volume, path) = (format!("tekton-internal-run-{run}"), format!("/tekton/run/{run}"));
        mounts.push(if run == index { mount(&volume, &path) } else { read_only(&volume, &path) });
    }
    mounts.extend([
        read_only("tekton-internal-bin", "/tekton/bin"),
        mount("tekton-internal-workspace", "/workspace"),
        mount("tekton-internal-home", "/tekton/home"),
        mount("tekton-internal-results", "/tekton/results"),
        read_only("tekton-internal-steps", "/tekton/steps"),
        mount("tekton-internal-artifacts", "/tekton/artifacts"),
    ]);
    mounts
}

fn volumes(task_run: &Value, task: &Value) -> Vec<Value> {
    let empty = |name: &str| json!({"name": name, "emptyDir": {}});
    let mut volumes: Vec<Value> = ["workspace", "home", "results", "steps", "artifacts", "bin"]
        .iter()
        .map(|part| empty(&format!("tekton-internal-{part}")))
        .collect();
    let ready = json!({"path": "ready", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.annotations['tekton.dev/ready']"}});
    volumes.push(json!({"name": "tekton-internal-downward", "downwardAPI": {"items": [ready], "defaultMode": 420}}));
    for index in 0..list(&task["steps"]).len() {
        volumes.push(json!({"name": format!("tekton-creds-init-home-{index}"), "emptyDir": {"medium": "Memory"}}));
        volumes.push(empty(&format!("tekton-internal-run-{index}")));
    }
    for (position, (_, mut volume)) in workspaces(task_run).into_iter().enumerate() {
        volume["name"] = format!("ws-{position}").into();
        volumes.push(volume);
    }
    volumes
}
