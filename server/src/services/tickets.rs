//! Making run tickets: the merge of model, operator and registration into exactly what would run. Pure but for reading the
//! catalog and stored tickets; the same inputs give the same digest, so a page can show a ticket without storing it.

use super::{
    Services,
    check::{fits, under},
    signing::signed_image,
    store_fault,
};
use domain::{
    execution::{ActionRecord, ExecutionSubject, Task, TaskState},
    fault::Fault,
    ids::{ActionId, Digest, ExecutionId},
    json::{canonical, diff, pointer::join_index},
    pipeline_run,
    playbook::{
        Registration,
        values::{self, EnvEntry, EnvSource, EnvValue},
    },
    policy::{Concurrency, PolicyTerms, Ruling},
    ports::{NewExecution, PlaybookRecord, StoredTicket},
    recommendation::{Origin, Proposal, Recommendation, Strategy, target},
    recovery::{self, Way},
    services::{Answer, ServiceError, TicketView},
    signature::{self, Signature, SignedImage},
    target::Scope,
    ticket::{Adopts, FORMAT, Plan, Ticket, TicketContent},
};
use serde_json::{Map, Value, json};

/// The run of a step list has no timeout of its own; this one holds, milliseconds.
const STEPS_TIMEOUT_MS: u64 = 30 * 60 * 1000;
/// What step lists run as.
const STEPS_SERVICE_ACCOUNT: &str = "playbook-executor";

/// A ticket with the registration it was made from.
pub(super) struct Made {
    pub ticket: Ticket,
    pub record: Option<PlaybookRecord>,
    /// Its images, with who signed them.
    pub images: Vec<SignedImage>,
    /// What the policy in force says about it; none of one that is only read back.
    pub ruling: Option<Ruling>,
}

impl Services {
    /// The strategy that a request names in its `strategy`.
    pub(super) fn requested(recommendation: &Recommendation, index: u32) -> Answer<&Strategy> {
        Self::strategy(recommendation, index).map_err(|_| {
            let count = recommendation.content.strategies.len();
            let message = format!("choose a strategy of this recommendation: it has {count}, counted from 0");
            ServiceError::Invalid(vec![Fault::new("/strategy", "unknown_strategy", message)])
        })
    }

    /// The strategy of that number.
    pub(super) fn strategy(recommendation: &Recommendation, index: u32) -> Answer<&Strategy> {
        usize::try_from(index)
            .ok()
            .and_then(|i| recommendation.content.strategies.get(i))
            .ok_or(ServiceError::NotFound("strategy in this recommendation"))
    }

    /// Makes the ticket of a strategy, with the operator's parameters in place of the model's where given. Faults point into
    /// what the operator sent (`/parameters/…`), or into the recommendation when nothing was.
    pub(super) async fn make_ticket(
        &self,
        recommendation: &Recommendation,
        index: u32,
        operators: Option<&Map<String, Value>>,
    ) -> Answer<Made> {
        let strategy = Self::strategy(recommendation, index)?;
        let settings = &self.world.settings;
        let mut content = TicketContent {
            format: FORMAT.into(),
            recommendation_id: recommendation.id.clone(),
            revision: recommendation.revision,
            strategy: index,
            incident_id: recommendation.content.incident.id.clone(),
            action_type: strategy.action_type.clone(),
            // An applied object keeps its own words: they are compared with the ticket's before it runs.
            reason: match &recommendation.origin {
                Origin::Cluster { .. } => recommendation.content.analysis_summary.clone(),
                _ => recommendation.reason(),
            },
            cluster: recommendation.cluster.clone(),
            namespace: settings.namespace.clone(),
            adopts: match &recommendation.origin {
                Origin::Cluster { name, uid } => Some(Adopts { name: name.clone(), uid: uid.clone() }),
                _ => None,
            },
            plan: Plan::Steps { workflow_type: String::new(), steps: Vec::new() },
            service_account: STEPS_SERVICE_ACCOUNT.into(),
            kubeconfig_secret: None,
            timeout_ms: STEPS_TIMEOUT_MS,
            retry_count: 0,
            policy: PolicyTerms::default_for(strategy.risk()),
            expires_at: recommendation.expires_at,
            business_context: recommendation.content.incident.business_context.clone(),
        };
        match &strategy.proposal {
            Proposal::Steps { steps } => {
                if operators.is_some_and(|o| !o.is_empty()) {
                    let fault = Fault::new(
                        "/parameters",
                        "not_allowed",
                        "leave out parameters: a step list has none to change",
                    );
                    return Err(ServiceError::Invalid(vec![fault]));
                }
                content.plan = Plan::Steps { workflow_type: steps.workflow_type.clone(), steps: steps.steps.clone() };
                content.reason.clone_from(&steps.reason);
                if let Some(account) = &steps.service_account {
                    content.service_account = account.to_string();
                }
                if let Some(timeout) = steps.timeout {
                    content.timeout_ms = timeout.as_millis();
                }
                content.retry_count = steps.retries.unwrap_or_default();
                let images = self.signed(&content.plan.images()).await?;
                let ruling = Some(self.rule_on(&mut content, recommendation, strategy, None, &images).await?);
                Ok(Made { ticket: Ticket::new(content), record: None, images, ruling })
            }
            Proposal::Playbook { workflow_id, version, parameters: models, .. } => {
                let base = if operators.is_some() { String::new() } else { join_index("/strategies", index as usize) };
                let found = self.find_playbook(workflow_id, version.as_deref()).await?;
                let record = found.map_err(|fault| {
                    ServiceError::Invalid(vec![under(&join_index("/strategies", index as usize), fault)])
                })?;
                let given = operators.unwrap_or(models);
                let mut entries = merged(&record.registration, given, models, &format!("{base}/parameters"))?;
                if !recommendation.origin.models_values() {
                    let theirs = entries.iter_mut().filter(|entry| entry.source == EnvSource::Model);
                    theirs.for_each(|entry| entry.source = EnvSource::Proposal);
                }
                let registration = &record.registration;
                content.plan = Plan::Playbook {
                    workflow_id: registration.id.clone(),
                    version: registration.version.clone(),
                    image: record.image.clone(),
                    image_pull_policy: registration.image_pull_policy,
                    parameters: entries,
                    outputs: registration.outputs.clone(),
                };
                content.service_account = registration.execution.service_account.to_string();
                content.kubeconfig_secret.clone_from(&settings.kubeconfig_secret);
                content.timeout_ms = registration.execution.timeout.as_millis();
                content.retry_count = registration.execution.retry_count;
                let images = vec![signed_image(&record)];
                let registration = Some(&record.registration);
                let ruling = Some(self.rule_on(&mut content, recommendation, strategy, registration, &images).await?);
                Ok(Made { ticket: Ticket::new(content), record: Some(record), images, ruling })
            }
        }
    }

    /// The ticket of this digest as it would be made now: from its stored edits, or from the model's own values when it was
    /// never stored. Its digest differs from the one asked for when anything has moved.
    pub(super) async fn remake(
        &self,
        recommendation: &Recommendation,
        index: u32,
        digest: &Digest,
    ) -> Answer<(Option<Ticket>, Made)> {
        let stored = self.world.recommendations.ticket(digest).await.map_err(store_fault)?;
        let stored = stored.filter(|s| s.recommendation_id == recommendation.id);
        let stored = stored.as_ref().map(verified).transpose()?;
        // Another strategy's ticket says nothing about this one.
        let Some(ticket) = stored.filter(|ticket| ticket.content().strategy == index) else {
            return Ok((None, self.make_ticket(recommendation, index, None).await?));
        };
        let operators = match (&ticket.content().plan, &Self::strategy(recommendation, index)?.proposal) {
            (Plan::Playbook { parameters, .. }, Proposal::Playbook { workflow_id, version, .. }) => {
                match self.find_playbook(workflow_id, version.as_deref()).await? {
                    Ok(record) => Some(given_values(&record.registration, parameters)),
                    Err(fault) => return Err(ServiceError::Invalid(vec![fault])),
                }
            }
            _ => None,
        };
        let made = self.make_ticket(recommendation, index, operators.as_ref()).await?;
        Ok((Some(ticket), made))
    }

    /// A ticket as it is read.
    pub(super) fn ticket_view(&self, recommendation: Option<&Recommendation>, made: &Made) -> TicketView {
        let ticket = &made.ticket;
        let content = ticket.content();
        let mut warnings = Vec::new();
        let mut changes = Vec::new();
        if let (Plan::Playbook { parameters, .. }, Some(record), Some(strategy)) =
            (&content.plan, &made.record, recommendation.and_then(|r| Self::strategy(r, content.strategy).ok()))
            && let Proposal::Playbook { parameters: models, rollback_parameters, .. } = &strategy.proposal
        {
            let now = given_values(&record.registration, parameters);
            changes = diff::diff(&canonical::normal(&Value::Object(models.clone())), &Value::Object(now));
            // A model names what has to change back; the rest stays as it was for the way there.
            let undoing = |back| recovery::undoing(models, back);
            if rollback_parameters.as_ref().is_some_and(|back| !fits(record, &undoing(back))) {
                warnings.push(
                    "The model's rollback parameters do not fit this playbook; undoing will need a person.".into(),
                );
            }
        }
        warnings.extend(signature::warnings(&made.images, self.checks_signatures()));
        // What is known against undoing a run is known where that is decided.
        let undoes = |one: &&Recommendation| matches!(one.origin.of_run(), Some((Way::Rollback, _)));
        if let Some(recommendation) = recommendation.filter(undoes) {
            warnings.extend(recommendation.content.warnings.iter().cloned());
        }
        TicketView {
            digest: ticket.digest().clone(),
            content: content.clone(),
            canonical: ticket.canonical().to_owned(),
            name: ticket.name(),
            changes,
            warnings,
            pipeline_run: pipeline_run::build(ticket, None).pipeline_run,
            signature: Signature::worst(made.images.iter().map(|one| one.signature.state)),
            images: made.images.clone(),
            ruling: made.ruling.clone(),
            expires_at: content.expires_at,
        }
    }

    /// A stored ticket as it was approved, whatever has become of the catalog since.
    pub(super) async fn stored_ticket_view(&self, digest: &Digest) -> Answer<TicketView> {
        let stored = self.world.recommendations.ticket(digest).await.map_err(store_fault)?;
        let stored = stored.ok_or(ServiceError::NotFound("ticket"))?;
        let ticket = verified(&stored)?;
        let recommendation = self.world.recommendations.get(&stored.recommendation_id).await.map_err(store_fault)?;
        let record = match &ticket.content().plan {
            Plan::Playbook { workflow_id, version, .. } => {
                self.world.catalog.version(workflow_id, version).await.map_err(store_fault)?
            }
            Plan::Steps { .. } => None,
        };
        let images = self.signed(&ticket.content().plan.images()).await?;
        Ok(self.ticket_view(recommendation.as_ref(), &Made { ticket, record, images, ruling: None }))
    }

    /// The execution that the last approval claims: its subject, every task and an action record for each.
    pub(super) fn execution_of(&self, recommendation: &Recommendation, made: &Made) -> NewExecution {
        let ticket = &made.ticket;
        let content = ticket.content();
        let incident = &recommendation.content.incident;
        let id = ExecutionId::new(self.world.ids.fresh());
        let model = recommendation.content.model.as_ref();
        let confidence = Self::strategy(recommendation, content.strategy).ok().and_then(|s| s.confidence);
        let (workflow_id, version, title) = match (&content.plan, &made.record) {
            (Plan::Playbook { workflow_id, version, .. }, record) => (
                Some(workflow_id.to_string()),
                Some(version.to_string()),
                record.as_ref().map_or_else(|| workflow_id.to_string(), |r| r.registration.title.clone()),
            ),
            (Plan::Steps { .. }, _) => (None, None, content.reason.clone()),
        };
        let planned = planned_tasks(ticket);
        let named = planned.iter().find_map(|(task, ..)| target::named(&task.parameters));
        let scope = Scope::of_plan(incident.resource.as_ref(), &content.plan);
        let subject = ExecutionSubject {
            id: id.clone(),
            recommendation_id: recommendation.id.clone(),
            strategy: content.strategy,
            ticket_digest: ticket.digest().clone(),
            name: ticket.name(),
            cluster: content.cluster.clone(),
            sandbox: self.world.settings.sandbox,
            namespace: content.namespace.clone(),
            incident_id: incident.id.clone(),
            signal_type: incident.signal_type.clone(),
            severity: incident.severity,
            environment: incident.environment.clone(),
            resource: incident.resource.clone().or(named),
            acts_on: scope.target.acts_on().cloned(),
            workflow_id: workflow_id.clone(),
            version,
            action_type: content.action_type.clone(),
            model: model.and_then(|m| m.name.clone().or_else(|| m.provider.clone())),
            prompt_version: model.and_then(|m| m.prompt_version.clone()),
            confidence,
            title,
        };
        let actions = planned
            .iter()
            .map(|(task, action_type, image)| ActionRecord {
                id: ActionId::new(self.world.ids.fresh()),
                execution_id: id.clone(),
                task: task.name.clone(),
                workflow_id: workflow_id.clone(),
                action_type: action_type.clone(),
                image: image.clone(),
                inputs: Value::Object(task.parameters.clone()),
                outputs: None,
                status: TaskState::Pending,
                started_at: None,
                finished_at: None,
            })
            .collect();
        let tasks = planned.into_iter().map(|(task, ..)| task).collect();
        let terms = made.ruling.as_ref().map(|ruling| &ruling.terms);
        // What has not begun before a freeze does not begin in it.
        let freezes_at = terms.and_then(|terms| terms.freezes_at(self.world.clock.now()));
        let expires_at = freezes_at.map_or(content.expires_at, |at| at.min(content.expires_at));
        let guard = terms.map_or_else(Concurrency::default, |terms| terms.guard);
        let signed = terms.is_some_and(|terms| terms.signed);
        NewExecution { subject, expires_at, tasks, actions, objects: scope.spots(), guard, signed }
    }
}

/// Every task of a ticket before it has started, with its action type and image.
fn planned_tasks(ticket: &Ticket) -> Vec<(Task, String, String)> {
    let pending = |name: &str, run_after: &[String], parameters: Map<String, Value>| Task {
        name: name.to_owned(),
        state: TaskState::Pending,
        reason: None,
        message: None,
        run_after: run_after.to_vec(),
        finally: false,
        attempts: Vec::new(),
        queued_ms: None,
        pulling_ms: None,
        running_ms: None,
        started_at: None,
        finished_at: None,
        results: Map::new(),
        parameters,
        ticket: ticket.digest().clone(),
    };
    match &ticket.content().plan {
        Plan::Playbook { image, parameters, .. } => {
            let shown = parameters
                .iter()
                .map(|p| match &p.value {
                    EnvValue::Text(text) => (p.name.to_string(), json!(text)),
                    EnvValue::Secret { name, key } => (p.name.to_string(), json!(format!("secret {name}/{key}"))),
                })
                .collect();
            let task = pending(pipeline_run::PLAYBOOK_TASK, &[], shown);
            vec![(task, ticket.content().action_type.clone(), image.to_string())]
        }
        Plan::Steps { steps, .. } => steps
            .iter()
            .map(|s| (pending(&s.name, &s.run_after, s.inputs.clone()), s.action_type.clone(), s.image.to_string()))
            .collect(),
    }
}

/// Validates and merges; an entry is the operator's where it differs from what the model gave.
fn merged(
    registration: &Registration,
    given: &Map<String, Value>,
    models: &Map<String, Value>,
    base: &str,
) -> Answer<Vec<EnvEntry>> {
    let bound = values::validate(registration, given)
        .map_err(|faults| ServiceError::Invalid(faults.into_iter().map(|f| under(base, f)).collect()))?;
    let edited = bound
        .iter()
        .map(|b| &b.name)
        .filter(|name| !same(given.get(name.as_str()), models.get(name.as_str())))
        .cloned()
        .collect();
    values::merge(registration, &bound, &edited).map_err(|fault| ServiceError::Invalid(vec![under(base, fault)]))
}

/// Whether two values are one: `1.0` and `1` are written alike.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    one.map(canonical::to_string) == other.map(canonical::to_string)
}

/// The ticket that was stored, as long as it is what its digest says.
pub(super) fn verified(stored: &StoredTicket) -> Answer<Ticket> {
    Ticket::verify(&stored.canonical, &stored.digest).map_err(|e| ServiceError::Internal(e.to_string()))
}

/// The typed values that a ticket's entries came from: those proposed and the operator's. Defaults and hidden ones are
/// filled in anew each time.
pub(super) fn given_values(registration: &Registration, entries: &[EnvEntry]) -> Map<String, Value> {
    entries
        .iter()
        .filter(|e| matches!(e.source, EnvSource::Model | EnvSource::Proposal | EnvSource::Operator))
        .filter_map(|e| match &e.value {
            EnvValue::Text(text) => Some((e.name.to_string(), registration.typed(e.name.as_str(), text))),
            EnvValue::Secret { .. } => None,
        })
        .collect()
}
