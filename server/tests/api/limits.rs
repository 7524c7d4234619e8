//! What a request may be, and what becomes of one that is too large, too slow, packed, or meant for somebody else; and of too many.

use crate::support::{ADMIN_PASSWORD, Console, Database};
use futures::{StreamExt as _, stream};
use reqwest::Method;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

fn connection(console: &Console) -> TcpStream {
    let socket = TcpStream::connect(console.url.strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    socket
}

/// Sends this and reads until the console closes.
fn sent(console: &Console, text: &str) -> String {
    let mut socket = connection(console);
    // Who is refused early may not be let finish.
    let _ = socket.write_all(text.as_bytes());
    let mut heard = Vec::new();
    let _ = socket.read_to_end(&mut heard);
    String::from_utf8_lossy(&heard).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

#[test]
fn a_head_has_its_bounds() {
    let console = Console::start();
    let head = |more: &str| format!("GET /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    assert_eq!(status(&sent(&console, &head(&"a: b\r\n".repeat(90)))), 200);
    assert_eq!(status(&sent(&console, &head(&"a: b\r\n".repeat(200)))), 431, "many headers");
    assert_eq!(status(&sent(&console, &head(&format!("a: {}\r\n", "b".repeat(70 << 10))))), 431, "a long header");
    let long = format!("GET /login?{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "x".repeat(40 << 10));
    let answer = sent(&console, &long);
    assert_eq!(status(&answer), 414);
    assert!(answer.contains("application/problem+json") && answer.contains("too-long-address"), "{answer}");
}

#[test]
fn what_is_no_http_gets_a_bare_refusal_and_no_more() {
    let console = Console::start();
    // It is refused before any part of the console is asked, so there is no body and no request id.
    for garbage in ["GET / HTTP/1.1\r\nno header\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n"] {
        let answer = sent(&console, garbage);
        assert_eq!(status(&answer), 400, "{garbage:?}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[test]
fn a_body_that_comes_a_byte_at_a_time_is_not_waited_for() {
    let console = Console::start();
    let began = Instant::now();
    let mut socket = connection(&console);
    write!(
        socket,
        "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 100000\r\n\r\n"
    )
    .unwrap();
    let mut writing = socket.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        while writing.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    let mut heard = Vec::new();
    let _ = socket.read_to_end(&mut heard);
    let took = began.elapsed();
    assert_eq!(status(&String::from_utf8_lossy(&heard)), 408);
    assert!((Duration::from_secs(25)..Duration::from_secs(50)).contains(&took), "{took:?}");
    writer.join().unwrap();
}

#[tokio::test]
async fn a_packed_body_is_not_unpacked() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    for coding in ["gzip", "br", "deflate", "identity, gzip"] {
        let packed = |path: &str, media_type: &'static str| {
            let request = admin.request(Method::POST, path).header("content-type", media_type);
            request.header("content-encoding", coding).body("x")
        };
        for path in ["/api/v1/playbooks", "/api/v1/executions/x/cancel"] {
            let answer = admin.send(packed(path, "application/json")).await;
            assert_eq!(answer.status, 415, "{coding} {path}: {}", answer.text);
            assert!(answer.text.contains("Content-Encoding"), "{}", answer.text);
        }
        let form = admin.send(packed("/catalog/new", "application/x-www-form-urlencoded")).await;
        assert_eq!(form.status, 415, "{coding}: {}", form.text);
    }
    let plain = admin.request(Method::POST, "/api/v1/playbooks").header("content-encoding", "identity");
    assert_eq!(admin.send(plain.json(&1)).await.status, 422, "as it is");
}

#[tokio::test]
async fn a_form_with_nul_is_refused_and_nothing_stands_in_its_place() {
    let console = Console::start();
    let browser = console.browser().await;
    for (path, body) in [
        ("/settings/accounts", "name=ve%00ra&role.viewer=on"),
        ("/settings/accounts", "na%00me=vera&role.viewer=on"),
        ("/runs/x/cancel", "reason=a%00b"),
        ("/catalog/new", "workflow_id=a%00"),
    ] {
        let request = browser.client.post(format!("{}{path}", console.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert!(answer.text.contains("NUL"), "{}", answer.text);
    }
    let listed = String::from_utf8(console.command(&["user", "list"]).stdout).unwrap();
    assert_eq!(listed.lines().count(), 1, "nobody was made: {listed}");
}

#[test]
fn one_address_has_its_share_of_connections() {
    let console = Console::start_with(Database::Sqlite, &["--connections-per-address", "3"]);
    let alive = |socket: &mut TcpStream| {
        let _ = socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let mut heard = [0; 12];
        socket.read_exact(&mut heard).is_ok_and(|()| &heard == b"HTTP/1.1 200")
    };
    let mut held: Vec<TcpStream> = (0..3).map(|_| connection(&console)).collect();
    assert!(held.iter_mut().all(alive));
    assert!(!alive(&mut connection(&console)), "a fourth is closed");
    held.pop();
    let until = Instant::now() + Duration::from_secs(10);
    while !alive(&mut connection(&console)) {
        assert!(Instant::now() < until, "the place of one that is gone is free again");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn who_does_not_say_who_they_are_may_not_knock_without_end() {
    let console = Console::start();
    let knock = |n: usize| {
        let request = console.client.get(format!("{}/api/v1/executions", console.url));
        let request = if n.is_multiple_of(2) { request.bearer_auth("kbn_wrong") } else { request };
        async move { request.send().await.unwrap() }
    };
    let mut knocking = stream::iter((0..4000).map(knock)).buffer_unordered(40);
    let mut refused = None;
    while let Some(answer) = knocking.next().await {
        match answer.status().as_u16() {
            401 => {}
            429 => refused = Some(answer),
            other => panic!("{other}"),
        }
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("200 a second");
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    let admin = console.token("admin", "admin");
    admin.get("/api/v1/executions").await.expect(200);
}

#[tokio::test]
async fn only_what_is_meant_for_this_console_is_answered() {
    let console = Console::start_with(
        Database::Sqlite,
        &["--public-url", "https://console.example", "--allowed-hosts", "console.ns.svc,console.ns"],
    );
    let port = console.url.rsplit_once(':').unwrap().1;
    let ask = |host: &str, path: &str| {
        let request = console.client.get(format!("{}{path}", console.url)).header("host", host);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    for good in ["console.example", "Console.Example:443", "console.ns.svc", "console.ns:80", "localhost:4000", "[::1]"]
    {
        assert_eq!(ask(good, "/login").await, 200, "{good}");
    }
    for bad in
        ["evil.example", "console.example.evil.example", "evil.example:443", &format!("10.0.0.1:{port}"), "a@localhost"]
    {
        assert_eq!(ask(bad, "/login").await, 421, "{bad}");
        assert_eq!(ask(bad, "/api/v1/executions").await, 421, "{bad}");
        assert_eq!(ask(bad, "/healthz").await, 200, "a kubelet asks by the pod's address");
    }
    let both = "GET /login HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&sent(&console, both)), 400);
    assert_eq!(status(&sent(&console, "GET /login HTTP/1.1\r\nconnection: close\r\n\r\n")), 400, "none at all");
    let whole = "GET http://evil.example/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&sent(&console, whole)), 421);
}

#[tokio::test]
async fn what_a_proxy_says_counts_for_nothing_unless_it_is_trusted() {
    let console = Console::start();
    let forwarded = |n: u32| {
        [
            ("x-forwarded-for", format!("192.0.2.{n}")),
            ("x-real-ip", format!("192.0.2.{n}")),
            ("forwarded", format!("for=192.0.2.{n};host=evil.example;proto=https")),
            ("x-forwarded-host", "evil.example".to_owned()),
            ("x-forwarded-proto", "https".to_owned()),
        ]
    };
    let mut statuses = Vec::new();
    for n in 0..12 {
        let mut request =
            console.client.post(format!("{}/login", console.url)).form(&[("username", "admin"), ("password", "no")]);
        for (name, value) in forwarded(n) {
            request = request.header(name, value);
        }
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert!(statuses.contains(&429), "another address in a header buys no more tries: {statuses:?}");

    let mut page = console.client.get(format!("{}/login", console.url));
    for (name, value) in forwarded(1) {
        page = page.header(name, value);
    }
    let page = page.send().await.unwrap();
    assert!(page.headers().get("strict-transport-security").is_none(), "it is not https because somebody says so");
    assert!(!page.text().await.unwrap().contains("evil.example"));

    // Where a form comes from is compared with the host that was asked, not with one that is named beside it.
    let other = Console::start();
    let form = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    let request =
        other.client.post(format!("{}/login", other.url)).form(&form).header("origin", "https://evil.example");
    let request = request.header("x-forwarded-host", "evil.example").header("x-forwarded-proto", "https");
    assert_eq!(request.send().await.unwrap().status(), 403);
}
