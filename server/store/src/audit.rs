//! The audit trail: reading it, and entries that belong to no other write. All others are written by `write`.

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
    audit::{AuditEntry, AuditFilter, AuditRecord},
    identity::Actor,
    ids::ActorId,
    paging::{Page, PageOf},
    ports::{AuditStore, StoreError},
};
use sqlx::AnyConnection;

const COLUMNS: &str = "sequence, at, actor_id, actor_name, actor_owner, route, action, object_kind, object_id, before, after, reason, \
                       request_id";
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
        route: row.text("route")?,
        action: row.text("action")?,
        object_kind: row.text("object_kind")?,
        object_id: row.text("object_id")?,
        before: row.maybe_json("before")?,
        after: row.maybe_json("after")?,
        reason: row.maybe_text("reason")?,
        request_id: row.text("request_id")?,
    })
}
