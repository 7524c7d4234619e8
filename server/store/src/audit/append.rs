//! Writing audit rows: each is chained to the one before it, while the trail's end is held.

use super::{mac, trail::last_link};
use crate::{
    sql::{Row, Sql, json},
    words::searchable,
    write::Write,
};
use domain::{
    audit::{AuditEntry, AuditRecord, Head, Key, Mac, link},
    identity::Actor,
    ids::ActorId,
    ports::StoreError,
    time::Timestamp,
};
use serde_json::json as object;

pub(super) const HEAD: &str = "sequence, mac, key_id, seal, first_kept, anchor";

/// What an audit row does to the trail itself.
#[derive(Default)]
pub(crate) enum Turn {
    /// Nothing: it tells of something else.
    #[default]
    None,
    /// The next rows are chained with this key; where the one before is lost, this row too.
    Key {
        /// The key.
        key: Key,
        /// Whether the one before is lost.
        lost: bool,
    },
    /// Rows before this one are no longer kept.
    First {
        /// The first that is kept.
        sequence: i64,
        /// What it follows on.
        anchor: Mac,
    },
}

/// The end of the trail, held until the transaction ends.
pub(super) struct Held {
    pub(super) head: Head,
    pub(super) seal: Option<Mac>,
    pub(super) at: Timestamp,
}

/// Writes rows at the end of the trail. This is the last that a transaction does: other writers wait.
pub(crate) async fn append(write: &mut Write, mut entries: Vec<AuditEntry>, turn: Turn) -> Result<(), StoreError> {
    let many = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let Held { mut head, seal, at } = take(write, many).await?;
    let mut sequence = head.sequence - many;
    let blank = head.key.is_empty();
    if blank {
        let Some((key, mac)) = last_link(write.on()).await? else {
            // No chain has begun, as far as is to be seen here; who looks at the trail is told.
            for entry in entries {
                sequence += 1;
                insert(write, &record(entry, sequence, at)).await?;
            }
            return Ok(());
        };
        // Somebody has wiped the end: what is written on follows on the last row, and the end stays without its seal.
        (head.key, head.mac) = (key, mac);
    }
    let lost = matches!(turn, Turn::Key { lost: true, .. });
    let old = if lost { None } else { Some(write.store().audit_key(&head.key)?) };
    // An end that somebody has set back must not become good by writing on.
    let sealed = !blank && old.as_ref().is_some_and(|key| seal == Some(Head { sequence, ..head.clone() }.seal(key)));
    if let (Turn::Key { key, .. }, Some(entry)) = (&turn, entries.first_mut()) {
        entry.before = Some(object!({ "key": head.key, "sealed": sealed }));
        entry.after = Some(object!({ "key": key.id() }));
    }
    let (new, first) = match turn {
        Turn::None => (None, None),
        Turn::Key { key, .. } => (Some(key), None),
        Turn::First { sequence, anchor } => (None, Some((sequence, anchor))),
    };
    let Some(key) = old.as_ref().or(new.as_ref()) else { return Err(no_key()) };
    for entry in entries {
        sequence += 1;
        let mut record = record(entry, sequence, at);
        record.key = Some(key.id().to_owned());
        head.mac = link(key, head.mac, &record.content());
        record.mac = Some(head.mac);
        insert(write, &record).await?;
    }
    if let Some((sequence, anchor)) = first {
        (head.first, head.anchor) = (sequence, anchor);
    }
    let next = new.as_ref().unwrap_or(key);
    next.id().clone_into(&mut head.key);
    // Whoever changes the key has been told, in its row, whether the end was still sealed.
    let seal = (sealed || new.is_some()).then(|| head.seal(next));
    put(write, &head, seal).await
}

fn no_key() -> StoreError {
    StoreError::Failed("there is no key for the audit trail".into())
}

/// Makes the trail so many rows longer, and holds its end.
pub(super) async fn take(write: &mut Write, many: i64) -> Result<Held, StoreError> {
    let clock = write.dialect().clock();
    let row = Sql::new(
        "end of the audit trail",
        format!("UPDATE audit_head SET sequence = sequence + $1 RETURNING {HEAD}, {clock} AS now"),
    )
    .bind(many)
    .one(write.on())
    .await?;
    let (head, seal) = read(&row)?;
    Ok(Held { head, seal, at: row.time("now")? })
}

/// Writes down where the trail ends.
pub(super) async fn put(write: &mut Write, head: &Head, seal: Option<Mac>) -> Result<(), StoreError> {
    Sql::new(
        "end of the audit trail",
        "UPDATE audit_head SET mac = $1, key_id = $2, seal = $3, first_kept = $4, anchor = $5",
    )
    .bind(head.mac.to_string())
    .bind(&head.key)
    .bind(seal.map(|seal| seal.to_string()).unwrap_or_default())
    .bind(head.first)
    .bind(head.anchor.to_string())
    .run(write.on())
    .await?;
    Ok(())
}

/// The end and its seal.
pub(super) fn read(row: &Row) -> Result<(Head, Option<Mac>), StoreError> {
    let whole = |column: &str| mac(row, column)?.ok_or_else(|| row.corrupt(column, &"it is no mac"));
    let head = Head {
        sequence: row.int("sequence")?,
        mac: whole("mac")?,
        key: row.text("key_id")?,
        first: row.int("first_kept")?,
        anchor: whole("anchor")?,
    };
    Ok((head, mac(row, "seal")?))
}

/// An entry as it will be read again, not yet chained.
fn record(entry: AuditEntry, sequence: i64, at: Timestamp) -> AuditRecord {
    AuditRecord {
        sequence,
        at,
        actor: Actor {
            id: ActorId::new(kept(entry.actor.id.as_str())),
            name: kept(&entry.actor.name),
            owner: entry.actor.owner.map(|owner| ActorId::new(kept(owner.as_str()))),
        },
        door: entry.way.door,
        address: entry.way.address,
        route: kept(&entry.route),
        action: kept(&entry.action),
        object_kind: kept(&entry.object_kind),
        object_id: kept(&entry.object_id),
        before: entry.before,
        after: entry.after,
        reason: entry.reason.as_deref().map(kept),
        request_id: kept(&entry.request_id),
        key: None,
        mac: None,
    }
}

/// A text as the database keeps it (`sql::Value`): what is chained must be what is read again.
fn kept(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

async fn insert(write: &mut Write, record: &AuditRecord) -> Result<(), StoreError> {
    let before = record.before.as_ref().map(json).transpose()?;
    let after = record.after.as_ref().map(json).transpose()?;
    let owner = record.actor.owner.as_ref().map(ActorId::as_str);
    let address = record.address.map(|address| address.to_string());
    let actor = searchable([record.actor.name.as_str(), record.actor.id.as_str(), owner.unwrap_or_default()]);
    let object = searchable([record.object_id.as_str()]);
    let all = searchable([
        actor.as_str(),
        address.as_deref().unwrap_or_default(),
        &record.route,
        &record.action,
        &record.object_kind,
        &record.object_id,
        before.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
        record.reason.as_deref().unwrap_or_default(),
        &record.request_id,
    ]);
    let mut sql = Sql::new(
        "audit row",
        "INSERT INTO audit (sequence, at, actor_id, actor_name, door, address, route, action, object_kind, object_id, before, \
         after, reason, request_id, actor_owner, key_id, mac, search_actor, search_object, search) VALUES ",
    );
    sql.tuple([
        record.sequence.into(),
        record.at.into(),
        record.actor.id.as_str().into(),
        record.actor.name.as_str().into(),
        record.door.name().into(),
        address.into(),
        record.route.as_str().into(),
        record.action.as_str().into(),
        record.object_kind.as_str().into(),
        record.object_id.as_str().into(),
        before.into(),
        after.into(),
        record.reason.as_deref().into(),
        record.request_id.as_str().into(),
        owner.into(),
        record.key.as_deref().unwrap_or_default().into(),
        record.mac.map(|mac| mac.to_string()).unwrap_or_default().into(),
        actor.into(),
        object.into(),
        all.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}
