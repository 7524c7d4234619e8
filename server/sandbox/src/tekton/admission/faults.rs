//! What Tekton's webhook refuses, in the words of Tekton 1.12.

use serde_json::Value;

use super::super::graph::{self, Graph};
use super::super::is_done;
use crate::time;
use crate::value::list;

/// A run that has begun may only be told to stop.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<String> {
    if old["spec"] == new["spec"] {
        return Vec::new();
    }
    if is_done(old) {
        return vec!["invalid value: Once the PipelineRun is complete, no updates are allowed: spec".into()];
    }
    let started = old["status"].get("startTime").is_some();
    if started && new["spec"]["status"] == "PipelineRunPending" {
        return vec!["invalid value: PipelineRun cannot be Pending after it is started: spec.status".into()];
    }
    let but_status = |run: &Value| {
        let mut spec = run["spec"].as_object().cloned().unwrap_or_default();
        spec.remove("status");
        spec
    };
    if started && but_status(old) != but_status(new) {
        return vec!["invalid value: Once the PipelineRun has started, only status updates are allowed: spec".into()];
    }
    run_faults(new)
}

pub(super) fn run_faults(run: &Value) -> Vec<String> {
    let spec = &run["spec"];
    let mut faults = Vec::new();
    if run["metadata"]["name"].as_str().is_some_and(|name| name.len() > 63) {
        faults.push("Invalid resource name: length must be no more than 63 characters: metadata.name".into());
    }
    match (spec["pipelineRef"].is_object(), spec["pipelineSpec"].is_object()) {
        (true, true) => faults.push("expected exactly one, got both: spec.pipelineRef, spec.pipelineSpec".into()),
        (false, false) => faults.push("expected exactly one, got neither: spec.pipelineRef, spec.pipelineSpec".into()),
        (false, true) => faults.extend(pipeline_faults(&spec["pipelineSpec"], "spec.pipelineSpec")),
        (true, false) => {}
    }
    let params = list(&spec["params"]);
    for (index, param) in params.iter().enumerate() {
        if params.iter().take(index).any(|other| other["name"] == param["name"]) {
            faults.push(format!("expected exactly one, got both: spec.params[{}].name", graph::name(param)));
        }
    }
    match spec["status"].as_str() {
        None | Some("" | "Cancelled" | "CancelledRunFinally" | "StoppedRunFinally" | "PipelineRunPending") => {}
        Some(other) => faults.push(format!(
            "invalid value: {other} should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending: spec.status"
        )),
    }
    limit_faults(&spec["timeouts"], &mut faults);
    binding_faults(&spec["workspaces"], &mut faults);
    faults
}

fn limit_faults(timeouts: &Value, faults: &mut Vec<String>) {
    let limit = |name: &str| timeouts[name].as_str().unwrap_or_default();
    for name in ["pipeline", "tasks", "finally"] {
        if limit(name).starts_with('-') {
            faults.push(format!("invalid value: {} should be >= 0: spec.timeouts.{name}", limit(name)));
        }
    }
    let whole = time::parse_duration(limit("pipeline")).filter(|ms| *ms > 0);
    for name in ["tasks", "finally"] {
        if let (Some(part), Some(whole)) = (time::parse_duration(limit(name)), whole)
            && part > whole
        {
            faults.push(format!("invalid value: {} should be <= pipeline duration: spec.timeouts.{name}", limit(name)));
        }
    }
}

fn binding_faults(bindings: &Value, faults: &mut Vec<String>) {
    let bindings = list(bindings);
    let volumes =
        ["configMap", "emptyDir", "persistentVolumeClaim", "secret", "volumeClaimTemplate", "projected", "csi"];
    for (index, binding) in bindings.iter().enumerate() {
        if let Some(first) = bindings.iter().take(index).position(|other| other["name"] == binding["name"]) {
            let name = graph::name(binding);
            faults.push(format!(
                "workspace \"{name}\" provided by pipelinerun more than once, at index {first} and {index}: spec.workspaces[{index}].name"
            ));
        }
        if volumes.iter().all(|volume| binding.get(*volume).is_none()) {
            let fields: Vec<String> =
                ["configmap", "emptydir", "persistentvolumeclaim", "secret", "volumeclaimtemplate"]
                    .iter()
                    .map(|volume| format!("spec.workspaces[{index}].{volume}"))
                    .collect();
            faults.push(format!("expected exactly one, got neither: {}", fields.join(", ")));
        }
    }
}

fn is_label(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.len() <= 63
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && edge(name.chars().next())
        && edge(name.chars().last())
}

/// Faults of a Pipeline's spec; also what a run finds wrong with one that it refers to.
pub(crate) fn pipeline_faults(pipeline: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let tasks = list(&pipeline["tasks"]);
    if tasks.is_empty() {
        let fields: Vec<String> = ["description", "params", "resources", "tasks", "workspaces"]
            .iter()
            .map(|field| format!("{at}.{field}"))
            .collect();
        return vec![format!("expected at least one, got none: {}", fields.join(", "))];
    }
    for (index, task) in tasks.iter().enumerate() {
        let name = graph::name(task);
        if !is_label(name) {
            faults.push(format!(
                "invalid value \"{name}\": {at}.tasks[{index}].name\nPipeline Task name must be a valid DNS Label.For more info \
                 refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"
            ));
        }
        if tasks.iter().take(index).any(|other| graph::name(other) == name) {
            faults.push(format!("expected exactly one, got both: {at}.tasks[{index}].name"));
        }
        match (task["taskRef"].is_object(), task["taskSpec"].is_object()) {
            (true, true) => faults.push(format!(
                "expected exactly one, got both: {at}.tasks[{index}].taskRef, {at}.tasks[{index}].taskSpec"
            )),
            (false, false) => faults.push(format!(
                "expected exactly one, got neither: {at}.tasks[{index}].taskRef, {at}.tasks[{index}].taskSpec"
            )),
            (false, true) => faults.extend(task_faults(&task["taskSpec"], &format!("{at}.tasks[{index}].taskSpec"))),
            (true, false) => {}
        }
    }
    if let Err(why) = Graph::build(tasks) {
        faults.push(format!("invalid value: {why}: {at}.tasks"));
    }
    faults
}

pub(super) fn task_faults(task: &Value, at: &str) -> Vec<String> {
    if task["steps"].as_array().is_none_or(Vec::is_empty) {
        vec![format!("missing field(s): {at}.steps")]
    } else {
        Vec::new()
    }
}
