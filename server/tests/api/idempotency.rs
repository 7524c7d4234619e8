//! A request that is sent twice has one effect, whatever happens in between.

use crate::support::{Answer, Caller, Console, Database, cookie, recommendation, seed};
use reqwest::{Method, header::HeaderMap};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

async fn with_key(caller: &Caller<'_>, path: &str, key: &[u8], body: &serde_json::Value) -> Answer {
    caller.send(caller.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_and_nothing_done() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    for key in ["schlüssel".as_bytes(), &[b'x'; 256], b""] {
        let answer = with_key(&admin, "/api/v1/recommendations", key, &recommendation("inc-1")).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let mut twice = HeaderMap::new();
    twice.append("idempotency-key", "a".parse().unwrap());
    twice.append("idempotency-key", "b".parse().unwrap());
    let request = admin.request(Method::POST, "/api/v1/recommendations").headers(twice);
    assert_eq!(admin.send(request.json(&recommendation("inc-1"))).await.status, 400);
    assert_eq!(admin.get("/api/v1/recommendations").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_repeated_answer_needs_the_right_and_a_refusal_is_not_remembered() {
    let console = Console::start();
    let mut person = console.browser().await;
    let mut send_as = async |role: &str| {
        assert!(console.command(&["user", "set-role", "admin", "--role", role]).status.success());
        // Another role, another cookie.
        person.cookie = cookie(&person.get("/runs").await).expect("another cookie");
        let request = person.client.post(format!("{}/api/v1/playbooks", console.url)).header("idempotency-key", "k1");
        person.send(request.json(&seed("oomkill-scale-down.json"))).await
    };
    assert_eq!(send_as("viewer").await.status, 403);
    let first = send_as("author").await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(send_as("viewer").await.status, 403, "a first answer is for those who may have it");
    let again = send_as("author").await;
    assert_eq!((again.status.as_u16(), again.text), (201, first.text));
}

#[tokio::test]
async fn a_refusal_by_the_rules_is_repeated_word_for_word() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let path = "/api/v1/playbooks";
    let first = with_key(&admin, path, b"k1", &json!({})).await;
    let again = with_key(&admin, path, b"k1", &json!({})).await;
    assert_eq!((first.status.as_u16(), &first.text), (422, &again.text));
    assert_eq!(again.headers["content-type"], "application/problem+json");
    assert!(!again.faults().is_empty(), "{}", again.text);
}

/// Waits until a session of the console's database is so.
async fn a_session_is(console: &Console, so: &str) {
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {so}");
    for _ in 0..600 {
        if console.sql(&count) != "0" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no session ever was: {so}");
}

#[tokio::test]
async fn who_hangs_up_finds_the_answer_later() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let admin = console.token("admin", "admin");
    // Whoever takes in a recommendation must wait for this lock.
    let url = console.database_url.clone().unwrap();
    let mut holder = Command::new("psql").args([&url, "-q"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut orders = holder.stdin.take().unwrap();
    writeln!(orders, "BEGIN; UPDATE counters SET value = value WHERE name = 'intake lock';").unwrap();
    a_session_is(&console, "state = 'idle in transaction' AND query LIKE 'UPDATE%intake lock%'").await;

    let body = recommendation("inc-1").to_string();
    let host = console.url.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(host).unwrap();
    let secret = admin.secret.as_ref().unwrap();
    write!(
        socket,
        "POST /api/v1/recommendations HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {secret}\r\n\
         idempotency-key: k1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    a_session_is(&console, "wait_event_type = 'Lock'").await;
    // That the console hangs up as well says that it has noticed.
    socket.shutdown(Shutdown::Write).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut heard = Vec::new();
    socket.read_to_end(&mut heard).unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), "", "nothing was answered yet");
    writeln!(orders, "COMMIT;").unwrap();
    drop(orders);
    assert!(holder.wait().unwrap().success());

    let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut answer = None;
    for _ in 0..600 {
        let request = admin.request(Method::POST, "/api/v1/recommendations").header("idempotency-key", "k1");
        let tried = admin.send(request.header("content-type", "application/json").body(sent.to_string())).await;
        if tried.status == 201 {
            answer = Some(tried);
            break;
        }
        assert_eq!(tried.status, 409, "{}", tried.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = answer.expect("the answer to the first request");
    let all = admin.get("/api/v1/recommendations").await.expect(200);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["items"][0]["id"]), (1, &answer.json["id"]));
}

#[tokio::test]
async fn what_was_done_is_said_even_if_it_cannot_be_kept_and_never_done_twice() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let admin = console.token("admin", "admin");
    console.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$; \
         CREATE TRIGGER refuse BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let path = "/api/v1/recommendations";
    let first = with_key(&admin, path, b"k1", &recommendation("inc-1")).await;
    assert_eq!(first.status, 201, "it was done: {}", first.text);
    console.sql("DROP TRIGGER refuse ON idempotency_keys");

    let soon = with_key(&admin, path, b"k1", &recommendation("inc-1")).await;
    assert_eq!(soon.status, 409, "{}", soon.text);
    console.sql("UPDATE idempotency_keys SET taken_at = taken_at - 600000");
    let later = with_key(&admin, path, b"k1", &recommendation("inc-1")).await;
    assert_eq!(later.status, 409, "{}", later.text);
    let detail = later.json["detail"].as_str().unwrap();
    assert!(detail.contains("unknown") && detail.contains(path), "{detail}");
    assert_eq!(admin.get(path).await.expect(200)["items"].as_array().unwrap().len(), 1);
}
