//! What only Kubernetes' Warnings tell: said while it holds, kept with the run, and done without where Events may not be read.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::{
    execution::{ExecutionState, TaskState},
    ticket::Ticket,
};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;

const SECRET: &str = "kubeconfig-that-is-not-there";

fn needs_a_secret() -> Ticket {
    shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |content| content["kubeconfig_secret"] = json!(SECRET))
}

async fn give_it(world: &World) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "data": {"kubeconfig": "a3ViZWNvbmZpZw=="},
    });
    world.apply(&secret).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_is_named_until_it_is_there_and_stays_told() {
    let world = World::start().await;
    let id = world.approve(&needs_a_secret());
    let waiting = world.until(&id, "waiting", |run| run.reason.as_deref() == Some("FailedMount")).await;
    let words = format!(": secret \"{SECRET}\" not found");
    assert_eq!((waiting.state, waiting.tasks[0].state), (ExecutionState::Running, TaskState::Pending));
    assert_eq!(waiting.tasks[0].reason.as_deref(), Some("FailedMount"));
    let message = waiting.message.unwrap();
    assert!(
        message.starts_with("execute waits: MountVolume.SetUp failed for volume") && message.ends_with(&words),
        "{message}"
    );
    let warned = &waiting.warnings[0];
    assert_eq!((warned.kind.as_str(), warned.task.as_deref()), ("Pod", Some("execute")));
    assert_eq!(Some(&warned.object), waiting.tasks[0].attempts[0].pod.as_ref());
    world.until(&id, "counted", |run| run.warnings[0].count > 2).await;

    give_it(&world).await;
    let running = world.until(&id, "running", |run| run.tasks[0].state != TaskState::Pending).await;
    assert_ne!(running.tasks[0].reason.as_deref(), Some("FailedMount"), "it holds no more");
    assert!(!running.tasks[0].message.as_deref().unwrap_or_default().contains(SECRET));
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Succeeded, Some("Succeeded")));
    let told: Vec<&str> = ended.warnings.iter().map(|warning| warning.reason.as_str()).collect();
    assert_eq!(told, ["FailedMount"], "once, however often");
}

/// The authorizer's words: whoever the console is, Events are not for it.
fn refuse_events(world: &World) {
    let user = "system:serviceaccount:kubernaut-system:kubernaut-console";
    let words = format!(r#"events is forbidden: User "{user}" cannot list resource "events" in API group """#);
    for verb in [Verb::List, Verb::Watch] {
        world.sandbox().faults().push(Fault::once(verb, "events", Effect::Forbidden(words.clone())).times(1000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_warned_of_before_somebody_listened_is_told_too() {
    let mut world = World::without_controller().await;
    refuse_events(&world);
    world.start_controller();
    let id = world.approve(&needs_a_secret());
    world.until(&id, "a pod", |run| run.tasks[0].attempts.iter().any(|attempt| attempt.pod.is_some())).await;
    world.stop_controller().await;
    assert!(world.store.execution(&id).warnings.is_empty());
    world.sandbox().faults().clear();
    world.start_controller();
    let waiting = world.until(&id, "waiting", |run| run.reason.as_deref() == Some("FailedMount")).await;
    assert_eq!(waiting.warnings.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_read_events_runs_go_on_and_it_is_said() {
    let mut world = World::without_controller().await;
    refuse_events(&world);
    world.start_controller();
    let said = world
        .eventually("said", async || {
            let health = world.cluster().health();
            let said = |problem: &&String| problem.contains("may not list and watch events in kubernaut-system");
            health.problems.iter().find(said).filter(|_| health.ready).cloned()
        })
        .await;
    assert!(said.contains("kubectl apply -k deploy/base/rbac/"), "{said}");
    let fine = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    assert_eq!(world.ended(&fine).await.state, ExecutionState::Succeeded);
    let id = world.approve(&needs_a_secret());
    world.until(&id, "started", |run| run.tasks[0].attempts.iter().any(|attempt| attempt.pod.is_some())).await;
    give_it(&world).await;
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.warnings.len()), (ExecutionState::Succeeded, 0));
}
