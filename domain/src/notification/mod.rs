//! Notifications: what receivers outside of the console are told, in which form (CloudEvents 1.0, structured JSON), signed how
//! ([`sign`]) and tried how often ([`pace`]). What is told is small on purpose: nothing that a model wrote in its own words, no parameter, and
//! no link but to a page.

pub mod pace;
pub mod sign;

use crate::{
    decision::Verb,
    ids::RecommendationId,
    recommendation::{Recommendation, RecommendationState, ResourceRef, Severity, Strategy, target::Target},
    text::one_line,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The media type of an event (CloudEvents 1.0, JSON format, section 3).
pub const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The longest title, in characters, an ellipsis not counted.
pub const TITLE_CHARACTERS: usize = 200;
/// The longest name of a receiver, in characters.
pub const MAX_RECEIVER: usize = 40;

/// What receivers are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A recommendation came in and awaits its decision.
    New,
    /// It still does, and its time is soon over.
    Expiring,
    /// It was approved, by all who must, or rejected.
    Decided,
    /// Somebody tries whether a receiver hears.
    Test,
}

impl Occasion {
    /// Every occasion.
    pub const ALL: [Self; 4] = [Self::New, Self::Expiring, Self::Decided, Self::Test];
    /// Those that a receiver can choose among. A test comes to whom it is sent.
    pub const CHOSEN: [Self; 3] = [Self::New, Self::Expiring, Self::Decided];

    /// The word in settings and lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Expiring => "expiring",
            Self::Decided => "decided",
            Self::Test => "test",
        }
    }

    /// The occasion of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|occasion| occasion.name() == name)
    }

    /// The event's `type`.
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::New => "ai.kubernaut.recommendation.new",
            Self::Expiring => "ai.kubernaut.recommendation.expiring",
            Self::Decided => "ai.kubernaut.recommendation.decided",
            Self::Test => "ai.kubernaut.notification.test",
        }
    }

    /// The id of the event: the same at each try and for each receiver, since each of these comes once for a recommendation.
    pub fn event_id(self, of: &RecommendationId) -> String {
        format!("{}_{of}", self.name())
    }
}

/// What a receiver is told of a recommendation, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// The recommendation; none in a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RecommendationId>,
    /// A line for people: the kind of signal and the object.
    pub title: String,
    /// How bad the incident is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Where: `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The object that would be acted on, or that is in trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<ResourceRef>,
    /// How the recommendation stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RecommendationState>,
    /// What was decided, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Verb>,
    /// Until when it can be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

impl Notice {
    /// Of an open recommendation, by the first strategy that can run.
    pub fn open(recommendation: &Recommendation) -> Self {
        let strategies = &recommendation.content.strategies;
        let first = strategies.iter().position(Strategy::runnable).unwrap_or(0);
        Self::of(recommendation, first)
    }

    /// Of one that was decided just now: so on this strategy.
    pub fn decided(recommendation: &Recommendation, verb: Verb, strategy: u32) -> Self {
        let strategy = usize::try_from(strategy).unwrap_or(usize::MAX);
        Self { state: Some(RecommendationState::Decided), decision: Some(verb), ..Self::of(recommendation, strategy) }
    }

    /// A test.
    pub fn test() -> Self {
        Self {
            id: None,
            title: "A test: this receiver hears the console".into(),
            severity: None,
            environment: None,
            target: None,
            state: None,
            decision: None,
            deadline: None,
        }
    }

    fn of(recommendation: &Recommendation, strategy: usize) -> Self {
        let incident = &recommendation.content.incident;
        let acted_on = recommendation.content.strategies.get(strategy).and_then(|strategy| {
            let target = Target::of_strategy(incident, strategy);
            target.acts_on().cloned()
        });
        let target = acted_on.filter(is_object).or_else(|| incident.resource.clone().filter(is_object));
        let title = match &target {
            Some(target) => format!("{}: {}", incident.signal_type, in_words(target)),
            None => incident.signal_type.clone(),
        };
        Self {
            id: Some(recommendation.id.clone()),
            title: one_line(&title, TITLE_CHARACTERS),
            severity: Some(incident.severity),
            environment: incident.environment.clone(),
            target,
            state: Some(recommendation.state),
            decision: None,
            deadline: Some(recommendation.expires_at),
        }
    }

    /// The page that it leads to, at a console that is reached at `console`. Never more than an address: whoever follows it signs in and
    /// sees a page, and a program that follows it has done nothing.
    fn link(&self, console: &str) -> String {
        match &self.id {
            Some(id) => format!("{console}/recommendations/{id}"),
            None => format!("{console}/settings/notifications"),
        }
    }
}

/// Whether this is the name of an object at all: a parameter may hold anything, and what is no name is no receiver's business.
fn is_object(target: &ResourceRef) -> bool {
    let name = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/".contains(&b))
    };
    name(&target.kind, 63) && name(&target.name, 253) && target.namespace.as_deref().is_none_or(|text| name(text, 63))
}

fn in_words(target: &ResourceRef) -> String {
    match &target.namespace {
        Some(namespace) => format!("{} {namespace}/{}", target.kind, target.name),
        None => format!("{} {}", target.kind, target.name),
    }
}

/// An event as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id, the same at each try.
    pub id: String,
    /// What it tells of.
    pub occasion: Occasion,
    /// When that was.
    pub at: Timestamp,
    /// What is told.
    pub notice: Notice,
}

/// CloudEvents 1.0, JSON format.
#[derive(Serialize)]
struct CloudEvent<'e> {
    specversion: &'static str,
    id: &'e str,
    source: &'e str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'e str>,
    time: Timestamp,
    datacontenttype: &'static str,
    data: Data<'e>,
}

#[derive(Serialize)]
struct Data<'e> {
    #[serde(flatten)]
    notice: &'e Notice,
    link: String,
}

impl Event {
    /// The body that is sent; `console` is where people reach it, without a slash at the end.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn body(&self, console: &str) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&CloudEvent {
            specversion: "1.0",
            id: &self.id,
            source: console,
            kind: self.occasion.event_type(),
            subject: self.notice.id.as_ref().map(RecommendationId::as_str),
            time: self.at,
            datacontenttype: "application/json",
            data: Data { notice: &self.notice, link: self.notice.link(console) },
        })
    }
}

/// What a receiver wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The receiver's name.
    pub receiver: String,
    /// Of which occasions.
    pub occasions: Vec<Occasion>,
    /// Of which severities; of all when there is none.
    pub severities: Vec<Severity>,
    /// Of which environments, in whatever letters; of all when there is none.
    pub environments: Vec<String>,
}

impl Subscription {
    /// Whether this is for it. What has no environment is for nobody who names some.
    pub fn wants(&self, occasion: Occasion, notice: &Notice) -> bool {
        let severe = |severity| self.severities.contains(&severity);
        let there = |environment: &String| {
            self.environments.iter().any(|wanted| wanted.to_lowercase() == environment.to_lowercase())
        };
        self.occasions.contains(&occasion)
            && (self.severities.is_empty() || notice.severity.is_some_and(severe))
            && (self.environments.is_empty() || notice.environment.as_ref().is_some_and(there))
    }
}

/// A name of a receiver: lower-case letters, digits and inner hyphens, so that it can stand in an address and in a metric.
pub fn is_receiver(name: &str) -> bool {
    (1..=MAX_RECEIVER).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests;
