//! The archive of one log: written in small batches, and again and again while the database does not answer. The container goes
//! on meanwhile and the cluster keeps what it writes, so that giving up would lose what waiting keeps.

use super::lines::Position;
use crate::backoff;
use domain::{
    execution::LogLine,
    ids::ExecutionId,
    ports::{ExecutionStore, StoreError},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// At most this many lines in one write.
pub const BATCH: usize = 500;
/// At most this many lines in one reading.
const PAGE: u32 = 1000;
/// So often the database may refuse what it is there to take.
const REFUSALS: u32 = 8;

/// Whose log it is.
#[derive(Clone, Debug)]
pub struct Source {
    /// The execution.
    pub execution: ExecutionId,
    /// The task.
    pub task: String,
    /// Which try, counted from 1.
    pub attempt: u32,
    /// Its pod.
    pub pod: String,
}

/// The archive of one log.
pub struct Archive {
    store: Arc<dyn ExecutionStore>,
    turns: Arc<Semaphore>,
    of: Source,
}

impl Archive {
    /// Of this log; the store is asked when there is a turn.
    pub fn new(store: Arc<dyn ExecutionStore>, turns: Arc<Semaphore>, of: Source) -> Self {
        Self { store, turns, of }
    }

    /// How far an earlier process got; nothing when it read all that there is to read.
    pub async fn position(&self) -> Option<Position> {
        let Source { execution, task, attempt, .. } = &self.of;
        if self.until_it_works(|| self.store.log_closed(execution, task, *attempt)).await? {
            return None;
        }
        let mut position = Position::default();
        loop {
            let from = position.line;
            let page = self.until_it_works(|| self.store.log(execution, task, *attempt, from, PAGE)).await?;
            // A line without a time is our own word at the end of what could be read.
            if page.last().is_some_and(|line| line.at.is_none()) {
                return None;
            }
            if page.is_empty() {
                return Some(position);
            }
            for line in &page {
                position.pass(line);
            }
        }
    }

    /// Writes all of it, and empties it. What can't be kept is let go, and the log says so.
    pub async fn append(&self, batch: &mut Vec<LogLine>) {
        let Source { execution, task, attempt, .. } = &self.of;
        while !batch.is_empty() {
            let now = &batch[..batch.len().min(BATCH)];
            self.until_it_works(|| self.store.append_log(execution, task, *attempt, now)).await;
            batch.drain(..batch.len().min(BATCH));
        }
    }

    /// Notes that nothing more will come.
    pub async fn close(&self) {
        let Source { execution, task, attempt, .. } = &self.of;
        self.until_it_works(|| self.store.close_log(execution, task, *attempt)).await;
    }

    /// Asks again while the database is away; none where it refuses for good, as for a run that retention has removed.
    async fn until_it_works<T, F>(&self, ask: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut tries = 0;
        loop {
            let answer = {
                // The semaphore is never closed.
                let _turn = self.turns.acquire().await;
                ask().await
            };
            match answer {
                Ok(answer) => return Some(answer),
                Err(error) => {
                    tries += 1;
                    let Source { execution, task, pod, .. } = &self.of;
                    if tries >= REFUSALS && matches!(error, StoreError::Failed(_) | StoreError::Corrupt { .. }) {
                        tracing::error!(%execution, task, %error, "a part of a log is not kept");
                        return None;
                    }
                    // Doubling numbers: an outage of hours is told in a dozen lines.
                    if u32::is_power_of_two(tries) {
                        tracing::warn!(%execution, task, tries, %error, "a log waits for the database");
                    }
                    tokio::time::sleep(backoff::pause(pod, tries, None)).await;
                }
            }
        }
    }
}
