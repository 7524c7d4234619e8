//! A run has ended and the watch of its TaskRuns is behind, broken, or has nothing to show any more: what it reported is still
//! asked for before anything is called a success.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::{
    execution::{Execution, ExecutionState, TaskState},
    ticket::Ticket,
};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;

/// A run that ends well for Tekton and reports something else than its playbook declares.
fn reports_badly(seconds: &str) -> Ticket {
    let declared = json!([{"name": "replicas", "type": "integer"}]);
    shell_ticket(&[("RUN_SECONDS", seconds), ("OUTPUTS", r#"{"replicas": "3"}"#)], &declared, |_| {})
}

fn assert_judged(ended: &Execution, why: &str) {
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("OutputsInvalid")));
    assert_eq!(ended.tasks[0].state, TaskState::Failed);
    assert!(ended.message.as_ref().unwrap().contains(why), "{:?}", ended.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_list_that_takes_long_is_waited_for() {
    let mut world = World::without_controller().await;
    world.sandbox().faults().push(Fault::once(Verb::List, "taskruns", Effect::Unavailable).times(3));
    world.start_controller();
    let id = world.approve(&reports_badly("1"));
    let ended = world.ended(&id).await;
    assert_judged(&ended, "replicas is no integer");
    assert_eq!(world.sandbox().faults().pending(), 0, "nothing was told before the list was complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_watch_is_made_up_for_by_asking() {
    let world = World::start().await;
    let id = world.approve(&reports_badly("60"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    for verb in [Verb::Watch, Verb::List] {
        world.sandbox().faults().push(Fault::once(verb, "taskruns", Effect::Unavailable).times(1000));
    }
    world.sandbox().faults().drop_watches();
    assert_judged(&world.ended(&id).await, "replicas is no integer");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_read_is_no_success() {
    let mut world = World::start().await;
    let ticket = reports_badly("60");
    let id = world.approve(&ticket);
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.stop_controller().await;
    let name = ticket.name();
    world
        .eventually("the run's end", async || {
            let run = world.pipeline_run(&name).await?;
            (run["status"]["conditions"][0]["status"] == "True").then_some(())
        })
        .await;
    for task_run in world.all("taskruns").await {
        let name = task_run["metadata"]["name"].as_str().unwrap();
        world.delete(&format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/taskruns/{name}")).await;
    }
    world.start_controller();
    assert_judged(&world.ended(&id).await, "the TaskRun is gone");
}
