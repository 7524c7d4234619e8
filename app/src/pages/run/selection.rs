//! What of a run is selected and how it is looked at: task, tab, attempt, a place in the log, the picture's size. All of it is
//! read from the address and written into links, so that every link opens what its sender saw.

use super::{log::Look, picture::View};
use crate::query::Query;
use domain::execution::{Execution, Task, TaskState};

/// What is shown of the selected task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What it wrote.
    #[default]
    Logs,
    /// What it was given.
    Parameters,
    /// What it reported.
    Results,
    /// Its tries.
    Attempts,
    /// What happened to it, and when.
    Events,
}

impl Tab {
    /// Every tab, in their order.
    pub const ALL: [Self; 5] = [Self::Logs, Self::Parameters, Self::Results, Self::Attempts, Self::Events];

    /// The word in the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Parameters => "parameters",
            Self::Results => "results",
            Self::Attempts => "attempts",
            Self::Events => "events",
        }
    }

    /// The word on the tab.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Logs => "Logs",
            Self::Parameters => "Parameters",
            Self::Results => "Results",
            Self::Attempts => "Attempts",
            Self::Events => "Events",
        }
    }
}

/// A column of the table that says the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The run's own order.
    #[default]
    Order,
    /// By name.
    Name,
    /// What went wrong first, then what is at work.
    State,
    /// Longest first.
    Took,
}

impl Sort {
    /// Every order, the run's own first.
    pub const ALL: [Self; 4] = [Self::Order, Self::Name, Self::State, Self::Took];

    /// The word in the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Name => "name",
            Self::State => "state",
            Self::Took => "took",
        }
    }
}

/// The table: open or not, sorted, from which row on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableLook {
    /// How it is sorted; none while it is folded.
    pub sort: Option<Sort>,
    /// Rows that are left out before the first.
    pub skip: usize,
}

/// The selection of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The run's id.
    pub run: String,
    /// The task; chosen by the page where the address names none.
    pub task: Option<String>,
    /// Which of its tabs.
    pub tab: Tab,
    /// Which attempt's log; none is the newest.
    pub attempt: Option<u32>,
    /// How its log is looked at.
    pub log: Look,
    /// How the picture is looked at.
    pub view: View,
    /// How the table is.
    pub table: TableLook,
}

impl Selection {
    /// What the address selects. A task that the run has not counts as not named.
    pub fn of(run: &Execution, query: &Query) -> Self {
        let view = View::of(query);
        let named = query.get("task").filter(|name| run.tasks.iter().any(|task| task.name == **name));
        let sought = || view.seek.as_deref().and_then(|seek| run.tasks.iter().find(|task| found(&task.name, seek)));
        let chosen = || sought().or_else(|| most_telling(&run.tasks)).map(|task| task.name.as_str());
        let sort = query.get("sort").and_then(|word| Sort::ALL.into_iter().find(|sort| sort.name() == word));
        Self {
            run: run.subject.id.to_string(),
            task: named.or_else(chosen).map(str::to_owned),
            tab: query.get("tab").and_then(|word| Tab::ALL.into_iter().find(|t| t.name() == word)).unwrap_or_default(),
            attempt: query.get("attempt").and_then(|text| text.parse().ok()).filter(|n| *n > 0),
            log: Look::of(query),
            view,
            table: TableLook { sort, skip: query.get("rows").and_then(|text| text.parse().ok()).unwrap_or(0) },
        }
    }

    /// The selected task.
    pub fn task_of<'r>(&self, run: &'r Execution) -> Option<&'r Task> {
        run.tasks.iter().find(|task| Some(&task.name) == self.task.as_ref())
    }

    /// Whether this is the selected task.
    pub fn is(&self, task: &Task) -> bool {
        self.task.as_ref() == Some(&task.name)
    }

    /// The query of this selection.
    pub fn query(&self) -> Query {
        let query = Query::default()
            .with("task", self.task.as_deref())
            .with("tab", (self.tab != Tab::Logs).then(|| self.tab.name()))
            .with("attempt", self.attempt.map(|n| n.to_string()).as_deref());
        let query = self.view.written(self.log.written(query));
        query
            .with("sort", self.table.sort.map(Sort::name))
            .with("rows", (self.table.skip > 0).then(|| self.table.skip.to_string()).as_deref())
    }

    /// The address of this selection.
    pub fn href(&self) -> String {
        format!("/runs/{}{}", self.run, self.query())
    }

    /// The address of the log alone, for whoever has the rest of the page.
    pub fn log_href(&self) -> String {
        format!("/runs/{}/log{}", self.run, self.query())
    }

    /// The address of another task, with the same tab.
    pub fn of_task(&self, name: &str) -> String {
        let selected = Self { task: Some(name.to_owned()), attempt: None, log: self.log.of_another(), ..self.clone() };
        selected.href()
    }

    /// The address of another tab of this task.
    pub fn of_tab(&self, tab: Tab) -> String {
        Self { tab, log: self.log.of_another(), ..self.clone() }.href()
    }

    /// The address of another attempt's log.
    pub fn of_attempt(&self, attempt: u32) -> String {
        Self { tab: Tab::Logs, attempt: Some(attempt), log: self.log.of_another(), ..self.clone() }.href()
    }

    /// The address with the log looked at in another way.
    #[must_use]
    pub fn with_log(&self, change: impl FnOnce(&mut Look)) -> Self {
        let mut other = self.clone();
        change(&mut other.log);
        other
    }

    /// The address with the picture looked at in another way.
    pub fn with_view(&self, change: impl FnOnce(&mut View)) -> String {
        let mut other = self.clone();
        change(&mut other.view);
        other.href()
    }
}

/// Whether a task is among those that are sought.
pub fn found(name: &str, seek: &str) -> bool {
    name.to_lowercase().contains(&seek.to_lowercase())
}

/// The task that says most where nobody chose: the first that went wrong, else the first at work, else the last that ended.
fn most_telling(tasks: &[Task]) -> Option<&Task> {
    went_wrong(tasks)
        .or_else(|| tasks.iter().find(|task| task.state == TaskState::Running))
        .or_else(|| tasks.iter().filter(|task| task.finished_at.is_some()).max_by_key(|task| task.finished_at))
        .or_else(|| tasks.first())
}

/// The first task that went wrong.
pub fn went_wrong(tasks: &[Task]) -> Option<&Task> {
    tasks.iter().find(|task| matches!(task.state, TaskState::Failed | TaskState::TimedOut | TaskState::Lost))
}
