//! What an agent answers when it has chosen: one JSON object in the form of a recommendation (`recommendation/intake.rs`), without the
//! incident and the model, which the console knows better. It is read strictly, and nothing of it is repaired: what is nearly right is told.

use crate::{
    fault::{Fault, Faults, code},
    incident::IncidentRecord,
    json::strict::{self, Limits},
    reader::{self, ObjectReader},
    recommendation::{Incident, Model, ResourceRef},
    signal::Signal,
    text::one_line,
};
use serde_json::{Map, Value, json};

/// What an agent answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It proposes something: the body of a recommendation, for the ordinary intake.
    Proposed(Value),
    /// No playbook fits, for this reason.
    NothingFits(String),
}

/// Members that the console fills in.
const OWN: [&str; 2] = ["incident", "model"];

/// Reads an answer about this incident by this model.
///
/// # Errors
/// What is wrong with it as a document. Whether it is a recommendation, and one that can run, the intake says.
pub fn read(text: &str, incident: &Incident, model: &Model) -> Result<Answer, Vec<Fault>> {
    let read = strict::parse(text.as_bytes(), Limits::default());
    let value = read.map_err(|error| vec![Fault::new(error.pointer(), error.code(), error.to_string())])?;
    let mut members = match value {
        Value::Object(members) => members,
        other => {
            let message = format!("send one object {{…}}, not {}", reader::described(&other));
            return Err(vec![Fault::new("", code::WRONG_TYPE, message)]);
        }
    };
    let known = OWN.into_iter().filter(|name| members.contains_key(*name));
    let refused: Vec<Fault> = known
        .map(|name| {
            let message = format!("leave {name} out: it is known, and filled in for you");
            Fault::new(format!("/{name}"), code::NOT_ALLOWED, message)
        })
        .collect();
    if !refused.is_empty() {
        return Err(refused);
    }
    if members.get("strategies").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return nothing_fits(&Value::Object(members)).map(Answer::NothingFits).map_err(Faults::into_vec);
    }
    members.insert("incident".into(), json!(incident));
    members.insert("model".into(), json!(model));
    Ok(Answer::Proposed(Value::Object(members)))
}

fn nothing_fits(body: &Value) -> Result<String, Faults> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(body, "", &mut faults);
    let why = object.required("analysis_summary", reader::free_text(1..=16_384));
    let _ = object.required("root_cause_assessment", reader::free_text(1..=16_384));
    for name in ["strategies", "warnings", "context_used", "additional_findings"] {
        let _ = object.has(name);
    }
    object.finish();
    match why {
        Some(why) if faults.is_empty() => Ok(why),
        _ => Err(faults),
    }
}

/// The incident as a recommendation names it.
pub fn incident(of: &IncidentRecord, signals: &[Signal]) -> Incident {
    let firing = signals.iter().find(|signal| signal.resolved_at.is_none()).or(signals.first());
    let resource = of.about.resource.as_ref().map(|resource| ResourceRef {
        kind: short(&resource.kind, 63),
        namespace: resource.namespace.as_ref().map(|namespace| short(namespace, 63)),
        name: short(&resource.name, 253),
    });
    Incident {
        id: of.id.to_string(),
        signal_type: short(&of.about.signal_type, 128),
        severity: of.severity,
        environment: of.about.environment.as_ref().map(|environment| short(environment, 63)),
        priority: None,
        fingerprint: firing.map(|signal| signal.fingerprint.clone()),
        resource,
        started_at: Some(of.started_at),
        business_context: Map::new(),
    }
}

/// At most so many characters, with the ellipsis of what was cut.
fn short(text: &str, most: usize) -> String {
    one_line(text, most.saturating_sub(1))
}

/// The form of an answer as JSON Schema. The intake takes what it describes; a test holds the two together.
pub fn schema() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let texts = json!({ "type": "array", "items": text });
    let severities = json!(["critical", "high", "medium", "low", "info"]);
    json!({
        "type": "object", "additionalProperties": false,
        "required": ["analysis_summary", "root_cause_assessment", "strategies"],
        "properties": {
            "analysis_summary": { "type": "string", "minLength": 1, "description": "two sentences for whoever decides" },
            "root_cause_assessment": text,
            "strategies": {
                "type": "array", "description": "best first; empty when no playbook fits",
                "items": {
                    "type": "object", "additionalProperties": false,
                    "required": ["action_type", "workflow_id", "confidence", "rationale", "estimated_risk", "parameters"],
                    "properties": {
                        "action_type": { "type": "string", "description": "what it does, such as scale_down_replicas" },
                        "workflow_id": { "type": "string" },
                        "version": { "type": "string" },
                        "confidence": { "type": "number", "minimum": 0, "maximum": 1 },
                        "rationale": text,
                        "estimated_risk": { "enum": ["low", "medium", "high"] },
                        "parameters": { "type": "object", "description": "by the playbook's schema" },
                        "rollback_parameters": { "type": "object", "description": "what would undo it" },
                    },
                },
            },
            "warnings": texts,
            "context_used": { "type": "object", "description": "evidence: name and text" },
            "additional_findings": {
                "type": "array",
                "items": {
                    "type": "object", "additionalProperties": false, "required": ["title"],
                    "properties": {
                        "title": text,
                        "description": { "type": "string" },
                        "severity": { "enum": severities },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::IncidentId,
        incident::{About, IncidentState},
        recommendation::{Severity, intake},
        signal::SignalSource,
        time::Timestamp,
    };

    fn record() -> IncidentRecord {
        IncidentRecord {
            id: IncidentId::new("i-1"),
            state: IncidentState::Firing,
            cluster: "test".into(),
            source: SignalSource::Alertmanager,
            severity: Severity::High,
            about: About {
                title: "Pod web is killed".into(),
                signal_type: "OOMKilled".into(),
                environment: Some("x".repeat(200)),
                resource: Some(ResourceRef { kind: "Pod".into(), namespace: None, name: "web\u{202e}".into() }),
            },
            started_at: Timestamp::from_millis(1_000),
            opened_at: Timestamp::from_millis(2_000),
            resolved_at: None,
            signal_count: 1,
            firing_count: 1,
            earlier: None,
            closed: None,
        }
    }

    fn answer() -> Value {
        json!({
            "analysis_summary": "Killed for memory.", "root_cause_assessment": "A leak.",
            "strategies": [{
                "action_type": "scale", "workflow_id": "oomkill-scale-down", "confidence": 0.8, "rationale": "It helps.",
                "estimated_risk": "low", "parameters": { "SCALE_TARGET_REPLICAS": 1 },
                "rollback_parameters": { "SCALE_TARGET_REPLICAS": 4 },
            }],
            "warnings": ["Capacity sinks."], "context_used": { "memory": "512Mi" },
            "additional_findings": [{ "title": "No limits", "description": "", "severity": "low" }],
        })
    }

    fn taken(text: &str) -> Result<Answer, Vec<Fault>> {
        read(text, &incident(&record(), &[]), &Model { provider: Some("holmesgpt".into()), ..Model::default() })
    }

    #[test]
    fn a_good_answer_is_one_for_the_intake_whatever_the_alert_said() {
        let Ok(Answer::Proposed(body)) = taken(&answer().to_string()) else { panic!("it is proposed") };
        let content = intake::read(&body).unwrap().content;
        assert_eq!((content.incident.id.as_str(), content.strategies.len()), ("i-1", 1));
        assert_eq!(content.incident.environment.unwrap().chars().count(), 63);
        assert_eq!(content.model.unwrap().provider.as_deref(), Some("holmesgpt"));
    }

    #[test]
    fn the_schema_and_the_intake_are_of_one_mind() {
        let schema = jsonschema::validator_for(&schema()).unwrap();
        assert!(schema.is_valid(&answer()));
        let wrong: [(&str, Value); 5] = [
            ("/strategies/0/confidence", json!("0.8")),
            ("/strategies/0/estimated_risk", json!("Low")),
            ("/strategies/0/parameters", json!("{}")),
            ("/analysis_summary", json!("")),
            ("/additional_findings/0/severity", json!("worst")),
        ];
        for (pointer, value) in wrong {
            let mut sent = answer();
            *sent.pointer_mut(pointer).unwrap() = value;
            assert!(!schema.is_valid(&sent), "{pointer}");
            let Ok(Answer::Proposed(body)) = taken(&sent.to_string()) else { panic!("{pointer}: the intake says so") };
            let faults = intake::read(&body).unwrap_err().into_vec();
            assert_eq!(faults[0].pointer, pointer);
        }
    }

    #[test]
    fn what_is_nearly_right_is_refused_with_what_to_send() {
        let one = |text: &str| {
            let found = taken(text).unwrap_err();
            (found[0].pointer.clone(), found[0].message.clone())
        };
        assert!(one(&format!("```json\n{}\n```", answer())).1.contains("without the Markdown fence"));
        assert!(one(&format!("Here it is: {}", answer())).1.contains("before the JSON"));
        assert!(one("[]").1.contains("not a list"));
        let mut own = answer();
        own["incident"] = json!({ "id": "another" });
        assert_eq!(one(&own.to_string()).0, "/incident");
    }

    #[test]
    fn that_nothing_fits_is_an_answer_with_its_reason() {
        let mut none = answer();
        none["strategies"] = json!([]);
        assert_eq!(taken(&none.to_string()), Ok(Answer::NothingFits("Killed for memory.".into())));
        none["analysis_summary"] = json!(7);
        assert_eq!(taken(&none.to_string()).unwrap_err()[0].pointer, "/analysis_summary");
    }
}
