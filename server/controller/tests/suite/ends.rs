//! Ends that nobody ordered: lost, timed out, waiting; and watches that break.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::{
    execution::{ExecutionState, TaskState},
    ids::ExecutionId,
    ticket::Ticket,
};
use sandbox::{Effect, Fault};
use serde_json::json;
use std::sync::atomic::Ordering;

fn runs_for(seconds: &str) -> Ticket {
    shell_ticket(&[("RUN_SECONDS", seconds)], &json!([]), |_| {})
}

/// A run that goes on until [`let_go`].
fn held() -> Ticket {
    shell_ticket(&[("RUN_UNTIL", &format!("{NAMESPACE}/go"))], &json!([]), |_| {})
}

fn let_go(world: &World) {
    config_map(world, "go");
}

/// Changes something in the cluster that nobody watches.
fn config_map(world: &World, name: &str) {
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {NAMESPACE}}}\n");
    world.sandbox().apply_yaml(&text).unwrap();
}

fn path(kind: &str, name: &str) -> String {
    format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/{kind}/{name}")
}

async fn running(world: &World, id: &ExecutionId) {
    world.until(id, "running", |e| e.tasks[0].state == TaskState::Running).await;
}

/// Waits until the run has gone well in the cluster, whoever knows of it.
async fn done(world: &World, ticket: &Ticket) {
    world
        .eventually("done in the cluster", async || {
            let run = world.pipeline_run(&ticket.name()).await?;
            (run["status"]["conditions"][0]["status"] == "True").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_pipeline_run_is_lost_and_never_made_again() {
    let world = World::start().await;
    let ticket = held();
    let id = world.approve(&ticket);
    running(&world, &id).await;
    world.logged(&id, "execute", 1, "RUN_UNTIL").await;
    world.delete(&path("pipelineruns", &ticket.name())).await;
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.tasks[0].state), (ExecutionState::Lost, TaskState::Lost));
    // Whatever was still to be made for it would have been made before what was approved after it ran.
    let next = world.approve(&runs_for("1"));
    assert_eq!(world.ended(&next).await.state, ExecutionState::Succeeded);
    let left = world.all("pipelineruns").await;
    assert!(left.iter().all(|run| run["metadata"]["name"] != ticket.name()), "{left:?}");
    assert_eq!((left.len(), world.journal.count("POST /apis/tekton.dev")), (1, 2));
    assert!(!world.store.log_of(&id, "execute", 1).is_empty(), "what was read is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_workflow_execution_takes_its_run_along() {
    let world = World::start().await;
    let ticket = held();
    let id = world.approve(&ticket);
    running(&world, &id).await;
    let group = "/apis/workflowexecution.kubernaut.ai/v1alpha1";
    world.delete(&format!("{group}/namespaces/{NAMESPACE}/workflowexecutions/{}", ticket.name())).await;
    assert_eq!(world.ended(&id).await.state, ExecutionState::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_expired_watches_lose_nothing() {
    let world = World::start().await;
    let id = world.approve(&held());
    running(&world, &id).await;
    for round in 0..3 {
        // Every watch is behind what has been forgotten, so everything is listed anew.
        config_map(&world, &format!("round-{round}"));
        world.sandbox().compact();
        world.asked.lock().unwrap().clear();
        world.sandbox().faults().drop_watches();
        for kind in ["pipelineruns", "taskruns"] {
            world
                .eventually("a list and a watch", async || {
                    let asked = world.asked.lock().unwrap();
                    let of = |watch: bool| {
                        let ours = |uri: &String| uri.contains(&format!("/{kind}?")) && uri.contains("watch=") == watch;
                        asked.iter().any(|(_, uri)| ours(uri))
                    };
                    (of(false) && of(true)).then_some(())
                })
                .await;
        }
        assert!(!world.store.execution(&id).state.ended(), "an empty cache is no end");
    }
    let_go(&world);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    let log = world.logged(&id, "execute", 1, "done").await;
    assert_eq!(log.iter().filter(|line| line.starts_with("started as")).count(), 1, "nothing twice: {log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_goes_away_for_a_while() {
    let world = World::start().await;
    let ticket = held();
    let id = world.approve(&ticket);
    running(&world, &id).await;
    world.cut_off(true);
    let_go(&world);
    done(&world, &ticket).await;
    assert!(!world.store.execution(&id).state.ended(), "what can't be seen is no end");
    world.cut_off(false);
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    world.logged(&id, "execute", 1, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_for_a_while() {
    let world = World::start().await;
    let ticket = held();
    let id = world.approve(&ticket);
    running(&world, &id).await;
    world.store.down.store(true, Ordering::SeqCst);
    let next = world.store.approve(&runs_for("1"), 900_000);
    let_go(&world);
    done(&world, &ticket).await;
    let away = "store: away when asked what is due";
    for asked in 1..=3 {
        world.cluster().wake();
        world.eventually(away, async || (world.journal.count(away) >= asked).then_some(())).await;
    }
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
    let ticket = held();
    let id = world.approve(&ticket);
    world.logged(&id, "execute", 1, "RUN_UNTIL").await;
    world.cut_off(true);
    // By somebody else; Tekton takes the pod along.
    world.edit(&path("pipelineruns", &ticket.name()), &json!({"spec": {"status": "Cancelled"}})).await;
    world.eventually("no pods", async || world.all("pods").await.is_empty().then_some(())).await;
    world.cut_off(false);
    assert_eq!(world.ended(&id).await.state, ExecutionState::Cancelled);
    let log = world.logged(&id, "execute", 1, "log gap").await;
    assert_eq!(log.last().unwrap(), "[… log gap: pod was removed …]");
    assert_eq!(log.iter().filter(|line| line.starts_with("started as")).count(), 1);
}
