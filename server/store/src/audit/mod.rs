//! The audit trail: reading it, and entries that belong to no other write. All others are written by `write`.

mod append;
mod keep;
mod trail;

pub(crate) use append::{Turn, append};

use crate::{
    Store,
    dialect::Dialect,
    find::{Indexed, find},
    page::{key, page_of, wanted},
    sql::{Row, Sql},
    words::{contains, starts_with, words},
};
use async_trait::async_trait;
use domain::{
    audit::{AuditEntry, AuditFilter, AuditRecord, Chained, Head, Hold, Known, Mac, Verdict},
    identity::{Actor, Door},
    ids::ActorId,
    paging::{Page, PageOf},
    ports::{AuditStore, StoreError},
};
use sqlx::AnyConnection;
use std::net::IpAddr;

const COLUMNS: &str = "sequence, at, actor_id, actor_name, actor_owner, door, address, route, action, object_kind, object_id, \
                       before, after, reason, request_id, key_id, mac";
/// What a row follows on: the mac of the row before it, or what stands in its place before the first that is kept.
const PREVIOUS: &str = "COALESCE((SELECT p.mac FROM audit p WHERE p.sequence = audit.sequence - 1), \
                        (SELECT h.anchor FROM audit_head h WHERE h.first_kept = audit.sequence)) AS previous";
const LIST: &str = "audit";
/// A database's clock is not set back by more than this.
const CLOCK_SET_BACK_MS: i64 = 60 * 60 * 1000;

#[async_trait]
impl AuditStore for Store {
    async fn append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        write.audit(entry);
        write.commit().await
    }

    async fn list(&self, filter: &AuditFilter, page: &Page) -> Result<PageOf<AuditRecord>, StoreError> {
        let mut sql = Sql::new("audit row", format!("SELECT {COLUMNS} FROM audit WHERE sequence < "));
        sql.value(key::<i64>(LIST, page)?.unwrap_or(i64::MAX));
        let mut read = self.read().await?;
        narrow(&mut sql, &mut read, self.dialect(), filter).await?;
        sql.push(" ORDER BY sequence DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut read).await?;
        let records = rows.iter().map(record).collect::<Result<_, _>>()?;
        page_of(LIST, page, records, |record: &AuditRecord| record.sequence)
    }

    async fn after(&self, filter: &AuditFilter, sequence: i64, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let mut sql = Sql::new("audit row", format!("SELECT {COLUMNS} FROM audit WHERE sequence > "));
        sql.value(sequence);
        let mut read = self.read().await?;
        narrow(&mut sql, &mut read, self.dialect(), filter).await?;
        sql.push(" ORDER BY sequence LIMIT ").value(limit);
        sql.all(&mut read).await?.iter().map(record).collect()
    }

    async fn chained(&self, filter: &AuditFilter, sequence: i64, limit: u32) -> Result<Vec<Chained>, StoreError> {
        let mut sql = Sql::new("audit row", format!("SELECT {COLUMNS}, {PREVIOUS} FROM audit WHERE sequence > "));
        sql.value(sequence).push(" AND sequence >= (SELECT first_kept FROM audit_head)");
        let mut read = self.read().await?;
        narrow(&mut sql, &mut read, self.dialect(), filter).await?;
        sql.push(" ORDER BY sequence LIMIT ").value(limit);
        sql.all(&mut read).await?.iter().map(chained).collect()
    }

    async fn head(&self) -> Result<(Head, Option<Mac>), StoreError> {
        trail::head_on(&mut *self.read().await?).await
    }

    async fn verify(&self, noted: Option<(i64, Mac)>) -> Result<Verdict, StoreError> {
        trail::verify(self, noted).await
    }

    async fn verify_after(&self, known: &Known) -> Result<Verdict, StoreError> {
        trail::verify_after(self, known).await
    }

    async fn hold(&self) -> Result<Option<Hold>, StoreError> {
        keep::hold_on(&mut *self.read().await?).await
    }

    async fn set_hold(&self, audit: AuditEntry) -> Result<bool, StoreError> {
        keep::set_hold(self, audit).await
    }

    async fn release_hold(&self, audit: AuditEntry) -> Result<bool, StoreError> {
        keep::release_hold(self, audit).await
    }
}

async fn narrow(
    sql: &mut Sql,
    on: &mut AnyConnection,
    dialect: Dialect,
    filter: &AuditFilter,
) -> Result<(), StoreError> {
    match filter.action.as_deref() {
        None => {}
        Some(family) if family.ends_with('.') => {
            let first = family.split_inclusive('.').next().unwrap_or(family);
            sql.push(" AND family = ").value(first);
            starts_with(sql, "action", family);
        }
        Some(action) => drop(sql.push(" AND action = ").value(action)),
    }
    if let Some(door) = filter.door {
        sql.push(" AND door = ").value(door.name());
    }
    between(sql, filter);
    for (column, text) in [("search_actor", &filter.actor), ("search_object", &filter.object)] {
        if let Some(text) = text {
            contains(sql, column, text);
        }
    }
    // All that a row is found by is in the index, its actor and its object too.
    let mut texts = filter.q.as_deref().map(words).unwrap_or_default();
    texts.extend(filter.actor.as_deref());
    texts.extend(filter.object.as_deref());
    if texts.is_empty() { Ok(()) } else { find(sql, on, dialect, Indexed::Audit, ("sequence", "search"), &texts).await }
}

/// Rows are numbered as they are written, so a time bounds their numbers: the list goes on in its own order and begins or ends at
/// once. A clock that was set back meanwhile is allowed for.
fn between(sql: &mut Sql, filter: &AuditFilter) {
    if let Some(from) = filter.from {
        sql.push(" AND at >= ").value(from).push(" AND sequence >= (SELECT COALESCE(MIN(sequence), 9223372036854775807) FROM (SELECT sequence FROM audit WHERE at >= ");
        sql.value(from.plus_ms(-CLOCK_SET_BACK_MS)).push(" ORDER BY at, sequence LIMIT 1) edge)");
    }
    if let Some(to) = filter.to {
        sql.push(" AND at < ")
            .value(to)
            .push(" AND sequence <= (SELECT COALESCE(MAX(sequence), 0) FROM (SELECT sequence FROM audit WHERE at < ");
        sql.value(to.plus_ms(CLOCK_SET_BACK_MS)).push(" ORDER BY at DESC, sequence DESC LIMIT 1) edge)");
    }
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        sequence: row.int("sequence")?,
        at: row.time("at")?,
        actor: Actor {
            owner: row.maybe_text("actor_owner")?.map(ActorId::new),
            ..Actor::new(ActorId::new(row.text("actor_id")?), row.text("actor_name")?)
        },
        door: row.word("door", Door::from_name)?,
        address: match row.maybe_text("address")? {
            Some(text) => Some(text.parse::<IpAddr>().map_err(|error| row.corrupt("address", &error))?),
            None => None,
        },
        route: row.text("route")?,
        action: row.text("action")?,
        object_kind: row.text("object_kind")?,
        object_id: row.text("object_id")?,
        before: row.maybe_json("before")?,
        after: row.maybe_json("after")?,
        reason: row.maybe_text("reason")?,
        request_id: row.text("request_id")?,
        key: Some(row.text("key_id")?).filter(|key| !key.is_empty()),
        mac: mac(row, "mac")?,
    })
}

fn chained(row: &Row) -> Result<Chained, StoreError> {
    Ok(Chained { record: record(row)?, previous: mac(row, "previous")? })
}

/// The mac in this column; what is none chains nothing.
fn mac(row: &Row, column: &str) -> Result<Option<Mac>, StoreError> {
    Ok(row.maybe_text(column)?.and_then(|text| text.parse().ok()))
}
