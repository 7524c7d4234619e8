//! Single requests, sent again: the sandbox's answers beside those of a real API server and of Tekton's webhook
//! (`fixtures/denials`, `fixtures/api`).

use std::time::Duration;

use kube::client::Body;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::bench::{NAMESPACE, create, dynamic, ready};
use crate::differences::differences;
use crate::truth::fixtures;

async fn send(sandbox: &Sandbox, request: &Value) -> (u16, Value) {
    let method = request["method"].as_str().unwrap();
    let mut builder = http::Request::builder().method(method).uri(request["path"].as_str().unwrap());
    if let Some(kind) = request["content_type"].as_str() {
        builder = builder.header("content-type", kind);
    } else if method != "PATCH" {
        builder = builder.header("content-type", "application/json");
    }
    let body = request.get("body").map_or_else(Vec::new, |body| serde_json::to_vec(body).unwrap());
    let response = sandbox.client().send(builder.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let text = String::from_utf8(response.into_body().collect_bytes().await.unwrap().to_vec()).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn recorded(folder: &str, name: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join(folder).join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Sends what was sent, and compares status and body.
async fn again(sandbox: &Sandbox, folder: &str, name: &str) {
    let case = recorded(folder, name);
    let (status, body) = send(sandbox, &case["request"]).await;
    assert_eq!(json!(status), case["status"], "{folder}/{name}: {body}");
    let found = differences(&case["body"], &body);
    assert!(found.is_empty(), "{folder}/{name}:\n{}", found.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_those_of_kubernetes_and_tekton() {
    // Rights are not the sandbox's business, and its bodies of quarter megabytes are refused by size alone.
    let elsewhere = ["forbidden", "annotations-too-large"];
    let sandbox = ready();
    let mut names: Vec<String> = std::fs::read_dir(fixtures().join("denials"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| !elsewhere.contains(&name.as_str()))
        .collect();
    names.sort();
    assert!(names.len() > 30);
    let mut faults = Vec::new();
    for name in names {
        let case = recorded("denials", &name);
        let (status, body) = send(&sandbox, &case["request"]).await;
        if json!(status) != case["status"] {
            faults.push(format!("{name}: {status} instead of {}: {body}", case["status"]));
            continue;
        }
        let found = differences(&case["body"], &body);
        if !found.is_empty() {
            faults.push(format!("{name}:\n  {}", found.join("\n  ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn config_maps_are_written_and_refused_as_recorded() {
    let sandbox = ready();
    for name in ["configmap-created", "configmap-exists", "configmap-immutable", "configmap-key-invalid"] {
        again(&sandbox, "api", name).await;
    }
    let configs = dynamic(&sandbox, "v1", "ConfigMap", Some(NAMESPACE));
    create(&configs, json!({"metadata": {"name": "two"}, "data": {"A": "1"}, "immutable": false})).await;
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
        "group-not-found",
        "kind-not-found",
        "log-pod-unknown",
        "dry-run",
    ] {
        again(&sandbox, "api", name).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_begun_may_only_be_told_to_stop_and_one_that_has_ended_nothing() {
    let sandbox = ready();
    let config = json!({"metadata": {"name": "same-name-parameters"}, "data": {"RUN_SECONDS": "6"}});
    create(&dynamic(&sandbox, "v1", "ConfigMap", Some(NAMESPACE)), config).await;
    again(&sandbox, "api", "pipelinerun-created").await;
    again(&sandbox, "api", "pipelinerun-exists").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    for name in ["pipelinerun-spec-changed", "pipelinerun-timeout-changed", "pipelinerun-back-to-pending"] {
        again(&sandbox, "api", name).await;
    }
    let labelled = recorded("api", "pipelinerun-labelled");
    let (status, body) = send(&sandbox, &labelled["request"]).await;
    assert_eq!((status, &body["metadata"]["labels"]["more"]), (200, &json!("yes")));
    tokio::time::sleep(Duration::from_secs(30)).await;
    again(&sandbox, "api", "pipelinerun-cancelled-after-its-end").await;
    again(&sandbox, "api", "pipelinerun-deleted").await;
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_refused_and_breaks_nothing() {
    let sandbox = ready();
    let post = |path: &str, body: Value| json!({"method": "POST", "path": path, "body": body});
    let runs = "/apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns";
    let configs = "/api/v1/namespaces/kubernaut-system/configmaps";
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
        let (status, body) = send(&sandbox, &post(runs, json!({"metadata": {"name": "x"}, "spec": spec}))).await;
        assert_eq!(status, 400, "{spec}: {body}");
    }
    for body in [json!([]), json!("x"), json!({"metadata": "x"}), json!({"metadata": {"labels": ["x"], "name": "x"}})] {
        assert_eq!(send(&sandbox, &post(configs, body.clone())).await.0, 400, "{body}");
    }
    create(&dynamic(&sandbox, "v1", "ConfigMap", Some(NAMESPACE)), json!({"metadata": {"name": "c"}})).await;
    for patch in
        [json!([]), json!("x"), json!({"metadata": "x"}), json!({"metadata": {"labels": 1}}), json!({"data": 7})]
    {
        let request = json!({"method": "PATCH", "path": format!("{configs}/c"), "content_type": "application/merge-patch+json", "body": patch});
        assert_eq!(send(&sandbox, &request).await.0, 400, "{patch}");
    }
    let (status, _) = send(&sandbox, &json!({"method": "GET", "path": format!("{configs}/c")})).await;
    assert_eq!(status, 200);
}
