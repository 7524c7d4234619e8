//! How often passwords were tried, and known browsers. Of each who one time is kept: when as much may be tried again as at first. Each
//! try puts it off, and none counts that would put it off too far (the generic cell rate algorithm).

use crate::{Store, accounts::hold, sql::Sql};
use async_trait::async_trait;
use domain::ports::{Allowance, DEVICE_MS, StoreError, TryStore};

/// Browsers of one person that are known at the same time.
const DEVICES: i64 = 50;

#[async_trait]
impl TryStore for Store {
    async fn count_try(&self, who: &str, allowance: Allowance) -> Result<Option<i64>, StoreError> {
        let now = self.dialect().clock();
        let room = i64::from(allowance.at_once.saturating_sub(1)) * allowance.every_ms;
        let mut write = self.write().await?;
        let sql = format!(
            "INSERT INTO sign_in_tries (who, full_at) VALUES ($1, {now} + $2) ON CONFLICT (who) DO UPDATE SET full_at = \
             (CASE WHEN sign_in_tries.full_at > {now} THEN sign_in_tries.full_at ELSE {now} END) + $2 \
             WHERE sign_in_tries.full_at <= {now} + $3 RETURNING full_at"
        );
        let sql = Sql::new("try", sql).bind(who).bind(allowance.every_ms).bind(room);
        if sql.maybe(write.on()).await?.is_some() {
            write.commit().await?;
            return Ok(None);
        }
        let sql = format!("SELECT full_at - {now} AS wait FROM sign_in_tries WHERE who = $1");
        let row = Sql::new("try", sql).bind(who).one(write.on()).await?;
        Ok(Some((row.int("wait")? - room).max(1)))
    }

    async fn return_try(&self, who: &str, allowance: Allowance) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let sql = Sql::new("try", "UPDATE sign_in_tries SET full_at = full_at - $1 WHERE who = $2");
        sql.bind(allowance.every_ms).bind(who).run(write.on()).await?;
        write.commit().await
    }

    async fn knows_device(&self, secret_hash: &str, name: &str) -> Result<bool, StoreError> {
        let now = self.dialect().now();
        let sql = format!(
            "SELECT d.user_id FROM devices d JOIN users u ON u.id = d.user_id \
             WHERE d.secret_hash = $1 AND u.name = $2 AND d.used_at > {now} - $3"
        );
        let sql = Sql::new("device", sql).bind(secret_hash).bind(name).bind(DEVICE_MS);
        Ok(sql.maybe(&mut *self.read().await?).await?.is_some())
    }

    async fn note_device(&self, secret_hash: &str, user_id: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        hold(&mut write, user_id).await?;
        let now = write.now().await?;
        Sql::new(
            "device",
            "INSERT INTO devices (secret_hash, user_id, used_at) VALUES ($1, $2, $3) \
             ON CONFLICT (secret_hash) DO UPDATE SET user_id = excluded.user_id, used_at = excluded.used_at",
        )
        .bind(secret_hash)
        .bind(user_id)
        .bind(now)
        .run(write.on())
        .await?;
        Sql::new(
            "device",
            "DELETE FROM devices WHERE user_id = $1 AND secret_hash NOT IN \
             (SELECT secret_hash FROM devices WHERE user_id = $1 ORDER BY used_at DESC, secret_hash LIMIT $2)",
        )
        .bind(user_id)
        .bind(DEVICES)
        .run(write.on())
        .await?;
        write.commit().await
    }
}
