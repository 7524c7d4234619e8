//! Sessions in the database, for tower-sessions. The cookie's value is stored hashed: who reads the database can't sign in
//! with what is there.

use crate::{Store, sql::Sql, write::Write};
use async_trait::async_trait;
use domain::ports::StoreError;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// The key of a session's data that holds the user's id (`user:…`). Sessions of a user end with a new password and when the
/// account is disabled.
pub const SESSION_USER: &str = "user_id";

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // Ids are random; one that is taken is drawn again.
        while !put(self, record, "DO NOTHING").await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let update = "(id_hash) DO UPDATE SET user_id = excluded.user_id, data = excluded.data, \
                      expires_at = excluded.expires_at";
        put(self, record, update).await.map(|_| ())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.dialect().now();
        let sql = format!("SELECT data, expires_at FROM sessions WHERE id_hash = $1 AND expires_at > {now}");
        let mut connection = self.read().await.map_err(backend)?;
        let row = Sql::new("session", sql).bind(hash(id)).maybe(&mut connection).await.map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let nanos = i128::from(row.int("expires_at").map_err(backend)?) * 1_000_000;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|e| Error::Decode(e.to_string()))?;
        let data = row.json("data").map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let mut write = self.write().await.map_err(backend)?;
        let sql = Sql::new("session", "DELETE FROM sessions WHERE id_hash = $1").bind(hash(id));
        sql.run(write.on()).await.map_err(backend)?;
        write.commit().await.map_err(backend)
    }
}

/// Ends all sessions of a user, with the transaction that is the reason for it.
pub(crate) async fn end_all(write: &mut Write, user_id: &str) -> std::result::Result<(), StoreError> {
    Sql::new("session", "DELETE FROM sessions WHERE user_id = $1").bind(user_id).run(write.on()).await?;
    Ok(())
}

async fn put(store: &Store, record: &Record, on_conflict: &str) -> Result<bool> {
    let data = serde_json::to_string(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
    let expires_at = i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1_000_000)
        .map_err(|e| Error::Encode(e.to_string()))?;
    let mut write = store.write().await.map_err(backend)?;
    let mut sql = Sql::new("session", "INSERT INTO sessions (id_hash, user_id, data, expires_at) VALUES ");
    let user = record.data.get(SESSION_USER).and_then(Value::as_str);
    sql.tuple([hash(&record.id).into(), user.into(), data.into(), expires_at.into()]);
    sql.push(" ON CONFLICT ").push(on_conflict);
    let written = sql.run(write.on()).await.map_err(backend)?;
    write.commit().await.map_err(backend)?;
    Ok(written == 1)
}

fn hash(id: &Id) -> String {
    hex::encode(Sha256::digest(id.0.to_le_bytes()))
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err hands in")]
fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}
