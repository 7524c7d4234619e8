//! What the tests share: a fast sandbox, and short ways to say common things.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PostParams};
use sandbox::{Options, Sandbox, Scene};
use serde_json::Value;

pub const NAMESPACE: &str = "kubernaut-system";

/// The console's Task and Pipeline, and the service account that runs them.
pub const SHIPPED: [&str; 3] = [
    include_str!("../../../../deploy/base/tekton/task-kubernaut-action.yaml"),
    include_str!("../../../../deploy/base/tekton/pipeline-playbook-executor.yaml"),
    "{apiVersion: v1, kind: ServiceAccount, metadata: {name: playbook-executor, namespace: kubernaut-system}}",
];

/// A sandbox at its real pace, in paused time.
pub fn fast() -> Sandbox {
    at_pace(1.0)
}

pub fn at_pace(pace: f64) -> Sandbox {
    start(pace, Scene::Off)
}

fn start(pace: f64, scene: Scene) -> Sandbox {
    let start = tokio::time::Instant::now();
    let clock = move || 1_795_408_000_000 + i64::try_from(start.elapsed().as_millis()).unwrap();
    Sandbox::start(Options { clock: Arc::new(clock), pace, namespace: NAMESPACE.into(), scene })
}

/// Any kind, by group, version and name.
pub fn dynamic(sandbox: &Sandbox, api_version: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = resource(api_version, kind);
    match namespace {
        Some(namespace) => Api::namespaced_with(sandbox.client(), namespace, &resource),
        None => Api::all_with(sandbox.client(), &resource),
    }
}

/// A kind by its group, version and name.
pub fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

pub fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

pub async fn create(api: &Api<DynamicObject>, value: Value) -> DynamicObject {
    api.create(&PostParams::default(), &object(value)).await.unwrap()
}

/// The `metav1.Status` of a refusal.
pub fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> kube::core::Status {
    match result {
        Err(kube::Error::Api(status)) => *status,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// With the console's Task and Pipeline, and the service account that runs them.
pub fn ready() -> Sandbox {
    with_tekton(fast())
}

/// The same where some workloads are in trouble.
pub fn troubled() -> Sandbox {
    with_tekton(start(1.0, Scene::Demo))
}

fn with_tekton(sandbox: Sandbox) -> Sandbox {
    for manifest in SHIPPED {
        sandbox.apply_yaml(manifest).unwrap();
    }
    sandbox
}

/// Waits until `probe` gives something; fails the test after ten minutes of the sandbox's time.
pub async fn eventually<T, F>(what: &str, mut probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_mins(10);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
