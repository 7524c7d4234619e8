//! An investigation: an agent is asked for the root cause of an incident, and then which playbook helps. What it is asked stands in
//! [`prompt`], what it answers in [`answer`], what it tells meanwhile in [`stream`], and when it is asked again in [`pace`]. Pure.

pub mod answer;
pub mod pace;
pub mod prompt;
pub mod stream;

use crate::{
    identity::Actor,
    ids::{IncidentId, InvestigationId, RecommendationId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The version of what an agent is asked ([`prompt`]): it changes with every change of those words, so that what came of them can be
/// compared.
pub const PROMPT_VERSION: &str = "console-1";

/// The part of the console that plays the demo scene. What it asks for its own script answers.
pub const SCENE: &str = "demo scene";

/// The most steps of one attempt that are kept.
pub const MOST_STEPS: u32 = 200;

/// How an investigation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InvestigationState {
    /// It waits for its turn, at first or after an attempt that failed.
    Queued,
    /// The agent is being asked.
    Running,
    /// The agent has answered.
    Answered,
    /// Nothing came of it, and it is not tried again by itself.
    Failed,
}

impl InvestigationState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Answered, Self::Failed];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Answered => "answered",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more comes of it.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Answered | Self::Failed)
    }
}

/// What was used, as the agent reports it. What it does not report is none, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Tokens that the model read.
    pub prompt_tokens: Option<i64>,
    /// Tokens that it wrote.
    pub completion_tokens: Option<i64>,
    /// What it cost, millionths of a US dollar.
    pub cost_microusd: Option<i64>,
}

impl Usage {
    /// Both together: what one of them does not tell, the other does.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (one, none) => one.or(none),
        };
        Self {
            prompt_tokens: sum(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: sum(self.completion_tokens, other.completion_tokens),
            cost_microusd: sum(self.cost_microusd, other.cost_microusd),
        }
    }
}

/// One attempt to have it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Which, from 1.
    pub number: u32,
    /// When it began, by the database's clock.
    pub began_at: Timestamp,
    /// When it ended; none while it goes on.
    pub ended_at: Option<Timestamp>,
    /// What it used.
    pub usage: Usage,
    /// Why nothing came of it, in words for people.
    pub fault: Option<String>,
}

/// Who tells a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The console: what it asked.
    Console,
    /// The agent, in its own words.
    Agent,
    /// A tool that the agent used.
    Tool,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Console, Self::Agent, Self::Tool];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Agent => "agent",
            Self::Tool => "tool",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What is told of an attempt while it goes on. Its text is on one line and in somebody else's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Of which attempt, from 1.
    pub attempt: u32,
    /// When it was told, by the database's clock.
    pub at: Timestamp,
    /// By whom.
    pub kind: StepKind,
    /// What happened.
    pub text: String,
}

/// A stored investigation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Investigation {
    /// Its id.
    pub id: InvestigationId,
    /// What is investigated.
    pub incident: IncidentId,
    /// How it stands.
    pub state: InvestigationState,
    /// Who asked for it: a person, a token, or the console itself.
    pub asked_by: Actor,
    /// Whether the console asked by itself, because of how bad the incident is.
    pub automatic: bool,
    /// When, by the database's clock.
    pub asked_at: Timestamp,
    /// When it may be tried next; none unless it is queued.
    pub due_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Every attempt, the first one first.
    pub attempts: Vec<Attempt>,
    /// The model, where it is known.
    pub model: Option<String>,
    /// The version of what the agent was asked.
    pub prompt_version: String,
    /// The root cause, in the agent's words; also where nothing came of the rest.
    pub root_cause: Option<String>,
    /// What was recommended.
    pub recommendation: Option<RecommendationId>,
    /// Why there is no recommendation: what went wrong, or why no playbook fits.
    pub fault: Option<String>,
}

impl Investigation {
    /// Whether no agent was asked: the demo scene's script wrote it down.
    pub fn by_script(&self) -> bool {
        self.asked_by == Actor::system(SCENE)
    }

    /// What all attempts used together.
    pub fn usage(&self) -> Usage {
        self.attempts.iter().fold(Usage::default(), |sum, attempt| sum.and(attempt.usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;

    #[test]
    fn names_round_trip() {
        for state in InvestigationState::ALL {
            assert_eq!(InvestigationState::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        for kind in StepKind::ALL {
            assert_eq!(StepKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(InvestigationState::from_name("done"), None);
    }

    #[test]
    fn only_what_the_scene_asks_for_itself_is_its_scripts() {
        let asked_by = |by: Actor| Investigation {
            id: InvestigationId::new("v"),
            incident: IncidentId::new("i"),
            state: InvestigationState::Queued,
            asked_by: by,
            automatic: false,
            asked_at: Timestamp::default(),
            due_at: None,
            ended_at: None,
            attempts: Vec::new(),
            model: None,
            prompt_version: PROMPT_VERSION.into(),
            root_cause: None,
            recommendation: None,
            fault: None,
        };
        assert!(asked_by(Actor::system(SCENE)).by_script());
        assert!(!asked_by(Actor::new(ActorId::new("user:1"), SCENE)).by_script(), "a person of that name");
        assert!(!asked_by(Actor::system("investigator")).by_script());
    }

    #[test]
    fn what_nobody_reports_is_none_and_never_zero() {
        let told = Usage { prompt_tokens: Some(7), completion_tokens: None, cost_microusd: Some(3) };
        assert_eq!(Usage::default().and(Usage::default()), Usage::default());
        assert_eq!(told.and(Usage::default()), told);
        assert_eq!(told.and(told).prompt_tokens, Some(14));
        assert_eq!(told.and(told).completion_tokens, None);
    }
}
