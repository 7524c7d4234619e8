//! Cancelling, at every moment.

use super::{tickets::shell_ticket, world::World};
use domain::execution::{ExecutionState, TaskState};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;

fn long() -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |_| {})
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_runs() {
    let world = World::start().await;
    let id = world.approve(&long());
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.store.ask_to_cancel(&id);
    world.cluster().wake();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.tasks[0].state), (ExecutionState::Cancelled, TaskState::Cancelled));
    let run = world.pipeline_run(&long().name()).await.unwrap();
    assert_eq!(run["spec"]["status"], "CancelledRunFinally");
    // The pod is gone, its log is not.
    world.eventually("no pods", async || world.all("pods").await.is_empty().then_some(())).await;
    assert!(!world.store.log_of(&id, "execute", 1).is_empty());
    world
        .eventually("Failed", async || {
            (world.workflow(&long().name()).await?["status"]["phase"] == "Failed").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_anything_was_created() {
    let mut world = World::without_controller().await;
    let id = world.approve(&long());
    world.store.ask_to_cancel(&id);
    world.start_controller();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Cancelled);
    assert_eq!(world.journal.count("POST"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn between_the_objects() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, "configmaps", Effect::Unavailable).times(3));
    let id = world.approve(&long());
    world.until(&id, "created", |e| e.uid.is_some()).await;
    world.store.ask_to_cancel(&id);
    world.cluster().wake();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Cancelled, Some("Cancelled")));
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_it_ended_is_no_harm() {
    let world = World::start().await;
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    world.ended(&id).await;
    world.store.ask_to_cancel(&id);
    world.cluster().wake();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.store.execution(&id).state, ExecutionState::Succeeded);
}
