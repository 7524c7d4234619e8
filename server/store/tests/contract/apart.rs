//! Runs on the same object are kept apart, when they are approved and when they start.

use crate::decide::{new_decision, runs, soon};
use crate::support::{Bench, MINUTE, at_once, attempt, claimed, contract, entry, new_execution, recommend, seen, spot};
use domain::{
    decision::Verb,
    execution::{ExecutionState, Stage},
    ids::RecommendationId,
    paging::Page,
    policy::Concurrency,
    ports::{DecideError, Decided, ExecutionFilter, ExecutionStore, NewExecution, Permit, RecommendationStore},
    recommendation::ResourceRef,
    target::kinds::Spot,
};
use store::Store;

contract!(
    runs_on_the_same_object_are_kept_apart,
    runs_are_kept_apart_by_every_object_however_it_is_written,
    of_two_on_the_same_object_at_the_same_instant_one_is_approved,
);

fn on_my_app(mut new: NewExecution, guard: Concurrency) -> NewExecution {
    new.subject.acts_on =
        Some(ResourceRef { kind: "Deployment".into(), namespace: Some("production".into()), name: "my-app".into() });
    NewExecution { objects: vec![spot("Deployment", "production", "my-app")], guard, ..new }
}

/// Approves a ticket of its own that acts on my-app.
async fn approve_on_my_app(store: &Store, n: u8, guard: Concurrency) -> Result<Decided, DecideError> {
    approve_on(store, n, vec![spot("Deployment", "production", "my-app")], guard).await
}

/// The same of what acts on these.
async fn approve_on(store: &Store, n: u8, objects: Vec<Spot>, guard: Concurrency) -> Result<Decided, DecideError> {
    let id = format!("e{n}");
    let of = recommend(store, &format!("rec-{id}"), &format!("inc-{id}")).await;
    let until = soon(store).await;
    let execution = NewExecution { objects, ..on_my_app(new_execution(&id, &of, n, until), guard) };
    let attempt = attempt("bob", Verb::Approve, n, 1, until);
    store.decide(new_decision(&format!("d{n}"), &of, attempt, Some(execution), entry("decision.approve"))).await
}

const ALONE: Concurrency = Concurrency { cool_down_ms: 0, one_at_a_time: true };

async fn runs_on_the_same_object_are_kept_apart(bench: Bench) {
    let store = &bench.store;
    let first = approve_on_my_app(store, 1, Concurrency::default()).await.unwrap().execution_id.unwrap();
    let busy = approve_on_my_app(store, 2, ALONE).await;
    let Err(DecideError::Busy(other)) = busy else { panic!("{busy:?}") };
    assert_eq!((other.id, other.until), (first.clone(), None));
    let beside = approve_on_my_app(store, 3, Concurrency::default()).await;
    assert!(beside.is_ok(), "neither of the two asks for it: {beside:?}");
    claimed(store, "elsewhere", 9).await;

    // Once they have ended: only what was let go needs time to cool down.
    for id in [&first, &beside.unwrap().execution_id.unwrap()] {
        store.observe(id, seen(ExecutionState::Cancelled, Stage::Ended, vec![])).await.unwrap();
    }
    let cooling = Concurrency { cool_down_ms: 60 * MINUTE, one_at_a_time: true };
    let guarded = approve_on_my_app(store, 4, cooling).await.unwrap().execution_id.unwrap();
    let symmetric = approve_on_my_app(store, 5, Concurrency::default()).await;
    assert!(matches!(symmetric, Err(DecideError::Busy(_))), "one that is to be alone is: {symmetric:?}");

    store.observe(&guarded, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
    let Permit::Given(epoch) = store.begin_start(&guarded).await.unwrap() else { panic!("it may start") };
    assert_eq!(store.may_start(&guarded, epoch, "run").await.unwrap(), Permit::Given(epoch));
    let now = store.now().await.unwrap();
    let mut ended = seen(ExecutionState::Succeeded, Stage::Ended, vec![]);
    (ended.started_at, ended.finished_at) = (Some(now), Some(now));
    store.observe(&guarded, ended).await.unwrap();
    let busy = approve_on_my_app(store, 6, cooling).await;
    let Err(DecideError::Busy(other)) = busy else { panic!("{busy:?}") };
    assert_eq!(other.until, Some(now.plus_ms(60 * MINUTE)));
    let wanted = on_my_app(new_execution("x", &RecommendationId::new("other"), 8, now), cooling).objects;
    assert_eq!(store.in_the_way("sandbox", &wanted, cooling).await.unwrap(), Some(other));
    approve_on_my_app(store, 7, ALONE).await.unwrap();
}

async fn runs_are_kept_apart_by_every_object_however_it_is_written(bench: Bench) {
    let store = &bench.store;
    let app = || spot("Deployment", "production", "my-app");
    let decoy = spot("Deployment", "dev", "decoy");
    let first =
        approve_on(store, 1, vec![decoy.clone(), app()], Concurrency::default()).await.unwrap().execution_id.unwrap();
    let same = [
        vec![spot("DEPLOYMENTS", "production", "my-app")],
        vec![spot("Object", "production", "my-app")],
        vec![spot("deploy", "", "my-app")],
        vec![Spot::within("production")],
        vec![Spot::default()],
        vec![spot("Deployment", "dev", "another"), app()],
        vec![decoy],
        vec![],
    ];
    for (n, objects) in (2..).zip(&same) {
        let busy = approve_on(store, n, objects.clone(), ALONE).await;
        assert!(matches!(busy, Err(DecideError::Busy(_))), "{objects:?}: {busy:?}");
    }
    let others = [
        spot("Deployment", "staging", "my-app"),
        spot("Pod", "production", "my-app"),
        spot("Deployment", "production", "other"),
        spot("Node", "production", "worker-1"),
        Spot::within("payments"),
    ];
    for other in &others {
        let free = store.in_the_way("sandbox", std::slice::from_ref(other), ALONE).await.unwrap();
        assert_eq!(free, None, "{other:?}");
    }
    assert_eq!(store.in_the_way("elsewhere", &[app()], ALONE).await.unwrap(), None);
    let filter = ExecutionFilter {
        target: Some(ResourceRef {
            kind: "deployment".into(),
            namespace: Some("production".into()),
            name: "my-app".into(),
        }),
        ..ExecutionFilter::default()
    };
    assert_eq!(ExecutionStore::list(store, &filter, &Page::default()).await.unwrap().items.len(), 1);

    // The same is asked where they start: here of two that were approved without a guard.
    let mut both = vec![first];
    let place =
        approve_on(store, 20, vec![spot("Pod", "dev", "x"), Spot::within("production")], Concurrency::default()).await;
    both.push(place.unwrap().execution_id.unwrap());
    let mut epochs = Vec::new();
    for id in &both {
        store.observe(id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
        let Permit::Given(epoch) = store.begin_start(id).await.unwrap() else { panic!("it may start") };
        epochs.push(epoch);
    }
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE executions SET alone = 1, cool_down_ms = 3600000 WHERE id = 'e20'").execute(raw).await.unwrap();
    assert_eq!(store.may_start(&both[0], epochs[0], "run").await.unwrap(), Permit::Given(epochs[0]));
    assert_eq!(store.may_start(&both[1], epochs[1], "run").await.unwrap(), Permit::Busy);
    let now = store.now().await.unwrap();
    let mut ended = seen(ExecutionState::Succeeded, Stage::Ended, vec![]);
    (ended.started_at, ended.finished_at) = (Some(now), Some(now));
    store.observe(&both[0], ended).await.unwrap();
    assert_eq!(store.may_start(&both[1], epochs[1], "run").await.unwrap(), Permit::Busy, "it cools down");
}

async fn of_two_on_the_same_object_at_the_same_instant_one_is_approved(bench: Bench) {
    let answers =
        at_once(&bench, 6, |store, n| async move { approve_on_my_app(&store, n + 1, ALONE).await.map(|d| d.verdict) })
            .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(DecideError::Busy(_)))), "{answers:?}");
    assert_eq!(runs(&bench.store).await, 1);

    // Approved without a guard beside it, and let go first: who is to be alone waits.
    let store = &bench.store;
    let raw = &mut bench.raw().await;
    sqlx::query("UPDATE executions SET stage = 'ended'").execute(&mut *raw).await.unwrap();
    let mut both = Vec::new();
    for n in [10, 11] {
        let id = approve_on_my_app(store, n, Concurrency::default()).await.unwrap().execution_id.unwrap();
        store.observe(&id, seen(ExecutionState::Pending, Stage::Created, vec![])).await.unwrap();
        let Permit::Given(epoch) = store.begin_start(&id).await.unwrap() else { panic!("it may start") };
        both.push((id, epoch));
    }
    sqlx::query("UPDATE executions SET alone = 1 WHERE id = 'e11'").execute(&mut *raw).await.unwrap();
    let (free, alone) = (&both[0], &both[1]);
    assert_eq!(store.may_start(&free.0, free.1, "run").await.unwrap(), Permit::Given(free.1));
    assert_eq!(store.may_start(&alone.0, alone.1, "run").await.unwrap(), Permit::Busy);
    assert_eq!(store.begin_start(&alone.0).await.unwrap(), Permit::Busy);
    store.observe(&free.0, seen(ExecutionState::Failed, Stage::Ended, vec![])).await.unwrap();
    assert_eq!(store.may_start(&alone.0, alone.1, "run").await.unwrap(), Permit::Given(alone.1));
}
