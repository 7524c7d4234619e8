//! What a real Kubernetes with Tekton did, done again: each case of `fixtures/` is run, and its objects at the end are compared with the
//! recorded ones. In the sandbox, which is held to it, and on a real cluster, which says whether the record still holds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::bench::{eventually, object};
use crate::differences::differences;
use crate::target::{Target, documents, on_both_targets};

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn read(case: &str, file: &str) -> Option<Value> {
    let text = std::fs::read_to_string(fixtures().join(case).join(file)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// What happens to a run while it goes.
enum Meanwhile {
    Nothing,
    /// When its step runs, its `spec.status` becomes this.
    Status(&'static str),
    /// After three seconds, too.
    StatusLater(Option<&'static str>),
    DeletePod,
    DeleteTaskRun,
}

struct Outcome {
    run: Value,
    task_runs: Vec<Value>,
    pods: Vec<Value>,
}

fn runs(target: &Target) -> Api<DynamicObject> {
    target.api("tekton.dev/v1", "PipelineRun")
}

/// All objects of a kind but the volume's keeper, a pod of Tekton's own which the sandbox does without.
async fn all(target: &Target, api_version: &str, kind: &str) -> Vec<Value> {
    let list = target.api(api_version, kind).list(&ListParams::default()).await.unwrap();
    let found = list.items.into_iter().map(|item| serde_json::to_value(item).unwrap());
    found.filter(|object| !is_keeper(object)).collect()
}

fn is_keeper(object: &Value) -> bool {
    object["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("affinity-assistant"))
}

pub fn ended(object: &Value) -> bool {
    object["status"]["conditions"]
        .as_array()
        .is_some_and(|list| list.iter().any(|c| c["type"] == "Succeeded" && c["status"] != "Unknown"))
}

/// Creates what the case creates, in its order; the run's name and the answer to its creation.
async fn create(target: &Target, case: &str) -> (String, Value) {
    let text = std::fs::read_to_string(fixtures().join(case).join("input.yaml")).unwrap();
    let mut made = None;
    let mut owner = None;
    for mut value in documents(&target.here(&text)) {
        if let (Some(uid), "PipelineRun") = (&owner, value["kind"].as_str().unwrap()) {
            value["metadata"]["ownerReferences"][0]["uid"] = Clone::clone(uid);
        }
        let api = target.api(value["apiVersion"].as_str().unwrap(), value["kind"].as_str().unwrap());
        let created = api.create(&PostParams::default(), &object(value.clone())).await.unwrap();
        let created = serde_json::to_value(created).unwrap();
        match value["kind"].as_str().unwrap() {
            "PipelineRun" => made = Some(created),
            "WorkflowExecution" => owner = Some(created["metadata"]["uid"].clone()),
            _ => {}
        }
    }
    let made = made.unwrap();
    (made["metadata"]["name"].as_str().unwrap().to_owned(), made)
}

async fn step_running(target: &Target) {
    eventually("a step runs", || async {
        let runs = all(target, "tekton.dev/v1", "TaskRun").await;
        (!runs.is_empty() && runs.iter().all(|run| run["status"]["steps"][0].get("running").is_some() || ended(run)))
            .then_some(())
    })
    .await;
}

async fn play(target: &Target, case: &str, meanwhile: Meanwhile) -> Outcome {
    let (name, created) = create(target, case).await;
    if let Some(wanted) = read(case, "created-pipelinerun.json") {
        same(case, "created", &wanted, &target.recorded(&created));
    }
    match meanwhile {
        Meanwhile::Nothing => {}
        Meanwhile::Status(status) => {
            step_running(target).await;
            set_status(target, &name, Some(status)).await;
        }
        Meanwhile::StatusLater(status) => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            set_status(target, &name, status).await;
        }
        Meanwhile::DeletePod => {
            step_running(target).await;
            let pod = all(target, "v1", "Pod").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
            // Before its first line Tekton's entry point may not pass signals on yet, and ends otherwise.
            target.logged(&pod, "step-execute").await;
            target.api("v1", "Pod").delete(&pod, &DeleteParams::default()).await.unwrap();
        }
        Meanwhile::DeleteTaskRun => {
            step_running(target).await;
            let run = all(target, "tekton.dev/v1", "TaskRun").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
            // Its pod goes first, and nobody calls a TaskRun failed that is being deleted; the next one's pod takes the name.
            let in_order = DeleteParams::foreground();
            target.api("tekton.dev/v1", "TaskRun").delete(&run, &in_order).await.unwrap();
        }
    }
    let run = eventually("the run ends", || async {
        let run = serde_json::to_value(runs(target).get(&name).await.unwrap()).unwrap();
        let tasks = all(target, "tekton.dev/v1", "TaskRun").await;
        (ended(&run) && tasks.iter().all(ended)).then_some(run)
    })
    .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let recorded = |found: Vec<Value>| found.iter().map(|object| target.recorded(object)).collect();
    let task_runs = recorded(all(target, "tekton.dev/v1", "TaskRun").await);
    let pods = recorded(all(target, "v1", "Pod").await);
    Outcome { run: target.recorded(&run), task_runs, pods }
}

async fn set_status(target: &Target, name: &str, status: Option<&str>) {
    let patch = Patch::Merge(json!({"spec": {"status": status}}));
    runs(target).patch(name, &PatchParams::default(), &patch).await.unwrap();
}

/// Compares everything that a case recorded at its end.
fn check(case: &str, outcome: &Outcome) {
    if let Some(wanted) = read(case, "ended-pipelinerun.json") {
        same(case, "PipelineRun", &wanted, &outcome.run);
    }
    if let Some(Value::Array(wanted)) = read(case, "ended-taskruns.json") {
        each(case, "TaskRun", &wanted, &outcome.task_runs, |value| value);
    }
    if let Some(Value::Array(wanted)) = read(case, "ended-pods.json") {
        each(case, "Pod", &wanted, &outcome.pods, essential);
    }
}

fn each(case: &str, kind: &str, wanted: &[Value], found: &[Value], view: impl Fn(Value) -> Value) {
    let name = |value: &Value| value["metadata"]["name"].as_str().unwrap().to_owned();
    let wanted: Vec<&Value> = wanted.iter().filter(|value| !is_keeper(value)).collect();
    let names = |list: Vec<&Value>| list.into_iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(wanted.clone()), names(found.iter().collect()), "{case}: names of all {kind}s");
    for (wanted, found) in wanted.into_iter().zip(found) {
        same(case, &name(wanted), &view(wanted.clone()), &view(found.clone()));
    }
}

/// What is compared of a pod: whose it is, what its containers are given, and how it fares.
#[expect(clippy::needless_pass_by_value, reason = "mapped over pods")]
fn essential(pod: Value) -> Value {
    let containers = |list: &Value| -> Vec<Value> {
        let kept = |container: &Value| json!({"name": container["name"], "image": container["image"], "env": container["env"], "envFrom": container["envFrom"]});
        list.as_array().into_iter().flatten().map(kept).collect()
    };
    let states = |list: &Value| -> Vec<Value> {
        list.as_array().into_iter().flatten().map(|c| json!({"name": c["name"], "state": c["state"], "ready": c["ready"], "restartCount": c["restartCount"]})).collect()
    };
    let conditions: Vec<Value> = pod["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|c| json!({"type": c["type"], "status": c["status"], "reason": c["reason"], "message": c["message"]}))
        .collect();
    json!({
        "metadata": pod["metadata"],
        "spec": {"restartPolicy": pod["spec"]["restartPolicy"], "serviceAccountName": pod["spec"]["serviceAccountName"],
            "activeDeadlineSeconds": pod["spec"]["activeDeadlineSeconds"], "containers": containers(&pod["spec"]["containers"])},
        "status": {"phase": pod["status"]["phase"], "conditions": conditions, "containerStatuses": states(&pod["status"]["containerStatuses"]),
            "initContainerStatuses": states(&pod["status"]["initContainerStatuses"])},
    })
}

fn same(case: &str, what: &str, wanted: &Value, found: &Value) {
    let differences = differences(wanted, found);
    assert!(differences.is_empty(), "{case}, {what}:\n{}", differences.join("\n"));
}

async fn case(target: &Target, case: &str, meanwhile: Meanwhile) {
    let outcome = play(target, case, meanwhile).await;
    check(case, &outcome);
}

on_both_targets! {
    case:
    three_steps "three-steps" Meanwhile::Nothing;
    first_step_fails "first-step-fails" Meanwhile::Nothing;
    strategy_succeeds "strategy-succeeds" Meanwhile::Nothing;
    playbook_fails "playbook-fails" Meanwhile::Nothing;
    retry_succeeds "retry-succeeds" Meanwhile::Nothing;
    retries_exhausted "retries-exhausted" Meanwhile::Nothing;
    task_timeout "task-timeout" Meanwhile::Nothing;
    task_timeout_retried "task-timeout-retried" Meanwhile::Nothing;
    pipeline_timeout "pipeline-timeout" Meanwhile::Nothing;
    pipeline_timeout_with_retries "pipeline-timeout-with-retries" Meanwhile::Nothing;
    cancelled "cancelled" Meanwhile::Status("Cancelled");
    cancelled_dag "cancelled-dag" Meanwhile::Status("Cancelled");
    cancelled_run_finally "cancelled-run-finally" Meanwhile::Status("CancelledRunFinally");
    stopped_run_finally "stopped-run-finally" Meanwhile::Status("StoppedRunFinally");
    pending_then_started "pending-then-started" Meanwhile::StatusLater(None);
    pending_then_cancelled "pending-then-cancelled" Meanwhile::StatusLater(Some("Cancelled"));
    image_unknown "image-unknown" Meanwhile::Nothing;
    image_pull_fails "image-pull-fails" Meanwhile::Nothing;
    image_by_tag "image-by-tag" Meanwhile::Nothing;
    unschedulable "unschedulable" Meanwhile::Nothing;
    quota_exceeded "quota-exceeded" Meanwhile::Nothing;
    configmap_missing "configmap-missing" Meanwhile::Nothing;
    secret_missing "secret-missing" Meanwhile::Nothing;
    secret_key_missing "secret-key-missing" Meanwhile::Nothing;
    secret_parameter "secret-parameter" Meanwhile::Nothing;
    kubeconfig_optional "kubeconfig-optional" Meanwhile::Nothing;
    root_image_refused "root-image-refused" Meanwhile::Nothing;
    out_of_memory "out-of-memory" Meanwhile::Nothing;
    outputs_missing "outputs-missing" Meanwhile::Nothing;
    pipeline_result_missing "pipeline-result-missing" Meanwhile::Nothing;
    long_names "long-names" Meanwhile::Nothing;
    pod_deleted "pod-deleted" Meanwhile::DeletePod;
    taskrun_deleted_runs_again "taskrun-deleted-runs-again" Meanwhile::DeleteTaskRun;
    pipeline_unknown "pipeline-unknown" Meanwhile::Nothing;
    task_unknown "task-unknown" Meanwhile::Nothing;
    task_run_specs_unknown "task-run-specs-unknown" Meanwhile::Nothing;
    parameter_missing "parameter-missing" Meanwhile::Nothing;
    task_parameter_missing "task-parameter-missing" Meanwhile::Nothing;
    workspace_missing "workspace-missing" Meanwhile::Nothing;
    workspace_undeclared "workspace-undeclared" Meanwhile::Nothing;
    service_account_missing "service-account-missing" Meanwhile::Nothing;
}
