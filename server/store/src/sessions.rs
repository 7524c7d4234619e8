//! Sessions of browsers. The cookie's value is stored hashed: who reads the database can't sign in with what is there. A session is
//! only ever changed or ended after it began: what was ended does not come back by a request that was under way.

use crate::{
    Store,
    accounts::{USER, hold, user},
    sql::{Row, Sql, json},
    write::Write,
};
use async_trait::async_trait;
use domain::{
    accounts::Secret,
    audit::AuditEntry,
    identity::{Role, SignInMethod},
    ports::{
        CameFrom, Ending, LiveSession, NewSession, OldCookie, Reauthentication, SessionLimits, SessionRecord,
        SessionStore, StoreError,
    },
    time::Timestamp,
};
use std::time::Duration;

/// Nobody waits longer than this for the note that a session was used.
const NOTE_PATIENCE: Duration = Duration::from_millis(100);

const SESSION: &str =
    "s.id AS session_id, s.user_id, s.method, s.began_at, s.authenticated_at, s.used_at, s.address, s.agent";

/// Keeps what the cookie has been until now, which lingers; `renewed_at` is to follow.
const LINGERS: &str = "old_hash = id_hash, old_roles = roles, old_authenticated_at = authenticated_at, renewed_at = ";

#[async_trait]
impl SessionStore for Store {
    async fn begin_session(&self, new: NewSession, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let mut sql = Sql::new("user", "UPDATE users SET last_sign_in_at = ");
        sql.value(now).push(" WHERE disabled = 0 AND id = ").value(new.user_id.as_str());
        if let Some(password) = &new.password {
            sql.push(" AND password = ").value(password.0.as_str());
        }
        sql.push(" RETURNING roles");
        let Some(person) = sql.maybe(write.on()).await? else { return Ok(false) };
        if let Some(old) = &new.replaces {
            delete(&mut write, old).await?;
        }
        let mut sql = Sql::new(
            "session",
            "INSERT INTO sessions (id_hash, id, user_id, roles, method, began_at, authenticated_at, used_at, address, agent, \
             id_token) VALUES ",
        );
        sql.tuple([
            new.secret_hash.into(),
            new.id.into(),
            new.user_id.into(),
            person.text("roles")?.into(),
            new.method.name().into(),
            now.into(),
            now.into(),
            now.into(),
            new.from.address.into(),
            new.from.agent.into(),
            new.id_token.map(|token| token.0).into(),
        ]);
        sql.run(write.on()).await?;
        write.audit(audit);
        write.commit().await?;
        Ok(true)
    }

    async fn session(
        &self,
        secret_hash: &str,
        limits: SessionLimits,
        used: bool,
    ) -> Result<Option<LiveSession>, StoreError> {
        let now = self.dialect().now();
        let user_columns =
            USER.split(", ").map(|column| format!("u.{column} AS {column}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {user_columns}, {SESSION}, s.id_hash, s.roles AS made_under, s.old_roles, s.old_authenticated_at, {now} AS now \
             FROM sessions s JOIN users u ON u.id = s.user_id \
             WHERE (s.id_hash = $1 OR s.old_hash = $1 AND s.renewed_at > {now} - $2) \
             AND u.disabled = 0 AND s.used_at > {now} - $3 AND s.began_at > {now} - $4"
        );
        let sql = Sql::new("session", sql)
            .bind(secret_hash)
            .bind(SessionLimits::LATE_MS)
            .bind(limits.idle_ms)
            .bind(limits.max_age_ms);
        let Some(row) = sql.maybe(&mut *self.read().await?).await? else { return Ok(None) };
        let late = row.text("id_hash")? != secret_hash;
        let mut found = session(&row)?;
        if late {
            found.authenticated_at = row.time("old_authenticated_at")?;
        }
        let live = LiveSession {
            session: found,
            user: user(&row)?,
            made_under: row.json(if late { "old_roles" } else { "made_under" })?,
            late,
            now: row.time("now")?,
        };
        if used && !late && live.now.since(live.session.used_at) >= SessionLimits::NOTED_EVERY_MS {
            // That it can't be noted now is no reason to turn somebody away; the next use is noted instead.
            let _ = tokio::time::timeout(NOTE_PATIENCE, note_use(self, secret_hash, live.now)).await;
        }
        Ok(Some(live))
    }

    async fn renew_session(
        &self,
        secret_hash: &str,
        new_hash: &str,
        roles: &[Role],
        old: OldCookie,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let mut sql = Sql::new("session", "UPDATE sessions SET ");
        match old {
            OldCookie::Lingers => sql.push(LINGERS).value(now),
            OldCookie::Ends => sql.push("old_hash = NULL"),
        };
        sql.push(", id_hash = ").value(new_hash).push(", roles = ").value(json(&roles)?);
        sql.push(" WHERE id_hash = ").value(secret_hash);
        let renewed = sql.run(write.on()).await?;
        write.commit().await?;
        Ok(renewed == 1)
    }

    async fn reauthenticate_session(
        &self,
        secret_hash: &str,
        again: Reauthentication,
        audit: AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let mut sql = Sql::new("session", "UPDATE sessions SET ");
        sql.push(LINGERS)
            .value(now)
            .push(", id_hash = ")
            .value(again.new_hash)
            .push(", method = ")
            .value(again.method.name())
            .push(", authenticated_at = ")
            .value(now);
        sql.push(" WHERE id_hash = ").value(secret_hash);
        sql.push(" AND EXISTS (SELECT 1 FROM users u WHERE u.id = sessions.user_id AND u.disabled = 0");
        if let Some(password) = &again.password {
            sql.push(" AND u.password = ").value(password.0.as_str());
        }
        sql.push(")");
        if sql.run(write.on()).await? == 0 {
            return Ok(false);
        }
        write.audit(audit);
        write.commit().await?;
        Ok(true)
    }

    async fn id_token(&self, secret_hash: &str) -> Result<Option<Secret>, StoreError> {
        let sql =
            Sql::new("session", "SELECT id_token FROM sessions WHERE id_hash = $1 OR old_hash = $1").bind(secret_hash);
        let Some(row) = sql.maybe(&mut *self.read().await?).await? else { return Ok(None) };
        Ok(row.maybe_text("id_token")?.map(Secret))
    }

    async fn end_session(&self, secret_hash: &str, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        if delete(&mut write, secret_hash).await? == 0 {
            return Ok(false);
        }
        write.audit(audit);
        write.commit().await?;
        Ok(true)
    }

    async fn sessions_of(&self, user_id: &str, limits: SessionLimits) -> Result<Vec<SessionRecord>, StoreError> {
        let now = self.dialect().now();
        let sql = format!(
            "SELECT {SESSION} FROM sessions s \
             WHERE s.user_id = $1 AND s.used_at > {now} - $2 AND s.began_at > {now} - $3 \
             ORDER BY s.used_at DESC, s.began_at DESC, s.id"
        );
        let sql = Sql::new("session", sql).bind(user_id).bind(limits.idle_ms).bind(limits.max_age_ms);
        sql.all(&mut *self.read().await?).await?.iter().map(session).collect()
    }

    async fn end_sessions(&self, user_id: &str, which: Ending<'_>, audit: AuditEntry) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        hold(&mut write, user_id).await?;
        let ended = end(&mut write, user_id, which).await?;
        if ended > 0 {
            write.audit(audit);
            write.commit().await?;
        }
        Ok(ended)
    }
}

/// Ends sessions of a person, with the transaction that is the reason for it and has locked their account; how many.
pub(crate) async fn end(write: &mut Write, user_id: &str, which: Ending<'_>) -> Result<u64, StoreError> {
    let mut sql = Sql::new("session", "DELETE FROM sessions WHERE user_id = ");
    sql.value(user_id);
    match which {
        Ending::All => {}
        Ending::One(id) => {
            sql.push(" AND id = ").value(id);
        }
        Ending::AllBut(id) => {
            sql.push(" AND id <> ").value(id);
        }
    }
    sql.run(write.on()).await
}

/// Notes that whose session this is has just proved who they are. What its cookie has been before does not linger any more.
pub(crate) async fn reauthenticated(
    write: &mut Write,
    id: &str,
    method: SignInMethod,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql =
        Sql::new("session", "UPDATE sessions SET authenticated_at = $1, method = $2, old_hash = NULL WHERE id = $3");
    sql.bind(now).bind(method.name()).bind(id).run(write.on()).await?;
    Ok(())
}

async fn delete(write: &mut Write, secret_hash: &str) -> Result<u64, StoreError> {
    let sql = Sql::new("session", "DELETE FROM sessions WHERE id_hash = $1 OR old_hash = $1");
    sql.bind(secret_hash).run(write.on()).await
}

async fn note_use(store: &Store, secret_hash: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    let sql = Sql::new("session", "UPDATE sessions SET used_at = $1 WHERE id_hash = $2 AND used_at < $1");
    sql.bind(now).bind(secret_hash).run(write.on()).await?;
    write.commit().await
}

fn session(row: &Row) -> Result<SessionRecord, StoreError> {
    Ok(SessionRecord {
        id: row.text("session_id")?,
        user_id: row.text("user_id")?,
        method: row.word("method", SignInMethod::from_name)?,
        began_at: row.time("began_at")?,
        authenticated_at: row.time("authenticated_at")?,
        used_at: row.time("used_at")?,
        from: CameFrom { address: row.maybe_text("address")?, agent: row.maybe_text("agent")? },
    })
}
