//! From an incident that fires to a recommendation by HolmesGPT: what it is asked, what is taken of its answer, what it costs, and what
//! becomes of it where it does not answer.

mod holmes;

use crate::support::{Answer, Caller, Console, Database, alert, alerts, recommendation, seed};
use holmes::{Holmes, KEY, Says};
use serde_json::{Value, json};

const CAUSE: &str = "The node is full of memory: <script>alert(1)</script>";

fn console(database: Database, holmes: &Holmes, more: &[&str]) -> Console {
    let settings = [&["--holmes-url", holmes.url.as_str()][..], more].concat();
    Console::start_in(database, &settings, &[("KUBERNAUT_HOLMES_API_KEY", KEY)])
}

/// An incident of one alert; of bad ones the console asks by itself where it is set so.
async fn fires(console: &Console, fingerprint: &str, severity: &str) -> String {
    let mut one = alert(fingerprint, "firing", "2025-11-23T03:00:00Z");
    one["labels"]["severity"] = json!(severity);
    let mut sent = alerts(&[one]);
    sent["groupKey"] = json!(fingerprint);
    let alertmanager = console.token(&format!("alertmanager {fingerprint}"), "ingest");
    let taken = alertmanager.post("/api/v1/signals/alertmanager", &sent).await.expect(200);
    taken["incidents"][0].as_str().unwrap().to_owned()
}

/// A playbook for the alert, with something hidden in every corner.
async fn register(admin: &Caller<'_>) {
    let mut playbook = seed("hidden-oomkill-scale-down.json");
    playbook["labels"] = json!({ "signal_type": "CrashLoopBackOff", "severity": "*", "environment": "production" });
    playbook["parameters"]["hidden"] = json!([
        { "name": "CANARY_HIDDEN_NAME", "value": "canaryhiddenvalue", "description": "canaryhiddendescription" },
        { "name": "CANARY_SECRET", "secret_ref": { "name": "canary-secret-name", "key": "canarysecretkey" } },
    ]);
    playbook["internal_steps"] = json!(["canaryinternalstep"]);
    playbook["remediation_steps"] = json!(["canaryremediationstep"]);
    playbook["execution"] = json!({ "service_account": "canary-service-account" });
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    let mut elsewhere = seed("oomkill-increase-memory.json");
    elsewhere["labels"] =
        json!({ "signal_type": "CrashLoopBackOff", "severity": "critical", "environment": "staging" });
    admin.post("/api/v1/playbooks", &elsewhere).await.expect(201);
}

/// An answer as it should be.
fn answer() -> Value {
    seed("recommendation.json")
}

fn good() -> Says {
    Says::Answer(answer().to_string())
}

fn cause() -> Says {
    Says::Answer(CAUSE.to_owned())
}

async fn ask(by: &Caller<'_>, incident: &str) -> Answer {
    by.post(&format!("/api/v1/incidents/{incident}/investigations"), &json!({})).await
}

/// The newest investigation of an incident, when it is so.
async fn until(by: &Caller<'_>, incident: &str, state: &str) -> Value {
    let path = format!("/api/v1/incidents/{incident}/investigations");
    let all = by.until(&path, state, |all| all["items"][0]["state"] == state).await;
    all["items"][0].clone()
}

fn texts(steps: &Value) -> Vec<String> {
    steps.as_array().unwrap().iter().map(|step| step["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn asked_by_a_person_it_ends_in_a_recommendation_with_what_it_cost() {
    for database in [Database::Sqlite, Database::Postgres] {
        if matches!(database, Database::Postgres) && std::env::var("TEST_POSTGRES_URL").is_err() {
            continue;
        }
        let holmes = Holmes::start().await;
        let console = console(database, &holmes, &[]);
        let (admin, operator) = (console.token("admin", "admin"), console.token("operator", "operator"));
        register(&admin).await;
        let incident = fires(&console, "a", "warning").await;
        assert_eq!(console.token("viewer", "viewer").get(&format!("/api/v1/incidents/{incident}")).await.status, 200);
        holmes.says([cause(), good()]);
        let asked = ask(&operator, &incident).await;
        let location = asked.headers["location"].to_str().unwrap().to_owned();
        let asked = asked.expect(201);
        assert_eq!((&asked["asked_by"]["name"], &asked["automatic"]), (&json!("token operator"), &json!(false)));

        let done = until(&operator, &incident, "answered").await;
        assert_eq!(operator.get(&location).await.expect(200)["id"], done["id"]);
        assert_eq!(done["root_cause"], CAUSE);
        assert_eq!((&done["model"], &done["prompt_version"]), (&json!("gpt-4o"), &json!("console-1")));
        let usage = json!({ "prompt_tokens": 400, "completion_tokens": 80, "cost_microusd": 1800 });
        assert_eq!((done["attempts"].as_array().unwrap().len(), &done["attempts"][0]["usage"]), (1, &usage));
        let steps = texts(&done["steps"]);
        assert!(steps.iter().any(|step| step == "kubectl_get kubectl get pods -n production"), "{steps:?}");
        assert!(!done.to_string().contains("is not kept"), "what a tool found: {done}");

        let id = done["recommendation"].as_str().unwrap();
        let there = admin.get(&format!("/api/v1/recommendations/{id}")).await.expect(200);
        assert_eq!((&there["incident"]["id"], &there["proposer"]["name"]), (&json!(incident), &json!("HolmesGPT")));
        let model = json!({ "provider": "holmesgpt", "name": "gpt-4o", "prompt_version": "console-1", "investigation_id": done["id"] });
        assert_eq!(there["model"], model);
        assert_eq!(
            admin.get(&format!("/api/v1/incidents/{incident}")).await.expect(200)["recommendations"],
            json!([id])
        );

        let page = console.browser().await.get(&format!("/incidents/{incident}")).await;
        assert!(
            page.text.contains("I look at &lt;b&gt;the pods&lt;/b&gt;.") && !page.text.contains("<script>alert(1)"),
            "{}",
            page.text
        );
        let trail = admin.get("/api/v1/audit?action=investigation.ask").await.expect(200);
        assert_eq!(
            (trail["items"][0]["actor"]["name"].as_str(), trail["items"][1].is_null()),
            (Some("token operator"), true),
            "{trail}"
        );
        let metrics = admin.get("/metrics").await.text;
        for line in [
            "kubernaut_investigation_attempts_total{outcome=\"answered\"} 1",
            "kubernaut_investigation_tokens_total{kind=\"prompt\"} 400",
            "kubernaut_investigation_cost_microusd_total{kind=\"reported\"} 1800",
        ] {
            assert!(metrics.contains(line), "{line}");
        }
    }
}

#[tokio::test]
async fn no_playbook_is_shown_before_the_root_cause_and_never_anything_hidden() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &[]);
    let admin = console.token("admin", "admin");
    register(&admin).await;
    let incident = fires(&console, "a", "warning").await;
    holmes.says([cause(), Says::Answer("{}".into()), good()]);
    ask(&admin, &incident).await.expect(201);
    until(&admin, &incident, "answered").await;
    let asked = holmes.asked();
    let first = asked[0].to_string();
    assert!(
        !first.contains("oomkill-scale-down") && !first.contains("workflow_id") && !first.contains("response_format"),
        "{first}"
    );
    assert!(first.contains("KubePodCrashLooping") && asked[0]["conversation_history"].is_null());
    let second = asked[1]["ask"].as_str().unwrap();
    assert!(second.contains("oomkill-scale-down") && second.contains("SCALE_TARGET_REPLICAS"), "{second}");
    assert!(!second.contains("oomkill-increase-memory"), "that is for staging: {second}");
    assert!(asked[1]["conversation_history"].to_string().contains("The node is full of memory"));
    assert_eq!(asked[1]["response_format"]["json_schema"]["schema"]["required"][0], "analysis_summary");
    assert!(asked.iter().all(|body| body["stream"] == true && !body["additional_system_prompt"].is_null()));
    let all = json!(asked).to_string().to_lowercase();
    assert!(!all.contains("canary") && !all.contains("quay.io"), "{all}");
}

#[tokio::test]
async fn an_answer_that_is_nearly_right_is_refused_and_told_what_to_change() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &[]);
    let admin = console.token("admin", "admin");
    register(&admin).await;
    let incident = fires(&console, "a", "warning").await;
    let fenced = Says::Answer(format!("```json\n{}\n```", answer()));
    let mut wrong = answer();
    wrong["strategies"][0]["parameters"]["SCALE_TARGET_REPLICAS"] = json!("1");
    holmes.says([cause(), fenced, Says::Answer(wrong.to_string()), good()]);
    ask(&admin, &incident).await.expect(201);
    let done = until(&admin, &incident, "answered").await;
    let questions = holmes.questions();
    assert_eq!(questions.len(), 4);
    assert!(questions[2].contains("without the Markdown fence"), "{}", questions[2]);
    assert!(
        questions[3].contains("/strategies/0/parameters/SCALE_TARGET_REPLICAS (wrong_type): send the number 1"),
        "{}",
        questions[3]
    );
    assert_eq!(done["attempts"].as_array().unwrap().len(), 1, "correcting is part of an attempt");
    assert!(texts(&done["steps"]).iter().any(|step| step.contains("told it what to change")));
    let list = admin.get("/api/v1/recommendations").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "what was refused is not stored");

    // Told twice, and no more.
    holmes.says([cause(), Says::Answer("no".into()), Says::Answer("no".into()), Says::Answer("no".into()), good()]);
    ask(&admin, &incident).await.expect(201);
    let failed = until(&admin, &incident, "failed").await;
    assert!(failed["fault"].as_str().unwrap().contains("told 2 times"), "{failed}");
    assert_eq!((holmes.questions().len(), &failed["root_cause"]), (8, &json!(CAUSE)), "the root cause stays");
}

#[tokio::test]
async fn a_strategy_that_cannot_run_is_kept_with_its_errors_when_the_agent_insists() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &[]);
    let admin = console.token("admin", "admin");
    register(&admin).await;
    let incident = fires(&console, "a", "warning").await;
    let mut unknown = answer();
    unknown["strategies"][0]["workflow_id"] = json!("made-up");
    let insists = Says::Answer(unknown.to_string());
    holmes.says([cause(), insists.clone(), insists.clone(), insists]);
    ask(&admin, &incident).await.expect(201);
    let done = until(&admin, &incident, "answered").await;
    let path = format!("/api/v1/recommendations/{}", done["recommendation"].as_str().unwrap());
    let kept = admin.get(&path).await.expect(200);
    assert_eq!(kept["strategies"][0]["errors"][0]["code"], "unknown_playbook", "{kept}");
}

#[tokio::test]
async fn that_nothing_fits_is_an_answer_too() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &[]);
    let admin = console.token("admin", "admin");
    let incident = fires(&console, "a", "warning").await;
    holmes.says([cause()]);
    ask(&admin, &incident).await.expect(201);
    let done = until(&admin, &incident, "answered").await;
    assert!(done["recommendation"].is_null() && done["fault"].as_str().unwrap().contains("No playbook"), "{done}");
    assert_eq!(holmes.questions().len(), 1, "with nothing to choose from nothing is asked");
    register(&admin).await;
    let mut none = answer();
    none["strategies"] = json!([]);
    holmes.says([cause(), Says::Answer(none.to_string())]);
    ask(&admin, &incident).await.expect(201);
    let address = format!("/api/v1/incidents/{incident}/investigations");
    let done =
        admin.until(&address, "two", |all| all["items"][1].is_object() && all["items"][0]["state"] == "answered");
    let done = done.await["items"][0].clone();
    assert!(done["fault"].as_str().unwrap().contains("OOMKilled event detected"), "{done}");
    assert_eq!(admin.get("/api/v1/recommendations").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_stays_an_incident_to_act_on() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &["--holmes-attempts", "2"]);
    let (admin, operator) = (console.token("admin", "admin"), console.token("operator", "operator"));
    register(&admin).await;
    for (fingerprint, says, told) in [
        ("a", Says::Status(500, "the model is away"), "500: the model is away"),
        ("b", Says::BreaksOff, "broke off"),
        ("c", Says::Error("Rate limit exceeded"), "Rate limit exceeded"),
    ] {
        let incident = fires(&console, fingerprint, "warning").await;
        holmes.says([says]);
        ask(&operator, &incident).await.expect(201);
        let path = format!("/api/v1/incidents/{incident}/investigations");
        let waits =
            operator.until(&path, "a fault", |all| all["items"][0]["fault"].is_string()).await["items"][0].clone();
        assert_eq!(waits["state"], "queued", "{waits}");
        assert!(waits["due_at"].is_string() && waits["fault"].as_str().unwrap().contains(told), "{waits}");
        let again = ask(&operator, &incident).await;
        assert_eq!((again.status.as_u16(), &again.json["id"]), (200, &waits["id"]), "asked twice is asked once");
        let by_hand = operator.post("/api/v1/recommendations", &recommendation(&incident)).await;
        by_hand.expect(201);
    }
    // What somebody has to mend first is not tried again.
    let incident = fires(&console, "d", "warning").await;
    holmes.says([Says::Status(404, "Not Found")]);
    ask(&operator, &incident).await.expect(201);
    let failed = until(&operator, &incident, "failed").await;
    assert!(failed["fault"].as_str().unwrap().contains("--holmes-url"), "{failed}");
    holmes.says([cause(), good()]);
    ask(&operator, &incident).await.expect(201);
    until(&operator, &incident, "answered").await;
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_has_failed_with_what_it_used() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &["--holmes-timeout", "3s", "--holmes-attempts", "1"]);
    let admin = console.token("admin", "admin");
    let incident = fires(&console, "a", "warning").await;
    holmes.says([Says::Hangs]);
    ask(&admin, &incident).await.expect(201);
    let address = format!("/api/v1/incidents/{incident}/investigations");
    let running = admin.until(&address, "its steps while it goes on", |all| {
        all["items"][0]["state"] == "running" && all["items"][0]["steps"][1].is_object()
    });
    let running = running.await;
    assert!(texts(&running["items"][0]["steps"]).iter().any(|step| step.contains("I look at")), "{running}");
    let failed = until(&admin, &incident, "failed").await;
    assert!(failed["fault"].as_str().unwrap().contains("not answered after 3s"), "{failed}");
    assert_eq!(failed["attempts"][0]["usage"]["prompt_tokens"], 100, "{failed}");
}

#[tokio::test]
async fn a_storm_of_alerts_costs_no_more_than_is_set() {
    let holmes = Holmes::start().await;
    let limits = ["--holmes-automatic", "critical", "--holmes-per-hour", "3", "--holmes-at-once", "2"];
    let console = console(Database::Sqlite, &holmes, &limits);
    let admin = console.token("admin", "admin");
    // There is no playbook: each that begins ends with its root cause.
    holmes.says((0..8).map(|_| cause()));
    let mild = fires(&console, "mild", "warning").await;
    let mut storm = Vec::new();
    for n in 0..8 {
        storm.push(fires(&console, &format!("storm{n}"), "critical").await);
    }
    let ended = async || {
        let mut states = Vec::new();
        for incident in &storm {
            let all = admin.get(&format!("/api/v1/incidents/{incident}/investigations")).await.expect(200);
            states.extend(all["items"][0]["state"].as_str().map(str::to_owned));
        }
        states
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let states = ended().await;
        let over = states.iter().filter(|state| *state == "answered" || *state == "queued").count();
        let bounded = admin.get("/metrics").await.text.contains("kubernaut_investigations_bounded 1");
        if states.len() == 8 && over == 8 && bounded {
            break;
        }
        assert!(std::time::Instant::now() < until, "{states:?}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(holmes.questions().len(), 3);
    let first = admin.get(&format!("/api/v1/incidents/{}/investigations", storm[0])).await.expect(200);
    assert_eq!(
        (&first["items"][0]["automatic"], &first["items"][0]["asked_by"]["name"]),
        (&json!(true), &json!("investigator"))
    );
    let none = admin.get(&format!("/api/v1/incidents/{mild}/investigations")).await.expect(200);
    assert_eq!(none["items"], json!([]), "nobody asked for it");
}

#[tokio::test]
async fn who_may_not_and_what_cannot_be_investigated_is_told() {
    let holmes = Holmes::start().await;
    let console = console(Database::Sqlite, &holmes, &[]);
    let incident = fires(&console, "a", "warning").await;
    for role in ["viewer", "author", "auditor", "propose", "ingest"] {
        let refused = ask(&console.token(role, role), &incident).await;
        assert_eq!(refused.status, 403, "{role}");
        assert_eq!(refused.json["required_right"], "incidents:investigate", "{role}: {}", refused.text);
    }
    let operator = console.token("operator", "operator");
    assert_eq!(ask(&operator, "none").await.status, 404);
    assert_eq!(
        operator.post(&format!("/api/v1/incidents/{incident}/investigations"), &json!({ "a": 1 })).await.status,
        422
    );
    let mut over = alert("a", "resolved", "2025-11-23T03:00:00Z");
    over["labels"]["severity"] = json!("warning");
    let mut sent = alerts(&[over]);
    sent["groupKey"] = json!("a");
    console.token("alertmanager", "ingest").post("/api/v1/signals/alertmanager", &sent).await.expect(200);
    let refused = ask(&operator, &incident).await;
    assert_eq!(refused.status, 409);
    assert!(refused.json["type"].as_str().unwrap().ends_with("not-firing"), "{}", refused.text);
    assert_eq!(holmes.asked().len(), 0);

    let without = Console::start();
    let incident = fires(&without, "a", "warning").await;
    let refused = ask(&without.token("operator", "operator"), &incident).await;
    assert_eq!(refused.status, 409);
    assert!(refused.json["type"].as_str().unwrap().ends_with("no-agent"), "{}", refused.text);
    let browser = without.browser().await;
    let page = browser.get(&format!("/incidents/{incident}")).await;
    assert!(page.text.contains("No agent investigates here"), "{}", page.text);
    let sent = browser.post(&format!("/incidents/{incident}/investigations"), &[]).await;
    assert_eq!(sent.status, 409);
    assert!(sent.text.contains("no agent investigates here") || sent.text.contains("No agent investigates here"));
}

#[tokio::test]
async fn by_its_page_without_a_program_and_with_the_wrong_key() {
    let holmes = Holmes::start().await;
    let settings = ["--holmes-url", holmes.url.as_str()];
    let console = Console::start_in(Database::Sqlite, &settings, &[("KUBERNAUT_HOLMES_API_KEY", "another key")]);
    let admin = console.token("admin", "admin");
    let incident = fires(&console, "a", "warning").await;
    let browser = console.browser().await;
    let page = browser.get(&format!("/incidents/{incident}")).await;
    assert!(page.text.contains("Investigate") && page.text.contains("/investigations\""), "{}", page.text);
    let sent = browser.post(&format!("/incidents/{incident}/investigations"), &[]).await;
    assert_eq!(sent.headers["location"], format!("/incidents/{incident}#investigations"));
    assert_eq!(sent.status, 303);
    let failed = until(&admin, &incident, "failed").await;
    assert!(failed["fault"].as_str().unwrap().contains("--holmes-api-key"), "{failed}");
    let page = browser.get(&format!("/incidents/{incident}")).await;
    assert!(page.text.contains("Investigate again") && page.text.contains("by hand"), "{}", page.text);
}
