//! Findings as people work on them: what a model noticed beside the point, or a pattern that the console saw in its own history.
//! The same finding again counts on its card.

use crate::{
    identity::Actor,
    ids::{FindingId, RecommendationId},
    recommendation::{Finding, ResourceRef, Severity},
    target::kinds,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody has looked at it yet.
    Open,
    /// Somebody has it in hand.
    Acknowledged,
    /// Somebody says why it needs nothing. It stays so when it is noticed again.
    Dismissed,
    /// It is mended. Noticed again it is open again.
    Resolved,
}

impl FindingState {
    /// Every one there is.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Dismissed, Self::Resolved];

    /// The words on the wire and what they mean.
    pub const WORDS: &[(&str, Self)] = &[
        ("open", Self::Open),
        ("acknowledged", Self::Acknowledged),
        ("dismissed", Self::Dismissed),
        ("resolved", Self::Resolved),
    ];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Dismissed => "dismissed",
            Self::Resolved => "resolved",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it takes a reason.
    pub const fn asks_why(self) -> bool {
        matches!(self, Self::Dismissed)
    }
}

/// The kind of what a model noticed.
pub const NOTICED_BY_MODEL: &str = "noticed";

/// Something that was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Noticed {
    /// [`NOTICED_BY_MODEL`], or the pattern's name such as `flapping`.
    pub kind: String,
    /// The cluster.
    pub cluster: String,
    /// A line.
    pub title: String,
    /// More.
    pub description: String,
    /// How bad.
    pub severity: Option<Severity>,
    /// On what.
    pub resource: Option<ResourceRef>,
    /// What speaks for it, as lines: runs, numbers, times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// A playbook that may help.
    pub suggested_workflow_id: Option<String>,
}

impl Noticed {
    /// What a model noticed while it looked at something in this cluster.
    pub fn by_model(cluster: &str, finding: &Finding) -> Self {
        Self {
            kind: NOTICED_BY_MODEL.into(),
            cluster: cluster.to_owned(),
            title: finding.title.clone(),
            description: finding.description.clone(),
            severity: finding.severity,
            resource: finding.resource.clone(),
            evidence: Vec::new(),
            suggested_workflow_id: finding.suggested_workflow_id.clone(),
        }
    }

    /// What makes two findings one: kind, cluster, object (however its kind is written) and the words of the title, whatever their
    /// case and what stands between them.
    pub fn identity(&self) -> String {
        let object = self.resource.as_ref().map(kinds::canonical);
        let part = |text: Option<&str>| text.unwrap_or_default().to_lowercase();
        let object = match &object {
            Some(object) => {
                format!(
                    "{}/{}/{}",
                    part(object.namespace.as_deref()),
                    part(Some(&object.kind)),
                    part(Some(&object.name))
                )
            }
            None => String::new(),
        };
        let title = self.title.to_lowercase();
        let words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        // A title of signs alone is itself.
        let title = if words.is_empty() { title.trim().to_owned() } else { words.join(" ") };
        [self.kind.as_str(), self.cluster.as_str(), object.as_str(), title.as_str()].join("\n")
    }

    /// By which cards are ordered: the graver the greater; what nobody rated comes last.
    pub fn rank(&self) -> u32 {
        match self.severity {
            None => 0,
            Some(Severity::Info) => 1,
            Some(Severity::Low) => 2,
            Some(Severity::Medium) => 3,
            Some(Severity::High) => 4,
            Some(Severity::Critical) => 5,
        }
    }
}

/// A finding with all that became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Card {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: FindingId,
    /// How it stands.
    pub state: FindingState,
    /// As it was noticed last.
    #[serde(flatten)]
    pub noticed: Noticed,
    /// How often it was noticed.
    pub seen: u32,
    /// When it was noticed first.
    pub first_seen: Timestamp,
    /// When it was noticed last.
    pub last_seen: Timestamp,
    /// Grows with each change.
    pub revision: u32,
    /// The recommendation that was made of it.
    pub turned_into: Option<RecommendationId>,
    /// Who set its state.
    pub triaged_by: Option<Actor>,
    /// When.
    pub triaged_at: Option<Timestamp>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The recommendations that it was noticed with, newest first, as far as they are kept. Told of one card, not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// A recommendation that a finding was noticed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// The recommendation.
    pub recommendation_id: RecommendationId,
    /// Its incident.
    pub incident_id: String,
    /// When it came.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noticed(title: &str, kind: &str, name: &str) -> Noticed {
        Noticed {
            kind: NOTICED_BY_MODEL.into(),
            cluster: "sandbox".into(),
            title: title.into(),
            description: String::new(),
            severity: None,
            resource: Some(ResourceRef { kind: kind.into(), namespace: Some("shop".into()), name: name.into() }),
            evidence: Vec::new(),
            suggested_workflow_id: None,
        }
    }

    #[test]
    fn the_same_finding_in_other_words_of_the_same_is_one() {
        let one = noticed("Node worker-2 is under memory pressure", "Deployment", "cart");
        for (title, kind) in [
            ("node WORKER-2 is  under memory pressure.", "deploy"),
            ("Node worker 2: is under memory-pressure!", "deployments.apps"),
        ] {
            assert_eq!(noticed(title, kind, "cart").identity(), one.identity(), "{title}");
        }
    }

    #[test]
    fn what_differs_in_object_kind_or_words_is_another() {
        let one = noticed("Restarts often", "Deployment", "cart");
        let mut pattern = one.clone();
        pattern.kind = "flapping".into();
        let mut elsewhere = one.clone();
        elsewhere.cluster = "other".into();
        let mut nowhere = one.clone();
        nowhere.resource = None;
        let others = [
            noticed("Restarts seldom", "Deployment", "cart"),
            noticed("Restarts often", "StatefulSet", "cart"),
            noticed("Restarts often", "Deployment", "checkout"),
            pattern,
            elsewhere,
            nowhere,
            noticed("!!!", "Deployment", "cart"),
            noticed("???", "Deployment", "cart"),
        ];
        let mut all: Vec<String> = others.iter().map(Noticed::identity).chain([one.identity()]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 9);
    }

    #[test]
    fn words_round_trip_and_only_a_dismissal_needs_a_reason() {
        for (word, state) in FindingState::WORDS {
            assert_eq!((FindingState::from_name(word), state.name()), (Some(*state), *word));
            assert_eq!(state.asks_why(), *word == "dismissed");
        }
    }
}
