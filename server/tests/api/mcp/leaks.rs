//! What a model must never be told, planted wherever it may be kept and looked for in every answer that a token that only proposes can
//! get: each tool with good and bad arguments, each route with its address, whatever it answers.

use super::call;
use crate::{
    rights::lines,
    support::{Caller, Console, Database, recommendation, seed},
    world::World,
};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};

/// What is planted: each is a word of its own that stands nowhere else.
const CANARIES: [&str; 13] = [
    "canaryhiddenvalue",
    "CANARY_HIDDEN_NAME",
    "canaryhiddendescription",
    "canary-secret-name",
    "canarysecretkey",
    "canaryinternalstep",
    "canaryremediationstep",
    "canary-service-account",
    "canarystatusreason",
    "canarydecisionreason",
    "canaryanalysis",
    "canarybusiness",
    "canaryincident",
];

async fn plant(console: &Console, admin: &Caller<'_>) {
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["workflow_id"] = json!("planted");
    playbook["parameters"]["hidden"] = json!([
        { "name": "CANARY_HIDDEN_NAME", "value": "canaryhiddenvalue", "description": "canaryhiddendescription" },
        { "name": "CANARY_SECRET", "secret_ref": { "name": "canary-secret-name", "key": "canarysecretkey" } },
    ]);
    playbook["internal_steps"] = json!(["canaryinternalstep"]);
    playbook["remediation_steps"] = json!(["canaryremediationstep"]);
    playbook["execution"] = json!({ "service_account": "canary-service-account" });
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    let status = "/api/v1/playbooks/planted/versions/1.0.0/status";
    for to in ["disabled", "active"] {
        admin.post(status, &json!({ "status": to, "reason": "canarystatusreason" })).await.expect(200);
    }
    let other = console.token("another model", "propose");
    let mut said = recommendation("canaryincident");
    said["strategies"][0]["workflow_id"] = json!("planted");
    said["analysis_summary"] = json!("canaryanalysis");
    said["incident"]["business_context"] = json!({ "customer": "canarybusiness" });
    let taken = other.post("/api/v1/recommendations", &said).await.expect(201);
    let reject = json!({ "decision": "reject", "strategy": 0, "reason": "canarydecisionreason" });
    let decisions = format!("/api/v1/recommendations/{}/decisions", taken["id"].as_str().unwrap());
    admin.post(&decisions, &reject).await.expect(200);
}

/// Everything that an answer says: its body and its headers.
async fn said(request: reqwest::RequestBuilder) -> String {
    let answer = request.send().await.unwrap();
    let headers = format!("{:?}", answer.headers());
    format!("{headers}\n{}", answer.text().await.unwrap())
}

#[track_caller]
fn holds_none(place: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} stands in the answer to {place}: {text}");
    }
}

/// Calls of every tool, as it is meant and otherwise.
fn calls() -> Vec<Value> {
    let planted = json!({ "workflow_id": "planted" });
    let parameters = seed("recommendation.json")["strategies"][0]["parameters"].clone();
    let good = json!({ "workflow_id": "planted", "parameters": parameters });
    let mut guessed = good.clone();
    guessed["parameters"]["CANARY_HIDDEN_NAM"] = json!("x");
    guessed["parameters"]["REMEDIATION_TYPE"] = json!("x");
    let mut own = recommendation("inc-own");
    own["strategies"][0]["workflow_id"] = json!("planted");
    let mut own_wrong = own.clone();
    own_wrong["strategies"][0]["parameters"]["CANARY_HIDDEN_NAM"] = json!("x");
    own_wrong["incident"]["id"] = json!("inc-own-2");
    let bundle = json!({
        "incident": { "id": "inc-own-3", "signal_type": "OOMKilled", "severity": "high" },
        "rootCauseAnalysis": { "summary": "full" },
        "selectedWorkflow": { "workflowId": "planted", "actionType": "x", "confidence": 0.5, "executionBundle": "quay.io/a/b:1" },
    });
    let mut all = Vec::new();
    for arguments in
        [json!({}), json!({ "signal_type": "OOMKilled" }), json!({ "query": "scale" }), json!({ "query": "planted" })]
    {
        all.push(call("search_playbooks", &arguments));
    }
    for arguments in
        [planted.clone(), json!({ "workflow_id": "planted", "version": "1.0.0" }), json!({ "workflow_id": 1 })]
    {
        all.push(call("get_playbook_schema", &arguments));
    }
    for arguments in [good, guessed, planted.clone(), json!({})] {
        all.push(call("validate_strategy", &arguments));
    }
    for arguments in [own, own_wrong, bundle, json!({})] {
        all.push(call("submit_recommendation", &arguments));
    }
    all.push(call("get_track_record", &planted));
    all.push(call("", &json!({})));
    all
}

#[tokio::test]
async fn nothing_of_others_and_nothing_hidden_reaches_a_model() {
    let console = Console::start_with(Database::Sqlite, &["--mcp-track-record", "on"]);
    let world = World::of(&console).await;
    let admin = console.token("admin", "admin");
    plant(&console, &admin).await;
    // They are really there, for who may see them.
    let whole = admin.get("/api/v1/playbooks/planted").await.text + &admin.get("/api/v1/recommendations").await.text;
    let whole = whole + &admin.get("/api/v1/audit").await.text;
    for canary in CANARIES {
        assert!(whole.contains(canary), "{canary} was planted");
    }

    let model = console.token("model", "propose");
    let secret = model.secret.clone().unwrap();
    let mut answered = 0;
    for message in calls() {
        let answer = model.message(&message).await;
        assert_eq!(answer.status, 200, "{message}: {}", answer.text);
        holds_none(&message.to_string(), &answer.text);
        answered += 1;
    }
    assert!(answered > 14);

    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    for line in lines().into_iter().filter(|line| !line.path.starts_with("/mcp")) {
        // Streams without an end are not for this token; it is refused there like everywhere.
        let mut addresses = vec![world.address(&line.path)];
        if line.path.contains("{workflow_id}") {
            addresses.push(addresses[0].replace("oomkill-scale-down", "planted"));
        }
        if line.method == Method::GET && matches!(line.path.as_str(), "/api/v1/playbooks" | "/catalog" | "/search") {
            addresses.extend(["planted", "canary", "scale"].map(|q| format!("{}?q={q}", line.path)));
        }
        for address in addresses {
            let request = client.request(line.method.clone(), format!("{}{address}", console.url)).bearer_auth(&secret);
            let request = match line.method {
                Method::GET => request,
                _ if line.path == "/logout" => continue,
                _ if line.path.starts_with("/api/") => request.json(&json!({})),
                _ => request.form(&[("nothing", "")]),
            };
            holds_none(&format!("{} {address}", line.method), &said(request).await);
        }
    }
}
