//! The trail as a whole: beginning its chain, changing its key, and looking whether it is still what was written.

use super::{
    COLUMNS, PREVIOUS,
    append::{HEAD, Held, Turn, put, read, take},
    chained, mac, record,
};
use crate::{
    OpenError, Store,
    sql::Sql,
    write::{ROWS_AT_ONCE, Write},
};
use domain::{
    audit::{
        AuditEntry, Broken, Head, Key, Keys, Known, Mac, REPLACE_KEY, ROTATE_KEY, Row, SEAL, Verdict, Verifier, Wrong,
        link,
    },
    ports::{AuditKeysError, AuditStore as _, StoreError},
};
use serde_json::json;
use sqlx::AnyConnection;
use std::sync::Arc;

/// Rows that are read at a time, to be looked at.
const LOOKED_AT: i64 = 500;
/// So often a look begins anew because rows before the first one were let go of meanwhile.
const LOOKS: u32 = 3;

impl Store {
    /// Begins the chain where it has not begun. Rows that are there already are chained as they are now, which a row says, but
    /// only with a key that is made for it: where there was one before, what has no chain may have lost it, and stays as it is
    /// (`docs/audit.md`). Of several that start together one does it.
    pub(crate) async fn begin_trail(&self) -> Result<(), OpenError> {
        let failed = |error: StoreError| OpenError::Failed(error.to_string());
        let Some(keys) = &self.0.audit_keys else { return Ok(()) };
        let (head, _) = self.head().await.map_err(failed)?;
        if !head.key.is_empty() {
            return Ok(());
        }
        let mut write = self.write().await.map_err(failed)?;
        let Held { head, .. } = take(&mut write, 0).await.map_err(failed)?;
        if !never_begun(write.on(), &head).await.map_err(failed)? {
            return Ok(());
        }
        let empty = head.sequence == 0 && !has_rows(write.on()).await.map_err(failed)?;
        if !empty && keys.keys(true)?.newest().is_some() {
            return Ok(());
        }
        let key = keys.first()?;
        let audit = AuditEntry::of_console("console", "first start with a key", SEAL, "audit", "trail", "start".into());
        begin(write, head, &key, audit).await.map_err(failed)
    }

    /// Chains rows that never were, as they are now, because somebody says so; false, and nothing is done, where a row was.
    pub async fn begin_audit(&self, audit: AuditEntry) -> Result<bool, StoreError> {
        let without = || StoreError::Failed("this process has no keys for the audit trail".into());
        let keys = self.0.audit_keys.as_ref().ok_or_else(without)?;
        let mut write = self.write().await?;
        let Held { head, .. } = take(&mut write, 0).await?;
        if !never_begun(write.on(), &head).await? {
            return Ok(false);
        }
        let key = keys.first().map_err(|error| StoreError::Failed(error.to_string()))?;
        begin(write, head, &key, AuditEntry { action: SEAL.into(), ..audit }).await?;
        Ok(true)
    }

    /// Whether the trail's end names the key that it goes on with. Where that key is missing nothing can be done that leaves a
    /// row.
    pub async fn audit_key_is_there(&self) -> Result<bool, OpenError> {
        let (head, _) = self.head().await.map_err(|error| OpenError::Failed(error.to_string()))?;
        if head.key.is_empty() {
            return Ok(false);
        }
        self.known_audit_key(&head.key)?;
        Ok(true)
    }

    /// The id of the key that the next row is chained with; none where no chain has begun.
    pub async fn audit_key_in_use(&self) -> Result<Option<String>, StoreError> {
        let mut read = self.read().await?;
        let (head, _) = head_on(&mut read).await?;
        if !head.key.is_empty() {
            return Ok(Some(head.key));
        }
        Ok(last_link(&mut read).await?.map(|(key, _)| key))
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

/// Whether no row was ever chained, as far as the database tells.
async fn never_begun(on: &mut AnyConnection, head: &Head) -> Result<bool, StoreError> {
    let untouched = head.key.is_empty() && head.first == 1 && [head.mac, head.anchor] == [Mac::NONE; 2];
    Ok(untouched && !has_chained(on).await?)
}

async fn has_rows(on: &mut AnyConnection) -> Result<bool, StoreError> {
    Ok(Sql::new("audit row", "SELECT sequence FROM audit LIMIT 1").maybe(on).await?.is_some())
}

async fn has_chained(on: &mut AnyConnection) -> Result<bool, StoreError> {
    let sql = "SELECT sequence FROM audit WHERE mac <> '' OR key_id <> '' LIMIT 1";
    Ok(Sql::new("audit row", sql).maybe(on).await?.is_some())
}

/// Key and mac of the last row, where it is chained: what follows on it when the end does not say.
pub(super) async fn last_link(on: &mut AnyConnection) -> Result<Option<(String, Mac)>, StoreError> {
    let last = Sql::new("audit row", "SELECT key_id, mac FROM audit ORDER BY sequence DESC LIMIT 1").maybe(on).await?;
    let Some(row) = last else { return Ok(None) };
    let key = row.text("key_id")?;
    Ok(mac(&row, "mac")?.map(|of_last| (key, of_last)))
}

/// Chains what is there with this key, and says so in a row where there is something.
async fn begin(mut write: Write, mut head: Head, key: &Key, audit: AuditEntry) -> Result<(), StoreError> {
    head.mac = chain(&mut write, key, head.mac).await?;
    key.id().clone_into(&mut head.key);
    put(&mut write, &head, Some(head.seal(key))).await?;
    if head.sequence > 0 {
        let after = json!({ "last_sequence": head.sequence, "last_mac": head.mac, "key": head.key });
        write.audit(AuditEntry { after: Some(after), ..audit });
    }
    write.commit().await
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

/// Looks at every row.
pub(super) async fn verify(store: &Store, noted: Option<(i64, Mac)>) -> Result<Verdict, StoreError> {
    let keys = store.audit_keys(true).map_err(|error| StoreError::Failed(error.to_string()))?;
    let mut looks = 0;
    loop {
        let (begun, _) = store.head().await?;
        if begun.key.is_empty()
            && let Some(verdict) = without_chain(store, &keys, &begun).await?
        {
            return Ok(verdict);
        }
        let mut verifier = Verifier::whole(&keys).begun_at(&begun);
        if let Some((sequence, mac)) = noted {
            verifier = verifier.with_noted(sequence, mac);
        }
        let (verdict, first) = look(store, verifier, begun.first - 1, begun.sequence).await?;
        looks += 1;
        if first == begun.first || looks == LOOKS {
            return Ok(verdict);
        }
    }
}

/// Looks at the rows after those that are known.
pub(super) async fn verify_after(store: &Store, known: &Known) -> Result<Verdict, StoreError> {
    let keys = store.audit_keys(true).map_err(|error| StoreError::Failed(error.to_string()))?;
    let (begun, _) = store.head().await?;
    Ok(look(store, Verifier::whole(&keys).after(known), known.sequence, begun.sequence).await?.0)
}

/// What is to be said of a trail of which no row is chained, though there are keys.
async fn without_chain(store: &Store, keys: &Keys, head: &Head) -> Result<Option<Verdict>, StoreError> {
    let mut read = store.read().await?;
    if has_chained(&mut read).await? {
        return Ok(None);
    }
    if keys.newest().is_none() {
        return Err(StoreError::Failed(
            "the audit trail has no key yet: the first start of the console makes one".into(),
        ));
    }
    let some = has_rows(&mut read).await?;
    Ok(some.then_some(Verdict::Broken(Broken { line: None, sequence: head.first, wrong: Wrong::NotBegun })))
}

/// Looks at the rows after `last`, and which is the first that is kept in the end. Rows are only ever added at the end and let go of
/// at the beginning, so those up to `until` are read some at a time, each in a state of its own; the rest, which was written
/// meanwhile, in one state with the end.
async fn look(
    store: &Store,
    mut verifier: Verifier<'_>,
    mut last: i64,
    until: i64,
) -> Result<(Verdict, i64), StoreError> {
    while last < until && look_at_some(&mut *store.read().await?, &mut verifier, &mut last).await? {}
    let mut snapshot = store.snapshot().await?;
    let (head, seal) = head_on(&mut snapshot).await?;
    while look_at_some(&mut snapshot, &mut verifier, &mut last).await? {}
    let first = head.first;
    verifier.end(head, seal);
    Ok((verifier.finish(), first))
}

/// Looks at the next rows after `last`; false where there is none.
async fn look_at_some(on: &mut AnyConnection, verifier: &mut Verifier<'_>, last: &mut i64) -> Result<bool, StoreError> {
    let sql =
        format!("SELECT {COLUMNS}, {PREVIOUS} FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT {LOOKED_AT}");
    let rows = Sql::new("audit row", sql).bind(*last).all(on).await?;
    for row in &rows {
        *last = row.int("sequence")?;
        match chained(row) {
            Ok(row) => verifier.row(&Row::from(&row)),
            Err(error) => verifier.unreadable(*last, error.to_string()),
        }
    }
    Ok(!rows.is_empty())
}
