//! The small world that every sandbox begins with: two nodes and a few workloads, which the seeds' playbooks have as targets.
//! With [`Scene::Off`] all of them are well: they need what they ask for, and no more. With [`Scene::Demo`] some are short of
//! memory in different ways, so that each of the playbooks is right for one and wrong for another.
//!
//! | Workload | Trouble | What helps |
//! |---|---|---|
//! | `production/my-app` (4 replicas) | its node `worker-2` is over-committed | scaling down, optimising; more memory does not |
//! | `production/payment-service` (3 replicas, autoscaler, budget) | needs 1.6Gi, limit 1Gi | 2Gi; scaling does not |
//! | `production/inventory` (2 replicas) | needs 300Mi, limit 256Mi | 512Mi, or optimising |
//! | `production/catalog`, `production/checkout`, `production/session-store` | none | |

use serde_json::{Value, json};

use super::demand::{Demand, WORKLOAD};
use crate::api::Api;
use crate::{Scene, manifests, quantity};

const MIB: u64 = 1 << 20;

/// A workload of the scene.
struct Workload {
    name: &'static str,
    /// The seeds select by it.
    app: &'static str,
    kind: &'static str,
    replicas: u32,
    node: &'static str,
    request: &'static str,
    limit: &'static str,
    /// What a pod needs where there is trouble.
    need_mib: u64,
}

impl Workload {
    /// What a pod of it needs, in bytes. One that needs no more than it asks for is never in trouble.
    fn need(&self, scene: Scene) -> u64 {
        let need = self.need_mib * MIB;
        match scene {
            Scene::Demo => need,
            Scene::Off => quantity::parse(self.request).map_or(need, |asked| need.min(asked)),
        }
    }
}

const WORKLOADS: [Workload; 6] = [
    Workload {
        name: "my-app",
        app: "my-app",
        kind: "Deployment",
        replicas: 4,
        node: "worker-2",
        request: "512Mi",
        limit: "1Gi",
        need_mib: 760,
    },
    Workload {
        name: "payment-service",
        app: "payment",
        kind: "Deployment",
        replicas: 3,
        node: "worker-1",
        request: "1Gi",
        limit: "1Gi",
        need_mib: 1638,
    },
    Workload {
        name: "inventory",
        app: "inventory",
        kind: "Deployment",
        replicas: 2,
        node: "worker-1",
        request: "256Mi",
        limit: "256Mi",
        need_mib: 300,
    },
    Workload {
        name: "catalog",
        app: "catalog",
        kind: "Deployment",
        replicas: 2,
        node: "worker-2",
        request: "512Mi",
        limit: "768Mi",
        need_mib: 400,
    },
    Workload {
        name: "checkout",
        app: "checkout",
        kind: "Deployment",
        replicas: 2,
        node: "worker-1",
        request: "512Mi",
        limit: "1Gi",
        need_mib: 480,
    },
    Workload {
        name: "session-store",
        app: "session-store",
        kind: "StatefulSet",
        replicas: 1,
        node: "worker-2",
        request: "768Mi",
        limit: "1Gi",
        need_mib: 700,
    },
];

/// Creates nodes and workloads.
pub(crate) fn found(api: &Api, demand: &Demand, scene: Scene) {
    for (name, memory) in [("worker-1", "24Gi"), ("worker-2", "4352Mi")] {
        node(api, name, memory);
    }
    for workload in &WORKLOADS {
        create(api, workload);
        demand.set("production", workload.name, workload.need(scene));
    }
    protections(api);
}

fn node(api: &Api, name: &str, memory: &str) {
    let labels = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "node-role.kubernetes.io/worker": ""});
    manifests::create(api, "nodes", "", json!({"metadata": {"name": name, "labels": labels}, "spec": {}}));
    let now = api.time.now();
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": reason, "lastHeartbeatTime": now, "lastTransitionTime": now});
    let capacity = json!({"cpu": "8", "memory": memory, "pods": "110"});
    api.modify("nodes", &crate::api::Key::new("", name), |node| {
        node["status"] = json!({
            "capacity": capacity, "allocatable": capacity,
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                condition("Ready", "True", "KubeletReady"),
            ],
            "nodeInfo": {"kubeletVersion": "v1.34.4+sandbox", "osImage": "sandbox", "containerRuntimeVersion": "sandbox://1", "architecture": "amd64", "operatingSystem": "linux"},
        });
    });
}

fn create(api: &Api, workload: &Workload) {
    let labels = json!({"app": workload.app, WORKLOAD: workload.name});
    let container = json!({
        "name": workload.name, "image": format!("registry.example.com/shop/{}:1.0.0", workload.name),
        "resources": {"requests": {"memory": workload.request, "cpu": "100m"}, "limits": {"memory": workload.limit}},
    });
    let template = json!({
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "nodeSelector": {"kubernetes.io/hostname": workload.node}, "restartPolicy": "Always"},
    });
    let mut spec = json!({"replicas": workload.replicas, "selector": {"matchLabels": {"app": workload.app}}, "template": template});
    if workload.kind == "StatefulSet" {
        spec["serviceName"] = workload.name.into();
    }
    let qualified = format!("{}s.apps", workload.kind.to_lowercase());
    manifests::create(
        api,
        &qualified,
        "production",
        json!({"metadata": {"name": workload.name, "labels": labels}, "spec": spec}),
    );
}

/// What stands in the way of a change: budgets, an autoscaler, a GitOps owner.
fn protections(api: &Api) {
    let budget = |name: &str, app: &str, least: u32| -> Value {
        json!({"metadata": {"name": name}, "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": app}}}})
    };
    manifests::create(api, "poddisruptionbudgets.policy", "production", budget("payment-service", "payment", 2));
    manifests::create(api, "poddisruptionbudgets.policy", "production", budget("checkout", "checkout", 1));
    let scaler = json!({
        "metadata": {"name": "payment-service"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "payment-service"},
            "minReplicas": 3, "maxReplicas": 12,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}],
        },
    });
    manifests::create(api, "horizontalpodautoscalers.autoscaling", "production", scaler);
    let key = crate::api::Key::new("production", "checkout");
    api.modify("deployments.apps", &key, |deployment| {
        deployment["metadata"]["labels"]["argocd.argoproj.io/instance"] = "shop".into();
    });
}
