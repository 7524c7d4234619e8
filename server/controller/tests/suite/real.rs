//! The same on a real Kubernetes with Tekton: `scripts/test cluster` starts one, or takes that of `TEST_KUBECONFIG`.
//! `CLUSTER_IMAGES` is a file with a line for each image of the tests: its name, and where the cluster finds it, by digest.

use super::{
    registrations,
    tickets::{shell_ticket, steps_plan, ticket},
    world::World,
};
use controller::doctor::{Extras, examine};
use domain::{
    execution::{ExecutionState, TaskState},
    ports::PreflightOutcome,
    ticket::Ticket,
};
use serde_json::{Value, json};

const NAMESPACE: &str = "kubernaut-controller-suite";

async fn world() -> World {
    let client = controller::client(controller::ClientChoice::Kubeconfig).await.expect("KUBECONFIG");
    World::real(client, NAMESPACE).await
}

fn image() -> String {
    let list = std::env::var("CLUSTER_IMAGES").expect("CLUSTER_IMAGES");
    let list = std::fs::read_to_string(list).expect("the file that CLUSTER_IMAGES names");
    let image = list.lines().find_map(|line| line.strip_prefix("playbook-shell "));
    image.expect("a line for playbook-shell").to_owned()
}

/// A run of the recorded image; `salt` makes its name one of its own.
fn shell(salt: &str, parameters: &[(&str, &str)], with: impl FnOnce(&mut Value)) -> Ticket {
    shell_ticket(parameters, &json!([]), |content| {
        content["namespace"] = json!(NAMESPACE);
        content["plan"]["image"] = json!(image());
        content["incident_id"] = json!(format!("{salt}-{}", std::process::id()));
        with(content);
    })
}

fn steps() -> Value {
    let mut plan = steps_plan();
    for step in plan["steps"].as_array_mut().unwrap() {
        step["image"] = json!(image());
    }
    plan
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn a_playbook_gets_exactly_what_was_approved() {
    let world = world().await;
    world.eventually("ready", async || Some(world.cluster().health()).filter(|h| h.ready)).await;
    let sly = "a $$b ${c} 'd' \"e\" \\f $HOME";
    let ticket = shell("plain", &[("RUN_SECONDS", "2"), ("SLY", sly)], |_| {});
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{ended:#?}");
    assert_eq!(ended.tasks[0].results["outputs"], json!({"observed": "ok"}));
    let log = world.logged(&id, "execute", 1, "done").await;
    assert!(log.contains(&format!("SLY={sly}")), "{log:?}");
    world
        .eventually("Completed", async || {
            (world.workflow(&ticket.name()).await?["status"]["phase"] == "Completed").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn a_failed_try_is_an_attempt() {
    let world = world().await;
    let ticket =
        shell("retry", &[("RUN_SECONDS", "1"), ("FAIL", "first")], |content| content["retry_count"] = json!(1));
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{ended:#?}");
    let states: Vec<TaskState> = ended.tasks[0].attempts.iter().map(|a| a.state).collect();
    assert_eq!(states, [TaskState::Failed, TaskState::Succeeded]);
    world.logged(&id, "execute", 1, "started as").await;
    world.logged(&id, "execute", 2, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn cancelled_while_it_runs() {
    let world = world().await;
    let ticket = shell("cancel", &[("RUN_SECONDS", "600")], |_| {});
    let id = world.approve(&ticket);
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.logged(&id, "execute", 1, "RUN_SECONDS").await;
    world.store.ask_to_cancel(&id);
    world.cluster().wake();
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.tasks[0].state), (ExecutionState::Cancelled, TaskState::Cancelled));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn deleted_while_it_runs() {
    let world = world().await;
    let ticket = shell("lost", &[("RUN_SECONDS", "600")], |_| {});
    let id = world.approve(&ticket);
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.delete(&format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/pipelineruns/{}", ticket.name())).await;
    assert_eq!(world.ended(&id).await.state, ExecutionState::Lost);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn applied_by_hand_it_waits_and_then_runs_its_three_steps() {
    let world = world().await;
    let name = format!("remediate-payment-oom-{}", std::process::id());
    let object = json!({
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1", "kind": "WorkflowExecution",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "workflowType": "multi-step-remediation",
            "reason": "OOMKilled alert detected for payment-service",
            "steps": steps()["steps"],
        },
    });
    world.apply(&object).await.unwrap();
    let mut changed = object.clone();
    changed["spec"]["reason"] = json!("another");
    let refused = format!("{:?}", world.apply(&changed).await.unwrap_err());
    assert!(refused.contains("spec is immutable"), "{refused}");
    let mut both = object.clone();
    both["metadata"]["name"] = json!("both");
    both["spec"]["playbook"] = json!({"id": "x", "version": "1.0.0"});
    let refused = format!("{:?}", world.apply(&both).await.unwrap_err());
    assert!(refused.contains("exactly one of steps and playbook"), "{refused}");
    let waiting = world
        .eventually("Initializing", async || {
            let object = world.workflow(&name).await?;
            (object["status"]["phase"] == "Initializing").then_some(object)
        })
        .await;
    let ticket = ticket(&steps(), |content| {
        content["namespace"] = json!(NAMESPACE);
        content["adopts"] = json!({"name": name, "uid": waiting["metadata"]["uid"]});
    });
    let id = world.approve(&ticket);
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{ended:#?}");
    assert!(ended.tasks.iter().all(|t| t.state == TaskState::Succeeded));
    world
        .eventually("Completed", async || {
            (world.workflow(&name).await?["status"]["phase"] == "Completed").then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn a_playbook_is_registered_by_the_documented_example_and_the_definition_refuses_what_it_must() {
    let world = world().await;
    let path = format!(
        "/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationworkflows/{}",
        registrations::NAME
    );
    if world.get(&path).await.is_some() {
        world.delete(&path).await;
    }
    let object = registrations::applied(NAMESPACE);
    world.apply(&object).await.unwrap();
    let told = registrations::answered(&world, registrations::NAME, "True").await;
    assert_eq!(told["playbook"]["version"], "1.0.0");
    // The same again is fine; so is another label; another content is not.
    world.apply(&object).await.unwrap();
    for (what, value) in [("title", json!("another")), ("version", json!("1.0.1"))] {
        let mut changed = object.clone();
        changed["spec"][what] = value;
        let refused = format!("{:?}", world.apply(&changed).await.unwrap_err());
        assert!(refused.contains("spec is immutable"), "{refused}");
    }
    let mut default = object.clone();
    default["spec"]["parameters"]["exposed"][4]["default"] = json!(2);
    let refused = format!("{:?}", world.apply(&default).await.unwrap_err());
    assert!(refused.contains("spec is immutable"), "values without a type are compared, too: {refused}");
    registrations::refuses_what_it_must(&world, NAMESPACE).await;
    world.delete(&path).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster"]
async fn the_preflight_finds_everything_and_says_what_mends_a_miss() {
    let world = world().await;
    let client = controller::client(controller::ClientChoice::Kubeconfig).await.expect("KUBECONFIG");
    let found = examine(client.clone(), &world.namespace, &Extras::default()).await;
    let missing: Vec<_> = found.iter().filter(|check| check.outcome == PreflightOutcome::Missing).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let tekton = found.iter().find(|check| check.subject == "Tekton").expect("a word about Tekton");
    assert!(tekton.words.starts_with("Pipelines v1."), "{tekton:?}");
    // Where nothing was installed.
    let found = examine(client, "default", &Extras::default()).await;
    let missing: Vec<_> = found.iter().filter(|check| check.outcome == PreflightOutcome::Missing).collect();
    assert_eq!(missing.len(), 1, "{missing:#?}");
    let mend = "kubectl kustomize deploy/base/tekton/ | sed 's/kubernaut-system/default/g' | kubectl apply -f -";
    assert_eq!(missing[0].mend.as_deref(), Some(mend));
}
