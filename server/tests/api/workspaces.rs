//! What a run left in its volume, by REST and on its page. The sandbox keeps no files, so here it is what is refused;
//! end2end/cluster/tests/workspace.test.mjs lists a real volume.

use crate::support::{Caller, Console, seed};
use serde_json::json;

/// A run of the seeds' three steps, of which the last has a volume; its id.
async fn run(one: &Caller<'_>, two: &Caller<'_>) -> String {
    let proposed = one.post("/api/v1/executions", &seed("workflow-execution-spec.json")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", proposed["id"].as_str().unwrap());
    let ticket = two.post(&format!("{path}/tickets"), &json!({})).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    two.post(&format!("{path}/decisions"), &approve).await.expect(200)["execution_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_sandbox_says_that_it_keeps_no_files() {
    let console = Console::start();
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    let id = run(&one, &two).await;
    let listing = format!("/api/v1/executions/{id}/workspaces/shared-workspace/listing");
    let refused = one.post(&listing, &json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(refused.json["detail"], "the sandbox keeps no files: there is nothing to list");
    // A body may be left out; one that says something is none.
    let bare = one.send(one.request(reqwest::Method::POST, &listing)).await;
    assert_eq!(bare.status, 409, "{}", bare.text);
    assert_eq!(one.post(&listing, &json!({ "path": "/etc" })).await.status, 422);
    // The answer to a key is not kept: another body under it is judged by itself.
    let keyed = async |body: &serde_json::Value| {
        one.send(one.request(reqwest::Method::POST, &listing).header("idempotency-key", "k").json(body)).await
    };
    assert_eq!(keyed(&json!({})).await.json["detail"], refused.json["detail"]);
    assert_eq!(keyed(&json!({ "path": "/etc" })).await.status, 422);
    for unknown in
        ["/api/v1/executions/none/workspaces/shared-workspace/listing".to_owned(), listing.replace("shared-", "")]
    {
        assert_eq!(one.post(&unknown, &json!({})).await.status, 404, "{unknown}");
    }
    let auditor = console.token("auditor", "auditor");
    let trail = auditor.get("/api/v1/audit?action=execution.list_workspace").await.expect(200);
    assert_eq!(trail["items"], json!([]), "what was refused was not done");

    let browser = console.browser().await;
    let page = browser.post(&format!("/runs/{id}/workspaces/shared-workspace/listing?tab=events"), &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.text.contains("The sandbox keeps no files: there is nothing to list."), "{}", page.text);
}
