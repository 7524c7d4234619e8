//! The action registry: which types of actions there are, what each takes, and the image that does it (architecture seed). It is kept in a
//! ConfigMap, a contract under each key. Where there is one, every step of a list is held against it; where there is none, any step
//! goes. Knows neither the ConfigMap nor the form that a contract is written in.

use super::image::ImageRef;
#[cfg(feature = "judge")]
use super::judge::{self, Judge};
use crate::fault::{Complaint, Fault, Faults, code};
use crate::limits;
use crate::reader::{self, ObjectReader};
#[cfg(feature = "judge")]
use crate::{
    json::pointer::{join, join_index},
    reader::{nearest, quoted},
    workflow::{Step, StepPlan},
};
use serde::Serialize;
use serde_json::Value;

/// The ConfigMap that holds the registry, in the console's namespace.
pub const CONFIG_MAP: &str = "kubernaut-actions";

/// A type of action.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionType {
    /// What steps call it, such as `kubernetes/scale_deployment`.
    pub action_type: String,
    /// The version of its contract.
    pub version: String,
    /// What it does.
    pub description: String,
    /// The image that does it; a step must name the same one.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub image: ImageRef,
    /// JSON Schema of what it takes.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub inputs: Value,
    /// JSON Schema of what it reports.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub outputs: Value,
    /// Whether it may be repeated, in words.
    pub repeatable: Option<String>,
}

impl ActionType {
    /// Reads a contract; every fault is found in one pass.
    ///
    /// # Errors
    /// With pointers into the contract.
    pub fn parse(contract: &Value) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(contract, "", &mut faults);
        let action_type = object.required("actionType", reader::line(1..=limits::ACTION_TYPE));
        let version = object.required("version", reader::line(1..=limits::registration::VERSION));
        let description = object.required("description", reader::paragraphs(1..=limits::registration::DESCRIPTION));
        let image = object.required("image", reader::parsed());
        let inputs = object.required("inputs", schema);
        let outputs = object.optional("outputs", schema);
        let repeatable = object.optional("repeatable", reader::paragraphs(1..=limits::registration::DESCRIPTION));
        object.finish();
        match (action_type, version, description, image, inputs) {
            (Some(action_type), Some(version), Some(description), Some(image), Some(inputs)) if faults.is_empty() => {
                let outputs = outputs.unwrap_or_default();
                Ok(Self { action_type, version, description, image, inputs, outputs, repeatable })
            }
            _ => Err(faults),
        }
    }
}

/// A JSON Schema of an object, in which nothing can be wrong any more.
fn schema(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Value> {
    if value["type"] != "object" {
        let complaint = Complaint::new(code::NOT_ALLOWED, "write a JSON Schema with \"type\": \"object\"");
        return reader::refuse(complaint, pointer, faults);
    }
    #[cfg(feature = "judge")]
    if let Err(complaint) = Judge::new(value) {
        return reader::refuse(complaint, pointer, faults);
    }
    Some(value.clone())
}

/// A key of the ConfigMap that holds no contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BadContract {
    /// The key.
    pub key: String,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// The registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ActionRegistry {
    /// Its types of actions, by name.
    pub actions: Vec<ActionType>,
    /// Keys that hold no contract: what they were to allow is not allowed.
    pub bad: Vec<BadContract>,
}

impl ActionRegistry {
    /// The registry of these contracts by their keys. Of two for one type the second is a fault.
    pub fn of(contracts: impl IntoIterator<Item = (String, Result<Value, Fault>)>) -> Self {
        let mut registry = Self::default();
        for (key, contract) in contracts {
            let read = contract.map_err(|fault| vec![fault]);
            let read = read.and_then(|contract| ActionType::parse(&contract).map_err(Faults::into_vec));
            match read {
                Ok(action) if registry.actions.iter().any(|known| known.action_type == action.action_type) => {
                    let message = format!("remove one of them: another key has {}, too", action.action_type);
                    let faults = vec![Fault::new("/actionType", code::DUPLICATE, message)];
                    registry.bad.push(BadContract { key, faults });
                }
                Ok(action) => registry.actions.push(action),
                Err(faults) => registry.bad.push(BadContract { key, faults }),
            }
        }
        registry.actions.sort_by(|a, b| a.action_type.cmp(&b.action_type));
        registry
    }

    /// What is wrong with the steps of a list, whose images are pinned, with pointers into it.
    #[cfg(feature = "judge")]
    pub fn check(&self, plan: &StepPlan) -> Vec<Fault> {
        let mut faults = Faults::new();
        for (index, step) in plan.steps.iter().enumerate() {
            self.check_step(step, &join_index("/steps", index), &mut faults);
        }
        faults.into_vec()
    }

    #[cfg(feature = "judge")]
    fn check_step(&self, step: &Step, pointer: &str, faults: &mut Faults) {
        let Some(action) = self.actions.iter().find(|action| action.action_type == step.action_type) else {
            let known = self.actions.iter().map(|action| action.action_type.as_str());
            let advice = match nearest(&step.action_type, known) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None => format!("the registry (ConfigMap {CONFIG_MAP}) says which there are"),
            };
            let message = format!("there is no action {}: {advice}", quoted(&step.action_type));
            faults.add(join(pointer, "actionType"), "unknown_action", message);
            return;
        };
        let same = match action.image.digest() {
            Some(digest) => step.image.repository() == action.image.repository() && step.image.digest() == Some(digest),
            None => action.image.is_pinned_by(&step.image),
        };
        if !same {
            let message = format!("write {}: the registry has that image for {}", action.image, action.action_type);
            faults.add(join(pointer, "image"), code::NOT_ALLOWED, message);
        }
        // A schema that was read can be used.
        let Ok(judge) = Judge::new(&action.inputs) else { return };
        let inputs = Value::Object(step.inputs.clone());
        for error in judge.errors(&inputs) {
            let at = format!("{}{}", join(pointer, "inputs"), error.instance_path().as_str());
            faults.push(judge::complaint(&error).at(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn contract(action: &str, image: &str) -> Value {
        json!({
            "actionType": action, "version": "1.0.0", "description": "Scales a Deployment.", "image": image,
            "inputs": { "type": "object", "additionalProperties": false, "required": ["replicas"],
                "properties": { "replicas": { "type": "integer", "minimum": 0, "maximum": 10 } } },
        })
    }

    fn registry() -> ActionRegistry {
        let digest = "7".repeat(64);
        ActionRegistry::of([
            ("scale.json".to_owned(), Ok(contract("kubernetes/scale", &format!("r.example/scale@sha256:{digest}")))),
            ("restart.json".to_owned(), Ok(contract("kubernetes/restart", "r.example/restart:1.0"))),
        ])
    }

    fn plan(action: &str, image: &str, inputs: &Value) -> StepPlan {
        let step = json!({ "name": "one", "actionType": action, "image": image, "inputs": inputs });
        StepPlan::parse(&json!({ "workflowType": "x", "reason": "y", "steps": [step] })).expect("a list of steps")
    }

    fn places(faults: Vec<Fault>) -> Vec<(String, String)> {
        faults.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    #[test]
    fn a_step_is_held_against_its_contract() {
        let (registry, pinned) = (registry(), format!("r.example/scale:9@sha256:{}", "7".repeat(64)));
        assert!(registry.check(&plan("kubernetes/scale", &pinned, &json!({ "replicas": 3 }))).is_empty());
        let restart = format!("r.example/restart:1.0@sha256:{}", "8".repeat(64));
        assert!(registry.check(&plan("kubernetes/restart", &restart, &json!({ "replicas": 3 }))).is_empty());
        let wrong = registry.check(&plan("kubernetes/scale", &restart, &json!({ "replicas": 30, "more": 1 })));
        let mut found = places(wrong);
        found.sort();
        let wanted = [
            ("/steps/0/image", "not_allowed"),
            ("/steps/0/inputs", "schema_mismatch"),
            ("/steps/0/inputs/replicas", "out_of_range"),
        ];
        let wanted = wanted.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
        let mut wanted = wanted.to_vec();
        wanted.sort();
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_action_that_nobody_registered_is_refused_with_the_nearest() {
        let faults = registry().check(&plan("kubernetes/scal", "r.example/scale:1", &json!({})));
        assert_eq!(
            faults[0].to_string(),
            "/steps/0/actionType: there is no action \"kubernetes/scal\": did you mean \"kubernetes/scale\"?"
        );
        let empty = ActionRegistry::default().check(&plan("anything", "r.example/scale:1", &json!({})));
        assert!(empty[0].message.contains(CONFIG_MAP), "an empty registry allows nothing");
    }

    #[test]
    fn what_is_no_contract_is_told_by_its_key_and_allows_nothing() {
        let mut typo = contract("a/b", "r.example/x:1");
        typo["inputs"]["properties"]["replicas"]["pattern"] = json!("(");
        let mut unknown = contract("a/c", "r.example/x:1");
        unknown["colour"] = json!("red");
        let unread = Fault::new("", "yaml_syntax", "this is no YAML");
        let registry = ActionRegistry::of([
            ("1".to_owned(), Ok(contract("a/d", "r.example/x:1"))),
            ("2".to_owned(), Ok(contract("a/d", "r.example/y:1"))),
            ("3".to_owned(), Ok(typo)),
            ("4".to_owned(), Ok(unknown)),
            ("5".to_owned(), Err(unread)),
            ("6".to_owned(), Ok(json!({ "actionType": "a/e", "inputs": [] }))),
        ]);
        assert_eq!(registry.actions.iter().map(|action| action.action_type.as_str()).collect::<Vec<_>>(), ["a/d"]);
        let bad: Vec<_> = registry.bad.iter().map(|bad| (bad.key.as_str(), bad.faults[0].code.as_ref())).collect();
        assert_eq!(
            bad,
            [("2", "duplicate"), ("3", "bad_schema"), ("4", "unknown_field"), ("5", "yaml_syntax"), ("6", "required")]
        );
    }
}
