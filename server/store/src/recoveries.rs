//! What is made of runs that went wrong, and what was captured before them.

use crate::{
    Store,
    recommendations::{close, take_in},
    sql::{Row, Sql, json},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    event::Topic,
    execution::ExecutionState,
    ids::{ExecutionId, RecommendationId},
    ports::{Begun, Captured, Look, NewRecommendation, RecoveryStore, StoreError},
    recommendation::{Origin, RecommendationState as State},
    recovery::{Made, Way, in_the_way},
    time::Timestamp,
};
use serde_json::json as object;
use sqlx::AnyConnection;

#[async_trait]
impl RecoveryStore for Store {
    async fn begin(&self, new: NewRecommendation, look: Option<Look>, audit: AuditEntry) -> Result<Begun, StoreError> {
        let Some((way, run)) = new.origin.of_run().map(|(way, run)| (way, run.clone())) else {
            return Err(StoreError::Failed("a recommendation that is made of no run was to be stored as one".into()));
        };
        let mut write = self.write().await?;
        write.lock(Lock::Intake).await?;
        let now = write.now().await?;
        let made = made_of(write.on(), now, &run).await?;
        if let Some(other) = in_the_way(way, &made) {
            return Ok(Begun::InTheWay(other.clone()));
        }
        if let Some(look) = &look
            && !keep_look(&mut write, look, now).await?
        {
            return Ok(Begun::Looked);
        }
        close_overdue(&mut write, &run, now).await?;
        let stored = take_in(&mut write, new, now, audit).await?;
        write.event(Topic::Execution, run.as_str(), object!({ "made": way.name(), "of_it": stored.id }));
        write.commit().await?;
        Ok(Begun::Made(Box::new(stored)))
    }

    async fn made_of(&self, run: &ExecutionId) -> Result<Vec<Made>, StoreError> {
        let now = self.now().await?;
        made_of(&mut *self.read().await?, now, run).await
    }

    async fn look_at(&self, run: &ExecutionId) -> Result<Option<Look>, StoreError> {
        let sql = "SELECT execution_id, root, way, recommendation_id, said FROM recoveries WHERE execution_id = $1";
        let row = Sql::new("look at a run", sql).bind(run.as_str()).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(look).transpose()
    }

    async fn leave(&self, look: Look) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        if !keep_look(&mut write, &look, now).await? {
            return Ok(false);
        }
        if !look.said.is_empty() {
            write.event(Topic::Execution, look.execution.as_str(), object!({ "made": null }));
        }
        write.commit().await?;
        Ok(true)
    }

    async fn to_look_at(&self, cluster: &str, since: Timestamp, many: u32) -> Result<Vec<ExecutionId>, StoreError> {
        // By the index of ends, not by the names of a cluster: it costs as much as has ended lately.
        let sql = "SELECT e.id FROM executions e WHERE e.stage = 'ended' AND e.finished_at >= $1 AND e.cluster || '' = $2 \
                   AND (e.state IN ('failed', 'timed_out') OR e.assessment = 'ineffective' \
                   OR (e.state = 'succeeded' AND EXISTS (SELECT 1 FROM recoveries c \
                   WHERE c.recommendation_id = e.recommendation_id AND c.way = 'rollback'))) \
                   AND NOT EXISTS (SELECT 1 FROM recoveries l WHERE l.execution_id = e.id) \
                   ORDER BY e.finished_at, e.id LIMIT $3";
        let sql = Sql::new("execution", sql).bind(since).bind(cluster).bind(many);
        let rows = sql.all(&mut *self.read().await?).await?;
        rows.iter().map(|row| row.text("id").map(ExecutionId::new)).collect()
    }

    async fn keep_capture(&self, run: &ExecutionId, captured: &Captured) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        // Only of a run that there is.
        Sql::new(
            "capture",
            "INSERT INTO captures (execution_id, content, captured_at) SELECT id, $1, $2 FROM executions WHERE id = $3 \
             ON CONFLICT (execution_id) DO NOTHING",
        )
        .bind(json(captured)?)
        .bind(now)
        .bind(run.as_str())
        .run(write.on())
        .await?;
        write.commit().await
    }

    async fn captured(&self, run: &ExecutionId) -> Result<Option<Captured>, StoreError> {
        let sql = "SELECT content FROM captures WHERE execution_id = $1";
        let row = Sql::new("capture", sql).bind(run.as_str()).maybe(&mut *self.read().await?).await?;
        row.map(|row| row.json("content")).transpose()
    }
}

/// What was made of a run, newest first, as it stands at `now`.
async fn made_of(on: &mut AnyConnection, now: Timestamp, run: &ExecutionId) -> Result<Vec<Made>, StoreError> {
    let sql = "SELECT r.id, r.state, r.origin, r.created_at, r.expires_at, e.id AS execution_id, e.state AS run \
               FROM recommendations r LEFT JOIN executions e ON e.recommendation_id = r.id WHERE r.of_run = $1 \
               ORDER BY r.created_at DESC, r.id DESC";
    let rows = Sql::new("recommendation", sql).bind(run.as_str()).all(on).await?;
    rows.iter().map(|row| made(row, now)).collect()
}

fn made(row: &Row, now: Timestamp) -> Result<Made, StoreError> {
    let Origin::Run { way, automatic, .. } = row.json("origin")? else {
        return Err(row.corrupt("origin", &"it is made of a run and does not say so"));
    };
    let stored = row.word("state", State::from_name)?;
    let over = stored == State::Open && row.time("expires_at")? <= now;
    Ok(Made {
        way,
        automatic,
        recommendation_id: RecommendationId::new(row.text("id")?),
        state: if over { State::Expired } else { stored },
        at: row.time("created_at")?,
        execution_id: row.maybe_text("execution_id")?.map(ExecutionId::new),
        run: match row.maybe_text("run")? {
            Some(_) => Some(row.word("run", ExecutionState::from_name)?),
            None => None,
        },
    })
}

/// `false` when the run was looked at before, or its line has the like already.
async fn keep_look(write: &mut Write, look: &Look, now: Timestamp) -> Result<bool, StoreError> {
    let made = look.made.as_ref();
    let mut sql = Sql::new(
        "look at a run",
        "INSERT INTO recoveries (execution_id, root, way, recommendation_id, said, looked_at) VALUES ",
    );
    sql.tuple([
        look.execution.as_str().into(),
        look.root.as_str().into(),
        made.map(|(way, _)| way.name()).into(),
        made.map(|(_, id)| id.as_str()).into(),
        look.said.as_str().into(),
        now.into(),
    ]);
    sql.push(" ON CONFLICT DO NOTHING");
    Ok(sql.run(write.on()).await? == 1)
}

fn look(row: &Row) -> Result<Look, StoreError> {
    let way = row.maybe_text("way")?;
    let made = match (way, row.maybe_text("recommendation_id")?) {
        (Some(_), Some(id)) => Some((row.word("way", Way::from_name)?, RecommendationId::new(id))),
        _ => None,
    };
    Ok(Look {
        execution: ExecutionId::new(row.text("execution_id")?),
        root: ExecutionId::new(row.text("root")?),
        made,
        said: row.text("said")?,
    })
}

/// What was made of the run and ran out is closed: only one of them is open.
async fn close_overdue(write: &mut Write, run: &ExecutionId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT id FROM recommendations WHERE of_run = $1 AND state = 'open' AND expires_at <= $2";
    let due = Sql::new("recommendation", sql).bind(run.as_str()).bind(now).all(write.on()).await?;
    for row in &due {
        let id = RecommendationId::new(row.text("id")?);
        if close(write, &id, State::Expired).await? {
            write.event(Topic::Recommendation, id.as_str(), object!({ "state": State::Expired.name() }));
        }
    }
    Ok(())
}
