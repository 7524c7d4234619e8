//! People and tokens. Knows neither how a password is hashed nor what a role may do.

use crate::{
    Store, sessions,
    sql::{Row, Sql, json},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    accounts::folded,
    audit::AuditEntry,
    identity::{Role, SignInMethod},
    ids::ActorId,
    ports::{AccountChange, AccountStore, Ending, NewToken, PasswordHash, StoreError, TokenRecord, UserRecord},
    provider::FederatedIdentity,
};
use std::time::Duration;

pub(crate) const USER: &str = "id, name, roles, disabled, created_at, last_sign_in_at, issuer, subject, member_of";
const TOKEN: &str = "id, name, roles, owner, created_at, expires_at, last_used_at, revoked_at";

/// A token's use is noted at most this often, milliseconds.
const NOTED_EVERY_MS: i64 = 60_000;
/// Nobody waits longer than this for such a note to be written.
const NOTE_PATIENCE: Duration = Duration::from_millis(100);

#[async_trait]
impl AccountStore for Store {
    async fn is_empty(&self) -> Result<bool, StoreError> {
        let first = Sql::new("user", "SELECT id FROM users LIMIT 1").maybe(&mut *self.read().await?).await?;
        Ok(first.is_none())
    }

    async fn create_user(
        &self,
        id: &str,
        name: &str,
        roles: &[Role],
        password: &PasswordHash,
        audit: AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Accounts).await?;
        if !alike(&mut write, name).await?.is_empty() {
            return Ok(false);
        }
        let now = write.now().await?;
        let new = Sql::new(
            "user",
            "INSERT INTO users (id, name, roles, password, disabled, created_at) VALUES ($1, $2, $3, $4, 0, $5) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(id)
        .bind(name)
        .bind(json(&roles)?)
        .bind(&password.0)
        .bind(now)
        .run(write.on())
        .await?;
        settle(write, new == 1, audit).await
    }

    async fn users(&self) -> Result<Vec<UserRecord>, StoreError> {
        let sql = Sql::new("user", format!("SELECT {USER} FROM users ORDER BY name"));
        sql.all(&mut *self.read().await?).await?.iter().map(user).collect()
    }

    async fn user(&self, id: &str) -> Result<Option<UserRecord>, StoreError> {
        let sql = Sql::new("user", format!("SELECT {USER} FROM users WHERE id = $1")).bind(id);
        sql.maybe(&mut *self.read().await?).await?.as_ref().map(user).transpose()
    }

    async fn user_for_sign_in(&self, name: &str) -> Result<Option<(UserRecord, PasswordHash)>, StoreError> {
        let sql = Sql::new("user", format!("SELECT {USER}, password FROM users WHERE name = $1")).bind(name);
        let row = sql.maybe(&mut *self.read().await?).await?;
        row.map(|row| Ok((user(&row)?, PasswordHash(row.text("password")?)))).transpose()
    }

    async fn set_roles(
        &self,
        name: &str,
        roles: &[Role],
        keeps_admin: bool,
        audit: AuditEntry,
    ) -> Result<AccountChange, StoreError> {
        let mut write = self.write().await?;
        if keeps_admin && !roles.contains(&Role::Admin) && is_last_admin(&mut write, name).await? {
            return Ok(AccountChange::LastAdmin);
        }
        let sql = Sql::new("user", "UPDATE users SET roles = $1 WHERE name = $2");
        let found = sql.bind(json(&roles)?).bind(name).run(write.on()).await?;
        Ok(changed(settle(write, found == 1, audit).await?))
    }

    async fn set_disabled(
        &self,
        name: &str,
        disabled: bool,
        keeps_admin: bool,
        audit: AuditEntry,
    ) -> Result<AccountChange, StoreError> {
        let mut write = self.write().await?;
        if keeps_admin && disabled && is_last_admin(&mut write, name).await? {
            return Ok(AccountChange::LastAdmin);
        }
        let sql = Sql::new("user", "UPDATE users SET disabled = $1 WHERE name = $2 RETURNING id");
        let found = sql.bind(disabled).bind(name).maybe(write.on()).await?;
        if let Some(row) = found.as_ref().filter(|_| disabled) {
            sessions::end(&mut write, &row.text("id")?, Ending::All).await?;
        }
        Ok(changed(settle(write, found.is_some(), audit).await?))
    }

    async fn set_password(
        &self,
        name: &str,
        password: &PasswordHash,
        spared: Option<&str>,
        audit: AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let sql = Sql::new("user", "UPDATE users SET password = $1 WHERE name = $2 RETURNING id");
        let found = sql.bind(&password.0).bind(name).maybe(write.on()).await?;
        if let Some(row) = &found {
            let (id, which) = (row.text("id")?, spared.map_or(Ending::All, Ending::AllBut));
            sessions::end(&mut write, &id, which).await?;
            // Whoever knew the old password may have made one known.
            Sql::new("device", "DELETE FROM devices WHERE user_id = $1").bind(id).run(write.on()).await?;
        }
        if let Some(id) = spared {
            sessions::proved(&mut write, id, SignInMethod::Password, now).await?;
        }
        settle(write, found.is_some(), audit).await
    }

    async fn create_token(&self, token: NewToken, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Tokens).await?;
        let now = write.now().await?;
        let live = Sql::new(
            "token",
            "SELECT id FROM tokens WHERE name = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        );
        if live.bind(&token.name).bind(now).maybe(write.on()).await?.is_some() {
            return Ok(false);
        }
        Sql::new(
            "token",
            "INSERT INTO tokens (id, name, roles, owner, secret_hash, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.id)
        .bind(token.name)
        .bind(json(&token.roles)?)
        .bind(token.owner.as_ref().map(ActorId::as_str))
        .bind(token.secret_hash)
        .bind(now)
        .bind(token.expires_at)
        .run(write.on())
        .await?;
        settle(write, true, audit).await
    }

    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        let sql = Sql::new("token", format!("SELECT {TOKEN} FROM tokens ORDER BY created_at DESC, id DESC"));
        sql.all(&mut *self.read().await?).await?.iter().map(token).collect()
    }

    async fn token_by_hash(&self, secret_hash: &str) -> Result<Option<TokenRecord>, StoreError> {
        let now = self.dialect().now();
        let sql = format!(
            "SELECT {TOKEN}, {now} AS now FROM tokens WHERE secret_hash = $1 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > {now}) \
             AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = tokens.owner AND users.disabled <> 0)"
        );
        // A person and their tokens are one: what a disabled person may not do, their tokens may not either.
        let row = Sql::new("token", sql).bind(secret_hash).maybe(&mut *self.read().await?).await?;
        let Some(row) = row else { return Ok(None) };
        let (mut found, now) = (token(&row)?, row.time("now")?);
        if found.last_used_at.is_none_or(|used| now.since(used) >= NOTED_EVERY_MS) {
            let note = async {
                let mut write = self.write().await?;
                let sql = Sql::new("token", "UPDATE tokens SET last_used_at = $1 WHERE id = $2");
                sql.bind(now).bind(&found.id).run(write.on()).await?;
                write.commit().await
            };
            // That it can't be noted now is no reason to turn somebody away; the next use is noted instead.
            if let Ok(Ok(())) = tokio::time::timeout(NOTE_PATIENCE, note).await {
                found.last_used_at = Some(now);
            }
        }
        Ok(Some(found))
    }

    async fn revoke_token(&self, name_or_id: &str, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let revoked = Sql::new(
            "token",
            "UPDATE tokens SET revoked_at = $1 WHERE (name = $2 OR id = $2) AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $1)",
        )
        .bind(now)
        .bind(name_or_id)
        .run(write.on())
        .await?;
        settle(write, revoked > 0, audit).await
    }
}

/// Whether this account is an active admin and nobody else is. Whoever asks next waits until what follows from it is done.
async fn is_last_admin(write: &mut Write, name: &str) -> Result<bool, StoreError> {
    write.lock(Lock::Accounts).await?;
    let active = Sql::new("user", "SELECT name, roles FROM users WHERE disabled = 0").all(write.on()).await?;
    let mut admins = Vec::new();
    for row in &active {
        if row.json::<Vec<Role>>("roles")?.contains(&Role::Admin) {
            admins.push(row.text("name")?);
        }
    }
    Ok(admins == [name])
}

/// Ids and names of the accounts that are called so, in whatever letters. Whoever goes on from it holds [`Lock::Accounts`].
pub(crate) async fn alike(write: &mut Write, name: &str) -> Result<Vec<(String, String)>, StoreError> {
    let name = folded(name);
    let all = Sql::new("user", "SELECT id, name FROM users").all(write.on()).await?;
    let mut found = Vec::new();
    for row in &all {
        let called = row.text("name")?;
        // The databases don't agree on what a small letter is.
        if folded(&called) == name {
            found.push((row.text("id")?, called));
        }
    }
    Ok(found)
}

const fn changed(done: bool) -> AccountChange {
    if done { AccountChange::Done } else { AccountChange::NotFound }
}

/// Commits with the audit row where something was done; else leaves all as it was.
pub(crate) async fn settle(mut write: Write, done: bool, audit: AuditEntry) -> Result<bool, StoreError> {
    if done {
        write.audit(audit);
        write.commit().await?;
    }
    Ok(done)
}

pub(crate) fn user(row: &Row) -> Result<UserRecord, StoreError> {
    let from = |issuer| {
        Ok::<_, StoreError>(FederatedIdentity { issuer, subject: row.text("subject")?, groups: row.json("member_of")? })
    };
    Ok(UserRecord {
        id: row.text("id")?,
        name: row.text("name")?,
        roles: row.json("roles")?,
        disabled: row.flag("disabled")?,
        created_at: row.time("created_at")?,
        last_sign_in_at: row.maybe_time("last_sign_in_at")?,
        external: row.maybe_text("issuer")?.map(from).transpose()?,
    })
}

fn token(row: &Row) -> Result<TokenRecord, StoreError> {
    Ok(TokenRecord {
        id: row.text("id")?,
        name: row.text("name")?,
        roles: row.json("roles")?,
        owner: row.maybe_text("owner")?.map(ActorId::new),
        created_at: row.time("created_at")?,
        expires_at: row.maybe_time("expires_at")?,
        last_used_at: row.maybe_time("last_used_at")?,
        revoked_at: row.maybe_time("revoked_at")?,
    })
}
