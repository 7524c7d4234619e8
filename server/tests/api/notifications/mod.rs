//! Notifications as a receiver hears them, whatever becomes of it: signed, small, again until it has them, and never two at once.

mod receiver;

use crate::support::{ADMIN_PASSWORD, Caller, Console, Database, recommendation, seed};
use receiver::{Heard, Receiver, Reply};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SOON: Duration = Duration::from_secs(10);

/// The file that names these receivers: name, address, further lines.
fn file(directory: &Path, receivers: &[(&str, &str, &str)]) -> String {
    std::fs::write(directory.join("secret"), SECRET).unwrap();
    let each = receivers.iter().map(|(name, url, more)| {
        format!("[[receiver]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret-file = \"secret\"\n{more}\n")
    });
    let path = directory.join("receivers.toml");
    std::fs::write(&path, each.collect::<String>()).unwrap();
    path.display().to_string()
}

fn start(database: Database, file: &str, more: &[&str]) -> Console {
    let usual = ["--notify-file", file, "--notify-allow-private", "on"];
    Console::start_with(database, &[&usual[..], more].concat())
}

/// A recommendation for a playbook with a hidden parameter; its id.
async fn recommended(console: &Console, incident: &str) -> String {
    let (admin, model) = (console.token(&format!("admin of {incident}"), "admin"), console.token(incident, "propose"));
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["parameters"]["hidden"][0]["value"] = json!("canary-hidden-value");
    admin.post("/api/v1/playbooks", &playbook).await;
    let mut body = recommendation(incident);
    body["analysis_summary"] = json!("canary-summary");
    body["root_cause_assessment"] = json!("canary-cause");
    body["strategies"][0]["rationale"] = json!("canary-rationale");
    body["warnings"] = json!(["canary-warning"]);
    body["context_used"] = json!({ "logs": "canary-log" });
    let taken = model.post("/api/v1/recommendations", &body).await.expect(201);
    taken["id"].as_str().unwrap().to_owned()
}

async fn reject(by: &Caller<'_>, id: &str) {
    let body = json!({ "decision": "reject", "strategy": 0, "reason": "canary-reason" });
    by.post(&format!("/api/v1/recommendations/{id}/decisions"), &body).await.expect(200);
}

/// What was told to a receiver, once it stands so.
async fn until(by: &Caller<'_>, receiver: &str, state: &str, many: usize) -> Vec<Value> {
    let path = format!("/api/v1/notifications?receiver={receiver}&state={state}");
    let list = by.until(&path, state, |list| list["items"].as_array().is_some_and(|items| items.len() >= many)).await;
    list["items"].as_array().unwrap().clone()
}

fn ids(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|one| one.headers["webhook-id"].clone()).collect()
}

#[tokio::test]
async fn a_receiver_hears_what_it_must_know_and_nothing_else() {
    for database in [Database::Sqlite, Database::Postgres] {
        let directory = tempfile::tempdir().unwrap();
        let chat = Receiver::answering(&[]).await;
        let staging = Receiver::answering(&[]).await;
        let file = file(
            directory.path(),
            &[("chat", &chat.url, ""), ("staging", &staging.url, "environments = [\"staging\"]")],
        );
        if matches!(database, Database::Postgres) && std::env::var("TEST_POSTGRES_URL").is_err() {
            assert!(std::env::var("CI").is_err(), "TEST_POSTGRES_URL must be set in CI");
            continue;
        }
        let console = start(database, &file, &[]);
        let admin = console.token("admin", "admin");
        let id = recommended(&console, "inc-1").await;
        reject(&admin, &id).await;
        let heard = chat.until(2, SOON).await;
        assert_eq!(ids(&heard), [format!("new_{id}"), format!("decided_{id}")]);
        for one in &heard {
            assert!(one.is_signed(), "{one:?}");
            assert!(one.headers["content-type"].starts_with("application/cloudevents+json"), "{one:?}");
            let event = one.json();
            assert_eq!((&event["specversion"], &event["id"]), (&json!("1.0"), &json!(one.headers["webhook-id"])));
            assert_eq!((&event["source"], &event["subject"]), (&json!(console.url), &json!(id)));
            let data = &event["data"];
            assert_eq!(data["link"], json!(format!("{}/recommendations/{id}", console.url)));
            assert_eq!((&data["id"], &data["severity"]), (&json!(id), &json!("high")));
            assert_eq!(data["title"], "OOMKilled: Deployment production/my-app");
            let sent = String::from_utf8(one.body.clone()).unwrap();
            for secret in ["canary", SECRET, ADMIN_PASSWORD, admin.secret.as_deref().unwrap(), "kbn_"] {
                assert!(!sent.contains(secret), "{secret} in {sent}");
            }
        }
        assert_eq!(
            (&heard[0].json()["data"]["state"], &heard[1].json()["data"]["state"]),
            (&json!("open"), &json!("decided"))
        );
        assert_eq!(heard[1].json()["data"]["decision"], "reject");

        // Whatever follows the link, such as a mail scanner, has done nothing.
        let waits = recommended(&console, "inc-2").await;
        let link = chat.until(3, SOON).await[2].json()["data"]["link"].as_str().unwrap().to_owned();
        for with in [console.nobody(), console.token("a scanner", "operator")] {
            let path = link.strip_prefix(&console.url).unwrap();
            assert!(with.get(path).await.status.is_success());
        }
        let read = admin.get(&format!("/api/v1/recommendations/{waits}")).await.expect(200);
        assert_eq!(read["state"], "open");

        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(chat.heard().len(), 3, "once each: {:?}", ids(&chat.heard()));
        assert!(staging.heard().is_empty(), "who asked for another environment");
        let metrics = console.nobody().get("/metrics").await.text;
        assert!(metrics.contains("kubernaut_notifications_delivered_total{receiver=\"chat\"} 3"), "{metrics}");
    }
}

#[tokio::test]
async fn what_expires_soon_is_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let pager = Receiver::answering(&[]).await;
    let file = file(directory.path(), &[("pager", &pager.url, "events = [\"expiring\"]")]);
    let console = start(Database::Sqlite, &file, &["--approval-ttl", "20s"]);
    let id = recommended(&console, "inc-1").await;
    let heard = pager.until(1, Duration::from_secs(25)).await;
    assert_eq!(
        (heard[0].kind().as_str(), heard[0].json()["data"]["state"].as_str()),
        ("ai.kubernaut.recommendation.expiring", Some("open"))
    );
    let admin = console.token("admin", "admin");
    admin.until(&format!("/api/v1/recommendations/{id}"), "expired", |read| read["state"] == "expired").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(ids(&pager.heard()), [format!("expiring_{id}")]);
}

#[tokio::test]
async fn whatever_becomes_of_a_receiver_it_is_told_in_the_end_and_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let broken = Receiver::answering(&[Reply::Status(500)]).await;
    let busy = Receiver::answering(&[Reply::Later(429, "5")]).await;
    let moved = Receiver::answering(&[Reply::Elsewhere]).await;
    let slow = Receiver::answering(&[Reply::Slowly(Duration::from_secs(14))]).await;
    let gone = Receiver::answering(&[Reply::Status(410)]).await;
    let all = [("broken", &broken), ("busy", &busy), ("moved", &moved), ("slow", &slow), ("gone", &gone)];
    let named: Vec<_> =
        all.iter().map(|(name, receiver)| (*name, receiver.url.as_str(), "events = [\"new\"]")).collect();
    let console = start(Database::Sqlite, &file(directory.path(), &named), &["--notify-attempts", "3"]);
    let admin = console.token("admin", "admin");
    recommended(&console, "inc-1").await;
    slow.until(1, SOON).await;

    // While one of them takes its time, decisions and pages do not.
    let began = Instant::now();
    let second = recommended(&console, "inc-2").await;
    reject(&admin, &second).await;
    admin.get("/settings/notifications").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    for (name, receiver) in [("broken", &broken), ("busy", &busy), ("moved", &moved)] {
        let heard = receiver.until(3, Duration::from_secs(20)).await;
        until(&admin, name, "delivered", 2).await;
        let first: Vec<_> =
            heard.iter().filter(|one| one.headers["webhook-id"] == heard[0].headers["webhook-id"]).collect();
        assert_eq!(first.len(), 2, "{name}: the same event again, with the same id");
        assert!(first.iter().all(|one| one.is_signed()), "{name}: each try is signed anew");
        assert_eq!(first[0].body, first[1].body, "{name}: and says the same");
        assert!(heard.iter().all(|one| one.path == "/hook"), "{name}: no redirect is followed");
        let pause = first[1].at - first[0].at;
        let least = if name == "busy" { 5_000 } else { 1_000 };
        assert!(pause >= Duration::from_millis(least - 50), "{name}: {pause:?}");
    }
    let dead = until(&admin, "gone", "dead", 1).await;
    assert!(dead[0]["reason"].as_str().unwrap().contains("410"), "{dead:?}");
    assert_eq!(dead[0]["attempts"], 1, "it is not asked again");

    // Its answer came too late: it is told again, and never twice at the same time.
    slow.until(3, Duration::from_secs(40)).await;
    until(&admin, "slow", "delivered", 2).await;
    let slowly = slow.heard()[1].at;
    assert!(broken.heard()[2].at < slowly && moved.heard()[2].at < slowly, "the others did not wait for it");
    for (name, receiver) in all.iter().filter(|(name, _)| *name != "slow") {
        assert!(!receiver.overlapped(), "{name}");
    }
}

#[tokio::test]
async fn who_was_away_for_long_is_told_when_somebody_says_so() {
    let directory = tempfile::tempdir().unwrap();
    // A port that nobody listens on.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/hook?key=canary-of-the-address");
    let file = file(directory.path(), &[("pager", &url, "events = [\"new\"]")]);
    let console = start(Database::Sqlite, &file, &["--notify-attempts", "2"]);
    let (admin, auditor) = (console.token("admin", "admin"), console.token("auditor", "auditor"));
    let viewer = console.token("viewer", "viewer");
    let (first, second) = (recommended(&console, "inc-1").await, recommended(&console, "inc-2").await);
    let dead = until(&auditor, "pager", "dead", 2).await;
    assert_eq!(dead[0]["attempts"], 2);
    let reason = dead[0]["reason"].as_str().unwrap();
    assert!(reason.contains("127.0.0.1 did not answer") && !reason.contains("canary"), "{reason}");
    let receivers = auditor.get("/api/v1/notifications/receivers").await;
    assert_eq!(
        (&receivers.json["items"][0]["dead"], &receivers.json["items"][0]["host"]),
        (&json!(2), &json!("127.0.0.1"))
    );
    let page = console.browser().await.get("/settings/notifications").await;
    assert!(page.text.contains("Not delivered") && page.text.contains("did not answer"), "{}", page.text);
    for told in [&receivers.text, &page.text, &console.logged()] {
        assert!(!told.contains("canary") && !told.contains(&SECRET[6..]), "{told}");
    }

    let path = |id: &str, act: &str| format!("/api/v1/notifications/new_{id}.pager/{act}");
    for by in [&viewer, &auditor] {
        assert_eq!(by.post(&path(&first, "redeliver"), &json!({})).await.status, 403, "who reads does not act");
    }
    assert_eq!(viewer.get("/api/v1/notifications").await.status, 403);
    admin.post(&path(&second, "discard"), &json!({})).await.expect(200);
    let pager = Receiver::at(&address.to_string(), &[]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(pager.heard().is_empty(), "nobody has said so yet");

    let again = admin.post(&path(&first, "redeliver"), &json!({})).await.expect(202);
    assert_eq!((&again["state"], &again["attempts"]), (&json!("waiting"), &json!(0)));
    let heard = pager.until(1, SOON).await;
    assert!(heard[0].is_signed());
    assert_eq!(ids(&heard), [format!("new_{first}")]);
    until(&admin, "pager", "delivered", 1).await;
    assert_eq!(admin.post(&path(&first, "redeliver"), &json!({})).await.status, 409, "it has it");
    assert_eq!(admin.post(&path("none", "redeliver"), &json!({})).await.status, 404);
    assert_eq!(admin.post(&path(&first, "redeliver"), &json!({ "to": "https://evil.example" })).await.status, 422);

    let trail = auditor.get("/api/v1/audit?action=notification.").await.expect(200);
    let done: Vec<_> = trail["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(done, ["notification.redeliver", "notification.discard"], "newest first");
}

#[tokio::test]
async fn a_test_comes_by_the_page_and_by_the_api() {
    let directory = tempfile::tempdir().unwrap();
    let chat = Receiver::answering(&[]).await;
    let file = file(directory.path(), &[("chat", &chat.url, "severities = [\"critical\"]")]);
    let console = start(Database::Sqlite, &file, &[]);
    let admin = console.browser().await;
    let sent = admin.post("/settings/notifications/receivers/chat/test", &[]).await;
    assert_eq!(sent.status, 303);
    assert_eq!(sent.headers["location"].to_str().unwrap(), "/settings/notifications?done=tested");
    let token = console.token("tester", "admin");
    token.post("/api/v1/notifications/receivers/chat/test", &json!({})).await.expect(202);
    let heard = chat.until(2, SOON).await;
    assert!(heard.iter().all(|one| one.is_signed() && one.kind() == "ai.kubernaut.notification.test"));
    assert_eq!(ids(&heard).into_iter().collect::<HashSet<_>>().len(), 2, "each is an event of its own");
    assert_eq!(heard[0].json()["data"]["link"], json!(format!("{}/settings/notifications", console.url)));
    assert_eq!(admin.post("/settings/notifications/receivers/nobody/test", &[]).await.status, 404);
    let page = admin.get("/settings/notifications").await.text;
    assert!(page.contains("chat") && page.contains("127.0.0.1") && page.contains("severity critical"), "{page}");
}

#[tokio::test]
async fn two_consoles_on_one_database_tell_everything_once() {
    if std::env::var("TEST_POSTGRES_URL").is_err() {
        assert!(std::env::var("CI").is_err(), "TEST_POSTGRES_URL must be set in CI");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let chat = Receiver::answering(&[Reply::Slowly(Duration::from_secs(2))]).await;
    let file = file(directory.path(), &[("chat", &chat.url, "events = [\"new\"]")]);
    let one = start(Database::Postgres, &file, &[]);
    let url = one.database_url.clone().unwrap();
    let keys = one.data().join("audit.keys").display().to_string();
    let other = start(Database::Sqlite, &file, &["--database-url", &url, "--audit-key-file", &keys]);
    let model = one.token("model", "propose");
    let models = [Caller { console: &other, secret: model.secret.clone() }, model];
    let mut wanted = HashSet::new();
    for n in 0..8 {
        let body = recommendation(&format!("inc-{n}"));
        let taken = models[n % 2].post("/api/v1/recommendations", &body).await.expect(201);
        wanted.insert(format!("new_{}", taken["id"].as_str().unwrap()));
    }
    chat.until(8, Duration::from_secs(20)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let heard = ids(&chat.heard());
    assert_eq!((heard.len(), heard.into_iter().collect::<HashSet<_>>()), (8, wanted));
    assert!(!chat.overlapped());
}
