//! Lists of recommendations as people read them: what was measured, what was decided and by whom, what was tried on the same
//! object not long ago, and for those that are decided together what each would act on.

use super::{
    Services,
    policing::{Registrations, RiskOf, counted},
    store_fault,
    tickets::verified,
};
use domain::{
    decision::Decision,
    effectiveness::DAY_MS,
    execution::Execution,
    identity::Caller,
    ids::{Digest, RecommendationId},
    paging::PageOf,
    playbook::values::{EnvEntry, EnvSource, EnvValue},
    policy::Quorum,
    ports::StoredTicket,
    recommendation::{Proposal, Recommendation, RecommendationState},
    services::{Answer, ApprovalService, EarlierRun, InboxItem, ReviewItem, ServiceError},
    ticket::Plan,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::HashMap;

/// How far back a run on the same object is worth a hint, milliseconds.
pub(super) const EARLIER_MS: i64 = 7 * DAY_MS;
/// Targets of one review that are asked for at the same time.
const AT_ONCE: usize = 10;

impl Services {
    /// What a line of a list says about each.
    pub(super) async fn told(&self, found: PageOf<Recommendation>) -> Answer<PageOf<InboxItem>> {
        let ids: Vec<_> = found.items.iter().map(|one| one.id.clone()).collect();
        let mut decisions = self.world.recommendations.decisions_of_each(&ids).await.map_err(store_fault)?;
        let open = found.items.iter().filter(|one| one.state == RecommendationState::Open);
        let of_open: Vec<Decision> = open.filter_map(|one| decisions.get(&one.id)).flatten().cloned().collect();
        let mut standing: HashMap<RecommendationId, Vec<Decision>> = HashMap::new();
        for one in self.counting(of_open).await? {
            standing.entry(one.recommendation_id.clone()).or_default().push(one);
        }
        let tracks = self.track_records().await?;
        let earlier = self.earlier_runs(&found.items).await?;
        let open = found.items.iter().filter(|one| one.state == RecommendationState::Open);
        let digests: Vec<Digest> =
            open.filter_map(|one| decisions.get(&one.id)?.last()?.ticket_digest.clone()).collect();
        let mut changes = HashMap::new();
        for stored in self.world.recommendations.tickets(&digests).await.map_err(store_fault)? {
            changes.insert(stored.recommendation_id.clone(), changed(&stored)?);
        }
        let asked = self.asked(&found.items).await?;
        let anybody = Quorum::people(1);
        Ok(found.map(|recommendation| {
            let first = recommendation.content.strategies.first();
            let decided = decisions.remove(&recommendation.id).unwrap_or_default();
            let track = first.and_then(|s| match &s.proposal {
                Proposal::Playbook { workflow_id, .. } => tracks.get(workflow_id).cloned(),
                Proposal::Steps { .. } => None,
            });
            let open = recommendation.state == RecommendationState::Open;
            let quorum = asked.get(&recommendation.id).unwrap_or(&anybody);
            InboxItem {
                track,
                have: standing.get(&recommendation.id).map_or(0, |all| counted(quorum, all, None)),
                need: quorum.need,
                earlier: if open { EarlierRun::find(&recommendation, &earlier) } else { None },
                decided: last(decided),
                changed: changes.remove(&recommendation.id).unwrap_or_default(),
                recommendation,
            }
        }))
    }

    /// Who must approve the first strategy of each open one, by what was proposed.
    async fn asked(&self, of: &[Recommendation]) -> Answer<HashMap<RecommendationId, Quorum>> {
        let mut asked = HashMap::new();
        let mut seen = Registrations::new();
        let open: Vec<&Recommendation> = of.iter().filter(|one| one.state == RecommendationState::Open).collect();
        if open.is_empty() {
            return Ok(asked);
        }
        let record = self.in_force().await?;
        for one in open {
            if let Some(first) = one.content.strategies.first() {
                let ruling = self.proposed_ruling(&record, one, first, RiskOf::Stored, &mut seen).await?;
                asked.insert(one.id.clone(), ruling.terms.quorum);
            }
        }
        Ok(asked)
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

    /// Several recommendations with their tickets and what each would act on, in the order asked for.
    pub(super) async fn reviews(&self, caller: &Caller, ids: &[RecommendationId]) -> Answer<Vec<ReviewItem>> {
        let items: Vec<_> = ids.iter().map(|id| self.one_of_several(caller, id)).collect();
        stream::iter(items).buffered(AT_ONCE).try_collect().await
    }

    async fn one_of_several(&self, caller: &Caller, id: &RecommendationId) -> Answer<ReviewItem> {
        let view = match ApprovalService::view(self, caller, id, None, None).await {
            Ok(view) => view,
            Err(ServiceError::NotFound(_)) => return Ok(ReviewItem { id: id.clone(), view: None, target: None }),
            Err(other) => return Err(other),
        };
        let mut target = None;
        if view.recommendation.state == RecommendationState::Open {
            let plan = view.ticket.as_ref().map(|ticket| &ticket.content.plan);
            target = self.target_view(&view.recommendation, view.selected, plan).await?;
        }
        Ok(ReviewItem { id: id.clone(), view: Some(Box::new(view)), target })
    }
}

/// What an operator set in a ticket.
fn changed(stored: &StoredTicket) -> Answer<Vec<(String, String)>> {
    let ticket = verified(stored)?;
    let Plan::Playbook { parameters, .. } = &ticket.content().plan else { return Ok(Vec::new()) };
    let of_operator = parameters.iter().filter(|entry| entry.source == EnvSource::Operator);
    let text = |entry: &EnvEntry| match &entry.value {
        EnvValue::Text(text) => Some((entry.name.to_string(), text.clone())),
        EnvValue::Secret { .. } => None,
    };
    Ok(of_operator.filter_map(text).collect())
}

fn last(mut decisions: Vec<Decision>) -> Option<Decision> {
    decisions.pop()
}
