//! Warnings in namespaces that somebody named are handed on as signals; in all others nobody looks.

use super::world::World;
use domain::signal::{SignalSource, Word};
use serde_json::{Value, json};

/// An Event of a pod, told just now by the cluster's clock.
fn event(world: &World, namespace: &str, name: &str, reason: &str) -> Value {
    let now = domain::time::Timestamp::from_millis(world.clock.ms()).to_string();
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": name, "namespace": namespace },
        "type": "Warning", "reason": reason, "message": "Back-off restarting failed container",
        "involvedObject": { "kind": "Pod", "namespace": namespace, "name": "web-1", "uid": "u-1" },
        "count": 3, "firstTimestamp": now, "lastTimestamp": now,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_in_a_named_namespace_is_a_signal() {
    let mut world = World::without_controller().await;
    world.event_namespaces = vec!["production".into()];
    *world.intake.unkept.lock().unwrap() = 1;
    world.start_controller();
    for (namespace, name, reason) in [
        ("default", "elsewhere", "BackOff"),
        ("production", "no-signal", "DNSConfigForming"),
        ("production", "signal", "BackOff"),
    ] {
        world.apply(&event(&world, namespace, name, reason)).await.unwrap();
    }
    let told = world
        .eventually("handed on, though the first time nobody kept it", async || {
            let told = world.intake.warned.lock().unwrap();
            (!told.is_empty()).then(|| told.clone())
        })
        .await;
    let said: Vec<_> = told.iter().map(|one| (one.source, one.facts.name.as_str())).collect();
    assert_eq!(said, [(SignalSource::Kubernetes, "BackOff")]);
    assert!(matches!(told[0].word, Word::Firing { seen_at: Some(_) }));
    let resource = told[0].facts.resource.as_ref().unwrap();
    assert_eq!((resource.namespace.as_deref(), resource.name.as_str()), (Some("production"), "web-1"));
    let asked = world.asked.lock().unwrap().clone();
    let events: Vec<_> = asked.iter().filter(|(_, path)| path.contains("/events")).collect();
    assert!(events.iter().any(|(_, path)| path.contains("/namespaces/production/events")), "{events:?}");
    assert!(!events.iter().any(|(_, path)| path.contains("/namespaces/default/events")), "{events:?}");
    assert!(events.iter().all(|(method, _)| method == "GET"), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_where_no_namespace_is_named() {
    let world = World::start().await;
    world.apply(&event(&world, "production", "signal", "BackOff")).await.unwrap();
    let own = |path: &str| path.contains("/namespaces/kubernaut-system/events");
    world
        .eventually("its own are watched", async || {
            world.asked.lock().unwrap().iter().any(|(_, p)| own(p)).then_some(())
        })
        .await;
    let asked = world.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|(_, path)| !path.contains("/namespaces/production/events")), "{asked:?}");
    assert!(world.intake.warned.lock().unwrap().is_empty());
}
