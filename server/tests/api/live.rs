//! Live events: a snapshot, then every change once and in order; a resumed stream has no gap.

use crate::support::{Caller, Console, recommendation, seed};
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Events as (id, name) until `enough` have come.
async fn read(caller: &Caller<'_>, last: Option<i64>, enough: usize) -> Vec<(i64, String)> {
    read_at(caller, "/api/v1/events", last, enough).await
}

async fn read_at(caller: &Caller<'_>, path: &str, last: Option<i64>, enough: usize) -> Vec<(i64, String)> {
    let mut request = caller.request(Method::GET, path);
    if let Some(last) = last {
        request = request.header("last-event-id", last.to_string());
    }
    let mut body = request.send().await.unwrap().bytes_stream();
    let mut text = String::new();
    let collect = async {
        loop {
            let events: Vec<(i64, String)> = text
                .split("\n\n")
                .filter_map(|block| {
                    let field = |name: &str| {
                        block.lines().find_map(|l| l.strip_prefix(&format!("{name}: ")).map(str::to_owned))
                    };
                    Some((field("id")?.parse().ok()?, field("event")?))
                })
                .collect();
            if events.len() >= enough {
                return events;
            }
            text.push_str(&String::from_utf8_lossy(&body.next().await.expect("more").unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), collect).await.expect("events in time")
}

#[tokio::test]
async fn a_stream_resumes_without_a_gap() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let first = read(&admin, None, 1).await;
    assert_eq!(first[0].1, "snapshot");
    let begin = first[0].0;
    for n in 0..3 {
        admin.post("/api/v1/recommendations", &recommendation(&format!("inc-{n}"))).await.expect(201);
    }
    let resumed = read(&admin, Some(begin), 4).await;
    assert_eq!(resumed[0], (begin, "snapshot".into()));
    let ids: Vec<i64> = resumed[1..].iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, (begin + 1..=begin + 3).collect::<Vec<_>>(), "each once, in order");
    assert!(resumed[1..].iter().all(|(_, name)| name == "recommendation"));

    // A browser can set no header when it opens a stream, only when it opens it again.
    let after = format!("/api/v1/events?alive=true&after={}", begin + 1);
    assert_eq!(read_at(&admin, &after, None, 3).await, resumed_from(&resumed, begin + 1));
    assert_eq!(
        read_at(&admin, &after, Some(begin + 2), 2).await,
        resumed_from(&resumed, begin + 2),
        "the newer word counts"
    );
    assert_eq!(admin.get("/api/v1/events?after=yesterday").await.expect(422)["errors"][0]["pointer"], "/after");
}

/// What a stream tells that goes on after `begin`.
fn resumed_from(all: &[(i64, String)], begin: i64) -> Vec<(i64, String)> {
    let snapshot = (begin, "snapshot".to_owned());
    std::iter::once(snapshot).chain(all[1..].iter().filter(|(id, _)| *id > begin).cloned()).collect()
}

#[tokio::test]
async fn a_page_that_follows_is_asked_for_without_its_frame_and_says_what_it_includes() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    admin.post("/api/v1/recommendations", &recommendation("inc-1")).await.expect(201);
    let newest = read(&admin, None, 1).await[0].0;
    let ask = async |path: &str, part: &str| {
        let request = admin.request(Method::GET, path).header("kubernaut-part", part);
        request.send().await.unwrap().text().await.unwrap()
    };
    let told = format!("data-follow=\"recommendation\" data-event=\"{newest}\"");
    // Events are told a moment after they are written.
    for _ in 0..50 {
        if ask("/approvals", "page").await.contains(&told) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (whole, page, frame) =
        (ask("/approvals", "").await, ask("/approvals", "page").await, ask("/approvals", "frame").await);
    for (text, main, navigation) in [(&whole, true, true), (&page, true, false), (&frame, false, false)] {
        assert_eq!(text.contains("<main") && text.contains(&told), main, "{text}");
        assert_eq!(text.contains("/catalog") && text.contains("Breadcrumbs"), navigation, "{text}");
        assert!(text.contains("id=\"waiting\"") && text.contains("id=\"cluster\""), "{text}");
    }
    // A page that leads nowhere has a frame as well.
    assert!(ask("/nowhere", "frame").await.contains("id=\"waiting\""));
}

/// A run that fails and is tried again, from the moment of its approval.
async fn approved_with_a_retry(admin: &Caller<'_>, model: &Caller<'_>) -> String {
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["execution"] = json!({ "retry_count": 1 });
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    let mut answer = recommendation("inc-retry");
    answer["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("no-such-app");
    let taken = model.post("/api/v1/recommendations", &answer).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"], "reason": "try" });
    let decided = admin.post(&format!("{path}/decisions"), &approve).await.expect(200);
    format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap())
}

/// All of a log's stream: (event, id, data) each.
async fn followed(caller: &Caller<'_>, path: &str) -> Vec<(String, String, Value)> {
    let text = tokio::time::timeout(Duration::from_mins(2), async {
        caller.request(Method::GET, path).send().await.unwrap().text().await.unwrap()
    });
    let text = text.await.expect("the stream ends");
    let blocks = text.split("\n\n").filter(|block| block.contains("event:"));
    blocks
        .map(|block| {
            let field = |name: &str| {
                block.lines().find_map(|l| l.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
            };
            (field("event"), field("id"), serde_json::from_str(&field("data")).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_followed_log_goes_from_each_attempt_to_the_next_and_misses_no_line() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let run = approved_with_a_retry(&admin, &model).await;
    admin.until(&run, "running", |e| e["tasks"][0]["attempts"][0]["running_at"].is_string()).await;
    let logs = format!("{run}/tasks/execute/logs");
    let events = followed(&admin, &format!("{logs}?follow=true")).await;

    let ended = admin.get(&run).await.expect(200);
    assert_eq!(ended["tasks"][0]["attempts"].as_array().unwrap().len(), 2, "{ended}");
    let attempts: Vec<_> = events.iter().filter(|e| e.0 == "attempt").map(|e| e.2.clone()).collect();
    assert_eq!(attempts, [json!({ "attempt": 1 }), json!({ "attempt": 2 })]);
    assert_eq!(events.last().map(|e| (e.0.as_str(), &e.2)), Some(("end", &json!({}))), "no gap");
    for attempt in ["1", "2"] {
        let whole = admin.get(&format!("{logs}?attempt={attempt}")).await.text;
        let ids: Vec<String> = (1..=whole.lines().count()).map(|n| format!("{attempt}:{n}")).collect();
        assert!(!ids.is_empty());
        let of = |e: &&(String, String, Value)| e.1.starts_with(&format!("{attempt}:"));
        let lines: Vec<_> = events.iter().filter(of).collect();
        assert_eq!(lines.iter().map(|e| &e.1).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
        assert!(lines.iter().map(|e| e.2["text"].as_str().unwrap()).eq(whole.lines()));
        let pinned = followed(&admin, &format!("{logs}?follow=true&attempt={attempt}")).await;
        assert_eq!(pinned.len(), ids.len() + 1, "each line and the end");
        assert_eq!((pinned[0].1.as_str(), pinned.last().unwrap().0.as_str()), ("1", "end"));
    }
    let resumed = followed(&admin, &format!("{logs}?follow=true&since_line=1")).await;
    assert_eq!((resumed[0].0.as_str(), resumed[1].1.as_str()), ("attempt", "2:2"), "the newest, from there on");
}
