//! Live events for many readers: one loop reads the store, everybody else listens to it.

use axum::response::sse;
use domain::{
    event::LiveEvent,
    ports::{EventStore, StoreError},
};
use serde_json::json;
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Events that a slow reader may fall behind before it reads them from the store instead.
const BACKLOG: usize = 1024;
/// Events read from the store at a time.
const BATCH: u32 = 500;

/// An event, written out once for all who hear of it.
pub struct Told {
    event: LiveEvent,
    wire: sse::Event,
}

impl Told {
    fn of(event: LiveEvent) -> Arc<Self> {
        let data = json!({ "at": event.at, "subject": event.subject, "data": event.data });
        let wire = sse::Event::default().event(event.topic.name()).id(event.id.to_string()).data(data.to_string());
        Arc::new(Self { event, wire })
    }

    /// As it goes over the wire.
    pub fn wire(&self) -> sse::Event {
        self.wire.clone()
    }
}

impl Deref for Told {
    type Target = LiveEvent;

    fn deref(&self) -> &LiveEvent {
        &self.event
    }
}

/// The hub; cheap to clone.
#[derive(Clone)]
pub struct Live {
    store: Arc<dyn EventStore>,
    sender: broadcast::Sender<Arc<Told>>,
    told: Arc<AtomicI64>,
}

impl Live {
    /// Starts the loop that reads the store until `stop`.
    pub fn start(store: Arc<dyn EventStore>, stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        let live = Self { store, sender, told: Arc::default() };
        let pump = live.clone();
        tokio::spawn(async move { stop.run_until_cancelled(pump.pump()).await });
        live
    }

    async fn pump(&self) {
        let mut last = loop {
            match self.store.latest().await {
                Ok(id) => break id,
                Err(error) => {
                    tracing::warn!(%error, "live events wait for the database");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        self.told.store(last, Ordering::Release);
        loop {
            self.store.changed(last).await;
            match self.store.since(last, BATCH).await {
                Ok(events) => {
                    for event in events {
                        last = event.id;
                        self.told.store(last, Ordering::Release);
                        // Nobody listening is no fault.
                        let _ = self.sender.send(Told::of(event));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "live events wait for the database");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// The id of the newest event that was told here, 0 before the first: whatever is read from now on includes it.
    pub fn told(&self) -> i64 {
        self.told.load(Ordering::Acquire)
    }

    /// The id of the newest event.
    pub async fn latest(&self) -> Result<i64, StoreError> {
        self.store.latest().await
    }

    /// The id of the oldest event still kept.
    pub async fn oldest(&self) -> Result<i64, StoreError> {
        self.store.oldest().await
    }

    /// A reader that begins after `id`.
    pub fn reader(&self, id: i64) -> Reader {
        Reader { live: self.clone(), receiver: self.sender.subscribe(), last: id, queue: Vec::new(), behind: true }
    }
}

/// Reads every event after a certain one, in order, each once.
pub struct Reader {
    live: Live,
    receiver: broadcast::Receiver<Arc<Told>>,
    last: i64,
    queue: Vec<Arc<Told>>,
    behind: bool,
}

impl Reader {
    /// The next event. Reads from the store when it is behind, else waits for the loop.
    pub async fn next(&mut self) -> Arc<Told> {
        loop {
            if let Some(event) = self.queue.pop() {
                self.last = event.id;
                return event;
            }
            if self.behind {
                match self.live.store.since(self.last, BATCH).await {
                    Ok(events) => {
                        self.behind = !events.is_empty();
                        self.queue = events.into_iter().rev().map(Told::of).collect();
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a stream waits for the database");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
                continue;
            }
            match self.receiver.recv().await {
                Ok(event) if event.id == self.last + 1 => {
                    self.last = event.id;
                    return event;
                }
                // Seen already, while catching up from the store.
                Ok(event) if event.id <= self.last => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                Err(broadcast::error::RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    }
}
