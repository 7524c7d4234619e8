//! What a remediation would act on, as it is now: the object, what budgets and scales its pods, who owns it. Asked for one page at
//! a time, in places where the console otherwise has no business, so everything here is bounded: nothing is waited for longer than
//! [`PATIENCE`], an answer serves whoever asks again within [`FRESH`], and what may not be read is said, not guessed. It reads and
//! never writes.

pub mod health;
mod wire;

use crate::{
    calls::{CallError, Calls},
    common::Common,
    mend,
};
use domain::{
    recommendation::ResourceRef,
    target::state::{Beside, Reading},
    time::Timestamp,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// All of it, whatever the cluster does: a page stands without.
const PATIENCE: Duration = Duration::from_millis(400);
/// What is beside the target must leave time for its owners.
const BESIDE: Duration = Duration::from_millis(250);
/// An answer this young is given again.
const FRESH: Duration = Duration::from_secs(1);
/// Answers kept.
const KEPT: usize = 256;
/// A pod's ReplicaSet, its Deployment, and whatever made that.
const OWNERS: usize = 4;

/// What was read lately.
#[derive(Default)]
pub struct Recent(Mutex<HashMap<String, (Instant, Reading)>>);

impl Recent {
    fn get(&self, key: &str) -> Option<Reading> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, reading)| reading.clone())
    }

    fn put(&self, key: String, reading: &Reading) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| at.elapsed() < FRESH);
        if kept.len() < KEPT {
            kept.insert(key, (Instant::now(), reading.clone()));
        }
    }
}

/// Looks at a target.
pub async fn read(common: &Common, targets: &Recent, resource: &ResourceRef) -> Reading {
    let Some(place) = Place::of(resource) else { return Reading::Unknown };
    if let Some(recent) = targets.get(&place.path) {
        return recent;
    }
    let reading = timeout(PATIENCE, look(common, resource, &place)).await.unwrap_or(Reading::Late);
    if matches!(reading, Reading::Found(_) | Reading::Missing { .. }) {
        targets.put(place.path, &reading);
    }
    reading
}

/// What a target says at these places; why that can't be told, in words.
pub async fn fields(
    common: &Common,
    resource: &ResourceRef,
    pointers: &[String],
) -> Result<Vec<Option<Value>>, String> {
    let Some(place) = Place::of(resource) else {
        return Err(format!("the console reads no {} of that name", resource.kind));
    };
    match timeout(PATIENCE, common.calls.read(&place.path)).await {
        Ok(Ok(object)) => Ok(pointers.iter().map(|pointer| object.pointer(pointer).cloned()).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the cluster did not answer in time".to_owned()),
    }
}

async fn look(common: &Common, resource: &ResourceRef, place: &Place) -> Reading {
    let calls = &common.calls;
    let beside = async |resource: &str| match &place.namespace {
        Some(namespace) => listed(calls, &format!("{}/namespaces/{namespace}/{resource}", group_of(resource))).await,
        None => Beside::Read(Vec::new()),
    };
    let object = calls.read(&place.path);
    let (object, budgets, scalers) =
        tokio::join!(object, beside("poddisruptionbudgets"), beside("horizontalpodautoscalers"));
    let object = match object {
        Ok(object) => object,
        Err(error) => return failed(&error, place, &common.config.namespace, common.ports.clock.now()),
    };
    let mut state = wire::state(&object, resource, common.ports.clock.now());
    let owners = owners(calls, &object, place.namespace.as_deref()).await;
    state.manager = state.manager.or_else(|| owners.iter().rev().find_map(|(_, owner)| wire::manager(owner.as_ref()?)));
    state.owners = owners.into_iter().map(|(owner, _)| owner).collect();
    let labels = wire::pod_labels(&object, &state.resource.kind);
    state.budgets = chosen(budgets, |budget| labels.and_then(|labels| wire::budget(budget, labels, &state)));
    state.autoscalers = chosen(scalers, |scaler| wire::autoscaler(scaler, &state));
    Reading::Found(Box::new(state))
}

/// Why there is nothing to show. The console itself is in the namespace `own`.
fn failed(error: &CallError, place: &Place, own: &str, now: Timestamp) -> Reading {
    match error {
        CallError::NotFound(_) => Reading::Missing { read_at: now },
        CallError::Refused { code: 403, .. } => {
            let at = place.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
            Reading::NotAllowed {
                advice: format!(
                    "The console may not read {}{at}. {} lets it.",
                    place.plural,
                    mend::apply_file(mend::TARGETS, own)
                ),
            }
        }
        other => Reading::Unavailable { detail: other.to_string() },
    }
}

async fn listed(calls: &Calls, path: &str) -> Beside<Value> {
    match timeout(BESIDE, calls.read(path)).await {
        Ok(Ok(list)) => Beside::Read(list["items"].as_array().cloned().unwrap_or_default()),
        Ok(Err(CallError::Refused { code: 403, .. })) => Beside::NotAllowed,
        Ok(Err(_)) | Err(_) => Beside::Unknown,
    }
}

/// Of what was listed, what concerns the target.
fn chosen<T>(listed: Beside<Value>, concerns: impl Fn(&Value) -> Option<T>) -> Beside<T> {
    match listed {
        Beside::Read(all) => Beside::Read(all.iter().filter_map(concerns).collect()),
        Beside::NotAllowed => Beside::NotAllowed,
        Beside::Unknown => Beside::Unknown,
    }
}

/// Who controls it, nearest first, as far as the console reads such kinds; the last may be of any kind.
async fn owners(calls: &Calls, object: &Value, namespace: Option<&str>) -> Vec<(ResourceRef, Option<Value>)> {
    let mut found = Vec::new();
    let mut next = wire::owner(object, namespace);
    while let Some(owner) = next.take().filter(|_| found.len() < OWNERS) {
        let object = match Place::of(&owner) {
            Some(place) => timeout(BESIDE, calls.read(&place.path)).await.ok().and_then(Result::ok),
            None => None,
        };
        next = object.as_ref().and_then(|object| wire::owner(object, namespace));
        found.push((owner, object));
    }
    found
}

/// Where an object is in the API.
struct Place {
    path: String,
    plural: &'static str,
    namespace: Option<String>,
}

impl Place {
    /// `None` for kinds that are not read here, and for names that no object has: a model's text never makes a path.
    fn of(resource: &ResourceRef) -> Option<Self> {
        let (prefix, plural) = match resource.kind.as_str() {
            "Deployment" => ("/apis/apps/v1", "deployments"),
            "StatefulSet" => ("/apis/apps/v1", "statefulsets"),
            "DaemonSet" => ("/apis/apps/v1", "daemonsets"),
            "ReplicaSet" => ("/apis/apps/v1", "replicasets"),
            "Pod" => ("/api/v1", "pods"),
            "Node" => ("/api/v1", "nodes"),
            _ => return None,
        };
        let name = Some(resource.name.as_str()).filter(|name| is_name(name))?;
        if resource.kind == "Node" {
            return Some(Self { path: format!("{prefix}/{plural}/{name}"), plural, namespace: None });
        }
        let namespace = resource.namespace.clone().filter(|namespace| is_name(namespace))?;
        Some(Self {
            path: format!("{prefix}/namespaces/{namespace}/{plural}/{name}"),
            plural,
            namespace: Some(namespace),
        })
    }
}

/// A DNS subdomain, as names of objects are.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.chars().all(inner)
        && name.starts_with(edge)
        && name.ends_with(edge)
        && !name.contains("..")
}

fn group_of(resource: &str) -> &'static str {
    if resource == "poddisruptionbudgets" { "/apis/policy/v1" } else { "/apis/autoscaling/v2" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: &str, namespace: Option<&str>, name: &str) -> Option<String> {
        let resource = ResourceRef { kind: kind.into(), namespace: namespace.map(Into::into), name: name.into() };
        Place::of(&resource).map(|place| place.path)
    }

    #[test]
    fn only_names_of_objects_make_a_path() {
        let good = place("Deployment", Some("production"), "my-app.v2");
        assert_eq!(good.as_deref(), Some("/apis/apps/v1/namespaces/production/deployments/my-app.v2"));
        assert_eq!(place("Node", Some("ignored"), "worker-1").as_deref(), Some("/api/v1/nodes/worker-1"));
        for name in ["", "..", "a/../../secrets/x", "a?watch=true", "A", "-a", "a.", "a..b", "a%2fb", "ä"] {
            assert_eq!(place("Deployment", Some("production"), name), None, "{name}");
            assert_eq!(place("Deployment", Some(name), "my-app"), None, "{name}");
        }
        assert_eq!(place("Secret", Some("production"), "x"), None);
        assert_eq!(place("Deployment", None, "x"), None);
    }

    #[test]
    fn a_refusal_says_what_to_apply_and_only_the_api_server_says_that_something_is_missing() {
        let resource = ResourceRef { kind: "Deployment".into(), namespace: Some("p".into()), name: "x".into() };
        let place = Place::of(&resource).unwrap();
        let now = Timestamp::default();
        let refused = CallError::Refused { code: 403, reason: "Forbidden".into(), message: "no".into() };
        let Reading::NotAllowed { advice } = failed(&refused, &place, "remedies", now) else { panic!("not allowed") };
        let mend = "sed 's/kubernaut-system/remedies/g' deploy/base/rbac/targets.yaml | kubectl apply -f - lets it.";
        assert!(advice.contains("deployments in p") && advice.contains(mend), "{advice}");
        assert_eq!(
            failed(&CallError::NotFound("x".into()), &place, "remedies", now),
            Reading::Missing { read_at: now }
        );
        let bare = CallError::Busy { retry_after: None, message: "404 page not found".into() };
        assert!(matches!(failed(&bare, &place, "remedies", now), Reading::Unavailable { .. }));
    }
}
