//! Notifications: written with what they tell of, delivered by one at a time, and kept until somebody has them or has looked.

use crate::accounts::make;
use crate::support::{
    Bench, MINUTE, attempt, audit_rows, contract, entry, new_execution, recommend, recommendation, ticket,
};
use domain::{
    audit::AuditFilter,
    decision::Verb,
    identity::Role,
    ids::{DecisionId, RecommendationId},
    notification::{Occasion, Subscription, pace::Settled},
    paging::Page,
    ports::{
        AuditStore, Known, Moved, NewDecision, NewRecommendation, NotificationFilter, NotificationRecord,
        NotificationState as State, NotificationStore, RecommendationStore,
    },
    recommendation::Severity,
};
use std::{collections::BTreeSet, time::Duration};
use store::Store;
use tokio::task::JoinSet;

contract!(
    what_came_in_and_what_was_decided_is_told_to_whom_wants_it,
    what_expires_soon_is_told_once,
    no_two_have_the_same_one_at_the_same_time,
    what_was_tried_waits_for_its_time_or_for_somebody_to_look,
    what_has_ended_moves_only_by_hand_and_is_written_down,
    pages_and_numbers_say_how_it_stands,
);

fn wants(receiver: &str, occasions: &[Occasion]) -> Subscription {
    Subscription {
        receiver: receiver.into(),
        occasions: occasions.to_vec(),
        severities: Vec::new(),
        environments: Vec::new(),
    }
}

fn all(receiver: &str) -> Subscription {
    wants(receiver, &Occasion::CHOSEN)
}

/// The ids of what there is, newest first.
async fn listed(store: &Store, states: &[State]) -> Vec<String> {
    let filter = NotificationFilter { states: states.to_vec(), receiver: None };
    let page = store.notifications(&filter, &Page::first(200)).await.unwrap();
    page.items.into_iter().map(|one| one.id).collect()
}

async fn decide(store: &Store, id: &str, of: &RecommendationId, by: &str, verb: Verb, need: u32) -> bool {
    let until = store.now().await.unwrap().plus_ms(15 * MINUTE);
    let decided = store.decide(NewDecision {
        id: DecisionId::new(id),
        recommendation_id: of.clone(),
        strategy: 0,
        attempt: attempt(by, verb, 1, need, until),
        known: Known::Any,
        reason: Some("because".into()),
        ticket: None,
        execution: Some(new_execution("e1", of, 1, until)),
        audit: entry(&format!("decision.{}", verb.name())),
    });
    decided.await.is_ok()
}

async fn what_came_in_and_what_was_decided_is_told_to_whom_wants_it(bench: Bench) {
    let critical = Subscription { severities: vec![Severity::Critical], ..all("critical") };
    let elsewhere = Subscription { environments: vec!["staging".into()], ..all("elsewhere") };
    let store = &bench.telling(vec![all("chat"), wants("pager", &[Occasion::Decided]), critical, elsewhere]).await;
    for name in ["bob", "eve"] {
        assert!(make(store, name, &[Role::Operator]).await);
    }
    let of = recommend(store, "r1", "inc-1").await;
    assert_eq!(listed(store, &[]).await, ["new_r1.chat"]);
    store.put_ticket(ticket(1, &of), entry("ticket.make")).await.unwrap();

    assert!(decide(store, "d1", &of, "bob", Verb::Approve, 2).await, "the first of two");
    assert_eq!(listed(store, &[]).await.len(), 1, "what still waits is not decided");
    assert!(!decide(store, "d2", &of, "bob", Verb::Approve, 2).await, "twice by one");
    assert!(decide(store, "d3", &of, "eve", Verb::Approve, 2).await);
    assert!(!decide(store, "d4", &of, "bob", Verb::Reject, 2).await, "it is decided");
    let told: BTreeSet<_> = listed(store, &[]).await.into_iter().collect();
    assert_eq!(told, BTreeSet::from(["new_r1.chat", "decided_r1.chat", "decided_r1.pager"].map(str::to_owned)));
    let decided = store.notification("decided_r1.pager").await.unwrap().unwrap();
    assert_eq!(decided.notice.decision, Some(Verb::Approve));
    assert_eq!((decided.event_id.as_str(), decided.state, decided.attempts), ("decided_r1", State::Waiting, 0));

    let of = recommend(store, "r2", "inc-2").await;
    assert!(decide(store, "d5", &of, "bob", Verb::Reject, 1).await);
    let rejected = store.notification("decided_r2.pager").await.unwrap().unwrap();
    assert_eq!(rejected.notice.decision, Some(Verb::Reject));
    assert!(store.notification("decided_r2.critical").await.unwrap().is_none());
    assert_eq!(rejected.notice.title, "OOMKilled: Deployment production/my-app");
}

async fn what_expires_soon_is_told_once(bench: Bench) {
    let store = &bench.telling(vec![all("chat")]).await;
    let quiet = &bench.store;
    let lead = 10 * MINUTE;
    let short = NewRecommendation { open_for_ms: 6_000, ..recommendation("short", "inc-1") };
    let long = NewRecommendation { open_for_ms: 60 * MINUTE, ..recommendation("long", "inc-2") };
    for new in [short, long] {
        store.insert(new, entry("recommendation.submit")).await.unwrap();
    }
    assert_eq!(store.note_expiring(lead).await.unwrap(), 0, "half of its time is not over");
    assert_eq!(quiet.note_expiring(lead).await.unwrap(), 0, "where nobody is told nothing is noted");
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let mut noting = JoinSet::new();
    for _ in 0..4 {
        let store = bench.telling(vec![all("chat")]).await;
        noting.spawn(async move { store.note_expiring(10 * MINUTE).await.unwrap() });
    }
    assert_eq!(noting.join_all().await.into_iter().sum::<u32>(), 1, "whoever looks, and however many");
    assert_eq!(store.note_expiring(lead).await.unwrap(), 0);
    let told = store.notification("expiring_short.chat").await.unwrap().unwrap();
    assert_eq!(told.occasion, Occasion::Expiring);
    assert!(store.notification("expiring_long.chat").await.unwrap().is_none());
    assert_eq!(
        store.note_expiring(2 * 60 * MINUTE).await.unwrap(),
        0,
        "nor with a lead that is longer than it is open"
    );
    let raw = &mut bench.raw().await;
    let sql = "UPDATE recommendations SET created_at = created_at - 2900000, expires_at = expires_at - 2900000 WHERE id = 'long'";
    sqlx::query(sql).execute(raw).await.unwrap();
    assert_eq!(store.note_expiring(lead).await.unwrap(), 0, "a little more than the lead is left");
    assert_eq!(store.note_expiring(lead + 2 * MINUTE).await.unwrap(), 1);
}

async fn put(store: &Store, many: u32) {
    for n in 0..many {
        store.put_test("chat", &format!("test_{n:03}"), entry("notification.test")).await.unwrap();
    }
}

async fn no_two_have_the_same_one_at_the_same_time(bench: Bench) {
    const MANY: u32 = 30;
    let store = &bench.store;
    put(store, MANY).await;
    assert!(store.claim("pager", "c").await.unwrap().is_none(), "another's");
    let mut at_work = JoinSet::new();
    for worker in 0..6 {
        let store = bench.another().await;
        at_work.spawn(async move {
            let mut mine = Vec::new();
            let mut misses = 0;
            while misses < 3 && mine.len() < 100 {
                match store.claim("chat", &format!("worker-{worker}")).await.unwrap() {
                    Some(one) => mine.push(one.id),
                    // Somebody was faster; or there is nothing left.
                    None => misses += 1,
                }
            }
            mine
        });
    }
    let claimed: Vec<String> = at_work.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = claimed.iter().collect();
    assert_eq!(distinct.len(), claimed.len(), "nobody got what another had");
    assert_eq!(claimed.len(), usize::try_from(MANY).unwrap(), "and none was left lying");
    assert!(store.claim("chat", "late").await.unwrap().is_none());

    // A console that ended: its claims run out, and what it says later counts no more.
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE notifications SET claimed_until = 1 WHERE id = 'test_007.chat'").execute(raw).await.unwrap();
    let again = store.claim("chat", "late").await.unwrap().unwrap();
    assert_eq!((again.id.as_str(), again.attempts), ("test_007.chat", 2), "its try counts");
    for worker in 0..6 {
        assert!(!store.settle(&again.id, &format!("worker-{worker}"), Settled::Delivered).await.unwrap());
    }
    assert!(store.settle(&again.id, "late", Settled::Delivered).await.unwrap());
    assert!(!store.settle(&again.id, "late", Settled::Dead { reason: "twice".into() }).await.unwrap());
    assert_eq!(listed(store, &[State::Delivered]).await, ["test_007.chat"]);
}

/// Claims the next one for "chat" and writes down what came of it.
async fn tried(store: &Store, settled: Settled) -> NotificationRecord {
    let claimed = store.claim("chat", "c").await.unwrap().unwrap();
    assert!(store.settle(&claimed.id, "c", settled).await.unwrap());
    store.notification(&claimed.id).await.unwrap().unwrap()
}

async fn what_was_tried_waits_for_its_time_or_for_somebody_to_look(bench: Bench) {
    let store = &bench.store;
    put(store, 1).await;
    let reason = || "it answered 500".to_owned();
    let later = tried(store, Settled::Again { in_ms: 60_000, reason: reason() }).await;
    assert_eq!((later.state, later.reason.as_deref()), (State::Waiting, Some("it answered 500")));
    assert_eq!(later.due_at.unwrap().since(later.tried_at.unwrap()), 60_000);
    assert!(store.claim("chat", "c").await.unwrap().is_none(), "not before its time");
    sqlx::query("UPDATE notifications SET due_at = 1").execute(&mut bench.raw().await).await.unwrap();
    let dead = tried(store, Settled::Dead { reason: reason() }).await;
    assert_eq!((dead.state, dead.attempts, dead.due_at), (State::Dead, 2, None));
    assert!(store.claim("chat", "c").await.unwrap().is_none(), "not by itself");
    let Moved::Done(waits) = store.redeliver(&dead.id, entry("notification.redeliver")).await.unwrap() else {
        panic!("it is dead")
    };
    assert_eq!((waits.state, waits.attempts, waits.reason), (State::Waiting, 0, None), "as if never tried");
    let delivered = tried(store, Settled::Delivered).await;
    assert_eq!((delivered.state, delivered.attempts, delivered.reason), (State::Delivered, 1, None));
    assert_eq!(delivered.event_id, "test_000", "the same event at each try");
}

async fn what_has_ended_moves_only_by_hand_and_is_written_down(bench: Bench) {
    let store = &bench.store;
    put(store, 1).await;
    let id = "test_000.chat";
    let before = audit_rows(store).await;
    let again = || store.redeliver(id, entry("notification.redeliver"));
    let discard = || store.discard(id, entry("notification.discard"));
    assert_eq!(again().await.unwrap(), Moved::NotFrom(State::Waiting));
    assert_eq!(audit_rows(store).await, before, "what is not done is not written down");
    let claimed = store.claim("chat", "c").await.unwrap().unwrap();
    assert!(matches!(discard().await.unwrap(), Moved::Done(_)), "while it is tried");
    assert!(!store.settle(&claimed.id, "c", Settled::Delivered).await.unwrap(), "what was discarded stays so");
    assert_eq!(discard().await.unwrap(), Moved::NotFrom(State::Discarded));
    assert!(matches!(again().await.unwrap(), Moved::Done(_)));
    tried(store, Settled::Delivered).await;
    assert_eq!(again().await.unwrap(), Moved::NotFrom(State::Delivered));
    assert_eq!(discard().await.unwrap(), Moved::NotFrom(State::Delivered));
    assert_eq!(store.redeliver("none", entry("notification.redeliver")).await.unwrap(), Moved::Missing);
    let written =
        store.after(&AuditFilter { action: Some("notification.".into()), ..AuditFilter::default() }, 0, 100).await;
    let written: Vec<_> = written.unwrap().into_iter().map(|row| (row.action, row.before, row.after)).collect();
    assert_eq!(written.len(), 3, "{written:?}");
    assert_eq!(written[1].1.as_ref().unwrap()["state"], "waiting");
    assert_eq!(written[1].2.as_ref().unwrap()["state"], "discarded");
}

async fn pages_and_numbers_say_how_it_stands(bench: Bench) {
    let store = &bench.store;
    put(store, 5).await;
    store.put_test("pager", "test_p", entry("notification.test")).await.unwrap();
    tried(store, Settled::Delivered).await;
    tried(store, Settled::Dead { reason: "x".into() }).await;
    let standings = store.standings(&["quiet", "chat"]).await.unwrap();
    let told: Vec<_> = standings
        .iter()
        .map(|one| (one.receiver.as_str(), one.waiting, one.dead, one.delivered_at.is_some()))
        .collect();
    assert_eq!(told, [("quiet", 0, 0, false), ("chat", 3, 1, true), ("pager", 1, 0, false)]);

    let filter = NotificationFilter { receiver: Some("chat".into()), ..NotificationFilter::default() };
    let (mut page, mut ids) = (Page::first(2), Vec::new());
    loop {
        let found = store.notifications(&filter, &page).await.unwrap();
        ids.extend(found.items.into_iter().map(|one| one.id));
        let Some(cursor) = found.next_cursor else { break };
        page = Page { cursor: Some(cursor), ..page };
    }
    let mut newest_first = ids.clone();
    newest_first.sort_by(|a, b| b.cmp(a));
    assert_eq!((ids.len(), ids), (5, newest_first));
    sqlx::query("UPDATE notifications SET created_at = 1").execute(&mut bench.raw().await).await.unwrap();
    assert_eq!(store.prune(90).await.unwrap().notifications, 2, "what waits stays, however old");
    assert_eq!(listed(store, &[]).await.len(), 4);
}
