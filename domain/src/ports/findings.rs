//! Findings as people work on them.

use super::{NewRecommendation, StoreError};
use crate::{
    audit::AuditEntry,
    finding::{Card, FindingState, Noticed},
    identity::Actor,
    ids::{FindingId, RecommendationId},
    paging::{Page, PageOf},
    recommendation::{Recommendation, Severity},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Which findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingFilter {
    /// Only of these states; none said: of all.
    pub states: Vec<FindingState>,
    /// Exactly this severity.
    pub severity: Option<Severity>,
    /// Exactly this kind.
    pub kind: Option<String>,
    /// Noticed with this recommendation.
    pub recommendation_id: Option<String>,
    /// Words in title, description, object or suggested playbook.
    pub q: Option<String>,
}

/// A state to be set.
#[derive(Clone, Debug)]
pub struct Triage {
    /// Of which finding.
    pub id: FindingId,
    /// Which.
    pub state: FindingState,
    /// Why.
    pub reason: Option<String>,
    /// By whom.
    pub by: Actor,
}

/// Findings.
#[async_trait]
pub trait FindingStore: Send + Sync {
    /// A page: the gravest first, of these what was noticed last. Without sources.
    async fn findings(&self, filter: &FindingFilter, page: &Page) -> Result<PageOf<Card>, StoreError>;
    /// One, with its sources.
    async fn finding(&self, id: &FindingId) -> Result<Option<Card>, StoreError>;
    /// The card of what was noticed, if there is one of its identity. Without sources.
    async fn card_of(&self, noticed: &Noticed) -> Result<Option<Card>, StoreError>;
    /// How many are open.
    async fn open_findings(&self) -> Result<i64, StoreError>;
    /// Opens a finding that no model told, with its event; where there is one of this identity, it counts there, under `fresh`
    /// otherwise. The id of the card.
    async fn open_finding(&self, fresh: FindingId, noticed: &Noticed) -> Result<FindingId, StoreError>;
    /// Sets the state, with audit row and event; none where there is no such finding.
    async fn triage(&self, triage: Triage, audit: AuditEntry) -> Result<Option<Card>, StoreError>;
    /// Stores a recommendation that is made of a finding and links both, in one transaction; the finding is acknowledged. None where
    /// there is no such finding.
    async fn turn(
        &self,
        id: &FindingId,
        new: NewRecommendation,
        audit: AuditEntry,
    ) -> Result<Option<Recommendation>, StoreError>;
    /// The cards of what was noticed with a recommendation.
    async fn noticed_with(&self, recommendation: &RecommendationId) -> Result<Vec<Card>, StoreError>;
}
