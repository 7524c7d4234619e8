//! What a strategy would act on, seen in the cluster: what is there ([`state`]), what would change in it ([`change`]), and whether
//! it is still what was analysed ([`since`]). Which object it is, is the rule of [`crate::recommendation::target`]; here it is asked
//! of exactly what would run, with defaults, hidden values and the operator's edits, and of step lists.

pub mod change;
mod quantity;
pub mod since;
pub mod state;

use crate::{
    playbook::values::{EnvEntry, EnvValue},
    recommendation::{
        Incident, Proposal, ResourceRef, Strategy,
        target::{Target, named},
    },
    ticket::Plan,
    workflow::Step,
};
use serde_json::{Map, Value};

/// Kinds by which an action's input may name its object: `deployment: my-app`.
const KINDS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Pod", "Node"];

/// Of a strategy as it was proposed.
pub fn of_strategy(incident: &Incident, strategy: &Strategy) -> Target {
    match &strategy.proposal {
        Proposal::Playbook { .. } => Target::of_strategy(incident, strategy),
        Proposal::Steps { steps } => Target::of(incident.resource.as_ref(), of_steps(&steps.steps)),
    }
}

/// Of exactly what would run.
pub fn of_plan(incident: Option<&ResourceRef>, plan: &Plan) -> Target {
    let object = match plan {
        Plan::Playbook { parameters, .. } => named(&texts(parameters)),
        Plan::Steps { steps, .. } => of_steps(steps),
    };
    Target::of(incident, object)
}

/// What a person types before they approve what acts on this: the object's name, or the incident where nobody names an object.
pub fn to_type(incident: &Incident, target: &Target) -> String {
    target.acts_on().map_or_else(|| incident.id.clone(), |object| object.name.clone())
}

fn texts(parameters: &[EnvEntry]) -> Map<String, Value> {
    let texts = parameters.iter().filter_map(|entry| match &entry.value {
        EnvValue::Text(text) => Some((entry.name.to_string(), Value::String(text.clone()))),
        EnvValue::Secret { .. } => None,
    });
    texts.collect()
}

/// The object that the first step names which names one; further steps may act on others.
fn of_steps(steps: &[Step]) -> Option<ResourceRef> {
    steps.iter().find_map(|step| of_inputs(&step.inputs))
}

/// What steps of a list act on beside this object, as a sentence; none where that is all.
pub fn others(plan: &Plan, than: &ResourceRef) -> Option<String> {
    let Plan::Steps { steps, .. } = plan else { return None };
    let mut others = Vec::new();
    for object in steps.iter().filter_map(|step| of_inputs(&step.inputs)).filter(|object| object != than) {
        let called = match object.namespace {
            Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
            None => format!("{} {}", object.kind, object.name),
        };
        if !others.contains(&called) {
            others.push(called);
        }
    }
    (!others.is_empty()).then(|| format!("Further steps act on other objects: {}.", others.join(", ")))
}

/// The object that the inputs of a step name: `deployment: my-app`, or `kind` and `name`.
fn of_inputs(inputs: &Map<String, Value>) -> Option<ResourceRef> {
    let text = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let given =
        |name: &str| inputs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| text(value));
    let by_kind = KINDS.iter().find_map(|kind| Some((*kind, given(kind)?)));
    let (kind, name) = match by_kind {
        Some((kind, name)) => (kind.to_owned(), name),
        None => (given("kind")?, given("name")?),
    };
    let kind = KINDS.iter().find(|known| known.eq_ignore_ascii_case(&kind)).map_or(kind, |known| (*known).to_owned());
    let namespace = if kind == "Node" { None } else { given("namespace") };
    Some(ResourceRef { kind, namespace, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, namespace: Option<&str>, name: &str) -> ResourceRef {
        ResourceRef { kind: kind.into(), namespace: namespace.map(Into::into), name: name.into() }
    }

    fn of(inputs: &Value) -> Option<ResourceRef> {
        of_inputs(inputs.as_object().unwrap())
    }

    #[test]
    fn steps_name_their_object_in_their_inputs() {
        let named = of(&json!({"deployment": "payment-service", "namespace": "production", "replicas": 10}));
        assert_eq!(named, Some(object("Deployment", Some("production"), "payment-service")));
        let named = of(&json!({"kind": "daemonset", "name": "agent", "namespace": "ops"}));
        assert_eq!(named, Some(object("DaemonSet", Some("ops"), "agent")));
        assert_eq!(of(&json!({"node": "worker-1", "namespace": "ops"})), Some(object("Node", None, "worker-1")));
        assert_eq!(of(&json!({"namespace": "production", "labelSelector": "app=x"})), None);
    }

    #[test]
    fn what_would_run_decides_and_not_what_was_proposed() {
        let env = |name: &str, value: &str| json!({"name": name, "value": {"text": value}, "source": "operator"});
        let plan: Plan = serde_json::from_value(json!({
            "kind": "playbook", "workflow_id": "w", "version": "1.0.0", "image": format!("a.example/b@sha256:{}", "a".repeat(64)),
            "image_pull_policy": "IfNotPresent", "outputs": [],
            "parameters": [env("TARGET_RESOURCE_KIND", "Deployment"), env("TARGET_RESOURCE_NAME", "other"), env("TARGET_NAMESPACE", "p")],
        }))
        .unwrap();
        let incident = object("Deployment", Some("p"), "my-app");
        let target = of_plan(Some(&incident), &plan);
        assert!(matches!(target, Target::Mismatch { .. }), "{target:?}");
        assert_eq!(target.acts_on(), Some(&object("Deployment", Some("p"), "other")));
    }
}
