//! A task's log: a window of numbered lines, each a link to itself; the end unless the address says where to be. Searching,
//! levels, groups and colours are the server's; in the browser an island scrolls through all of it.

mod bar;
mod lines;

pub use lines::Lines;

use super::selection::Selection;
use crate::query::Query;
use domain::{
    execution::{Execution, Task},
    identity::Caller,
    ids::ExecutionId,
    log::{
        level::Level,
        window::{CHUNKS, LogAsk, LogView, Place},
    },
    services::{Answer, RunService, ServiceError},
};
use leptos::prelude::*;

/// How a log is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// From this line on.
    pub from: Option<u32>,
    /// Before this line.
    pub before: Option<u32>,
    /// The line that is meant.
    pub line: Option<u32>,
    /// What is searched for.
    pub find: Option<String>,
    /// Which hit of it.
    pub hit: Option<u32>,
    /// Only such lines.
    pub level: Option<Level>,
    /// Whether times are shown.
    pub times: bool,
    /// Whether long lines go on to the right instead of wrapping.
    pub long: bool,
    /// Whether it has the width of the page.
    pub wide: bool,
}

impl Look {
    /// What the address says.
    pub fn of(query: &Query) -> Self {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<u32>().ok()).filter(|n| *n > 0);
        Self {
            from: number("from"),
            before: number("before"),
            line: number("line"),
            find: query.text("find"),
            hit: number("hit"),
            level: query.get("level").and_then(Level::from_name).filter(|level| Level::FILTERS.contains(level)),
            times: query.get("times").is_some(),
            long: query.get("wrap") == Some("off"),
            wide: query.get("wide").is_some(),
        }
    }

    /// The address with this in it.
    pub fn written(&self, query: Query) -> Query {
        let number = |n: Option<u32>| n.map(|n| n.to_string());
        query
            .with("from", number(self.from).as_deref())
            .with("before", number(self.before).as_deref())
            .with("line", number(self.line).as_deref())
            .with("find", self.find.as_deref())
            .with("hit", number(self.hit).as_deref())
            .with("level", self.level.map(Level::name))
            .with("times", self.times.then_some("on"))
            .with("wrap", self.long.then_some("off"))
            .with("wide", self.wide.then_some("on"))
    }

    /// The same for another log: how it is set stays, what is meant in it does not.
    pub fn of_another(&self) -> Self {
        Self { times: self.times, long: self.long, wide: self.wide, ..Self::default() }
    }

    /// Somewhere else in the same log.
    pub fn go_to(&mut self, place: Place) {
        (self.from, self.before, self.line, self.hit) = (None, None, None, None);
        match place {
            Place::End => {}
            Place::From(line) => self.from = Some(line),
            Place::Before(line) => self.before = Some(line),
            Place::Around(line) => self.line = Some(line),
        }
    }

    fn place(&self) -> Place {
        let line = self.line.map(Place::Around);
        let from = self.from.map(Place::From);
        line.or(from).or(self.before.map(Place::Before)).unwrap_or_default()
    }

    fn ask(&self, chunks: u32) -> LogAsk {
        LogAsk { place: self.place(), chunks, find: self.find.clone(), hit: self.hit, level: self.level }
    }
}

/// What is shown of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How many attempts there are.
    pub attempts: u32,
    /// The part of it.
    pub view: LogView,
}

/// Reads what the selection asks for; none before the first attempt.
pub async fn read(
    runs: &dyn RunService,
    caller: &Caller,
    run: &Execution,
    task: &Task,
    selection: &Selection,
    chunks: u32,
) -> Answer<Option<Log>> {
    let attempts = u32::try_from(task.attempts.len()).unwrap_or(u32::MAX);
    if attempts == 0 {
        return Ok(None);
    }
    // An attempt that there is not counts as not said.
    let attempt = selection.attempt.filter(|n| *n <= attempts).unwrap_or(attempts);
    let ask = selection.log.ask(chunks);
    let view = runs.log_view(caller, &run.subject.id, &task.name, Some(attempt), &ask).await?;
    Ok(Some(Log { attempts, view }))
}

/// The log alone, for the island that scrolls through it: what the page would show of it, or with `only` one chunk.
pub async fn fragment(runs: &dyn RunService, caller: &Caller, id: &ExecutionId, query: &Query) -> Answer<String> {
    let run = runs.get(caller, id).await?;
    let selection = Selection::of(&run, query);
    let task = selection.task_of(&run).ok_or(ServiceError::NotFound("task"))?.clone();
    let chunks = if query.get("only").is_some() { 1 } else { CHUNKS };
    let log = read(runs, caller, &run, &task, &selection, chunks).await?;
    Ok(Owner::new().with(|| view! { <Lines run task log selection /> }.into_any().to_html()))
}
