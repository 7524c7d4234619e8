//! A console of one's own per test: a process with a fresh database on a free port, ended with the test.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

const BINARY: &str = env!("CARGO_BIN_EXE_kubernaut-console");
pub const ADMIN_PASSWORD: &str = "a password for tests";
/// What a console logs, in its data directory.
const LOG: &str = "stderr.log";

/// Which database a test's console runs on.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A running console.
pub struct Console {
    pub url: String,
    pub client: Client,
    child: Child,
    data: tempfile::TempDir,
    pub database_url: Option<String>,
    /// What it printed before it said where it listens.
    pub printed: String,
}

impl Console {
    /// On SQLite, with nothing but the defaults.
    pub fn start() -> Self {
        Self::start_with(Database::Sqlite, &[])
    }

    /// On this database, with further arguments. None when PostgreSQL is wanted and not there (never so in CI).
    pub fn start_on(database: Database) -> Option<Self> {
        match (database, std::env::var("TEST_POSTGRES_URL")) {
            (Database::Postgres, Err(_)) => {
                assert!(std::env::var("CI").is_err(), "TEST_POSTGRES_URL must be set in CI");
                None
            }
            _ => Some(Self::start_with(database, &[])),
        }
    }

    pub fn start_with(database: Database, arguments: &[&str]) -> Self {
        Self::start_in(database, arguments, &[])
    }

    /// With further arguments and variables of the environment.
    pub fn start_in(database: Database, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let database_url = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(postgres_database()),
        };
        let mut command = console_command(data.path(), database_url.as_deref());
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).envs(environment.iter().copied());
        let log = std::fs::File::create(data.path().join(LOG)).expect("a file for its log");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (mut printed, mut url) = (String::new(), None);
        for line in lines.map_while(Result::ok) {
            url = line.strip_prefix("listening on ").map(str::to_owned);
            if url.is_some() {
                break;
            }
            printed.push_str(&line);
            printed.push('\n');
        }
        let url = url.expect("it says where it listens");
        Self { url, client: Client::new(), child, data, database_url, printed }
    }

    /// What it has logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.data.path().join(LOG)).expect("its log")
    }

    /// Where its data lie.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A subcommand on the same database.
    pub fn command(&self, arguments: &[&str]) -> Output {
        console_command(self.data.path(), self.database_url.as_deref()).args(arguments).output().expect("it runs")
    }

    /// A token with this role.
    pub fn token(&self, name: &str, role: &str) -> Caller<'_> {
        let output = self.command(&["token", "create", "--name", name, "--role", role]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let secret = String::from_utf8(output.stdout).expect("text").trim().to_owned();
        Caller { console: self, secret: Some(secret) }
    }

    /// Nobody.
    pub fn nobody(&self) -> Caller<'_> {
        Caller { console: self, secret: None }
    }

    /// The first admin, signed in with a browser.
    pub async fn browser(&self) -> Browser<'_> {
        self.browser_of("admin", ADMIN_PASSWORD).await.expect("the admin is let in")
    }

    /// Somebody with a browser, signed in; none where they are not let in.
    pub async fn browser_of(&self, name: &str, password: &str) -> Option<Browser<'_>> {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let mut browser = Browser { console: self, client, cookie: String::new() };
        let signed_in = browser.post("/login", &[("username", name), ("password", password)]).await;
        if signed_in.status != 303 {
            return None;
        }
        let cookie = signed_in.headers["set-cookie"].to_str().expect("text");
        cookie.split(';').next().unwrap_or_default().clone_into(&mut browser.cookie);
        Some(browser)
    }

    /// A person with this role, signed in with a browser.
    pub async fn person(&self, name: &str, role: &str) -> Browser<'_> {
        let made = self.command(&["user", "create", "--name", name, "--role", role]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let password = String::from_utf8(made.stdout).expect("text");
        self.browser_of(name, password.trim()).await.expect("they are let in")
    }

    /// Text of SQL on this console's PostgreSQL.
    pub fn sql(&self, text: &str) -> String {
        let url = self.database_url.as_ref().expect("it runs on PostgreSQL");
        let output = Command::new("psql").args([url, "-qtAc", text]).output().expect("psql");
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the process to end, at most this long.
    pub fn ended_within(&mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if self.child.try_wait().expect("its state").is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary with this data directory and no settings from the outside.
pub fn console_command(data: &Path, database_url: Option<&str>) -> Command {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KUBERNAUT_")) {
        command.env_remove(name);
    }
    command.env("KUBERNAUT_DATA_DIR", data).env("KUBERNAUT_ADMIN_PASSWORD", ADMIN_PASSWORD);
    if let Some(url) = database_url {
        command.env("KUBERNAUT_DATABASE_URL", url);
    }
    command
}

/// A fresh database on the test server, made with the server's own tool.
fn postgres_database() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("TEST_POSTGRES_URL").expect("checked before");
    let name = format!("api_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let made = Command::new("psql").args([&url, "-qc", &format!("CREATE DATABASE {name}")]).status().expect("psql");
    assert!(made.success(), "a database for the test");
    let (server, _) = url.rsplit_once('/').expect("a database in the URL");
    format!("{server}/{name}")
}

/// An answer: status, headers, body as JSON where it is some.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// The answer, after making sure of its status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json
    }

    /// The codes of its faults with their pointers.
    pub fn faults(&self) -> Vec<(String, String)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|e| (text(&e["pointer"]), text(&e["code"]))).collect()
    }
}

/// Someone with a browser: pages and forms, with a cookie.
pub struct Browser<'c> {
    pub console: &'c Console,
    pub client: Client,
    pub cookie: String,
}

impl Browser<'_> {
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) };
        answer(request.header("origin", &self.console.url)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.console.url))).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.client.post(format!("{}{path}", self.console.url)).form(form)).await
    }
}

/// The session's cookie that an answer sets, without its attributes.
pub fn cookie(answer: &Answer) -> Option<String> {
    let mut all = answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let line = all.find(|line| line.starts_with("__Host-kubernaut="))?;
    line.split(';').next().map(str::to_owned)
}

async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, json }
}

/// Someone who calls.
pub struct Caller<'c> {
    pub console: &'c Console,
    pub secret: Option<String>,
}

impl Caller<'_> {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.console.client.request(method, format!("{}{path}", self.console.url));
        match &self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn post_raw(&self, path: &str, media_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.request(Method::POST, path).header("content-type", media_type).body(body)).await
    }

    /// Asks again until the answer is as wanted; fails after a minute with the last answer.
    pub async fn until(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let answer = self.get(path).await;
            if wanted(&answer.json) {
                return answer.json;
            }
            assert!(Instant::now() < until, "{path} did not become: {what}; last {}", answer.text);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// One of the seeds' documents.
pub fn seed(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/seeds").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The seeds' recommendation with an incident of this id.
pub fn recommendation(incident: &str) -> Value {
    let mut answer = seed("recommendation.json");
    answer["incident"] = json!({
        "id": incident, "signal_type": "OOMKilled", "severity": "high", "environment": "production", "priority": "P1",
        "resource": { "kind": "Deployment", "namespace": "production", "name": "my-app" },
        "business_context": { "team": "checkout" },
    });
    answer["model"] = json!({ "provider": "holmesgpt", "name": "test-model", "prompt_version": "1" });
    answer
}

/// What an Alertmanager sends about these alerts, which it has put together.
pub fn alerts(alerts: &[Value]) -> Value {
    json!({
        "receiver": "console", "status": "firing", "version": "4", "groupKey": "{}:{alertname=\"KubePodCrashLooping\"}",
        "truncatedAlerts": 0, "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": alerts,
    })
}

/// An alert as Alertmanager writes it; one that has resolved ended half a minute after it began.
pub fn alert(fingerprint: &str, status: &str, starts_at: &str) -> Value {
    let ends_at =
        if status == "firing" { "0001-01-01T00:00:00Z".to_owned() } else { starts_at.replace(":00Z", ":30Z") };
    json!({
        "status": status, "startsAt": starts_at, "endsAt": ends_at, "fingerprint": fingerprint,
        "labels": {
            "alertname": "KubePodCrashLooping", "severity": "warning", "namespace": "production", "pod": format!("web-{fingerprint}"),
        },
        "annotations": { "summary": format!("Pod web-{fingerprint} is crash looping.") },
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
    })
}
