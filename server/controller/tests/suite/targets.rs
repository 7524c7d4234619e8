//! What a remediation would act on, read through the API; and the ClusterRole that is shipped for it against what is asked for,
//! both ways.

use super::world::{NAMESPACE, World};
use domain::{
    assessment::judge::TargetHealth,
    recommendation::ResourceRef,
    target::state::{Beside, Reading, TargetState},
    time::Timestamp,
};
use sandbox::{Effect, Fault, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

fn resource(kind: &str, name: &str) -> ResourceRef {
    let namespace = (kind != "Node").then(|| "production".to_owned());
    ResourceRef { kind: kind.into(), namespace, name: name.into() }
}

async fn found(world: &World, kind: &str, name: &str) -> TargetState {
    // On a busy machine even the sandbox may be late.
    for _ in 0..20 {
        match world.cluster().target(&resource(kind, name)).await {
            Reading::Found(state) => return *state,
            Reading::Late => {}
            other => panic!("{kind} {name}: {other:?}"),
        }
    }
    panic!("{kind} {name} is never read in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_read_with_its_budget_its_autoscaler_and_its_owner() {
    let world = World::start().await;
    let payment = world
        .eventually("all ready", async || {
            let state = found(&world, "Deployment", "payment-service").await;
            (state.pods?.ready == 3).then_some(state)
        })
        .await;
    let budget = &payment.budgets.known()[0];
    assert_eq!((budget.rule.as_str(), budget.least), ("minAvailable 2", Some(2)));
    let scaler = &payment.autoscalers.known()[0];
    assert_eq!((scaler.least, scaler.most), (3, 12));
    assert_eq!(payment.containers[0].limits["memory"], "1Gi");
    let checkout = found(&world, "Deployment", "checkout").await;
    assert_eq!(checkout.manager.unwrap().name.as_deref(), Some("shop"));
    assert_eq!(checkout.autoscalers, Beside::Read(vec![]), "of another workload in the namespace");
    let node = found(&world, "Node", "worker-2").await;
    assert_eq!((node.facts["takes new pods"].as_str(), node.complaints.len()), ("yes", 0));
    let Reading::Missing { .. } = world.cluster().target(&resource("Deployment", "nobody")).await else {
        panic!("the API server says that it is not there")
    };
    assert_eq!(world.cluster().target(&resource("Deployment", "../secrets/x")).await, Reading::Unknown);
    assert_eq!(world.cluster().target(&resource("Kafka", "events")).await, Reading::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_said_and_nobody_waits_for_a_cluster_that_hangs() {
    let world = World::start().await;
    let fault = |verb, kind, effect| world.sandbox().faults().push(Fault::once(verb, kind, effect));
    fault(Verb::Get, "deployments", Effect::Forbidden("no".into()));
    let Reading::NotAllowed { advice } = world.cluster().target(&resource("Deployment", "catalog")).await else {
        panic!("not allowed")
    };
    assert!(advice.contains("deploy/base/rbac/targets.yaml"), "{advice}");

    fault(Verb::List, "poddisruptionbudgets", Effect::Forbidden("no".into()));
    fault(Verb::List, "horizontalpodautoscalers", Effect::Hang);
    let state = found(&world, "Deployment", "inventory").await;
    assert_eq!(
        (state.budgets, state.autoscalers),
        (Beside::NotAllowed, Beside::Unknown),
        "the rest is still worth reading"
    );

    fault(Verb::Get, "deployments", Effect::Hang);
    let began = tokio::time::Instant::now();
    assert_eq!(world.cluster().target(&resource("Deployment", "my-app")).await, Reading::Late);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_run_the_pods_of_the_newest_template_are_looked_at() {
    let world = World::start().await;
    let health = async |kind, name| world.cluster().health_since(&resource(kind, name), Timestamp::default()).await;
    let checkout = world
        .eventually("well", async || match health("Deployment", "checkout").await {
            TargetHealth::Seen(seen) => (seen.wanted > 0 && seen.ready == seen.wanted).then_some(seen),
            other => panic!("{other:?}"),
        })
        .await;
    assert_eq!(checkout.old, 0);
    assert_eq!(health("Deployment", "nobody").await, TargetHealth::Missing);
    let TargetHealth::Unknown { .. } = health("Node", "worker-1").await else { panic!("a node has no template") };
    world.sandbox().faults().push(Fault::once(Verb::Get, "replicasets", Effect::Forbidden("no".into())));
    let TargetHealth::Unknown { why } = health("Deployment", "checkout").await else { panic!("not allowed") };
    assert!(why.contains("deploy/base/rbac/targets.yaml"), "{why}");
}

type Right = (String, String, String);

/// Group, resource and verb of a request that is not about the console's own namespace.
fn right(method: &str, uri: &str) -> Option<Right> {
    let path = uri.split('?').next().unwrap_or(uri);
    let path = path.rsplit_once("://").map_or(path, |(_, rest)| &rest[rest.find('/').unwrap()..]);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (resource, name) = match rest {
        ["namespaces", NAMESPACE, ..] | [] => return None,
        ["namespaces", _, resource, name @ ..] | [resource, name @ ..] => (resource, name),
    };
    let verb = match (method, name) {
        ("GET", [_]) => "get",
        ("GET", []) => "list",
        other => panic!("{other:?} on {uri}"),
    };
    Some((group.to_owned(), (*resource).to_owned(), verb.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_role_grants_what_is_asked_for_and_nothing_else() {
    let world = World::start().await;
    for name in ["my-app", "payment-service"] {
        found(&world, "Deployment", name).await;
    }
    found(&world, "StatefulSet", "session-store").await;
    found(&world, "Node", "worker-1").await;
    for kind in ["DaemonSet", "ReplicaSet", "Pod"] {
        // Whether there is one does not matter: it was asked for.
        world.cluster().target(&resource(kind, "none")).await;
    }
    world.cluster().health_since(&resource("Deployment", "my-app"), Timestamp::default()).await;
    let asked = world.asked.lock().unwrap().clone();
    let asked: BTreeSet<Right> = asked.iter().filter_map(|(method, uri)| right(method, uri)).collect();

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base/rbac/targets.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let mut objects = serde_norway::Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap());
    let role = objects.find(|object| object["kind"] == "ClusterRole").unwrap();
    let words = |rule: &Value, field: &str| -> Vec<String> { serde_json::from_value(rule[field].clone()).unwrap() };
    let mut granted = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for (group, resource) in
            words(rule, "apiGroups").iter().flat_map(|g| words(rule, "resources").into_iter().map(move |r| (g, r)))
        {
            granted.extend(words(rule, "verbs").into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
        }
        assert_ne!(rule["verbs"], json!(["*"]));
    }
    assert_eq!(asked, granted, "left: asked for, right: granted");
}
