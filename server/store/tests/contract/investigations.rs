//! Investigations: however often they are asked for and taken up, at once, by consoles that die, and in a storm.

use crate::support::{Bench, MINUTE, actor, at_once, audit_rows, contract, entry, events_after, recommendation};
use domain::{
    ids::{IncidentId, InvestigationId, RecommendationId, SignalId},
    investigation::{Investigation, InvestigationState as State, MOST_STEPS, StepKind, Usage},
    ports::{
        Asked, BegunInvestigation, Claim, Ended, InvestigationCounts, InvestigationLimits, InvestigationStore,
        NewInvestigation, NewRecommendation, NewStep, NewWord, RecommendationStore, SignalStore,
    },
    recommendation::Severity,
    signal::{Facts, SignalSource, Told, Word, group},
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};
use store::Store;

contract!(
    one_of_an_incident_is_open_at_a_time_and_asking_is_audited_once,
    what_does_not_fire_is_not_investigated,
    the_console_asks_for_what_is_bad_enough_and_unanswered_once,
    people_come_first_then_the_worst,
    ten_at_once_take_up_each_but_once,
    as_many_as_are_set_go_on_and_begin_within_an_hour,
    what_a_dead_console_had_is_tried_again_within_its_attempts,
    what_was_taken_over_is_nobody_elses_to_tell_or_end,
    everything_told_is_kept_within_bounds,
    what_was_asked_by_itself_and_is_over_costs_nothing,
);

const CLUSTER: &str = "test";
const MANY: InvestigationLimits = InvestigationLimits { attempts: 3, at_once: 16, per_hour: 1000 };

fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn word(store: &Store, alert: &str, severity: Severity, word: Word) -> IncidentId {
    let told = Told {
        source: SignalSource::Alertmanager,
        fingerprint: alert.into(),
        group: group(&[alert]),
        starts_at: store.now().await.unwrap().plus_ms(-MINUTE),
        word,
        facts: Facts {
            name: alert.into(),
            signal_type: "OOMKilled".into(),
            severity,
            environment: None,
            resource: None,
            summary: None,
            link: None,
            labels: BTreeMap::new(),
        },
    };
    let n = next();
    let new =
        NewWord { told, signal: SignalId::new(format!("s{n:06}")), incident: IncidentId::new(format!("i{n:06}")) };
    store.take(CLUSTER, vec![new]).await.unwrap().incidents[0].clone()
}

async fn fires(store: &Store, alert: &str, severity: Severity) -> IncidentId {
    word(store, alert, severity, Word::Firing { seen_at: None }).await
}

/// Of every alert of the incident.
async fn resolves(store: &Store, incident: &IncidentId) {
    for signal in store.signals(incident, 100).await.unwrap() {
        let told = Told {
            source: signal.source,
            group: group(&[&signal.facts.name]),
            fingerprint: signal.fingerprint,
            starts_at: signal.starts_at,
            word: Word::Resolved { at: store.now().await.unwrap() },
            facts: signal.facts,
        };
        let n = next();
        let (signal, incident) = (SignalId::new(format!("s{n:06}")), IncidentId::new(format!("i{n:06}")));
        store.take(CLUSTER, vec![NewWord { told, signal, incident }]).await.unwrap();
    }
}

fn new(incident: &IncidentId, automatic: bool) -> NewInvestigation {
    let id = InvestigationId::new(format!("v{:06}", next()));
    NewInvestigation { id, incident: incident.clone(), asked_by: actor("ada"), automatic }
}

async fn ask(store: &Store, incident: &IncidentId, automatic: bool) -> Asked {
    store.ask(new(incident, automatic), entry("investigation.ask")).await.unwrap()
}

async fn asked(store: &Store, incident: &IncidentId, automatic: bool) -> InvestigationId {
    match ask(store, incident, automatic).await {
        Asked::New(investigation) => investigation.id,
        other => panic!("{other:?}"),
    }
}

async fn begin(store: &Store, limits: InvestigationLimits) -> BegunInvestigation {
    store.begin(CLUSTER, &format!("claim-{}", next()), limits).await.unwrap()
}

async fn begun(store: &Store, limits: InvestigationLimits) -> (Investigation, Claim) {
    match begin(store, limits).await {
        BegunInvestigation::Attempt(investigation, claim) => (*investigation, claim),
        other => panic!("{other:?}"),
    }
}

async fn read(store: &Store, id: &InvestigationId) -> Investigation {
    store.investigation(id).await.unwrap().unwrap()
}

/// Nothing was told of any that goes on for longer than is granted.
async fn consoles_die(bench: &Bench) {
    let sql = "UPDATE investigations SET silent_at = 1 WHERE state = 'running'";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
}

async fn one_of_an_incident_is_open_at_a_time_and_asking_is_audited_once(bench: Bench) {
    let store = &bench.store;
    let incident = fires(store, "a", Severity::High).await;
    let before = (audit_rows(store).await, events_after(store, 0).await.len());
    let results = at_once(&bench, 8, move |store, _| {
        let incident = incident.clone();
        async move { ask(&store, &incident, false).await }
    })
    .await;
    let news = results.iter().filter(|asked| matches!(asked, Asked::New(_))).count();
    let known = results.iter().filter(|asked| matches!(asked, Asked::Known(_))).count();
    assert_eq!((news, known), (1, 7));
    assert_eq!(audit_rows(store).await, before.0 + 1);
    assert_eq!(events_after(store, 0).await.len(), before.1 + 1);
    let (_, claim) = begun(store, MANY).await;
    store.end(&claim, Usage::default(), Ended::Failed { fault: "no".into() }).await.unwrap();
    let failed = read(store, &claim.id).await;
    assert!(
        matches!(ask(store, &failed.incident, false).await, Asked::New(_)),
        "one that failed can be asked for again"
    );
    let all = store.investigations(&failed.incident, 10).await.unwrap();
    assert_eq!(all.iter().map(|one| one.state).collect::<Vec<_>>(), [State::Queued, State::Failed]);
}

async fn what_does_not_fire_is_not_investigated(bench: Bench) {
    let store = &bench.store;
    let incident = fires(store, "a", Severity::High).await;
    resolves(store, &incident).await;
    let before = audit_rows(store).await;
    assert_eq!(ask(store, &incident, false).await, Asked::NotWanted);
    assert_eq!(ask(store, &IncidentId::new("none"), false).await, Asked::Missing);
    assert_eq!(audit_rows(store).await, before);
    assert_eq!(begin(store, MANY).await, BegunInvestigation::Nothing);
}

async fn the_console_asks_for_what_is_bad_enough_and_unanswered_once(bench: Bench) {
    let store = &bench.store;
    let bad = fires(store, "bad", Severity::Critical).await;
    fires(store, "mild", Severity::Low).await;
    let answered = fires(store, "answered", Severity::Critical).await;
    let mut for_it = recommendation("r-1", answered.as_str());
    for_it.cluster = CLUSTER.into();
    store.insert(for_it, entry("recommendation.submit")).await.unwrap();
    let severities = [Severity::Critical, Severity::High];
    let due = async || store.uninvestigated(CLUSTER, &severities, 10).await.unwrap();
    assert_eq!(due().await, std::slice::from_ref(&bad));
    assert_eq!(store.uninvestigated(CLUSTER, &[], 10).await.unwrap(), []);
    assert_eq!(store.uninvestigated("another", &severities, 10).await.unwrap(), []);
    assert_eq!(ask(store, &answered, true).await, Asked::NotWanted);
    let id = asked(store, &bad, true).await;
    assert_eq!(due().await, []);
    let (_, claim) = begun(store, MANY).await;
    store.end(&claim, Usage::default(), Ended::Failed { fault: "no".into() }).await.unwrap();
    assert_eq!(read(store, &id).await.state, State::Failed);
    assert_eq!(due().await, [], "what failed is for people");
    assert_eq!(ask(store, &bad, true).await, Asked::NotWanted);
}

async fn people_come_first_then_the_worst(bench: Bench) {
    let store = &bench.store;
    let mut wanted = Vec::new();
    for (alert, severity, automatic) in [
        ("low", Severity::Low, true),
        ("high", Severity::High, true),
        ("critical", Severity::Critical, true),
        ("person", Severity::Low, false),
    ] {
        let incident = fires(store, alert, severity).await;
        wanted.insert(0, asked(store, &incident, automatic).await);
    }
    for id in wanted {
        assert_eq!(begun(store, MANY).await.0.id, id);
    }
    assert_eq!(begin(store, MANY).await, BegunInvestigation::Nothing);
}

async fn ten_at_once_take_up_each_but_once(bench: Bench) {
    let store = &bench.store;
    for n in 0..4 {
        let incident = fires(store, &format!("a{n}"), Severity::High).await;
        asked(store, &incident, false).await;
    }
    let results = at_once(&bench, 10, |store, _| async move { begin(&store, MANY).await }).await;
    let mut taken: Vec<_> = results
        .into_iter()
        .filter_map(|begun| match begun {
            BegunInvestigation::Attempt(investigation, _) => Some(investigation.id),
            _ => None,
        })
        .collect();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 4);
    let counts = store.investigation_counts(CLUSTER).await.unwrap();
    assert_eq!(counts, InvestigationCounts { queued: 0, running: 4 });
}

async fn as_many_as_are_set_go_on_and_begin_within_an_hour(bench: Bench) {
    let store = &bench.store;
    for n in 0..6 {
        let incident = fires(store, &format!("a{n}"), Severity::High).await;
        asked(store, &incident, true).await;
    }
    let few = InvestigationLimits { attempts: 3, at_once: 2, per_hour: 3 };
    let (_, first) = begun(store, few).await;
    begun(store, few).await;
    assert_eq!(begin(store, few).await, BegunInvestigation::Nothing, "two go on");
    store.end(&first, Usage::default(), Ended::Again { in_ms: 0, fault: "no".into() }).await.unwrap();
    let (_, third) = begun(store, few).await;
    store.end(&third, Usage::default(), Ended::Failed { fault: "no".into() }).await.unwrap();
    assert_eq!(begin(store, few).await, BegunInvestigation::Bounded, "three began, whichever they were");
    let sql = format!("UPDATE investigation_attempts SET began_at = began_at - {}", 61 * MINUTE);
    sqlx::query(&sql).execute(&mut bench.raw().await).await.unwrap();
    assert!(matches!(begin(store, few).await, BegunInvestigation::Attempt(..)), "the hour is over");
}

async fn what_a_dead_console_had_is_tried_again_within_its_attempts(bench: Bench) {
    let store = &bench.store;
    let incident = fires(store, "a", Severity::High).await;
    let id = asked(store, &incident, false).await;
    let twice = InvestigationLimits { attempts: 2, ..MANY };
    for number in 1..=2_u32 {
        let (investigation, claim) = begun(store, twice).await;
        assert_eq!((claim.attempt, investigation.attempts.len()), (number, number as usize));
        assert_eq!(begin(store, twice).await, BegunInvestigation::Nothing, "it goes on");
        consoles_die(&bench).await;
        assert_eq!(begin(store, twice).await, BegunInvestigation::Settled);
    }
    assert_eq!(begin(store, twice).await, BegunInvestigation::Nothing);
    let after = read(store, &id).await;
    assert_eq!((after.state, after.attempts.len()), (State::Failed, 2));
    assert!(after.fault.unwrap().contains("ended before") && after.ended_at.is_some());
    assert!(after.attempts.iter().all(|attempt| attempt.ended_at.is_some() && attempt.fault.is_some()));
}

async fn what_was_taken_over_is_nobody_elses_to_tell_or_end(bench: Bench) {
    let store = &bench.store;
    let incident = fires(store, "a", Severity::High).await;
    asked(store, &incident, false).await;
    let (_, dead) = begun(store, MANY).await;
    consoles_die(&bench).await;
    assert_eq!(begin(store, MANY).await, BegunInvestigation::Settled);
    let (_, alive) = begun(store, MANY).await;
    let step = || vec![NewStep { kind: StepKind::Agent, text: "still here".into() }];
    assert!(!store.tell(&dead, step(), Usage::default(), Some("late".into()), None).await.unwrap());
    let answered = Ended::Answered { recommendation: Some(RecommendationId::new("r")), fault: None };
    assert!(!store.end(&dead, Usage::default(), answered.clone()).await.unwrap());
    assert_eq!(store.steps(&alive.id).await.unwrap(), []);
    assert!(store.end(&alive, Usage::default(), answered.clone()).await.unwrap());
    assert!(!store.end(&alive, Usage::default(), answered).await.unwrap(), "what has ended stays so");
    let after = read(store, &alive.id).await;
    assert_eq!((after.state, after.root_cause, after.attempts.len()), (State::Answered, None, 2));
    assert_eq!(after.recommendation, Some(RecommendationId::new("r")));
}

async fn everything_told_is_kept_within_bounds(bench: Bench) {
    let store = &bench.store;
    let incident = fires(store, "a", Severity::High).await;
    asked(store, &incident, false).await;
    let (_, claim) = begun(store, MANY).await;
    let before = events_after(store, 0).await.len();
    let used = Usage { prompt_tokens: Some(100), completion_tokens: None, cost_microusd: Some(450) };
    let steps = |many: u32| {
        (0..many).map(|n| NewStep { kind: StepKind::Tool, text: format!("kubectl {n}\0") }).collect::<Vec<_>>()
    };
    assert!(store.tell(&claim, steps(3), used, Some("a leak".into()), Some("gpt-4o".into())).await.unwrap());
    assert!(store.tell(&claim, vec![], used, None, None).await.unwrap());
    assert_eq!(events_after(store, 0).await.len(), before + 1, "that it goes on is told nobody");
    assert!(store.tell(&claim, steps(MOST_STEPS), used, None, None).await.unwrap());
    let kept = store.steps(&claim.id).await.unwrap();
    assert_eq!(kept.len(), MOST_STEPS as usize);
    assert_eq!((kept[0].attempt, kept[0].kind, kept[2].text.as_str()), (1, StepKind::Tool, "kubectl 2\u{fffd}"));
    let again = Ended::Again { in_ms: -1, fault: "HolmesGPT answers 500".into() };
    store.end(&claim, used.and(used), again).await.unwrap();
    let waits = read(store, &claim.id).await;
    assert_eq!(
        (waits.state, waits.model.as_deref(), waits.root_cause.as_deref()),
        (State::Queued, Some("gpt-4o"), Some("a leak"))
    );
    assert!(waits.due_at.is_some() && waits.ended_at.is_none());
    let (_, second) = begun(store, MANY).await;
    assert!(store.tell(&second, steps(1), used, None, None).await.unwrap());
    assert_eq!(store.steps(&claim.id).await.unwrap().last().unwrap().attempt, 2);
    let nothing = Ended::Answered { recommendation: None, fault: Some("no playbook fits".into()) };
    store.end(&second, used, nothing).await.unwrap();
    let after = read(store, &claim.id).await;
    assert_eq!((after.state, after.fault.as_deref()), (State::Answered, Some("no playbook fits")));
    assert_eq!(after.usage(), Usage { prompt_tokens: Some(300), completion_tokens: None, cost_microusd: Some(1350) });
}

async fn what_was_asked_by_itself_and_is_over_costs_nothing(bench: Bench) {
    let store = &bench.store;
    let over = fires(store, "over", Severity::High).await;
    let answered = fires(store, "answered", Severity::High).await;
    let by_a_person = fires(store, "person", Severity::High).await;
    let automatic = [asked(store, &over, true).await, asked(store, &answered, true).await];
    let person = asked(store, &by_a_person, false).await;
    resolves(store, &over).await;
    resolves(store, &by_a_person).await;
    let new = NewRecommendation { cluster: CLUSTER.into(), ..recommendation("r-1", answered.as_str()) };
    store.insert(new, entry("recommendation.submit")).await.unwrap();
    assert_eq!(begun(store, MANY).await.0.id, person, "whoever asked gets an answer");
    assert_eq!(
        (begin(store, MANY).await, begin(store, MANY).await),
        (BegunInvestigation::Settled, BegunInvestigation::Settled)
    );
    assert_eq!(begin(store, MANY).await, BegunInvestigation::Nothing);
    for id in automatic {
        let after = read(store, &id).await;
        assert_eq!((after.state, after.attempts.len()), (State::Failed, 0));
        assert!(after.fault.unwrap().contains("was not asked"));
    }
}
