//! Bad input: a clear 4xx with pointers, nothing stored, never a 5xx.

use crate::support::{Console, recommendation, seed};
use serde_json::{Value, json};

#[tokio::test]
async fn a_registration_tells_every_fault_at_once() {
    let console = Console::start();
    let author = console.token("author", "author");
    let wrong = json!({
        "workflow_id": "Not An Id", "version": "one", "title": "", "description": "d", "container_image": "???",
        "parameters": { "exposed": [
            { "name": "lower", "description": "d", "type": "string", "required": true },
            { "name": "LD_PRELOAD", "description": "d", "type": "string", "required": true },
            { "name": "A", "description": "d", "type": "integer", "required": true, "minimum": 5, "maximum": 1 },
            { "name": "B", "description": "d", "type": "string", "required": true, "pattern": "(", "default": 3 },
            { "name": "C", "description": "d", "type": "string", "required": false, "depends_on": { "NOBODY": ["x"] } },
        ], "hidden": [ { "name": "A", "value": "$(params.x)" } ] },
        "colour": "red",
    });
    for path in ["/api/v1/playbooks", "/api/v1/playbooks/validate"] {
        let answer = author.post(path, &wrong).await;
        assert_eq!(answer.status, 422);
        let faults = answer.faults();
        for pointer in [
            "/workflow_id",
            "/version",
            "/title",
            "/container_image",
            "/colour",
            "/parameters/exposed/0/name",
            "/parameters/exposed/1/name",
            "/parameters/exposed/3/pattern",
            "/parameters/exposed/4/depends_on/NOBODY",
        ] {
            assert!(faults.iter().any(|(p, _)| p.starts_with(pointer)), "{pointer} in {faults:?}");
        }
        assert!(answer.json["errors"].as_array().unwrap().iter().all(|e| !e["message"].as_str().unwrap().is_empty()));
    }
    assert_eq!(author.get("/api/v1/playbooks?status=any").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_proper_json_is_refused_before_anything_else() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let cases: [(&str, Vec<u8>, u16); 8] = [
        ("application/json", b"{\"a\":1,\"a\":2}".to_vec(), 422),
        ("application/json", b"{\"a\":".to_vec(), 422),
        ("application/json", b"{\"a\":NaN}".to_vec(), 422),
        ("application/json", vec![b'"', 0xff, 0xfe, b'"'], 422),
        ("application/json", deep.into_bytes(), 422),
        ("application/json", vec![b' '; 300 * 1024], 413),
        ("text/plain", b"{}".to_vec(), 415),
        ("application/json", Vec::new(), 422),
    ];
    for path in
        ["/api/v1/playbooks", "/api/v1/recommendations", "/api/v1/executions", "/api/v1/recommendations/x/decisions"]
    {
        for (media_type, body, status) in &cases {
            let answer = admin.post_raw(path, media_type, body.clone()).await;
            assert_eq!(answer.status.as_u16(), *status, "{path} {media_type} {} bytes: {}", body.len(), answer.text);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
    // Where a body may be left out, it may; what is sent is judged like any other.
    let cancel = "/api/v1/executions/x/cancel";
    for (media_type, body, status) in cases {
        let status = if body.is_empty() { 404 } else { status };
        let answer = admin.post_raw(cancel, media_type, body).await;
        assert_eq!(answer.status.as_u16(), status, "{media_type}: {}", answer.text);
    }
    assert_eq!(admin.send(admin.request(reqwest::Method::POST, cancel)).await.status, 404);
    assert_eq!(admin.post_raw(cancel, "text/plain", "").await.status, 404);
    assert_eq!(admin.post_raw(cancel, "application/json", " ").await.status, 404);
    for reason in ["x".repeat(4097), "a\u{1}b".into(), "a\u{202e}b".into()] {
        let answer = admin.post(cancel, &json!({ "reason": reason })).await;
        assert_eq!((answer.status.as_u16(), &*answer.faults()[0].0), (422, "/reason"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_recommendation_that_is_not_of_the_form_is_refused_whole() {
    let console = Console::start();
    let model = console.token("model", "propose");
    let viewer = console.token("viewer", "viewer");
    let break_it: [(&str, &str, Value); 6] = [
        ("/incident/severity", "not_allowed", json!("very")),
        ("/strategies/0/confidence", "out_of_range", json!(1.5)),
        ("/strategies/0/confidence", "wrong_type", json!("0.9")),
        ("/strategies/0/estimated_risk", "not_allowed", json!("Medium")),
        ("/strategies", "too_few", json!([])),
        ("/analysis_summary", "wrong_type", json!(null)),
    ];
    for (pointer, code, value) in break_it {
        let mut sent = recommendation("inc-x");
        *sent.pointer_mut(pointer).unwrap() = value;
        let answer = model.post("/api/v1/recommendations", &sent).await;
        assert_eq!(answer.status, 422, "{pointer}");
        let wanted = if code == "wrong_type" && pointer == "/analysis_summary" { "required" } else { code };
        assert!(answer.faults().contains(&(pointer.into(), wanted.into())), "{pointer}: {:?}", answer.faults());
    }
    assert_eq!(viewer.get("/api/v1/recommendations").await.expect(200)["items"], json!([]), "nothing was stored");
}

#[tokio::test]
async fn values_that_could_run_something_else_are_refused_with_the_reason() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let taken =
        console.token("model", "propose").post("/api/v1/recommendations", &recommendation("inc-9")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}/tickets", taken["id"].as_str().unwrap());
    let bad: [(&str, Value); 9] = [
        ("TARGET_RESOURCE_NAME", json!("$(context.pipelineRun.name)")),
        ("TARGET_RESOURCE_NAME", json!("a\nb")),
        ("TARGET_RESOURCE_NAME", json!("a\u{202e}b")),
        ("TARGET_RESOURCE_NAME", json!("x".repeat(5000))),
        ("SCALE_TARGET_REPLICAS", json!("1")),
        ("SCALE_TARGET_REPLICAS", json!(101)),
        ("SCALE_TARGET_REPLICAS", json!(1.5)),
        ("REMEDIATION_TYPE", json!("increase_memory")),
        ("TARGET_NAMESPASE", json!("x")),
    ];
    for (name, value) in bad {
        let mut parameters = taken["strategies"][0]["parameters"].clone();
        parameters[name] = value.clone();
        let answer = admin.post(&path, &json!({ "strategy": 0, "parameters": parameters })).await;
        assert_eq!(answer.status, 422, "{name} = {value}");
        assert!(
            answer.faults().iter().any(|(p, _)| *p == format!("/parameters/{name}")),
            "{name}: {:?}",
            answer.faults()
        );
    }
    let mut whole = taken["strategies"][0]["parameters"].clone();
    whole["SCALE_TARGET_REPLICAS"] = json!(1.0);
    let ticket = admin.post(&path, &json!({ "strategy": 0, "parameters": whole })).await.expect(201);
    assert!(
        ticket["canonical"]
            .as_str()
            .unwrap()
            .contains("\"SCALE_TARGET_REPLICAS\",\"source\":\"operator\",\"value\":{\"text\":\"1\"}")
            || ticket["canonical"].as_str().unwrap().contains("{\"text\":\"1\"}"),
        "an integer is written 1: {}",
        ticket["canonical"]
    );
    assert_eq!(
        admin.post(&path, &json!({ "strategy": 7 })).await.faults(),
        [("/strategy".into(), "unknown_strategy".into())]
    );
    assert_eq!(admin.post(&path, &json!({ "strategi": 0 })).await.faults()[0].1, "unknown_field");
}

#[tokio::test]
async fn a_long_search_is_refused_by_name_and_never_our_fault() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let (long, longer) = ("x".repeat(257), "%25".repeat(10_000));
    for path in ["playbooks", "recommendations", "executions", "audit"] {
        for text in [&long, &longer] {
            let answer = admin.get(&format!("/api/v1/{path}?q={text}")).await;
            assert_eq!((answer.status.as_u16(), &*answer.faults()[0].0), (422, "/q"), "{path}: {}", answer.text);
        }
        admin.get(&format!("/api/v1/{path}?q={}", "x".repeat(256))).await.expect(200);
    }
    for (path, name) in [
        ("playbooks", "signal_type"),
        ("recommendations", "incident"),
        ("executions", "workflow_id"),
        ("actions", "action_type"),
        ("effectiveness", "signal_type"),
        ("audit", "object"),
    ] {
        let answer = admin.get(&format!("/api/v1/{path}?{name}={long}")).await;
        assert_eq!((answer.status.as_u16(), answer.faults()[0].0.clone()), (422, format!("/{name}")), "{path}");
    }
    let tags = |many: usize| format!("/api/v1/playbooks?{}", "tag=a&".repeat(many).trim_end_matches('&'));
    for many in [33, 1_200] {
        let answer = admin.get(&tags(many)).await;
        assert_eq!((answer.status.as_u16(), &*answer.faults()[0].0), (422, "/tag"), "{many}: {}", answer.text);
    }
    admin.get(&tags(32)).await.expect(200);
    // The pages ask the same services.
    let browser = console.browser().await;
    for (page, status) in [
        (format!("/catalog?q={longer}"), 422),
        (format!("/runs?q={long}"), 422),
        (tags(40).replace("/api/v1/playbooks", "/catalog"), 422),
    ] {
        assert_eq!(browser.get(&page).await.status.as_u16(), status, "{}", &page[..40]);
    }
}
