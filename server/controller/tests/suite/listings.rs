//! Listing what a run left: when it may be, the pod's life, and that the pod never stays.

use super::{
    tickets::{shell_ticket, steps_ticket},
    world::{NAMESPACE, World},
};
use domain::{
    execution::{Execution, ExecutionState},
    workspace::{NoListing, WorkspaceListing, claim_name, pod_name},
};
use sandbox::{Effect, Fault, Verb};
use serde_json::{Value, json};

const WORKSPACE: &str = "shared-workspace";
pub const IMAGE: &str = "registry.example/kubernaut/console:0.1.0";

/// A world in which this image lists.
async fn world(image: Option<&str>) -> World {
    let mut world = World::without_controller().await;
    world.lister_image = image.map(str::to_owned);
    world.start_controller();
    world
}

/// A run of three steps that has ended, and its claim's path.
async fn run(world: &World) -> (Execution, String) {
    let run = world.ended(&world.approve(&steps_ticket())).await;
    assert_eq!(run.state, ExecutionState::Succeeded);
    let claim = claim_name(WORKSPACE, run.run_uid.as_deref().unwrap());
    (run, format!("/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/{claim}"))
}

async fn listed(world: &World, run: &Execution) -> Result<WorkspaceListing, NoListing> {
    world.cluster().list_workspace(run, WORKSPACE).await
}

/// The listers' pods that were ever asked for, and that nothing is left of them.
async fn made(world: &World, run: &Execution) -> usize {
    let name = pod_name(&run.subject.id, WORKSPACE);
    world
        .eventually("the pod is gone", async || {
            let pods = world.all("pods").await;
            (!pods.iter().any(|pod| pod["metadata"]["name"] == name.as_str())).then_some(())
        })
        .await;
    world.journal.all().iter().filter(|line| line.starts_with("POST") && line.ends_with("/pods")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_listed_and_the_pod_is_gone_afterwards() {
    let world = world(Some(IMAGE)).await;
    let (run, _) = run(&world).await;
    assert_eq!(listed(&world, &run).await, Ok(WorkspaceListing::default()));
    assert_eq!(made(&world, &run).await, 1);
    assert_eq!(listed(&world, &run).await, Ok(WorkspaceListing::default()), "and again");
    assert_eq!(made(&world, &run).await, 2);
    // Nobody took it for a step of the run.
    assert_eq!(world.store.execution(&run.subject.id).tasks.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_image_nothing_is_asked_for() {
    let world = world(None).await;
    let (run, _) = run(&world).await;
    assert_eq!(listed(&world, &run).await, Err(NoListing::Off));
    assert_eq!(made(&world, &run).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_is_not_looked_into() {
    let world = world(Some(IMAGE)).await;
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |_| {}));
    let mut run = world.until(&id, "running", |e| e.state == ExecutionState::Running && e.run_uid.is_some()).await;
    assert_eq!(listed(&world, &run).await, Err(NoListing::NotEnded));
    // Not by the cluster's word either.
    run.state = ExecutionState::Lost;
    assert_eq!(listed(&world, &run).await, Err(NoListing::NotEnded));
    assert_eq!(made(&world, &run).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_bound_claim_of_this_very_run_is_looked_into() {
    let world = world(Some(IMAGE)).await;
    let (run, claim) = run(&world).await;
    let name = claim.rsplit('/').next().unwrap().to_owned();
    world.merge(&format!("{claim}/status"), &json!({"status": {"phase": "Lost"}})).await;
    let unbound = NoListing::Unbound { claim: name.clone(), phase: "Lost".into() };
    assert_eq!(listed(&world, &run).await, Err(unbound));

    let another = json!([{"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "another", "uid": "another"}]);
    world.merge(&format!("{claim}/status"), &json!({"status": {"phase": "Bound"}})).await;
    world.merge(&claim, &json!({"metadata": {"ownerReferences": another}})).await;
    assert_eq!(listed(&world, &run).await, Err(NoListing::Foreign(name.clone())));

    world.delete(&claim).await;
    assert_eq!(listed(&world, &run).await, Err(NoListing::NoClaim(name)));
    let other = Execution { run_uid: Some("another".into()), ..run.clone() };
    assert_eq!(listed(&world, &other).await, Err(NoListing::NoRun));
    world.delete(&format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/pipelineruns/{}", run.subject.name)).await;
    assert_eq!(listed(&world, &run).await, Err(NoListing::NoRun));
    assert_eq!(made(&world, &run).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lister_that_fails_or_says_something_else_is_no_listing_and_goes_too() {
    for (image, words) in
        [("registry.example/x/fail:1", "this image always fails"), ("registry.example/x/chatty:1", "no listing")]
    {
        let world = world(Some(image)).await;
        let (run, _) = run(&world).await;
        let Err(NoListing::Failed(why)) = listed(&world, &run).await else { panic!("{image} lists") };
        assert!(why.contains(words), "{why}");
        assert_eq!(made(&world, &run).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_forbids_is_told_with_its_words() {
    let world = world(Some(IMAGE)).await;
    let (run, _) = run(&world).await;
    let fault = |verb, kind, effect| world.sandbox().faults().push(Fault::once(verb, kind, effect));
    let user = "system:serviceaccount:kubernaut-system:kubernaut-console";
    let right = format!(r#"pods is forbidden: User "{user}" cannot create resource "pods""#);
    fault(Verb::Create, "pods", Effect::Forbidden(right));
    let Err(NoListing::NotAllowed(why)) = listed(&world, &run).await else { panic!("not allowed") };
    assert!(why.contains("cannot create"), "{why}");
    fault(Verb::Create, "pods", Effect::WebhookDenial("no strangers".into()));
    let Err(NoListing::Refused(why)) = listed(&world, &run).await else { panic!("refused") };
    assert!(why.contains("no strangers"), "{why}");
    fault(Verb::Create, "pods", Effect::Unavailable);
    assert!(matches!(listed(&world, &run).await, Err(NoListing::Unavailable(_))));
    // A pod whose reply was lost can't be told from an older one, so it is deleted and not read.
    fault(Verb::Create, "pods", Effect::LoseReply);
    assert!(matches!(listed(&world, &run).await, Err(NoListing::Unavailable(_))));
    // A delete that fails is tried again.
    fault(Verb::Delete, "pods", Effect::Unavailable);
    assert_eq!(listed(&world, &run).await, Ok(WorkspaceListing::default()));
    made(&world, &run).await;
}

/// A pod under the lister's name.
fn pod(run: &Execution, owner: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": pod_name(&run.subject.id, WORKSPACE), "namespace": NAMESPACE,
            "ownerReferences": [{"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": run.subject.name, "uid": owner}],
        },
        "spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "registry.example/x/sleep:1"}]},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_at_a_time_and_what_is_left_behind_is_cleared_away() {
    let world = world(Some(IMAGE)).await;
    let (run, _) = run(&world).await;
    world.apply(&pod(&run, run.run_uid.as_deref().unwrap())).await.unwrap();
    assert_eq!(listed(&world, &run).await, Err(NoListing::UnderWay));
    world.clock.forward_ms(61_000);
    assert_eq!(listed(&world, &run).await, Ok(WorkspaceListing::default()));
    made(&world, &run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_before_anything_is_made() {
    let world = world(Some(IMAGE)).await;
    let (run, claim) = run(&world).await;
    let may = async || world.cluster().may_list_workspace(&run, WORKSPACE).await;
    assert_eq!(may().await, Ok(()));
    world.apply(&pod(&run, run.run_uid.as_deref().unwrap())).await.unwrap();
    assert_eq!(may().await, Err(NoListing::UnderWay));
    world.clock.forward_ms(61_000);
    assert_eq!(may().await, Ok(()));
    world.delete(&claim).await;
    assert_eq!(may().await, Err(NoListing::NoClaim(claim.rsplit('/').next().unwrap().to_owned())));
    let changes = |line: &&String| line.contains("/pods") && !line.starts_with("GET");
    assert_eq!(world.journal.all().iter().filter(changes).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_not_the_runs_is_left_alone() {
    let world = world(Some(IMAGE)).await;
    let (run, _) = run(&world).await;
    let other = world.ended(&world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}))).await;
    world.apply(&pod(&run, other.run_uid.as_deref().unwrap())).await.unwrap();
    let name = pod_name(&run.subject.id, WORKSPACE);
    assert_eq!(listed(&world, &run).await, Err(NoListing::NameTaken(name.clone())));
    assert!(world.all("pods").await.iter().any(|pod| pod["metadata"]["name"] == name.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_and_goes_away_leaves_no_pod_behind() {
    let world = world(Some("registry.example/x/sleep:1")).await;
    let (run, _) = run(&world).await;
    let (cluster, asked) = (world.cluster(), run.clone());
    let asking = tokio::spawn(async move { cluster.list_workspace(&asked, WORKSPACE).await });
    let name = pod_name(&run.subject.id, WORKSPACE);
    world
        .eventually("the pod is there", async || {
            world.all("pods").await.iter().any(|pod| pod["metadata"]["name"] == name.as_str()).then_some(())
        })
        .await;
    asking.abort();
    assert_eq!(made(&world, &run).await, 1);
}
