//! The recommendations' port, but for deciding.

use crate::support::{
    Bench, MINUTE, Set, actor, at_once, audit_rows, contract, digest, entry, events_after, recommend, recommendation,
    ticket,
};
use domain::{
    audit::AuditFilter,
    decision::{Decision, Verb},
    ids::{DecisionId, RecommendationId},
    paging::{Page, PageOf},
    ports::{
        AuditStore, DecidedRecommendation, EventStore, NewRecommendation, RecommendationFilter, RecommendationStore,
        StoreError,
    },
    recommendation::{Origin, Recommendation, RecommendationState as State, Risk, Severity},
};
use serde_json::json;
use std::time::Duration;
use store::Store;

contract!(
    what_was_said_comes_back_as_it_was_said,
    a_newer_one_supersedes_the_older_of_its_incident_and_cluster,
    one_of_many_at_once_stays_open,
    time_runs_out_by_the_databases_clock,
    open_ones_are_listed_by_deadline_and_all_others_newest_first,
    the_order_of_open_ones_is_the_domains_from_page_to_page,
    pages_hold_still_while_recommendations_come,
    each_filter_narrows,
    a_ticket_is_written_once,
    several_tickets_are_found_at_once,
    the_one_that_waits_in_the_cluster_is_found_by_uid,
    decided_history_is_written_as_it_is_and_once,
);

fn of(state: State) -> RecommendationFilter {
    RecommendationFilter { state: Some(state), ..RecommendationFilter::default() }
}

async fn list(store: &Store, filter: &RecommendationFilter, page: &Page) -> PageOf<Recommendation> {
    RecommendationStore::list(store, filter, page).await.unwrap()
}

fn names(page: &PageOf<Recommendation>) -> Vec<&str> {
    page.items.iter().map(|r| r.id.as_str()).collect()
}

async fn read(store: &Store, id: &RecommendationId) -> Recommendation {
    RecommendationStore::get(store, id).await.unwrap().unwrap()
}

async fn insert(store: &Store, new: NewRecommendation) -> RecommendationId {
    store.insert(new, entry("recommendation.submit")).await.unwrap().id
}

async fn what_was_said_comes_back_as_it_was_said(bench: Bench) {
    let store = &bench.store;
    let new = recommendation("r1", "inc-1");
    let stored = store.insert(new.clone(), entry("recommendation.submit")).await.unwrap();
    assert_eq!(stored.content, new.content);
    assert_eq!((stored.state, stored.revision), (State::Open, 1));
    assert_eq!(stored.expires_at.since(stored.created_at), new.open_for_ms);
    assert!(store.now().await.unwrap().since(stored.created_at).abs() < MINUTE);
    assert_eq!(read(store, &stored.id).await, stored);
    assert!(RecommendationStore::get(store, &RecommendationId::new("r\0")).await.unwrap().is_none());
    assert_eq!((store.open_count().await.unwrap(), audit_rows(store).await), (1, 1));
    let told: Vec<_> = events_after(store, 0).await.into_iter().map(|(topic, subject, _)| (topic, subject)).collect();
    assert_eq!(told, [("recommendation", "r1".to_owned()), ("finding", "finding-of-r1".to_owned())]);
}

async fn a_newer_one_supersedes_the_older_of_its_incident_and_cluster(bench: Bench) {
    let store = &bench.store;
    let old = recommend(store, "r1", "inc-1").await;
    let other = recommend(store, "r2", "inc-2").await;
    let elsewhere = insert(store, NewRecommendation { cluster: "prod".into(), ..recommendation("r3", "inc-1") }).await;
    let before = store.latest().await.unwrap();
    let new = recommend(store, "r4", "inc-1").await;

    assert_eq!(read(store, &old).await.state, State::Superseded);
    for id in [&other, &elsewhere, &new] {
        assert_eq!(read(store, id).await.state, State::Open, "{id}");
    }
    assert_eq!(store.open_count().await.unwrap(), 3);
    let told = events_after(store, before).await;
    assert_eq!(told[0], ("recommendation", "r1".into(), json!({ "state": "superseded", "by": "r4" })));
    let rows = AuditStore::list(store, &AuditFilter::default(), &Page::default()).await.unwrap().items;
    assert_eq!(rows[0].before, Some(json!({ "superseded": ["r1"] })), "the trail names whose place it took");
    assert!(rows[1..].iter().all(|row| row.before.is_none()));
}

async fn one_of_many_at_once_stays_open(bench: Bench) {
    at_once(&bench, 10, |store, n| async move { recommend(&store, &format!("r{n}"), "inc-1").await }).await;
    assert_eq!(bench.store.open_count().await.unwrap(), 1);
    let superseded = list(&bench.store, &of(State::Superseded), &Page::default()).await;
    assert_eq!(superseded.items.len(), 9);
}

async fn time_runs_out_by_the_databases_clock(bench: Bench) {
    let store = &bench.store;
    let short = insert(store, NewRecommendation { open_for_ms: 40, ..recommendation("short", "inc-1") }).await;
    let long = recommend(store, "long", "inc-2").await;
    tokio::time::sleep(Duration::from_millis(80)).await;

    assert_eq!(read(store, &short).await.state, State::Expired, "before any sweep");
    assert_eq!(names(&list(store, &of(State::Open), &Page::default()).await), ["long"]);
    assert_eq!(names(&list(store, &of(State::Expired), &Page::default()).await), ["short"]);
    assert_eq!(store.open_count().await.unwrap(), 1);

    let before = store.latest().await.unwrap();
    assert_eq!(store.expire_due().await.unwrap(), std::slice::from_ref(&short));
    assert_eq!(events_after(store, before).await, [("recommendation", "short".into(), json!({ "state": "expired" }))]);
    assert!(store.expire_due().await.unwrap().is_empty());
    assert_eq!(names(&list(store, &of(State::Expired), &Page::default()).await), ["short"]);
    assert_eq!(read(store, &long).await.state, State::Open);

    insert(store, NewRecommendation { open_for_ms: 1, ..recommendation("gone", "inc-3") }).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    recommend(store, "next", "inc-3").await;
    let gone = read(store, &RecommendationId::new("gone")).await;
    assert_eq!(gone.state, State::Expired, "its time was over before a newer one came");
}

async fn open_ones_are_listed_by_deadline_and_all_others_newest_first(bench: Bench) {
    let store = &bench.store;
    for (id, minutes) in [("b", 20), ("a", 30), ("c", 10)] {
        insert(store, NewRecommendation { open_for_ms: minutes * MINUTE, ..recommendation(id, id) }).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert_eq!(names(&list(store, &of(State::Open), &Page::default()).await), ["c", "b", "a"]);
    let all = RecommendationFilter::default();
    assert_eq!(names(&list(store, &all, &Page::default()).await), ["c", "a", "b"]);
}

async fn the_order_of_open_ones_is_the_domains_from_page_to_page(bench: Bench) {
    let store = &bench.store;
    for (n, (minutes, risk)) in
        [(9, Some(Risk::Low)), (10, Some(Risk::High)), (8, Some(Risk::Medium)), (4, None), (8, Some(Risk::High))]
            .into_iter()
            .enumerate()
    {
        let id = format!("{minutes}-{}", risk.map_or("nothing", Risk::name));
        let mut new = recommendation(&id, &format!("inc-{n}"));
        new.open_for_ms = minutes * MINUTE;
        // What a model looked at may hold what PostgreSQL's text can't.
        new.content.context_used.insert("note".into(), json!("a\u{0}b"));
        match risk {
            Some(risk) => new.content.strategies[0].estimated_risk = risk,
            None => new.content.strategies.clear(),
        }
        insert(store, new).await;
    }
    let (mut page, mut walked) = (Page::first(2), Vec::new());
    loop {
        let found = list(store, &of(State::Open), &page).await;
        walked.extend(found.items);
        let Some(cursor) = found.next_cursor else { break };
        page.cursor = Some(cursor);
    }
    assert!(walked.is_sorted_by_key(Recommendation::begin_by));
    let order: Vec<_> = walked.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(order, ["8-high", "4-nothing", "10-high", "8-medium", "9-low"]);
    let some = [RecommendationId::new("9-low"), RecommendationId::new("none")];
    let these = RecommendationStore::these(store, &some).await.unwrap();
    assert_eq!(these.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["9-low"]);
    assert!(RecommendationStore::these(store, &[]).await.unwrap().is_empty());
}

async fn pages_hold_still_while_recommendations_come(bench: Bench) {
    let store = &bench.store;
    for n in 0..5_i64 {
        let id = format!("r{n}");
        let new = NewRecommendation { open_for_ms: (n + 10) * MINUTE, ..recommendation(&id, &id) };
        insert(store, new).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    for (filter, expected) in [
        (of(State::Open), ["r0", "r1", "r2", "r3", "r4"]),
        (RecommendationFilter::default(), ["r4", "r3", "r2", "r1", "r0"]),
    ] {
        let mut walked = Vec::new();
        let mut page = Page::first(2);
        let mut come = 0;
        loop {
            let found = list(store, &filter, &page).await;
            walked.extend(found.items.iter().map(|r| r.id.to_string()));
            // One that belongs before where the reader is: it must neither repeat nor hide anything.
            let id = format!("late{}-{come}", expected[0]);
            let later = NewRecommendation { open_for_ms: MINUTE, ..recommendation(&id, &id) };
            insert(store, later).await;
            come += 1;
            let Some(cursor) = found.next_cursor else { break };
            page.cursor = Some(cursor);
        }
        walked.retain(|id| !id.starts_with("late"));
        assert_eq!(walked, expected);
    }
    let newest = list(store, &RecommendationFilter::default(), &Page::first(1)).await;
    let page = Page { limit: 1, cursor: newest.next_cursor };
    let answer = RecommendationStore::list(store, &of(State::Open), &page).await;
    assert!(matches!(answer, Err(StoreError::BadCursor)), "another order's cursor");
}

async fn each_filter_narrows(bench: Bench) {
    let store = &bench.store;
    recommend(store, "r1", "inc-1").await;
    let mut new = recommendation("r2", "inc-2");
    new.content.incident.signal_type = "CrashLoop".into();
    new.content.incident.severity = Severity::Low;
    new.content.analysis_summary = "Readiness probe fails".into();
    new.content.strategies.clear();
    insert(store, new).await;

    let cases: [(Set<RecommendationFilter>, &[&str]); 9] = [
        (|f| f.incident = Some("inc-2".into()), &["r2"]),
        (|f| f.signal_type = Some("OOMKilled".into()), &["r1"]),
        (|f| f.severity = Some("low".into()), &["r2"]),
        (|f| f.workflow_id = Some("oomkill-scale-down".into()), &["r1"]),
        (|f| f.workflow_id = Some("unknown".into()), &[]),
        (|f| f.q = Some("PROBE readiness".into()), &["r2"]),
        (|f| f.q = Some("my-app inc-1".into()), &["r1"]),
        (|f| f.q = Some("leak nonsense".into()), &[]),
        (|f| f.state = Some(State::Decided), &[]),
    ];
    for (set, expected) in cases {
        let mut filter = RecommendationFilter::default();
        set(&mut filter);
        assert_eq!(names(&list(store, &filter, &Page::default()).await), expected, "{filter:?}");
    }
}

async fn a_ticket_is_written_once(bench: Bench) {
    let store = &bench.store;
    let of = recommend(store, "r1", "inc-1").await;
    let new = ticket(1, &of);
    let before = audit_rows(store).await;
    for _ in 0..2 {
        assert!(store.put_ticket(new.clone(), entry("ticket.make")).await.unwrap());
    }
    assert_eq!(audit_rows(store).await, before + 1, "the second time nothing was done");
    recommend(store, "r2", "inc-1").await;
    assert!(!store.put_ticket(ticket(2, &of), entry("ticket.make")).await.unwrap(), "it was superseded");
    assert_eq!(audit_rows(store).await, before + 2);
    assert_eq!(store.ticket(&new.digest).await.unwrap(), Some(new));
    assert_eq!(store.ticket(&digest(2)).await.unwrap(), None);
}

async fn several_tickets_are_found_at_once(bench: Bench) {
    let store = &bench.store;
    let (one, other) = (recommend(store, "r1", "inc-1").await, recommend(store, "r2", "inc-2").await);
    for new in [ticket(1, &one), ticket(2, &other), ticket(3, &other)] {
        assert!(store.put_ticket(new, entry("ticket.make")).await.unwrap());
    }
    let mut found = store.tickets(&[digest(3), digest(1), digest(9), digest(1)]).await.unwrap();
    found.sort_by(|a, b| a.digest.cmp(&b.digest));
    let mut expected = vec![ticket(1, &one), ticket(3, &other)];
    expected.sort_by(|a, b| a.digest.cmp(&b.digest));
    assert_eq!(found, expected, "each once, and none that there is not");
    assert!(store.tickets(&[]).await.unwrap().is_empty());
}

async fn the_one_that_waits_in_the_cluster_is_found_by_uid(bench: Bench) {
    let store = &bench.store;
    let origin = Origin::Cluster { name: "by-hand".into(), uid: "uid-1".into() };
    let id = insert(store, NewRecommendation { origin, ..recommendation("r1", "inc-1") }).await;
    recommend(store, "r2", "inc-2").await;
    assert_eq!(store.by_cluster_uid("uid-1").await.unwrap().unwrap().id, id);
    assert!(store.by_cluster_uid("uid-2").await.unwrap().is_none());
}

async fn decided_history_is_written_as_it_is_and_once(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let NewRecommendation { id, origin, proposer, cluster, content, .. } = recommendation("old", "inc-1");
    let old = Recommendation {
        revision: 1,
        state: State::Decided,
        created_at: now.plus_ms(-2 * MINUTE),
        expires_at: now.plus_ms(13 * MINUTE),
        id: id.clone(),
        origin,
        proposer,
        cluster,
        content,
    };
    let approval = Decision {
        id: DecisionId::new("d1"),
        recommendation_id: id.clone(),
        verb: Verb::Approve,
        strategy: 0,
        ticket_digest: Some(digest(1)),
        reason: Some("it fits".into()),
        actor: actor("bob"),
        stands_for: vec!["sre".into()],
        at: now.plus_ms(-MINUTE),
    };
    let paper = DecidedRecommendation {
        recommendation: old.clone(),
        ticket: Some(ticket(1, &id)),
        decisions: vec![approval.clone()],
    };
    for _ in 0..2 {
        RecommendationStore::import(store, std::slice::from_ref(&paper)).await.unwrap();
    }
    assert_eq!(read(store, &id).await, old);
    assert_eq!(store.decisions(&id).await.unwrap(), [approval]);
    assert_eq!(store.ticket(&digest(1)).await.unwrap(), Some(ticket(1, &id)));
    assert_eq!(store.open_count().await.unwrap(), 0);
}
