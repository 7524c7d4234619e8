//! The audit trail's chain: what is done behind the console's back is found.

use crate::support::{Bench, DAY, actor, at_once, audit_key, contract, entry};
use domain::{
    audit::{AuditEntry, AuditFilter, Known, Mac, PRUNE, REPLACE_KEY, ROTATE_KEY, SEAL, Verdict},
    paging::Page,
    ports::{AuditKeys, AuditStore, StoreError},
};
use serde_json::json;
use sqlx::Executor as _;
use std::{sync::Arc, time::Duration};
use store::{KeyFile, Options, Store};
use tokio::task::JoinSet;

contract!(
    rows_that_are_tampered_with_are_found,
    an_end_that_was_set_back_stays_broken_until_the_key_is_changed,
    consoles_that_write_at_once_make_one_chain,
    the_key_is_changed_by_a_row,
    rows_from_before_the_chain_are_chained_once,
    rows_without_a_chain_are_not_chained_with_a_key_that_was_there,
    an_end_that_is_wiped_is_never_made_good,
    a_wiped_end_stays_broken_while_consoles_write_on,
    what_came_since_is_looked_at_by_itself,
    old_rows_go_and_the_chain_begins_after_them,
    nothing_goes_while_a_hold_stands,
    what_is_exported_can_be_checked,
);

/// All columns that are written.
const COLUMNS: &str = "sequence, at, actor_id, actor_name, actor_owner, door, address, route, action, object_kind, object_id, before, \
                       after, reason, request_id, key_id, mac, search_actor, search_object, search";

/// A trail of this many rows.
async fn trail(bench: &Bench, rows: i64) {
    for n in 1..=rows {
        let entry = AuditEntry {
            object_id: format!("thing-{n}"),
            before: Some(json!({ "n": n, "x": 0.1 })),
            ..entry("thing.do")
        };
        bench.store.append(entry).await.unwrap();
    }
}

async fn sql(bench: &Bench, text: &str) {
    bench.raw().await.execute(text).await.unwrap();
}

/// What is broken, and at which row.
async fn found(store: &Store) -> Option<(&'static str, i64)> {
    match store.verify(None).await.unwrap() {
        Verdict::Broken(broken) => Some((broken.name(), broken.sequence)),
        Verdict::Unbroken(_) => None,
        Verdict::Genuine { .. } => panic!("the whole trail was asked for"),
    }
}

async fn rows_that_are_tampered_with_are_found(bench: Bench) {
    trail(&bench, 6).await;
    assert_eq!(found(&bench.store).await, None);
    sql(&bench, "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_head AS SELECT * FROM audit_head").await;
    let copy = |to: i64, from: i64| {
        let others = COLUMNS.strip_prefix("sequence, ").unwrap();
        format!("INSERT INTO audit ({COLUMNS}) SELECT {to}, {others} FROM audit WHERE sequence = {from}")
    };
    let cases = [
        // Altered.
        ("UPDATE audit SET reason = 'it was nobody' WHERE sequence = 3".to_owned(), ("altered", 3)),
        ("UPDATE audit SET actor_name = 'bob' WHERE sequence = 3".into(), ("altered", 3)),
        ("UPDATE audit SET at = at + 1 WHERE sequence = 1".into(), ("altered", 1)),
        ("UPDATE audit SET address = NULL WHERE sequence = 3".into(), ("altered", 3)),
        ("UPDATE audit SET door = 'cli' WHERE sequence = 3".into(), ("altered", 3)),
        ("UPDATE audit SET after = '{\"state\":\"old\"}' WHERE sequence = 6".into(), ("altered", 6)),
        ("UPDATE audit SET after = 'no json' WHERE sequence = 3".into(), ("unreadable", 3)),
        ("UPDATE audit SET mac = 'none' WHERE sequence = 3".into(), ("altered", 3)),
        ("UPDATE audit SET key_id = '' WHERE sequence = 3".into(), ("altered", 3)),
        ("UPDATE audit SET key_id = 'mine' WHERE sequence = 3".into(), ("unknown_key", 3)),
        // Removed.
        ("DELETE FROM audit WHERE sequence = 3".into(), ("removed", 3)),
        ("DELETE FROM audit WHERE sequence <= 2".into(), ("removed", 1)),
        (
            "UPDATE audit_head SET first_kept = 3, anchor = (SELECT mac FROM audit WHERE sequence = 2); \
             DELETE FROM audit WHERE sequence <= 2"
                .into(),
            ("end", 6),
        ),
        // Swapped.
        (
            "UPDATE audit SET sequence = 99 WHERE sequence = 3; UPDATE audit SET sequence = 3 WHERE sequence = 4; \
             UPDATE audit SET sequence = 4 WHERE sequence = 99"
                .into(),
            ("swapped", 3),
        ),
        // Appended, and put in between.
        (copy(7, 6), ("appended", 7)),
        (format!("{}; UPDATE audit_head SET sequence = 7", copy(7, 6)), ("altered", 7)),
        (
            format!(
                "UPDATE audit SET sequence = 7 WHERE sequence = 6; UPDATE audit SET sequence = 6 WHERE sequence = 5; {}; \
                 UPDATE audit_head SET sequence = 7",
                copy(5, 2)
            ),
            ("swapped", 5),
        ),
        // Cut off at the end.
        ("DELETE FROM audit WHERE sequence > 4".into(), ("cut_off", 5)),
        (
            "DELETE FROM audit WHERE sequence > 4; UPDATE audit_head SET sequence = 4, \
             mac = (SELECT mac FROM audit WHERE sequence = 4)"
                .into(),
            ("end", 4),
        ),
        ("DELETE FROM audit".into(), ("cut_off", 1)),
        ("UPDATE audit_head SET seal = ''".into(), ("end", 6)),
    ];
    for (tampering, expected) in cases {
        sql(&bench, &tampering).await;
        assert_eq!(found(&bench.store).await, Some(expected), "{tampering}");
        let restored = format!(
            "DELETE FROM audit; INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS} FROM kept; \
             DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept_head"
        );
        sql(&bench, &restored).await;
    }
    assert_eq!(found(&bench.store).await, None, "all was restored");
}

async fn an_end_that_was_set_back_stays_broken_until_the_key_is_changed(bench: Bench) {
    trail(&bench, 5).await;
    let noted = bench.store.head().await.unwrap().0;
    let set_back = "DELETE FROM audit WHERE sequence > 3; UPDATE audit_head SET sequence = 3, \
                    mac = (SELECT mac FROM audit WHERE sequence = 3)";
    sql(&bench, set_back).await;
    trail(&bench, 4).await;
    assert_eq!(found(&bench.store).await, Some(("end", 7)), "writing on does not mend it");
    let gone = bench.store.prune_audit(bench.store.now().await.unwrap().plus_ms(DAY), entry("x")).await.unwrap();
    assert_eq!(gone, 0, "what is broken is not removed");

    let keys = bench.with_keys(&[1, 2]).await;
    keys.change_audit_key(audit_key(2), false, entry("x")).await.unwrap();
    assert_eq!(found(&keys).await, None);
    let row = keys.after(&AuditFilter::default(), 7, 10).await.unwrap().remove(0);
    assert_eq!(row.before, Some(json!({ "key": audit_key(1).id(), "sealed": false })), "its row tells of it");
    // A row that was noted elsewhere tells of it too.
    let verdict = keys.verify(Some((noted.sequence, noted.mac))).await.unwrap();
    assert!(matches!(verdict, Verdict::Broken(broken) if (broken.name(), broken.sequence) == ("noted", 5)));
    let head = keys.head().await.unwrap().0;
    assert!(matches!(keys.verify(Some((head.sequence, head.mac))).await.unwrap(), Verdict::Unbroken(_)));
}

async fn consoles_that_write_at_once_make_one_chain(bench: Bench) {
    at_once(&bench, 8, |store, n| async move {
        for round in 0..5 {
            let entry =
                AuditEntry { actor: actor(&format!("a{n}")), object_id: format!("o{round}"), ..entry("thing.do") };
            store.append(entry).await.unwrap();
        }
    })
    .await;
    let Verdict::Unbroken(chain) = bench.store.verify(None).await.unwrap() else { panic!("a link is broken") };
    assert_eq!((chain.rows, chain.between), (40, Some((1, 40))));
    assert_eq!(bench.store.head().await.unwrap().0.mac, chain.mac);
}

async fn the_key_is_changed_by_a_row(bench: Bench) {
    trail(&bench, 2).await;
    let both = bench.with_keys(&[1, 2]).await;
    both.change_audit_key(audit_key(2), false, entry("x")).await.unwrap();
    both.append(entry("thing.do")).await.unwrap();
    let rows = both.after(&AuditFilter::default(), 2, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.key.as_deref().unwrap())).collect();
    assert_eq!(told, [(ROTATE_KEY, audit_key(1).id()), ("thing.do", audit_key(2).id())]);
    assert_eq!(rows[0].before, Some(json!({ "key": audit_key(1).id(), "sealed": true })));
    assert_eq!(rows[0].after, Some(json!({ "key": audit_key(2).id() })));
    assert_eq!(found(&both).await, None);

    // A console that has only the old key does nothing any more.
    let refused = bench.store.append(entry("thing.do")).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Failed(why) if why.contains(audit_key(2).id())), "{refused}");
    assert!(bench.store.audit_key_is_there().await.unwrap_err().to_string().contains("--audit-key-file"));
    assert_eq!(found(&bench.store).await, Some(("unknown_key", 4)));
    assert_eq!(both.after(&AuditFilter::default(), 0, 10).await.unwrap().len(), 4);

    // Where the key is lost, the trail goes on with another, and what was before can't be checked.
    let other = bench.with_keys(&[3]).await;
    other.change_audit_key(audit_key(3), true, entry("x")).await.unwrap();
    other.append(entry("thing.do")).await.unwrap();
    assert_eq!(other.after(&AuditFilter::default(), 4, 10).await.unwrap()[0].action, REPLACE_KEY);
    assert_eq!(found(&other).await, Some(("unknown_key", 1)));
    assert_eq!(found(&bench.with_keys(&[1, 2, 3]).await).await, None);
}

async fn rows_from_before_the_chain_are_chained_once(bench: Bench) {
    // As an earlier version left it.
    sql(&bench, "UPDATE audit_head SET key_id = '', seal = ''").await;
    let earlier = Store::open(&bench.url, Options::default()).await.unwrap();
    for n in 0..450 {
        earlier.append(AuditEntry { object_id: format!("thing-{n}"), ..entry("thing.do") }).await.unwrap();
    }
    let row = earlier.after(&AuditFilter::default(), 0, 1).await.unwrap().remove(0);
    assert_eq!((row.key, row.mac), (None, None));

    let directory = tempfile::tempdir().unwrap();
    let mut opening = JoinSet::new();
    for _ in 0..4 {
        // There is no key yet.
        let keys: Arc<dyn AuditKeys> = Arc::new(KeyFile::at(directory.path().join("audit.keys"), || audit_key(1)));
        let (url, options) = (bench.url.clone(), Options { audit_keys: Some(keys), ..Options::default() });
        opening.spawn(async move { Store::open(&url, options).await.unwrap() });
    }
    let stores = opening.join_all().await;
    assert_eq!(found(&stores[0]).await, None);
    let rows = stores[1].after(&AuditFilter::default(), 449, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.sequence, row.action.as_str())).collect();
    assert_eq!(told, [(450, "thing.do"), (451, SEAL)], "one of them did it");
    let sealed = json!({ "last_sequence": 450, "last_mac": rows[0].mac, "key": audit_key(1).id() });
    assert_eq!(rows[1].after, Some(sealed));
    sql(&bench, "UPDATE audit SET reason = 'x' WHERE sequence = 200").await;
    assert_eq!(found(&stores[0]).await, Some(("altered", 200)));
}

async fn rows_without_a_chain_are_not_chained_with_a_key_that_was_there(bench: Bench) {
    // An empty trail begins with such a key: several consoles are given one beforehand.
    assert_eq!(bench.store.head().await.unwrap().0.key, audit_key(1).id());
    assert_eq!(found(&bench.store).await, None);
    trail(&bench, 3).await;
    // As an upgrade finds it, or somebody who took the whole chain away.
    sql(
        &bench,
        &format!(
            "UPDATE audit SET key_id = '', mac = ''; UPDATE audit SET reason = 'nobody' WHERE sequence = 2; \
             UPDATE audit_head SET key_id = '', seal = '', mac = '{}'",
            Mac::NONE
        ),
    )
    .await;
    let store = bench.another().await;
    assert!(!store.audit_key_is_there().await.unwrap());
    assert_eq!(found(&store).await, Some(("not_begun", 1)));
    store.append(entry("thing.do")).await.unwrap();
    assert_eq!(found(&bench.another().await).await, Some(("not_begun", 1)), "neither opening nor writing begins it");
    assert_eq!(store.audit_key_in_use().await.unwrap(), None);

    // Somebody says so, and a row tells who.
    assert!(store.begin_audit(entry("x")).await.unwrap());
    assert_eq!(found(&store).await, None);
    let row = store.after(&AuditFilter::default(), 4, 10).await.unwrap().remove(0);
    assert_eq!((row.action.as_str(), row.actor, &row.after.unwrap()["last_sequence"]), (SEAL, actor("ada"), &json!(4)));
    assert!(!store.begin_audit(entry("x")).await.unwrap(), "once");
    assert_eq!(store.audit_key_in_use().await.unwrap().as_deref(), Some(audit_key(1).id()));
}

/// Wipes the end, as whoever altered a row and has no key would.
fn wiped() -> String {
    format!("UPDATE audit_head SET key_id = '', mac = '{}', seal = ''", Mac::NONE)
}

async fn an_end_that_is_wiped_is_never_made_good(bench: Bench) {
    trail(&bench, 5).await;
    sql(&bench, &format!("UPDATE audit SET reason = 'nobody' WHERE sequence = 3; {}", wiped())).await;
    let before = bench.store.after(&AuditFilter::default(), 0, 10).await.unwrap();
    let again = bench.another().await;
    let looks = Store::open_as_it_is(&bench.url, crate::support::few()).await.unwrap();
    for store in [&again, &looks] {
        assert_eq!(found(store).await, Some(("altered", 3)));
    }
    // Neither does a key that is made now, nor who says that the chain should begin.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.keys");
    let keys: Arc<dyn AuditKeys> = Arc::new(KeyFile::at(&path, || audit_key(7)));
    let elsewhere = Store::open(&bench.url, Options { audit_keys: Some(keys), ..Options::default() }).await.unwrap();
    assert!(!path.exists());
    assert!(!elsewhere.begin_audit(entry("x")).await.unwrap() && !again.begin_audit(entry("x")).await.unwrap());
    assert_eq!(again.after(&AuditFilter::default(), 0, 10).await.unwrap(), before, "no row has another mac");

    // Where nothing else was done, the end alone is broken, until somebody changes the key.
    sql(&bench, "UPDATE audit SET reason = NULL WHERE sequence = 3").await;
    assert_eq!(found(&again).await, Some(("end", 5)));
    let both = bench.with_keys(&[1, 2]).await;
    both.change_audit_key(audit_key(2), false, entry("x")).await.unwrap();
    assert_eq!(found(&both).await, None);
    let row = both.after(&AuditFilter::default(), 5, 10).await.unwrap().remove(0);
    assert_eq!(row.before, Some(json!({ "key": audit_key(1).id(), "sealed": false })), "its row tells of it");
}

async fn a_wiped_end_stays_broken_while_consoles_write_on(bench: Bench) {
    trail(&bench, 3).await;
    sql(&bench, &wiped()).await;
    trail(&bench, 2).await;
    let rows = bench.store.after(&AuditFilter::default(), 3, 10).await.unwrap();
    assert!(rows.iter().all(|row| row.key.as_deref() == Some(audit_key(1).id()) && row.mac.is_some()), "{rows:?}");
    for store in [bench.store.clone(), bench.another().await] {
        assert_eq!(found(&store).await, Some(("end", 5)));
    }
    assert_eq!(
        bench.store.prune_audit(bench.store.now().await.unwrap().plus_ms(DAY), entry("x")).await.unwrap(),
        0,
        "what is broken is not removed"
    );
    sql(&bench, "UPDATE audit SET reason = 'nobody' WHERE sequence = 4").await;
    assert_eq!(found(&bench.another().await).await, Some(("altered", 4)));
    // Whoever leaves nothing at all is found by the keys.
    sql(&bench, &format!("DELETE FROM audit; {}", wiped())).await;
    assert_eq!(found(&bench.store).await.map(|(name, _)| name), Some("end"));
}

async fn what_came_since_is_looked_at_by_itself(bench: Bench) {
    let store = &bench.store;
    trail(&bench, 4).await;
    let until = |verdict: Verdict| match verdict {
        Verdict::Unbroken(whole) => (whole.rows, whole.until),
        other => panic!("a link is broken: {other:?}"),
    };
    let (_, known) = until(store.verify(None).await.unwrap());
    let mac = store.head().await.unwrap().0.mac;
    assert_eq!(known, Known { sequence: 4, mac, key: audit_key(1).id().into() });
    assert_eq!(until(store.verify_after(&known).await.unwrap()), (4, known.clone()));
    trail(&bench, 600).await;
    let (rows, later) = until(store.verify_after(&known).await.unwrap());
    assert_eq!((rows, later.sequence), (604, 604));

    let broken = |verdict: Verdict| match verdict {
        Verdict::Broken(broken) => Some((broken.name(), broken.sequence)),
        _ => None,
    };
    sql(&bench, "UPDATE audit SET reason = 'nobody' WHERE sequence = 2").await;
    assert_eq!(broken(store.verify_after(&known).await.unwrap()), None, "what was known is not looked at again");
    sql(&bench, "UPDATE audit SET reason = 'nobody' WHERE sequence = 570").await;
    assert_eq!(broken(store.verify_after(&known).await.unwrap()), Some(("altered", 570)));
    // An earlier state as a whole is found by who knows of a later one.
    let ahead = Known { sequence: 605, ..later };
    assert_eq!(broken(store.verify_after(&ahead).await.unwrap()), Some(("end", 605)));
}

async fn old_rows_go_and_the_chain_begins_after_them(bench: Bench) {
    let store = &bench.store;
    trail(&bench, 3).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let cut = store.now().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    trail(&bench, 2).await;
    let mac = store.after(&AuditFilter::default(), 2, 1).await.unwrap()[0].mac;

    assert_eq!(store.prune_audit(cut.plus_ms(-DAY), entry("x")).await.unwrap(), 0, "all are younger");
    assert_eq!(store.prune_audit(cut, entry("x")).await.unwrap(), 3);
    assert_eq!(store.prune_audit(cut, entry("x")).await.unwrap(), 0, "nothing is left of them, and no row is written");
    let rows = store.after(&AuditFilter::default(), 0, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.sequence, row.action.as_str())).collect();
    assert_eq!(told, [(4, "thing.do"), (5, "thing.do"), (6, PRUNE)]);
    let after = json!({ "last_sequence": 3, "last_mac": mac, "written_before": cut });
    assert_eq!((&rows[2].before, &rows[2].after), (&Some(json!({ "first": 1 })), &Some(after)));
    let head = store.head().await.unwrap().0;
    assert_eq!((head.first, head.rows(), Some(head.anchor)), (4, 3, mac));
    let Verdict::Unbroken(chain) = store.verify(None).await.unwrap() else { panic!("a link is broken") };
    assert_eq!((chain.rows, chain.between), (3, Some((4, 6))));
    let words = AuditFilter { q: Some("thing-1".into()), ..AuditFilter::default() };
    assert!(AuditStore::list(store, &words, &Page::default()).await.unwrap().items.iter().all(|row| row.sequence > 3));

    // Whoever removes one more has nobody who vouches for it.
    sql(&bench, "CREATE TABLE kept AS SELECT * FROM audit").await;
    sql(&bench, "DELETE FROM audit WHERE sequence = 4").await;
    assert_eq!(found(store).await, Some(("removed", 4)));
    sql(&bench, &format!("INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS} FROM kept WHERE sequence = 4")).await;

    // All of it may go but the row that says so.
    let later = store.now().await.unwrap().plus_ms(DAY);
    assert_eq!(store.prune_audit(later, entry("x")).await.unwrap(), 3);
    store.append(entry("thing.do")).await.unwrap();
    assert_eq!(found(store).await, None);
    let rows = store.chained(&AuditFilter::default(), 0, 10).await.unwrap();
    let previous = store.head().await.unwrap().0.anchor;
    assert_eq!((rows.len(), rows[0].record.action.as_str(), rows[0].previous), (2, PRUNE, Some(previous)));
    assert_eq!(rows[1].previous, rows[0].record.mac);
}

async fn nothing_goes_while_a_hold_stands(bench: Bench) {
    let store = &bench.store;
    trail(&bench, 3).await;
    let reason = |reason: &str, action: &str| AuditEntry { reason: Some(reason.into()), after: None, ..entry(action) };
    assert_eq!(store.hold().await.unwrap(), None);
    assert!(!store.release_hold(reason("none stands", "audit.release")).await.unwrap());
    assert!(store.set_hold(reason("case 7", "audit.hold")).await.unwrap());
    assert!(!store.set_hold(reason("case 8", "audit.hold")).await.unwrap(), "one stands");
    let hold = store.hold().await.unwrap().unwrap();
    assert_eq!((hold.by, hold.reason.as_str()), (actor("ada"), "case 7"));

    let later = store.now().await.unwrap().plus_ms(DAY);
    assert_eq!(store.prune_audit(later, entry("x")).await.unwrap(), 0);
    assert!(store.release_hold(reason("case 7 is closed", "audit.release")).await.unwrap());
    let rows = store.after(&AuditFilter::default(), 3, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.reason.as_deref().unwrap())).collect();
    assert_eq!(told, [("audit.hold", "case 7"), ("audit.release", "case 7 is closed")]);
    assert_eq!(rows[1].before.as_ref().unwrap()["reason"], "case 7");
    assert_eq!(store.prune_audit(later, entry("x")).await.unwrap(), 5);
    assert_eq!(found(store).await, None);
}

async fn what_is_exported_can_be_checked(bench: Bench) {
    trail(&bench, 4).await;
    let (head, seal) = bench.store.head().await.unwrap();
    let all = bench.store.chained(&AuditFilter::default(), 0, 10).await.unwrap();
    assert_eq!(all[0].previous, Some(Mac::NONE));
    let mut lines: Vec<_> = all.iter().map(domain::audit::Chained::line).collect();
    lines.push(head.line(seal));
    let keys = crate::support::audit_keys(&[1]).keys(true).unwrap();
    let verdict = |lines: &[String]| {
        let mut verifier = domain::audit::Verifier::whole(&keys);
        for line in lines {
            verifier.line(line.as_bytes());
        }
        verifier.finish()
    };
    assert!(matches!(verdict(&lines), Verdict::Unbroken(chain) if chain.rows == 4));
    lines.remove(1);
    assert!(matches!(verdict(&lines), Verdict::Broken(broken) if (broken.name(), broken.line) == ("removed", Some(2))));
    let some = AuditFilter { object: Some("thing-3".into()), ..AuditFilter::default() };
    let some = bench.store.chained(&some, 0, 10).await.unwrap();
    assert_eq!((some.len(), some[0].previous), (1, all[1].record.mac));
}
