//! Action records: one durable row for each step, which follows its task.

use crate::{
    Store,
    page::{key, page_of, wanted},
    sql::{Row, Sql, json},
    write::Write,
};
use domain::{
    execution::{ActionRecord, Task, TaskState},
    ids::{ActionId, ExecutionId},
    paging::{Page, PageOf},
    ports::{ActionFilter, StoreError},
    time::Timestamp,
};

const LIST: &str = "actions";

pub(super) async fn insert(write: &mut Write, new: &ActionRecord, now: Timestamp) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "action record",
        "INSERT INTO action_records (id, execution_id, task, workflow_id, action_type, image, inputs, outputs, status, \
         created_at, started_at, finished_at) VALUES ",
    );
    sql.tuple([
        new.id.as_str().into(),
        new.execution_id.as_str().into(),
        new.task.as_str().into(),
        new.workflow_id.as_deref().into(),
        new.action_type.as_str().into(),
        new.image.as_str().into(),
        json(&new.inputs)?.into(),
        new.outputs.as_ref().map(json).transpose()?.into(),
        new.status.name().into(),
        now.into(),
        new.started_at.into(),
        new.finished_at.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

/// Brings the record of this task up to it, where there is one.
pub(super) async fn follow(write: &mut Write, id: &ExecutionId, task: &Task) -> Result<(), StoreError> {
    let outputs = if task.results.is_empty() { None } else { Some(json(&task.results)?) };
    Sql::new(
        "action record",
        "UPDATE action_records SET status = $1, outputs = $2, started_at = $3, finished_at = $4 \
         WHERE execution_id = $5 AND task = $6",
    )
    .bind(task.state.name())
    .bind(outputs)
    .bind(task.started_at)
    .bind(task.finished_at)
    .bind(id.as_str())
    .bind(&task.name)
    .run(write.on())
    .await?;
    Ok(())
}

pub(super) async fn list(
    store: &Store,
    filter: &ActionFilter,
    page: &Page,
) -> Result<PageOf<ActionRecord>, StoreError> {
    let mut sql = Sql::new(
        "action record",
        "SELECT id, execution_id, task, workflow_id, action_type, image, inputs, outputs, status, created_at, \
         started_at, finished_at FROM action_records WHERE 1 = 1",
    );
    let exact = [
        ("id", &filter.id),
        ("workflow_id", &filter.workflow_id),
        ("action_type", &filter.action_type),
        ("status", &filter.status),
    ];
    for (column, wanted) in exact {
        if let Some(wanted) = wanted {
            sql.push(" AND ").push(column).push(" = ").value(wanted);
        }
    }
    if let Some(from) = filter.from {
        sql.push(" AND started_at >= ").value(from);
    }
    if let Some(to) = filter.to {
        sql.push(" AND started_at < ").value(to);
    }
    if let Some((at, id)) = key::<(i64, String)>(LIST, page)? {
        sql.push(" AND (created_at, id) < ").tuple([at.into(), id.into()]);
    }
    sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").value(wanted(page));
    let rows = sql.all(&mut *store.read().await?).await?;
    let found = rows.iter().map(|row| Ok((row.int("created_at")?, record(row)?)));
    let found = found.collect::<Result<_, StoreError>>()?;
    let found = page_of(LIST, page, found, |(at, record): &(i64, ActionRecord)| (*at, record.id.to_string()))?;
    Ok(found.map(|(_, record)| record))
}

fn record(row: &Row) -> Result<ActionRecord, StoreError> {
    Ok(ActionRecord {
        id: ActionId::new(row.text("id")?),
        execution_id: ExecutionId::new(row.text("execution_id")?),
        task: row.text("task")?,
        workflow_id: row.maybe_text("workflow_id")?,
        action_type: row.text("action_type")?,
        image: row.text("image")?,
        inputs: row.json("inputs")?,
        outputs: row.maybe_json("outputs")?,
        status: row.word("status", TaskState::from_name)?,
        started_at: row.maybe_time("started_at")?,
        finished_at: row.maybe_time("finished_at")?,
    })
}
