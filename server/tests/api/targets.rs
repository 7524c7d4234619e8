//! The recommendation's page as whoever decides sees it: the target as the cluster has it, values judged while they are typed, and
//! what stays of a decision.

use crate::support::{Browser, Caller, Console, recommendation, seed};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// The page without the marks that only a parser needs.
async fn page(browser: &Browser<'_>, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    plain(&answer.text)
}

fn plain(text: &str) -> String {
    text.replace("<!>", "").replace("<!---->", "").replace("<wbr>", "")
}

/// What stands between two marks of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("{from} is missing in {page}"));
    let end = page[start..].find(to).map_or(page.len(), |end| start + end);
    &page[start..end]
}

async fn proposed(console: &Console, incident: &str, change: impl FnOnce(&mut Value)) -> Value {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nth = COUNT.fetch_add(1, Ordering::Relaxed);
    let author = console.token(&format!("author-{nth}"), "author");
    let model = console.token(&format!("model-{nth}"), "propose");
    author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await;
    let mut answer = recommendation(incident);
    change(&mut answer);
    model.post("/api/v1/recommendations", &answer).await.expect(201)
}

fn path(recommendation: &Value) -> String {
    format!("/recommendations/{}", recommendation["id"].as_str().unwrap())
}

const FORM: [(&str, &str); 4] = [
    ("strategy", "0"),
    ("p.TARGET_RESOURCE_KIND", "Deployment"),
    ("p.TARGET_RESOURCE_NAME", "my-app"),
    ("p.TARGET_NAMESPACE", "production"),
];

fn with<'f>(more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    FORM.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn the_target_is_read_live_and_what_is_gone_is_said() {
    let console = Console::start();
    let browser = console.browser().await;
    let taken = proposed(&console, "inc-1", |_| {}).await;
    assert!(taken.get("seen").is_none(), "who only proposes learns nothing of the cluster: {taken}");
    let viewer = console.token("viewer", "viewer");
    let kept = viewer.get(&format!("/api/v1{}", path(&taken))).await.expect(200);
    assert_eq!(kept["seen"][0]["facts"]["replicas"], "4", "what was seen is kept: {kept}");
    let shown = page(&browser, &path(&taken)).await;
    let section = between(&shown, "id=\"target\"", "</section>");
    for part in ["read from the cluster", "<code>spec.replicas</code>", "<del>4</del>", "<ins>1</ins>", "unchanged"] {
        assert!(section.contains(part), "{part}: {section}");
    }
    let gone = proposed(&console, "inc-2", |answer| {
        answer["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("nobody");
    })
    .await;
    let shown = page(&browser, &path(&gone)).await;
    assert!(shown.contains("There is no Deployment nobody in production in the cluster."), "{shown}");
    assert!(
        shown.contains("and the incident is about production / Deployment my-app"),
        "another one than the incident's"
    );
    assert!(shown.contains("value=\"approve\""), "it may be approved all the same");
}

#[tokio::test]
async fn a_target_that_changed_since_the_analysis_says_what_changed_and_who_did_what_to_it() {
    let console = Console::start();
    let (browser, operator) = (console.browser().await, console.token("operator", "operator"));
    let waiting = proposed(&console, "inc-1", |_| {}).await;
    let other = proposed(&console, "inc-2", |answer| {
        answer["strategies"][0]["parameters"]["SCALE_TARGET_REPLICAS"] = json!(2);
    })
    .await;
    approved(&operator, &other).await;
    let mut shown = String::new();
    for _ in 0..50 {
        // The same answer serves for a second.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        shown = page(&browser, &path(&waiting)).await;
        if shown.contains("Target has changed") {
            break;
        }
    }
    assert!(shown.contains("Deployment my-app has changed since the analysis: replicas 4 → 2"), "{shown}");
    assert!(shown.contains("Done about the same object in the last seven days"), "{shown}");
    // After the decision its own page tells what came of it.
    let after = page(&browser, &path(&other)).await;
    assert!(
        after.contains("what came of it") && after.contains("Go to the run") && !after.contains("id=\"target\""),
        "{after}"
    );
}

async fn approved(operator: &Caller<'_>, recommendation: &Value) {
    let path = format!("/api/v1{}", path(recommendation));
    let ticket = operator.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    let decided = operator.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let execution = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    operator.until(&execution, "succeeded", |e| e["state"] == "succeeded").await;
}

#[tokio::test]
async fn looking_at_what_is_typed_has_no_effect() {
    let console = Console::start();
    let (browser, auditor) = (console.browser().await, console.token("auditor", "auditor"));
    let taken = proposed(&console, "inc-1", |_| {}).await;
    let check = format!("{}/check", path(&taken));
    let rows = async || auditor.get("/api/v1/audit").await.expect(200)["items"].as_array().unwrap().len();
    let before = rows().await;

    let good = browser.post(&check, &with(&[("p.SCALE_TARGET_REPLICAS", "3")])).await;
    assert_eq!(good.status, 200);
    let good = plain(&good.text);
    let preview = between(&good, "id=\"edit-preview\"", "</ul>");
    assert!(preview.contains("<del>1</del>") && preview.contains("<ins>3</ins>"), "{preview}");
    assert!(between(&good, "id=\"target\"", "</section>").contains("<ins>3</ins>"), "the target follows");
    assert!(between(&good, "id=\"unsaved\"", "</div>").contains("Make a new ticket first"));
    assert!(!good.contains("form-faults"), "nothing was refused");

    let bad = browser.post(&check, &with(&[("p.SCALE_TARGET_REPLICAS", "1000")])).await;
    assert_eq!(bad.status, 200);
    assert!(
        bad.text.contains("f-p-SCALE_TARGET_REPLICAS-error") && bad.text.contains("value=\"1000\""),
        "{}",
        bad.text
    );

    let back = with(&[("p.SCALE_TARGET_REPLICAS", "3"), ("take_back", "SCALE_TARGET_REPLICAS")]);
    let back = plain(&browser.post(&check, &back).await.text);
    assert!(between(&back, "id=\"edit-SCALE_TARGET_REPLICAS\"", "</div>").contains("value=\"1\""), "the model's value");
    assert!(!back.contains("Take it back"));

    assert_eq!(rows().await, before, "nothing was done");
    let digest = between(preview, "sha256:", "\"");
    let asked = page(&browser, &format!("{}?ticket={digest}", path(&taken))).await;
    assert!(asked.contains("is no longer known"), "it was never made: {digest}");
}

#[tokio::test]
async fn what_was_typed_stays_when_a_decision_is_refused() {
    let console = Console::start();
    let browser = console.browser().await;
    let path = path(&proposed(&console, "inc-1", |_| {}).await);
    let typed = ("p.SCALE_TARGET_REPLICAS", "3");
    // Rejected without a reason: the value stays in its field, so what is said of it is still about something in sight.
    let refused = browser.post(&path, &with(&[typed, ("decision", "reject"), ("reason", "")])).await;
    assert_eq!(refused.status, 422);
    let page = plain(&refused.text);
    let field = page.split("id=\"f-p-SCALE_TARGET_REPLICAS\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(field.contains("value=\"3\""), "{field}");
    assert!(between(&page, "id=\"target\"", "</section>").contains("They are in no ticket yet."));
    let untouched = browser.post(&path, &with(&[("decision", "reject"), ("reason", "")])).await;
    assert!(!plain(&untouched.text).contains("They are in no ticket yet."));
}

#[tokio::test]
async fn a_rejected_ticket_can_be_read_afterwards() {
    let console = Console::start();
    let browser = console.browser().await;
    let taken = proposed(&console, "inc-1", |_| {}).await;
    let path = path(&taken);
    let edited = browser.post(&format!("{path}/parameters"), &with(&[("p.SCALE_TARGET_REPLICAS", "3")])).await;
    assert_eq!(edited.status, 303);
    let to = edited.headers["location"].to_str().unwrap();
    let digest = to.strip_suffix("#ticket-title").unwrap().rsplit('=').next().unwrap().to_owned();
    let form =
        [("strategy", "0"), ("decision", "reject"), ("reason", "not tonight"), ("ticket_digest", digest.as_str())];
    assert_eq!(browser.post(&path, &form).await.status, 303);
    let shown = page(&browser, &path).await;
    assert!(shown.contains("This is the ticket as it was rejected. It never ran."), "{shown}");
    assert!(shown.contains(&digest) && shown.contains("<ins>3"), "with the values that were rejected");
    // A rejection of the model's own values, which nobody had made a ticket of before.
    let other = proposed(&console, "inc-2", |_| {}).await;
    let other_path = self::path(&other);
    let shown = page(&browser, &other_path).await;
    let digest = between(&shown, "name=\"ticket_digest\"", ">");
    let digest = between(digest, "sha256:", "\"");
    let form = [("strategy", "0"), ("decision", "reject"), ("reason", "no"), ("ticket_digest", digest)];
    assert_eq!(browser.post(&other_path, &form).await.status, 303);
    assert!(page(&browser, &other_path).await.contains("as it was rejected"));
}

#[tokio::test]
async fn what_was_superseded_leads_to_what_took_its_place() {
    let console = Console::start();
    let browser = console.browser().await;
    let old = proposed(&console, "inc-1", |_| {}).await;
    let new = proposed(&console, "inc-1", |answer| answer["analysis_summary"] = json!("A second look.")).await;
    assert!(page(&browser, &path(&old)).await.contains(&format!("href=\"{}\"", path(&new))));
}
