//! A transaction that writes. It gathers the audit rows and live events of what it does, and writes them as the last thing
//! before the commit: their counters are held by one transaction at a time, so the shorter the better, and their numbers
//! have no gaps and grow as transactions commit. Knows no other table.

use crate::{
    Store,
    audit::{self, Turn},
    dialect::Dialect,
    sql::{Row, Sql, failed, json, uncommitted},
};
use domain::{
    audit::AuditEntry,
    event::{NewEvent, Topic},
    ports::StoreError,
    time::Timestamp,
};
use serde_json::Value;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};

/// Rows in one `INSERT`: far below what either database takes, enough to make the trip cheap.
pub(crate) const ROWS_AT_ONCE: usize = 200;

/// What only one transaction may do at a time; each takes one of these at most.
///
/// So that no two transactions wait for each other, all that is locked is locked in this order:
///
/// 1. `Intake`, recommendations (several by id), `Investigations`, investigations, `Policies`, the policy in force, `Targets`, one execution with what belongs to it, rollups
///    (by their key);
/// 2. `Accounts`, accounts (several under that lock alone), sessions and browsers (several of one account under its row alone), `Tokens`, a
///    token;
/// 3. by the commit, and by what writes about the audit trail itself: the trail's end, then the events' counter.
///
/// What has run out is let go without waiting for a row that somebody has, see [`Dialect::skip_locked`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    /// Taking in a recommendation: it closes those before it.
    Intake,
    /// Giving a token a name.
    Tokens,
    /// Giving an account a name; taking the role admin away, or an admin.
    Accounts,
    /// Writing a policy, or putting one in force.
    Policies,
    /// Approving or starting a run: what goes on on the same object is looked at.
    Targets,
    /// Asking for an investigation or taking one up: how many go on is counted.
    Investigations,
}

pub(crate) struct Write {
    store: Store,
    transaction: Transaction<'static, Any>,
    locked: Option<Lock>,
    audit: Vec<AuditEntry>,
    turn: Turn,
    events: Vec<NewEvent>,
}

/// Begins a transaction, whatever becomes of who asked. The driver counts a transaction when its beginning was answered: who hangs up before
/// that would leave a connection in the pool on which one is open, and nobody to end it. So the beginning is a task of its own; what nobody
/// takes any more is rolled back.
pub(crate) async fn begun(pool: &AnyPool, statement: &'static str) -> Result<Transaction<'static, Any>, StoreError> {
    let pool = pool.clone();
    let beginning = tokio::spawn(async move { pool.begin_with(statement).await });
    beginning.await.map_err(|ended| StoreError::Failed(ended.to_string()))?.map_err(failed)
}

impl Write {
    pub(crate) async fn begin(store: &Store) -> Result<Self, StoreError> {
        let transaction = begun(&store.0.writers, store.dialect().begin_write()).await?;
        Ok(Self {
            store: store.clone(),
            transaction,
            locked: None,
            audit: Vec::new(),
            turn: Turn::None,
            events: Vec::new(),
        })
    }

    /// The store that it writes to.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.store.dialect()
    }

    /// The connection of this transaction.
    pub(crate) fn on(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// The time by the database's clock.
    pub(crate) async fn now(&mut self) -> Result<Timestamp, StoreError> {
        let now = format!("SELECT {} AS now", self.dialect().clock());
        Sql::new("time", now).one(self.on()).await?.time("now")
    }

    /// Lets one transaction pass until it ends.
    pub(crate) async fn lock(&mut self, lock: Lock) -> Result<(), StoreError> {
        debug_assert!(self.locked.is_none(), "{lock:?} after {:?}", self.locked);
        self.locked = Some(lock);
        let name = match lock {
            Lock::Intake => "intake lock",
            Lock::Tokens => "tokens lock",
            Lock::Accounts => "accounts lock",
            Lock::Policies => "policies lock",
            Lock::Targets => "targets lock",
            Lock::Investigations => "investigations lock",
        };
        Sql::new("lock", "UPDATE counters SET value = value WHERE name = $1").bind(name).run(self.on()).await?;
        Ok(())
    }

    /// An audit row to be written with the commit.
    pub(crate) fn audit(&mut self, entry: AuditEntry) {
        self.audit.push(entry);
    }

    /// What the commit's audit row, of which there is one, does to the trail itself.
    pub(crate) fn turn(&mut self, turn: Turn) {
        self.turn = turn;
    }

    /// A live event to be written with the commit.
    pub(crate) fn event(&mut self, topic: Topic, subject: impl Into<String>, data: Value) {
        self.events.push(NewEvent { topic, subject: subject.into(), data });
    }

    /// Writes audit rows and events, commits, and wakes who waits for events. Without this nothing was written.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let (audit, events) = (std::mem::take(&mut self.audit), std::mem::take(&mut self.events));
        if !audit.is_empty() {
            let turn = std::mem::take(&mut self.turn);
            audit::append(&mut self, audit, turn).await?;
        }
        let newest = if events.is_empty() { None } else { Some(self.write_events(&events).await?) };
        self.transaction.commit().await.map_err(uncommitted)?;
        if let Some(newest) = newest {
            self.store.event_committed(newest);
        }
        Ok(())
    }

    /// The id of the last one.
    async fn write_events(&mut self, events: &[NewEvent]) -> Result<i64, StoreError> {
        let (mut id, at) = self.take("events", events.len()).await?;
        for some in events.chunks(ROWS_AT_ONCE) {
            let mut sql = Sql::new("event", "INSERT INTO events (id, at, topic, subject, data) VALUES ");
            for (i, event) in some.iter().enumerate() {
                sql.push(if i == 0 { "" } else { ", " });
                let data = json(&event.data)?;
                sql.tuple([
                    id.into(),
                    at.into(),
                    event.topic.name().into(),
                    event.subject.as_str().into(),
                    data.into(),
                ]);
                id += 1;
            }
            sql.run(self.on()).await?;
        }
        Ok(id - 1)
    }

    /// The first of `many` numbers, and the time at which they were taken.
    async fn take(&mut self, counter: &'static str, many: usize) -> Result<(i64, Timestamp), StoreError> {
        let many = i64::try_from(many).unwrap_or(i64::MAX);
        let clock = self.dialect().clock();
        let row: Row = Sql::new(
            "counter",
            format!("UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value, {clock} AS now"),
        )
        .bind(many)
        .bind(counter)
        .one(self.on())
        .await?;
        Ok((row.int("value")? - many + 1, row.time("now")?))
    }
}
