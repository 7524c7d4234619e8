//! Crashes between any two steps, and two replicas at once.

use super::{tickets::shell_ticket, world::World};
use domain::execution::{ExecutionState, Stage, TaskState};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;
use std::time::Duration;

fn ticket(seconds: &str) -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", seconds)], &json!([]), |_| {})
}

/// Stops the controller while `verb` on `kind` does not go through, and starts another.
async fn crash_at(verb: Verb, kind: &str, stage: Stage) -> World {
    let mut world = World::start().await;
    world.sandbox().faults().push(Fault::once(verb, kind, Effect::Unavailable).times(1000));
    let ticket = ticket("1");
    let id = world.approve(&ticket);
    world.until(&id, stage.name(), |e| e.stage == stage).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.stop_controller().await;
    assert!(world.all("taskruns").await.is_empty());
    world.sandbox().faults().clear();
    world.start_controller();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded, "{kind}");
    for kind in ["workflowexecutions", "configmaps", "pipelineruns", "taskruns"] {
        assert_eq!(world.all(kind).await.len(), 1, "{kind}");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_workflow_execution() {
    crash_at(Verb::Create, "workflowexecutions", Stage::Claimed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_workflow_execution_and_pipeline_run() {
    crash_at(Verb::Create, "pipelineruns", Stage::Created).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_writing_the_stage_and_letting_the_run_go() {
    crash_at(Verb::Patch, "pipelineruns", Stage::Started).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_held_too_long_is_not_let_go() {
    let mut world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", Effect::Unavailable).times(1000));
    let id = world.approve_for(&ticket("1"), 60_000);
    world.until(&id, "started", |e| e.stage == Stage::Started).await;
    world.stop_controller().await;
    world.clock.forward_ms(61_000);
    world.sandbox().faults().clear();
    world.start_controller();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("ApprovalExpired")));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.all("taskruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_runs_and_ends_with_nobody_looking() {
    let mut world = World::start().await;
    let id = world.approve(&ticket("60"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.stop_controller().await;
    let name = ticket("60").name();
    world
        .eventually("the run's end", async || {
            let run = world.pipeline_run(&name).await?;
            (run["status"]["conditions"][0]["status"] == "True").then_some(())
        })
        .await;
    assert!(!world.store.execution(&id).state.ended());
    world.start_controller();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    let log = world.logged(&id, "execute", 1, "done").await;
    assert_eq!(log.iter().filter(|line| line.starts_with("started as")).count(), 1, "nothing twice: {log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_with_nobody_looking_is_lost() {
    let mut world = World::start().await;
    let id = world.approve(&ticket("600"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.stop_controller().await;
    let name = ticket("600").name();
    world.delete(&format!("/apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns/{name}")).await;
    world.start_controller();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_make_one_run() {
    let world = World::start().await;
    let (other, stop) = world.another_controller();
    let ids: Vec<_> = (0..10)
        .map(|n| {
            let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1"), ("N", &n.to_string())], &json!([]), |_| {}));
            other.cluster().wake();
            id
        })
        .collect();
    for id in &ids {
        assert_eq!(world.ended(id).await.state, ExecutionState::Succeeded);
    }
    for kind in ["workflowexecutions", "configmaps", "pipelineruns", "taskruns"] {
        assert_eq!(world.all(kind).await.len(), ids.len(), "{kind}");
    }
    stop.cancel();
    other.finished().await;
}
