//! Signing in at a provider: the whole way, and every way in which what comes back must not be believed.

mod people;
pub mod provider;

use crate::support::{ADMIN_PASSWORD, Answer, Browser, Console, Database};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use provider::{CLIENT, Provider, SECRET, Said, Signed, at_hash};
use reqwest::{Client, Url, redirect::Policy};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

const CALLBACK: &str = "/login/oidc/callback";

/// A console whose people sign in at that address; `more` are further lines of its file.
fn console(issuer: &str, more: &str) -> Console {
    console_in(issuer, more, &[])
}

/// The same in this environment.
pub fn console_in(issuer: &str, more: &str, environment: &[(&str, &str)]) -> Console {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "oidc-issuer = \"{issuer}\"\noidc-client-id = \"{CLIENT}\"\noidc-client-secret = \"{SECRET}\"\n\
         oidc-name = \"Testers\"\noidc-scopes = \"openid profile groups\"\n{more}\n\
         [oidc-role]\noncall = \"operator\"\nadmins = \"admin\"\n"
    );
    std::fs::write(file.path(), text).unwrap();
    Console::start_in(Database::Sqlite, &["--config", file.path().to_str().unwrap()], environment)
}

fn private(provider: &Provider) -> Console {
    console(&provider.url, "oidc-allow-private = \"on\"")
}

/// Something else than the provider should say.
fn change(of: impl Fn(&mut Said) + 'static) -> Box<dyn Fn(&mut Said)> {
    Box::new(of)
}

/// A browser that has been sent to the provider.
struct Visit<'c> {
    browser: Browser<'c>,
    /// What the provider is asked with.
    asked: HashMap<String, String>,
}

fn stranger(console: &Console) -> Browser<'_> {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    Browser { console, client, cookie: String::new() }
}

/// The address that a page leads on to by itself.
fn leads_to(answer: &Answer) -> Url {
    let refresh = answer.headers["refresh"].to_str().unwrap();
    Url::parse(refresh.strip_prefix("0; url=").unwrap()).unwrap()
}

/// The cookie of that name that an answer sets.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let mut own = all.filter(|cookie| cookie.starts_with(&format!("{name}=")));
    own.next().map(|cookie| cookie.split(';').next().unwrap().to_owned())
}

async fn begin(console: &Console) -> Visit<'_> {
    let mut browser = stranger(console);
    let sent = browser.post("/login/oidc", &[("next", "/runs?state=failed")]).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let asked = leads_to(&sent).query_pairs().into_owned().collect();
    let cookies: Vec<_> = sent.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    for part in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookies.iter().all(|cookie| cookie.contains(part)), "{part} of {cookies:?}");
    }
    browser.cookie = cookie(&sent, "__Host-kubernaut-sign-in").unwrap();
    Visit { browser, asked }
}

impl Visit<'_> {
    /// Comes back with a code, and `more`.
    async fn back(&self, provider: &Provider, more: &[(&str, &str)]) -> Answer {
        {
            let mut said = provider.said();
            if said.claims.get("nonce").is_none() {
                said.claims["nonce"] = json!(self.asked["nonce"]);
            }
        }
        let mut form = vec![("code", "a code"), ("state", self.asked["state"].as_str())];
        form.extend(more);
        self.browser.post(CALLBACK, &form).await
    }
}

/// The whole way, as whoever the provider says it is.
pub async fn sign_in<'c>(console: &'c Console, provider: &Provider) -> Result<Browser<'c>, Box<Answer>> {
    let visit = begin(console).await;
    provider.said().claims["nonce"] = json!(visit.asked["nonce"]);
    let answer = visit.back(provider, &[]).await;
    if answer.status != 303 {
        return Err(Box::new(answer));
    }
    assert_eq!(answer.headers["location"], "/runs?state=failed");
    let mut browser = visit.browser;
    browser.cookie = cookie(&answer, "__Host-kubernaut").unwrap();
    Ok(browser)
}

async fn audit(console: &Console, name: &str, action: &str) -> Vec<Value> {
    let auditor = console.token(name, "auditor");
    let rows = auditor.get(&format!("/api/v1/audit?action={action}")).await.expect(200);
    rows["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_has_what_their_groups_give() {
    let provider = Provider::start().await;
    let console = private(&provider);
    let page = stranger(&console).get("/login?next=/runs").await.text;
    let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("{what} in {page}"));
    assert!(at("Sign in with Testers") < at("name=\"password\""), "the provider first");

    let visit = begin(&console).await;
    let asked = |name: &str| visit.asked[name].as_str();
    assert_eq!((asked("response_type"), asked("client_id"), asked("tenant")), ("code", CLIENT, "x"));
    assert_eq!(asked("redirect_uri"), format!("{}{CALLBACK}", console.url));
    assert_eq!(asked("scope"), "openid profile groups");
    assert_eq!(asked("code_challenge_method"), "S256");
    for secret in ["state", "nonce", "code_challenge"] {
        assert!(asked(secret).len() >= 43, "{secret}");
    }

    // Coming back has no effect, however often; its page sends on what came.
    let path = format!("{CALLBACK}?code=a+code&state={}", asked("state"));
    for _ in 0..2 {
        let page = visit.browser.get(&path).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Continue") && page.text.contains("value=\"a code\""), "{}", page.text);
        assert!(cookie(&page, "__Host-kubernaut").is_none());
    }
    assert!(provider.said().asked.is_empty(), "nothing was exchanged");
    let refused =
        visit.browser.client.post(format!("{}{CALLBACK}", console.url)).header("origin", "https://evil.example");
    let refused = refused.header("cookie", &visit.browser.cookie).form(&[("code", "x"), ("state", asked("state"))]);
    assert_eq!(refused.send().await.unwrap().status(), 403, "another site's form");

    provider.said().claims["at_hash"] = json!(at_hash());
    let answer = visit.back(&provider, &[("iss", provider.url.as_str())]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.headers["location"], "/runs?state=failed");
    {
        let said = provider.said();
        let (credentials, form) = &said.asked[0];
        let encoded: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let basic = base64::prelude::BASE64_STANDARD.encode(format!("{CLIENT}:{encoded}"));
        assert_eq!(*credentials, format!("Basic {basic}"));
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        assert_eq!(challenge, asked("code_challenge"), "proves that it was begun here");
        assert_eq!((form["code"].as_str(), form["redirect_uri"].as_str()), ("a code", asked("redirect_uri")));
    }
    let session = cookie(&answer, "__Host-kubernaut").unwrap();
    let mara = Browser { cookie: session, ..stranger(&console) };
    assert_eq!(mara.get("/runs").await.status, 200);
    assert_eq!(mara.get("/catalog/new").await.status, 403, "an operator registers nothing");
    let settings = mara.get("/settings").await.text;
    assert!(settings.contains("Testers") && settings.contains("everyone, oncall"), "{settings}");
    assert!(!settings.contains("old_password"), "there is no password to change");
    let form = [("old_password", ""), ("new_password", "correct horse battery"), ("again", "correct horse battery")];
    assert_eq!(mara.post("/settings/password", &form).await.status, 403);
    let by_password = stranger(&console).post("/login", &[("username", "mara"), ("password", "")]).await;
    assert_eq!(by_password.status, 401, "nor one to sign in with");

    let again = visit.back(&provider, &[]).await;
    assert_eq!(again.status, 401, "a sign-in ends once");
    assert!(again.text.contains("Begin again") && again.text.contains("Request "), "{}", again.text);
    let row = &audit(&console, "auditor", "account.sign_in").await[0];
    assert_eq!((row["actor"]["name"].as_str(), row["after"]["subject"].as_str()), (Some("mara"), Some("42")));
    assert_eq!(row["after"]["roles"], json!(["operator"]));
    assert_eq!(row["route"], format!("POST {CALLBACK}"));
    assert_eq!((&row["door"], &row["address"]), (&json!("page"), &json!("127.0.0.1")));
    let begun = &audit(&console, "auda", "session.begin").await[0];
    assert_eq!((&begun["after"]["method"], &begun["address"]), (&json!("oidc"), &json!("127.0.0.1")));
    let sessions = mara.get("/settings/sessions").await.text;
    assert!(sessions.contains(begun["after"]["session"].as_str().unwrap()), "{sessions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_providers_word_for_this_sign_in_is_not_believed() {
    use provider::Answer as Does;
    let provider = Provider::start().await;
    let console = private(&provider);
    let claim = |name: &'static str, value: Value| change(move |said| said.claims[name] = value.clone());
    let cases = [
        ("another nonce", claim("nonce", json!("another"))),
        ("another issuer", claim("iss", json!("https://evil.example"))),
        ("another audience", claim("aud", json!("another"))),
        ("one more audience", claim("aud", json!([CLIENT, "another"]))),
        ("another party", claim("azp", json!("another"))),
        ("out of date", claim("exp", json!(1))),
        ("no end", claim("exp", json!(null))),
        ("nobody", claim("sub", json!(null))),
        ("another access token", claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"))),
        ("signed wrongly", change(|said| said.signed = Signed::Wrongly)),
        ("signed by a secret that two know", change(|said| said.signed = Signed::WithTheSecret)),
        ("not signed", change(|said| said.signed = Signed::Not)),
        ("an unknown key", change(|said| said.key = "k9")),
        ("no ID token", change(|said| said.answer = Does::NoIdToken)),
        ("no exchange", change(|said| said.answer = Does::Refusal)),
        ("an answer without end", change(|said| said.answer = Does::Huge)),
        ("an answer that leads elsewhere", change(|said| said.answer = Does::Elsewhere)),
    ];
    for (what, said_instead) in cases {
        provider.mended();
        said_instead(&mut provider.said());
        let visit = begin(&console).await;
        let answer = visit.back(&provider, &[]).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        assert!(answer.text.contains("What Testers answered can't be trusted"), "{what}: {}", answer.text);
        assert!(cookie(&answer, "__Host-kubernaut").is_none(), "{what}");
        if what == "an answer that leads elsewhere" {
            assert_eq!(provider.said().asked.len(), 1, "it is not followed");
        }
    }
    provider.mended();
    let visit = begin(&console).await;
    assert_eq!(
        visit.back(&provider, &[("iss", "https://evil.example")]).await.status,
        401,
        "another provider's answer"
    );

    provider.mended();
    let visit = begin(&console).await;
    let other = Visit { browser: stranger(&console), asked: visit.asked.clone() };
    assert_eq!(other.back(&provider, &[]).await.status, 401, "another browser's");
    assert_eq!(visit.back(&provider, &[]).await.status, 303, "which takes nothing from the one that began it");
    let refused = audit(&console, "auditor", "account.refuse_sign_in").await;
    assert_eq!(refused.len(), 1, "the first of them; the others are counted: {refused:?}");
    let row = &refused[0];
    assert_eq!(
        (&row["object_id"], &row["actor"]["id"]),
        (&json!("unknown"), &json!("system:stranger")),
        "nobody is known"
    );
    assert_eq!((&row["route"], &row["address"]), (&json!(format!("POST {CALLBACK}")), &json!("127.0.0.1")));
    assert_eq!(console.command(&["user", "list"]).stdout.split(|b| *b == b'\n').count(), 3, "admin, mara, and the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_found_and_an_answer_may_have_to_name_its_issuer() {
    let provider = Provider::start().await;
    provider.said().discovery = json!({ "authorization_response_iss_parameter_supported": true });
    let console = private(&provider);
    let visit = begin(&console).await;
    {
        let mut said = provider.said();
        (said.keys, said.key) = (vec!["k1", "k2"], "k2");
    }
    assert_eq!(visit.back(&provider, &[]).await.status, 401, "it names its issuer always, and did not");
    let visit = begin(&console).await;
    provider.said().claims = json!({});
    let answer = visit.back(&provider, &[("iss", provider.url.as_str())]).await;
    assert_eq!(answer.status, 303, "signed with a key that came meanwhile: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_goes_on_to_the_provider_or_says_that_it_does_not() {
    let provider = Provider::start().await;
    provider.said().discovery = json!({ "end_session_endpoint": format!("{}/end?x=1", provider.url) });
    let console = private(&provider);
    let mara = sign_in(&console, &provider).await.unwrap();
    let left = mara.post("/logout", &[]).await;
    assert_eq!(left.status, 200, "{}", left.text);
    let to = leads_to(&left);
    let pairs: HashMap<String, String> = to.query_pairs().into_owned().collect();
    assert_eq!((to.path(), pairs["x"].as_str(), pairs["client_id"].as_str()), ("/end", "1", CLIENT));
    assert_eq!(pairs["post_logout_redirect_uri"], format!("{}/login", console.url));
    assert_eq!(pairs["id_token_hint"].split('.').count(), 3);
    assert!(left.text.contains("You are signed out"), "{}", left.text);
    assert_eq!(mara.get("/runs").await.status, 303, "the session has ended here, whatever becomes of it there");
    let admin = console.browser().await;
    assert_eq!(admin.post("/logout", &[]).await.headers["location"], "/login", "an account of ours has nowhere to go");

    let plain = Provider::start().await;
    let console = private(&plain);
    let mara = sign_in(&console, &plain).await.unwrap();
    let left = mara.post("/logout", &[]).await;
    assert_eq!((left.status.as_u16(), left.headers["location"].to_str().unwrap()), (303, "/login?out=still"));
    let page = stranger(&console).get("/login?out=still").await.text;
    assert!(page.contains("You are still signed in at Testers"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_keeps_nobody_from_starting() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let console = console(&format!("http://{free}"), "oidc-allow-private = \"on\"");
    let browser = stranger(&console);
    let refused = browser.post("/login/oidc", &[]).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("Testers can't be reached from here right now"), "{}", refused.text);
    let page = browser.get("/login").await.text;
    assert!(page.contains("The console keeps trying"), "{page}");
    assert!(console.browser_of("admin", ADMIN_PASSWORD).await.is_some(), "the other way is open");
    let provider = Provider::at(&free.to_string()).await;
    assert!(sign_in(&console, &provider).await.is_ok());
    assert!(!browser.get("/login").await.text.contains("keeps trying"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inside_is_not_called_unless_that_is_allowed() {
    let provider = Provider::start().await;
    let console = console(&provider.url, "");
    let refused = stranger(&console).post("/login/oidc", &[]).await;
    assert!(refused.status == 503 && refused.text.contains("can't be reached from here"), "{}", refused.text);

    // Another name than the one that is set is another provider.
    let renamed = Provider::start().await;
    renamed.said().discovery = json!({ "issuer": "https://sso.example" });
    let console = private(&renamed);
    assert_eq!(stranger(&console).post("/login/oidc", &[]).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_no_way_to_it() {
    let console = Console::start();
    let browser = stranger(&console);
    assert_eq!(browser.post("/login/oidc", &[]).await.status, 404);
    assert_eq!(browser.post(CALLBACK, &[("code", "x"), ("state", "y")]).await.status, 404);
    assert_eq!(browser.get(&format!("{CALLBACK}?code=x&state=y")).await.headers["location"], "/login");
    assert!(!browser.get("/login").await.text.contains("/login/oidc"));
    let provider = Provider::start().await;
    let console = private(&provider);
    let page =
        stranger(&console).get(&format!("{CALLBACK}?error=access_denied&error_description=Call+us&state=y")).await;
    assert!(page.status == 403 && page.text.contains("Testers did not let you in"), "{}", page.text);
    assert!(!page.text.contains("Call us") && page.text.contains("Request "), "{}", page.text);
}
