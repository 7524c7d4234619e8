//! Pages' forms are judged as strictly as what programs send.

use crate::support::{Browser, Console, recommendation, seed};
use serde_json::json;

async fn raw(browser: &Browser<'_>, path: &str, body: &str) -> u16 {
    let request = browser.client.post(format!("{}{path}", browser.console.url));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
    browser.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_form_that_can_be_read_two_ways_or_none_is_refused() {
    let console = Console::start();
    let browser = console.browser().await;
    for (path, body) in [
        ("/login", "username=admin&username=eve&password=x"),
        ("/login", "username=%FF&password=x"),
        ("/login", "username=%zz&password=x"),
        ("/recommendations/x", "decision=reject&decision=approve&reason=x"),
        ("/runs/x/cancel", "reason=%C3%28"),
        ("/catalog/new", "workflow_id=a&workflow_id=b"),
    ] {
        assert_eq!(raw(&browser, path, body).await, 400, "{path} {body}");
    }
    let json = browser.client.post(format!("{}/login", console.url)).json(&json!({ "username": "admin" }));
    assert_eq!(browser.send(json).await.status, 415);
}

#[tokio::test]
async fn a_parameter_that_the_playbook_has_not_is_no_parameter() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-1")).await.expect(201);
    let path = format!("/recommendations/{}/parameters", taken["id"].as_str().unwrap());
    let browser = console.browser().await;
    let mut form = vec![
        ("strategy", "0"),
        ("p.TARGET_RESOURCE_KIND", "Deployment"),
        ("p.TARGET_RESOURCE_NAME", "my-app"),
        ("p.TARGET_NAMESPACE", "production"),
        ("p.SCALE_TARGET_REPLICAS", "2"),
    ];
    assert_eq!(browser.post(&path, &form).await.status, 303);
    for name in ["p.REMEDIATION_TYPE", "p.TARGET_NAMESPASE"] {
        form.push((name, "x"));
        let answer = browser.post(&path, &form).await;
        assert_eq!(answer.status, 422, "{name}");
        assert!(answer.text.contains("has no parameter"), "{name}");
        form.pop();
    }
}

#[tokio::test]
async fn a_reason_has_the_same_bounds_by_whichever_door() {
    let console = Console::start();
    let (one, two) = (console.token("one", "operator"), console.token("two", "admin"));
    two.post("/api/v1/playbooks", &seed("oomkill-scale-down.json")).await.expect(201);
    let proposed = one.post("/api/v1/executions", &seed("workflow-execution-spec.json")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", proposed["id"].as_str().unwrap());
    let ticket = two.post(&format!("{path}/tickets"), &json!({})).await.expect(201);
    let approve = json!({ "decision": "approve", "ticket_digest": ticket["digest"] });
    let decided = two.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let browser = console.browser().await;
    let cancel = format!("/runs/{}/cancel", decided["execution_id"].as_str().unwrap());
    let status = "/catalog/oomkill-scale-down/versions/1.0.0/status";
    let long = "x".repeat(4097);
    for reason in [long.as_str(), "a\u{1}b", "a\u{202e}b"] {
        let refused = browser.post(status, &[("status", "disabled"), ("reason", reason)]).await;
        assert_eq!(refused.status, 422);
        assert_eq!(browser.post(&cancel, &[("reason", reason)]).await.status, 422);
    }
    let version = two.get("/api/v1/playbooks/oomkill-scale-down/versions/1.0.0").await.expect(200);
    assert_eq!(version["status"], "active");
    let good = browser.post(status, &[("status", "disabled"), ("reason", "two\r\nlines")]).await;
    assert_eq!(good.status, 303);
}
