//! What models are told costs tokens in every conversation. Measured as a client pays for it: the list of tools with the instructions,
//! one search of five hits and one schema, against the whole catalog as JSON (`GET /api/v1/playbooks`), from which a model could
//! choose as well. A token is counted in two ways, and both must keep the budget: four bytes each, as is usual for English and JSON, and
//! by pieces (a run of letters or digits, or a mark; each begun eight letters of a run once more), which is harder on JSON.
//! `cargo test --package server --test api mcp::budget -- --nocapture` prints the figures.

use super::call;
use crate::support::{Console, seed};
use serde_json::json;

/// Playbooks of a small team.
const CATALOG: usize = 20;
/// The most that instructions and tools may cost, by either count.
const TOOLS: [usize; 2] = [1_800, 2_800];

/// A way to count tokens, and its name.
type Count = (&'static str, fn(&str) -> usize);

fn bytes(text: &str) -> usize {
    text.len().div_ceil(4)
}

fn pieces(text: &str) -> usize {
    let (mut count, mut run) = (0, 0);
    for character in text.chars() {
        run = if character.is_alphanumeric() { run + 1 } else { 0 };
        count += usize::from(if run == 0 { !character.is_whitespace() } else { run % 8 == 1 });
    }
    count
}

#[test]
fn tokens_are_counted_as_it_says() {
    assert_eq!((bytes("abcdefgh"), bytes("abcde")), (2, 2));
    assert_eq!(pieces("{\"a\": 12}"), 7);
    assert_eq!(pieces("remediation of it"), 4);
}

#[tokio::test]
async fn choosing_costs_a_quarter_less_than_reading_the_catalog() {
    let console = Console::start();
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    let names =
        ["oomkill-scale-down", "oomkill-increase-memory", "oomkill-optimize-application", "oomkill-cost-optimized"];
    for n in 0..CATALOG {
        let mut playbook = seed(&format!("{}.json", names[n % names.len()]));
        playbook["workflow_id"] = json!(format!("{}-{n}", names[n % names.len()]));
        author.post("/api/v1/playbooks", &playbook).await.expect(201);
    }
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } });
    let instructions = model.message(&initialize).await.expect(200)["result"]["instructions"].to_string();
    let tools = model.message(&call("", &json!({}))).await.expect(200)["result"]["tools"].to_string();
    let found = model.tool("search_playbooks", &json!({ "signal_type": "OOMKilled" })).await;
    assert_eq!(found.json["playbooks"].as_array().unwrap().len(), 5, "{}", found.text);
    let first = found.json["playbooks"][0]["workflow_id"].clone();
    let schema = model.tool("get_playbook_schema", &json!({ "workflow_id": first })).await;
    assert!(!schema.error, "{}", schema.text);
    let catalog = model.get("/api/v1/playbooks?limit=200").await;
    assert_eq!(catalog.json["items"].as_array().unwrap().len(), CATALOG);

    let counts: [Count; 2] = [("four bytes", bytes), ("pieces", pieces)];
    for ((how, count), most) in counts.into_iter().zip(TOOLS) {
        let [instructions, tools, found, schema, catalog] =
            [&instructions, &tools, &found.text, &schema.text, &catalog.text].map(|text| count(text));
        let all = instructions + tools + found + schema;
        println!(
            "by {how}: instructions {instructions} + tools {tools} + search {found} + schema {schema} = {all}; \
             the catalog of {CATALOG} as JSON {catalog}"
        );
        assert!(instructions + tools <= most, "by {how}: instructions and tools cost {} tokens", instructions + tools);
        assert!(all * 4 <= catalog * 3, "by {how}: {all} is more than three quarters of {catalog}");
    }
}
