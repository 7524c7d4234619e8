//! What the API server does for each built-in kind when it is written: defaults, initial status, and what may not
//! change. Names, labels and annotations are for [`super::names`]. It knows no store.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::status::Cause;

/// Fills in what a fresh object of this kind lacks.
pub(crate) fn on_create(kind: &Kind, value: &mut Value) {
    match kind.qualified.as_str() {
        "namespaces" => {
            let name = value["metadata"]["name"].clone();
            value["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            value["spec"] = json!({"finalizers": ["kubernetes"]});
            value["status"] = json!({"phase": "Active"});
        }
        "pods" => {
            value["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"});
            default(value, "/spec", "restartPolicy", json!("Always"));
            default(value, "/spec", "serviceAccountName", json!("default"));
            default(value, "/spec", "terminationGracePeriodSeconds", json!(30));
        }
        "persistentvolumeclaims" => {
            value["status"] = json!({"phase": "Pending"});
            default(value, "/spec", "volumeMode", json!("Filesystem"));
        }
        "deployments.apps" => {
            default(
                value,
                "/spec",
                "strategy",
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
            );
            default(value, "/spec", "revisionHistoryLimit", json!(10));
            default(value, "/spec", "progressDeadlineSeconds", json!(600));
        }
        _ => {}
    }
    on_write(kind, value);
}

/// Defaults that hold for creates and updates.
pub(crate) fn on_write(kind: &Kind, value: &mut Value) {
    match kind.qualified.as_str() {
        "secrets" => {
            default(value, "", "type", json!("Opaque"));
            let strings = value.as_object_mut().and_then(|map| map.remove("stringData"));
            for (name, text) in strings.as_ref().and_then(Value::as_object).into_iter().flatten() {
                let bytes = ByteString(text.as_str().unwrap_or_default().as_bytes().to_vec());
                value["data"][name] = serde_json::to_value(bytes).unwrap_or_default();
            }
        }
        "configmaps" => {
            // What is empty is left out of what the API server keeps.
            let is_empty = |value: &mut Value| value.as_object().is_some_and(serde_json::Map::is_empty);
            for field in ["data", "binaryData"] {
                if value.get_mut(field).is_some_and(is_empty) {
                    value.as_object_mut().map(|map| map.remove(field));
                }
            }
        }
        "deployments.apps" | "statefulsets.apps" | "replicasets.apps" => default(value, "/spec", "replicas", json!(1)),
        _ => {}
    }
}

fn default(value: &mut Value, at: &str, name: &str, content: Value) {
    if let Some(map) = value.pointer_mut(at).and_then(Value::as_object_mut) {
        map.entry(name).or_insert(content);
    }
}

/// Faults of a write to a built-in kind.
pub(crate) fn validate(kind: &Kind, value: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    match kind.qualified.as_str() {
        "configmaps" | "secrets" => {
            data_keys(value, &mut causes);
            immutable_data(value, old, &mut causes);
        }
        "deployments.apps" | "statefulsets.apps" | "daemonsets.apps" | "replicasets.apps" => {
            let selector = value.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
            let labels = value.pointer("/spec/template/metadata/labels");
            match selector {
                None => causes.push(Cause::required("spec.selector")),
                Some(wanted) if !wanted.iter().all(|(name, value)| labels.and_then(|l| l.get(name)) == Some(value)) => {
                    let found = labels.cloned().unwrap_or_default();
                    causes.push(Cause::invalid(
                        "spec.template.metadata.labels",
                        &found,
                        "`selector` does not match template `labels`",
                    ));
                }
                Some(_) => {}
            }
            if value["spec"]["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
                let why = "must be greater than or equal to 0";
                causes.push(Cause::invalid("spec.replicas", &value["spec"]["replicas"], why));
            }
        }
        "pods" if value["spec"]["containers"].as_array().is_none_or(Vec::is_empty) => {
            causes.push(Cause::required("spec.containers"));
        }
        _ => {}
    }
    causes
}

/// `immutable: true` freezes the data and itself.
fn immutable_data(value: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let Some(old) = old.filter(|old| old["immutable"] == Value::Bool(true)) else { return };
    for field in ["data", "binaryData", "immutable"] {
        if value.get(field) != old.get(field) {
            causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
}

const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
    'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// Keys of ConfigMaps and Secrets become file names and variables.
fn data_keys(value: &Value, causes: &mut Vec<Cause>) {
    for key in value["data"].as_object().into_iter().flatten().map(|(key, _)| key) {
        let well_formed =
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !well_formed {
            causes.push(Cause::invalid(format!("data[{key}]"), &Value::from(key.as_str()), CONFIG_KEY));
        }
        if key.len() > 253 {
            causes.push(Cause::invalid(
                format!("data[{key}]"),
                &Value::from(key.as_str()),
                "must be no more than 253 characters",
            ));
        }
    }
}
