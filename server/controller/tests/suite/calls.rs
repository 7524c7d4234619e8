//! Calls that are lost, refused for now, or answered twice: one object of a run, whatever happens.

use super::{tickets::shell_ticket, world::World};
use domain::execution::{Execution, ExecutionState};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;

const KINDS: [&str; 3] = ["workflowexecutions", "configmaps", "pipelineruns"];

async fn struck(kind: &str, effect: Effect) -> World {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, kind, effect));
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    let ended = world.ended(&id).await;
    assert_eq!(ended.state, ExecutionState::Succeeded, "{kind}: {:?}", ended.message);
    assert_eq!(world.sandbox().faults().pending(), 0, "{kind}: the fault struck");
    for kind in KINDS {
        assert_eq!(world.all(kind).await.len(), 1, "{kind}");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_looked_up_and_never_sent_again() {
    for kind in KINDS {
        let world = struck(kind, Effect::LoseReply).await;
        let posts = world.journal.all().iter().filter(|l| l.starts_with("POST") && l.ends_with(kind)).count();
        assert_eq!(posts, 1, "{kind}: what was done is found by its name, not done again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_arrived_is_sent_again_under_the_same_name() {
    for kind in KINDS {
        struck(kind, Effect::Disconnect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_given_time() {
    for effect in [Effect::InternalError, Effect::Unavailable] {
        let world = struck("pipelineruns", effect).await;
        assert_eq!(world.journal.count("POST /apis/tekton.dev"), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, "workflowexecutions", Effect::TooManyRequests(2)));
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    let before = tokio::time::Instant::now();
    // Being woken does not shorten it.
    let waker = world.cluster();
    let impatient = tokio::spawn(async move {
        for _ in 0..50 {
            waker.wake();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    world.until(&id, "created", |e| e.uid.is_some()).await;
    assert!(before.elapsed() >= std::time::Duration::from_secs(2), "{:?}", before.elapsed());
    assert_eq!(world.journal.count("POST /apis/workflowexecution"), 2);
    assert_eq!(world.journal.count("claim exec-1 given"), 2, "the claim is taken anew at each try");
    impatient.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_read_again_and_decided_again() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", Effect::Conflict));
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    assert_eq!(world.all("pipelineruns").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_forbids_ends_the_run_with_its_words() {
    for (kind, effect, words) in [
        ("workflowexecutions", Effect::Forbidden("no rights here".into()), "no rights here"),
        ("pipelineruns", Effect::WebhookDenial("image is not signed".into()), "image is not signed"),
        ("pipelineruns", Effect::Invalid("spec.params is odd".into()), "spec.params is odd"),
        ("configmaps", Effect::Forbidden("no config maps".into()), "no config maps"),
    ] {
        let world = World::start().await;
        world.sandbox().faults().push(Fault::once(Verb::Create, kind, effect));
        let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
        let ended = world.ended(&id).await;
        assert_eq!(ended.state, ExecutionState::Failed);
        assert!(ended.message.as_ref().unwrap().contains(words), "{:?}", ended.message);
        let posts = world.journal.all().iter().filter(|l| l.starts_with("POST") && l.ends_with(kind)).count();
        assert_eq!(posts, 1, "{kind}: a refusal is final");
        assert!(world.all("taskruns").await.is_empty());
    }
}

/// The authorizer's own words.
fn no_right(plural: &str) -> Effect {
    let user = "system:serviceaccount:kubernaut-system:kubernaut-console";
    Effect::Forbidden(format!(r#"{plural} is forbidden: User "{user}" cannot create resource "{plural}""#))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_an_api_server_does_not_know_yet_is_waited_for() {
    let world = World::start().await;
    for kind in ["workflowexecutions", "configmaps", "pipelineruns"] {
        world.sandbox().faults().push(Fault::once(Verb::Create, kind, no_right(kind)).times(2));
    }
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    assert_eq!(world.all("pipelineruns").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_stays_missing_ends_the_run() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, "pipelineruns", no_right("pipelineruns")).times(1000));
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("Forbidden")));
    assert!(ended.message.as_ref().unwrap().contains("cannot create resource"), "{:?}", ended.message);
    assert!(world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_to_change_runs_that_stays_missing_is_said_to_keep_it_from_being_stopped_too() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Patch, "pipelineruns", no_right("pipelineruns")).times(1000));
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    let stuck = |run: &Execution| run.message.as_ref().is_some_and(|words| words.contains("could not be stopped"));
    world.until(&id, "not stopped either", stuck).await;
    assert!(world.all("taskruns").await.is_empty(), "it is held");
    // It could not be stopped, and nothing else speaks against it.
    world.sandbox().faults().clear();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    assert_eq!(world.all("pipelineruns").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_runs_out_while_the_server_is_busy_never_starts() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, "workflowexecutions", Effect::Unavailable).times(100));
    let id = world.approve_for(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}), 60_000);
    world.eventually("a try", async || (world.journal.count("POST") > 0).then_some(())).await;
    world.clock.forward_ms(61_000);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("ApprovalExpired")));
    assert!(ended.message.unwrap().contains("not started yet"), "it says what was in the way");
    world.sandbox().faults().clear();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(world.all("workflowexecutions").await.is_empty() && world.all("pipelineruns").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_runs_out_before_the_pipeline_run_never_starts() {
    let world = World::start().await;
    world.sandbox().faults().push(Fault::once(Verb::Create, "configmaps", Effect::Unavailable).times(100));
    let ticket = shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {});
    let id = world.approve_for(&ticket, 60_000);
    world.eventually("a try", async || (world.journal.count("POST /api/v1") > 0).then_some(())).await;
    world.clock.forward_ms(61_000);
    let ended = world.ended(&id).await;
    assert_eq!((ended.state, ended.reason.as_deref()), (ExecutionState::Failed, Some("ApprovalExpired")));
    world.sandbox().faults().clear();
    let failed = async || (world.workflow(&ticket.name()).await?["status"]["phase"] == "Failed").then_some(());
    world.eventually("Failed", failed).await;
    assert!(world.all("pipelineruns").await.is_empty());
}
