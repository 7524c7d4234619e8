//! The permit to start: whatever the controller judged before, a run is let go only after this one conditional update, which
//! asks the row itself (cancelled, ended, whose try it is) and the database's clock.

use super::{
    concurrency::free,
    observe::announce,
    rows::{COLUMNS, execution},
};
use crate::{
    Store,
    sql::Sql,
    write::{Lock, Write},
};
use domain::{
    execution::{ExecutionState, Stage},
    ids::ExecutionId,
    ports::{Permit, StoreError},
};

/// Whether it may start, but for the epoch. The recorder may have seen the pending PipelineRun and written `started` before
/// the permit was asked for, so the stage alone permits nothing.
fn startable(clock: &str) -> String {
    format!("stage IN ('created', 'started') AND state = 'pending' AND cancel_requested = 0 AND expires_at > {clock}")
}

/// Whether its images are signed, where the policy asked for that: by what is known now, each by its digest.
const SIGNED: &str = "(executions.signed = 0 OR NOT EXISTS (SELECT 1 FROM action_records a WHERE a.execution_id = executions.id \
                      AND NOT EXISTS (SELECT 1 FROM image_signatures s WHERE s.image = a.image AND s.state = 'verified')))";

pub(super) async fn begin(store: &Store, id: &ExecutionId) -> Result<Permit, StoreError> {
    let mut write = store.write().await?;
    let clock = store.dialect().clock();
    let (startable, free) = (startable(clock), free(clock));
    let sql = format!(
        "UPDATE executions SET epoch = epoch + 1 WHERE id = $1 AND {startable} AND {free} AND {SIGNED} RETURNING epoch"
    );
    let Some(row) = Sql::new("execution", sql).bind(id.as_str()).maybe(write.on()).await? else {
        return refusal(&mut write, clock, id, None).await;
    };
    let epoch = row.int("epoch")?;
    write.commit().await?;
    Ok(Permit::Given(epoch))
}

pub(super) async fn permit(store: &Store, id: &ExecutionId, epoch: i64, run_uid: &str) -> Result<Permit, StoreError> {
    let mut write = store.write().await?;
    // Of two that start at the same moment one sees the other.
    write.lock(Lock::Targets).await?;
    let clock = store.dialect().clock();
    let (startable, free) = (startable(clock), free(clock));
    let sql = format!(
        "UPDATE executions SET stage = 'started', let_go = 1, run_uid = COALESCE(run_uid, $3), revision = revision + CASE WHEN stage = 'started' THEN 0 ELSE 1 END \
         WHERE id = $1 AND epoch = $2 AND {startable} AND {free} AND {SIGNED} RETURNING {COLUMNS}"
    );
    let permitted = Sql::new("execution", sql).bind(id.as_str()).bind(epoch).bind(run_uid);
    let Some(row) = permitted.maybe(write.on()).await? else {
        return refusal(&mut write, clock, id, Some(epoch)).await;
    };
    announce(&mut write, &execution(&row)?);
    write.commit().await?;
    Ok(Permit::Given(epoch))
}

/// Why the update of this try found no row, read in the same transaction. Nothing that is said here is ever taken back, but that
/// another run is in the way, and what is known of signatures.
async fn refusal(write: &mut Write, clock: &str, id: &ExecutionId, epoch: Option<i64>) -> Result<Permit, StoreError> {
    let free = free(clock);
    let sql = format!(
        "SELECT {COLUMNS}, epoch, CASE WHEN expires_at > {clock} THEN 0 ELSE 1 END AS expired, \
         CASE WHEN {free} THEN 0 ELSE 1 END AS busy, CASE WHEN {SIGNED} THEN 0 ELSE 1 END AS unsigned FROM executions WHERE id = $1"
    );
    let Some(row) = Sql::new("execution", sql).bind(id.as_str()).maybe(write.on()).await? else {
        return Ok(Permit::Over);
    };
    let known = execution(&row)?;
    let held = known.state == ExecutionState::Pending && matches!(known.stage, Stage::Created | Stage::Started);
    Ok(match known {
        _ if !held => Permit::Over,
        known if known.cancel_requested => Permit::Cancelled,
        _ if row.flag("expired")? => Permit::Expired,
        _ if epoch.is_some_and(|tried| row.int("epoch").is_ok_and(|now| now != tried)) => Permit::Overtaken,
        _ if row.flag("busy")? => Permit::Busy,
        _ if row.flag("unsigned")? => Permit::Unsigned,
        _ => Permit::Overtaken,
    })
}
