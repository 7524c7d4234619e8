//! Approval policies: every version that was written, and the one in force. What a policy says is `domain::policy`'s.

use crate::{
    Store,
    page::{key, page_of, wanted},
    recommendations::digest,
    sql::{Row, Sql, json},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    identity::Actor,
    ids::Digest,
    paging::{Page, PageOf},
    ports::{
        Activated, Activation, NewPolicy, PolicyOrigin, PolicyRecord, PolicyState as State, PolicyStore, StoreError,
    },
};
use serde_json::json as object;
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

const SELECT: &str = "SELECT version, state, origin, digest, yaml, document, made_by, made_at, activated_at, retired_at \
                      FROM policies";
const LIST: &str = "policies";

#[async_trait]
impl PolicyStore for Store {
    async fn active(&self) -> Result<PolicyRecord, StoreError> {
        in_force(&mut *self.snapshot().await?).await
    }

    async fn policy(&self, version: u32) -> Result<Option<PolicyRecord>, StoreError> {
        one(&mut *self.snapshot().await?, version).await
    }

    async fn policies(&self, page: &Page) -> Result<PageOf<PolicyRecord>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let mut sql = Sql::new("policy", format!("{SELECT} WHERE 1 = 1"));
        if let Some(before) = key::<u32>(LIST, page)? {
            sql.push(" AND version < ").value(before);
        }
        sql.push(" ORDER BY version DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut snapshot).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.push(record(&mut snapshot, row).await?);
        }
        page_of(LIST, page, found, |one: &PolicyRecord| one.version)
    }

    async fn draft(&self, new: NewPolicy, mut audit: AuditEntry) -> Result<PolicyRecord, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Policies).await?;
        let now = write.now().await?;
        let newest = Sql::new("policy", "SELECT MAX(version) AS version FROM policies").one(write.on()).await?;
        let version = newest.maybe_int("version")?.unwrap_or(0) + 1;
        let digest = Digest::from_bytes(Sha256::digest(&new.yaml).into());
        let mut sql = Sql::new(
            "policy",
            "INSERT INTO policies (version, state, origin, digest, yaml, document, made_by, made_at) VALUES ",
        );
        sql.tuple([
            version.into(),
            State::Draft.name().into(),
            new.origin.name().into(),
            digest.as_str().into(),
            new.yaml.as_str().into(),
            json(&new.policy)?.into(),
            json(&new.by)?.into(),
            now.into(),
        ]);
        sql.run(write.on()).await?;
        audit.object_id = version.to_string();
        audit.after = Some(object!({ "version": version, "name": new.policy.name, "digest": digest }));
        write.audit(audit);
        write.commit().await?;
        Ok(PolicyRecord {
            version: u32::try_from(version).unwrap_or(u32::MAX),
            state: State::Draft,
            origin: new.origin,
            policy: new.policy,
            yaml: new.yaml,
            digest,
            made_by: new.by,
            made_at: now,
            agreed: Vec::new(),
            activated_at: None,
            retired_at: None,
        })
    }

    async fn activate(&self, activation: Activation, mut audit: AuditEntry) -> Result<Activated, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Policies).await?;
        let Some(wanted) = one(write.on(), activation.version).await? else { return Ok(Activated::Missing) };
        if wanted.state == State::Active {
            return Ok(Activated::InForce);
        }
        let current = in_force(write.on()).await?;
        let need = activation.need.unwrap_or(current.policy.activation);
        if !agree(&mut write, &activation).await? {
            return Ok(Activated::Already { need });
        }
        let agreed = agreed(write.on(), activation.version).await?;
        let have = u32::try_from(agreed.len()).unwrap_or(u32::MAX);
        audit.object_id = activation.version.to_string();
        audit.reason.clone_from(&activation.reason);
        let waiting = have < need;
        if waiting {
            "policy.agree".clone_into(&mut audit.action);
            audit.after = Some(object!({ "version": activation.version, "have": have, "need": need }));
        } else {
            put_in_force(&mut write, activation.version).await?;
            "policy.activate".clone_into(&mut audit.action);
            audit.before = Some(object!({ "version": current.version, "digest": current.digest }));
            audit.after = Some(object!({ "version": activation.version, "digest": wanted.digest, "agreed": agreed }));
        }
        let record = one(write.on(), activation.version).await?.map(Box::new);
        let record = record.ok_or_else(|| StoreError::Failed("a policy vanished under its lock".into()))?;
        write.audit(audit);
        write.commit().await?;
        Ok(if waiting { Activated::Waiting { record, have, need } } else { Activated::Done(record) })
    }
}

/// Notes that somebody agrees; `false` when they do already.
async fn agree(write: &mut Write, activation: &Activation) -> Result<bool, StoreError> {
    let now = write.now().await?;
    let sql =
        "INSERT INTO policy_agreements (version, person, actor, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let noted = Sql::new("policy agreement", sql)
        .bind(activation.version)
        .bind(activation.by.person().as_str())
        .bind(json(&activation.by)?)
        .bind(now)
        .run(write.on())
        .await?;
    Ok(noted == 1)
}

async fn put_in_force(write: &mut Write, version: u32) -> Result<(), StoreError> {
    let now = write.now().await?;
    let retire = "UPDATE policies SET state = 'retired', retired_at = $1 WHERE state = 'active'";
    Sql::new("policy", retire).bind(now).run(write.on()).await?;
    let begin = "UPDATE policies SET state = 'active', activated_at = $1, retired_at = NULL WHERE version = $2";
    Sql::new("policy", begin).bind(now).bind(version).run(write.on()).await?;
    let forget = "DELETE FROM policy_agreements WHERE version <> $1";
    Sql::new("policy agreement", forget).bind(version).run(write.on()).await?;
    Ok(())
}

/// Holds the policy in force until the end of the transaction, and tells its version; none in the moment in which another one
/// takes its place.
pub(crate) async fn hold(write: &mut Write) -> Result<Option<u32>, StoreError> {
    let sql = "UPDATE policies SET made_at = made_at WHERE state = 'active' RETURNING version";
    Sql::new("policy", sql).maybe(write.on()).await?.map(|row| row.count("version")).transpose()
}

async fn in_force(on: &mut AnyConnection) -> Result<PolicyRecord, StoreError> {
    let row = Sql::new("policy", format!("{SELECT} WHERE state = 'active'")).one(on).await?;
    record(on, &row).await
}

async fn one(on: &mut AnyConnection, version: u32) -> Result<Option<PolicyRecord>, StoreError> {
    let row = Sql::new("policy", format!("{SELECT} WHERE version = $1")).bind(version).maybe(on).await?;
    match row {
        Some(row) => record(on, &row).await.map(Some),
        None => Ok(None),
    }
}

/// Who agrees to this version, in their order.
async fn agreed(on: &mut AnyConnection, version: u32) -> Result<Vec<Actor>, StoreError> {
    let sql = "SELECT actor FROM policy_agreements WHERE version = $1 ORDER BY at, person";
    let rows = Sql::new("policy agreement", sql).bind(version).all(on).await?;
    rows.iter().map(|row| row.json("actor")).collect()
}

async fn record(on: &mut AnyConnection, row: &Row) -> Result<PolicyRecord, StoreError> {
    let version = row.count("version")?;
    Ok(PolicyRecord {
        version,
        state: row.word("state", State::from_name)?,
        origin: row.word("origin", PolicyOrigin::from_name)?,
        policy: row.json("document")?,
        yaml: row.text("yaml")?,
        digest: digest(row, "digest")?,
        made_by: row.json("made_by")?,
        made_at: row.time("made_at")?,
        agreed: agreed(on, version).await?,
        activated_at: row.maybe_time("activated_at")?,
        retired_at: row.maybe_time("retired_at")?,
    })
}
