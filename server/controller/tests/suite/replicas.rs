//! Two consoles on one cluster: one acts, the other waits for its turn.

use super::{tickets::shell_ticket, world::World};
use domain::{
    execution::{ExecutionState, TaskState},
    ports::{Cluster, ClusterHealth},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kubernaut-system/leases/kubernaut-console";

async fn first() -> World {
    let mut world = World::without_controller().await;
    world.replica = Some("first".into());
    world.start_controller();
    world.eventually("the first acts", async || world.cluster().health().ready.then_some(())).await;
    assert_eq!(world.cluster().health().acting, None);
    world
}

async fn settled(world: &World, cluster: &Arc<dyn Cluster>, wanted: impl Fn(&ClusterHealth) -> bool) -> ClusterHealth {
    world.eventually("settled", async || Some(cluster.health()).filter(|health| wanted(health))).await
}

async fn holder(world: &World) -> String {
    world.get(LEASE).await.unwrap()["spec"]["holderIdentity"].as_str().unwrap().to_owned()
}

fn ticket(seconds: &str, name: &str) -> domain::ticket::Ticket {
    shell_ticket(&[("RUN_SECONDS", seconds), ("NAME", name)], &json!([]), |_| {})
}

#[tokio::test(flavor = "multi_thread")]
async fn one_acts_and_the_other_takes_over_when_it_ends() {
    let mut world = first().await;
    world.replica = Some("second".into());
    let (other, stop) = world.another_controller();
    let standby = settled(&world, &other.cluster(), |health| health.ready).await;
    assert_eq!(standby.acting.as_deref(), Some("first"), "{standby:?}");
    let id = world.approve(&ticket("600", "a"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;

    // It gives the Lease back when it is asked to stop: nobody waits for it to run out.
    let began = Instant::now();
    world.stop_controller().await;
    settled(&world, &other.cluster(), |health| health.ready && health.acting.is_none()).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(holder(&world).await, "second");
    // What the first began, the second ends.
    world.store.ask_to_cancel(&id);
    other.cluster().wake();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Cancelled);
    assert_eq!(world.all("pipelineruns").await.len(), 1);
    stop.cancel();
    other.finished().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_cut_off_stops_and_the_other_takes_over() {
    let world = first().await;
    let id = world.approve(&ticket("600", "b"));
    world.until(&id, "running", |e| e.tasks[0].state == TaskState::Running).await;
    // Only the first one's way goes through what is cut.
    let (other, stop) = world.beside("second");
    settled(&world, &other.cluster(), |health| health.acting.is_some()).await;
    let began = Instant::now();
    world.cut_off(true);
    world
        .until_for(15, "a takeover", || other.cluster().health().acting.is_none() && other.cluster().health().ready)
        .await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let first = settled(&world, &world.cluster(), |health| health.problems[0].contains("can't be reached")).await;
    assert!(!first.ready, "{first:?}");
    // It comes back, and waits for its turn.
    world.cut_off(false);
    let health = settled(&world, &world.cluster(), |health| health.ready).await;
    assert_eq!(health.acting.as_deref(), Some("second"));
    world.store.ask_to_cancel(&id);
    other.cluster().wake();
    assert_eq!(world.ended(&id).await.state, ExecutionState::Cancelled);
    stop.cancel();
    other.finished().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_calls_the_cluster_otherwise_is_no_console_to_stand_by_for() {
    let world = first().await;
    let theirs = json!({ "metadata": { "annotations": { "kubernaut.io/cluster": "west" } }, "spec": { "holderIdentity": "other" } });
    world.edit(LEASE, &theirs).await;
    // Whether that one is still there is not known before it renews the Lease.
    let held = |health: &ClusterHealth| health.problems.iter().any(|p| p.contains("held by 'other'"));
    let health = settled(&world, &world.cluster(), held).await;
    assert!(!health.ready && health.problems[0].contains("until it runs out; wait ten seconds"), "{health:?}");
    world.edit(LEASE, &json!({ "spec": { "renewTime": "2026-11-23T03:00:00.000000Z" } })).await;
    let told = |health: &ClusterHealth| health.problems.iter().any(|p| p.contains("'other' acts in kubernaut-system"));
    let health = settled(&world, &world.cluster(), told).await;
    assert!(!health.ready && health.acting.is_none(), "{health:?}");
    assert!(health.problems[0].contains("knows this cluster as 'west', not as 'test'"), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_with_another_database_is_no_console_to_stand_by_for() {
    let mut world = first().await;
    (world.replica, world.database) = (Some("second".into()), "another".into());
    let (other, stop) = world.another_controller();
    let told = |health: &ClusterHealth| health.problems.iter().any(|p| p.contains("another database"));
    let health = settled(&world, &other.cluster(), told).await;
    assert!(!health.ready && health.acting.is_none(), "{health:?}");
    for words in ["acts on the namespace kubernaut-system: 'first' does not see", "give both one --database-url"] {
        assert!(health.problems[0].contains(words), "{health:?}");
    }
    // Its turn comes as any other's, and the Lease then says whose it is.
    world.stop_controller().await;
    settled(&world, &other.cluster(), |health| health.ready && health.problems.is_empty()).await;
    let lease = world.get(LEASE).await.unwrap();
    assert_eq!(lease["metadata"]["annotations"]["kubernaut.io/database"], "another");
    stop.cancel();
    other.finished().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_somebody_only_touches_is_told_once_approved_runs_wait() {
    let world = first().await;
    let touch = async |times: u32| {
        let spec = json!({ "holderIdentity": "somebody", "leaseTransitions": times });
        world.edit(LEASE, &json!({ "spec": spec })).await;
    };
    touch(1).await;
    settled(&world, &world.cluster(), |health| health.acting.is_some()).await;
    let id = world.approve(&ticket("1", "held"));
    let waits = |health: &ClusterHealth| health.problems.iter().any(|p| p.contains("nothing that is approved"));
    let mut told = None;
    for times in 2..12 {
        world.clock.forward_ms(31_000);
        tokio::time::sleep(Duration::from_secs(3)).await;
        touch(times).await;
        told = Some(world.cluster().health()).filter(waits);
        if told.is_some() {
            break;
        }
    }
    let health = told.expect("it says so");
    assert!(!health.ready && health.acting.is_none(), "{health:?}");
    for words in ["held by 'somebody' since ", "kubectl -n kubernaut-system delete lease kubernaut-console"] {
        assert!(health.problems[0].contains(words), "{health:?}");
    }
    let run = world.until(&id, "told why it waits", |run| run.message.is_some()).await;
    assert!(run.message.unwrap().contains("held by 'somebody'"));
    // Nobody touches it any more, or it is deleted as was said: the run goes on.
    world.delete(LEASE).await;
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_somebody_took_is_let_go_of() {
    let world = first().await;
    world.edit(LEASE, &json!({ "spec": { "holderIdentity": "somebody" } })).await;
    let health = settled(&world, &world.cluster(), |health| health.acting.is_some()).await;
    assert_eq!(health.acting.as_deref(), Some("somebody"));
    // Nobody renews it: it is taken back after its time.
    world
        .until_for(15, "its turn again", || world.cluster().health().ready && world.cluster().health().acting.is_none())
        .await;
    assert_eq!(holder(&world).await, "first");
}
