//! Signals and incidents: what Alertmanager sends and what the controller sees in the cluster comes in here, and is read again.

use super::{Services, limits, reason, recovery::conflict, store_fault};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    execution::ExecutionLine,
    fault::{Fault, code},
    identity::{Caller, Right},
    ids::{IncidentId, InvestigationId, RecommendationId, SignalId},
    incident::{IncidentRecord, IncidentState},
    paging::{Page, PageOf},
    ports::{ExecutionFilter, IncidentFilter, NewWord, SignalIntake, StoreError, Taken},
    services::{Answer, IncidentService, IncidentView, InvestigationView, ServiceError, SignalsTaken},
    signal::{SignalSource, Told, alertmanager},
};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// Signals of an incident that are told.
const SIGNALS: u32 = 200;
/// Recommendations for it, and runs of each, that are told.
const RECOMMENDED: u32 = 10;

#[async_trait]
impl IncidentService for Services {
    async fn take_alerts(&self, caller: &Caller, body: &Value) -> Answer<SignalsTaken> {
        caller.require(Right::Ingest)?;
        let read = alertmanager::read(body, &self.world.settings.signals).map_err(|faults| {
            // Alertmanager does not send it again: whoever runs it finds out here.
            tracing::warn!(by = %caller.actor.id, %faults, "what Alertmanager sent can't be taken in");
            counted(SignalSource::Alertmanager, "refused", 1);
            ServiceError::Invalid(faults.into_vec())
        })?;
        if read.truncated > 0 {
            tracing::warn!(truncated = read.truncated, "Alertmanager left alerts out (max_alerts)");
        }
        let taken = self.take_words(SignalSource::Alertmanager, read.told).await.map_err(store_fault)?;
        if taken.began > 0 || taken.ended > 0 {
            let request_id = caller.request_id.as_str();
            let (began, ended) = (taken.began, taken.ended);
            tracing::info!(by = %caller.actor.id, request_id, began, ended, "signals were taken in");
        }
        Ok(SignalsTaken {
            began: taken.began,
            ended: taken.ended,
            known: taken.known,
            ignored: read.ignored,
            truncated: read.truncated,
            incidents: taken.incidents,
        })
    }

    async fn incidents(&self, caller: &Caller, filter: &IncidentFilter, page: &Page) -> Answer<PageOf<IncidentRecord>> {
        caller.require(Right::RecommendationsRead)?;
        limits::short([("signal_type", &filter.signal_type), ("q", &filter.q)])?;
        self.world.signals.incidents(filter, page).await.map_err(store_fault)
    }

    async fn incident(&self, caller: &Caller, id: &IncidentId) -> Answer<IncidentView> {
        caller.require(Right::RecommendationsRead)?;
        let signals = &self.world.signals;
        let incident = signals.incident(id).await.map_err(store_fault)?.ok_or(ServiceError::NotFound("incident"))?;
        let recommended = signals.recommended(id, RECOMMENDED).await.map_err(store_fault)?;
        let mut recommendations = self.world.recommendations.these(&recommended).await.map_err(store_fault)?;
        recommendations.sort_by(|a, b| (b.created_at, b.id.as_str()).cmp(&(a.created_at, a.id.as_str())));
        let investigations = self.investigation_views(id).await?;
        let runs = if caller.may(Right::RunsRead) { self.runs_of(&recommended).await? } else { Vec::new() };
        Ok(IncidentView {
            cannot_investigate: self.cannot_investigate(caller, &incident, &investigations),
            incident,
            signals: signals.signals(id, SIGNALS).await.map_err(store_fault)?,
            recommendations,
            runs,
            investigations,
            now: self.world.clock.now(),
        })
    }

    async fn close(&self, caller: &Caller, id: &IncidentId, reason: Option<String>) -> Answer<IncidentView> {
        caller.require(Right::Decide)?;
        let Some(said) = reason::checked(reason)? else {
            let message = "say why it is over: whoever sees it next reads that";
            return Err(ServiceError::Invalid(vec![Fault::new("/reason", code::REQUIRED, message)]));
        };
        let found = self.world.signals.incident(id).await.map_err(store_fault)?;
        let found = found.ok_or(ServiceError::NotFound("incident"))?;
        let mut audit = AuditEntry::by(caller, "incident.close", "incident", id.as_str());
        audit.before = Some(json!({ "state": found.state, "firing": found.firing_count }));
        audit.after = Some(json!({ "state": IncidentState::Resolved }));
        audit.reason = Some(said.clone());
        if !self.world.signals.close_incident(id, &caller.actor, &said, audit).await.map_err(store_fault)? {
            return Err(conflict("resolved", "nothing of it fires any more: there is nothing to close"));
        }
        self.incident(caller, id).await
    }

    async fn investigate(&self, caller: &Caller, id: &IncidentId) -> Answer<(InvestigationView, bool)> {
        caller.require(Right::Investigate)?;
        self.ask_for_investigation(caller, id).await
    }

    async fn investigations(&self, caller: &Caller, id: &IncidentId) -> Answer<Vec<InvestigationView>> {
        caller.require(Right::RecommendationsRead)?;
        let there = self.world.signals.incident(id).await.map_err(store_fault)?;
        there.ok_or(ServiceError::NotFound("incident"))?;
        self.investigation_views(id).await
    }

    async fn investigation(&self, caller: &Caller, of: &IncidentId, id: &InvestigationId) -> Answer<InvestigationView> {
        caller.require(Right::RecommendationsRead)?;
        let found = self.world.investigations.investigation(id).await.map_err(store_fault)?;
        let found = found.filter(|found| found.incident == *of).ok_or(ServiceError::NotFound("investigation"))?;
        self.with_steps(found).await
    }

    async fn incident_of(&self, caller: &Caller, id: &RecommendationId) -> Answer<Option<IncidentId>> {
        caller.require(Right::RecommendationsRead)?;
        self.world.signals.incident_of(id).await.map_err(store_fault)
    }
}

#[async_trait]
impl SignalIntake for Services {
    async fn warned(&self, told: Vec<Told>) -> Result<(), StoreError> {
        self.take_words(SignalSource::Kubernetes, told).await.map(|_| ())
    }
}

impl Services {
    async fn take_words(&self, source: SignalSource, told: Vec<Told>) -> Result<Taken, StoreError> {
        if told.is_empty() {
            return Ok(Taken::default());
        }
        let settings = &self.world.settings;
        let words = told.into_iter().map(|mut told| {
            told.facts.environment = told.facts.environment.or_else(|| settings.environment.clone());
            let ids = &self.world.ids;
            NewWord { told, signal: SignalId::new(ids.fresh()), incident: IncidentId::new(ids.fresh()) }
        });
        let taken = self.world.signals.take(&settings.cluster, words.collect()).await?;
        for (outcome, many) in [("began", taken.began), ("ended", taken.ended), ("known", taken.known)] {
            counted(source, outcome, many);
        }
        Ok(taken)
    }

    async fn runs_of(&self, recommended: &[RecommendationId]) -> Answer<Vec<ExecutionLine>> {
        let mut runs = Vec::new();
        for id in recommended {
            let filter = ExecutionFilter { recommendation_id: Some(id.to_string()), ..ExecutionFilter::default() };
            let page = Page::first(RECOMMENDED);
            runs.extend(self.world.executions.lines(&filter, &page).await.map_err(store_fault)?.items);
        }
        runs.sort_by_key(|line| Reverse(line.execution.created_at));
        Ok(runs)
    }
}

fn counted(source: SignalSource, outcome: &'static str, many: u32) {
    metrics::counter!("kubernaut_signals_total", "source" => source.name(), "outcome" => outcome)
        .increment(u64::from(many));
}
