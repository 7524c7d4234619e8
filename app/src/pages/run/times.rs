//! How long things took, in milliseconds and in words: what picture, timeline and table say alike.

use crate::components::Mark;
use domain::{
    execution::{Task, TaskAttempt, TaskState},
    time::{Timestamp, human},
};

/// What an attempt was at, from when to when; no end while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it was at.
    pub phase: Phase,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none while it goes on.
    pub to: Option<Timestamp>,
}

/// What an attempt is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for a node.
    Queued,
    /// Pulling the image, making the container.
    Pulling,
    /// Its container runs.
    Running,
}

impl Phase {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pulling => "pulling",
            Self::Running => "running",
        }
    }
}

/// The spans of an attempt, in their order. One that has ended without saying when ends where it was last heard of.
pub fn spans(attempt: &TaskAttempt) -> Vec<Span> {
    let known = [
        (Phase::Queued, attempt.queued_at),
        (Phase::Pulling, attempt.pulling_at),
        (Phase::Running, attempt.running_at),
    ];
    let begun: Vec<(Phase, Timestamp)> = known.into_iter().filter_map(|(phase, at)| Some((phase, at?))).collect();
    let last = attempt.finished_at.or_else(|| attempt.state.ended().then(|| begun.last().map(|(_, at)| *at)).flatten());
    let ends = begun.iter().skip(1).map(|(_, at)| Some(*at)).chain([last]);
    begun.iter().zip(ends).map(|((phase, from), to)| Span { phase: *phase, from: *from, to }).collect()
}

/// What a task is at now, while it is at anything.
pub fn open_span(task: &Task) -> Option<Span> {
    spans(task.attempts.last()?).pop().filter(|span| span.to.is_none())
}

/// How long a task took from its first start to its end, or has taken until now; none before it started.
pub fn took(task: &Task, now: Timestamp) -> Option<i64> {
    let from = task.started_at.or_else(|| task.attempts.iter().find_map(|a| a.running_at))?;
    match task.finished_at {
        Some(to) => Some(to.since(from).max(0)),
        None if task.state.ended() => None,
        None => Some(now.since(from).max(0)),
    }
}

/// All the time a task held up what comes after it: waiting for a node, pulling, running.
pub fn held(task: &Task, now: Timestamp) -> u64 {
    let all = task.attempts.iter().flat_map(spans).map(|span| span.to.unwrap_or(now).since(span.from).max(0));
    u64::try_from(all.sum::<i64>()).unwrap_or(0)
}

/// How a task stands, in a few words: `succeeded in 15s`, `pulling`, `waits`. What ticks is not part of it.
pub fn standing(task: &Task, now: Timestamp) -> String {
    let word = Mark::from(task.state).word.to_lowercase();
    let took = took(task, now).map(human);
    match (task.state, took) {
        (TaskState::Pending, _) => {
            open_span(task).map_or_else(|| "waits".to_owned(), |span| span.phase.word().to_owned())
        }
        (TaskState::Running, _) => open_span(task).map_or(word, |span| span.phase.word().to_owned()),
        (TaskState::Succeeded, Some(took)) => format!("{word} in {took}"),
        (TaskState::Skipped, _) | (_, None) => word,
        (_, Some(took)) => format!("{word} after {took}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn attempt(state: TaskState, times: [Option<i64>; 4]) -> TaskAttempt {
        let [queued_at, pulling_at, running_at, finished_at] = times.map(|t| t.map(at));
        TaskAttempt { attempt: 1, state, reason: None, pod: None, queued_at, pulling_at, running_at, finished_at }
    }

    #[test]
    fn an_attempt_falls_into_spans_that_follow_each_other() {
        let all = spans(&attempt(TaskState::Succeeded, [Some(0), Some(2), Some(5), Some(20)]));
        let told: Vec<_> = all.iter().map(|s| (s.phase, s.from, s.to)).collect();
        assert_eq!(
            told,
            [
                (Phase::Queued, at(0), Some(at(2))),
                (Phase::Pulling, at(2), Some(at(5))),
                (Phase::Running, at(5), Some(at(20))),
            ]
        );
        let pulling = spans(&attempt(TaskState::Pending, [Some(0), Some(2), None, None]));
        assert_eq!(pulling.last().map(|s| (s.phase, s.to)), Some((Phase::Pulling, None)));
        // It never ran, yet it has ended.
        let refused = spans(&attempt(TaskState::Failed, [Some(0), None, None, None]));
        assert_eq!(refused.last().and_then(|s| s.to), Some(at(0)));
        assert!(spans(&attempt(TaskState::Pending, [None; 4])).is_empty());
    }
}
