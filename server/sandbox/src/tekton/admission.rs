//! Tekton's webhook: the defaults that it fills into what is created, and what it refuses. Refusals are HTTP 400, in
//! the words of Tekton 1.12. It knows no store: whether a Pipeline exists is found out only when a run starts.

mod decode;
mod defaults;
mod faults;

use serde_json::Value;

use crate::api::{Admission, ApiError, Review};
pub(crate) use faults::pipeline_faults;

const MUTATING: &str = "webhook.pipeline.tekton.dev";
const VALIDATING: &str = "validation.webhook.pipeline.tekton.dev";

/// For the API server.
pub(crate) const WEBHOOKS: Admission = Admission { mutate, validate };

fn mutate(review: &Review<'_>, object: &mut Value) -> Result<(), ApiError> {
    if review.kind.group != "tekton.dev" {
        return Ok(());
    }
    let shape = if object["spec"].is_null() { Ok(()) } else { decode::decode(&object["spec"]) };
    shape.map_err(|why| {
        ApiError::denied(MUTATING, &format!("mutation failed: cannot decode incoming new object: {why}"))
    })?;
    match review.kind.kind.as_str() {
        "PipelineRun" => defaults::run(object),
        "Pipeline" => defaults::pipeline(&mut object["spec"]),
        "Task" => defaults::task(&mut object["spec"]),
        _ => {}
    }
    Ok(())
}

fn validate(review: &Review<'_>, object: &Value) -> Result<(), ApiError> {
    if review.kind.group != "tekton.dev" {
        return Ok(());
    }
    let faults = match (review.kind.kind.as_str(), review.old) {
        ("PipelineRun", Some(old)) => faults::changes(old, object),
        ("PipelineRun", None) => faults::run_faults(object),
        ("Pipeline", _) => pipeline_faults(&object["spec"], "spec"),
        ("Task", _) => faults::task_faults(&object["spec"], "spec"),
        _ => Vec::new(),
    };
    if faults.is_empty() {
        return Ok(());
    }
    Err(ApiError::denied(VALIDATING, &format!("validation failed: {}", faults.join("\n"))))
}
