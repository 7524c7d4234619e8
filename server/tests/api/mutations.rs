//! No other site's page changes anything: each route that is not a GET, from the router's own list, asks where a request comes from.

use crate::{
    rights::{Line, lines},
    support::Console,
};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::json;

/// What a request says of where it comes from, and what else came with it.
struct Story {
    what: &'static str,
    headers: &'static [(&'static str, &'static str)],
    cookie: bool,
    token: bool,
}

const FOREIGN: [Story; 8] = [
    Story { what: "nothing is said", headers: &[], cookie: true, token: false },
    Story { what: "another origin", headers: &[("origin", "https://evil.example")], cookie: true, token: false },
    Story { what: "no origin that has a name", headers: &[("origin", "null")], cookie: true, token: false },
    Story { what: "another site", headers: &[("sec-fetch-site", "cross-site")], cookie: true, token: false },
    Story { what: "a neighbour", headers: &[("sec-fetch-site", "same-site")], cookie: true, token: false },
    Story { what: "the address bar", headers: &[("sec-fetch-site", "none")], cookie: true, token: false },
    Story {
        what: "two stories",
        headers: &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        cookie: true,
        token: false,
    },
    Story {
        what: "another site with a token",
        headers: &[("origin", "https://evil.example")],
        cookie: false,
        token: true,
    },
];

/// Whether this comes to nothing because of where it came from.
async fn is_refused(client: &Client, console: &Console, line: &Line, from: &Story, with: (&str, &str)) -> bool {
    let path = line.path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
    let path = path.collect::<Vec<_>>().join("/");
    let mut request = client.request(line.method.clone(), format!("{}{path}", console.url));
    for (name, value) in from.headers {
        request = request.header(*name, *value);
    }
    if from.cookie {
        request = request.header("cookie", with.0);
    }
    if from.token {
        request = request.bearer_auth(with.1);
    }
    let request = if path.starts_with("/api/") { request.json(&json!({})) } else { request.form(&[("nothing", "")]) };
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    status == 403 && text.contains("cross-site")
}

#[tokio::test]
async fn every_route_that_changes_something_asks_where_a_request_comes_from() {
    let console = Console::start();
    let cookie = console.browser().await.cookie;
    let token = console.token("admin", "admin").secret.unwrap();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let changing: Vec<Line> = lines().into_iter().filter(|line| line.method != Method::GET).collect();
    assert!(changing.len() > 20, "{changing:?}");
    let mut through = Vec::new();
    for line in &changing {
        for from in &FOREIGN {
            if !is_refused(&client, &console, line, from, (&cookie, &token)).await {
                through.push(format!("{} {}: {}", line.method, line.path, from.what));
            }
        }
    }
    assert!(through.is_empty(), "taken, though it came from elsewhere:\n{}", through.join("\n"));
    let still = client.get(format!("{}/runs", console.url)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(still.status(), 200, "nothing was done: the session is still there");
}
