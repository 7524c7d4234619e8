//! Findings: reading them, triage, and making a recommendation of one, which is then checked and decided as any proposal by hand.

use super::{Services, limits, reason, store_fault};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    fault::{Fault, code},
    finding::{Card, FindingState, Noticed},
    identity::{Caller, Right},
    ids::{FindingId, RecommendationId},
    json::pointer::{join, join_index},
    paging::{Page, PageOf},
    playbook::{PlaybookId, Registration},
    ports::{FindingFilter, Triage},
    recommendation::{Origin, Recommendation, ResourceRef, Severity},
    services::{Answer, Filled, FindingService, ServiceError},
};
use serde_json::{Map, Value, json};

#[async_trait]
impl FindingService for Services {
    async fn findings(&self, caller: &Caller, filter: &FindingFilter, page: &Page) -> Answer<PageOf<Card>> {
        caller.require(Right::RecommendationsRead)?;
        limits::short([("kind", &filter.kind), ("recommendation", &filter.recommendation_id), ("q", &filter.q)])?;
        self.world.findings.findings(filter, page).await.map_err(store_fault)
    }

    async fn finding(&self, caller: &Caller, id: &FindingId) -> Answer<Card> {
        caller.require(Right::RecommendationsRead)?;
        self.card(id).await
    }

    async fn noticed_with(&self, caller: &Caller, id: &RecommendationId) -> Answer<Vec<Card>> {
        caller.require(Right::RecommendationsRead)?;
        self.world.findings.noticed_with(id).await.map_err(store_fault)
    }

    async fn filled(&self, caller: &Caller, id: &FindingId, playbook: Option<PlaybookId>) -> Answer<Option<Filled>> {
        caller.require(Right::Decide)?;
        let card = self.card(id).await?;
        let suggested = card.noticed.suggested_workflow_id.as_deref().and_then(|id| id.parse::<PlaybookId>().ok());
        let Some(id) = playbook.or(suggested) else { return Ok(None) };
        let Some(record) = self.world.catalog.newest_active(&id).await.map_err(store_fault)? else { return Ok(None) };
        let values = told_values(&record.registration, card.noticed.resource.as_ref());
        Ok(Some(Filled { playbook: record, values }))
    }

    async fn triage(
        &self,
        caller: &Caller,
        id: &FindingId,
        state: FindingState,
        reason: Option<String>,
    ) -> Answer<Card> {
        caller.require(Right::Decide)?;
        let said = reason::checked(reason)?;
        if state.asks_why() && said.is_none() {
            let message = "say why it needs nothing: whoever sees it next reads that";
            return Err(ServiceError::Invalid(vec![Fault::new("/reason", code::REQUIRED, message)]));
        }
        let before = self.card(id).await?;
        let mut audit = AuditEntry::by(caller, "finding.triage", "finding", id.as_str());
        audit.before = Some(json!({ "state": before.state }));
        audit.after = Some(json!({ "state": state }));
        audit.reason.clone_from(&said);
        let triage = Triage { id: id.clone(), state, reason: said, by: caller.actor.clone() };
        let set = self.world.findings.triage(triage, audit).await.map_err(store_fault)?;
        set.ok_or(ServiceError::NotFound("finding"))
    }

    async fn turn(
        &self,
        caller: &Caller,
        id: &FindingId,
        playbook: &PlaybookId,
        reason: String,
        values: Map<String, Value>,
    ) -> Answer<Recommendation> {
        caller.require(Right::Decide)?;
        let card = self.card(id).await?;
        let record = match self.find_playbook(playbook.as_str(), None).await? {
            Ok(record) => record,
            Err(fault) => return Err(ServiceError::Invalid(vec![fault])),
        };
        let named: Vec<&String> = values.keys().collect();
        let parameters: Vec<Value> =
            values.iter().map(|(name, value)| json!({ "name": name, "value": plain(value) })).collect();
        // The spec that anybody could hand in: nothing here is checked any less.
        let spec = json!({
            "workflowType": playbook.as_str(), "reason": reason,
            "playbook": { "id": playbook.as_str(), "version": record.registration.version, "parameters": parameters },
        });
        let by_name = |fault: Fault| in_form(fault, &named);
        let mut content = match self.proposed_content(caller, &Origin::Hand, &spec).await {
            Err(ServiceError::Invalid(faults)) => {
                return Err(ServiceError::Invalid(faults.into_iter().map(by_name).collect()));
            }
            other => other?,
        };
        content.incident.resource.clone_from(&card.noticed.resource);
        content.incident.severity = card.noticed.severity.unwrap_or(Severity::Medium);
        content.root_cause_assessment =
            format!("{} proposed this because of the finding \"{}\".", caller.actor.name, card.noticed.title);
        let new = self.coming(caller, Origin::Hand, content).await?;
        let mut audit = AuditEntry::by(caller, "finding.turn", "finding", id.as_str());
        audit.after = Some(json!({ "recommendation": new.id, "workflow_id": playbook.as_str() }));
        let made = self.world.findings.turn(id, new, audit).await.map_err(store_fault)?;
        made.ok_or(ServiceError::NotFound("finding"))
    }

    async fn open_finding(&self, noticed: Noticed) -> Answer<FindingId> {
        let fresh = FindingId::new(self.world.ids.fresh());
        self.world.findings.open_finding(fresh, &noticed).await.map_err(store_fault)
    }
}

impl Services {
    async fn card(&self, id: &FindingId) -> Answer<Card> {
        self.world.findings.finding(id).await.map_err(store_fault)?.ok_or(ServiceError::NotFound("finding"))
    }
}

/// A value as a text: a spec's parameters are texts.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A fault of the spec at its place in the form: its parameters are told by their names there.
fn in_form(fault: Fault, named: &[&String]) -> Fault {
    for (index, name) in named.iter().enumerate() {
        if fault.pointer.starts_with(&format!("{}/", join_index("/playbook/parameters", index)))
            || fault.pointer == join_index("/playbook/parameters", index)
        {
            return Fault { pointer: join("/parameters", name), ..fault };
        }
    }
    fault
}

/// What the finding tells of a playbook's parameters: the object that it is about.
fn told_values(registration: &Registration, resource: Option<&ResourceRef>) -> Vec<(String, String)> {
    let Some(resource) = resource else { return Vec::new() };
    let told = [
        ("TARGET_RESOURCE_KIND", Some(resource.kind.clone())),
        ("TARGET_RESOURCE_NAME", Some(resource.name.clone())),
        ("TARGET_NAMESPACE", resource.namespace.clone()),
    ];
    let known = told.into_iter().filter(|(name, _)| registration.exposed(name).is_some());
    known.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_spec_stands_at_its_field() {
        let (one, other) = ("REPLICAS".to_owned(), "NAME".to_owned());
        let named = [&one, &other];
        for (pointer, wanted) in [
            ("/playbook/parameters/1/value", "/parameters/NAME"),
            ("/playbook/parameters/0", "/parameters/REPLICAS"),
            ("/playbook/parameters/10", "/playbook/parameters/10"),
            ("/reason", "/reason"),
        ] {
            assert_eq!(in_form(Fault::new(pointer, "x", "y"), &named).pointer, wanted);
        }
    }
}
