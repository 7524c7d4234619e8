//! Sessions: how long they live, how they end, and that their cookie changes when what its holder may do does.

use crate::support::{ADMIN_PASSWORD, Browser, Console, Database, cookie};

/// The ids of the sessions on the page, the one that asks first.
async fn ids(browser: &Browser<'_>) -> Vec<String> {
    let page = browser.get("/settings/sessions").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let mut rows: Vec<(bool, String)> = page
        .text
        .split("<tr")
        .filter_map(|row| {
            let (row, _) = row.split_once("</tr>")?;
            let (_, rest) = row.split_once("/settings/sessions/session:")?;
            let id = rest.split('/').next()?;
            Some((!row.contains("this one"), format!("session:{id}")))
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, id)| id).collect()
}

async fn signed_in(browser: &Browser<'_>) -> bool {
    match browser.get("/runs").await.status.as_u16() {
        200 => true,
        303 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_person_sees_their_sessions_and_ends_them() {
    let console = Console::start();
    let (here, there, elsewhere) = (console.browser().await, console.browser().await, console.browser().await);
    let page = here.get("/settings/sessions").await.text.replace("<!>", "");
    assert!(page.contains("127.0.0.1") && page.contains("this one") && page.contains("End all others"), "{page}");
    let seen = ids(&here).await;
    assert_eq!((seen.len(), ids(&there).await.len()), (3, 3));
    assert_ne!(seen[0], ids(&there).await[0], "each is marked in its own browser");

    let of_there = ids(&there).await[0].clone();
    let ended = here.post(&format!("/settings/sessions/{of_there}/end"), &[]).await;
    assert_eq!(ended.status, 303, "{}", ended.text);
    assert!(here.get(ended.headers["location"].to_str().unwrap()).await.text.contains("That session is ended"));
    assert_eq!([signed_in(&here).await, signed_in(&there).await, signed_in(&elsewhere).await], [true, false, true]);
    assert_eq!(here.post(&format!("/settings/sessions/{of_there}/end"), &[]).await.status, 404, "it is there no more");

    assert_eq!(here.post("/settings/sessions/end-others", &[]).await.status, 303);
    assert_eq!([signed_in(&here).await, signed_in(&elsewhere).await], [true, false]);
    let own = ids(&here).await[0].clone();
    let ended = here.post(&format!("/settings/sessions/{own}/end"), &[]).await;
    assert_eq!(ended.headers["location"], "/login");
    assert_eq!(cookie(&ended).as_deref(), Some("__Host-kubernaut="));
    assert!(!signed_in(&here).await);

    let rows = console.token("auda", "auditor").get("/api/v1/audit?action=session.end").await.expect(200);
    let rows = rows["items"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().all(|row| row["object_id"] == "admin" && row["actor"]["name"] == "admin"), "{rows:?}");
    assert_eq!(rows[2]["before"]["session"], of_there.as_str());
}

#[tokio::test]
async fn nobody_ends_anothers_session_but_an_admin() {
    let console = Console::start();
    for name in ["otto", "vera"] {
        assert!(console.command(&["user", "create", "--name", name, "--role", "operator"]).status.success());
    }
    let password = |name: &str| {
        let made = console.command(&["user", "set-password", name]);
        String::from_utf8_lossy(&made.stdout).trim().to_owned()
    };
    let (otto, vera) = (password("otto"), password("vera"));
    let otto = console.browser_of("otto", &otto).await.unwrap();
    let vera = console.browser_of("vera", &vera).await.unwrap();
    let of_vera = ids(&vera).await[0].clone();
    assert_eq!(otto.post(&format!("/settings/sessions/{of_vera}/end"), &[]).await.status, 404);
    assert_eq!(ids(&otto).await.len(), 1, "nobody else's are listed");
    let admin = console.browser().await;
    let page = admin.get("/settings/accounts").await.text;
    let (_, row) = page.split_once(">vera<").unwrap();
    let id = row[row.find("user:").unwrap()..].split('/').next().unwrap();
    let path = format!("/settings/accounts/{id}/sessions");
    assert_eq!(otto.post(&path, &[]).await.status, 403);
    assert!(signed_in(&vera).await);
    assert_eq!(admin.post(&path, &[]).await.status, 303);
    assert_eq!([signed_in(&vera).await, signed_in(&otto).await], [false, true]);
    // A token is not the person, and has no sessions.
    let token = console.token("machine", "admin");
    assert_eq!(token.get("/settings/sessions").await.status, 403);
}

#[tokio::test]
async fn another_role_brings_another_cookie_and_the_old_one_no_new_right() {
    let console = Console::start();
    assert!(console.command(&["user", "create", "--name", "otto", "--role", "viewer"]).status.success());
    let made = console.command(&["user", "set-password", "otto"]);
    let otto = console.browser_of("otto", String::from_utf8_lossy(&made.stdout).trim()).await.unwrap();
    assert_eq!(cookie(&otto.get("/runs").await), None, "it stays while nothing changes");
    assert!(console.command(&["user", "set-role", "otto", "--role", "operator"]).status.success());
    let page = otto.get("/runs").await;
    assert_eq!(page.status, 200);
    let new = cookie(&page).expect("another cookie");
    assert_ne!(new, otto.cookie);
    let late = otto.get("/runs").await;
    assert_eq!((late.status.as_u16(), cookie(&late)), (200, None), "what was under way arrives, and gets no cookie");
    assert_eq!(otto.post("/recommendations/none", &[]).await.status, 403, "by the old one they only look, as before");
    let otto = Browser { cookie: new, ..otto };
    assert!(signed_in(&otto).await);
    assert_ne!(otto.post("/recommendations/none", &[]).await.status, 403);
    assert_eq!(ids(&otto).await.len(), 1, "it is the same session");
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away_as_browsers_demand_it() {
    let console = Console::start();
    let browser = console.browser().await;
    let out = browser.post("/logout", &[]).await;
    assert_eq!(out.status, 303);
    let line = out.headers["set-cookie"].to_str().unwrap();
    // A cookie of such a name is ignored without these, also one that takes it away.
    for part in ["__Host-kubernaut=;", "Secure", "Path=/", "Max-Age=0"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!signed_in(&browser).await, "and its value is worth nothing");
    let rows = console.token("auda", "auditor").get("/api/v1/audit?action=account.sign_out").await.expect(200);
    assert_eq!(rows["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old_by_the_databases_clock() {
    if std::env::var("TEST_POSTGRES_URL").is_err() {
        assert!(std::env::var("CI").is_err(), "TEST_POSTGRES_URL must be set in CI");
        return;
    }
    let console = Console::start_with(Database::Postgres, &["--session-idle", "10m", "--session-max-age", "1h"]);
    let age = |column: &str, minutes: i64| {
        console.sql(&format!("UPDATE sessions SET {column} = {column} - {}", minutes * 60_000));
    };
    let browser = console.browser().await;
    age("used_at", 9);
    assert!(signed_in(&browser).await);
    age("used_at", 11);
    assert!(!signed_in(&browser).await, "idle");
    let browser = console.browser().await;
    age("began_at", 59);
    assert!(signed_in(&browser).await);
    age("began_at", 2);
    assert!(!signed_in(&browser).await, "old, though it is used");
    let answer = browser.get("/api/v1/executions").await;
    assert_eq!(answer.status, 401);
    assert!(console.browser_of("admin", ADMIN_PASSWORD).await.is_some());
}
