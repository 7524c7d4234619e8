//! The whole `spec` of a WorkflowExecution as somebody wrote it: a list of steps, or a playbook with its parameters as texts.
//! Whether the playbook exists and takes these parameters is judged against the catalog afterwards.

use super::{StepPlan, action_type};
use crate::{
    fault::{Complaint, Faults, code},
    playbook::{ImageRef, ServiceAccountName, Timeout},
    reader::{self, ObjectReader},
};
use serde_json::Value;

/// What a WorkflowExecution asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// A list of steps (architecture seed).
    Steps(StepPlan),
    /// A playbook of the catalog (parameter seed).
    Playbook(PlaybookPlan),
}

/// A playbook as a WorkflowExecution names it. What is left out comes from its registration; what is given must agree with it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaybookPlan {
    /// Why.
    pub reason: String,
    /// The playbook, as it was named.
    pub id: String,
    /// Its version, as it was named.
    pub version: String,
    /// Its image.
    pub image: Option<ImageRef>,
    /// What kind of thing it does.
    pub action_type: Option<String>,
    /// Values of exposed parameters by their names, in the order they were written.
    pub parameters: Vec<(String, String)>,
    /// The service account that the pods run as.
    pub service_account: Option<ServiceAccountName>,
    /// Of the whole run.
    pub timeout: Option<Timeout>,
    /// How often a failed task is tried again.
    pub retries: Option<u32>,
}

impl Applied {
    /// Reads a `spec`; every fault is found in one pass.
    pub fn parse(spec: &Value) -> Result<Self, Faults> {
        if spec.get("playbook").is_some_and(|playbook| !playbook.is_null()) {
            PlaybookPlan::parse(spec).map(Self::Playbook)
        } else {
            StepPlan::parse(spec).map(Self::Steps)
        }
    }
}

impl PlaybookPlan {
    fn parse(spec: &Value) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(spec, "", &mut faults);
        let workflow_type = object.required("workflowType", reader::line(1..=253));
        let reason = object.required("reason", reader::paragraphs(1..=4096));
        let playbook = object.required("playbook", playbook);
        let service_account = object.optional("serviceAccount", reader::parsed::<ServiceAccountName>());
        let timeout = object.optional("timeout", reader::parsed::<Timeout>());
        let retries = object.optional("retries", reader::integer(0..=5)).and_then(|n| u32::try_from(n).ok());
        if object.has("steps") {
            object.fault("steps", Complaint::new(code::NOT_ALLOWED, "give either steps or a playbook, not both"));
        }
        if let (Some(kind), Some(playbook)) = (&workflow_type, &playbook)
            && *kind != playbook.id
        {
            let message = format!("write {:?}: for a playbook the workflowType is its id", playbook.id);
            object.fault("workflowType", Complaint::new(code::NOT_ALLOWED, message));
        }
        object.finish();
        match (reason, playbook) {
            (Some(reason), Some(Named { id, version, image, action_type, parameters })) if faults.is_empty() => {
                Ok(Self { reason, id, version, image, action_type, parameters, service_account, timeout, retries })
            }
            _ => Err(faults),
        }
    }
}

struct Named {
    id: String,
    version: String,
    image: Option<ImageRef>,
    action_type: Option<String>,
    parameters: Vec<(String, String)>,
}

fn playbook(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Named> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let id = object.required("id", reader::line(1..=253));
    let version = object.required("version", reader::line(1..=64));
    let image = object.optional("image", reader::parsed::<ImageRef>());
    let action_type = object.optional("actionType", action_type);
    let parameters = object.optional("parameters", reader::array(0..=64, parameter));
    object.finish();
    Some(Named { id: id?, version: version?, image, action_type, parameters: parameters.unwrap_or_default() })
}

fn parameter(value: &Value, pointer: &str, faults: &mut Faults) -> Option<(String, String)> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", reader::line(1..=63));
    if object.has("secretRef") {
        let message = "leave secretRef out: only a registration names Secrets, in its hidden parameters";
        object.fault("secretRef", Complaint::new(code::NOT_ALLOWED, message));
    }
    let text = object.required("value", reader::free_text(0..=4096));
    object.finish();
    Some((name?, text?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec() -> Value {
        json!({
            "workflowType": "oomkill-scale-down", "reason": "Too big.", "timeout": "5m",
            "playbook": { "id": "oomkill-scale-down", "version": "1.0.0", "parameters": [{ "name": "REPLICAS", "value": "2" }] },
        })
    }

    #[test]
    fn a_playbook_is_read_with_its_parameters_as_texts() {
        let Ok(Applied::Playbook(plan)) = Applied::parse(&spec()) else { panic!("a playbook") };
        assert_eq!((plan.id.as_str(), plan.version.as_str(), plan.retries), ("oomkill-scale-down", "1.0.0", None));
        assert_eq!(plan.timeout.map(Timeout::seconds), Some(300));
        assert_eq!(plan.parameters, [("REPLICAS".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn every_fault_is_found_in_one_pass() {
        let mut spec = spec();
        spec["steps"] = json!([]);
        spec["workflowType"] = json!("other");
        spec["retries"] = json!(9);
        spec["playbook"]["parameters"] = json!([{ "name": "A", "secretRef": { "name": "s", "key": "k" } }]);
        let faults = Applied::parse(&spec).expect_err("faults").into_vec();
        let mut at: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        at.sort_unstable();
        let expected =
            ["/playbook/parameters/0/secretRef", "/playbook/parameters/0/value", "/retries", "/steps", "/workflowType"];
        assert_eq!(at, expected);
    }

    #[test]
    fn what_tekton_would_expand_is_refused_in_an_action_type() {
        let step =
            json!({ "name": "a", "actionType": "x/$(tasks.b.results.c)", "image": "example.com/a@sha256:abc123" });
        let spec = json!({ "workflowType": "t", "reason": "r", "steps": [step] });
        let faults = Applied::parse(&spec).expect_err("a fault").into_vec();
        assert_eq!((faults[0].pointer.as_str(), faults[0].code.as_ref()), ("/steps/0/actionType", "substitution"));
    }
}
