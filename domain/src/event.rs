//! Live events: what changed, in the order in which it changed.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an event is about; the name of the event on the stream (`api.md`, `GET /api/v1/events`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A recommendation came, was decided, expired or was superseded.
    Recommendation,
    /// An execution changed.
    Execution,
    /// A task of an execution changed, or has new log lines.
    Task,
    /// A playbook was registered or changed status.
    Playbook,
    /// A finding came or was triaged.
    Finding,
    /// An incident began, got another signal or a recommendation, or was resolved.
    Incident,
}

impl Topic {
    /// The event's name on the stream.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recommendation => "recommendation",
            Self::Execution => "execution",
            Self::Task => "task",
            Self::Playbook => "playbook",
            Self::Finding => "finding",
            Self::Incident => "incident",
        }
    }

    /// The topic of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Recommendation, Self::Execution, Self::Task, Self::Playbook, Self::Finding, Self::Incident]
            .into_iter()
            .find(|topic| topic.name() == name)
    }
}

/// Something that happened, to be written in the same transaction as what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// What it is about.
    pub topic: Topic,
    /// The object's id: a recommendation's, an execution's, `workflow_id@version`, a finding's, an incident's.
    pub subject: String,
    /// What a page needs to follow without asking again: state, revision, task.
    pub data: Value,
}

/// An event with its place in the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveEvent {
    /// Monotonic and without gaps: the `id` of the stream, and what `Last-Event-ID` resumes from.
    pub id: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// What it is about.
    pub topic: Topic,
    /// The object's id.
    pub subject: String,
    /// What changed.
    pub data: Value,
}
