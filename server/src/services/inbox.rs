//! Lists of recommendations as people read them: what was measured, what was decided and by whom, and what was tried on the
//! same object not long ago.

use super::{Services, obstacles::approvals, store_fault};
use domain::{
    decision::Decision,
    effectiveness::DAY_MS,
    execution::Execution,
    identity::Caller,
    ids::RecommendationId,
    paging::PageOf,
    policy::PolicyTerms,
    recommendation::{Proposal, Recommendation, RecommendationState},
    services::{Answer, ApprovalService, EarlierRun, InboxItem, ReviewItem, ServiceError},
};

/// How far back a run on the same object is worth a hint, milliseconds.
pub(super) const EARLIER_MS: i64 = 7 * DAY_MS;

impl Services {
    /// What a line of a list says about each.
    pub(super) async fn told(&self, found: PageOf<Recommendation>) -> Answer<PageOf<InboxItem>> {
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

    /// The newest runs of the last days on what the open ones of a page would act on.
    async fn earlier_runs(&self, of: &[Recommendation]) -> Answer<Vec<Execution>> {
        let open = of.iter().filter(|one| one.state == RecommendationState::Open);
        let targets: Vec<_> =
            open.filter_map(|one| Some((one.cluster.as_str(), EarlierRun::object_of(one)?))).collect();
        let objects: Vec<_> = targets.iter().map(|(cluster, object)| (*cluster, object)).collect();
        let since = self.world.clock.now().plus_ms(-EARLIER_MS);
        self.world.executions.newest_on(&objects, since).await.map_err(store_fault)
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
