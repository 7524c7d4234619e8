//! Kubernaut's present form, at the same route and tool as the seeds'.

use crate::support::{Console, seed};
use serde_json::{Value, json};

fn answer(incident: &str) -> Value {
    json!({
        "incident": { "id": incident, "signal_type": "OOMKilled", "severity": "high", "environment": "production" },
        "rootCauseAnalysis": {
            "summary": "Worker-2 has no memory left.", "severity": "high",
            "contributingFactors": ["four replicas on one node"],
            "causalChain": ["a deploy", "the node fills"],
            "remediationTarget": { "kind": "Deployment", "namespace": "production", "name": "my-app" },
        },
        "selectedWorkflow": {
            "workflowId": "oomkill-scale-down", "actionType": "scale_down_replicas", "confidence": 0.9,
            "parameters": seed("recommendation.json")["strategies"][0]["parameters"],
        },
        "alternativeWorkflows": [{ "workflowId": "oomkill-increase-memory", "confidence": 0.3, "rationale": "if capacity matters" }],
        "needsHumanReview": false,
        "warnings": ["Capacity sinks."],
    })
}

#[tokio::test]
async fn both_doors_take_it_whole() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let playbook = seed("hidden-oomkill-scale-down.json");
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    let by_rest = model.post("/api/v1/recommendations", &answer("inc-rest")).await.expect(201);
    let by_tool = model.tool("submit_recommendation", &answer("inc-tool")).await;
    assert!(!by_tool.error, "{}", by_tool.text);
    for id in [&by_rest["id"], &by_tool.json["recommendation_id"]] {
        let stored = admin.get(&format!("/api/v1/recommendations/{}", id.as_str().unwrap())).await.expect(200);
        assert_eq!(stored["root_cause_assessment"], "Worker-2 has no memory left.");
        assert_eq!(stored["context_used"]["causal_chain"], "a deploy → the node fills");
        assert_eq!(stored["context_used"]["contributing_factors"], "four replicas on one node");
        assert_eq!(stored["incident"]["resource"]["name"], "my-app");
        assert_eq!(stored["strategies"][0]["errors"], json!([]), "{stored}");
        assert_eq!(stored["strategies"][1]["errors"][0]["code"], "unknown_playbook");
        assert_eq!(stored["strategies"][0]["estimated_risk"], "high", "nobody says what it risks");
        let page = console.browser().await.get(&format!("/recommendations/{}", id.as_str().unwrap())).await;
        assert!(page.text.contains("a deploy → the node fills") && page.text.contains("Causal chain"));
    }
    let ticket = format!("/api/v1/recommendations/{}/tickets", by_rest["id"].as_str().unwrap());
    admin.post(&ticket, &json!({ "strategy": 0 })).await.expect(201);
}

#[tokio::test]
async fn the_registered_risk_and_image_are_what_counts() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["risk"] = json!("low");
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    let image = playbook["container_image"].as_str().unwrap();
    let submitted = async |incident: &str, bundle: &str| {
        let mut sent = answer(incident);
        sent["selectedWorkflow"]["executionBundle"] = json!(bundle);
        model.post("/api/v1/recommendations", &sent).await.expect(201)["strategies"][0].clone()
    };
    let same = submitted("inc-1", image).await;
    assert_eq!((&same["errors"], &same["estimated_risk"]), (&json!([]), &json!("low")));
    let other = submitted("inc-2", "quay.io/somebody/else:1.0.0").await;
    assert_eq!(other["errors"][0]["pointer"], "/strategies/0/executionBundle");
    assert!(!other.to_string().contains(image), "which image it is stays with those who read the catalog");
}

#[tokio::test]
async fn who_asks_for_a_person_gets_one() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let mut sent = answer("inc-1");
    sent["needsHumanReview"] = json!(true);
    sent["humanReviewReason"] = json!("low_confidence");
    let taken = model.post("/api/v1/recommendations", &sent).await.expect(201);
    assert_eq!(taken["needs_human_review"], true);
    assert_eq!(taken["warnings"][0], "The model asks for a person to review this: low_confidence");
    let page = console.browser().await.get(&format!("/recommendations/{}", taken["id"].as_str().unwrap())).await;
    assert!(page.text.contains("asks for a person to review this"));
}
