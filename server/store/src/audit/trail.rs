//! The trail as a whole: beginning its chain, changing its key, and looking whether it is still what was written.

use super::{
    COLUMNS, PREVIOUS,
    append::{HEAD, Held, Turn, put, read, take},
    chained, record,
};
use crate::{
    OpenError, Store,
    sql::Sql,
    write::{ROWS_AT_ONCE, Write},
};
use domain::{
    audit::{AuditEntry, Head, Key, Keys, Mac, REPLACE_KEY, ROTATE_KEY, Row, SEAL, Verdict, Verifier, link},
    identity::{Actor, Way},
    ports::{AuditKeysError, AuditStore as _, StoreError},
};
use serde_json::json;
use sqlx::AnyConnection;
use std::sync::Arc;

/// Rows that are looked at before others get their turn on this thread.
const LOOKED_AT: i64 = 500;

impl Store {
    /// Begins the chain with the first key, where it has not begun: rows that are there already are chained as they are now,
    /// and a row says so. Of several that start together one does it.
    pub(crate) async fn begin_trail(&self) -> Result<(), OpenError> {
        let failed = |error: StoreError| OpenError::Failed(error.to_string());
        let Some(keys) = &self.0.audit_keys else { return Ok(()) };
        let (head, _) = self.head().await.map_err(failed)?;
        if !head.key.is_empty() {
            return Ok(());
        }
        let mut write = self.write().await.map_err(failed)?;
        let Held { mut head, .. } = take(&mut write, 0).await.map_err(failed)?;
        if !head.key.is_empty() {
            return Ok(());
        }
        let key = keys.first()?;
        head.mac = chain(&mut write, &key, head.mac).await.map_err(failed)?;
        key.id().clone_into(&mut head.key);
        put(&mut write, &head, Some(head.seal(&key))).await.map_err(failed)?;
        if head.sequence > 0 {
            write.audit(AuditEntry {
                actor: Actor::system("console"),
                way: Way::default(),
                route: "first start with a key".into(),
                action: SEAL.into(),
                object_kind: "audit".into(),
                object_id: "trail".into(),
                before: None,
                after: Some(json!({ "last_sequence": head.sequence, "last_mac": head.mac, "key": head.key })),
                reason: None,
                request_id: "start".into(),
            });
        }
        write.commit().await.map_err(failed)
    }

    /// Whether the key is there that the trail goes on with. Without it nothing can be done that leaves a row.
    pub async fn audit_key_is_there(&self) -> Result<(), OpenError> {
        let (head, _) = self.head().await.map_err(|error| OpenError::Failed(error.to_string()))?;
        self.known_audit_key(&head.key).map(drop).map_err(OpenError::AuditKeys)
    }

    /// Changes to another key: the row that says so is the last that the present one chains. Where the present one is lost the
    /// row is the first of the new one, and the rows before it can't be checked any more.
    pub async fn change_audit_key(&self, key: Key, lost: bool, audit: AuditEntry) -> Result<(), StoreError> {
        let action = if lost { REPLACE_KEY } else { ROTATE_KEY };
        let mut write = self.write().await?;
        write.turn(Turn::Key { key, lost });
        write.audit(AuditEntry { action: action.into(), ..audit });
        write.commit().await
    }

    /// The key of this id, read anew where it is not known yet.
    pub(super) fn audit_key(&self, id: &str) -> Result<Key, StoreError> {
        self.known_audit_key(id).map_err(|error| StoreError::Failed(error.to_string()))
    }

    fn known_audit_key(&self, id: &str) -> Result<Key, AuditKeysError> {
        if let Some(key) = self.audit_keys(false)?.get(id) {
            return Ok(key.clone());
        }
        let missing = || {
            AuditKeysError(format!(
                "the audit trail goes on with the key {id}, which the key file does not have: give every console the same file \
                 with --audit-key-file; docs/audit.md says what to do when it is lost"
            ))
        };
        self.audit_keys(true)?.get(id).cloned().ok_or_else(missing)
    }

    fn audit_keys(&self, anew: bool) -> Result<Arc<Keys>, AuditKeysError> {
        let keys = self.0.audit_keys.as_ref();
        keys.ok_or_else(|| AuditKeysError("this process has no keys for the audit trail".into()))?.keys(anew)
    }
}

/// Chains all rows that are there, in the transaction in which the chain begins; the mac of the last.
async fn chain(write: &mut Write, key: &Key, mut mac: Mac) -> Result<Mac, StoreError> {
    let mut last = 0;
    loop {
        let mut sql = Sql::new("audit row", format!("SELECT {COLUMNS} FROM audit WHERE sequence > "));
        sql.value(last).push(&format!(" ORDER BY sequence LIMIT {ROWS_AT_ONCE}"));
        let rows = sql.all(write.on()).await?;
        if rows.is_empty() {
            return Ok(mac);
        }
        let mut sql = Sql::new("audit row", "UPDATE audit SET key_id = ");
        sql.value(key.id()).push(", mac = v.column2 FROM (VALUES ");
        for (i, row) in rows.iter().enumerate() {
            let mut record = record(row)?;
            record.key = Some(key.id().to_owned());
            mac = link(key, mac, &record.content());
            last = record.sequence;
            sql.push(if i == 0 { "" } else { ", " }).tuple([last.into(), mac.to_string().into()]);
        }
        sql.push(") AS v WHERE audit.sequence = v.column1");
        sql.run(write.on()).await?;
    }
}

/// Where the trail ends, and the seal of that.
pub(super) async fn head_on(on: &mut AnyConnection) -> Result<(Head, Option<Mac>), StoreError> {
    read(&Sql::new("end of the audit trail", format!("SELECT {HEAD} FROM audit_head")).one(on).await?)
}

/// Looks at every row, all in one state of the database.
pub(super) async fn verify(store: &Store, noted: Option<(i64, Mac)>) -> Result<Verdict, StoreError> {
    let keys = store.audit_keys(true).map_err(|error| StoreError::Failed(error.to_string()))?;
    let mut snapshot = store.snapshot().await?;
    let (head, seal) = head_on(&mut snapshot).await?;
    if head.key.is_empty() {
        return Err(StoreError::Failed("the audit trail has no key yet".into()));
    }
    let mut verifier = Verifier::whole(&keys).begun_at(&head);
    if let Some((sequence, mac)) = noted {
        verifier = verifier.with_noted(sequence, mac);
    }
    let mut last = head.first - 1;
    loop {
        let sql =
            format!("SELECT {COLUMNS}, {PREVIOUS} FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT {LOOKED_AT}");
        let rows = Sql::new("audit row", sql).bind(last).all(&mut snapshot).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            last = row.int("sequence")?;
            match chained(row) {
                Ok(row) => verifier.row(&Row::from(&row)),
                Err(error) => verifier.unreadable(last, error.to_string()),
            }
        }
    }
    verifier.end(head, seal);
    Ok(verifier.finish())
}
