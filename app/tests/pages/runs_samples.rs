//! Runs for looking at pages: one of three tasks as in the seeds, one where everything that can happen to a task has happened,
//! and one of a thousand.

use crate::samples::{NOW, execution};
use app::pages::run::Log;
use domain::{
    execution::{Execution, ExecutionState, LogLine, Task, TaskAttempt, TaskState},
    identity::Actor,
    ids::{ActorId, Digest},
    log::{LogEnd, LogState, group::groups, window::LogView},
    recommendation::ResourceRef,
    time::Timestamp,
};
use serde_json::{Map, json};

/// Seconds after the run began; it began 64 seconds ago.
pub fn at(seconds: i64) -> Timestamp {
    NOW.plus_ms((seconds - 64) * 1000)
}

/// Queued, pulling, running and ended, in seconds after the run began.
pub fn attempt(number: u32, state: TaskState, times: [Option<i64>; 4]) -> TaskAttempt {
    let [queued_at, pulling_at, running_at, finished_at] = times.map(|t| t.map(at));
    let pod = queued_at.map(|_| format!("remediation-pod-{number}"));
    TaskAttempt { attempt: number, state, reason: None, pod, queued_at, pulling_at, running_at, finished_at }
}

pub fn task(name: &str, after: &[&str], state: TaskState, attempts: Vec<TaskAttempt>) -> Task {
    let parameters: Map<_, _> =
        [("TARGET_RESOURCE_NAME".to_owned(), json!("my-app")), ("SCALE_TARGET_REPLICAS".to_owned(), json!(2))]
            .into_iter()
            .collect();
    Task {
        name: name.into(),
        state,
        reason: None,
        message: None,
        run_after: after.iter().map(|name| (*name).to_owned()).collect(),
        finally: false,
        queued_ms: None,
        pulling_ms: None,
        running_ms: None,
        started_at: attempts.iter().find_map(|a| a.running_at),
        finished_at: attempts.last().and_then(|a| a.finished_at).filter(|_| state.ended()),
        attempts,
        results: Map::new(),
        parameters,
        ticket: Digest::from_bytes([0x51; 32]),
    }
}

fn run(id: &str, state: ExecutionState, tasks: Vec<Task>) -> Execution {
    let mut run = execution(id, "OOMKilled alert detected for payment-service", state, None);
    run.subject.name = "remediate-payment-oom".into();
    run.subject.resource = Some(ResourceRef {
        kind: "Deployment".into(),
        namespace: Some("production".into()),
        name: "payment-service".into(),
    });
    run.approved_by = vec![Actor::new(ActorId::new("user:m.okafor"), "m.okafor")];
    run.tasks = tasks;
    run
}

/// The seeds' step list, at work.
pub fn running() -> Execution {
    use TaskState::{Running, Succeeded};
    let mut restart =
        task("restart-pods", &[], Succeeded, vec![attempt(1, Succeeded, [Some(0), Some(1), Some(3), Some(18)])]);
    restart.results = [("restarted".to_owned(), json!(3)), ("note".to_owned(), json!("all pods ready after 14 s"))]
        .into_iter()
        .collect();
    run(
        "run-1",
        ExecutionState::Running,
        vec![
            restart,
            task(
                "scale-deployment",
                &[],
                Succeeded,
                vec![attempt(1, Succeeded, [Some(0), Some(1), Some(3), Some(23)])],
            ),
            task(
                "create-gitops-pr",
                &["restart-pods", "scale-deployment"],
                Running,
                vec![attempt(1, Running, [Some(23), Some(25), Some(28), None])],
            ),
        ],
    )
}

/// Every state a task can have, retries, long names, and tasks that run after all.
pub fn eventful() -> Execution {
    use TaskState::{Failed, Lost, Pending, Skipped, Succeeded, TimedOut};
    let mut failed = task(
        "drain-the-node-that-was-chosen-by-the-model-and-has-a-very-long-name-0123456789",
        &["check"],
        Failed,
        vec![
            attempt(1, Failed, [Some(4), Some(5), Some(8), Some(20)]),
            attempt(2, Failed, [Some(20), Some(20), Some(22), Some(36)]),
        ],
    );
    failed.reason = Some("TaskRunRetriesExhausted".into());
    failed.message = Some("eviction refused by the disruption budget of payment-service".into());
    let mut notify =
        task("notify", &[], Succeeded, vec![attempt(1, Succeeded, [Some(37), Some(38), Some(39), Some(41)])]);
    notify.finally = true;
    let mut cleanup = task("cleanup", &[], Pending, vec![attempt(1, Pending, [Some(41), None, None, None])]);
    cleanup.finally = true;
    let mut run = run(
        "run-2",
        ExecutionState::Failed,
        vec![
            task("check", &[], Succeeded, vec![attempt(1, Succeeded, [Some(0), Some(1), Some(2), Some(4)])]),
            failed,
            task("measure", &["check"], TimedOut, vec![attempt(1, TimedOut, [Some(4), Some(6), Some(7), Some(37)])]),
            task("vanish", &["check"], Lost, vec![attempt(1, Lost, [Some(4), None, None, None])]),
            task(
                "uncordon",
                &["drain-the-node-that-was-chosen-by-the-model-and-has-a-very-long-name-0123456789"],
                Skipped,
                vec![],
            ),
            task(
                "stop",
                &["measure"],
                TaskState::Cancelled,
                vec![attempt(1, TaskState::Cancelled, [Some(36), None, None, Some(37)])],
            ),
            notify,
            cleanup,
        ],
    );
    run.reason = Some("Failed".into());
    run.message = Some("Tasks completed: 3 (Failed: 1, Cancelled 1), Skipped: 1".into());
    run
}

/// Many tasks in a few dozen layers.
pub fn many(count: usize) -> Execution {
    let state = |i: usize| match i * 10 / count {
        0..5 => TaskState::Succeeded,
        5 => TaskState::Running,
        _ => TaskState::Pending,
    };
    let tasks = (0..count).map(|i| {
        let name = format!("task-{i:04}");
        let after: Vec<String> =
            [i.checked_sub(40), i.checked_sub(53)].into_iter().flatten().map(|n| format!("task-{n:04}")).collect();
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        let begin = i64::try_from(i * 100 / count).unwrap();
        let attempts = match state(i) {
            TaskState::Succeeded => {
                vec![attempt(1, TaskState::Succeeded, [Some(begin), Some(begin), Some(begin + 1), Some(begin + 9)])]
            }
            TaskState::Running => {
                vec![attempt(1, TaskState::Running, [Some(begin), Some(begin), Some(begin + 1), None])]
            }
            _ => vec![],
        };
        task(&name, &after, state(i), attempts)
    });
    run("run-3", ExecutionState::Running, tasks.collect())
}

/// The end of a log whose last line is the last of these.
pub fn log(lines: Vec<LogLine>) -> Log {
    let last = lines.last().map_or(0, |line| line.line);
    let state = LogState { attempt: 1, end: LogEnd::Open, newest: 1, last: false };
    Log {
        attempts: 1,
        view: LogView {
            state,
            last,
            groups: groups(&lines, None, last),
            lines,
            more: (false, false),
            hits: None,
            line: None,
        },
    }
}

/// Lines of a log, numbered from `first`.
pub fn lines(first: u32, count: u32) -> Vec<LogLine> {
    let texts = [
        "Cloning into 'k8s-configs'...",
        "Switched to a new branch 'kubernaut/payment-memory-fix'",
        "patching apps/payment-service/deployment.yaml",
        "  resources.limits.memory: 1Gi -> 2Gi",
        "[kubernaut/payment-memory-fix 4be91d2] Fix payment-service OOMKilled",
        " 1 file changed, 1 insertion(+), 1 deletion(-)",
        "Pushing to github.com/company/k8s-configs",
        "remote: Create a pull request for 'kubernaut/payment-memory-fix'",
        "<script>alert('a log is text')</script>",
        "Opening pull request…",
    ];
    (first..first + count)
        .map(|line| LogLine {
            line,
            at: Some(at(28).plus_ms(i64::from(line) * 137)),
            text: texts[(line as usize - 1) % texts.len()].into(),
        })
        .collect()
}
