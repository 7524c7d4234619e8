//! Between the judgement and the start: whatever happens there, nothing starts without the store's permit, and nothing but what
//! was compared.

use super::{tickets::shell_ticket, world::World};
use domain::{
    execution::{Execution, ExecutionState, Stage},
    ids::ExecutionId,
};
use http::Method;
use sandbox::{Effect, Fault, Verb};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

fn ticket() -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {})
}

fn is_create(method: &Method, path: &str) -> bool {
    method == Method::POST && path.ends_with("pipelineruns")
}

/// The patch that lets a pending PipelineRun go.
fn lets_go(method: &Method, path: &str, body: &Value) -> bool {
    let removes =
        body.as_array().is_some_and(|all| all.iter().any(|it| it["op"] == "remove" && it["path"] == "/spec/status"));
    method == Method::PATCH
        && path.contains("pipelineruns/")
        && (removes || body["spec"].get("status") == Some(&Value::Null))
}

async fn nothing_runs(world: &World) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.all("taskruns").await.is_empty(), "nothing runs");
    let run = world.pipeline_run(&ticket().name()).await.unwrap();
    assert_eq!(run["spec"]["status"], "Cancelled", "and nobody can start it");
}

/// Approves, and does something in the moment in which the PipelineRun is created: long after the run was judged.
async fn after_the_judgement(act: impl Fn(&World, &ExecutionId) + Send + 'static) -> (Arc<World>, Execution) {
    let world = Arc::new(World::start().await);
    let of = Arc::new(OnceLock::new());
    let (seen, approved) = (Arc::downgrade(&world), Arc::clone(&of));
    *world.webhook.lock().unwrap() = Some(Box::new(move |method, path, _| {
        if is_create(method, path)
            && let Some(world) = seen.upgrade()
        {
            act(&world, approved.wait());
        }
    }));
    let id = world.approve(&ticket());
    of.set(id.clone()).unwrap();
    let ended = world.ended(&id).await;
    (world, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_another_replica_concluded_meanwhile_is_not_let_go() {
    let (world, ended) = after_the_judgement(|world, id| {
        world.store.ask_to_cancel(id);
        world.store.conclude(id, ExecutionState::Cancelled);
    })
    .await;
    assert_eq!(ended.state, ExecutionState::Cancelled);
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cancelled_meanwhile_is_not_let_go() {
    let (world, ended) = after_the_judgement(|world, id| world.store.ask_to_cancel(id)).await;
    assert_eq!(ended.state, ExecutionState::Cancelled);
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_runs_out_by_the_databases_clock() {
    let (world, ended) = after_the_judgement(|world, _| world.store.ahead_ms.store(901_000, Ordering::SeqCst)).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("ApprovalExpired")));
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_process_stops_nothing() {
    let world = World::without_controller().await;
    world.clock.forward_ms(3_600_000);
    world.store.ahead_ms.store(-3_600_000, Ordering::SeqCst);
    let id = world.approve_for(&ticket(), -3_000_000);
    let mut world = world;
    world.start_controller();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded, "it runs out in ten minutes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_that_was_overtaken_leaves_the_decision_to_the_later_one() {
    let (world, ended) = after_the_judgement(|world, id| world.store.begin_another_try(id)).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    let journal = world.journal.all();
    let at = |what: &str| journal.iter().position(|line| line.contains(what)).unwrap();
    assert!(at("Overtaken") < at("PATCH /apis/tekton.dev"), "no patch without a permit:\n{}", journal.join("\n"));
    assert_eq!(world.journal.count("PATCH /apis/tekton.dev"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_while_another_one_is_in_its_way() {
    let world = World::start().await;
    world.store.busy.store(true, Ordering::SeqCst);
    let id = world.approve(&ticket());
    let said = |e: &Execution| e.message.as_ref().is_some_and(|m| m.contains("another run on the same object"));
    let waiting = world.until(&id, "said", said).await;
    assert_eq!(waiting.state, ExecutionState::Pending);
    assert!(world.all("pipelineruns").await.is_empty(), "nothing is made before it may start");
    world.store.busy.store(false, Ordering::SeqCst);
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
}

/// Approves, and lets somebody change the PipelineRun in the moment in which it is let go, once.
async fn under_our_hands(change: Value) -> (World, Execution) {
    let world = World::start().await;
    let meddle = world.meddle(&ticket().name());
    let done = AtomicBool::new(false);
    *world.webhook.lock().unwrap() = Some(Box::new(move |method, path, body| {
        if lets_go(method, path, body) && !done.swap(true, Ordering::SeqCst) {
            meddle(change.clone());
        }
    }));
    let id = world.approve(&ticket());
    let ended = world.ended(&id).await;
    (world, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_after_it_was_compared_is_not_let_go() {
    let (world, ended) =
        under_our_hands(json!({"spec": {"taskRunTemplate": {"serviceAccountName": "cluster-admin"}}})).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NotAsApproved")));
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_ends_for_its_cause_though_that_cannot_be_written_at_once() {
    let world = World::start().await;
    let meddle = world.meddle(&ticket().name());
    let (done, store) = (AtomicBool::new(false), Arc::clone(&world.store));
    *world.webhook.lock().unwrap() = Some(Box::new(move |method, path, body| {
        if lets_go(method, path, body) && !done.swap(true, Ordering::SeqCst) {
            meddle(json!({"spec": {"taskRunTemplate": {"serviceAccountName": "cluster-admin"}}}));
        }
        if method == Method::PATCH && body["spec"]["status"] == "Cancelled" {
            store.down.store(true, Ordering::SeqCst);
        }
    }));
    let id = world.approve(&ticket());
    world.until_for(10, "stopped", || world.store.down.load(Ordering::SeqCst)).await;
    // Long enough for the cluster to have ended it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.store.down.store(false, Ordering::SeqCst);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NotAsApproved")));
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_by_somebody_else_is_not_undone() {
    let (world, ended) = under_our_hands(json!({"spec": {"status": "Cancelled"}})).await;
    assert_eq!(ended.state, ExecutionState::Cancelled, "{:?}", ended.message);
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_of_the_run_does_not_hold_it_up() {
    let (world, ended) = under_our_hands(json!({"metadata": {"labels": {"team": "payments"}}})).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    assert_eq!(world.journal.count("PATCH /apis/tekton.dev"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_marks_must_be_there_when_it_is_let_go() {
    let (world, ended) = under_our_hands(json!({"metadata": {"labels": {"kubernaut.io/workflow": "another"}}})).await;
    assert!(ended.state.ended() && ended.state != ExecutionState::Succeeded, "{:?}", ended.message);
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_tekton_would_believe_lets_nothing_run() {
    let world = World::start().await;
    let meddle = world.meddle_status(&ticket().name());
    *world.webhook.lock().unwrap() = Some(Box::new(move |method, path, body| {
        if lets_go(method, path, body) {
            meddle(json!({"pipelineSpec": {"tasks": [{"name": "other", "taskRef": {"name": "kubernaut-action"}}]}}));
        }
    }));
    let id = world.approve(&ticket());
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NotAsApproved")));
    assert!(ended.message.unwrap().contains("status.pipelineSpec"));
    let run = world.pipeline_run(&ticket().name()).await.unwrap();
    assert_eq!(run["spec"]["status"], "Cancelled", "and it is stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_test_that_failed_the_version_must_be_the_same() {
    let world = World::start().await;
    let meddle = world.meddle(&ticket().name());
    let tries = AtomicUsize::new(0);
    *world.webhook.lock().unwrap() = Some(Box::new(move |method, path, body| {
        if lets_go(method, path, body) {
            match tries.fetch_add(1, Ordering::SeqCst) {
                // There and back again, before it is read.
                0 => body[0]["value"] = json!("another uid"),
                1 => meddle(json!({"metadata": {"labels": {"team": "payments"}}})),
                _ => {}
            }
        }
    }));
    let id = world.approve(&ticket());
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    assert_eq!(world.journal.count("PATCH /apis/tekton.dev"), 3, "the second is refused for its resourceVersion");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_let_go_is_compared_too() {
    let mut world = World::start().await;
    let ticket = shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |_| {});
    world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", Effect::Unavailable).times(1000));
    let id = world.approve(&ticket);
    world.until(&id, "started", |e| e.stage == Stage::Started).await;
    world.stop_controller().await;
    world.sandbox().faults().clear();
    let meddle = world.meddle(&ticket.name());
    meddle(json!({"spec": {"taskRunTemplate": {"podTemplate": {"hostNetwork": true}}, "status": null}}));
    world.start_controller();
    world
        .eventually("stopped", async || {
            let run = world.pipeline_run(&ticket.name()).await?;
            (run["spec"]["status"] == "Cancelled").then_some(())
        })
        .await;
    let ended = world.ended(&id).await;
    assert_ne!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_let_go_that_is_refused_leaves_nothing_pending() {
    // The first 422 may have been a test that failed.
    for (effect, times) in
        [(Effect::Forbidden("no rights here".into()), 1), (Effect::Invalid("spec.status is odd".into()), 2)]
    {
        let world = World::start().await;
        world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", effect).times(times));
        let id = world.approve(&ticket());
        let ended = world.ended(&id).await;
        assert_eq!(ended.state, ExecutionState::Failed, "{:?}", ended.message);
        nothing_runs(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stopped_is_said_and_tried_again() {
    let world = World::start().await;
    *world.webhook.lock().unwrap() = Some(Box::new(|method, path, body| {
        if is_create(method, path) {
            body["spec"]["taskRunTemplate"]["serviceAccountName"] = json!("cluster-admin");
        }
    }));
    let forbidden = Effect::Forbidden("no rights here".into());
    world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", forbidden).times(1000));
    let id = world.approve(&ticket());
    let said = |e: &Execution| {
        e.message.as_ref().is_some_and(|m| m.contains("could not be stopped: ") && m.contains("cluster-admin"))
    };
    let waiting = world.until(&id, "said", said).await;
    assert!(!waiting.state.ended(), "while it is pending anybody may start it");
    world.sandbox().faults().clear();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NotAsApproved")));
    nothing_runs(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_is_refused_is_said_and_passed_on_later() {
    let world = World::start().await;
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |_| {}));
    world.until(&id, "running", |e| e.state == ExecutionState::Running).await;
    let forbidden = Effect::Forbidden("no rights here".into());
    world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", forbidden).times(1000));
    world.store.ask_to_cancel(&id);
    world.cluster().wake();
    world.until(&id, "said", |e| e.reason.as_deref() == Some("CancelWaiting")).await;
    world.sandbox().faults().clear();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Cancelled);
}
