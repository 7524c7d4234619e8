//! The ports over sqlx: SQLite (embedded, one process) and PostgreSQL (several replicas), one behaviour and one text of SQL.
//!
//! A [`Store`] implements every storing port of `domain`. It knows no HTTP, no cluster and no rule of its own: who may decide
//! and what a reading of the cluster changes are asked of `domain`, inside the transaction. Where the two databases differ
//! stands in `dialect` alone.

mod able;
mod accounts;
mod assessments;
mod audit;
mod calibration;
mod catalog;
mod dialect;
mod effectiveness;
mod events;
mod executions;
mod find;
mod findings;
mod idempotency;
mod investigations;
mod key_file;
mod notifications;
mod open;
mod outbox;
mod page;
mod phases;
mod policies;
mod provider;
mod prune;
mod recommendations;
mod recoveries;
mod rollup;
mod sessions;
mod signals;
mod signatures;
mod sql;
mod tries;
mod version_key;
mod words;
mod write;

pub use key_file::KeyFile;
pub use open::{OpenError, Options, sqlite_url};
pub use prune::Pruned;

use crate::{
    dialect::Dialect,
    sql::{Sql, failed},
    write::Write,
};
use domain::{
    notification::Subscription,
    ports::{AuditKeys, StoreError},
    time::Timestamp,
};
use sqlx::{Any, AnyPool, Transaction, pool::PoolConnection};
use std::sync::Arc;
use tokio::{sync::watch, task::AbortHandle};

/// The database. Clones share its connections.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    dialect: Dialect,
    /// For reading; on SQLite these connections can't write.
    readers: AnyPool,
    /// For writing; the same pool on PostgreSQL, a single connection on SQLite.
    writers: AnyPool,
    /// The keys that audit rows are chained with; none where the trail is not to be written to, or has not begun.
    audit_keys: Option<Arc<dyn AuditKeys>>,
    /// Whether people sign in with accounts of the console's own: where not, what these approved in person counts no more.
    local_accounts: bool,
    /// Who is told of what: notifications are written with what they tell of.
    subscriptions: Vec<Subscription>,
    /// Id of the newest live event that this process knows to be committed.
    newest_event: watch::Sender<i64>,
    /// Looks for the events of other replicas.
    lookout: Option<AbortHandle>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.0.dialect)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(lookout) = &self.lookout {
            lookout.abort();
        }
    }
}

impl Store {
    /// The time by the database's clock, which is the one that counts.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let row =
            Sql::new("time", format!("SELECT {} AS now", self.0.dialect.clock())).one(&mut *self.read().await?).await?;
        row.time("now")
    }

    /// Which database this is: made with it, and no other's but a copy's.
    pub async fn installation(&self) -> Result<String, StoreError> {
        let row = Sql::new("installation", "SELECT id FROM installation").one(&mut *self.read().await?).await?;
        row.text("id")
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.now().await.map(|_| ())
    }

    /// Closes all connections, waiting for those at work. The store is of no use afterwards.
    pub async fn close(&self) {
        self.0.writers.close().await;
        self.0.readers.close().await;
    }

    fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// A connection for one statement that reads.
    async fn read(&self) -> Result<PoolConnection<Any>, StoreError> {
        self.0.readers.acquire().await.map_err(failed)
    }

    /// A transaction in which several statements read one and the same state.
    async fn snapshot(&self) -> Result<Transaction<'static, Any>, StoreError> {
        write::begun(&self.0.readers, self.0.dialect.begin_read()).await
    }

    /// A transaction that writes.
    async fn write(&self) -> Result<Write, StoreError> {
        Write::begin(self).await
    }
}
