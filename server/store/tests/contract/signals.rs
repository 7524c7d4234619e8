//! Signals and incidents: whatever comes twice, late, at once or by a clock that was moved.

use crate::support::{
    Bench, MINUTE, actor, at_once, audit_rows, claimed, contract, entry, events_after, recommendation, seen,
};
use domain::{
    effectiveness::{EffectivenessFilter, GroupBy},
    execution::{ExecutionState, Stage},
    ids::{IncidentId, RecommendationId, SignalId},
    incident::{IncidentRecord, IncidentState as State},
    paging::Page,
    ports::{
        EffectivenessStore, EventStore, ExecutionStore, IncidentFilter, NewRecommendation, NewWord,
        RecommendationStore, SignalStore, Taken,
    },
    recommendation::{ResourceRef, Severity},
    signal::{Facts, LATE_MS, Signal, SignalSource, Told, Word, group},
    time::Timestamp,
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};
use store::{Pruned, Store};

contract!(
    the_same_again_is_counted_once,
    an_incident_ends_with_its_last_signal_and_stays_ended,
    what_fires_again_is_an_incident_that_names_the_one_before,
    an_end_that_overtakes_its_beginning_leaves_nothing_firing,
    a_new_start_takes_the_place_of_one_whose_end_was_missed,
    a_clock_that_was_moved_ends_nothing_too_early_and_nothing_in_the_future,
    twenty_at_once_are_one,
    what_kubernetes_tells_ends_by_silence_and_is_not_read_twice,
    an_alert_whose_end_was_lost_ends_by_silence_where_that_is_set,
    what_somebody_closes_ends_without_an_all_clear,
    it_is_as_bad_as_its_worst_signal,
    pages_and_filters_narrow,
    a_recommendation_finds_its_incident_whichever_comes_first,
    the_newest_word_about_an_alert_is_found,
    how_long_nobody_knew_of_it_is_counted,
    resolved_ones_go_with_the_rest_of_history,
);

const CLUSTER: &str = "test";

fn facts(name: &str) -> Facts {
    Facts {
        name: name.into(),
        signal_type: "CrashLoopBackOff".into(),
        severity: Severity::Medium,
        environment: Some("production".into()),
        resource: Some(ResourceRef { kind: "Pod".into(), namespace: Some("shop".into()), name: name.into() }),
        summary: None,
        link: None,
        labels: BTreeMap::from([("alertname".to_owned(), name.to_owned())]),
    }
}

fn told(alert: &str, of_group: &str, starts_at: Timestamp, word: Word) -> Told {
    Told {
        source: SignalSource::Alertmanager,
        fingerprint: alert.into(),
        group: group(&[of_group]),
        starts_at,
        word,
        facts: facts(alert),
    }
}

fn fires(alert: &str, starts_at: Timestamp) -> Told {
    told(alert, "g", starts_at, Word::Firing { seen_at: None })
}

fn ended(alert: &str, starts_at: Timestamp, at: Timestamp) -> Told {
    told(alert, "g", starts_at, Word::Resolved { at })
}

fn word(told: Told) -> NewWord {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    NewWord { told, signal: SignalId::new(format!("s{n:06}")), incident: IncidentId::new(format!("i{n:06}")) }
}

async fn take(store: &Store, all: impl IntoIterator<Item = Told>) -> Taken {
    store.take(CLUSTER, all.into_iter().map(word).collect()).await.unwrap()
}

/// The only incident that they belong to.
fn only(taken: &Taken) -> IncidentId {
    assert_eq!(taken.incidents.len(), 1, "{taken:?}");
    taken.incidents[0].clone()
}

async fn read(store: &Store, id: &IncidentId) -> IncidentRecord {
    store.incident(id).await.unwrap().unwrap()
}

async fn signals(store: &Store, id: &IncidentId) -> Vec<Signal> {
    store.signals(id, 100).await.unwrap()
}

/// What was told up to now was told longer ago than anything is late.
async fn time_goes_by(bench: &Bench) {
    let sql = format!("UPDATE signals SET told_at = told_at - {}", LATE_MS + 1000);
    sqlx::query(&sql).execute(&mut bench.raw().await).await.unwrap();
}

async fn the_same_again_is_counted_once(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let first = take(store, [fires("a", start)]).await;
    assert_eq!((first.began, first.ended, first.known), (1, 0, 0));
    let events = events_after(store, 0).await.len();
    let again = take(store, [fires("a", start), fires("a", start)]).await;
    assert_eq!((again.began, again.known, only(&again)), (0, 2, only(&first)));
    assert_eq!(events_after(store, 0).await.len(), events, "nobody is told what is known");
    let known = signals(store, &only(&first)).await;
    assert_eq!((known.len(), known[0].count, known[0].starts_at), (1, 3, start));
    assert_eq!(known[0].facts, facts("a"));
    let incident = read(store, &only(&first)).await;
    assert_eq!((incident.state, incident.signal_count, incident.firing_count), (State::Firing, 1, 1));
    assert_eq!((incident.started_at, incident.resolved_at, incident.earlier), (start, None, None));
    assert_eq!(audit_rows(store).await, 0, "signals are no acts of anybody");
}

async fn an_incident_ends_with_its_last_signal_and_stays_ended(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let (start, end) = (now.plus_ms(-10 * MINUTE), now.plus_ms(-MINUTE));
    let id = only(&take(store, [fires("a", start), fires("b", start.plus_ms(-1000))]).await);
    let first = take(store, [ended("a", start, end)]).await;
    assert_eq!((first.ended, read(store, &id).await.state), (1, State::Firing));
    let second = take(store, [ended("b", start.plus_ms(-1000), end.plus_ms(-1000))]).await;
    assert_eq!((second.ended, only(&second)), (1, id.clone()));
    let over = read(store, &id).await;
    assert_eq!((over.state, over.signal_count, over.firing_count), (State::Resolved, 2, 0));
    assert_eq!((over.started_at, over.resolved_at), (start.plus_ms(-1000), Some(end)));
    let again = take(store, [ended("a", start, end)]).await;
    assert_eq!((again.known, only(&again)), (1, id.clone()));
    assert_eq!(read(store, &id).await, over);
    let told = events_after(store, 0).await;
    let states: Vec<_> = told.iter().map(|(topic, _, data)| (*topic, data["state"].clone())).collect();
    let of = |state: &str| ("incident", serde_json::json!(state));
    assert_eq!(states, [of("firing"), of("firing"), of("resolved")]);
}

async fn what_fires_again_is_an_incident_that_names_the_one_before(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-10 * MINUTE);
    let first = only(&take(store, [fires("a", start)]).await);
    take(store, [ended("a", start, start.plus_ms(MINUTE))]).await;
    let second = only(&take(store, [fires("a", start.plus_ms(2 * MINUTE))]).await);
    assert_ne!(first, second);
    assert_eq!(read(store, &second).await.earlier, Some(first.clone()));
    take(store, [ended("a", start.plus_ms(2 * MINUTE), start.plus_ms(3 * MINUTE))]).await;
    let third = only(&take(store, [fires("b", start.plus_ms(4 * MINUTE))]).await);
    assert_eq!(read(store, &third).await.earlier, Some(second), "of the same group");
    assert_eq!(read(store, &first).await.state, State::Resolved);
    let apart = only(&take(store, [told("c", "h", start, Word::Firing { seen_at: None })]).await);
    assert_eq!(read(store, &apart).await.earlier, None);
}

async fn an_end_that_overtakes_its_beginning_leaves_nothing_firing(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-10 * MINUTE);
    let first = take(store, [ended("a", start, start.plus_ms(MINUTE))]).await;
    assert_eq!((first.began, first.ended), (1, 1));
    let id = only(&first);
    let incident = read(store, &id).await;
    assert_eq!((incident.state, incident.resolved_at), (State::Resolved, Some(start.plus_ms(MINUTE))));
    let late = take(store, [fires("a", start)]).await;
    assert_eq!((late.known, only(&late)), (1, id.clone()));
    assert_eq!(read(store, &id).await, incident);
    time_goes_by(&bench).await;
    let after_all = take(store, [fires("a", start)]).await;
    assert_eq!(after_all.began, 1, "it fires after all: Alertmanager took it for ended while it did not hear of it");
    assert_eq!(read(store, &only(&after_all)).await.earlier, Some(id));
}

async fn a_new_start_takes_the_place_of_one_whose_end_was_missed(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-10 * MINUTE);
    let id = only(&take(store, [fires("a", start)]).await);
    let later = start.plus_ms(5 * MINUTE);
    let taken = take(store, [fires("a", later)]).await;
    assert_eq!((taken.began, taken.ended, only(&taken)), (1, 1, id.clone()));
    let known: Vec<_> = signals(store, &id).await.into_iter().map(|s| (s.starts_at, s.resolved_at)).collect();
    assert_eq!(known, [(later, None), (start, Some(later))]);
    let old_end = take(store, [ended("a", start, later)]).await;
    assert_eq!(
        (old_end.known, read(store, &id).await.state),
        (1, State::Firing),
        "an older one's end ends no newer one"
    );
    take(store, [ended("a", later, later.plus_ms(1000))]).await;
    assert_eq!(read(store, &id).await.state, State::Resolved);
}

async fn a_clock_that_was_moved_ends_nothing_too_early_and_nothing_in_the_future(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let ahead = now.plus_ms(60 * MINUTE);
    let id = only(&take(store, [fires("a", ahead)]).await);
    let incident = read(store, &id).await;
    assert_eq!(incident.started_at, incident.opened_at, "nothing began in the future");
    take(store, [ended("a", ahead, ahead.plus_ms(MINUTE))]).await;
    let resolved_at = read(store, &id).await.resolved_at.unwrap();
    assert!(resolved_at.since(now) < MINUTE && resolved_at >= now, "{resolved_at}");
    time_goes_by(&bench).await;
    let set_back = take(store, [fires("a", now)]).await;
    assert_eq!(set_back.began, 1);
    take(store, [ended("a", now, now.plus_ms(-60 * MINUTE))]).await;
    let ended = read(store, &only(&set_back)).await;
    assert_eq!((ended.state, ended.resolved_at), (State::Resolved, Some(now)), "nothing ends before it began");
}

async fn twenty_at_once_are_one(bench: Bench) {
    let start = bench.store.now().await.unwrap().plus_ms(-MINUTE);
    let all = at_once(&bench, 20, move |store, n| async move {
        let own = fires(&format!("own-{}", n % 4), start);
        take(&store, [fires("a", start), own]).await
    })
    .await;
    assert_eq!(all.iter().map(|taken| taken.began).sum::<u32>(), 5, "one and four");
    let id = only(&all[0]);
    assert!(all.iter().all(|taken| only(taken) == id));
    let incident = read(&bench.store, &id).await;
    assert_eq!((incident.signal_count, incident.firing_count), (5, 5));
    let ends = at_once(&bench, 20, move |store, n| async move {
        let own = format!("own-{}", n % 4);
        take(&store, [ended("a", start, start), ended(&own, start, start)]).await
    })
    .await;
    assert_eq!(ends.iter().map(|taken| taken.ended).sum::<u32>(), 5);
    assert_eq!(read(&bench.store, &id).await.state, State::Resolved);
}

async fn what_kubernetes_tells_ends_by_silence_and_is_not_read_twice(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let start = now.plus_ms(-60 * MINUTE);
    let seen = |at: Timestamp| Told {
        source: SignalSource::Kubernetes,
        ..told("e", "pod", start, Word::Firing { seen_at: Some(at) })
    };
    take(store, [fires("a", start)]).await;
    let id = only(&take(store, [seen(now.plus_ms(-20 * MINUTE))]).await);
    assert_eq!(store.end_quiet(SignalSource::Kubernetes, 30 * MINUTE).await.unwrap(), 0);
    let again = take(store, [seen(now.plus_ms(-16 * MINUTE))]).await;
    assert_eq!((again.known, signals(store, &id).await[0].count), (1, 2));
    assert_eq!(store.end_quiet(SignalSource::Kubernetes, 15 * MINUTE).await.unwrap(), 1);
    assert_eq!(
        store.end_quiet(SignalSource::Kubernetes, 15 * MINUTE).await.unwrap(),
        0,
        "what an Alertmanager told is not of Kubernetes"
    );
    assert_eq!(read(store, &id).await.state, State::Resolved);
    time_goes_by(&bench).await;
    let read_again = take(store, [seen(now.plus_ms(-16 * MINUTE))]).await;
    assert_eq!((read_again.began, read_again.known), (0, 1), "a watch that begins anew tells nothing new");
    let anew = take(store, [seen(now)]).await;
    assert_eq!(read(store, &only(&anew)).await.earlier, Some(id));
}

async fn an_alert_whose_end_was_lost_ends_by_silence_where_that_is_set(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let id = only(&take(store, [fires("lost", start), fires("told", start)]).await);
    let sql = format!("UPDATE signals SET seen_at = seen_at - {}", 60 * MINUTE);
    sqlx::query(&sql).execute(&mut bench.raw().await).await.unwrap();
    take(store, [fires("told", start)]).await;
    assert_eq!(store.end_quiet(SignalSource::Alertmanager, 61 * MINUTE).await.unwrap(), 0);
    assert_eq!(store.end_quiet(SignalSource::Alertmanager, 30 * MINUTE).await.unwrap(), 1);
    let left = read(store, &id).await;
    assert_eq!((left.state, left.firing_count), (State::Firing, 1), "what is told again goes on");
    time_goes_by(&bench).await;
    let after_all = take(store, [fires("lost", start)]).await;
    assert_eq!((after_all.began, only(&after_all)), (1, id), "it fires after all, in the group that still does");
}

async fn what_somebody_closes_ends_without_an_all_clear(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let first = only(&take(store, [fires("a", start), fires("b", start)]).await);
    take(store, [ended("b", start, start.plus_ms(1000))]).await;
    let (rows, newest) = (audit_rows(store).await, store.latest().await.unwrap());
    let close =
        async |id: &IncidentId| store.close_incident(id, &actor("ada"), "the node is gone", entry("x")).await.unwrap();
    assert!(!close(&IncidentId::new("none")).await);
    assert!(close(&first).await);
    let over = read(store, &first).await;
    assert_eq!((over.state, over.firing_count, over.resolved_at.is_some()), (State::Resolved, 0, true));
    let closed = over.closed.unwrap();
    assert_eq!((closed.by, closed.reason.as_str()), (actor("ada"), "the node is gone"));
    assert!(closed.at > start, "by the database's clock");
    let mut known: Vec<_> = signals(store, &first).await.into_iter().map(|one| (one.fingerprint, one.closed)).collect();
    known.sort();
    assert_eq!(known, [("a".to_owned(), true), ("b".to_owned(), false)], "what had ended, had ended");
    assert_eq!(audit_rows(store).await, rows + 1);
    let told: Vec<_> =
        events_after(store, newest).await.into_iter().map(|(topic, subject, _)| (topic, subject)).collect();
    assert_eq!(told, [("incident", first.to_string())]);
    assert!(!close(&first).await, "nothing fires");
    assert_eq!(audit_rows(store).await, rows + 1, "no act, no row");

    // What fires on is told again, and is an incident of its own.
    time_goes_by(&bench).await;
    let again = take(store, [fires("a", start)]).await;
    let second = read(store, &only(&again)).await;
    assert_eq!((again.began, second.earlier, second.closed), (1, Some(first), None));
    assert!(!store.newest(CLUSTER, "a").await.unwrap().unwrap().closed);
}

async fn it_is_as_bad_as_its_worst_signal(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let as_bad = |alert: &str, severity: Severity| {
        let mut told = fires(alert, start);
        told.facts.severity = severity;
        told
    };
    let id = only(&take(store, [as_bad("a", Severity::Low), as_bad("b", Severity::Critical)]).await);
    take(store, [as_bad("c", Severity::Info), ended("b", start, start)]).await;
    assert_eq!(read(store, &id).await.severity, Severity::Critical);
}

async fn pages_and_filters_narrow(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-10 * MINUTE);
    for n in 0..5 {
        let name = format!("web-{n}");
        take(store, [told(&name, &name, start, Word::Firing { seen_at: None })]).await;
    }
    take(store, [told("web-3", "web-3", start, Word::Resolved { at: start })]).await;
    let list = async |filter: IncidentFilter| {
        let found = store.incidents(&filter, &Page::default()).await.unwrap();
        found.items.into_iter().map(|one| one.about.title.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(IncidentFilter::default()).await, ["web-4", "web-3", "web-2", "web-1", "web-0"]);
    let firing = IncidentFilter { state: Some(State::Firing), ..IncidentFilter::default() };
    assert_eq!(list(firing).await, ["web-4", "web-2", "web-1", "web-0"]);
    let of = |q: &str| IncidentFilter { q: Some(q.into()), ..IncidentFilter::default() };
    assert_eq!(list(of("SHOP web-2")).await, ["web-2"]);
    assert!(list(of("100%")).await.is_empty());
    let severe = IncidentFilter { severity: Some("high".into()), ..IncidentFilter::default() };
    assert!(list(severe).await.is_empty());
    let kind = IncidentFilter { signal_type: Some("CrashLoopBackOff".into()), ..IncidentFilter::default() };
    assert_eq!(list(kind).await.len(), 5);
    let (mut page, mut seen) = (Page::first(2), Vec::new());
    loop {
        let found = store.incidents(&IncidentFilter::default(), &page).await.unwrap();
        seen.extend(found.items.into_iter().map(|one| one.id));
        let Some(cursor) = found.next_cursor else { break };
        page.cursor = Some(cursor);
    }
    assert_eq!(seen.len(), 5);
    let other = Page { cursor: Some("00".into()), ..Page::first(2) };
    assert!(store.incidents(&IncidentFilter::default(), &other).await.is_err());
}

fn about(id: &str, incident: &str, fingerprint: Option<&str>) -> NewRecommendation {
    let mut new = NewRecommendation { cluster: CLUSTER.into(), ..recommendation(id, incident) };
    new.content.incident.fingerprint = fingerprint.map(str::to_owned);
    new
}

async fn a_recommendation_finds_its_incident_whichever_comes_first(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let insert = async |new: NewRecommendation| store.insert(new, entry("recommendation.submit")).await.unwrap().id;
    let early = insert(about("r1", "inc-1", Some("a"))).await;
    let id = only(&take(store, [fires("a", start)]).await);
    assert_eq!(store.incident_of(&early).await.unwrap(), Some(id.clone()));
    assert_eq!(store.unanswered_count().await.unwrap(), 0);
    let unanswered = IncidentFilter { unanswered: true, ..IncidentFilter::default() };
    let lone = only(&take(store, [told("z", "alone", start, Word::Firing { seen_at: None })]).await);
    let found = store.incidents(&unanswered, &Page::default()).await.unwrap().items;
    assert_eq!((found.len(), &found[0].id, store.unanswered_count().await.unwrap()), (1, &lone, 1));
    let before = events_after(store, 0).await.len();
    let by_id = insert(about("r2", lone.as_str(), None)).await;
    assert_eq!(store.incident_of(&by_id).await.unwrap(), Some(lone.clone()));
    let told: Vec<_> =
        events_after(store, 0).await.into_iter().skip(before).map(|(topic, subject, _)| (topic, subject)).collect();
    assert!(told.contains(&("incident", lone.to_string())), "{told:?}");
    assert_eq!(store.unanswered_count().await.unwrap(), 0);
    take(store, [ended("a", start, start)]).await;
    let late = insert(about("r3", "inc-3", Some("a"))).await;
    assert_eq!(store.recommended(&id, 10).await.unwrap(), [late, early], "its alert has just ended");
    let elsewhere = NewRecommendation { cluster: "other".into(), ..about("r4", "inc-4", Some("a")) };
    let elsewhere = insert(elsewhere).await;
    assert_eq!(store.incident_of(&elsewhere).await.unwrap(), None);
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE signals SET told_at = told_at - 4000000").execute(&mut *raw).await.unwrap();
    let stale = insert(about("r5", "inc-5", Some("a"))).await;
    assert_eq!(store.incident_of(&stale).await.unwrap(), None, "it ended long ago");
    assert_eq!(store.incident_of(&RecommendationId::new("none")).await.unwrap(), None);
}

async fn the_newest_word_about_an_alert_is_found(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let newest =
        async |cluster: &str| store.newest(cluster, "a").await.unwrap().map(|signal| signal.resolved_at.is_some());
    assert_eq!(newest(CLUSTER).await, None);
    take(store, [fires("a", start), fires("b", start)]).await;
    assert_eq!((newest(CLUSTER).await, newest("other").await), (Some(false), None));
    take(store, [ended("a", start, start)]).await;
    assert_eq!(newest(CLUSTER).await, Some(true));
    time_goes_by(&bench).await;
    take(store, [fires("a", start.plus_ms(1000))]).await;
    assert_eq!(newest(CLUSTER).await, Some(false), "it fires again");

    take(store, [Told { source: SignalSource::Kubernetes, ..fires("k", start) }]).await;
    time_goes_by(&bench).await;
    take(store, [ended("k", start, start)]).await;
    let known = store.newest(CLUSTER, "k").await.unwrap().unwrap();
    assert_eq!(
        (known.source, known.resolved_at),
        (SignalSource::Kubernetes, None),
        "what another source says ends nothing"
    );
}

async fn how_long_nobody_knew_of_it_is_counted(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    only(&take(store, [fires("a", start)]).await);
    let run = claimed(store, "e1", 1).await;
    let sql = "UPDATE recommendations SET incident = (SELECT id FROM incidents), created_at = created_at + 30000";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
    store.observe(&run, seen(ExecutionState::Failed, Stage::Ended, vec![])).await.unwrap();
    let counts = store.counts(GroupBy::Playbook, &EffectivenessFilter::default()).await.unwrap().groups;
    let phases = &counts[0].1.phases_ms;
    let (detect, investigate) = (phases["detect"][0], phases["investigate"][0]);
    assert!((58_000..75_000).contains(&detect), "from its beginning until it was told: {detect}");
    assert!((28_000..45_000).contains(&investigate), "from there to the recommendation: {investigate}");
}

async fn resolved_ones_go_with_the_rest_of_history(bench: Bench) {
    let store = &bench.store;
    let start = store.now().await.unwrap().plus_ms(-MINUTE);
    let over = only(&take(store, [ended("a", start, start)]).await);
    let fires = only(&take(store, [told("z", "alone", start, Word::Firing { seen_at: None })]).await);
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE incidents SET opened_at = opened_at - 7862400000").execute(&mut *raw).await.unwrap();
    assert_eq!(store.prune(90).await.unwrap(), Pruned { incidents: 1, ..Pruned::default() });
    assert_eq!(store.incident(&over).await.unwrap(), None);
    assert!(signals(store, &over).await.is_empty());
    assert_eq!(read(store, &fires).await.state, State::Firing, "what fires stays");
    sqlx::query("UPDATE signals SET told_at = told_at - 7862400000").execute(&mut *raw).await.unwrap();
    assert_eq!(store.prune(90).await.unwrap(), Pruned { incidents: 1, ..Pruned::default() }, "but not for ever");
}
