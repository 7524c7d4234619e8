//! The investigator: looks at every firing alert, asks the cluster, and hands in a recommendation as a model's agent would, with
//! a proposer's rights and nothing more. It asks again when a decision has not helped, and when nobody decided in time.

use super::{
    SceneError, SceneWorld, alerting::Alerting, answer, caller, evidence::Evidence, incidents::Incidents, people,
    reader, script::Script,
};
use domain::{
    decision::Verb,
    identity::{Actor, Caller, Role},
    ids::ActorId,
    paging::Page,
    ports::{ExecutionFilter, Known, RecommendationFilter},
    recommendation::{Recommendation, RecommendationState, Risk},
    services::{ApprovalService, DecisionRequest, RunService},
};
use sandbox::{Alert, AlertState};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Between two looks when no alert moves.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a run's effect is waited for before the next answer, milliseconds.
const AFTER_RUN_MS: i64 = 60_000;
/// How long a rejection stands before the next answer, milliseconds.
const AFTER_REJECTION_MS: i64 = 120_000;

/// Plays until `stop`. Nothing that goes wrong here ends the console: it is logged, and tried again at the next look.
pub async fn run(world: SceneWorld, stop: CancellationToken) {
    let mut changes = world.sandbox.alert_changes();
    let incidents = match Incidents::new(world.sandbox.clone()).await {
        Ok(incidents) => incidents,
        Err(error) => return tracing::warn!(%error, "the demo scene can't be played"),
    };
    let alerting = match Alerting::new(&world.services).await {
        Ok(alerting) => alerting,
        Err(error) => return tracing::warn!(%error, "the demo scene can't be played"),
    };
    let mut investigator = Investigator { world, incidents, alerting, turns: BTreeMap::new() };
    loop {
        if let Err(error) = investigator.look().await {
            tracing::warn!(%error, "the demo scene stumbles");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            moved = changes.changed() => if moved.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

struct Investigator {
    world: SceneWorld,
    incidents: Incidents,
    alerting: Alerting,
    /// The next answer's turn, by workload.
    turns: BTreeMap<&'static str, usize>,
}

/// Who proposes: a token as a model's agent would have.
fn proposer() -> Caller {
    let actor = Actor::new(ActorId::new("token:demo-investigator"), "investigator");
    caller(actor, Role::Propose)
}

impl Investigator {
    async fn look(&mut self) -> Result<(), SceneError> {
        let alerts = self.world.sandbox.alerts();
        self.alerting.tell(&self.world.services, &alerts, self.world.clock.now()).await?;
        let filter = RecommendationFilter { state: Some(RecommendationState::Open), ..Default::default() };
        let open =
            ApprovalService::list(&self.world.services, &reader(), &filter, &Page::first(Page::MAX_LIMIT)).await?;
        let resources = open.items.into_iter().filter_map(|one| one.content.incident.resource);
        let busy: BTreeSet<String> = resources.map(|resource| resource.name).collect();
        self.incidents.arise(&alerts, &busy, self.world.clock.now()).await?;
        for alert in alerts.iter().filter(|alert| alert.state == AlertState::Firing && !busy.contains(&alert.name)) {
            if let Some(script) = Script::of(&alert.name) {
                self.consider(script, alert).await?;
            }
        }
        Ok(())
    }

    async fn consider(&mut self, script: &'static Script, alert: &Alert) -> Result<(), SceneError> {
        let filter = RecommendationFilter { incident: Some(answer::incident_id(alert)), ..Default::default() };
        let last = ApprovalService::list(&self.world.services, &reader(), &filter, &Page::first(1)).await?;
        let last = last.items.into_iter().next();
        let next = self.turns.get(script.workload).copied().unwrap_or_default();
        let turn = match &last {
            None => next,
            Some(last) => match last.state {
                RecommendationState::Open => return Ok(()),
                RecommendationState::Decided if self.may_still_help(last).await? => return Ok(()),
                RecommendationState::Decided => next,
                // Nobody decided: the same again, on fresh evidence.
                RecommendationState::Expired | RecommendationState::Superseded => next.saturating_sub(1),
            },
        };
        self.investigate(script, alert, turn).await?;
        self.turns.insert(script.workload, turn + 1);
        Ok(())
    }

    /// Whether what was decided has had too little time to tell.
    async fn may_still_help(&self, decided: &Recommendation) -> Result<bool, SceneError> {
        let services = &self.world.services;
        let now = self.world.clock.now();
        let filter = ExecutionFilter { recommendation_id: Some(decided.id.to_string()), ..Default::default() };
        let run = RunService::list(services, &reader(), &filter, &Page::first(1)).await?.items.into_iter().next();
        if let Some(run) = run {
            return Ok(!run.state.ended() || run.finished_at.is_some_and(|ended| now.since(ended) < AFTER_RUN_MS));
        }
        let (_, decisions) = ApprovalService::get(services, &reader(), &decided.id).await?;
        Ok(decisions.last().is_some_and(|decision| now.since(decision.at) < AFTER_REJECTION_MS))
    }

    async fn investigate(&self, script: &Script, alert: &Alert, turn: usize) -> Result<(), SceneError> {
        let evidence = Evidence::gather(&self.world.sandbox.client(), alert).await?;
        let body = answer::answer(script, alert, &evidence, turn);
        let recommendation = self.world.services.submit(&proposer(), &body).await?;
        let first = recommendation.content.strategies.first();
        if first.is_some_and(|strategy| strategy.risk() == Risk::High && strategy.runnable()) {
            self.first_approval(&recommendation).await?;
        }
        Ok(())
    }

    /// High risk needs two people; one of them has looked already.
    async fn first_approval(&self, recommendation: &Recommendation) -> Result<(), SceneError> {
        let Some(operator) = people::operator(self.world.accounts.as_ref(), people::FIRST_OPERATOR).await? else {
            return Ok(());
        };
        let operator = caller(operator, Role::Operator);
        let view = self.world.services.view(&operator, &recommendation.id, Some(0), None).await?;
        let Some(ticket) = view.ticket else { return Ok(()) };
        let request = DecisionRequest {
            decision: Verb::Approve,
            strategy: 0,
            ticket_digest: Some(ticket.digest),
            reason: Some("The evidence and the amount agree with what I see; a second person, please.".into()),
            confirm: None,
            known: Known::Any,
        };
        self.world.services.decide(&operator, &recommendation.id, request).await?;
        Ok(())
    }
}
