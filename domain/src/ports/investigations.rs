//! Investigations: asking for one, taking one up, and what came of it. Whose turn it is, and how often, is kept here, so that neither a
//! console that dies nor a storm of alerts asks an agent more often than is set.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    identity::Actor,
    ids::{IncidentId, InvestigationId, RecommendationId},
    investigation::{Investigation, Step, StepKind, Usage},
    recommendation::Severity,
};
use async_trait::async_trait;

/// How long an investigation is its console's without a word, milliseconds. Then whoever acts tries it again.
pub const SILENT_MS: i64 = 60_000;

/// An investigation to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvestigation {
    /// For it.
    pub id: InvestigationId,
    /// What is to be investigated.
    pub incident: IncidentId,
    /// Who asks.
    pub asked_by: Actor,
    /// Whether the console asks by itself. Then it is only for who fires and nobody has answered.
    pub automatic: bool,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is queued.
    New(Box<Investigation>),
    /// One of the incident waits or goes on already.
    Known(Box<Investigation>),
    /// Nothing of the incident fires any more, or, where the console asked by itself, somebody has answered or it was investigated before.
    NotWanted,
    /// There is no such incident.
    Missing,
}

/// How much is asked of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attempts of one investigation.
    pub attempts: u32,
    /// Investigations that go on at the same time, over all consoles.
    pub at_once: u32,
    /// Attempts that begin within an hour, over all consoles.
    pub per_hour: u32,
}

/// Whose an investigation is while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The investigation.
    pub id: InvestigationId,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// A fresh word: whoever has another is not asked any more.
    pub by: String,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BegunInvestigation {
    /// Nothing is due, or enough goes on.
    Nothing,
    /// Something is due, and waits: as many began within the last hour as may.
    Bounded,
    /// Something that was due needs no attempt any more; it is settled, and there may be more.
    Settled,
    /// This one; the attempt is counted.
    Attempt(Box<Investigation>, Claim),
}

/// A step to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStep {
    /// Who tells it.
    pub kind: StepKind,
    /// What happened, on one line.
    pub text: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The agent has answered, with what was recommended, or why nothing was.
    Answered {
        /// What was recommended.
        recommendation: Option<RecommendationId>,
        /// Why nothing was.
        fault: Option<String>,
    },
    /// It is tried again.
    Again {
        /// After so many milliseconds.
        in_ms: i64,
        /// Why nothing came of it.
        fault: String,
    },
    /// It is not tried again.
    Failed {
        /// Why nothing came of it.
        fault: String,
    },
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InvestigationCounts {
    /// Waiting.
    pub queued: u32,
    /// Going on.
    pub running: u32,
}

/// Investigations.
#[async_trait]
pub trait InvestigationStore: Send + Sync {
    /// Queues one, unless one of its incident waits or goes on. Only what is queued is audited.
    async fn ask(&self, new: NewInvestigation, audit: AuditEntry) -> Result<Asked, StoreError>;
    /// Up to `limit` incidents of a cluster that fire, are as bad as one of these, were never investigated, and that nobody has answered.
    async fn uninvestigated(
        &self,
        cluster: &str,
        severities: &[Severity],
        limit: u32,
    ) -> Result<Vec<IncidentId>, StoreError>;
    /// Takes up what is due of a cluster: what people asked for first, then the worst, then the oldest. Also what nobody has told anything of
    /// for [`SILENT_MS`] by the database's clock: its console is gone. `by` is a fresh word for the claim.
    async fn begin(&self, cluster: &str, by: &str, limits: Limits) -> Result<BegunInvestigation, StoreError>;
    /// Keeps what is told of an attempt, and that it goes on; `false` when it is not this claim's any more. `usage` is all that the attempt
    /// used so far.
    async fn tell(
        &self,
        claim: &Claim,
        steps: Vec<NewStep>,
        usage: Usage,
        root_cause: Option<String>,
        model: Option<String>,
    ) -> Result<bool, StoreError>;
    /// Ends an attempt; `false` when it was not this claim's any more, and nothing changed.
    async fn end(&self, claim: &Claim, usage: Usage, ended: Ended) -> Result<bool, StoreError>;
    /// One.
    async fn investigation(&self, id: &InvestigationId) -> Result<Option<Investigation>, StoreError>;
    /// Up to `limit` of an incident, newest first.
    async fn investigations(&self, of: &IncidentId, limit: u32) -> Result<Vec<Investigation>, StoreError>;
    /// The steps of one, the first one first.
    async fn steps(&self, of: &InvestigationId) -> Result<Vec<Step>, StoreError>;
    /// How many wait and go on.
    async fn investigation_counts(&self, cluster: &str) -> Result<InvestigationCounts, StoreError>;
}
