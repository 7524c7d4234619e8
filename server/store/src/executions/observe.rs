//! What changes an execution after it was claimed: readings of the cluster and the wish to cancel. What a reading changes is
//! decided by `domain::observation::merge`, under the row's lock.

use super::{
    actions,
    rows::{self, whole, whole_columns},
};
use crate::{Store, recommendations::came, rollup, sql::Sql, write::Write};
use domain::{
    audit::AuditEntry,
    event::Topic,
    execution::{Execution, Task},
    ids::ExecutionId,
    observation::{Changed, Observation, merge},
    ports::{ExecutionStore, StoreError},
};
use serde_json::json as object;

pub(super) async fn observe(store: &Store, id: &ExecutionId, seen: Observation) -> Result<Changed, StoreError> {
    // Most readings tell nothing new (each relist repeats all of them): look first without a lock. A reading that is old
    // news to an older state of the row is old news to the newer one.
    let Some(mut known) = store.get(id).await? else { return Ok(Changed::default()) };
    if !merge(&mut known, seen.clone()).any() {
        return Ok(Changed::default());
    }
    let mut write = store.write().await?;
    let Some(mut known) = lock(&mut write, id).await? else { return Ok(Changed::default()) };
    let changed = merge(&mut known, seen);
    if !changed.any() {
        return Ok(changed);
    }
    rows::update(&mut write, &known).await?;
    for (position, task) in (0_u32..).zip(&known.tasks).filter(|(_, task)| changed.tasks.contains(&task.name)) {
        rows::tasks::put(&mut write, id, position, task).await?;
        actions::follow(&mut write, id, task).await?;
        announce_task(&mut write, &known, task);
    }
    if changed.ended {
        let now = write.now().await?;
        let came = came(write.on(), &known.subject.recommendation_id).await?;
        rollup::count(&mut write, [(&known, came)], now).await?;
    }
    if changed.execution {
        announce(&mut write, &known);
    }
    write.commit().await?;
    Ok(changed)
}

pub(super) async fn request_cancel(store: &Store, id: &ExecutionId, audit: AuditEntry) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    let Some(mut known) = lock(&mut write, id).await? else { return Ok(false) };
    if known.state.ended() {
        return Ok(false);
    }
    if !known.cancel_requested {
        known.cancel_requested = true;
        known.revision += 1;
        rows::update(&mut write, &known).await?;
        announce(&mut write, &known);
    }
    write.audit(audit);
    write.commit().await?;
    Ok(true)
}

/// Locks the execution until the end of the transaction, and reads it whole.
async fn lock(write: &mut Write, id: &ExecutionId) -> Result<Option<Execution>, StoreError> {
    let sql = format!("UPDATE executions SET revision = revision WHERE id = $1 RETURNING {}", whole_columns());
    let row = Sql::new("execution", sql).bind(id.as_str()).maybe(write.on()).await?;
    whole(write.on(), row.as_ref()).await
}

pub(crate) fn announce(write: &mut Write, of: &Execution) {
    let data = object!({
        "state": of.state.name(), "revision": of.revision, "reason": of.reason,
        "cancel_requested": of.cancel_requested,
    });
    write.event(Topic::Execution, of.subject.id.as_str(), data);
}

fn announce_task(write: &mut Write, of: &Execution, task: &Task) {
    let data = object!({ "task": task.name, "state": task.state.name(), "revision": of.revision });
    write.event(Topic::Task, of.subject.id.as_str(), data);
}
