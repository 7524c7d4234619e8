//! WorkflowExecutions that somebody applied by hand.

use super::{
    decisions::recommendation,
    store::actor,
    tickets::{shell_ticket, steps_plan, ticket},
    world::{NAMESPACE, World},
};
use domain::{
    decision::Decision,
    execution::ExecutionState,
    fault::Fault,
    ids::{Digest, RecommendationId},
    recommendation::RecommendationState,
    workflow::StepPlan,
};
use sandbox::{Effect, Verb};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NAME: &str = "remediate-payment-oom";

/// The architecture seed's example, images by tag.
fn applied() -> Value {
    let plan = steps_plan();
    let mut steps = plan["steps"].clone();
    for step in steps.as_array_mut().unwrap() {
        let image = step["image"].as_str().unwrap();
        step["image"] = json!(image.split('@').next().unwrap());
    }
    json!({
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1", "kind": "WorkflowExecution",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "workflowType": "multi-step-remediation",
            "reason": "OOMKilled alert detected for payment-service",
            "steps": steps,
        },
    })
}

async fn status(world: &World, phase: &str) -> Value {
    world
        .eventually(phase, async || {
            let status = world.workflow(NAME).await?["status"].clone();
            (status["phase"] == phase).then_some(status)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_its_decision_and_then_runs() {
    let world = World::start().await;
    world.apply(&applied()).await.unwrap();
    let waiting = status(&world, "Initializing").await;
    assert_eq!(waiting["conditions"][0]["type"], "Approved");
    assert_eq!(waiting["conditions"][0]["reason"], "AwaitingDecision");
    let object = world.workflow(NAME).await.unwrap();
    let uid = object["metadata"]["uid"].as_str().unwrap().to_owned();
    {
        let came = world.intake.came.lock().unwrap();
        assert_eq!(came.len(), 1, "handed over once");
        assert_eq!((came[0].name.as_str(), came[0].uid.as_str()), (NAME, uid.as_str()));
        assert_eq!(came[0].spec["steps"][2]["runAfter"], json!(["restart-pods", "scale-deployment"]));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.all("pipelineruns").await.is_empty(), "it waits");

    let ticket = ticket(&steps_plan(), |content| content["adopts"] = json!({"name": NAME, "uid": uid}));
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
    let object = world.workflow(NAME).await.unwrap();
    assert_eq!(object["metadata"]["uid"], json!(uid), "the very object that was applied");
    assert_eq!(object["metadata"]["annotations"]["kubernaut.io/ticket-digest"], json!(ticket.digest()));
    status(&world, "Completed").await;
    assert_eq!(world.intake.came.lock().unwrap().len(), 1);
    assert_eq!(world.journal.count("POST /apis/workflowexecution"), 0, "none was created");
}

/// The steps as intake resolves them: every image by its whole digest.
fn resolved(spec: &Value) -> Value {
    let mut plan = StepPlan::parse(spec).unwrap();
    for step in &mut plan.steps {
        let short = step.image.abbreviation().unwrap_or("v1");
        let digest = sandbox::Registry.resolve(&format!("{}:{short}", step.image.repository())).unwrap();
        step.image = step.image.with_digest(Digest::try_from(digest).unwrap());
    }
    json!({"kind": "steps", "workflow_type": plan.workflow_type, "steps": plan.steps})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_own_text_is_applied_approved_and_runs() {
    let world = World::start().await;
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../domain/tests/seeds/workflow-execution-spec.json");
    let spec: Value = serde_json::from_str(&std::fs::read_to_string(seed).unwrap()).unwrap();
    let mut object = applied();
    object["spec"] = spec.clone();
    world.apply(&object).await.unwrap();
    status(&world, "Initializing").await;
    let uid = world.workflow(NAME).await.unwrap()["metadata"]["uid"].clone();
    let came = world.intake.came.lock().unwrap()[0].spec.clone();
    assert_eq!(came["steps"][1]["image"], "ghcr.io/kubernaut/actions/scale@sha256:abc123");
    let ticket = ticket(&resolved(&came), |content| content["adopts"] = json!({"name": NAME, "uid": uid}));
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{:?}", ended.message);
}

/// A status that says `Initializing` with this message.
async fn initializing(world: &World, name: &str, message: &str) -> Value {
    world
        .eventually(message, async || {
            let status = world.workflow(name).await?["status"].clone();
            let says = status["message"].as_str().is_some_and(|m| m.contains(message));
            (says && status["phase"] == "Initializing").then_some(status)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn between_its_approval_and_its_start_it_says_so() {
    let world = World::start().await;
    world.apply(&applied()).await.unwrap();
    status(&world, "Initializing").await;
    world.sandbox().faults().push(sandbox::Fault::once(Verb::Create, "configmaps", Effect::Unavailable).times(1000));
    let uid = world.workflow(NAME).await.unwrap()["metadata"]["uid"].clone();
    let adopted = ticket(&steps_plan(), |content| content["adopts"] = json!({"name": NAME, "uid": uid}));
    let made = shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {});
    for (name, ticket) in [(NAME.to_owned(), &adopted), (made.name(), &made)] {
        world.approve(ticket);
        let status = initializing(&world, &name, "not started yet").await;
        let condition = |kind: &str| {
            status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == kind).unwrap()["status"].clone()
        };
        assert_eq!((condition("Approved"), condition("Succeeded")), (json!("True"), json!("Unknown")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_being_deleted_is_neither_marked_nor_started() {
    let world = World::start().await;
    let mut object = applied();
    object["metadata"]["finalizers"] = json!(["example.com/holds-it"]);
    world.apply(&object).await.unwrap();
    status(&world, "Initializing").await;
    let path = |name: &str| {
        format!("/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/workflowexecutions/{name}")
    };
    world.delete(&path(NAME)).await;
    let there = world.workflow(NAME).await.unwrap();
    assert!(there["metadata"]["deletionTimestamp"].is_string(), "it is held");
    let adopted = ticket(&steps_plan(), |content| {
        content["adopts"] = json!({"name": NAME, "uid": there["metadata"]["uid"]});
    });
    let id = world.approve(&adopted);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("WorkflowExecutionGone")));
    let annotations = &world.workflow(NAME).await.unwrap()["metadata"]["annotations"];
    assert!(annotations["kubernaut.io/ticket-digest"].is_null(), "nothing was changed");

    // Deleted between its creation and its start.
    *world.webhook.lock().unwrap() = Some(Box::new(|method, path, body| {
        if method == http::Method::POST && path.ends_with("workflowexecutions") {
            body["metadata"]["finalizers"] = json!(["example.com/holds-it"]);
        }
    }));
    world.sandbox().faults().push(sandbox::Fault::once(Verb::Create, "configmaps", Effect::Unavailable).times(1000));
    let made = shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {});
    let id = world.approve(&made);
    initializing(&world, &made.name(), "not started yet").await;
    world.delete(&path(&made.name())).await;
    world.sandbox().faults().clear();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Lost, Some("WorkflowExecutionDeleted")));
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_it_is_said_on_it() {
    let world = World::start().await;
    let fault = Fault::new("/steps/0/image", "malformed", "give the image by digest");
    world.intake.faults.lock().unwrap().push(fault);
    world.apply(&applied()).await.unwrap();
    let failed = status(&world, "Failed").await;
    assert_eq!(
        (failed["conditions"][0]["type"].as_str(), failed["conditions"][0]["status"].as_str()),
        (Some("Valid"), Some("False"))
    );
    assert_eq!(failed["message"], "/steps/0/image: give the image by digest");
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_is_said_on_it() {
    let world = World::start().await;
    world.apply(&applied()).await.unwrap();
    status(&world, "Initializing").await;
    let uid = world.workflow(NAME).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let decision: Decision = serde_json::from_value(json!({
        "id": "d-1", "recommendation_id": "rec-1", "verb": "reject", "strategy": 0, "ticket_digest": null,
        "reason": "not at night", "actor": actor(), "at": "2026-11-23T03:01:00.000Z",
    }))
    .unwrap();
    world.store.put_decision(decision);
    world.store.put_recommendation(&uid, recommendation(RecommendationState::Decided));
    let told = Instant::now();
    world.cluster().decided(&RecommendationId::new("rec-1"));
    let failed = status(&world, "Failed").await;
    assert_eq!(failed["message"], "rejected by Ada: not at night");
    assert!(told.elapsed() < Duration::from_secs(5), "it does not wait until it is looked at again");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_under_the_name_is_not_adopted() {
    let world = World::start().await;
    world.apply(&applied()).await.unwrap();
    status(&world, "Initializing").await;
    let ticket = ticket(&steps_plan(), |content| content["adopts"] = json!({"name": NAME, "uid": "the-one-before"}));
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NameTaken")));
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_says_something_else_than_was_approved_does_not_run() {
    let world = World::start().await;
    let mut object = applied();
    object["spec"]["steps"][1]["inputs"]["replicas"] = json!(11);
    world.apply(&object).await.unwrap();
    status(&world, "Initializing").await;
    let uid = world.workflow(NAME).await.unwrap()["metadata"]["uid"].clone();
    let ticket = ticket(&steps_plan(), |content| content["adopts"] = json!({"name": NAME, "uid": uid}));
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("NotAsApproved")));
    assert!(ended.message.unwrap().contains("inputs.replicas: sent 10, got 11"));
    let failed = status(&world, "Failed").await;
    assert!(failed["message"].as_str().unwrap().contains("replicas"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_definition_refuses_what_it_must() {
    let world = World::without_controller().await;
    let mut both = applied();
    both["spec"]["playbook"] = json!({"id": "x", "version": "1.0.0"});
    let mut neither = applied();
    neither["spec"].as_object_mut().unwrap().remove("steps");
    for bad in [both, neither] {
        let refused = format!("{:?}", world.apply(&bad).await.unwrap_err());
        assert!(refused.contains("exactly one of steps and playbook"), "{refused}");
    }
    world.apply(&applied()).await.unwrap();
    let mut changed = applied();
    changed["spec"]["reason"] = json!("another");
    let refused = format!("{:?}", world.apply(&changed).await.unwrap_err());
    assert!(refused.contains("spec is immutable"), "{refused}");
}
