//! A recommendation: one answer of a language model for one incident (or a step list proposed by hand), as it is stored and
//! shown. How it is read from the wire stands in [`intake`].

pub mod intake;
mod kubernaut;
mod state;
pub mod target;
mod urgency;

pub use state::{IllegalMove, RecommendationState};

use crate::{
    fault::Fault,
    identity::Actor,
    ids::{ExecutionId, FindingId, RecommendationId},
    recovery::Way,
    target::since::Seen,
    text,
    time::Timestamp,
    workflow::StepPlan,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How bad the incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// What may go wrong when something runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High: the default policy asks for two people.
    High,
}

impl Risk {
    /// Every risk, mildest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The words on the wire and what they mean.
    pub const WORDS: &[(&str, Self)] = &[("low", Self::Low), ("medium", Self::Medium), ("high", Self::High)];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The risk of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == name)
    }

    /// Whether a person approves it only by typing what it acts on, and with a recent sign-in (`safety.md`, Who may do what). A risk
    /// that nobody can tell would belong here, too.
    pub const fn needs_step_up(self) -> bool {
        match self {
            Self::Low | Self::Medium => false,
            Self::High => true,
        }
    }
}

/// A Kubernetes object that something is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceRef {
    /// Kind, `Deployment`.
    pub kind: String,
    /// Namespace; none for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// What happened, as whoever investigated it tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incident {
    /// The incident's id at its source, such as `inc-001`.
    pub id: String,
    /// The kind of signal, such as `OOMKilled`.
    pub signal_type: String,
    /// How bad.
    pub severity: Severity,
    /// Where: `production`.
    pub environment: Option<String>,
    /// How urgent: `P1`.
    pub priority: Option<String>,
    /// The alert's fingerprint.
    pub fingerprint: Option<String>,
    /// The object in trouble.
    pub resource: Option<ResourceRef>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// Business context, carried into the PipelineRun's annotations.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub business_context: Map<String, Value>,
}

/// Who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Model {
    /// The provider or agent, `holmesgpt`.
    pub provider: Option<String>,
    /// The model's name.
    pub name: Option<String>,
    /// The prompt's version.
    pub prompt_version: Option<String>,
    /// The investigation at the provider.
    pub investigation_id: Option<String>,
}

/// What a strategy would run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Proposal {
    /// A playbook with parameters.
    Playbook {
        /// The playbook, as the model names it.
        workflow_id: String,
        /// The version: the one asked for, or the newest active one at intake; none when there is none.
        version: Option<String>,
        /// Values of the exposed parameters, as the model gave them.
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        parameters: Map<String, Value>,
        /// Values that undo it, same schema.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
        rollback_parameters: Option<Map<String, Value>>,
    },
    /// A list of steps (the architecture seed's WorkflowExecution), proposed by hand.
    Steps {
        /// The steps.
        steps: StepPlan,
    },
}

/// One proposed remediation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Strategy {
    /// What kind of thing it does, such as `scale_down_replicas`.
    pub action_type: String,
    /// How sure the model is, 0–1; none when a person proposed.
    pub confidence: Option<f64>,
    /// Why.
    pub rationale: String,
    /// What may go wrong, as the model says, or as the console assumes where nobody did.
    pub estimated_risk: Risk,
    /// What may go wrong as the playbook's registration says, since it came in; a version never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_risk: Option<Risk>,
    /// What would run.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// Why it can't run; empty when it can.
    #[serde(default)]
    pub errors: Vec<Fault>,
    /// What is wrong with the values that are to undo it. It can run all the same; undoing it takes a person, or what was
    /// captured before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_errors: Vec<Fault>,
}

impl Strategy {
    /// What may go wrong: the higher of both words. No model talks a playbook's risk down.
    pub fn risk(&self) -> Risk {
        self.risk_with(None)
    }

    /// The same with what the playbook's registration says by now.
    pub fn risk_with(&self, registered: Option<Risk>) -> Risk {
        [self.declared_risk, registered].into_iter().flatten().fold(self.estimated_risk, Ord::max)
    }

    /// Whether it can be approved at all.
    pub fn runnable(&self) -> bool {
        self.errors.is_empty()
    }
}

/// Something the model noticed outside the strategy's scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// Its id in the console; empty before it is stored.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: FindingId,
    /// A line.
    pub title: String,
    /// More.
    pub description: String,
    /// How bad.
    pub severity: Option<Severity>,
    /// On what.
    pub resource: Option<ResourceRef>,
    /// A playbook that may help.
    pub suggested_workflow_id: Option<String>,
}

/// By which way it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Origin {
    /// A model's answer.
    Model,
    /// A person's step list by REST.
    Hand,
    /// A WorkflowExecution that a cluster user applied; it waits in the cluster.
    Cluster {
        /// Its name.
        name: String,
        /// Its uid: only this very object is adopted.
        uid: String,
    },
    /// Made of a run that had ended: to undo it, to repeat it, or to try what was recommended next.
    Run {
        /// To what end.
        way: Way,
        /// The run.
        execution: ExecutionId,
        /// Whether the console made it by itself, because the policy says so.
        #[serde(default)]
        automatic: bool,
    },
}

impl Origin {
    /// The word in policies and statistics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Hand => "hand",
            Self::Cluster { .. } => "cluster",
            Self::Run { way, .. } => way.name(),
        }
    }

    /// Whether its parameters are as a model gave them.
    pub const fn models_values(&self) -> bool {
        matches!(self, Self::Model | Self::Run { way: Way::NextStrategy, .. })
    }

    /// The run that it was made of.
    pub const fn of_run(&self) -> Option<(Way, &ExecutionId)> {
        match self {
            Self::Run { way, execution, .. } => Some((*way, execution)),
            _ => None,
        }
    }
}

/// The content of a recommendation, before it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Content {
    /// What happened.
    pub incident: Incident,
    /// Who answered.
    pub model: Option<Model>,
    /// What the investigation found, in short.
    pub analysis_summary: String,
    /// Why it happened.
    pub root_cause_assessment: String,
    /// What could be done, best first as the model says.
    pub strategies: Vec<Strategy>,
    /// What to keep in mind.
    pub warnings: Vec<String>,
    /// What the model looked at: name and text.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub context_used: Map<String, Value>,
    /// What it noticed beside the point.
    pub additional_findings: Vec<Finding>,
    /// Whether the model asks for a person to look at it: then no policy decides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_human_review: bool,
    /// What the console itself saw of the targets when this came; no model says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
}

/// A stored recommendation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommendation {
    /// Its id.
    pub id: RecommendationId,
    /// Grows with each change; part of every ticket.
    pub revision: u32,
    /// Open, decided, expired or superseded.
    pub state: RecommendationState,
    /// By which way it came.
    pub origin: Origin,
    /// Who handed it in; never its only approver.
    pub proposer: Actor,
    /// The cluster it is for.
    pub cluster: String,
    /// When it came.
    pub created_at: Timestamp,
    /// Until when it can be decided, by the database's clock.
    pub expires_at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub content: Content,
}

impl Recommendation {
    /// A line for lists and headings: the first sentence of the summary, or the incident's id where that says nothing.
    pub fn headline(&self) -> &str {
        let text = self.content.analysis_summary.trim();
        let end = [". ", ".\n", "\n", "。"].iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
        let sentence = text[..end].trim_end_matches(['.', '。']).trim_end();
        if sentence.is_empty() { &self.content.incident.id } else { sentence }
    }

    /// The headline as the WorkflowExecution's `spec.reason`, which the cluster limits and shows in its lists: on one line,
    /// without hidden characters, at most [`REASON_CHARACTERS`].
    pub fn reason(&self) -> String {
        text::one_line(self.headline(), REASON_CHARACTERS)
    }
}

/// The longest reason, in characters, an ellipsis not counted.
pub const REASON_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(summary: &str) -> Recommendation {
        let body = json!({
            "incident": { "id": "inc-1", "signal_type": "OOMKilled", "severity": "high" },
            "analysis_summary": summary, "root_cause_assessment": "x",
            "strategies": [{ "action_type": "a", "workflow_id": "w", "confidence": 0.5, "rationale": "r", "estimated_risk": "low" }],
        });
        Recommendation {
            id: RecommendationId::new("r-1"),
            revision: 1,
            state: RecommendationState::Open,
            origin: Origin::Model,
            proposer: Actor::system("test"),
            cluster: "c".into(),
            created_at: Timestamp::default(),
            expires_at: Timestamp::default(),
            content: intake::parse(&body).expect("of this form"),
        }
    }

    #[test]
    fn the_headline_is_the_first_sentence_and_never_empty() {
        for (summary, headline) in [
            ("It is full. Scale it down.", "It is full"),
            ("It is full", "It is full"),
            ("- one\n- two", "- one"),
            ("節点が一杯。縮小する。", "節点が一杯"),
            ("...", "inc-1"),
            ("Version 1.2 is full.", "Version 1.2 is full"),
        ] {
            assert_eq!(of(summary).headline(), headline);
        }
    }

    #[test]
    fn the_reason_is_one_that_the_cluster_takes() {
        assert_eq!(of("a\u{202e}b\u{1b}[1m\tc").reason(), "a b [1m c");
        let long = of(&"ä".repeat(5000)).reason();
        assert_eq!(long.chars().count(), REASON_CHARACTERS + 1);
        assert_eq!(of("...").reason(), "inc-1");
    }
}
