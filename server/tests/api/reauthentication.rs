//! An approval of high risk by a browser: what it acts on was typed, and whoever approves signed in not long ago, as does who puts a
//! policy in force. Whatever form or program it comes by; and nothing of what was sent is lost on the way.

use crate::policies::{drafted, one_rule};
use crate::support::{ADMIN_PASSWORD, Answer, Browser, Console, Database, recommendation, seed};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A console on PostgreSQL, where a test can let time pass; none where there is none (never so in CI).
fn console() -> Option<Console> {
    Console::start_on(Database::Postgres)
}

/// All sign-ins were this long ago.
fn minutes_pass(console: &Console, minutes: i64) {
    console.sql(&format!("UPDATE sessions SET authenticated_at = authenticated_at - {}", minutes * 60_000));
}

async fn proposed(console: &Console, incidents: &[(&str, &str)]) -> Vec<String> {
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let mut ids = Vec::new();
    for (incident, risk) in incidents {
        let mut said = recommendation(incident);
        said["strategies"][0]["estimated_risk"] = json!(risk);
        let taken = model.post("/api/v1/recommendations", &said).await.expect(201);
        ids.push(taken["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Name and value of each hidden field of a page, of those forms that lead there.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let forms = page.split("<form").filter(|form| form.contains(&format!("action=\"{action}\"")));
    let inputs = forms.flat_map(|form| {
        form.split("</form>").next().unwrap_or_default().split("<input type=\"hidden\" ").skip(1).map(str::to_owned)
    });
    let part = |input: &str, name: &str| {
        let (_, rest) = input.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name} in {input}"));
        rest.split_once('"').unwrap().0.to_owned()
    };
    inputs.map(|input| (part(&input, "name"), part(&input, "value"))).collect()
}

async fn send(browser: &Browser<'_>, to: &str, fields: &[(String, String)], more: &[(&str, &str)]) -> Answer {
    let own = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
    browser.post(to, &all).await
}

/// The browser with the cookie that the answer sets.
fn renewed<'c>(browser: Browser<'c>, answer: &Answer) -> Browser<'c> {
    let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(cookie, browser.cookie, "proof brings another cookie");
    Browser { cookie, ..browser }
}

async fn state(console: &Console, id: &str) -> Value {
    static NTH: AtomicU32 = AtomicU32::new(0);
    let viewer = console.token(&format!("viewer-{}", NTH.fetch_add(1, Ordering::Relaxed)), "viewer");
    viewer.get(&format!("/api/v1/recommendations/{id}")).await.expect(200)["decisions"].clone()
}

#[tokio::test]
async fn after_a_while_the_password_is_asked_for_and_nothing_of_the_form_is_lost() {
    let Some(console) = console() else { return };
    let ids = proposed(&console, &[("inc-1", "high"), ("inc-2", "low")]).await;
    let browser = console.browser().await;
    minutes_pass(&console, 11);
    let page = format!("/recommendations/{}", ids[0]);
    let fields = hidden(&browser.get(&page).await.text, &page);
    assert_eq!(fields.len(), 2, "strategy and digest: {fields:?}");
    let typed = [("decision", "approve"), ("reason", "the node is full"), ("confirm", "my-app")];
    let asked = send(&browser, &page, &fields, &typed).await;
    assert_eq!(asked.status, 403, "{}", asked.text);
    assert!(
        asked.text.contains("Sign in again to approve") && asked.text.contains("you signed in 11m"),
        "{}",
        asked.text
    );
    assert_eq!(state(&console, &ids[0]).await, json!([]), "nothing is decided");

    let kept = hidden(&asked.text, &page);
    let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["strategy", "ticket_digest", "decision", "reason", "confirm"]);
    assert_eq!(kept[..2], fields[..], "the digest that was read goes along");
    for wrong in ["", "not my password"] {
        let again = send(&browser, &page, &kept, &[("proof_password", wrong)]).await;
        assert_eq!(again.status, 422, "{}", again.text);
        assert_eq!(hidden(&again.text, &page), kept, "nothing is lost");
        assert!(!again.text.contains("value=\"not my password\""), "a password is never sent back");
    }
    assert_eq!(state(&console, &ids[0]).await, json!([]));
    let done = send(&browser, &page, &kept, &[("proof_password", ADMIN_PASSWORD)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let decisions = state(&console, &ids[0]).await;
    assert_eq!(decisions[0]["ticket_digest"].as_str(), Some(fields[1].1.as_str()));
    assert_eq!(decisions[0]["reason"], "the node is full");
    assert_eq!(browser.get("/runs").await.status, 200, "what was under way with the cookie from before arrives");
    let asked = browser.post("/settings/tokens", &[("name", "late"), ("role.operator", "on")]).await;
    assert_eq!(asked.status, 403, "but by it nobody has signed in again: {}", asked.text);
    console.sql("UPDATE sessions SET renewed_at = renewed_at - 10000");
    let old = browser.get("/runs").await;
    assert_eq!(old.status, 303, "soon it is worth nothing");
    let browser = renewed(browser, &done);
    assert_eq!(browser.get("/runs").await.status, 200);
    let rows = console.token("auda", "auditor").get("/api/v1/audit?action=account.sign_in_again").await.expect(200);
    assert_eq!(rows["items"].as_array().unwrap().len(), 1);
    assert!(!rows.to_string().contains(ADMIN_PASSWORD));
    let rows = console.token("audo", "auditor").get("/api/v1/audit?action=account.refuse_proof").await.expect(200);
    let wrong = &rows["items"][0];
    assert_eq!(
        (&wrong["actor"]["name"], &wrong["door"], &wrong["address"]),
        (&json!("admin"), &json!("page"), &json!("127.0.0.1"))
    );
    assert_eq!((rows["items"].as_array().unwrap().len(), rows.to_string().contains("not my password")), (1, false));
    let rows = console.token("auden", "auditor").get("/api/v1/audit?action=refusal.right").await.expect(200);
    assert_eq!(rows["items"], json!([]), "who is asked for the password lacks no right");

    // What is of no high risk asks for nothing.
    minutes_pass(&console, 60);
    let page = format!("/recommendations/{}", ids[1]);
    let fields = hidden(&browser.get(&page).await.text, &page);
    assert_eq!(send(&browser, &page, &fields, &[("decision", "approve")]).await.status, 303);
}

#[tokio::test]
async fn of_several_none_is_decided_before_the_password_is_right() {
    let Some(console) = console() else { return };
    let ids = proposed(&console, &[("inc-1", "low"), ("inc-2", "high")]).await;
    let browser = console.browser().await;
    minutes_pass(&console, 11);
    let review = format!("/approvals/review?id={}&id={}", ids[0], ids[1]);
    let mut fields = hidden(&browser.get(&review).await.text, "/approvals/review");
    fields.extend(ids.iter().map(|id| (format!("take.{id}"), "yes".to_owned())));
    let confirm = format!("confirm.{}", ids[1]);
    let typed = [("decision", "approve"), ("reason", "read both"), (confirm.as_str(), "my-app")];
    let asked = send(&browser, "/approvals/review", &fields, &typed).await;
    assert_eq!(asked.status, 403, "{}", asked.text);
    assert_eq!([state(&console, &ids[0]).await, state(&console, &ids[1]).await], [json!([]), json!([])]);
    let kept = hidden(&asked.text, "/approvals/review");
    let done = send(&browser, "/approvals/review", &kept, &[("proof_password", ADMIN_PASSWORD)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    for id in &ids {
        assert_eq!(state(&console, id).await[0]["reason"], "read both");
    }
    // A rejection weighs nothing.
    let more = proposed_high(&console, "inc-3").await;
    let browser = renewed(browser, &done);
    minutes_pass(&console, 60);
    let page = format!("/recommendations/{more}");
    let fields = hidden(&browser.get(&page).await.text, &page);
    assert_eq!(send(&browser, &page, &fields, &[("decision", "reject"), ("reason", "no")]).await.status, 303);
}

async fn proposed_high(console: &Console, incident: &str) -> String {
    let mut said = recommendation(incident);
    said["strategies"][0]["estimated_risk"] = json!("high");
    let taken = console.token("another-model", "propose").post("/api/v1/recommendations", &said).await.expect(201);
    taken["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_stored_before_its_playbook_said_its_risk_is_confirmed_likewise() {
    let Some(console) = console() else { return };
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    let mut risky = seed("hidden-oomkill-scale-down.json");
    risky["risk"] = json!("high");
    author.post("/api/v1/playbooks", &risky).await.expect(201);
    let mut said = recommendation("inc-1");
    said["strategies"][0]["estimated_risk"] = json!("low");
    let taken = model.post("/api/v1/recommendations", &said).await.expect(201);
    let id = taken["id"].as_str().unwrap();
    console.sql("UPDATE recommendations SET content = (content::jsonb #- '{strategies,0,declared_risk}')::text");
    assert_eq!(console.sql("SELECT count(*) FROM recommendations WHERE content LIKE '%\"declared_risk\"%'"), "0");
    let browser = console.browser().await;
    let page = format!("/recommendations/{id}");
    let text = browser.get(&page).await.text;
    assert!(text.contains("name=\"confirm\""), "{text}");
    let untyped =
        send(&browser, &page, &hidden(&text, &page), &[("decision", "approve"), ("reason", "it is full")]).await;
    assert_eq!(untyped.status, 422, "{}", untyped.text);
    minutes_pass(&console, 11);
    let review = "/approvals/review";
    let mut fields = hidden(&browser.get(&format!("{review}?id={id}")).await.text, review);
    fields.push((format!("take.{id}"), "yes".to_owned()));
    let confirm = format!("confirm.{id}");
    let typed = [("decision", "approve"), ("reason", "it is full"), (confirm.as_str(), "my-app")];
    let asked = send(&browser, review, &fields, &typed).await;
    assert_eq!(asked.status, 403, "{}", asked.text);
    assert_eq!(state(&console, id).await, json!([]));
}

#[tokio::test]
async fn the_wire_asks_the_same_of_a_session_and_neither_of_a_token() {
    let Some(console) = console() else { return };
    let ids = proposed(&console, &[("inc-1", "high")]).await;
    let path = format!("/api/v1/recommendations/{}", ids[0]);
    let operator = console.token("operator", "operator");
    let ticket = operator.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let browser = console.browser().await;
    let approve = |confirm: Option<&str>| {
        let mut body = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
        if let Some(word) = confirm {
            body["confirm"] = json!(word);
        }
        let request = browser.client.request(Method::POST, format!("{}{path}/decisions", console.url)).json(&body);
        browser.send(request)
    };
    for wrong in [None, Some("my-ap")] {
        assert_eq!(approve(wrong).await.faults(), [("/confirm".into(), "mismatch".into())], "{wrong:?}");
    }
    minutes_pass(&console, 11);
    let refused = approve(Some("my-app")).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(refused.json["type"], "urn:kubernaut:problem:sign-in-again");
    assert_eq!(state(&console, &ids[0]).await, json!([]));
    let body = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    operator.post(&format!("{path}/decisions"), &body).await.expect(200);
}

#[tokio::test]
async fn a_policy_is_put_in_force_by_who_proved_not_long_ago_who_they_are() {
    let Some(console) = console() else { return };
    let admin = console.token("admin", "admin");
    let version = drafted(&admin, &one_rule("approvals: 2")).await;
    let standing = async || admin.get(&version).await.expect(200)["state"].clone();
    let browser = console.browser().await;
    minutes_pass(&console, 11);
    let (page, form) = ("/settings/policies/2", "/settings/policies/2/activate");
    let asked = browser.post(form, &[("reason", "agreed in the review")]).await;
    assert_eq!(asked.status, 403, "{}", asked.text);
    for part in ["Sign in again to put a policy in force", "Version 2 of the policy", &format!("href=\"{page}\"")] {
        assert!(asked.text.replace("<!>", "").contains(part), "{part} in {}", asked.text);
    }
    let body = json!({ "reason": "agreed in the review" });
    let by_wire = browser.client.request(Method::POST, format!("{}{version}/activate", console.url)).json(&body);
    assert_eq!(browser.send(by_wire).await.json["type"], "urn:kubernaut:problem:sign-in-again");
    assert_eq!(standing().await, "draft", "nothing is in force yet");
    let kept = hidden(&asked.text, form);
    assert_eq!(kept, [("reason".to_owned(), "agreed in the review".to_owned())]);
    let done = send(&browser, form, &kept, &[("proof_password", ADMIN_PASSWORD)]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(standing().await, "active");

    // Nobody sits at a token.
    let next = drafted(&admin, &one_rule("approvals: 1")).await;
    minutes_pass(&console, 60);
    admin.post(&format!("{next}/activate"), &body).await.expect(200);
}

#[tokio::test]
async fn a_session_that_was_found_open_makes_nothing_that_lasts() {
    let Some(console) = console() else { return };
    let browser = console.browser().await;
    let accounts = "/settings/accounts";
    let vera = [("name", "vera"), ("role.viewer", "on"), ("password", "correct horse battery")];
    assert_eq!(browser.post(accounts, &vera).await.status, 303, "signed in just now");
    let id = console.sql("SELECT id FROM users WHERE name = 'vera'");
    minutes_pass(&console, 11);
    let of = |act: &str| format!("{accounts}/{id}/{act}");
    let (roles, password, disable, enable) = (of("roles"), of("password"), of("disable"), of("enable"));
    let sessions = of("sessions");
    for (to, form) in [
        (accounts, vec![("name", "otto"), ("role.admin", "on")]),
        (roles.as_str(), vec![("role.admin", "on")]),
        (password.as_str(), vec![]),
        (disable.as_str(), vec![]),
        (enable.as_str(), vec![]),
        (sessions.as_str(), vec![]),
        ("/settings/tokens", vec![("name", "t"), ("role.operator", "on")]),
        ("/settings/tokens", vec![("name", "t"), ("role.admin", "on")]),
    ] {
        let asked = browser.post(to, &form).await;
        assert_eq!(asked.status, 403, "{to}: {}", asked.text);
        assert!(asked.text.contains("Sign in again to change who may decide"), "{to}: {}", asked.text);
    }
    assert_eq!(console.sql("SELECT count(*) FROM users"), "2");
    assert_eq!(console.sql("SELECT count(*) FROM tokens"), "0");
    assert_eq!(console.sql("SELECT roles FROM users WHERE name = 'vera'"), "[\"viewer\"]");
    let reads = browser.post("/settings/tokens", &[("name", "reads"), ("role.viewer", "on")]).await;
    assert_eq!(reads.status, 201, "what only reads asks for nothing: {}", reads.text);

    // The form goes on with the password; the one of the account is typed once more.
    let form = [("name", "otto"), ("role.viewer", "on"), ("password", "another long password")];
    let asked = browser.post(accounts, &form).await;
    assert!(!asked.text.contains("another long password"), "a password is never sent back");
    let kept = hidden(&asked.text, accounts);
    let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["name", "role.viewer"]);
    let typed = [("proof_password", ADMIN_PASSWORD), ("password", "another long password")];
    let done = send(&browser, accounts, &kept, &typed).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(console.browser_of("otto", "another long password").await.is_some());
    let browser = renewed(browser, &done);
    let made = browser.post("/settings/tokens", &[("name", "t"), ("role.operator", "on")]).await;
    assert_eq!(made.status, 201, "that holds for a while: {}", made.text);
}

#[tokio::test]
async fn the_page_of_the_password_is_nowhere_by_itself() {
    let console = Console::start();
    let browser = console.browser().await;
    assert_eq!(browser.get("/sign-in-again").await.status, 404);
}
