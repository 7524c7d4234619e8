//! The tools: what each is called, which right it takes, and what a model is told of it. The words are written for models and cost
//! every conversation: a test measures them (`tests/api/mcp/budget.rs`).

use domain::identity::{Caller, Right};
use rmcp::model::ToolAnnotations;
use serde_json::{Map, Value, json};

/// What a model is told before it is told of any tool.
pub const INSTRUCTIONS: &str = "Remediations for Kubernetes incidents. Find the root cause first, with your other tools. Then: \
     search_playbooks by the signal, get_playbook_schema of the one that fits, validate_strategy until it is valid, \
     submit_recommendation once. Nothing runs by this: people or a policy decide. An error names the exact path and what to send \
     instead: change that and call again. Send numbers as numbers, words in the case that is listed, and JSON without a fence.";

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Finds playbooks.
    SearchPlaybooks,
    /// Tells a playbook's parameters.
    GetPlaybookSchema,
    /// Tries a strategy.
    ValidateStrategy,
    /// Hands in a recommendation.
    SubmitRecommendation,
    /// Tells what was measured.
    GetTrackRecord,
}

impl Tool {
    /// Every tool there is.
    pub const ALL: [Self; 5] = [
        Self::SearchPlaybooks,
        Self::GetPlaybookSchema,
        Self::ValidateStrategy,
        Self::SubmitRecommendation,
        Self::GetTrackRecord,
    ];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        self.path().trim_start_matches("/mcp#")
    }

    /// Its name in the table of rights and in the audit trail.
    pub const fn path(self) -> &'static str {
        match self {
            Self::SearchPlaybooks => "/mcp#search_playbooks",
            Self::GetPlaybookSchema => "/mcp#get_playbook_schema",
            Self::ValidateStrategy => "/mcp#validate_strategy",
            Self::SubmitRecommendation => "/mcp#submit_recommendation",
            Self::GetTrackRecord => "/mcp#get_track_record",
        }
    }

    /// The tool of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The right that it takes.
    pub const fn right(self) -> Right {
        match self {
            Self::SearchPlaybooks | Self::GetPlaybookSchema | Self::GetTrackRecord => Right::CatalogSearch,
            Self::ValidateStrategy | Self::SubmitRecommendation => Right::Propose,
        }
    }

    /// Whether this caller is shown it: what they may not use, or what is switched off, only costs a model words.
    pub fn is_for(self, caller: &Caller, record: bool) -> bool {
        caller.may(self.right()) && (record || self != Self::GetTrackRecord)
    }

    /// What a model is told of it.
    const fn description(self) -> &'static str {
        match self {
            Self::SearchPlaybooks => {
                "Find vetted playbooks for a root cause. Give the labels that you know: a playbook matches a label by naming it or by \
                 \"*\", and those that name more come first; then tags, then query (words in id, title, description). Each hit says why \
                 it was found (found_by)."
            }
            Self::GetPlaybookSchema => "The parameters of a playbook as JSON Schema. Call it before you fill any in.",
            Self::ValidateStrategy => {
                "Try a strategy: playbook, parameters, and what else you would submit of it. Stores nothing. Answers valid, or every \
                 error with its path."
            }
            Self::SubmitRecommendation => {
                "Hand in your answer for one incident, best strategy first. It waits for a decision, and replaces an open one for the \
                 same incident. A strategy that cannot run is kept with its errors and cannot be approved: validate first. confidence \
                 is your honest probability that it helps; it is compared with what happens."
            }
            Self::GetTrackRecord => {
                "How often a playbook worked here: runs, successes, 95 % interval. Few runs say little, and a good record is no sign \
                 that it fits this root cause: choose by the cause first."
            }
        }
    }

    /// What it takes, as JSON Schema.
    fn schema(self) -> Value {
        match self {
            Self::SearchPlaybooks => json!({
                "type": "object", "additionalProperties": false,
                "properties": {
                    "signal_type": { "type": "string", "description": "such as OOMKilled" },
                    "severity": { "type": "string" },
                    "component": { "type": "string", "description": "such as Deployment" },
                    "environment": { "type": "string" },
                    "priority": { "type": "string" },
                    "risk_tolerance": { "type": "string" },
                    "business_category": { "type": "string" },
                    "category": { "type": "string" },
                    "tags": { "type": "array", "items": { "type": "string" } },
                    "query": { "type": "string" },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 20, "default": 5 },
                },
            }),
            Self::GetPlaybookSchema => of_playbook(json!({
                "version": { "type": "string", "description": "default: the newest active" },
            })),
            Self::GetTrackRecord => of_playbook(json!({})),
            Self::ValidateStrategy => strategy(&["workflow_id"]),
            Self::SubmitRecommendation => json!({
                "type": "object", "additionalProperties": false,
                "required": ["incident", "analysis_summary", "root_cause_assessment", "strategies"],
                "properties": {
                    "incident": {
                        "type": "object", "required": ["id", "signal_type", "severity"],
                        "properties": {
                            "id": { "type": "string" },
                            "signal_type": { "type": "string" },
                            "severity": { "enum": ["critical", "high", "medium", "low", "info"] },
                            "environment": { "type": "string" },
                            "priority": { "type": "string" },
                            "fingerprint": { "type": "string" },
                            "resource": resource(),
                            "started_at": { "type": "string", "format": "date-time" },
                            "business_context": { "type": "object" },
                        },
                    },
                    "model": {
                        "type": "object", "description": "who answers",
                        "properties": {
                            "provider": { "type": "string" },
                            "name": { "type": "string" },
                            "prompt_version": { "type": "string" },
                            "investigation_id": { "type": "string" },
                        },
                    },
                    "analysis_summary": { "type": "string" },
                    "root_cause_assessment": { "type": "string" },
                    "strategies": {
                        "type": "array", "minItems": 1,
                        "items": strategy(&["action_type", "workflow_id", "confidence", "rationale", "estimated_risk"]),
                    },
                    "warnings": { "type": "array", "items": { "type": "string" } },
                    "context_used": { "type": "object", "description": "evidence: name and text" },
                    "additional_findings": {
                        "type": "array",
                        "items": {
                            "type": "object", "required": ["title"],
                            "properties": {
                                "title": { "type": "string" },
                                "description": { "type": "string" },
                                "severity": { "enum": ["critical", "high", "medium", "low", "info"] },
                                "resource": resource(),
                                "suggested_workflow_id": { "type": "string" },
                            },
                        },
                    },
                },
            }),
        }
    }

    /// The tool as the protocol lists it.
    pub fn listed(self) -> rmcp::model::Tool {
        let schema = match self.schema() {
            Value::Object(schema) => schema,
            _ => Map::new(),
        };
        let hints = ToolAnnotations::new().open_world(false);
        let hints = match self {
            Self::SubmitRecommendation => hints.read_only(false).destructive(false),
            _ => hints.read_only(true),
        };
        rmcp::model::Tool::new(self.name(), self.description(), schema).with_annotations(hints)
    }
}

/// What names a playbook, and what else there is to say.
fn of_playbook(more: Value) -> Value {
    let mut properties = more;
    properties["workflow_id"] = json!({ "type": "string" });
    json!({ "type": "object", "additionalProperties": false, "required": ["workflow_id"], "properties": properties })
}

fn strategy(required: &[&str]) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": required,
        "properties": {
            "action_type": { "type": "string", "description": "what it does, such as scale_down_replicas" },
            "workflow_id": { "type": "string" },
            "version": { "type": "string" },
            "confidence": { "type": "number", "minimum": 0, "maximum": 1 },
            "rationale": { "type": "string" },
            "estimated_risk": { "enum": ["low", "medium", "high"] },
            "parameters": { "type": "object", "description": "by get_playbook_schema" },
            "rollback_parameters": { "type": "object", "description": "what would undo it" },
        },
    })
}

fn resource() -> Value {
    json!({
        "type": "object", "required": ["kind", "name"],
        "properties": {
            "kind": { "type": "string" }, "namespace": { "type": "string" }, "name": { "type": "string" },
        },
    })
}
