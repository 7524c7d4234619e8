//! The main job from end to end, on both databases.

use crate::support::{Caller, Console, Database, recommendation, seed};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

async fn the_whole_job(console: &Console) {
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    let (operator, viewer) = (console.token("operator", "operator"), console.token("viewer", "viewer"));

    let registered = author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    assert_eq!(registered["workflow_id"], "oomkill-scale-down");

    let taken = model.post("/api/v1/recommendations", &recommendation("inc-001")).await.expect(201);
    let id = taken["id"].as_str().expect("an id");
    assert_eq!(taken["state"], "open");
    assert_eq!(taken["strategies"][0]["errors"], json!([]), "{taken}");

    let path = format!("/api/v1/recommendations/{id}");
    let ticket = operator
        .post(&format!("{path}/tickets"), &json!({ "strategy": 0, "parameters": edited(&taken) }))
        .await
        .expect(201);
    let digest = ticket["digest"].as_str().expect("a digest");
    let canonical = ticket["canonical"].as_str().expect("the hashed text");
    assert_eq!(
        digest,
        format!("sha256:{}", hex::encode(Sha256::digest(canonical))),
        "the digest is of the canonical text"
    );
    assert_eq!(serde_json::from_str::<Value>(canonical).unwrap(), ticket["content"]);
    assert_eq!(ticket["changes"][0]["pointer"], "/SCALE_TARGET_REPLICAS");

    let run = &ticket["pipeline_run"];
    assert_eq!(run["spec"]["pipelineRef"]["name"], "playbook-executor");
    let lines = "TARGET_RESOURCE_KIND=Deployment\nTARGET_RESOURCE_NAME=my-app\nTARGET_NAMESPACE=production\n\
                 SCALE_TARGET_REPLICAS=2\nREMEDIATION_TYPE=scale_down\n";
    let parameters = run["spec"]["params"].as_array().unwrap().iter().find(|p| p["name"] == "parameters").unwrap();
    assert_eq!(parameters["value"], lines);
    assert_eq!(run["metadata"]["labels"]["incident-id"], "inc-001");
    assert_eq!(run["metadata"]["labels"]["playbook-id"], "oomkill-scale-down");
    assert_eq!(run["metadata"]["labels"]["remediation-strategy"], "scale_down_replicas");
    assert!(run["metadata"].get("generateName").is_none());

    let approve =
        json!({ "decision": "approve", "strategy": 0, "ticket_digest": digest, "reason": "relieves the node" });
    let decided = operator.post(&format!("{path}/decisions"), &approve).await.expect(200);
    assert_eq!((&decided["decision"], &decided["approvals"]), (&json!("approve"), &json!({ "have": 1, "need": 1 })));
    let execution = decided["execution_id"].as_str().expect("an execution");

    let ended =
        viewer.until(&format!("/api/v1/executions/{execution}"), "succeeded", |e| e["state"] == "succeeded").await;
    let task = &ended["tasks"][0];
    assert_eq!((&task["name"], &task["state"]), (&json!("execute"), &json!("succeeded")));
    for time in ["queued_ms", "pulling_ms", "running_ms"] {
        assert!(task[time].as_i64().is_some_and(|ms| ms >= 0), "{time} in {task}");
    }
    assert_eq!(ended["ticket_digest"], digest);

    let log = viewer.get(&format!("/api/v1/executions/{execution}/tasks/execute/logs")).await;
    assert!(log.text.contains("OOMKill"), "{}", log.text);

    let object = viewer.get(&format!("/api/v1/executions/{execution}/pipelinerun")).await.expect(200);
    assert_eq!(object["metadata"]["annotations"]["kubernaut.io/ticket-digest"], digest);
    assert_eq!(object["metadata"]["name"], ended["name"]);
    let yaml = viewer
        .request(Method::GET, &format!("/api/v1/executions/{execution}/pipelinerun"))
        .header("accept", "application/yaml");
    let yaml = viewer.send(yaml).await;
    assert!(yaml.text.contains("kind: PipelineRun") && yaml.headers["vary"].to_str().unwrap().contains("accept"));
    let rather_json = viewer
        .request(Method::GET, &format!("/api/v1/executions/{execution}/pipelinerun"))
        .header("accept", "application/yaml;q=0.5, application/json");
    let rather_json = viewer.send(rather_json).await;
    assert_eq!(rather_json.headers["content-type"], "application/json");
    assert!(rather_json.headers["vary"].to_str().unwrap().contains("accept"));

    let rows = viewer.get("/api/v1/effectiveness?group_by=playbook").await.expect(200);
    let row =
        rows["items"].as_array().unwrap().iter().find(|r| r["group"] == "oomkill-scale-down").expect("counted").clone();
    assert_eq!((&row["runs"], &row["succeeded"], &row["not_assessed"]), (&json!(1), &json!(1), &json!(1)));
    assert!(row["low"].as_f64().unwrap() > 0.0 && row["high"].as_f64().unwrap() <= 1.0);

    let actions = viewer.get("/api/v1/actions?workflow_id=oomkill-scale-down").await.expect(200);
    assert_eq!(actions["items"][0]["status"], "succeeded");
    the_trail_tells_it(&console.token("auditor", "auditor"), id).await;
}

/// The model's parameters with one changed by the operator.
fn edited(recommendation: &Value) -> Value {
    let mut parameters = recommendation["strategies"][0]["parameters"].clone();
    parameters["SCALE_TARGET_REPLICAS"] = json!(2);
    parameters
}

async fn the_trail_tells_it(auditor: &Caller<'_>, id: &str) {
    let trail = auditor.get(&format!("/api/v1/audit?object={id}")).await.expect(200);
    let rows = trail["items"].as_array().expect("rows");
    let decision = rows.iter().find(|r| r["action"] == "decision.approve").expect("the decision's row");
    assert_eq!(
        (&decision["actor"]["name"], &decision["reason"]),
        (&json!("token operator"), &json!("relieves the node"))
    );
    assert!(rows.iter().any(|r| r["action"] == "recommendation.submit"));
}

#[tokio::test]
async fn the_whole_job_on_sqlite() {
    the_whole_job(&Console::start()).await;
}

#[tokio::test]
async fn the_whole_job_on_postgresql() {
    if let Some(console) = Console::start_on(Database::Postgres) {
        the_whole_job(&console).await;
    }
}

#[tokio::test]
async fn a_decision_binds_to_exactly_one_ticket() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-2")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);

    let no_ticket = admin.post(&format!("{path}/decisions"), &json!({ "decision": "approve", "strategy": 0 })).await;
    assert_eq!(no_ticket.faults(), [("/ticket_digest".into(), "required".into())]);
    let stale = json!({ "decision": "approve", "strategy": 0, "ticket_digest": format!("sha256:{}", "0".repeat(64)) });
    let stale = admin.post(&format!("{path}/decisions"), &stale).await;
    assert_eq!(stale.status, 409, "{}", stale.text);

    let version = "/api/v1/playbooks/oomkill-scale-down/versions/1.0.0/status";
    admin.post(version, &json!({ "status": "disabled", "reason": "broken" })).await.expect(200);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let refused = admin.post(&format!("{path}/decisions"), &approve).await;
    assert_eq!(refused.status, 409, "a disabled playbook does not run: {}", refused.text);
    assert!(refused.json["detail"].as_str().unwrap().contains("is disabled"), "{}", refused.text);
    assert_eq!(refused.json["differences"][0]["pointer"], "/digest", "{}", refused.text);
    admin.post(version, &json!({ "status": "active" })).await.expect(200);

    admin.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let again = admin.post(&format!("{path}/decisions"), &approve).await;
    assert_eq!(again.status, 409);
    assert!(again.json["detail"].as_str().unwrap().contains("admin"), "says who: {}", again.text);
}

#[tokio::test]
async fn nobody_approves_their_own_and_high_risk_needs_two() {
    let console = Console::start();
    let (one, two) = (console.token("one", "admin"), console.token("two", "operator"));
    one.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let mut risky = recommendation("inc-3");
    risky["strategies"][0]["estimated_risk"] = json!("high");
    let taken = one.post("/api/v1/recommendations", &risky).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = two.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"], "reason": "yes" });

    assert_eq!(one.post(&format!("{path}/decisions"), &approve).await.status, 403, "own proposal");
    let first = two.post(&format!("{path}/decisions"), &approve).await.expect(200);
    assert_eq!(first["approvals"], json!({ "have": 1, "need": 2 }));
    assert!(first.get("execution_id").is_none());
    assert_eq!(two.post(&format!("{path}/decisions"), &approve).await.status, 403, "one person, one vote");
    let third = console.token("three", "operator");
    let last = third.post(&format!("{path}/decisions"), &approve).await.expect(200);
    assert_eq!(last["approvals"], json!({ "have": 2, "need": 2 }));
    assert!(last["execution_id"].is_string());
}

#[tokio::test]
async fn a_rejection_needs_a_reason_and_ends_it() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-4")).await.expect(201);
    assert_eq!(taken["strategies"][0]["errors"][0]["code"], "unknown_playbook");
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    for body in [json!({ "strategy": 0 }), json!({ "strategy": 0, "parameters": {} })] {
        let refused = admin.post(&format!("{path}/tickets"), &body).await;
        assert_eq!(refused.faults(), [("/strategy".into(), "unknown_playbook".into())]);
    }

    let silent =
        admin.post(&format!("{path}/decisions"), &json!({ "decision": "reject", "strategy": 0, "reason": " " })).await;
    assert_eq!(silent.faults(), [("/reason".into(), "required".into())]);
    let reject = json!({ "decision": "reject", "strategy": 0, "reason": "no such playbook" });
    let answer = admin.post(&format!("{path}/decisions"), &reject).await.expect(200);
    assert_eq!(answer["decision"], "reject");
    assert_eq!(admin.get(&path).await.expect(200)["state"], "decided");
    assert_eq!(admin.post(&format!("{path}/decisions"), &reject).await.status, 409);
}

#[tokio::test]
async fn a_newer_answer_for_the_same_incident_takes_the_place_of_the_older() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let old = admin.post("/api/v1/recommendations", &recommendation("inc-5")).await.expect(201);
    admin.post("/api/v1/recommendations", &recommendation("inc-5")).await.expect(201);
    let old = admin.get(&format!("/api/v1/recommendations/{}", old["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(old["state"], "superseded");
    let open = admin.get("/api/v1/recommendations?state=open&incident=inc-5").await.expect(200);
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_approval_of_a_token_that_was_revoked_since_does_not_count_and_the_page_says_so() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let mut risky = recommendation("inc-6");
    risky["strategies"][0]["estimated_risk"] = json!("high");
    let taken = model.post("/api/v1/recommendations", &risky).await.expect(201);
    let id = taken["id"].as_str().unwrap();
    let path = format!("/api/v1/recommendations/{id}");
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let gone = console.token("gone", "operator");
    gone.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let browser = console.browser().await;
    let page = async || browser.get(&format!("/recommendations/{id}")).await.text.replace("<!>", "");
    assert!(page().await.contains("token gone approved this ticket"));
    assert!(console.command(&["token", "revoke", "gone"]).status.success());
    let shown = page().await;
    assert!(shown.contains("It does not count") && shown.contains("nobody has approved yet"), "{shown}");
    let next = admin.post(&format!("{path}/decisions"), &approve).await.expect(200);
    assert_eq!(next["approvals"], json!({ "have": 1, "need": 2 }));
}
