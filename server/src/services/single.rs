//! Single things that lists and answers link to, for programs; pages show them in their surroundings.

use super::{Services, store_fault};
use domain::{
    audit::{AuditFilter, AuditRecord},
    decision::Decision,
    execution::ActionRecord,
    identity::{Caller, Right},
    ids::{Digest, RecommendationId},
    paging::Page,
    ports::ActionFilter,
    recommendation::{Recommendation, RecommendationState},
    services::{Answer, ServiceError, TicketView},
};
use std::collections::HashMap;

impl Services {
    /// A ticket that was made for this recommendation; needs `recommendations:read`.
    pub async fn stored_ticket(&self, caller: &Caller, of: &RecommendationId, digest: &Digest) -> Answer<TicketView> {
        caller.require(Right::RecommendationsRead)?;
        let view = self.stored_ticket_view(digest).await?;
        if view.content.recommendation_id == *of { Ok(view) } else { Err(ServiceError::NotFound("ticket")) }
    }

    /// A decision that counted; needs `recommendations:read`.
    pub async fn decision(&self, caller: &Caller, of: &RecommendationId, id: &str) -> Answer<Decision> {
        caller.require(Right::RecommendationsRead)?;
        let all = self.world.recommendations.decisions(of).await.map_err(store_fault)?;
        all.into_iter().find(|d| d.id.as_str() == id).ok_or(ServiceError::NotFound("decision"))
    }

    /// The decisions on what has just come in: a policy may have been as quick.
    pub async fn decisions_at_intake(&self, taken: &Recommendation) -> Vec<Decision> {
        if taken.state == RecommendationState::Open {
            return Vec::new();
        }
        // What was taken in is taken in, whatever can be told of it.
        self.world.recommendations.decisions(&taken.id).await.unwrap_or_default()
    }

    /// The decisions that counted of each of these; needs `recommendations:read`.
    pub async fn decisions_of_each(
        &self,
        caller: &Caller,
        ids: &[RecommendationId],
    ) -> Answer<HashMap<RecommendationId, Vec<Decision>>> {
        caller.require(Right::RecommendationsRead)?;
        self.world.recommendations.decisions_of_each(ids).await.map_err(store_fault)
    }

    /// An action record; needs `runs:read`.
    pub async fn action(&self, caller: &Caller, id: &str) -> Answer<ActionRecord> {
        caller.require(Right::RunsRead)?;
        let filter = ActionFilter { id: Some(id.to_owned()), ..ActionFilter::default() };
        let found = self.world.executions.actions(&filter, &Page::first(1)).await.map_err(store_fault)?;
        found.items.into_iter().next().ok_or(ServiceError::NotFound("action record"))
    }

    /// A row of the audit trail; needs `audit:read`.
    pub async fn audit_row(&self, caller: &Caller, sequence: i64) -> Answer<AuditRecord> {
        caller.require(Right::AuditRead)?;
        let before = sequence.saturating_sub(1);
        let found = self.world.audit.after(&AuditFilter::default(), before, 1).await.map_err(store_fault)?;
        found.into_iter().find(|row| row.sequence == sequence).ok_or(ServiceError::NotFound("row of the audit trail"))
    }
}
