//! From the cluster's objects to what the console says of a run. Pure: the same objects always give the same reading, and no
//! object is changed. Source of the mappings: what a real Tekton 1.12 did (`server/sandbox/fixtures`, `field-notes.md`).

mod outputs;
mod task;
mod warned;

pub use outputs::validate_outputs;

use crate::{
    index::Warnings,
    objects::{PipelineRun, PipelineTask, Pod, TaskRun},
};
use domain::{
    execution::{ExecutionState, Stage, Task, TaskState},
    ids::Digest,
    observation::Observation,
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// Reasons by which Tekton says that a PipelineRun was stopped because somebody asked.
const STOPPED: [&str; 4] = ["Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunCancelled"];

/// A reading of a run. TaskRuns that this PipelineRun does not control, and pods that their TaskRun does not control, are not
/// looked at: anybody may write our labels on their objects.
pub fn reading<'a>(
    run: &PipelineRun,
    task_runs: impl Iterator<Item = &'a TaskRun>,
    pods: &HashMap<String, Pod>,
    warnings: &Warnings,
    ticket: &Digest,
) -> Observation {
    let own = task_runs.filter(|t| t.owner_uid.as_deref() == Some(&run.uid));
    let task_runs: HashMap<&str, &TaskRun> = own.map(|t| (t.task.as_str(), t)).collect();
    let state = state_of(run);
    let known = task::Known { pods, warnings, timed_out: state == ExecutionState::TimedOut };
    let skipped: HashMap<&str, &str> = run.skipped.iter().map(|(name, why)| (name.as_str(), why.as_str())).collect();
    let tasks: Vec<Task> = planned(run, &task_runs)
        .map(|planned| {
            let name = planned.name.as_str();
            let (task_run, skipped) = (task_runs.get(name).copied(), skipped.get(name).copied());
            let mut task = task::reading(&planned, task_run, skipped, &known, ticket);
            if state.ended() && task_run.is_none() && run.children.iter().any(|child| child.task == name) {
                task::unread(&mut task, state);
            }
            task
        })
        .collect();
    let (reason, message) = reason_of(run, &tasks);
    Observation {
        state,
        stage: if state.ended() { Stage::Ended } else { Stage::Started },
        reason,
        message,
        uid: run.owner_uid.clone(),
        run_uid: Some(run.uid.clone()).filter(|uid| !uid.is_empty()),
        started_at: run.started_at,
        finished_at: run.finished_at.filter(|_| state.ended()),
        tasks,
        warnings: warned::of_run(run, &task_runs, pods, warnings),
    }
}

/// The tasks of the pipeline as Tekton resolved them, and any that has a TaskRun before that is known.
fn planned<'a>(
    run: &'a PipelineRun,
    task_runs: &HashMap<&str, &'a TaskRun>,
) -> impl Iterator<Item = Cow<'a, PipelineTask>> {
    let known: HashSet<&str> = run.tasks.iter().map(|task| task.name.as_str()).collect();
    let mut more: Vec<&str> =
        task_runs.values().map(|t| t.task.as_str()).filter(|name| !known.contains(name)).collect();
    more.sort_unstable();
    let more = more.into_iter().map(|name| Cow::Owned(PipelineTask { name: name.into(), ..PipelineTask::default() }));
    run.tasks.iter().map(Cow::Borrowed).chain(more)
}

fn state_of(run: &PipelineRun) -> ExecutionState {
    let Some(condition) = &run.condition else { return ExecutionState::Pending };
    match (condition.status.as_str(), condition.reason.as_str()) {
        ("True", _) => ExecutionState::Succeeded,
        ("False", "PipelineRunTimeout") => ExecutionState::TimedOut,
        ("False", reason) if STOPPED.contains(&reason) => ExecutionState::Cancelled,
        ("False", _) => ExecutionState::Failed,
        _ if run.started_at.is_some() => ExecutionState::Running,
        _ => ExecutionState::Pending,
    }
}

/// Reason and sentence of the run. Where nothing is at work because a task waits, that is what a person wants to read; where
/// it failed, the task that failed first says more than Tekton's tally.
fn reason_of(run: &PipelineRun, tasks: &[Task]) -> (Option<String>, Option<String>) {
    let Some(condition) = &run.condition else { return (None, None) };
    let said = (Some(condition.reason.clone()), Some(condition.message.clone()).filter(|m| !m.is_empty()));
    match condition.status.as_str() {
        "Unknown" if !tasks.iter().any(|t| t.state == TaskState::Running) => {
            let waiting = tasks.iter().find(|t| t.state == TaskState::Pending && task::waits(t.reason.as_deref()));
            waiting.map_or(said, |t| (t.reason.clone(), t.message.as_ref().map(|m| format!("{} waits: {m}", t.name))))
        }
        "False" if condition.reason == "Failed" => {
            let failed = |t: &&Task| matches!(t.state, TaskState::Failed | TaskState::TimedOut);
            let first = tasks.iter().filter(failed).min_by_key(|t| t.finished_at);
            let message = first.and_then(|t| t.message.as_ref().map(|m| format!("{}: {m}", t.name)));
            (said.0, message.or(said.1))
        }
        _ => said,
    }
}

#[cfg(test)]
mod tests;
