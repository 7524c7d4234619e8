//! How often passwords may be tried, and known browsers.

use crate::{
    accounts::make,
    support::{Bench, at_once, contract, entry},
};
use domain::{
    identity::Role,
    ports::{AccountStore, Allowance, DEVICE_MS, PasswordHash, TryStore},
};
use store::Store;

contract!(
    so_many_at_once_and_then_one_by_one,
    what_turns_out_well_is_taken_back,
    strangers_at_every_replica_get_no_more_tries,
    a_browser_is_known_for_its_person_until_it_was_not_used_for_long_or_the_password_changes,
);

const SOME: Allowance = Allowance { at_once: 3, every_ms: 60_000 };

async fn may(store: &Store, who: &str) -> bool {
    store.count_try(who, SOME).await.unwrap().is_none()
}

/// Lets time pass for all tries.
async fn minutes_pass(bench: &Bench, minutes: i64) {
    let sql = format!("UPDATE sign_in_tries SET full_at = full_at - {}", minutes * 60_000);
    sqlx::query(&sql).execute(&mut bench.raw().await).await.unwrap();
}

async fn so_many_at_once_and_then_one_by_one(bench: Bench) {
    let store = &bench.store;
    for _ in 0..3 {
        assert!(may(store, "name:a").await);
    }
    let wait = store.count_try("name:a", SOME).await.unwrap().unwrap();
    assert!((50_000..=60_000).contains(&wait), "{wait}");
    assert!(may(store, "name:b").await, "others are not kept waiting");
    minutes_pass(&bench, 1).await;
    assert!(may(store, "name:a").await);
    assert!(!may(store, "name:a").await, "one in a minute");
    minutes_pass(&bench, 60).await;
    for left in [true, true, true, false] {
        assert_eq!(may(store, "name:a").await, left, "after a rest as many as at first, and no more");
    }
    minutes_pass(&bench, 4).await;
    store.sweep().await.unwrap();
    let (left,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM sign_in_tries").fetch_one(&mut bench.raw().await).await.unwrap();
    assert_eq!(left, 0, "what counts no more is swept");
}

async fn what_turns_out_well_is_taken_back(bench: Bench) {
    let store = &bench.store;
    for _ in 0..10 {
        assert!(may(store, "name:a").await);
        store.return_try("name:a", SOME).await.unwrap();
    }
    for left in [true, true, true, false] {
        assert_eq!(may(store, "name:a").await, left);
    }
    store.return_try("name:unknown", SOME).await.unwrap();
}

async fn strangers_at_every_replica_get_no_more_tries(bench: Bench) {
    let tried = at_once(&bench, 8, |store, _| async move { may(&store, "name:a").await }).await;
    assert_eq!(tried.into_iter().filter(|may| *may).count(), 3);
}

async fn a_browser_is_known_for_its_person_until_it_was_not_used_for_long_or_the_password_changes(bench: Bench) {
    let store = &bench.store;
    make(store, "ada", &[Role::Admin]).await;
    make(store, "bob", &[Role::Viewer]).await;
    store.note_device("hash of d", "user:ada").await.unwrap();
    let known = |name: &'static str| async move { store.knows_device("hash of d", name).await.unwrap() };
    assert_eq!([known("ada").await, known("bob").await, known("nobody").await], [true, false, false]);
    let age = |ms: i64| format!("UPDATE devices SET used_at = used_at - {ms}");
    sqlx::query(&age(DEVICE_MS)).execute(&mut bench.raw().await).await.unwrap();
    assert!(!known("ada").await, "not used for long");
    store.note_device("hash of d", "user:ada").await.unwrap();
    assert!(known("ada").await);
    store.note_device("hash of d", "user:bob").await.unwrap();
    assert_eq!([known("ada").await, known("bob").await], [false, true], "of whoever signed in there last");

    store.set_password("bob", &PasswordHash("new".into()), None, entry("account.password")).await.unwrap();
    assert!(!known("bob").await, "whoever knew the old password may have made it known");

    for n in 0..60 {
        store.note_device(&format!("hash {n}"), "user:ada").await.unwrap();
        sqlx::query(&age(1)).execute(&mut bench.raw().await).await.unwrap();
    }
    let (kept,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM devices").fetch_one(&mut bench.raw().await).await.unwrap();
    assert_eq!(kept, 50, "only the newest are kept");
    assert!(store.knows_device("hash 59", "ada").await.unwrap());
    sqlx::query(&age(DEVICE_MS)).execute(&mut bench.raw().await).await.unwrap();
    store.sweep().await.unwrap();
    let (kept,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM devices").fetch_one(&mut bench.raw().await).await.unwrap();
    assert_eq!(kept, 0);
}
