//! Did it help? What the console keeps of the look that it takes some time after a run has ended: the verdict, the evidence that it
//! rests on, whether the signal came back, and a person's word where one overruled it. The rule that makes a verdict is
//! [`judge`]; when a signal counts as having come back stands in [`recurrence`]; [`pattern`] finds what many runs show together.

pub mod judge;
pub mod pattern;
pub mod recurrence;

use crate::{execution::Assessment, identity::Actor, recommendation::ResourceRef, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Looked {
    /// How the run itself ended.
    Run,
    /// The signal that it was about.
    Signal,
    /// The object that it acted on.
    Target,
    /// A number of Prometheus.
    Metric,
    /// What others did to the same object.
    Others,
}

impl Looked {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "Run",
            Self::Signal => "Signal",
            Self::Target => "Target",
            Self::Metric => "Metric",
            Self::Others => "Others",
        }
    }
}

/// What an observation says about whether the run helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It speaks for it.
    Helped,
    /// It speaks against it.
    DidNot,
    /// It leaves open whose doing it was, or what to make of it.
    Open,
    /// Nothing could be seen.
    Nothing,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// What was looked at.
    pub of: Looked,
    /// What it says.
    pub says: Says,
    /// What was seen, as a sentence without its stop.
    pub words: String,
}

/// A person's word in place of the console's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overrule {
    /// The verdict that counts.
    pub verdict: Assessment,
    /// Who said so.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What is kept of a run's assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssessmentRecord {
    /// What the console found.
    pub found: Assessment,
    /// What it rests on; empty where nobody but a person looked.
    pub evidence: Vec<Evidence>,
    /// When it looked.
    pub at: Timestamp,
    /// When the signal cleared, where it did after the run had begun.
    pub cleared_at: Option<Timestamp>,
    /// When the signal came back after that, as far as somebody has looked.
    pub recurred_at: Option<Timestamp>,
    /// A person's word, where one overruled the console.
    pub overruled: Option<Overrule>,
}

impl AssessmentRecord {
    /// The verdict that counts.
    pub fn verdict(&self) -> Assessment {
        self.overruled.as_ref().map_or(self.found, |by| by.verdict)
    }
}

/// A signal, as a source of signals knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignalRef {
    /// The incident's id.
    pub incident: String,
    /// The alert's fingerprint, where it has one.
    pub fingerprint: Option<String>,
    /// Its kind: of an alert, its name.
    pub signal_type: String,
    /// The object that it is about.
    pub resource: Option<ResourceRef>,
}

/// How a signal stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalState {
    /// It fires.
    Firing {
        /// Since when, where the source says so.
        since: Option<Timestamp>,
    },
    /// It fired, and does not any more.
    Resolved {
        /// Since when, where the source says so.
        at: Option<Timestamp>,
    },
    /// Nobody can tell: a silence is no all-clear.
    Unknown {
        /// Why.
        why: String,
    },
}

impl SignalState {
    /// What two sources say together: one that sees it fire is believed before one that does not, and both before one that knows
    /// nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let rank = |state: &Self| match state {
            Self::Firing { .. } => 3,
            Self::Resolved { at: Some(_) } => 2,
            Self::Resolved { at: None } => 1,
            Self::Unknown { .. } => 0,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;

    #[test]
    fn whoever_sees_it_fire_is_believed_first() {
        let firing = || SignalState::Firing { since: None };
        let resolved = |at: Option<i64>| SignalState::Resolved { at: at.map(Timestamp::from_millis) };
        let unknown = || SignalState::Unknown { why: "x".into() };
        assert_eq!(resolved(Some(1)).or(firing()), firing());
        assert_eq!(unknown().or(resolved(None)), resolved(None));
        assert_eq!(resolved(None).or(resolved(Some(3))), resolved(Some(3)));
        assert_eq!(unknown().or(unknown()), unknown());
    }

    #[test]
    fn a_persons_word_counts_before_the_consoles_and_both_are_kept() {
        let mut record = AssessmentRecord {
            found: Assessment::Ineffective,
            evidence: vec![],
            at: Timestamp::default(),
            cleared_at: None,
            recurred_at: None,
            overruled: None,
        };
        assert_eq!(record.verdict(), Assessment::Ineffective);
        record.overruled = Some(Overrule {
            verdict: Assessment::Effective,
            by: Actor::new(ActorId::new("user:ada"), "Ada"),
            reason: "The alert was about another pod.".into(),
            at: Timestamp::default(),
        });
        assert_eq!((record.verdict(), record.found), (Assessment::Effective, Assessment::Ineffective));
    }
}
