//! How long things took, in milliseconds and in words: what picture, timeline and table say alike.

use crate::components::Mark;
pub use domain::spans::{Phase, Span};
use domain::{
    execution::{Task, TaskAttempt, TaskState},
    time::{Timestamp, human},
};

/// The spans of an attempt as they are drawn: one that has ended without saying when ends where it was last heard of.
pub fn spans(attempt: &TaskAttempt) -> Vec<Span> {
    let mut all = domain::spans::spans(attempt);
    if let Some(last) = all.last_mut().filter(|_| attempt.state.ended()) {
        last.to = last.to.or(Some(last.from));
    }
    all
}

/// How long an attempt was at that, until now while it goes on; none where it never was, or ended without saying when.
pub fn in_phase(attempt: &TaskAttempt, phase: Phase, now: Timestamp) -> Option<i64> {
    let span = domain::spans::spans(attempt).into_iter().find(|span| span.phase == phase)?;
    let going = || (!attempt.state.ended()).then(|| now.since(span.from).max(0));
    span.ms().or_else(going)
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
    fn an_attempt_that_never_ran_has_ended_and_one_that_goes_on_has_not() {
        let refused = attempt(TaskState::Failed, [Some(0), None, None, None]);
        assert_eq!(spans(&refused).last().and_then(|span| span.to), Some(at(0)));
        assert_eq!(in_phase(&refused, Phase::Queued, at(9)), None, "how long it waited is not known");
        let cancelled = attempt(TaskState::Cancelled, [Some(0), None, None, Some(7)]);
        assert_eq!(in_phase(&cancelled, Phase::Queued, at(9)), Some(7000));
        let pulling = attempt(TaskState::Pending, [Some(0), Some(2), None, None]);
        assert_eq!(spans(&pulling).last().map(|span| (span.phase, span.to)), Some((Phase::Pulling, None)));
        let told = [Phase::Queued, Phase::Pulling, Phase::Running].map(|phase| in_phase(&pulling, phase, at(9)));
        assert_eq!(told, [Some(2000), Some(7000), None]);
    }
}
