//! An incident: signals that belong together, from the first that fires to the last that ends. What belongs together Alertmanager says by
//! its grouping (`groupKey`); of Kubernetes it is what was told of one object.

use crate::{
    identity::Actor,
    ids::IncidentId,
    recommendation::{ResourceRef, Severity},
    signal::{Facts, SignalSource},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// A signal of it fires.
    Firing,
    /// All have ended. It stays so: what fires afterwards is an incident of its own.
    Resolved,
}

impl IncidentState {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Firing, Self::Resolved];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an incident is about: what its first signal said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct About {
    /// A line for lists and headings.
    pub title: String,
    /// The kind of signal.
    pub signal_type: String,
    /// Where: `production`.
    pub environment: Option<String>,
    /// The object in trouble.
    pub resource: Option<ResourceRef>,
}

impl About {
    /// What this signal says.
    pub fn of(facts: &Facts) -> Self {
        Self {
            title: facts.title(),
            signal_type: facts.signal_type.clone(),
            environment: facts.environment.clone(),
            resource: facts.resource.clone(),
        }
    }
}

/// That somebody closed an incident by hand, because no alert will end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Closed {
    /// Who.
    pub by: Actor,
    /// Why, in their words.
    pub reason: String,
    /// When, by the database's clock.
    pub at: Timestamp,
}

/// A stored incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentRecord {
    /// Its id.
    pub id: IncidentId,
    /// How it stands.
    pub state: IncidentState,
    /// The cluster it is of.
    pub cluster: String,
    /// Who told of it.
    pub source: SignalSource,
    /// How bad: the worst of its signals.
    pub severity: Severity,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// When it began: the earliest of its signals.
    pub started_at: Timestamp,
    /// When the console was told of it first, by the database's clock.
    pub opened_at: Timestamp,
    /// When the last of its signals ended; none while one fires.
    pub resolved_at: Option<Timestamp>,
    /// How many signals it has.
    pub signal_count: u32,
    /// How many of them fire.
    pub firing_count: u32,
    /// The incident before it with one of its alerts, or of the same group.
    pub earlier: Option<IncidentId>,
    /// That it was closed by hand; none where its signals ended by themselves.
    pub closed: Option<Closed>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_names_round_trip() {
        for state in IncidentState::ALL {
            assert_eq!(IncidentState::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        assert_eq!(IncidentState::from_name("open"), None);
    }
}
