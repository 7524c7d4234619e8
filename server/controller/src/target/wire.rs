//! Reading Kubernetes objects into what the domain knows of a target. Pure; it knows the wire forms of `apps/v1`, pods, nodes,
//! `policy/v1` and `autoscaling/v2`, and the marks that GitOps tools and Helm leave.

use domain::{
    recommendation::ResourceRef,
    target::state::{Autoscaler, Beside, Budget, Complaint, Container, Manager, Pods, TargetState},
    time::Timestamp,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The object alone; who owns it and what is beside it comes later.
pub fn state(object: &Value, resource: &ResourceRef, now: Timestamp) -> TargetState {
    let meta = &object["metadata"];
    let changed = spec_changed(meta);
    TargetState {
        resource: resource.clone(),
        uid: text(&meta["uid"]),
        generation: meta["generation"].as_i64(),
        created_at: time(&meta["creationTimestamp"]),
        spec_changed_at: changed.as_ref().map(|(at, _)| *at),
        spec_changed_by: changed.map(|(_, by)| by).filter(|by| !by.is_empty()),
        deleting: meta["deletionTimestamp"].is_string(),
        pods: pods(object, &resource.kind),
        containers: containers(object, &resource.kind),
        facts: facts(object, &resource.kind),
        complaints: complaints(object, &resource.kind),
        owners: Vec::new(),
        manager: manager(object),
        budgets: Beside::Unknown,
        autoscalers: Beside::Unknown,
        read_at: now,
    }
}

/// When its spec was last written and by what: the API server keeps that per writer.
fn spec_changed(meta: &Value) -> Option<(Timestamp, String)> {
    let writers = meta["managedFields"].as_array()?.iter();
    let of_spec = writers.filter(|w| w["fieldsV1"].get("f:spec").is_some() && w["subresource"] != "status");
    of_spec.filter_map(|w| Some((time(&w["time"])?, text(&w["manager"])))).max_by_key(|(at, _)| *at)
}

fn pods(object: &Value, kind: &str) -> Option<Pods> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let wanted = spec["replicas"].as_i64().unwrap_or(1);
    match kind {
        "Deployment" => Some(Pods { wanted, ready: count("readyReplicas"), updated: count("updatedReplicas") }),
        "StatefulSet" => {
            // Only the update in progress is counted by `updatedReplicas`; without one all pods are of the newest template.
            let rolling = status["updateRevision"].is_string() && status["updateRevision"] != status["currentRevision"];
            let updated = if rolling { count("updatedReplicas") } else { wanted };
            Some(Pods { wanted, ready: count("readyReplicas"), updated })
        }
        "ReplicaSet" => Some(Pods { wanted, ready: count("readyReplicas"), updated: wanted }),
        "DaemonSet" => Some(Pods {
            wanted: count("desiredNumberScheduled"),
            ready: count("numberReady"),
            updated: count("updatedNumberScheduled"),
        }),
        _ => None,
    }
}

fn pod_spec<'o>(object: &'o Value, kind: &str) -> &'o Value {
    if kind == "Pod" { &object["spec"] } else { &object["spec"]["template"]["spec"] }
}

fn containers(object: &Value, kind: &str) -> Vec<Container> {
    let all = pod_spec(object, kind)["containers"].as_array();
    all.into_iter()
        .flatten()
        .map(|container| Container {
            name: text(&container["name"]),
            image: text(&container["image"]),
            requests: amounts(&container["resources"]["requests"]),
            limits: amounts(&container["resources"]["limits"]),
        })
        .collect()
}

fn amounts(of: &Value) -> BTreeMap<String, String> {
    let amount = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    of.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), amount(value))).collect()
}

/// Facts that do not move by themselves.
fn facts(object: &Value, kind: &str) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    match kind {
        "Node" => {
            let cordoned = object["spec"]["unschedulable"] == true;
            facts.insert("takes new pods".to_owned(), if cordoned { "no, it is cordoned" } else { "yes" }.to_owned());
            for resource in ["cpu", "memory"] {
                if let Some(amount) = object["status"]["allocatable"][resource].as_str() {
                    facts.insert(format!("{resource} for pods"), amount.to_owned());
                }
            }
        }
        "Pod" => {
            if let Some(node) = object["spec"]["nodeName"].as_str() {
                facts.insert("node".to_owned(), node.to_owned());
            }
        }
        _ => {}
    }
    facts
}

/// Conditions that are not as they should be.
fn complaints(object: &Value, kind: &str) -> Vec<Complaint> {
    // Type, and the status at which all is well.
    let watched: &[(&str, &str)] = match kind {
        "Deployment" => &[("Available", "True"), ("Progressing", "True"), ("ReplicaFailure", "False")],
        "ReplicaSet" => &[("ReplicaFailure", "False")],
        "Pod" => &[("PodScheduled", "True"), ("Ready", "True")],
        "Node" => &[
            ("Ready", "True"),
            ("MemoryPressure", "False"),
            ("DiskPressure", "False"),
            ("PIDPressure", "False"),
            ("NetworkUnavailable", "False"),
        ],
        _ => &[],
    };
    let conditions = || object["status"]["conditions"].as_array().into_iter().flatten();
    watched
        .iter()
        .filter_map(|(of, well)| conditions().find(|c| c["type"] == *of && c["status"] != *well))
        .map(|condition| {
            let message = [text(&condition["message"]), text(&condition["reason"])].into_iter().find(|t| !t.is_empty());
            Complaint {
                kind: text(&condition["type"]),
                message: message.unwrap_or_else(|| format!("status {}", text(&condition["status"]))),
                since: time(&condition["lastTransitionTime"]),
            }
        })
        .collect()
}

/// The object that controls this one.
pub fn owner(object: &Value, namespace: Option<&str>) -> Option<ResourceRef> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true).or_else(|| owners.first())?;
    let kind = text(&owner["kind"]);
    let namespace = (kind != "Node").then(|| namespace.map(str::to_owned)).flatten();
    Some(ResourceRef { kind, namespace, name: text(&owner["name"]) })
}

/// The tool that keeps the object as it is written elsewhere, by the marks that it leaves.
pub fn manager(object: &Value) -> Option<Manager> {
    let (labels, annotations) = (&object["metadata"]["labels"], &object["metadata"]["annotations"]);
    let is = |tool: &str, name: Option<String>, reverts: bool| Some(Manager { tool: tool.to_owned(), name, reverts });
    let given = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    // `app:group/Kind:namespace/name`
    let tracked = given(&annotations["argocd.argoproj.io/tracking-id"]);
    let tracked = tracked.and_then(|id| id.split(':').next().map(str::to_owned)).filter(|app| !app.is_empty());
    if let Some(app) = tracked.or_else(|| given(&labels["argocd.argoproj.io/instance"])) {
        return is("Argo CD", Some(app), true);
    }
    for label in ["kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"] {
        if let Some(name) = given(&labels[label]) {
            return is("Flux", Some(name), true);
        }
    }
    let by = given(&labels["app.kubernetes.io/managed-by"]);
    match (given(&annotations["meta.helm.sh/release-name"]), by) {
        (Some(release), _) => is("Helm", Some(release), false),
        (None, Some(tool)) => is(&tool, None, false),
        (None, None) => None,
    }
}

/// The labels of the target's pods.
pub fn pod_labels<'o>(object: &'o Value, kind: &str) -> Option<&'o Map<String, Value>> {
    let meta = if kind == "Pod" { &object["metadata"] } else { &object["spec"]["template"]["metadata"] };
    meta["labels"].as_object()
}

/// A budget that selects these pods.
pub fn budget(budget: &Value, labels: &Map<String, Value>, target: &TargetState) -> Option<Budget> {
    let spec = &budget["spec"];
    if !selects(&spec["selector"], labels) {
        return None;
    }
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (rule, least) = match (&spec["minAvailable"], &spec["maxUnavailable"]) {
        (Value::Null, Value::Null) => ("maxUnavailable 0".to_owned(), target.pods.map(|pods| pods.wanted)),
        (Value::Null, most) => (format!("maxUnavailable {}", written(most)), None),
        (least, _) => (format!("minAvailable {}", written(least)), least.as_i64()),
    };
    let allowed = budget["status"]["disruptionsAllowed"].as_i64();
    Some(Budget { name: text(&budget["metadata"]["name"]), rule, least, allowed })
}

/// A label selector of `policy/v1`: an empty one selects all pods, none selects none.
fn selects(selector: &Value, labels: &Map<String, Value>) -> bool {
    let Some(selector) = selector.as_object() else { return false };
    let exact = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let wanted = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    exact.into_iter().all(|(name, value)| labels.get(name) == Some(value))
        && wanted.into_iter().all(|e| holds(e, labels))
}

fn holds(expression: &Value, labels: &Map<String, Value>) -> bool {
    let has = expression["key"].as_str().and_then(|key| labels.get(key));
    let among = has.is_some_and(|label| expression["values"].as_array().is_some_and(|values| values.contains(label)));
    match expression["operator"].as_str() {
        Some("In") => among,
        Some("NotIn") => !among,
        Some("Exists") => has.is_some(),
        Some("DoesNotExist") => has.is_none(),
        _ => false,
    }
}

/// An autoscaler that scales the target or one of its owners.
pub fn autoscaler(scaler: &Value, target: &TargetState) -> Option<Autoscaler> {
    let (spec, of) = (&scaler["spec"], &scaler["spec"]["scaleTargetRef"]);
    let concerns = |resource: &ResourceRef| of["kind"] == resource.kind && of["name"] == resource.name;
    std::iter::once(&target.resource).chain(&target.owners).any(concerns).then(|| Autoscaler {
        name: text(&scaler["metadata"]["name"]),
        least: spec["minReplicas"].as_i64().unwrap_or(1),
        most: spec["maxReplicas"].as_i64().unwrap_or(1),
        wanted: scaler["status"]["desiredReplicas"].as_i64().filter(|wanted| *wanted > 0),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| Timestamp::parse(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment() -> Value {
        json!({
            "metadata": {"name": "my-app", "uid": "u1", "generation": 7, "creationTimestamp": "2026-11-01T00:00:00Z",
                "labels": {"argocd.argoproj.io/instance": "shop"},
                "managedFields": [
                    {"manager": "kubectl-edit", "time": "2026-11-02T00:00:00Z", "fieldsV1": {"f:spec": {}}},
                    {"manager": "kube-controller-manager", "time": "2026-11-03T00:00:00Z", "subresource": "status", "fieldsV1": {"f:status": {}}},
                    {"manager": "annotator", "time": "2026-11-04T00:00:00Z", "fieldsV1": {"f:metadata": {}}},
                ]},
            "spec": {"replicas": 4, "template": {"metadata": {"labels": {"app": "my-app"}}, "spec": {"containers": [
                {"name": "app", "image": "i:1", "resources": {"limits": {"memory": "1Gi", "cpu": 2}}}]}}},
            "status": {"readyReplicas": 1, "updatedReplicas": 4, "conditions": [
                {"type": "Available", "status": "False", "message": "Deployment does not have minimum availability."},
                {"type": "Progressing", "status": "True"}]},
        })
    }

    fn read(object: &Value, kind: &str) -> TargetState {
        let resource = ResourceRef { kind: kind.into(), namespace: Some("p".into()), name: "my-app".into() };
        state(object, &resource, Timestamp::default())
    }

    #[test]
    fn a_workload_is_read_as_somebody_who_decides_wants_it() {
        let state = read(&deployment(), "Deployment");
        assert_eq!((state.uid.as_str(), state.generation), ("u1", Some(7)));
        assert_eq!(state.pods, Some(Pods { wanted: 4, ready: 1, updated: 4 }));
        assert_eq!(state.containers[0].limits["cpu"], "2");
        assert_eq!(state.complaints.len(), 1, "{:?}", state.complaints);
        let changed = Timestamp::parse("2026-11-02T00:00:00Z").unwrap();
        assert_eq!((state.spec_changed_at, state.spec_changed_by.as_deref()), (Some(changed), Some("kubectl-edit")));
        let bare = read(&json!({}), "Deployment");
        assert_eq!((bare.pods.unwrap().wanted, bare.generation, bare.manager), (1, None, None));
    }

    #[test]
    fn a_node_and_a_pod_are_read_too() {
        let node = json!({"spec": {"unschedulable": true}, "status": {"allocatable": {"memory": "4Gi"}, "conditions": [
            {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}, {"type": "MemoryPressure", "status": "True"}]}});
        let node = read(&node, "Node");
        assert_eq!((node.pods, node.complaints.len()), (None, 2));
        assert_eq!(node.facts["takes new pods"], "no, it is cordoned");
        let pod = read(&json!({"spec": {"nodeName": "w", "containers": [{"name": "c", "image": "i"}]}}), "Pod");
        assert_eq!((pod.containers.len(), pod.has_template()), (1, false));
    }

    #[test]
    fn who_manages_it_is_told_by_its_marks() {
        let with = |labels: Value, annotations: Value| {
            manager(&json!({"metadata": {"labels": labels, "annotations": annotations}}))
                .map(|m| (m.tool, m.name.unwrap_or_default(), m.reverts))
        };
        let told = |tool: &str, name: &str, reverts| Some((tool.to_owned(), name.to_owned(), reverts));
        let tracked = json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:p/my-app"});
        assert_eq!(with(json!({}), tracked), told("Argo CD", "shop", true));
        assert_eq!(with(json!({"kustomize.toolkit.fluxcd.io/name": "apps"}), json!({})), told("Flux", "apps", true));
        let helm = json!({"app.kubernetes.io/managed-by": "Helm"});
        assert_eq!(with(helm, json!({"meta.helm.sh/release-name": "web"})), told("Helm", "web", false));
        assert_eq!(with(json!({"app": "x"}), json!({})), None);
    }

    #[test]
    fn a_budget_concerns_the_pods_that_it_selects() {
        let labels = json!({"app": "my-app", "tier": "web"});
        let labels = labels.as_object().unwrap();
        for (selector, hit) in [
            (json!({"matchLabels": {"app": "my-app"}}), true),
            (json!({"matchLabels": {"app": "other"}}), false),
            (json!({}), true),
            (Value::Null, false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web", "api"]}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}), false),
            (json!({"matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "Strange"}]}), false),
        ] {
            assert_eq!(selects(&selector, labels), hit, "{selector}");
        }
        let state = read(&deployment(), "Deployment");
        let of = |spec: Value| {
            budget(
                &json!({"metadata": {"name": "b"}, "spec": spec, "status": {"disruptionsAllowed": 1}}),
                labels,
                &state,
            )
        };
        let least = of(json!({"minAvailable": 2, "selector": {}})).unwrap();
        assert_eq!((least.rule.as_str(), least.least, least.allowed), ("minAvailable 2", Some(2), Some(1)));
        assert_eq!(of(json!({"maxUnavailable": "25%", "selector": {}})).unwrap().rule, "maxUnavailable 25%");
    }

    #[test]
    fn an_autoscaler_concerns_what_it_names_and_what_that_owns() {
        let scaler = json!({"metadata": {"name": "a"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "my-app"}, "maxReplicas": 9}});
        let found = autoscaler(&scaler, &read(&deployment(), "Deployment")).unwrap();
        assert_eq!((found.least, found.most, found.wanted), (1, 9, None));
        let mut pod = read(&json!({}), "Pod");
        assert!(autoscaler(&scaler, &pod).is_none());
        pod.owners.push(ResourceRef { kind: "Deployment".into(), namespace: Some("p".into()), name: "my-app".into() });
        assert!(autoscaler(&scaler, &pod).is_some());
    }

    #[test]
    fn the_controlling_owner_is_the_one() {
        let object = json!({"metadata": {"ownerReferences": [
            {"kind": "Helper", "name": "x"}, {"kind": "ReplicaSet", "name": "my-app-1", "controller": true}]}});
        assert_eq!(owner(&object, Some("p")).unwrap().name, "my-app-1");
        assert_eq!(owner(&json!({"metadata": {}}), Some("p")), None);
    }
}
