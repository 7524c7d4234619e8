//! What is made of runs, and findings as cards.

use crate::support::{
    Bench, actor, at_once, audit_rows, claimed, contract, entry, events_after, recommend, recommendation,
};
use domain::{
    finding::{FindingState, Noticed},
    ids::{ExecutionId, FindingId, RecommendationId},
    paging::Page,
    ports::{
        Begun, Captured, EventStore, FindingFilter, FindingStore, Look, NewRecommendation, RecommendationStore,
        RecoveryStore, StoreError, Triage,
    },
    recommendation::{Origin, RecommendationState as State, ResourceRef, Severity},
    recovery::Way,
};
use serde_json::{Map, json};
use std::time::Duration;
use store::Store;

contract!(
    twenty_rollbacks_at_once_are_one,
    of_a_run_one_thing_is_open_at_a_time_and_beside_others_of_its_incident,
    the_console_makes_each_thing_of_a_line_once,
    a_look_is_written_with_what_it_makes_or_not_at_all,
    what_was_captured_first_stands,
    the_same_finding_is_one_card_with_a_count,
    a_card_keeps_what_people_made_of_it,
    a_recommendation_is_made_of_a_finding_with_its_link,
    findings_are_listed_gravest_first_and_page_by_page,
);

fn of_run(id: &str, way: Way, run: &ExecutionId, automatic: bool) -> NewRecommendation {
    let mut new = recommendation(id, &format!("inc-{run}"));
    new.origin = Origin::Run { way, execution: run.clone(), automatic };
    new.content.additional_findings.clear();
    new
}

async fn begin(store: &Store, new: NewRecommendation) -> Begun {
    store.begin(new, None, entry("recommendation.rollback")).await.unwrap()
}

fn look(run: &ExecutionId, root: &ExecutionId, made: Option<(Way, &str)>) -> Look {
    let made = made.map(|(way, id)| (way, RecommendationId::new(id)));
    Look { execution: run.clone(), root: root.clone(), made, said: "looked".into() }
}

async fn twenty_rollbacks_at_once_are_one(bench: Bench) {
    let run = claimed(&bench.store, "run", 1).await;
    let before = audit_rows(&bench.store).await;
    let made = at_once(&bench, 20, |store, n| {
        let new = of_run(&format!("back-{n}"), Way::Rollback, &run, false);
        async move { begin(&store, new).await }
    })
    .await;
    let won: Vec<_> = made.iter().filter(|one| matches!(one, Begun::Made(_))).collect();
    assert_eq!(won.len(), 1, "{made:?}");
    assert!(made.iter().all(|one| !matches!(one, Begun::Looked)));
    let found = bench.store.made_of(&run).await.unwrap();
    assert_eq!((found.len(), found[0].way, found[0].state), (1, Way::Rollback, State::Open));
    assert_eq!(audit_rows(&bench.store).await, before + 1, "the others left nothing");
}

async fn of_a_run_one_thing_is_open_at_a_time_and_beside_others_of_its_incident(bench: Bench) {
    let store = &bench.store;
    let run = claimed(store, "run", 1).await;
    let of_incident = recommend(store, "newer", "inc-run").await;
    let short = NewRecommendation { open_for_ms: 1_500, ..of_run("short", Way::Rollback, &run, false) };
    assert!(matches!(begin(store, short).await, Begun::Made(_)));
    assert!(matches!(begin(store, of_run("retry", Way::Retry, &run, false)).await, Begun::InTheWay(_)));
    let state = async |id: &RecommendationId| RecommendationStore::get(store, id).await.unwrap().unwrap().state;
    assert_eq!(state(&of_incident).await, State::Open, "it is not superseded by what undoes an earlier run");
    recommend(store, "newest", "inc-run").await;
    assert_eq!(state(&RecommendationId::new("short")).await, State::Open, "nor the other way round");
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    // Out of time, swept or not, it stands in the way of nothing.
    let latest = store.latest().await.unwrap();
    assert!(matches!(begin(store, of_run("again", Way::Rollback, &run, false)).await, Begun::Made(_)));
    let told: Vec<_> =
        events_after(store, latest).await.into_iter().map(|(topic, subject, _)| (topic, subject)).collect();
    let wanted = [("recommendation", "short"), ("recommendation", "again"), ("execution", "run")];
    assert_eq!(told, wanted.map(|(topic, subject)| (topic, subject.to_owned())));
    let states: Vec<_> = store.made_of(&run).await.unwrap().into_iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Open, State::Expired], "newest first");
    let by_hand = recommendation("by-hand", "inc-x");
    let refused = store.begin(by_hand, None, entry("recommendation.rollback")).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "it is made of no run");
}

async fn the_console_makes_each_thing_of_a_line_once(bench: Bench) {
    let (root, back) = (claimed(&bench.store, "root", 1).await, claimed(&bench.store, "back", 2).await);
    let made = at_once(&bench, 5, |store, n| {
        let (run, id) = (root.clone(), format!("auto-{n}"));
        let new = of_run(&id, Way::Rollback, &run, true);
        let look = look(&run, &run, Some((Way::Rollback, &id)));
        async move { store.begin(new, Some(look), entry("recommendation.rollback")).await.unwrap() }
    })
    .await;
    assert_eq!(made.iter().filter(|one| matches!(one, Begun::Made(_))).count(), 1, "{made:?}");
    let store = &bench.store;
    // Another run of the line would undo once more: never.
    let again = of_run("again", Way::Rollback, &back, true);
    let again = store.begin(again, Some(look(&back, &root, Some((Way::Rollback, "again")))), entry("x")).await.unwrap();
    assert_eq!(again, Begun::Looked);
    assert!(store.made_of(&back).await.unwrap().is_empty());
    let next = of_run("next", Way::NextStrategy, &back, true);
    let next =
        store.begin(next, Some(look(&back, &root, Some((Way::NextStrategy, "next")))), entry("x")).await.unwrap();
    assert!(matches!(next, Begun::Made(_)), "{next:?}");
    assert_eq!(store.look_at(&back).await.unwrap(), Some(look(&back, &root, Some((Way::NextStrategy, "next")))));
    assert!(!store.leave(look(&back, &root, None)).await.unwrap(), "each run is looked at once");
}

async fn a_look_is_written_with_what_it_makes_or_not_at_all(bench: Bench) {
    let store = &bench.store;
    let run = claimed(store, "run", 1).await;
    begin(store, of_run("persons", Way::Retry, &run, false)).await;
    let new = of_run("auto", Way::Rollback, &run, true);
    let blocked = store.begin(new, Some(look(&run, &run, Some((Way::Rollback, "auto")))), entry("x")).await.unwrap();
    assert!(matches!(blocked, Begun::InTheWay(other) if other.way == Way::Retry && !other.automatic));
    assert_eq!(store.look_at(&run).await.unwrap(), None);
    assert!(store.leave(look(&run, &run, None)).await.unwrap());
    assert_eq!(store.look_at(&run).await.unwrap().unwrap().made, None);
}

async fn what_was_captured_first_stands(bench: Bench) {
    let store = &bench.store;
    let run = claimed(store, "run", 1).await;
    assert_eq!(store.captured(&run).await.unwrap(), None);
    let of = |n: i64| Captured { values: Map::from_iter([("REPLICAS".to_owned(), json!(n))]), trouble: None };
    store.keep_capture(&run, &of(4)).await.unwrap();
    store.keep_capture(&run, &of(1)).await.unwrap();
    assert_eq!(store.captured(&run).await.unwrap(), Some(of(4)), "what is there after the run began is no way back");
    store.keep_capture(&ExecutionId::new("none"), &of(1)).await.unwrap();
    assert_eq!(store.captured(&ExecutionId::new("none")).await.unwrap(), None);
}

fn noticed(title: &str, severity: Option<Severity>) -> Noticed {
    Noticed {
        kind: "flapping".into(),
        cluster: "sandbox".into(),
        title: title.into(),
        description: "It comes and goes".into(),
        severity,
        resource: Some(ResourceRef { kind: "Deployment".into(), namespace: Some("shop".into()), name: "cart".into() }),
        evidence: vec!["4 runs in a day".into()],
        suggested_workflow_id: None,
    }
}

async fn the_same_finding_is_one_card_with_a_count(bench: Bench) {
    let store = &bench.store;
    for n in 1..=3 {
        recommend(store, &format!("r{n}"), &format!("inc-{n}")).await;
    }
    let page = store.findings(&FindingFilter::default(), &Page::default()).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].seen), (1, 3));
    let card = store.finding(&page.items[0].id).await.unwrap().unwrap();
    let sources: Vec<_> = card.sources.iter().map(|source| source.recommendation_id.as_str()).collect();
    assert_eq!(sources.len(), 3, "{sources:?}");
    assert!(card.first_seen <= card.last_seen);
    let with = store.noticed_with(&RecommendationId::new("r2")).await.unwrap();
    assert_eq!(with.iter().map(|card| card.id.clone()).collect::<Vec<_>>(), [card.id]);
    // Patterns come by their own way and are found again, too, however many tell of them at once.
    let ids = at_once(&bench, 10, |store, n| async move {
        let fresh = FindingId::new(format!("pattern-{n}"));
        store.open_finding(fresh, &noticed("Cart flaps", Some(Severity::High))).await.unwrap()
    })
    .await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(store.finding(&ids[0]).await.unwrap().unwrap().seen, 10);
    assert_eq!(store.open_findings().await.unwrap(), 2);
}

async fn a_card_keeps_what_people_made_of_it(bench: Bench) {
    let store = &bench.store;
    let open = async || {
        let fresh = FindingId::new("fresh");
        store.open_finding(fresh, &noticed("Cart flaps", None)).await.unwrap()
    };
    let id = open().await;
    let set = async |state, reason: Option<&str>| {
        let triage = Triage { id: id.clone(), state, reason: reason.map(str::to_owned), by: actor("ada") };
        store.triage(triage, entry("finding.triage")).await.unwrap().unwrap()
    };
    let known = async |title: &str| store.card_of(&noticed(title, None)).await.unwrap().map(|card| card.id);
    assert_eq!((known("cart FLAPS!").await, known("Cart sleeps").await), (Some(id.clone()), None));
    let before = audit_rows(store).await;
    let dismissed = set(FindingState::Dismissed, Some("it is replaced")).await;
    assert_eq!((dismissed.reason.as_deref(), dismissed.triaged_by), (Some("it is replaced"), Some(actor("ada"))));
    assert_eq!(audit_rows(store).await, before + 1);
    open().await;
    let state = async || store.finding(&id).await.unwrap().unwrap().state;
    assert_eq!(state().await, FindingState::Dismissed, "what needs nothing needs nothing the second time");
    set(FindingState::Resolved, None).await;
    open().await;
    assert_eq!(state().await, FindingState::Open, "what was mended and is there again is not mended");
    let nobody = Triage { id: FindingId::new("none"), state: FindingState::Open, reason: None, by: actor("ada") };
    assert_eq!(store.triage(nobody, entry("finding.triage")).await.unwrap(), None);
    assert_eq!(audit_rows(store).await, before + 2, "no act, no row");
}

async fn a_recommendation_is_made_of_a_finding_with_its_link(bench: Bench) {
    let store = &bench.store;
    let id = store.open_finding(FindingId::new("f"), &noticed("Cart flaps", None)).await.unwrap();
    let made = store.turn(&id, recommendation("made", "manual/1"), entry("finding.turn")).await.unwrap().unwrap();
    let card = store.finding(&id).await.unwrap().unwrap();
    assert_eq!((card.turned_into, card.state), (Some(made.id), FindingState::Acknowledged));
    let none = store.turn(&FindingId::new("none"), recommendation("other", "manual/2"), entry("finding.turn")).await;
    assert_eq!(none.unwrap(), None);
    assert!(RecommendationStore::get(store, &RecommendationId::new("other")).await.unwrap().is_none());
}

async fn findings_are_listed_gravest_first_and_page_by_page(bench: Bench) {
    let store = &bench.store;
    for (title, severity) in [
        ("Low one", Some(Severity::Low)),
        ("Nobody rated", None),
        ("Critical one", Some(Severity::Critical)),
        ("Another low one", Some(Severity::Low)),
    ] {
        store.open_finding(FindingId::new(title), &noticed(title, severity)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (mut titles, mut page) = (Vec::new(), Page::first(3));
    loop {
        let found = store.findings(&FindingFilter::default(), &page).await.unwrap();
        titles.extend(found.items.into_iter().map(|card| card.noticed.title));
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(titles, ["Critical one", "Another low one", "Low one", "Nobody rated"]);
    let count = async |filter: FindingFilter| store.findings(&filter, &Page::default()).await.unwrap().items.len();
    let any = FindingFilter::default;
    for (filter, many) in [
        (FindingFilter { severity: Some(Severity::Low), ..any() }, 2),
        (FindingFilter { q: Some("shop cart critical".into()), ..any() }, 1),
        (FindingFilter { states: vec![FindingState::Dismissed, FindingState::Resolved], ..any() }, 0),
        (FindingFilter { kind: Some("noticed".into()), ..any() }, 0),
        (FindingFilter { recommendation_id: Some("r1".into()), ..any() }, 0),
    ] {
        assert_eq!(count(filter.clone()).await, many, "{filter:?}");
    }
}
