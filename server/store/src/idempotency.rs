//! First answers, kept a day so that a request sent twice has one effect. Knows nothing of what they answer.

use crate::{
    Store,
    sql::{Sql, json},
};
use async_trait::async_trait;
use domain::ports::{IdempotencyStore, Remembered, StoreError};

/// How long an answer is kept, milliseconds (`api.md`, Conventions).
pub(crate) const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// How long a request may be at work on its answer, milliseconds. After that its process has died with it: what it did is
/// not known, and its key stays taken for the rest of the day.
const AT_WORK_MS: i64 = 5 * 60 * 1000;

/// The status of a request that ended without an answer.
const GIVEN_UP: i64 = 0;

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, actor: &str, key: &str, request_hash: &str) -> Result<Remembered, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        Sql::new("idempotency key", "DELETE FROM idempotency_keys WHERE actor = $1 AND key = $2 AND taken_at <= $3")
            .bind(actor)
            .bind(key)
            .bind(now.plus_ms(-KEPT_MS))
            .run(write.on())
            .await?;
        let taken = Sql::new(
            "idempotency key",
            "INSERT INTO idempotency_keys (actor, key, request_hash, taken_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (actor, key) DO NOTHING",
        )
        .bind(actor)
        .bind(key)
        .bind(request_hash)
        .bind(now)
        .run(write.on())
        .await?;
        if taken == 1 {
            write.commit().await?;
            return Ok(Remembered::New);
        }
        let row = Sql::new(
            "idempotency key",
            "SELECT request_hash, taken_at, status, headers, body FROM idempotency_keys WHERE actor = $1 AND key = $2",
        )
        .bind(actor)
        .bind(key)
        .maybe(write.on())
        .await?;
        // Given free in between: whoever had it has just ended, and this request may be sent again.
        let Some(row) = row else { return Ok(Remembered::InProgress) };
        if row.text("request_hash")? != request_hash {
            return Ok(Remembered::OtherRequest);
        }
        let status = match row.maybe_int("status")? {
            Some(GIVEN_UP) => return Ok(Remembered::Unknown),
            None if now.since(row.time("taken_at")?) >= AT_WORK_MS => return Ok(Remembered::Unknown),
            None => return Ok(Remembered::InProgress),
            Some(status) => status,
        };
        Ok(Remembered::Answer {
            status: u16::try_from(status).map_err(|e| row.corrupt("status", &e))?,
            headers: row.json("headers")?,
            body: row.text("body")?,
        })
    }

    async fn finish(
        &self,
        actor: &str,
        key: &str,
        status: u16,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        Sql::new(
            "idempotency key",
            "UPDATE idempotency_keys SET status = $1, headers = $2, body = $3 \
             WHERE actor = $4 AND key = $5 AND status IS NULL",
        )
        .bind(i64::from(status))
        .bind(json(&headers)?)
        .bind(body)
        .bind(actor)
        .bind(key)
        .run(write.on())
        .await?;
        write.commit().await
    }

    async fn give_up(&self, actor: &str, key: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        Sql::new(
            "idempotency key",
            "UPDATE idempotency_keys SET status = $1 WHERE actor = $2 AND key = $3 AND status IS NULL",
        )
        .bind(GIVEN_UP)
        .bind(actor)
        .bind(key)
        .run(write.on())
        .await?;
        write.commit().await
    }

    async fn forget(&self, actor: &str, key: &str) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        Sql::new("idempotency key", "DELETE FROM idempotency_keys WHERE actor = $1 AND key = $2 AND status IS NULL")
            .bind(actor)
            .bind(key)
            .run(write.on())
            .await?;
        write.commit().await
    }
}
