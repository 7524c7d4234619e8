//! Investigations: people ask for them, the console asks for them where it is set so, and what an agent answers comes in by the same
//! checks as any other answer. Who asks the agent is `crate::investigator`.

use super::{Services, store_fault};
use domain::{
    audit::AuditEntry,
    fault::Fault,
    identity::{Actor, Caller, Door, Right, Role, Way},
    ids::{ActorId, IncidentId, InvestigationId},
    incident::{IncidentRecord, IncidentState},
    investigation::{Investigation, prompt},
    ports::{Asked, CatalogFilter, NewInvestigation, PlaybookStatus, StoreError},
    recommendation::{Recommendation, Severity},
    search,
    services::{Answer, InvestigationView, ServiceError},
};
use serde_json::Value;

/// Investigations of an incident that are told.
const TOLD: u32 = 5;
/// Incidents that the console has investigated in one look.
const AT_ONCE: u32 = 50;
/// Playbooks for a signal that are looked at for those that fit best.
const LOOKED_AT: usize = 200;
/// What the trail calls it where the console asks by itself.
const ROUTE: &str = "--holmes-automatic";
/// As whom an agent's answers come in.
const AGENT: &str = "system:investigator";

/// The agent as a caller: it proposes and searches, as any model does.
pub fn agent(investigation: &InvestigationId) -> Caller {
    Caller {
        actor: Actor::new(ActorId::new(AGENT), "HolmesGPT"),
        roles: vec![Role::Propose],
        request_id: investigation.to_string(),
        route: "investigation".into(),
        way: Way::by(Door::Console),
        session: None,
    }
}

impl Services {
    pub(super) async fn ask_for_investigation(
        &self,
        caller: &Caller,
        incident: &IncidentId,
    ) -> Answer<(InvestigationView, bool)> {
        if !self.world.settings.investigates {
            let detail = "no agent investigates here: --holmes-url names one; propose a remediation by hand".into();
            return Err(ServiceError::Conflict { code: "no_agent", detail, differences: Vec::new() });
        }
        let id = InvestigationId::new(self.world.ids.fresh());
        let audit = AuditEntry::by(caller, "investigation.ask", "investigation", id.as_str());
        let asked_by = caller.actor.clone();
        let new = NewInvestigation { id, incident: incident.clone(), asked_by, automatic: false };
        match self.world.investigations.ask(new, audit).await.map_err(store_fault)? {
            Asked::New(investigation) => Ok((self.with_steps(*investigation).await?, true)),
            Asked::Known(investigation) => Ok((self.with_steps(*investigation).await?, false)),
            Asked::NotWanted => {
                let detail = "nothing of this incident fires any more: there is nothing to investigate".into();
                Err(ServiceError::Conflict { code: "not_firing", detail, differences: Vec::new() })
            }
            Asked::Missing => Err(ServiceError::NotFound("incident")),
        }
    }

    /// Queues an investigation of every incident that is as bad as one of these and that nobody has looked at; how many.
    pub async fn investigate_by_itself(&self, severities: &[Severity]) -> Result<u32, StoreError> {
        let investigations = &self.world.investigations;
        let mut queued = 0;
        for incident in investigations.uninvestigated(&self.world.settings.cluster, severities, AT_ONCE).await? {
            let id = InvestigationId::new(self.world.ids.fresh());
            let (action, kind, request) = ("investigation.ask", "investigation", self.world.ids.fresh());
            let audit = AuditEntry::of_console("investigator", ROUTE, action, kind, id.as_str(), request);
            let new = NewInvestigation { id, incident, asked_by: Actor::system("investigator"), automatic: true };
            if matches!(investigations.ask(new, audit).await?, Asked::New(_)) {
                queued += 1;
            }
        }
        Ok(queued)
    }

    pub(super) async fn investigation_views(&self, of: &IncidentId) -> Answer<Vec<InvestigationView>> {
        let mut views = Vec::new();
        for found in self.world.investigations.investigations(of, TOLD).await.map_err(store_fault)? {
            views.push(self.with_steps(found).await?);
        }
        Ok(views)
    }

    pub(super) async fn with_steps(&self, investigation: Investigation) -> Answer<InvestigationView> {
        let steps = self.world.investigations.steps(&investigation.id).await.map_err(store_fault)?;
        Ok(InvestigationView { investigation, steps })
    }

    /// Why this caller can't have it investigated.
    pub(super) fn cannot_investigate(
        &self,
        caller: &Caller,
        incident: &IncidentRecord,
        investigations: &[InvestigationView],
    ) -> Option<String> {
        if !self.world.settings.investigates {
            return Some("No agent investigates here; --holmes-url names one.".into());
        }
        if incident.state != IncidentState::Firing {
            return Some("Nothing of it fires any more.".into());
        }
        if investigations.iter().any(|one| !one.investigation.state.ended()) {
            return Some("It is being investigated.".into());
        }
        (!caller.may(Right::Investigate))
            .then(|| format!("Asking for an investigation takes the right {}.", Right::Investigate))
    }

    /// The playbooks that fit an incident by its labels, as an agent is shown them.
    pub async fn shortlist(&self, agent: &Caller, incident: &IncidentRecord) -> Answer<Vec<Value>> {
        let about = &incident.about;
        let of_signal = CatalogFilter {
            signal_type: Some(about.signal_type.clone()),
            status: Some(PlaybookStatus::Active),
            ..CatalogFilter::default()
        };
        let of_incident = CatalogFilter {
            severity: Some(incident.severity.name().to_owned()),
            environment: about.environment.clone(),
            ..of_signal.clone()
        };
        let mut found = self.find_for_model(agent, &of_signal, LOOKED_AT).await?;
        found.retain(|item| search::fits(&of_incident, &item.playbook.registration.labels));
        found.sort_by_key(|item| search::general(&of_incident, &item.playbook.registration.labels));
        let playbooks = found.iter().map(|item| &item.playbook.registration);
        Ok(prompt::shortlist(playbooks))
    }

    /// Takes an agent's answer, or says what is wrong with it. A strategy that can't run is wrong, too, unless it is the `last` answer that is
    /// asked for: then it is kept with its errors, as any model's is.
    pub async fn take_investigated(
        &self,
        agent: &Caller,
        body: &Value,
        last: bool,
    ) -> Answer<Result<Recommendation, Vec<Fault>>> {
        agent.require(Right::Propose)?;
        let content = match self.checked_answer(body).await {
            Ok(content) => content,
            Err(ServiceError::Invalid(faults)) => return Ok(Err(faults)),
            Err(other) => return Err(other),
        };
        let errors: Vec<Fault> =
            content.strategies.iter().flat_map(|strategy| strategy.errors.iter().cloned()).collect();
        if !last && !errors.is_empty() {
            return Ok(Err(errors));
        }
        self.keep_answer(agent, content).await.map(Ok)
    }
}
