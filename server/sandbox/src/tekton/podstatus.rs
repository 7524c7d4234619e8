//! What a pod's status means for its TaskRun: the condition, the steps, the results (`pkg/pod/status.go` of Tekton).
//! Pure: it knows no store and no clock.

use serde_json::{Value, json};

use crate::termination::Note;
use crate::value::list;

/// What a pod says about its TaskRun.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Status, reason, message of the condition `Succeeded`.
    pub(crate) condition: (&'static str, String, String),
    /// All containers have ended.
    pub(crate) complete: bool,
    pub(crate) steps: Vec<Value>,
    pub(crate) results: Vec<Value>,
}

fn containers(pod: &Value) -> &[Value] {
    list(&pod["status"]["containerStatuses"])
}

fn waiting_reason(container: &Value) -> &str {
    container["state"]["waiting"]["reason"].as_str().unwrap_or_default()
}

pub(crate) fn judge(pod: &Value, task: &Value) -> Verdict {
    let phase = pod["status"]["phase"].as_str().unwrap_or_default();
    let ended = containers(pod).iter().all(|container| container["state"].get("terminated").is_some());
    let complete =
        phase == "Succeeded" || phase == "Failed" || phase == "Running" && !containers(pod).is_empty() && ended;
    let condition = if complete { ending(pod, phase) } else { going(pod, phase) };
    let declared: Vec<&str> = list(&task["results"]).iter().filter_map(|result| result["name"].as_str()).collect();
    let mut results: Vec<Value> = Vec::new();
    let steps = containers(pod).iter().map(|container| step(container, complete, &declared, &mut results)).collect();
    Verdict { condition, complete, steps, results }
}

fn going(pod: &Value, phase: &str) -> (&'static str, String, String) {
    let unknown = |reason: &str, message: String| ("Unknown", reason.to_owned(), message);
    if phase == "Running" {
        return unknown("Running", "Not all Steps in the Task have finished executing".into());
    }
    let unschedulable = list(&pod["status"]["conditions"]).iter().any(|condition| {
        condition["reason"] == "Unschedulable"
            && condition["message"].as_str().is_some_and(|m| m.contains("Insufficient"))
    });
    let image = |container: &Value| {
        matches!(
            waiting_reason(container),
            "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName"
        )
    };
    if unschedulable {
        unknown("ExceededNodeResources", "TaskRun Pod exceeded available resources".into())
    } else if containers(pod).iter().any(|container| waiting_reason(container) == "CreateContainerConfigError") {
        ("False", "CreateContainerConfigError".into(), "Failed to create pod due to config error".into())
    } else if containers(pod).iter().any(image) {
        unknown("PullImageFailed", waiting_message(pod))
    } else {
        unknown("Pending", waiting_message(pod))
    }
}

fn waiting_message(pod: &Value) -> String {
    for container in containers(pod) {
        if let Some(message) = container["state"]["waiting"]["message"].as_str().filter(|m| !m.is_empty()) {
            return format!("build step {} is pending with reason {}", container["name"], json!(message));
        }
    }
    let open = list(&pod["status"]["conditions"]).iter().find(|condition| condition["status"] != "True");
    match open {
        Some(condition) => {
            let message = condition["message"].as_str().unwrap_or_default();
            format!("pod status {}:{}; message: {}", condition["type"], condition["status"], json!(message))
        }
        None => "Pending".into(),
    }
}

fn ending(pod: &Value, phase: &str) -> (&'static str, String, String) {
    let ended = |container: &Value| {
        let ended = &container["state"]["terminated"];
        (ended["exitCode"].as_i64().unwrap_or(0), ended["reason"].as_str().unwrap_or_default().to_owned())
    };
    let out_of_memory = containers(pod).iter().find(|container| ended(container).1 == "OOMKilled");
    let failed = out_of_memory.or_else(|| containers(pod).iter().find(|container| ended(container).0 != 0));
    match failed {
        Some(container) => {
            let (code, why) = ended(container);
            let reason = if out_of_memory.is_some() { "StepOOM" } else { "StepFailed" };
            ("False", reason.into(), format!("{} exited with code {code}: {why}", container["name"]))
        }
        None if phase == "Failed" => {
            let message = pod["status"]["message"].as_str().unwrap_or("build failed for unspecified reasons.");
            ("False", "Failed".into(), message.into())
        }
        None => ("True", "Succeeded".into(), "All Steps have completed executing".into()),
    }
}

/// A step's state; its termination message is split into results and what Tekton keeps for itself.
fn step(container: &Value, complete: bool, declared: &[&str], results: &mut Vec<Value>) -> Value {
    let name = container["name"].as_str().unwrap_or_default();
    let mut step = json!({"container": name, "name": name.strip_prefix("step-").unwrap_or(name), "provenance": {}});
    if let Some(id) = container["imageID"].as_str().filter(|id| !id.is_empty()) {
        step["imageID"] = id.into();
    }
    for (state, detail) in container["state"].as_object().into_iter().flatten() {
        step[state] = detail.clone();
    }
    let Some(written) = step["terminated"]["message"].as_str().map(ToOwned::to_owned) else {
        if step["terminated"].is_null()
            && let Some(map) = step.as_object_mut()
        {
            map.remove("terminated");
        }
        return step;
    };
    step["terminationReason"] = step["terminated"]["reason"].clone();
    let notes: Vec<Note> = serde_json::from_str(&written).unwrap_or_default();
    let mut kept = Vec::new();
    for note in notes {
        if note.key == "StartedAt" {
            let seconds = note.value.split('.').next().unwrap_or_default();
            step["terminated"]["startedAt"] = format!("{}Z", seconds.trim_end_matches('Z')).into();
        } else if declared.contains(&note.key.as_str()) {
            if complete {
                results.push(json!({"name": note.key, "type": "string", "value": note.value}));
            }
            kept.push(note);
        }
    }
    if let Some(ended) = step["terminated"].as_object_mut() {
        ended.remove("message");
        if !kept.is_empty() {
            ended.insert("message".into(), Note::message(&kept).into());
        }
    }
    step
}
