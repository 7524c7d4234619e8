//! The catalog's port.

use crate::support::{Bench, at_once, audit_rows, contract, entry, events_after, playbook};
use domain::{
    paging::{Page, PageOf},
    playbook::PlaybookId,
    ports::{
        CatalogFilter, CatalogObject, CatalogStore, EventStore, Known, PlaybookRecord, PlaybookStatus, Registered,
        StatusChange, StatusChanged, StoreError, VectorStore,
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
    a_question_puts_the_best_first,
    exact_labels_stand_before_stars_on_every_page,
    what_a_filter_admits_and_records_in_order,
    words_of_versions_from_before_are_found_after_a_start,
    vectors_are_kept_by_model,
    objects_are_remembered_by_cluster,
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
    assert_eq!(ids(store, q("scale_up")).await, ["scale-up@1.0.0"], "words are letters and digits");
    assert_eq!(ids(store, q("mended scal")).await.len(), 2, "endings and beginnings");
    assert_eq!(ids(store, q("memory zzzz")).await, ["scale-down@1.0.0"], "where nothing has all words, any of them");
    for nothing in ["zzzz", "\"'*():&|!<->\\", "%", "\0"] {
        assert!(ids(store, q(nothing)).await.is_empty(), "{nothing}");
    }

    let tags = |tags: &[&str]| CatalogFilter { tags: tags.iter().map(|t| (*t).into()).collect(), ..Default::default() };
    assert_eq!(ids(store, tags(&["scaling"])).await.len(), 2);
    assert_eq!(ids(store, tags(&["scaling", "memory"])).await, ["scale-down@1.0.0"]);
}

async fn found(store: &Store, filter: &CatalogFilter) -> Vec<(String, u32)> {
    let hits = store.by_text(filter, 50).await.unwrap();
    hits.into_iter().map(|hit| (format!("{}@{}", hit.id, hit.version), hit.general)).collect()
}

/// A playbook with texts of its own.
async fn told(store: &Store, id: &str, title: &str, description: &str, labels: serde_json::Value) {
    let mut new = playbook(id, "1.0.0", &labels);
    new.registration.title = title.into();
    new.registration.description = description.into();
    store.register(new, entry("playbook.register")).await.unwrap();
}

async fn a_question_puts_the_best_first(bench: Bench) {
    let store = &bench.store;
    told(store, "drain", "Drain a node", "Moves pods away, also when memory is short.", json!({})).await;
    told(store, "memory", "Give a container more memory", "Raises limits.", json!({ "signal_type": "OOMKilled" }))
        .await;
    told(store, "restart", "Restart pods", "When they hang.", json!({ "signal_type": "CrashLoopBackOff" })).await;
    told(store, "grow", "增加内存限制", "größere Grenzen", json!({})).await;

    let q = |q: &str| CatalogFilter { q: Some(q.into()), ..CatalogFilter::default() };
    let names =
        async |text: &str| -> Vec<String> { found(store, &q(text)).await.into_iter().map(|(id, _)| id).collect() };
    assert_eq!(names("memory").await, ["memory@1.0.0", "drain@1.0.0"], "a title says more than a description");
    assert_eq!(names("pods in a crash loop").await, ["restart@1.0.0"], "the words of a name in humps");
    assert_eq!(names("crashloopbackoff").await, ["restart@1.0.0"]);
    assert_eq!(names("why is my container oomkilled").await, ["memory@1.0.0"]);
    assert_eq!(names("draining nodes").await, ["drain@1.0.0"], "endings do not matter");
    assert_eq!(names("GRÖSSERE grenzen").await.len(), 1, "any word");
    assert_eq!(names("GRÖßERE").await, names("内存").await, "any script");
    assert!(names("").await.is_empty() && found(store, &CatalogFilter::default()).await.is_empty());
    // Labels narrow it down, and an exact one stands before a star however well the text fits.
    told(store, "any", "Memory, memory, memory", "Memory.", json!({ "signal_type": "*" })).await;
    let signal = CatalogFilter { signal_type: Some("OOMKilled".into()), ..q("memory") };
    assert_eq!(found(store, &signal).await, [("memory@1.0.0".into(), 0), ("any@1.0.0".into(), 128)]);
    let none = CatalogFilter { status: Some(PlaybookStatus::Disabled), ..q("memory") };
    assert!(found(store, &none).await.is_empty());
    // Only the newest version is found, by its own words.
    put(store, "memory", "2.0.0", json!({})).await;
    assert_eq!(names("memory").await[1..], ["memory@2.0.0", "drain@1.0.0"]);
    assert!(names("limits").await.is_empty());
}

async fn exact_labels_stand_before_stars_on_every_page(bench: Bench) {
    let store = &bench.store;
    for (id, labels) in [
        ("a", json!({ "signal_type": "*", "severity": "*" })),
        ("b", json!({ "signal_type": "*", "severity": "high" })),
        ("c", json!({ "signal_type": "OOMKilled", "severity": "*" })),
        ("d", json!({ "signal_type": "OOMKilled", "severity": "high" })),
        ("e", json!({ "signal_type": "OOMKilled", "severity": "low" })),
    ] {
        put(store, id, "1.0.0", labels).await;
    }
    let filter =
        CatalogFilter { signal_type: Some("OOMKilled".into()), severity: Some("high".into()), ..Default::default() };
    assert_eq!(ids(store, filter.clone()).await, ["d@1.0.0", "c@1.0.0", "b@1.0.0", "a@1.0.0"]);
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = store.search(&filter, &Page { limit: 1, cursor }).await.unwrap();
        seen.extend(page.items.into_iter().map(|p| p.registration.id.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["d", "c", "b", "a"]);
}

async fn what_a_filter_admits_and_records_in_order(bench: Bench) {
    let store = &bench.store;
    put(store, "a", "1.0.0", json!({ "severity": "*", "tags": ["x"] })).await;
    put(store, "a", "1.1.0", json!({ "severity": "*", "tags": ["x"] })).await;
    put(store, "b", "1.0.0", json!({ "severity": "low" })).await;
    let key = |id: &str, version: &str| (id.parse().unwrap(), version.parse().unwrap());
    let all = [key("b", "1.0.0"), key("a", "1.1.0"), key("a", "1.0.0"), key("nothing", "1.0.0")];
    let high = CatalogFilter { severity: Some("high".into()), q: Some("no matter".into()), ..CatalogFilter::default() };
    let admitted = async |filter: &CatalogFilter, of: Option<&[_]>| {
        let hits = store.admitted(filter, of, 10).await.unwrap();
        hits.into_iter().map(|hit| (format!("{}@{}", hit.id, hit.version), hit.general)).collect::<Vec<_>>()
    };
    assert_eq!(admitted(&high, None).await, [("a@1.1.0".to_owned(), 32)]);
    assert_eq!(admitted(&high, Some(&all[..])).await, [("a@1.1.0".to_owned(), 32)]);
    assert!(admitted(&high, Some(&all[..1])).await.is_empty() && admitted(&high, Some(&all[..0])).await.is_empty());
    assert_eq!(admitted(&CatalogFilter::default(), None).await.len(), 2);
    let records = store.records(&all).await.unwrap();
    let names: Vec<_> = records.iter().map(|r| format!("{}@{}", r.registration.id, r.registration.version)).collect();
    assert_eq!(names, ["b@1.0.0", "a@1.1.0", "a@1.0.0"]);
    assert!(store.records(&[]).await.unwrap().is_empty());
}

async fn words_of_versions_from_before_are_found_after_a_start(bench: Bench) {
    put(&bench.store, "mender", "1.0.0", json!({})).await;
    let mut raw = bench.raw().await;
    sqlx::query("DELETE FROM playbook_texts").execute(&mut raw).await.unwrap();
    let q = CatalogFilter { q: Some("mender".into()), ..CatalogFilter::default() };
    assert!(found(&bench.store, &q).await.is_empty());
    let after = bench.another().await;
    assert_eq!(found(&after, &q).await.len(), 1);
    assert_eq!(found(&bench.another().await, &q).await.len(), 1, "once");
}

async fn vectors_are_kept_by_model(bench: Bench) {
    let store = &bench.store;
    put(store, "a", "1.0.0", json!({})).await;
    put(store, "b", "1.0.0", json!({})).await;
    let missing = async |model: &str| -> Vec<String> {
        let missing = store.without_vector(model, 10).await.unwrap();
        missing.into_iter().map(|registration| registration.id.to_string()).collect()
    };
    assert_eq!(missing("m").await, ["a", "b"]);
    assert_eq!(store.without_vector("m", 1).await.unwrap().len(), 1);
    let key = |id: &str| (id.parse().unwrap(), "1.0.0".parse().unwrap());
    store.keep_vectors("m", &[(key("a"), vec![0.6, -0.8])]).await.unwrap();
    store.keep_vectors("m", &[(key("a"), vec![1.0, 0.0]), (key("b"), vec![0.0, 1.0])]).await.unwrap();
    assert!(missing("m").await.is_empty());
    assert_eq!(missing("other").await.len(), 2);
    let mut kept = store.vectors("m").await.unwrap();
    kept.sort_by_key(|((id, _), _)| id.to_string());
    assert_eq!(kept, [(key("a"), vec![0.6, -0.8]), (key("b"), vec![0.0, 1.0])], "what is there stays");
    assert_eq!((store.count_vectors("m").await.unwrap(), store.count_vectors("other").await.unwrap()), (2, 0));
}

async fn objects_are_remembered_by_cluster(bench: Bench) {
    let store = &bench.store;
    put(store, "a", "1.0.0", json!({})).await;
    put(store, "a", "1.1.0", json!({})).await;
    let object = |name: &str, version: &str| CatalogObject {
        name: name.into(),
        id: "a".parse().unwrap(),
        version: version.parse().unwrap(),
    };
    store.keep_object("one", &object("y", "1.0.0")).await.unwrap();
    store.keep_object("one", &object("x", "1.0.0")).await.unwrap();
    store.keep_object("one", &object("x", "1.1.0")).await.unwrap();
    store.keep_object("two", &object("x", "1.0.0")).await.unwrap();
    assert_eq!(
        store.objects("one").await.unwrap(),
        [object("x", "1.1.0"), object("y", "1.0.0")],
        "the last one counts"
    );
    store.forget_object("one", "x").await.unwrap();
    assert_eq!(store.object("one", "x").await.unwrap(), None);
    assert_eq!(store.object("two", "x").await.unwrap(), Some(object("x", "1.0.0")));
    assert_eq!(store.versions(&"a".parse().unwrap()).await.unwrap().len(), 2, "versions stay");
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
