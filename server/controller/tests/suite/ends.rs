//! Ends that nobody ordered: lost, timed out, waiting; and watches that break.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::execution::{ExecutionState, TaskState};
use sandbox::{Effect, Fault};
use serde_json::json;
use std::{sync::atomic::Ordering, time::Duration};

fn runs_for(seconds: &str) -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", seconds)], &json!([]), |_| {})
}

fn path(kind: &str, name: &str) -> String {
    format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/{kind}/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_pipeline_run_is_lost_and_never_made_again() {
    let world = World::start().await;
    let ticket = runs_for("600");
    let id = world.approve(&ticket);
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.delete(&path("pipelineruns", &ticket.name())).await;
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.tasks[0].state), (ExecutionState::Lost, TaskState::Lost));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(world.all("pipelineruns").await.is_empty());
    assert_eq!(world.journal.count("POST /apis/tekton.dev"), 1);
    assert!(!world.store.log_of(&id, "execute", 1).is_empty(), "what was read is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_workflow_execution_takes_its_run_along() {
    let world = World::start().await;
    let ticket = runs_for("600");
    let id = world.approve(&ticket);
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    let group = "/apis/workflowexecution.kubernaut.ai/v1alpha1";
    world.delete(&format!("{group}/namespaces/{NAMESPACE}/workflowexecutions/{}", ticket.name())).await;
    assert_eq!(world.ended(&id).await.state, ExecutionState::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_expired_watches_lose_nothing() {
    let world = World::start().await;
    let id = world.approve(&runs_for("60"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    for _ in 0..3 {
        world.sandbox().compact();
        world.sandbox().faults().drop_watches();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!world.store.execution(&id).state.ended(), "an empty cache is no end");
    }
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    let log = world.logged(&id, "execute", 1, "done").await;
    assert_eq!(log.iter().filter(|line| line.starts_with("started as")).count(), 1, "nothing twice: {log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_goes_away_for_a_while() {
    let world = World::start().await;
    let id = world.approve(&runs_for("20"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.sandbox().faults().set_down(true);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(!world.store.execution(&id).state.ended());
    world.sandbox().faults().clear();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    world.logged(&id, "execute", 1, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_for_a_while() {
    let world = World::start().await;
    let id = world.approve(&runs_for("10"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.store.down.store(true, Ordering::SeqCst);
    let next = world.store.approve(&runs_for("1"), 900_000);
    world.cluster().wake();
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(world.all("workflowexecutions").await.len(), 1, "no starts without the database");
    world.store.down.store(false, Ordering::SeqCst);
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded, "what ran is caught up with");
    assert_eq!(world.ended(&next).await.state, ExecutionState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long() {
    let world = World::start().await;
    let ticket = shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |content| content["timeout_ms"] = json!(150_000));
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.tasks[0].state), (ExecutionState::TimedOut, TaskState::TimedOut));
    assert_eq!(ended.reason.as_deref(), Some("PipelineRunTimeout"));
    world.logged(&id, "execute", 1, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_waits_for_is_said_while_it_waits() {
    for (effect, reason) in [
        (Effect::QuotaExceeded, "ExceededResourceQuota"),
        (Effect::Unschedulable, "Unschedulable"),
        (Effect::ImagePull, "ErrImagePull"),
    ] {
        let world = World::start().await;
        world.sandbox().faults().push(Fault::pod(effect.clone()).named("execute"));
        let id = world.approve(&runs_for("1"));
        let said =
            |text: &Option<String>| text.as_deref().is_some_and(|text| text == reason || text == "ImagePullBackOff");
        let waiting = world
            .until(&id, reason, |e| e.state == ExecutionState::Running && said(&e.tasks[0].reason) && said(&e.reason))
            .await;
        assert_eq!((waiting.state, waiting.tasks[0].state), (ExecutionState::Running, TaskState::Pending), "{reason}");
        assert!(waiting.message.is_some());
        world.sandbox().faults().clear();
        if effect != Effect::ImagePull {
            assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded, "{reason}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_could_read_to_its_end_says_so() {
    let world = World::start().await;
    let ticket = shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |content| content["timeout_ms"] = json!(150_000));
    let id = world.approve(&ticket);
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.sandbox().faults().set_down(true);
    tokio::time::sleep(Duration::from_secs(4)).await;
    world.sandbox().faults().clear();
    assert_eq!(world.ended(&id).await.state, ExecutionState::TimedOut);
    let log = world.logged(&id, "execute", 1, "log gap").await;
    assert_eq!(log.last().unwrap(), "[… log gap: pod was removed …]");
    assert_eq!(log.iter().filter(|line| line.starts_with("started as")).count(), 1);
}
