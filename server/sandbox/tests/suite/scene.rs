//! What the world is like at the start, with trouble and without.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use sandbox::AlertState;

use crate::bench::{ready, troubled};

#[tokio::test(start_paused = true)]
async fn without_a_scene_the_seeds_targets_are_there_and_well() {
    let sandbox = ready();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(sandbox.alerts().iter().all(|alert| alert.state != AlertState::Firing), "{:?}", sandbox.alerts());
    let deployments: Api<Deployment> = Api::namespaced(sandbox.client(), "production");
    let all = deployments.list(&ListParams::default()).await.unwrap();
    let names: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
    assert_eq!(names, ["catalog", "checkout", "inventory", "my-app", "payment-service"]);
    for deployment in all {
        let (wanted, status) = (deployment.spec.as_ref().unwrap().replicas, deployment.status.as_ref().unwrap());
        assert_eq!(status.ready_replicas, wanted, "{}", deployment.name_any());
    }
    let stores: Api<StatefulSet> = Api::namespaced(sandbox.client(), "production");
    assert_eq!(stores.get("session-store").await.unwrap().status.unwrap().ready_replicas, Some(1));
}

#[tokio::test(start_paused = true)]
async fn in_the_demo_three_of_them_are_in_trouble() {
    let sandbox = troubled();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let firing = sandbox.alerts().into_iter().filter(|alert| alert.state == AlertState::Firing);
    let mut names: Vec<String> = firing.map(|alert| alert.name).collect();
    names.sort();
    assert_eq!(names, ["inventory", "my-app", "payment-service"]);
}
