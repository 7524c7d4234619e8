//! The catalog's port.

use crate::support::{Bench, at_once, audit_rows, contract, entry, events_after, playbook};
use domain::{
    paging::{Page, PageOf},
    playbook::PlaybookId,
    ports::{
        CatalogFilter, CatalogStore, EventStore, Known, PlaybookRecord, PlaybookStatus, Registered, StatusChange,
        StatusChanged, StoreError,
    },
    signature::Signature,
};
use serde_json::json;
use store::Store;

contract!(
    a_version_is_stored_once_and_never_changes,
    versions_are_ordered_as_semver_says,
    a_status_can_change_and_says_why,
    labels_match_the_value_or_a_star,
    words_and_tags_narrow_the_catalog,
    facets_count_what_a_choice_would_leave,
    the_catalog_shows_the_newest_version_of_the_wanted_status,
    pages_of_the_catalog_hold_still_while_playbooks_come,
    one_of_many_who_register_the_same_version_creates_it,
);

async fn put(store: &Store, id: &str, version: &str, labels: serde_json::Value) {
    store.register(playbook(id, version, &labels), entry("playbook.register")).await.unwrap();
}

async fn ids(store: &Store, filter: CatalogFilter) -> Vec<String> {
    let found = store.search(&filter, &Page::default()).await.unwrap();
    found.items.iter().map(|p| format!("{}@{}", p.registration.id, p.registration.version)).collect()
}

async fn a_version_is_stored_once_and_never_changes(bench: Bench) {
    let store = &bench.store;
    let mut new = playbook("oomkill", "1.0.0", &json!({ "signal_type": "OOMKilled", "tags": ["memory"] }));
    new.registration = serde_json::from_value(json!({
        "workflow_id": "oomkill", "version": "1.0.0", "title": "Scale \"down\"", "description": "größer\nals ' \\ %",
        "container_image": "quay.io/kubernaut/mender:v1", "labels": { "signal_type": "OOMKilled", "tags": ["memory"] },
        "parameters": {
            "exposed": [{ "name": "REPLICAS", "description": "How many", "type": "integer", "required": true, "minimum": 0 }],
            "hidden": [{ "name": "TOKEN", "secret_ref": { "name": "s", "key": "k" } }],
        },
        "internal_steps": ["look", "act"],
    }))
    .unwrap();

    let Registered::Created(created) = store.register(new.clone(), entry("playbook.register")).await.unwrap() else {
        panic!("it is new")
    };
    assert_eq!(created.registration, new.registration);
    assert_eq!(created.image, new.image);
    assert_eq!((created.signature.state, created.status), (Signature::Verified, PlaybookStatus::Active));
    let told = (audit_rows(store).await, store.latest().await.unwrap());
    assert_eq!(told, (1, 1));
    assert_eq!(events_after(store, 0).await, [("playbook", "oomkill@1.0.0".into(), json!({ "status": "active" }))]);

    let again = store.register(new.clone(), entry("playbook.register")).await.unwrap();
    assert!(matches!(again, Registered::Same(ref same) if **same == *created));
    let mut other = new.clone();
    other.registration.title = "Something else".into();
    let different = store.register(other, entry("playbook.register")).await.unwrap();
    assert!(matches!(different, Registered::Different(ref old) if **old == *created));
    assert_eq!((audit_rows(store).await, store.latest().await.unwrap()), told, "nothing was done, nothing is told");

    let read = store.version(&created.registration.id, &created.registration.version).await.unwrap();
    assert_eq!(read.as_ref(), Some(&*created));
    assert!(store.version(&created.registration.id, &"9.9.9".parse().unwrap()).await.unwrap().is_none());
}

async fn versions_are_ordered_as_semver_says(bench: Bench) {
    let store = &bench.store;
    for version in ["1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0-rc.10", "2.0.0-rc.2"] {
        put(store, "mend", version, json!({})).await;
    }
    let id: PlaybookId = "mend".parse().unwrap();
    let versions = store.versions(&id).await.unwrap();
    let versions: Vec<_> = versions.iter().map(|p| p.registration.version.to_string()).collect();
    assert_eq!(versions, ["2.0.0-rc.10", "2.0.0-rc.2", "2.0.0-rc.1", "1.10.0", "1.9.0"]);
    assert!(store.versions(&"other".parse().unwrap()).await.unwrap().is_empty());
}

async fn a_status_can_change_and_says_why(bench: Bench) {
    let store = &bench.store;
    put(store, "mend", "1.0.0", json!({})).await;
    put(store, "mend", "2.0.0", json!({})).await;
    let (id, two) = ("mend".parse().unwrap(), "2.0.0".parse().unwrap());
    let before = (audit_rows(store).await, store.latest().await.unwrap());

    let reason = Some("It restarts too much".to_owned());
    let read = store.version(&id, &two).await.unwrap().unwrap();
    let other = StatusChange {
        known: Known::Tags(vec!["of another state".into()]),
        ..StatusChange::to(PlaybookStatus::Disabled, None)
    };
    let refused = store.set_status(&id, &two, other, entry("playbook.status")).await.unwrap();
    assert_eq!(refused, StatusChanged::Moved(Box::new(read.clone())));
    assert_eq!(audit_rows(store).await, before.0);

    let known = Known::Tags(vec!["x".into(), read.tag()]);
    let change = StatusChange { known, ..StatusChange::to(PlaybookStatus::Deprecated, reason.clone()) };
    let changed = store.set_status(&id, &two, change.clone(), entry("playbook.status")).await.unwrap();
    let StatusChanged::Done(changed) = changed else { panic!("{changed:?}") };
    assert_ne!(changed.tag(), read.tag());
    let again = store.set_status(&id, &two, change, entry("playbook.status")).await.unwrap();
    assert_eq!(again, StatusChanged::Moved(changed.clone()), "the state that was read is no longer");
    assert_eq!((changed.status, changed.status_reason), (PlaybookStatus::Deprecated, reason));
    assert_eq!(audit_rows(store).await, before.0 + 1);
    let told = events_after(store, before.1).await;
    assert_eq!(told, [("playbook", "mend@2.0.0".into(), json!({ "status": "deprecated" }))]);
    let newest = store.newest_active(&id).await.unwrap().unwrap();
    assert_eq!(newest.registration.version.to_string(), "1.0.0");

    let unknown = "3.0.0".parse().unwrap();
    let disable = StatusChange::to(PlaybookStatus::Disabled, None);
    let missing = store.set_status(&id, &unknown, disable, entry("playbook.status"));
    assert_eq!(missing.await.unwrap(), StatusChanged::Missing);
    assert_eq!(audit_rows(store).await, before.0 + 1);
}

async fn labels_match_the_value_or_a_star(bench: Bench) {
    let store = &bench.store;
    put(store, "exact", "1.0.0", json!({ "signal_type": "OOMKilled", "environment": "production" })).await;
    put(store, "other", "1.0.0", json!({ "signal_type": "CrashLoop", "environment": "production" })).await;
    put(store, "star", "1.0.0", json!({ "signal_type": "*", "environment": "production" })).await;
    put(store, "without", "1.0.0", json!({ "environment": "staging" })).await;

    let signal = |s: &str| CatalogFilter { signal_type: Some(s.into()), ..CatalogFilter::default() };
    assert_eq!(ids(store, signal("OOMKilled")).await, ["exact@1.0.0", "star@1.0.0"]);
    assert_eq!(ids(store, signal("oomkilled")).await, ["star@1.0.0"]);
    let both = CatalogFilter { environment: Some("staging".into()), ..signal("OOMKilled") };
    assert!(ids(store, both).await.is_empty());
    assert_eq!(ids(store, CatalogFilter::default()).await.len(), 4);
    assert_eq!(ids(store, signal("with\0nul")).await, ["star@1.0.0"], "no character breaks a database");
}

/// The values of a facet with their counts.
async fn facet(store: &Store, filter: &CatalogFilter, name: &str) -> Vec<(String, i64)> {
    let facets = store.facets(filter).await.unwrap();
    let found = facets.into_iter().find(|facet| facet.name == name);
    found.map(|facet| facet.values.into_iter().map(|v| (v.value, v.count)).collect()).unwrap_or_default()
}

async fn facets_count_what_a_choice_would_leave(bench: Bench) {
    let store = &bench.store;
    let pair = |value: &str, count: i64| (value.to_owned(), count);
    assert!(store.facets(&CatalogFilter::default()).await.unwrap().is_empty());
    put(store, "exact", "1.0.0", json!({ "signal_type": "CrashLoop", "severity": "low" })).await;
    put(store, "exact", "2.0.0", json!({ "signal_type": "OOMKilled", "severity": "high", "tags": ["a"] })).await;
    put(store, "other", "1.0.0", json!({ "signal_type": "CrashLoop", "severity": "high", "tags": ["a", "b"] })).await;
    put(store, "star", "1.0.0", json!({ "signal_type": "*", "severity": "low" })).await;
    let disable = StatusChange::to(PlaybookStatus::Disabled, None);
    let (id, one) = ("exact".parse().unwrap(), "1.0.0".parse().unwrap());
    store.set_status(&id, &one, disable, entry("playbook.status")).await.unwrap();

    let all = CatalogFilter::default();
    let mut signals = facet(store, &all, "signal_type").await;
    signals.sort();
    // A star counts with each value, and only the newest version counts.
    assert_eq!(signals, [pair("*", 1), pair("CrashLoop", 2), pair("OOMKilled", 2)]);
    assert_eq!(facet(store, &all, "tag").await, [pair("a", 2), pair("b", 1)]);
    assert_eq!(facet(store, &all, "status").await, [pair("active", 3), pair("disabled", 1)]);
    assert_eq!(facet(store, &all, "component").await, []);

    // What is chosen narrows the other facets and not its own.
    let high = CatalogFilter { severity: Some("high".into()), ..all.clone() };
    assert_eq!(facet(store, &high, "severity").await, [pair("high", 2), pair("low", 1)]);
    let mut signals = facet(store, &high, "signal_type").await;
    signals.sort();
    assert_eq!(signals, [pair("CrashLoop", 1), pair("OOMKilled", 1)]);
    let words = CatalogFilter { q: Some("other".into()), tags: vec!["b".into()], ..all.clone() };
    assert_eq!(facet(store, &words, "severity").await, [pair("high", 1)]);
    // Every count is what the list shows.
    for name in ["OOMKilled", "CrashLoop", "*"] {
        let filter = CatalogFilter { signal_type: Some(name.into()), ..all.clone() };
        let count = facet(store, &all, "signal_type").await.into_iter().find(|(value, _)| value == name).unwrap().1;
        assert_eq!(i64::try_from(ids(store, filter).await.len()).unwrap(), count, "{name}");
    }
    let disabled = CatalogFilter { status: Some(PlaybookStatus::Disabled), ..all };
    assert_eq!(facet(store, &disabled, "signal_type").await, [pair("CrashLoop", 1)]);
}

async fn words_and_tags_narrow_the_catalog(bench: Bench) {
    let store = &bench.store;
    put(store, "scale-down", "1.0.0", json!({ "component": "Ärger", "tags": ["memory", "scaling"] })).await;
    put(store, "scale-up", "1.0.0", json!({ "tags": ["scaling", "100%"] })).await;

    let q = |q: &str| CatalogFilter { q: Some(q.into()), ..CatalogFilter::default() };
    assert_eq!(ids(store, q("SCALE")).await, ["scale-down@1.0.0", "scale-up@1.0.0"]);
    assert_eq!(ids(store, q("memory  mends")).await, ["scale-down@1.0.0"]);
    assert_eq!(ids(store, q("äRGER")).await, ["scale-down@1.0.0"]);
    assert_eq!(ids(store, q("100%")).await, ["scale-up@1.0.0"]);
    assert!(ids(store, q("scale_up")).await.is_empty(), "an underscore is an underscore");
    assert!(ids(store, q("mem\\ory")).await.is_empty());

    let tags = |tags: &[&str]| CatalogFilter { tags: tags.iter().map(|t| (*t).into()).collect(), ..Default::default() };
    assert_eq!(ids(store, tags(&["scaling"])).await.len(), 2);
    assert_eq!(ids(store, tags(&["scaling", "memory"])).await, ["scale-down@1.0.0"]);
}

async fn the_catalog_shows_the_newest_version_of_the_wanted_status(bench: Bench) {
    let store = &bench.store;
    for version in ["1.0.0", "1.10.0", "1.9.0"] {
        put(store, "mend", version, json!({})).await;
    }
    let id = "mend".parse().unwrap();
    store
        .set_status(
            &id,
            &"1.10.0".parse().unwrap(),
            StatusChange::to(PlaybookStatus::Disabled, None),
            entry("playbook.status"),
        )
        .await
        .unwrap();
    let of = |status| CatalogFilter { status, ..CatalogFilter::default() };
    assert_eq!(ids(store, of(Some(PlaybookStatus::Active))).await, ["mend@1.9.0"]);
    assert_eq!(ids(store, of(Some(PlaybookStatus::Disabled))).await, ["mend@1.10.0"]);
    assert_eq!(ids(store, of(None)).await, ["mend@1.10.0"]);
    assert!(ids(store, of(Some(PlaybookStatus::Deprecated))).await.is_empty());
}

async fn pages_of_the_catalog_hold_still_while_playbooks_come(bench: Bench) {
    let store = &bench.store;
    for id in ["b", "d", "f", "h"] {
        put(store, id, "1.0.0", json!({})).await;
    }
    let filter = CatalogFilter::default();
    let names =
        |page: &PageOf<PlaybookRecord>| page.items.iter().map(|p| p.registration.id.to_string()).collect::<Vec<_>>();
    let first = store.search(&filter, &Page::first(2)).await.unwrap();
    assert_eq!(names(&first), ["b", "d"]);
    for id in ["a", "e"] {
        put(store, id, "1.0.0", json!({})).await;
    }
    let second = store.search(&filter, &Page { limit: 2, cursor: first.next_cursor.clone() }).await.unwrap();
    assert_eq!(names(&second), ["e", "f"]);
    let last = store.search(&filter, &Page { limit: 2, cursor: second.next_cursor }).await.unwrap();
    assert_eq!(names(&last), ["h"]);
    assert_eq!(last.next_cursor, None);

    for bad in ["zz", "00", &first.next_cursor.unwrap()[2..]] {
        let answer = store.search(&filter, &Page { limit: 2, cursor: Some(bad.into()) }).await;
        assert!(matches!(answer, Err(StoreError::BadCursor)), "{bad}");
    }
}

async fn one_of_many_who_register_the_same_version_creates_it(bench: Bench) {
    let answers = at_once(&bench, 8, |store, _| async move {
        store.register(playbook("mend", "1.0.0", &json!({ "tags": ["x"] })), entry("playbook.register")).await
    })
    .await;
    let refused: Vec<_> = answers.iter().filter_map(|a| a.as_ref().err()).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let created = answers.iter().filter(|a| matches!(a, Ok(Registered::Created(_)))).count();
    let same = answers.iter().filter(|a| matches!(a, Ok(Registered::Same(_)))).count();
    assert_eq!((created, same), (1, 7));
    assert_eq!(audit_rows(&bench.store).await, 1);
}
