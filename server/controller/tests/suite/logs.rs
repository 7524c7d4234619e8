//! The archive of the logs: nothing is given up while the database is away, and what is missing says why.

use super::{tickets::shell_ticket, world::World};
use domain::{execution::TaskState, ids::ExecutionId, ticket::Ticket};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;
use std::{sync::atomic::Ordering, time::Duration};

fn runs_for(seconds: &str) -> Ticket {
    shell_ticket(&[("RUN_SECONDS", seconds)], &json!([]), |_| {})
}

async fn whole(world: &World, id: &ExecutionId) -> Vec<String> {
    world.eventually("a whole log", async || world.store.log_is_whole(id, "execute", 1).then_some(())).await;
    world.store.log_of(id, "execute", 1).into_iter().map(|line| line.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_away_for_a_while_loses_nothing() {
    let world = World::start().await;
    world.store.logs_down.store(true, Ordering::SeqCst);
    let id = world.approve(&runs_for("300"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    world.store.logs_down.store(false, Ordering::SeqCst);
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.store.logs_down.store(true, Ordering::SeqCst);
    world.ended(&id).await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert!(!world.store.log_is_whole(&id, "execute", 1), "its end is not archived yet");
    world.store.logs_down.store(false, Ordering::SeqCst);
    let lines = whole(&world, &id).await;
    assert!(lines.iter().any(|line| line.contains("done")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("started as")).count(), 1, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_whole_when_its_end_was_read() {
    let world = World::start().await;
    let id = world.approve(&runs_for("20"));
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    assert!(!world.store.log_is_whole(&id, "execute", 1), "it is being written");
    let lines = whole(&world, &id).await;
    assert!(lines.last().unwrap().contains("done"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_run_that_ended_without_its_pipeline_run_too() {
    let world = World::start().await;
    let ticket = runs_for("600");
    let id = world.approve(&ticket);
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.delete(&format!("/apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns/{}", ticket.name())).await;
    world.ended(&id).await;
    whole(&world, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_a_crash_broke_off_after_the_run_had_ended_is_read_on() {
    let mut world = World::start().await;
    // Nobody gets to read it before the run has ended, nor before the console has.
    world.sandbox().faults().push(Fault::once(Verb::Get, "pods", Effect::Unavailable).named("execute-pod").times(1000));
    let id = world.approve(&runs_for("1"));
    world.ended(&id).await;
    world.stop_controller().await;
    assert!(!world.store.log_is_whole(&id, "execute", 1), "it was not read");
    world.sandbox().faults().clear();
    world.start_controller();
    let lines = whole(&world, &id).await;
    assert!(lines.last().unwrap().contains("done"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_names_its_cause() {
    let world = World::start().await;
    let forbidden = Effect::Forbidden("the console may not read logs here".into());
    world.sandbox().faults().push(Fault::once(Verb::Get, "pods", forbidden).named("execute-pod").times(1000));
    let id = world.approve(&runs_for("1"));
    world.ended(&id).await;
    world.until_for(40, "a whole log", || world.store.log_is_whole(&id, "execute", 1)).await;
    let lines = world.store.log_of(&id, "execute", 1);
    let text = &lines.last().unwrap().text;
    assert!(
        text.starts_with("[… log gap: the cluster refused it: 403 ") && text.contains("may not read logs"),
        "{text}"
    );
}
