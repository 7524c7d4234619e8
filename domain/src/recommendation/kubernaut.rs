//! Reading kubernaut's present answer form: one selected workflow, alternatives beside it, and a root cause analysis of its own. It
//! comes with `incident` and `model` as the seeds' form does. Everything it says is kept: what has no place of its own is evidence.
//! It says nothing of the risk.

use super::{
    Content, Proposal, ResourceRef, Risk, Strategy,
    intake::{self, Answer, MAX_ITEMS},
};
use crate::{
    fault::{Complaint, Faults, code},
    playbook::ImageRef,
    reader::{self, ObjectReader},
};
use serde_json::{Map, Value};

/// Members that only this form has; spelt as Python has them they are meant, too, and refused with the right name.
const MARKS: [&str; 8] = [
    "selectedWorkflow",
    "alternativeWorkflows",
    "rootCauseAnalysis",
    "needsHumanReview",
    "selected_workflow",
    "alternative_workflows",
    "root_cause_analysis",
    "needs_human_review",
];

/// One of all strategies is the selected one.
const MOST_ALTERNATIVES: usize = MAX_ITEMS - 1;

/// How bad it is by the analysis. That of the incident is what counts; this is evidence.
const SEVERITIES: &[(&str, &str)] =
    &[("critical", "critical"), ("high", "high"), ("medium", "medium"), ("low", "low"), ("unknown", "unknown")];

/// What is said of a workflow for which no reason was given.
const NO_REASON: &str = "The model gives no reason for this workflow; see the root cause.";

/// Whether a body is written in this form.
pub(super) fn is_meant(body: &Value) -> bool {
    body.as_object().is_some_and(|members| MARKS.iter().any(|mark| members.contains_key(*mark)))
}

/// Reads it; every fault is found in one pass. The selected workflow is the first strategy, the alternatives follow.
pub(super) fn parse(body: &Value) -> Result<Answer, Faults> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(body, "", &mut faults);
    let incident = object.required("incident", intake::incident);
    let model = object.optional("model", intake::model);
    let cause = object.required("rootCauseAnalysis", cause);
    let selected = object.optional("selectedWorkflow", selected);
    let alternatives = object.optional("alternativeWorkflows", reader::array(0..=MOST_ALTERNATIVES, alternative));
    let asked = object.optional("needsHumanReview", reader::boolean());
    let why = object.optional("humanReviewReason", reader::free_text(1..=4096));
    let warnings = object.optional("warnings", reader::array(0..=MAX_ITEMS, reader::free_text(1..=4096)));
    let alternatives = alternatives.unwrap_or_default();
    if alternatives.is_empty() && !object.has("selectedWorkflow") {
        let message = "add the field \"selectedWorkflow\": without a workflow there is nothing to decide";
        object.fault("selectedWorkflow", Complaint::new(code::REQUIRED, message));
    }
    object.finish();
    let (Some(mut incident), Some(cause), true) = (incident, cause, faults.is_empty()) else { return Err(faults) };

    // Nothing was selected: the alternatives are context, and what becomes of them is for people.
    let needs_human_review = asked == Some(true) || selected.is_none();
    let mut warnings = warnings.unwrap_or_default();
    if needs_human_review {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        warnings.insert(0, format!("The model asks for a person to review this{why}"));
    }
    let workflows: Vec<Workflow> = selected.into_iter().chain(alternatives).collect();
    let context_used = cause.evidence(&workflows);
    if incident.resource.is_none() {
        incident.resource = cause.target.map(|target| target.resource);
    }
    let (strategies, bundles) = workflows.into_iter().map(|workflow| (workflow.strategy, workflow.bundle)).unzip();
    let content = Content {
        incident,
        model,
        analysis_summary: cause.summary.clone(),
        root_cause_assessment: cause.summary,
        strategies,
        warnings,
        context_used,
        additional_findings: Vec::new(),
        needs_human_review,
        seen: Vec::new(),
    };
    Ok(Answer { content, bundles, says_risk: false })
}

/// A root cause analysis.
struct Cause {
    summary: String,
    severity: Option<&'static str>,
    signal_type: Option<String>,
    factors: Vec<String>,
    chain: Vec<String>,
    target: Option<TargetRef>,
}

impl Cause {
    /// What of it has no place of its own, and the images that workflows name.
    fn evidence(&self, workflows: &[Workflow]) -> Map<String, Value> {
        let mut evidence = Map::new();
        let mut put = |name: &str, text: String| {
            if !text.is_empty() {
                evidence.insert(name.to_owned(), Value::String(text));
            }
        };
        put("causal_chain", self.chain.join(" → "));
        put("contributing_factors", self.factors.join("; "));
        put("severity_of_the_cause", self.severity.unwrap_or_default().to_owned());
        put("signal_of_the_cause", self.signal_type.clone().unwrap_or_default());
        put("remediation_target", self.target.as_ref().map(TargetRef::in_words).unwrap_or_default());
        let bundles = workflows.iter().filter_map(|workflow| workflow.bundle.as_ref());
        put("execution_bundles", bundles.map(ToString::to_string).collect::<Vec<_>>().join("; "));
        evidence
    }
}

fn cause(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Cause> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let summary = object.required("summary", reader::free_text(1..=16_384));
    let severity = object.optional("severity", reader::one_of(SEVERITIES));
    let signal_type = object.optional("signalType", reader::line(1..=128));
    let factors = object.optional("contributingFactors", texts());
    let chain = object.optional("causalChain", texts());
    let target = object.optional("remediationTarget", target);
    object.finish();
    let (factors, chain) = (factors.unwrap_or_default(), chain.unwrap_or_default());
    Some(Cause { summary: summary?, severity, signal_type, factors, chain, target })
}

fn texts() -> impl Fn(&Value, &str, &mut Faults) -> Option<Vec<String>> {
    reader::array(0..=MAX_ITEMS, reader::free_text(1..=4096))
}

/// What the analysis says has to be mended.
struct TargetRef {
    api_version: Option<String>,
    resource: ResourceRef,
}

impl TargetRef {
    fn in_words(&self) -> String {
        let ResourceRef { kind, namespace, name } = &self.resource;
        let place = namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let version = self.api_version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
        format!("{kind} {place}{name}{version}")
    }
}

fn target(value: &Value, pointer: &str, faults: &mut Faults) -> Option<TargetRef> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let api_version = object.optional("apiVersion", reader::line(1..=253));
    let kind = object.required("kind", reader::line(1..=63));
    let namespace = object.optional("namespace", reader::line(1..=63));
    let name = object.required("name", reader::line(1..=253));
    object.finish();
    Some(TargetRef { api_version, resource: ResourceRef { kind: kind?, namespace, name: name? } })
}

/// A workflow with the image that is named for it.
struct Workflow {
    strategy: Strategy,
    bundle: Option<ImageRef>,
}

fn selected(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Workflow> {
    workflow(value, pointer, faults, true)
}

fn alternative(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Workflow> {
    workflow(value, pointer, faults, false)
}

/// A selected workflow says what it does and how sure the model is; of an alternative kubernaut asks neither.
fn workflow(value: &Value, pointer: &str, faults: &mut Faults, selected: bool) -> Option<Workflow> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let workflow_id = object.required("workflowId", reader::line(1..=128));
    let action_type = if selected {
        object.required("actionType", reader::line(1..=128))
    } else {
        object.optional("actionType", reader::line(1..=128))
    };
    let version = object.optional("version", reader::line(1..=128));
    let bundle = object.optional("executionBundle", reader::parsed::<ImageRef>());
    let confidence = if selected {
        object.required("confidence", reader::number(0.0..=1.0))
    } else {
        object.optional("confidence", reader::number(0.0..=1.0))
    };
    let rationale = object.optional("rationale", reader::free_text(1..=16_384));
    let parameters = object.optional("parameters", intake::free_object);
    object.finish();
    let workflow_id = workflow_id?;
    let strategy = Strategy {
        action_type: action_type.unwrap_or_else(|| workflow_id.clone()),
        confidence,
        rationale: rationale.unwrap_or_else(|| NO_REASON.to_owned()),
        estimated_risk: Risk::High,
        declared_risk: None,
        proposal: Proposal::Playbook {
            workflow_id,
            version,
            parameters: parameters.unwrap_or_default(),
            rollback_parameters: None,
        },
        errors: Vec::new(),
        rollback_errors: Vec::new(),
    };
    Some(Workflow { strategy, bundle })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Value {
        json!({
            "incident": { "id": "inc-1", "signal_type": "OOMKilled", "severity": "high" },
            "rootCauseAnalysis": {
                "summary": "The node is full.", "severity": "critical", "signalType": "NodeMemoryPressure",
                "contributingFactors": ["four replicas", "no limits"],
                "causalChain": ["deploy", "memory fills", "kernel kills"],
                "remediationTarget": { "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "production", "name": "my-app" },
            },
            "selectedWorkflow": {
                "workflowId": "oomkill-scale-down", "actionType": "ScaleReplicas", "confidence": 0.9,
                "executionBundle": "quay.io/kubernaut/playbook:1.0.0", "parameters": { "SCALE_TARGET_REPLICAS": 1 },
            },
            "alternativeWorkflows": [{ "workflowId": "oomkill-increase-memory", "rationale": "If scaling is not wanted." }],
            "needsHumanReview": true, "humanReviewReason": "low_confidence", "warnings": ["Capacity sinks."],
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
        let mut sent = answer();
        change(&mut sent);
        let faults = intake::read(&sent).expect_err("it is refused");
        faults.into_iter().map(|fault| (fault.pointer, fault.message)).collect()
    }

    #[test]
    fn everything_it_says_is_kept() {
        let Answer { content, bundles, says_risk } = intake::read(&answer()).unwrap();
        assert!(content.needs_human_review && !says_risk);
        assert_eq!(content.root_cause_assessment, "The node is full.");
        let [first, second] = content.strategies.as_slice() else { panic!("the selected one and an alternative") };
        assert_eq!((first.action_type.as_str(), first.confidence), ("ScaleReplicas", Some(0.9)));
        assert_eq!((second.action_type.as_str(), second.confidence), ("oomkill-increase-memory", None));
        assert_eq!((first.rationale.as_str(), second.rationale.as_str()), (NO_REASON, "If scaling is not wanted."));
        assert_eq!(first.estimated_risk, Risk::High, "what nobody says is no reason to be easy");
        let named: Vec<_> = bundles.iter().map(|bundle| bundle.as_ref().map(ToString::to_string)).collect();
        assert_eq!(named, [Some("quay.io/kubernaut/playbook:1.0.0".to_owned()), None]);
        assert_eq!(content.warnings, ["The model asks for a person to review this: low_confidence", "Capacity sinks."]);
        let evidence = json!({
            "causal_chain": "deploy → memory fills → kernel kills", "contributing_factors": "four replicas; no limits",
            "severity_of_the_cause": "critical", "signal_of_the_cause": "NodeMemoryPressure",
            "remediation_target": "Deployment production/my-app (apps/v1)",
            "execution_bundles": "quay.io/kubernaut/playbook:1.0.0",
        });
        assert_eq!(Value::Object(content.context_used), evidence);
        assert_eq!(content.incident.resource.map(|resource| resource.name).as_deref(), Some("my-app"));
    }

    #[test]
    fn the_incidents_own_object_stands() {
        let mut sent = answer();
        sent["incident"]["resource"] = json!({ "kind": "Pod", "namespace": "production", "name": "my-app-1" });
        let resource = intake::read(&sent).unwrap().content.incident.resource.unwrap();
        assert_eq!((resource.kind.as_str(), resource.name.as_str()), ("Pod", "my-app-1"));
    }

    #[test]
    fn without_a_selected_one_people_choose() {
        let mut sent = answer();
        sent["selectedWorkflow"] = Value::Null;
        sent["needsHumanReview"] = json!(false);
        let content = intake::read(&sent).unwrap().content;
        assert!(content.needs_human_review);
        assert_eq!(content.strategies.len(), 1);
        sent["alternativeWorkflows"] = json!([]);
        let faults = intake::read(&sent).unwrap_err().into_vec();
        assert_eq!((faults[0].pointer.as_str(), faults.len()), ("/selectedWorkflow", 1));
    }

    #[test]
    fn what_is_nearly_right_is_refused_with_what_to_send() {
        let one = |pointer: &str, value: Value| {
            let found = refused(|sent| *sent.pointer_mut(pointer).unwrap() = value);
            assert_eq!((found.len(), found[0].0.as_str()), (1, pointer), "{found:?}");
            found[0].1.clone()
        };
        let number = one("/selectedWorkflow/confidence", json!("0.9"));
        assert_eq!(number, "send a number, not the string \"0.9\": write 0.9 without quotes");
        let word = one("/rootCauseAnalysis/severity", json!("Critical"));
        assert!(word.ends_with("; write \"critical\""), "{word}");
        let flag = one("/needsHumanReview", json!("true"));
        assert!(flag.ends_with(": write true without quotes"), "{flag}");
        let text = one("/selectedWorkflow/parameters", json!("{\"SCALE_TARGET_REPLICAS\": 1}"));
        assert!(text.ends_with("not a string that holds it"), "{text}");
        let fence = one("/alternativeWorkflows", json!("```json\n[]\n```"));
        assert!(fence.ends_with("without the Markdown fence around it"), "{fence}");
    }

    #[test]
    fn the_names_are_this_forms_own() {
        let found = refused(|sent| {
            let cause = sent["rootCauseAnalysis"].take();
            sent["root_cause_analysis"] = cause;
        });
        let unknown = found.iter().find(|(pointer, _)| pointer == "/root_cause_analysis").unwrap();
        assert!(unknown.1.contains("did you mean \"rootCauseAnalysis\"?"), "{unknown:?}");
        let both = refused(|sent| sent["strategies"] = json!([]));
        assert_eq!(both[0].0, "/strategies", "one form or the other");
    }
}
