//! A small Tekton: admission, PipelineRuns to TaskRuns to pods, with the names, labels, conditions and messages of
//! Tekton Pipelines 1.12. It knows the API server and nothing of what containers do.

pub(crate) mod admission;
mod child;
mod facts;
mod graph;
mod limits;
mod names;
mod pipelinerun;
mod pod;
mod podstatus;
mod resolve;
mod substitute;
mod taskrun;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::Api;
use crate::events::{self, Event};

pub(crate) const PIPELINE_RUNS: &str = "pipelineruns.tekton.dev";
pub(crate) const TASK_RUNS: &str = "taskruns.tekton.dev";

/// The controllers, to be spawned.
pub(crate) fn controllers(api: &Arc<Api>) -> [futures::future::BoxFuture<'static, ()>; 2] {
    [Box::pin(pipelinerun::run(api)), Box::pin(taskrun::run(api))]
}

/// The condition `Succeeded`: status, reason, message.
pub(crate) fn condition(object: &Value) -> Option<(&str, &str, &str)> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == "Succeeded")?;
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    Some((text("status"), text("reason"), text("message")))
}

pub(crate) fn is_done(object: &Value) -> bool {
    condition(object).is_some_and(|(status, ..)| status != "Unknown")
}

/// Sets the condition `Succeeded`; its transition time moves only when it changes.
fn set_condition(status: &mut Value, (state, reason, message): (&str, &str, &str), now: &str) {
    let new = json!({"type": "Succeeded", "status": state, "reason": reason, "message": message});
    let mut old = status["conditions"][0].clone();
    let since = old.as_object_mut().and_then(|old| old.remove("lastTransitionTime"));
    let since = since.filter(|_| old == new).unwrap_or_else(|| now.into());
    let mut new = new;
    new["lastTransitionTime"] = since;
    status["conditions"] = json!([new]);
}

/// Tekton's event for a condition that has changed.
fn report(api: &Api, before: Option<(&str, &str, &str)>, object: &Value) {
    let Some(after) = condition(object) else { return };
    if before == Some(after) {
        return;
    }
    let (status, reason, message) = after;
    let reason = match status {
        "True" => "Succeeded",
        "False" => "Failed",
        _ => reason,
    };
    let component = object["kind"].as_str().unwrap_or_default();
    let event =
        Event { about: object, field: None, warning: status == "False", reason, message, component, host: None };
    events::emit(api, &event);
}

/// `status.provenance`: how Tekton is set up.
fn provenance() -> Value {
    json!({"featureFlags": {
        "awaitSidecarReadiness": true, "coschedule": "workspaces", "enableAPIFields": "beta", "enableProvenanceInStatus": true,
        "enforceNonfalsifiability": "none", "maxResultSize": 4096, "resultExtractionMethod": "termination-message",
        "runningInEnvWithInjectedSidecars": true, "sendCloudEventsForRuns": true, "verificationNoMatchPolicy": "ignore",
    }})
}

/// Copies the entries of one map into another, leaving those that are there.
fn add_all(to: &mut Value, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        if to.get(name).is_none_or(Value::is_null) {
            to[name] = value.clone();
        }
    }
}
