//! Undoing a run and repeating it: each makes a recommendation of its own, which is decided as any other. Nothing here starts
//! anything. What may be made of which run is `domain::recovery`'s to say.

use super::{Services, reason, store_fault, tickets};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    execution::{Assessment, Execution, ExecutionState},
    fault::Fault,
    identity::{Caller, Right},
    ids::{ExecutionId, RecommendationId},
    playbook::{Registration, values},
    ports::{Begun, Captured, Look, PlaybookRecord},
    recommendation::{Content, Origin, Proposal, Recommendation, Strategy},
    recovery::{self, Made, Way},
    services::{Aftermath, Answer, OfRun, RecoveryService, ServiceError},
    ticket::{Plan, Ticket},
    workflow::StepPlan,
};
use serde_json::{Map, Value, json};

/// Warnings that a recommendation carries at most.
const MOST_WARNINGS: usize = 32;

#[async_trait]
impl RecoveryService for Services {
    async fn rollback(&self, caller: &Caller, id: &ExecutionId, reason: Option<String>) -> Answer<Recommendation> {
        caller.require(Right::RunsControl)?;
        let run = self.execution(id).await?;
        let said = reason::checked(reason)?;
        let asked = format!("{} asked to undo it.", caller.actor.name);
        let content = self.undoing(&run, &self.ground(&run).await?, &asked).await?;
        self.of_run(caller, Way::Rollback, &run, content, said).await
    }

    async fn retry(&self, caller: &Caller, id: &ExecutionId, reason: Option<String>) -> Answer<Recommendation> {
        caller.require(Right::RunsControl)?;
        let run = self.execution(id).await?;
        let said = reason::checked(reason)?;
        let asked = format!("{} asked to repeat it.", caller.actor.name);
        let content = self.repeating(&run, &self.ground(&run).await?, &asked).await?;
        self.of_run(caller, Way::Retry, &run, content, said).await
    }

    async fn aftermath(&self, caller: &Caller, id: &ExecutionId) -> Answer<Aftermath> {
        caller.require(Right::RunsRead)?;
        let run = self.execution(id).await?;
        let recommendation = self.recommended(&run).await?;
        let of = match recommendation.as_ref().map(|one| &one.origin) {
            Some(Origin::Run { way, execution, automatic }) => {
                let before = self.world.executions.these(std::slice::from_ref(execution)).await.map_err(store_fault)?;
                let name = before.into_iter().next().map(|run| run.subject.name);
                Some(OfRun { way: *way, automatic: *automatic, execution_id: execution.clone(), name })
            }
            _ => None,
        };
        if !run.state.ended() {
            return Ok(Aftermath { of, ..Aftermath::default() });
        }
        let ground = match self.ground_of(&run, recommendation).await {
            Ok(ground) => Ok(ground),
            Err(error) => Err(told(error)?),
        };
        let made = self.world.recoveries.made_of(id).await.map_err(store_fault)?;
        let look = self.world.recoveries.look_at(id).await.map_err(store_fault)?;
        let undoing = match (recovery::in_the_way(Way::Rollback, &made), &ground) {
            (Some(other), _) => Err(told(blocked(other))?),
            (None, Ok(ground)) => worded(self.undoing(&run, ground, "").await)?,
            (None, Err(words)) => Err(words.clone()),
        };
        let (undo, no_rollback) = match undoing {
            Ok(content) => (content.strategies.into_iter().next().map(|strategy| strategy.rationale), None),
            Err(words) => (None, Some(words)),
        };
        let repeating = match (recovery::in_the_way(Way::Retry, &made), &ground) {
            (Some(other), _) => Err(told(blocked(other))?),
            (None, Ok(ground)) => worded(self.repeating(&run, ground, "").await)?,
            (None, Err(words)) => Err(words.clone()),
        };
        let no_retry = repeating.err();
        Ok(Aftermath {
            of,
            made,
            by_itself: look.map(|look| look.said).filter(|said| !said.is_empty()),
            undo,
            no_rollback,
            no_retry,
        })
    }

    async fn made_of(&self, caller: &Caller, id: &ExecutionId) -> Answer<Vec<Made>> {
        caller.require(Right::RunsRead)?;
        self.world.recoveries.made_of(id).await.map_err(store_fault)
    }
}

/// What a run came of: the recommendation, and the ticket that it ran under.
type Ground = (Recommendation, Ticket);

impl Services {
    /// Stores what is made of a run, unless something stands in the way.
    async fn of_run(
        &self,
        caller: &Caller,
        way: Way,
        run: &Execution,
        content: Content,
        said: Option<String>,
    ) -> Answer<Recommendation> {
        let origin = Origin::Run { way, execution: run.subject.id.clone(), automatic: false };
        match self.begin(caller, origin, content, said, |_| None).await? {
            Begun::Made(made) => Ok(*made),
            Begun::InTheWay(other) => Err(blocked(&other)),
            Begun::Looked => Err(ServiceError::Internal("nobody looked at this run".into())),
        }
    }

    /// The same for anybody, with the console's own look at the run where it is the console.
    pub(super) async fn begin(
        &self,
        caller: &Caller,
        origin: Origin,
        content: Content,
        said: Option<String>,
        look: impl FnOnce(&RecommendationId) -> Option<Look> + Send,
    ) -> Answer<Begun> {
        let (way, run) = match origin.of_run() {
            Some((way, run)) => (way, run.clone()),
            None => return Err(ServiceError::Internal("it is made of no run".into())),
        };
        let new = self.coming(caller, origin, content).await?;
        let mut audit =
            AuditEntry::by(caller, &format!("recommendation.{}", way.name()), "recommendation", new.id.as_str());
        audit.after = Some(json!({ "incident": new.content.incident.id, "execution": run }));
        audit.reason = said;
        let look = look(&new.id);
        self.world.recoveries.begin(new, look, audit).await.map_err(store_fault)
    }

    /// The recommendation that a run came of, and the ticket that it ran under.
    pub(super) async fn ground(&self, run: &Execution) -> Answer<Ground> {
        self.ground_of(run, self.recommended(run).await?).await
    }

    /// The recommendation that a run came of, where it is kept.
    async fn recommended(&self, run: &Execution) -> Answer<Option<Recommendation>> {
        self.world.recommendations.get(&run.subject.recommendation_id).await.map_err(store_fault)
    }

    async fn ground_of(&self, run: &Execution, recommendation: Option<Recommendation>) -> Answer<Ground> {
        let stored = self.world.recommendations.ticket(&run.subject.ticket_digest).await.map_err(store_fault)?;
        match (recommendation, stored) {
            (Some(recommendation), Some(stored)) => Ok((recommendation, tickets::verified(&stored)?)),
            _ => Err(conflict(
                "not_kept",
                "the ticket of this run is not kept here, so nobody knows what it ran with; propose what is to run by hand",
            )),
        }
    }

    /// What undoes a run: its own playbook with the model's rollback parameters, else with what was captured before it.
    pub(super) async fn undoing(&self, run: &Execution, ground: &Ground, asked: &str) -> Answer<Content> {
        ended(run)?;
        if run.started_at.is_none() {
            return Err(conflict("nothing_ran", "this run never started: there is nothing to undo"));
        }
        let (recommendation, ticket) = ground;
        let Plan::Playbook { workflow_id, version, parameters, .. } = &ticket.content().plan else {
            let detail = "this run was a list of steps, and nobody said how to undo it; propose the steps that undo it";
            return Err(conflict("no_rollback", detail));
        };
        let record = self.playbook_that_ran(workflow_id.as_str(), &version.to_string(), "no_rollback").await?;
        let ran_with = tickets::given_values(&record.registration, parameters);
        let strategy = Self::strategy(recommendation, ticket.content().strategy)?;
        let captured = self.world.recoveries.captured(&run.subject.id).await.map_err(store_fault)?;
        let (values, how) = values_back(&record.registration, &ran_with, strategy, captured.as_ref())?;
        let summary = format!("Roll back {}: {}", run.subject.title, run.subject.name);
        let strategy = Strategy {
            action_type: strategy.action_type.clone(),
            confidence: None,
            rationale: how,
            estimated_risk: strategy.risk_with(record.registration.risk),
            declared_risk: record.registration.risk,
            proposal: Proposal::Playbook {
                workflow_id: workflow_id.to_string(),
                version: Some(version.to_string()),
                parameters: values,
                rollback_parameters: None,
            },
            errors: Vec::new(),
            rollback_errors: Vec::new(),
        };
        let mut content = after(recommendation.content.clone(), run, summary, asked, vec![strategy]);
        content.model = None;
        // What the model warns of is about the way there.
        content.warnings.clear();
        if let Some(newer) = self.newer_run(run).await? {
            content.warnings.push(format!(
                "A newer run, {newer}, has acted on the same object since. Undoing this one may undo what that one did."
            ));
        }
        Ok(content)
    }

    /// What repeats a run: its playbook whole, or of a list of steps what is left of it.
    async fn repeating(&self, run: &Execution, ground: &Ground, asked: &str) -> Answer<Content> {
        ended(run)?;
        if run.state == ExecutionState::Succeeded {
            return Err(conflict("succeeded", "this run succeeded: there is nothing to repeat"));
        }
        let (recommendation, ticket) = ground;
        let content = ticket.content();
        let strategy = Self::strategy(recommendation, content.strategy)?;
        let (proposal, rationale) = match (&content.plan, &strategy.proposal) {
            (
                Plan::Playbook { workflow_id, version, parameters, .. },
                Proposal::Playbook { rollback_parameters, .. },
            ) => {
                let record = self.playbook_that_ran(workflow_id.as_str(), &version.to_string(), "no_retry").await?;
                if run.started_at.is_some() && !record.registration.execution.idempotent {
                    let detail = format!(
                        "{workflow_id} {version} had begun and does not say execution.idempotent: true, so nobody knows what \
                         doing it twice does; roll it back, or propose what is to run by hand"
                    );
                    return Err(conflict("not_idempotent", detail));
                }
                let proposal = Proposal::Playbook {
                    workflow_id: workflow_id.to_string(),
                    version: Some(version.to_string()),
                    parameters: tickets::given_values(&record.registration, parameters),
                    rollback_parameters: rollback_parameters.clone(),
                };
                (proposal, "The same once more: its playbook is registered as safe to repeat.".to_owned())
            }
            (Plan::Steps { steps, .. }, Proposal::Steps { steps: plan }) => {
                let left = recovery::remaining(steps, &run.tasks)
                    .map_err(|why| conflict("not_idempotent", why.to_string()))?;
                let rationale = format!("{} of {} steps are left; the others succeeded.", left.len(), steps.len());
                (Proposal::Steps { steps: StepPlan { steps: left, ..plan.clone() } }, rationale)
            }
            _ => return Err(ServiceError::Internal("the ticket is of another kind than its strategy".into())),
        };
        let strategy = Strategy { confidence: None, rationale, proposal, errors: Vec::new(), ..strategy.clone() };
        let summary = format!("Repeat {}: {}", run.subject.title, run.subject.name);
        let mut content = after(recommendation.content.clone(), run, summary, asked, vec![strategy]);
        content.model = None;
        Ok(content)
    }

    /// What was recommended after the strategy that a run tried, as the model said it.
    pub(super) async fn trying_next(&self, run: &Execution, asked: &str) -> Answer<Content> {
        let (recommendation, ticket) = self.ground(run).await?;
        let tried = usize::try_from(ticket.content().strategy).unwrap_or(usize::MAX);
        // What could not run when it came is not tried: what was wrong with it then is not all told by the catalog now.
        let later = recommendation.content.strategies.iter().skip(tried.saturating_add(1));
        let mut left: Vec<Strategy> = later.filter(|strategy| strategy.runnable()).cloned().collect();
        for strategy in &mut left {
            strategy.rollback_errors.clear();
            self.check_strategy(strategy, None).await?;
        }
        left.retain(Strategy::runnable);
        if left.is_empty() {
            return Err(conflict("no_strategy", "no other strategy was recommended that can run; people must look"));
        }
        let summary = recommendation.content.analysis_summary.clone();
        Ok(after(recommendation.content, run, summary, asked, left))
    }

    /// The very version that ran, if it may run still.
    async fn playbook_that_ran(&self, id: &str, version: &str, code: &'static str) -> Answer<PlaybookRecord> {
        let found = self.find_playbook(id, Some(version)).await?;
        found.map_err(|fault| conflict(code, format!("what ran can't run any more: {}", fault.message)))
    }

    /// The name of a run that began on the same object after this one had, and was not made of it.
    async fn newer_run(&self, run: &Execution) -> Answer<Option<String>> {
        let Some(target) = run.subject.target() else { return Ok(None) };
        let objects = [(run.subject.cluster.as_str(), target)];
        let newest = self.world.executions.newest_on(&objects, run.created_at).await.map_err(store_fault)?;
        let other = newest.into_iter().find(|other| other.subject.id != run.subject.id && other.started_at.is_some());
        Ok(other.map(|other| other.subject.name))
    }
}

/// The values that undo a run and where they are from, the model's before what was captured.
fn values_back(
    registration: &Registration,
    ran_with: &Map<String, Value>,
    strategy: &Strategy,
    captured: Option<&Captured>,
) -> Answer<(Map<String, Value>, String)> {
    let models = match &strategy.proposal {
        Proposal::Playbook { rollback_parameters, .. } => rollback_parameters.as_ref().filter(|back| !back.is_empty()),
        Proposal::Steps { .. } => None,
    };
    let kept = captured.map(|captured| &captured.values).filter(|values| !values.is_empty());
    let mut wrong = Vec::new();
    for (back, whose) in
        [(models, "as the model said when it recommended the run"), (kept, "as it was captured before the run")]
    {
        let Some(back) = back else { continue };
        let whole = recovery::undoing(ran_with, back);
        match values::validate(registration, &whole) {
            Ok(_) => {
                let values = back.iter().map(|(name, value)| format!("{name}={}", plain(value)));
                let how = format!("Sets back {}, {whose}.", values.collect::<Vec<_>>().join(", "));
                return Ok((whole, how));
            }
            Err(faults) => wrong.extend(faults.into_iter().map(|fault: Fault| fault.message)),
        }
    }
    let why = match captured.and_then(|captured| captured.trouble.clone()) {
        _ if !wrong.is_empty() => {
            format!("the values that would undo it do not fit its playbook: {}", wrong.join("; "))
        }
        Some(trouble) => format!("what it acts on could not be captured before it: {trouble}"),
        None => "the model named no rollback parameters, and its playbook captures nothing before a run".to_owned(),
    };
    Err(conflict(
        "no_rollback",
        format!("nothing is known to undo this run with: {why}; propose what undoes it by hand"),
    ))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The content of a recommendation that is made of a run: what the run's own said of the incident, and why there is another one.
fn after(of: Content, run: &Execution, summary: String, asked: &str, strategies: Vec<Strategy>) -> Content {
    let how = match run.state {
        ExecutionState::Succeeded if run.assessment == Assessment::Ineffective => {
            "went through and did not help".to_owned()
        }
        state => state.name().replace('_', " "),
    };
    let mut warnings = of.warnings;
    warnings.truncate(MOST_WARNINGS - 1);
    Content {
        analysis_summary: summary,
        root_cause_assessment: format!("The run {} ended: {how}. {asked}", run.subject.name).trim_end().to_owned(),
        strategies,
        warnings,
        additional_findings: Vec::new(),
        seen: Vec::new(),
        ..of
    }
}

fn ended(run: &Execution) -> Answer<()> {
    if run.state.ended() {
        return Ok(());
    }
    Err(conflict("not_ended", "this run still goes on; cancel it, or wait for its end"))
}

pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> ServiceError {
    ServiceError::Conflict { code, detail: detail.into(), differences: Vec::new() }
}

/// Why nothing else is made of the run now.
pub(super) fn blocked(other: &Made) -> ServiceError {
    let what = other.way.words().to_lowercase();
    let id = &other.recommendation_id;
    if other.way == Way::Rollback && other.succeeded() {
        return conflict("undone", format!("this run has been undone: recommendation {id}"));
    }
    if other.run.is_some() {
        return conflict("recovering", format!("a {what} of this run goes on: wait for its end (recommendation {id})"));
    }
    conflict("recovering", format!("a {what} of this run waits for its decision: decide on recommendation {id} first"))
}

/// A conflict in words; anything else is a fault of the asking itself.
pub(super) fn told(error: ServiceError) -> Answer<String> {
    match error {
        ServiceError::Conflict { detail, .. } => Ok(detail),
        other => Err(other),
    }
}

/// What can be made, or in words why it can't.
fn worded(made: Answer<Content>) -> Answer<Result<Content, String>> {
    match made {
        Ok(content) => Ok(Ok(content)),
        Err(error) => Ok(Err(told(error)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> Registration {
        Registration::parse(&json!({
            "workflow_id": "scale", "version": "1.0.0", "title": "Scale", "description": "Scales.",
            "container_image": "quay.io/kubernaut/scale:v1",
            "parameters": [
                { "name": "NAME", "type": "string", "required": true },
                { "name": "REPLICAS", "type": "integer", "required": true, "minimum": 1, "maximum": 10 },
            ],
        }))
        .unwrap()
    }

    fn strategy(back: Option<Value>) -> Strategy {
        let mut body = json!({
            "action_type": "scale", "confidence": 0.5, "rationale": "r", "estimated_risk": "low",
            "workflow_id": "scale", "version": "1.0.0", "parameters": {},
        });
        body["rollback_parameters"] = back.unwrap_or(Value::Null);
        serde_json::from_value(body).unwrap()
    }

    fn back(models: Option<Value>, captured: Option<&Captured>) -> Result<Value, String> {
        let ran = json!({ "NAME": "app", "REPLICAS": 1 });
        let found = values_back(&registration(), ran.as_object().unwrap(), &strategy(models), captured);
        found.map(|(values, how)| json!([values, how])).map_err(|error| error.to_string())
    }

    #[test]
    fn the_models_values_come_first_and_what_was_captured_stands_in_for_them() {
        let captured = Captured { values: Map::from_iter([("REPLICAS".to_owned(), json!(3))]), trouble: None };
        let models = back(Some(json!({ "REPLICAS": 4 })), Some(&captured)).unwrap();
        assert_eq!(models[0], json!({ "NAME": "app", "REPLICAS": 4 }));
        assert!(models[1].as_str().unwrap().contains("the model said"), "{models}");
        let kept = json!({ "NAME": "app", "REPLICAS": 3 });
        for models in [None, Some(json!({})), Some(json!({ "REPLICAS": 99 })), Some(json!({ "OTHER": 1 }))] {
            let found = back(models, Some(&captured)).unwrap();
            assert_eq!(found[0], kept);
            assert!(found[1].as_str().unwrap().contains("captured"), "{found}");
        }
    }

    #[test]
    fn without_values_it_says_why_and_what_to_do() {
        let trouble = Captured { trouble: Some("it is not there".into()), ..Captured::default() };
        for (models, captured, words) in [
            (None, None, "captures nothing"),
            (Some(json!({ "REPLICAS": 99 })), None, "do not fit"),
            (None, Some(trouble), "it is not there"),
        ] {
            let why = back(models, captured.as_ref()).unwrap_err();
            assert!(why.contains(words) && why.contains("by hand"), "{why}");
        }
    }
}
