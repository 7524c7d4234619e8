//! Whose turn it is, and what came of it. A console that takes one up says so at least every so often; of one that does not, the attempt is
//! over, and it is tried again within its attempts.

use super::{gone, read, tell as tell_followers};
use crate::{
    Store, signals,
    sql::{Row, Sql},
    write::{Lock, Write},
};
use domain::{
    ids::{InvestigationId, RecommendationId},
    investigation::{InvestigationState as State, MOST_STEPS, PROMPT_VERSION, Usage},
    ports::{BegunInvestigation, Claim, Ended, InvestigationLimits as Limits, NewStep, SILENT_MS, StoreError},
    time::Timestamp,
};

const HOUR_MS: i64 = 3_600_000;
/// What is said of an attempt whose console is gone.
const SILENT: &str = "the console that asked the agent ended before there was an answer";
/// What is said of one that is not needed any more.
const OVER: &str = "the agent was not asked: nothing fires any more, or somebody has recommended something meanwhile";

/// Takes up what is due.
pub(super) async fn begin(
    store: &Store,
    cluster: &str,
    by: &str,
    limits: Limits,
) -> Result<BegunInvestigation, StoreError> {
    // Looked for without a lock: mostly there is none.
    let sql = format!("SELECT id FROM investigations WHERE {} LIMIT 1", due(store.dialect().now()));
    if Sql::new("investigation", sql).bind(cluster).maybe(&mut *store.read().await?).await?.is_none() {
        return Ok(BegunInvestigation::Nothing);
    }
    let mut write = store.write().await?;
    write.lock(Lock::Investigations).await?;
    let now = write.now().await?;
    let (due, unanswered) = (due(store.dialect().clock()), signals::unanswered(store.dialect().clock()));
    let sql = format!(
        "SELECT id, incident_id, state, attempts, automatic, \
         CASE WHEN EXISTS (SELECT 1 FROM incidents i WHERE i.id = incident_id AND {unanswered}) THEN 1 ELSE 0 END AS wanted \
         FROM investigations WHERE {due} ORDER BY rank, asked_at, id LIMIT 1"
    );
    let Some(row) = Sql::new("investigation", sql).bind(cluster).maybe(write.on()).await? else {
        return Ok(BegunInvestigation::Nothing);
    };
    let next = Next::of(&row)?;
    if next.state == State::Running {
        // It is queued again, or ends: the next look takes it up.
        next.went_silent(&mut write, now, limits).await?;
        write.commit().await?;
        return Ok(BegunInvestigation::Settled);
    }
    if next.automatic && !next.wanted {
        next.close(&mut write, State::Failed, now, now, OVER).await?;
        write.commit().await?;
        return Ok(BegunInvestigation::Settled);
    }
    let many =
        "SELECT COUNT(*) AS many FROM investigations WHERE cluster = $1 AND state = 'running' AND silent_at > $2";
    let running = Sql::new("investigation", many).bind(cluster).bind(now).one(write.on()).await?;
    if running.int("many")? >= i64::from(limits.at_once) {
        return Ok(BegunInvestigation::Nothing);
    }
    let many = "SELECT COUNT(*) AS many FROM investigation_attempts WHERE cluster = $1 AND began_at > $2";
    let lately = Sql::new("attempt", many).bind(cluster).bind(now.plus_ms(-HOUR_MS)).one(write.on()).await?;
    if lately.int("many")? >= i64::from(limits.per_hour) {
        return Ok(BegunInvestigation::Bounded);
    }
    next.begin(write, cluster, by, now).await
}

/// What of a cluster (`$1`) is due; `now` is the expression of the database's clock.
fn due(now: &str) -> String {
    format!(
        "cluster = $1 AND state IN ('queued', 'running') \
         AND ((state = 'queued' AND due_at <= {now}) OR (state = 'running' AND silent_at <= {now}))"
    )
}

/// What is due next.
struct Next {
    id: String,
    incident: String,
    state: State,
    attempts: u32,
    automatic: bool,
    wanted: bool,
}

impl Next {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            incident: row.text("incident_id")?,
            state: row.word("state", State::from_name)?,
            attempts: row.count("attempts")?,
            automatic: row.flag("automatic")?,
            wanted: row.flag("wanted")?,
        })
    }

    /// Its console is gone.
    async fn went_silent(&self, write: &mut Write, now: Timestamp, limits: Limits) -> Result<(), StoreError> {
        let sql = "UPDATE investigation_attempts SET ended_at = $1, fault = $2 \
                   WHERE investigation_id = $3 AND ended_at IS NULL";
        Sql::new("attempt", sql).bind(now).bind(SILENT).bind(&self.id).run(write.on()).await?;
        let state = if self.attempts < limits.attempts { State::Queued } else { State::Failed };
        self.close(write, state, now, now, SILENT).await
    }

    async fn close(
        &self,
        write: &mut Write,
        state: State,
        due_at: Timestamp,
        now: Timestamp,
        fault: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE investigations SET state = $1, due_at = $2, ended_at = $3, fault = $4, claim = NULL, silent_at = 0 \
                   WHERE id = $5";
        Sql::new("investigation", sql)
            .bind(state.name())
            .bind(due_at)
            .bind(state.ended().then_some(now))
            .bind(fault)
            .bind(&self.id)
            .run(write.on())
            .await?;
        tell_followers(write, &self.incident, &self.id, state);
        Ok(())
    }

    async fn begin(
        &self,
        mut write: Write,
        cluster: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<BegunInvestigation, StoreError> {
        let attempt = self.attempts + 1;
        let sql = "UPDATE investigations SET state = 'running', attempts = $1, claim = $2, silent_at = $3, prompt_version = $4, \
                   fault = NULL WHERE id = $5";
        Sql::new("investigation", sql)
            .bind(attempt)
            .bind(by)
            .bind(now.plus_ms(SILENT_MS))
            .bind(PROMPT_VERSION)
            .bind(&self.id)
            .run(write.on())
            .await?;
        let mut sql = Sql::new(
            "attempt",
            "INSERT INTO investigation_attempts (investigation_id, number, cluster, began_at) VALUES ",
        );
        sql.tuple([self.id.as_str().into(), attempt.into(), cluster.into(), now.into()]);
        sql.run(write.on()).await?;
        tell_followers(&mut write, &self.incident, &self.id, State::Running);
        let id = InvestigationId::new(self.id.as_str());
        let begun = read(write.on(), &id).await?.ok_or_else(|| gone(&id))?;
        write.commit().await?;
        Ok(BegunInvestigation::Attempt(Box::new(begun), Claim { id, attempt, by: by.to_owned() }))
    }
}

/// Keeps what is told of an attempt.
pub(super) async fn tell(
    store: &Store,
    claim: &Claim,
    steps: Vec<NewStep>,
    usage: Usage,
    root_cause: Option<String>,
    model: Option<String>,
) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    let now = write.now().await?;
    let sql = "UPDATE investigations SET silent_at = $1, root_cause = COALESCE($2, root_cause), model = COALESCE($3, model) \
               WHERE id = $4 AND claim = $5 AND state = 'running' RETURNING incident_id";
    let row = Sql::new("investigation", sql)
        .bind(now.plus_ms(SILENT_MS))
        .bind(root_cause)
        .bind(model)
        .bind(claim.id.as_str())
        .bind(&claim.by)
        .maybe(write.on())
        .await?;
    let Some(row) = row else { return Ok(false) };
    used(&mut write, claim, usage).await?;
    if !steps.is_empty() {
        keep(&mut write, claim, &steps, now).await?;
        tell_followers(&mut write, &row.text("incident_id")?, claim.id.as_str(), State::Running);
    }
    write.commit().await?;
    Ok(true)
}

async fn used(write: &mut Write, claim: &Claim, usage: Usage) -> Result<(), StoreError> {
    let sql = "UPDATE investigation_attempts SET prompt_tokens = $1, completion_tokens = $2, cost_microusd = $3 \
               WHERE investigation_id = $4 AND number = $5";
    Sql::new("attempt", sql)
        .bind(usage.prompt_tokens)
        .bind(usage.completion_tokens)
        .bind(usage.cost_microusd)
        .bind(claim.id.as_str())
        .bind(claim.attempt)
        .run(write.on())
        .await?;
    Ok(())
}

/// As many of these steps as an attempt may have.
async fn keep(write: &mut Write, claim: &Claim, steps: &[NewStep], now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT COUNT(*) AS steps, COUNT(CASE WHEN attempt = $1 THEN 1 END) AS own FROM investigation_steps \
               WHERE investigation_id = $2";
    let row = Sql::new("step", sql).bind(claim.attempt).bind(claim.id.as_str()).one(write.on()).await?;
    let left = i64::from(MOST_STEPS) - row.int("own")?;
    let mut number = row.int("steps")?;
    for step in steps.iter().take(usize::try_from(left).unwrap_or(0)) {
        number += 1;
        let mut sql = Sql::new(
            "step",
            "INSERT INTO investigation_steps (investigation_id, number, attempt, told_at, kind, text) VALUES ",
        );
        sql.tuple([
            claim.id.as_str().into(),
            number.into(),
            claim.attempt.into(),
            now.into(),
            step.kind.name().into(),
            step.text.as_str().into(),
        ]);
        sql.run(write.on()).await?;
    }
    Ok(())
}

/// Ends an attempt.
pub(super) async fn end(store: &Store, claim: &Claim, usage: Usage, ended: Ended) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    let now = write.now().await?;
    let (state, due_at, recommendation, fault) = match ended {
        Ended::Answered { recommendation, fault } => (State::Answered, now, recommendation, fault),
        Ended::Again { in_ms, fault } => (State::Queued, now.plus_ms(in_ms), None, Some(fault)),
        Ended::Failed { fault } => (State::Failed, now, None, Some(fault)),
    };
    let sql = "UPDATE investigations SET state = $1, due_at = $2, ended_at = $3, recommendation = $4, fault = $5, claim = NULL, \
               silent_at = 0 WHERE id = $6 AND claim = $7 AND state = 'running' RETURNING incident_id";
    let row = Sql::new("investigation", sql)
        .bind(state.name())
        .bind(due_at)
        .bind(state.ended().then_some(now))
        .bind(recommendation.as_ref().map(RecommendationId::as_str))
        .bind(fault.as_deref())
        .bind(claim.id.as_str())
        .bind(&claim.by)
        .maybe(write.on())
        .await?;
    let Some(row) = row else { return Ok(false) };
    used(&mut write, claim, usage).await?;
    let sql = "UPDATE investigation_attempts SET ended_at = $1, fault = $2 WHERE investigation_id = $3 AND number = $4";
    Sql::new("attempt", sql)
        .bind(now)
        .bind(fault.as_deref())
        .bind(claim.id.as_str())
        .bind(claim.attempt)
        .run(write.on())
        .await?;
    tell_followers(&mut write, &row.text("incident_id")?, claim.id.as_str(), state);
    write.commit().await?;
    Ok(true)
}
