//! What an attempt was at, and how long: the one rule by which pages draw it and a task's `queued_ms`, `pulling_ms` and `running_ms` add it up.

use crate::{execution::TaskAttempt, time::Timestamp};

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

/// What an attempt was at, from when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it was at.
    pub phase: Phase,
    /// Since when.
    pub from: Timestamp,
    /// Until when: the next phase began, or the attempt ended in this one. None while it goes on, and where it ended without saying when.
    pub to: Option<Timestamp>,
}

impl Span {
    /// Milliseconds from its beginning to its end, if that is known.
    pub fn ms(self) -> Option<i64> {
        Some(self.to?.since(self.from).max(0))
    }
}

/// The spans of an attempt, in their order.
pub fn spans(attempt: &TaskAttempt) -> Vec<Span> {
    let known = [
        (Phase::Queued, attempt.queued_at),
        (Phase::Pulling, attempt.pulling_at),
        (Phase::Running, attempt.running_at),
    ];
    let begun: Vec<(Phase, Timestamp)> = known.into_iter().filter_map(|(phase, at)| Some((phase, at?))).collect();
    let ends = begun.iter().skip(1).map(|(_, at)| Some(*at)).chain([attempt.finished_at]);
    begun.iter().zip(ends).map(|((phase, from), to)| Span { phase: *phase, from: *from, to }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::TaskState;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn told(state: TaskState, times: [Option<i64>; 4]) -> Vec<(Phase, Timestamp, Option<Timestamp>)> {
        let [queued_at, pulling_at, running_at, finished_at] = times.map(|t| t.map(at));
        let attempt =
            TaskAttempt { attempt: 1, state, reason: None, pod: None, queued_at, pulling_at, running_at, finished_at };
        spans(&attempt).into_iter().map(|span| (span.phase, span.from, span.to)).collect()
    }

    #[test]
    fn an_attempt_falls_into_spans_that_follow_each_other() {
        assert_eq!(
            told(TaskState::Succeeded, [Some(0), Some(2), Some(5), Some(20)]),
            [
                (Phase::Queued, at(0), Some(at(2))),
                (Phase::Pulling, at(2), Some(at(5))),
                (Phase::Running, at(5), Some(at(20))),
            ]
        );
        assert_eq!(
            told(TaskState::Pending, [Some(0), Some(2), None, None]),
            [(Phase::Queued, at(0), Some(at(2))), (Phase::Pulling, at(2), None)]
        );
        assert_eq!(
            told(TaskState::Running, [Some(0), None, Some(5), None]),
            [(Phase::Queued, at(0), Some(at(5))), (Phase::Running, at(5), None)]
        );
        assert!(told(TaskState::Pending, [None; 4]).is_empty());
    }

    #[test]
    fn one_that_ended_in_the_queue_was_queued_until_then() {
        assert_eq!(told(TaskState::Cancelled, [Some(0), None, None, Some(7)]), [(Phase::Queued, at(0), Some(at(7)))]);
        let unsaid = told(TaskState::Lost, [Some(0), None, None, None]);
        assert_eq!(unsaid, [(Phase::Queued, at(0), None)], "when is not known");
    }
}
