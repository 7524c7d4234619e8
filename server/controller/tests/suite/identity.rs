//! Which PipelineRun is the approved one: the very object that was made, with its ticket and its owner. What is changed or put
//! in its place ends the run; it is never followed as if nothing had happened.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::{
    execution::{Execution, ExecutionState, Stage, TaskState},
    ids::ExecutionId,
    ticket::Ticket,
};
use sandbox::{Effect, Fault, Verb};
use serde_json::{Value, json};
use std::time::Duration;

fn runs_for(seconds: &str) -> Ticket {
    shell_ticket(&[("RUN_SECONDS", seconds)], &json!([]), |_| {})
}

fn path(ticket: &Ticket) -> String {
    format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/pipelineruns/{}", ticket.name())
}

async fn running(world: &World, ticket: &Ticket) -> ExecutionId {
    let id = world.approve(ticket);
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    id
}

/// The same PipelineRun once more, as somebody who may create PipelineRuns could make it.
async fn replace(world: &World, ticket: &Ticket) -> Value {
    let mut copy = world.pipeline_run(&ticket.name()).await.unwrap();
    world.delete(&path(ticket)).await;
    world.eventually("its end", async || world.pipeline_run(&ticket.name()).await.is_none().then_some(())).await;
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "finalizers"] {
        copy["metadata"].as_object_mut().unwrap().remove(field);
    }
    copy.as_object_mut().unwrap().remove("status");
    world.apply(&copy).await.unwrap();
    world.pipeline_run(&ticket.name()).await.unwrap()
}

fn assert_lost(ended: &Execution, reason: &str) {
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Lost, Some(reason)), "{:?}", ended.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_ticket_or_owner_is_taken_away_ends_and_is_stopped() {
    for change in [
        json!({"metadata": {"annotations": {"kubernaut.io/ticket-digest": null}}}),
        json!({"metadata": {"ownerReferences": null}}),
    ] {
        let world = World::start().await;
        let ticket = runs_for("600");
        let id = running(&world, &ticket).await;
        // Tekton writes back the annotations that it read: what is taken away while it writes is there again, so once more.
        world
            .eventually("its end", async || {
                world.merge(&path(&ticket), &change).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                world.store.execution(&id).state.ended().then_some(())
            })
            .await;
        assert_lost(&world.ended(&id).await, "PipelineRunChanged");
        assert_eq!(world.pipeline_run(&ticket.name()).await.unwrap()["spec"]["status"], "Cancelled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_its_label_is_followed_by_asking() {
    let world = World::start().await;
    let ticket = runs_for("60");
    let id = running(&world, &ticket).await;
    world.merge(&path(&ticket), &json!({"metadata": {"labels": {"kubernaut.io/workflow": null}}})).await;
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pipeline_run_under_the_name_is_never_followed() {
    let world = World::start().await;
    let ticket = runs_for("600");
    let id = running(&world, &ticket).await;
    let uid = world.store.execution(&id).run_uid.expect("it is kept");
    let second = replace(&world, &ticket).await;
    assert_ne!(second["metadata"]["uid"], json!(uid));
    assert_lost(&world.ended(&id).await, "PipelineRunDeleted");
    assert!(second["spec"]["status"].is_null(), "what is not ours is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_after_a_restart() {
    let mut world = World::start().await;
    let ticket = runs_for("600");
    let id = running(&world, &ticket).await;
    world.stop_controller().await;
    replace(&world, &ticket).await;
    world.start_controller();
    let ended = world.ended(&id).await;
    assert_lost(&ended, "PipelineRunDeleted");
    assert!(ended.message.unwrap().starts_with("another PipelineRun stands under the name"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_run_does_not_stop_anothers_pipeline_run() {
    let world = World::start().await;
    let ticket = runs_for("600");
    let id = running(&world, &ticket).await;
    let changes = |world: &World| {
        world.journal.all().iter().filter(|line| line.starts_with("PATCH") && line.contains("pipelineruns")).count()
    };
    let let_go = changes(&world);
    for verb in [Verb::Watch, Verb::List] {
        world.sandbox().faults().push(Fault::once(verb, "pipelineruns", Effect::Unavailable).times(1000));
    }
    world.sandbox().faults().drop_watches();
    tokio::time::sleep(Duration::from_millis(100)).await;
    replace(&world, &ticket).await;
    world.clock.forward_ms(4 * 3_600_000);
    world.ended(&id).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(changes(&world), let_go, "none but those that let it go:\n{}", world.journal.all().join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_was_created_nobodys_pipeline_run_is_its_own() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, "workflowexecutions", Effect::Unavailable).times(1000));
    let ticket = runs_for("1");
    let id = world.approve(&ticket);
    let name = ticket.name();
    world
        .apply(&json!({
            "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
            "metadata": {
                "name": name, "namespace": NAMESPACE, "labels": {"kubernaut.io/workflow": name},
                "annotations": {"kubernaut.io/ticket-digest": ticket.digest()},
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "ServiceAccount", "name": "playbook-executor", "controller": true,
                    "uid": world.get(&format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/playbook-executor")).await
                        .unwrap()["metadata"]["uid"],
                }],
            },
            "spec": {"pipelineRef": {"name": "no-such-pipeline"}},
        }))
        .await
        .unwrap();
    world
        .eventually("the other's end", async || {
            let run = world.pipeline_run(&name).await?;
            (run["status"]["conditions"][0]["status"] == "False").then_some(())
        })
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let waiting = world.store.execution(&id);
    assert_eq!((waiting.state, waiting.stage), (ExecutionState::Pending, Stage::Claimed), "{:?}", waiting.message);
    world.sandbox().faults().clear();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NameTaken")));
}
