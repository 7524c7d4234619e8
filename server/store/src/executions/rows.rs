//! Rows of executions and tasks, as the domain reads and writes them.

use super::{search_text, target_key};
use crate::{
    sql::{Row, Sql, Value, json},
    write::{ROWS_AT_ONCE, Write},
};
use domain::{
    execution::{Assessment, Execution, ExecutionState, Stage},
    ports::StoreError,
};
use sqlx::AnyConnection;

/// What [`execution`] reads.
pub(crate) const COLUMNS: &str = "id, subject, state, stage, revision, reason, message, uid, run_uid, approved_by, created_at, \
                                  expires_at, started_at, finished_at, cancel_requested, assessment";

/// The execution without its tasks and warnings.
pub(crate) fn execution(row: &Row) -> Result<Execution, StoreError> {
    Ok(Execution {
        subject: row.json("subject")?,
        state: row.word("state", ExecutionState::from_name)?,
        stage: row.word("stage", Stage::from_name)?,
        revision: row.int("revision")?,
        reason: row.maybe_text("reason")?,
        message: row.maybe_text("message")?,
        uid: row.maybe_text("uid")?,
        run_uid: row.maybe_text("run_uid")?,
        approved_by: row.json("approved_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        started_at: row.maybe_time("started_at")?,
        finished_at: row.maybe_time("finished_at")?,
        cancel_requested: row.flag("cancel_requested")?,
        assessment: row.word("assessment", Assessment::from_name)?,
        tasks: Vec::new(),
        warnings: Vec::new(),
    })
}

/// What [`whole`] reads.
pub(super) fn whole_columns() -> String {
    format!("{COLUMNS}, warnings")
}

/// The execution of this row, with its warnings and its tasks.
pub(super) async fn whole(on: &mut AnyConnection, row: Option<&Row>) -> Result<Option<Execution>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let mut found = execution(row)?;
    found.warnings = row.maybe_json("warnings")?.unwrap_or_default();
    found.tasks = tasks::of(on, &found.subject.id).await?;
    Ok(Some(found))
}

/// Writes new executions with their tasks, many rows at a time. Tells of each whether it was written: it is not when its id,
/// its ticket or its name in the cluster is taken.
pub(super) async fn insert(write: &mut Write, new: &[&Execution]) -> Result<Vec<bool>, StoreError> {
    let mut written = Vec::with_capacity(new.len());
    for some in new.chunks(ROWS_AT_ONCE) {
        let mut sql = Sql::new(
            "execution",
            "INSERT INTO executions (id, recommendation_id, ticket_digest, cluster, name, workflow_id, state, stage, \
             epoch, revision, reason, message, uid, run_uid, approved_by, created_at, expires_at, started_at, finished_at, \
             cancel_requested, assessment, search, target, subject, warnings, let_go, assessed_at) VALUES ",
        );
        for (i, one) in some.iter().enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).tuple(values(one)?);
        }
        sql.push(" ON CONFLICT DO NOTHING RETURNING id");
        let rows = sql.all(write.on()).await?;
        let ids = rows.iter().map(|row| row.text("id")).collect::<Result<std::collections::HashSet<_>, _>>()?;
        let inserted: Vec<bool> = some.iter().map(|one| ids.contains(one.subject.id.as_str())).collect();
        let kept = some.iter().zip(&inserted).filter(|(_, inserted)| **inserted).map(|(one, _)| *one);
        tasks::insert(write, kept).await?;
        written.extend(inserted);
    }
    Ok(written)
}

fn values(of: &Execution) -> Result<[Value; 27], StoreError> {
    let subject = &of.subject;
    Ok([
        subject.id.as_str().into(),
        subject.recommendation_id.as_str().into(),
        subject.ticket_digest.as_str().into(),
        subject.cluster.as_str().into(),
        subject.name.as_str().into(),
        subject.workflow_id.as_deref().into(),
        of.state.name().into(),
        of.stage.name().into(),
        0_i64.into(),
        of.revision.into(),
        of.reason.as_deref().into(),
        of.message.as_deref().into(),
        of.uid.as_deref().into(),
        of.run_uid.as_deref().into(),
        json(&of.approved_by)?.into(),
        of.created_at.into(),
        of.expires_at.into(),
        of.started_at.into(),
        of.finished_at.into(),
        of.cancel_requested.into(),
        of.assessment.name().into(),
        search_text(subject).into(),
        subject.target().map(target_key).unwrap_or_default().into(),
        json(subject)?.into(),
        warnings(of)?.into(),
        // What was written before it came here.
        of.started_at.is_some().into(),
        // It was judged there, or not at all.
        of.state.ended().then(|| of.finished_at.unwrap_or(of.created_at)).into(),
    ])
}

/// Few runs have any.
fn warnings(of: &Execution) -> Result<Option<String>, StoreError> {
    if of.warnings.is_empty() { Ok(None) } else { json(&of.warnings).map(Some) }
}

/// Writes what an observation may have changed.
pub(super) async fn update(write: &mut Write, of: &Execution) -> Result<(), StoreError> {
    Sql::new(
        "execution",
        "UPDATE executions SET state = $1, stage = $2, revision = $3, reason = $4, message = $5, uid = $6, \
         run_uid = $7, started_at = $8, finished_at = $9, cancel_requested = $10, warnings = $11 WHERE id = $12",
    )
    .bind(of.state.name())
    .bind(of.stage.name())
    .bind(of.revision)
    .bind(of.reason.as_deref())
    .bind(of.message.as_deref())
    .bind(of.uid.as_deref())
    .bind(of.run_uid.as_deref())
    .bind(of.started_at)
    .bind(of.finished_at)
    .bind(of.cancel_requested)
    .bind(warnings(of)?)
    .bind(of.subject.id.as_str())
    .run(write.on())
    .await?;
    Ok(())
}

/// Tasks, in the order of the pipeline.
pub(super) mod tasks {
    use super::{AnyConnection, Execution, ROWS_AT_ONCE, Row, Sql, StoreError, Write, json};
    use domain::{
        execution::{Progress, Task, TaskState},
        ids::ExecutionId,
    };
    use std::collections::HashMap;

    const INSERT: &str = "INSERT INTO tasks (execution_id, name, position, state, content) VALUES ";

    pub(in crate::executions) async fn of(on: &mut AnyConnection, id: &ExecutionId) -> Result<Vec<Task>, StoreError> {
        let sql = Sql::new("task", "SELECT content FROM tasks WHERE execution_id = $1 ORDER BY position");
        let rows = sql.bind(id.as_str()).all(on).await?;
        rows.iter().map(|row: &Row| row.json("content")).collect()
    }

    /// Of all executions in this cluster that have not ended, by execution.
    pub(in crate::executions) async fn of_unfinished(
        on: &mut AnyConnection,
        cluster: &str,
    ) -> Result<HashMap<String, Vec<Task>>, StoreError> {
        let rows = Sql::new(
            "task",
            "SELECT t.execution_id, t.content FROM tasks t JOIN executions e ON e.id = t.execution_id \
             WHERE e.cluster = $1 AND e.stage <> 'ended' ORDER BY t.execution_id, t.position",
        )
        .bind(cluster)
        .all(on)
        .await?;
        by_execution(&rows)
    }

    /// Of these executions, by execution.
    pub(in crate::executions) async fn of_these(
        on: &mut AnyConnection,
        these: &[Execution],
    ) -> Result<HashMap<String, Vec<Task>>, StoreError> {
        if these.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sql = Sql::new("task", "SELECT execution_id, content FROM tasks WHERE execution_id IN ");
        sql.list(these.iter().map(|one| one.subject.id.as_str())).push(" ORDER BY execution_id, position");
        by_execution(&sql.all(on).await?)
    }

    /// How far those of these executions have got that go on, by execution.
    pub(in crate::executions) async fn progress(
        on: &mut AnyConnection,
        these: &[Execution],
    ) -> Result<HashMap<String, Progress>, StoreError> {
        let open: Vec<&str> =
            these.iter().filter(|one| !one.state.ended()).map(|one| one.subject.id.as_str()).collect();
        if open.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sql = Sql::new("task", "SELECT execution_id, COUNT(*) AS tasks, SUM(CASE WHEN state IN ");
        sql.list(TaskState::ALL.iter().filter(|state| state.ended()).map(|state| state.name()))
            .push(" THEN 1 ELSE 0 END) AS ended FROM tasks WHERE execution_id IN ")
            .list(open.into_iter())
            .push(" GROUP BY execution_id");
        let rows = sql.all(on).await?;
        let of = |row: &Row| {
            Ok((row.text("execution_id")?, Progress { ended: row.count("ended")?, tasks: row.count("tasks")? }))
        };
        rows.iter().map(of).collect()
    }

    fn by_execution(rows: &[Row]) -> Result<HashMap<String, Vec<Task>>, StoreError> {
        let mut found: HashMap<String, Vec<Task>> = HashMap::new();
        for row in rows {
            found.entry(row.text("execution_id")?).or_default().push(row.json("content")?);
        }
        Ok(found)
    }

    pub(super) async fn insert<'a>(
        write: &mut Write,
        of: impl Iterator<Item = &'a Execution> + Send,
    ) -> Result<(), StoreError> {
        let all: Vec<_> = of.flat_map(|one| (0_u32..).zip(&one.tasks).map(move |(at, task)| (one, at, task))).collect();
        for some in all.chunks(ROWS_AT_ONCE) {
            let mut sql = Sql::new("task", INSERT);
            for (i, (one, position, task)) in some.iter().enumerate() {
                sql.push(if i == 0 { "" } else { ", " });
                let id = one.subject.id.as_str();
                let content = json(task)?;
                sql.tuple([
                    id.into(),
                    task.name.as_str().into(),
                    (*position).into(),
                    task.state.name().into(),
                    content.into(),
                ]);
            }
            sql.run(write.on()).await?;
        }
        Ok(())
    }

    /// Writes one task, known or new.
    pub(in crate::executions) async fn put(
        write: &mut Write,
        id: &ExecutionId,
        position: u32,
        task: &Task,
    ) -> Result<(), StoreError> {
        let mut sql = Sql::new("task", INSERT);
        let content = json(task)?;
        sql.tuple([
            id.as_str().into(),
            task.name.as_str().into(),
            position.into(),
            task.state.name().into(),
            content.into(),
        ]);
        sql.push(" ON CONFLICT (execution_id, name) DO UPDATE SET state = excluded.state, content = excluded.content");
        sql.run(write.on()).await?;
        Ok(())
    }
}
