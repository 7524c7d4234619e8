//! What the console makes of runs by itself, because the policy in force says so. It looks at each run that failed or did not help
//! once, and writes its look down together with what it makes: after a crash nothing is made twice, and no line of runs goes on
//! without people (`domain::recovery::by_itself`). What it makes is a recommendation as any other: the policy decides it, or people.

use super::{
    Services,
    recovery::{blocked, told},
    store_fault,
};
use domain::{
    execution::{Assessment, Execution, ExecutionState},
    identity::{Actor, Caller, Right, Role, Way as CameBy},
    ids::{ExecutionId, RecommendationId},
    policy::Policy,
    ports::{Begun, Look, PolicyRecord},
    recommendation::{Origin, Proposal, Recommendation},
    recovery::{self, Recovery, Way},
    services::{Answer, ServiceError},
};
use std::time::Duration;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3);
/// What ended longer ago is left to people, milliseconds.
const OLDEST_MS: i64 = 24 * 60 * 60 * 1000;
/// Runs looked at in one go.
const AT_ONCE: u32 = 20;
/// What the audit trail calls it.
const ROUTE: &str = "automatic recovery";

impl Services {
    /// Looks again and again, for ever.
    pub async fn keep_recovering(self) {
        loop {
            if let Err(error) = self.recover().await {
                tracing::warn!(%error, "runs that went wrong could not be looked at; it is tried again");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Looks at what has ended since the policy in force was put there, if that asks for anything; of several consoles the one that
    /// acts does.
    pub async fn recover(&self) -> Answer<()> {
        let record = self.in_force().await?;
        if asks_for_nothing(&record.policy) || self.acts_elsewhere() {
            return Ok(());
        }
        let now = self.world.clock.now();
        let since = now.plus_ms(-OLDEST_MS).max(record.activated_at.unwrap_or(now));
        let cluster = &self.world.settings.cluster;
        let due = self.world.recoveries.to_look_at(cluster, since, AT_ONCE).await.map_err(store_fault)?;
        for id in due {
            if let Err(error) = self.recover_from(&record, &id).await {
                tracing::warn!(%error, execution = %id, "this run could not be looked at; it is tried again");
            }
        }
        Ok(())
    }

    pub(super) fn acts_elsewhere(&self) -> bool {
        self.world.cluster.get().is_some_and(|cluster| cluster.health().acting.is_some())
    }

    async fn recover_from(&self, record: &PolicyRecord, id: &ExecutionId) -> Answer<()> {
        let run = self.execution(id).await?;
        let came = self.world.recommendations.get(&run.subject.recommendation_id).await.map_err(store_fault)?;
        let of = match came.map(|one| one.origin) {
            Some(Origin::Run { way, execution, automatic }) => Some((way, execution, automatic)),
            _ => None,
        };
        // What was made by itself is of the line's first run.
        let root = of.as_ref().filter(|(.., automatic)| *automatic).map_or(id, |(_, execution, _)| execution).clone();
        let leave = |said: String| Look { execution: id.clone(), root: root.clone(), made: None, said };
        let first = if root == *id { run.clone() } else { self.execution(&root).await? };
        let allowed = match self.allowed(record, &first).await {
            Err(ServiceError::Conflict { .. }) => Recovery::None,
            other => other?,
        };
        let Some(way) = recovery::by_itself(allowed, &run, of.map(|(way, _, automatic)| (way, automatic))) else {
            return self.left(leave(String::new())).await;
        };
        if root == *id && self.only_people_say_so(&run).await? {
            let said = "A person said that it did not help, so people go on from here: roll it back, or propose what comes next.";
            return self.left(leave(said.to_owned())).await;
        }
        let policy = format!("policy {} v{}", record.policy.name, record.version);
        let asked = format!("The {policy} asks for this.");
        let what = way.words().to_lowercase();
        let content = match way {
            Way::NextStrategy => self.trying_next(&first, &asked).await,
            Way::Rollback | Way::Retry => match self.ground(&run).await {
                Ok(ground) => self.undoing(&run, &ground, &asked).await,
                Err(error) => Err(error),
            },
        };
        let content = match content {
            Err(conflict @ ServiceError::Conflict { .. }) => {
                let why = told(conflict)?;
                return self.left(leave(format!("The {policy} asks for its {what}, which can't be made: {why}"))).await;
            }
            other => other?,
        };
        let by_machine = self.began_by_machine(&first).await?;
        let caller = as_console();
        let origin = Origin::Run { way, execution: root.clone(), automatic: true };
        let look = |made: &RecommendationId| {
            let said = format!("The {policy} asks for its {what}: it was proposed by itself.");
            Some(Look { made: Some((way, made.clone())), ..leave(said) })
        };
        match self.begin(&caller, origin, content, None, look).await? {
            Begun::Made(made) => {
                if by_machine {
                    self.let_policy_decide(&caller, *made).await;
                }
                Ok(())
            }
            Begun::InTheWay(other) => {
                let why = told(blocked(&other))?;
                self.left(leave(format!("The {policy} asks for its {what}, which was not made: {why}"))).await
            }
            Begun::Looked => Ok(()),
        }
    }

    /// What the policy in force lets happen after a run, by the strategy and the ticket that it came of.
    async fn allowed(&self, record: &PolicyRecord, run: &Execution) -> Answer<Recovery> {
        let (recommendation, ticket) = self.ground(run).await?;
        let strategy = Self::strategy(&recommendation, ticket.content().strategy)?;
        let registration = match &strategy.proposal {
            Proposal::Playbook { workflow_id, version, .. } => {
                let found = self.find_playbook(workflow_id, version.as_deref()).await?;
                found.ok().map(|record| record.registration)
            }
            Proposal::Steps { .. } => None,
        };
        let plan = &ticket.content().plan;
        let images = self.signed(&plan.images()).await?;
        let ruling = self.ruling(record, &recommendation, strategy, Some(plan), registration.as_ref(), &images).await?;
        Ok(ruling.recovery)
    }

    /// Whether that it did not help is a person's word alone. Whoever asks for a rollback is not who lets it run; a verdict of theirs
    /// must not do more.
    async fn only_people_say_so(&self, run: &Execution) -> Answer<bool> {
        if run.state != ExecutionState::Succeeded {
            return Ok(false);
        }
        let record = self.world.assessments.assessment(&run.subject.id).await.map_err(store_fault)?;
        Ok(record.is_some_and(|record| record.overruled.is_some() && record.found != Assessment::Ineffective))
    }

    /// Whether a line of runs began with a model's answer that no person handed in, nor anybody who may decide: what a policy lets a
    /// machine do nobody gets by handing in something that fails.
    async fn began_by_machine(&self, first: &Execution) -> Answer<bool> {
        let came = self.world.recommendations.get(&first.subject.recommendation_id).await.map_err(store_fault)?;
        let Some(Recommendation { origin: Origin::Model, proposer, .. }) = came else { return Ok(false) };
        let id = proposer.id.as_str();
        if proposer.owner.is_some() || id.starts_with("user:") {
            return Ok(false);
        }
        if !id.starts_with("token:") {
            return Ok(true);
        }
        let tokens = self.world.people.tokens().await.map_err(store_fault)?;
        let decides = |roles: &[Role]| roles.iter().any(|role| role.grants(Right::Decide));
        Ok(tokens.iter().any(|token| token.id == id && !decides(&token.roles)))
    }

    async fn left(&self, look: Look) -> Answer<()> {
        self.world.recoveries.leave(look).await.map(|_| ()).map_err(store_fault)
    }
}

fn asks_for_nothing(policy: &Policy) -> bool {
    policy.rules.iter().all(|rule| rule.recovery.is_none())
}

/// The console as whoever hands it in: it may decide nothing.
fn as_console() -> Caller {
    Caller {
        actor: Actor::system("recovery"),
        roles: Vec::new(),
        request_id: ROUTE.into(),
        route: ROUTE.into(),
        way: CameBy::default(),
        session: None,
    }
}
