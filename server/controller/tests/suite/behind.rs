//! A run has ended and the watch of its TaskRuns is behind, broken, or has nothing to show any more: what it reported is still
//! asked for before anything is called a success. And one that Tekton does not even begin.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::{
    execution::{Execution, ExecutionState, Stage, TaskState},
    ids::ExecutionId,
    limits::TAKEN_UP_WITHIN,
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

/// A run that was let go while Tekton's controller is away.
async fn let_go_without_tekton(seconds: &str) -> (World, Ticket, ExecutionId) {
    let world = World::start().await;
    world.sandbox().faults().set_tekton_away(true);
    let ticket = shell_ticket(&[("RUN_SECONDS", seconds)], &json!([]), |_| {});
    let id = world.approve(&ticket);
    let let_go = async || (world.pipeline_run(&ticket.name()).await?["spec"]["status"].is_null()).then_some(());
    world.eventually("let go", let_go).await;
    (world, ticket, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_tekton_does_not_take_up_says_so_until_it_does() {
    let (world, ticket, id) = let_go_without_tekton("1").await;
    let began = tokio::time::Instant::now();
    let waits = |run: &Execution| run.reason.as_deref() == Some("WaitingForTekton");
    let waiting = world.until(&id, "waiting for Tekton", waits).await;
    // It is no alarm for a Tekton that only takes its time.
    assert!(began.elapsed() > TAKEN_UP_WITHIN / 2, "{:?}", began.elapsed());
    assert_eq!((waiting.state, waiting.stage), (ExecutionState::Pending, Stage::Started));
    let words = waiting.message.unwrap();
    assert!(words.starts_with("Tekton has not taken it up yet") && words.contains("kubectl get pods"), "{words}");
    let told = async || {
        let status = world.workflow(&ticket.name()).await?["status"].clone();
        (status["message"] == words.as_str()).then_some(())
    };
    world.eventually("told by the WorkflowExecution", told).await;

    world.sandbox().faults().set_tekton_away(false);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{ended:#?}");
    assert!(!waits(&ended) && ended.message.is_none_or(|text| text != words), "it is said no more");
    assert_eq!(world.all("pipelineruns").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_watch_does_not_show_is_no_reason_to_blame_tekton() {
    // Taken up, and no watch tells of it.
    let (world, _, id) = let_go_without_tekton("600").await;
    // The watch has shown that.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for verb in [Verb::Watch, Verb::List] {
        world.sandbox().faults().push(Fault::once(verb, "pipelineruns", Effect::Unavailable).times(1000));
    }
    world.sandbox().faults().drop_watches();
    world.sandbox().faults().set_tekton_away(false);
    tokio::time::sleep(TAKEN_UP_WITHIN + std::time::Duration::from_secs(2)).await;
    let run = world.store.execution(&id);
    assert_ne!(run.reason.as_deref(), Some("WaitingForTekton"), "{run:#?}");
}
