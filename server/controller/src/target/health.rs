//! How the pods of a run's target stand since it ended: those of the newest template, not of older ones, and their restarts since then,
//! not of a lifetime. No page waits for this.

use super::{Place, wire};
use crate::{
    calls::{CallError, Calls},
    common::Common,
    mend,
};
use domain::{
    assessment::judge::{TargetHealth, TargetSeen},
    recommendation::ResourceRef,
    time::Timestamp,
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::timeout;

/// All of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pods that are looked at.
const PODS: u32 = 500;
/// ReplicaSets that are looked at: an update has two.
const SETS: usize = 8;

/// Looks at the target, and at its pods since that moment.
pub async fn read(common: &Common, resource: &ResourceRef, since: Timestamp) -> TargetHealth {
    let unknown = |why: &str| TargetHealth::Unknown { why: why.into() };
    let Some(place) = Place::of(resource) else {
        return unknown("objects of this kind are not read");
    };
    if place.namespace.is_none() || resource.kind == "ReplicaSet" {
        return unknown("of this kind of object it is not told whether it is well");
    }
    match timeout(PATIENCE, look(&common.calls, resource, &place, since)).await {
        Ok(Ok(seen)) => TargetHealth::Seen(seen),
        Ok(Err(CallError::NotFound(_))) => TargetHealth::Missing,
        Ok(Err(CallError::Refused { code: 403, .. })) => TargetHealth::Unknown {
            why: format!(
                "the console may not look at it and its pods: {} lets it",
                mend::apply_file(mend::TARGETS, &common.config.namespace)
            ),
        },
        Ok(Err(error)) => TargetHealth::Unknown { why: format!("the cluster did not tell: {error}") },
        Err(_) => unknown("the cluster did not answer in time"),
    }
}

async fn look(calls: &Calls, resource: &ResourceRef, place: &Place, since: Timestamp) -> Result<TargetSeen, CallError> {
    let object = calls.read(&place.path).await?;
    if resource.kind == "Pod" {
        return Ok(seen(&object, std::slice::from_ref(&object), &[], "Pod", since));
    }
    let namespace = place.namespace.as_deref().unwrap_or_default();
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let each = labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?)));
    let selector = each.collect::<Vec<_>>().join("%2C");
    let list =
        calls.read(&format!("/api/v1/namespaces/{namespace}/pods?limit={PODS}&labelSelector={selector}")).await?;
    let pods = list["items"].as_array().cloned().unwrap_or_default();
    let mut sets = Vec::new();
    if resource.kind == "Deployment" {
        let names: BTreeSet<String> = pods.iter().filter_map(set_of).collect();
        for name in names.into_iter().take(SETS) {
            match calls.read(&format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}")).await {
                Ok(set) => sets.push(set),
                Err(CallError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(seen(&object, &pods, &sets, &resource.kind, since))
}

/// The ReplicaSet that a pod is of.
fn set_of(pod: &Value) -> Option<String> {
    let owner = wire::owner(pod, None)?;
    (owner.kind == "ReplicaSet" && super::is_name(&owner.name)).then_some(owner.name)
}

/// What these objects tell. Pods that are on their way out are not counted, nor are others' that the selector happens to hit.
fn seen(object: &Value, pods: &[Value], sets: &[Value], kind: &str, since: Timestamp) -> TargetSeen {
    let state = wire::state(object, &ResourceRef { kind: kind.into(), namespace: None, name: String::new() }, since);
    let own = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null() && belongs(pod, object, sets, kind);
    let (new, old): (Vec<&Value>, Vec<&Value>) =
        pods.iter().filter(own).partition(|pod| is_newest(pod, object, sets, kind));
    let count = |many: usize| i64::try_from(many).unwrap_or(i64::MAX);
    TargetSeen {
        wanted: state.pods.map_or(1, |pods| pods.wanted),
        ready: count(new.iter().filter(|pod| is_ready(pod)).count()),
        old: count(old.len()),
        restarts: new.iter().map(|pod| restarts(pod, since)).sum(),
        changed: state.spec_changed_at.map(|at| (at, state.spec_changed_by.unwrap_or_default())),
    }
}

fn belongs(pod: &Value, object: &Value, sets: &[Value], kind: &str) -> bool {
    let uid = &object["metadata"]["uid"];
    match kind {
        "Pod" => true,
        "Deployment" => set(pod, sets).is_some_and(|set| owned_by(set, uid)),
        _ => owned_by(pod, uid),
    }
}

fn owned_by(object: &Value, uid: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    uid.is_string() && owners.into_iter().flatten().any(|owner| owner["uid"] == *uid)
}

fn set<'s>(pod: &Value, sets: &'s [Value]) -> Option<&'s Value> {
    let name = set_of(pod)?;
    sets.iter().find(|set| set["metadata"]["name"] == name.as_str())
}

/// Whether a pod is of the newest template.
fn is_newest(pod: &Value, object: &Value, sets: &[Value], kind: &str) -> bool {
    let labels = &pod["metadata"]["labels"];
    match kind {
        "Deployment" => set_of(pod).is_some_and(|name| newest_set(object, sets) == Some(name.as_str())),
        "StatefulSet" => {
            let newest = &object["status"]["updateRevision"];
            newest.is_null() || labels["controller-revision-hash"] == *newest
        }
        "DaemonSet" => {
            let newest = &object["metadata"]["annotations"]["deprecated.daemonset.template.generation"];
            newest.is_null() || labels["pod-template-generation"] == *newest
        }
        _ => true,
    }
}

/// The name of a Deployment's newest ReplicaSet: the one with the very template, as its own controller finds it, for an older one that
/// was taken up again is the newest; else the one that was made last.
fn newest_set<'s>(object: &Value, sets: &'s [Value]) -> Option<&'s str> {
    let wanted = &object["spec"]["template"];
    let exact = sets.iter().find(|set| {
        let mut template = set["spec"]["template"].clone();
        if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
            labels.remove("pod-template-hash");
        }
        template["spec"] == wanted["spec"]
            && same(&template, wanted, "labels")
            && same(&template, wanted, "annotations")
    });
    let made = |set: &&Value| set["metadata"]["creationTimestamp"].as_str().map(str::to_owned);
    exact.or_else(|| sets.iter().max_by_key(made))?["metadata"]["name"].as_str()
}

/// Whether both templates have the same of these; none is as good as empty.
fn same(one: &Value, other: &Value, field: &str) -> bool {
    let of = |template: &Value| template["metadata"][field].as_object().cloned().unwrap_or_default();
    of(one) == of(other)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Of a pod that is younger than the moment all its restarts, of an older one those of which the last end is known to be later.
fn restarts(pod: &Value, since: Timestamp) -> i64 {
    let time = |value: &Value| value.as_str().and_then(|text| Timestamp::parse(text).ok());
    let young = time(&pod["metadata"]["creationTimestamp"]).is_some_and(|at| at >= since);
    let containers = pod["status"]["containerStatuses"].as_array();
    let each = containers.into_iter().flatten().map(|container| {
        let all = container["restartCount"].as_i64().unwrap_or(0);
        let last = time(&container["lastState"]["terminated"]["finishedAt"]);
        match last {
            _ if young => all,
            // Only the last one is told; that there was one is enough.
            Some(at) if at > since && all > 0 => 1,
            _ => 0,
        }
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SINCE: &str = "2026-11-20T10:00:00Z";

    fn since() -> Timestamp {
        Timestamp::parse(SINCE).unwrap()
    }

    fn template(memory: &str) -> Value {
        json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "limit": memory}]}})
    }

    fn deployment() -> Value {
        json!({"metadata": {"uid": "d", "name": "x"}, "spec": {"replicas": 2, "template": template("2Gi")}})
    }

    fn set_named(name: &str, memory: &str) -> Value {
        let mut template = template(memory);
        template["metadata"]["labels"]["pod-template-hash"] = json!(name);
        json!({"metadata": {"name": name, "ownerReferences": [{"uid": "d"}]}, "spec": {"template": template}})
    }

    fn pod(of: &str, ready: bool) -> Value {
        json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-11-20T10:00:05Z",
                "ownerReferences": [{"kind": "ReplicaSet", "name": of, "uid": of, "controller": true}]},
            "status": {"conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "containerStatuses": [{"restartCount": 0}]},
        })
    }

    #[test]
    fn only_pods_of_the_newest_template_count_as_ready() {
        let sets = [set_named("old", "1Gi"), set_named("new", "2Gi")];
        let pods = [pod("new", true), pod("new", false), pod("old", true), pod("of-another", true)];
        let found = seen(&deployment(), &pods, &sets, "Deployment", since());
        assert_eq!((found.wanted, found.ready, found.old, found.restarts), (2, 1, 1, 0));
        let mut leaving = pod("old", true);
        leaving["metadata"]["deletionTimestamp"] = json!(SINCE);
        assert_eq!(seen(&deployment(), &[leaving], &sets, "Deployment", since()).old, 0);
    }

    #[test]
    fn restarts_of_a_lifetime_do_not_count() {
        let with = |created: &str, count: i64, ended: Option<&str>| {
            let mut pod = pod("new", true);
            pod["metadata"]["creationTimestamp"] = json!(created);
            pod["status"]["containerStatuses"] =
                json!([{"restartCount": count, "lastState": {"terminated": {"finishedAt": ended}}}]);
            restarts(&pod, since())
        };
        assert_eq!(with("2026-11-01T00:00:00Z", 40, Some("2026-11-20T09:59:00Z")), 0);
        assert_eq!(with("2026-11-01T00:00:00Z", 41, Some("2026-11-20T10:01:00Z")), 1);
        assert_eq!(with("2026-11-20T10:00:05Z", 3, None), 3, "the pod is younger than the run");
        assert_eq!(with("2026-11-01T00:00:00Z", 5, None), 0, "when the last one was is not known");
    }

    #[test]
    fn a_set_in_order_tells_its_newest_revision() {
        let object = json!({"metadata": {"uid": "s"}, "spec": {"replicas": 2}, "status": {"updateRevision": "r2"}});
        let of = |revision: &str| {
            json!({"metadata": {"labels": {"controller-revision-hash": revision}, "ownerReferences": [{"uid": "s"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        };
        let found = seen(&object, &[of("r1"), of("r2")], &[], "StatefulSet", since());
        assert_eq!((found.ready, found.old), (1, 1));
    }
}
