//! Readings of what a real Tekton left behind.

use super::*;
use crate::objects::{PipelineRunObject, PodObject, TaskRunObject};
use domain::execution::TaskAttempt;
use serde::de::DeserializeOwned;
use serde_json::json;

fn file<T: DeserializeOwned>(case: &str, name: &str) -> Option<T> {
    let path = format!("{}/../sandbox/fixtures/{case}/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a fixture is read"))
}

/// The reading of a case at a stage.
fn read(case: &str, stage: &str) -> Observation {
    read_with(case, stage, file(case, &format!("{stage}-pods")).unwrap_or_default())
}

/// The same with other pods: their watch may be behind.
fn read_with(case: &str, stage: &str, pods: Vec<PodObject>) -> Observation {
    read_warned(case, stage, pods, &Warnings::default())
}

/// The same with what Kubernetes warned of.
fn read_warned(case: &str, stage: &str, pods: Vec<PodObject>, warnings: &Warnings) -> Observation {
    let run: PipelineRunObject = file(case, &format!("{stage}-pipelinerun")).expect("the PipelineRun");
    let task_runs: Vec<TaskRunObject> = file(case, &format!("{stage}-taskruns")).unwrap_or_default();
    let run = PipelineRun::from(run);
    let task_runs: Vec<TaskRun> = task_runs.into_iter().map(TaskRun::from).collect();
    let pods = pods.into_iter().map(Pod::from).map(|p| (p.name.clone(), p)).collect();
    reading(&run, task_runs.iter(), &pods, warnings, &Digest::from_bytes([0; 32]))
}

/// What Kubernetes warned of about the only pod of a case, as its timeline tells, and at last what is given.
fn warned(case: &str, more: &[&str]) -> Warnings {
    let path = format!("{}/../sandbox/fixtures/{case}/timeline.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(path).expect("a timeline");
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line"));
    let told =
        lines.filter(|line| line["type"] == "Warning" && line["on"].as_str().is_some_and(|on| on.starts_with("Pod/")));
    let told = told.filter(|line| line["ms"].as_i64() < Some(10_000)).map(|line| {
        let text = |field: &str| line[field].as_str().expect("a text").to_owned();
        (text("reason"), text("message"))
    });
    let more = more.iter().map(|reason| ((*reason).to_owned(), format!("{reason} it is")));
    let pods: Vec<serde_json::Value> = file(case, "waiting-pods").expect("pods");
    let uid = pods[0]["metadata"]["uid"].as_str().expect("a uid");
    let mut known = Warnings::default();
    for (at, (reason, message)) in (0..).zip(told.chain(more)) {
        let at = domain::time::Timestamp::from_millis(at);
        let (kind, object) = ("Pod".to_owned(), "pod".to_owned());
        let warning =
            domain::warning::Warning { kind, object, task: None, reason, message, count: 1, first_at: at, last_at: at };
        assert!(known.put(uid, warning));
    }
    known
}

/// The pods of a case while it waits, changed.
fn waiting_pods(case: &str, change: impl Fn(&mut serde_json::Value)) -> Vec<PodObject> {
    let mut pods: Vec<serde_json::Value> = file(case, "waiting-pods").expect("pods");
    for pod in &mut pods {
        change(pod);
    }
    pods.into_iter().map(|pod| serde_json::from_value(pod).expect("a pod")).collect()
}

fn states(reading: &Observation) -> Vec<(&str, TaskState)> {
    reading.tasks.iter().map(|t| (t.name.as_str(), t.state)).collect()
}

fn only(reading: &Observation) -> &Task {
    assert_eq!(reading.tasks.len(), 1);
    &reading.tasks[0]
}

#[test]
fn a_playbook_that_succeeds() {
    let started = read("strategy-succeeds", "started");
    assert_eq!(only(&started).state, TaskState::Pending);
    let running = read("strategy-succeeds", "running");
    assert_eq!((running.state, running.stage), (ExecutionState::Running, Stage::Started));
    assert_eq!(only(&running).state, TaskState::Running);
    assert!(running.finished_at.is_none());

    let ended = read("strategy-succeeds", "ended");
    assert_eq!((ended.state, ended.stage), (ExecutionState::Succeeded, Stage::Ended));
    assert_eq!(ended.reason.as_deref(), Some("Succeeded"));
    let task = only(&ended);
    assert_eq!(task.state, TaskState::Succeeded);
    assert_eq!(task.results["outputs"], json!({"observed": "ok"}));
    assert_eq!(task.attempts.len(), 1);
    assert_eq!(task.attempts[0].pod.as_deref(), Some("remediation-inc-001-oomkill-scale-down-execute-pod"));
    assert_eq!((task.queued_ms, task.pulling_ms, task.running_ms), (Some(0), Some(3000), Some(3000)));
}

#[test]
fn what_ran_has_run_though_its_pod_was_last_seen_before_it_did() {
    let mut pods: Vec<serde_json::Value> = file("strategy-succeeds", "ended-pods").expect("pods");
    for container in pods[0]["status"]["containerStatuses"].as_array_mut().expect("containers") {
        container["state"] = json!({ "waiting": { "reason": "PodInitializing" } });
    }
    let pods = pods.into_iter().map(|pod| serde_json::from_value(pod).expect("a pod")).collect();
    let ended = read_with("strategy-succeeds", "ended", pods);
    assert!(only(&ended).attempts[0].running_at.is_some(), "else nobody reads its log: {:?}", only(&ended).attempts);
    // What never ran has not, whatever Tekton says of its step.
    let waiting = file("image-pull-fails", "waiting-pods").expect("pods");
    assert!(only(&read_with("image-pull-fails", "ended", waiting)).attempts[0].running_at.is_none());
}

#[test]
fn three_steps_with_one_that_waits_for_two() {
    let running = read("three-steps", "running");
    assert_eq!(
        states(&running),
        [
            ("restart-pods", TaskState::Running),
            ("scale-deployment", TaskState::Running),
            ("create-gitops-pr", TaskState::Pending)
        ]
    );
    assert_eq!(running.tasks[2].run_after, ["restart-pods", "scale-deployment"]);
    assert!(running.uid.is_some(), "the WorkflowExecution that owns it");
    let ended = read("three-steps", "ended");
    assert_eq!(ended.state, ExecutionState::Succeeded);
    assert!(ended.tasks.iter().all(|t| t.state == TaskState::Succeeded && t.running_ms.is_some()));
}

#[test]
fn a_failed_step_skips_what_comes_after_it() {
    let ended = read("first-step-fails", "ended");
    assert_eq!(ended.state, ExecutionState::Failed);
    assert_eq!(
        states(&ended),
        [
            ("restart-pods", TaskState::Failed),
            ("scale-deployment", TaskState::Succeeded),
            ("create-gitops-pr", TaskState::Skipped)
        ]
    );
    assert_eq!(ended.message.as_deref(), Some("restart-pods: \"step-execute\" exited with code 1: Error"));
    assert_eq!(ended.tasks[2].message.as_deref(), Some("PipelineRun was stopping"));
    assert!(ended.tasks[2].attempts.is_empty());
}

#[test]
fn a_playbook_that_fails() {
    let ended = read("playbook-fails", "ended");
    assert_eq!(ended.state, ExecutionState::Failed);
    assert_eq!(only(&ended).reason.as_deref(), Some("StepFailed"));
}

#[test]
fn retries_are_attempts() {
    let between = read("retry-succeeds", "retrying");
    let task = only(&between);
    assert_eq!(task.state, TaskState::Pending, "the next try has not begun");
    let states: Vec<_> = task.attempts.iter().map(|a| a.state).collect();
    assert_eq!(states, [TaskState::Failed, TaskState::Pending]);
    assert_eq!(task.attempts[1].running_at, None, "what Tekton still shows is the step before");

    let ended = read("retry-succeeds", "ended");
    let pods: Vec<_> =
        only(&ended).attempts.iter().map(|a: &TaskAttempt| (a.state, a.pod.as_deref().unwrap())).collect();
    assert_eq!(pods, [(TaskState::Failed, "retry-execute-pod"), (TaskState::Succeeded, "retry-execute-pod-retry1")]);
    let exhausted = read("retries-exhausted", "ended");
    assert_eq!(exhausted.state, ExecutionState::Failed);
    assert!(only(&exhausted).attempts.iter().all(|a| a.state == TaskState::Failed));
    assert_eq!(only(&exhausted).attempts.len(), 3);
}

#[test]
fn a_timeout_of_the_run_is_told_from_a_cancellation() {
    for case in ["pipeline-timeout", "pipeline-timeout-with-retries"] {
        let ended = read(case, "ended");
        assert_eq!(ended.state, ExecutionState::TimedOut, "{case}");
        assert_eq!(only(&ended).state, TaskState::TimedOut, "{case}: Tekton calls it TaskRunCancelled");
    }
    for case in ["cancelled", "cancelled-dag", "cancelled-run-finally", "stopped-run-finally"] {
        let ended = read(case, "ended");
        assert_eq!(ended.state, ExecutionState::Cancelled, "{case}");
        assert!(ended.tasks.iter().all(|t| t.state.ended() || t.attempts.is_empty()), "{case}");
        assert!(!ended.tasks.iter().any(|t| t.state == TaskState::TimedOut), "{case}");
    }
    let task = read("task-timeout", "ended");
    assert_eq!((task.state, only(&task).state), (ExecutionState::Failed, TaskState::TimedOut));
    assert!(task.message.unwrap().contains("failed to finish within"));
}

#[test]
fn pending_is_not_started() {
    let pending = read("pending-then-started", "pending");
    assert_eq!(pending.state, ExecutionState::Pending);
    assert_eq!(pending.reason.as_deref(), Some("PipelineRunPending"));
}

#[test]
fn what_it_waits_for_is_said() {
    for (case, reason, words) in [
        ("image-pull-fails", "ErrImagePull", "failed to pull and unpack image"),
        ("unschedulable", "Unschedulable", "0/1 nodes are available"),
        ("quota-exceeded", "ExceededResourceQuota", "exceeded quota: none"),
    ] {
        let waiting = read(case, "waiting");
        assert_eq!((waiting.state, only(&waiting).state), (ExecutionState::Running, TaskState::Pending), "{case}");
        assert_eq!(waiting.reason.as_deref(), Some(reason), "{case}");
        let message = waiting.message.unwrap();
        assert!(message.starts_with("execute waits: ") && message.contains(words), "{case}: {message}");
    }
    // Only Warnings tell that a volume's Secret is missing; an ordinary start looks the same.
    assert_eq!(read("secret-missing", "waiting").reason.as_deref(), Some("Running"));
    assert_eq!(read("strategy-succeeds", "started").reason.as_deref(), Some("Running"));
}

#[test]
fn where_the_pod_says_nothing_the_newest_warning_tells_what_it_waits_for() {
    let known = warned("secret-missing", &[]);
    let waiting = read_warned("secret-missing", "waiting", waiting_pods("secret-missing", |_| {}), &known);
    let words = "MountVolume.SetUp failed for volume \"ws-d66c3\" : secret \"kubeconfig-remediation\" not found";
    let task = only(&waiting);
    assert_eq!(
        (task.state, task.reason.as_deref(), task.message.as_deref()),
        (TaskState::Pending, Some("FailedMount"), Some(words))
    );
    assert_eq!(task.attempts[0].reason.as_deref(), Some("FailedMount"));
    assert_eq!(waiting.reason.as_deref(), Some("FailedMount"));
    assert_eq!(waiting.message, Some(format!("execute waits: {words}")));
    let kept: Vec<_> = waiting.warnings.iter().map(|w| (w.reason.as_str(), w.task.as_deref())).collect();
    assert_eq!(kept, [("FailedMount", Some("execute"))]);
    let newer = warned("secret-missing", &["FailedAttachVolume", "FailedScheduling"]);
    let newer = read_warned("secret-missing", "waiting", waiting_pods("secret-missing", |_| {}), &newer);
    assert_eq!(newer.reason.as_deref(), Some("FailedAttachVolume"), "that it has no node its status would say");
    // Its own status comes first, and of what has ended nothing waits.
    let known = warned("unschedulable", &["FailedMount"]);
    let unschedulable = read_warned("unschedulable", "waiting", waiting_pods("unschedulable", |_| {}), &known);
    assert_eq!(unschedulable.reason.as_deref(), Some("Unschedulable"));
    let ended =
        read_warned("secret-missing", "ended", waiting_pods("secret-missing", |_| {}), &warned("secret-missing", &[]));
    assert_eq!(ended.reason.as_deref(), Some("PipelineRunTimeout"));
    assert_eq!(ended.warnings.len(), 1, "but it stays told");
}

#[test]
fn a_warning_holds_no_more_once_the_pods_sandbox_stands() {
    let known = warned("secret-missing", &[]);
    let stands = |pod: &mut serde_json::Value| {
        let conditions = pod["status"]["conditions"].as_array_mut().expect("conditions").iter_mut();
        for condition in conditions.filter(|condition| condition["type"] == "PodReadyToStartContainers") {
            condition["status"] = json!("True");
        }
    };
    let prepares = |pod: &mut serde_json::Value| {
        pod["status"]["initContainerStatuses"][0]["state"] = json!({"running": {"startedAt": "2026-11-23T05:21:30Z"}});
    };
    for pods in [waiting_pods("secret-missing", stands), waiting_pods("secret-missing", prepares)] {
        let goes_on = read_warned("secret-missing", "waiting", pods, &known);
        assert_eq!((only(&goes_on).reason.as_deref(), only(&goes_on).message.as_deref()), (Some("Pending"), None));
        assert_eq!(goes_on.reason.as_deref(), Some("Running"));
        assert_eq!(goes_on.warnings.len(), 1);
    }
}

#[test]
fn before_a_pod_has_a_node_its_claims_tell_too() {
    let mut known = warned("secret-missing", &[]);
    let at = domain::time::Timestamp::from_millis(1000);
    let (kind, object) = ("PersistentVolumeClaim".to_owned(), "pvc-1".to_owned());
    let (reason, message) = ("ProvisioningFailed".to_owned(), "no such class".to_owned());
    known.put(
        "of-claim",
        domain::warning::Warning { kind, object, task: None, reason, message, count: 1, first_at: at, last_at: at },
    );
    let mounts = |pod: &mut serde_json::Value| {
        pod["spec"]["volumes"] = json!([{"name": "w", "persistentVolumeClaim": {"claimName": "pvc-1"}}]);
    };
    let placed = read_warned("secret-missing", "waiting", waiting_pods("secret-missing", mounts), &known);
    assert_eq!(placed.reason.as_deref(), Some("FailedMount"), "it was bound before the pod got its node");
    let homeless = |pod: &mut serde_json::Value| {
        mounts(pod);
        pod["status"] = json!({"phase": "Pending"});
    };
    let waits = read_warned("secret-missing", "waiting", waiting_pods("secret-missing", homeless), &known);
    assert_eq!(waits.message.as_deref(), Some("execute waits: no such class"));
    assert!(waits.warnings.iter().any(|w| w.task.is_none() && w.object == "pvc-1"), "of the whole run");
}

#[test]
fn each_way_to_fail_has_its_reason() {
    for (case, reason) in [
        ("out-of-memory", "OOMKilled"),
        ("image-pull-fails", "TaskRunImagePullFailed"),
        ("image-unknown", "PodCreationFailed"),
        ("configmap-missing", "CreateContainerConfigError"),
        ("pod-deleted", "StepFailed"),
        ("restricted-pod-security", "PodAdmissionFailed"),
    ] {
        let ended = read(case, "ended");
        assert_eq!(ended.state, ExecutionState::Failed, "{case}");
        assert_eq!(only(&ended).reason.as_deref(), Some(reason), "{case}");
        assert!(only(&ended).finished_at.is_some(), "{case}");
    }
    for (case, reason) in [
        ("pipeline-unknown", "CouldntGetPipeline"),
        ("parameter-missing", "ParameterMissing"),
        ("task-unknown", "CouldntGetTask"),
    ] {
        let ended = read(case, "ended");
        assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some(reason)), "{case}");
        assert!(ended.message.is_some(), "{case}");
    }
}

#[test]
fn labels_reach_task_runs_and_pods() {
    // What the watches select by.
    let task_runs: Vec<TaskRunObject> = file("three-steps", "ended-taskruns").unwrap();
    let pods: Vec<PodObject> = file("three-steps", "ended-pods").unwrap();
    for task_run in task_runs.into_iter().map(TaskRun::from) {
        assert_eq!(task_run.workflow, "remediate-payment-oom");
        assert!(task_run.owner_uid.is_some());
    }
    let of_tasks = pods.into_iter().map(Pod::from).filter(|p| !p.steps.is_empty());
    assert!(of_tasks.map(|p| p.workflow).all(|workflow| workflow == "remediate-payment-oom"));
}

#[test]
fn objects_that_only_bear_the_label_are_not_looked_at() {
    let run = PipelineRun::from(file::<PipelineRunObject>("strategy-succeeds", "ended-pipelinerun").unwrap());
    let mut forged =
        TaskRun::from(file::<Vec<TaskRunObject>>("strategy-succeeds", "ended-taskruns").unwrap().swap_remove(0));
    forged.owner_uid = Some("somebody-else".into());
    let seen =
        reading(&run, std::iter::once(&forged), &HashMap::new(), &Warnings::default(), &Digest::from_bytes([0; 32]));
    assert!(only(&seen).attempts.is_empty() && only(&seen).results.is_empty());
}
