//! What the cluster shows of a run, and how it is merged into what is known: forwards only.

use crate::{
    execution::{Execution, ExecutionState, Stage, Task, TaskState},
    limits,
    time::Timestamp,
    warning::{self, Warning},
};
use serde::{Deserialize, Serialize};

/// A reading of a WorkflowExecution's PipelineRun with its TaskRuns and pods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// How the run stands.
    pub state: ExecutionState,
    /// How far it has got.
    pub stage: Stage,
    /// Reason, as the cluster gives it.
    pub reason: Option<String>,
    /// The sentence behind the reason.
    pub message: Option<String>,
    /// Uid of the WorkflowExecution, when seen.
    pub uid: Option<String>,
    /// Uid of the PipelineRun that the reading is of; none where the console itself speaks.
    pub run_uid: Option<String>,
    /// When the PipelineRun started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// All tasks of the pipeline that the reading tells of.
    pub tasks: Vec<Task>,
    /// What Kubernetes warned of.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// What a merge changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Something of the execution itself changed.
    pub execution: bool,
    /// Names of tasks that changed.
    pub tasks: Vec<String>,
    /// It ended with this merge.
    pub ended: bool,
}

impl Changed {
    /// Whether anything changed at all.
    pub fn any(&self) -> bool {
        self.execution || !self.tasks.is_empty()
    }
}

/// Merges a reading into the execution. An ended execution stays as it ended; an ended task stays as it ended; unknown
/// tasks are added; fields are never emptied by a reading that lacks them. Tasks left open by an ended run are closed:
/// as lost when the run is lost, as skipped when they never started, else as the run ended. A reading of another
/// PipelineRun than the one known by its uid is not of this execution, and changes nothing.
pub fn merge(known: &mut Execution, seen: Observation) -> Changed {
    let mut changed = Changed::default();
    let another = known.run_uid.is_some() && seen.run_uid.is_some() && known.run_uid != seen.run_uid;
    if known.state.ended() || another {
        return changed;
    }
    for task in seen.tasks {
        if let Some(old) = known.tasks.iter_mut().find(|t| t.name == task.name) {
            if merge_task(old, task) {
                changed.tasks.push(old.name.clone());
            }
        } else {
            changed.tasks.push(task.name.clone());
            known.tasks.push(task);
        }
    }
    let warned = warning::merge(&mut known.warnings, seen.warnings, limits::warnings::OF_A_RUN);
    let before = (
        known.state,
        known.stage,
        known.reason.clone(),
        known.message.clone(),
        known.uid.clone(),
        known.run_uid.clone(),
        known.started_at,
        known.finished_at,
    );
    if known.state.may_become(seen.state) {
        known.state = seen.state;
        // Another reason brings its own sentence, or none: what a run waited for is not said of it once it goes on.
        let another = seen.reason.is_some() && seen.reason != known.reason;
        known.message = if another { seen.message } else { seen.message.or(known.message.take()) };
        known.reason = seen.reason.or(known.reason.take());
    }
    if known.stage.may_become(seen.stage) {
        known.stage = seen.stage;
    }
    known.uid = known.uid.take().or(seen.uid);
    known.run_uid = known.run_uid.take().or(seen.run_uid);
    // Tekton may write it anew in a run's first seconds.
    known.started_at = seen.started_at.or(known.started_at);
    if known.state.ended() {
        known.stage = Stage::Ended;
        known.finished_at = seen.finished_at.or(known.finished_at);
        for task in known.tasks.iter_mut().filter(|t| !t.state.ended()) {
            task.state = close(known.state, task);
            task.finished_at = task.finished_at.or(known.finished_at);
            task.close_attempts();
            if !changed.tasks.contains(&task.name) {
                changed.tasks.push(task.name.clone());
            }
        }
        changed.ended = true;
    }
    let after = (
        known.state,
        known.stage,
        known.reason.clone(),
        known.message.clone(),
        known.uid.clone(),
        known.run_uid.clone(),
        known.started_at,
        known.finished_at,
    );
    changed.execution = warned || before != after;
    if changed.any() {
        known.revision += 1;
    }
    changed
}

fn close(run: ExecutionState, task: &Task) -> TaskState {
    match run {
        ExecutionState::Lost => TaskState::Lost,
        _ if task.attempts.is_empty() => TaskState::Skipped,
        ExecutionState::Cancelled => TaskState::Cancelled,
        ExecutionState::TimedOut => TaskState::TimedOut,
        ExecutionState::Succeeded => TaskState::Succeeded,
        _ => TaskState::Failed,
    }
}

fn merge_task(old: &mut Task, new: Task) -> bool {
    if old.state.ended() {
        return false;
    }
    // A retry takes a running task back to pending: until it has ended, any state may follow.
    let mut merged = old.clone();
    merged.state = new.state;
    // Another reason brings its own sentence, or none: what a task waited for is not said of it once it runs.
    let another = new.reason.is_some() && new.reason != merged.reason;
    merged.message = if another { new.message } else { new.message.or(merged.message) };
    merged.reason = new.reason.or(merged.reason);
    // A task may be met by its TaskRun before its pipeline is known.
    if merged.run_after.is_empty() {
        merged.run_after = new.run_after;
    }
    merged.finally |= new.finally;
    if new.attempts.len() >= merged.attempts.len() {
        for (at, attempt) in new.attempts.into_iter().enumerate() {
            match merged.attempts.get_mut(at) {
                Some(known) => {
                    // Until it has ended, what is seen later is nearer to the truth: the container runs before Tekton lets the step
                    // begin.
                    let settled = known.state.ended();
                    let nearer = |old: Option<Timestamp>, new| if settled { old.or(new) } else { new.or(old) };
                    if !settled {
                        known.state = attempt.state;
                    }
                    known.reason = attempt.reason.or(known.reason.take());
                    known.pod = attempt.pod.or(known.pod.take());
                    known.queued_at = nearer(known.queued_at, attempt.queued_at);
                    known.pulling_at = nearer(known.pulling_at, attempt.pulling_at);
                    known.running_at = nearer(known.running_at, attempt.running_at);
                    known.finished_at = nearer(known.finished_at, attempt.finished_at);
                }
                None => merged.attempts.push(attempt),
            }
        }
    }
    merged.queued_ms = new.queued_ms.or(merged.queued_ms);
    merged.pulling_ms = new.pulling_ms.or(merged.pulling_ms);
    merged.running_ms = new.running_ms.or(merged.running_ms);
    merged.started_at = new.started_at.or(merged.started_at);
    // The sums are those of the attempts as they stand now.
    if !merged.attempts.is_empty() {
        merged.measure();
    }
    merged.finished_at = new.finished_at.or(merged.finished_at);
    merged.results.extend(new.results);
    if merged.parameters.is_empty() {
        merged.parameters = new.parameters;
    }
    if merged.state.ended() {
        merged.close_attempts();
    }
    let changed = merged != *old;
    *old = merged;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{execution::TaskAttempt, ids::Digest};
    use serde_json::json;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn attempt(number: u32, state: TaskState, running_at: Option<i64>, finished_at: Option<i64>) -> TaskAttempt {
        TaskAttempt {
            attempt: number,
            state,
            reason: None,
            pod: Some(format!("pod-{number}")),
            queued_at: Some(at(0)),
            pulling_at: Some(at(1000)),
            running_at: running_at.map(at),
            finished_at: finished_at.map(at),
        }
    }

    fn task(name: &str, state: TaskState, attempts: Vec<TaskAttempt>) -> Task {
        let mut task: Task = serde_json::from_value(json!({
            "name": name, "state": state, "run_after": [], "attempts": [], "results": {}, "parameters": {},
            "ticket": Digest::from_bytes([1; 32]),
        }))
        .expect("a task");
        task.attempts = attempts;
        task.measure();
        task
    }

    fn run(tasks: Vec<Task>) -> Execution {
        let mut run: Execution = serde_json::from_value(json!({
            "id": "e", "recommendation_id": "r", "strategy": 0, "ticket_digest": Digest::from_bytes([1; 32]),
            "name": "n", "cluster": "c", "sandbox": true, "namespace": "ns", "incident_id": "i", "signal_type": "s",
            "severity": "high", "action_type": "a", "title": "t", "state": "running", "stage": "started",
            "revision": 1, "approved_by": [], "created_at": at(0), "expires_at": at(0), "cancel_requested": false,
            "assessment": "not_assessed", "tasks": [],
        }))
        .expect("an execution");
        run.tasks = tasks;
        run
    }

    fn seen(state: ExecutionState, tasks: Vec<Task>) -> Observation {
        Observation {
            state,
            stage: if state.ended() { Stage::Ended } else { Stage::Started },
            reason: None,
            message: None,
            uid: None,
            run_uid: None,
            started_at: None,
            finished_at: state.ended().then(|| at(9000)),
            tasks,
            warnings: vec![],
        }
    }

    #[test]
    fn what_an_ended_run_leaves_open_is_closed_with_it() {
        for (end, expected) in [
            (ExecutionState::Lost, TaskState::Lost),
            (ExecutionState::TimedOut, TaskState::TimedOut),
            (ExecutionState::Cancelled, TaskState::Cancelled),
            (ExecutionState::Succeeded, TaskState::Succeeded),
        ] {
            let tries = vec![
                attempt(1, TaskState::Failed, Some(2000), Some(3000)),
                attempt(2, TaskState::Running, Some(4000), None),
            ];
            let running = task("a", TaskState::Running, tries);
            assert_eq!(running.running_ms, Some(1000));
            let mut known = run(vec![running, task("b", TaskState::Pending, vec![])]);
            assert!(merge(&mut known, seen(end, vec![])).ended);
            let closed = &known.tasks[0];
            let attempts: Vec<_> = closed.attempts.iter().map(|a| (a.state, a.finished_at)).collect();
            assert_eq!(attempts, [(TaskState::Failed, Some(at(3000))), (expected, Some(at(9000)))], "{end}");
            assert_eq!((closed.state, closed.running_ms), (expected, Some(1000 + 5000)));
            assert!(known.tasks[1].state.ended() && known.tasks[1].running_ms.is_none());
        }
    }

    #[test]
    fn no_attempt_of_an_ended_task_is_open() {
        let tries =
            vec![attempt(1, TaskState::Running, Some(2000), None), attempt(2, TaskState::Running, Some(4000), None)];
        let mut known = run(vec![task("a", TaskState::Running, tries)]);
        let ended = Task { finished_at: Some(at(6000)), ..task("a", TaskState::Failed, vec![]) };
        merge(&mut known, seen(ExecutionState::Running, vec![ended]));
        let attempts: Vec<_> = known.tasks[0].attempts.iter().map(|a| (a.state, a.finished_at)).collect();
        assert_eq!(attempts, [(TaskState::Failed, None), (TaskState::Failed, Some(at(6000)))]);
        assert_eq!(known.tasks[0].running_ms, Some(2000));
    }

    #[test]
    fn a_task_that_was_cancelled_in_the_queue_waited_there_until_then() {
        let waiting = TaskAttempt { pulling_at: None, pod: None, ..attempt(1, TaskState::Pending, None, None) };
        let mut known = run(vec![task("a", TaskState::Pending, vec![waiting])]);
        assert_eq!(known.tasks[0].queued_ms, None);
        merge(&mut known, seen(ExecutionState::Cancelled, vec![]));
        let told = &known.tasks[0];
        assert_eq!((told.state, told.queued_ms, told.pulling_ms), (TaskState::Cancelled, Some(9000), None));
    }

    #[test]
    fn the_sums_of_a_task_are_those_of_its_attempts() {
        let mut known =
            run(vec![task("a", TaskState::Running, vec![attempt(1, TaskState::Running, Some(2000), None)])]);
        // The container ran from 2000 on, its step from 5000 on.
        let tries = vec![attempt(1, TaskState::Succeeded, Some(5000), Some(8000))];
        let mut ended = task("a", TaskState::Succeeded, tries.clone());
        ended.started_at = Some(at(5000));
        merge(&mut known, seen(ExecutionState::Running, vec![ended]));
        let told = &known.tasks[0];
        assert_eq!((told.attempts.clone(), told.started_at), (tries, Some(at(5000))));
        assert_eq!((told.queued_ms, told.pulling_ms, told.running_ms), (Some(1000), Some(4000), Some(3000)));
    }

    #[test]
    fn what_a_run_waited_for_is_not_said_of_it_once_it_goes_on() {
        let mut known = run(vec![]);
        known.state = ExecutionState::Pending;
        let says = |state, reason: Option<&str>, message: Option<&str>| Observation {
            reason: reason.map(str::to_owned),
            message: message.map(str::to_owned),
            ..seen(state, vec![])
        };
        merge(&mut known, says(ExecutionState::Pending, Some("WaitingForTekton"), Some("it is away")));
        assert!(!merge(&mut known, says(ExecutionState::Pending, None, None)).any(), "nothing is emptied");
        assert_eq!(known.message.as_deref(), Some("it is away"));
        merge(&mut known, says(ExecutionState::Running, Some("Started"), None));
        assert_eq!((known.reason.as_deref(), known.message), (Some("Started"), None));
    }

    #[test]
    fn a_reason_to_wait_is_said_until_the_task_runs_and_what_was_warned_of_stays() {
        let mut known = run(vec![task("a", TaskState::Pending, vec![attempt(1, TaskState::Pending, None, None)])]);
        let (reason, message) = (Some("FailedMount".to_owned()), Some("secret \"x\" not found".to_owned()));
        let waiting = Task {
            reason: reason.clone(),
            message: message.clone(),
            ..task("a", TaskState::Pending, vec![attempt(1, TaskState::Pending, None, None)])
        };
        let warned: Warning = serde_json::from_value(json!({
            "kind": "Pod", "object": "pod-1", "task": "a", "reason": reason, "message": message, "count": 2,
            "first_at": at(1000), "last_at": at(2000),
        }))
        .expect("a warning");
        let seen_waiting =
            Observation { warnings: vec![warned.clone()], ..seen(ExecutionState::Running, vec![waiting]) };
        let changed = merge(&mut known, seen_waiting.clone());
        assert!(changed.execution && changed.tasks == ["a"]);
        assert_eq!((&known.tasks[0].reason, &known.tasks[0].message), (&reason, &message));
        assert!(!merge(&mut known, seen_waiting).any(), "the same again is nothing new");
        let running = Task { reason: Some("Running".into()), ..task("a", TaskState::Running, vec![]) };
        merge(&mut known, seen(ExecutionState::Running, vec![running]));
        assert_eq!((known.tasks[0].reason.as_deref(), known.tasks[0].message.as_deref()), (Some("Running"), None));
        assert_eq!(known.warnings, [warned]);
    }

    #[test]
    fn a_retry_takes_a_task_back_and_an_end_does_not() {
        let mut known = run(vec![task("a", TaskState::Running, vec![])]);
        merge(&mut known, seen(ExecutionState::Running, vec![task("a", TaskState::Pending, vec![])]));
        assert_eq!(known.tasks[0].state, TaskState::Pending);
        merge(&mut known, seen(ExecutionState::Running, vec![task("a", TaskState::Failed, vec![])]));
        merge(&mut known, seen(ExecutionState::Running, vec![task("a", TaskState::Running, vec![])]));
        assert_eq!(known.tasks[0].state, TaskState::Failed);
    }
}
