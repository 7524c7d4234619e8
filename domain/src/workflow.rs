//! The seeds' WorkflowExecution `spec`: a list of steps with their dependencies. Types here; how it is read from the wire
//! stands at the end of the file.

mod applied;

pub use applied::{Applied, PlaybookPlan};

use crate::{
    dag::Dag,
    fault::{Complaint, Faults, code},
    json::pointer::{join, join_index},
    limits,
    playbook::{ImageRef, ServiceAccountName, Timeout},
    reader::{self, ObjectReader},
    text,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One step of a list (architecture seed, WorkflowExecution).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its name: a DNS label, unique in the list.
    pub name: String,
    /// The action, `kubernetes/scale_deployment`.
    pub action_type: String,
    /// The action's image.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub image: ImageRef,
    /// What the action gets, as JSON.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub inputs: Map<String, Value>,
    /// Names of the steps it waits for.
    #[serde(default)]
    pub run_after: Vec<String>,
    /// Whether it gets the shared workspace.
    #[serde(default)]
    pub uses_workspace: bool,
    /// Whether doing it twice does no more than doing it once: then a failed run can be gone on with from here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
}

/// A list of steps as proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StepPlan {
    /// The seed's `workflowType`, such as `multi-step-remediation`.
    pub workflow_type: String,
    /// Why.
    pub reason: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// The service account that the pods run as; the executor's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub service_account: Option<ServiceAccountName>,
    /// Of the whole run; half an hour where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
    /// How often a failed step is tried again; not at all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

impl StepPlan {
    /// The most steps in a list.
    pub const MAX_STEPS: usize = limits::STEPS;

    /// Reads the seed's `spec`; every fault is found in one pass.
    pub fn parse(spec: &Value) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(spec, "", &mut faults);
        let workflow_type = object.required("workflowType", reader::line(1..=limits::WORKFLOW_TYPE));
        let reason = object.required("reason", reader::paragraphs(1..=limits::REASON));
        let steps = object.required("steps", reader::array(1..=Self::MAX_STEPS, step));
        let service_account = object.optional("serviceAccount", reader::parsed::<ServiceAccountName>());
        let timeout = object.optional("timeout", reader::parsed::<Timeout>());
        let retries = object.optional("retries", reader::integer(0..=5)).and_then(|n| u32::try_from(n).ok());
        // The other form of a WorkflowExecution, told among the known names; whoever gives one does not come here.
        let _ = object.has("playbook");
        object.finish();
        if let Some(steps) = &steps
            && faults.is_empty()
        {
            graph(steps, &mut faults);
        }
        match (workflow_type, reason, steps) {
            (Some(workflow_type), Some(reason), Some(steps)) if faults.is_empty() => {
                Ok(Self { workflow_type, reason, steps, service_account, timeout, retries })
            }
            _ => Err(faults),
        }
    }
}

/// Unknown names, self references, duplicates and cycles, each at its place.
fn graph(steps: &[Step], faults: &mut Faults) {
    let tasks: Vec<(&str, &[String])> = steps.iter().map(|s| (s.name.as_str(), s.run_after.as_slice())).collect();
    for fault in Dag::new(&tasks).err().into_iter().flatten() {
        let (task, reference) = fault.place();
        let at = join_index("/steps", task);
        let pointer = match reference {
            Some(index) => join_index(&join(&at, "runAfter"), index),
            None => at,
        };
        faults.add(pointer, fault.code(), fault.to_string());
    }
}

fn step(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Step> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", step_name);
    let action_type = object.required("actionType", action_type);
    let image = object.required("image", image);
    let inputs = object.optional("inputs", inputs);
    let run_after =
        object.optional("runAfter", reader::array(0..=StepPlan::MAX_STEPS, reader::line(1..=limits::STEP_NAME)));
    let uses_workspace = object.optional("usesWorkspace", reader::boolean());
    let idempotent = object.optional("idempotent", reader::boolean());
    object.finish();
    Some(Step {
        name: name?,
        action_type: action_type?,
        image: image?,
        inputs: inputs.unwrap_or_default(),
        run_after: run_after.unwrap_or_default(),
        uses_workspace: uses_workspace.unwrap_or(false),
        idempotent: idempotent.unwrap_or(false),
    })
}

/// A digest may be abbreviated, as in the seed; the registry then finds the whole one or refuses.
fn image(value: &Value, pointer: &str, faults: &mut Faults) -> Option<ImageRef> {
    let Some(text) = value.as_str() else {
        return reader::wrong_type(value, pointer, faults, "a string");
    };
    match ImageRef::parse_abbreviated(text) {
        Ok(image) => Some(image),
        Err(complaint) => reader::refuse(complaint, pointer, faults),
    }
}

/// It reaches the task as a Tekton parameter, so it may hold nothing that Tekton would expand.
fn action_type(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let text = reader::line(1..=limits::ACTION_TYPE)(value, pointer, faults)?;
    match text::check_substitution(&text) {
        Ok(()) => Some(text),
        Err(complaint) => reader::refuse(complaint, pointer, faults),
    }
}

/// A DNS label short enough to be a Tekton task's name.
fn step_name(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let name = reader::line(1..=limits::STEP_NAME)(value, pointer, faults)?;
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let good = name.bytes().all(inner) && !name.starts_with('-') && !name.ends_with('-');
    if good {
        return Some(name);
    }
    let message = "use lower-case letters, digits and inner hyphens only, such as restart-pods";
    reader::refuse(Complaint::new(code::MALFORMED, message), pointer, faults)
}

fn inputs(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Map<String, Value>> {
    const LONGEST: usize = 16 * 1024;
    let Some(inputs) = value.as_object() else {
        return reader::wrong_type(value, pointer, faults, "an object {…}");
    };
    let length = value.to_string().len();
    if length > LONGEST {
        let message = format!("shorten the inputs: {length} bytes as JSON, at most {LONGEST}");
        return reader::refuse(Complaint::new(code::TOO_LONG, message), pointer, faults);
    }
    let before = faults.len();
    check_texts(value, pointer, faults);
    (faults.len() == before).then(|| inputs.clone())
}

/// Every text in the inputs, names too: no hidden characters, nothing that Tekton would expand. Line breaks are welcome:
/// they travel escaped in JSON.
fn check_texts(value: &Value, pointer: &str, faults: &mut Faults) {
    match value {
        Value::String(text) => {
            if let Err(complaint) = check_input(text) {
                faults.push(complaint.at(pointer));
            }
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| check_texts(v, &join_index(pointer, i), faults));
        }
        Value::Object(members) => {
            for (name, inner) in members {
                let at = join(pointer, name);
                if let Err(complaint) = check_input(name) {
                    faults.push(complaint.at(at.clone()));
                }
                check_texts(inner, &at, faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_input(input: &str) -> Result<(), Complaint> {
    text::check_paragraphs(input)?;
    text::check_substitution(input)
}
