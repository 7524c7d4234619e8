//! What a strategy would act on, seen in the cluster: what is there ([`state`]), what would change in it ([`change`]), and whether
//! it is still what was analysed ([`since`]). Which object it is, is the rule of [`crate::recommendation::target`]; here it is asked
//! of exactly what would run, with defaults, hidden values and the operator's edits, and of step lists.

pub mod change;
pub mod kinds;
mod quantity;
mod scope;
pub mod since;
pub mod state;

pub use scope::Scope;

use crate::{
    playbook::values::{EnvEntry, EnvValue},
    recommendation::{
        Incident, ResourceRef, Strategy,
        target::{Target, named},
    },
    ticket::Plan,
};
use serde_json::{Map, Value};
use std::{collections::HashSet, hash::Hash};

/// Kinds by which an action's input may name its object: `deployment: my-app`.
const KINDS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Pod", "Node"];
/// Inputs that say a namespace, without underscores and in lower case.
const PLACES: [&str; 3] = ["namespace", "targetnamespace", "namespaces"];

/// So many names a person can type.
const TYPED: usize = 10;

/// Of a strategy as it was proposed.
pub fn of_strategy(incident: &Incident, strategy: &Strategy) -> Target {
    Scope::of_strategy(incident, strategy).target
}

/// Of exactly what would run.
pub fn of_plan(incident: Option<&ResourceRef>, plan: &Plan) -> Target {
    Scope::of_plan(incident, plan).target
}

/// What a person types before they approve what acts on this: the names of all its objects, or the incident where nobody names
/// an object or there are more than anybody would type.
pub fn to_type<'a>(incident: &Incident, objects: impl IntoIterator<Item = &'a ResourceRef>) -> String {
    let names = distinct(objects.into_iter().map(|object| object.name.as_str()));
    if names.is_empty() || names.len() > TYPED { incident.id.clone() } else { names.join(" ") }
}

fn texts(parameters: &[EnvEntry]) -> Map<String, Value> {
    let texts = parameters.iter().filter_map(|entry| match &entry.value {
        EnvValue::Text(text) => Some((entry.name.to_string(), Value::String(text.clone()))),
        EnvValue::Secret { .. } => None,
    });
    texts.collect()
}

/// What steps of a list act on beside this object, as a sentence; none where that is all.
pub fn others(plan: &Plan, than: &ResourceRef) -> Option<String> {
    let Plan::Steps { steps, .. } = plan else { return None };
    let objects = steps.iter().flat_map(|step| of_inputs(&step.inputs)).filter(|object| object != than);
    let others = distinct(objects.map(|object| match object.namespace {
        Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
        None => format!("{} {}", object.kind, object.name),
    }));
    (!others.is_empty()).then(|| format!("Further steps act on other objects: {}.", others.join(", ")))
}

/// All objects that the inputs of a step name: `deployment: my-app`, `kind` and `name`, or as playbooks are told.
fn of_inputs(inputs: &Map<String, Value>) -> Vec<ResourceRef> {
    let given = |wanted: &str| {
        let values = inputs.iter().filter(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
        values.flat_map(words).collect::<Vec<_>>()
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for kind in KINDS {
        pairs.extend(given(kind).into_iter().map(|name| (kind.to_owned(), name)));
    }
    let kind = match given("kind").as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(kinds::SOME.to_owned()),
    };
    pairs.extend(given("name").into_iter().filter_map(|name| Some((kind.clone()?, name))));
    let namespace = places(inputs).into_iter().next();
    let by_pairs = pairs
        .into_iter()
        .map(|(kind, name)| kinds::canonical(&ResourceRef { kind, namespace: namespace.clone(), name }));
    distinct(by_pairs.chain(named(inputs)))
}

/// Each once, in their order. They may be many.
fn distinct<T: Clone + Eq + Hash>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    all.into_iter().filter(|one| seen.insert(one.clone())).collect()
}

/// All namespaces that the inputs of a step say.
fn places(inputs: &Map<String, Value>) -> Vec<String> {
    let says = |key: &str| PLACES.contains(&key.replace('_', "").to_ascii_lowercase().as_str());
    inputs.iter().filter(|(key, _)| says(key)).flat_map(|(_, value)| words(value)).collect()
}

/// The texts of a value: itself, or those of its list.
fn words(value: &Value) -> Vec<String> {
    let all = match value {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts = all.iter().filter_map(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, namespace: Option<&str>, name: &str) -> ResourceRef {
        ResourceRef { kind: kind.into(), namespace: namespace.map(Into::into), name: name.into() }
    }

    fn of(inputs: &Value) -> Vec<ResourceRef> {
        of_inputs(inputs.as_object().unwrap())
    }

    #[test]
    fn steps_name_their_object_in_their_inputs() {
        let named = of(&json!({"deployment": "payment-service", "namespace": "production", "replicas": 10}));
        assert_eq!(named, [object("Deployment", Some("production"), "payment-service")]);
        let named = of(&json!({"kind": "daemonset", "name": "agent", "namespace": "ops"}));
        assert_eq!(named, [object("DaemonSet", Some("ops"), "agent")]);
        assert_eq!(of(&json!({"node": "worker-1", "namespace": "ops"})), [object("Node", None, "worker-1")]);
        assert!(of(&json!({"namespace": "production", "labelSelector": "app=x"})).is_empty());
        let several = json!({"deployment": "a", "pod": ["b", "c"], "node": "n", "kind": "svc", "name": "s", "Target_Namespace": "p"});
        let expected = [("Deployment", "a"), ("Pod", "b"), ("Pod", "c"), ("Node", "n"), ("Service", "s")];
        let expected = expected.map(|(kind, name)| object(kind, Some("p").filter(|_| kind != "Node"), name));
        assert_eq!(of(&several), expected);
    }

    #[test]
    fn all_that_is_acted_on_is_typed() {
        let incident: Incident =
            serde_json::from_value(json!({"id": "inc-1", "signal_type": "OOMKilled", "severity": "high"})).unwrap();
        let objects = [object("Deployment", Some("dev"), "decoy"), object("Pod", None, "x"), object("Node", None, "x")];
        assert_eq!(to_type(&incident, &objects), "decoy x");
        assert_eq!(to_type(&incident, &[]), "inc-1");
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
