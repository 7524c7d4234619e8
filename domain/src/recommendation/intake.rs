//! Reading a recommendation from the wire (`api.md`, Recommendations): the seeds' form plus `incident` and `model`, or kubernaut's
//! present form (`kubernaut.rs`). What is of neither is refused whole; whether a strategy can run is judged afterwards, against the catalog.

use super::{Content, Finding, Incident, Model, Proposal, ResourceRef, Risk, Severity, Strategy, kubernaut};
use crate::{
    fault::{Complaint, Faults, code},
    ids::FindingId,
    playbook::ImageRef,
    reader::{self, ObjectReader},
    time::Timestamp,
};
use serde_json::{Map, Value};

/// The most strategies, warnings or findings in one answer.
pub(super) const MAX_ITEMS: usize = 32;

const SEVERITIES: &[(&str, Severity)] = &[
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("info", Severity::Info),
];

/// What was read of an answer, in whichever form it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it says. Strategies have no errors yet, findings no ids.
    pub content: Content,
    /// The image that each strategy names beside its playbook, where it names one: it must be the registered one.
    pub bundles: Vec<Option<ImageRef>>,
    /// Whether it says what each strategy risks. Where it does not, the registration does; a risk that nobody tells is high.
    pub says_risk: bool,
}

/// Reads a model's answer in either form; every fault is found in one pass.
pub fn read(body: &Value) -> Result<Answer, Faults> {
    if kubernaut::is_meant(body) {
        return kubernaut::parse(body);
    }
    parse(body).map(|content| Answer { content, bundles: Vec::new(), says_risk: true })
}

/// Reads a strategy that is only tried: what a model would propose, or just its playbook and parameters.
pub fn parse_trial(body: &Value) -> Result<Strategy, Faults> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(body, "", &mut faults);
    let action_type = object.optional("action_type", reader::line(1..=128));
    let workflow_id = object.required("workflow_id", reader::line(1..=128));
    let version = object.optional("version", reader::line(1..=128));
    let confidence = object.optional("confidence", reader::number(0.0..=1.0));
    let rationale = object.optional("rationale", reader::free_text(1..=16_384));
    let estimated_risk = object.optional("estimated_risk", reader::one_of(Risk::WORDS));
    let parameters = object.optional("parameters", free_object);
    let rollback_parameters = object.optional("rollback_parameters", free_object);
    object.finish();
    match workflow_id {
        Some(workflow_id) if faults.is_empty() => Ok(Strategy {
            action_type: action_type.unwrap_or_else(|| workflow_id.clone()),
            confidence,
            rationale: rationale.unwrap_or_default(),
            estimated_risk: estimated_risk.unwrap_or(Risk::High),
            declared_risk: None,
            proposal: Proposal::Playbook {
                workflow_id,
                version,
                parameters: parameters.unwrap_or_default(),
                rollback_parameters,
            },
            errors: Vec::new(),
            rollback_errors: Vec::new(),
        }),
        _ => Err(faults),
    }
}

/// Reads the seeds' form; every fault is found in one pass. Strategies have no errors yet, findings no ids.
pub fn parse(body: &Value) -> Result<Content, Faults> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(body, "", &mut faults);
    let incident = object.required("incident", incident);
    let model = object.optional("model", model);
    let analysis_summary = object.required("analysis_summary", reader::free_text(1..=16_384));
    let root_cause_assessment = object.required("root_cause_assessment", reader::free_text(1..=16_384));
    let strategies = object.required("strategies", reader::array(1..=MAX_ITEMS, strategy));
    let warnings = object.optional("warnings", reader::array(0..=MAX_ITEMS, reader::free_text(1..=4096)));
    let context_used = object.optional("context_used", free_object);
    let additional_findings = object.optional("additional_findings", reader::array(0..=MAX_ITEMS, finding));
    object.finish();
    match (incident, analysis_summary, root_cause_assessment, strategies) {
        (Some(incident), Some(analysis_summary), Some(root_cause_assessment), Some(strategies))
            if faults.is_empty() =>
        {
            Ok(Content {
                incident,
                model,
                analysis_summary,
                root_cause_assessment,
                strategies,
                warnings: warnings.unwrap_or_default(),
                context_used: context_used.unwrap_or_default(),
                additional_findings: additional_findings.unwrap_or_default(),
                needs_human_review: false,
                seen: Vec::new(),
            })
        }
        _ => Err(faults),
    }
}

pub(super) fn incident(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Incident> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let id = object.required("id", incident_id);
    let signal_type = object.required("signal_type", reader::line(1..=128));
    let severity = object.required("severity", reader::one_of(SEVERITIES));
    let environment = object.optional("environment", reader::line(1..=63));
    let priority = object.optional("priority", reader::line(1..=63));
    let fingerprint = object.optional("fingerprint", reader::line(1..=256));
    let resource = object.optional("resource", resource);
    let started_at = object.optional("started_at", reader::parsed::<Timestamp>());
    let business_context = object.optional("business_context", business_context);
    object.finish();
    Some(Incident {
        id: id?,
        signal_type: signal_type?,
        severity: severity?,
        environment,
        priority,
        fingerprint,
        resource,
        started_at,
        business_context: business_context.unwrap_or_default(),
    })
}

fn resource(value: &Value, pointer: &str, faults: &mut Faults) -> Option<ResourceRef> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let kind = object.required("kind", reader::line(1..=63));
    let namespace = object.optional("namespace", reader::line(1..=63));
    let name = object.required("name", reader::line(1..=253));
    object.finish();
    Some(ResourceRef { kind: kind?, namespace, name: name? })
}

#[expect(clippy::unnecessary_wraps, reason = "readers answer an option, so that all are used alike")]
pub(super) fn model(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Model> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let model = Model {
        provider: object.optional("provider", reader::line(1..=128)),
        name: object.optional("name", reader::line(1..=128)),
        prompt_version: object.optional("prompt_version", reader::line(1..=128)),
        investigation_id: object.optional("investigation_id", reader::line(1..=256)),
    };
    object.finish();
    Some(model)
}

fn strategy(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Strategy> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let action_type = object.required("action_type", reader::line(1..=128));
    let workflow_id = object.required("workflow_id", reader::line(1..=128));
    let version = object.optional("version", reader::line(1..=128));
    let confidence = object.required("confidence", reader::number(0.0..=1.0));
    let rationale = object.required("rationale", reader::free_text(1..=16_384));
    let estimated_risk = object.required("estimated_risk", reader::one_of(Risk::WORDS));
    let parameters = object.optional("parameters", free_object);
    let rollback_parameters = object.optional("rollback_parameters", free_object);
    object.finish();
    Some(Strategy {
        action_type: action_type?,
        confidence: Some(confidence?),
        rationale: rationale?,
        estimated_risk: estimated_risk?,
        declared_risk: None,
        proposal: Proposal::Playbook {
            workflow_id: workflow_id?,
            version,
            parameters: parameters.unwrap_or_default(),
            rollback_parameters,
        },
        errors: Vec::new(),
        rollback_errors: Vec::new(),
    })
}

fn finding(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Finding> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let title = object.required("title", reader::free_text(1..=512));
    let description = object.optional("description", reader::free_text(0..=16_384));
    let severity = object.optional("severity", reader::one_of(SEVERITIES));
    let resource = object.optional("resource", resource);
    let suggested_workflow_id = object.optional("suggested_workflow_id", reader::line(1..=128));
    object.finish();
    Some(Finding {
        id: FindingId::new(""),
        title: title?,
        description: description.unwrap_or_default(),
        severity,
        resource,
        suggested_workflow_id,
    })
}

/// Beginnings of incident ids that the console gives itself: what was proposed by hand, and what was applied to the cluster.
/// A model's answer never takes the place of these in the inbox, nor they of its.
pub const OWN_INCIDENTS: [&str; 2] = ["manual/", "applied/"];

fn incident_id(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let id = reader::line(1..=128)(value, pointer, faults)?;
    match OWN_INCIDENTS.iter().find(|own| id.starts_with(*own)) {
        None => Some(id),
        Some(own) => {
            let message = format!("use another id: those that begin with \"{own}\" are the console's own");
            reader::refuse(Complaint::new("reserved", message), pointer, faults)
        }
    }
}

/// Each entry becomes an annotation of the PipelineRun; Kubernetes takes 256 KiB of them in all.
fn business_context(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Map<String, Value>> {
    const LONGEST: usize = 16 * 1024;
    let length = value.to_string().len();
    if length > LONGEST {
        let message = format!("shorten the business context: {length} bytes as JSON, at most {LONGEST}");
        return reader::refuse(Complaint::new(code::TOO_LONG, message), pointer, faults);
    }
    free_object(value, pointer, faults)
}

/// An object in somebody else's words. Only NUL is refused, as PostgreSQL cannot keep it.
pub(super) fn free_object(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Map<String, Value>> {
    let Some(object) = value.as_object() else {
        return reader::wrong_type(value, pointer, faults, "an object {…}");
    };
    if value.to_string().contains("\\u0000") {
        return reader::refuse(Complaint::new(code::CONTROL_CHARACTER, "remove the NUL character"), pointer, faults);
    }
    Some(object.clone())
}
