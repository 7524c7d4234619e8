//! The form that registers a playbook: checked without effect, turned into its document and back, and the pages around it.

use crate::support::{Answer, Browser, Console, seed};
use serde_json::{Value, json};

/// A form that could be registered.
const GOOD: [(&str, &str); 8] = [
    ("workflow_id", "wait-and-see"),
    ("version", "1.0.0"),
    ("title", "Wait and see"),
    ("description", "Waits and changes nothing."),
    ("container_image", "quay.io/kubernaut/playbook-sleep:v1"),
    ("exposed.0.name", "SLEEP_SECONDS"),
    ("exposed.0.type", "integer"),
    ("exposed.0.minimum", "1"),
];

fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut form: Vec<_> = GOOD.iter().filter(|(name, _)| !changes.iter().any(|(n, _)| n == name)).copied().collect();
    form.extend(changes);
    form
}

/// The text of a page without what the framework puts between texts.
fn text(answer: &Answer) -> String {
    answer.text.replace("<!>", "").replace("&quot;", "\"").replace("&amp;", "&")
}

async fn registered(browser: &Browser<'_>) -> usize {
    let admin = browser.console.token(&format!("reader-{}", browser.console.pid()), "viewer");
    let list = admin.get("/api/v1/playbooks?status=any").await.expect(200);
    browser.console.command(&["token", "revoke", &format!("reader-{}", browser.console.pid())]);
    list["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_form_is_checked_by_the_rules_of_registering_and_stores_nothing() {
    let console = Console::start();
    let browser = console.browser().await;
    let good = browser.post("/catalog/new/check", &GOOD).await;
    assert_eq!(good.status, 200);
    assert!(text(&good).contains("Nothing stands in the way") && !text(&good).contains("f-version-error"));
    assert!(text(&good).contains("playbook-executor"), "the PipelineRun is shown");

    let wrong = [("version", "one"), ("exposed.0.minimum", "many"), ("title", "")];
    let answer = browser.post("/catalog/new/check", &with(&wrong)).await;
    assert_eq!(answer.status, 422);
    let page = text(&answer);
    for id in ["f-version-error", "f-exposed-0-minimum-error", "f-title-error"] {
        assert!(page.contains(id), "all faults at once: {id}");
    }
    // By the label that the form has, beside the name that programs know.
    assert!(page.contains("SLEEP_SECONDS, least"), "{page}");
    assert!(page.contains("/parameters/exposed/0/minimum"));
    assert_eq!(registered(&browser).await, 0, "nothing was stored");

    // What registering refuses, the check refuses, and the other way round.
    let sent = browser.post("/catalog/new", &with(&[("version", "one"), ("action", "register")])).await;
    assert_eq!(sent.status, 422);
    assert!(text(&sent).contains("f-version-error"));
    let sent = browser.post("/catalog/new", &with(&[("action", "register")])).await;
    assert_eq!(
        (sent.status.as_u16(), sent.headers["location"].to_str().unwrap()),
        (303, "/catalog/wait-and-see?version=1.0.0&done=registered")
    );
    let same = browser.post("/catalog/new/check", &GOOD).await;
    assert_eq!(same.status, 200);
    assert!(text(&same).contains("registered already"));
    let other = browser.post("/catalog/new/check", &with(&[("title", "Other")])).await;
    assert_eq!(other.status, 422, "a version never changes");
    assert!(text(&other).contains("f-version-error"));
}

#[tokio::test]
async fn who_may_not_register_may_not_check_either() {
    let console = Console::start();
    let viewer = console.token("viewer", "viewer");
    let request = viewer.request(reqwest::Method::POST, "/catalog/new/check").form(&GOOD);
    assert_eq!(viewer.send(request).await.status, 403);
    let nobody = console.nobody();
    let request = nobody.request(reqwest::Method::POST, "/catalog/new/check").form(&GOOD);
    assert_eq!(nobody.send(request).await.status, 401);
}

#[tokio::test]
async fn the_form_becomes_its_document_and_rows_come_and_go_without_a_script() {
    let console = Console::start();
    let browser = console.browser().await;
    let yaml = browser.post("/catalog/new", &with(&[("action", "as.yaml")])).await;
    assert_eq!(yaml.status, 200);
    assert!(text(&yaml).contains("workflow_id: wait-and-see") && text(&yaml).contains("minimum: 1"));

    let mut registration = seed("hidden-oomkill-scale-down.json");
    registration["remediation_steps"] = json!(["Look at it"]);
    let document = registration.to_string();
    let form = browser.post("/catalog/new", &[("document", document.as_str()), ("action", "as.form")]).await;
    assert_eq!(form.status, 200);
    let page = text(&form);
    assert!(page.contains("value=\"SCALE_TARGET_REPLICAS\""), "{page}");
    assert!(page.contains("Also kept") && page.contains("/remediation_steps"));

    let more = browser.post("/catalog/new", &with(&[("action", "add.exposed")])).await;
    assert!(text(&more).contains("name=\"exposed.1.name\""));
    let less = browser.post("/catalog/new", &with(&[("action", "remove.exposed.0")])).await;
    assert!(!text(&less).contains("SLEEP_SECONDS") && text(&less).contains("wait-and-see"));
    let broken = browser.post("/catalog/new", &[("document", "a: ["), ("action", "as.form")]).await;
    assert_eq!(broken.status, 422);
    assert!(text(&broken).contains("a: ["), "what was typed stays");
    assert_eq!(registered(&browser).await, 0);
}

#[tokio::test]
async fn a_new_version_starts_from_another_and_says_what_breaks() {
    let console = Console::start();
    let browser = console.browser().await;
    let author = console.token("author", "author");
    let registration = seed("hidden-oomkill-scale-down.json");
    author.post("/api/v1/playbooks", &registration).await.expect(201);

    let form = browser.get("/catalog/new?from=oomkill-scale-down@1.0.0").await;
    assert_eq!(form.status, 200);
    let page = text(&form);
    assert!(page.contains("value=\"1.1.0\"") && page.contains("Nothing changed yet"), "{page}");
    assert!(page.contains("value=\"oomkill-scale-down@1.0.0\""));
    for missing in ["oomkill-scale-down@9.9.9", "oomkill-scale-down@x", "nothing", "Not An Id"] {
        assert_eq!(browser.get(&format!("/catalog/new?from={missing}")).await.status, 404, "{missing}");
    }

    let mut changed: Value = registration.clone();
    changed["version"] = json!("1.1.0");
    changed["parameters"]["exposed"][3]["maximum"] = json!(10);
    let document = changed.to_string();
    let sent = [("document", document.as_str()), ("as", "json"), ("from", "oomkill-scale-down@1.0.0")];
    let page = text(&browser.post("/catalog/new/check", &sent).await);
    assert!(page.contains("A breaking change") && page.contains("Use 2.0.0"), "{page}");
    assert!(page.contains("most 10 instead of 100"));

    author.post("/api/v1/playbooks", &changed).await.expect(201);
    let compared = browser.get("/catalog/oomkill-scale-down?compare=1.0.0..1.1.0").await;
    assert_eq!(compared.status, 200);
    assert!(text(&compared).contains("Breaking: what was stored for 1.0.0 may not fit 1.1.0"));
    assert!(text(&compared).contains("<ins>") && text(&compared).contains("<del>"));
    assert_eq!(browser.get("/catalog/oomkill-scale-down?compare=1.0.0..3.0.0").await.status, 404);
    let chosen = browser.get("/catalog/oomkill-scale-down?version=1.0.0&old=1.0.0&new=1.1.0").await;
    assert_eq!(chosen.status, 303);
    let to = chosen.headers["location"].to_str().unwrap();
    assert_eq!(to, "/catalog/oomkill-scale-down?version=1.0.0&compare=1.0.0..1.1.0#compare");
}

#[tokio::test]
async fn the_same_under_another_number_is_registered_only_by_who_says_so_again() {
    let console = Console::start();
    let (browser, author) = (console.browser().await, console.token("author", "author"));
    let mut registration = seed("hidden-oomkill-scale-down.json");
    author.post("/api/v1/playbooks", &registration).await.expect(201);
    registration["version"] = json!("1.1.0");
    let document = registration.to_string();
    let from = ("from", "oomkill-scale-down@1.0.0");
    let mut sent = vec![("document", document.as_str()), ("as", "json"), ("action", "register"), from];
    let asked = browser.post("/catalog/new", &sent).await;
    assert_eq!(asked.status, 409, "{}", asked.text);
    assert!(text(&asked).contains("Nothing differs from 1.0.0 but the number of the version"), "{}", asked.text);
    assert!(text(&asked).contains("name=\"same\" value=\"oomkill-scale-down@1.0.0\""), "{}", asked.text);
    sent.push(("same", "oomkill-scale-down@0.9.0"));
    assert_eq!(browser.post("/catalog/new", &sent).await.status, 409, "that was another question");
    sent.pop();
    sent.push(("same", "oomkill-scale-down@1.0.0"));
    assert_eq!(browser.post("/catalog/new", &sent).await.status, 303, "who says so again");
}

#[tokio::test]
async fn what_was_done_to_a_version_leads_to_that_version_and_is_said() {
    let console = Console::start();
    let (browser, author) = (console.browser().await, console.token("author", "author"));
    let mut registration = seed("hidden-oomkill-scale-down.json");
    registration["version"] = json!("2.0.0");
    author.post("/api/v1/playbooks", &registration).await.expect(201);
    registration["version"] = json!("1.0.0");
    let document = registration.to_string();
    let form = [("document", document.as_str()), ("as", "json"), ("action", "register")];
    let sent = browser.post("/catalog/new", &form).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let to = sent.headers["location"].to_str().unwrap();
    assert_eq!(to, "/catalog/oomkill-scale-down?version=1.0.0&done=registered");
    assert!(text(&browser.get(to).await).contains("1.0.0 is registered."), "the newest is another");

    let status = "/catalog/oomkill-scale-down/versions/1.0.0/status";
    let disabled = browser.post(status, &[("version", "1.0.0"), ("status", "disabled"), ("reason", "too old")]).await;
    let to = disabled.headers["location"].to_str().unwrap();
    assert_eq!((disabled.status.as_u16(), to), (303, "/catalog/oomkill-scale-down?version=1.0.0&done=status"));
    let page = text(&browser.get(to).await);
    assert!(page.contains("1.0.0 is disabled now.") && page.contains("Why: Too old."), "{page}");
    let refused = browser.post(status, &[("version", "1.0.0"), ("status", "gone")]).await;
    assert_eq!(refused.status, 422);
    assert!(!text(&refused).contains("is disabled now."), "what was not done is not said");
}

#[tokio::test]
async fn the_catalog_is_narrowed_by_links_that_count() {
    let console = Console::start();
    let browser = console.browser().await;
    let author = console.token("author", "author");
    for (id, signal) in [("one", "OOMKilled"), ("two", "OOMKilled"), ("three", "DiskPressure"), ("four", "*")] {
        let mut registration = seed("oomkill-scale-down.json");
        registration["workflow_id"] = json!(id);
        registration["labels"]["signal_type"] = json!(signal);
        author.post("/api/v1/playbooks", &registration).await.expect(201);
    }
    let page = text(&browser.get("/catalog?q=scale").await);
    assert!(page.contains("href=\"/catalog?q=scale&signal_type=DiskPressure\""), "{page}");
    let narrowed = text(&browser.get("/catalog?q=scale&signal_type=DiskPressure").await);
    assert!(narrowed.contains("/catalog/three\"") && narrowed.contains("/catalog/four\""));
    assert!(!narrowed.contains("/catalog/one\""));
    assert!(narrowed.contains("signal: DiskPressure, take it away") && narrowed.contains("href=\"/catalog?q=scale\""));
}
