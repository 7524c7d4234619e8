//! Several decided by one form: each by its own ticket, each judged as it would be alone.

use crate::support::{Answer, Browser, Caller, Console, recommendation, seed};
use serde_json::{Value, json};

/// A console with a playbook, and what came in for these incidents with these risks.
async fn proposed(console: &Console, incidents: &[(&str, &str)]) -> Vec<String> {
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let mut ids = Vec::new();
    for (incident, risk) in incidents {
        let mut said = recommendation(incident);
        said["strategies"][0]["estimated_risk"] = json!(risk);
        let taken = model.post("/api/v1/recommendations", &said).await.expect(201);
        ids.push(taken["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// The page's own fields for these, each ticked.
async fn form(browser: &Browser<'_>, ids: &[String]) -> Vec<(String, String)> {
    let address = ids.iter().map(|id| format!("id={id}")).collect::<Vec<_>>().join("&");
    let page = browser.get(&format!("/approvals/review?{address}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let mut fields = Vec::new();
    for input in page.text.split("<input type=\"hidden\" ").skip(1) {
        let part = |name: &str| {
            let (_, rest) = input.split_once(&format!("{name}=\"")).unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        fields.push((part("name"), part("value")));
    }
    fields.extend(ids.iter().map(|id| (format!("take.{id}"), "yes".to_owned())));
    assert_eq!(fields.len(), 4 * ids.len(), "item, strategy, ticket and tick of each: {fields:?}");
    fields
}

async fn send(browser: &Browser<'_>, fields: &[(String, String)], more: &[(&str, &str)]) -> Answer {
    let own = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
    browser.post("/approvals/review", &all).await
}

async fn read(of: &Caller<'_>, id: &str) -> Value {
    of.get(&format!("/api/v1/recommendations/{id}")).await.expect(200)
}

#[tokio::test]
async fn each_is_approved_by_its_own_ticket_with_one_reason() {
    let console = Console::start();
    let ids = proposed(&console, &[("inc-1", "low"), ("inc-2", "medium")]).await;
    let (browser, viewer) = (console.browser().await, console.token("viewer", "viewer"));
    let fields = form(&browser, &ids).await;
    let done = send(&browser, &fields, &[("decision", "approve"), ("reason", "read both")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let to = done.headers["location"].to_str().unwrap();
    assert_eq!(to, format!("/approvals/review?id={}&id={}", ids[0], ids[1]));
    assert!(browser.get(to).await.text.contains("Two approved"), "it leads to what became of them");
    for id in &ids {
        let decided = read(&viewer, id).await;
        assert_eq!((&decided["state"], &decided["decisions"][0]["reason"]), (&json!("decided"), &json!("read both")));
        let digest = fields.iter().find(|(name, _)| *name == format!("ticket.{id}")).map(|(_, value)| value.as_str());
        assert_eq!(decided["decisions"][0]["ticket_digest"].as_str(), digest, "what was read is what was approved");
    }
    let again = send(&browser, &fields, &[("decision", "approve")]).await;
    assert_eq!(again.status, 409, "a form that is sent twice decides once");
    assert!(again.text.contains("ecided already by admin"), "{}", again.text);
}

#[tokio::test]
async fn of_each_the_target_is_read_and_what_is_gone_is_said() {
    let console = Console::start();
    let mut ids = proposed(&console, &[("inc-1", "low")]).await;
    let mut gone = recommendation("inc-2");
    gone["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("nobody");
    let taken = console.token("agent", "propose").post("/api/v1/recommendations", &gone).await.expect(201);
    ids.push(taken["id"].as_str().unwrap().to_owned());
    let browser = console.browser().await;
    let page = browser.get(&format!("/approvals/review?id={}&id={}", ids[0], ids[1])).await.text.replace("<!>", "");
    let (first, second) = page.split_once(&format!("id=\"review-{}\"", ids[1])).unwrap();
    assert!(first.contains("What would change now") && !first.contains("There is no"), "{first}");
    assert!(second.contains("There is no Deployment nobody in production in the cluster."), "{second}");
    assert!(second.contains("and the incident is about production / Deployment my-app"), "{second}");
}

#[tokio::test]
async fn one_that_cannot_be_taken_stops_no_other_and_says_why() {
    let console = Console::start();
    let ids = proposed(&console, &[("inc-1", "low"), ("inc-2", "low"), ("inc-3", "high"), ("inc-4", "low")]).await;
    let (browser, viewer) = (console.browser().await, console.token("viewer", "viewer"));
    let mut fields = form(&browser, &ids).await;
    // The second one's ticket is not what would run; the fourth was not ticked.
    let (_, stale) = fields.iter_mut().find(|(name, _)| *name == format!("ticket.{}", ids[1])).unwrap();
    *stale = format!("sha256:{}", "0".repeat(64));
    fields.retain(|(name, _)| *name != format!("take.{}", ids[3]));
    let wrong = format!("confirm.{}", ids[2]);
    let some = send(&browser, &fields, &[("decision", "approve"), (&wrong, "my-ap")]).await;
    assert_eq!(some.status, 409);
    assert!(some.text.contains("Two were not decided"), "{}", some.text);
    assert!(
        some.text.contains("not what would run now") && some.text.contains("to approve: this strategy"),
        "{}",
        some.text
    );
    let states = ["decided", "open", "open", "open"];
    for (id, state) in ids.iter().zip(states) {
        assert_eq!(read(&viewer, id).await["state"], state, "{id}");
    }
}

#[tokio::test]
async fn high_risk_counts_one_person_and_own_proposals_are_not_approved() {
    let console = Console::start();
    let ids = proposed(&console, &[("inc-1", "high")]).await;
    let (browser, viewer) = (console.browser().await, console.token("viewer", "viewer"));
    let fields = form(&browser, &ids).await;
    let typed = format!("confirm.{}", ids[0]);
    let sent = [("decision", "approve"), (typed.as_str(), "my-app")];
    assert_eq!(send(&browser, &fields, &sent).await.status, 303);
    assert_eq!(read(&viewer, &ids[0]).await["state"], "open", "a second person is needed");
    let again = send(&browser, &fields, &sent).await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("2 different people are needed"), "{}", again.text);
}

#[tokio::test]
async fn nothing_is_decided_by_a_form_that_says_too_little_or_too_much() {
    let console = Console::start();
    let ids = proposed(&console, &[("inc-1", "low")]).await;
    let (browser, viewer) = (console.browser().await, console.token("viewer", "viewer"));
    let fields = form(&browser, &ids).await;
    assert_eq!(send(&browser, &fields, &[]).await.status, 422, "no button");
    assert_eq!(send(&browser, &fields, &[("decision", "reject")]).await.status, 422, "no reason");
    let unticked: Vec<_> = fields.iter().filter(|(name, _)| !name.starts_with("take.")).cloned().collect();
    assert_eq!(send(&browser, &unticked, &[("decision", "approve")]).await.status, 422, "nothing ticked");
    let without: Vec<_> = fields.iter().filter(|(name, _)| !name.starts_with("ticket.")).cloned().collect();
    let refused = send(&browser, &without, &[("decision", "approve")]).await;
    assert_eq!(refused.status, 409, "no digest");
    assert!(refused.text.contains("digest of the ticket that you read"), "{}", refused.text);
    let many: Vec<_> = (0..21).map(|n| (format!("item.{n}"), String::new())).collect();
    assert_eq!(send(&browser, &many, &[("decision", "approve")]).await.status, 422, "too many");
    assert_eq!(read(&viewer, &ids[0]).await["state"], "open");

    let nobody = Browser { console: &console, client: browser.client.clone(), cookie: String::new() };
    assert_eq!(send(&nobody, &fields, &[("decision", "approve")]).await.status, 401);
    assert_eq!(browser.get("/approvals/review").await.status, 200);
    assert!(browser.get("/approvals/review?id=nothing").await.text.contains("There is no recommendation"));
}
