//! Reading archived logs, however long: any part, from either end, and what is found in them.

use super::StoreError;
use crate::{execution::LogLine, ids::ExecutionId, log::level::Needle};
use async_trait::async_trait;

/// Whose log.
#[derive(Clone, Copy, Debug)]
pub struct LogOf<'a> {
    /// The execution.
    pub execution: &'a ExecutionId,
    /// The task.
    pub task: &'a str,
    /// The attempt, counted from 1.
    pub attempt: u32,
}

/// Which of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSlice {
    /// Only lines after this one.
    pub after: u32,
    /// Only lines before this one.
    pub before: Option<u32>,
    /// Of all these the last, not the first.
    pub from_end: bool,
    /// Only lines that look like one of these; all where there is none.
    pub like: Vec<Needle>,
    /// At most so many.
    pub limit: u32,
}

/// Archived logs, to be read.
#[async_trait]
pub trait LogReader: Send + Sync {
    /// The number of the last line; 0 where there is none.
    async fn last_line(&self, of: LogOf<'_>) -> Result<u32, StoreError>;
    /// Lines, always in their order.
    async fn slice(&self, of: LogOf<'_>, slice: &LogSlice) -> Result<Vec<LogLine>, StoreError>;
    /// The numbers of the first `limit` lines that hold a text, whatever the case of its letters, in order.
    async fn holding(&self, of: LogOf<'_>, text: &str, limit: u32) -> Result<Vec<u32>, StoreError>;
}
