//! Runs that go as they should, from approval to archive.

use super::{
    tickets::{shell_ticket, steps_plan, ticket},
    world::{NAMESPACE, World},
};
use domain::{
    execution::{ExecutionState, Stage, TaskState},
    pipeline_run::DIGEST_ANNOTATION,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_runs_as_it_was_approved() {
    let world = World::start().await;
    let sly = "a $$b ${c} 'd' \"e\" \\f";
    let ticket = shell_ticket(&[("RUN_SECONDS", "1"), ("SLY", sly)], &json!([]), |_| {});
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.stage), (ExecutionState::Succeeded, Stage::Ended), "{:?}", ended.message);
    let task = &ended.tasks[0];
    assert_eq!(task.state, TaskState::Succeeded);
    assert_eq!(task.results["outputs"], json!({"observed": "ok"}));
    assert!(task.started_at.is_some() && task.finished_at.is_some() && task.running_ms.is_some());
    assert!(task.attempts[0].queued_at.is_some() && task.attempts[0].pulling_at.is_some());

    // What the cluster was told, and what the container got.
    let name = ticket.name();
    let run = world.pipeline_run(&name).await.unwrap();
    assert_eq!(run["metadata"]["annotations"][DIGEST_ANNOTATION], json!(ticket.digest()));
    assert_eq!(run["metadata"]["ownerReferences"][0]["uid"], json!(ended.uid.clone().unwrap()));
    let workflow = world.workflow(&name).await.unwrap();
    assert_eq!(workflow["metadata"]["annotations"]["kubernaut.io/execution-id"], json!(id.as_str()));
    let log = world.logged(&id, "execute", 1, "done").await;
    assert!(log.contains(&format!("SLY={sly}")), "{log:?}");

    // What kubectl shows.
    let status = world
        .eventually("Completed", async || {
            let status = world.workflow(&name).await?["status"].clone();
            (status["phase"] == "Completed").then_some(status)
        })
        .await;
    assert_eq!(status["pipelineRun"], json!(name));
    assert_eq!(status["ticketDigest"], json!(ticket.digest()));
    assert_eq!(status["steps"][0]["state"], "succeeded");
    let conditions: Vec<(&str, &str)> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["type"].as_str().unwrap(), c["status"].as_str().unwrap()))
        .collect();
    assert_eq!(conditions, [("Valid", "True"), ("Approved", "True"), ("Succeeded", "True")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stage_is_written_before_its_effect() {
    let world = World::start().await;
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    world.ended(&id).await;
    let wanted = [
        "store: claim exec-1 given",
        "POST /apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/kubernaut-system/workflowexecutions",
        "store: exec-1 created pending",
        "POST /api/v1/namespaces/kubernaut-system/configmaps",
        "POST /apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns",
        "store: exec-1 started pending",
        "PATCH /apis/tekton.dev/v1/namespaces/kubernaut-system/pipelineruns/",
        "store: exec-1 ended succeeded",
    ];
    let journal = world.journal.all();
    let mut rest = journal.iter();
    for step in wanted {
        assert!(rest.any(|line| line.starts_with(step)), "{step} is missing or out of order:\n{}", journal.join("\n"));
    }
    assert!(world.journal.count("POST") == 3, "one object of each kind:\n{}", journal.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_three_steps_run_in_order() {
    let world = World::start().await;
    let ticket = ticket(&steps_plan(), |_| {});
    let id = world.approve(&ticket);
    let running =
        world.until(&id, "two at a time", |e| e.tasks.iter().filter(|t| t.state == TaskState::Running).count() == 2);
    let running = running.await;
    assert_eq!(running.tasks[2].state, TaskState::Pending, "the third waits for both");
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    assert!(ended.tasks.iter().all(|t| t.state == TaskState::Succeeded));
    assert_eq!(ended.tasks[1].results["outputs"]["replicas"], json!(10));
    let deployment = world.get("/apis/apps/v1/namespaces/production/deployments/payment-service").await.unwrap();
    assert_eq!(deployment["spec"]["replicas"], json!(10), "it really was done");
    world.logged(&id, "create-gitops-pr", 1, "Pushing branch").await;
    assert_eq!(world.all("configmaps").await.len(), 3, "one for each step");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_try_is_an_attempt_with_a_log_of_its_own() {
    let world = World::start().await;
    let ticket = shell_ticket(&[("RUN_SECONDS", "1"), ("FAIL", "first")], &json!([]), |content| {
        content["retry_count"] = json!(1);
    });
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    let states: Vec<TaskState> = ended.tasks[0].attempts.iter().map(|a| a.state).collect();
    assert_eq!(states, [TaskState::Failed, TaskState::Succeeded]);
    world.logged(&id, "execute", 1, "started as").await;
    world.logged(&id, "execute", 2, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_which_task_and_why() {
    let world = World::start().await;
    let ticket = shell_ticket(&[("RUN_SECONDS", "1"), ("FAIL", "always")], &json!([]), |_| {});
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Failed);
    assert!(ended.message.unwrap().starts_with("execute: "));
    world
        .eventually("Failed", async || {
            (world.workflow(&ticket.name()).await?["status"]["phase"] == "Failed").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_outputs_are_asked_for_after_the_run() {
    let world = World::start().await;
    let declared = json!([{"name": "replicas", "type": "integer"}]);
    let good = shell_ticket(&[("RUN_SECONDS", "1"), ("OUTPUTS", r#"{"replicas": 3}"#)], &declared, |_| {});
    let bad = shell_ticket(&[("RUN_SECONDS", "1"), ("OUTPUTS", r#"{"replicas": "3"}"#)], &declared, |_| {});
    let (good, bad) = (world.approve(&good), world.approve(&bad));
    assert_eq!(world.ended(&good).await.state, ExecutionState::Succeeded);
    let ended = world.ended(&bad).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("OutputsInvalid")));
    assert!(ended.message.unwrap().contains("replicas is no integer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_each_run_once() {
    let world = World::start().await;
    let ids: Vec<_> = (0..20)
        .map(|n| {
            let ticket = shell_ticket(&[("RUN_SECONDS", "1"), ("N", &n.to_string())], &json!([]), |_| {});
            world.approve(&ticket)
        })
        .collect();
    for id in &ids {
        assert_eq!(world.ended(id).await.state, ExecutionState::Succeeded);
    }
    assert_eq!(world.all("pipelineruns").await.len(), ids.len());
    assert_eq!(world.journal.count("POST /apis/tekton.dev"), ids.len());
    let whole = world.journal.count("store: all that is unfinished");
    assert!(
        whole <= 2,
        "recorder and dispatcher ask for everything when they start, and not when they are woken: {whole}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_tells_how_it_is() {
    let world = World::start().await;
    let health = world.eventually("ready", async || Some(world.cluster().health()).filter(|h| h.ready)).await;
    assert!(health.sandbox && health.name == "test" && health.problems.is_empty());
    let version = world.eventually("the version", async || world.cluster().health().version).await;
    assert!(version.starts_with('v'), "{version}");
    let missing = world.cluster().pipeline_run(NAMESPACE, "no-such").await;
    assert_eq!(missing, Err(domain::ports::ClusterError::NotFound));
    world.sandbox().faults().set_down(true);
    let down = world.eventually("down", async || Some(world.cluster().health()).filter(|h| !h.ready)).await;
    assert!(down.problems[0].contains("can't be reached"), "{:?}", down.problems);
    world.sandbox().faults().clear();
    world.eventually("back", async || world.cluster().health().ready.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_playbook_without_parameters_runs() {
    let world = World::start().await;
    let id = world.approve(&shell_ticket(&[], &json!([]), |_| {}));
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    assert!(world.all("configmaps").await[0].get("data").is_none(), "the API server leaves out what is empty");
}
