//! Investigations: asking for one and reading them here, whose turn it is and what came of it in [`turn`].

mod turn;

use crate::{
    Store, signals,
    sql::{Row, Sql, json},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    event::Topic,
    ids::{IncidentId, InvestigationId, RecommendationId},
    incident::IncidentState,
    investigation::{Attempt, Investigation, InvestigationState as State, PROMPT_VERSION, Step, StepKind, Usage},
    ports::{
        Asked, BegunInvestigation, Claim, Ended, InvestigationCounts, InvestigationLimits, InvestigationStore,
        NewInvestigation, NewStep, StoreError,
    },
    recommendation::Severity,
    time::Timestamp,
};
use serde_json::json as object;
use sqlx::AnyConnection;

/// What [`investigation`] reads.
const COLUMNS: &str = "id, incident_id, state, asked_by, automatic, asked_at, due_at, ended_at, model, prompt_version, root_cause, \
                       recommendation, fault";

#[async_trait]
impl InvestigationStore for Store {
    async fn ask(&self, new: NewInvestigation, mut audit: AuditEntry) -> Result<Asked, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Investigations).await?;
        let wanted = wanted(self.dialect().now());
        let sql = format!(
            "SELECT i.cluster, i.state, i.severity, CASE WHEN {wanted} THEN 1 ELSE 0 END AS wanted FROM incidents i WHERE i.id = $1"
        );
        let Some(incident) = Sql::new("incident", sql).bind(new.incident.as_str()).maybe(write.on()).await? else {
            return Ok(Asked::Missing);
        };
        let sql =
            format!("SELECT {COLUMNS} FROM investigations WHERE incident_id = $1 AND state IN ('queued', 'running')");
        if let Some(row) = Sql::new("investigation", sql).bind(new.incident.as_str()).maybe(write.on()).await? {
            let known = with_attempts(vec![investigation(&row)?], write.on()).await?.pop();
            return known.map(|known| Asked::Known(Box::new(known))).ok_or_else(|| gone(&new.id));
        }
        let fires = incident.word("state", IncidentState::from_name)? == IncidentState::Firing;
        if !fires || (new.automatic && !incident.flag("wanted")?) {
            return Ok(Asked::NotWanted);
        }
        let severity = incident.word("severity", Severity::from_name)?;
        let now = write.now().await?;
        insert(&mut write, &new, &incident.text("cluster")?, severity, now).await?;
        audit.after = Some(object!({ "incident": new.incident, "automatic": new.automatic }));
        write.audit(audit);
        tell(&mut write, new.incident.as_str(), new.id.as_str(), State::Queued);
        let asked = read(write.on(), &new.id).await?.ok_or_else(|| gone(&new.id))?;
        write.commit().await?;
        Ok(Asked::New(Box::new(asked)))
    }

    async fn uninvestigated(
        &self,
        cluster: &str,
        severities: &[Severity],
        limit: u32,
    ) -> Result<Vec<IncidentId>, StoreError> {
        if severities.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = wanted(self.dialect().now());
        let mut sql = Sql::new("incident", format!("SELECT i.id FROM incidents i WHERE {wanted} AND i.cluster = "));
        sql.value(cluster).push(" AND i.severity IN ").list(severities.iter().map(|severity| severity.name()));
        sql.push(" ORDER BY i.opened_at, i.id LIMIT ").value(limit);
        let rows = sql.all(&mut *self.read().await?).await?;
        rows.iter().map(|row| Ok(IncidentId::new(row.text("id")?))).collect()
    }

    async fn begin(
        &self,
        cluster: &str,
        by: &str,
        limits: InvestigationLimits,
    ) -> Result<BegunInvestigation, StoreError> {
        turn::begin(self, cluster, by, limits).await
    }

    async fn tell(
        &self,
        claim: &Claim,
        steps: Vec<NewStep>,
        usage: Usage,
        root_cause: Option<String>,
        model: Option<String>,
    ) -> Result<bool, StoreError> {
        turn::tell(self, claim, steps, usage, root_cause, model).await
    }

    async fn end(&self, claim: &Claim, usage: Usage, ended: Ended) -> Result<bool, StoreError> {
        turn::end(self, claim, usage, ended).await
    }

    async fn investigation(&self, id: &InvestigationId) -> Result<Option<Investigation>, StoreError> {
        read(&mut *self.read().await?, id).await
    }

    async fn investigations(&self, of: &IncidentId, limit: u32) -> Result<Vec<Investigation>, StoreError> {
        let mut on = self.read().await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM investigations WHERE incident_id = $1 ORDER BY asked_at DESC, id DESC LIMIT $2"
        );
        let rows = Sql::new("investigation", sql).bind(of.as_str()).bind(limit).all(&mut on).await?;
        let found = rows.iter().map(investigation).collect::<Result<_, _>>()?;
        with_attempts(found, &mut on).await
    }

    async fn steps(&self, of: &InvestigationId) -> Result<Vec<Step>, StoreError> {
        let sql =
            "SELECT attempt, told_at, kind, text FROM investigation_steps WHERE investigation_id = $1 ORDER BY number";
        let rows = Sql::new("step", sql).bind(of.as_str()).all(&mut *self.read().await?).await?;
        let step = |row: &Row| {
            Ok(Step {
                attempt: row.count("attempt")?,
                at: row.time("told_at")?,
                kind: row.word("kind", StepKind::from_name)?,
                text: row.text("text")?,
            })
        };
        rows.iter().map(step).collect()
    }

    async fn investigation_counts(&self, cluster: &str) -> Result<InvestigationCounts, StoreError> {
        let sql = "SELECT COUNT(CASE WHEN state = 'queued' THEN 1 END) AS queued, \
                   COUNT(CASE WHEN state = 'running' THEN 1 END) AS running FROM investigations \
                   WHERE cluster = $1 AND state IN ('queued', 'running')";
        let row = Sql::new("investigation", sql).bind(cluster).one(&mut *self.read().await?).await?;
        Ok(InvestigationCounts { queued: row.count("queued")?, running: row.count("running")? })
    }
}

/// The condition that an incident is one for the console to have investigated by itself; `now` is the expression of the database's clock.
fn wanted(now: &str) -> String {
    format!("{} AND NOT EXISTS (SELECT 1 FROM investigations v WHERE v.incident_id = i.id)", signals::unanswered(now))
}

/// People's come first, then the worst.
fn rank(new: &NewInvestigation, severity: Severity) -> i64 {
    if !new.automatic {
        return 0;
    }
    match severity {
        Severity::Critical => 1,
        Severity::High => 2,
        Severity::Medium => 3,
        Severity::Low => 4,
        Severity::Info => 5,
    }
}

async fn insert(
    write: &mut Write,
    new: &NewInvestigation,
    cluster: &str,
    severity: Severity,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "investigation",
        "INSERT INTO investigations (id, incident_id, cluster, state, asked_by, automatic, rank, asked_at, due_at, attempts, \
         silent_at, prompt_version) VALUES ",
    );
    sql.tuple([
        new.id.as_str().into(),
        new.incident.as_str().into(),
        cluster.into(),
        State::Queued.name().into(),
        json(&new.asked_by)?.into(),
        new.automatic.into(),
        rank(new, severity).into(),
        now.into(),
        now.into(),
        0_i64.into(),
        0_i64.into(),
        PROMPT_VERSION.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

/// Tells who follows the incident how its investigation stands.
fn tell(write: &mut Write, incident: &str, investigation: &str, state: State) {
    write.event(Topic::Incident, incident, object!({ "investigation": investigation, "state": state.name() }));
}

async fn read(on: &mut AnyConnection, id: &InvestigationId) -> Result<Option<Investigation>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM investigations WHERE id = $1");
    let row = Sql::new("investigation", sql).bind(id.as_str()).maybe(on).await?;
    let found = row.as_ref().map(investigation).transpose()?;
    Ok(with_attempts(found.into_iter().collect(), on).await?.pop())
}

fn gone(id: &InvestigationId) -> StoreError {
    StoreError::Corrupt { what: "investigation", detail: format!("{id} is not there") }
}

/// As the row has it, without its attempts.
fn investigation(row: &Row) -> Result<Investigation, StoreError> {
    let state = row.word("state", State::from_name)?;
    let due_at = row.time("due_at")?;
    Ok(Investigation {
        id: InvestigationId::new(row.text("id")?),
        incident: IncidentId::new(row.text("incident_id")?),
        state,
        asked_by: row.json("asked_by")?,
        automatic: row.flag("automatic")?,
        asked_at: row.time("asked_at")?,
        due_at: (state == State::Queued).then_some(due_at),
        ended_at: row.maybe_time("ended_at")?,
        attempts: Vec::new(),
        model: row.maybe_text("model")?,
        prompt_version: row.text("prompt_version")?,
        root_cause: row.maybe_text("root_cause")?,
        recommendation: row.maybe_text("recommendation")?.map(RecommendationId::new),
        fault: row.maybe_text("fault")?,
    })
}

/// These, each with its attempts.
async fn with_attempts(
    mut found: Vec<Investigation>,
    on: &mut AnyConnection,
) -> Result<Vec<Investigation>, StoreError> {
    if found.is_empty() {
        return Ok(found);
    }
    let mut sql = Sql::new(
        "attempt",
        "SELECT investigation_id, number, began_at, ended_at, prompt_tokens, completion_tokens, cost_microusd, fault \
         FROM investigation_attempts WHERE investigation_id IN ",
    );
    sql.list(found.iter().map(|one| one.id.as_str())).push(" ORDER BY investigation_id, number");
    for row in sql.all(on).await? {
        let of = row.text("investigation_id")?;
        let attempt = Attempt {
            number: row.count("number")?,
            began_at: row.time("began_at")?,
            ended_at: row.maybe_time("ended_at")?,
            usage: Usage {
                prompt_tokens: row.maybe_int("prompt_tokens")?,
                completion_tokens: row.maybe_int("completion_tokens")?,
                cost_microusd: row.maybe_int("cost_microusd")?,
            },
            fault: row.maybe_text("fault")?,
        };
        if let Some(one) = found.iter_mut().find(|one| one.id.as_str() == of) {
            one.attempts.push(attempt);
        }
    }
    Ok(found)
}
