//! The WorkflowExecution that a ticket asks for, and whether one in the cluster is it. Pure.

use crate::{
    compare::{Difference, same},
    crd::{GROUP, KIND, ParameterSpec, PlaybookSpec, SecretRef, StepSpec, VERSION, WorkflowExecutionSpec},
};
use domain::{
    duration,
    ids::ExecutionId,
    pipeline_run::{DIGEST_ANNOTATION, RECOMMENDATION_ANNOTATION, WORKFLOW_LABEL},
    playbook::{
        ImageRef,
        values::{EnvEntry, EnvValue},
    },
    ticket::{Plan, Ticket},
};
use serde_json::{Value, json};

/// Annotation on a WorkflowExecution: the console's execution.
pub const EXECUTION_ANNOTATION: &str = "kubernaut.io/execution-id";

/// The WorkflowExecution of a ticket, as it is sent.
pub fn workflow_execution(ticket: &Ticket, execution: &ExecutionId) -> Value {
    let name = ticket.name();
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": ticket.content().namespace,
            "labels": { WORKFLOW_LABEL: name },
            "annotations": annotations(ticket, execution),
        },
        "spec": spec(ticket),
    })
}

/// What ties an object in the cluster to its decision.
pub fn annotations(ticket: &Ticket, execution: &ExecutionId) -> Value {
    json!({
        DIGEST_ANNOTATION: ticket.digest(),
        EXECUTION_ANNOTATION: execution,
        RECOMMENDATION_ANNOTATION: ticket.content().recommendation_id,
    })
}

/// The spec of a ticket, everything written out.
pub fn spec(ticket: &Ticket) -> WorkflowExecutionSpec {
    let content = ticket.content();
    let (workflow_type, steps, playbook) = match &content.plan {
        Plan::Steps { workflow_type, steps } => {
            let steps = steps.iter().map(|step| StepSpec {
                name: step.name.clone(),
                action_type: step.action_type.clone(),
                image: step.image.to_string(),
                inputs: step.inputs.clone(),
                run_after: step.run_after.clone(),
                uses_workspace: step.uses_workspace,
                idempotent: step.idempotent.then_some(true),
            });
            (workflow_type.clone(), Some(steps.collect()), None)
        }
        Plan::Playbook { workflow_id, version, image, parameters, .. } => {
            let playbook = PlaybookSpec {
                id: workflow_id.to_string(),
                version: version.to_string(),
                image: Some(image.to_string()),
                action_type: Some(content.action_type.clone()),
                parameters: parameters.iter().map(parameter).collect(),
            };
            (workflow_id.to_string(), None, Some(playbook))
        }
    };
    WorkflowExecutionSpec {
        workflow_type,
        reason: content.reason.clone(),
        steps,
        playbook,
        service_account: Some(content.service_account.clone()),
        timeout: Some(duration::canonical(content.timeout_ms)),
        retries: Some(content.retry_count),
    }
}

fn parameter(entry: &EnvEntry) -> ParameterSpec {
    let (value, secret_ref) = match &entry.value {
        EnvValue::Text(text) => (Some(text.clone()), None),
        EnvValue::Secret { name, key } => (None, Some(SecretRef { name: name.to_string(), key: key.to_string() })),
    };
    ParameterSpec { name: entry.name.to_string(), value, secret_ref }
}

/// Where the `spec` of an object in the cluster says anything else than the ticket. One that a person applied may leave out
/// what the console fills in, and may name images by tag: the ticket pins the same image by digest.
pub fn deviations(ticket: &Ticket, spec: &Value) -> Vec<Difference> {
    let unreadable = |e: serde_json::Error| Difference {
        path: "spec".into(),
        sent: Some("a readable spec".into()),
        got: Some(e.to_string()),
    };
    let mut applied: WorkflowExecutionSpec = match serde_json::from_value(spec.clone()) {
        Ok(applied) => applied,
        Err(e) => return vec![unreadable(e)],
    };
    let wanted = self::spec(ticket);
    if ticket.content().adopts.is_some() {
        fill_in(&mut applied, &wanted);
    }
    let json = |spec: &WorkflowExecutionSpec| serde_json::to_value(spec).unwrap_or_default();
    let mut found = Vec::new();
    same("spec", &json(&wanted), &json(&applied), &mut found);
    found
}

/// Takes over from the ticket what the applied spec leaves to the console.
fn fill_in(applied: &mut WorkflowExecutionSpec, wanted: &WorkflowExecutionSpec) {
    applied.service_account = applied.service_account.take().or_else(|| wanted.service_account.clone());
    applied.retries = applied.retries.or(wanted.retries);
    if applied.timeout.as_deref().is_none_or(|t| {
        let wanted = wanted.timeout.as_deref();
        duration::seconds(t) == wanted.and_then(duration::seconds)
    }) {
        applied.timeout.clone_from(&wanted.timeout);
    }
    let steps = applied.steps.iter_mut().flatten().zip(wanted.steps.iter().flatten());
    for (step, wanted) in steps {
        // Saying no is as good as saying nothing.
        step.idempotent = step.idempotent.filter(|said| *said);
        if pins(&step.image, &wanted.image) {
            step.image.clone_from(&wanted.image);
        }
    }
    if let (Some(applied), Some(wanted)) = (&mut applied.playbook, &wanted.playbook) {
        let image = wanted.image.clone().unwrap_or_default();
        if applied.image.as_ref().is_none_or(|given| pins(given, &image)) {
            applied.image = Some(image);
        }
        applied.action_type = applied.action_type.take().or_else(|| wanted.action_type.clone());
        // A person gives the exposed parameters; defaults and hidden ones come from the registration.
        let known = |parameter: &ParameterSpec| wanted.parameters.contains(parameter);
        if applied.parameters.iter().all(known) {
            applied.parameters.clone_from(&wanted.parameters);
        }
    }
}

/// Whether `pinned` is what intake made of `given`: the same image with its whole digest. An abbreviated digest stands for an
/// image as a tag does; which one the registry found for it is what was approved, and a spec never changes.
fn pins(given: &str, pinned: &str) -> bool {
    let (given, pinned) = (ImageRef::parse_abbreviated(given), pinned.parse::<ImageRef>());
    matches!((given, pinned), (Ok(given), Ok(pinned)) if given.is_pinned_by(&pinned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn what_is_created_says_what_the_ticket_says() {
        for ticket in [fixtures::playbook_ticket(), fixtures::steps_ticket()] {
            let sent = workflow_execution(&ticket, &ExecutionId::new("e-1"));
            assert_eq!(deviations(&ticket, &sent["spec"]), []);
            assert_eq!(sent["metadata"]["name"], json!(ticket.name()));
            assert!(sent["metadata"].get("generateName").is_none());
            assert_eq!(sent["metadata"]["annotations"][DIGEST_ANNOTATION], json!(ticket.digest()));
        }
    }

    #[test]
    fn any_other_word_is_found() {
        let ticket = fixtures::steps_ticket();
        let spec = serde_json::to_value(spec(&ticket)).unwrap();
        for (pointer, value) in [
            ("/steps/0/inputs/labelSelector", json!("app=other")),
            ("/steps/0/image", json!("evil.example/x@sha256:aa")),
            ("/steps/0/runAfter", json!(["create-gitops-pr"])),
            ("/steps/2/usesWorkspace", json!(false)),
            ("/serviceAccount", json!("cluster-admin")),
            ("/timeout", json!("24h0m0s")),
            ("/retries", json!(5)),
            ("/reason", json!("another")),
        ] {
            let mut tampered = spec.clone();
            *tampered.pointer_mut(pointer).unwrap() = value;
            assert_eq!(deviations(&ticket, &tampered).len(), 1, "{pointer}");
        }
    }

    #[test]
    fn a_secret_is_only_named() {
        let ticket = fixtures::playbook_ticket();
        let text = serde_json::to_string(&spec(&ticket)).unwrap();
        assert!(text.contains(r#""secretRef":{"name":"pager","key":"token"}"#), "{text}");
    }

    #[test]
    fn an_applied_one_may_leave_out_what_the_console_fills_in_but_no_more() {
        let ticket = fixtures::adopted_steps_ticket();
        let mut applied = serde_json::to_value(spec(&ticket)).unwrap();
        for field in ["serviceAccount", "timeout", "retries"] {
            applied.as_object_mut().unwrap().remove(field);
        }
        let tagged = "ghcr.io/kubernaut/actions/restart:v1";
        applied["steps"][0]["image"] = json!(tagged);
        assert_eq!(deviations(&ticket, &applied), []);
        applied["steps"][0]["image"] = json!(format!("{tagged}@sha256:def456"));
        assert_eq!(deviations(&ticket, &applied), [], "abbreviated as in the seed");
        applied["steps"][0]["image"] = json!(format!("{tagged}@sha256:{}", "cd".repeat(32)));
        assert_eq!(deviations(&ticket, &applied)[0].path, "spec.steps[0].image");
        applied["steps"][0]["image"] = json!(tagged);
        applied["timeout"] = json!("60m");
        assert_eq!(deviations(&ticket, &applied), []);
        applied["timeout"] = json!("61m");
        assert_eq!(deviations(&ticket, &applied)[0].path, "spec.timeout");
        applied["timeout"] = json!("60m");
        applied["steps"][0]["image"] = json!("ghcr.io/kubernaut/actions/other:v1");
        assert_eq!(deviations(&ticket, &applied)[0].path, "spec.steps[0].image");
    }

    #[test]
    fn one_that_the_console_made_may_leave_out_nothing() {
        let ticket = fixtures::steps_ticket();
        let mut spec = serde_json::to_value(spec(&ticket)).unwrap();
        spec.as_object_mut().unwrap().remove("serviceAccount");
        assert_eq!(deviations(&ticket, &spec)[0].path, "spec.serviceAccount");
    }
}
