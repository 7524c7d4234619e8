//! Lists of recommendations as people read them: what was measured, what was decided and by whom, and what was tried on the
//! same object not long ago.

use super::{Services, approvals::approvals, store_fault};
use domain::{
    decision::Decision,
    effectiveness::DAY_MS,
    execution::Execution,
    identity::Caller,
    ids::RecommendationId,
    paging::{Page, PageOf},
    policy::PolicyTerms,
    ports::RecommendationFilter,
    recommendation::{Proposal, Recommendation, RecommendationState},
    services::{Answer, ApprovalService, EarlierRun, InboxItem, ReviewItem, ServiceError},
};

/// How far back a run is worth a hint, days.
const EARLIER_DAYS: i64 = 7;
/// Runs that are looked through for it: the newest. A busier week than this hides only the older ones of it.
const EARLIER_RUNS: u32 = 400;

impl Services {
    /// A page of recommendations with what a line of a list says about each.
    pub(super) async fn inbox(&self, filter: &RecommendationFilter, page: &Page) -> Answer<PageOf<InboxItem>> {
        let found = self.world.recommendations.list(filter, page).await.map_err(store_fault)?;
        let ids: Vec<_> = found.items.iter().map(|one| one.id.clone()).collect();
        let mut decisions = self.world.recommendations.decisions_of_each(&ids).await.map_err(store_fault)?;
        let tracks = self.track_records().await?;
        let earlier = self.earlier_runs(&found.items).await?;
        Ok(found.map(|recommendation| {
            let first = recommendation.content.strategies.first();
            let decided = decisions.remove(&recommendation.id).unwrap_or_default();
            let track = first.and_then(|s| match &s.proposal {
                Proposal::Playbook { workflow_id, .. } => tracks.get(workflow_id).cloned(),
                Proposal::Steps { .. } => None,
            });
            let open = recommendation.state == RecommendationState::Open;
            InboxItem {
                track,
                have: if open { approvals(&decided, None) } else { 0 },
                need: first.map_or(1, |s| PolicyTerms::default_for(s.estimated_risk).approvals),
                earlier: if open { EarlierRun::find(&recommendation, &earlier) } else { None },
                decided: last(decided),
                recommendation,
            }
        }))
    }

    /// The newest runs of the last days, newest first; none are read where nothing on the page is open.
    async fn earlier_runs(&self, of: &[Recommendation]) -> Answer<Vec<Execution>> {
        if of.iter().all(|one| one.state != RecommendationState::Open) {
            return Ok(Vec::new());
        }
        let since = self.world.clock.now().plus_ms(-EARLIER_DAYS * DAY_MS);
        self.world.executions.newest(since, EARLIER_RUNS).await.map_err(store_fault)
    }

    /// Several recommendations with their tickets, in the order asked for.
    pub(super) async fn reviews(&self, caller: &Caller, ids: &[RecommendationId]) -> Answer<Vec<ReviewItem>> {
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            let view = match ApprovalService::view(self, caller, id, None, None).await {
                Ok(view) => Some(Box::new(view)),
                Err(ServiceError::NotFound(_)) => None,
                Err(other) => return Err(other),
            };
            items.push(ReviewItem { id: id.clone(), view });
        }
        Ok(items)
    }
}

fn last(mut decisions: Vec<Decision>) -> Option<Decision> {
    decisions.pop()
}
