//! Audit trail, live events and first answers.

use crate::support::{Bench, Set, actor, at_once, audit_rows, contract, entry, events_after, recommend, ticket};
use domain::{
    audit::{AuditEntry, AuditFilter, Verdict},
    identity::{Door, Way},
    ids::RecommendationId,
    paging::Page,
    ports::{AuditStore, EventStore, IdempotencyStore, RecommendationStore, Remembered, StoreError},
    time::Timestamp,
};
use serde_json::json;
use std::time::{Duration, Instant};
use store::Store;

contract!(
    an_audit_row_comes_back_as_it_was_given,
    the_trail_is_filtered_and_paged,
    audit_and_events_have_no_gaps_however_many_write,
    events_are_read_from_where_one_left_off,
    who_waits_for_events_is_woken,
    a_request_sent_twice_is_answered_once,
);

async fn an_audit_row_comes_back_as_it_was_given(bench: Bench) {
    let store = &bench.store;
    let given = AuditEntry {
        before: Some(json!({ "a": [1, "ä\u{0}"] })),
        after: None,
        reason: Some("Too \"late\"".into()),
        ..entry("sign_in.refuse")
    };
    store.append(given.clone()).await.unwrap();
    let row = store.after(&AuditFilter::default(), 0, 10).await.unwrap().remove(0);
    assert_eq!(row.sequence, 1);
    assert!(store.now().await.unwrap().since(row.at).abs() < 60_000);
    let back = AuditEntry {
        actor: row.actor,
        way: Way { door: row.door, address: row.address },
        route: row.route,
        action: row.action,
        object_kind: row.object_kind,
        object_id: row.object_id,
        before: row.before,
        after: row.after,
        reason: row.reason,
        request_id: row.request_id,
    };
    assert_eq!(back, given);
}

async fn the_trail_is_filtered_and_paged(bench: Bench) {
    let store = &bench.store;
    for n in 0..7 {
        let action = if n % 2 == 0 { "decision.approve" } else { "decision.reject" };
        store.append(AuditEntry { object_id: format!("Thing-{n}"), ..entry(action) }).await.unwrap();
    }
    let way = Way { door: Door::Page, address: "2001:db8::7".parse().ok() };
    let bob = AuditEntry { actor: actor("Bob_"), reason: Some("100%".into()), way, ..entry("x") };
    store.append(bob).await.unwrap();

    let cases: [(Set<AuditFilter>, &[i64]); 19] = [
        (|_| (), &[8, 7, 6, 5, 4, 3, 2, 1]),
        (|f| f.action = Some("decision.reject".into()), &[6, 4, 2]),
        (|f| f.action = Some("decision".into()), &[]),
        (|f| f.action = Some("decision.".into()), &[7, 6, 5, 4, 3, 2, 1]),
        (|f| f.action = Some("d_cision.".into()), &[]),
        (|f| f.to = Some(Timestamp::default()), &[]),
        (|f| f.from = Some(Timestamp::default()), &[8, 7, 6, 5, 4, 3, 2, 1]),
        (|f| f.from = Some(Timestamp::from_millis(1 << 50)), &[]),
        (|f| f.to = Some(Timestamp::from_millis(1 << 50)), &[8, 7, 6, 5, 4, 3, 2, 1]),
        (|f| (f.actor, f.q) = (Some("bob_".into()), Some("thing-3".into())), &[]),
        (|f| f.actor = Some("bob_".into()), &[8]),
        (|f| f.actor = Some("USER:BOB".into()), &[8]),
        (|f| f.object = Some("thing-3".into()), &[4]),
        (|f| f.q = Some("100% x".into()), &[8]),
        (|f| f.q = Some("2001:db8::7".into()), &[8]),
        (|f| f.door = Some(Door::Page), &[8]),
        (|f| f.door = Some(Door::Cli), &[]),
        (|f| (f.door, f.action) = (Some(Door::Api), Some("decision.reject".into())), &[6, 4, 2]),
        (|f| f.q = Some("decision.approve thing-4 req-1".into()), &[5]),
    ];
    for (set, expected) in cases {
        let mut filter = AuditFilter::default();
        set(&mut filter);
        let found = AuditStore::list(store, &filter, &Page::default()).await.unwrap();
        assert!(found.items.iter().map(|r| r.sequence).eq(expected.iter().copied()), "{filter:?}");
    }

    let mut page = Page::first(3);
    let mut walked = Vec::new();
    loop {
        let found = AuditStore::list(store, &AuditFilter::default(), &page).await.unwrap();
        walked.extend(found.items.iter().map(|r| r.sequence));
        store.append(entry("later")).await.unwrap();
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(walked, [8, 7, 6, 5, 4, 3, 2, 1]);
    let bad = Page { limit: 3, cursor: Some("not hexadecimal".into()) };
    let answer = AuditStore::list(store, &AuditFilter::default(), &bad).await;
    assert!(matches!(answer, Err(StoreError::BadCursor)));
    let sequences: Vec<_> =
        store.after(&AuditFilter::default(), 2, 3).await.unwrap().into_iter().map(|r| r.sequence).collect();
    assert_eq!(sequences, [3, 4, 5]);
}

async fn audit_and_events_have_no_gaps_however_many_write(bench: Bench) {
    let writing = at_once(&bench, 8, |store, n| async move {
        for round in 0..5 {
            recommend(&store, &format!("r{n}-{round}"), &format!("inc-{n}-{round}")).await;
            // A write that comes to nothing takes no number: the ticket's recommendation does not exist.
            let orphan = ticket(n, &RecommendationId::new("nothing"));
            assert!(!store.put_ticket(orphan, entry("ticket.make")).await.unwrap());
        }
    });
    // A reader that follows while they write must never see a number come after a later one.
    let reading = async {
        let (mut seen, mut last) = (Vec::new(), 0);
        while seen.len() < 80 {
            seen.extend(bench.store.since(last, 100).await.unwrap().iter().map(|e| e.id));
            last = seen.last().copied().unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        seen
    };
    let reading = tokio::time::timeout(Duration::from_mins(1), reading);
    let (_, seen) = tokio::join!(writing, reading);
    let seen = seen.unwrap();
    assert!(seen.iter().copied().eq(1..=80), "{seen:?}");
    assert_eq!(bench.store.latest().await.unwrap(), 80);
    let rows = bench.store.after(&AuditFilter::default(), 0, 1000).await.unwrap();
    assert!(rows.iter().map(|r| r.sequence).eq(1..=40));
    assert!(rows.is_sorted_by_key(|r| r.at), "time goes with the numbers");
    let Verdict::Unbroken(chain) = bench.store.verify(None).await.unwrap() else { panic!("a link is broken") };
    assert_eq!((chain.rows, chain.between), (40, Some((1, 40))));
}

async fn events_are_read_from_where_one_left_off(bench: Bench) {
    let store = &bench.store;
    assert_eq!((store.latest().await.unwrap(), store.oldest().await.unwrap()), (0, 0));
    assert!(store.since(0, 10).await.unwrap().is_empty());
    recommend(store, "r1", "inc-1").await;
    recommend(store, "r2", "inc-2").await;
    assert_eq!((store.latest().await.unwrap(), store.oldest().await.unwrap()), (4, 1));
    let ids = |events: Vec<domain::event::LiveEvent>| events.into_iter().map(|e| e.id).collect::<Vec<_>>();
    assert_eq!(ids(store.since(1, 2).await.unwrap()), [2, 3]);
    assert_eq!(ids(store.since(4, 2).await.unwrap()), [0; 0]);
    assert_eq!(events_after(store, 3).await[0].1, "finding-of-r1", "the same finding counts on its card");
}

async fn who_waits_for_events_is_woken(bench: Bench) {
    let waiting = |store: Store, id: i64| {
        tokio::spawn(async move {
            let began = Instant::now();
            tokio::time::timeout(Duration::from_secs(10), store.changed(id)).await.unwrap();
            began.elapsed()
        })
    };
    let here = waiting(bench.store.clone(), 0);
    // Another process on SQLite does not exist: it is the embedded database of one.
    let elsewhere = if bench.url.starts_with("postgres") { Some(waiting(bench.another().await, 0)) } else { None };
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!here.is_finished());
    recommend(&bench.store, "r1", "inc-1").await;
    assert!(here.await.unwrap() < Duration::from_secs(5));
    if let Some(elsewhere) = elsewhere {
        assert!(elsewhere.await.unwrap() < Duration::from_secs(5));
    }
    waiting(bench.store.clone(), 0).await.unwrap();
    let nothing_new = tokio::time::timeout(Duration::from_millis(100), bench.store.changed(2)).await;
    assert!(nothing_new.is_err(), "there is nothing after the newest");
    // A store that opens later knows what was there.
    let late = bench.another().await;
    tokio::time::timeout(Duration::from_millis(500), late.changed(0)).await.unwrap();
}

async fn a_request_sent_twice_is_answered_once(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.begin("user:ada", "k1", "hash").await.unwrap(), Remembered::New);
    assert_eq!(store.begin("user:ada", "k1", "hash").await.unwrap(), Remembered::InProgress);
    assert_eq!(store.begin("user:ada", "k1", "other").await.unwrap(), Remembered::OtherRequest);
    assert_eq!(store.begin("user:bob", "k1", "other").await.unwrap(), Remembered::New, "each has keys of their own");

    let headers = vec![("location".to_owned(), "/api/v1/playbooks/x".to_owned())];
    store.finish("user:ada", "k1", 201, &headers, "{}").await.unwrap();
    let first = Remembered::Answer { status: 201, headers, body: "{}".into() };
    assert_eq!(store.begin("user:ada", "k1", "hash").await.unwrap(), first);
    store.finish("user:ada", "k1", 500, &[], "later").await.unwrap();
    store.forget("user:ada", "k1").await.unwrap();
    assert_eq!(store.begin("user:ada", "k1", "hash").await.unwrap(), first, "the first answer stands");
    assert_eq!(store.begin("user:ada", "k1", "other").await.unwrap(), Remembered::OtherRequest);
    store.forget("user:bob", "k1").await.unwrap();
    assert_eq!(store.begin("user:bob", "k1", "anything").await.unwrap(), Remembered::New);

    let answers =
        at_once(&bench, 8, |store, _| async move { store.begin("user:ada", "k2", "hash").await.unwrap() }).await;
    assert_eq!(answers.iter().filter(|a| **a == Remembered::New).count(), 1);

    store.give_up("user:ada", "k2").await.unwrap();
    assert_eq!(store.begin("user:ada", "k2", "hash").await.unwrap(), Remembered::Unknown);
    store.give_up("user:ada", "k1").await.unwrap();
    assert_eq!(store.begin("user:ada", "k1", "hash").await.unwrap(), first, "what was answered is known");

    // After minutes the process of a request has died: what it did is not known, and its key must not act again. A day later
    // all is forgotten.
    assert_eq!(store.begin("user:ada", "k3", "hash").await.unwrap(), Remembered::New);
    let raw = &mut bench.raw().await;
    let age = "UPDATE idempotency_keys SET taken_at = taken_at - 86400001 WHERE key = 'k1' AND actor = 'user:ada'";
    sqlx::query(age).execute(&mut *raw).await.unwrap();
    let age = "UPDATE idempotency_keys SET taken_at = taken_at - 300001 WHERE key = 'k3'";
    sqlx::query(age).execute(&mut *raw).await.unwrap();
    store.sweep().await.unwrap();
    assert_eq!(store.begin("user:ada", "k1", "other").await.unwrap(), Remembered::New);
    assert_eq!(store.begin("user:ada", "k3", "hash").await.unwrap(), Remembered::Unknown);
    assert_eq!(store.begin("user:ada", "k3", "other").await.unwrap(), Remembered::OtherRequest);
    let age = "UPDATE idempotency_keys SET taken_at = taken_at - 86400001 WHERE key = 'k3'";
    sqlx::query(age).execute(&mut *raw).await.unwrap();
    assert_eq!(store.begin("user:ada", "k3", "other").await.unwrap(), Remembered::New);
    assert_eq!(audit_rows(store).await, 0);
}
