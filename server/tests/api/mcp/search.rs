//! Finding playbooks: the signal first, then tags, then words; each hit says why.

use super::Said;
use crate::support::{Caller, Console, Database, seed};
use serde_json::{Value, json};

async fn register(author: &Caller<'_>, id: &str, labels: Value) {
    let mut playbook = seed("oomkill-scale-down.json");
    playbook["workflow_id"] = json!(id);
    playbook["title"] = json!(format!("Title of {id}"));
    playbook["labels"] = labels;
    author.post("/api/v1/playbooks", &playbook).await.expect(201);
}

fn found(said: &Said) -> Vec<(String, Vec<String>)> {
    assert!(!said.error, "{}", said.text);
    let hits = said.json["playbooks"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |hit: &Value| (text(&hit["workflow_id"]), hit["found_by"].as_array().unwrap().iter().map(text).collect());
    hits.iter().map(of).collect()
}

fn ids(said: &Said) -> Vec<String> {
    found(said).into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn the_closest_to_the_signal_comes_first() {
    let console = Console::start();
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    register(&author, "a-takes-any", json!({ "signal_type": "*", "environment": "*", "tags": ["slow"] })).await;
    register(&author, "b-signal", json!({ "signal_type": "OOMKilled", "environment": "*", "tags": ["fast"] })).await;
    register(&author, "c-both", json!({ "signal_type": "OOMKilled", "environment": "production" })).await;
    register(&author, "d-other", json!({ "signal_type": "CrashLoopBackOff" })).await;

    let said =
        model.tool("search_playbooks", &json!({ "signal_type": "OOMKilled", "environment": "production" })).await;
    let hits = found(&said);
    let of = |id: &str| hits.iter().find(|(known, _)| known == id).map(|(_, why)| why.join(", ")).unwrap();
    assert_eq!(ids(&said), ["c-both", "b-signal", "a-takes-any"]);
    assert_eq!(of("c-both"), "signal OOMKilled, environment production");
    assert_eq!(of("b-signal"), "signal OOMKilled, any environment");
    assert_eq!(of("a-takes-any"), "any signal, any environment");

    let tagged = model.tool("search_playbooks", &json!({ "signal_type": "OOMKilled", "tags": ["slow"] })).await;
    assert_eq!(ids(&tagged)[0], "a-takes-any", "what has the tag before what has not");
    let worded = json!({ "signal_type": "OOMKilled", "query": "title of a-takes-any" });
    let worded = model.tool("search_playbooks", &worded).await;
    assert_eq!(ids(&worded)[0], "a-takes-any");
    assert!(found(&worded)[0].1.iter().any(|why| why.starts_with("text")), "{}", worded.text);
    assert!(found(&worded)[1].1.iter().all(|why| !why.starts_with("text")), "words did not find it: {}", worded.text);
    assert!(!ids(&worded).contains(&"d-other".to_owned()), "another signal is no answer");

    let one = model.tool("search_playbooks", &json!({ "signal_type": "OOMKilled", "limit": 1 })).await;
    assert_eq!(ids(&one).len(), 1);
    let none = model.tool("search_playbooks", &json!({ "query": "quantum" })).await;
    assert_eq!(none.json["playbooks"], json!([]));
    assert!(none.json["advice"].as_str().unwrap().contains("fewer labels"));
    let wrong = model.tool("search_playbooks", &json!({ "signal": "OOMKilled" })).await;
    assert!(
        wrong.error && wrong.text.contains("/signal (unknown_field)") && wrong.text.contains("signal_type"),
        "{}",
        wrong.text
    );
}

#[tokio::test]
async fn what_is_not_active_is_not_found() {
    let console = Console::start();
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    register(&author, "gone", json!({ "signal_type": "OOMKilled" })).await;
    let status = json!({ "status": "disabled", "reason": "it broke" });
    author.post("/api/v1/playbooks/gone/versions/1.0.0/status", &status).await.expect(200);
    assert_eq!(ids(&model.tool("search_playbooks", &json!({})).await), Vec::<String>::new());
    let told = model.tool("get_playbook_schema", &json!({ "workflow_id": "gone" })).await;
    assert!(told.json["advice"].as_str().unwrap().contains("disabled"), "{}", told.text);
    assert!(!told.text.contains("it broke"));
}

#[tokio::test]
async fn a_schema_is_of_what_is_exposed() {
    let console = Console::start();
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let told =
        model.tool("get_playbook_schema", &json!({ "workflow_id": "oomkill-scale-down", "version": "1.0.0" })).await;
    assert_eq!(told.json["parameters"]["properties"]["SCALE_TARGET_REPLICAS"]["type"], "integer");
    assert!(!told.text.contains("REMEDIATION_TYPE"), "{}", told.text);
    for (arguments, place) in [
        (json!({ "workflow_id": "no-such-playbook" }), "/workflow_id (unknown_playbook)"),
        (json!({ "workflow_id": "oomkill-scale-down", "version": "9.0.0" }), "/version (unknown_version)"),
        (json!({ "workflow_id": "oomkill-scale-down", "version": "newest" }), "/version (malformed)"),
        (json!({}), "/workflow_id (required)"),
    ] {
        let refused = model.tool("get_playbook_schema", &arguments).await;
        assert!(refused.error && refused.text.contains(place), "{arguments}: {}", refused.text);
    }
}

#[tokio::test]
async fn the_measured_record_is_told_where_it_is_set_so() {
    let asked = json!({ "workflow_id": "oomkill-scale-down" });
    let off = Console::start();
    let world = crate::world::World::of(&off).await;
    assert!(!world.execution.is_empty());
    let refused = off.token("model", "propose").tool("get_track_record", &asked).await;
    assert!(refused.error && refused.text.contains("not shown to models here"), "{}", refused.text);

    let on = Console::start_with(Database::Sqlite, &["--mcp-track-record", "on"]);
    let world = crate::world::World::of(&on).await;
    assert!(!world.execution.is_empty());
    let model = on.token("model", "propose");
    let told = model.tool("get_track_record", &asked).await;
    assert!(!told.error, "{}", told.text);
    assert_eq!(told.json["all_versions"]["runs"], 1, "{}", told.text);
    assert_eq!(told.json["by_version"][0]["of"], "oomkill-scale-down@1.0.0");
    assert!(model.tool("get_track_record", &json!({ "workflow_id": "none" })).await.error);
    let listed = model.get("/api/v1/playbooks").await.expect(200);
    assert_eq!(listed["items"][0]["track_record"]["runs"], 1, "by REST, too");

    // Where it is off no door tells a model.
    let rest = async |role: &str| off.token(role, role).get("/api/v1/playbooks").await.expect(200);
    assert!(rest("propose").await["items"][0].get("track_record").is_none());
    assert_eq!(rest("viewer").await["items"][0]["track_record"]["runs"], 1);
}
