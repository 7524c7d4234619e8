//! What comes in by hand and from strange models: playbooks proposed as WorkflowExecutions, names, texts and numbers that
//! the cluster, the browser or the next reader would stumble over.

use crate::support::{Console, recommendation, seed};
use serde_json::{Value, json};

async fn registered(console: &Console) {
    let admin = console.token("author", "author");
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
}

fn by_hand() -> Value {
    let parameters: Vec<Value> = [
        ("TARGET_RESOURCE_KIND", "Deployment"),
        ("TARGET_RESOURCE_NAME", "my-app"),
        ("TARGET_NAMESPACE", "production"),
        ("SCALE_TARGET_REPLICAS", "1"),
    ]
    .iter()
    .map(|(name, value)| json!({ "name": name, "value": value }))
    .collect();
    json!({
        "workflowType": "oomkill-scale-down", "reason": "Too many for this node.",
        "playbook": { "id": "oomkill-scale-down", "version": "1.0.0", "parameters": parameters },
    })
}

#[tokio::test]
async fn a_playbook_proposed_by_hand_meets_the_same_checks() {
    let console = Console::start();
    registered(&console).await;
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    let mut wrong = by_hand();
    wrong["retries"] = json!(3);
    wrong["playbook"]["image"] = json!("quay.io/somebody/else:1");
    wrong["playbook"]["parameters"][3]["value"] = json!("many");
    let faults = one.post("/api/v1/executions", &wrong).await.faults();
    let places: Vec<_> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(places, ["/retries", "/playbook/image", "/playbook/parameters/3"], "{faults:?}");

    let proposed = one.post("/api/v1/executions", &by_hand()).await.expect(201);
    assert_eq!(proposed["strategies"][0]["parameters"]["SCALE_TARGET_REPLICAS"], 1);
    let path = format!("/api/v1/recommendations/{}", proposed["id"].as_str().unwrap());
    let ticket = two.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    assert_eq!(one.post(&format!("{path}/decisions"), &approve).await.status, 403, "nobody approves their own");
    let decided = two.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let execution = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    two.until(&execution, "succeeded", |e| e["state"] == "succeeded").await;
}

#[tokio::test]
async fn a_steps_account_and_limits_reach_the_ticket() {
    let console = Console::start();
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    let mut spec = seed("workflow-execution-spec.json");
    spec["serviceAccount"] = json!("restarter");
    spec["timeout"] = json!("7m");
    spec["retries"] = json!(2);
    let proposed = one.post("/api/v1/executions", &spec).await.expect(201);
    let path = format!("/api/v1/recommendations/{}/tickets", proposed["id"].as_str().unwrap());
    let content = two.post(&path, &json!({ "strategy": 0 })).await.expect(201)["content"].clone();
    let settings = (&content["service_account"], &content["timeout_ms"], &content["retry_count"]);
    assert_eq!(settings, (&json!("restarter"), &json!(420_000), &json!(2)));
}

#[tokio::test]
async fn a_number_written_with_a_point_is_approved_like_any_other() {
    let console = Console::start();
    registered(&console).await;
    let (model, admin) = (console.token("model", "propose"), console.token("admin", "admin"));
    let mut said = recommendation("inc-1");
    said["strategies"][0]["parameters"]["SCALE_TARGET_REPLICAS"] = json!(1.0);
    let taken = model.post("/api/v1/recommendations", &said).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    assert_eq!(ticket["changes"], json!([]), "1.0 and 1 are the same");
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    assert!(admin.post(&format!("{path}/decisions"), &approve).await.expect(200)["execution_id"].is_string());
}

#[tokio::test]
async fn long_names_and_summaries_run_all_the_same() {
    let console = Console::start();
    let (model, admin) = (console.token("model", "propose"), console.token("admin", "admin"));
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["workflow_id"] = json!("scale-down-whatever-is-killed-for-memory");
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    let mut said = recommendation("6f1e2d3c-aaaa-4bbb-8ccc-000000000001");
    said["strategies"][0]["workflow_id"] = json!("scale-down-whatever-is-killed-for-memory");
    said["analysis_summary"] = json!(format!("{}\u{202e}", "memory ".repeat(2000)));
    said["incident"]["business_context"] = json!({ "!!!": "a", "ключ": "b", "cost center": "c", "cost-center": "d" });
    let taken = model.post("/api/v1/recommendations", &said).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let decided = admin.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let execution = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    let ended = admin.until(&execution, "an end", |e| e["finished_at"].is_string()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

#[tokio::test]
async fn what_would_spoil_the_inbox_is_refused() {
    let console = Console::start();
    let (model, viewer) = (console.token("model", "propose"), console.token("viewer", "viewer"));
    let mut said = recommendation("inc-1");
    said["incident"]["started_at"] = json!("-000001-01-01T00:00:00Z");
    let refused = model.post("/api/v1/recommendations", &said).await;
    assert_eq!(refused.faults(), [("/incident/started_at".into(), "malformed".into())]);
    for id in ["applied/restart", "manual/0001"] {
        let refused = model.post("/api/v1/recommendations", &recommendation(id)).await;
        assert_eq!(refused.faults(), [("/incident/id".into(), "reserved".into())]);
    }
    assert_eq!(viewer.get("/api/v1/recommendations").await.expect(200)["items"], json!([]));
}
