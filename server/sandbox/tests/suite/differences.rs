//! What differs between a recorded object and one that was found, leaving out what differs from run to run.

use serde_json::Value;

/// Parts that most fixtures leave out.
const CUT: [&str; 4] = ["pipelineSpec", "taskSpec", "provenance", "artifacts"];

/// What differs between two objects, leaving out what differs from run to run.
pub fn differences(wanted: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare(&plain(wanted.clone()), &plain(found.clone()), "", &mut differences);
    differences
}

fn compare(wanted: &Value, found: &Value, path: &str, differences: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                match found.get(name) {
                    Some(other) => compare(value, other, &format!("{path}/{name}"), differences),
                    None => differences.push(format!("{path}/{name}: missing, should be {value}")),
                }
            }
            for (name, value) in found {
                if !wanted.contains_key(name) && !CUT.contains(&name.as_str()) {
                    differences.push(format!("{path}/{name}: should not be there: {value}"));
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(wanted, found, &format!("{path}/{index}"), differences);
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => differences.push(format!("{path}: should be {wanted}, is {found}")),
    }
}

/// Without what differs from run to run and from cluster to cluster.
fn plain(mut value: Value) -> Value {
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let volatile = [
                "resourceVersion",
                "uid",
                "containerID",
                "managedFields",
                "nodeName",
                "claimName",
                "pipeline.tekton.dev/release",
                "pipeline.tekton.dev/affinity-assistant",
                "tekton.dev/pipelineRunUID",
                "tekton.dev/taskRunUID",
                "lastProbeTime",
                "observedGeneration",
            ];
            map.retain(|name, _| !volatile.contains(&name.as_str()));
            // A pod has no generation before Kubernetes 1.33, and the sandbox's has none.
            if map.contains_key("labels") && map.contains_key("ownerReferences") {
                map.remove("generation");
            }
            // Where the next page of a list begins is told by a token of the server's own making.
            if let Some(Value::String(token)) = map.get_mut("continue")
                && !token.is_empty()
            {
                *token = "a token".into();
            }
            map.retain(|_, value| !value.as_object().is_some_and(serde_json::Map::is_empty));
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) => {
            if is_time(text) {
                *text = "a time".into();
            } else if text.starts_with('[') && text.contains("StartedAt") {
                *text = without_times(text);
            } else if text.contains("runAsNonRoot") {
                *text = text.split("(pod:").next().unwrap().to_owned();
            } else if text.contains("@sha256:") && !text.contains(' ') {
                // Digests are of other contents here.
                *text = text.split("@sha256:").next().unwrap().to_owned() + "@sha256";
            } else if text.contains(", current: ") {
                *text = text.split(", current: ").next().unwrap().to_owned();
            } else if text.contains("in record (") {
                *text = text.split("in record (").next().unwrap().to_owned();
            } else if text.contains("/v2/") {
                // The bench's registry speaks plain HTTP.
                *text = text.replace("https://", "http://");
            }
        }
        _ => {}
    }
}

pub fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[4] == b'-' && text.as_bytes()[10] == b'T'
}

fn without_times(text: &str) -> String {
    let mut entries: Value = serde_json::from_str(text).unwrap();
    for entry in entries.as_array_mut().unwrap() {
        if entry["key"] == "StartedAt" {
            entry["value"] = "a time".into();
        }
    }
    entries.to_string()
}
