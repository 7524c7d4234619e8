//! What Tekton's webhook fills into what is created or changed, and what Go's encoder leaves out of it.

use serde_json::{Map, Value, json};

use crate::time;

const RUN_FIELDS: [&str; 9] = [
    "pipelineRef",
    "pipelineSpec",
    "params",
    "status",
    "timeouts",
    "taskRunTemplate",
    "workspaces",
    "taskRunSpecs",
    "managedBy",
];

fn canonical(limit: &mut Value) {
    let Some(text) = limit.as_str() else { return };
    let (sign, digits) = if let Some(digits) = text.strip_prefix('-') { ("-", digits) } else { ("", text) };
    if let Some(ms) = time::parse_duration(digits) {
        *limit = format!("{sign}{}", time::print_duration(ms)).into();
    }
}

pub(super) fn run(run: &mut Value) {
    let Some(spec) = run["spec"].as_object_mut() else { return };
    spec.retain(|field, _| RUN_FIELDS.contains(&field.as_str()));
    let timeouts = spec.entry("timeouts").or_insert_with(|| json!({}));
    if timeouts.get("pipeline").is_none_or(Value::is_null) {
        timeouts["pipeline"] = "1h0m0s".into();
    }
    timeouts.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(canonical);
    let template = spec.entry("taskRunTemplate").or_insert_with(|| json!({}));
    if template.get("serviceAccountName").is_none_or(|name| name.as_str().is_none_or(str::is_empty)) {
        template["serviceAccountName"] = "default".into();
    }
    for entry in spec.get_mut("taskRunSpecs").and_then(Value::as_array_mut).into_iter().flatten() {
        canonical(&mut entry["timeout"]);
        drop_nulls(entry);
    }
    for binding in spec.get_mut("workspaces").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(claim) = binding.get_mut("volumeClaimTemplate").and_then(Value::as_object_mut) {
            claim.entry("metadata").or_insert_with(|| json!({}));
            claim.entry("status").or_insert_with(|| json!({}));
        }
    }
    if let Some(pipeline) = spec.get_mut("pipelineSpec") {
        self::pipeline(pipeline);
    }
}

fn drop_nulls(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
}

fn default_params(params: &mut Value) {
    for param in params.as_array_mut().into_iter().flatten() {
        if param.get("type").is_none() {
            let kind = match &param["default"] {
                Value::Array(_) => "array",
                Value::Object(_) => "object",
                _ => "string",
            };
            param["type"] = kind.into();
        }
        drop_nulls(param);
    }
}

pub(super) fn pipeline(pipeline: &mut Value) {
    if !pipeline.is_object() {
        return;
    }
    drop_empty(pipeline, &["params", "results", "workspaces", "finally"]);
    default_params(&mut pipeline["params"]);
    for result in pipeline["results"].as_array_mut().into_iter().flatten() {
        if result.get("description").is_none() {
            result["description"] = "".into();
        }
    }
    for list in ["tasks", "finally"] {
        for task in pipeline[list].as_array_mut().into_iter().flatten() {
            default_pipeline_task(task);
        }
    }
    drop_nulls(pipeline);
}

fn default_pipeline_task(task: &mut Value) {
    if !task.is_object() {
        return;
    }
    drop_empty(task, &["runAfter", "params", "workspaces", "when"]);
    if let Some(reference) = task.get_mut("taskRef").and_then(Value::as_object_mut) {
        reference.entry("kind").or_insert_with(|| "Task".into());
    }
    if let Some(embedded) = task.get_mut("taskSpec").filter(|spec| spec.is_object()) {
        self::task(embedded);
        embedded["metadata"] = if embedded["metadata"].is_object() { embedded["metadata"].clone() } else { json!({}) };
        embedded["spec"] = Value::Null;
    }
    if let Some(map) = task.as_object_mut() {
        if map.get("timeout").is_some() {
            map.entry("timeout").and_modify(canonical);
        }
        map.retain(|_, value| !value.is_null());
    }
}

pub(super) fn task(task: &mut Value) {
    if !task.is_object() {
        return;
    }
    drop_empty(task, &["params", "results", "workspaces"]);
    default_params(&mut task["params"]);
    for result in task["results"].as_array_mut().into_iter().flatten() {
        if result.get("type").is_none() {
            result["type"] = "string".into();
        }
    }
    for step in task["steps"].as_array_mut().into_iter().flatten() {
        if let Some(step) = step.as_object_mut() {
            step.entry("computeResources").or_insert_with(|| json!({}));
            step.entry("name").or_insert_with(|| "".into());
            for entry in step.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
                drop_blank(entry, "value");
            }
            for source in step.get_mut("envFrom").and_then(Value::as_array_mut).into_iter().flatten() {
                drop_blank(&mut source["configMapRef"], "name");
                drop_nulls(source);
            }
        }
    }
    drop_nulls(task);
}

/// Go leaves out what is empty.
fn drop_blank(value: &mut Value, field: &str) {
    if let Some(map) = value.as_object_mut()
        && map.get(field).is_some_and(|text| text == "")
    {
        map.remove(field);
    }
}

fn drop_empty(value: &mut Value, fields: &[&str]) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|name, value| !(fields.contains(&name.as_str()) && value.as_array().is_some_and(Vec::is_empty)));
    }
}
