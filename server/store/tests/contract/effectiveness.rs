//! Rollups: what is counted, in which groups, and that no data is none.

use crate::support::{Bench, Set, contract, finished};
use domain::{
    effectiveness::{Counts, DAY_MS, EffectivenessFilter, EffectivenessRow, GroupBy},
    execution::{Assessment, ExecutionState},
    ports::{EffectivenessStore, ExecutionStore, Grouped},
    stats::quantile,
};
use store::Store;

contract!(
    executions_are_counted_in_every_grouping,
    no_data_is_none_and_never_zero,
    filters_narrow_what_counts,
    days_are_counted_apart_and_empty_ones_left_out,
    history_is_counted_once_however_often_it_is_written,
    quantiles_come_from_all_of_them,
    a_thousand_and_more_are_written_quickly,
    spans_come_to_what_their_days_come_to,
    what_models_said_is_averaged,
);

async fn counts(store: &Store, by: GroupBy) -> Vec<(String, Counts)> {
    store.counts(by, &EffectivenessFilter::default()).await.unwrap().groups
}

fn lately(days: u32) -> EffectivenessFilter {
    EffectivenessFilter { days: Some(days), ..EffectivenessFilter::default() }
}

fn runs(counts: &[(String, Counts)]) -> Vec<(&str, i64)> {
    counts.iter().map(|(group, counts)| (group.as_str(), counts.runs)).collect()
}

async fn executions_are_counted_in_every_grouping(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut all: Vec<_> = (1..=4_u8).map(|n| finished(&format!("e{n}"), n, now, i64::from(n), 1000)).collect();
    all[0].assessment = Assessment::Effective;
    all[1].assessment = Assessment::Ineffective;
    all[1].subject.version = Some("2.0.0".into());
    all[1].subject.signal_type = "CrashLoop".into();
    all[2].assessment = Assessment::Inconclusive;
    all[2].state = ExecutionState::TimedOut;
    // A step list, proposed by hand: no playbook's record, even if it is called like one.
    all[3].subject.workflow_id = None;
    all[3].subject.version = None;
    all[3].subject.action_type = "kubernetes/scale_deployment".into();
    all[3].subject.model = None;
    store.import(&all).await.unwrap();

    let playbooks = counts(store, GroupBy::Playbook).await;
    assert_eq!(runs(&playbooks), [("oomkill-scale-down", 3)]);
    let of = &playbooks[0].1;
    assert_eq!((of.succeeded, of.effective, of.ineffective, of.inconclusive, of.not_assessed), (2, 1, 1, 1, 0));
    let versions = [("oomkill-scale-down@1.0.0", 2), ("oomkill-scale-down@2.0.0", 1)];
    assert_eq!(runs(&counts(store, GroupBy::Version).await), versions);
    assert_eq!(runs(&counts(store, GroupBy::SignalType).await), [("CrashLoop", 1), ("OOMKilled", 3)]);
    let actions = [("kubernetes/scale_deployment", 1), ("scale_down_replicas", 3)];
    assert_eq!(runs(&counts(store, GroupBy::ActionType).await), actions);
    assert_eq!(runs(&counts(store, GroupBy::Model).await), [("holmes-large", 3)], "no model, no track record of one");
}

async fn days_are_counted_apart_and_empty_ones_left_out(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut all: Vec<_> =
        [0, 1, 1, 9].into_iter().zip(1..).map(|(ago, n)| finished(&format!("e{n}"), n, now, ago, 1000)).collect();
    all[1].state = ExecutionState::Failed;
    all[1].assessment = Assessment::Ineffective;
    store.import(&all).await.unwrap();
    let today = now.as_millis() / DAY_MS;
    let read = |days: Vec<(i64, Counts)>| {
        days.into_iter().map(|(day, c)| (today - day, c.runs, c.succeeded, c.ineffective)).collect::<Vec<_>>()
    };
    assert_eq!(read(store.by_day(&lately(7)).await.unwrap()), [(1, 2, 1, 1), (0, 1, 1, 0)]);
    assert_eq!(read(store.by_day(&lately(10)).await.unwrap()).len(), 3, "today is one of them");
}

async fn no_data_is_none_and_never_zero(bench: Bench) {
    let store = &bench.store;
    for by in GroupBy::ALL {
        assert!(counts(store, by).await.is_empty());
    }
    let now = store.now().await.unwrap();
    let mut failed = finished("e1", 1, now, 0, 1000);
    failed.state = ExecutionState::Lost;
    failed.started_at = None;
    store.import(&[failed]).await.unwrap();
    let (group, counts) = counts(store, GroupBy::Playbook).await.remove(0);
    let row = EffectivenessRow::new(group, &counts);
    assert_eq!((row.runs, row.success_rate, row.effective_rate, row.recurrence_rate), (1, Some(0.0), None, None));
    assert!(row.recovery_ms.is_empty(), "it never ran, and nobody knows when it was recommended");
}

async fn filters_narrow_what_counts(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut all: Vec<_> = (0..4_u8).map(|n| finished(&format!("e{n}"), n, now, i64::from(n) * 10, 1000)).collect();
    all[0].subject.workflow_id = Some("other".into());
    all[1].subject.signal_type = "CrashLoop".into();
    store.import(&all).await.unwrap();

    let cases: [(Set<EffectivenessFilter>, i64); 6] = [
        (|_| (), 4),
        (|f| f.workflow_id = Some("other".into()), 1),
        (|f| f.signal_type = Some("OOMKilled".into()), 3),
        (|f| f.days = Some(1), 1),
        (|f| f.days = Some(11), 2),
        (|f| f.days = Some(10), 1),
    ];
    for (set, expected) in cases {
        let mut filter = EffectivenessFilter::default();
        set(&mut filter);
        let found = store.counts(GroupBy::Playbook, &filter).await.unwrap().groups;
        assert_eq!(found.iter().map(|(_, counts)| counts.runs).sum::<i64>(), expected, "{filter:?}");
        let samples: usize = found.iter().map(|(_, counts)| counts.phases_ms["run"].len()).sum();
        assert_eq!(i64::try_from(samples).unwrap(), expected, "{filter:?}");
    }
}

async fn history_is_counted_once_however_often_it_is_written(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let one = finished("e1", 1, now, 1, 1000);
    store.import(&[one.clone(), finished("e2", 2, now, 1, 1000)]).await.unwrap();
    let same_ticket = finished("e3", 1, now, 1, 1000);
    store.import(&[one.clone(), same_ticket]).await.unwrap();
    assert_eq!(runs(&counts(store, GroupBy::Playbook).await), [("oomkill-scale-down", 2)]);
    let read = ExecutionStore::get(store, &one.subject.id).await.unwrap();
    assert_eq!(read, Some(one), "as it was");
}

async fn quantiles_come_from_all_of_them(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let all: Vec<_> =
        (1..=100_u8).map(|n| finished(&format!("e{n}"), n, now, i64::from(n % 7), i64::from(n) * 1000)).collect();
    store.import(&all).await.unwrap();
    let (_, counts) = counts(store, GroupBy::Playbook).await.remove(0);
    let run = &counts.phases_ms["run"];
    assert!(run.is_sorted());
    for (q, exact) in [(0.5, 50_000.0), (0.9, 90_000.0)] {
        let measured = f64::from(i32::try_from(quantile(run, q).unwrap()).unwrap());
        assert!((measured / exact - 1.0).abs() < 0.017, "{q}: {measured}");
    }
}

async fn a_thousand_and_more_are_written_quickly(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let all: Vec<_> = (0..1500_u32)
        .map(|n| {
            let mut one = finished(&format!("e{n}"), 0, now, i64::from(n % 90), i64::from(n) * 17);
            one.subject.ticket_digest = format!("sha256:{n:064x}").try_into().unwrap();
            one.subject.workflow_id = Some(format!("playbook-{}", n % 12));
            one.tasks = vec![one.tasks[0].clone(); 3];
            for (task, name) in one.tasks.iter_mut().zip(["a", "b", "c"]) {
                task.name = name.into();
            }
            one
        })
        .collect();
    let began = std::time::Instant::now();
    store.import(&all).await.unwrap();
    eprintln!("1,500 executions with 4,500 tasks: {:?}", began.elapsed());
    let counted = counts(store, GroupBy::SignalType).await;
    assert_eq!(runs(&counted), [("OOMKilled", 1500)]);
    assert_eq!(counted[0].1.phases_ms["run"].len(), 1000, "thinned");
}

async fn spans_come_to_what_their_days_come_to(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    // One on each of a hundred days, each a second longer than the one before.
    let all: Vec<_> = (0..100_u8).map(|n| finished(&format!("e{n}"), n, now, n.into(), i64::from(n) * 1000)).collect();
    store.import(&all).await.unwrap();
    for days in [1, 2, 15, 16, 17, 33, 90, 100, 365] {
        let total = store.counts(GroupBy::Playbook, &lately(days)).await.unwrap().all.unwrap();
        let expected = days.min(100);
        assert_eq!(total.runs, i64::from(expected), "{days} days");
        assert_eq!(total.phases_ms["run"].len(), expected as usize, "{days} days");
        let by_day = store.by_day(&lately(days)).await.unwrap();
        assert_eq!(by_day.iter().map(|(_, counts)| counts.runs).sum::<i64>(), total.runs, "{days} days");
    }
    let ever = store.counts(GroupBy::Model, &EffectivenessFilter::default()).await.unwrap();
    assert_eq!(ever.all.unwrap().runs, 100);
    let other = EffectivenessFilter { workflow_id: Some("other".into()), ..lately(90) };
    assert_eq!(store.counts(GroupBy::Playbook, &other).await.unwrap(), Grouped::default(), "nothing ended: no counts");
}

async fn what_models_said_is_averaged(bench: Bench) {
    let store = &bench.store;
    let now = store.now().await.unwrap();
    let mut all: Vec<_> = (0..3_u8).map(|n| finished(&format!("e{n}"), n, now, 0, 1000)).collect();
    all[0].subject.confidence = Some(0.9);
    all[1].subject.confidence = Some(0.6);
    all[2].subject.confidence = None;
    store.import(&all).await.unwrap();
    let (group, counts) = counts(store, GroupBy::Playbook).await.remove(0);
    let said = EffectivenessRow::new(group, &counts).said.unwrap();
    assert!((said - 0.75).abs() < 1e-9, "{said}: who said nothing does not count");
}
