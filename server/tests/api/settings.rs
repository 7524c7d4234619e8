//! The settings by their pages: accounts, tokens, one's own password. The same rules as on the command line, each act with its
//! right and its row in the audit trail.

use crate::support::{ADMIN_PASSWORD, Answer, Browser, Caller, Console, recommendation};
use reqwest::Method;
use serde_json::{Value, json};

const VERAS: &str = "correct horse battery";

/// The secret that a page shows once.
fn shown(answer: &Answer) -> String {
    let (_, rest) =
        answer.text.split_once("class=\"secret\"").unwrap_or_else(|| panic!("no secret in {}", answer.text));
    let (_, rest) = rest.split_once("<code>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

/// The id that the page of accounts (or tokens) names in an action of the row of this name.
fn id_in(page: &str, name: &str, prefix: &str) -> String {
    let row = page
        .split("<tr")
        .find(|row| row.contains("scope=\"row\"") && row.contains(&format!(">{name}<")))
        .unwrap_or_else(|| panic!("{name} in {page}"));
    let at = row.find(prefix).unwrap_or_else(|| panic!("{prefix} in {row}"));
    row[at..].split('/').next().unwrap().to_owned()
}

async fn make(admin: &Browser<'_>, name: &str, roles: &[&str], password: &str) {
    let roles: Vec<String> = roles.iter().map(|role| format!("role.{role}")).collect();
    let mut form = vec![("name", name), ("password", password)];
    form.extend(roles.iter().map(|role| (role.as_str(), "on")));
    let made = admin.post("/settings/accounts", &form).await;
    assert_eq!(made.status, 303, "{}", made.text);
}

async fn account(admin: &Browser<'_>, name: &str) -> String {
    id_in(&admin.get("/settings/accounts").await.text, name, "user:")
}

fn bearer<'c>(console: &'c Console, secret: &str) -> Caller<'c> {
    Caller { console, secret: Some(secret.to_owned()) }
}

async fn audit(console: &Console, action: &str) -> Vec<Value> {
    static NTH: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let nth = NTH.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let admin = console.token(&format!("auditor-{nth}"), "auditor");
    let rows = admin.get(&format!("/api/v1/audit?action={action}")).await.expect(200);
    rows["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_admin_makes_changes_and_disables_an_account() {
    let console = Console::start();
    let admin = console.browser().await;
    let wrong = admin.post("/settings/accounts", &[("name", " "), ("password", "short"), ("role.propose", "on")]).await;
    assert_eq!(wrong.status, 422);
    for told in ["Give a name", "At least 12 characters", "for tokens only"] {
        assert!(wrong.text.contains(told), "{told} in {}", wrong.text);
    }
    assert!(!wrong.text.contains("value=\"short\""), "a password is never sent back");
    let made = admin.post("/settings/accounts", &[("name", "vera"), ("role.viewer", "on")]).await;
    assert_eq!(made.status, 201);
    let password = shown(&made);
    assert_eq!(password.len(), 20);
    assert!(!admin.get("/settings/accounts").await.text.contains(&password), "it is shown once");
    let again = admin.post("/settings/accounts", &[("name", "vera"), ("role.viewer", "on")]).await;
    assert_eq!(again.status, 409);

    let vera = console.browser_of("vera", &password).await.expect("she is let in");
    assert_eq!(vera.get("/catalog/new").await.status, 403);
    let id = account(&admin, "vera").await;
    let path = |act: &str| format!("/settings/accounts/{id}/{act}");
    assert_eq!(admin.post(&path("roles"), &[]).await.status, 422, "no role at all");
    assert_eq!(admin.post(&path("roles"), &[("role.author", "on"), ("role.viewer", "on")]).await.status, 303);
    assert_eq!(vera.get("/catalog/new").await.status, 200, "from her next request on");

    assert_eq!(admin.post(&path("disable"), &[]).await.status, 303);
    assert_eq!(vera.get("/runs").await.status, 303, "her session has ended");
    assert!(console.browser_of("vera", &password).await.is_none());
    assert_eq!(admin.post(&path("enable"), &[]).await.status, 303);
    assert!(console.browser_of("vera", &password).await.is_some());
    assert_eq!(admin.post(&path("password"), &[("password", VERAS)]).await.status, 303);
    assert!(console.browser_of("vera", &password).await.is_none());
    assert!(console.browser_of("vera", VERAS).await.is_some());

    for action in ["account.create", "account.roles", "account.disable", "account.enable", "account.password"] {
        let rows = audit(&console, action).await;
        let row = rows.iter().find(|row| row["object_id"] == "vera").unwrap_or_else(|| panic!("{action}: {rows:?}"));
        assert_eq!(row["actor"]["name"], "admin", "{action}");
        assert!(row["route"].as_str().unwrap().starts_with("POST /settings/accounts"), "{row}");
        assert!(!row.to_string().contains(VERAS) && !row.to_string().contains("argon2"), "{row}");
    }
    let roles = &audit(&console, "account.roles").await[0];
    assert_eq!(
        (roles["before"]["roles"].clone(), roles["after"]["roles"].clone()),
        (json!(["viewer"]), json!(["author", "viewer"]))
    );
}

#[tokio::test]
async fn nobody_shuts_themselves_out_and_the_last_admin_stays() {
    let console = Console::start();
    let admin = console.browser().await;
    let own = account(&admin, "admin").await;
    let path = |id: &str, act: &str| format!("/settings/accounts/{id}/{act}");
    assert_eq!(admin.post(&path(&own, "disable"), &[]).await.status, 403);
    assert_eq!(admin.post(&path(&own, "roles"), &[("role.viewer", "on")]).await.status, 403);
    assert_eq!(admin.post(&path(&own, "password"), &[]).await.status, 403, "one's own takes the present one");
    assert_eq!(admin.post(&path(&own, "roles"), &[("role.viewer", "on"), ("role.admin", "on")]).await.status, 303);
    // By a token that is nobody's the last one can't be taken away either.
    let machine = console.token("machine", "admin");
    for act in ["disable", "roles"] {
        let request = machine.request(Method::POST, &path(&own, act)).form(&[("role.viewer", "on")]);
        assert_eq!(machine.send(request).await.status, 409, "{act}");
    }
    make(&admin, "second", &["admin"], VERAS).await;
    let second = console.browser_of("second", VERAS).await.unwrap();
    assert_eq!(second.post(&path(&own, "disable"), &[]).await.status, 303, "another admin may");
    assert_eq!(admin.get("/runs").await.status, 303);
}

#[tokio::test]
async fn only_an_admin_changes_accounts_and_only_who_may_read_sees_them() {
    let console = Console::start();
    let admin = console.browser().await;
    make(&admin, "otto", &["operator"], VERAS).await;
    make(&admin, "auda", &["auditor"], VERAS).await;
    let own = account(&admin, "admin").await;
    let (otto, auda) =
        (console.browser_of("otto", VERAS).await.unwrap(), console.browser_of("auda", VERAS).await.unwrap());
    assert_eq!(otto.get("/settings/accounts").await.status, 403);
    let seen = auda.get("/settings/accounts").await;
    assert_eq!(seen.status, 200);
    assert!(
        seen.text.contains("otto") && !seen.text.contains("action=\"/settings/accounts"),
        "she sees and can't change"
    );
    let nobody = console.nobody();
    for path in ["/settings/accounts".to_owned()]
        .into_iter()
        .chain(["roles", "password", "disable", "enable"].map(|act| format!("/settings/accounts/{own}/{act}")))
    {
        for who in [&otto, &auda] {
            assert_eq!(who.post(&path, &[("role.viewer", "on"), ("name", "x")]).await.status, 403, "{path}");
        }
        let request = nobody.request(Method::POST, &path).form(&[("role.viewer", "on")]);
        assert_eq!(nobody.send(request).await.status, 401, "{path}");
    }
    for path in ["/settings/password", "/settings/tokens", "/settings/tokens/token:x/revoke"] {
        let request = nobody.request(Method::POST, path).form(&[("name", "x")]);
        assert_eq!(nobody.send(request).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_person_changes_their_own_password_with_the_present_one() {
    let console = Console::start();
    let (here, there) = (console.browser().await, console.browser().await);
    let new = "another long password";
    let form = |old, new, again| [("old_password", old), ("new_password", new), ("again", again)];
    for (form, told) in [
        (form("wrong", new, new), "This is not your present password"),
        (form(ADMIN_PASSWORD, new, "something else"), "This is not the same as above"),
        (form(ADMIN_PASSWORD, "short", "short"), "at least 12 characters"),
        (form(ADMIN_PASSWORD, ADMIN_PASSWORD, ADMIN_PASSWORD), "another one than the present one"),
    ] {
        let refused = here.post("/settings/password", &form).await;
        assert_eq!(refused.status, 422, "{told}");
        assert!(refused.text.to_lowercase().contains(&told.to_lowercase()), "{told} in {}", refused.text);
    }
    let changed = here.post("/settings/password", &form(ADMIN_PASSWORD, new, new)).await;
    assert_eq!(changed.status, 303, "{}", changed.text);
    let cookie = changed.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(cookie, here.cookie, "the session begins anew");
    assert_eq!(Browser { cookie, ..here }.get("/runs").await.status, 200);
    assert_eq!(there.get("/runs").await.status, 303, "all others have ended");
    assert!(console.browser_of("admin", ADMIN_PASSWORD).await.is_none());
    assert!(console.browser_of("admin", new).await.is_some());
    let rows = audit(&console, "account.password").await;
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].to_string().contains(new));
    // A token is not the person.
    let token = console.token("machine", "admin");
    let request = token.request(Method::POST, "/settings/password").form(&form(new, VERAS, VERAS));
    assert_eq!(token.send(request).await.status, 403);
}

#[tokio::test]
async fn guessing_the_present_password_is_slowed_down() {
    let console = Console::start();
    let admin = console.browser().await;
    let form = [("old_password", "wrong"), ("new_password", VERAS), ("again", VERAS)];
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(admin.post("/settings/password", &form).await.status.as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn a_persons_token_is_theirs_and_never_gets_more_than_they_may() {
    let console = Console::start();
    let admin = console.browser().await;
    make(&admin, "otto", &["operator"], VERAS).await;
    let otto = console.browser_of("otto", VERAS).await.unwrap();
    for role in ["admin", "author", "ingest"] {
        let refused = otto.post("/settings/tokens", &[("name", "x"), (format!("role.{role}").as_str(), "on")]).await;
        assert_eq!(refused.status, 422, "{role}");
        assert!(refused.text.contains("no more than its owner may"), "{}", refused.text);
    }
    let two = otto.post("/settings/tokens", &[("name", "x"), ("role.propose", "on"), ("role.operator", "on")]).await;
    assert!(two.text.contains("stands alone"), "{}", two.text);
    let machine = [("name", "x"), ("role.viewer", "on"), ("owner", "nobody")];
    assert_eq!(otto.post("/settings/tokens", &machine).await.status, 403, "a machine's token is an admin's to make");

    let made = otto.post("/settings/tokens", &[("name", "ottos"), ("role.operator", "on"), ("expires", "7d")]).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = shown(&made);
    assert!(secret.starts_with("kbn_") && secret.len() == 76, "a form that secret scanners know");
    assert!(!otto.get("/settings/tokens").await.text.contains(&secret), "it is shown once");
    let token = bearer(&console, &secret);
    token.get("/api/v1/executions").await.expect(200);
    assert_eq!(token.post("/api/v1/recommendations/none/tickets", &json!({})).await.status, 404, "he may decide");

    // What the owner loses the token loses, and gets back with them.
    let set = |role: &str| assert!(console.command(&["user", "set-role", "otto", "--role", role]).status.success());
    set("viewer");
    assert_eq!(token.get("/api/v1/executions").await.status, 403, "no part of a role that the owner has not");
    // A browser would take the other cookie that comes with another role.
    let otto = console.browser_of("otto", VERAS).await.unwrap();
    assert!(otto.get("/settings/tokens").await.text.contains("Curtailed"));
    set("operator");
    token.get("/api/v1/executions").await.expect(200);
    let otto = console.browser_of("otto", VERAS).await.unwrap();

    let row = audit(&console, "token.create").await.into_iter().find(|row| row["object_id"] == "ottos").unwrap();
    assert_eq!(row["after"]["owner"]["name"], "otto", "the row names the owner: {row}");
    assert!(!row.to_string().contains(&secret));

    // A token acts under its owner's name, whatever it is called, and the trail says whose it is.
    let weak = otto.post("/settings/tokens", &[("name", "admin"), ("role.propose", "on")]).await;
    let weak = bearer(&console, &shown(&weak));
    let came = weak.post("/api/v1/recommendations", &recommendation("inc-named")).await;
    assert_eq!(came.status, 201, "{}", came.text);
    let row = &audit(&console, "recommendation.submit").await[0];
    assert_eq!(row["actor"]["name"], "otto (token admin)", "{row}");
    assert!(row["actor"]["owner"].as_str().is_some_and(|owner| owner.starts_with("user:")), "{row}");

    // The weakest token of a person neither sees nor ends the others.
    let id = id_in(&admin.get("/settings/tokens").await.text, "ottos", "token:");
    let seen = weak.request(Method::GET, "/settings/tokens");
    assert!(!weak.send(seen).await.text.contains("ottos"));
    let revoke = weak.request(Method::POST, &format!("/settings/tokens/{id}/revoke"));
    assert_eq!(weak.send(revoke).await.status, 404);
    token.get("/api/v1/executions").await.expect(200);

    // Nobody else's to see or revoke, but an admin's.
    make(&admin, "vera", &["viewer"], VERAS).await;
    let vera = console.browser_of("vera", VERAS).await.unwrap();
    assert!(!vera.get("/settings/tokens").await.text.contains("ottos"));
    let id = id_in(&admin.get("/settings/tokens").await.text, "ottos", "token:");
    let revoke = format!("/settings/tokens/{id}/revoke");
    assert_eq!(vera.post(&revoke, &[]).await.status, 404);
    assert_eq!(admin.post(&revoke, &[]).await.status, 303);
    assert_eq!(token.get("/api/v1/executions").await.status, 401);
    assert_eq!(admin.post(&revoke, &[]).await.status, 404, "there is no such live token");
    let row = &audit(&console, "token.revoke").await[0];
    assert_eq!((row["actor"]["name"].as_str(), row["before"]["owner"]["name"].as_str()), (Some("admin"), Some("otto")));
}

#[tokio::test]
async fn what_decides_belongs_to_a_person() {
    let console = Console::start();
    let admin = console.browser().await;
    for role in ["operator", "admin"] {
        let role = format!("role.{role}");
        let form = [("name", "x"), (role.as_str(), "on"), ("owner", "nobody")];
        let refused = admin.post("/settings/tokens", &form).await;
        assert_eq!(refused.status, 422, "{role}");
        assert!(refused.text.contains("hat decides belongs to a person"), "{}", refused.text);
    }
    let made = admin.post("/settings/tokens", &[("name", "holmes"), ("role.propose", "on"), ("owner", "nobody")]).await;
    assert_eq!(made.status, 201);
    // A token makes no tokens: it would outlive itself.
    let own = admin.post("/settings/tokens", &[("name", "own"), ("role.viewer", "on")]).await;
    let token = bearer(&console, &shown(&own));
    let request = token.request(Method::POST, "/settings/tokens").form(&[("name", "y"), ("role.viewer", "on")]);
    assert_eq!(token.send(request).await.status, 403);
    let odd = admin.post("/settings/tokens", &[("name", "z"), ("role.viewer", "on"), ("expires", "1000y")]).await;
    assert_eq!(odd.status, 422);
}

#[tokio::test]
async fn looks_are_kept_in_cookies_and_the_page_arrives_so() {
    let console = Console::start();
    let admin = console.browser().await;
    let form = [("theme", "dark"), ("times", "absolute"), ("keys", "off")];
    let kept = admin.post("/settings/appearance", &form).await;
    assert_eq!(kept.status, 303);
    let cookies: Vec<_> = kept.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let cookies: Vec<_> = cookies.iter().map(|c| c.split(';').next().unwrap()).collect();
    for cookie in ["theme=dark", "times=absolute", "keys=off"] {
        assert!(cookies.contains(&cookie), "{cookie} in {cookies:?}");
    }
    let cookie = format!("{}; {}", admin.cookie, cookies.join("; "));
    let page = Browser { cookie, ..admin }.get("/settings/keys").await.text;
    assert!(page.contains("data-theme=\"dark\"") && page.contains("Single keys are off"), "{page}");
    assert!(!page.contains("keys-help"), "who has switched them off gets none");
}

#[tokio::test]
async fn the_clusters_health_is_told_in_words() {
    let console = Console::start();
    let page = console.browser().await.get("/settings/cluster").await;
    assert_eq!(page.status, 200);
    for words in ["Decisions and new runs are possible", "kubernaut-system", "kubeconfig-remediation", "15m"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
}
