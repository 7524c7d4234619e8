//! Recommendations, their tickets, and decisions.

use super::{
    Services,
    obstacles::{decide_fault, not_open, runnable},
    policing::{Registrations, RiskOf},
    reason, store_fault,
    tickets::Made,
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    decision::{Attempt, Decision, Verb, Verdict, tag},
    fault::Fault,
    identity::{Caller, Right},
    ids::{DecisionId, Digest, RecommendationId},
    json::diff::Change,
    paging::{Page, PageOf},
    policy::Ruling,
    ports::{Known, NewDecision, RecommendationFilter, StoredTicket},
    recommendation::{Origin, Recommendation, RecommendationState, Strategy},
    services::{
        Answer, ApprovalService, DecisionAnswer, DecisionRequest, InboxItem, RecommendationView, ReviewItem,
        ServiceError, TargetView, TicketView,
    },
    ticket::Plan,
};
use serde_json::{Map, Value, json};

#[async_trait]
impl ApprovalService for Services {
    async fn submit(&self, caller: &Caller, body: &Value) -> Answer<Recommendation> {
        caller.require(Right::Propose)?;
        let mut taken = self.take_answer(caller, body).await?;
        // Who only proposes learns nothing of the cluster by naming its objects.
        if !caller.may(Right::RecommendationsRead) {
            taken.content.seen.clear();
        }
        Ok(taken)
    }

    async fn propose_steps(&self, caller: &Caller, body: &Value) -> Answer<Recommendation> {
        caller.require(Right::Decide)?;
        self.take_spec(caller, Origin::Hand, body).await
    }

    async fn list(
        &self,
        caller: &Caller,
        filter: &RecommendationFilter,
        page: &Page,
    ) -> Answer<PageOf<Recommendation>> {
        caller.require(Right::RecommendationsRead)?;
        super::limits::short_recommendations(filter)?;
        self.world.recommendations.list(filter, page).await.map_err(store_fault)
    }

    async fn inbox(&self, caller: &Caller, filter: &RecommendationFilter, page: &Page) -> Answer<PageOf<InboxItem>> {
        let found = ApprovalService::list(self, caller, filter, page).await?;
        self.told(found).await
    }

    async fn get(&self, caller: &Caller, id: &RecommendationId) -> Answer<(Recommendation, Vec<Decision>)> {
        caller.require(Right::RecommendationsRead)?;
        Ok((self.recommendation(id).await?, self.decisions_of(id).await?))
    }

    async fn view(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: Option<u32>,
        ticket: Option<Digest>,
    ) -> Answer<RecommendationView> {
        caller.require(Right::RecommendationsRead)?;
        self.view_of(caller, id, strategy, ticket).await
    }

    async fn review(&self, caller: &Caller, ids: &[RecommendationId]) -> Answer<Vec<ReviewItem>> {
        caller.require(Right::Decide)?;
        self.reviews(caller, ids).await
    }

    async fn ticket(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: u32,
        parameters: Option<Map<String, Value>>,
    ) -> Answer<TicketView> {
        caller.require(Right::Decide)?;
        let recommendation = self.recommendation(id).await?;
        let made = self.made(&recommendation, strategy, parameters.as_ref()).await?;
        let view = self.ticket_view(Some(&recommendation), &made);
        let mut audit = AuditEntry::by(caller, "ticket.make", "recommendation", recommendation.id.as_str());
        audit.after = Some(json!({ "digest": view.digest, "changes": view.changes }));
        let stored = self.stored(caller, &recommendation, &made);
        if self.world.recommendations.put_ticket(stored, audit).await.map_err(store_fault)? {
            return Ok(view);
        }
        // Somebody was faster: it is not open any more.
        let now = self.recommendation(id).await?;
        Err(not_open(&now, &self.decisions_of(id).await?))
    }

    async fn preview(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: u32,
        parameters: Map<String, Value>,
    ) -> Answer<TicketView> {
        caller.require(Right::Decide)?;
        let recommendation = self.recommendation(id).await?;
        let made = self.made(&recommendation, strategy, Some(&parameters)).await?;
        Ok(self.ticket_view(Some(&recommendation), &made))
    }

    async fn target(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        strategy: u32,
        plan: Option<&Plan>,
    ) -> Answer<Option<TargetView>> {
        caller.require(Right::RecommendationsRead)?;
        self.target_view(recommendation, strategy, plan).await
    }

    async fn decide(&self, caller: &Caller, id: &RecommendationId, request: DecisionRequest) -> Answer<DecisionAnswer> {
        caller.require(Right::Decide)?;
        let recommendation = self.recommendation(id).await?;
        self.still_known(&recommendation, &request.known).await?;
        Self::requested(&recommendation, request.strategy)?;
        let said = reason::checked(request.reason.clone());
        let mut faults = Vec::new();
        match &said {
            Ok(None) if request.decision == Verb::Reject => {
                faults.push(Fault::new("/reason", "required", "say why: the reason goes into the audit trail"));
            }
            Err(ServiceError::Invalid(wrong)) => faults.extend(wrong.clone()),
            _ => {}
        }
        if request.decision == Verb::Approve && request.ticket_digest.is_none() {
            faults.push(Fault::new("/ticket_digest", "required", "send the digest of the ticket that you read"));
        }
        if !faults.is_empty() {
            return Err(ServiceError::Invalid(faults));
        }
        let request = DecisionRequest { reason: said?, ..request };
        self.settle(caller, &recommendation, request, false).await
    }
}

impl Services {
    /// Decides as somebody who may: their right and their words were looked at before. `automatic` where it is the policy itself.
    pub(super) async fn settle(
        &self,
        by: &Caller,
        recommendation: &Recommendation,
        request: DecisionRequest,
        automatic: bool,
    ) -> Answer<DecisionAnswer> {
        let DecisionRequest { decision, strategy, mut ticket_digest, reason, confirm, known } = request;
        let id = &recommendation.id;
        let open = recommendation.state == RecommendationState::Open;
        let (mut execution, mut ticket, mut approval) = (None, None, None);
        if open
            && decision == Verb::Approve
            && let Some(digest) = &ticket_digest
        {
            let made = self.current_ticket(recommendation, strategy, digest).await?;
            self.confirmed(by, recommendation, &made, confirm.as_deref())?;
            self.may_remediate(by, recommendation, &made).await?;
            if let Some(ruling) = &made.ruling {
                let content = made.ticket.content();
                let of = self.approval(by, recommendation, digest, content, ruling).await?;
                approval = Some(Attempt { automatic, ..of });
            }
            ticket = Some(self.stored(by, recommendation, &made));
            execution = Some(self.execution_of(recommendation, &made));
        }
        // A rejected ticket is kept as well: what was rejected can be read afterwards. A rejection never fails for it.
        if open
            && decision == Verb::Reject
            && let Some(digest) = &ticket_digest
            && let Ok(made) = self.current_ticket(recommendation, strategy, digest).await
        {
            ticket = Some(self.stored(by, recommendation, &made));
        }
        // A rejection binds to a ticket that there is, or to none.
        if decision == Verb::Reject
            && ticket.is_none()
            && let Some(digest) = &ticket_digest
        {
            let known = self.world.recommendations.ticket(digest).await.map_err(store_fault)?;
            if known.is_none_or(|known| known.recommendation_id != *id) {
                ticket_digest = None;
            }
        }
        let attempt = match approval {
            Some(approval) => approval,
            // A rejection, or an approval that comes too late: the terms decide nothing.
            None => Attempt {
                actor: by.actor.clone(),
                verb: decision,
                revision: recommendation.revision,
                ticket_digest,
                ticket_expires_at: recommendation.expires_at,
                terms: {
                    let chosen = Self::requested(recommendation, strategy)?;
                    self.ruling_without_ticket(recommendation, chosen).await?.terms
                },
                stands_for: Vec::new(),
                last_editor: None,
                automatic,
            },
        };
        let need = attempt.terms.quorum.need;
        let mut audit = AuditEntry::by(by, &format!("decision.{}", decision.name()), "recommendation", id.as_str());
        audit.before = Some(json!({ "state": recommendation.state, "revision": recommendation.revision }));
        audit.after = Some(json!({
            "strategy": strategy, "ticket_digest": attempt.ticket_digest,
            "policy": { "version": attempt.terms.version, "rule": attempt.terms.rule },
        }));
        audit.reason.clone_from(&reason);
        let new = NewDecision {
            id: DecisionId::new(self.world.ids.fresh()),
            recommendation_id: id.clone(),
            strategy,
            attempt,
            known,
            reason,
            ticket,
            execution,
            audit,
        };
        let decided = self.world.recommendations.decide(new).await.map_err(decide_fault)?;
        if decided.execution_id.is_some() {
            self.wake_cluster();
        }
        let have = match decided.verdict {
            Verdict::Waiting { have } | Verdict::Approved { have } => have,
            Verdict::Rejected => 0,
        };
        let need = if automatic { 0 } else { need };
        Ok(DecisionAnswer { decision: decided.decision, have, need, execution_id: decided.execution_id })
    }

    /// Whether it stands as the caller has read it. The store looks once more, in the transaction of the decision.
    async fn still_known(&self, recommendation: &Recommendation, known: &Known) -> Answer<()> {
        if *known == Known::Any {
            return Ok(());
        }
        let now = tag(recommendation, self.decisions_of(&recommendation.id).await?.len());
        if known.includes(&now) { Ok(()) } else { Err(ServiceError::Moved { tag: now }) }
    }

    /// What the policy in force says about a strategy, by what was proposed.
    pub(super) async fn ruling_without_ticket(
        &self,
        recommendation: &Recommendation,
        strategy: &Strategy,
    ) -> Answer<Ruling> {
        let record = self.in_force().await?;
        self.proposed_ruling(&record, recommendation, strategy, RiskOf::Registration, &mut Registrations::new()).await
    }

    pub(super) async fn recommendation(&self, id: &RecommendationId) -> Answer<Recommendation> {
        let found = self.world.recommendations.get(id).await.map_err(store_fault)?;
        found.ok_or(ServiceError::NotFound("recommendation"))
    }

    /// The ticket of an open recommendation's strategy, with these parameters.
    async fn made(
        &self,
        recommendation: &Recommendation,
        strategy: u32,
        parameters: Option<&Map<String, Value>>,
    ) -> Answer<Made> {
        if recommendation.state != RecommendationState::Open {
            return Err(not_open(recommendation, &self.decisions_of(&recommendation.id).await?));
        }
        runnable(Self::requested(recommendation, strategy)?, strategy)?;
        self.make_ticket(recommendation, strategy, parameters).await
    }

    /// The decisions as they count now.
    pub(super) async fn counting(&self, decisions: Vec<Decision>) -> Answer<Vec<Decision>> {
        self.world.recommendations.counting(decisions).await.map_err(store_fault)
    }

    pub(super) async fn decisions_of(&self, id: &RecommendationId) -> Answer<Vec<Decision>> {
        self.world.recommendations.decisions(id).await.map_err(store_fault)
    }

    /// The ticket asked for, when it is the current one; else a conflict with what differs.
    async fn current_ticket(&self, recommendation: &Recommendation, strategy: u32, digest: &Digest) -> Answer<Made> {
        runnable(Self::requested(recommendation, strategy)?, strategy)?;
        let stale = |detail: String, mut differences: Vec<Change>, current: Option<&Digest>| {
            if differences.is_empty() {
                differences.push(Change {
                    pointer: "/digest".into(),
                    before: Some(json!(digest)),
                    after: current.map(|d| json!(d)),
                });
            }
            ServiceError::Conflict { code: "stale_ticket", detail, differences }
        };
        let (stored, made) = match self.remake(recommendation, strategy, digest).await {
            Ok(remade) => remade,
            // It could run when the ticket was made: the playbook was disabled since.
            Err(ServiceError::Invalid(faults)) => {
                let why = faults.into_iter().map(|f| f.message).collect::<Vec<_>>().join("; ");
                return Err(stale(format!("what this ticket would run can't run any more: {why}"), Vec::new(), None));
            }
            Err(other) => return Err(other),
        };
        if made.ticket.digest() == digest {
            return Ok(made);
        }
        let detail = "this ticket is not what would run now; read the current ticket and decide on that";
        let differences = stored.map(|old| old.differences(&made.ticket)).unwrap_or_default();
        Err(stale(detail.into(), differences, Some(made.ticket.digest())))
    }

    fn stored(&self, caller: &Caller, recommendation: &Recommendation, made: &Made) -> StoredTicket {
        StoredTicket {
            digest: made.ticket.digest().clone(),
            canonical: made.ticket.canonical().to_owned(),
            recommendation_id: recommendation.id.clone(),
            made_by: caller.actor.clone(),
            made_at: self.world.clock.now(),
        }
    }
}
