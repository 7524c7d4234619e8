//! Letting go of what is old: raw history after its retention, and at once what has run out. Rollups, accounts and the catalog
//! stay; the audit trail has a time of its own (`audit::keep`).

use crate::{Store, idempotency::KEPT_MS, rollup::DAY_MS, sql::Sql};
use domain::{
    ports::{DEVICE_MS, SessionLimits, StoreError},
    time::Timestamp,
};

/// Rows that go at a time: other writers get their turn in between.
const AT_ONCE: i64 = 500;
/// How long it is kept who signed an image that nobody uses any more, milliseconds.
const SIGNATURES_MS: i64 = 90 * DAY_MS;

/// What was let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Ended executions, with their tasks, action records and logs.
    pub executions: u64,
    /// Closed recommendations without executions, with their strategies, findings, tickets and decisions.
    pub recommendations: u64,
    /// Incidents that are resolved, or of which nothing was told since, with their signals.
    pub incidents: u64,
    /// Live events.
    pub events: u64,
    /// Notifications that wait no more.
    pub notifications: u64,
}

impl Store {
    /// Lets go of raw history that came more than `retention_days` ago and is at its end. The newest live event always stays, so that a
    /// stream that resumes can tell what it has missed.
    pub async fn prune(&self, retention_days: u32) -> Result<Pruned, StoreError> {
        let before = self.now().await?.plus_ms(-i64::from(retention_days) * DAY_MS);
        Ok(Pruned {
            executions: self.let_go("executions", "id", "stage = 'ended' AND created_at < $1", before).await?,
            recommendations: self
                .let_go(
                    "recommendations",
                    "id",
                    "created_at < $1 AND state <> 'open' \
                     AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.recommendation_id = recommendations.id)",
                    before,
                )
                .await?,
            incidents: self
                .let_go(
                    "incidents",
                    "id",
                    "opened_at < $1 AND (state = 'resolved' \
                     OR NOT EXISTS (SELECT 1 FROM signals s WHERE s.incident_id = incidents.id AND s.told_at >= $1))",
                    before,
                )
                .await?,
            events: self.let_go("events", "id", "at < $1 AND id < (SELECT MAX(id) FROM events)", before).await?,
            notifications: self.let_go("notifications", "id", "created_at < $1 AND state <> 'waiting'", before).await?,
        })
    }

    /// Lets go of sessions that ran out, of browsers not seen for long, of tries that count no more, of
    /// signatures of images that nobody uses, and of kept answers past their day.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.now().await?;
        // Whatever the settings say, none of these lives any more.
        self.let_go("sessions", "id", "began_at <= $1", now.plus_ms(-SessionLimits::MOST_MS)).await?;
        self.let_go("devices", "secret_hash", "used_at <= $1", now.plus_ms(-DEVICE_MS)).await?;
        // Of these as much may be tried again as at first.
        self.let_go("sign_in_tries", "who", "full_at <= $1", now).await?;
        // Of images that no playbook has: runs of them are looked at for as long.
        let unused = "used_at <= $1 \
                      AND NOT EXISTS (SELECT 1 FROM playbook_versions p WHERE p.image = image_signatures.image)";
        self.let_go("image_signatures", "image", unused, now.plus_ms(-SIGNATURES_MS)).await?;
        self.let_go("idempotency_keys", "actor, key", "taken_at <= $1", now.plus_ms(-KEPT_MS)).await?;
        Ok(())
    }

    /// Deletes the rows that are `old`, as of the time `$1`; how many. Those that somebody has locked stay until the next time.
    async fn let_go(&self, table: &str, key: &str, old: &str, before: Timestamp) -> Result<u64, StoreError> {
        let skip = self.dialect().skip_locked();
        let sql =
            format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {old} LIMIT $2{skip})");
        let mut gone = 0;
        loop {
            let mut write = self.write().await?;
            let some = Sql::new("row", sql.as_str()).bind(before).bind(AT_ONCE).run(write.on()).await?;
            write.commit().await?;
            gone += some;
            if some < AT_ONCE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
