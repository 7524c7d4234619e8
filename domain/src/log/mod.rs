//! Whether more lines of a log can come: the archive is a moment behind the container, so that an attempt that has ended says
//! nothing of its log. What stands in a log, and what of it is shown, is told by the modules below. Pure.

pub mod ansi;
pub mod clean;
pub mod find;
pub mod group;
pub mod level;
pub mod window;

use crate::{execution::Execution, time::Timestamp};

/// The last lines of an attempt that has ended are waited for this long, milliseconds. They come within a second where the
/// cluster answers; on a cancellation the container may stop slowly (30 seconds is the kubelet's default grace).
pub const LAST_LINES_MS: i64 = 30_000;

/// How the log of an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// It is being written.
    Open,
    /// The attempt has ended, its last lines may still come.
    Awaited,
    /// All that will ever be there is there.
    Whole,
    /// Nobody archived its end in time: lines may be missing.
    Cut,
}

/// A log and what may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogState {
    /// Which attempt, counted from 1.
    pub attempt: u32,
    /// How its log stands.
    pub end: LogEnd,
    /// The newest attempt of its task; 1 where none has begun.
    pub newest: u32,
    /// No further attempt will begin.
    pub last: bool,
}

impl LogState {
    /// The newest attempt of a task of this run; none where there is no such task.
    pub fn newest(run: &Execution, task: &str) -> Option<u32> {
        let task = run.tasks.iter().find(|t| t.name == task)?;
        Some(u32::try_from(task.attempts.len()).unwrap_or(u32::MAX).max(1))
    }

    /// Of an attempt. `closed`: who archives it says that it is whole. None where there is no such task.
    pub fn of(run: &Execution, task: &str, attempt: u32, closed: bool, now: Timestamp) -> Option<Self> {
        let newest = Self::newest(run, task)?;
        let task = run.tasks.iter().find(|t| t.name == task)?;
        let last = run.state.ended() || task.state.ended();
        let known = task.attempts.iter().find(|a| a.attempt == attempt);
        let over = last || known.is_some_and(|a| a.state.ended());
        let end = match known.filter(|a| a.running_at.is_some()) {
            _ if closed => LogEnd::Whole,
            _ if !over => LogEnd::Open,
            // No container ran, so nobody wrote.
            None => LogEnd::Whole,
            Some(attempt) => {
                let ended = attempt.finished_at.or(task.finished_at).or(run.finished_at);
                let fresh = ended.is_none_or(|at| now.since(at) < LAST_LINES_MS);
                if fresh { LogEnd::Awaited } else { LogEnd::Cut }
            }
        };
        Some(Self { attempt, end, newest, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{ExecutionState, TaskState};
    use serde_json::json;

    /// A run of one task whose attempts stand so: state, when the container started, when it ended.
    fn run(state: ExecutionState, attempts: &[(TaskState, Option<i64>, Option<i64>)]) -> Execution {
        let digest = crate::ids::Digest::from_bytes([1; 32]);
        let at = |ms: Option<i64>| ms.map(Timestamp::from_millis);
        let attempts: Vec<_> = (1..)
            .zip(attempts)
            .map(|(n, (state, began, ended))| {
                json!({"attempt": n, "state": state, "running_at": at(*began), "finished_at": at(*ended)})
            })
            .collect();
        let time = Timestamp::from_millis(0);
        serde_json::from_value(json!({
            "id": "e", "recommendation_id": "r", "strategy": 0, "ticket_digest": digest, "name": "n", "cluster": "c",
            "sandbox": true, "namespace": "ns", "incident_id": "i", "signal_type": "s", "severity": "high",
            "action_type": "a", "title": "t", "state": state, "stage": "started", "revision": 1, "approved_by": [],
            "created_at": time, "expires_at": time, "cancel_requested": false, "assessment": "not_assessed",
            "tasks": [{
                "name": "execute", "state": "running", "run_after": [], "attempts": attempts, "results": {},
                "parameters": {}, "ticket": digest,
            }],
        }))
        .expect("an execution")
    }

    fn state(run: &Execution, attempt: u32, closed: bool, now: i64) -> LogState {
        LogState::of(run, "execute", attempt, closed, Timestamp::from_millis(now)).expect("the task")
    }

    #[test]
    fn only_the_archives_mark_or_time_ends_a_log() {
        let running = run(ExecutionState::Running, &[(TaskState::Running, Some(1), None)]);
        assert_eq!(state(&running, 1, false, 1_000_000).end, LogEnd::Open);
        assert_eq!(state(&running, 1, true, 0).end, LogEnd::Whole, "a log that reached its bounds");
        let ended = run(ExecutionState::Failed, &[(TaskState::Failed, Some(1), Some(1000))]);
        assert_eq!(state(&ended, 1, false, 1000).end, LogEnd::Awaited);
        assert_eq!(state(&ended, 1, true, 1000).end, LogEnd::Whole);
        assert_eq!(state(&ended, 1, false, 1000 + LAST_LINES_MS).end, LogEnd::Cut);
        let never = run(ExecutionState::Cancelled, &[(TaskState::Cancelled, None, Some(1000))]);
        assert_eq!(state(&never, 1, false, 1000).end, LogEnd::Whole, "no container, no lines");
        assert_eq!(state(&run(ExecutionState::Lost, &[]), 1, false, 0).end, LogEnd::Whole);
    }

    #[test]
    fn a_retry_leaves_the_attempt_before_it_behind() {
        let failed = (TaskState::Failed, Some(1), Some(1000));
        let between = run(ExecutionState::Running, &[failed]);
        assert_eq!((state(&between, 1, true, 0).last, state(&between, 1, true, 0).newest), (false, 1));
        let retried = run(ExecutionState::Running, &[failed, (TaskState::Running, Some(2000), None)]);
        let first = state(&retried, 1, false, 1001);
        assert_eq!((first.end, first.newest, first.last), (LogEnd::Awaited, 2, false));
        assert_eq!(state(&retried, 2, false, 1_000_000).end, LogEnd::Open);
        assert!(LogState::of(&retried, "other", 1, false, Timestamp::from_millis(0)).is_none());
    }
}
