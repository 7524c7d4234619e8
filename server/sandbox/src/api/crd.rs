//! CustomResourceDefinitions: what is checked when one is applied, and the status that makes it served.
//! It knows no store.

use serde_json::{Value, json};

use super::kinds::Kinds;
use super::status::Cause;
use crate::value::list;

/// Faults of a definition.
pub(crate) fn validate(crd: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let spec = &crd["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    if crd["metadata"]["name"] != format!("{plural}.{group}") {
        let why = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &crd["metadata"]["name"], why));
    }
    for (field, value) in
        [("spec.group", &spec["group"]), ("spec.scope", &spec["scope"]), ("spec.names.kind", &spec["names"]["kind"])]
    {
        if value.as_str().is_none_or(str::is_empty) {
            causes.push(Cause::required(field));
        }
    }
    let versions = list(&spec["versions"]);
    let stored = versions.iter().filter(|version| version["storage"] == Value::Bool(true)).count();
    if stored != 1 {
        let why = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &spec["versions"], why));
    }
    for (index, version) in versions.iter().enumerate() {
        let schema = &version["schema"]["openAPIV3Schema"];
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        if schema.is_null() {
            causes.push(Cause::required(path));
        } else if schema["type"] != "object" {
            causes.push(Cause::invalid(format!("{path}.type"), &schema["type"], "must be object at the root"));
        } else {
            structural(schema, &path, &mut causes);
        }
    }
    causes
}

/// A structural schema gives every property and item a type.
fn structural(schema: &Value, path: &str, causes: &mut Vec<Cause>) {
    let untyped = schema["type"].is_null()
        && schema["x-kubernetes-int-or-string"] != Value::Bool(true)
        && schema["x-kubernetes-preserve-unknown-fields"] != Value::Bool(true);
    if untyped {
        causes.push(Cause {
            field: format!("{path}.type"),
            reason: "FieldValueRequired",
            message: "Required value: must not be empty for specified object fields".into(),
        });
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        structural(property, &format!("{path}.properties[{name}]"), causes);
    }
    if let Some(items) = schema.get("items") {
        structural(items, &format!("{path}.items"), causes);
    }
}

/// Accepts the names that are free and marks the definition as served.
pub(crate) fn establish(crd: &mut Value, kinds: &Kinds, now: &str) {
    let group = crd["spec"]["group"].as_str().unwrap_or_default();
    let plural = crd["spec"]["names"]["plural"].as_str().unwrap_or_default();
    let others = || kinds.all().filter(|kind| kind.group == group && kind.plural != plural);
    let short: Vec<Value> = crd["spec"]["names"]["shortNames"].as_array().cloned().unwrap_or_default();
    let taken = short.iter().find(|name| others().any(|kind| kind.short_names.iter().any(|short| **name == *short)));
    let condition = |kind: &str, ok: bool, reason: &str, message: String| json!({"type": kind, "status": if ok { "True" } else { "False" }, "reason": reason, "message": message, "lastTransitionTime": now});
    let names = match taken {
        None => condition("NamesAccepted", true, "NoConflicts", "no conflicts found".into()),
        Some(name) => condition("NamesAccepted", false, "ShortNamesConflict", format!("{name} is already in use")),
    };
    let established = match taken {
        None => condition("Established", true, "InitialNamesAccepted", "the initial names have been accepted".into()),
        Some(_) => condition("Established", false, "NotAccepted", "not all names are accepted".into()),
    };
    let stored: Vec<Value> = crd["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == Value::Bool(true))
        .map(|version| version["name"].clone())
        .collect();
    let kind = crd["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(names) = crd["spec"]["names"].as_object_mut() {
        names.entry("singular").or_insert_with(|| kind.to_lowercase().into());
        names.entry("listKind").or_insert_with(|| format!("{kind}List").into());
    }
    crd["spec"]["conversion"] = json!({"strategy": "None"});
    crd["status"] =
        json!({"conditions": [names, established], "acceptedNames": crd["spec"]["names"], "storedVersions": stored});
}

pub(crate) fn is_established(crd: &Value) -> bool {
    crd["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
