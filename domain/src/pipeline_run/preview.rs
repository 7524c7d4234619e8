//! The PipelineRun of a registration before there is any recommendation: built by the same builder, with example values.

use serde_json::{Map, Value, json};

use super::build;
use crate::{
    playbook::{
        Registration, example,
        values::{EnvEntry, EnvSource, EnvValue},
    },
    policy::PolicyTerms,
    recommendation::Risk,
    ticket::{FORMAT, Plan, Ticket, TicketContent},
};

/// Where a run would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The cluster.
    pub cluster: String,
    /// The namespace of the runs.
    pub namespace: String,
    /// The Secret with the target's kubeconfig.
    pub kubeconfig_secret: Option<String>,
}

/// The PipelineRun as a ticket of this registration would make it. The digest of a ticket that nobody made stands as zeros.
pub fn preview(registration: &Registration, place: &Place) -> Value {
    let given = example::values(registration).into_iter().map(|bound| EnvEntry {
        name: bound.name,
        value: EnvValue::Text(bound.value),
        source: EnvSource::Model,
    });
    let hidden = registration.parameters.hidden.iter().map(EnvEntry::of_hidden);
    let content = json!({
        "format": FORMAT, "recommendation_id": "example", "revision": 1, "strategy": 0, "incident_id": "inc-example",
        "action_type": registration.labels.category.as_deref().unwrap_or("remediation"), "reason": "",
        "cluster": place.cluster, "namespace": place.namespace, "adopts": null,
        "plan": Plan::Playbook {
            workflow_id: registration.id.clone(),
            version: registration.version.clone(),
            image: registration.image.clone(),
            image_pull_policy: registration.image_pull_policy,
            parameters: given.chain(hidden).collect(),
            outputs: registration.outputs.clone(),
        },
        "service_account": registration.execution.service_account.as_str(),
        "kubeconfig_secret": place.kubeconfig_secret,
        "timeout_ms": registration.execution.timeout.as_millis(),
        "retry_count": registration.execution.retry_count,
        "policy": PolicyTerms::default_for(Risk::Medium), "expires_at": "2000-01-01T00:00:00.000Z",
        "business_context": Map::new(),
    });
    let Ok(content) = serde_json::from_value::<TicketContent>(content) else { return Value::Null };
    let ticket = Ticket::new(content);
    let hex = ticket.digest().hex();
    let zeros = "0".repeat(hex.len());
    let mut object = build(&ticket, None).pipeline_run;
    without(&mut object, &[(hex, &zeros), (&hex[..10], &zeros[..10])]);
    object
}

/// Replaces texts wherever they stand.
fn without(value: &mut Value, pairs: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            for (from, to) in pairs {
                if text.contains(from) {
                    *text = text.replace(from, to);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, pairs)),
        Value::Object(members) => members.values_mut().for_each(|member| without(member, pairs)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_built_by_the_builder_and_changes_only_with_what_it_says() {
        let mut registration: Registration = serde_json::from_value(json!({
            "workflow_id": "oomkill", "version": "1.2.0", "title": "A", "description": "A", "container_image": "quay.io/a/b:c",
            "parameters": {"exposed": [{"name": "REPLICAS", "type": "integer", "minimum": 2}],
                "hidden": [{"name": "ROUTE", "value": "x"}, {"name": "TOKEN", "secret_ref": {"name": "git", "key": "token"}}]},
            "execution": {"retry_count": 2, "timeout": "5m", "service_account": "fixer"},
        }))
        .unwrap();
        let place = Place { cluster: "prod".into(), namespace: "kubernaut-system".into(), kubeconfig_secret: None };
        let object = preview(&registration, &place);
        assert_eq!(object["kind"], "PipelineRun");
        assert_eq!(object["metadata"]["name"], "remediation-inc-example-oomkill-0000000000");
        assert_eq!(object["spec"]["pipelineRef"]["name"], "playbook-executor-retry-2");
        assert_eq!(object["spec"]["taskRunTemplate"]["serviceAccountName"], "fixer");
        let text = object.to_string();
        assert!(text.contains("REPLICAS=2\\nROUTE=x\\nTOKEN=<secret git/token>"), "{text}");
        registration.title = "Another".into();
        assert_eq!(preview(&registration, &place), object);
    }
}
