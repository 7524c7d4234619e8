//! The audit trail: reading it, and entries that belong to no other write. All others are written by `write`.

use crate::{
    Store,
    page::{key, page_of, wanted},
    sql::{Row, Sql},
    words::{contains, contains_words, starts_with},
};
use async_trait::async_trait;
use domain::{
    audit::{AuditEntry, AuditFilter, AuditRecord},
    identity::Actor,
    ids::ActorId,
    paging::{Page, PageOf},
    ports::{AuditStore, StoreError},
};

const COLUMNS: &str = "sequence, at, actor_id, actor_name, route, action, object_kind, object_id, before, after, reason, \
                       request_id";
const LIST: &str = "audit";

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
        narrow(&mut sql, filter);
        sql.push(" ORDER BY sequence DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut *self.read().await?).await?;
        let records = rows.iter().map(record).collect::<Result<_, _>>()?;
        page_of(LIST, page, records, |record: &AuditRecord| record.sequence)
    }

    async fn after(&self, filter: &AuditFilter, sequence: i64, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let mut sql = Sql::new("audit row", format!("SELECT {COLUMNS} FROM audit WHERE sequence > "));
        sql.value(sequence);
        narrow(&mut sql, filter);
        sql.push(" ORDER BY sequence LIMIT ").value(limit);
        sql.all(&mut *self.read().await?).await?.iter().map(record).collect()
    }
}

fn narrow(sql: &mut Sql, filter: &AuditFilter) {
    match filter.action.as_deref() {
        None => {}
        Some(family) if family.ends_with('.') => starts_with(sql, "action", family),
        Some(action) => drop(sql.push(" AND action = ").value(action)),
    }
    for (comparison, bound) in [(" AND at >= ", filter.from), (" AND at < ", filter.to)] {
        if let Some(bound) = bound {
            sql.push(comparison).value(bound);
        }
    }
    if let Some(actor) = &filter.actor {
        contains(sql, "search_actor", actor);
    }
    if let Some(object) = &filter.object {
        contains(sql, "search_object", object);
    }
    if let Some(q) = &filter.q {
        contains_words(sql, "search", q);
    }
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        sequence: row.int("sequence")?,
        at: row.time("at")?,
        actor: Actor::new(ActorId::new(row.text("actor_id")?), row.text("actor_name")?),
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
