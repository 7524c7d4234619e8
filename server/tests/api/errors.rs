//! Whatever goes wrong, a program is told so in one form: a problem that names its request; and who may not, before what.

use crate::support::{Answer, Console, Database};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

/// A problem of this status that names its request, in the header too.
#[track_caller]
fn is_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", answer.text);
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(!id.is_empty());
    for (member, value) in [("request_id", json!(id)), ("status", json!(status))] {
        assert_eq!(answer.json[member], value, "{member} in {}", answer.text);
    }
    assert!(["type", "title", "detail"].iter().all(|m| answer.json[m].is_string()), "{}", answer.text);
}

#[tokio::test]
async fn every_error_is_a_problem_that_names_its_request() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    for path in
        ["executions/%FF", "recommendations/%C3%28", "playbooks/%FF/versions/1.0.0", "executions/x/tasks/%FF/logs"]
    {
        is_problem(&admin.get(&format!("/api/v1/{path}")).await, 404);
    }
    is_problem(&admin.post("/api/v1/executions/%FF/cancel", &json!({})).await, 404);
    is_problem(&admin.get("/api/v1/nothing").await, 404);
    is_problem(&admin.post("/api/nothing", &json!({})).await, 404);
    let refused = admin.send(admin.request(Method::DELETE, "/api/v1/executions")).await;
    is_problem(&refused, 405);
    let allowed = refused.headers["allow"].to_str().unwrap();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let elsewhere = admin.request(Method::POST, "/api/v1/playbooks").header("origin", "https://evil.example");
    is_problem(&admin.send(elsewhere.json(&json!({}))).await, 403);
    for path in ["/healthz", "/readyz", "/metrics", "/login", "/favicon.svg", "/nothing"] {
        let answer = console.nobody().get(path).await;
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn nobody_is_told_anything_but_to_say_who_they_are() {
    let console = Console::start();
    let nobody = console.nobody();
    for (method, path) in [
        (Method::DELETE, "/api/v1/executions"),
        (Method::GET, "/api/v1/nothing"),
        (Method::GET, "/api/v1/executions/%FF"),
        (Method::GET, "/api/v1/executions?colour=red"),
        (Method::POST, "/api/v1/playbooks"),
    ] {
        is_problem(&nobody.send(nobody.request(method.clone(), path)).await, 401);
        let cross_site = nobody.request(method, path).header("sec-fetch-site", "cross-site");
        is_problem(&nobody.send(cross_site.header("cookie", "a=b")).await, 401);
    }
    is_problem(&nobody.post_raw("/api/v1/playbooks", "text/plain", vec![b' '; 300 * 1024]).await, 401);
}

#[tokio::test]
async fn too_little_right_comes_before_all_that_is_wrong_with_a_request() {
    let console = Console::start();
    let viewer = console.token("viewer", "viewer");
    for path in ["/api/v1/playbooks", "/api/v1/executions/%FF/cancel", "/api/v1/executions/none/cancel?colour=red"] {
        for (media_type, body) in [
            ("text/plain", b"{}".to_vec()),
            ("application/json", vec![b' '; 300 * 1024]),
            ("application/json", b"{".to_vec()),
        ] {
            is_problem(&viewer.post_raw(path, media_type, body.clone()).await, 403);
            for key in [&b"fine"[..], "ä".as_bytes(), &[b'x'; 300]] {
                let request = viewer.request(Method::POST, path).header("content-type", media_type).body(body.clone());
                is_problem(&viewer.send(request.header("idempotency-key", key)).await, 403);
            }
        }
    }
}

#[tokio::test]
async fn a_fault_at_a_place_with_a_long_name_is_told_in_few_words() {
    let console = Console::start();
    let author = console.token("author", "author");
    let parameter = json!({ "name": "A", "description": "d", "type": "string", "required": false,
        "depends_on": { "x".repeat(100_000): (0..200).collect::<Vec<_>>() } });
    let mut playbook = crate::support::seed("oomkill-scale-down.json");
    playbook["parameters"] = json!({ "exposed": [parameter], "hidden": [] });
    let answer = author.post("/api/v1/playbooks", &playbook).await;
    is_problem(&answer, 422);
    assert!(!answer.faults().is_empty(), "{}", answer.text);
    assert!(answer.text.len() < 256 * 1024, "{} bytes", answer.text.len());
}

#[tokio::test]
async fn a_session_that_cannot_be_looked_up_is_not_signed_out() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let browser = console.browser().await;
    browser.get("/api/v1/executions").await.expect(200);
    console.sql("ALTER TABLE sessions RENAME TO elsewhere");
    is_problem(&browser.get("/api/v1/executions").await, 503);
}

#[tokio::test]
async fn a_stream_ends_when_its_right_does() {
    let console = Console::start();
    let token = console.token("watcher", "viewer");
    let person = console.browser().await;
    let streams = [
        token.request(Method::GET, "/api/v1/events").send().await.unwrap(),
        person
            .client
            .get(format!("{}/api/v1/events", console.url))
            .header("cookie", &person.cookie)
            .send()
            .await
            .unwrap(),
    ];
    assert!(streams.iter().all(|s| s.status() == 200));
    assert!(console.command(&["token", "revoke", "watcher"]).status.success());
    assert!(console.command(&["user", "disable", "admin"]).status.success());
    for stream in streams {
        let ended = tokio::time::timeout(Duration::from_secs(10), stream.text()).await;
        assert!(ended.expect("it ends within ten seconds").unwrap().contains("event: snapshot"));
    }
}
