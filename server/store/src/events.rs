//! Live events: reading them, and knowing that there are new ones. They are written by `write`.

use crate::{
    Store,
    sql::{Row, Sql, failed},
};
use async_trait::async_trait;
use domain::{
    event::{LiveEvent, Topic},
    ports::{EventStore, StoreError},
};
use sqlx::{AnyConnection, AnyPool};
use std::time::Duration;
use tokio::{sync::watch, task::AbortHandle};

/// How often another replica's events are looked for, while somebody waits for them.
const LOOK_OUT_EVERY: Duration = Duration::from_secs(1);

#[async_trait]
impl EventStore for Store {
    async fn latest(&self) -> Result<i64, StoreError> {
        newest(&mut *self.read().await?).await
    }

    async fn since(&self, id: i64, limit: u32) -> Result<Vec<LiveEvent>, StoreError> {
        let rows =
            Sql::new("event", "SELECT id, at, topic, subject, data FROM events WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(id)
                .bind(limit)
                .all(&mut *self.read().await?)
                .await?;
        rows.iter().map(event).collect()
    }

    async fn oldest(&self) -> Result<i64, StoreError> {
        let sql = Sql::new("event", "SELECT id FROM events ORDER BY id LIMIT 1");
        sql.maybe(&mut *self.read().await?).await?.map_or(Ok(0), |row| row.int("id"))
    }

    async fn changed(&self, id: i64) {
        // The sender lives as long as this store: waiting can't fail.
        let _ = self.0.newest_event.subscribe().wait_for(|newest| *newest > id).await;
    }
}

impl Store {
    /// Wakes who waits for events.
    pub(crate) fn event_committed(&self, newest: i64) {
        raise(&self.0.newest_event, newest);
    }
}

/// The id of the newest event, also when the event itself has been pruned.
pub(crate) async fn newest(on: &mut AnyConnection) -> Result<i64, StoreError> {
    Sql::new("counter", "SELECT value FROM counters WHERE name = 'events'").one(on).await?.int("value")
}

/// Looks for other replicas' events once a second, while somebody waits.
pub(crate) fn look_out(readers: AnyPool, newest_event: watch::Sender<i64>) -> AbortHandle {
    let look = async move {
        let mut tick = tokio::time::interval(LOOK_OUT_EVERY);
        loop {
            tick.tick().await;
            if newest_event.receiver_count() == 0 {
                continue;
            }
            let found = match readers.acquire().await.map_err(failed) {
                Ok(mut connection) => newest(&mut connection).await,
                Err(error) => Err(error),
            };
            // A database that does not answer shows in readiness; here it only means: look again.
            if let Ok(found) = found {
                raise(&newest_event, found);
            }
        }
    };
    tokio::spawn(look).abort_handle()
}

fn raise(newest_event: &watch::Sender<i64>, to: i64) {
    newest_event.send_if_modified(|newest| {
        let newer = to > *newest;
        if newer {
            *newest = to;
        }
        newer
    });
}

fn event(row: &Row) -> Result<LiveEvent, StoreError> {
    Ok(LiveEvent {
        id: row.int("id")?,
        at: row.time("at")?,
        topic: row.word("topic", Topic::from_name)?,
        subject: row.text("subject")?,
        data: row.json("data")?,
    })
}
