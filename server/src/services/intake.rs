//! What comes in: a model's answer, a WorkflowExecution's spec by hand, and one that somebody applied to the cluster. The same
//! checks for all three. A RemediationWorkflow comes by the same door, and goes to the catalog.

use super::{
    Services,
    check::under,
    image_fault,
    policing::{Registrations, RiskOf},
    store_fault,
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    execution::Execution,
    fault::{Fault, code},
    identity::{Actor, Caller, Door, Way},
    ids::{FindingId, RecommendationId},
    json::pointer::{join, join_index},
    playbook::values,
    ports::{AppliedPlaybook, AppliedWorkflow, ClusterIntake, NewRecommendation, PlaybookApplied, StoreError},
    recommendation::{
        Content, Incident, Origin, Proposal, Recommendation, RecommendationState, Risk, Severity, Strategy,
        intake::{self, OWN_INCIDENTS},
    },
    services::{Answer, ServiceError},
    ticket::images_of,
    workflow::{Applied, PlaybookPlan, StepPlan},
};
use serde_json::{Map, Value, json};

impl Services {
    pub(super) async fn take_answer(&self, caller: &Caller, body: &Value) -> Answer<Recommendation> {
        let content = self.checked_answer(body).await?;
        self.keep_answer(caller, content).await
    }

    /// An answer, held against the catalog. Nothing is stored.
    pub(super) async fn checked_answer(&self, body: &Value) -> Answer<Content> {
        let read = intake::read(body).map_err(|faults| ServiceError::Invalid(faults.into_vec()))?;
        let intake::Answer { mut content, bundles, says_risk } = read;
        for (index, strategy) in content.strategies.iter_mut().enumerate() {
            self.check_strategy(strategy, bundles.get(index).and_then(Option::as_ref)).await?;
            if let Some(declared) = strategy.declared_risk.filter(|_| !says_risk) {
                strategy.estimated_risk = declared;
            }
            let base = join_index("/strategies", index);
            for fault in strategy.errors.iter_mut().chain(&mut strategy.rollback_errors) {
                *fault = under(&base, fault.clone());
            }
        }
        for finding in &mut content.additional_findings {
            finding.id = FindingId::new(self.world.ids.fresh());
        }
        Ok(content)
    }

    /// Stores such an answer, and lets a policy decide about it.
    pub(super) async fn keep_answer(&self, caller: &Caller, content: Content) -> Answer<Recommendation> {
        let taken = self.store_recommendation(caller, Origin::Model, content).await?;
        Ok(self.let_policy_decide(caller, taken).await)
    }

    /// A WorkflowExecution's `spec`, handed in by a person or applied to the cluster: a list of steps, or a playbook.
    pub(super) async fn take_spec(&self, caller: &Caller, origin: Origin, spec: &Value) -> Answer<Recommendation> {
        let content = self.proposed_content(caller, &origin, spec).await?;
        self.store_recommendation(caller, origin, content).await
    }

    /// The content of a recommendation that such a spec makes, checked; nothing is stored.
    pub(super) async fn proposed_content(&self, caller: &Caller, origin: &Origin, spec: &Value) -> Answer<Content> {
        Ok(match Applied::parse(spec).map_err(|faults| ServiceError::Invalid(faults.into_vec()))? {
            Applied::Steps(plan) => {
                let plan = self.pinned(plan).await?;
                self.check_actions(&plan).await?;
                self.proposed(
                    origin,
                    caller,
                    plan.reason.clone(),
                    plan.workflow_type.clone(),
                    Proposal::Steps { steps: plan },
                    None,
                )
            }
            Applied::Playbook(plan) => {
                let (proposal, risk) = self.proposal(&plan).await?;
                let action_type = plan.action_type.unwrap_or(plan.id);
                self.proposed(origin, caller, plan.reason, action_type, proposal, risk)
            }
        })
    }

    /// The steps with every image pinned to its digest.
    async fn pinned(&self, mut plan: StepPlan) -> Answer<StepPlan> {
        let mut faults = Vec::new();
        for (index, step) in plan.steps.iter_mut().enumerate() {
            match self.world.registry.resolve(&step.image).await {
                Ok(pinned) => step.image = pinned,
                Err(error) => faults.push(image_fault(&error, join(&join_index("/steps", index), "image"))?),
            }
        }
        if !faults.is_empty() {
            return Err(ServiceError::Invalid(faults));
        }
        self.look_at_all(images_of(&plan.steps)).await;
        Ok(plan)
    }

    /// The playbook as a proposal, with the risk that its registration declares. What the plan repeats of the registration must agree with it: an applied object that says
    /// something else than its ticket would never run.
    async fn proposal(&self, plan: &PlaybookPlan) -> Answer<(Proposal, Option<Risk>)> {
        let found = self.find_playbook(&plan.id, Some(&plan.version)).await?;
        let record = found.map_err(|fault| {
            let pointer = if fault.pointer == "/version" { "/playbook/version" } else { "/playbook/id" };
            ServiceError::Invalid(vec![Fault { pointer: pointer.into(), ..fault }])
        })?;
        let execution = &record.registration.execution;
        let mut faults = Vec::new();
        let mut agree = |pointer: &str, given: Option<String>, registered: String| {
            if given.is_some_and(|given| given != registered) {
                let message = format!("leave it out, or write {registered}: the registration sets it");
                faults.push(Fault::new(pointer, code::NOT_ALLOWED, message));
            }
        };
        agree(
            "/serviceAccount",
            plan.service_account.as_ref().map(ToString::to_string),
            execution.service_account.to_string(),
        );
        agree("/timeout", plan.timeout.map(|t| t.to_string()), execution.timeout.to_string());
        agree("/retries", plan.retries.map(|n| n.to_string()), execution.retry_count.to_string());
        if plan.image.as_ref().is_some_and(|image| !image.is_pinned_by(&record.image)) {
            let message = format!("leave it out, or write {}: the registration sets it", record.image);
            faults.push(Fault::new("/playbook/image", code::NOT_ALLOWED, message));
        }
        let mut parameters = Map::new();
        for (index, (name, text)) in plan.parameters.iter().enumerate() {
            if parameters.insert(name.clone(), record.registration.typed(name, text)).is_some() {
                let pointer = join(&join_index("/playbook/parameters", index), "name");
                faults.push(Fault::new(pointer, code::DUPLICATE, format!("give {name} once")));
            }
        }
        let place = |fault: Fault| {
            let name = fault.pointer.trim_start_matches('/');
            let at = plan.parameters.iter().position(|(given, _)| given == name);
            let pointer = at.map_or("/playbook/parameters".into(), |i| join_index("/playbook/parameters", i));
            Fault { pointer, ..fault }
        };
        faults.extend(values::validate(&record.registration, &parameters).err().into_iter().flatten().map(place));
        if !faults.is_empty() {
            return Err(ServiceError::Invalid(faults));
        }
        let proposal = Proposal::Playbook {
            workflow_id: plan.id.clone(),
            version: Some(plan.version.clone()),
            parameters,
            rollback_parameters: None,
        };
        Ok((proposal, record.registration.risk))
    }

    /// A request as a recommendation: no model, no confidence; the incident is the request itself. Nobody says its risk but the
    /// registration; where that says nothing it is medium.
    fn proposed(
        &self,
        origin: &Origin,
        caller: &Caller,
        reason: String,
        action_type: String,
        proposal: Proposal,
        risk: Option<Risk>,
    ) -> Content {
        let fresh = self.world.ids.fresh();
        let [manual, applied] = OWN_INCIDENTS;
        let id = match origin {
            Origin::Cluster { name, .. } => format!("{applied}{name}"),
            _ => format!("{manual}{}", fresh.rsplit('-').next().unwrap_or(&fresh)),
        };
        let incident = Incident {
            id,
            signal_type: "Manual".into(),
            severity: Severity::Medium,
            environment: None,
            priority: None,
            fingerprint: None,
            resource: None,
            started_at: None,
            business_context: Map::new(),
        };
        let root_cause_assessment = match origin {
            Origin::Cluster { .. } => "A WorkflowExecution was applied to the cluster; no model was asked.".into(),
            _ => format!("{} proposed this; no model was asked.", caller.actor.name),
        };
        let strategy = Strategy {
            action_type,
            confidence: None,
            rationale: reason.clone(),
            estimated_risk: risk.unwrap_or(Risk::Medium),
            declared_risk: risk,
            proposal,
            errors: Vec::new(),
            rollback_errors: Vec::new(),
        };
        Content {
            incident,
            model: None,
            analysis_summary: reason,
            root_cause_assessment,
            strategies: vec![strategy],
            warnings: Vec::new(),
            context_used: Map::new(),
            additional_findings: Vec::new(),
            needs_human_review: false,
            seen: Vec::new(),
        }
    }

    async fn store_recommendation(&self, caller: &Caller, origin: Origin, content: Content) -> Answer<Recommendation> {
        let new = self.coming(caller, origin, content).await?;
        let mut audit = AuditEntry::by(caller, "recommendation.submit", "recommendation", new.id.as_str());
        audit.after = Some(json!({
            "incident": new.content.incident.id,
            "strategies": new.content.strategies.len(),
            "runnable": new.content.strategies.iter().filter(|s| s.runnable()).count(),
        }));
        self.world.recommendations.insert(new, audit).await.map_err(store_fault)
    }

    /// A recommendation as it is to be stored, with what the console itself sees and how long it can be decided.
    pub(super) async fn coming(
        &self,
        caller: &Caller,
        origin: Origin,
        mut content: Content,
    ) -> Answer<NewRecommendation> {
        content.seen = self.seen(&content).await;
        let id = RecommendationId::new(self.world.ids.fresh());
        let now = self.world.clock.now();
        // As it will be stored: what the policy judges it by.
        let coming = Recommendation {
            id,
            revision: 1,
            state: RecommendationState::Open,
            origin,
            proposer: caller.actor.clone(),
            cluster: self.world.settings.cluster.clone(),
            created_at: now,
            expires_at: now,
            content,
        };
        let open_for_ms = self.open_for_ms(&coming).await?;
        let Recommendation { id, origin, proposer, cluster, content, .. } = coming;
        Ok(NewRecommendation { id, origin, proposer, cluster, open_for_ms, content })
    }

    /// How long it can be decided: as long as the rule of any of its strategies gives, as the console is set where that says
    /// nothing.
    async fn open_for_ms(&self, coming: &Recommendation) -> Answer<i64> {
        let usual = self.world.settings.approval_ttl_ms;
        let record = self.in_force().await?;
        if record.policy.rules.iter().all(|rule| rule.expires_ms.is_none()) {
            return Ok(usual);
        }
        let mut longest = None;
        let mut seen = Registrations::new();
        for strategy in coming.content.strategies.iter().filter(|strategy| strategy.runnable()) {
            let ruling = self.proposed_ruling(&record, coming, strategy, RiskOf::Registration, &mut seen).await?;
            longest = longest.max(Some(ruling.expires_ms.unwrap_or(usual)));
        }
        Ok(longest.unwrap_or(usual))
    }
}

#[async_trait]
impl ClusterIntake for Services {
    async fn workflow_applied(
        &self,
        applied: AppliedWorkflow,
    ) -> Result<Result<RecommendationId, Vec<Fault>>, StoreError> {
        if let Some(known) = self.world.recommendations.by_cluster_uid(&applied.uid).await? {
            return Ok(Ok(known.id));
        }
        let caller = by_cluster("WorkflowExecution", &applied.uid);
        if let Some(fault) = self.unusable_name(&applied.name).await? {
            return Ok(Err(vec![fault]));
        }
        let origin = Origin::Cluster { name: applied.name, uid: applied.uid };
        match self.take_spec(&caller, origin, &applied.spec).await {
            Ok(recommendation) => Ok(Ok(recommendation.id)),
            Err(ServiceError::Invalid(faults)) => Ok(Err(faults)),
            Err(other) => Err(StoreError::Unavailable(other.to_string())),
        }
    }

    async fn about_to_start(&self, run: &Execution) {
        if let Err(error) = self.capture(run).await {
            tracing::warn!(%error, execution = %run.subject.id, "what this run acts on could not be captured before it");
        }
    }

    async fn playbook_applied(&self, applied: AppliedPlaybook) -> PlaybookApplied {
        let caller = by_cluster("RemediationWorkflow", &applied.uid);
        self.register_applied(&caller, &applied).await
    }

    async fn playbook_gone(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let caller = Caller {
            route: "RemediationWorkflow deleted from the cluster".into(),
            ..by_cluster("RemediationWorkflow", name)
        };
        self.unregister_applied(&caller, name).await
    }

    async fn playbooks_kept(&self, of: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.kept_objects(of).await
    }
}

/// Whoever applied an object: the cluster judged whether they may, and does not tell who they are.
fn by_cluster(kind: &str, uid: &str) -> Caller {
    Caller {
        actor: Actor::cluster(),
        roles: Vec::new(),
        request_id: uid.to_owned(),
        route: format!("{kind} applied to the cluster"),
        way: Way::by(Door::Cluster),
        session: None,
    }
}

impl Services {
    /// An applied object keeps its name, and so does its PipelineRun: it must be short enough for both, and never used before.
    async fn unusable_name(&self, name: &str) -> Result<Option<Fault>, StoreError> {
        const LONGEST: usize = 63;
        if name.len() > LONGEST {
            let message =
                format!("apply it under a shorter name: {} characters, at most {LONGEST} are a label's", name.len());
            return Ok(Some(Fault::new("/metadata/name", code::TOO_LONG, message)));
        }
        let used = self.world.executions.by_name(&self.world.settings.cluster, name).await?;
        Ok(used.map(|_| {
            let message = "apply it under another name: an earlier run had this one, and each run keeps its own";
            Fault::new("/metadata/name", "name_used", message)
        }))
    }
}
