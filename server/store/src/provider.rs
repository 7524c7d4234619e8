//! Sign-ins under way at the provider, its people's accounts, and blocked groups. Who is let in is asked of `domain`, inside
//! the transaction that lets them in.

use crate::{
    Store,
    accounts::{USER, alike, settle, user},
    sql::{Row, Sql, json},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    identity::{Actor, Role},
    ports::{Arrival, BegunSignIn, BlockedGroup, ProviderStore, RolesBy, SIGN_IN_MS, StoreError, UserRecord},
    provider::{FederatedIdentity, Person, Refusal, admitted},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

#[async_trait]
impl ProviderStore for Store {
    async fn begin_sign_in(&self, state: &str, browser: &str, begun: BegunSignIn) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        // Strangers begin these: what has run out goes with the next one.
        Sql::new("sign-in", "DELETE FROM begun_sign_ins WHERE expires_at <= $1").bind(now).run(write.on()).await?;
        let mut sql = Sql::new(
            "sign-in",
            "INSERT INTO begun_sign_ins (state_hash, browser_hash, nonce, verifier, next, expires_at) VALUES ",
        );
        sql.tuple([
            hash(state).into(),
            hash(browser).into(),
            begun.nonce.into(),
            begun.verifier.into(),
            begun.next.into(),
            now.plus_ms(SIGN_IN_MS).into(),
        ]);
        sql.run(write.on()).await?;
        write.commit().await
    }

    async fn take_sign_in(&self, state: &str, browser: &str) -> Result<Option<BegunSignIn>, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let sql = Sql::new(
            "sign-in",
            "DELETE FROM begun_sign_ins WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3 \
             RETURNING nonce, verifier, next",
        );
        let taken = sql.bind(hash(state)).bind(hash(browser)).bind(now).maybe(write.on()).await?;
        write.commit().await?;
        let Some(row) = taken else { return Ok(None) };
        Ok(Some(BegunSignIn { nonce: row.text("nonce")?, verifier: row.text("verifier")?, next: row.text("next")? }))
    }

    async fn admit(&self, arrival: Arrival, mut entry: AuditEntry) -> Result<Result<UserRecord, Refusal>, StoreError> {
        let Arrival { id, person, roles } = arrival;
        let mut write = self.write().await?;
        let blocked: Vec<String> = blocked(write.on()).await?.into_iter().map(|group| group.name).collect();
        let known = by_subject(&mut write, &person.from).await?;
        if let Err(refusal) = admitted(&person, &roles, known.as_ref(), &blocked) {
            return refused(write, &person, known.as_ref(), refusal, entry).await.map(Err);
        }
        if known.as_ref().is_none_or(|user| user.name != person.name) {
            write.lock(Lock::Accounts).await?;
            free_name(&mut write, &person, &entry).await?;
        }
        let (id, made) = match known {
            Some(user) => {
                if user.name != person.name {
                    rename(&mut write, &user.id, &person.name).await?;
                }
                (user.id, false)
            }
            None if make(&mut write, &id, &person, &roles).await? => (id, true),
            // Their first time, twice at once; or somebody else's name.
            None => {
                let Some(user) = by_subject(&mut write, &person.from).await? else {
                    let refusal = Refusal::NameTaken(person.name.clone());
                    return refused(write, &person, None, refusal, entry).await.map(Err);
                };
                (user.id, false)
            }
        };
        let now = write.now().await?;
        let sql =
            format!("UPDATE users SET roles = $1, member_of = $2, last_sign_in_at = $3 WHERE id = $4 RETURNING {USER}");
        let sql = Sql::new("user", sql).bind(json(&roles)?).bind(json(&person.from.groups)?).bind(now).bind(id);
        let user = user(&sql.one(write.on()).await?)?;
        entry.actor = user.actor();
        entry.object_id.clone_from(&user.name);
        if made {
            write.audit(AuditEntry { action: "account.create".into(), ..entry.clone() });
        }
        entry.action = "account.sign_in".into();
        write.audit(entry);
        write.commit().await?;
        Ok(Ok(user))
    }

    async fn judge_anew(&self, roles: RolesBy<'_>, entry: AuditEntry) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Accounts).await?;
        let all = Sql::new("user", format!("SELECT {USER} FROM users WHERE issuer IS NOT NULL ORDER BY id"));
        let mut changed = 0;
        for row in &all.all(write.on()).await? {
            let user = user(row)?;
            let Some(from) = &user.external else { continue };
            let now = roles(from);
            if now == user.roles {
                continue;
            }
            // Who signs in at this moment has been judged by what was said of them just now.
            let sql = Sql::new("user", "UPDATE users SET roles = $1 WHERE id = $2 AND member_of = $3");
            if sql.bind(json(&now)?).bind(&user.id).bind(row.text("member_of")?).run(write.on()).await? == 1 {
                write.audit(AuditEntry {
                    object_id: user.name,
                    before: Some(json!({ "roles": user.roles })),
                    after: Some(json!({ "roles": now })),
                    ..entry.clone()
                });
                changed += 1;
            }
        }
        if changed > 0 {
            write.commit().await?;
        }
        Ok(changed)
    }

    async fn blocked_groups(&self) -> Result<Vec<BlockedGroup>, StoreError> {
        blocked(&mut *self.read().await?).await
    }

    async fn block_group(&self, group: &str, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let new = Sql::new(
            "blocked group",
            "INSERT INTO blocked_groups (name, blocked_at, blocked_by) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        )
        .bind(group)
        .bind(now)
        .bind(&audit.actor.name)
        .run(write.on())
        .await?;
        settle(write, new == 1, audit).await
    }

    async fn unblock_group(&self, group: &str, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let sql = Sql::new("blocked group", "DELETE FROM blocked_groups WHERE name = $1").bind(group);
        let gone = sql.run(write.on()).await?;
        settle(write, gone == 1, audit).await
    }
}

/// The blocked groups, by name.
pub(crate) async fn blocked(on: &mut AnyConnection) -> Result<Vec<BlockedGroup>, StoreError> {
    let sql = Sql::new("blocked group", "SELECT name, blocked_at, blocked_by FROM blocked_groups ORDER BY name");
    let group = |row: &Row| {
        let (name, at, by) = (row.text("name")?, row.time("blocked_at")?, row.text("blocked_by")?);
        Ok::<_, StoreError>(BlockedGroup { name, at, by })
    };
    sql.all(on).await?.iter().map(group).collect()
}

async fn by_subject(write: &mut Write, from: &FederatedIdentity) -> Result<Option<UserRecord>, StoreError> {
    let sql = Sql::new("user", format!("SELECT {USER} FROM users WHERE issuer = $1 AND subject = $2"));
    sql.bind(&from.issuer).bind(&from.subject).maybe(write.on()).await?.as_ref().map(user).transpose()
}

/// Makes the account; `false` when it is there already, or its name is, in whatever letters.
async fn make(write: &mut Write, id: &str, person: &Person, roles: &[Role]) -> Result<bool, StoreError> {
    if !alike(write, &person.name).await?.is_empty() {
        return Ok(false);
    }
    let now = write.now().await?;
    let new = Sql::new(
        "user",
        "INSERT INTO users (id, name, roles, password, disabled, created_at, issuer, subject, member_of) \
         VALUES ($1, $2, $3, '', 0, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(&person.name)
    .bind(json(&roles)?)
    .bind(now)
    .bind(&person.from.issuer)
    .bind(&person.from.subject)
    .bind(json(&person.from.groups)?)
    .run(write.on())
    .await?;
    Ok(new == 1)
}

/// Follows the provider in what somebody is called, as long as nobody else is called so.
async fn rename(write: &mut Write, id: &str, name: &str) -> Result<(), StoreError> {
    if alike(write, name).await?.iter().any(|(other, _)| other != id) {
        return Ok(());
    }
    Sql::new("user", "UPDATE users SET name = $1 WHERE id = $2").bind(name).bind(id).run(write.on()).await?;
    Ok(())
}

/// Who left does not keep a name from who came after them: a disabled account of the same provider gives it up.
async fn free_name(write: &mut Write, person: &Person, entry: &AuditEntry) -> Result<(), StoreError> {
    for (id, called) in alike(write, &person.name).await? {
        let sql = Sql::new(
            "user",
            "UPDATE users SET name = name || ' (former, ' || id || ')' \
             WHERE id = $1 AND issuer = $2 AND subject <> $3 AND disabled <> 0 RETURNING name",
        );
        let freed = sql.bind(id).bind(&person.from.issuer).bind(&person.from.subject).maybe(write.on()).await?;
        if let Some(row) = freed {
            let name = row.text("name")?;
            write.audit(AuditEntry {
                actor: at_the_door(),
                action: "account.rename".into(),
                object_id: name.clone(),
                before: Some(json!({ "name": called })),
                after: Some(json!({ "name": name })),
                ..entry.clone()
            });
        }
    }
    Ok(())
}

/// Nothing but the audit row that says so.
async fn refused(
    mut write: Write,
    person: &Person,
    known: Option<&UserRecord>,
    refusal: Refusal,
    mut entry: AuditEntry,
) -> Result<Refusal, StoreError> {
    entry.actor = known.map_or_else(at_the_door, UserRecord::actor);
    entry.action = "account.refuse_sign_in".into();
    entry.object_id.clone_from(&person.name);
    if let Some(Value::Object(after)) = &mut entry.after {
        after.insert("refused".into(), refusal.code().into());
    }
    write.audit(entry);
    write.commit().await?;
    Ok(refusal)
}

/// In place of somebody who has no account (yet).
fn at_the_door() -> Actor {
    Actor::system("sign-in")
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
