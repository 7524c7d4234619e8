//! What a strategy acts on, and whether that is what the incident is about. One rule for lists, tickets and runs: the object
//! that the parameters name (the seeds' `TARGET_…`), and where they are silent the incident.

use super::{Incident, Proposal, ResourceRef, Strategy};
use crate::target::kinds::{self, SOME};
use serde_json::{Map, Value};

/// The parameters by which playbooks are told what to act on (parameter seed, Parameters).
const KIND: &str = "TARGET_RESOURCE_KIND";
const NAME: &str = "TARGET_RESOURCE_NAME";
const NAMESPACE: &str = "TARGET_NAMESPACE";
const NODE: &str = "TARGET_NODE";

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
    /// Of what an incident names and what the parameters name. What runs outranks what is said: where both mean one object, its kind
    /// and namespace are the parameters', as far as they give them. `places` are the namespaces that parameters say which name no
    /// object.
    pub fn of(incident: Option<&ResourceRef>, parameters: Option<ResourceRef>, places: &[String]) -> Self {
        let incident = incident.map(kinds::canonical);
        let parameters = parameters.map(|one| kinds::canonical(&one));
        match (incident, parameters) {
            (None, None) => Self::Unknown,
            (Some(incident), None) => Self::in_places(incident, places),
            (None, Some(one)) => Self::Agreed(one),
            (Some(incident), Some(acts_on)) => {
                let kinds = acts_on.kind == SOME || incident.kind.eq_ignore_ascii_case(&acts_on.kind);
                // A playbook need not ask for what goes without saying.
                let namespaces = match (&incident.namespace, &acts_on.namespace) {
                    (Some(one), Some(other)) => one == other,
                    _ => true,
                };
                if !kinds {
                    Self::Elsewhere { acts_on, incident }
                } else if incident.name == acts_on.name && namespaces {
                    let kind = if acts_on.kind == SOME { incident.kind } else { acts_on.kind };
                    let namespace = acts_on.namespace.or(incident.namespace);
                    Self::Agreed(ResourceRef { kind, namespace, name: incident.name })
                } else {
                    Self::Mismatch { acts_on, incident }
                }
            }
        }
    }

    /// The incident's object where nothing but these namespaces is said.
    fn in_places(incident: ResourceRef, places: &[String]) -> Self {
        let Some(first) = places.first().filter(|_| !kinds::is_cluster_wide(&incident.kind)) else {
            return Self::Agreed(incident);
        };
        let there = ResourceRef { namespace: Some(first.clone()), ..incident.clone() };
        match &incident.namespace {
            None => Self::Agreed(there),
            Some(said) if places.contains(said) => Self::Agreed(incident),
            Some(_) => Self::Mismatch { acts_on: there, incident },
        }
    }

    /// Of a strategy for an incident.
    pub fn of_strategy(incident: &Incident, strategy: &Strategy) -> Self {
        let (named, place) = match &strategy.proposal {
            Proposal::Playbook { parameters, .. } => (named(parameters), place(parameters)),
            // Steps may act on many things.
            Proposal::Steps { .. } => (None, None),
        };
        Self::of(incident.resource.as_ref(), named, place.as_slice())
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
    if let Some(name) = text(parameters, NAME) {
        let kind = text(parameters, KIND).unwrap_or_else(|| SOME.to_owned());
        return Some(kinds::canonical(&ResourceRef { kind, namespace: place(parameters), name }));
    }
    text(parameters, NODE).map(|name| ResourceRef { kind: "Node".into(), namespace: None, name })
}

/// The namespace that parameters say, whether or not they name an object in it.
pub fn place(parameters: &Map<String, Value>) -> Option<String> {
    text(parameters, NAMESPACE)
}

fn text(parameters: &Map<String, Value>, name: &str) -> Option<String> {
    parameters.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
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
    fn the_parameters_are_believed_and_the_incident_where_they_are_silent() {
        let app = object("Deployment", Some("production"), "my-app");
        let of =
            |incident: Option<&ResourceRef>, parameters: Option<ResourceRef>| Target::of(incident, parameters, &[]);
        assert_eq!(of(None, None), Target::Unknown);
        assert_eq!(of(Some(&app), None), Target::Agreed(app.clone()));
        assert_eq!(of(None, Some(app.clone())), Target::Agreed(app.clone()));
        let brief = object("Object", None, "my-app");
        assert_eq!(of(Some(&app), Some(brief.clone())), Target::Agreed(app.clone()));
        assert_eq!(of(Some(&brief), Some(app.clone())), Target::Elsewhere { acts_on: app.clone(), incident: brief });
        let unsaid = object("deployment", None, "my-app");
        assert_eq!(of(Some(&unsaid), Some(app.clone())), Target::Agreed(app));
    }

    #[test]
    fn a_namespace_alone_says_where_it_acts() {
        let dev = object("Deployment", Some("dev"), "my-app");
        let production = object("Deployment", Some("production"), "my-app");
        let places = ["production".to_owned()];
        let target = Target::of(Some(&dev), None, &places);
        assert_eq!(target, Target::Mismatch { acts_on: production.clone(), incident: dev });
        let unsaid = object("Deployment", None, "my-app");
        assert_eq!(Target::of(Some(&unsaid), None, &places), Target::Agreed(production));
        let node = object("Node", None, "worker-2");
        assert_eq!(Target::of(Some(&node), None, &places), Target::Agreed(node));
        assert_eq!(Target::of(None, None, &places), Target::Unknown);
    }

    #[test]
    fn another_object_of_the_same_kind_is_a_mismatch_and_one_of_another_kind_is_told() {
        let app = object("Deployment", Some("production"), "my-app");
        for (kind, namespace, name) in [("deployment", "production", "other"), ("Deployment", "staging", "my-app")] {
            let target = Target::of(Some(&app), Some(object(kind, Some(namespace), name)), &[]);
            let wrong = object("Deployment", Some(namespace), name);
            assert_eq!(target, Target::Mismatch { acts_on: wrong.clone(), incident: app.clone() });
            assert_eq!(target.acts_on(), Some(&wrong));
        }
        let node = object("Node", None, "worker-2");
        assert!(matches!(Target::of(Some(&node), Some(app), &[]), Target::Elsewhere { .. }));
    }
}
