//! A registration as a RemediationWorkflow has it: the same content, and each field under the name that Kubernetes gives to
//! fields (`containerImage` for `container_image`). Only names are changed here; what a registration must be is judged where
//! it always is ([`super::Registration::parse`]), and what that finds is told in the words of whoever wrote the resource.

use serde_json::Value;

use crate::fault::Fault;

/// Every field that has two names: on the wire, and in the resource.
const NAMES: [(&str, &str); 15] = [
    ("workflow_id", "workflowId"),
    ("container_image", "containerImage"),
    ("image_pull_policy", "imagePullPolicy"),
    ("internal_steps", "internalSteps"),
    ("remediation_steps", "remediationSteps"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("depends_on", "dependsOn"),
    ("tekton_mapping", "tektonMapping"),
    ("secret_ref", "secretRef"),
    ("signal_type", "signalType"),
    ("risk_tolerance", "riskTolerance"),
    ("business_category", "businessCategory"),
    ("retry_count", "retryCount"),
    ("service_account", "serviceAccount"),
];

/// Fields that hold an author's own values, and in one case names of parameters as keys: nothing below has two names.
const VALUES: [&str; 6] = ["depends_on", "dependsOn", "default", "enum", "examples", "value"];

fn in_resource(name: &str) -> &str {
    NAMES.iter().find(|(wire, _)| *wire == name).map_or(name, |(_, resource)| resource)
}

fn on_wire(name: &str) -> &str {
    NAMES.iter().find(|(_, resource)| *resource == name).map_or(name, |(wire, _)| wire)
}

fn renamed(value: &Value, rename: fn(&str) -> &str) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let value = if VALUES.contains(&name.as_str()) { value.clone() } else { renamed(value, rename) };
                (rename(name).to_owned(), value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => items.iter().map(|item| renamed(item, rename)).collect(),
        other => other.clone(),
    }
}

/// The `spec` of a RemediationWorkflow as the registration that it is.
pub fn registration(spec: &Value) -> Value {
    renamed(spec, on_wire)
}

/// A registration in either of the seeds' forms as the `spec` of a RemediationWorkflow, which has one form: parameters in a flat
/// list are all exposed.
pub fn spec(registration: &Value) -> Value {
    let mut spec = renamed(registration, in_resource);
    if spec["parameters"].is_array() {
        let exposed = spec["parameters"].take();
        spec["parameters"] = serde_json::json!({ "exposed": exposed });
    }
    spec
}

/// A fault of the registration as a fault of the `spec` that it came from: the place, and every field that the message names.
#[must_use]
pub fn fault(found: Fault) -> Fault {
    let mut verbatim = false;
    let pointer = found.pointer.split('/').map(|part| {
        let name = if verbatim { part } else { in_resource(part) };
        verbatim |= VALUES.contains(&part);
        name
    });
    Fault { pointer: pointer.collect::<Vec<_>>().join("/"), message: words(&found.message), code: found.code }
}

/// A sentence about a registration with the fields' names in the resource.
pub fn words(sentence: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut said = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(start) = rest.find(is_word) {
        let (between, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        said.push_str(between);
        said.push_str(in_resource(word));
        rest = after;
    }
    said + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::playbook::Registration;

    #[test]
    fn nothing_is_lost_on_the_way_there_and_back() {
        let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seeds");
        let mut read = 0;
        for entry in std::fs::read_dir(seeds).unwrap() {
            let path = entry.unwrap().path();
            let seed: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            if seed["container_image"].is_null() {
                continue;
            }
            read += 1;
            let applied = spec(&seed);
            assert!(!applied.to_string().contains("_id\"") && applied["workflowId"] == seed["workflow_id"]);
            let there_and_back = Registration::parse(&registration(&applied)).unwrap();
            assert_eq!(there_and_back, Registration::parse(&seed).unwrap(), "{}", path.display());
            // What the catalog has stored goes the same way.
            let stored = serde_json::to_value(&there_and_back).unwrap();
            assert_eq!(registration(&spec(&stored)), stored, "{}", path.display());
        }
        assert!(read > 5, "{read}");
    }

    #[test]
    fn values_and_the_names_of_parameters_stay_as_they_are() {
        let parameter = json!({"name": "A", "minLength": 1, "default": "minLength",
            "enum": [{"minLength": 1}], "dependsOn": {"minLength": ["x"]}});
        let wire = registration(&parameter);
        let expected = json!({"name": "A", "min_length": 1, "default": "minLength",
            "enum": [{"minLength": 1}], "depends_on": {"minLength": ["x"]}});
        assert_eq!(wire, expected);
        assert_eq!(spec(&wire), parameter);
    }

    #[test]
    fn a_fault_is_told_in_the_resources_words() {
        let told = |pointer: &str, message: &str| fault(Fault::new(pointer, "x", message)).to_string();
        assert_eq!(
            told("/parameters/exposed/0/max_length", "max_length 1 is less than min_length 2; not \"my_min_length\""),
            "/parameters/exposed/0/maxLength: maxLength 1 is less than minLength 2; not \"my_min_length\""
        );
        assert_eq!(
            told("/parameters/exposed/0/depends_on/min_length/0", "ä\"secret_ref\""),
            "/parameters/exposed/0/dependsOn/min_length/0: ä\"secretRef\""
        );
        assert_eq!(told("", ""), "/: ");
    }
}
