//! Playbooks: registered once, never changed, found, and shown to a model without what is hidden.

use crate::support::{Console, seed};
use serde_json::json;

#[tokio::test]
async fn every_registration_of_the_seeds_goes_through() {
    let console = Console::start();
    let author = console.token("author", "author");
    for name in
        ["oomkill-scale-down", "oomkill-increase-memory", "oomkill-optimize-application", "oomkill-cost-optimized"]
    {
        let answer = author.post("/api/v1/playbooks", &seed(&format!("{name}.json"))).await;
        assert!(answer.headers["location"].to_str().unwrap().ends_with(&format!("/{name}/versions/1.0.0")));
        answer.expect(201);
        let again = author.post("/api/v1/playbooks", &seed(&format!("{name}.json"))).await;
        again.expect(200);
    }
    for name in ["oomkill-scale-down", "oomkill-increase-memory", "oomkill-optimize-application"] {
        let mut hidden = seed(&format!("hidden-{name}.json"));
        let differs = author.post("/api/v1/playbooks", &hidden).await;
        assert_eq!(differs.status, 409, "a version never changes");
        assert!(!differs.json["differences"].as_array().unwrap().is_empty());
        hidden["version"] = json!("1.1.0");
        author.post("/api/v1/playbooks", &hidden).await.expect(201);
    }
}

#[tokio::test]
async fn a_model_never_sees_what_is_hidden() {
    let console = Console::start();
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["parameters"]["hidden"][0]["value"] = json!("canary-hidden");
    playbook["internal_steps"] = json!(["canary-step"]);
    author.post("/api/v1/playbooks", &playbook).await.expect(201);
    for path in [
        "/api/v1/playbooks",
        "/api/v1/playbooks?q=oomkill",
        "/api/v1/playbooks/oomkill-scale-down",
        "/api/v1/playbooks/oomkill-scale-down/versions/1.0.0",
        "/api/v1/playbooks/oomkill-scale-down/versions/1.0.0/schema",
    ] {
        let seen = model.get(path).await;
        assert_eq!(seen.status, 200, "{path}");
        assert!(!seen.text.contains("canary") && !seen.text.contains("REMEDIATION_TYPE"), "{path}: {}", seen.text);
        assert!(seen.text.contains("SCALE_TARGET_REPLICAS"), "{path}");
    }
    let whole = author.get("/api/v1/playbooks/oomkill-scale-down").await.expect(200);
    assert_eq!(whole["parameters"]["hidden"][0]["value"], "canary-hidden");
    assert!(whole["image"].as_str().unwrap().contains("@sha256:"), "pinned at registration");
}

#[tokio::test]
async fn playbooks_are_found_by_label_tag_and_text() {
    let console = Console::start();
    let author = console.token("author", "author");
    for name in ["oomkill-scale-down", "oomkill-increase-memory", "oomkill-cost-optimized"] {
        author.post("/api/v1/playbooks", &seed(&format!("{name}.json"))).await.expect(201);
    }
    let found = |query: &str| {
        let path = format!("/api/v1/playbooks?{query}");
        let author = &author;
        async move {
            let list = author.get(&path).await.expect(200);
            let ids = list["items"].as_array().unwrap().iter().map(|p| p["workflow_id"].as_str().unwrap().to_owned());
            ids.collect::<Vec<_>>()
        }
    };
    assert_eq!(found("tag=memory").await, ["oomkill-increase-memory"]);
    assert_eq!(found("q=replica%20count").await, ["oomkill-scale-down"]);
    assert_eq!(found("environment=staging").await, ["oomkill-cost-optimized"], "its label is *");
    assert_eq!(found("signal_type=OOMKilled").await.len(), 3);
    assert_eq!(
        found("q=pods%20were%20oom%20killed%3A%20more%20memory%3F").await[0],
        "oomkill-increase-memory",
        "a question"
    );
    assert!(found("q=zzzz").await.is_empty());
    let why = author.get("/api/v1/playbooks?signal_type=OOMKilled&tag=memory&q=memory").await.expect(200);
    let matched = ["signal OOMKilled", "tag memory", "text \"memory\""];
    assert_eq!(why["items"][0]["matched"], json!(matched), "each hit says why: {why}");
    assert_eq!(why["meaning"], "not_configured");
    let all = author.get("/api/v1/playbooks?q=oomkill&limit=2").await.expect(200);
    let rest = format!("/api/v1/playbooks?q=oomkill&limit=2&cursor={}", all["next_cursor"].as_str().unwrap());
    assert_eq!(author.get(&rest).await.expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(author.get("/api/v1/playbooks?q=oomkill&cursor=place-0").await.status, 422);
    assert_eq!(found("signal_type=DiskPressure").await, Vec::<String>::new());
    let page = author.get("/api/v1/playbooks?limit=2").await.expect(200);
    let rest = author
        .get(&format!("/api/v1/playbooks?limit=2&cursor={}", page["next_cursor"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (2, 1));
    assert!(rest["next_cursor"].is_null());
    for (query, pointer) in
        [("limit=0", "/limit"), ("cursor=nonsense", "/cursor"), ("colour=red", "/colour"), ("status=old", "/status")]
    {
        let wrong = author.get(&format!("/api/v1/playbooks?{query}")).await;
        assert_eq!((wrong.status.as_u16(), wrong.faults()[0].0.as_str()), (422, pointer), "{}", wrong.text);
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let console = Console::start();
    let author = console.token("author", "author");
    let send = |body: serde_json::Value| {
        let request =
            author.request(reqwest::Method::POST, "/api/v1/playbooks").header("idempotency-key", "k1").json(&body);
        author.send(request)
    };
    let first = send(seed("oomkill-scale-down.json")).await;
    let second = send(seed("oomkill-scale-down.json")).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "not 200: it is the first answer");
    assert_eq!((first.text, &first.headers["location"]), (second.text, &second.headers["location"]));
    assert_eq!(send(seed("oomkill-increase-memory.json")).await.status, 409);
}

#[tokio::test]
async fn validating_says_exactly_what_registering_would() {
    let console = Console::start();
    let author = console.token("author", "author");
    let playbook = seed("oomkill-scale-down.json");
    let valid = author.post("/api/v1/playbooks/validate", &playbook).await.expect(200);
    assert_eq!((&valid["valid"], &valid["registered"]), (&json!(true), &json!(false)));
    assert_eq!(author.get("/api/v1/playbooks?status=any").await.expect(200)["items"], json!([]), "nothing is stored");

    author.post("/api/v1/playbooks", &playbook).await.expect(201);
    let same = author.post("/api/v1/playbooks/validate", &playbook).await.expect(200);
    assert_eq!(same["registered"], true);
    let mut other = playbook.clone();
    other["title"] = json!("Another title");
    let mut nowhere = playbook;
    nowhere["container_image"] = json!("registry.invalid/x:1");
    nowhere["version"] = json!("9.0.0");
    for (sent, status) in [(other, 409), (nowhere, 422)] {
        let validated = author.post("/api/v1/playbooks/validate", &sent).await;
        let registered = author.post("/api/v1/playbooks", &sent).await;
        assert_eq!((validated.status.as_u16(), registered.status.as_u16()), (status, status), "{}", validated.text);
        for part in ["errors", "differences", "detail", "type"] {
            assert_eq!(validated.json[part], registered.json[part]);
        }
    }
}
