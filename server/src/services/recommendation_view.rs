//! What the page of a recommendation shows: its strategies, the ticket that is asked about, who has decided, and who may.

use super::{Services, obstacles::cannot_decide, policing::counted, store_fault};
use domain::{
    decision::{Decision, Verb},
    execution::Execution,
    fault::Fault,
    identity::Caller,
    ids::{Digest, RecommendationId},
    paging::Page,
    policy::{PolicyTerms, Quorum},
    ports::{ExecutionFilter, RecommendationFilter},
    recommendation::{Proposal, Recommendation, RecommendationState},
    services::{Answer, RecommendationView, ServiceError, StrategyView, TicketView},
};
use serde_json::{Map, Value};

impl Services {
    /// The view of a recommendation, for whoever may read it.
    pub(super) async fn view_of(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: Option<u32>,
        ticket: Option<Digest>,
    ) -> Answer<RecommendationView> {
        let recommendation = self.recommendation(id).await?;
        let decisions = self.decisions_of(id).await?;
        let approved = decisions.iter().rev().find(|d| d.verb == Verb::Approve);
        let selected = strategy.or(approved.or(decisions.last()).map(|d| d.strategy)).unwrap_or(0);
        let chosen = Self::strategy(&recommendation, selected)?;
        let open = recommendation.state == RecommendationState::Open;
        // What was decided on: of a rejection, too, when it said which ticket it was about.
        let decided = decisions.iter().rev().filter(|d| d.strategy == selected).find_map(|d| d.ticket_digest.as_ref());

        let mut ticket_faults = chosen.errors.clone();
        let mut shown = None;
        if open && chosen.runnable() {
            // Once somebody has approved a ticket, that is the one the next person is asked about.
            let asked =
                ticket.or_else(|| approved.filter(|d| d.strategy == selected).and_then(|d| d.ticket_digest.clone()));
            match self.ticket_to_show(&recommendation, selected, asked.as_ref()).await {
                Ok(view) => shown = Some(view),
                Err(ServiceError::Invalid(faults)) => ticket_faults = faults,
                Err(other) => return Err(other),
            }
        } else if let Some(digest) = decided {
            shown = match self.stored_ticket_view(digest).await {
                Err(ServiceError::NotFound(_)) => None,
                other => Some(other?),
            };
        }

        let ruling = match &shown {
            Some(ticket) => ticket.ruling.clone(),
            None if open => Some(self.ruling_without_ticket(&recommendation, chosen).await?),
            None => None,
        };
        let need = match (&ruling, &shown) {
            (Some(ruling), _) => ruling.terms.quorum.need,
            (None, Some(ticket)) => ticket.content.policy.approvals,
            (None, None) => PolicyTerms::default_for(chosen.risk()).approvals,
        };
        let standing = if open { self.counting(decisions.clone()).await? } else { decisions.clone() };
        let lapsed = decisions.iter().filter(|decision| standing.iter().all(|one| one.id != decision.id));
        let lapsed = lapsed.map(|decision| decision.id.clone()).collect();
        let digest = shown.as_ref().map(|t| &t.digest);
        let anybody = Quorum::people(need);
        let quorum = ruling.as_ref().map_or(&anybody, |ruling| &ruling.terms.quorum);
        let have = counted(quorum, &standing, digest);
        let cannot_reject = cannot_decide(caller, &recommendation);
        let cannot_approve = match cannot_reject.clone() {
            Some(why) => Some(why),
            None => self.cannot_approve(caller, &recommendation, &standing, shown.as_ref(), &ticket_faults).await?,
        };
        let parameters =
            shown.as_ref().map_or_else(|| models_values(&chosen.proposal), |t| form_values(&chosen.proposal, t));
        Ok(RecommendationView {
            strategies: self.strategy_views(&recommendation).await?,
            run: self.run_of(&recommendation).await?,
            newer: self.newer_than(&recommendation).await?,
            for_incident: self.world.signals.incident_of(&recommendation.id).await.map_err(store_fault)?,
            selected,
            ticket: shown,
            ticket_faults,
            parameters,
            decisions,
            lapsed,
            have,
            need,
            ruling,
            cannot_approve,
            cannot_reject,
            now: self.world.clock.now(),
            recommendation,
        })
    }

    /// Why this caller may not approve this ticket.
    async fn cannot_approve(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        decisions: &[Decision],
        ticket: Option<&TicketView>,
        faults: &[Fault],
    ) -> Answer<Option<String>> {
        let ruled = ticket.filter(|_| faults.is_empty()).and_then(|ticket| Some((ticket, ticket.ruling.as_ref()?)));
        let Some((ticket, ruling)) = ruled else {
            return Ok(Some("This strategy can't run; its faults are listed above.".into()));
        };
        let TicketView { digest, content, .. } = ticket;
        let attempt = self.approval(caller, recommendation, digest, content, ruling).await?;
        self.would_refuse(recommendation, decisions, &attempt, &content.plan).await
    }

    async fn ticket_to_show(
        &self,
        recommendation: &Recommendation,
        strategy: u32,
        asked: Option<&Digest>,
    ) -> Answer<TicketView> {
        let Some(digest) = asked else {
            let made = self.make_ticket(recommendation, strategy, None).await?;
            return Ok(Self::ticket_view(Some(recommendation), &made));
        };
        let (stored, made) = self.remake(recommendation, strategy, digest).await?;
        let mut view = Self::ticket_view(Some(recommendation), &made);
        if made.ticket.digest() != digest {
            let what = stored.map(|old| old.differences(&made.ticket)).unwrap_or_default();
            let places = what.iter().map(|c| c.pointer.as_str()).collect::<Vec<_>>().join(", ");
            view.warnings.insert(
                0,
                if places.is_empty() {
                    "The ticket that you opened is no longer known; this is the current one.".into()
                } else {
                    format!(
                        "The ticket that you opened is no longer current ({places} changed); this is the current one."
                    )
                },
            );
        }
        Ok(view)
    }

    async fn strategy_views(&self, recommendation: &Recommendation) -> Answer<Vec<StrategyView>> {
        let tracks = self.track_records().await?;
        let mut views = Vec::with_capacity(recommendation.content.strategies.len());
        for strategy in &recommendation.content.strategies {
            let mut view = StrategyView {
                strategy: strategy.clone(),
                title: None,
                image: None,
                track: None,
                version_track: None,
                form: Vec::new(),
                steps: Vec::new(),
            };
            if let Proposal::Playbook { workflow_id, version, .. } = &strategy.proposal {
                view.track = tracks.get(workflow_id).cloned();
                if let Ok(record) = self.find_playbook(workflow_id, version.as_deref()).await? {
                    view.version_track = self.version_record(&record.registration).await?;
                    view.title = Some(record.registration.title);
                    view.image = Some(record.image);
                    view.form = record.registration.parameters.exposed;
                    view.steps = [record.registration.internal_steps, record.registration.remediation_steps].concat();
                }
            }
            views.push(view);
        }
        Ok(views)
    }

    async fn run_of(&self, recommendation: &Recommendation) -> Answer<Option<Execution>> {
        if recommendation.state != RecommendationState::Decided {
            return Ok(None);
        }
        let filter =
            ExecutionFilter { recommendation_id: Some(recommendation.id.as_str().to_owned()), ..Default::default() };
        let found = self.world.executions.lines(&filter, &Page::first(1)).await.map_err(store_fault)?;
        Ok(found.items.into_iter().next().map(|line| line.execution))
    }

    /// What came after this one for the same incident, unless this one is still the one to decide on.
    async fn newer_than(&self, recommendation: &Recommendation) -> Answer<Option<RecommendationId>> {
        if recommendation.state == RecommendationState::Open {
            return Ok(None);
        }
        let filter =
            RecommendationFilter { incident: Some(recommendation.content.incident.id.clone()), ..Default::default() };
        let found = self.world.recommendations.list(&filter, &Page::first(1)).await.map_err(store_fault)?;
        let newest = found.items.into_iter().next().map(|newest| newest.id);
        Ok(newest.filter(|id| *id != recommendation.id))
    }
}

fn models_values(proposal: &Proposal) -> Map<String, Value> {
    match proposal {
        Proposal::Playbook { parameters, .. } => parameters.clone(),
        Proposal::Steps { .. } => Map::new(),
    }
}

/// The model's values with the operator's changes of this ticket applied.
fn form_values(proposal: &Proposal, ticket: &TicketView) -> Map<String, Value> {
    let mut values = models_values(proposal);
    for change in &ticket.changes {
        let name = change.pointer.trim_start_matches('/');
        match &change.after {
            Some(value) => drop(values.insert(name.to_owned(), value.clone())),
            None => drop(values.remove(name)),
        }
    }
    values
}
