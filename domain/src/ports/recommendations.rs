//! Recommendations, tickets and decisions.

use super::{Known, NewExecution, StoreError};
use crate::{
    audit::AuditEntry,
    decision::{Attempt, Decision, Refusal, Verdict},
    execution::Execution,
    identity::Actor,
    ids::{DecisionId, Digest, ExecutionId, RecommendationId},
    paging::{Page, PageOf},
    policy::InTheWay,
    recommendation::{Content, Origin, Recommendation, RecommendationState},
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A recommendation to be stored. Ids of its findings are filled in.
#[derive(Clone, Debug)]
pub struct NewRecommendation {
    /// Its id.
    pub id: RecommendationId,
    /// By which way it came.
    pub origin: Origin,
    /// Who handed it in.
    pub proposer: Actor,
    /// The cluster it is for.
    pub cluster: String,
    /// How long it can be decided, milliseconds from the database's now.
    pub open_for_ms: i64,
    /// What it says.
    pub content: Content,
}

/// Which recommendations (`api.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecommendationFilter {
    /// Only this state.
    pub state: Option<RecommendationState>,
    /// Exactly this incident id.
    pub incident: Option<String>,
    /// Exactly this kind of signal.
    pub signal_type: Option<String>,
    /// Exactly this severity, by its word.
    pub severity: Option<String>,
    /// A strategy names this playbook.
    pub workflow_id: Option<String>,
    /// Words in summary, root cause, incident or resource.
    pub q: Option<String>,
}

/// A ticket as stored: canonical text under its digest, written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTicket {
    /// The digest.
    pub digest: Digest,
    /// RFC 8785 text.
    pub canonical: String,
    /// For which recommendation.
    pub recommendation_id: RecommendationId,
    /// Who had it made; they are its last editor where parameters were changed.
    pub made_by: Actor,
    /// When.
    pub made_at: Timestamp,
}

/// A decision to be judged and, if it counts, stored.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// About which recommendation.
    pub recommendation_id: RecommendationId,
    /// Which strategy, counted from 0.
    pub strategy: u32,
    /// Who says what of which ticket.
    pub attempt: Attempt,
    /// From which states of it (`domain::decision::tag`).
    pub known: Known,
    /// The reason as given.
    pub reason: Option<String>,
    /// The approved ticket; kept with the decision unless it is kept already.
    pub ticket: Option<StoredTicket>,
    /// What the last approval claims.
    pub execution: Option<NewExecution>,
    /// Its audit row.
    pub audit: AuditEntry,
}

/// A recommendation that was decided before, as it is.
#[derive(Clone, Debug)]
pub struct DecidedRecommendation {
    /// The recommendation, decided.
    pub recommendation: Recommendation,
    /// The approved ticket, where it is kept.
    pub ticket: Option<StoredTicket>,
    /// The decisions that counted, oldest first.
    pub decisions: Vec<Decision>,
}

/// A recommendation that was decided or expired, with all that a policy would have judged it by.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The recommendation.
    pub recommendation: Recommendation,
    /// The decisions that counted, oldest first.
    pub decisions: Vec<Decision>,
    /// The ticket of the last of them, where it is kept.
    pub ticket: Option<StoredTicket>,
    /// The run that came of it, without its tasks.
    pub run: Option<Execution>,
}

/// What a decision came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The decision as stored.
    pub decision: Decision,
    /// What it came to.
    pub verdict: Verdict,
    /// The execution that was claimed, after the last approval.
    pub execution_id: Option<ExecutionId>,
}

/// Why a decision was not stored.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// A rule says no; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such recommendation.
    #[error("there is no such recommendation")]
    NotFound,
    /// The ticket has been run already: one ticket, one run.
    #[error("this ticket has been run already")]
    TicketUsed,
    /// Another run has had the name that the ticket's run would have. Only an applied object can bring one.
    #[error("an earlier run in this cluster was called {0}; apply the WorkflowExecution under another name")]
    NameUsed(String),
    /// Another run on the same object is in the way, as the policy has it.
    #[error("{}", .0.words())]
    Busy(InTheWay),
    /// Another policy was put in force after the ticket had been made.
    #[error(
        "another approval policy is in force since this ticket was made; read the current ticket and decide on that"
    )]
    PolicyChanged,
    /// It stands in none of the states that the caller knows.
    #[error("this has changed since it was read")]
    Moved {
        /// The tag of how it stands now.
        tag: String,
    },
    /// The playbook was disabled after the ticket had been made.
    #[error("{0} has been disabled since this ticket was made")]
    PlaybookDisabled(String),
    /// The store failed; nothing was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Recommendations, tickets and decisions.
#[async_trait]
pub trait RecommendationStore: Send + Sync {
    /// Stores it as open, supersedes older open ones of the same incident and cluster, with audit row and events.
    async fn insert(&self, new: NewRecommendation, audit: AuditEntry) -> Result<Recommendation, StoreError>;
    /// One; expired ones read as expired even before the sweep.
    async fn get(&self, id: &RecommendationId) -> Result<Option<Recommendation>, StoreError>;
    /// A page: open ones by when somebody has to begin (`Recommendation::begin_by`), earliest first; otherwise newest first.
    async fn list(&self, filter: &RecommendationFilter, page: &Page) -> Result<PageOf<Recommendation>, StoreError>;
    /// Those of these that there are, in no order; expired ones read as in `get`.
    async fn these(&self, ids: &[RecommendationId]) -> Result<Vec<Recommendation>, StoreError> {
        // For stores that have nothing to gain by asking once.
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.get(id).await?);
        }
        Ok(found)
    }
    /// How many are open.
    async fn open_count(&self) -> Result<i64, StoreError>;
    /// The recommendation waiting for the WorkflowExecution of this uid, if one was made.
    async fn by_cluster_uid(&self, uid: &str) -> Result<Option<Recommendation>, StoreError>;
    /// Stores a ticket, under the recommendation's lock; the very same again is no fault. `false` when the recommendation is
    /// not open any more: then nothing is stored.
    async fn put_ticket(&self, ticket: StoredTicket, audit: AuditEntry) -> Result<bool, StoreError>;
    /// A ticket by its digest.
    async fn ticket(&self, digest: &Digest) -> Result<Option<StoredTicket>, StoreError>;
    /// Those of several digests that there are, in no order.
    async fn tickets(&self, digests: &[Digest]) -> Result<Vec<StoredTicket>, StoreError> {
        // For stores that have nothing to gain by asking once.
        let mut all = Vec::new();
        for digest in digests {
            all.extend(self.ticket(digest).await?);
        }
        Ok(all)
    }
    /// Decisions that counted, oldest first.
    async fn decisions(&self, id: &RecommendationId) -> Result<Vec<Decision>, StoreError>;
    /// The same for several at once.
    async fn decisions_of_each(
        &self,
        ids: &[RecommendationId],
    ) -> Result<HashMap<RecommendationId, Vec<Decision>>, StoreError> {
        // For stores that have nothing to gain by asking once.
        let mut all = HashMap::new();
        for id in ids {
            all.insert(id.clone(), self.decisions(id).await?);
        }
        Ok(all)
    }
    /// These decisions as they count now (`domain::decision::counting`), rejections and what was approved by whoever may decide
    /// still, under the policy in force, in the groups that they are in by now. [`Self::decide`] finds out the same in its
    /// transaction.
    async fn counting(&self, decisions: Vec<Decision>) -> Result<Vec<Decision>, StoreError> {
        // For stores that know neither accounts nor policies.
        Ok(decisions)
    }
    /// Judges (`domain::decision::judge`) and, if it counts, writes decision, ticket, audit row, events and — after the last
    /// approval — the ticket's claimed execution, all in one transaction under the recommendation's lock. An approval counts only
    /// under the policy in force, the last one only where no other run is in the way.
    async fn decide(&self, new: NewDecision) -> Result<Decided, DecideError>;
    /// Those decided or expired that came at or after `since`, newest first, at most `many`; `before` goes on after a page.
    async fn judged(
        &self,
        since: Timestamp,
        before: Option<(Timestamp, RecommendationId)>,
        many: u32,
    ) -> Result<Vec<Judged>, StoreError>;
    /// Writes finished history as it is (the demo scene and restore): no events but those of findings. What is there stays.
    async fn import(&self, decided: &[DecidedRecommendation]) -> Result<(), StoreError>;
    /// Marks open recommendations whose time is over as expired, with events; returns them.
    async fn expire_due(&self) -> Result<Vec<RecommendationId>, StoreError>;
}
