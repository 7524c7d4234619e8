//! The investigator: has every firing alert investigated about which nobody has to decide. It does so again when a run has not helped and
//! nothing is made of it by itself, and when nobody decided in time.

use super::{
    SceneError, SceneWorld, alerting::Alerting, answer, incidents::Incidents, investigation::Investigation,
    notes::Notes, reader, script::Script,
};
use domain::{
    paging::Page,
    ports::{ExecutionFilter, RecommendationFilter},
    recommendation::{Recommendation, RecommendationState},
    services::{ApprovalService, RunService},
};
use sandbox::{Alert, AlertState};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between two looks when no alert moves.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long after a verdict something may be made of the run by itself, before the next answer, milliseconds.
const AFTER_VERDICT_MS: i64 = 30_000;
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
    let (turns, under_way) = (BTreeMap::new(), BTreeMap::new());
    let mut investigator = Investigator { world, incidents, alerting, turns, under_way, stop: stop.clone() };
    loop {
        investigator.settle().await;
        if let Err(error) = investigator.look().await {
            tracing::warn!(%error, "the demo scene stumbles");
        }
        tokio::select! {
            () = stop.cancelled() => break,
            moved = changes.changed() => if moved.is_err() { break },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    // Each writes down that it was broken off.
    for (_, (_, task)) in std::mem::take(&mut investigator.under_way) {
        let _ = task.await;
    }
}

/// An investigation that goes on: its turn, and what it comes to.
type UnderWay = (usize, JoinHandle<Result<(), SceneError>>);

struct Investigator {
    world: SceneWorld,
    incidents: Incidents,
    alerting: Alerting,
    /// The next answer's turn, by workload.
    turns: BTreeMap<&'static str, usize>,
    /// Investigations that go on, by workload.
    under_way: BTreeMap<&'static str, UnderWay>,
    stop: CancellationToken,
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
            if let Some(script) = Script::of(&alert.name)
                && !self.under_way.contains_key(script.workload)
                && let Some(turn) = self.consider(script, alert).await?
            {
                self.begin(script, alert, turn).await?;
            }
        }
        Ok(())
    }

    /// Whether an alert is to be investigated now, and which answer it comes to.
    async fn consider(&self, script: &Script, alert: &Alert) -> Result<Option<usize>, SceneError> {
        let filter = RecommendationFilter { incident: Some(answer::incident_id(alert)), ..Default::default() };
        let last = ApprovalService::list(&self.world.services, &reader(), &filter, &Page::first(1)).await?;
        let last = last.items.into_iter().next();
        let next = self.turns.get(script.workload).copied().unwrap_or_default();
        Ok(match &last {
            None => Some(next),
            Some(last) => match last.state {
                RecommendationState::Open => None,
                RecommendationState::Decided if self.may_still_help(last).await? => None,
                RecommendationState::Decided => Some(next),
                // Nobody decided: the same again, on fresh evidence.
                RecommendationState::Expired | RecommendationState::Superseded => Some(next.saturating_sub(1)),
            },
        })
    }

    async fn begin(&mut self, script: &'static Script, alert: &Alert, turn: usize) -> Result<(), SceneError> {
        let notes = match self.alerting.incident(alert) {
            Some(incident) => Notes::begin(&self.world, incident).await?,
            None => None,
        };
        let investigation = Investigation { world: self.world.clone(), notes, script, alert: alert.clone(), turn };
        let task = tokio::spawn(investigation.carry_out(self.stop.clone()));
        self.under_way.insert(script.workload, (turn, task));
        Ok(())
    }

    /// Takes note of investigations that have ended.
    async fn settle(&mut self) {
        let over: Vec<&'static str> =
            self.under_way.iter().filter(|(_, (_, task))| task.is_finished()).map(|(workload, _)| *workload).collect();
        for workload in over {
            let Some((turn, task)) = self.under_way.remove(workload) else { continue };
            match task.await {
                Ok(Ok(())) => {
                    self.turns.insert(workload, turn + 1);
                }
                Ok(Err(error)) => tracing::warn!(%error, workload, "an investigation of the demo scene failed"),
                Err(error) => tracing::error!(%error, workload, "an investigation of the demo scene broke off"),
            }
        }
    }

    /// Whether what was decided has had too little time to tell.
    async fn may_still_help(&self, decided: &Recommendation) -> Result<bool, SceneError> {
        let services = &self.world.services;
        let now = self.world.clock.now();
        let filter = ExecutionFilter { recommendation_id: Some(decided.id.to_string()), ..Default::default() };
        let run = RunService::list(services, &reader(), &filter, &Page::first(1)).await?.items.into_iter().next();
        if let Some(run) = run {
            let patience = self.world.settle_ms.saturating_add(AFTER_VERDICT_MS);
            return Ok(!run.state.ended() || run.finished_at.is_some_and(|ended| now.since(ended) < patience));
        }
        let (_, decisions) = ApprovalService::get(services, &reader(), &decided.id).await?;
        Ok(decisions.last().is_some_and(|decision| now.since(decision.at) < AFTER_REJECTION_MS))
    }
}
