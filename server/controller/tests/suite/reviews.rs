//! What the API server is asked about others, and the ClusterRole that is shipped for it.

use super::world::{NAMESPACE, World};
use domain::ports::{ClusterError, ClusterRight, ClusterUser};
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::{Api, api::PostParams};
use serde::Deserialize;
use serde_json::{Value, json};

const AUDIENCE: &str = "kubernaut-console";

async fn token(world: &World, audience: &str) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(world.sandbox().client(), NAMESPACE);
    let request: TokenRequest = serde_json::from_value(json!({"spec": {"audiences": [audience]}})).unwrap();
    let made = accounts.create_token_request("default", &PostParams::default(), &request).await.unwrap();
    made.status.unwrap().token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_told_by_the_cluster_and_only_for_the_consoles_audience() {
    let world = World::start().await;
    let cluster = world.cluster();
    let user = cluster.whose_token(&token(&world, AUDIENCE).await, AUDIENCE).await.unwrap().unwrap();
    assert_eq!(user.username, format!("system:serviceaccount:{NAMESPACE}:default"));
    assert!(user.groups.contains(&format!("system:serviceaccounts:{NAMESPACE}")));
    let other = token(&world, "https://kubernetes.default.svc").await;
    assert_eq!(cluster.whose_token(&other, AUDIENCE).await.unwrap(), None, "for whom it was not made");
    assert_eq!(cluster.whose_token("eyJhbGciOiJub25lIn0.e30.x", AUDIENCE).await.unwrap(), None);
    world.cut_off(true);
    let away = cluster.whose_token(&other, AUDIENCE).await;
    assert!(matches!(away, Err(ClusterError::Unavailable(_))), "no answer is no answer: {away:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_person_may_is_asked_of_the_cluster() {
    let world = World::start().await;
    let right = ClusterRight {
        verb: "create",
        resource: "workflowexecutions.workflowexecution.kubernaut.ai",
        namespace: Some("production".into()),
    };
    let user = |name: &str| ClusterUser { username: name.into(), groups: vec!["kubernaut:operator".into()] };
    world.sandbox().forbid("vera");
    assert!(world.cluster().may(&user("mara"), &right).await.unwrap());
    assert!(!world.cluster().may(&user("vera"), &right).await.unwrap());
    world.cut_off(true);
    let away = world.cluster().may(&user("mara"), &right).await;
    assert!(matches!(away, Err(ClusterError::Unavailable(_))), "no answer is no yes: {away:?}");
}

#[test]
fn the_shipped_role_allows_just_these_two_questions() {
    let text = include_str!("../../../../deploy/components/auth-delegator/rbac.yaml");
    let objects: Vec<Value> =
        serde_norway::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect();
    let role = objects.iter().find(|object| object["kind"] == "ClusterRole").unwrap();
    let rules: Vec<(Value, Value, Value)> = role["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["apiGroups"].clone(), rule["resources"].clone(), rule["verbs"].clone()))
        .collect();
    assert_eq!(
        rules,
        [
            (json!(["authentication.k8s.io"]), json!(["tokenreviews"]), json!(["create"])),
            (json!(["authorization.k8s.io"]), json!(["subjectaccessreviews"]), json!(["create"])),
        ]
    );
}
