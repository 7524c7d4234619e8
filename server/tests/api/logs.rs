//! Logs: as text for programs, and in parts for the page.

use crate::support::{Caller, Console, recommendation};
use reqwest::Method;
use serde_json::json;

/// Registers a playbook of this image that is told how many lines to write.
async fn writer(author: &Caller<'_>, id: &str, image: &str) {
    let playbook = json!({ "workflow_id": id, "version": "1.0.0", "title": "Write a log", "description": "d",
        "container_image": format!("quay.io/kubernaut/{image}:v1"),
        "parameters": [{ "name": "LINES", "description": "how many", "type": "integer", "required": true }] });
    author.post("/api/v1/playbooks", &playbook).await.expect(201);
}

/// A run of it that has written so many lines, all of which are archived.
async fn written(operator: &Caller<'_>, model: &Caller<'_>, id: &str, lines: u32) -> String {
    let mut answer = recommendation("inc-1");
    answer["strategies"] = json!([{ "action_type": "write_a_log", "workflow_id": id, "confidence": 0.5,
        "rationale": "r", "estimated_risk": "low", "parameters": { "LINES": lines } }]);
    let taken = model.post("/api/v1/recommendations", &answer).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = operator.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let decided = operator.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let id = decided["execution_id"].as_str().unwrap().to_owned();
    operator.until(&format!("/api/v1/executions/{id}"), "succeeded", |e| e["state"] == "succeeded").await;
    let stream = operator.get(&format!("/api/v1/executions/{id}/tasks/execute/logs?follow=true&attempt=1")).await;
    assert!(stream.text.contains("event: end"), "the archive is a moment behind the run: {}", stream.text);
    id
}

#[tokio::test]
async fn a_log_is_text_for_programs_and_lines_for_the_page() {
    let console = Console::start();
    let (author, model, operator) =
        (console.token("a", "author"), console.token("m", "propose"), console.token("o", "operator"));
    writer(&author, "write-a-log", "playbook-chatty").await;
    let id = written(&operator, &model, "write-a-log", 1200).await;

    let logs = format!("/api/v1/executions/{id}/tasks/execute/logs");
    let text = operator.get(&logs).await.text;
    assert_eq!(text.lines().count(), 1200);
    assert!(!text.contains('\u{1b}') && text.contains("warning: try 131"), "colours are for the page");
    let stream = operator.get(&format!("{logs}?follow=true&attempt=1")).await.text;
    assert!(!stream.contains("\\u001b") && stream.contains("warning: try 131") && stream.contains("event: end"));

    let part = async |query: &str| operator.get(&format!("/runs/{id}/log?task=execute{query}")).await;
    let chunk = part("&from=401&only=1").await;
    assert_eq!(chunk.status, 200, "{}", chunk.text);
    assert!(chunk.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(
        chunk.text.contains("id=\"L401\"") && chunk.text.contains("id=\"L600\"") && !chunk.text.contains("id=\"L601\"")
    );
    assert!(chunk.text.contains("<span class=\"c-yellow\">warning:</span>"));
    let end = part("").await.text;
    assert!(end.contains("data-last=\"1200\"") && end.contains("id=\"L1200\"") && !end.contains("id=\"L600\""));
    let found = part("&find=DISRUPTION").await.text;
    assert!(found.contains("<mark") && found.contains("1 of 1") && found.contains("id=\"L997\""));
    let errors = part("&level=error").await.text;
    assert!(errors.contains("id=\"L997\"") && !errors.contains("id=\"L996\""));
    assert!(part("&find=nowhere+at+all").await.text.contains("No line holds it"));

    assert_eq!(operator.get("/runs/nowhere/log?task=execute").await.status, 404);
    let path = format!("/runs/{id}/log?task=execute");
    let nobody = console.nobody();
    assert_eq!(nobody.send(nobody.request(Method::GET, &path)).await.status, 401);
    assert_eq!(model.get(&path).await.status, 403, "whoever only proposes reads no logs");
}

#[tokio::test]
async fn a_group_is_known_whole_wherever_one_looks_at_it() {
    let console = Console::start();
    let (author, model, operator) =
        (console.token("a", "author"), console.token("m", "propose"), console.token("o", "operator"));
    writer(&author, "write-a-group", "playbook-grouping").await;
    let id = written(&operator, &model, "write-a-group", 1000).await;
    let part = async |query: &str| operator.get(&format!("/runs/{id}/log?task=execute{query}")).await.text;
    // Its marks are lines 2 and 1003.
    let group = "data-group=\"2\" data-last-line=\"1003\"";
    let first = part("&from=1&only=1").await;
    assert!(first.contains(&format!("<details {group}")) && first.contains("1000 lines"), "{first}");
    let inside = part("&from=401&only=1").await;
    assert!(inside.contains(&format!("<details open {group}")), "all that was asked for is in it: {inside}");
    let end = part("").await;
    assert_eq!(end.matches(&format!("<details {group}")).count(), 3, "{end}");
}
