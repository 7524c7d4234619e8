//! What many runs show together: told by REST and on its page, and opened as a finding, which does not count again by itself.

use crate::{
    policies::proposed,
    support::{Caller, Console, recommendation, seed},
    undo::{approved, ended},
};
use serde_json::json;
use std::time::Duration;

/// A run on an object that is not there: it fails.
async fn fails(admin: &Caller<'_>, model: &Caller<'_>, incident: &str) {
    let mut body = recommendation(incident);
    body["incident"]["resource"]["name"] = json!("not-there");
    body["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("not-there");
    let run = approved(admin, &proposed(model, &body).await).await;
    assert_eq!(ended(admin, &run).await["state"], "failed");
}

#[tokio::test]
async fn the_same_target_again_and_again_is_a_finding() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let viewer = console.token("viewer", "viewer");
    let browser = console.browser().await;
    let page = async || browser.get("/effectiveness/patterns?days=7").await.text;
    assert!(page().await.contains("No pattern in this time"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    for incident in ["inc-1", "inc-2", "inc-3"] {
        fails(&admin, &model, incident).await;
    }
    assert_eq!(viewer.get("/api/v1/patterns").await.expect(200)["items"], json!([]));
    fails(&admin, &model, "inc-4").await;
    let found = viewer.get("/api/v1/patterns?days=7").await.expect(200);
    let one = &found["items"][0];
    assert_eq!((&one["kind"], &one["runs"]), (&json!("repeated"), &json!(4)), "{found}");
    assert_eq!(one["subject"], "production/Deployment/not-there");
    assert_eq!(one["shown_by"].as_array().unwrap().len(), 4);

    let findings = "/api/v1/findings?kind=repeated";
    let list = viewer.until(findings, "a finding of it", |list| list["items"][0].is_object()).await;
    let card = &list["items"][0];
    assert_eq!((&card["seen"], &card["state"]), (&json!(1), &json!("open")));
    assert_eq!((&card["severity"], &card["resource"]["name"]), (&json!("medium"), &json!("not-there")));
    assert_eq!(card["evidence"].as_array().unwrap().len(), 4, "{card}");
    // A look later the same runs still show it.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(viewer.get(findings).await.expect(200)["items"][0]["seen"], 1);
    fails(&admin, &model, "inc-5").await;
    viewer.until(findings, "another run that shows it", |list| list["items"][0]["seen"] == 2).await;

    let shown = page().await.replace("&amp;", "&");
    for href in ["/runs?q=not-there", "/findings?kind=repeated&state=any&q=not-there"] {
        assert!(shown.contains(&format!("href=\"{href}\"")), "{href}: {shown}");
    }
    assert!(!shown.contains("No pattern"), "{shown}");
    assert_eq!(model.get("/api/v1/patterns").await.status, 403);
}
