//! Whether the console has the rights that its Role gives it, each asked of the API server.

use super::{good, missing, note, unknown};
use crate::{calls::Calls, client, health::UNWARNED, mend};
use domain::ports::PreflightCheck;
use serde_json::{Value, json};

const ROLE: &str = include_str!("../../../../deploy/base/rbac/console.yaml");
/// What runs go without, and what that means.
const SPARED: [(&str, &str); 2] =
    [("remediationworkflows", "nothing is registered from the cluster"), ("events", UNWARNED)];

/// A right that the console's Role gives.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    verb: String,
    group: String,
    resource: String,
    subresource: String,
    /// Empty where any object is meant.
    name: String,
}

impl Wanted {
    /// `patch workflowexecutions/status`.
    fn words(&self) -> String {
        let what = if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        };
        format!("{} {what}", self.verb)
    }
}

/// Every right of the Roles in a manifest.
fn wanted(manifest: &str) -> Vec<Wanted> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let objects = client::read(manifest).unwrap_or_default();
    let rules =
        objects.iter().filter(|object| object["kind"] == "Role").filter_map(|role| role["rules"].as_array()).flatten();
    let mut all = Vec::new();
    for rule in rules {
        let names = texts(&rule["resourceNames"]);
        let name = names.first().cloned().unwrap_or_default();
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
                all.extend(texts(&rule["verbs"]).into_iter().map(|verb| Wanted {
                    verb,
                    group: group.clone(),
                    resource: resource.to_owned(),
                    subresource: subresource.to_owned(),
                    name: name.clone(),
                }));
            }
        }
    }
    all
}

/// All of them, in this namespace.
pub(super) async fn check(calls: &Calls, namespace: &str) -> PreflightCheck {
    const SUBJECT: &str = "Rights";
    let mut denied = Vec::new();
    for right in wanted(ROLE) {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "namespace": namespace, "verb": right.verb, "group": right.group,
                "resource": right.resource, "subresource": right.subresource, "name": right.name,
            } },
        });
        match calls.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await {
            Ok(answer) if answer["status"]["allowed"] == true => {}
            Ok(_) => denied.push(right),
            Err(error) => return unknown(SUBJECT, &error, "ask for its own rights", namespace),
        }
    }
    if denied.is_empty() {
        return good(SUBJECT, format!("all that the console needs in {namespace}"));
    }
    let (less, denied): (Vec<_>, Vec<_>) = denied.into_iter().partition(is_spared);
    let words = |rights: &[Wanted]| rights.iter().map(Wanted::words).collect::<Vec<_>>().join(", ");
    let mend = mend::apply(mend::RIGHTS, namespace);
    if denied.is_empty() {
        let words = format!("in {namespace} it may not {}: {}", words(&less), goes_without(&less));
        return note(SUBJECT, words, Some(mend));
    }
    missing(SUBJECT, format!("in {namespace} it may not {}", words(&[denied, less].concat())), mend)
}

/// Whether runs go without this right.
fn is_spared(right: &Wanted) -> bool {
    SPARED.iter().any(|(resource, _)| right.resource == *resource)
}

/// What it means that these rights are missing, which runs go without.
fn goes_without(less: &[Wanted]) -> String {
    let missing = SPARED.iter().filter(|(resource, _)| less.iter().any(|right| right.resource == *resource));
    missing.map(|(_, meaning)| *meaning).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_of_the_role_is_asked_for() {
        let all: Vec<String> = wanted(ROLE).iter().map(Wanted::words).collect();
        for right in ["create pipelineruns", "patch workflowexecutions/status", "get pods/log", "create configmaps"] {
            assert!(all.iter().any(|words| words == right), "{right}: {all:?}");
        }
        assert!(!all.iter().any(|words| words.starts_with("delete")), "it never deletes");
        let named = wanted(ROLE).into_iter().find(|right| right.resource == "tasks").unwrap();
        assert_eq!(named.name, "kubernaut-action");
    }

    #[test]
    fn what_runs_go_without_is_told_from_what_they_need() {
        let all = wanted(ROLE);
        let less: Vec<Wanted> = all.iter().filter(|right| is_spared(right)).cloned().collect();
        let words: Vec<String> = less.iter().map(Wanted::words).collect();
        for right in ["list events", "watch events", "patch remediationworkflows/status"] {
            assert!(words.iter().any(|words| words == right), "{right}: {words:?}");
        }
        assert!(!words.iter().any(|words| words.contains("pods")), "{words:?}");
        let events: Vec<Wanted> = less.into_iter().filter(|right| right.resource == "events").collect();
        assert_eq!(goes_without(&events), UNWARNED);
    }
}
