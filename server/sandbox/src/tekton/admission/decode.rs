//! What Tekton's webhook can't read at all: Go decodes an object before anything else is looked at.

use serde_json::{Map, Value};

use crate::time;

/// What Go's decoder would not read.
pub(super) fn decode(spec: &Value) -> Result<(), String> {
    shapes(spec, "spec")?;
    for (at, tasks) in [("spec.pipelineSpec.tasks", &spec["pipelineSpec"]["tasks"]), ("spec.tasks", &spec["tasks"])] {
        for task in tasks.as_array().into_iter().flatten() {
            if !task["retries"].is_null() && !task["retries"].is_i64() {
                return Err(unreadable(&task["retries"], "PipelineTask", &format!("{at}.retries"), "int"));
            }
        }
    }
    let limits = spec["timeouts"].as_object().into_iter().flat_map(Map::values);
    let tasks = spec["taskRunSpecs"].as_array().into_iter().flatten().map(|entry| &entry["timeout"]);
    for limit in limits.chain(tasks).filter(|limit| !limit.is_null()) {
        let text = limit.as_str().unwrap_or_default();
        if time::parse_duration(text.trim_start_matches('-')).is_none() {
            return Err(format!("time: invalid duration \"{text}\""));
        }
    }
    Ok(())
}

fn unreadable(value: &Value, of: &str, at: &str, wanted: &str) -> String {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) | Value::Null => "object",
    };
    format!("json: cannot unmarshal {found} into Go struct field {of}.{at} of type {wanted}")
}

const LISTS: [&str; 11] = [
    "params",
    "workspaces",
    "taskRunSpecs",
    "tasks",
    "finally",
    "results",
    "steps",
    "env",
    "envFrom",
    "when",
    "volumeMounts",
];
const OBJECTS: [&str; 10] = [
    "pipelineRef",
    "pipelineSpec",
    "taskRef",
    "taskSpec",
    "timeouts",
    "taskRunTemplate",
    "podTemplate",
    "computeResources",
    "volumeClaimTemplate",
    "configMapRef",
];

/// Lists are lists of objects and objects are objects, wherever they stand; values may be anything.
fn shapes(value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(map) = value else { return Ok(()) };
    for (name, value) in map {
        let at = format!("{at}.{name}");
        let is_list = LISTS.contains(&name.as_str());
        let right = match value {
            Value::Null => true,
            Value::Array(items) => {
                !OBJECTS.contains(&name.as_str()) && (!is_list || items.iter().all(Value::is_object))
            }
            Value::Object(_) => !is_list,
            _ => !is_list && !OBJECTS.contains(&name.as_str()),
        };
        if !right {
            return Err(unreadable(value, "Spec", &at, if is_list { "[]object" } else { "object" }));
        }
        match value {
            Value::Object(_) if !matches!(name.as_str(), "value" | "default" | "data" | "timeouts") => {
                shapes(value, &at)?;
            }
            Value::Array(items) if is_list => {
                for item in items {
                    shapes(item, &at)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
