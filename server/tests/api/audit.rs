//! The audit trail from outside: checking it, changing its key, exporting it, and what is written to it.

use crate::support::{Caller, Console, Database, console_command};
use serde_json::{Value, json};
use std::process::Output;

/// What a command printed, on either stream.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a command that must go well printed.
fn well(console: &Console, arguments: &[&str]) -> String {
    let output = console.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// What a command that must fail said; its exit code must be 1.
fn fails(console: &Console, arguments: &[&str]) -> String {
    let output = console.command(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    said(&output)
}

#[tokio::test]
async fn the_trail_is_checked_and_its_key_changed_while_the_console_runs() {
    for database in [Database::Sqlite, Database::Postgres] {
        let Some(console) = Console::start_on(database) else { continue };
        let auditor = console.token("auditor", "auditor");
        let whole = well(&console, &["audit", "verify"]);
        assert!(whole.contains("unbroken: 2 rows, from 1 to 2"), "{whole}");
        let noted = whole.split("--noted ").nth(1).unwrap().trim().to_owned();

        assert!(well(&console, &["audit", "rotate-key"]).contains("the next rows are chained with the key k-"));
        // The console that runs hears of the key when it writes its next row.
        console.browser().await;
        let rows = auditor.get("/api/v1/audit").await.expect(200)["items"].as_array().unwrap().clone();
        assert_eq!((&rows[0]["action"], &rows[0]["door"]), (&"account.sign_in".into(), &"page".into()));
        assert_eq!(rows[0]["address"], "127.0.0.1");
        assert_eq!((&rows[1]["action"], &rows[1]["door"]), (&"audit.rotate_key".into(), &"cli".into()));
        assert_ne!(rows[0]["key"], rows[1]["key"]);
        assert_eq!(rows[0]["key"], rows[1]["after"]["key"]);
        assert_eq!(rows[1]["key"], rows[1]["before"]["key"]);

        assert!(well(&console, &["audit", "verify", "--noted", &noted]).contains("unbroken: 4 rows"));
        let other = format!("2:{}", "0".repeat(64));
        assert!(
            fails(&console, &["audit", "verify", "--noted", &other]).contains("row 2 is not the one that was noted")
        );
        assert!(fails(&console, &["audit", "rotate-key", "--old-key-lost"]).contains("leave out --old-key-lost"));

        if console.database_url.is_some() {
            console.sql("UPDATE audit SET reason = 'nobody' WHERE sequence = 2");
            assert!(fails(&console, &["audit", "verify"]).contains("row 2 was altered"));
        }
    }
}

#[test]
fn a_console_without_the_key_does_nothing_and_says_why() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let other = |arguments: &[&str]| {
        let mut command = console_command(elsewhere.path(), console.database_url.as_deref());
        command.args(arguments).output().unwrap()
    };
    for arguments in [&["token", "list"][..], &["serve", "--listen", "127.0.0.1:0"], &["audit", "rotate-key"]] {
        let output = other(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(said(&output).contains("--audit-key-file"), "{}", said(&output));
    }
    assert!(!elsewhere.path().join("audit.keys").exists(), "it makes no key of its own");
    assert!(said(&other(&["audit", "verify"])).contains("row 1 was chained with the key"));

    // The way on when the key is lost.
    let replaced = other(&["audit", "rotate-key", "--old-key-lost"]);
    assert!(replaced.status.success(), "{}", said(&replaced));
    assert!(other(&["token", "list"]).status.success());
    assert!(fails(&console, &["token", "list"]).contains("--audit-key-file"), "now the other one lacks it");
}

#[test]
fn a_legal_hold_is_set_and_released_with_a_reason() {
    let console = Console::start();
    assert!(fails(&console, &["audit", "release", "--reason", "x"]).contains("no hold stands"));
    assert!(well(&console, &["audit", "hold", "--reason", "case 7"]).contains("the hold stands"));
    assert!(fails(&console, &["audit", "hold", "--reason", "case 8"]).contains("release it first"));
    let output = console.command(&["audit", "release", "--reason", "  "]);
    assert_eq!((output.status.code(), said(&output).contains("--reason")), (Some(2), true), "{}", said(&output));
    assert!(well(&console, &["audit", "release", "--reason", "closed"]).contains("released"));
    assert!(well(&console, &["audit", "verify"]).contains("unbroken: 3 rows"));
}

/// The newest rows of this action.
async fn rows(auditor: &Caller<'_>, action: &str) -> Vec<Value> {
    let found = auditor.get(&format!("/api/v1/audit?action={action}")).await.expect(200);
    found["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_export_is_checked_without_the_console() {
    let console = Console::start();
    let auditor = console.token("auditor", "auditor");
    for name in ["alpha", "beta", "gamma"] {
        console.token(name, "viewer");
    }
    let exported = auditor.get("/api/v1/audit?format=jsonl").await;
    assert_eq!(exported.headers["content-disposition"], "attachment; filename=\"audit.jsonl\"");
    let directory = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = directory.path().join("audit.jsonl");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let lines: Vec<&str> = exported.text.lines().collect();
    assert_eq!(lines.len(), 6, "five rows and the end");
    let whole = well(&console, &["audit", "verify", &file(&exported.text)]);
    assert!(whole.contains("unbroken: 5 rows, from 1 to 5"), "{whole}");

    let joined = |lines: &[&str]| lines.join("\n");
    let (mut removed, mut swapped) = (lines.clone(), lines.clone());
    removed.remove(2);
    swapped.swap(2, 3);
    for (text, said) in [
        (exported.text.replace("\"alpha\"", "\"omega\""), "line 3: row 3 was altered"),
        (joined(&removed), "line 3: row 3 was removed"),
        (joined(&swapped), "line 3: row 3 was swapped"),
        (joined(&lines[..4]), "row 5 and whatever followed was cut off"),
        (format!("{}\n{}", exported.text.trim_end(), lines[4]), "line 7: row 6 was appended"),
    ] {
        let answer = fails(&console, &["audit", "verify", &file(&text)]);
        assert!(answer.contains(said), "{said} in {answer}");
    }
    let strange = directory.path().join("strange.keys");
    std::fs::write(&strange, format!("{{\"id\":\"mine\",\"secret\":\"{}\"}}\n", "ab".repeat(32))).unwrap();
    let arguments = ["audit", "verify", &file(&exported.text), "--key-file", strange.to_str().unwrap()];
    assert!(fails(&console, &arguments).contains("line 1: row 1 was chained with the key k-"));

    // Some rows are genuine each, and don't pass for all.
    let some = auditor.get("/api/v1/audit?format=jsonl&action=token.create&object=a").await.text;
    let some = file(&some);
    assert!(fails(&console, &["audit", "verify", &some]).contains("row"));
    let genuine = well(&console, &["audit", "verify", &some, "--rows"]);
    assert!(genuine.contains("each of these 4 rows is as it was written"), "{genuine}");
}

#[tokio::test]
async fn an_export_leaves_a_row_unless_it_is_only_read() {
    let console = Console::start();
    let (admin, auditor) = (console.browser().await, console.token("auditor", "auditor"));
    well(&console, &["audit", "hold", "--reason", "=HYPERLINK(\"https://evil.example\")"]);
    auditor.get("/api/v1/audit?format=csv").await;
    auditor.get("/api/v1/audit?format=jsonl").await;
    assert!(rows(&auditor, "audit.export").await.is_empty(), "no GET has an effect");

    let table = admin.post("/audit/exports", &[("format", "csv"), ("action", "audit."), ("from", "2001-01-01")]).await;
    assert_eq!(
        (table.status.as_u16(), &table.headers["content-type"]),
        (200, &"text/csv; charset=utf-8".parse().unwrap())
    );
    assert!(table.text.starts_with("sequence,at,actor_id,"), "{}", table.text);
    assert!(table.text.contains(",\"'=HYPERLINK(\"\"https://evil.example\"\")\","), "no formula: {}", table.text);
    assert_eq!(table.text.lines().count(), 3, "its head, the hold, and the export itself: {}", table.text);
    let row = rows(&auditor, "audit.export").await.remove(0);
    assert_eq!((&row["actor"]["name"], &row["door"]), (&json!("admin"), &json!("page")));
    assert_eq!((&row["after"]["format"], &row["after"]["filter"]["action"]), (&json!("csv"), &json!("audit.")));

    let place = auditor.post("/api/v1/audit/exports", &json!({ "format": "jsonl", "q": "a b" })).await;
    assert_eq!(place.headers["location"], "/api/v1/audit?format=jsonl&q=a+b");
    let place = place.expect(201);
    assert_eq!(auditor.get(place["file"].as_str().unwrap()).await.status, 200);
    assert_eq!(rows(&auditor, "audit.export").await.len(), 2);

    assert_eq!(admin.post("/audit/exports", &[("format", "xlsx")]).await.status, 422);
    let viewer = console.token("viewer", "viewer");
    assert_eq!(viewer.post("/api/v1/audit/exports", &json!({ "format": "csv" })).await.status, 403);
    assert_eq!(rows(&auditor, "audit.export").await.len(), 2);
}

#[tokio::test]
async fn what_is_refused_is_written_once_and_then_counted() {
    let mut console = Console::start();
    let url = console.url.clone();
    {
        let (auditor, viewer) = (console.token("auditor", "auditor"), console.token("viewer", "viewer"));
        for _ in 0..5 {
            assert_eq!(viewer.post("/api/v1/playbooks", &json!({})).await.status, 403);
        }
        assert_eq!(viewer.get("/api/v1/audit").await.status, 403, "who only asks does nothing");
        let refused = rows(&auditor, "refusal.right").await;
        assert_eq!(refused.len(), 1, "{refused:?}");
        let row = &refused[0];
        assert_eq!((&row["actor"]["name"], &row["route"]), (&json!("token viewer"), &json!("POST /api/v1/playbooks")));
        assert_eq!((&row["object_id"], &row["after"]["right"]), (&json!("/api/v1/playbooks"), &json!("catalog:write")));

        assert!(console.browser_of("admin", "wrong").await.is_none());
        assert!(console.browser_of("hunter2 is my password", "x").await.is_none());
        let refused = rows(&auditor, "account.refuse_sign_in").await;
        let objects: Vec<_> = refused.iter().map(|row| row["object_id"].as_str().unwrap()).collect();
        assert_eq!(objects, ["unknown", "admin"]);
        assert_eq!((&refused[0]["address"], &refused[0]["door"]), (&json!("127.0.0.1"), &json!("page")));
        let trail = auditor.get("/api/v1/audit?format=jsonl").await.text;
        assert!(!trail.contains("hunter2"), "what was typed in place of a name is kept nowhere");

        for _ in 0..20 {
            console.browser_of("admin", "wrong").await;
        }
        assert_eq!(rows(&auditor, "account.limit_sign_in").await.len(), 1);
        assert_eq!(rows(&auditor, "account.refuse_sign_in").await.len(), 2, "still");
    }
    // What was counted is told at the end at the latest.
    let stopped = std::process::Command::new("kill").args(["-TERM", &console.pid().to_string()]).status().unwrap();
    assert!(stopped.success() && console.ended_within(std::time::Duration::from_secs(20)), "{url}");
    let told = well(&console, &["audit", "verify"]);
    assert!(told.contains("unbroken: "), "{told}");
    let rows: i64 = told.split_whitespace().nth(1).unwrap().parse().unwrap();
    // Account, two tokens, four first refusals; three of them came again.
    assert_eq!(rows, 10, "{told}");
}

#[tokio::test]
async fn the_chain_is_looked_at_when_somebody_asks() {
    let console = Console::start();
    let (admin, auditor) = (console.browser().await, console.token("auditor", "auditor"));
    let chain = auditor.get("/api/v1/audit/chain").await.expect(200);
    assert_eq!((&chain["checked"], &chain["rows"], &chain["first"]), (&Value::Null, &json!(3), &json!(1)));
    assert_eq!(admin.post("/audit/check", &[]).await.status, 303);
    let chain = auditor.get("/api/v1/audit/chain").await.expect(200);
    assert_eq!((&chain["checked"]["rows"], &chain["checked"]["broken"]), (&json!(3), &Value::Null));

    assert_eq!(admin.post("/audit/hold", &[("reason", " ")]).await.status, 422);
    assert_eq!(admin.post("/audit/hold", &[("reason", "case 7")]).await.status, 303);
    assert_eq!(admin.post("/audit/hold", &[("reason", "case 8")]).await.status, 409);
    let chain = auditor.get("/api/v1/audit/chain").await.expect(200);
    assert_eq!((&chain["hold"]["reason"], &chain["hold"]["by"]["name"]), (&json!("case 7"), &json!("admin")));
    assert_eq!(admin.post("/audit/release", &[("reason", "closed")]).await.status, 303);
    assert_eq!(auditor.get("/api/v1/audit/chain").await.expect(200)["hold"], Value::Null);

    let mara = console.command(&["user", "create", "--name", "mara", "--role", "auditor"]);
    let mara = console.browser_of("mara", String::from_utf8(mara.stdout).unwrap().trim()).await.unwrap();
    assert_eq!(mara.post("/audit/hold", &[("reason", "mine")]).await.status, 403, "an auditor reads");
    assert_eq!(mara.post("/audit/check", &[]).await.status, 303);
}

#[tokio::test]
async fn a_wiped_end_is_told_and_not_mended_by_looking() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let auditor = console.token("auditor", "auditor");
    console.sql(&format!(
        "UPDATE audit SET reason = 'nobody' WHERE sequence = 1; UPDATE audit_head SET key_id = '', mac = '{}', seal = ''",
        "0".repeat(64)
    ));
    for _ in 0..2 {
        assert!(fails(&console, &["audit", "verify"]).contains("row 1 was altered"));
    }
    assert!(fails(&console, &["audit", "begin"]).contains("audit rotate-key"));
    let listed = console.command(&["token", "list"]);
    assert!(listed.status.success() && said(&listed).contains("the audit trail is broken"), "{}", said(&listed));
    assert_eq!(console.browser().await.post("/audit/check", &[]).await.status, 303);
    let chain = auditor.get("/api/v1/audit/chain").await.expect(200);
    assert_eq!(chain["checked"]["broken"]["sequence"], json!(1));
}

#[tokio::test]
async fn an_export_breaks_off_when_its_reader_may_no_longer_read() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let auditor = console.token("auditor", "auditor");
    // More than lies in buffers on the way.
    console.sql(
        "INSERT INTO audit (sequence, at, actor_id, actor_name, actor_owner, door, address, route, action, object_kind, object_id, \
         reason, request_id, key_id, mac, search_actor, search_object, search) \
         SELECT n, at, actor_id, actor_name, actor_owner, door, address, route, action, object_kind, object_id, \
         repeat('x', 2000), request_id, key_id, mac, search_actor, search_object, search \
         FROM audit, generate_series(101, 40100) n WHERE sequence = 1; UPDATE audit_head SET sequence = 40100",
    );
    for format in ["jsonl", "csv"] {
        let reader = console.token(&format!("reader-{format}"), "auditor");
        let path = format!("/api/v1/audit?format={format}");
        let mut answer = reader.request(reqwest::Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut bytes = answer.chunk().await.unwrap().unwrap().len();
        assert!(console.command(&["token", "revoke", &format!("reader-{format}")]).status.success());
        let ended = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => bytes += chunk.len(),
                Ok(None) => break "as if it were all",
                Err(_) => break "broken off",
            }
        };
        assert_eq!(ended, "broken off", "{format}");
        assert!(bytes < 40_000 * 2_000, "{format}: {bytes} bytes came");
    }
    let whole = auditor.get("/api/v1/audit?format=csv&action=token.create").await;
    assert_eq!(whole.status, 200, "who still may reads on");
}
