//! What may be asked of signals and incidents.

use super::Answer;
use crate::{
    execution::ExecutionLine,
    identity::Caller,
    ids::{IncidentId, InvestigationId, RecommendationId},
    incident::IncidentRecord,
    investigation::{Investigation, Step},
    paging::{Page, PageOf},
    ports::IncidentFilter,
    recommendation::Recommendation,
    signal::Signal,
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What came of what an Alertmanager sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignalsTaken {
    /// Signals that began.
    pub began: u32,
    /// Signals that ended.
    pub ended: u32,
    /// Alerts of which it was known already.
    pub known: u32,
    /// Alerts that are left out here, such as Watchdog.
    pub ignored: u32,
    /// Alerts that Alertmanager left out (`max_alerts` of its receiver).
    pub truncated: u32,
    /// The incidents that all of them belong to, each once.
    pub incidents: Vec<IncidentId>,
}

/// An incident with all that its page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentView {
    /// The incident.
    pub incident: IncidentRecord,
    /// Its signals, those that fire first; not all of them where there are many.
    pub signals: Vec<Signal>,
    /// What was recommended for it, newest first; the last few.
    pub recommendations: Vec<Recommendation>,
    /// What ran for it, newest first; none for who may not see runs.
    pub runs: Vec<ExecutionLine>,
    /// How it was investigated, newest first; the last few.
    pub investigations: Vec<InvestigationView>,
    /// Why the caller can't have it investigated; none when they can.
    pub cannot_investigate: Option<String>,
    /// The server's time.
    pub now: Timestamp,
}

/// An investigation with what was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvestigationView {
    /// The investigation's own fields.
    #[serde(flatten)]
    pub investigation: Investigation,
    /// Its steps, the first one first.
    pub steps: Vec<Step>,
}

/// Signals and incidents.
#[async_trait]
pub trait IncidentService: Send + Sync {
    /// Takes in what an Alertmanager sends (webhook, version 4); needs `signals:ingest`. The same again changes nothing.
    async fn take_alerts(&self, caller: &Caller, body: &Value) -> Answer<SignalsTaken>;
    /// A page of incidents, newest first; needs `recommendations:read`.
    async fn incidents(&self, caller: &Caller, filter: &IncidentFilter, page: &Page) -> Answer<PageOf<IncidentRecord>>;
    /// One with its signals and what came of it; needs `recommendations:read`.
    async fn incident(&self, caller: &Caller, id: &IncidentId) -> Answer<IncidentView>;
    /// Closes one that fires, by hand and with a reason; needs `recommendations:decide`. What fires on is a new incident when it is told
    /// again.
    async fn close(&self, caller: &Caller, id: &IncidentId, reason: Option<String>) -> Answer<IncidentView>;
    /// Has it investigated; needs `incidents:investigate`. One that waits or goes on already is answered instead of another, with `false`.
    async fn investigate(&self, caller: &Caller, id: &IncidentId) -> Answer<(InvestigationView, bool)>;
    /// How it was investigated, newest first, the last few; needs `recommendations:read`.
    async fn investigations(&self, caller: &Caller, id: &IncidentId) -> Answer<Vec<InvestigationView>>;
    /// One investigation of it; needs `recommendations:read`.
    async fn investigation(&self, caller: &Caller, of: &IncidentId, id: &InvestigationId) -> Answer<InvestigationView>;
    /// The incident that a recommendation came for, where it is one of the console's; needs `recommendations:read`.
    async fn incident_of(&self, caller: &Caller, id: &RecommendationId) -> Answer<Option<IncidentId>>;
}
