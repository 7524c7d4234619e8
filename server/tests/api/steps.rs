//! Step lists: the architecture seed's WorkflowExecution, by REST.

use crate::support::{Console, seed};
use serde_json::json;

#[tokio::test]
async fn the_seeds_three_steps_run_in_their_order() {
    let console = Console::start();
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    let spec = seed("workflow-execution-spec.json");
    let proposed = one.post("/api/v1/executions", &spec).await.expect(201);
    assert_eq!(proposed["state"], "open");
    let path = format!("/api/v1/recommendations/{}", proposed["id"].as_str().unwrap());
    let ticket = two.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let tasks = ticket["pipeline_run"]["spec"]["pipelineSpec"]["tasks"].as_array().unwrap().clone();
    assert_eq!(tasks.len(), 3);
    assert_eq!(tasks[2]["runAfter"], json!(["restart-pods", "scale-deployment"]));
    assert!(tasks.iter().all(|t| t["taskRef"]["name"] == "kubernaut-action"));

    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let decided = two.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let execution = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    let begun = two.get(&execution).await.expect(200);
    assert_eq!(begun["tasks"].as_array().unwrap().len(), 3, "every task from the first second");
    let ended = two.until(&execution, "succeeded", |e| e["state"] == "succeeded").await;
    let task = |name: &str| ended["tasks"].as_array().unwrap().iter().find(|t| t["name"] == name).unwrap().clone();
    for before in ["restart-pods", "scale-deployment"] {
        let (earlier, later) = (task(before), task("create-gitops-pr"));
        assert!(
            earlier["finished_at"].as_str() <= later["started_at"].as_str(),
            "{before} ends before the pull request begins"
        );
    }
}

#[tokio::test]
async fn without_a_registry_any_action_goes_and_it_is_said() {
    let console = Console::start();
    let seen = console.token("viewer", "viewer").get("/api/v1/action-types").await.expect(200);
    assert_eq!((&seen["configured"], &seen["items"]), (&json!(false), &json!([])));
    assert_eq!(console.token("model", "propose").get("/api/v1/action-types").await.status, 403);
    let page = console.browser().await.get("/catalog/actions").await;
    assert!(page.status == 200 && page.text.contains("No registry is configured"), "{}", page.text);
}

#[tokio::test]
async fn a_running_execution_can_be_cancelled() {
    let console = Console::start();
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    let proposed = one.post("/api/v1/executions", &seed("workflow-execution-spec.json")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", proposed["id"].as_str().unwrap());
    let ticket = two.post(&format!("{path}/tickets"), &json!({})).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let decided = two.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let execution = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    two.until(&execution, "running", |e| e["state"] == "running").await;
    two.post(&format!("{execution}/cancel"), &json!({ "reason": "wrong cluster" })).await.expect(202);
    let ended = two.until(&execution, "cancelled", |e| e["state"] == "cancelled").await;
    assert!(
        ended["tasks"].as_array().unwrap().iter().all(|t| t["state"] != "running" && t["state"] != "pending"),
        "{ended}"
    );
    assert_eq!(two.post(&format!("{execution}/cancel"), &json!({})).await.status, 409);
}

#[tokio::test]
async fn faults_of_a_step_list_are_all_named_at_their_place() {
    let console = Console::start();
    let one = console.token("one", "operator");
    let step = |name: &str, after: serde_json::Value| json!({ "name": name, "actionType": "x/y", "image": "ghcr.io/kubernaut/actions/scale:1", "runAfter": after });
    let spec = json!({ "workflowType": "t", "reason": "r",
        "steps": [step("a", json!(["b"])), step("b", json!(["a"])), step("c", json!(["nowhere"])), step("c", json!(["c"]))] });
    let answer = one.post("/api/v1/executions", &spec).await;
    assert_eq!(answer.status, 422);
    let codes: Vec<String> = answer.faults().into_iter().map(|(_, code)| code).collect();
    for code in ["dag_cycle", "dag_unknown_task", "dag_duplicate_task", "dag_self_reference"] {
        assert!(codes.iter().any(|c| c == code), "{code} in {codes:?}");
    }
    assert_eq!(one.get("/api/v1/recommendations").await.expect(200)["items"], json!([]), "nothing was stored");
}
