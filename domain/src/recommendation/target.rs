//! What a strategy acts on, and whether that is what the incident is about. One rule for lists, tickets and runs: the object
//! that the incident names, and where it names none the one that the parameters name (the seeds' `TARGET_…`).

use super::{Incident, Proposal, ResourceRef, Strategy};
use serde_json::{Map, Value};

/// The parameters by which playbooks are told what to act on (parameter seed, Parameters).
const KIND: &str = "TARGET_RESOURCE_KIND";
const NAME: &str = "TARGET_RESOURCE_NAME";
const NAMESPACE: &str = "TARGET_NAMESPACE";
const NODE: &str = "TARGET_NODE";

/// What to call an object whose kind nobody said.
const SOME_KIND: &str = "Object";

/// What a strategy acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nobody says.
    Unknown,
    /// The incident and the parameters mean the same, or only one of them says it.
    Agreed(ResourceRef),
    /// The parameters name an object of another kind: a node in trouble is relieved by scaling a Deployment.
    Elsewhere {
        /// What the parameters name: this is what it acts on.
        acts_on: ResourceRef,
        /// What the incident is about.
        incident: ResourceRef,
    },
    /// The parameters name another object of the same kind: what is in trouble would stay as it is.
    Mismatch {
        /// What the parameters name: this is what it acts on.
        acts_on: ResourceRef,
        /// What the incident is about.
        incident: ResourceRef,
    },
}

impl Target {
    /// Of what an incident names and what the parameters name.
    pub fn of(incident: Option<&ResourceRef>, parameters: Option<ResourceRef>) -> Self {
        match (incident, parameters) {
            (None, None) => Self::Unknown,
            (Some(one), None) => Self::Agreed(one.clone()),
            (None, Some(one)) => Self::Agreed(one),
            (Some(incident), Some(acts_on)) => {
                let kinds = |word: &str| acts_on.kind == SOME_KIND || word.eq_ignore_ascii_case(&acts_on.kind);
                // A playbook need not ask for what goes without saying.
                let namespaces = match (&incident.namespace, &acts_on.namespace) {
                    (Some(one), Some(other)) => one == other,
                    _ => true,
                };
                let incident = incident.clone();
                if !kinds(&incident.kind) {
                    Self::Elsewhere { acts_on, incident }
                } else if incident.name == acts_on.name && namespaces {
                    Self::Agreed(incident)
                } else {
                    Self::Mismatch { acts_on, incident }
                }
            }
        }
    }

    /// Of a strategy for an incident.
    pub fn of_strategy(incident: &Incident, strategy: &Strategy) -> Self {
        let named = match &strategy.proposal {
            Proposal::Playbook { parameters, .. } => named(parameters),
            // Steps may act on many things.
            Proposal::Steps { .. } => None,
        };
        Self::of(incident.resource.as_ref(), named)
    }

    /// The object that it acts on.
    pub fn acts_on(&self) -> Option<&ResourceRef> {
        match self {
            Self::Unknown => None,
            Self::Agreed(one) => Some(one),
            Self::Elsewhere { acts_on, .. } | Self::Mismatch { acts_on, .. } => Some(acts_on),
        }
    }
}

/// The object that parameters name, if they name one.
pub fn named(parameters: &Map<String, Value>) -> Option<ResourceRef> {
    let text = |name: &str| {
        parameters.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(name) = text(NAME) {
        let kind = text(KIND).unwrap_or_else(|| SOME_KIND.to_owned());
        return Some(ResourceRef { kind, namespace: text(NAMESPACE), name });
    }
    text(NODE).map(|name| ResourceRef { kind: "Node".into(), namespace: None, name })
}

/// Parameters that say where, as opposed to what: lists show them as the target.
pub fn names_target(parameter: &str) -> bool {
    [KIND, NAME, NAMESPACE, NODE].contains(&parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, namespace: Option<&str>, name: &str) -> ResourceRef {
        ResourceRef { kind: kind.into(), namespace: namespace.map(str::to_owned), name: name.into() }
    }

    fn parameters(value: &Value) -> Option<ResourceRef> {
        named(value.as_object().unwrap())
    }

    #[test]
    fn the_seeds_parameters_name_an_object() {
        let whole = json!({ "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "my-app", "TARGET_NAMESPACE": "production" });
        assert_eq!(parameters(&whole), Some(object("Deployment", Some("production"), "my-app")));
        assert_eq!(parameters(&json!({ "TARGET_NODE": "worker-2" })), Some(object("Node", None, "worker-2")));
        assert_eq!(parameters(&json!({ "TARGET_RESOURCE_NAME": " " })), None);
        assert_eq!(parameters(&json!({ "TARGET_NAMESPACE": "production", "REPLICAS": 1 })), None);
    }

    #[test]
    fn the_incident_is_believed_and_the_parameters_where_it_is_silent() {
        let app = object("Deployment", Some("production"), "my-app");
        assert_eq!(Target::of(None, None), Target::Unknown);
        assert_eq!(Target::of(Some(&app), None), Target::Agreed(app.clone()));
        assert_eq!(Target::of(None, Some(app.clone())), Target::Agreed(app.clone()));
        let brief = object("Object", None, "my-app");
        assert_eq!(Target::of(Some(&app), Some(brief)), Target::Agreed(app));
    }

    #[test]
    fn another_object_of_the_same_kind_is_a_mismatch_and_one_of_another_kind_is_told() {
        let app = object("Deployment", Some("production"), "my-app");
        for wrong in
            [object("deployment", Some("production"), "other"), object("Deployment", Some("staging"), "my-app")]
        {
            let target = Target::of(Some(&app), Some(wrong.clone()));
            assert_eq!(target, Target::Mismatch { acts_on: wrong.clone(), incident: app.clone() });
            assert_eq!(target.acts_on(), Some(&wrong));
        }
        let node = object("Node", None, "worker-2");
        assert!(matches!(Target::of(Some(&node), Some(app)), Target::Elsewhere { .. }));
    }
}
