//! Trying a strategy, mending it, handing it in; and what a model is told of what it wrote nearly right.

use crate::support::{Console, recommendation, seed};
use serde_json::{Value, json};

fn strategy() -> Value {
    seed("recommendation.json")["strategies"][0].clone()
}

#[tokio::test]
async fn a_strategy_is_tried_mended_and_handed_in() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);

    let mut wrong = strategy();
    wrong["parameters"]["SCALE_TARGET_REPLICAS"] = json!("1");
    wrong["parameters"]["TARGET_NAMESPASE"] = json!("production");
    let refused = model.tool("validate_strategy", &wrong).await;
    assert!(refused.error);
    for told in [
        "/parameters/SCALE_TARGET_REPLICAS (wrong_type): send the number 1, not the string \"1\"",
        "/parameters/TARGET_NAMESPASE (undeclared_parameter)",
        "did you mean TARGET_NAMESPACE?",
        "Nothing was stored",
    ] {
        assert!(refused.text.contains(told), "{told}: {}", refused.text);
    }
    assert_eq!(admin.get("/api/v1/recommendations").await.expect(200)["items"], json!([]), "it was only tried");

    let valid = model.tool("validate_strategy", &strategy()).await;
    assert_eq!(valid.json, json!({ "valid": true, "workflow_id": "oomkill-scale-down", "version": "1.0.0" }));
    let bare = json!({ "workflow_id": "oomkill-scale-down", "parameters": strategy()["parameters"] });
    assert_eq!(model.tool("validate_strategy", &bare).await.json["valid"], true);
    let unknown = model.tool("validate_strategy", &json!({ "workflow_id": "none" })).await;
    assert!(unknown.error && unknown.text.contains("/workflow_id (unknown_playbook)"), "{}", unknown.text);

    let taken = model.tool("submit_recommendation", &recommendation("inc-mcp")).await;
    assert!(!taken.error, "{}", taken.text);
    assert_eq!(taken.json["strategies"][0]["can_run"], true);
    let id = taken.json["recommendation_id"].as_str().unwrap();
    assert_eq!(taken.json["page"], format!("{}/recommendations/{id}", console.url));
    let stored = admin.get(&format!("/api/v1/recommendations/{id}")).await.expect(200);
    assert_eq!(stored["incident"]["id"], "inc-mcp");
    assert_eq!(stored["proposer"]["name"], "token model");
    let audit = admin.get("/api/v1/audit").await.expect(200);
    let row =
        audit["items"].as_array().unwrap().iter().find(|row| row["action"] == "recommendation.submit").unwrap().clone();
    assert_eq!(row["route"], "POST /mcp#submit_recommendation", "{row}");

    let mut can_not = recommendation("inc-mcp-2");
    can_not["strategies"][0]["workflow_id"] = json!("none");
    let stored = model.tool("submit_recommendation", &can_not).await;
    assert!(!stored.error && stored.json["strategies"][0]["can_run"] == false, "{}", stored.text);
    assert_eq!(stored.json["strategies"][0]["errors"][0]["pointer"], "/strategies/0/workflow_id");
    assert!(stored.json["advice"].as_str().unwrap().contains("cannot be approved"));
}

#[tokio::test]
async fn what_is_nearly_right_is_refused_with_what_to_send() {
    let console = Console::start();
    let model = console.token("model", "propose");
    let refused = async |pointer: &str, value: Value| {
        let mut sent = recommendation("inc-1");
        *sent.pointer_mut(pointer).unwrap() = value;
        let said = model.tool("submit_recommendation", &sent).await;
        assert!(said.error && said.text.contains("Nothing was stored"), "{}", said.text);
        assert!(said.text.contains(&format!("\n{pointer} (")), "the exact path: {}", said.text);
        said.text
    };
    let number = refused("/strategies/0/confidence", json!("0.85")).await;
    assert!(number.contains("send a number, not the string \"0.85\": write 0.85 without quotes"), "{number}");
    let word = refused("/strategies/0/estimated_risk", json!("Medium")).await;
    assert!(word.contains("\"Medium\" is not one of: low, medium, high; write \"medium\""), "{word}");
    let list = refused("/strategies", json!("[{\"workflow_id\": \"x\"}]")).await;
    assert!(list.contains("send the JSON itself, not a string that holds it"), "{list}");
    let fence = refused("/strategies/0/parameters", json!("```json\n{}\n```")).await;
    assert!(fence.contains("without the Markdown fence around it"), "{fence}");
    let stored = console.token("viewer", "viewer").get("/api/v1/recommendations").await.expect(200);
    assert_eq!(stored["items"], json!([]));
}

#[tokio::test]
async fn what_stands_around_a_body_has_to_go() {
    let console = Console::start();
    let model = console.token("model", "propose");
    let good = recommendation("inc-1").to_string();
    for (body, told) in [
        (format!("```json\n{good}\n```"), "without the Markdown fence"),
        (format!("{good}\n\nI hope this helps."), "leave out what follows the JSON value"),
        (format!("Here is my answer: {good}"), "leave out what stands before the JSON value"),
    ] {
        let refused = model.post_raw("/api/v1/recommendations", "application/json", body).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains(told), "{told}: {}", refused.text);
    }
}
