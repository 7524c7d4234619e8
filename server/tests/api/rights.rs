//! The table of rights in `docs/authorisation.md`: it is what the routes declare, and every line of it is true. The routes come from
//! the binary itself, so that none is left out.

use crate::{
    mcp,
    support::{Browser, Caller, Console, console_command, seed},
};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/authorisation.md");
const BEGIN: &str = "<!-- written by `make authorisation` -->\n\n";
const END: &str = "\n<!-- the end of what is written -->\n";
/// What ends the session that it is sent with: it is tried last.
const ENDS_THE_SESSION: [&str; 1] = ["/logout"];
const PEOPLE: [&str; 5] = ["viewer", "operator", "author", "auditor", "admin"];

/// The table, as the binary prints it.
fn declared() -> String {
    let data = tempfile::tempdir().unwrap();
    let output = console_command(data.path(), None).arg("routes").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A line of the table.
#[derive(Debug)]
pub struct Line {
    pub method: Method,
    pub path: String,
    /// The right that it takes, where it takes one.
    right: Option<String>,
    /// What each may: a column's head and its cell.
    cells: Vec<(String, String)>,
}

/// Every route there is.
pub fn lines() -> Vec<Line> {
    let table = declared();
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let heads = cells(table.lines().next().unwrap());
    let lines = table.lines().skip(2).map(|line| {
        let row = cells(line);
        assert_eq!(row.len(), heads.len(), "{line}");
        Line {
            method: row[0].parse().unwrap(),
            path: row[1].clone(),
            right: Some(row[2].clone()).filter(|right| right.contains(':')),
            cells: heads[3..].iter().cloned().zip(row[3..].iter().cloned()).collect(),
        }
    });
    lines.collect()
}

#[test]
fn the_document_has_every_route_as_it_is_declared() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("where the table begins");
    let (said, after) = rest.split_once(END).expect("where it ends");
    let declared = declared();
    if said == declared {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(DOCUMENT, format!("{before}{BEGIN}{declared}{END}{after}")).unwrap();
        return;
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (declared, said) = (lines(&declared), lines(said));
    let new = declared.difference(&said).map(|line| format!("+ {line}\n")).collect::<Vec<_>>().concat();
    let old = said.difference(&declared).map(|line| format!("- {line}\n")).collect::<Vec<_>>().concat();
    panic!(
        "docs/authorisation.md is not what the routes declare: run `make authorisation`, and read what it changed.\n{old}{new}"
    );
}

/// Who sends a request, and with what.
enum With {
    Nothing,
    Token(String),
    Session(String),
}

/// What came of it, as far as rights go.
struct Came {
    status: u16,
    headers: HeaderMap,
    /// The problem; null where it is none.
    problem: Value,
}

impl Came {
    fn is(&self, kind: &str) -> bool {
        self.problem["type"].as_str().is_some_and(|known| known.ends_with(kind))
    }
}

async fn fire(request: RequestBuilder, url: &str, with: &With) -> Came {
    let request = request.header("accept", "application/json");
    let request = match with {
        With::Nothing => request,
        With::Token(secret) => request.bearer_auth(secret),
        With::Session(cookie) => request.header("cookie", cookie).header("origin", url),
    };
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    // What goes well may be a stream without an end.
    let problem = headers.get("content-type").is_some_and(|is| is == "application/problem+json");
    let problem = if problem { answer.json().await.unwrap() } else { Value::Null };
    Came { status, headers, problem }
}

/// A request to this route, about an object that is not there.
fn request(client: &Client, url: &str, line: &Line) -> RequestBuilder {
    let path = line.path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    let request = client.request(line.method.clone(), format!("{url}{}", path.collect::<Vec<_>>().join("/")));
    match line.method {
        Method::GET => request,
        _ if line.path.starts_with("/mcp") => {
            mcp::sent(request, &mcp::call(line.path.trim_start_matches("/mcp#"), &json!({})))
        }
        _ if line.path.starts_with("/api/") => request.json(&json!({})),
        _ => request.form(&[("nothing", "")]),
    }
}

/// Whether what came is what the cell says.
fn is_true(line: &Line, who: &str, cell: &str, came: &Came) -> bool {
    let admitted = !came.is(":unauthenticated") && !came.is(":missing-right");
    match cell {
        // The route is there and answers, whatever it says of an object that is not.
        "yes" | "others'" => admitted && came.status < 500 && !matches!(came.status, 403 | 405),
        "own" => admitted,
        "sign-in" => {
            let to = came.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            came.status == 303 && to.starts_with("/login")
        }
        "no" if who == "nobody" => {
            came.status == 401 && came.problem["request_id"].as_str().is_some_and(|id| !id.is_empty())
        }
        "no" => {
            // A tool stands behind the right of its route as well.
            let of_route = line.path.contains('#') && came.problem["required_right"] == "catalog:search";
            let right = line.right.as_deref();
            came.status == 403 && (of_route || right.is_none_or(|right| came.problem["required_right"] == right))
        }
        other => panic!("nobody knows what \"{other}\" means"),
    }
}

#[tokio::test]
async fn every_line_is_true() {
    let console = Console::start();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut lines = lines();
    lines.sort_by_key(|line| ENDS_THE_SESSION.contains(&line.path.as_str()));
    let mut callers = vec![("nobody", With::Nothing)];
    for (role, _) in lines[0].cells.iter().filter(|(head, _)| head != "nobody") {
        callers.push((role.as_str(), With::Token(console.token(role, role).secret.unwrap())));
    }
    for role in PEOPLE {
        let name = format!("person-{role}");
        callers.push((role, With::Session(console.person(&name, role).await.cookie)));
    }
    assert_eq!(callers.len(), 1 + 7 + 5);
    let mut wrong = Vec::new();
    for (who, with) in &callers {
        for line in &lines {
            let (_, cell) = line.cells.iter().find(|(head, _)| head == who).unwrap();
            let came = fire(request(&client, &console.url, line), &console.url, with).await;
            if !is_true(line, who, cell, &came) {
                let by = if matches!(with, With::Session(_)) { "signed in" } else { "with a token" };
                let problem = &came.problem;
                wrong.push(format!(
                    "{} {}: {who} {by}: \"{cell}\", but {} {problem}",
                    line.method, line.path, came.status
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the table's cells are not true:\n{}", wrong.len(), wrong.join("\n"));
}

// --- whose it is ------------------------------------------------------------------------------------------------------

/// The routes where it matters whose the object is, each with the test below that tries it.
const WHOSE: [(&str, &str); 10] = [
    ("GET", "/settings/sessions"),
    ("POST", "/settings/sessions/{id}/end"),
    ("POST", "/settings/sessions/end-others"),
    ("GET", "/settings/tokens"),
    ("POST", "/settings/tokens"),
    ("POST", "/settings/tokens/{id}/revoke"),
    ("POST", "/settings/password"),
    ("POST", "/api/v1/recommendations/{id}/decisions"),
    ("POST", "/approvals/review"),
    ("POST", "/recommendations/{id}"),
];

#[test]
fn whose_it_is_is_tried_wherever_it_matters() {
    let lines = lines();
    let matters = |line: &&Line| line.cells.iter().any(|(_, cell)| cell == "own" || cell == "others'");
    let declared: BTreeSet<(&str, &str)> =
        lines.iter().filter(matters).map(|line| (line.method.as_str(), line.path.as_str())).collect();
    assert_eq!(
        declared,
        BTreeSet::from(WHOSE),
        "try each of these with one's own and with somebody else's, and name it here"
    );
}

/// The id of a live token, as the command line lists it.
fn token_id(console: &Console, name: &str) -> String {
    let listed = String::from_utf8(console.command(&["token", "list"]).stdout).unwrap();
    let of_name = |line: &&str| line.split('\t').nth(1) == Some(name);
    listed.lines().find(of_name).and_then(|line| line.split('\t').next()).expect("it is listed").to_owned()
}

#[tokio::test]
async fn tokens_are_ones_own_but_for_who_may_change_accounts() {
    let console = Console::start();
    let (otto, vera) = (console.person("otto", "operator").await, console.person("vera", "viewer").await);
    let (auda, admin) = (console.person("auda", "auditor").await, console.browser().await);
    for name in ["ottos-one", "ottos-two"] {
        let made = otto.post("/settings/tokens", &[("name", name), ("role.operator", "on")]).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let seen = async |by: &Browser<'_>| by.get("/settings/tokens").await.text.contains("ottos-one");
    assert!(seen(&otto).await && !seen(&vera).await, "one's own");
    assert!(seen(&auda).await && seen(&admin).await, "everybody's");

    let path = |name: &str| format!("/settings/tokens/{}/revoke", token_id(&console, name));
    let (first, second) = (path("ottos-one"), path("ottos-two"));
    assert_eq!(vera.post(&first, &[]).await.status, 404, "what one may not see is not there");
    assert_eq!(auda.post(&first, &[]).await.status, 403, "who sees it may not end it");
    assert_eq!(otto.post(&first, &[]).await.status, 303);
    assert_eq!(admin.post(&second, &[]).await.status, 303);

    let machines = [("name", "machine"), ("role.propose", "on"), ("owner", "nobody")];
    for by in [&otto, &vera, &auda] {
        assert_eq!(by.post("/settings/tokens", &machines).await.status, 403, "nobody's token");
    }
    assert_eq!(admin.post("/settings/tokens", &machines).await.status, 201);
}

#[tokio::test]
async fn a_password_is_ones_own_as_a_person() {
    let console = Console::start();
    let output = console.command(&["user", "create", "--name", "vera", "--role", "viewer"]);
    let old = String::from_utf8(output.stdout).unwrap();
    let vera = console.browser_of("vera", old.trim()).await.unwrap();
    let output = console.command(&["token", "create", "--name", "veras", "--role", "viewer", "--owner", "vera"]);
    let token = Caller { console: &console, secret: Some(String::from_utf8(output.stdout).unwrap().trim().to_owned()) };
    let new = "a password of her own";
    let form = [("old_password", old.trim()), ("new_password", new), ("again", new)];
    let by_token = token.request(Method::POST, "/settings/password").form(&form);
    assert_eq!(token.send(by_token).await.status, 403, "her token is not she");
    assert_eq!(vera.post("/settings/password", &form).await.status, 303);
    assert!(console.browser_of("vera", new).await.is_some());
}

/// The ids of the sessions that somebody's page lists.
async fn session_ids(by: &Browser<'_>) -> BTreeSet<String> {
    let page = by.get("/settings/sessions").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let forms = page.text.split("/settings/sessions/session:").skip(1);
    forms.filter_map(|rest| rest.split_once("/end").map(|(id, _)| format!("session:{id}"))).collect()
}

#[tokio::test]
async fn sessions_are_ones_own_as_a_person() {
    let console = Console::start();
    let made = console.command(&["user", "create", "--name", "otto", "--role", "operator"]);
    let password = String::from_utf8(made.stdout).unwrap();
    let here = console.browser_of("otto", password.trim()).await.unwrap();
    let there = console.browser_of("otto", password.trim()).await.unwrap();
    let (vera, admin) = (console.person("vera", "viewer").await, console.browser().await);
    let output = console.command(&["token", "create", "--name", "ottos", "--role", "operator", "--owner", "otto"]);
    let token = Caller { console: &console, secret: Some(String::from_utf8(output.stdout).unwrap().trim().to_owned()) };

    let ottos = session_ids(&here).await;
    assert_eq!(ottos.len(), 2);
    for by in [&vera, &admin] {
        assert!(session_ids(by).await.is_disjoint(&ottos), "one's own");
        for id in &ottos {
            assert_eq!(by.post(&format!("/settings/sessions/{id}/end"), &[]).await.status, 404, "it is not there");
        }
        assert_eq!(by.post("/settings/sessions/end-others", &[]).await.status, 303, "of one's own");
    }
    let first = format!("/settings/sessions/{}/end", ottos.first().unwrap());
    assert_eq!(token.get("/settings/sessions").await.status, 403, "his token is not he");
    for path in [first.as_str(), "/settings/sessions/end-others"] {
        let by_token = token.request(Method::POST, path).form(&[("nothing", "")]);
        assert_eq!(token.send(by_token).await.status, 403, "{path}");
    }
    assert_eq!(session_ids(&here).await, ottos, "all of that ended none of them");
    assert_eq!(here.post("/settings/sessions/end-others", &[]).await.status, 303);
    assert_eq!(session_ids(&here).await.len(), 1);
    assert_eq!(there.get("/runs").await.status, 303);
}

/// What one proposes by hand, and the digest of the ticket that the other makes of it.
async fn proposed(by: &Browser<'_>, other: &Browser<'_>) -> (String, String) {
    let url = |path: &str| format!("{}{path}", by.console.url);
    let spec = seed("workflow-execution-spec.json");
    let proposal = by.send(by.client.post(url("/api/v1/executions")).json(&spec)).await.expect(201);
    let id = proposal["id"].as_str().unwrap().to_owned();
    let tickets = url(&format!("/api/v1/recommendations/{id}/tickets"));
    let ticket = other.send(other.client.post(tickets).json(&json!({}))).await.expect(201);
    (id, ticket["digest"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn nobody_approves_their_own_by_whichever_door() {
    let console = Console::start();
    let (one, two) = (console.person("one", "operator").await, console.person("two", "operator").await);
    let state = async |id: &str| {
        let read = two.get(&format!("/api/v1/recommendations/{id}")).await.expect(200);
        read["state"].as_str().unwrap().to_owned()
    };

    let (id, digest) = proposed(&one, &two).await;
    let path = format!("{}/api/v1/recommendations/{id}/decisions", console.url);
    let approve = json!({ "decision": "approve", "ticket_digest": digest });
    assert_eq!(one.send(one.client.post(&path).json(&approve)).await.status, 403);
    let output = console.command(&["token", "create", "--name", "ones", "--role", "operator", "--owner", "one"]);
    let ones = String::from_utf8(output.stdout).unwrap();
    let by_token = console.client.post(&path).bearer_auth(ones.trim()).json(&approve);
    assert_eq!(by_token.send().await.unwrap().status(), 403, "their token is they");
    assert_eq!(state(&id).await, "open");
    assert_eq!(two.send(two.client.post(&path).json(&approve)).await.status, 200);

    let (id, digest) = proposed(&one, &two).await;
    let form = [("decision", "approve"), ("strategy", "0"), ("ticket_digest", digest.as_str()), ("reason", "read")];
    let page = format!("/recommendations/{id}");
    assert_eq!(one.post(&page, &form).await.status, 403);
    assert_eq!(state(&id).await, "open");
    assert_eq!(two.post(&page, &form).await.status, 303);

    let (id, digest) = proposed(&one, &two).await;
    let names = ["item", "strategy", "ticket", "take"].map(|name| format!("{name}.{id}"));
    let values = [id.as_str(), "0", digest.as_str(), "yes"];
    let mut form: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    form.push(("decision", "approve"));
    assert_eq!(one.post("/approvals/review", &form).await.status, 409, "of several, each says what it came to");
    assert_eq!(state(&id).await, "open");
    assert_eq!(two.post("/approvals/review", &form).await.status, 303);
    assert_eq!(state(&id).await, "decided");
}
