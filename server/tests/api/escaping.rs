//! What others write is text and nothing else: markup, quotes, escape sequences and direction overrides in every text that a model, an
//! author, an operator, a container or an address can bring, and no page that takes them for anything but characters.

use crate::{
    rights::lines,
    support::{Browser, Console, seed},
};
use reqwest::Method;
use serde_json::{Value, json};

/// Ends whatever it may stand in, and opens an element that nobody else has.
const MARK: &str = "--></script></style></textarea></title>\"'`><x-evil onclick=a href=javascript:x>";
/// The same where there is little room.
const SHORT: &str = "\"'><x-evil>";
/// What a free text may hold besides: a colour of terminals, the 8-bit way to the same, an override of direction, nothing of no width.
const UNSEEN: &str = "\u{1b}[31m\u{9b}1m\u{202e}\u{2066}\u{200b}\u{feff}";

fn free() -> String {
    format!("{MARK}{UNSEEN}")
}

/// A playbook whose every text is hostile.
fn playbook() -> Value {
    let mut all = seed("hidden-oomkill-scale-down.json");
    for text in ["title", "description"] {
        all[text] = json!(MARK);
    }
    for exposed in all["parameters"]["exposed"].as_array_mut().unwrap() {
        exposed["description"] = json!(MARK);
    }
    let hidden = &mut all["parameters"]["hidden"];
    hidden[0]["description"] = json!(MARK);
    hidden.as_array_mut().unwrap().push(json!({ "name": "NOTE", "value": MARK, "description": MARK }));
    all["labels"] = json!({ "tags": [SHORT] });
    for label in [
        "signal_type",
        "severity",
        "component",
        "environment",
        "priority",
        "risk_tolerance",
        "business_category",
        "category",
    ] {
        all["labels"][label] = json!(SHORT);
    }
    all["internal_steps"] = json!([MARK]);
    all["remediation_steps"] = json!([MARK]);
    all
}

/// A model's answer whose every text is hostile; its first strategy can run.
fn answer() -> Value {
    let parameters = json!({
        "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": MARK, "TARGET_NAMESPACE": "production",
        "SCALE_TARGET_REPLICAS": 1,
    });
    let resource = json!({ "kind": SHORT, "namespace": SHORT, "name": MARK });
    let strategy = |workflow: &str, rollback: Value| {
        json!({ "action_type": MARK, "workflow_id": workflow, "confidence": 0.5, "rationale": free(),
            "estimated_risk": "low", "parameters": parameters, "rollback_parameters": rollback })
    };
    let mut unknown = strategy(MARK, json!({ MARK: free() }));
    unknown["version"] = json!(MARK);
    json!({
        "incident": { "id": MARK, "signal_type": MARK, "severity": "high", "environment": SHORT, "priority": SHORT,
            "fingerprint": MARK, "resource": resource, "business_context": { MARK: free(), "deep": { MARK: [free()] } } },
        "model": { "provider": MARK, "name": MARK, "prompt_version": MARK, "investigation_id": MARK },
        "analysis_summary": free(), "root_cause_assessment": free(),
        "strategies": [strategy("oomkill-scale-down", Value::Null), unknown],
        "warnings": [free()], "context_used": { MARK: free(), "deep": { MARK: [free()] } },
        "additional_findings": [{ "title": free(), "description": free(), "severity": "low", "resource": resource,
            "suggested_workflow_id": MARK }],
    })
}

/// A page on which nothing of what was planted is more than text. Whether it shows any of it.
#[track_caller]
fn is_text(address: &str, page: &str) -> bool {
    let small = page.to_lowercase();
    for never in ["<x-evil", "href=\"javascript:", "src=\"javascript:", "action=\"javascript:"] {
        assert!(!small.contains(never), "{never} at {address}: {page}");
    }
    if let Some(unseen) = page.chars().find(|c| UNSEEN.contains(*c) && !c.is_ascii_graphic()) {
        panic!("U+{:04X} at {address}: {page}", u32::from(unseen));
    }
    small.contains("&lt;x-evil")
}

/// Whatever has happened: identifiers of what was made, by the route's parameter.
struct Planted {
    recommendation: String,
    decided: String,
    execution: String,
}

async fn plant(console: &Console, browser: &Browser<'_>) -> Planted {
    let (admin, model) = (console.token("author", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &playbook()).await.expect(201);
    let submit = async |incident: &str| {
        let mut said = answer();
        said["incident"]["id"] = json!(incident);
        let taken = model.post("/api/v1/recommendations", &said).await.expect(201);
        assert_eq!(taken["strategies"][0]["errors"], json!([]), "it can run: {taken}");
        taken["id"].as_str().unwrap().to_owned()
    };
    let decided = submit(&format!("first {SHORT}")).await;
    let path = format!("/api/v1/recommendations/{decided}");
    let ticket = admin.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201);
    let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"], "reason": MARK });
    let approved = admin.post(&format!("{path}/decisions"), &approve).await.expect(200);
    let execution = approved["execution_id"].as_str().unwrap().to_owned();
    let run = format!("/api/v1/executions/{execution}");
    admin.until(&run, "an end", |run| run["finished_at"].is_string()).await;
    let log = admin.get(&format!("{run}/tasks/execute/logs?follow=true")).await;
    assert!(log.text.contains("x-evil"), "the container repeats it: {}", log.text);

    let mut steps = seed("workflow-execution-spec.json");
    steps["reason"] = json!(MARK);
    steps["steps"][0]["inputs"] = json!({ "note": MARK, "deep": { MARK: [MARK] } });
    admin.post("/api/v1/executions", &steps).await.expect(201);
    let recommendation = submit(MARK).await;
    let status = json!({ "status": "deprecated", "reason": MARK });
    admin.post("/api/v1/playbooks/oomkill-scale-down/versions/1.0.0/status", &status).await.expect(200);
    let named = browser.post("/settings/accounts", &[("name", SHORT), ("role.viewer", "on")]).await;
    assert!(named.status == 201 && is_text("a new account", &named.text), "{}", named.text);
    let named = browser.post("/settings/tokens", &[("name", MARK), ("role.viewer", "on")]).await;
    assert!(named.status == 201 && is_text("a new token", &named.text), "{}", named.text);
    Planted { recommendation, decided, execution }
}

/// Every page there is, with what was planted; pages of one thing for each of these things.
fn pages(planted: &Planted) -> Vec<String> {
    let Planted { recommendation, decided, execution } = planted;
    let routes = lines().into_iter().filter(|line| line.method == Method::GET && !line.path.starts_with("/api/v1/"));
    let mut all: Vec<String> = routes.map(|line| line.path).filter(|path| !path.contains('{')).collect();
    all.extend([
        format!("/recommendations/{recommendation}"),
        format!("/recommendations/{recommendation}?strategy=1"),
        format!("/recommendations/{decided}"),
        format!("/approvals/review?id={recommendation}"),
        format!("/runs/{execution}"),
        format!("/runs/{execution}?task=execute"),
        format!("/runs/{execution}/log?task=execute"),
        "/catalog/oomkill-scale-down".to_owned(),
        "/catalog?status=any".to_owned(),
        "/catalog/new?from=oomkill-scale-down".to_owned(),
        "/approvals?state=decided".to_owned(),
        "/search?q=x-evil".to_owned(),
    ]);
    all
}

/// Addresses that repeat what stands in them.
fn echoes(execution: &str) -> Vec<String> {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let (mark, unseen) = (encoded(MARK), encoded(UNSEEN));
    [
        "/search?q=",
        "/runs?q=",
        "/catalog?q=",
        "/audit?q=",
        "/audit?actor=",
        "/audit?door=",
        "/approvals?q=",
        "/runs?state=",
        "/runs?cursor=",
        "/effectiveness?by=",
        "/settings?done=",
        "/settings/tokens?done=",
        "/settings/sessions?done=",
        "/settings/accounts?done=",
        "/settings/policies?from=",
        "/settings/policies/1?done=",
        "/login?next=",
        "/catalog/new?from=",
        "/approvals/review?id=",
        "/nowhere/",
        "/catalog/",
        "/runs/",
        "/recommendations/",
    ]
    .into_iter()
    .map(|begin| format!("{begin}{mark}{unseen}"))
    .chain(["find", "task", "tab", "level"].map(|name| format!("/runs/{execution}?task=execute&{name}={mark}")))
    .collect()
}

#[tokio::test]
async fn whatever_was_written_is_shown_as_text_on_every_page() {
    let console = Console::start();
    let browser = console.browser().await;
    let planted = plant(&console, &browser).await;
    let mut showing = Vec::new();
    for address in pages(&planted).into_iter().chain(echoes(&planted.execution)) {
        let page = browser.get(&address).await;
        assert!(!page.status.is_server_error(), "{address}: {}", page.text);
        if is_text(&address, &page.text) {
            showing.push(address.clone());
        }
        let part = browser.client.get(format!("{}{address}", console.url)).header("kubernaut-part", "page");
        is_text(&address, &browser.send(part).await.text);
    }
    let whole = ["/", "/approvals", "/runs", "/audit", "/settings/accounts", "/settings/tokens"];
    let begins = [
        "/recommendations/",
        "/approvals/review?",
        "/runs/",
        "/catalog/oomkill",
        "/catalog?status",
        "/catalog/new?from",
    ];
    for place in whole {
        assert!(showing.iter().any(|shown| shown == place), "nothing was tried at {place}: {showing:?}");
    }
    for place in begins {
        assert!(showing.iter().any(|shown| shown.starts_with(place)), "nothing was tried at {place}…: {showing:?}");
    }
}

#[tokio::test]
async fn a_form_that_comes_back_repeats_what_was_typed_as_text() {
    let console = Console::start();
    let browser = console.browser().await;
    let planted = plant(&console, &browser).await;
    let typed = free();
    for (path, fields) in [
        ("/login".to_owned(), vec!["username", "next"]),
        (
            "/catalog/new".to_owned(),
            vec!["title", "workflow_id", "version", "description", "exposed.0.name", "exposed.0.enum", "document"],
        ),
        ("/catalog/new/check".to_owned(), vec!["title", "hidden.0.value", "labels.tags", "container_image"]),
        (
            format!("/recommendations/{}", planted.recommendation),
            vec!["reason", "decision", "ticket_digest", "confirm"],
        ),
        (
            format!("/recommendations/{}", planted.recommendation),
            vec!["reason", "ticket_digest", "confirm", "proof_password"],
        ),
        (
            format!("/recommendations/{}/check", planted.recommendation),
            vec!["p.TARGET_RESOURCE_NAME", "p.SCALE_TARGET_REPLICAS"],
        ),
        (
            format!("/recommendations/{}/parameters", planted.recommendation),
            vec!["p.TARGET_RESOURCE_NAME", "p.<x-evil>"],
        ),
        ("/approvals/review".to_owned(), vec!["item.<x-evil>", "take.<x-evil>", "reason"]),
        (format!("/runs/{}/cancel", planted.execution), vec!["reason"]),
        ("/settings/accounts".to_owned(), vec!["name"]),
        ("/settings/tokens".to_owned(), vec!["name", "expires"]),
        ("/settings/policies".to_owned(), vec!["yaml", "act"]),
        ("/settings/policies/1/activate".to_owned(), vec!["reason", "proof_password"]),
        ("/settings/appearance".to_owned(), vec!["theme"]),
    ] {
        let form: Vec<(&str, &str)> = fields.iter().map(|name| (*name, typed.as_str())).collect();
        let page = browser.post(&path, &form).await;
        assert!(!page.status.is_server_error(), "{path}: {}", page.text);
        is_text(&path, &page.text);
        // One field alone: each complaint on its own page, too.
        for name in fields {
            is_text(&path, &browser.post(&path, &[(name, typed.as_str()), ("decision", "approve")]).await.text);
        }
    }
}
