//! Reading a task's log: as text, or as a stream of events that follows it to its end. The archive is a moment behind the
//! container; only its own mark says that all is there.

use crate::doors::{gate::Gate, live::Reader, problem::Problem};
use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{
    event::Topic,
    execution::LogLine,
    identity::Caller,
    ids::ExecutionId,
    log::{LAST_LINES_MS, LogEnd, LogState, ansi},
    services::RunService,
};
use futures::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use std::{borrow::Cow, convert::Infallible, fmt::Write as _, time::Duration};
use tokio::time::Instant;

/// Log lines read at a time.
const BATCH: u32 = 2_000;
/// Text that is asked for right after an attempt ended waits at most this long for its last lines.
const TEXT_PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two looks of such a request.
const TEXT_PAUSE: Duration = Duration::from_millis(100);
/// A stream waits at most this long for the last lines, whatever the clocks of cluster and console say.
const PATIENCE: Duration = Duration::from_millis(LAST_LINES_MS.unsigned_abs());
/// How often a stream that waits for the last lines looks without being told to.
const PAUSE: Duration = Duration::from_secs(1);
/// What a reader is told where the end of a log is not in the archive.
const GAP: &str = "the end of this log was not archived in time; lines may be missing";

/// One request for a log.
pub struct Follower {
    gate: Gate,
    caller: Caller,
    id: ExecutionId,
    task: String,
    /// The attempt that was asked for; none goes on from one to the next.
    wanted: Option<u32>,
    /// The attempt that is read; 0 before the first look.
    attempt: u32,
    since: u32,
    /// Since when the last lines of this attempt are waited for.
    awaited: Option<Instant>,
}

/// What a `Last-Event-ID` says: a line, and of which attempt where the stream goes from one to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    attempt: Option<u32>,
    line: u32,
}

impl Resumed {
    /// Reads `17` or `2:17`.
    pub fn parse(id: &str) -> Option<Self> {
        match id.split_once(':') {
            None => Some(Self { attempt: None, line: id.parse().ok()? }),
            Some((attempt, line)) => Some(Self { attempt: Some(attempt.parse().ok()?), line: line.parse().ok()? }),
        }
    }
}

/// What follows after all lines that are there were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// More may come.
    Wait,
    /// The next attempt.
    Next { gap: bool },
    /// Nothing.
    End { gap: bool },
}

impl Follower {
    pub fn new(gate: Gate, caller: Caller, id: ExecutionId, task: String, wanted: Option<u32>, since: u32) -> Self {
        Self { gate, caller, id, task, wanted, attempt: 0, since, awaited: None }
    }

    /// How the log stands. The attempt is looked up once and then kept: lines of two attempts are never mixed.
    async fn look(&mut self) -> Result<LogState, Problem> {
        let attempt = self.wanted.or(Some(self.attempt).filter(|n| *n > 0));
        let state = self.gate.services.log_state(&self.caller, &self.id, &self.task, attempt).await?;
        self.attempt = state.attempt;
        Ok(state)
    }

    async fn read(&mut self) -> Result<Vec<LogLine>, Problem> {
        let (services, attempt) = (&self.gate.services, Some(self.attempt));
        let mut lines =
            RunService::log(services, &self.caller, &self.id, &self.task, attempt, self.since, BATCH).await?;
        // Programs get text; colours are for the page.
        for line in &mut lines {
            if let Cow::Owned(plain) = ansi::plain(&line.text) {
                line.text = plain;
            }
        }
        if let Some(last) = lines.last() {
            self.since = last.line;
        }
        Ok(lines)
    }

    /// The whole of it, as it is now, batch by batch as it is taken.
    pub async fn text(mut self, timestamps: bool) -> Result<Response, Problem> {
        let began = Instant::now();
        while self.look().await?.end == LogEnd::Awaited && began.elapsed() < TEXT_PATIENCE {
            tokio::time::sleep(TEXT_PAUSE).await;
        }
        // What can't be read at all is told as such; afterwards an answer can only break off.
        let first = self.read().await?;
        let batches = stream::try_unfold((self, Some(first)), move |(mut follower, read)| async move {
            let lines = match read {
                Some(lines) => lines,
                None => follower.read().await.map_err(|_| std::io::Error::other("the log can't be read on"))?,
            };
            if lines.is_empty() {
                return Ok(None);
            }
            Ok::<_, std::io::Error>(Some((Bytes::from(joined(&lines, timestamps)), (follower, None))))
        });
        Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(batches)).into_response())
    }

    /// Lines as they come, each with its number as the event's id; `end` when no more will come.
    pub async fn stream(mut self, resumed: Option<Resumed>) -> Result<Response, Problem> {
        let latest = self.gate.live.latest().await.map_err(|e| {
            tracing::error!(error = %e, "a log stream can't begin");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the database is not available; try again in a moment",
            )
        })?;
        if let Some(resumed) = resumed {
            self.since = resumed.line;
            self.attempt = resumed.attempt.unwrap_or_default();
        }
        // What is not there is said before the stream begins.
        self.look().await?;
        let begin = self.wanted.is_none().then(|| self.attempt_event(false));
        let reader = self.gate.live.reader(latest);
        let stop = self.gate.stop.clone();
        let events = stream::iter(begin).chain(self.events(reader)).map(Ok::<_, Infallible>);
        let events = events.take_until(stop.cancelled_owned());
        Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
    }

    fn events(self, reader: Reader) -> impl Stream<Item = Event> {
        stream::unfold(Some((self, reader)), |state| async move {
            let (mut follower, mut reader) = state?;
            loop {
                match follower.step().await {
                    Ok((events, false)) if events.is_empty() => follower.pause(&mut reader).await,
                    Ok((events, ended)) => return Some((events, (!ended).then_some((follower, reader)))),
                    Err(problem) => {
                        let text = serde_json::to_string(&problem).unwrap_or_default();
                        return Some((vec![Event::default().event("error").data(text)], None));
                    }
                }
            }
        })
        .flat_map(stream::iter)
    }

    /// What there is to send now, and whether that was all.
    async fn step(&mut self) -> Result<(Vec<Event>, bool), Problem> {
        // Asked before reading: what came in between is read too.
        let state = self.look().await?;
        let lines = self.read().await?;
        if !lines.is_empty() {
            return Ok((lines.iter().map(|line| self.line_event(line)).collect(), false));
        }
        let waited = match state.end {
            LogEnd::Awaited => self.awaited.get_or_insert_with(Instant::now).elapsed(),
            _ => Duration::ZERO,
        };
        Ok(match then(state, waited, self.wanted.is_some()) {
            Then::Wait => (Vec::new(), false),
            Then::Next { gap } => {
                (self.attempt, self.since, self.awaited) = (self.attempt + 1, 0, None);
                (vec![self.attempt_event(gap)], false)
            }
            Then::End { gap } => (vec![Event::default().event("end").data(with_gap(json!({}), gap))], true),
        })
    }

    /// Waits until something of this execution was told, or for a while where the last lines are awaited.
    async fn pause(&self, reader: &mut Reader) {
        let told = async {
            loop {
                let event = reader.next().await;
                if matches!(event.topic, Topic::Task | Topic::Execution) && event.subject == self.id.as_str() {
                    return;
                }
            }
        };
        match self.awaited {
            None => told.await,
            Some(_) => drop(tokio::time::timeout(PAUSE, told).await),
        }
    }

    fn line_event(&self, line: &LogLine) -> Event {
        let id = match self.wanted {
            Some(_) => line.line.to_string(),
            None => format!("{}:{}", self.attempt, line.line),
        };
        Event::default().event("line").id(id).data(serde_json::to_string(line).unwrap_or_default())
    }

    fn attempt_event(&self, gap: bool) -> Event {
        Event::default().event("attempt").data(with_gap(json!({ "attempt": self.attempt }), gap))
    }
}

/// What follows where every archived line was sent. `pinned`: one attempt was asked for.
fn then(state: LogState, waited: Duration, pinned: bool) -> Then {
    let gap = match state.end {
        LogEnd::Open => return Then::Wait,
        LogEnd::Awaited if waited < PATIENCE => return Then::Wait,
        LogEnd::Awaited | LogEnd::Cut => true,
        LogEnd::Whole => false,
    };
    if pinned {
        Then::End { gap }
    } else if state.attempt < state.newest {
        Then::Next { gap }
    } else if state.last {
        Then::End { gap }
    } else {
        Then::Wait
    }
}

fn with_gap(mut data: Value, gap: bool) -> String {
    if gap {
        data["gap"] = GAP.into();
    }
    data.to_string()
}

/// Lines as text.
fn joined(lines: &[LogLine], timestamps: bool) -> String {
    let mut text = String::new();
    for line in lines {
        if let Some(at) = line.at.filter(|_| timestamps) {
            // Writing into a String can't fail.
            let _ = write!(text, "{at} ");
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_by_the_archives_mark_or_with_a_gap() {
        let state = |end, attempt, newest, last| LogState { attempt, end, newest, last };
        let (none, long) = (Duration::ZERO, PATIENCE);
        for (state, waited, pinned, expected) in [
            (state(LogEnd::Open, 1, 1, false), none, false, Then::Wait),
            (state(LogEnd::Awaited, 1, 1, true), none, false, Then::Wait),
            (state(LogEnd::Awaited, 1, 1, true), long, false, Then::End { gap: true }),
            (state(LogEnd::Cut, 1, 1, true), none, true, Then::End { gap: true }),
            (state(LogEnd::Whole, 1, 1, true), none, false, Then::End { gap: false }),
            (state(LogEnd::Whole, 1, 2, false), none, false, Then::Next { gap: false }),
            (state(LogEnd::Whole, 1, 2, false), none, true, Then::End { gap: false }),
            (state(LogEnd::Awaited, 1, 3, true), long, false, Then::Next { gap: true }),
            (state(LogEnd::Whole, 1, 1, false), none, false, Then::Wait),
        ] {
            assert_eq!(then(state, waited, pinned), expected, "{state:?} {waited:?} {pinned}");
        }
    }

    #[test]
    fn a_stream_resumes_where_its_last_event_was() {
        assert_eq!(Resumed::parse("17"), Some(Resumed { attempt: None, line: 17 }));
        assert_eq!(Resumed::parse("2:17"), Some(Resumed { attempt: Some(2), line: 17 }));
        for bad in ["", "x", "2:", ":3", "-1"] {
            assert_eq!(Resumed::parse(bad), None, "{bad}");
        }
    }
}
