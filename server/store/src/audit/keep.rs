//! How long the trail is kept: letting go of rows after their time, unless a legal hold stands.

use super::{
    append::{Held, Turn, take},
    mac,
};
use crate::{Store, sql::Sql};
use domain::{
    audit::{AuditEntry, Hold, PRUNE},
    ports::StoreError,
    time::Timestamp,
};
use serde_json::json;
use sqlx::AnyConnection;

/// Rows that go at a time: other writers get their turn in between.
const AT_ONCE: u64 = 500;

impl Store {
    /// Lets go of all rows before the first that was written at `before` or later, after a row that tells the last of them and
    /// its mac: the chain then begins there. How many; none, and nothing is written, while a hold stands.
    pub async fn prune_audit(&self, before: Timestamp, audit: AuditEntry) -> Result<u64, StoreError> {
        self.declare_removed(before, audit).await?;
        let mut gone = 0;
        loop {
            let mut write = self.write().await?;
            // A hold that is set meanwhile keeps what is still there.
            let sql = format!(
                "DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit \
                 WHERE sequence < (SELECT first_kept FROM audit_head) ORDER BY sequence LIMIT $1{}) \
                 AND NOT EXISTS (SELECT 1 FROM audit_hold)",
                write.dialect().skip_locked()
            );
            let some = Sql::new("audit row", sql).bind(AT_ONCE.cast_signed()).run(write.on()).await?;
            write.commit().await?;
            gone += some;
            if some < AT_ONCE {
                return Ok(gone);
            }
        }
    }

    /// Writes which rows are no longer kept.
    async fn declare_removed(&self, before: Timestamp, mut audit: AuditEntry) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        // With the end held no hold and no row comes in between.
        let Held { head, seal, .. } = take(&mut write, 0).await?;
        if head.key.is_empty() || hold_on(write.on()).await?.is_some() {
            return Ok(());
        }
        // What is broken stays as it is, for whoever looks into it.
        if seal != Some(head.seal(&self.audit_key(&head.key)?)) {
            return Ok(());
        }
        let young = Sql::new(
            "audit row",
            "SELECT sequence FROM audit WHERE sequence >= $1 AND at >= $2 ORDER BY sequence LIMIT 1",
        );
        let young = young.bind(head.first).bind(before).maybe(write.on()).await?;
        let first = young.map_or(Ok(head.sequence + 1), |row| row.int("sequence"))?;
        if first <= head.first {
            return Ok(());
        }
        let last = Sql::new("audit row", "SELECT mac FROM audit WHERE sequence = $1").bind(first - 1);
        let Some(anchor) = last.maybe(write.on()).await?.map(|row| mac(&row, "mac")).transpose()?.flatten() else {
            return Ok(());
        };
        audit.action = PRUNE.into();
        audit.before = Some(json!({ "first": head.first }));
        audit.after = Some(json!({ "last_sequence": first - 1, "last_mac": anchor, "written_before": before }));
        write.turn(Turn::First { sequence: first, anchor });
        write.audit(audit);
        write.commit().await
    }
}

/// The hold, where one stands.
pub(super) async fn hold_on(on: &mut AnyConnection) -> Result<Option<Hold>, StoreError> {
    let row = Sql::new("legal hold", "SELECT since, actor, reason FROM audit_hold").maybe(on).await?;
    row.map(|row| Ok(Hold { since: row.time("since")?, by: row.json("actor")?, reason: row.text("reason")? }))
        .transpose()
}

pub(super) async fn set_hold(store: &Store, audit: AuditEntry) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    let now = write.now().await?;
    let new = Sql::new(
        "legal hold",
        "INSERT INTO audit_hold (one, since, actor, reason) VALUES (1, $1, $2, $3) ON CONFLICT (one) DO NOTHING",
    )
    .bind(now)
    .bind(crate::sql::json(&audit.actor)?)
    .bind(audit.reason.as_deref().unwrap_or_default())
    .run(write.on())
    .await?;
    if new == 1 {
        write.audit(audit);
        write.commit().await?;
    }
    Ok(new == 1)
}

pub(super) async fn release_hold(store: &Store, mut audit: AuditEntry) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    let held = hold_on(write.on()).await?;
    let gone = Sql::new("legal hold", "DELETE FROM audit_hold").run(write.on()).await?;
    if gone == 1 {
        audit.before = held.map(|held| json!({ "since": held.since, "by": held.by, "reason": held.reason }));
        write.audit(audit);
        write.commit().await?;
    }
    Ok(gone == 1)
}
