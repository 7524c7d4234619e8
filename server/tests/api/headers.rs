//! What every answer says to a browser: of pages, programs' answers, files and health, when it goes well and when it does not; and what
//! cookies are set.

use crate::{
    rights::lines,
    support::{ADMIN_PASSWORD, Browser, Console, Database},
    world::World,
};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap, redirect::Policy};

const EVERYWHERE: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// What every answer has, whatever it is.
#[track_caller]
fn guarded(what: &str, headers: &HeaderMap) {
    for (name, value) in EVERYWHERE {
        assert_eq!(text(headers, name), value, "{name} of {what}");
    }
    let unused = text(headers, "permissions-policy");
    assert!(unused.contains("camera=()") && unused.contains("microphone=()"), "{what}: {unused}");
    let policy = text(headers, "content-security-policy");
    for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part} of {what}: {policy}");
    }
    for never in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "data:"] {
        assert!(!policy.contains(never), "{never} of {what}: {policy}");
    }
    if policy.contains("script-src") {
        for part in ["script-src 'nonce-", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{part} of the page {what}: {policy}");
        }
    }
    assert!(!text(headers, "x-request-id").is_empty(), "{what} names its request");
}

#[tokio::test]
async fn whatever_is_read_is_guarded_and_what_tells_something_is_kept_by_nobody() {
    let console = Console::start();
    let world = World::of(&console).await;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let cookie = console.browser().await.cookie;
    for line in lines().into_iter().filter(|line| line.method == Method::GET) {
        let address = world.address(&line.path);
        for signed_in in [true, false] {
            let mut request = client.get(format!("{}{address}", console.url));
            if signed_in {
                request = request.header("cookie", &cookie);
            }
            let answer = request.send().await.unwrap();
            let headers = answer.headers();
            guarded(&address, headers);
            assert_eq!(
                text(headers, "strict-transport-security"),
                "",
                "{address}: this console is reached over plain http"
            );
            let kept = text(headers, "cache-control");
            let site = ["/pkg/", "/fonts/", "/favicon"].iter().any(|begin| address.starts_with(begin));
            let good = kept == "no-store"
                || (site && kept.starts_with("public,"))
                || (signed_in && address.starts_with("/api/v1/") && kept.starts_with("private,"));
            assert!(good, "{address} is kept: {kept}");
            if !site && text(headers, "content-type").starts_with("text/html") {
                assert_eq!(kept, "no-store", "{address}");
            }
        }
    }
}

#[tokio::test]
async fn two_pages_have_two_nonces_and_no_other_script() {
    let console = Console::start();
    let browser = console.browser().await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let page = browser.get("/approvals").await;
        let policy = text(&page.headers, "content-security-policy");
        let (_, rest) = policy.split_once("'nonce-").unwrap();
        let nonce = rest.split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "128 bits: {nonce}");
        let scripts = page.text.matches("<script").count();
        assert!(scripts > 0 && page.text.matches(&format!("nonce=\"{nonce}\"")).count() >= scripts, "{}", page.text);
        assert!(!page.text.contains(" style=\"") && !page.text.contains(" onclick="), "nothing inline");
        seen.push(nonce);
    }
    assert_ne!(seen[0], seen[1]);
}

/// The status of an answer, which is guarded.
async fn refused(request: RequestBuilder) -> u16 {
    let answer = request.send().await.unwrap();
    let what = format!("{} {}", answer.status(), answer.url());
    guarded(&what, answer.headers());
    assert_eq!(text(answer.headers(), "cache-control"), "no-store", "{what}");
    answer.status().as_u16()
}

#[tokio::test]
async fn errors_are_guarded_like_everything_else() {
    let console = Console::start();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let admin = console.token("admin", "admin").secret.unwrap();
    let url = |path: &str| format!("{}{path}", console.url);
    let form = "application/x-www-form-urlencoded";
    for page in [false, true] {
        let accept = if page { "text/html" } else { "application/json" };
        let request = |method: Method, path: &str| client.request(method, url(path)).header("accept", accept);
        let of_admin = |method: Method, path: &str| request(method, path).bearer_auth(&admin);
        let login = |body: &'static str| request(Method::POST, "/login").header("content-type", form).body(body);
        let all = [
            (login("a=1&a=2"), 400),
            (request(Method::GET, "/api/v1/executions"), 401),
            (request(Method::POST, "/runs/x/cancel"), 401),
            (login("username=a").header("origin", "https://evil.example"), 403),
            (request(Method::GET, "/nowhere").bearer_auth(&admin), 404),
            (of_admin(Method::GET, "/api/v1/nowhere"), 404),
            (request(Method::GET, "/pkg/nowhere.js"), 404),
            (of_admin(Method::DELETE, "/api/v1/executions"), 405),
            (of_admin(Method::PUT, "/runs"), 405),
            (of_admin(Method::POST, "/api/v1/playbooks").json(&"x".repeat(300 << 10)), 413),
            (of_admin(Method::GET, &format!("/runs?q={}", "x".repeat(33 << 10))), 414),
            (of_admin(Method::POST, "/api/v1/playbooks").body("{}"), 415),
            (request(Method::GET, "/login").header("host", "evil.example"), 421),
            (of_admin(Method::POST, "/api/v1/playbooks").json(&1), 422),
        ];
        for (request, status) in all {
            assert_eq!(refused(request).await, status);
        }
    }
    let mut last = 0;
    for _ in 0..12 {
        last = refused(client.post(url("/login")).form(&[("username", "a"), ("password", "b")])).await;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn over_https_it_stays_with_https() {
    let console = Console::start_with(Database::Sqlite, &["--public-url", "https://console.example"]);
    for path in ["/login", "/healthz", "/metrics", "/api/v1/executions", "/pkg/nowhere.js", "/favicon.svg", "/nowhere"]
    {
        let answer = console.nobody().get(path).await;
        let policy = text(&answer.headers, "strict-transport-security").to_owned();
        let (_, age) = policy.split_once("max-age=").unwrap_or_else(|| panic!("{path}: {policy}"));
        assert!(age.split(';').next().unwrap().parse::<u32>().unwrap() >= 31_536_000, "a year at least: {policy}");
        assert!(policy.contains("includeSubDomains"), "{policy}");
    }
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_cookie_is_for_https_and_hidden_from_scripts_the_one_that_takes_a_session_away_too() {
    let console = Console::start();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let nobody = Browser { console: &console, client, cookie: String::new() };
    let signed_in = nobody.post("/login", &[("username", "admin"), ("password", ADMIN_PASSWORD)]).await;
    let first = cookies(&signed_in.headers);
    let browser = Browser { cookie: first[0].split(';').next().unwrap().to_owned(), ..nobody };
    let looks = browser.post("/settings/appearance", &[("theme", "dark")]).await;
    assert_eq!(browser.get("/runs").await.status, 200);
    let out = browser.post("/logout", &[]).await;
    let last = cookies(&out.headers);
    assert!(last.len() == 1 && last[0].contains("Max-Age=0"), "it is taken away: {last:?}");
    for cookie in first.iter().chain(&cookies(&looks.headers)).chain(&last) {
        for part in ["; Secure", "; HttpOnly", "; SameSite=", "; Path=/"] {
            assert!(cookie.contains(part), "{part} of {cookie}");
        }
        assert!(!cookie.to_lowercase().contains("domain="), "{cookie}");
        if cookie.starts_with("__Host-") {
            assert!(cookie.contains("SameSite=Strict"), "{cookie}");
        }
    }
    assert_eq!(browser.get("/runs").await.status, 303, "the session has ended, whoever kept its cookie");
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_worth_nothing() {
    let console = Console::start();
    let before = console.browser().await;
    // The same browser signs in again: with a new id, and the old one has ended.
    let again = before.post("/login", &[("username", "admin"), ("password", ADMIN_PASSWORD)]).await;
    let cookie = cookies(&again.headers)[0].split(';').next().unwrap().to_owned();
    assert_ne!(cookie, before.cookie);
    assert_eq!(before.get("/runs").await.status, 303);
    assert_eq!(Browser { cookie, ..before }.get("/runs").await.status, 200);
}
