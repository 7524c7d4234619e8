//! All that something acts on: every object that its parameters or steps name, and every namespace that they say. Rules by
//! namespace, the rights of whoever approves and the distance between runs go by all of it, not by the first object: who may
//! write a step list may write anything before what they are after.

use super::{
    distinct,
    kinds::{Spot, canonical},
    of_inputs, places, texts,
};
use crate::{
    recommendation::{
        Incident, Proposal, ResourceRef, Strategy,
        target::{Target, named, place},
    },
    ticket::Plan,
    workflow::Step,
};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Objects by which a run is kept apart from others.
const MOST: usize = 200;

/// All that something acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The first object, and whether that is what the incident is about.
    pub target: Target,
    /// Every object, each once, the target first.
    pub objects: Vec<ResourceRef>,
    /// Every namespace that is said, each once, whether or not an object is named in it.
    said: Vec<String>,
    /// Of these the ones in which no object is named: anything there may be acted on.
    whole: Vec<String>,
}

impl Scope {
    /// Of exactly what would run.
    pub fn of_plan(incident: Option<&ResourceRef>, plan: &Plan) -> Self {
        let said = match plan {
            Plan::Playbook { parameters, .. } => Said::of_parameters(&texts(parameters)),
            Plan::Steps { steps, .. } => Said::of_steps(steps),
        };
        Self::of(incident, said)
    }

    /// Of a strategy as it was proposed.
    pub fn of_strategy(incident: &Incident, strategy: &Strategy) -> Self {
        let said = match &strategy.proposal {
            Proposal::Playbook { parameters, .. } => Said::of_parameters(parameters),
            Proposal::Steps { steps } => Said::of_steps(&steps.steps),
        };
        Self::of(incident.resource.as_ref(), said)
    }

    fn of(incident: Option<&ResourceRef>, said: Said) -> Self {
        let Said { objects: named, namespaces, whole } = said;
        let namespaces = distinct(namespaces);
        let target = Target::of(incident, named.first().cloned(), &namespaces);
        let others = named.into_iter().skip(1).map(|object| in_its_namespace(object, incident));
        let objects = distinct(target.acts_on().cloned().into_iter().chain(others));
        Self { target, objects, said: namespaces, whole: distinct(whole) }
    }

    /// The namespaces that it acts in, the target's first. An empty text at the end stands for an object that is in none, or in one
    /// that nobody says, beside others; nothing at all where that is all there is.
    pub fn namespaces(&self) -> Vec<String> {
        let of_objects = self.objects.iter().filter_map(|object| object.namespace.clone());
        let mut all = distinct(of_objects.chain(self.said.iter().cloned()));
        if !all.is_empty() && self.objects.iter().any(|object| object.namespace.is_none()) {
            all.push(String::new());
        }
        all
    }

    /// What it is kept apart from other runs by; never empty. What says nothing may act on anything, and so is taken what says too
    /// much to be compared.
    pub fn spots(&self) -> Vec<Spot> {
        let within = self.whole.iter().map(|namespace| Spot::within(namespace));
        let all = distinct(self.objects.iter().map(Spot::of).chain(within));
        if all.is_empty() || all.len() > MOST { vec![Spot::default()] } else { all }
    }
}

/// What parameters or steps say.
#[derive(Default)]
struct Said {
    objects: Vec<ResourceRef>,
    namespaces: Vec<String>,
    whole: Vec<String>,
}

impl Said {
    fn of_parameters(parameters: &Map<String, Value>) -> Self {
        let mut said = Self::default();
        said.add(named(parameters).into_iter().collect(), place(parameters).into_iter().collect());
        said
    }

    fn of_steps(steps: &[Step]) -> Self {
        let mut said = Self::default();
        for step in steps {
            said.add(of_inputs(&step.inputs), places(&step.inputs));
        }
        said
    }

    fn add(&mut self, objects: Vec<ResourceRef>, namespaces: Vec<String>) {
        let named: HashSet<String> = objects.iter().filter_map(|object| object.namespace.clone()).collect();
        // Of several namespaces an object is in one.
        self.whole.extend(namespaces.iter().filter(|namespace| !named.contains(*namespace)).cloned());
        self.namespaces.extend(namespaces);
        self.objects.extend(objects);
    }
}

/// The object that the incident is about is where the incident says, unless the step says another place.
fn in_its_namespace(object: ResourceRef, incident: Option<&ResourceRef>) -> ResourceRef {
    let Some(incident) = incident.map(canonical).filter(|_| object.namespace.is_none()) else { return object };
    if incident.kind == object.kind && incident.name == object.name { incident } else { object }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, namespace: Option<&str>, name: &str) -> ResourceRef {
        ResourceRef { kind: kind.into(), namespace: namespace.map(Into::into), name: name.into() }
    }

    fn by_parameters(incident: Option<&ResourceRef>, parameters: &Value) -> Scope {
        Scope::of(incident, Said::of_parameters(parameters.as_object().unwrap()))
    }

    fn by_inputs(incident: Option<&ResourceRef>, steps: &[Value]) -> Scope {
        let mut said = Said::default();
        for inputs in steps.iter().map(|inputs| inputs.as_object().unwrap()) {
            said.add(of_inputs(inputs), places(inputs));
        }
        Scope::of(incident, said)
    }

    #[test]
    fn the_namespace_that_runs_outranks_the_one_that_is_said() {
        let unsaid = object("deployment", None, "my-app");
        let dev = object("Deployment", Some("dev"), "my-app");
        let whole = json!({ "TARGET_RESOURCE_NAME": "my-app", "TARGET_NAMESPACE": "production" });
        let scope = by_parameters(Some(&unsaid), &whole);
        assert_eq!(scope.target, Target::Agreed(object("Deployment", Some("production"), "my-app")));
        assert_eq!(scope.namespaces(), ["production"]);
        for incident in [None, Some(&unsaid), Some(&dev)] {
            let scope = by_parameters(incident, &json!({ "TARGET_NAMESPACE": "production" }));
            assert_eq!(scope.namespaces(), ["production"], "{incident:?}");
            assert!(scope.spots().contains(&Spot::within("production")), "nobody names what in it");
            let scope = by_inputs(incident, &[json!({ "namespace": "production", "labelSelector": "app=x" })]);
            assert_eq!(scope.namespaces(), ["production"], "{incident:?}");
        }
        let drain = json!({ "TARGET_NODE": "worker-1", "TARGET_NAMESPACE": "production" });
        assert_eq!(by_parameters(None, &drain).namespaces(), ["production", ""], "a node is in none");
        let node = by_parameters(None, &json!({ "TARGET_NODE": "worker-1" }));
        assert_eq!((node.namespaces().len(), node.spots().len()), (0, 1));
    }

    #[test]
    fn every_object_of_every_step_counts() {
        let incident = object("Deployment", Some("production"), "my-app");
        let steps = [
            json!({ "deployment": "decoy", "namespace": "dev" }),
            json!({ "deployment": "my-app" }),
            json!({ "namespace": "payments", "labelSelector": "app=x" }),
            json!({ "node": "worker-1" }),
        ];
        let scope = by_inputs(Some(&incident), &steps);
        let expected = [object("Deployment", Some("dev"), "decoy"), incident.clone(), object("Node", None, "worker-1")];
        assert_eq!(scope.objects, expected);
        assert_eq!(scope.namespaces(), ["dev", "production", "payments", ""]);
        let spots: Vec<_> = expected.iter().map(Spot::of).chain([Spot::within("payments")]).collect();
        assert_eq!(scope.spots(), spots);
        assert_eq!(by_inputs(None, &[json!({ "wait": "5s" })]).spots(), [Spot::default()]);
        let many: Vec<String> = (0..=MOST).map(|n| format!("pod-{n}")).collect();
        assert_eq!(by_inputs(None, &[json!({ "pod": many })]).spots(), [Spot::default()], "too many to be compared");
    }
}
