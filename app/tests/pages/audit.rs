//! The audit page: what changed reads as a change, an object by its name.

use crate::{html, samples};
use app::{pages::audit::audit, query::Query};
use domain::{
    audit::{AuditFilter, AuditRecord},
    identity::{Actor, Door},
    ids::ActorId,
    paging::PageOf,
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
    let list = PageOf { items: vec![record], next_cursor: None };
    html(|| audit(list, &titles, AuditFilter::default(), Query::default(), samples::NOW))
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
