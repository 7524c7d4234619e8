//! Keeping runs on the same object apart, as policies ask for it. What is approved is looked at here before it is claimed; what is
//! started asks once more, in the update that gives its permit. Both under one lock, so that of two one sees the other. All
//! objects of a run count; one of which nobody says the namespace may be in any, and a run that names nothing may act on
//! anything in its cluster.

use super::targets::{OVERLAP, overlapping};
use crate::sql::Sql;
use domain::{
    ids::ExecutionId,
    policy::{Concurrency, InTheWay},
    ports::StoreError,
    target::kinds::Spot,
};
use sqlx::AnyConnection;

/// What keeps another run on these objects from being approved now: one that has not ended, where either of them is to be alone;
/// or one that ended a short time ago.
pub(crate) async fn in_the_way(
    on: &mut AnyConnection,
    clock: &str,
    cluster: &str,
    objects: &[Spot],
    guard: Concurrency,
) -> Result<Option<InTheWay>, StoreError> {
    let anything = [Spot::default()];
    let objects = if objects.is_empty() { anything.as_slice() } else { objects };
    let either = if guard.one_at_a_time { "" } else { " AND e.alone = 1" };
    let mut sql = Sql::new("execution", "SELECT e.id, e.name FROM executions e WHERE e.cluster = ");
    sql.value(cluster).push(" AND e.stage <> 'ended'").push(either);
    sql.push(" AND EXISTS (SELECT 1 FROM execution_targets t WHERE t.execution_id = e.id AND (");
    overlapping(&mut sql, objects);
    sql.push(")) ORDER BY e.created_at, e.id LIMIT 1");
    if let Some(row) = sql.maybe(on).await? {
        return Ok(Some(InTheWay { id: ExecutionId::new(row.text("id")?), name: row.text("name")?, until: None }));
    }
    if guard.cool_down_ms == 0 {
        return Ok(None);
    }
    let begun = format!(
        "SELECT e.id, e.name, e.finished_at FROM executions e WHERE e.stage = 'ended' AND e.finished_at > {clock} - "
    );
    let mut sql = Sql::new("execution", begun);
    sql.value(guard.cool_down_ms).push(" AND e.cluster = ").value(cluster).push(" AND e.let_go = 1");
    sql.push(" AND EXISTS (SELECT 1 FROM execution_targets t WHERE t.execution_id = e.id AND (");
    overlapping(&mut sql, objects);
    sql.push(")) ORDER BY e.finished_at DESC, e.id DESC LIMIT 1");
    let Some(row) = sql.maybe(on).await? else { return Ok(None) };
    let until = row.time("finished_at")?.plus_ms(guard.cool_down_ms);
    Ok(Some(InTheWay { id: ExecutionId::new(row.text("id")?), name: row.text("name")?, until: Some(until) }))
}

/// Whether no run that was let go is in the way of the row `executions`, as a condition of its update.
pub(super) fn free(clock: &str) -> String {
    let same = format!(
        "EXISTS (SELECT 1 FROM execution_targets t, execution_targets o \
         WHERE t.execution_id = executions.id AND o.execution_id = e.id AND {OVERLAP})"
    );
    format!(
        "NOT EXISTS (SELECT 1 FROM executions e WHERE e.cluster = executions.cluster AND e.stage <> 'ended' \
         AND e.let_go = 1 AND e.id <> executions.id AND (e.alone = 1 OR executions.alone = 1) AND {same}) \
         AND NOT (executions.cool_down_ms > 0 AND EXISTS (SELECT 1 FROM executions e WHERE e.stage = 'ended' \
         AND e.finished_at > {clock} - executions.cool_down_ms AND e.cluster = executions.cluster \
         AND e.let_go = 1 AND e.id <> executions.id AND {same}))"
    )
}
