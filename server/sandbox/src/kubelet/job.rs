//! A pod that runs to its end: scheduled, its volumes there, prepared, its containers one after the other as Tekton's
//! entry point makes them wait for each other.

use serde_json::{Value, json};

use super::{Pod, env, pull, schedule, status};
use crate::images::{self, Exit, Machine};
use crate::registry::Reference;
use crate::termination::Note;
use crate::time;
use crate::value::list;

/// World milliseconds between looks for a ConfigMap or Secret that is missing.
const MISSING_RETRY_MS: u64 = 10_000;
/// Tekton's own limit on what a container may report, its notes included.
const LARGEST_MESSAGE: usize = 4096;

pub(crate) async fn live(pod: &Pod, fresh: &Value) {
    pod.pause(30).await;
    schedule::schedule(pod).await;
    let Some(object) = pod.read() else { return };
    let now = pod.cluster.api.time.now();
    pod.update(|status| status::arrived(fresh, status, &now));
    bind(pod, &object);
    mount(pod, &object).await;
    prepare(pod, &object).await;
    let containers = object["spec"]["containers"].as_array().cloned().unwrap_or_default();
    for container in &containers {
        create(pod, &object, container).await;
    }
    begin(pod, &object, &containers).await;
    let mut failed = false;
    for (index, container) in containers.iter().enumerate() {
        let (code, state) = if failed { skipped(pod) } else { execute(pod, container).await };
        failed |= code != 0;
        let last = index + 1 == containers.len();
        ended(pod, name(container), &state, last.then_some(failed));
    }
    pod.pause(1_000).await;
    let now = pod.cluster.api.time.now();
    pod.update(|status| {
        status["phase"] = if failed { "Failed" } else { "Succeeded" }.into();
        status::set_condition(status, "PodReadyToStartContainers", Err(("", "")), &now);
    });
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

/// A claim gets its volume when the first pod that uses it has come to a node.
fn bind(pod: &Pod, object: &Value) {
    for volume in object["spec"]["volumes"].as_array().into_iter().flatten() {
        let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() else { continue };
        let key = crate::api::Key::new(pod.key.namespace.as_str(), claim);
        pod.cluster.api.modify("persistentvolumeclaims", &key, |claim| {
            if claim["status"]["phase"] == "Pending" {
                let uid = claim["metadata"]["uid"].as_str().unwrap_or_default();
                claim["spec"]["volumeName"] = format!("pvc-{uid}").into();
                let (modes, capacity) = (&claim["spec"]["accessModes"], &claim["spec"]["resources"]["requests"]);
                claim["status"] = json!({"phase": "Bound", "accessModes": modes, "capacity": capacity});
            }
        });
    }
}

/// Secrets and ConfigMaps that volumes need.
async fn mount(pod: &Pod, object: &Value) {
    loop {
        let Some(why) = missing_volume(pod, object) else { return };
        pod.event(object, None, true, "FailedMount", &why);
        pod.pause(MISSING_RETRY_MS).await;
    }
}

fn missing_volume(pod: &Pod, object: &Value) -> Option<String> {
    let api = &pod.cluster.api;
    for volume in object["spec"]["volumes"].as_array().into_iter().flatten() {
        for (kind, qualified, field) in [("secret", "secrets", "secretName"), ("configMap", "configmaps", "name")] {
            let Some(source) = volume.get(kind).filter(|source| source["optional"] != Value::Bool(true)) else {
                continue;
            };
            let wanted = source[field].as_str().unwrap_or_default();
            let failed = |why: String| Some(format!("MountVolume.SetUp failed for volume {} : {why}", volume["name"]));
            let Some(found) = api.read(qualified, &crate::api::Key::new(pod.key.namespace.as_str(), wanted)) else {
                return failed(format!("{} \"{wanted}\" not found", kind.to_lowercase()));
            };
            let keys = source["items"].as_array().into_iter().flatten().filter_map(|item| item["key"].as_str());
            for key in keys {
                if found["data"].get(key).is_none() {
                    return failed(format!("references non-existent {} key: {key}", kind.to_lowercase()));
                }
            }
        }
    }
    None
}

/// The init containers: each is there, runs, and ends well.
async fn prepare(pod: &Pod, object: &Value) {
    let time = &pod.cluster.api.time;
    for container in object["spec"]["initContainers"].as_array().into_iter().flatten() {
        let image = container["image"].as_str().unwrap_or_default();
        pod.pause(300).await;
        let message = format!("Container image \"{image}\" already present on machine");
        pod.event(object, Some(name(container)), false, "Pulled", &message);
        pod.event(object, Some(name(container)), false, "Created", &format!("Created container: {}", name(container)));
        pod.event(object, Some(name(container)), false, "Started", &format!("Started container {}", name(container)));
        let started = time.now();
        let running = json!({"running": {"startedAt": started}});
        pod.update(|status| {
            status::set_condition(status, "PodReadyToStartContainers", Ok(""), &started);
            status::set_state(status, "initContainerStatuses", name(container), &running);
        });
        pod.pause(400).await;
        let now = time.now();
        let done =
            json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": now}});
        pod.update(|status| status::set_state(status, "initContainerStatuses", name(container), &done));
    }
    let now = time.now();
    pod.update(|status| {
        status::set_condition(status, "PodReadyToStartContainers", Ok(""), &now);
        status::set_condition(status, "Initialized", Ok(""), &now);
    });
}

/// The image, and everything that the container's configuration names.
async fn create(pod: &Pod, object: &Value, container: &Value) {
    let image = container["image"].as_str().unwrap_or_default();
    pull::pull(pod, object, name(container), image, container["imagePullPolicy"] == "Always").await;
    let api = &pod.cluster.api;
    loop {
        let made = refused_user(pod, container)
            .map_or_else(|| env::build(api, &pod.key.namespace, &pod.key.name, container).map(|_| ()), Err);
        let Err(why) = made else { break };
        pod.event(object, Some(name(container)), true, "Failed", &format!("Error: {why}"));
        let state = json!({"waiting": {"reason": "CreateContainerConfigError", "message": why}});
        pod.update(|status| status::set_state(status, "containerStatuses", name(container), &state));
        pod.pause(MISSING_RETRY_MS).await;
    }
    pod.event(object, Some(name(container)), false, "Created", &format!("Created container: {}", name(container)));
}

/// Images whose repository ends in `-root` have `root` for a user.
fn refused_user(pod: &Pod, container: &Value) -> Option<String> {
    let image = container["image"].as_str().unwrap_or_default();
    let root = Reference::parse(image).is_ok_and(|reference| reference.short_name().ends_with("-root"));
    (root && container["securityContext"]["runAsNonRoot"] == Value::Bool(true)).then(|| {
        format!(
            "container has runAsNonRoot and image has non-numeric user (root), cannot verify user is non-root (pod: \
             \"{}_{}({})\", container: {})",
            pod.key.name,
            pod.key.namespace,
            pod.uid,
            name(container)
        )
    })
}

/// All containers run; the first waits for Tekton's word.
async fn begin(pod: &Pod, object: &Value, containers: &[Value]) {
    for container in containers {
        pod.event(object, Some(name(container)), false, "Started", &format!("Started container {}", name(container)));
    }
    pod.pause(200).await;
    let now = pod.cluster.api.time.now();
    pod.update(|status| {
        for container in containers {
            let image = container["image"].as_str().unwrap_or_default();
            status::set_state(status, "containerStatuses", name(container), &json!({"running": {"startedAt": now}}));
            status::set_image_id(status, name(container), &pull::image_id(image));
        }
        status["phase"] = "Running".into();
        status::set_ready(status, Ok(""), &now);
    });
    let waits = containers.first().is_some_and(|container| {
        container["args"].as_array().is_some_and(|args| args.iter().any(|arg| arg == "/tekton/downward/ready"))
    });
    if waits {
        pod.until(|pod| pod["metadata"]["annotations"]["tekton.dev/ready"] == "READY").await;
    }
}

/// Runs the container's program; its exit code and final state.
async fn execute(pod: &Pod, container: &Value) -> (i64, Value) {
    let api = &pod.cluster.api;
    let log = api.logs.open(&pod.uid, name(container));
    let env = env::build(api, &pod.key.namespace, &pod.key.name, container).unwrap_or_default();
    let started_ms = api.time.now_ms();
    let machine = Machine::new(std::sync::Arc::clone(api), std::sync::Arc::clone(&log), pod.key.name.clone(), env);
    let exit = images::run(container["image"].as_str().unwrap_or_default(), &machine).await;
    log.close();
    let started = time::seconds(started_ms);
    let now = api.time.now();
    let mut notes: Vec<Note> = Vec::new();
    let wanted = results(container);
    for (path, content) in machine.files() {
        if let Some(result) =
            path.strip_prefix("/tekton/results/").filter(|result| wanted.iter().any(|name| name == result))
        {
            notes.push(Note::result(result, &content));
        }
    }
    let began = Note::internal("StartedAt", &started.replace('Z', ".000Z"));
    notes.push(began.clone());
    let message = Note::message(&notes);
    match exit {
        Exit::OutOfMemory => (
            137,
            json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": started, "finishedAt": now}}),
        ),
        // The entry point cannot write so much, and fails for it although the work is done.
        Exit::Code(_) if message.len() > LARGEST_MESSAGE => {
            (1, terminated(1, &Note::message(&[began]), &started, &now))
        }
        Exit::Code(code) => (code, terminated(code, &message, &started, &now)),
    }
}

fn terminated(code: i64, message: &str, started: &str, finished: &str) -> Value {
    let reason = if code == 0 { "Completed" } else { "Error" };
    json!({"terminated": {"exitCode": code, "reason": reason, "message": message, "startedAt": started, "finishedAt": finished}})
}

/// After a step that failed, Tekton's entry point does not begin the others.
fn skipped(pod: &Pod) -> (i64, Value) {
    let now = pod.cluster.api.time.now();
    let notes = [Note::internal("Reason", "Skipped"), Note::internal("StartedAt", &now.replace('Z', ".000Z"))];
    (1, terminated(1, &Note::message(&notes), &now, &now))
}

/// The results that the entry point was told to report.
fn results(container: &Value) -> Vec<String> {
    let args = list(&container["args"]);
    let at = args.iter().position(|arg| arg == "-results");
    let list = at.and_then(|index| args.get(index + 1)).and_then(Value::as_str).unwrap_or_default();
    list.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

/// A container has ended; with the last one (`Some(failed)`) the pod is no longer ready.
fn ended(pod: &Pod, container: &str, state: &Value, last: Option<bool>) {
    let now = pod.cluster.api.time.now();
    pod.update(|status| {
        status::set_state(status, "containerStatuses", container, state);
        if let Some(failed) = last {
            let reason = if failed { "PodFailed" } else { "PodCompleted" };
            status::set_ready(status, Err((reason, "")), &now);
            status::set_condition(status, "Initialized", Ok(if failed { "" } else { "PodCompleted" }), &now);
        }
    });
}
