//! Whether runs helped: who is looked at and once, what is counted when a verdict comes, changes or is overruled, and whether signals
//! came back.

use crate::support::{Bench, DAY, MINUTE, actor, audit_rows, claimed, contract, entry, events_after, finished, seen};
use domain::{
    assessment::{Evidence, Looked, Overrule, Says, judge::Judged},
    effectiveness::{
        Counts, EffectivenessFilter, GroupBy,
        calibration::{Calibration, calibration},
    },
    execution::{Assessment, ExecutionState, Stage},
    ids::ExecutionId,
    observation::Observation,
    ports::{AssessmentStore, EffectivenessStore, EventStore, ExecutionStore, WatchedAgain},
    time::Timestamp,
};
use store::Store;

contract!(
    a_run_is_looked_at_when_its_time_has_come_and_once,
    a_verdict_is_counted_and_moves_when_it_is_overruled,
    a_run_that_nobody_has_looked_at_can_be_judged_by_a_person,
    a_signal_that_comes_back_counts_when_its_span_is_over,
    other_runs_on_the_same_object_are_told,
    what_models_said_is_held_against_what_came_of_it,
    a_run_that_undoes_another_is_not_what_its_playbook_is_measured_by,
    a_playbook_that_was_disabled_or_is_gone_keeps_what_was_counted,
);

const CLUSTER: &str = "sandbox";

/// A run that ended so long ago, by the database's clock.
async fn ended(store: &Store, id: &str, n: u8, ago_ms: i64, state: ExecutionState) -> ExecutionId {
    let id = claimed(store, id, n).await;
    let end = store.now().await.unwrap().plus_ms(-ago_ms);
    let reading = Observation {
        started_at: Some(end.plus_ms(-5000)),
        finished_at: Some(end),
        ..seen(state, Stage::Ended, vec![])
    };
    store.observe(&id, reading).await.unwrap();
    id
}

fn judged(verdict: Assessment, cleared_at: Option<Timestamp>) -> Judged {
    let words = "it cleared".to_owned();
    Judged { verdict, evidence: vec![Evidence { of: Looked::Signal, says: Says::Helped, words }], cleared_at }
}

fn word(verdict: Assessment) -> Overrule {
    Overrule { verdict, by: actor("ada"), reason: "it was the nightly job".into(), at: Timestamp::default() }
}

async fn due(store: &Store) -> Vec<String> {
    let found = store.unassessed(CLUSTER, MINUTE, 10).await.unwrap();
    found.into_iter().map(|run| run.subject.id.to_string()).collect()
}

async fn counts(store: &Store) -> Counts {
    store.counts(GroupBy::Playbook, &EffectivenessFilter::default()).await.unwrap().all.unwrap_or_default()
}

fn verdicts(counts: &Counts) -> [i64; 4] {
    [counts.effective, counts.ineffective, counts.inconclusive, counts.not_assessed]
}

async fn calibrated(store: &Store) -> Option<Calibration> {
    let models = store.calibration(&EffectivenessFilter::default()).await.unwrap();
    let (model, bins) = models.into_iter().next()?;
    calibration(&model, &bins)
}

async fn a_run_is_looked_at_when_its_time_has_come_and_once(bench: Bench) {
    let store = &bench.store;
    assert!(due(store).await.is_empty(), "no runs");
    let old = ended(store, "e1", 1, 3 * MINUTE, ExecutionState::Succeeded).await;
    ended(store, "e2", 2, 2 * MINUTE, ExecutionState::Failed).await;
    ended(store, "e3", 3, MINUTE / 2, ExecutionState::Succeeded).await;
    // One that never started, one that goes on, and one whose end is in the future, by a clock that was moved.
    let never = claimed(store, "e4", 4).await;
    store.observe(&never, seen(ExecutionState::Failed, Stage::Ended, vec![])).await.unwrap();
    claimed(store, "e5", 5).await;
    ended(store, "e6", 6, -MINUTE, ExecutionState::Succeeded).await;
    let mut imported = finished("e7", 7, store.now().await.unwrap(), 1, 1000);
    imported.assessment = Assessment::NotAssessed;
    store.import(&[imported]).await.unwrap();
    assert_eq!(due(store).await, ["e1", "e2"], "oldest first; what was taken over was judged elsewhere");
    assert!(store.unassessed("another", MINUTE, 10).await.unwrap().is_empty());

    assert_eq!(store.assessment(&old).await.unwrap(), None);
    assert!(store.assess(&old, &judged(Assessment::NotAssessed, None)).await.unwrap());
    assert_eq!(due(store).await, ["e2"], "also where nothing could be seen");
    assert!(!store.assess(&old, &judged(Assessment::Effective, None)).await.unwrap(), "somebody has looked");
    let kept = store.assessment(&old).await.unwrap().unwrap();
    assert_eq!((kept.verdict(), kept.evidence.len()), (Assessment::NotAssessed, 1));
    assert!(!store.assess(&ExecutionId::new("nothing"), &judged(Assessment::Effective, None)).await.unwrap());
}

async fn a_verdict_is_counted_and_moves_when_it_is_overruled(bench: Bench) {
    let store = &bench.store;
    let id = ended(store, "e1", 1, 3 * MINUTE, ExecutionState::Succeeded).await;
    assert_eq!(verdicts(&counts(store).await), [0, 0, 0, 1]);
    let newest = store.latest().await.unwrap();
    let run = ExecutionStore::get(store, &id).await.unwrap().unwrap();
    let cleared = run.finished_at.unwrap().plus_ms(20_000);
    store.assess(&id, &judged(Assessment::Effective, Some(cleared))).await.unwrap();
    let found = counts(store).await;
    assert_eq!((found.runs, verdicts(&found)), (1, [1, 0, 0, 0]));
    let clear = found.phases_ms["clear"][0];
    assert!((19_000..=21_000).contains(&clear), "{clear}");
    let now = ExecutionStore::get(store, &id).await.unwrap().unwrap();
    assert_eq!((now.assessment, now.revision), (Assessment::Effective, run.revision + 1));
    let told = events_after(store, newest).await;
    assert_eq!((told.len(), told[0].0, told[0].1.as_str()), (1, "execution", "e1"));

    let rows = audit_rows(store).await;
    let record = store.overrule(&id, word(Assessment::Ineffective), entry("execution.assess")).await.unwrap().unwrap();
    assert_eq!((record.verdict(), record.found), (Assessment::Ineffective, Assessment::Effective));
    assert!(record.overruled.unwrap().at > Timestamp::default(), "by the database's clock");
    assert_eq!(verdicts(&counts(store).await), [0, 1, 0, 0]);
    assert_eq!(audit_rows(store).await, rows + 1);
    // The same again moves nothing, and the last word counts.
    store.overrule(&id, word(Assessment::Ineffective), entry("execution.assess")).await.unwrap();
    store.overrule(&id, word(Assessment::Inconclusive), entry("execution.assess")).await.unwrap();
    assert_eq!(verdicts(&counts(store).await), [0, 0, 1, 0]);
    let days = EffectivenessFilter { days: Some(7), ..EffectivenessFilter::default() };
    let lately = store.counts(GroupBy::Playbook, &days).await.unwrap().all.unwrap();
    assert_eq!(verdicts(&lately), [0, 0, 1, 0], "in every span alike");
}

async fn a_run_that_nobody_has_looked_at_can_be_judged_by_a_person(bench: Bench) {
    let store = &bench.store;
    let id = ended(store, "e1", 1, 0, ExecutionState::Succeeded).await;
    store.overrule(&id, word(Assessment::Effective), entry("execution.assess")).await.unwrap().unwrap();
    assert!(!store.assess(&id, &judged(Assessment::Ineffective, None)).await.unwrap(), "a person has looked");
    assert_eq!(verdicts(&counts(store).await), [1, 0, 0, 0]);
    let goes_on = claimed(store, "e2", 2).await;
    let rows = audit_rows(store).await;
    for id in [&goes_on, &ExecutionId::new("nothing")] {
        let answer = store.overrule(id, word(Assessment::Effective), entry("execution.assess")).await.unwrap();
        assert_eq!(answer, None);
    }
    assert_eq!(audit_rows(store).await, rows, "nothing was done");
}

async fn a_signal_that_comes_back_counts_when_its_span_is_over(bench: Bench) {
    let store = &bench.store;
    let id = ended(store, "e1", 1, 2 * DAY, ExecutionState::Succeeded).await;
    let cleared = store.now().await.unwrap().plus_ms(-2 * DAY + MINUTE);
    store.assess(&id, &judged(Assessment::Effective, Some(cleared))).await.unwrap();
    let watched = store.watched(CLUSTER, 10).await.unwrap();
    assert_eq!((watched.len(), watched[0].counted, watched[0].record.cleared_at), (1, 0, Some(cleared)));
    assert_eq!(counts(store).await.returned.map(|of| of.watched), [0; 3], "no data is none");

    // It came back after two hours; an hour and a day are over, the week is not.
    let back = Some(cleared.plus_ms(120 * MINUTE));
    store.watched_again(&id, WatchedAgain { recurred_at: back }).await.unwrap();
    store.watched_again(&id, WatchedAgain { recurred_at: None }).await.unwrap();
    let returned = counts(store).await.returned.map(|of| (of.watched, of.came_back));
    assert_eq!(returned, [(1, 0), (1, 1), (0, 0)], "counted once");
    let watched = store.watched(CLUSTER, 10).await.unwrap();
    assert_eq!((watched[0].counted, watched[0].record.recurred_at), (2, back));
    let past = store.past(Timestamp::default(), 10).await.unwrap();
    assert_eq!((past.len(), past[0].back_after_ms), (1, Some(120 * MINUTE)));
    assert!(store.past(cleared.plus_ms(30 * DAY), 10).await.unwrap().is_empty());

    // An alert that never resolved is not watched.
    let firing = ended(store, "e2", 2, 2 * DAY, ExecutionState::Succeeded).await;
    store.assess(&firing, &judged(Assessment::Ineffective, None)).await.unwrap();
    assert_eq!(store.watched(CLUSTER, 10).await.unwrap().len(), 1);
}

async fn other_runs_on_the_same_object_are_told(bench: Bench) {
    let store = &bench.store;
    let one = ended(store, "e1", 1, 3 * MINUTE, ExecutionState::Succeeded).await;
    let two = ended(store, "e2", 2, 2 * MINUTE, ExecutionState::Succeeded).await;
    let mut raw = bench.raw().await;
    let beside = async |of: &ExecutionId, ago: i64| {
        let from = store.now().await.unwrap().plus_ms(-ago);
        store.beside(of, from).await.unwrap()
    };
    sqlx::query("UPDATE executions SET let_go = 1").execute(&mut raw).await.unwrap();
    assert!(beside(&one, 10 * MINUTE).await.is_empty(), "another object");
    sqlx::query("UPDATE execution_targets SET name = 'same'").execute(&mut raw).await.unwrap();
    assert_eq!(beside(&one, 10 * MINUTE).await, ["remediation-e2"]);
    assert_eq!(beside(&two, 10 * MINUTE).await, ["remediation-e1"], "neither alone");
    assert!(beside(&two, MINUTE).await.is_empty(), "it ended before");
    // The one before was undone, and this is the next strategy: by the rollback nothing is better than before.
    for sql in [
        "UPDATE recommendations SET of_run = 'e0', of_way = 'rollback' \
         WHERE id = (SELECT recommendation_id FROM executions WHERE id = 'e1')",
        "UPDATE recommendations SET of_run = 'e0', of_way = 'next_strategy' \
         WHERE id = (SELECT recommendation_id FROM executions WHERE id = 'e2')",
    ] {
        sqlx::query(sql).execute(&mut raw).await.unwrap();
    }
    assert!(beside(&two, 10 * MINUTE).await.is_empty(), "the rollback that it followed");
    assert_eq!(beside(&one, 10 * MINUTE).await, ["remediation-e2"], "the rollback itself is not alone");
    sqlx::query("UPDATE recommendations SET of_run = 'another' WHERE of_way = 'rollback'")
        .execute(&mut raw)
        .await
        .unwrap();
    assert_eq!(beside(&two, 10 * MINUTE).await, ["remediation-e1"], "the rollback of something else may have helped");
    sqlx::query("UPDATE executions SET let_go = 0 WHERE id = 'e1'").execute(&mut raw).await.unwrap();
    assert!(beside(&two, 10 * MINUTE).await.is_empty(), "what was never let go did nothing");
}

async fn a_run_that_undoes_another_is_not_what_its_playbook_is_measured_by(bench: Bench) {
    let store = &bench.store;
    let tried = ended(store, "e1", 1, 3 * MINUTE, ExecutionState::Failed).await;
    let back = claimed(store, "e2", 2).await;
    let mut raw = bench.raw().await;
    let undoes = "UPDATE recommendations SET of_way = 'rollback', of_run = 'e1' WHERE id = 'rec-e2'";
    sqlx::query(undoes).execute(&mut raw).await.unwrap();
    let end = store.now().await.unwrap().plus_ms(-2 * MINUTE);
    let reading = Observation {
        started_at: Some(end.plus_ms(-5000)),
        finished_at: Some(end),
        ..seen(ExecutionState::Succeeded, Stage::Ended, vec![])
    };
    store.observe(&back, reading).await.unwrap();
    let found = counts(store).await;
    assert_eq!((found.runs, found.succeeded, verdicts(&found)), (1, 0, [0, 0, 0, 1]), "that it ended");

    assert_eq!(due(store).await, ["e1", "e2"], "it is looked at as any other");
    assert!(store.assess(&back, &judged(Assessment::Effective, Some(end.plus_ms(1000)))).await.unwrap());
    let run = ExecutionStore::get(store, &back).await.unwrap().unwrap();
    assert_eq!(run.assessment, Assessment::Effective);
    store.overrule(&back, word(Assessment::Ineffective), entry("execution.assess")).await.unwrap().unwrap();
    store.watched_again(&back, WatchedAgain { recurred_at: Some(end.plus_ms(2000)) }).await.unwrap();
    let found = counts(store).await;
    assert_eq!((found.runs, verdicts(&found)), (1, [0, 0, 0, 1]), "what came of it");
    assert!(found.phases_ms.get("clear").is_none_or(Vec::is_empty), "{:?}", found.phases_ms);
    assert_eq!(calibrated(store).await, None);
    let past = store.past(Timestamp::default(), 10).await.unwrap();
    let past: Vec<_> = past.into_iter().map(|one| one.run.subject.id).collect();
    assert_eq!(past, [tried], "nor do patterns");
}

async fn what_models_said_is_held_against_what_came_of_it(bench: Bench) {
    let store = &bench.store;
    assert_eq!(calibrated(store).await, None, "no runs");
    let now = store.now().await.unwrap();
    let mut history: Vec<_> = (1..=3_u8).map(|n| finished(&format!("h{n}"), n, now, 40, 1000)).collect();
    history[0].assessment = Assessment::Effective;
    history[1].assessment = Assessment::Ineffective;
    history[2].assessment = Assessment::Inconclusive;
    store.import(&history).await.unwrap();
    let found = calibrated(store).await.unwrap();
    assert_eq!((found.model.as_str(), found.runs, found.bins.len()), ("holmes-large", 2, 1));
    assert!((found.brier - f64::midpoint(0.15_f64.powi(2), 0.85_f64.powi(2))).abs() < 1e-9, "{}", found.brier);

    let id = ended(store, "e9", 9, 3 * MINUTE, ExecutionState::Succeeded).await;
    assert_eq!(calibrated(store).await.unwrap().runs, 2, "nobody has looked");
    store.assess(&id, &judged(Assessment::Effective, None)).await.unwrap();
    assert_eq!(calibrated(store).await.unwrap().bins[0].helped, 2);
    store.overrule(&id, word(Assessment::Inconclusive), entry("execution.assess")).await.unwrap();
    assert_eq!(calibrated(store).await.unwrap().runs, 2, "what can't be told says nothing about the model");

    let only = EffectivenessFilter { model: Some("another".into()), ..EffectivenessFilter::default() };
    assert!(store.calibration(&only).await.unwrap().is_empty());
    let lately = EffectivenessFilter { days: Some(7), ..EffectivenessFilter::default() };
    assert!(store.calibration(&lately).await.unwrap().is_empty(), "it is forty days ago");
}

async fn a_playbook_that_was_disabled_or_is_gone_keeps_what_was_counted(bench: Bench) {
    let store = &bench.store;
    // No catalog has it (any more): its run is looked at and counted all the same.
    let id = ended(store, "e1", 1, 3 * MINUTE, ExecutionState::Succeeded).await;
    store.assess(&id, &judged(Assessment::Effective, None)).await.unwrap();
    let groups = store.counts(GroupBy::Playbook, &EffectivenessFilter::default()).await.unwrap().groups;
    assert_eq!((groups.len(), groups[0].0.as_str(), groups[0].1.effective), (1, "oomkill-scale-down", 1));
    // Nor does the run itself have to be kept.
    sqlx::query("DELETE FROM executions").execute(&mut bench.raw().await).await.unwrap();
    assert_eq!(counts(store).await.effective, 1);
    assert_eq!(store.assessment(&id).await.unwrap(), None);
    assert!(!store.assess(&id, &judged(Assessment::Effective, None)).await.unwrap());
}
