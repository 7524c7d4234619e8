//! The audit trail from outside: checking it, changing its key, exporting it, and what is written to it.

use crate::support::{Console, Database, console_command};
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
