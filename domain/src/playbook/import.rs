//! kubernaut's own RemediationWorkflow (`kubernaut.ai/v1alpha1`) as a registration. What has another form here is turned and told;
//! what would change what runs, such as the name of a parameter, is a fault with a proposal, and turned only when asked for.

use super::ParameterName;
use crate::{
    fault::{Faults, code},
    json::pointer::{join, join_index},
    limits::registration as limits,
    reader::quoted,
    text::one_line,
};
use serde_json::{Map, Value, json};

/// The group and version of kubernaut's own resource.
pub const API_VERSION: &str = "kubernaut.ai/v1alpha1";
/// Its kind.
pub const KIND: &str = "RemediationWorkflow";
/// What has no place in a registration.
const LEFT_OUT: [&str; 5] = ["customLabels", "detectedLabels", "dependencies", "maintainers", "rollbackParameters"];
/// What is read of a `spec`.
const READ: [&str; 7] = ["metadata", "version", "description", "actionType", "labels", "execution", "parameters"];

/// A document as a registration of `POST /api/v1/playbooks`, which is judged where every registration is.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The registration.
    pub registration: Value,
    /// What has another form now, or was left out, a sentence each.
    pub notes: Vec<String>,
}

/// Whether a document is one of kubernaut's own.
pub fn is_kubernauts(document: &Value) -> bool {
    document["apiVersion"] == API_VERSION && document["kind"] == KIND
}

/// Turns a document. With `rename` parameters get the names that are proposed.
///
/// # Errors
/// Everything that can't be turned, with pointers into the document.
pub fn turn(document: &Value, rename: bool) -> Result<Imported, Faults> {
    let (mut faults, mut notes) = (Faults::new(), Vec::new());
    let spec = &document["spec"];
    // Earlier releases have a part of it one level deeper.
    let inner = &spec["metadata"];
    let either = |name: &str| if spec[name].is_null() { &inner[name] } else { &spec[name] };
    let id = if inner["workflowId"].is_null() { &document["metadata"]["name"] } else { &inner["workflowId"] };
    let what = either("description");
    let mut registration = json!({
        "workflow_id": id,
        "version": version(either("version")),
        "title": title(what, id),
        "description": description(what),
        "labels": labels(spec, &mut notes, &mut faults),
        "parameters": { "exposed": parameters(&spec["parameters"], rename, &mut notes, &mut faults) },
    });
    execution(&spec["execution"], &mut registration, &mut notes, &mut faults);
    if let Some(action) = spec["actionType"].as_str() {
        registration["labels"]["category"] = json!(action);
        notes.push(format!("actionType {action} is the label category here"));
    }
    for name in spec.as_object().into_iter().flat_map(Map::keys) {
        if LEFT_OUT.contains(&name.as_str()) {
            notes.push(format!("{name} has no place in a registration and is left out"));
        } else if !READ.contains(&name.as_str()) {
            notes.push(format!("{} is not known here and is left out", quoted(name)));
        }
    }
    faults.into_result(Imported { registration, notes })
}

/// Without the `v` that some write before it.
fn version(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => json!(text.strip_prefix('v').unwrap_or(text)),
        None => value.clone(),
    }
}

fn title(what: &Value, id: &Value) -> Value {
    let text = what["what"].as_str().or(what.as_str()).or(id.as_str()).unwrap_or_default();
    json!(one_line(text, limits::TITLE - 1))
}

/// The parts of a structured description, each with its heading.
fn description(what: &Value) -> Value {
    if what.is_string() {
        return what.clone();
    }
    let parts =
        [("what", ""), ("whenToUse", "Use when: "), ("whenNotToUse", "Not when: "), ("preconditions", "Before: ")];
    let said = parts.into_iter().filter_map(|(name, heading)| {
        let text = what[name].as_str().map(str::trim).filter(|text| !text.is_empty())?;
        Some(format!("{heading}{text}"))
    });
    json!(said.collect::<Vec<_>>().join("\n"))
}

/// Labels have one value here: a list of several becomes any, and its values tags.
fn labels(spec: &Value, notes: &mut Vec<String>, faults: &mut Faults) -> Value {
    let Some(given) = spec["labels"].as_object() else {
        faults.add(
            "/spec/labels",
            code::REQUIRED,
            "say in labels what it is for: severity, environment, component, priority",
        );
        return json!({});
    };
    let (mut labels, mut tags) = (Map::new(), Vec::new());
    for (name, value) in given {
        let label = match name.as_str() {
            "signalName" | "signalType" | "signal_type" => "signal_type",
            "severity" | "environment" | "component" | "priority" => name.as_str(),
            "riskTolerance" | "risk_tolerance" => "risk_tolerance",
            "businessCategory" | "business_category" => "business_category",
            _ => {
                notes.push(format!("the label {} is not known here and is left out", quoted(name)));
                continue;
            }
        };
        let pointer = join("/spec/labels", name);
        let Some(mut values) = texts(value) else {
            faults.add(pointer, code::WRONG_TYPE, format!("write {name} as a text, or as a list of texts"));
            continue;
        };
        if label == "priority" {
            for value in &mut values {
                *value = priority(value);
            }
        }
        let several = values.len() > 1;
        let one = if several && values.iter().all(|value| value != "*") {
            notes.push(format!(
                "{name} lists {}: a label has one value or any here, so it is any, and each is a tag",
                values.join(", ")
            ));
            tags.extend(values.into_iter().map(|value| format!("{name}:{value}")));
            Some("*".to_owned())
        } else if several {
            Some("*".to_owned())
        } else {
            values.pop()
        };
        labels.extend(one.map(|value| (label.to_owned(), json!(value))));
    }
    if !labels.contains_key("signal_type") {
        notes.push("it names no signal: signal_type is any".into());
        labels.insert("signal_type".into(), json!("*"));
    }
    labels.insert("tags".into(), json!(tags));
    Value::Object(labels)
}

/// A text or a list of texts, as a list.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// `p1` is P1; words such as High are in lower case.
fn priority(text: &str) -> String {
    let numbered =
        text.strip_prefix(['p', 'P']).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if numbered { text.to_uppercase() } else { text.to_lowercase() }
}

fn execution(execution: &Value, registration: &mut Value, notes: &mut Vec<String>, faults: &mut Faults) {
    match execution["engine"].as_str() {
        Some("job") => {}
        Some("ansible") => faults.add(
            "/spec/execution/engine",
            code::NOT_ALLOWED,
            "ansible runs from a repository of playbooks, the console runs images: build one that holds the playbook, and write engine: job",
        ),
        Some("tekton") | None => notes.push(
            "a Tekton bundle holds a Pipeline, and the console runs images: see that the bundle is an image that does the work".into(),
        ),
        Some(other) => {
            let message = format!("{} is no known engine: write job", quoted(other));
            faults.add("/spec/execution/engine", code::NOT_ALLOWED, message);
        }
    }
    let (bundle, digest) = (execution["bundle"].as_str(), execution["bundleDigest"].as_str());
    match (bundle, digest) {
        (Some(bundle), Some(digest)) if !bundle.contains('@') => {
            registration["container_image"] = json!(format!("{bundle}@{digest}"));
        }
        (Some(bundle), _) => registration["container_image"] = json!(bundle),
        (None, _) => faults.add("/spec/execution/bundle", code::REQUIRED, "name the image that does the work"),
    }
    if let Some(account) = execution["serviceAccountName"].as_str() {
        registration["execution"] = json!({ "service_account": account });
    }
    if !execution["engineConfig"].is_null() {
        notes.push("engineConfig has no place in a registration and is left out".into());
    }
}

fn parameters(given: &Value, rename: bool, notes: &mut Vec<String>, faults: &mut Faults) -> Value {
    let each = given.as_array().into_iter().flatten().enumerate();
    each.map(|(index, parameter)| {
        self::parameter(parameter, &join_index("/spec/parameters", index), rename, notes, faults)
    })
    .collect()
}

fn parameter(given: &Value, pointer: &str, rename: bool, notes: &mut Vec<String>, faults: &mut Faults) -> Value {
    let mut turned = given.clone();
    if let Some(name) = given["name"].as_str()
        && name.parse::<ParameterName>().is_err()
    {
        let proposed = upper(name);
        if rename {
            notes.push(format!("the parameter {} is {proposed} now: the image must read it so", quoted(name)));
            turned["name"] = json!(proposed);
        } else {
            let message = format!(
                "{} is no name of a parameter here; {proposed} would be one: rename it there and in the image, or import with --rename-parameters",
                quoted(name)
            );
            faults.add(join(pointer, "name"), code::MALFORMED, message);
        }
    }
    match given["type"].as_str() {
        Some("float") => turned["type"] = json!("number"),
        Some("array") => faults.add(
            join(pointer, "type"),
            code::NOT_ALLOWED,
            "a parameter is one value here: take a string, and let the image cut it",
        ),
        _ => {}
    }
    let on = given["dependsOn"].as_array();
    if on.is_some_and(|on| !on.is_empty()) {
        let message = "a list of names does not say on which values it depends: write {\"OTHER\": [\"value\"]}";
        faults.add(join(pointer, "dependsOn"), code::WRONG_TYPE, message);
    }
    if let Some(members) = turned.as_object_mut()
        && let Some(depends) = members.remove("dependsOn")
        && depends.is_object()
    {
        members.insert("depends_on".into(), depends);
    }
    turned
}

/// `targetNamespace` and `target-namespace` as TARGET_NAMESPACE.
fn upper(name: &str) -> String {
    let mut upper = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
                upper.push('_');
            }
            upper.push(c.to_ascii_uppercase());
        } else if !upper.is_empty() && !upper.ends_with('_') {
            upper.push('_');
        }
        before = c;
    }
    upper.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Registration;

    fn document() -> Value {
        json!({
            "apiVersion": API_VERSION, "kind": KIND, "metadata": { "name": "restart-deployment" },
            "spec": {
                "version": "v1.2.0",
                "description": { "what": "Restarts a Deployment.", "whenToUse": "Its pods hang.", "whenNotToUse": "The image is bad." },
                "actionType": "RestartDeployment",
                "labels": { "severity": ["critical", "high"], "environment": ["*"], "component": "Deployment", "priority": "p1" },
                "execution": { "engine": "job", "bundle": "registry.example.com/restart", "bundleDigest": format!("sha256:{}", "7".repeat(64)),
                    "serviceAccountName": "restarter" },
                "maintainers": [{ "name": "Platform", "email": "platform@example.com" }],
                "parameters": [
                    { "name": "TARGET_NAMESPACE", "type": "string", "required": true, "description": "Where." },
                    { "name": "graceFactor", "type": "float", "required": false, "description": "How patient.", "dependsOn": [] },
                    { "name": "dry-run", "type": "boolean", "required": false, "description": "Only look." },
                ],
            },
        })
    }

    #[test]
    fn names_of_parameters_are_told_one_by_one_and_changed_only_when_asked() {
        let faults = turn(&document(), false).expect_err("two names");
        let told: Vec<String> = faults.into_iter().map(|fault| fault.to_string()).collect();
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(
            told[0].starts_with("/spec/parameters/1/name: \"graceFactor\"")
                && told[0].contains("GRACE_FACTOR would be one"),
            "{told:#?}"
        );
        assert!(
            told[1].starts_with("/spec/parameters/2/name: \"dry-run\"") && told[1].contains("DRY_RUN would be one"),
            "{told:#?}"
        );

        let imported = turn(&document(), true).expect("renamed");
        assert!(imported.notes.iter().any(|note| note.contains("\"dry-run\" is DRY_RUN now")), "{:#?}", imported.notes);
        let registration = Registration::parse(&imported.registration).expect("a registration");
        assert_eq!(
            (registration.id.as_str(), registration.version.to_string().as_str()),
            ("restart-deployment", "1.2.0")
        );
        let names: Vec<_> = registration.parameters.exposed.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["TARGET_NAMESPACE", "GRACE_FACTOR", "DRY_RUN"]);
        assert!(
            registration.image.digest().is_some() && registration.execution.service_account.as_str() == "restarter"
        );
        assert_eq!(
            registration.description,
            "Restarts a Deployment.\nUse when: Its pods hang.\nNot when: The image is bad."
        );
    }

    #[test]
    fn labels_are_lists_or_texts_and_nothing_is_lost_silently() {
        let Imported { registration, notes } = turn(&document(), true).expect("renamed");
        let expected = json!({ "severity": "*", "environment": "*", "component": "Deployment", "priority": "P1", "signal_type": "*",
            "category": "RestartDeployment", "tags": ["severity:critical", "severity:high"] });
        assert_eq!(registration["labels"], expected);
        for words in [
            "severity lists critical, high",
            "names no signal",
            "maintainers has no place",
            "actionType RestartDeployment",
        ] {
            assert!(notes.iter().any(|note| note.contains(words)), "{words}: {notes:#?}");
        }
        let mut other = document();
        other["spec"]["labels"] =
            json!({ "signalName": ["OOMKilled"], "severity": "high", "priority": "High", "component": 3 });
        let faults = turn(&other, true).expect_err("a number");
        assert_eq!(faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>(), ["/spec/labels/component"]);
        other["spec"]["labels"]["component"] = json!("pod");
        let labels = turn(&other, true).expect("good").registration["labels"].clone();
        assert_eq!((&labels["signal_type"], &labels["priority"]), (&json!("OOMKilled"), &json!("high")));
    }

    #[test]
    fn the_earlier_form_is_read_and_what_can_not_run_is_said() {
        let mut earlier = document();
        earlier["spec"]["metadata"] =
            json!({ "workflowId": "restart", "version": "1.0.0", "description": { "what": "Restarts." } });
        for moved in ["version", "description"] {
            earlier["spec"].as_object_mut().expect("an object").remove(moved);
        }
        let registration = turn(&earlier, true).expect("good").registration;
        assert_eq!((&registration["workflow_id"], &registration["title"]), (&json!("restart"), &json!("Restarts.")));
        earlier["spec"]["execution"] = json!({ "engine": "ansible" });
        earlier["spec"]["parameters"][0]["type"] = json!("array");
        earlier["spec"]["parameters"][0]["dependsOn"] = json!(["OTHER"]);
        let places: Vec<_> = turn(&earlier, true).expect_err("bad").into_iter().map(|fault| fault.pointer).collect();
        let wanted = [
            "/spec/parameters/0/type",
            "/spec/parameters/0/dependsOn",
            "/spec/execution/engine",
            "/spec/execution/bundle",
        ];
        assert_eq!(places, wanted);
        assert!(turn(&json!({ "spec": 3 }), true).is_err() && turn(&Value::Null, false).is_err());
    }

    #[test]
    fn proposals_are_names() {
        for (given, proposed) in [
            ("targetNamespace", "TARGET_NAMESPACE"),
            ("dry-run", "DRY_RUN"),
            ("HTTPPort", "HTTPPORT"),
            ("a.b_c-", "A_B_C"),
        ] {
            assert_eq!(upper(given), proposed);
        }
        assert_eq!(
            (priority("p0").as_str(), priority("P1").as_str(), priority("High").as_str(), priority("*").as_str()),
            ("P0", "P1", "high", "*")
        );
    }
}
