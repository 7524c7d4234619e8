//! Keeping runs on the same object apart, as policies ask for it. What is approved is looked at here before it is claimed; what is
//! started asks once more, in the update that gives its permit. Both under one lock, so that of two one sees the other. A run
//! that nothing names an object of is taken to act on the same as all others of its kind in the cluster.

use super::target_key;
use crate::sql::Sql;
use domain::{
    ids::ExecutionId,
    policy::{Guard, InTheWay},
    ports::StoreError,
    recommendation::ResourceRef,
};
use sqlx::AnyConnection;

/// What keeps another run on the object from being approved now: one that has not ended, where either of them is to be alone; or
/// one that ended a short time ago.
pub(crate) async fn in_the_way(
    on: &mut AnyConnection,
    clock: &str,
    cluster: &str,
    object: Option<&ResourceRef>,
    guard: Guard,
) -> Result<Option<InTheWay>, StoreError> {
    let object = object.map(target_key).unwrap_or_default();
    let either = if guard.one_at_a_time { "" } else { " AND alone = 1" };
    let sql = format!(
        "SELECT id, name FROM executions WHERE cluster = $1 AND target = $2 AND stage <> 'ended'{either} \
         ORDER BY created_at, id LIMIT 1"
    );
    if let Some(row) = Sql::new("execution", sql).bind(cluster).bind(object.as_str()).maybe(on).await? {
        return Ok(Some(InTheWay { id: ExecutionId::new(row.text("id")?), name: row.text("name")?, until: None }));
    }
    if guard.cool_down_ms == 0 {
        return Ok(None);
    }
    let sql = format!(
        "SELECT id, name, finished_at FROM executions WHERE stage = 'ended' AND finished_at > {clock} - $1 \
         AND cluster = $2 AND target = $3 AND let_go = 1 ORDER BY finished_at DESC, id DESC LIMIT 1"
    );
    let ended = Sql::new("execution", sql).bind(guard.cool_down_ms).bind(cluster).bind(object.as_str());
    let Some(row) = ended.maybe(on).await? else { return Ok(None) };
    let until = row.time("finished_at")?.plus_ms(guard.cool_down_ms);
    Ok(Some(InTheWay { id: ExecutionId::new(row.text("id")?), name: row.text("name")?, until: Some(until) }))
}

/// Whether no run that was let go is in the way of the row `executions`, as a condition of its update.
pub(super) fn free(clock: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM executions o WHERE o.cluster = executions.cluster AND o.stage <> 'ended' \
         AND o.target = executions.target AND o.let_go = 1 AND o.id <> executions.id \
         AND (o.alone = 1 OR executions.alone = 1)) \
         AND NOT (executions.cool_down_ms > 0 AND EXISTS (SELECT 1 FROM executions o WHERE o.stage = 'ended' \
         AND o.finished_at > {clock} - executions.cool_down_ms AND o.cluster = executions.cluster \
         AND o.target = executions.target AND o.let_go = 1 AND o.id <> executions.id))"
    )
}
