//! What comes after a run that went wrong: undoing it, repeating what of it is safe to repeat, trying what was recommended next.
//! Each becomes a recommendation of its own, with a ticket of its own, held to the policy as any other. What the console makes of
//! a run by itself is bounded here: a line of runs has at most one rollback and one next strategy that nobody asked for.

use crate::{
    execution::{Assessment, Execution, ExecutionState, Task, TaskState},
    ids::{ExecutionId, RecommendationId},
    playbook::Capture,
    ports::Captured,
    recommendation::RecommendationState,
    time::Timestamp,
    workflow::Step,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// To what end a recommendation is made of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To undo it.
    Rollback,
    /// To repeat what of it failed, and what comes after that.
    Retry,
    /// To try the strategy that was recommended next.
    NextStrategy,
}

impl Way {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Rollback, Self::Retry, Self::NextStrategy];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Retry => "retry",
            Self::NextStrategy => "next_strategy",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// The same for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Rollback => "Rollback",
            Self::Retry => "Retry",
            Self::NextStrategy => "Next strategy",
        }
    }
}

/// What a rule of a policy lets the console do by itself after a run that went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// Nothing: people see it and decide.
    #[default]
    None,
    /// Undo it.
    Rollback,
    /// Try what was recommended next.
    NextStrategy,
    /// Undo it and, once that has succeeded, try what was recommended next.
    RollbackThenNextStrategy,
}

impl Recovery {
    /// The words of a document and what they mean.
    pub const WORDS: &[(&str, Self)] = &[
        ("none", Self::None),
        ("rollback", Self::Rollback),
        ("next-strategy", Self::NextStrategy),
        ("rollback-then-next-strategy", Self::RollbackThenNextStrategy),
    ];

    /// Whether it lets nothing happen.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// What it means, as the end of a sentence about a run that failed or did not help; none where nothing happens.
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Rollback => Some("its rollback is proposed by itself"),
            Self::NextStrategy => Some("the next strategy is proposed by itself"),
            Self::RollbackThenNextStrategy => {
                Some("its rollback is proposed by itself and, once that has succeeded, the next strategy")
            }
        }
    }
}

/// Whether it ended in a way that a recovery is for: it failed or ran out of time after its start, or it helped nothing. What a
/// person ended is theirs to go on with, and of what is lost nobody knows what it does.
pub fn went_wrong(run: &Execution) -> bool {
    match run.state {
        ExecutionState::Failed | ExecutionState::TimedOut => run.started_at.is_some(),
        ExecutionState::Succeeded => run.assessment == Assessment::Ineffective,
        ExecutionState::Pending | ExecutionState::Running | ExecutionState::Cancelled | ExecutionState::Lost => false,
    }
}

/// What the console makes of a run by itself. `of` is what the run itself was made for, and whether by itself. Only a run that was
/// made of no other is recovered from, and only a rollback that was made so is followed by anything: after two there is no third.
pub fn by_itself(allowed: Recovery, run: &Execution, of: Option<(Way, bool)>) -> Option<Way> {
    match (of, allowed) {
        (None, Recovery::Rollback | Recovery::RollbackThenNextStrategy) if went_wrong(run) => Some(Way::Rollback),
        (None, Recovery::NextStrategy) if went_wrong(run) => Some(Way::NextStrategy),
        (Some((Way::Rollback, true)), Recovery::RollbackThenNextStrategy) if run.state == ExecutionState::Succeeded => {
            Some(Way::NextStrategy)
        }
        _ => None,
    }
}

/// The values that undo a run: what it ran with, and in place of that what has to change back. A model names only the latter.
#[must_use]
pub fn undoing(ran_with: &Map<String, Value>, back: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = ran_with.clone();
    whole.extend(back.clone());
    whole
}

/// What is kept of the object that a run acts on, from what it says at the places that the registration names. Only what a parameter
/// can hold is kept.
pub fn captured(wanted: &[Capture], found: Vec<Option<Value>>) -> Captured {
    let mut captured = Captured::default();
    let mut missing = Vec::new();
    for (one, value) in wanted.iter().zip(found.into_iter().chain(std::iter::repeat(None))) {
        match value {
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                captured.values.insert(one.parameter.to_string(), value);
            }
            Some(_) => missing.push(format!("{} is no single value", one.field)),
            None => missing.push(format!("{} was not set", one.field)),
        }
    }
    captured.trouble = (!missing.is_empty()).then(|| missing.join(", "));
    captured
}

/// Why a list of steps can't be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRetry {
    /// Each of its steps succeeded.
    #[error("every step of this run succeeded: there is nothing to repeat")]
    Nothing,
    /// A step that had begun does not say that it may be repeated.
    #[error(
        "the step {0} had begun and does not say idempotent: true, so nobody knows what doing it twice does; propose the steps \
         that are to run as a new list"
    )]
    NotSafe(String),
    /// A step needs files that went with the run.
    #[error(
        "the step {0} shares a volume with steps that have succeeded, and the volume went with the run; propose the whole list \
         again"
    )]
    Workspace(String),
}

/// The steps that are left of a list, in their order: those that failed and those after them. Each that had begun must be safe to
/// repeat.
///
/// # Errors
/// Where that is not so, with what to do instead.
pub fn remaining(steps: &[Step], tasks: &[Task]) -> Result<Vec<Step>, NoRetry> {
    let task_of = |step: &Step| tasks.iter().find(|task| task.name == step.name);
    let done = |step: &Step| task_of(step).is_some_and(|task| task.state == TaskState::Succeeded);
    let begun = |step: &Step| {
        task_of(step).is_none_or(|task| {
            let never = matches!(task.state, TaskState::Pending | TaskState::Skipped);
            !(never && task.started_at.is_none() && task.attempts.is_empty())
        })
    };
    let left: Vec<&Step> = steps.iter().filter(|step| !done(step)).collect();
    if left.is_empty() {
        return Err(NoRetry::Nothing);
    }
    if let Some(unsafe_step) = left.iter().find(|step| begun(step) && !step.idempotent) {
        return Err(NoRetry::NotSafe(unsafe_step.name.clone()));
    }
    let files_are_gone = steps.iter().any(|step| step.uses_workspace && done(step));
    if let Some(step) = left.iter().find(|step| step.uses_workspace && files_are_gone) {
        return Err(NoRetry::Workspace(step.name.clone()));
    }
    let names: Vec<&str> = left.iter().map(|step| step.name.as_str()).collect();
    let of = |step: &&Step| Step {
        run_after: step.run_after.iter().filter(|name| names.contains(&name.as_str())).cloned().collect(),
        ..(*step).clone()
    };
    Ok(left.iter().map(of).collect())
}

/// What was made of a run, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Made {
    /// To what end.
    pub way: Way,
    /// Whether the console made it by itself.
    pub automatic: bool,
    /// The recommendation.
    pub recommendation_id: RecommendationId,
    /// How that stands.
    pub state: RecommendationState,
    /// When it was made.
    pub at: Timestamp,
    /// What ran of it, once it was approved.
    pub execution_id: Option<ExecutionId>,
    /// How that stands.
    pub run: Option<ExecutionState>,
}

impl Made {
    /// Whether it may still come to something, or goes on.
    pub fn goes_on(&self) -> bool {
        match self.run {
            Some(state) => !state.ended(),
            None => self.state == RecommendationState::Open,
        }
    }

    /// Whether it has done what it was made for.
    pub fn succeeded(&self) -> bool {
        self.run == Some(ExecutionState::Succeeded)
    }
}

/// What stands in the way of making another of the same run; none where nothing does. One at a time, and what was undone is not
/// undone again.
pub fn in_the_way(way: Way, made: &[Made]) -> Option<&Made> {
    let undone = |one: &&Made| one.way == Way::Rollback && one.succeeded() && way == Way::Rollback;
    made.iter().find(|one| one.goes_on() || undone(one))
}

#[cfg(test)]
mod tests;
