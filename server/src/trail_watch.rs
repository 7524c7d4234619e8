//! Looks after the audit trail while the console runs: whether it is still what was written, and what was kept long enough.

use crate::{edge::UuidIds, services::Services};
use domain::{
    audit::{AuditEntry, PRUNE},
    effectiveness::DAY_MS,
    ports::{Ids as _, StoreError},
};
use std::time::Duration;
use store::Store;

/// After so long from the start it is looked at for the first time.
const FIRST_LOOK: Duration = Duration::from_secs(30);
/// How often it is then.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// How many looks lie between two at every row; then old rows are let go of, too, which leaves a row.
const LOOKS_A_DAY: u32 = 24;

/// Looks at every row soon after the start and then by the day, at what came since by the hour, and lets go of what was kept long
/// enough.
pub async fn watch(store: Store, services: Services, retention_days: Option<u32>) {
    tokio::time::sleep(FIRST_LOOK).await;
    for look in 0_u32.. {
        let whole = look.is_multiple_of(LOOKS_A_DAY);
        let looked = if whole { services.look_at_trail().await } else { services.look_at_new_rows().await };
        if let Err(error) = looked {
            tracing::warn!(?error, "the audit trail can't be looked at");
        }
        if let Some(days) = retention_days.filter(|_| whole)
            && let Err(error) = prune(&store, days).await
        {
            tracing::warn!(%error, "old rows of the audit trail can't be removed");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn prune(store: &Store, days: u32) -> Result<(), StoreError> {
    let before = store.now().await?.plus_ms(-i64::from(days) * DAY_MS);
    let entry = AuditEntry::of_console("retention", "audit retention", PRUNE, "audit", "trail", UuidIds.fresh());
    let gone = store.prune_audit(before, entry).await?;
    if gone > 0 {
        tracing::info!(rows = gone, "old rows of the audit trail were removed");
    }
    Ok(())
}
