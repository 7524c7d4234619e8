//! Signals and the incidents that they belong to.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    identity::Actor,
    ids::{IncidentId, RecommendationId, SignalId},
    incident::{IncidentRecord, IncidentState},
    paging::{Page, PageOf},
    signal::{Signal, SignalSource, Told},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A word about an alert, with ids for what it may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWord {
    /// What was told.
    pub told: Told,
    /// For the signal.
    pub signal: SignalId,
    /// For the incident.
    pub incident: IncidentId,
}

/// What came of words about alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Signals that began.
    pub began: u32,
    /// Signals that ended.
    pub ended: u32,
    /// Words that told nothing new.
    pub known: u32,
    /// Every incident that they belong to, each once.
    pub incidents: Vec<IncidentId>,
}

/// Which incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFilter {
    /// Only this state.
    pub state: Option<IncidentState>,
    /// Only those that fire and that nobody has recommended anything for that is decided or can be.
    pub unanswered: bool,
    /// Exactly this kind of signal.
    pub signal_type: Option<String>,
    /// Exactly this severity, by its word.
    pub severity: Option<String>,
    /// Words in title, kind of signal, resource or environment.
    pub q: Option<String>,
}

/// Signals and incidents.
#[async_trait]
pub trait SignalStore: Send + Sync {
    /// Takes words about alerts of a cluster, in their order, all or none.
    async fn take(&self, cluster: &str, words: Vec<NewWord>) -> Result<Taken, StoreError>;
    /// Ends what fires of an incident because somebody says so, with its audit row; `false`, and nothing is written, where it does not
    /// fire.
    async fn close_incident(
        &self,
        id: &IncidentId,
        by: &Actor,
        reason: &str,
        audit: AuditEntry,
    ) -> Result<bool, StoreError>;
    /// Ends signals of a source that were not told again for so many milliseconds, by the database's clock; how many.
    async fn end_quiet(&self, source: SignalSource, quiet_ms: i64) -> Result<u32, StoreError>;
    /// A page of incidents, newest first.
    async fn incidents(&self, filter: &IncidentFilter, page: &Page) -> Result<PageOf<IncidentRecord>, StoreError>;
    /// One.
    async fn incident(&self, id: &IncidentId) -> Result<Option<IncidentRecord>, StoreError>;
    /// How many fire that the filter's `unanswered` is true of.
    async fn unanswered_count(&self) -> Result<i64, StoreError>;
    /// Up to `limit` of its signals: those that fire first, then those that ended last.
    async fn signals(&self, of: &IncidentId, limit: u32) -> Result<Vec<Signal>, StoreError>;
    /// The newest signal of that fingerprint; one that fires before all that have ended, whoever told of their end.
    async fn newest(&self, cluster: &str, fingerprint: &str) -> Result<Option<Signal>, StoreError>;
    /// Up to `limit` recommendations that came for it, newest first.
    async fn recommended(&self, of: &IncidentId, limit: u32) -> Result<Vec<RecommendationId>, StoreError>;
    /// The incident that a recommendation came for.
    async fn incident_of(&self, recommendation: &RecommendationId) -> Result<Option<IncidentId>, StoreError>;
}

/// Whoever takes in what the controller sees in the cluster.
#[async_trait]
pub trait SignalIntake: Send + Sync {
    /// Takes in words about what Kubernetes warns of.
    async fn warned(&self, told: Vec<Told>) -> Result<(), StoreError>;
}
