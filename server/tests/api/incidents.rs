//! From what Alertmanager sends to an incident, and from the incident to what was recommended for it.

use crate::support::{Answer, Caller, Console, Database, alert, alerts, recommendation, seed};
use serde_json::{Value, json};

const ALERTS: &str = "/api/v1/signals/alertmanager";
const FIRST: &str = "2025-11-23T03:00:00Z";
const SECOND: &str = "2025-11-23T04:00:00Z";

async fn send(alertmanager: &Caller<'_>, all: &[Value]) -> Value {
    alertmanager.post(ALERTS, &alerts(all)).await.expect(200)
}

fn counts(taken: &Value) -> [i64; 3] {
    ["began", "ended", "known"].map(|name| taken[name].as_i64().unwrap())
}

fn id(taken: &Value) -> String {
    assert_eq!(taken["incidents"].as_array().unwrap().len(), 1, "{taken}");
    taken["incidents"][0].as_str().unwrap().to_owned()
}

async fn incident(viewer: &Caller<'_>, id: &str) -> Value {
    viewer.get(&format!("/api/v1/incidents/{id}")).await.expect(200)
}

#[tokio::test]
async fn an_alert_becomes_an_incident_that_ends_with_it() {
    for database in [Database::Sqlite, Database::Postgres] {
        let Some(console) = Console::start_on(database) else { continue };
        let (alertmanager, viewer) = (console.token("alertmanager", "ingest"), console.token("viewer", "viewer"));
        let taken = send(&alertmanager, &[alert("a", "firing", FIRST)]).await;
        assert_eq!(counts(&taken), [1, 0, 0]);
        let first = id(&taken);
        let fires = incident(&viewer, &first).await;
        let said = ["state", "signal_type", "severity", "title"].map(|name| fires[name].as_str().unwrap().to_owned());
        assert_eq!(said, ["firing", "CrashLoopBackOff", "medium", "Pod web-a is crash looping."]);
        assert_eq!(fires["resource"], json!({ "kind": "Pod", "namespace": "production", "name": "web-a" }));
        assert_eq!(fires["started_at"], "2025-11-23T03:00:00.000Z");

        let again = send(&alertmanager, &[alert("a", "firing", FIRST)]).await;
        assert_eq!((counts(&again), id(&again)), ([0, 0, 1], first.clone()));
        let more = send(&alertmanager, &[alert("a", "firing", FIRST), alert("b", "firing", SECOND)]).await;
        assert_eq!((counts(&more), id(&more)), ([1, 0, 1], first.clone()));

        send(&alertmanager, &[alert("a", "resolved", FIRST)]).await;
        let one_left = incident(&viewer, &first).await;
        assert_eq!((&one_left["state"], &one_left["firing_count"]), (&json!("firing"), &json!(1)));
        send(&alertmanager, &[alert("b", "resolved", SECOND)]).await;
        let over = incident(&viewer, &first).await;
        assert_eq!((&over["state"], &over["resolved_at"]), (&json!("resolved"), &json!("2025-11-23T04:00:30.000Z")));

        let anew = send(&alertmanager, &[alert("a", "firing", "2025-11-23T05:00:00Z")]).await;
        assert_ne!(id(&anew), first);
        assert_eq!(incident(&viewer, &id(&anew)).await["earlier"], first.as_str());
        let list = viewer.get("/api/v1/incidents").await.expect(200);
        let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
        assert_eq!(states, ["firing", "resolved"]);
        let resolved = viewer.get("/api/v1/incidents?state=resolved&q=web-a").await.expect(200);
        assert_eq!(resolved["items"][0]["id"], first.as_str());
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_nothing_is_kept() {
    let console = Console::start();
    let (alertmanager, viewer) = (console.token("alertmanager", "ingest"), console.token("viewer", "viewer"));
    let mut wrong = alerts(&[alert("a", "firing", FIRST), alert("b", "pending", FIRST)]);
    wrong["version"] = json!("3");
    let refused = alertmanager.post(ALERTS, &wrong).await;
    let expected = [("/version", "not_allowed"), ("/alerts/1/status", "not_allowed")];
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), expected.map(|(at, code)| (at.to_owned(), code.to_owned())));
    assert_eq!(viewer.get("/api/v1/incidents").await.expect(200)["items"], json!([]));
    let ignored = send(
        &alertmanager,
        &[{
            let mut watchdog = alert("w", "firing", FIRST);
            watchdog["labels"]["alertname"] = json!("Watchdog");
            watchdog
        }],
    )
    .await;
    assert_eq!((&ignored["ignored"], &ignored["incidents"]), (&json!(1), &json!([])));
    assert_eq!(viewer.post(ALERTS, &alerts(&[alert("a", "firing", FIRST)])).await.status, 403);
    assert_eq!(alertmanager.get("/api/v1/incidents").await.status, 403, "who sends signals reads none");
    assert_eq!(viewer.get("/api/v1/incidents/none").await.status, 404);
}

#[tokio::test]
async fn what_no_alert_will_end_is_closed_by_hand_with_a_reason() {
    let console = Console::start();
    let (alertmanager, viewer) = (console.token("alertmanager", "ingest"), console.token("viewer", "viewer"));
    let operator = console.token("operator", "operator");
    let first = id(&send(&alertmanager, &[alert("a", "firing", FIRST)]).await);
    let close = format!("/api/v1/incidents/{first}/close");
    let said = json!({ "reason": "the node is gone" });
    assert_eq!(viewer.post(&close, &said).await.status, 403);
    assert_eq!(operator.post(&close, &json!({ "reason": " " })).await.status, 422);
    assert_eq!(operator.post("/api/v1/incidents/none/close", &said).await.status, 404);
    let closed = operator.post(&close, &said).await.expect(200);
    assert_eq!((&closed["state"], &closed["closed"]["reason"]), (&json!("resolved"), &said["reason"]));
    assert_eq!((&closed["signals"][0]["closed"], &closed["firing_count"]), (&json!(true), &json!(0)));
    let again = operator.post(&close, &said).await;
    assert_eq!((again.status.as_u16(), again.json["type"].as_str().unwrap().ends_with("resolved")), (409, true));
    let rows = console.token("auditor", "auditor").get("/api/v1/audit?action=incident.").await.expect(200);
    assert_eq!(rows["items"].as_array().unwrap().len(), 1, "a refusal leaves no row");
    assert_eq!((&rows["items"][0]["action"], &rows["items"][0]["reason"]), (&json!("incident.close"), &said["reason"]));

    let second = id(&send(&alertmanager, &[alert("b", "firing", SECOND)]).await);
    let browser = console.browser().await;
    let page = format!("/incidents/{second}");
    let form = browser.get(&page).await.text;
    assert!(form.contains(&format!("action=\"{page}/close#close\"")), "{form}");
    let silent = browser.post(&format!("{page}/close"), &[("reason", " ")]).await;
    assert!(silent.status == 422 && silent.text.contains("Say why it is over"), "{}", silent.text);
    assert_eq!(browser.post(&format!("{page}/close"), &[("reason", "a test")]).await.status, 303);
    let over = browser.get(&page).await.text;
    assert!(over.contains("Closed by hand by") && !over.contains("id=\"close\""), "{over}");
}

#[tokio::test]
async fn a_recommendation_belongs_to_its_incident_whichever_comes_first() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let alertmanager = console.token("alertmanager", "ingest");
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let submit = async |incident: &str, fingerprint: Option<&str>| {
        let mut said = recommendation(incident);
        if let Some(fingerprint) = fingerprint {
            said["incident"]["fingerprint"] = json!(fingerprint);
        }
        let taken: Answer = model.post("/api/v1/recommendations", &said).await;
        taken.expect(201)["id"].clone()
    };
    let early = submit("inc-early", Some("a")).await;
    let first = id(&send(&alertmanager, &[alert("a", "firing", FIRST)]).await);
    let unanswered = async || admin.get("/api/v1/incidents?unanswered=true").await.expect(200)["items"].clone();
    assert_eq!(incident(&admin, &first).await["recommendations"], json!([early]));
    assert_eq!(unanswered().await, json!([]));

    let mut other = alerts(&[alert("b", "firing", FIRST)]);
    other["groupKey"] = json!("another");
    let second = id(&alertmanager.post(ALERTS, &other).await.expect(200));
    assert_eq!(unanswered().await[0]["id"], second.as_str());
    let by_fingerprint = submit("inc-late", Some("b")).await;
    let by_id = submit(&second, None).await;
    submit("inc-stranger", Some("c")).await;
    assert_eq!(incident(&admin, &second).await["recommendations"], json!([by_id, by_fingerprint]));
    let page = console.browser().await.get(&format!("/incidents/{second}")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(by_id.as_str().unwrap()) && page.text.contains("web-b"), "{}", page.text);
}

#[tokio::test]
async fn who_looks_hears_of_it() {
    let console = Console::start();
    let (alertmanager, browser) = (console.token("alertmanager", "ingest"), console.browser().await);
    assert!(browser.get("/incidents").await.text.contains("No incidents"));
    let first = id(&send(&alertmanager, &[alert("a", "firing", FIRST)]).await);
    for page in ["/", "/incidents", "/incidents?state=unanswered", "/search", "/search?q=web-a"] {
        assert!(browser.get(page).await.text.contains(&format!("href=\"/incidents/{first}\"")), "{page}");
    }
    for page in ["/", "/incidents", "/incidents?state=unanswered"] {
        let shown = browser.get(page).await;
        assert!(shown.text.contains(&format!("/incidents/{first}")), "{page}: {}", shown.text);
        assert!(shown.text.contains("data-follow=\"") && shown.text.contains("incident"), "{page}");
    }
    let events = browser.client.get(format!("{}/api/v1/events?after=0", console.url)).header("cookie", &browser.cookie);
    let mut stream = events.send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains("event: incident") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("it goes on")));
    }
    assert!(heard.contains(&first), "{heard}");
}
