//! Assessments: what was found some time after a run, whether its signal came back, and a person's word in its place. Each change goes
//! with the verdict on the execution, the rollups and a live event, in one transaction under the execution's lock.

use crate::{
    Store, calibration,
    executions::{COLUMNS, OVERLAP, announce, execution},
    recommendations::UNDOES,
    rollup::{Later, add_later},
    sql::{Row, Sql, json},
    write::Write,
};
use async_trait::async_trait;
use domain::{
    assessment::{
        AssessmentRecord, Overrule,
        judge::Judged,
        pattern::Past,
        recurrence::{self, Returned},
    },
    audit::AuditEntry,
    effectiveness::EffectivenessFilter,
    execution::{Assessment, Execution},
    ids::ExecutionId,
    ports::{AssessmentStore, CalibrationCounts, StoreError, Watched, WatchedAgain},
    time::Timestamp,
};

/// What [`record`] reads.
const RECORD: &str = "found, evidence, at, cleared_at, recurred_at, overruled";
/// Names of other runs that are told.
const BESIDE: i64 = 20;

#[async_trait]
impl AssessmentStore for Store {
    async fn unassessed(&self, cluster: &str, settle_ms: i64, limit: u32) -> Result<Vec<Execution>, StoreError> {
        let clock = self.dialect().clock();
        let mut sql = Sql::new("execution", format!("SELECT {COLUMNS} FROM executions WHERE cluster = "));
        sql.value(cluster).push(" AND stage = 'ended' AND assessed_at IS NULL AND started_at IS NOT NULL");
        sql.push(" AND finished_at <= ").push(clock).push(" - ").value(settle_ms);
        sql.push(" ORDER BY finished_at, id LIMIT ").value(limit);
        sql.all(&mut *self.read().await?).await?.iter().map(execution).collect()
    }

    async fn beside(&self, run: &ExecutionId, from: Timestamp) -> Result<Vec<String>, StoreError> {
        // What began, or was still going on, after the moment asked for. The time is what narrows it down, and not the cluster: that is why
        // the cluster is no column by itself here.
        let mut sql = Sql::new(
            "execution",
            "SELECT e.name FROM executions e, executions r WHERE e.cluster || '' = r.cluster AND e.id <> r.id AND e.let_go = 1 \
             AND r.id = ",
        );
        sql.value(run.as_str());
        sql.push(" AND e.created_at >= ").value(from.plus_ms(-LONGEST_MS));
        sql.push(" AND (e.finished_at IS NULL OR e.finished_at >= ").value(from).push(")");
        sql.push(" AND EXISTS (SELECT 1 FROM execution_targets t, execution_targets o WHERE t.execution_id = e.id ");
        sql.push("AND o.execution_id = r.id AND ").push(OVERLAP).push(")");
        // Of a next strategy the rollback of the one before it, which put back what the signal fired under.
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM recommendations u, recommendations n \
             WHERE u.id = e.recommendation_id AND n.id = r.recommendation_id AND u.of_way = 'rollback' \
             AND n.of_way = 'next_strategy' AND u.of_run = n.of_run AND e.finished_at <= r.started_at)",
        );
        sql.push(" ORDER BY e.created_at, e.id LIMIT ").value(BESIDE);
        sql.all(&mut *self.read().await?).await?.iter().map(|row| row.text("name")).collect()
    }

    async fn assess(&self, run: &ExecutionId, judged: &Judged) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let Some((known, looked)) = lock(&mut write, run).await? else { return Ok(false) };
        if !known.state.ended() || looked.is_some() {
            return Ok(false);
        }
        let now = write.now().await?;
        let record = AssessmentRecord {
            found: judged.verdict,
            evidence: judged.evidence.clone(),
            at: now,
            cleared_at: judged.cleared_at,
            recurred_at: None,
            overruled: None,
        };
        put(&mut write, &known, &record).await?;
        let clear_ms = judged.cleared_at.zip(known.finished_at).map(|(cleared, ended)| cleared.since(ended).max(0));
        change(&mut write, known, judged.verdict, Later { clear_ms, ..Later::default() }, now).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn watched(&self, cluster: &str, limit: u32) -> Result<Vec<Watched>, StoreError> {
        let mut sql = Sql::new(
            "assessment",
            format!(
                "SELECT {columns}, a.found, a.evidence, a.at, a.cleared_at, a.recurred_at, a.overruled, a.counted \
                 FROM assessments a JOIN executions e ON e.id = a.execution_id \
                 WHERE a.next_at IS NOT NULL AND a.cluster = ",
                columns = of_run()
            ),
        );
        sql.value(cluster).push(" ORDER BY a.next_at, a.execution_id LIMIT ").value(limit);
        let rows = sql.all(&mut *self.read().await?).await?;
        let of = |row: &Row| Ok(Watched { run: execution(row)?, record: record(row)?, counted: row.count("counted")? });
        rows.iter().map(of).collect()
    }

    async fn watched_again(&self, run: &ExecutionId, found: WatchedAgain) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let Some((mut known, _)) = lock(&mut write, run).await? else { return Ok(()) };
        let sql =
            "SELECT cleared_at, recurred_at, counted FROM assessments WHERE execution_id = $1 AND next_at IS NOT NULL";
        let Some(row) = Sql::new("assessment", sql).bind(run.as_str()).maybe(write.on()).await? else { return Ok(()) };
        let Some(cleared_at) = row.maybe_time("cleared_at")? else { return Ok(()) };
        let (known_back, counted) = (row.maybe_time("recurred_at")?, row.count("counted")? as usize);
        let recurred_at = known_back.or(found.recurred_at);
        let now = write.now().await?;
        let over = recurrence::over(cleared_at, recurred_at, counted, now);
        if over.is_empty() && recurred_at == known_back {
            return Ok(());
        }
        let mut returned = [Returned::default(); 3];
        for (span, came_back) in returned.iter_mut().skip(counted).zip(&over) {
            *span = Returned { watched: 1, came_back: i64::from(*came_back) };
        }
        let counted = counted + over.len();
        Sql::new(
            "assessment",
            "UPDATE assessments SET recurred_at = $1, counted = $2, next_at = $3 WHERE execution_id = $4",
        )
        .bind(recurred_at)
        .bind(i64::try_from(counted).unwrap_or(i64::MAX))
        .bind(recurrence::next(cleared_at, counted))
        .bind(run.as_str())
        .run(write.on())
        .await?;
        add_later(&mut write, &known, &Later { returned, ..Later::default() }, now).await?;
        if recurred_at != known_back {
            known.revision += 1;
            Sql::new("execution", "UPDATE executions SET revision = $1 WHERE id = $2")
                .bind(known.revision)
                .bind(run.as_str())
                .run(write.on())
                .await?;
            announce(&mut write, &known);
        }
        write.commit().await
    }

    async fn assessment(&self, run: &ExecutionId) -> Result<Option<AssessmentRecord>, StoreError> {
        let sql = format!("SELECT {RECORD} FROM assessments WHERE execution_id = $1");
        let row = Sql::new("assessment", sql).bind(run.as_str()).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(record).transpose()
    }

    async fn overrule(
        &self,
        run: &ExecutionId,
        word: Overrule,
        audit: AuditEntry,
    ) -> Result<Option<AssessmentRecord>, StoreError> {
        let mut write = self.write().await?;
        let Some((known, _)) = lock(&mut write, run).await? else { return Ok(None) };
        if !known.state.ended() {
            return Ok(None);
        }
        let now = write.now().await?;
        let sql = format!("SELECT {RECORD} FROM assessments WHERE execution_id = $1");
        let row = Sql::new("assessment", sql).bind(run.as_str()).maybe(write.on()).await?;
        let looked = row.as_ref().map(record).transpose()?;
        let unlooked = looked.is_none();
        let mut record = looked.unwrap_or_else(|| AssessmentRecord {
            // What was taken over from elsewhere brings its verdict with it.
            found: known.assessment,
            evidence: Vec::new(),
            at: now,
            cleared_at: None,
            recurred_at: None,
            overruled: None,
        });
        let word = Overrule { at: now, ..word };
        record.overruled = Some(word.clone());
        if unlooked {
            put(&mut write, &known, &record).await?;
        } else {
            Sql::new("assessment", "UPDATE assessments SET overruled = $1 WHERE execution_id = $2")
                .bind(json(&word)?)
                .bind(run.as_str())
                .run(write.on())
                .await?;
        }
        change(&mut write, known, word.verdict, Later::default(), now).await?;
        write.audit(audit);
        write.commit().await?;
        Ok(Some(record))
    }

    async fn past(&self, since: Timestamp, limit: u32) -> Result<Vec<Past>, StoreError> {
        let mut sql = Sql::new(
            "execution",
            format!(
                "SELECT {columns}, a.cleared_at, a.recurred_at FROM executions e \
                 LEFT JOIN assessments a ON a.execution_id = e.id WHERE e.stage = 'ended' AND e.created_at >= ",
                columns = of_run()
            ),
        );
        sql.value(since).push(" AND NOT EXISTS (SELECT 1 FROM recommendations r WHERE r.id = e.recommendation_id AND ");
        sql.push(UNDOES).push(") ORDER BY e.created_at DESC, e.id DESC LIMIT ").value(limit);
        let rows = sql.all(&mut *self.read().await?).await?;
        let of = |row: &Row| {
            let back = row.maybe_time("recurred_at")?.zip(row.maybe_time("cleared_at")?);
            Ok(Past { run: execution(row)?, back_after_ms: back.map(|(back, cleared)| back.since(cleared)) })
        };
        rows.iter().map(of).collect()
    }

    async fn calibration(&self, filter: &EffectivenessFilter) -> Result<CalibrationCounts, StoreError> {
        calibration::read(self, filter).await
    }
}

/// The columns of a run, where another table stands beside it.
fn of_run() -> String {
    COLUMNS.split(", ").map(|column| format!("e.{column}")).collect::<Vec<_>>().join(", ")
}

/// No run takes longer, from its approval to its end (the most that a timeout may be).
const LONGEST_MS: i64 = 24 * 60 * 60 * 1000;

/// Locks the execution until the end of the transaction; it without its tasks, and when somebody looked at it.
async fn lock(write: &mut Write, run: &ExecutionId) -> Result<Option<(Execution, Option<Timestamp>)>, StoreError> {
    let sql = format!("UPDATE executions SET revision = revision WHERE id = $1 RETURNING {COLUMNS}, assessed_at");
    let row = Sql::new("execution", sql).bind(run.as_str()).maybe(write.on()).await?;
    row.map(|row| Ok((execution(&row)?, row.maybe_time("assessed_at")?))).transpose()
}

/// Writes a verdict on the execution, counts it and tells of it.
async fn change(
    write: &mut Write,
    mut known: Execution,
    verdict: Assessment,
    later: Later,
    now: Timestamp,
) -> Result<(), StoreError> {
    let was = std::mem::replace(&mut known.assessment, verdict);
    known.revision += 1;
    Sql::new("execution", "UPDATE executions SET assessment = $1, revision = $2, assessed_at = $3 WHERE id = $4")
        .bind(verdict.name())
        .bind(known.revision)
        .bind(now)
        .bind(known.subject.id.as_str())
        .run(write.on())
        .await?;
    let changed = Some((was, verdict)).filter(|(was, is)| was != is);
    add_later(write, &known, &Later { verdict: changed, ..later }, now).await?;
    announce(write, &known);
    Ok(())
}

async fn put(write: &mut Write, of: &Execution, record: &AssessmentRecord) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "assessment",
        "INSERT INTO assessments (execution_id, cluster, found, evidence, at, cleared_at, recurred_at, counted, next_at, overruled) \
         VALUES ",
    );
    sql.tuple([
        of.subject.id.as_str().into(),
        of.subject.cluster.as_str().into(),
        record.found.name().into(),
        json(&record.evidence)?.into(),
        record.at.into(),
        record.cleared_at.into(),
        record.recurred_at.into(),
        0_i64.into(),
        record.cleared_at.and_then(|at| recurrence::next(at, 0)).into(),
        record.overruled.as_ref().map(json).transpose()?.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

fn record(row: &Row) -> Result<AssessmentRecord, StoreError> {
    Ok(AssessmentRecord {
        found: row.word("found", Assessment::from_name)?,
        evidence: row.json("evidence")?,
        at: row.time("at")?,
        cleared_at: row.maybe_time("cleared_at")?,
        recurred_at: row.maybe_time("recurred_at")?,
        overruled: row.maybe_json("overruled")?,
    })
}
