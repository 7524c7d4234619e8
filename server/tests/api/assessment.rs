//! Whether a run helped: it is looked at by itself, told by REST and on the run's page, and may be overruled by who controls runs.

use crate::{
    support::{Console, Database},
    world::World,
};
use serde_json::json;

fn soon() -> Console {
    Console::start_with(Database::Sqlite, &["--assess-after", "10s"])
}

#[tokio::test]
async fn a_run_is_looked_at_by_itself_and_a_person_may_know_better() {
    let console = soon();
    let world = World::of(&console).await;
    let run = format!("/api/v1/executions/{}", world.execution);
    let path = format!("{run}/assessment");
    let (viewer, operator) = (console.token("viewer", "viewer"), console.token("operator", "operator"));
    assert_eq!(viewer.get(&path).await.status, 404, "nobody has looked yet");

    // The sandbox without a scene has neither the alert nor the target: what was done helped nobody that one could see.
    let found = viewer.until(&path, "a look", |answer| answer["evidence"].is_array()).await;
    assert_eq!((&found["verdict"], &found["found"]), (&json!("inconclusive"), &json!("inconclusive")));
    let evidence = found["evidence"].as_array().unwrap().iter();
    let looked: Vec<&str> = evidence.filter_map(|one| one["of"].as_str()).filter(|of| *of != "run").collect();
    assert_eq!(looked, ["signal", "target"], "{found}");
    let told = viewer.get(&run).await.expect(200);
    assert_eq!(told["assessment"], "inconclusive");
    let rows = viewer.get("/api/v1/effectiveness").await.expect(200);
    let row = &rows["items"][0];
    assert_eq!((&row["inconclusive"], &row["not_assessed"]), (&json!(1), &json!(0)));
    assert_eq!(row["recurrence_rate"], json!(null), "no data is none");

    let better = json!({ "verdict": "effective", "reason": "I watched it recover" });
    assert_eq!(viewer.post(&path, &better).await.status, 403);
    for wrong in [json!({ "verdict": "effective" }), json!({ "verdict": "not_assessed", "reason": "x" })] {
        assert_eq!(operator.post(&path, &wrong).await.status, 422, "{wrong}");
    }
    let answer = operator.post(&path, &better).await.expect(200);
    assert_eq!((&answer["verdict"], &answer["found"]), (&json!("effective"), &json!("inconclusive")));
    assert_eq!(answer["overruled"]["by"]["name"], "token operator");
    let rows = viewer.get("/api/v1/effectiveness").await.expect(200);
    assert_eq!((&rows["items"][0]["effective"], &rows["items"][0]["inconclusive"]), (&json!(1), &json!(0)));
    let models = viewer.get("/api/v1/effectiveness/calibration").await.expect(200);
    assert_eq!((&models["items"][0]["runs"], &models["items"][0]["bins"][0]["helped"]), (&json!(1), &json!(1)));
    let trail = console.token("auditor", "auditor").get("/api/v1/audit?action=execution.assess").await.expect(200);
    let row = &trail["items"][0];
    assert_eq!((&row["reason"], &row["after"]["assessment"]), (&json!("I watched it recover"), &json!("effective")));

    let browser = console.browser().await;
    let page = browser.get(&format!("/runs/{}", world.execution)).await;
    assert!(page.text.contains("Did it help?") && page.text.contains("I watched it recover"), "{}", page.text);
    let form = format!("/runs/{}/assessment", world.execution);
    let unsaid = browser.post(&form, &[("verdict", "ineffective"), ("reason", " ")]).await;
    assert_eq!(unsaid.status, 422, "{}", unsaid.text);
    assert_eq!(browser.post(&form, &[("verdict", "ineffective"), ("reason", "it came back")]).await.status, 303);
    assert_eq!(viewer.get(&path).await.expect(200)["verdict"], "ineffective");
}

#[tokio::test]
async fn before_anything_ran_there_is_nothing_and_that_is_said() {
    let console = Console::start();
    let viewer = console.token("viewer", "viewer");
    let models = viewer.get("/api/v1/effectiveness/calibration?days=90").await.expect(200);
    assert_eq!(models["items"], json!([]));
    assert_eq!(viewer.get("/api/v1/patterns").await.expect(200)["items"], json!([]));
    assert_eq!(viewer.get("/api/v1/effectiveness/versions").await.expect(200)["items"], json!([]));
    assert_eq!(viewer.get("/api/v1/executions/none/assessment").await.status, 404);
    let sent = json!({ "verdict": "effective", "reason": "x" });
    assert_eq!(
        console.token("operator", "operator").post("/api/v1/executions/none/assessment", &sent).await.status,
        404
    );
    let browser = console.browser().await;
    for table in ["groups", "weeks", "phases", "calibration", "versions"] {
        let file = browser.get(&format!("/effectiveness/csv?table={table}&by=version")).await;
        assert_eq!(file.status, 200, "{table}");
        assert!(file.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(!file.text.contains(",0.0000"), "no data is none: {}", file.text);
    }
    assert_eq!(browser.get("/effectiveness/csv?table=none").await.status, 422);
}
