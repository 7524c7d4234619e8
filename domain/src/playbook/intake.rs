//! Reading a registration that an author sent: every fault in one pass, nothing repaired.
//! The rules across parameters are in [`super::consistency`].

use serde_json::Value;

use super::parameter::{Parameter, ParameterType, Parameters};
use super::parameter_intake::{self, Drafts};
use super::settings::{Capture, ExecutionSettings, Labels, OutputDeclaration, PullPolicy};
use super::{Registration, consistency};
use crate::fault::{Complaint, Faults, code};
use crate::limits::registration as limits;
use crate::reader::{self, ObjectReader};
use crate::recommendation::Risk;

impl Registration {
    /// Reads a registration in either of the seeds' forms (`parameters` as a flat list, or exposed and hidden).
    ///
    /// # Errors
    /// Every fault at once, with pointers into `value`. Without the feature `judge` patterns are not compiled, and values in the
    /// registration are held only against their types.
    pub fn parse(value: &Value) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let registration = read(value, &mut faults);
        match registration {
            Some(registration) => faults.into_result(registration),
            None => Err(faults),
        }
    }
}

fn read(value: &Value, faults: &mut Faults) -> Option<Registration> {
    let mut object = ObjectReader::new(value, "", faults);
    let id = object.required("workflow_id", reader::parsed());
    let version = object.required("version", reader::parsed());
    let title = object.required("title", reader::line(1..=limits::TITLE));
    let description = object.required("description", reader::paragraphs(1..=limits::DESCRIPTION));
    let image = object.required("container_image", reader::parsed());
    let image_pull_policy = object.optional("image_pull_policy", reader::one_of(PullPolicy::WORDS));
    let parameters = object.optional("parameters", parameters);
    let risk = object.optional("risk", reader::one_of(Risk::WORDS));
    let labels = object.optional("labels", |value, at, faults| Some(labels(value, at, faults)));
    let internal_steps = object.optional("internal_steps", steps());
    let remediation_steps = object.optional("remediation_steps", steps());
    let execution = object.optional("execution", |value, at, faults| Some(execution(value, at, faults)));
    let outputs = object.optional("outputs", outputs);
    object.finish();
    // Places are counted in lists from which faulty items are left out.
    if let Some(execution) = execution.as_ref().filter(|_| faults.is_empty()) {
        let exposed = parameters.as_ref().map_or(&[][..], |all| all.exposed.as_slice());
        captured_parameters(&execution.capture, exposed, faults);
    }
    Some(Registration {
        id: id?,
        version: version?,
        title: title?,
        description: description?,
        image: image?,
        image_pull_policy: image_pull_policy.unwrap_or_default(),
        parameters: parameters.unwrap_or_default(),
        risk,
        labels: labels.unwrap_or_default(),
        internal_steps: internal_steps.unwrap_or_default(),
        remediation_steps: remediation_steps.unwrap_or_default(),
        execution: execution.unwrap_or_default(),
        outputs: outputs.unwrap_or_default(),
    })
}

fn parameters(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Parameters> {
    let drafts = match value {
        Value::Array(_) => Drafts { exposed: parameter_intake::exposed(value, pointer, faults)?, hidden: Vec::new() },
        Value::Object(_) => {
            let mut object = ObjectReader::new(value, pointer, faults);
            let exposed = object.optional("exposed", parameter_intake::exposed).unwrap_or_default();
            let hidden = object.optional("hidden", parameter_intake::hidden).unwrap_or_default();
            object.finish();
            Drafts { exposed, hidden }
        }
        _ => {
            return reader::wrong_type(
                value,
                pointer,
                faults,
                "a list of parameters, or an object with exposed and hidden",
            );
        }
    };
    Some(consistency::check(drafts, pointer, faults))
}

fn labels(value: &Value, pointer: &str, faults: &mut Faults) -> Labels {
    let mut object = ObjectReader::new(value, pointer, faults);
    let mut label = |name| object.optional(name, reader::line(1..=limits::LABEL));
    let mut labels = Labels {
        signal_type: label("signal_type"),
        severity: label("severity"),
        component: label("component"),
        environment: label("environment"),
        priority: label("priority"),
        risk_tolerance: label("risk_tolerance"),
        business_category: label("business_category"),
        category: label("category"),
        tags: Vec::new(),
    };
    labels.tags = object.optional("tags", tags).unwrap_or_default();
    object.finish();
    labels
}

fn tags(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Vec<String>> {
    let tag = |value: &Value, pointer: &str, faults: &mut Faults| {
        reader::line(1..=limits::TAG)(value, pointer, faults).map(|tag| (pointer.to_owned(), tag))
    };
    let tags = reader::array(0..=limits::TAGS, tag)(value, pointer, faults)?;
    refuse_repeated(&tags, |tag| tag.as_str(), "tag", faults);
    Some(tags.into_iter().map(|(_, tag)| tag).collect())
}

fn steps() -> impl Fn(&Value, &str, &mut Faults) -> Option<Vec<String>> {
    reader::array(0..=limits::TOLD_STEPS, reader::paragraphs(1..=limits::TOLD_STEP))
}

fn execution(value: &Value, pointer: &str, faults: &mut Faults) -> ExecutionSettings {
    let otherwise = ExecutionSettings::default();
    let mut object = ObjectReader::new(value, pointer, faults);
    let timeout = object.optional("timeout", reader::parsed());
    let retry_count = object.optional("retry_count", reader::integer(0..=i64::from(limits::RETRIES)));
    let service_account = object.optional("service_account", reader::parsed());
    let idempotent = object.optional("idempotent", reader::boolean());
    let capture = object.optional("capture", captures);
    object.finish();
    ExecutionSettings {
        timeout: timeout.unwrap_or(otherwise.timeout),
        retry_count: retry_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(otherwise.retry_count),
        service_account: service_account.unwrap_or(otherwise.service_account),
        idempotent: idempotent.unwrap_or(otherwise.idempotent),
        capture: capture.unwrap_or_default(),
    }
}

fn captures(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Vec<Capture>> {
    let capture = |value: &Value, pointer: &str, faults: &mut Faults| {
        let mut object = ObjectReader::new(value, pointer, faults);
        let field = object.required("field", captured_field);
        let parameter = object.required("parameter", reader::parsed());
        object.finish();
        Some((format!("{pointer}/parameter"), Capture { field: field?, parameter: parameter? }))
    };
    let captures = reader::array(0..=limits::CAPTURES, capture)(value, pointer, faults)?;
    refuse_repeated(&captures, |capture| capture.parameter.as_str(), "capture of", faults);
    Some(captures.into_iter().map(|(_, capture)| capture).collect())
}

/// Where an object may hold a secret in words: what is captured is shown to whoever reads runs.
const NEVER_CAPTURED: [&str; 4] = ["env", "args", "command", "kubectl.kubernetes.io~1last-applied-configuration"];

/// A pointer into `spec` or `metadata`: what a status says can't be set back.
fn captured_field(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let field = reader::line(1..=limits::CAPTURE_FIELD)(value, pointer, faults)?;
    if field.split('/').any(|part| NEVER_CAPTURED.contains(&part)) {
        let message =
            "name another field: commands, environment variables and what kubectl applied last may hold secrets";
        return reader::refuse(Complaint::new(code::NOT_ALLOWED, message), pointer, faults);
    }
    if field.starts_with("/spec/") || field.starts_with("/metadata/") {
        return Some(field);
    }
    let message = "write a JSON Pointer into the object's spec or metadata, such as /spec/replicas";
    reader::refuse(Complaint::new(code::MALFORMED, message), pointer, faults)
}

/// A capture gives its value to a parameter that can be given one.
fn captured_parameters(captures: &[Capture], exposed: &[Parameter], faults: &mut Faults) {
    for (index, capture) in captures.iter().enumerate() {
        let name = &capture.parameter;
        if exposed.iter().all(|parameter| parameter.name != *name) {
            let message = format!("name an exposed parameter: {name} is none, so nothing could set the field back");
            faults.add(format!("/execution/capture/{index}/parameter"), "unknown_parameter", message);
        }
    }
}

fn outputs(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Vec<OutputDeclaration>> {
    let output = |value: &Value, pointer: &str, faults: &mut Faults| {
        let mut object = ObjectReader::new(value, pointer, faults);
        let name = object.required("name", reader::parsed());
        let kind = object.required("type", reader::one_of(ParameterType::WORDS));
        object.finish();
        Some((format!("{pointer}/name"), OutputDeclaration { name: name?, kind: kind? }))
    };
    let outputs = reader::array(0..=limits::OUTPUTS, output)(value, pointer, faults)?;
    refuse_repeated(&outputs, |output| output.name.as_str(), "output", faults);
    Some(outputs.into_iter().map(|(_, output)| output).collect())
}

/// Records each item whose key an earlier one has.
fn refuse_repeated<T>(placed: &[(String, T)], key: impl Fn(&T) -> &str, what: &str, faults: &mut Faults) {
    for (index, (pointer, item)) in placed.iter().enumerate() {
        if placed[..index].iter().any(|(_, earlier)| key(earlier) == key(item)) {
            let message = format!("remove the {what} {}: it is listed twice", reader::quoted(key(item)));
            faults.add(pointer, code::DUPLICATE, message);
        }
    }
}
