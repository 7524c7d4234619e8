//! Whatever is not what was approved does not run.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::execution::{Execution, ExecutionState};
use http::Method;
use serde_json::{Value, json};

fn ticket() -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {})
}

/// Approves while a webhook changes what is written; nothing may run.
async fn with_webhook(change: impl Fn(&Method, &str, &mut Value) + Send + 'static) -> (World, Execution) {
    let world = World::start().await;
    *world.webhook.lock().unwrap() = Some(Box::new(change));
    let id = world.approve(&ticket());
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NotAsApproved")));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(world.all("taskruns").await.is_empty(), "nothing runs");
    (world, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_execution_that_a_webhook_changed() {
    let (world, ended) = with_webhook(|method, path, body| {
        if method == Method::POST && path.ends_with("workflowexecutions") {
            body["spec"]["playbook"]["parameters"][0]["value"] = json!("600");
        }
    })
    .await;
    assert!(ended.message.unwrap().contains(r#"parameters[0].value: sent "1", got "600""#));
    assert_eq!(world.journal.count("POST"), 1, "neither ConfigMap nor PipelineRun was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_map_that_a_webhook_changed() {
    let (world, ended) = with_webhook(|method, path, body| {
        if method == Method::POST && path.ends_with("configmaps") {
            body["data"]["LD_PRELOAD"] = json!("/tmp/x.so");
        }
    })
    .await;
    assert!(ended.message.unwrap().contains("data.LD_PRELOAD"));
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_run_that_a_webhook_changed_is_stopped_before_it_starts() {
    let (world, ended) = with_webhook(|method, path, body| {
        if method == Method::POST && path.ends_with("pipelineruns") {
            body["spec"]["taskRunTemplate"]["serviceAccountName"] = json!("cluster-admin");
        }
    })
    .await;
    assert!(ended.message.unwrap().contains(r#"serviceAccountName: sent "playbook-executor", got "cluster-admin""#));
    let run = world.pipeline_run(&ticket().name()).await.unwrap();
    assert_eq!(run["spec"]["status"], "Cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_was_changed_in_the_store() {
    let world = World::without_controller().await;
    let ticket = ticket();
    let id = world.approve(&ticket);
    world.store.tamper_ticket(ticket.digest(), r#""text":"1""#, r#""text":"9""#);
    let mut world = world;
    world.start_controller();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("TicketTampered")));
    assert_eq!(world.journal.count("POST"), 0, "nothing was asked of the cluster");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_belongs_to_somebody_else() {
    let world = World::without_controller().await;
    let ticket = ticket();
    for (kind, object) in [
        (
            "workflowexecutions",
            json!({
                "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1", "kind": "WorkflowExecution",
                "metadata": {"name": ticket.name(), "namespace": NAMESPACE,
                    "annotations": {"kubernaut.io/ticket-digest": ticket.digest()}},
                "spec": {"workflowType": "x", "reason": "x", "playbook": {"id": "x", "version": "1.0.0"}},
            }),
        ),
        (
            "configmaps",
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("{}-parameters", ticket.name()), "namespace": NAMESPACE}, "data": {"A": "b"},
            }),
        ),
    ] {
        let mut world = World::without_controller().await;
        world.apply(&object).await.unwrap();
        let before = world.all(kind).await;
        world.start_controller();
        let id = world.approve(&ticket);
        let ended = world.ended(&id).await;
        assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NameTaken")), "{kind}");
        let after = world.all(kind).await;
        assert_eq!(before[0]["metadata"]["uid"], after[0]["metadata"]["uid"], "{kind}: nothing is deleted");
        assert_eq!(before[0]["spec"], after[0]["spec"]);
        assert_eq!(before[0]["data"], after[0]["data"]);
        assert!(world.all("pipelineruns").await.is_empty() && world.journal.count("DELETE") == 0);
    }
    drop(world);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_claims_a_ticket_nobody_approved() {
    let world = World::start().await;
    let object = json!({
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1", "kind": "WorkflowExecution",
        "metadata": {"name": "forged", "namespace": NAMESPACE,
            "annotations": {"kubernaut.io/ticket-digest": ticket().digest()}},
        "spec": {"workflowType": "x", "reason": "x", "playbook": {"id": "x", "version": "1.0.0"}},
    });
    world.apply(&object).await.unwrap();
    let status = world
        .eventually("Failed", async || {
            let status = world.workflow("forged").await?["status"].clone();
            (status["phase"] == "Failed").then_some(status)
        })
        .await;
    assert_eq!(status["conditions"][0]["reason"], "UnknownTicket");
    assert!(world.intake.came.lock().unwrap().is_empty());
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_for_another_cluster_or_namespace() {
    for (field, value) in [("namespace", "production"), ("cluster", "other")] {
        let world = World::start().await;
        let ticket = shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |content| content[field] = json!(value));
        let id = world.store.approve(&ticket, 900_000);
        world.store.move_execution(&id, "test", NAMESPACE);
        world.cluster().wake();
        let ended = world.ended(&id).await;
        assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("TicketMismatch")), "{field}");
        assert_eq!(world.journal.count("POST"), 0);
    }
}
