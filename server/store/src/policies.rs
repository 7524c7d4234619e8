//! Approval policies: every version that was written, and the one in force. What a policy says is `domain::policy`'s.

use crate::{
    Store,
    able::{Today, able},
    page::{key, page_of, wanted},
    recommendations::digest,
    sql::{Row, Sql, json},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    identity::{Actor, Right},
    ids::{ActorId, Digest},
    paging::{Page, PageOf},
    policy::Policy,
    ports::{
        Activated, Activation, NewPolicy, PolicyOrigin, PolicyRecord, PolicyState as State, PolicyStore, StoreError,
    },
    time::Timestamp,
};
use serde_json::json as object;
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;
use std::{
    collections::{BTreeSet, HashMap},
    slice,
};

const SELECT: &str = "SELECT version, state, origin, digest, yaml, document, made_by, made_at, activated_at, retired_at \
                      FROM policies";
const LIST: &str = "policies";

#[async_trait]
impl PolicyStore for Store {
    async fn active(&self) -> Result<PolicyRecord, StoreError> {
        active(self.today(), &mut *self.snapshot().await?).await
    }

    async fn policy(&self, version: u32) -> Result<Option<PolicyRecord>, StoreError> {
        one(self.today(), &mut *self.snapshot().await?, version).await
    }

    async fn policies(&self, page: &Page) -> Result<PageOf<PolicyRecord>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let mut sql = Sql::new("policy", format!("{SELECT} WHERE 1 = 1"));
        if let Some(before) = key::<u32>(LIST, page)? {
            sql.push(" AND version < ").value(before);
        }
        sql.push(" ORDER BY version DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut snapshot).await?;
        let found = records(self.today(), &mut snapshot, &rows).await?;
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
        let Some(wanted) = one(self.today(), write.on(), activation.version).await? else {
            return Ok(Activated::Missing);
        };
        if wanted.state == State::Active {
            return Ok(Activated::InForce);
        }
        let current = active(self.today(), write.on()).await?;
        let need = activation.need.unwrap_or(current.policy.activation);
        let noted = agree(&mut write, &activation).await?;
        let agreed = counting(self.today(), &mut write, &activation).await?;
        let have = u32::try_from(agreed.len()).unwrap_or(u32::MAX);
        // Others may count again since they agreed.
        if !noted && have < need {
            return Ok(Activated::Already { need });
        }
        audit.object_id = activation.version.to_string();
        audit.reason.clone_from(&activation.reason);
        let waiting = have < need;
        if waiting {
            "policy.agree".clone_into(&mut audit.action);
            audit.after = Some(object!({ "version": activation.version, "have": have, "need": need }));
        } else {
            put_in_force(&mut write, activation.version, &agreed).await?;
            "policy.activate".clone_into(&mut audit.action);
            audit.before = Some(object!({ "version": current.version, "digest": current.digest }));
            audit.after = Some(object!({ "version": activation.version, "digest": wanted.digest, "agreed": agreed }));
        }
        let record = one(self.today(), write.on(), activation.version).await?.map(Box::new);
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

/// Who agrees and counts: those who could agree now, and whoever asks, who was let in a moment ago.
async fn counting(today: Today, write: &mut Write, activation: &Activation) -> Result<Vec<Actor>, StoreError> {
    let mut agreed =
        agreements(write.on(), &[activation.version]).await?.remove(&activation.version).unwrap_or_default();
    let able = may_agree(today, write.on(), &agreed.iter().collect::<Vec<_>>()).await?;
    agreed.retain(|actor| actor.person() == activation.by.person() || able.contains(actor.person()));
    Ok(agreed)
}

/// Puts it in force by the word of these; the words of others are forgotten.
async fn put_in_force(write: &mut Write, version: u32, by: &[Actor]) -> Result<(), StoreError> {
    let now = write.now().await?;
    let retire = "UPDATE policies SET state = 'retired', retired_at = $1 WHERE state = 'active'";
    Sql::new("policy", retire).bind(now).run(write.on()).await?;
    let begin = "UPDATE policies SET state = 'active', activated_at = $1, retired_at = NULL WHERE version = $2";
    Sql::new("policy", begin).bind(now).bind(version).run(write.on()).await?;
    let forget = "DELETE FROM policy_agreements WHERE version <> $1 OR person NOT IN ";
    let mut sql = Sql::new("policy agreement", forget).bind(version);
    sql.list(by.iter().map(|actor| actor.person().as_str()));
    sql.run(write.on()).await?;
    Ok(())
}

/// The policy in force, as approvals are counted under it.
pub(crate) struct InForce {
    pub(crate) version: u32,
    pub(crate) policy: Policy,
    /// When it was put in force last.
    pub(crate) since: Timestamp,
}

/// The policy in force.
pub(crate) async fn in_force(on: &mut AnyConnection) -> Result<InForce, StoreError> {
    let sql = "SELECT version, document, activated_at FROM policies WHERE state = 'active'";
    as_counted(&Sql::new("policy", sql).one(on).await?)
}

/// Holds it until the end of the transaction; none in the moment in which another one takes its place.
pub(crate) async fn hold(write: &mut Write) -> Result<Option<InForce>, StoreError> {
    let sql = "UPDATE policies SET made_at = made_at WHERE state = 'active' RETURNING version, document, activated_at";
    Sql::new("policy", sql).maybe(write.on()).await?.as_ref().map(as_counted).transpose()
}

fn as_counted(row: &Row) -> Result<InForce, StoreError> {
    let since = row.maybe_time("activated_at")?.unwrap_or_default();
    Ok(InForce { version: row.count("version")?, policy: row.json("document")?, since })
}

async fn active(today: Today, on: &mut AnyConnection) -> Result<PolicyRecord, StoreError> {
    let row = Sql::new("policy", format!("{SELECT} WHERE state = 'active'")).one(on).await?;
    let found = records(today, on, slice::from_ref(&row)).await?.pop();
    found.ok_or_else(|| StoreError::Failed("no policy is in force".into()))
}

async fn one(today: Today, on: &mut AnyConnection, version: u32) -> Result<Option<PolicyRecord>, StoreError> {
    let rows = Sql::new("policy", format!("{SELECT} WHERE version = $1")).bind(version).all(on).await?;
    Ok(records(today, on, &rows).await?.pop())
}

/// The versions of these rows with who agrees: to the one in force who did, to others who still could.
async fn records(today: Today, on: &mut AnyConnection, rows: &[Row]) -> Result<Vec<PolicyRecord>, StoreError> {
    let mut found = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
    let versions: Vec<u32> = found.iter().map(|one| one.version).collect();
    let mut agreed = agreements(on, &versions).await?;
    for one in &mut found {
        one.agreed = agreed.remove(&one.version).unwrap_or_default();
    }
    let waiting = found.iter().filter(|one| one.state != State::Active).flat_map(|one| &one.agreed);
    let able = may_agree(today, on, &waiting.collect::<Vec<_>>()).await?;
    for one in found.iter_mut().filter(|one| one.state != State::Active) {
        one.agreed.retain(|actor| able.contains(actor.person()));
    }
    Ok(found)
}

/// Who agrees to these versions, in their order.
async fn agreements(on: &mut AnyConnection, versions: &[u32]) -> Result<HashMap<u32, Vec<Actor>>, StoreError> {
    let mut agreed: HashMap<u32, Vec<Actor>> = HashMap::new();
    if versions.is_empty() {
        return Ok(agreed);
    }
    let mut sql = Sql::new("policy agreement", "SELECT version, actor FROM policy_agreements WHERE version IN ");
    for (i, version) in versions.iter().enumerate() {
        sql.push(if i == 0 { "(" } else { ", " }).value(*version);
    }
    sql.push(") ORDER BY version, at, person");
    for row in &sql.all(on).await? {
        agreed.entry(row.count("version")?).or_default().push(row.json("actor")?);
    }
    Ok(agreed)
}

/// The people behind these who may write policies by now.
async fn may_agree(today: Today, on: &mut AnyConnection, givers: &[&Actor]) -> Result<BTreeSet<ActorId>, StoreError> {
    let able = able(today, on, givers, Right::PoliciesWrite).await?;
    Ok(able.into_iter().map(|voter| voter.person).collect())
}

fn record(row: &Row) -> Result<PolicyRecord, StoreError> {
    Ok(PolicyRecord {
        version: row.count("version")?,
        state: row.word("state", State::from_name)?,
        origin: row.word("origin", PolicyOrigin::from_name)?,
        policy: row.json("document")?,
        yaml: row.text("yaml")?,
        digest: digest(row, "digest")?,
        made_by: row.json("made_by")?,
        made_at: row.time("made_at")?,
        agreed: Vec::new(),
        activated_at: row.maybe_time("activated_at")?,
        retired_at: row.maybe_time("retired_at")?,
    })
}
