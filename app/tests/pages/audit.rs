//! The audit page: what changed reads as a change, an object by its name.

use crate::{
    catalog_samples::{audit_view, trail},
    html, samples,
};
use app::pages::audit::{AuditView, audit};
use domain::{
    audit::{AuditFilter, AuditRecord, Hold},
    identity::{Actor, Door},
    ids::ActorId,
    services::{BrokenLink, TrailCheck, TrailView},
};
use serde_json::{Value, json};
use std::collections::HashMap;

fn record(action: &str, kind: &str, id: &str, before: Option<Value>, after: Option<Value>) -> AuditRecord {
    AuditRecord {
        sequence: 7,
        at: samples::NOW,
        actor: Actor::new(ActorId::new("user:1"), "m.okafor"),
        door: Door::Api,
        address: "10.0.0.7".parse().ok(),
        route: "POST /x".into(),
        action: action.into(),
        object_kind: kind.into(),
        object_id: id.into(),
        before,
        after,
        reason: Some("it fits".into()),
        request_id: "req-1".into(),
        key: Some("k-2026-11-01-9f86d081".into()),
        mac: "9f".repeat(32).parse().ok(),
    }
}

fn page_of(record: AuditRecord) -> String {
    let titles =
        HashMap::from([(("recommendation".to_owned(), "r1".to_owned()), "my-app is killed <for> memory".to_owned())]);
    html(|| audit(AuditView { titles, ..audit_view(vec![record]) }))
}

#[test]
fn what_changed_is_told_field_by_field_and_nothing_is_struck_out() {
    let digest = format!("sha256:{}", "9f".repeat(32));
    let page = page_of(record(
        "decision.approve",
        "recommendation",
        "r1",
        Some(json!({ "state": "open", "revision": 1 })),
        Some(json!({ "state": "decided", "ticket_digest": digest })),
    ));
    assert!(page.contains("open") && page.contains(" became ") && page.contains("decided"));
    assert!(page.contains("before: ") && !page.contains("<del"), "{page}");
    assert!(page.contains("sha256:9f9f9f…9f9f"), "a digest is short");
    assert!(page.contains(">Approved<") && page.contains("decision.approve"));
}

#[test]
fn an_object_is_called_by_its_title_and_led_to() {
    let page = page_of(record("decision.approve", "recommendation", "r1", None, None));
    assert!(
        page.contains("href=\"/recommendations/r1\"") && page.contains("my-app is killed &lt;for&gt; memory"),
        "{page}"
    );
    assert!(page.contains("/audit?object=r1"));
    let page = page_of(record("something.odd", "thing", "t1", None, None));
    assert!(page.contains("Something odd") && !page.contains("href=\"/things"));
}

#[test]
fn a_state_of_many_fields_is_folded() {
    let many: serde_json::Map<String, Value> = (0..9).map(|n| (format!("f{n}"), json!(n))).collect();
    assert!(page_of(record("playbook.register", "playbook", "p@1.0.0", None, Some(many.into()))).contains("9 fields"));
}

#[test]
fn ids_requests_and_digests_can_be_copied() {
    let digest = format!("sha256:{}", "9f".repeat(32));
    let page =
        page_of(record("decision.approve", "recommendation", "r1", None, Some(json!({ "ticket_digest": digest }))));
    for text in ["r1", "req-1", &digest] {
        assert!(page.contains(&format!("data-copy=\"{text}\"")), "{text}: {page}");
    }
    assert_eq!(page.matches("<leptos-island").count(), 0, "no island per row");
}

#[test]
fn the_head_tells_how_the_trail_stands() {
    let shown = |trail: TrailView, may_hold: bool| {
        html(|| audit(AuditView { trail, may_hold, ..audit_view(Vec::new()) })).replace("<!>", "")
    };
    let page = shown(trail(), false);
    assert!(page.contains("Unbroken") && page.contains("1040 rows, looked at ") && page.contains("5m ago"), "{page}");
    assert!(page.contains("action=\"/audit/check\"") && !page.contains("/audit/hold"));
    assert!(!page.contains("role=\"alert\""));

    let unseen = shown(TrailView { checked: None, checking: true, ..trail() }, false);
    assert!(unseen.contains("Not looked at yet") && unseen.contains("1042 rows") && !unseen.contains("/audit/check"));

    let link = BrokenLink { sequence: 7, what: "altered".into(), detail: "row 7 was altered: <its mac>".into() };
    let checked = Some(TrailCheck { at: samples::NOW, rows: 9, broken: Some(link) });
    let broken = shown(TrailView { checked, ..trail() }, false);
    assert!(broken.contains("Broken") && !broken.contains("Unbroken"), "{broken}");
    assert!(broken.contains("role=\"alert\"") && broken.contains("Row 7 was altered: &lt;its mac&gt;."), "{broken}");

    assert!(shown(trail(), true).contains("action=\"/audit/hold\""));
    let by = Actor::new(ActorId::new("user:1"), "m.okafor");
    let hold = Some(Hold { since: samples::NOW, by, reason: "case 7".into() });
    let page = shown(TrailView { hold, first: 5, ..trail() }, true);
    assert!(page.contains("set by m.okafor: Case 7. Nothing is removed"), "{page}");
    assert!(page.contains("action=\"/audit/release\"") && !page.contains("action=\"/audit/hold\""));
    assert!(page.contains("those before 5 went after their time"), "{page}");
}

#[test]
fn an_export_is_a_form_with_the_filter_of_the_page() {
    let all = html(|| audit(audit_view(Vec::new())));
    assert!(all.contains("action=\"/audit/exports\"") && all.contains(">Export all<"), "{all}");
    assert!(!all.contains("type=\"hidden\""));
    let filter = AuditFilter { door: Some(Door::Cli), q: Some("a\"b".into()), ..AuditFilter::default() };
    let some = html(|| audit(AuditView { filter, ..audit_view(Vec::new()) }));
    assert!(some.contains(">Export what matches<") && some.contains("name=\"door\" value=\"cli\""), "{some}");
    assert!(some.contains("value=\"a&quot;b\""), "{some}");
    assert!(some.contains("value=\"jsonl\"") && some.contains("value=\"csv\""));
}

#[test]
fn a_row_unfolds_to_all_that_is_known_of_it() {
    let before = json!({ "roles": ["viewer"], "kept": "as it was" });
    let after = json!({ "roles": ["admin"], "kept": "as it was" });
    let page = page_of(record("account.roles", "account", "mara", Some(before), Some(after))).replace("<!>", "");
    assert!(page.contains("By the API: <code>POST /x</code> from <code>10.0.0.7</code>"), "{page}");
    assert_eq!(
        page.matches("as it was").count(),
        2,
        "before and after as a whole, and nothing of it among the changes"
    );
    assert!(page.contains("9f9f9f9f…9f9f") && page.contains("k-2026-11-01-9f86d081"), "{page}");
}
