//! Readings of the cluster: forwards only, told once, never lost.

use crate::support::{Bench, at_once, claimed, contract, events_after, finished, seen, task};
use domain::{
    effectiveness::{EffectivenessFilter, GroupBy},
    execution::{Execution, ExecutionState, Stage, Task, TaskState},
    ids::ExecutionId,
    limits::warnings::OF_A_RUN,
    observation::{Changed, Observation},
    paging::Page,
    ports::{ActionFilter, EffectivenessStore, EventStore, ExecutionFilter, ExecutionStore},
    time::Timestamp,
    warning::Warning,
};
use serde_json::json;
use store::Store;

contract!(
    a_reading_moves_execution_tasks_and_action_records,
    another_pipeline_run_under_the_name_is_not_read,
    nothing_new_writes_nothing,
    what_has_ended_stays_as_it_ended_and_is_counted_once,
    readings_at_the_same_time_are_all_kept,
    what_kubernetes_warned_of_stays_with_the_run,
);

async fn read(store: &Store, id: &ExecutionId) -> Execution {
    ExecutionStore::get(store, id).await.unwrap().unwrap()
}

fn running(name: &str, ticket: u8) -> Task {
    Task { state: TaskState::Running, started_at: Some(Timestamp::from_millis(1000)), ..task(name, ticket) }
}

async fn a_reading_moves_execution_tasks_and_action_records(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let before = store.latest().await.unwrap();
    let reading = Observation {
        reason: Some("Running".into()),
        uid: Some("uid-1".into()),
        started_at: Some(Timestamp::from_millis(900)),
        ..seen(ExecutionState::Running, Stage::Started, vec![running("check", 1), task("notify", 1)])
    };
    let changed = store.observe(&id, reading).await.unwrap();
    assert_eq!(changed, Changed { execution: true, tasks: vec!["check".into(), "notify".into()], ended: false });

    let run = read(store, &id).await;
    assert_eq!((run.state, run.stage, run.revision), (ExecutionState::Running, Stage::Started, 2));
    assert_eq!((run.uid.as_deref(), run.started_at), (Some("uid-1"), Some(Timestamp::from_millis(900))));
    let tasks: Vec<_> = run.tasks.iter().map(|t| (t.name.as_str(), t.state)).collect();
    let expected = [("check", TaskState::Running), ("scale", TaskState::Pending), ("notify", TaskState::Pending)];
    assert_eq!(tasks, expected, "a task that is new comes last");
    assert_eq!(
        events_after(store, before).await,
        [
            ("task", "e1".into(), json!({ "task": "check", "state": "running", "revision": 2 })),
            ("task", "e1".into(), json!({ "task": "notify", "state": "pending", "revision": 2 })),
            (
                "execution",
                "e1".into(),
                json!({ "state": "running", "revision": 2, "reason": "Running", "cancel_requested": false })
            ),
        ]
    );
    let filter = ActionFilter { status: Some("running".into()), ..ActionFilter::default() };
    let actions = store.actions(&filter, &Page::default()).await.unwrap().items;
    assert_eq!(actions.iter().map(|a| a.task.as_str()).collect::<Vec<_>>(), ["check"]);
    assert_eq!(actions[0].started_at, Some(Timestamp::from_millis(1000)));
}

async fn another_pipeline_run_under_the_name_is_not_read(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let of = |uid: &str, state| Observation { run_uid: Some(uid.into()), ..seen(state, Stage::Started, vec![]) };
    store.observe(&id, of("run-1", ExecutionState::Running)).await.unwrap();
    assert_eq!(read(store, &id).await.run_uid.as_deref(), Some("run-1"));
    assert_eq!(store.unfinished("sandbox").await.unwrap()[0].run_uid.as_deref(), Some("run-1"));
    assert!(!store.observe(&id, of("run-2", ExecutionState::Succeeded)).await.unwrap().any());
    let run = read(store, &id).await;
    assert_eq!((run.state, run.run_uid.as_deref()), (ExecutionState::Running, Some("run-1")));
    assert!(store.observe(&id, of("run-1", ExecutionState::Succeeded)).await.unwrap().ended);
}

async fn nothing_new_writes_nothing(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let reading = seen(ExecutionState::Running, Stage::Started, vec![running("check", 1)]);
    store.observe(&id, reading.clone()).await.unwrap();
    let (run, before) = (read(store, &id).await, store.latest().await.unwrap());
    assert!(!store.observe(&id, reading).await.unwrap().any());
    let back = seen(ExecutionState::Pending, Stage::Created, vec![]);
    assert!(!store.observe(&id, back).await.unwrap().any(), "never backwards");
    assert_eq!((read(store, &id).await, store.latest().await.unwrap()), (run, before));
    let (unknown, end) = (ExecutionId::new("nothing"), seen(ExecutionState::Failed, Stage::Ended, vec![]));
    assert!(!store.observe(&unknown, end).await.unwrap().any());
}

async fn what_has_ended_stays_as_it_ended_and_is_counted_once(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let sql = "UPDATE recommendations SET incident_at = created_at - 100000";
    sqlx::query(sql).execute(&mut bench.raw().await).await.unwrap();
    let now = store.now().await.unwrap();
    let end = Observation {
        started_at: Some(now.plus_ms(-5000)),
        finished_at: Some(now),
        ..seen(ExecutionState::Failed, Stage::Ended, vec![running("check", 1)])
    };
    let changed = store.observe(&id, end.clone()).await.unwrap();
    assert!(changed.ended);
    let run = read(store, &id).await;
    let tasks: Vec<_> = run.tasks.iter().map(|t| t.state).collect();
    assert!(tasks.iter().all(|state| state.ended()), "{tasks:?}");
    assert_eq!(run.stage, Stage::Ended);

    let better = Observation { finished_at: Some(now), ..seen(ExecutionState::Succeeded, Stage::Ended, vec![]) };
    for again in [end, better] {
        assert!(!store.observe(&id, again).await.unwrap().any());
    }
    assert_eq!(read(store, &id).await, run);
    let counts = store.counts(GroupBy::Playbook, &EffectivenessFilter::default()).await.unwrap().groups;
    assert_eq!(counts.len(), 1);
    let (group, counts) = &counts[0];
    assert_eq!((group.as_str(), counts.runs, counts.succeeded, counts.not_assessed), ("oomkill-scale-down", 1, 0, 1));
    let ran = counts.phases_ms["run"][0];
    assert!((4900..5100).contains(&ran), "{ran}");
    assert!(counts.phases_ms["decide"][0] < 60_000, "from the recommendation to the approval");
    let investigated = counts.phases_ms["investigate"][0];
    assert!((85_000..115_000).contains(&investigated), "from the alert to the recommendation: {investigated}");
}

async fn readings_at_the_same_time_are_all_kept(bench: Bench) {
    let id = claimed(&bench.store, "e1", 1).await;
    let before = bench.store.latest().await.unwrap();
    at_once(&bench, 12, |store, n| {
        let id = id.clone();
        async move {
            let tasks = vec![running(&format!("task-{n}"), 1)];
            store.observe(&id, seen(ExecutionState::Running, Stage::Started, tasks)).await.unwrap()
        }
    })
    .await;
    let run = read(&bench.store, &id).await;
    assert_eq!((run.tasks.len(), run.revision), (2 + 12, 1 + 12));
    let revisions: Vec<_> = events_after(&bench.store, before).await;
    let revisions: Vec<_> = revisions.iter().filter_map(|(_, _, data)| data["revision"].as_i64()).collect();
    assert!(revisions.is_sorted(), "{revisions:?}");
}

fn warning(object: &str, count: u32, last_at: i64) -> Warning {
    Warning {
        kind: "Pod".into(),
        object: object.into(),
        task: Some("check".into()),
        reason: "FailedMount".into(),
        message: "secret \"x\" not found".into(),
        count,
        first_at: Timestamp::from_millis(1000),
        last_at: Timestamp::from_millis(last_at),
    }
}

async fn what_kubernetes_warned_of_stays_with_the_run(bench: Bench) {
    let store = &bench.store;
    let id = claimed(store, "e1", 1).await;
    let of = |warnings| Observation { warnings, ..seen(ExecutionState::Running, Stage::Started, vec![]) };
    store.observe(&id, of(vec![])).await.unwrap();
    let before = store.latest().await.unwrap();
    let first = of(vec![warning("a", 1, 1000)]);
    let changed = store.observe(&id, first.clone()).await.unwrap();
    assert_eq!(changed, Changed { execution: true, tasks: vec![], ended: false });
    assert!(!store.observe(&id, first).await.unwrap().any(), "the same again");
    store.observe(&id, of(vec![warning("a", 3, 4000), warning("b", 1, 2000)])).await.unwrap();
    let run = read(store, &id).await;
    assert_eq!(run.warnings, [warning("a", 3, 4000), warning("b", 1, 2000)]);
    let told: Vec<_> = events_after(store, before)
        .await
        .into_iter()
        .map(|(topic, _, data)| (topic, data["revision"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [("execution", Some(run.revision - 1)), ("execution", Some(run.revision))],
        "an open page hears of it"
    );

    let many = (0..150).map(|n| warning(&format!("pod-{n}"), 1, 5000 + n)).collect();
    store.observe(&id, of(many)).await.unwrap();
    let run = read(store, &id).await;
    assert_eq!((run.warnings.len(), run.warnings[0].object.as_str()), (OF_A_RUN, "pod-149"));
    assert_eq!(store.by_name("sandbox", &run.subject.name).await.unwrap().unwrap().warnings, run.warnings);
    let page = ExecutionStore::list(store, &ExecutionFilter::default(), &Page::default()).await.unwrap();
    assert!(page.items[0].warnings.is_empty(), "not in lists");

    store.observe(&id, seen(ExecutionState::TimedOut, Stage::Ended, vec![])).await.unwrap();
    assert!(
        !store.observe(&id, of(vec![warning("late", 1, 9000)])).await.unwrap().any(),
        "what has ended stays as it is"
    );
    assert_eq!(read(store, &id).await.warnings, run.warnings);
    store
        .import(&[Execution {
            warnings: vec![warning("a", 1, 1000)],
            ..finished("e9", 9, store.now().await.unwrap(), 1, 5000)
        }])
        .await
        .unwrap();
    assert_eq!(read(store, &ExecutionId::new("e9")).await.warnings, [warning("a", 1, 1000)]);
}
