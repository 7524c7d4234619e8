//! Secrets stay where they belong: not in what is printed or logged, however much that is, nor in an answer, a metric or the database.

use crate::{
    oidc::{
        self,
        provider::{Provider, SECRET},
    },
    rights::lines,
    support::{Answer, Browser, Console, Database, console_command},
    world::World,
};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

const ADMIN: &str = "planted-admin-password";
const TYPED_WRONG: &str = "planted-wrong-password";
const CHANGED: &str = "planted-changed-password";
const GIVEN: &str = "planted-given-password";
const NO_TOKEN: &str = "kbn_planted0000000000000000000000000000000000000000000000000000";
/// The file with the keys of the audit trail, beside the database: it alone has them.
const KEY_FILE: &str = "audit.keys";
/// A line of `config show` that is secret has one of these in place of its value.
const HIDDEN: [&str; 3] = ["(set)", "(not set)", "(hidden)"];

/// What must be nowhere, each with what it is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn add(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() > 9, "{what} is long enough to be found: {secret:?}");
        self.0.push((what, secret.to_owned()));
    }

    /// The keys of this console's audit trail.
    fn add_audit_keys(&mut self, console: &Console) {
        let file = std::fs::read_to_string(console.data().join(KEY_FILE)).unwrap();
        assert!(!file.is_empty(), "the first start has made one");
        for line in file.lines().filter(|line| line.starts_with('{')) {
            let key: Value = serde_json::from_str(line).unwrap();
            self.add("a key of the audit trail", key["secret"].as_str().unwrap());
        }
    }

    #[track_caller]
    fn not_in(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            let found = bytes.windows(secret.len()).position(|window| window == secret.as_bytes());
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + secret.len() + 50)];
                panic!("{what} stands in {place}: {}", String::from_utf8_lossy(around));
            }
        }
    }

    #[track_caller]
    fn not_in_answer(&self, place: &str, answer: &Answer) {
        self.not_in(place, answer.text.as_bytes());
        for (name, value) in answer.headers.iter().filter(|(name, _)| *name != "set-cookie") {
            self.not_in(&format!("the header {name} of {place}"), value.as_bytes());
        }
    }
}

fn cookie_of(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// Does what there is to do with secrets, what goes well and what does not; says which there were.
async fn lives(console: &Console) -> (Secrets, String) {
    let mut secrets = Secrets::default();
    for (what, secret) in [
        ("the first admin's password", ADMIN),
        ("a password that was typed wrong", TYPED_WRONG),
        ("a password that was changed to", CHANGED),
        ("a password that was given to somebody", GIVEN),
        ("a token that is none", NO_TOKEN),
    ] {
        secrets.add(what, secret);
    }
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let nobody = Browser { console, client: client.clone(), cookie: String::new() };
    for (name, password) in [("admin", TYPED_WRONG), ("nobody", TYPED_WRONG), ("admin", ADMIN)] {
        let answer = nobody.post("/login", &[("username", name), ("password", password)]).await;
        secrets.not_in_answer("the answer to a sign-in", &answer);
    }
    let signed_in = nobody.post("/login", &[("username", "admin"), ("password", ADMIN)]).await;
    let admin = Browser { cookie: cookie_of(&signed_in), ..nobody };
    for cookie in signed_in.headers.get_all("set-cookie") {
        let (_, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        secrets.add("what a browser or its session was known by", value);
    }
    for (old, new, again) in [(TYPED_WRONG, CHANGED, CHANGED), (ADMIN, CHANGED, TYPED_WRONG), (ADMIN, CHANGED, CHANGED)]
    {
        let form = [("old_password", old), ("new_password", new), ("again", again)];
        let answer = admin.post("/settings/password", &form).await;
        secrets.not_in_answer("the answer to a change of password", &answer);
        if answer.status == 303 {
            secrets.add("a session", admin.cookie.split_once('=').unwrap().1);
        }
    }
    let again = admin.post("/login", &[("username", "admin"), ("password", CHANGED)]).await;
    let admin = Browser { cookie: cookie_of(&again), ..admin };
    // Who signs in again sends the password with the form that it is asked for.
    let proof = async |password: &str| {
        let form = [("decision", "reject"), ("reason", "read"), ("proof_password", password)];
        admin.post("/recommendations/none", &form).await
    };
    let (wrong, right) = (proof(TYPED_WRONG).await, proof(CHANGED).await);
    for answer in [&wrong, &right] {
        secrets.not_in_answer("the answer to who signs in again", answer);
    }
    assert!(wrong.text.contains("proof_password"), "it is asked for once more: {}", wrong.text);
    let cookie = cookie_of(&right);
    for cookie in [&admin.cookie, &cookie] {
        secrets.add("a session", cookie.split_once('=').unwrap().1);
    }
    let admin = Browser { cookie: cookie.clone(), ..admin };
    for (name, password) in [("vera", GIVEN), (" ", GIVEN), ("vera", GIVEN)] {
        let form = [("name", name), ("role.viewer", "on"), ("password", password)];
        secrets.not_in_answer("the answer to a new account", &admin.post("/settings/accounts", &form).await);
    }
    let output = console.command(&["token", "create", "--name", "a token", "--role", "admin"]);
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    secrets.add("a token", &token);
    for secret in [token.as_str(), NO_TOKEN] {
        for (method, path) in [(Method::GET, "executions"), (Method::POST, "playbooks"), (Method::DELETE, "nowhere")] {
            let request = client.request(method, format!("{}/api/v1/{path}", console.url)).bearer_auth(secret);
            let answer = request.json(&json!({ "title": 1 })).send().await.unwrap();
            secrets.not_in(path, answer.text().await.unwrap().as_bytes());
        }
    }
    (secrets, cookie)
}

/// Every GET there is, as the admin.
async fn all_answers(console: &Console, secrets: &Secrets, cookie: &str, world: &World) {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    for line in lines().into_iter().filter(|line| line.method == Method::GET && line.path != "/api/v1/events") {
        let address = world.address(&line.path);
        let answer = client.get(format!("{}{address}", console.url)).header("cookie", cookie).send().await.unwrap();
        let bytes = answer.bytes().await.unwrap();
        secrets.not_in(&address, &bytes);
    }
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let all = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.is_file()).map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[tokio::test]
async fn what_was_secret_is_nowhere_afterwards() {
    // As much as there is to log.
    let console = Console::start_in(
        Database::Sqlite,
        &[],
        &[("KUBERNAUT_ADMIN_PASSWORD", ADMIN), ("RUST_LOG", "debug,hyper=trace,tower_http=trace")],
    );
    let world = World::of(&console).await;
    let (mut secrets, cookie) = lives(&console).await;
    secrets.add_audit_keys(&console);
    all_answers(&console, &secrets, &cookie, &world).await;
    secrets.not_in("what it printed", console.printed.as_bytes());
    assert!(console.logged().contains("a sign-in was refused"), "something was logged");
    // Its log lies there, too.
    for (name, bytes) in files(console.data()).into_iter().filter(|(name, _)| !name.ends_with(KEY_FILE)) {
        secrets.not_in(&name, &bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_signing_in_at_a_provider_takes_is_nowhere_afterwards() {
    let provider = Provider::start().await;
    let environment = [("RUST_LOG", "debug,hyper=trace,reqwest=trace")];
    let console = oidc::console_in(&provider.url, "oidc-allow-private = \"on\"", &environment);
    let world = World::of(&console).await;
    let mara = oidc::sign_in(&console, &provider).await.unwrap();
    let (credentials, _) = provider.said().asked[0].clone();
    let mut secrets = Secrets::default();
    secrets.add("the client's secret", SECRET);
    secrets.add("the client's secret as it is sent", credentials.strip_prefix("Basic ").unwrap());
    secrets.add("a session", mara.cookie.split_once('=').unwrap().1);
    let admin = console.browser().await;
    all_answers(&console, &secrets, &admin.cookie, &world).await;
    for (name, bytes) in files(console.data()) {
        secrets.not_in(&name, &bytes);
    }
}

#[tokio::test]
async fn the_databases_password_is_told_to_nobody_and_it_keeps_only_hashes() {
    let Some(console) = Console::start_on(Database::Postgres) else { return };
    let world = World::of(&console).await;
    let browser = console.browser().await;
    let mut secrets = Secrets::default();
    let url = console.database_url.clone().unwrap();
    let (_, rest) = url.split_once("://").unwrap();
    let Some((_, password)) = rest.split_once('@').and_then(|(user, _)| user.split_once(':')) else { return };
    secrets.add("the database's password", password);
    secrets.add("the first admin's password", crate::support::ADMIN_PASSWORD);
    secrets.add("a session", browser.cookie.split_once('=').unwrap().1);
    secrets.add("a token", console.token("a token", "viewer").secret.as_deref().unwrap());
    secrets.add_audit_keys(&console);
    all_answers(&console, &secrets, &browser.cookie, &world).await;
    secrets.not_in("its log", console.logged().as_bytes());
    secrets.not_in("config show", &console.command(&["config", "show"]).stdout);
    let tables = console.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    assert!(tables.lines().count() > 10, "{tables}");
    for table in tables.lines() {
        let rows = console.sql(&format!("SELECT to_jsonb(t)::text FROM \"{table}\" t"));
        secrets.not_in(table, rows.as_bytes());
    }
    // Down, and up again: what can't be reached is told without it.
    let wrong = url.replace(rest.rsplit_once('@').unwrap().1, "127.0.0.1:1/none");
    for address in [wrong.as_str(), &url.replacen("postgres", "mysql", 1), &format!("{url}?sslmode=never")] {
        let data = tempfile::tempdir().unwrap();
        let output =
            console_command(data.path(), Some(address)).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
        assert!(!output.status.success());
        assert!(!output.stderr.is_empty());
        secrets.not_in("a complaint", &output.stderr);
        secrets.not_in("a complaint", &output.stdout);
    }
}

#[test]
fn every_secret_setting_is_hidden_wherever_it_came_from() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("console.toml");
    let url = "postgres://me:planted-database-password@db.example/x?sslpassword=planted-key-password";
    let provider = [
        ("oidc-issuer", "https://sso.example"),
        ("oidc-client-id", "console"),
        ("oidc-role", "oncall=operator"),
        ("oidc-client-secret", "planted-client-secret"),
    ];
    let lines: String = provider.map(|(name, value)| format!("{name} = \"{value}\"\n")).concat();
    std::fs::write(&file, format!("admin-password = \"{ADMIN}\"\ndatabase-url = \"{url}\"\n{lines}")).unwrap();
    let shown = |from_file: bool| {
        let mut command = console_command(data.path(), None);
        command.env_remove("KUBERNAUT_ADMIN_PASSWORD").args(["config", "show"]);
        let output = if from_file {
            command.arg("--config").arg(&file).output()
        } else {
            let variable = |name: &str| format!("KUBERNAUT_{}", name.replace('-', "_").to_uppercase());
            command.envs(provider.map(|(name, value)| (variable(name), value)));
            command.env("KUBERNAUT_ADMIN_PASSWORD", ADMIN).env("KUBERNAUT_DATABASE_URL", url).output()
        };
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    for from_file in [true, false] {
        let shown = shown(from_file);
        assert!(!shown.contains("planted"), "{shown}");
        let hidden = |name: &str| {
            let line = shown.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {shown}"));
            assert!(HIDDEN.iter().any(|hidden| line.contains(hidden)), "{line}");
        };
        // Whatever is called so is secret, and is shown so.
        for line in shown.lines() {
            let name = line.split(' ').next().unwrap();
            if ["password", "secret-key", "client-secret", "hmac"].iter().any(|word| name.contains(word)) {
                hidden(name);
            }
        }
        assert!(shown.lines().any(|line| line.starts_with("oidc-client-secret ") && line.contains("(set)")), "{shown}");
        hidden("admin-password");
        hidden("database-url");
    }
}

#[tokio::test]
async fn a_password_that_was_made_is_printed_once_and_not_logged() {
    let console = Console::start_in(Database::Sqlite, &[], &[("KUBERNAUT_ADMIN_PASSWORD", ""), ("RUST_LOG", "debug")]);
    let (_, rest) = console.printed.split_once("password ").expect("it is printed");
    let password = rest.split(' ').next().unwrap().to_owned();
    assert!(console.browser_of("admin", &password).await.is_some());
    let mut secrets = Secrets::default();
    secrets.add("the password that was made", &password);
    tokio::time::sleep(Duration::from_millis(200)).await;
    for (name, bytes) in files(console.data()) {
        secrets.not_in(&name, &bytes);
    }
}
