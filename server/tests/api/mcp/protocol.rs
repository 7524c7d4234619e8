//! The transport: what stands before every door stands before this one, too; nothing is kept between messages.

use super::{call, sent};
use crate::support::Console;
use reqwest::Method;
use serde_json::{Value, json};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18",
    "capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

#[tokio::test]
async fn a_client_is_told_what_there_is_for_it() {
    let console = Console::start();
    let model = console.token("model", "propose");
    let answer = model.message(&serde_json::from_str(INITIALIZE).unwrap()).await;
    assert!(answer.headers.get("mcp-session-id").is_none(), "no session: any replica may answer the next message");
    let told = answer.expect(200)["result"].clone();
    assert_eq!(told["serverInfo"]["name"], "kubernaut-console");
    assert!(told["capabilities"]["tools"].is_object());
    assert!(told["instructions"].as_str().unwrap().contains("search_playbooks"));
    let accepted = model.message(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    assert_eq!(accepted.status, 202);

    let names = async |role: &str| {
        let listed = console.token(role, role).message(&call("", &json!({}))).await.expect(200);
        let tools = listed["result"]["tools"].as_array().unwrap().clone();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["search_playbooks", "get_playbook_schema", "validate_strategy", "submit_recommendation"];
    assert_eq!(names("propose").await, all, "the measured record is off");
    assert_eq!(names("viewer").await, all[..2], "what one may not use is not shown");
}

#[tokio::test]
async fn who_may_not_is_refused_as_by_rest() {
    let console = Console::start();
    let submit = call("submit_recommendation", &json!({ "not": "looked at" }));
    let nobody = console.nobody().message(&submit).await;
    assert!(nobody.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    assert_eq!(nobody.expect(401)["type"], "urn:kubernaut:problem:unauthenticated");
    let viewer = console.token("viewer", "viewer").message(&submit).await.expect(403);
    assert_eq!(viewer["required_right"], "recommendations:propose");
    let ingest = console.token("ingest", "ingest").message(&call("search_playbooks", &json!({}))).await.expect(403);
    assert_eq!(ingest["required_right"], "catalog:search");
}

#[tokio::test]
async fn what_stands_before_every_door_stands_before_this_one() {
    let console = Console::start();
    let model = console.token("model", "propose");
    let list = call("", &json!({}));
    let to = || sent(model.request(Method::POST, "/mcp"), &list);
    let foreign = model.send(to().header("origin", "https://evil.example")).await;
    assert_eq!(foreign.expect(403)["type"], "urn:kubernaut:problem:cross-site");
    let rebound = model.send(to().header("host", "evil.example")).await;
    assert_eq!(rebound.status, 421, "{}", rebound.text);
    let long = call("submit_recommendation", &json!({ "analysis_summary": "x".repeat(256 << 10) }));
    assert_eq!(model.message(&long).await.status, 413);
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#;
    let twice = sent(model.request(Method::POST, "/mcp"), &Value::Null).body(twice);
    assert_eq!(model.send(twice).await.status, 422, "two readers could understand it differently");
    let batch = json!([call("submit_recommendation", &json!({})), list]);
    assert!(model.message(&batch).await.status.is_client_error(), "one message a request");
    for method in [Method::GET, Method::DELETE] {
        let answer = model.send(model.request(method, "/mcp").header("accept", "text/event-stream")).await;
        assert_eq!(answer.status, 405, "no streams, no sessions");
        assert_eq!(answer.headers["allow"], "POST");
    }
}

#[tokio::test]
async fn a_token_that_is_gone_is_gone() {
    let console = Console::start();
    let model = console.token("model", "propose");
    let list = call("", &json!({}));
    model.message(&list).await.expect(200);
    let listed = String::from_utf8(console.command(&["token", "list"]).stdout).unwrap();
    let id = listed.lines().find(|line| line.split('\t').nth(1) == Some("model")).unwrap().split('\t').next().unwrap();
    assert!(console.command(&["token", "revoke", id]).status.success());
    assert_eq!(model.message(&list).await.status, 401, "each message is asked for its right");
}

#[tokio::test]
async fn a_tool_that_is_none_names_those_there_are() {
    let console = Console::start();
    let answer = console.token("model", "propose").message(&call("delete_everything", &json!({}))).await.expect(200);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("submit_recommendation"), "{message}");
}
