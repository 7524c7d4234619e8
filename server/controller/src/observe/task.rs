//! One task of a reading: its tries, its times, and what it waits for. Pure.

use super::warned::why_it_waits;
use crate::{
    index::Warnings,
    objects::{Attempt, Condition, Container, DELETED, PipelineTask, Pod, TaskRun},
};
use domain::{
    execution::{ExecutionState, Task, TaskAttempt, TaskState},
    ids::Digest,
    time::Timestamp,
    warning::Warning,
};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Reasons of a container that are steps of an ordinary start, not something to wait out.
const ORDINARY: [&str; 5] = ["ContainerCreating", "PodInitializing", "Pending", "Started", "Running"];

/// Whether a pending task's reason names something that it waits for: quota, image pull, no node, a volume.
pub fn waits(reason: Option<&str>) -> bool {
    reason.is_some_and(|reason| !ORDINARY.contains(&reason) && reason != "ToBeRetried")
}

/// What is known beside a task's own TaskRun.
pub struct Known<'a> {
    /// Pods by name.
    pub pods: &'a HashMap<String, Pod>,
    /// What Kubernetes warned of.
    pub warnings: &'a Warnings,
    /// The whole run ran out of time, which is why its tasks were cancelled.
    pub timed_out: bool,
}

/// The reading of one planned task.
pub fn reading(
    planned: &PipelineTask,
    task_run: Option<&TaskRun>,
    skipped: Option<&str>,
    known: &Known<'_>,
    ticket: &Digest,
) -> Task {
    let mut task = Task {
        name: planned.name.clone(),
        state: TaskState::Pending,
        reason: None,
        message: None,
        run_after: planned.run_after.clone(),
        finally: planned.finally,
        attempts: Vec::new(),
        queued_ms: None,
        pulling_ms: None,
        running_ms: None,
        started_at: None,
        finished_at: None,
        results: Map::new(),
        parameters: Map::new(),
        ticket: ticket.clone(),
    };
    match (task_run, skipped) {
        (Some(task_run), _) => read_task_run(&mut task, task_run, known),
        (None, Some(why)) => {
            task.state = TaskState::Skipped;
            task.reason = Some("Skipped".into());
            task.message = Some(why.to_owned()).filter(|why| !why.is_empty());
        }
        (None, None) => {}
    }
    task
}

/// A task of a run that has ended had a TaskRun, and there is none to read: the run's own word is all that is left of it.
pub fn unread(task: &mut Task, run: ExecutionState) {
    task.state = if run == ExecutionState::Succeeded { TaskState::Succeeded } else { TaskState::Lost };
    task.reason = Some(DELETED.into());
    task.message = Some("its TaskRun was deleted before it was read".into());
}

fn read_task_run(task: &mut Task, task_run: &TaskRun, known: &Known<'_>) {
    let timed_out = known.timed_out || task_run.asked_because.as_deref().is_some_and(|why| why.contains("timed out"));
    let mut began = task_run.created_at;
    let pod_of = |attempt: &Attempt| {
        let pod = known.pods.get(attempt.pod.as_ref()?)?;
        (pod.owner_uid.as_deref() == Some(&task_run.uid)).then_some(pod)
    };
    for earlier in task_run.replaced.iter().chain(&task_run.earlier) {
        let standing = standing(earlier, pod_of(earlier), None, timed_out);
        let attempt = read_attempt(task.attempts.len(), earlier, began, pod_of(earlier), &standing);
        began = attempt.finished_at.or(began);
        task.attempts.push(attempt);
    }
    let now = &task_run.now;
    let why = pod_of(now).and_then(|pod| why_it_waits(pod, known.warnings));
    let standing = standing(now, pod_of(now), why, timed_out);
    task.attempts.push(read_attempt(task.attempts.len(), now, began, pod_of(now), &standing));
    let (state, reason, message) = standing;
    task.state = state;
    task.reason = reason;
    task.message = message;
    for (name, value) in &now.results {
        task.results.insert(name.clone(), parsed(name, value));
    }
    task.started_at = task.attempts.iter().find_map(|a| a.running_at);
    task.finished_at = task.attempts.last().and_then(|a| a.finished_at).filter(|_| state.ended());
    task.measure();
}

fn read_attempt(
    before: usize,
    seen: &Attempt,
    queued_at: Option<Timestamp>,
    pod: Option<&Pod>,
    (state, reason, _): &Standing,
) -> TaskAttempt {
    let step = step_of(seen, pod);
    // Tekton gives no completion time where the container could not be made (`CreateContainerConfigError`).
    let said = seen.condition.as_ref().and_then(|c| c.since);
    let ended = step.and_then(|s| s.finished_at).or(seen.finished_at).or(said);
    // Of a step that it ended while it waited, Tekton says that it started when the TaskRun was made; it names such ends after the
    // TaskRun. Of any other its word counts: what was seen of the pod may be older.
    let by_tekton = step.and_then(|s| s.reason.as_deref()).is_some_and(|reason| reason.starts_with("TaskRun"));
    let ran = !by_tekton || pod.is_none_or(|p| p.steps.iter().any(|s| s.started_at.is_some()));
    TaskAttempt {
        attempt: u32::try_from(before + 1).unwrap_or(u32::MAX),
        state: *state,
        reason: reason.clone(),
        pod: seen.pod.clone(),
        queued_at,
        pulling_at: pod.and_then(|p| p.scheduled_at),
        running_at: step.and_then(|s| s.started_at).filter(|_| ran),
        finished_at: ended.filter(|_| state.ended()),
    }
}

/// The pod says earlier that the container runs, the TaskRun keeps longer how it ended. Between two tries the TaskRun still
/// shows the step of the one before, and no pod.
fn step_of<'a>(attempt: &'a Attempt, pod: Option<&'a Pod>) -> Option<&'a Container> {
    attempt.pod.as_ref()?;
    let of_pod = pod.and_then(|p| p.steps.first());
    let of_run = attempt.step.as_ref();
    match (of_run, of_pod) {
        (Some(run), Some(pod)) if run.started_at.is_none() && pod.started_at.is_some() => Some(pod),
        (Some(run), _) => Some(run),
        (None, pod) => pod,
    }
}

/// How a try stands: its state, the reason, the sentence behind it.
type Standing = (TaskState, Option<String>, Option<String>);

/// `why`: the Warning that tells why its pod does not begin.
fn standing(seen: &Attempt, pod: Option<&Pod>, why: Option<&Warning>, timed_out: bool) -> Standing {
    let step = step_of(seen, pod);
    let text = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let Some(condition) = &seen.condition else {
        return waiting(pod, step, why).unwrap_or((TaskState::Pending, None, None));
    };
    match condition.status.as_str() {
        "True" => match step.and_then(|s| s.exit_code).filter(|code| *code != 0) {
            // `onError: continue` would let a failed step pass; an exit code other than 0 is a failure here.
            Some(code) => (TaskState::Failed, text("StepFailed"), Some(format!("the step exited with code {code}"))),
            None => (TaskState::Succeeded, text(&condition.reason), text(&condition.message)),
        },
        "False" => {
            let state = match condition.reason.as_str() {
                "TaskRunTimeout" => TaskState::TimedOut,
                "TaskRunCancelled" if timed_out => TaskState::TimedOut,
                "TaskRunCancelled" => TaskState::Cancelled,
                _ => TaskState::Failed,
            };
            let ended = step.and_then(|s| s.reason.as_deref()).filter(|_| state == TaskState::Failed);
            let reason = ended.filter(|reason| *reason != "Error" && *reason != "Completed");
            (state, text(reason.unwrap_or(&condition.reason)), text(&condition.message))
        }
        _ if condition.reason == "ToBeRetried" => {
            (TaskState::Pending, text(&condition.reason), text(&condition.message))
        }
        _ if step.is_some_and(|s| s.started_at.is_some()) => (TaskState::Running, text("Running"), None),
        _ => waiting(pod, step, why).unwrap_or_else(|| from_condition(condition)),
    }
}

/// What a task that has not started waits for: as the pod says, and where that says nothing, as was warned of.
fn waiting(pod: Option<&Pod>, step: Option<&Container>, why: Option<&Warning>) -> Option<Standing> {
    let of_pod = pod
        .and_then(|p| p.unscheduled.as_ref())
        .or_else(|| step.and_then(|s| s.waiting.as_ref()).filter(|(reason, _)| !ORDINARY.contains(&reason.as_str())));
    let (reason, message) = match (of_pod, why) {
        (Some((reason, message)), _) => (reason, message),
        (None, Some(warning)) => (&warning.reason, &warning.message),
        (None, None) => return None,
    };
    Some((TaskState::Pending, Some(reason.clone()), Some(message.clone()).filter(|m| !m.is_empty())))
}

/// What a task that has not started waits for, as Tekton says: a full quota has no pod that could tell.
fn from_condition(condition: &Condition) -> Standing {
    let message = Some(condition.message.clone()).filter(|m| waits(Some(&condition.reason)) && !m.is_empty());
    (TaskState::Pending, Some(condition.reason.clone()).filter(|r| !r.is_empty()), message)
}

/// A result as the page shows it. `outputs` is a JSON object by the contract of the images; whatever is not stays text.
fn parsed(name: &str, value: &Value) -> Value {
    match value.as_str().filter(|_| name == "outputs").map(serde_json::from_str::<Value>) {
        Some(Ok(object @ Value::Object(_))) => object,
        _ => value.clone(),
    }
}
