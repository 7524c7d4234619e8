//! The TaskRun of a pipeline task: its name, labels, parameters, limits and volumes. Pure: it knows no store.

use serde_json::{Value, json};

use super::facts::Task;
use super::names;
use super::resolve::{self, Pipeline};
use crate::time;
use crate::value::{list, owner, text};

/// `spec` is the pipeline task with everything filled in.
pub(super) fn task_run(run: &Value, pipeline: &Pipeline, task: &Task, spec: &Value) -> Value {
    let run_name = text(run, "/metadata/name");
    let mut labels = run["metadata"]["labels"].clone();
    labels["tekton.dev/pipeline"] = pipeline.found.name.clone().into();
    labels["tekton.dev/pipelineRun"] = run_name.into();
    labels["tekton.dev/pipelineRunUID"] = run["metadata"]["uid"].clone();
    labels["tekton.dev/pipelineTask"] = task.name().into();
    labels["tekton.dev/memberOf"] = if task.is_final { "finally" } else { "tasks" }.into();
    labels["app.kubernetes.io/managed-by"] = "tekton-pipelines".into();
    let mut annotations = run["metadata"]["annotations"].clone();
    annotations["pipeline.tekton.dev/release"] = "v1.12.0".into();
    let mut overrides = run["spec"]["taskRunSpecs"].as_array().into_iter().flatten();
    let overrides =
        overrides.rfind(|entry| text(entry, "/pipelineTaskName") == task.name()).cloned().unwrap_or_default();
    let template = &run["spec"]["taskRunTemplate"];
    let account = overrides.get("serviceAccountName").unwrap_or(&template["serviceAccountName"]);
    let limit = overrides.get("timeout").or_else(|| spec.get("timeout")).cloned();
    let limit = limit.unwrap_or_else(|| part_limit(&run["spec"]["timeouts"], task.is_final).into());
    let mut body = json!({"serviceAccountName": account, "timeout": limit});
    for (field, value) in [
        ("retries", spec.get("retries").filter(|retries| retries.as_i64() != Some(0))),
        ("params", spec.get("params")),
        ("podTemplate", overrides.get("podTemplate").or_else(|| template.get("podTemplate"))),
        ("computeResources", overrides.get("computeResources")),
        ("stepSpecs", overrides.get("stepSpecs")),
    ] {
        if let Some(value) = value {
            body[field] = value.clone();
        }
    }
    match spec.get("taskSpec") {
        Some(embedded) => body["taskSpec"] = resolve::embedded(embedded),
        None => body["taskRef"] = spec["taskRef"].clone(),
    }
    let workspaces = bindings(run, spec);
    if !workspaces.is_empty() {
        body["workspaces"] = workspaces.into();
    }
    json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": {
            "name": names::child(run_name, &format!("-{}", task.name())), "labels": labels, "annotations": annotations,
            "ownerReferences": [owner(run)],
        },
        "spec": body,
    })
}

/// A task's own limit, where nobody gives one: an hour, or more if its part of the run may take more.
fn part_limit(timeouts: &Value, is_final: bool) -> String {
    const HOUR: u64 = 3_600_000;
    let limit = |name: &str| timeouts[name].as_str().and_then(time::parse_duration);
    let (own, other) = if is_final { ("finally", "tasks") } else { ("tasks", "finally") };
    let part = limit(own).or_else(|| Some(limit("pipeline")?.saturating_sub(limit(other)?)));
    time::print_duration(part.unwrap_or(HOUR).max(HOUR))
}

/// The run's volumes under the names that a task gives them; what is optional and unbound is left out.
fn bindings(run: &Value, task: &Value) -> Vec<Value> {
    let bound = list(&run["spec"]["workspaces"]);
    let wanted = task["workspaces"].as_array().into_iter().flatten();
    let found = wanted.filter_map(|wanted| {
        let outer = wanted["workspace"].as_str().unwrap_or_else(|| text(wanted, "/name"));
        let mut binding = bound.iter().find(|binding| text(binding, "/name") == outer)?.clone();
        if let Some(map) = binding.as_object_mut()
            && map.remove("volumeClaimTemplate").is_some()
        {
            let claim = names::claim(outer, text(run, "/metadata/uid"));
            map.insert("persistentVolumeClaim".into(), json!({"claimName": claim}));
        }
        binding["name"] = wanted["name"].clone();
        if let Some(sub_path) = wanted.get("subPath") {
            binding["subPath"] = sub_path.clone();
        }
        Some(binding)
    });
    found.collect()
}
