//! A registration that is still being written: as much of it as can be read, for previews. Judges nothing; what is missing
//! stands as a placeholder, what can't be read is left out.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{ImageRef, Labels, Parameter, PlaybookId, Registration, Version};

/// What can be read of a document; none where even that makes no registration.
pub fn draft(document: &Value) -> Option<Registration> {
    let mut read = Map::new();
    let texts = [
        ("workflow_id", readable::<PlaybookId> as fn(&Value) -> bool, "playbook"),
        ("version", readable::<Version>, "0.0.0"),
        ("title", said, "Untitled"),
        ("description", said, "Not described yet."),
        ("container_image", readable::<ImageRef>, "registry.example/playbook:v0.0.0"),
    ];
    for (name, good, placeholder) in texts {
        let value = document.get(name).filter(|value| good(value)).cloned();
        read.insert(name.to_owned(), value.unwrap_or_else(|| json!(placeholder)));
    }
    let parameters = document.get("parameters");
    let list = |name: &str| parameters.and_then(|parameters| parameters.get(name)).and_then(Value::as_array);
    let exposed = parameters.and_then(Value::as_array).or_else(|| list("exposed"));
    let kept = |list: Option<&Vec<Value>>, good: fn(&Value) -> bool| -> Vec<Value> {
        list.into_iter().flatten().filter(|value| good(value)).cloned().collect()
    };
    read.insert(
        "parameters".into(),
        json!({
            "exposed": kept(exposed, readable::<Parameter>),
            "hidden": kept(list("hidden"), readable::<super::HiddenParameter>),
        }),
    );
    let parts = [
        ("image_pull_policy", readable::<super::PullPolicy> as fn(&Value) -> bool),
        ("risk", readable::<crate::recommendation::Risk>),
        ("labels", readable::<Labels>),
        ("internal_steps", readable::<Vec<String>>),
        ("remediation_steps", readable::<Vec<String>>),
        ("execution", readable::<super::ExecutionSettings>),
        ("outputs", readable::<Vec<super::OutputDeclaration>>),
    ];
    for (name, good) in parts {
        if let Some(value) = document.get(name).filter(|value| good(value)) {
            read.insert(name.to_owned(), value.clone());
        }
    }
    serde_json::from_value(Value::Object(read)).ok()
}

fn readable<T: DeserializeOwned>(value: &Value) -> bool {
    serde_json::from_value::<T>(value.clone()).is_ok()
}

fn said(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_is_read_and_the_rest_is_a_placeholder() {
        let document = json!({
            "workflow_id": "Not An Id", "title": " ", "description": "When it burns.",
            "parameters": [
                {"name": "MODE", "type": "string", "enum": ["a"]},
                {"name": "lower", "type": "string"}, {"type": "string"}, 7,
                {"name": "N", "type": "integer", "minimum": 1},
            ],
            "execution": {"timeout": "soon"}, "labels": {"signal_type": "OOMKilled"},
        });
        let draft = draft(&document).unwrap();
        assert_eq!((draft.id.as_str(), draft.title.as_str()), ("playbook", "Untitled"));
        assert_eq!(draft.description, "When it burns.");
        let names: Vec<_> = draft.parameters.exposed.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["MODE", "N"]);
        assert_eq!(draft.labels.signal_type.as_deref(), Some("OOMKilled"));
        assert_eq!(draft.execution, super::super::ExecutionSettings::default());
    }

    #[test]
    fn anything_at_all_makes_a_draft() {
        for document in [json!(null), json!([]), json!({"parameters": 3}), json!({"parameters": {"exposed": {}}})] {
            assert!(draft(&document).is_some_and(|draft| draft.parameters.exposed.is_empty()), "{document}");
        }
    }
}
