//! Single requests, sent again: the answers beside those of a real API server and of Tekton's webhook (`fixtures/denials`,
//! `fixtures/api`), from the sandbox and from a cluster.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::bench::{create, eventually};
use crate::differences::{differences, is_time};
use crate::target::{Target, on_both_targets};
use crate::truth::{ended, fixtures};

const CONFIGS: &str = "/api/v1/namespaces/kubernaut-system/configmaps";
const RUNS: &str = "/apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns";
/// Of all annotations together, in bytes.
const LARGEST_ANNOTATIONS: usize = 262_144;

on_both_targets! {
    refusals_are_those_of_kubernetes_and_tekton "denials";
    config_maps_are_written_and_refused_as_recorded "configmaps";
    a_run_that_has_begun_may_only_be_told_to_stop_and_one_that_has_ended_nothing "run-changes";
    lists_come_in_pages_and_watches_begin_where_they_are_told_to "pages";
    a_past_that_is_forgotten_is_410 "past";
    the_version_has_its_fields "version";
    nonsense_is_refused_and_breaks_nothing "nonsense";
}

fn recorded(folder: &str, name: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join(folder).join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The same with a request that names what is there now, in place of what was there when it was recorded.
fn naming(mut case: Value, live: &[(&str, &str)]) -> Value {
    let mut request = case["request"].to_string();
    for (then, now) in live {
        request = request.replace(then, now);
    }
    case["request"] = serde_json::from_str(&request).unwrap();
    case
}

/// Sends what was sent: how the answer differs from the recorded one.
async fn faults(target: &Target, case: &Value) -> Vec<String> {
    let (status, body) = target.send(&case["request"]).await;
    if json!(status) != case["status"] {
        return vec![format!("{status} instead of {}: {body}", case["status"])];
    }
    differences(&case["body"], &body)
}

/// Sends what was sent, and compares status and body.
async fn again(target: &Target, name: &str) {
    again_naming(target, name, &[]).await;
}

async fn again_naming(target: &Target, name: &str, live: &[(&str, &str)]) {
    let found = faults(target, &naming(recorded("api", name), live)).await;
    assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
}

async fn refusals_are_those_of_kubernetes_and_tekton(target: &Target) {
    let mut names: Vec<String> = std::fs::read_dir(fixtures().join("denials"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        // Rights are not the sandbox's business.
        .filter(|name| target.as_sandbox().is_none() || name != "forbidden")
        .collect();
    names.sort();
    assert!(names.len() > 30);
    let mut wrong = Vec::new();
    for name in names {
        let mut case = recorded("denials", &name);
        if name == "annotations-too-large" {
            // The record does without the quarter of a megabyte that was sent.
            let annotations = json!({"large": "a".repeat(LARGEST_ANNOTATIONS)});
            case["request"]["body"] = json!({"apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
                "metadata": {"name": name, "annotations": annotations}, "spec": {"pipelineRef": {"name": "playbook-executor"}}});
        }
        let found = faults(target, &case).await;
        if !found.is_empty() {
            wrong.push(format!("{name}:\n  {}", found.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn config_maps_are_written_and_refused_as_recorded(target: &Target) {
    for name in ["configmap-created", "configmap-exists", "configmap-immutable", "configmap-key-invalid"] {
        again(target, name).await;
    }
    let two = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}, "data": {"A": "1"}, "immutable": false});
    let two = create(&target.api("v1", "ConfigMap"), two).await.metadata;
    // The uid and the version that the record has of it.
    let (uid, version) = (two.uid.unwrap(), two.resource_version.unwrap());
    let live = [("914d0874-366d-4e75-a012-8ad02eb538f5", uid.as_str()), ("17886", version.as_str())];
    for name in [
        "patch-merge",
        "patch-merge-nothing-changes",
        "patch-stale",
        "patch-not-found",
        "patch-json-test-fails",
        "put-stale",
        "put-not-found",
        "apply-creates",
        "apply-again",
        "apply-conflict",
        "apply-forced",
        "apply-without-manager",
        "patch-type-unknown",
        "not-json",
        "get-not-found",
        "delete-not-found",
        "delete-precondition-fails",
        "delete-configmap",
        "list-field-selector-unsupported",
        "list-selector-invalid",
        "list-of-unknown-namespace",
        "list-from-the-future",
        "list-empty",
        "group-not-found",
        "kind-not-found",
        "log-pod-unknown",
        "dry-run",
    ] {
        again_naming(target, name, &live).await;
    }
}

/// `log-before-start` is not played: it was answered in the moment between a container's creation and its start.
async fn a_run_that_has_begun_may_only_be_told_to_stop_and_one_that_has_ended_nothing(target: &Target) {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "same-name-parameters"}, "data": {"RUN_SECONDS": "6"}});
    create(&target.api("v1", "ConfigMap"), config).await;
    let runs = target.api("tekton.dev/v1", "PipelineRun");
    let run = || async { serde_json::to_value(runs.get("same-name").await.unwrap()).unwrap() };
    again(target, "pipelinerun-created").await;
    again(target, "pipelinerun-exists").await;
    eventually("the run begins", || async { run().await["status"]["startTime"].is_string().then_some(()) }).await;
    for name in ["pipelinerun-spec-changed", "pipelinerun-timeout-changed", "pipelinerun-back-to-pending"] {
        again(target, name).await;
    }
    let (status, body) = target.send(&recorded("api", "pipelinerun-labelled")["request"]).await;
    assert_eq!((status, &body["metadata"]["labels"]["more"]), (200, &json!("yes")));

    let log = recorded("api", "log-without-container");
    eventually("its step has written its environment", || async {
        let (_, text) = target.send(&log["request"]).await;
        text.as_str().is_some_and(|text| text.contains("RUN_SECONDS=6\n")).then_some(())
    })
    .await;
    logs_are_as_recorded(target).await;
    eventually("the run ends", || async { ended(&run().await).then_some(()) }).await;
    for name in ["pipelinerun-cancelled-after-its-end", "pipelinerun-get-after-late-cancel", "pipelinerun-deleted"] {
        again(target, name).await;
    }
}

async fn logs_are_as_recorded(target: &Target) {
    for name in ["log", "log-without-container"] {
        let case = recorded("api", name);
        let (status, found) = target.send(&case["request"]).await;
        assert_eq!(json!(status), case["status"], "{name}: {found}");
        let timed = name == "log";
        let (wanted, found) = (lines(&case["body"], timed), lines(&found, timed));
        // The run goes on and may have written more.
        assert_eq!(wanted, found[..wanted.len().min(found.len())], "{name}");
    }
    again(target, "log-container-unknown").await;
}

/// The lines of a log, without their times, and without what the kubelet itself puts into the environment of containers.
fn lines(log: &Value, timed: bool) -> Vec<String> {
    let text = |line: &str| match line.split_once(' ') {
        Some((time, text)) if timed => {
            assert!(is_time(time), "{line}");
            text.to_owned()
        }
        _ => line.to_owned(),
    };
    log.as_str().unwrap().lines().map(text).filter(|line| !line.starts_with("KUBERNETES_")).collect()
}

async fn lists_come_in_pages_and_watches_begin_where_they_are_told_to(target: &Target) {
    let configs = target.api("v1", "ConfigMap");
    for index in 0..3 {
        let metadata = json!({"name": format!("page-{index}"), "labels": {"page": "yes"}});
        create(&configs, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": false}))
            .await;
    }
    let limited = recorded("api", "list-limited");
    again(target, "list-limited").await;
    let (_, page) = target.send(&limited["request"]).await;
    let token = |list: &Value| list["metadata"]["continue"].as_str().unwrap().to_owned();
    let (then, now) = (token(&limited["body"]), token(&page));
    again_naming(target, "list-continued", &[(then.as_str(), now.as_str())]).await;
    again(target, "list-continue-invalid").await;

    let change = json!({"method": "PATCH", "path": format!("{CONFIGS}/page-0"), "content_type": "application/merge-patch+json",
        "body": {"data": {"A": "1"}}});
    assert_eq!(target.send(&change).await.0, 200);
    for name in ["page-1", "page-2"] {
        configs.delete(name, &DeleteParams::default()).await.unwrap();
    }
    // In place of the version that the record has of its list.
    let version = format!("resourceVersion={}", page["metadata"]["resourceVersion"].as_str().unwrap());
    let live = [("resourceVersion=17969", version.as_str())];
    for name in
        ["watch-from-version", "watch-from-nothing", "watch-from-zero", "watch-initial-events", "watch-from-the-future"]
    {
        watched(target, name, &naming(recorded("api", name), &live)).await;
    }
}

/// Listing at an old version is played in the sandbox alone: a cluster that is younger than ten minutes may still have all of its past.
/// Its watches begin with a list of their own, and know nothing from before.
async fn a_past_that_is_forgotten_is_410(target: &Target) {
    if let Some(sandbox) = target.as_sandbox() {
        sandbox.compact();
        again(target, "list-too-old").await;
    }
    watched(target, "watch-too-old", &recorded("api", "watch-too-old")).await;
}

/// Compares types and names of a watch's events.
async fn watched(target: &Target, name: &str, case: &Value) {
    let (status, body) = target.send(&case["request"]).await;
    assert_eq!(json!(status), case["status"], "{name}: {body}");
    assert_eq!(events(&case["body"]), events(&body), "{name}: {body}");
}

/// Whether and when a bookmark comes is a matter of time, but for the one that ends the initial events.
fn events(body: &Value) -> Vec<String> {
    let events: Vec<Value> = match body {
        Value::Array(events) => events.clone(),
        Value::String(lines) => lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        one => vec![one.clone()],
    };
    let told = |event: &Value| {
        let (object, kind) = (&event["object"], event["type"].as_str().unwrap());
        match kind {
            "BOOKMARK" => {
                object["metadata"]["annotations"]["k8s.io/initial-events-end"].as_str().map(|_| kind.to_owned())
            }
            "ERROR" => Some(format!("{kind} {} {}", object["code"], object["reason"])),
            _ => Some(format!("{kind} {}", object["metadata"]["name"])),
        }
    };
    events.iter().filter_map(told).collect()
}

/// What built the API server, and when, is another thing everywhere.
async fn the_version_has_its_fields(target: &Target) {
    let case = recorded("api", "version");
    let (status, body) = target.send(&case["request"]).await;
    assert_eq!(status, 200);
    for (field, wanted) in case["body"].as_object().unwrap() {
        assert!(body[field].is_string(), "{field}: {body}");
        if ["major", "minor", "emulationMajor", "emulationMinor"].contains(&field.as_str()) {
            assert_eq!(&body[field], wanted, "{field}");
        }
    }
}

async fn nonsense_is_refused_and_breaks_nothing(target: &Target) {
    let post = |path: &str, body: Value| json!({"method": "POST", "path": path, "body": body});
    for spec in [
        json!({"pipelineRef": "x"}),
        json!({"pipelineRef": {"name": "x"}, "timeouts": "5m"}),
        json!({"pipelineRef": {"name": "x"}, "taskRunTemplate": []}),
        json!({"pipelineRef": {"name": "x"}, "taskRunSpecs": ["x"]}),
        json!({"pipelineRef": {"name": "x"}, "params": {"a": 1}}),
        json!({"pipelineSpec": {"tasks": [1]}}),
        json!({"pipelineSpec": {"tasks": [{"name": "a", "taskSpec": {"steps": [{"env": "x"}]}}]}}),
        json!({"pipelineSpec": {"tasks": [{"name": "a", "taskSpec": {"steps": [{"envFrom": [1]}]}}]}}),
        json!({"pipelineRef": {"name": "x"}, "workspaces": [{"name": "a", "volumeClaimTemplate": 3}]}),
        json!("text"),
    ] {
        let run =
            json!({"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": "x"}, "spec": spec});
        let (status, body) = target.send(&post(RUNS, run)).await;
        assert_eq!(status, 400, "{spec}: {body}");
    }
    for body in [json!([]), json!("x"), json!({"metadata": "x"}), json!({"metadata": {"labels": ["x"], "name": "x"}})] {
        assert_eq!(target.send(&post(CONFIGS, body.clone())).await.0, 400, "{body}");
    }
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}});
    create(&target.api("v1", "ConfigMap"), config).await;
    // What is no patch is a bad request; what makes of the object what it can't be is invalid.
    for (patch, code) in [
        (json!([]), 400),
        (json!("x"), 400),
        (json!({"metadata": "x"}), 422),
        (json!({"metadata": {"labels": 1}}), 422),
        (json!({"data": 7}), 422),
    ] {
        let request = json!({"method": "PATCH", "path": format!("{CONFIGS}/c"), "content_type": "application/merge-patch+json", "body": patch});
        let (status, body) = target.send(&request).await;
        assert_eq!(status, code, "{patch}: {body}");
    }
    let (status, _) = target.send(&json!({"method": "GET", "path": format!("{CONFIGS}/c")})).await;
    assert_eq!(status, 200);
}
