//! What a strategy would act on, as the cluster has it now: put together from the rules of `domain::target`, the cluster's reading
//! and the runs about the same object. Whatever the cluster does, the page gets something to say.

use super::{Services, inbox::EARLIER_MS, store_fault};
use domain::{
    paging::Page,
    ports::ExecutionFilter,
    recommendation::{Content, Proposal, Recommendation, ResourceRef},
    services::{Answer, TargetView},
    target::{
        self, change,
        since::{Seen, Since, since},
        state::Reading,
    },
    ticket::Plan,
};
use futures::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;

/// Targets that are looked at when a recommendation comes.
const MOST_SEEN: usize = 3;
/// Runs shown as such hints.
const MOST_EARLIER: u32 = 5;

impl Services {
    /// What of the targets is to be remembered with a recommendation that comes: nothing where the cluster can't be asked.
    pub(super) async fn seen(&self, content: &Content) -> Vec<Seen> {
        let mut names = BTreeSet::new();
        let targets: Vec<ResourceRef> = content
            .strategies
            .iter()
            .filter(|strategy| strategy.runnable())
            .filter_map(|strategy| target::of_strategy(&content.incident, strategy).acts_on().cloned())
            .filter(|resource| names.insert(format!("{:?}/{}/{}", resource.namespace, resource.kind, resource.name)))
            .take(MOST_SEEN)
            .collect();
        let readings = join_all(targets.iter().map(|resource| self.reading(resource))).await;
        let seen = readings.iter().filter_map(|reading| match reading {
            Reading::Found(state) => Some(Seen::of(state)),
            _ => None,
        });
        seen.collect()
    }

    async fn reading(&self, resource: &ResourceRef) -> Reading {
        match self.cluster() {
            Ok(cluster) => cluster.target(resource).await,
            Err(error) => Reading::Unavailable { detail: error.to_string() },
        }
    }

    pub(super) async fn target_view(
        &self,
        recommendation: &Recommendation,
        strategy: u32,
        plan: Option<&Plan>,
    ) -> Answer<Option<TargetView>> {
        let content = &recommendation.content;
        let strategy = Self::strategy(recommendation, strategy)?;
        let target = match plan {
            Some(plan) => target::of_plan(content.incident.resource.as_ref(), plan),
            None => target::of_strategy(&content.incident, strategy),
        };
        let Some(resource) = target.acts_on() else { return Ok(None) };
        let (reading, earlier) = tokio::join!(self.reading(resource), self.earlier(recommendation, resource));
        let (mut changes, mut cautions, mut still) = (Vec::new(), Vec::new(), Since::Unknown);
        if let Reading::Found(state) = &reading {
            changes = match plan {
                Some(plan) => change::changes(change::values_of(plan), state),
                None => change::changes(proposed(&strategy.proposal), state),
            };
            cautions = change::cautions(&changes, state);
            still = since(&content.seen, state, recommendation.created_at);
        }
        if let Some(caution) = plan.and_then(|plan| target::others(plan, resource)) {
            cautions.insert(0, caution);
        }
        Ok(Some(TargetView { target, reading, changes, cautions, since: still, earlier: earlier? }))
    }

    /// What was done about the same object lately.
    async fn earlier(
        &self,
        recommendation: &Recommendation,
        resource: &ResourceRef,
    ) -> Answer<Vec<domain::execution::Execution>> {
        let filter = ExecutionFilter {
            target: Some(resource.clone()),
            since: Some(self.world.clock.now().plus_ms(-EARLIER_MS)),
            ..Default::default()
        };
        let found = self.world.executions.lines(&filter, &Page::first(MOST_EARLIER)).await.map_err(store_fault)?;
        let runs = found.items.into_iter().map(|line| line.execution);
        Ok(runs.filter(|run| run.subject.recommendation_id != recommendation.id).collect())
    }
}

/// The values as they were proposed.
fn proposed(proposal: &Proposal) -> Vec<(&str, String)> {
    let Proposal::Playbook { parameters, .. } = proposal else { return Vec::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    parameters.iter().map(|(name, value)| (name.as_str(), text(value))).collect()
}
