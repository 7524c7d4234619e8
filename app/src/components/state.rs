//! States as word, icon and colour together; never colour alone. Only running moves.

use crate::icon::{Glyph, Icon};
use domain::{
    decision::Verb,
    execution::{Assessment, ExecutionState, TaskState},
    finding::FindingState,
    incident::IncidentState,
    investigation::InvestigationState,
    policy::simulate::Effect,
    ports::{NotificationState, PlaybookStatus, PolicyState},
    recommendation::{RecommendationState, Risk, Severity},
    signature::Signature,
};
use leptos::prelude::*;

/// The five colours of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Green.
    Ok,
    /// Red.
    Bad,
    /// Blue.
    Run,
    /// Amber.
    Wait,
    /// Grey.
    Idle,
}

impl Tone {
    /// Its class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "bad",
            Self::Run => "run",
            Self::Wait => "wait",
            Self::Idle => "idle",
        }
    }
}

/// How a state shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The word.
    pub word: &'static str,
    /// The icon.
    pub icon: Icon,
    /// The colour.
    pub tone: Tone,
}

const fn mark(word: &'static str, icon: Icon, tone: Tone) -> Mark {
    Mark { word, icon, tone }
}

impl From<ExecutionState> for Mark {
    fn from(state: ExecutionState) -> Self {
        match state {
            ExecutionState::Pending => mark("Pending", Icon::Clock, Tone::Idle),
            ExecutionState::Running => mark("Running", Icon::Ring, Tone::Run),
            ExecutionState::Succeeded => mark("Succeeded", Icon::Check, Tone::Ok),
            ExecutionState::Failed => mark("Failed", Icon::Cross, Tone::Bad),
            ExecutionState::Cancelled => mark("Cancelled", Icon::Bar, Tone::Idle),
            ExecutionState::TimedOut => mark("Timed out", Icon::Hourglass, Tone::Bad),
            ExecutionState::Lost => mark("Lost", Icon::Question, Tone::Bad),
        }
    }
}

impl From<TaskState> for Mark {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Pending => mark("Pending", Icon::Clock, Tone::Idle),
            TaskState::Running => mark("Running", Icon::Ring, Tone::Run),
            TaskState::Succeeded => mark("Succeeded", Icon::Check, Tone::Ok),
            TaskState::Failed => mark("Failed", Icon::Cross, Tone::Bad),
            TaskState::Skipped => mark("Skipped", Icon::Skip, Tone::Idle),
            TaskState::Cancelled => mark("Cancelled", Icon::Bar, Tone::Idle),
            TaskState::TimedOut => mark("Timed out", Icon::Hourglass, Tone::Bad),
            TaskState::Lost => mark("Lost", Icon::Question, Tone::Bad),
        }
    }
}

impl From<RecommendationState> for Mark {
    fn from(state: RecommendationState) -> Self {
        match state {
            RecommendationState::Open => mark("Awaiting approval", Icon::Pause, Tone::Wait),
            RecommendationState::Decided => mark("Decided", Icon::Check, Tone::Idle),
            RecommendationState::Expired => mark("Expired", Icon::Hourglass, Tone::Idle),
            RecommendationState::Superseded => mark("Superseded", Icon::Skip, Tone::Idle),
        }
    }
}

impl From<IncidentState> for Mark {
    fn from(state: IncidentState) -> Self {
        match state {
            IncidentState::Firing => mark("Firing", Icon::Warn, Tone::Bad),
            IncidentState::Resolved => mark("Resolved", Icon::Check, Tone::Ok),
        }
    }
}

impl From<InvestigationState> for Mark {
    fn from(state: InvestigationState) -> Self {
        match state {
            InvestigationState::Queued => mark("Queued", Icon::Clock, Tone::Idle),
            InvestigationState::Running => mark("Investigating", Icon::Ring, Tone::Run),
            InvestigationState::Answered => mark("Answered", Icon::Check, Tone::Ok),
            InvestigationState::Failed => mark("Failed", Icon::Cross, Tone::Bad),
        }
    }
}

impl From<Verb> for Mark {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Approve => mark("Approved", Icon::Check, Tone::Ok),
            Verb::Reject => mark("Rejected", Icon::Cross, Tone::Bad),
        }
    }
}

impl From<NotificationState> for Mark {
    fn from(state: NotificationState) -> Self {
        match state {
            NotificationState::Waiting => mark("Waiting", Icon::Clock, Tone::Idle),
            NotificationState::Delivered => mark("Delivered", Icon::Check, Tone::Ok),
            NotificationState::Dead => mark("Not delivered", Icon::Cross, Tone::Bad),
            NotificationState::Discarded => mark("Discarded", Icon::Bar, Tone::Idle),
        }
    }
}

impl From<FindingState> for Mark {
    fn from(state: FindingState) -> Self {
        match state {
            FindingState::Open => mark("Open", Icon::Eye, Tone::Wait),
            FindingState::Acknowledged => mark("Acknowledged", Icon::User, Tone::Run),
            FindingState::Dismissed => mark("Dismissed", Icon::Bar, Tone::Idle),
            FindingState::Resolved => mark("Resolved", Icon::Check, Tone::Ok),
        }
    }
}

impl From<PlaybookStatus> for Mark {
    fn from(status: PlaybookStatus) -> Self {
        match status {
            PlaybookStatus::Active => mark("Active", Icon::Check, Tone::Ok),
            PlaybookStatus::Disabled => mark("Disabled", Icon::Bar, Tone::Idle),
            PlaybookStatus::Deprecated => mark("Deprecated", Icon::Warn, Tone::Wait),
        }
    }
}

impl From<Assessment> for Mark {
    fn from(assessment: Assessment) -> Self {
        match assessment {
            Assessment::Effective => mark("Helped", Icon::Check, Tone::Ok),
            Assessment::Ineffective => mark("Did not help", Icon::Cross, Tone::Bad),
            Assessment::Inconclusive => mark("Can't be told", Icon::Question, Tone::Idle),
            Assessment::NotAssessed => mark("Not assessed", Icon::Clock, Tone::Idle),
        }
    }
}

impl From<Signature> for Mark {
    fn from(signature: Signature) -> Self {
        match signature {
            Signature::Verified => mark("Verified", Icon::Seal, Tone::Ok),
            Signature::Untrusted => mark("Not by anybody trusted", Icon::Warn, Tone::Bad),
            Signature::Missing => mark("Not signed", Icon::Warn, Tone::Bad),
            Signature::Unknown => mark("Not checked", Icon::Question, Tone::Wait),
        }
    }
}

impl From<PolicyState> for Mark {
    fn from(state: PolicyState) -> Self {
        match state {
            PolicyState::Draft => mark("Draft", Icon::Clock, Tone::Idle),
            PolicyState::Active => mark("In force", Icon::Check, Tone::Ok),
            PolicyState::Retired => mark("Retired", Icon::Bar, Tone::Idle),
        }
    }
}

impl From<Effect> for Mark {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Stricter => mark("Stricter", Icon::Pause, Tone::Idle),
            Effect::Looser => mark("Looser", Icon::Warn, Tone::Wait),
            Effect::Automatic => mark("By itself", Icon::Warn, Tone::Bad),
        }
    }
}

/// A state.
#[component]
pub fn State(
    /// Anything that has a mark.
    #[prop(into)]
    of: Mark,
) -> impl IntoView {
    view! { <span class=format!("state {}", of.tone.class())><Glyph of=of.icon />{of.word}</span> }.into_any()
}

/// A short word on a tinted ground.
#[component]
pub fn Chip(#[prop(into)] word: String, #[prop(default = Tone::Idle)] tone: Tone) -> impl IntoView {
    view! { <span class=format!("chip {}", tone.class())>{word}</span> }.into_any()
}

/// What may go wrong.
#[component]
pub fn RiskChip(of: Risk) -> impl IntoView {
    let (word, tone) = match of {
        Risk::Low => ("Low risk", Tone::Idle),
        Risk::Medium => ("Medium risk", Tone::Wait),
        Risk::High => ("High risk", Tone::Bad),
    };
    view! { <Chip word tone /> }.into_any()
}

/// How bad the incident is.
#[component]
pub fn SeverityChip(of: Severity) -> impl IntoView {
    let (word, tone) = match of {
        Severity::Info => ("Info", Tone::Idle),
        Severity::Low => ("Low", Tone::Idle),
        Severity::Medium => ("Medium", Tone::Wait),
        Severity::High => ("High", Tone::Bad),
        Severity::Critical => ("Critical", Tone::Bad),
    };
    view! { <Chip word tone /> }.into_any()
}
