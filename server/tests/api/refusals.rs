//! What a person is told when a request is refused before any page is asked: a page in a browser, a problem for a program.

use crate::support::{Answer, Browser, Console};
use reqwest::{Method, RequestBuilder};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn sent(browser: &Browser<'_>, request: RequestBuilder) -> Answer {
    browser.send(request.header("accept", BROWSER)).await
}

/// A page of this status, with these words, that names its request.
#[track_caller]
fn is_page(answer: &Answer, status: u16, words: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{:?}", answer.headers);
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(answer.text.contains(id), "the page names its request");
    for word in words {
        assert!(answer.text.contains(word), "{word} in {}", answer.text);
    }
    assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("'nonce-"));
}

#[tokio::test]
async fn a_browser_gets_a_page_that_says_what_to_do() {
    let console = Console::start();
    let admin = console.browser().await;
    let url = |path: &str| format!("{}{path}", console.url);
    let form = |path: &str| admin.client.post(url(path));
    is_page(
        &sent(&admin, admin.client.put(url("/runs"))).await,
        405,
        &["This address is no page", "aria-label=\"Main\""],
    );
    is_page(&sent(&admin, form("/nowhere")).await, 405, &["This address is no page"]);
    is_page(&sent(&admin, admin.client.get(url("/settings/password"))).await, 405, &["press the button again"]);
    is_page(
        &sent(&admin, admin.client.get(url("/recommendations/%FF"))).await,
        404,
        &["Nothing is here", "href=\"/search\""],
    );
    let large = form("/catalog/new").form(&[("document", "x".repeat(300 * 1024))]);
    is_page(&sent(&admin, large).await, 413, &["too much at once"]);
    let json = form("/catalog/new").header("content-type", "application/json").body("{}");
    is_page(&sent(&admin, json).await, 415, &["be understood"]);
    let twice = form("/login").header("content-type", "application/x-www-form-urlencoded").body("a=1&a=2");
    is_page(&sent(&admin, twice).await, 400, &["be understood"]);

    let foreign = form("/runs/x/cancel").form(&[("reason", "x")]).header("sec-fetch-site", "cross-site");
    is_page(&sent(&admin, foreign).await, 403, &["did not come from the console"]);
}

#[tokio::test]
async fn who_is_signed_out_is_led_back_to_where_they_were() {
    let console = Console::start();
    let admin = console.browser().await;
    let nobody = Browser { cookie: String::new(), ..admin };
    let request = nobody.client.post(format!("{}/runs/x/cancel", console.url)).form(&[("reason", "x")]);
    let answer = sent(&nobody, request.header("referer", format!("{}/runs/x?tab=results", console.url))).await;
    is_page(&answer, 401, &["You are signed out", "/login?next=%2Fruns%2Fx%3Ftab%3Dresults"]);
    assert!(!answer.text.contains("aria-label=\"Main\""), "no navigation for nobody");
    assert!(!answer.text.contains("Bearer"), "what is for programs stays away: {}", answer.text);
}

#[tokio::test]
async fn too_little_right_names_the_right_and_the_roles_that_have_it() {
    let console = Console::start();
    assert!(console.command(&["user", "create", "--name", "vera", "--role", "viewer"]).status.success());
    let made = console.command(&["user", "set-password", "vera"]);
    let vera = console.browser_of("vera", String::from_utf8_lossy(&made.stdout).trim()).await.unwrap();
    let request = vera.client.post(format!("{}/runs/x/cancel", console.url)).form(&[("reason", "x")]);
    let answer = sent(&vera, request.header("referer", format!("{}/runs/x", console.url))).await;
    is_page(
        &answer,
        403,
        &["You may not do this", "runs:control", "viewer", "operator", "Back to the page", "href=\"/runs/x\""],
    );
    let page = sent(&vera, vera.client.get(format!("{}/audit", console.url))).await;
    is_page(&page, 403, &["You may not see this", "audit:read", "auditor"]);
}

#[tokio::test]
async fn a_program_gets_a_problem_at_the_same_addresses() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    for (method, path, status) in [(Method::PUT, "/runs", 405), (Method::POST, "/catalog/new", 415)] {
        let answer = admin.send(admin.request(method, path).header("accept", "application/json")).await;
        assert_eq!(answer.status, status);
        assert!(!answer.text.contains("<html"), "{}", answer.text);
    }
    // Also where no handler of ours was asked.
    assert_eq!(admin.get("/logout").await.headers["content-type"], "application/problem+json");
    // What programs use answers programs, whatever they say they take.
    let answer = admin.send(admin.request(Method::DELETE, "/api/v1/executions").header("accept", BROWSER)).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}
