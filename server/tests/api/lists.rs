//! Lists, and that whatever is shown links to itself and to its page.

use crate::support::{Caller, Console, recommendation, seed};
use serde_json::{Value, json};

/// A playbook that was recommended, decided and run: its ticket and the decision.
async fn a_run(admin: &Caller<'_>, model: &Caller<'_>) -> (Value, Value) {
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-1")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let decided = admin.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let run = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    admin.until(&run, "succeeded", |e| e["state"] == "succeeded").await;
    (ticket, decided)
}

#[tokio::test]
async fn every_object_links_to_itself_and_to_its_page() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let (ticket, decided) = a_run(&admin, &model).await;
    let browser = console.browser().await;
    let run = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    let mut objects = vec![
        (ticket, "digest"),
        (decided, "id"),
        (admin.get(&format!("{run}/ticket")).await.expect(200), "digest"),
        (admin.get("/api/v1/playbooks/oomkill-scale-down").await.expect(200), "workflow_id"),
    ];
    for (list, id) in [
        ("playbooks", "version"),
        ("playbooks/oomkill-scale-down/versions", "version"),
        ("recommendations", "id"),
        ("executions", "id"),
        ("actions", "id"),
        ("audit", "sequence"),
        ("effectiveness", "group"),
        ("policies", "version"),
        ("effectiveness?group_by=version&days=30", "group"),
        ("effectiveness?group_by=model&workflow_id=oomkill-scale-down", "group"),
    ] {
        let list = admin.get(&format!("/api/v1/{list}")).await.expect(200);
        let items = list["items"].as_array().unwrap();
        assert!(!items.is_empty(), "{list}");
        objects.extend(items.iter().map(|item| (item.clone(), id)));
    }
    for (object, id) in objects {
        let link =
            |name: &str| object["links"][name].as_str().unwrap_or_else(|| panic!("no {name}: {object}")).to_owned();
        let itself = admin.get(&link("self")).await.expect(200);
        let itself = if itself["items"].is_array() { &itself["items"][0] } else { &itself };
        assert_eq!((&itself[id], &itself["links"]), (&object[id], &object["links"]), "{object}");
        assert_eq!(browser.get(&link("page")).await.status, 200, "{object}");
    }
    let valid = admin.post("/api/v1/playbooks/validate", &seed("oomkill-cost-optimized.json")).await.expect(200);
    assert_eq!(valid["links"]["self"], "/api/v1/playbooks/oomkill-cost-optimized/versions/1.0.0");
    assert_eq!(browser.get(valid["links"]["page"].as_str().unwrap()).await.status, 200);
    for nothing in [
        "recommendations/x/tickets/y",
        "recommendations/x/decisions/y",
        "actions/x",
        "audit/x",
        "audit/999999",
        "audit/0",
    ] {
        assert_eq!(admin.get(&format!("/api/v1/{nothing}")).await.status, 404, "{nothing}");
    }
}

#[tokio::test]
async fn a_list_shows_as_much_of_each_as_one_alone() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    a_run(&admin, &model).await;
    for (list, part) in [("executions", "tasks"), ("recommendations", "decisions")] {
        let item = admin.get(&format!("/api/v1/{list}")).await.expect(200)["items"][0].clone();
        assert!(!item[part].as_array().unwrap().is_empty(), "{list}: {item}");
        assert_eq!(item, admin.get(item["links"]["self"].as_str().unwrap()).await.expect(200));
    }
}

#[tokio::test]
async fn versions_and_groups_come_in_pages() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let versions = ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0"];
    for version in versions {
        let mut playbook = seed("oomkill-scale-down.json");
        playbook["version"] = json!(version);
        admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    }
    let path = "/api/v1/playbooks/oomkill-scale-down/versions";
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = admin.get(&format!("{path}?limit=2&cursor={cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()), "{page}");
        seen.extend(items.iter().map(|v| v["version"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert!(seen.iter().eq(versions.iter().rev()), "{seen:?}");
    let other = admin.get("/api/v1/playbooks?limit=1").await.expect(200);
    assert!(other["next_cursor"].is_null());
    for wrong in ["limit=0", "cursor=nonsense", &format!("cursor={}", "a".repeat(5_000))] {
        assert_eq!(admin.get(&format!("{path}?{wrong}")).await.status, 422, "{wrong}");
        assert_eq!(admin.get(&format!("/api/v1/effectiveness?{wrong}")).await.status, 422, "{wrong}");
    }
    assert_eq!(admin.get("/api/v1/playbooks/none/versions").await.status, 404);
    let groups = admin.get("/api/v1/effectiveness?limit=1").await.expect(200);
    assert_eq!((&groups["items"], &groups["next_cursor"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn groups_are_walked_by_name() {
    let console = Console::start_with(crate::support::Database::Sqlite, &["--scene", "demo"]);
    let viewer = console.token("viewer", "viewer");
    let all = viewer.get("/api/v1/effectiveness?group_by=version").await.expect(200);
    let all: Vec<Value> = all["items"].as_array().unwrap().clone();
    assert!(all.len() > 3, "the demo has history");
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page =
            viewer.get(&format!("/api/v1/effectiveness?group_by=version&limit=3&cursor={cursor}")).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    let names = |rows: &[Value]| rows.iter().map(|r| r["group"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&seen), names(&all));
    let elsewhere = viewer.get(&format!("/api/v1/effectiveness?group_by=model&cursor={cursor}")).await;
    assert_eq!(elsewhere.faults()[0].0, "/cursor", "{}", elsewhere.text);
}

#[tokio::test]
async fn an_unknown_parameter_is_an_error_everywhere() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    for (path, hint) in [
        ("playbooks/x/versions?limt=1", "limit"),
        ("effectiveness?workflow=x", "workflow_id"),
        ("audit?actr=x", "actor"),
        ("playbooks/x?limit=1", "none"),
        ("playbooks/x/versions/1.0.0?a=b", "none"),
        ("playbooks/x/versions/1.0.0/schema?a=b", "none"),
        ("recommendations/x?a=b", "none"),
        ("executions/x?a=b", "none"),
        ("executions/x/pipelinerun?a=b", "none"),
        ("executions/x/ticket?a=b", "none"),
        ("actions/x?a=b", "none"),
        ("openapi.json?a=b", "none"),
        ("events?a=b", "alive"),
    ] {
        let answer = admin.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status.as_u16(), &*answer.faults()[0].1), (422, "unknown_field"), "{path}: {}", answer.text);
        assert!(answer.json["errors"][0]["message"].as_str().unwrap().contains(hint), "{path}: {}", answer.text);
    }
    for path in ["playbooks", "playbooks/validate", "recommendations", "executions", "executions/x/cancel"] {
        let answer = admin.post(&format!("/api/v1/{path}?dry_run=true"), &json!({})).await;
        assert_eq!(answer.faults()[0].0, "/dry_run", "{path}: {}", answer.text);
    }
    assert_eq!(admin.get("/api/v1/executions?q=%FF").await.status, 422, "what is no text is no parameter");
}

#[tokio::test]
async fn an_export_has_what_its_filters_let_through() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let token = |name: &str| console.token(name, "viewer").secret.is_some();
    assert!(token("alpha") && token("beta"));
    // The last line tells the end.
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).collect();
        assert!(lines.pop().is_some_and(|end| end["end"].is_object()), "{text}");
        lines
    };
    let all = lines(&admin.get("/api/v1/audit?format=jsonl").await.text);
    let some = lines(&admin.get("/api/v1/audit?format=jsonl&object=alpha").await.text);
    assert!(all.len() >= 3 && some.len() == 1, "{all:?}");
    assert_eq!((&some[0]["object_id"], &some[0]["action"]), (&json!("alpha"), &json!("token.create")));
    let made = lines(&admin.get("/api/v1/audit?format=jsonl&action=token.create").await.text);
    assert_eq!(made.iter().map(|r| r["object_id"].as_str().unwrap()).collect::<Vec<_>>(), ["admin", "alpha", "beta"]);
}
