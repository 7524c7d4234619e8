//! What the investigator finds in the cluster: read by its API at the moment of asking, never made up.

use super::{SceneError, memory::Memory};
use serde_json::Value;

/// A node's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What pods may ask for.
    pub allocatable: Memory,
    /// What they ask for.
    pub requested: Memory,
}

/// A workload in trouble, and what is around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `Deployment` or `StatefulSet`.
    pub kind: String,
    /// Where.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Pods wanted.
    pub replicas: i64,
    /// Pods ready.
    pub ready: i64,
    /// Containers killed, by the alert.
    pub kills: u64,
    /// What each container asks for.
    pub request: Option<Memory>,
    /// What each container may use.
    pub limit: Option<Memory>,
    /// The node that its pods are bound to.
    pub node: Option<Node>,
    /// Least and most replicas of its autoscaler.
    pub autoscaler: Option<(i64, i64)>,
    /// Pods that its disruption budget wants.
    pub budget: Option<i64>,
    /// The Argo CD application that owns it.
    pub application: Option<String>,
}

/// Asks the cluster.
pub async fn get(client: &kube::Client, path: &str) -> Result<Value, SceneError> {
    send(client, http::Request::get(path).body(Vec::new())).await
}

/// Changes an object by a merge patch (RFC 7386).
pub async fn merge(client: &kube::Client, path: &str, change: &Value) -> Result<Value, SceneError> {
    let request = http::Request::patch(path).header(http::header::CONTENT_TYPE, "application/merge-patch+json");
    send(client, request.body(change.to_string().into_bytes())).await
}

async fn send(client: &kube::Client, request: http::Result<http::Request<Vec<u8>>>) -> Result<Value, SceneError> {
    let request = request.map_err(|error| SceneError::Cluster(error.to_string()))?;
    client.request(request).await.map_err(|error| SceneError::Cluster(error.to_string()))
}

/// Where a Deployment or StatefulSet is.
pub fn path(kind: &str, namespace: &str, name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/{}s/{name}", kind.to_lowercase())
}

impl Evidence {
    /// What was looked at, a line each.
    pub fn in_words(&self) -> Vec<String> {
        let Self { kind, name, replicas, ready, kills, .. } = self;
        let amount = |memory: Option<Memory>| memory.map_or_else(|| "none".to_owned(), |memory| memory.to_string());
        let (request, limit) = (amount(self.request), amount(self.limit));
        let workload = format!(
            "{kind} {name}: {ready} of {replicas} pods ready, {kills} kills; memory request {request}, limit {limit}"
        );
        let node = self.node.as_ref().map(|node| {
            let Node { name, allocatable, requested } = node;
            format!("Node {name}: {requested} of {allocatable} memory requested")
        });
        let scaler = self.autoscaler.map(|(least, most)| format!("an autoscaler holds {least} to {most} replicas"));
        let budget = self.budget.map(|least| format!("a disruption budget wants {least} available"));
        let owner = self.application.as_ref().map(|application| format!("Argo CD application {application} owns it"));
        let around: Vec<String> = [scaler, budget, owner].into_iter().flatten().collect();
        let around = if around.is_empty() { "nothing".to_owned() } else { around.join("; ") };
        [Some(workload), node, Some(format!("In the way of a change: {around}"))].into_iter().flatten().collect()
    }

    /// Gathers everything about the workload that an alert names.
    pub async fn gather(client: &kube::Client, alert: &sandbox::Alert) -> Result<Self, SceneError> {
        let sandbox::Alert { kind, namespace, name, kills, .. } = alert;
        let workload = get(client, &path(kind, namespace, name)).await?;
        let pods = get(client, "/api/v1/pods").await?;
        let budgets = get(client, &format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")).await?;
        let scalers =
            get(client, &format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")).await?;
        let template = &workload["spec"]["template"];
        let resources = &template["spec"]["containers"][0]["resources"];
        let node = match template["spec"]["nodeSelector"]["kubernetes.io/hostname"].as_str() {
            Some(node) => Some(memory_of(node, &get(client, &format!("/api/v1/nodes/{node}")).await?, &pods)),
            None => None,
        };
        let application = &workload["metadata"]["labels"]["argocd.argoproj.io/instance"];
        Ok(Self {
            kind: kind.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
            replicas: workload["spec"]["replicas"].as_i64().unwrap_or(1),
            ready: workload["status"]["readyReplicas"].as_i64().unwrap_or(0),
            kills: *kills,
            request: Memory::of(&resources["requests"]["memory"]),
            limit: Memory::of(&resources["limits"]["memory"]),
            node,
            autoscaler: items(&scalers).find(|scaler| scales(scaler, kind, name)).map(|scaler| {
                let bound = |name: &str| scaler["spec"][name].as_i64().unwrap_or(1);
                (bound("minReplicas"), bound("maxReplicas"))
            }),
            budget: items(&budgets)
                .find(|budget| selects(&budget["spec"]["selector"]["matchLabels"], &template["metadata"]["labels"]))
                .and_then(|budget| budget["spec"]["minAvailable"].as_i64()),
            application: application.as_str().map(str::to_owned),
        })
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

fn scales(scaler: &Value, kind: &str, name: &str) -> bool {
    let target = &scaler["spec"]["scaleTargetRef"];
    target["kind"] == kind && target["name"] == name
}

fn selects(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(|(name, value)| labels[name] == *value))
}

fn memory_of(name: &str, node: &Value, pods: &Value) -> Node {
    let over = |pod: &&Value| matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    let there = items(pods).filter(|pod| pod["spec"]["nodeName"] == name && !over(pod));
    let asked = |pod: &Value| -> u64 {
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        containers.filter_map(|container| Memory::of(&container["resources"]["requests"]["memory"])).map(|m| m.0).sum()
    };
    Node {
        name: name.to_owned(),
        allocatable: Memory::of(&node["status"]["allocatable"]["memory"]).unwrap_or_default(),
        requested: Memory(there.map(asked).sum()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_nodes_requests_are_those_of_its_living_pods() {
        let pod = |node: &str, phase: &str, request: &str| {
            json!({ "spec": { "nodeName": node, "containers": [{ "resources": { "requests": { "memory": request } } }] },
                "status": { "phase": phase } })
        };
        let pods = json!({ "items": [
            pod("worker-2", "Running", "512Mi"), pod("worker-2", "Pending", "1Gi"),
            pod("worker-2", "Succeeded", "8Gi"), pod("worker-1", "Running", "2Gi"),
        ] });
        let node = json!({ "status": { "allocatable": { "memory": "4352Mi" } } });
        let expected = Node { name: "worker-2".into(), allocatable: Memory(4352), requested: Memory(1536) };
        assert_eq!(memory_of("worker-2", &node, &pods), expected);
    }

    #[test]
    fn what_was_looked_at_is_told_as_it_was_found() {
        let mut evidence = Evidence {
            kind: "Deployment".into(),
            namespace: "production".into(),
            name: "inventory".into(),
            replicas: 2,
            ready: 0,
            kills: 3,
            request: Some(Memory(256)),
            limit: None,
            node: None,
            autoscaler: None,
            budget: None,
            application: None,
        };
        let lean = evidence.in_words();
        let told = "Deployment inventory: 0 of 2 pods ready, 3 kills; memory request 256Mi, limit none";
        assert_eq!(lean, [told, "In the way of a change: nothing"]);
        evidence.node = Some(Node { name: "worker-1".into(), allocatable: Memory(1024), requested: Memory(512) });
        (evidence.autoscaler, evidence.budget) = (Some((3, 12)), Some(2));
        let full = evidence.in_words();
        assert_eq!(full[1], "Node worker-1: 512Mi of 1Gi memory requested");
        assert!(full[2].ends_with("holds 3 to 12 replicas; a disruption budget wants 2 available"), "{full:?}");
    }

    #[test]
    fn a_selector_without_labels_selects_nothing_here() {
        let labels = json!({ "app": "payment", "tier": "back" });
        assert!(selects(&json!({ "app": "payment" }), &labels));
        assert!(!selects(&json!({ "app": "checkout" }), &labels));
        assert!(!selects(&json!({}), &labels) && !selects(&Value::Null, &labels));
    }
}
