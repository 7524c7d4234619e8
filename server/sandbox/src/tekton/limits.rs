//! The time limits of a run: of the whole, of its tasks, of its finally tasks.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::time::{self, Time};

/// One limit; none when there is no `at`.
pub(super) struct Limit {
    /// As Go prints it.
    pub(super) text: String,
    at: Option<Instant>,
}

impl Limit {
    pub(super) fn expired(&self) -> bool {
        self.at.is_some_and(|at| at <= Instant::now())
    }
}

/// All limits of one run.
pub(super) struct Limits {
    pub(super) pipeline: Limit,
    pub(super) tasks: Limit,
    pub(super) finally: Limit,
    pub(super) finally_began: bool,
}

impl Limits {
    /// From `spec.timeouts`, and the moments at which the run and its finally part began. What one part may take is
    /// what the other leaves, if only one is said.
    pub(super) fn of(timeouts: &Value, began: Instant, finally: Option<Instant>, time: &Time) -> Self {
        let limit = |name: &str| timeouts[name].as_str().and_then(time::parse_duration).filter(|ms| *ms > 0);
        let whole = limit("pipeline");
        let tasks = limit("tasks").or_else(|| Some(whole?.saturating_sub(limit("finally")?)));
        let last = limit("finally").or_else(|| Some(whole?.saturating_sub(limit("tasks")?)));
        let until = |ms: Option<u64>, from: Option<Instant>| Limit {
            text: ms.map(time::print_duration).unwrap_or_default(),
            at: ms.zip(from).map(|(ms, from)| from + time.scaled(ms)),
        };
        Self {
            pipeline: until(whole, Some(began)),
            tasks: until(tasks, Some(began)),
            finally: until(last, finally),
            finally_began: finally.is_some(),
        }
    }

    /// How long until the next of them strikes.
    pub(super) fn next(&self) -> Option<Duration> {
        let now = Instant::now();
        let waits = [&self.pipeline, &self.tasks, &self.finally].into_iter().filter_map(|limit| limit.at);
        waits.filter(|at| *at > now).map(|at| at - now).min()
    }
}
