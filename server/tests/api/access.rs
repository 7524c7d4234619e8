//! Who is let in, and who is kept out: tokens, sign-ins, other sites, guessing. Who may do what is in `rights.rs`.

use crate::support::{ADMIN_PASSWORD, Answer, Browser, Console, Database, recommendation, seed};
use serde_json::json;

#[tokio::test]
async fn tokens_end_when_they_are_revoked_and_wrong_ones_are_refused() {
    let console = Console::start();
    let viewer = console.token("short-lived", "viewer");
    viewer.get("/api/v1/executions").await.expect(200);
    assert!(console.command(&["token", "revoke", "short-lived"]).status.success());
    assert_eq!(viewer.get("/api/v1/executions").await.status, 401);
    for wrong in ["Bearer kbn_nothing", "Basic YWRtaW46YWRtaW4=", "Bearer", ""] {
        let request = console.client.get(format!("{}/api/v1/executions", console.url)).header("authorization", wrong);
        assert_eq!(request.send().await.unwrap().status(), 401, "{wrong:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let console = Console::start();
    let form = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let login = |origin: Option<&str>, site: Option<&str>| {
        let mut request = browser.post(format!("{}/login", console.url)).form(&form);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        request.send()
    };
    assert_eq!(login(Some("https://evil.example"), Some("cross-site")).await.unwrap().status(), 403);
    let good = login(Some(&console.url), Some("same-origin")).await.unwrap();
    assert_eq!(good.status(), 303);
    let cookie = good.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-", "HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let approve = |origin: Option<&'static str>| {
        let mut request =
            browser.post(format!("{}/api/v1/recommendations/x/decisions", console.url)).header("cookie", &cookie);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.json(&json!({ "decision": "approve" })).send()
    };
    assert_eq!(approve(None).await.unwrap().status(), 403, "a cookie and no word of where it comes from");
    assert_eq!(approve(Some("https://evil.example")).await.unwrap().status(), 403);
    let proxied = Console::start_with(Database::Sqlite, &["--public-url", "https://console.example"]);
    for (origin, status) in
        [("https://console.example", 303), (proxied.url.as_str(), 403), ("http://console.example", 403)]
    {
        let request = browser.post(format!("{}/login", proxied.url)).form(&form).header("origin", origin);
        assert_eq!(request.send().await.unwrap().status(), status, "{origin}");
    }
    let page = browser.get(&console.url).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains("'nonce-") && !policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_read_the_same() {
    let console = Console::start();
    let sign_in = |name: &'static str| {
        let form = [("username", name), ("password", "wrong")];
        console.client.post(format!("{}/login", console.url)).form(&form).header("origin", &console.url).send()
    };
    let (known, unknown) = (sign_in("admin").await.unwrap(), sign_in("nobody").await.unwrap());
    assert_eq!((known.status().as_u16(), unknown.status().as_u16()), (401, 401));
    let message = "User name or password is wrong.";
    assert!(known.text().await.unwrap().contains(message) && unknown.text().await.unwrap().contains(message));
}

#[tokio::test]
async fn guessing_is_slowed_down_by_name_and_by_address() {
    let console = Console::start();
    let sign_in = |name: String| {
        let form = [("username", name), ("password", "wrong".to_owned())];
        console.client.post(format!("{}/login", console.url)).form(&form).header("origin", &console.url).send()
    };
    let mut refused = None;
    for _ in 0..11 {
        let answer = sign_in("admin".into()).await.unwrap();
        refused = (answer.status() == 429).then_some(answer);
    }
    let refused = refused.expect("ten tries a minute");
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let mut all = Vec::new();
    for n in 0..70 {
        all.push(sign_in(format!("name-{n}")).await.unwrap().status().as_u16());
    }
    assert!(all[..20].iter().all(|status| *status == 401), "{all:?}");
    assert!(all[60..].contains(&429), "other names do not help: {all:?}");
}

#[tokio::test]
async fn a_name_as_long_as_a_book_is_just_wrong() {
    let console = Console::start();
    let form = [("username", "n".repeat(200_000)), ("password", "p".repeat(20_000))];
    let request = console.client.post(format!("{}/login", console.url)).form(&form).header("origin", &console.url);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.text().await.unwrap().contains("User name or password is wrong."));
}

/// What signing in comes to, from this address as a proxy tells it, and with these cookies.
async fn sign_in(console: &Console, from: &str, name: &str, password: &str, cookies: &str) -> Answer {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.post(format!("{}/login", console.url)).header("x-forwarded-for", from);
    let browser = Browser { console, client, cookie: cookies.to_owned() };
    browser.send(request.form(&[("username", name), ("password", password)])).await
}

#[tokio::test]
async fn an_address_behind_a_proxy_counts_only_where_the_proxy_is_believed() {
    let believed = Console::start_with(Database::Sqlite, &["--trusted-proxies", "127.0.0.0/8"]);
    let strange = Console::start();
    for (console, elsewhere) in [(&believed, 401), (&strange, 429)] {
        let mut last = 0;
        for _ in 0..11 {
            last = sign_in(console, "192.0.2.1", "admin", "wrong", "").await.status.as_u16();
        }
        assert_eq!(last, 429);
        assert_eq!(sign_in(console, "192.0.2.2", "admin", "wrong", "").await.status, elsewhere);
    }
    let admin = sign_in(&believed, "192.0.2.3, 198.51.100.7", "admin", ADMIN_PASSWORD, "").await;
    let cookie = admin.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let browser = Browser { console: &believed, client: believed.client.clone(), cookie };
    assert!(browser.get("/settings/sessions").await.text.contains("198.51.100.7"), "the address is shown, too");
    let rows = browser.get("/api/v1/audit?action=account.sign_in").await.expect(200);
    assert_eq!(rows["items"][0]["address"], "198.51.100.7", "and written to the audit trail");
}

#[tokio::test]
async fn guessing_at_an_account_from_everywhere_is_slowed_down_and_keeps_nobody_out_at_their_own_browser() {
    let console = Console::start_with(Database::Sqlite, &["--trusted-proxies", "127.0.0.0/8"]);
    let first = sign_in(&console, "203.0.113.1", "admin", ADMIN_PASSWORD, "").await;
    let mut set = first.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let device = set.find(|cookie| cookie.starts_with("__Host-kubernaut-device=")).unwrap().to_owned();
    for part in ["Secure", "HttpOnly", "Path=/", "SameSite=Strict"] {
        assert!(device.contains(part), "{device}");
    }
    let device = device.split(';').next().unwrap();
    let mut statuses = Vec::new();
    for n in 0..25 {
        // From another network each time.
        let from = format!("198.51.{n}.7");
        statuses.push(sign_in(&console, &from, "admin", "wrong", "").await.status.as_u16());
    }
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    assert_eq!(statuses[24], 429, "{statuses:?}");
    let unknown = sign_in(&console, "198.51.200.7", "nobody", "wrong", "").await;
    assert_eq!(unknown.status, 401, "other names are not concerned");
    // A browser of somebody else does not help, and neither does one that was made up.
    let stranger = sign_in(&console, "198.51.201.7", "admin", ADMIN_PASSWORD, "").await;
    assert_eq!(stranger.status, 429);
    assert!((1..=60).contains(&stranger.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap()));
    let made_up = format!("__Host-kubernaut-device={}", "ab".repeat(32));
    assert_eq!(sign_in(&console, "198.51.202.7", "admin", ADMIN_PASSWORD, &made_up).await.status, 429);
    let own = sign_in(&console, "198.51.203.7", "admin", ADMIN_PASSWORD, device).await;
    assert_eq!(own.status, 303, "whose name it is comes in where they have been before: {}", own.text);
    // Nor are tries without end where somebody has been: whoever has the device has no more of them.
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(sign_in(&console, "198.51.203.7", "admin", "wrong", device).await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[11]), (401, 429), "{statuses:?}");
}

#[tokio::test]
async fn an_unknown_name_is_slowed_down_like_a_known_one() {
    let console = Console::start_with(Database::Sqlite, &["--trusted-proxies", "127.0.0.0/8"]);
    let mut of = Vec::new();
    for name in ["admin", "nobody"] {
        let mut statuses = Vec::new();
        for n in 0..24 {
            let from = format!("198.{}.{n}.7", if name == "admin" { 51 } else { 52 });
            statuses.push(sign_in(&console, &from, name, "wrong", "").await.status.as_u16());
        }
        of.push((statuses[..20].to_vec(), statuses[23]));
    }
    assert_eq!(of[0], of[1], "nothing tells whether there is such an account");
    assert_eq!(of[0], (vec![401; 20], 429));
}

#[tokio::test]
async fn a_token_of_the_cluster_is_taken_only_where_that_is_set_and_the_cluster_knows_it() {
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln";
    let on = Console::start_with(Database::Sqlite, &["--cluster-callers", "system:serviceaccounts:ai=viewer"]);
    for (console, told) in
        [(&on, "the cluster does not know this token"), (&Console::start(), "unknown, expired or revoked")]
    {
        let caller = crate::support::Caller { console, secret: Some(jwt.to_owned()) };
        let answer = caller.get("/api/v1/executions").await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        assert!(answer.json["detail"].as_str().unwrap().contains(told), "{}", answer.text);
        console.token("viewer", "viewer").get("/api/v1/executions").await.expect(200);
    }
}

#[tokio::test]
async fn with_people_checked_nobodys_token_approves_nothing_and_a_person_does() {
    let console = Console::start_with(Database::Sqlite, &["--subject-access-review", "on"]);
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-1")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let machine = console.token("machine", "operator");
    let ticket = machine.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let refused = machine.post(&format!("{path}/decisions"), &approve).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.json["detail"].as_str().unwrap().contains("approve by a person's account"), "{}", refused.text);
    let browser = console.browser().await;
    let request = browser.client.post(format!("{}{path}/decisions", console.url)).json(&approve);
    let done = browser.send(request).await.expect(200);
    assert!(done["execution_id"].is_string(), "{done}");
}
