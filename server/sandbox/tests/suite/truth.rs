//! The sandbox against what a real Kubernetes with Tekton did: each case of `fixtures/` is run again, and its objects at
//! the end are compared with the recorded ones.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use sandbox::Sandbox;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bench::{NAMESPACE, dynamic, eventually, object, ready};

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
    sandbox: Sandbox,
    run: Value,
    task_runs: Vec<Value>,
    pods: Vec<Value>,
}

fn runs(sandbox: &Sandbox) -> Api<DynamicObject> {
    dynamic(sandbox, "tekton.dev/v1", "PipelineRun", Some(NAMESPACE))
}

async fn all(sandbox: &Sandbox, api_version: &str, kind: &str) -> Vec<Value> {
    let list = dynamic(sandbox, api_version, kind, Some(NAMESPACE)).list(&ListParams::default()).await.unwrap();
    list.items.into_iter().map(|item| serde_json::to_value(item).unwrap()).collect()
}

fn ended(object: &Value) -> bool {
    object["status"]["conditions"]
        .as_array()
        .is_some_and(|list| list.iter().any(|c| c["type"] == "Succeeded" && c["status"] != "Unknown"))
}

/// Creates what the case creates, in its order; the run's name and the answer to its creation.
async fn create(sandbox: &Sandbox, case: &str) -> (String, Value) {
    let text = std::fs::read_to_string(fixtures().join(case).join("input.yaml")).unwrap();
    let mut made = None;
    let mut owner = None;
    for document in serde_norway::Deserializer::from_str(&text) {
        let mut value = Value::deserialize(document).unwrap();
        if value["kind"] == "WorkflowExecution" {
            sandbox.apply_yaml(DEFINITION).unwrap();
        }
        if let (Some(uid), "PipelineRun") = (&owner, value["kind"].as_str().unwrap()) {
            value["metadata"]["ownerReferences"][0]["uid"] = Clone::clone(uid);
        }
        let api =
            dynamic(sandbox, value["apiVersion"].as_str().unwrap(), value["kind"].as_str().unwrap(), Some(NAMESPACE));
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

const DEFINITION: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: workflowexecutions.workflowexecution.kubernaut.ai }
spec:
  group: workflowexecution.kubernaut.ai
  scope: Namespaced
  names: { kind: WorkflowExecution, plural: workflowexecutions }
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: { status: {} }
    schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
";

async fn step_running(sandbox: &Sandbox) {
    eventually("a step runs", || async {
        let runs = all(sandbox, "tekton.dev/v1", "TaskRun").await;
        (!runs.is_empty() && runs.iter().all(|run| run["status"]["steps"][0].get("running").is_some() || ended(run)))
            .then_some(())
    })
    .await;
}

async fn play(case: &str, meanwhile: Meanwhile) -> Outcome {
    let sandbox = ready();
    let (name, created) = create(&sandbox, case).await;
    if let Some(wanted) = read(case, "created-pipelinerun.json") {
        same(case, "created", &wanted, &created);
    }
    match meanwhile {
        Meanwhile::Nothing => {}
        Meanwhile::Status(status) => {
            step_running(&sandbox).await;
            set_status(&sandbox, &name, Some(status)).await;
        }
        Meanwhile::StatusLater(status) => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            set_status(&sandbox, &name, status).await;
        }
        Meanwhile::DeletePod => {
            step_running(&sandbox).await;
            let pod = all(&sandbox, "v1", "Pod").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
            dynamic(&sandbox, "v1", "Pod", Some(NAMESPACE)).delete(&pod, &DeleteParams::default()).await.unwrap();
        }
        Meanwhile::DeleteTaskRun => {
            step_running(&sandbox).await;
            let run =
                all(&sandbox, "tekton.dev/v1", "TaskRun").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
            let pods = dynamic(&sandbox, "v1", "Pod", Some(NAMESPACE));
            let now = DeleteParams { grace_period_seconds: Some(0), ..Default::default() };
            pods.delete(&format!("{run}-pod"), &now).await.unwrap();
            dynamic(&sandbox, "tekton.dev/v1", "TaskRun", Some(NAMESPACE))
                .delete(&run, &DeleteParams::default())
                .await
                .unwrap();
        }
    }
    let run = eventually("the run ends", || async {
        let run = serde_json::to_value(runs(&sandbox).get(&name).await.unwrap()).unwrap();
        let tasks = all(&sandbox, "tekton.dev/v1", "TaskRun").await;
        (ended(&run) && tasks.iter().all(ended)).then_some(run)
    })
    .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let task_runs = all(&sandbox, "tekton.dev/v1", "TaskRun").await;
    let pods = all(&sandbox, "v1", "Pod").await;
    Outcome { sandbox, run, task_runs, pods }
}

async fn set_status(sandbox: &Sandbox, name: &str, status: Option<&str>) {
    let patch = Patch::Merge(json!({"spec": {"status": status}}));
    runs(sandbox).patch(name, &PatchParams::default(), &patch).await.unwrap();
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
    // The volume's keeper is a pod of Tekton's own, which the sandbox does without.
    let wanted: Vec<&Value> = wanted.iter().filter(|value| !name(value).starts_with("affinity-assistant")).collect();
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

/// Parts that most fixtures leave out.
const CUT: [&str; 4] = ["pipelineSpec", "taskSpec", "provenance", "artifacts"];

fn same(case: &str, what: &str, wanted: &Value, found: &Value) {
    let differences = differences(wanted, found);
    assert!(differences.is_empty(), "{case}, {what}:\n{}", differences.join("\n"));
}

/// What differs between two objects, leaving out what differs from run to run.
pub fn differences(wanted: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare(&plain(wanted.clone()), &plain(found.clone()), "", &mut differences);
    differences
}

fn compare(wanted: &Value, found: &Value, path: &str, differences: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                match found.get(name) {
                    Some(other) => compare(value, other, &format!("{path}/{name}"), differences),
                    None => differences.push(format!("{path}/{name}: missing, should be {value}")),
                }
            }
            for (name, value) in found {
                if !wanted.contains_key(name) && !CUT.contains(&name.as_str()) {
                    differences.push(format!("{path}/{name}: should not be there: {value}"));
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(wanted, found, &format!("{path}/{index}"), differences);
            }
        }
        (wanted, found) if wanted == found => {}
        (wanted, found) => differences.push(format!("{path}: should be {wanted}, is {found}")),
    }
}

/// Without what differs from run to run and from cluster to cluster.
fn plain(mut value: Value) -> Value {
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let volatile = [
                "resourceVersion",
                "uid",
                "containerID",
                "managedFields",
                "nodeName",
                "claimName",
                "pipeline.tekton.dev/release",
                "pipeline.tekton.dev/affinity-assistant",
                "tekton.dev/pipelineRunUID",
                "tekton.dev/taskRunUID",
                "lastProbeTime",
                "observedGeneration",
            ];
            map.retain(|name, _| !volatile.contains(&name.as_str()));
            // A pod has no generation before Kubernetes 1.33, and the sandbox's has none.
            if map.contains_key("labels") && map.contains_key("ownerReferences") {
                map.remove("generation");
            }
            map.retain(|_, value| !value.as_object().is_some_and(serde_json::Map::is_empty));
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) => {
            if is_time(text) {
                *text = "a time".into();
            } else if text.starts_with('[') && text.contains("StartedAt") {
                *text = without_times(text);
            } else if text.contains("runAsNonRoot") {
                *text = text.split("(pod:").next().unwrap().to_owned();
            } else if text.contains("@sha256:") && !text.contains(' ') {
                // Digests are of other contents here.
                *text = text.split("@sha256:").next().unwrap().to_owned() + "@sha256";
            } else if text.contains(", current: ") {
                *text = text.split(", current: ").next().unwrap().to_owned();
            } else if text.contains("in record (") {
                *text = text.split("in record (").next().unwrap().to_owned();
            } else if text.contains("/v2/") {
                // The bench's registry speaks plain HTTP.
                *text = text.replace("https://", "http://");
            }
        }
        _ => {}
    }
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[4] == b'-' && text.as_bytes()[10] == b'T'
}

fn without_times(text: &str) -> String {
    let mut entries: Value = serde_json::from_str(text).unwrap();
    for entry in entries.as_array_mut().unwrap() {
        if entry["key"] == "StartedAt" {
            entry["value"] = "a time".into();
        }
    }
    entries.to_string()
}

macro_rules! cases {
    ($($test:ident $case:literal $meanwhile:expr;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $test() {
                let outcome = play($case, $meanwhile).await;
                check($case, &outcome);
                outcome.sandbox.shutdown().await;
            }
        )*
    };
}

cases! {
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
