//! Whether the console has the rights that its Role gives it, each asked of the API server.

use super::{good, missing, note, unknown};
use crate::{
    calls::{CallError, Calls},
    client,
    health::UNWARNED,
    mend,
};
use domain::ports::PreflightCheck;
use serde_json::{Value, json};

const ROLE: &str = include_str!("../../../../deploy/base/rbac/console.yaml");
/// What listing volumes takes beside that.
const LISTER: &str = include_str!("../../../../deploy/components/listing/rbac.yaml");
/// What it takes that Warnings are signals, in each namespace.
const EVENTS: &str = include_str!("../../../../deploy/components/events/rbac.yaml");
/// What asking about others takes, in the whole cluster.
const DELEGATOR: &str = include_str!("../../../../deploy/components/auth-delegator/rbac.yaml");
/// The whole cluster, as a review of rights has it.
const EVERYWHERE: &str = "";
/// What all of this needs itself.
const ASKING: &str = "ask for its own rights";
/// What runs go without, and what that means.
const SPARED: [(&str, &str); 2] =
    [("remediationworkflows", "nothing is registered from the cluster"), ("events", UNWARNED)];

/// A right that a Role gives the console.
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
    /// `patch workflowexecutions/status`, `get tasks kubernaut-action`.
    fn words(&self) -> String {
        let Self { verb, resource, .. } = self;
        let sub = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", self.name) };
        format!("{verb} {resource}{sub}{name}")
    }
}

/// Every right of the Roles and ClusterRoles in a manifest.
fn wanted(manifest: &str) -> Vec<Wanted> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let objects = client::read(manifest).unwrap_or_default();
    let granting = objects.iter().filter(|object| object["kind"] == "Role" || object["kind"] == "ClusterRole");
    let rules = granting.filter_map(|role| role["rules"].as_array()).flatten();
    let mut all = Vec::new();
    for rule in rules {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
                for name in &names {
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
    }
    all
}

/// Those that the API server denies in this namespace.
async fn denied(calls: &Calls, namespace: &str, wanted: Vec<Wanted>) -> Result<Vec<Wanted>, CallError> {
    let mut denied = Vec::new();
    for right in wanted {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "namespace": namespace, "verb": right.verb, "group": right.group,
                "resource": right.resource, "subresource": right.subresource, "name": right.name,
            } },
        });
        let answer = calls.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).await?;
        if answer["status"]["allowed"] != true {
            denied.push(right);
        }
    }
    Ok(denied)
}

fn words(rights: &[Wanted]) -> String {
    rights.iter().map(Wanted::words).collect::<Vec<_>>().join(", ")
}

/// What listing volumes takes, with this image; none where the console may do all of it.
pub(super) async fn check_lister(calls: &Calls, namespace: &str, image: &str) -> Option<PreflightCheck> {
    const SUBJECT: &str = "Listings";
    match denied(calls, namespace, wanted_to_list(image)).await {
        Ok(denied) if denied.is_empty() => None,
        Ok(denied) => {
            let words = format!("in {namespace} it may not {}: no volume is listed", words(&denied));
            Some(note(SUBJECT, words, Some(mend::apply_lister_rights(namespace, image))))
        }
        Err(error) => Some(unknown(SUBJECT, &error, ASKING, namespace)),
    }
}

fn wanted_to_list(image: &str) -> Vec<Wanted> {
    wanted(&LISTER.replace(mend::SHIPPED_IMAGE, image))
}

/// Whether it may read what Kubernetes warns of in these namespaces.
pub(super) async fn check_events(calls: &Calls, own: &str, namespaces: &[String]) -> PreflightCheck {
    const SUBJECT: &str = "Events";
    let mut without = Vec::new();
    for namespace in namespaces {
        match denied(calls, namespace, wanted(EVENTS)).await {
            Ok(denied) if denied.is_empty() => {}
            Ok(_) => without.push(namespace.as_str()),
            Err(error) => return unknown(SUBJECT, &error, ASKING, own),
        }
    }
    if without.is_empty() {
        return good(SUBJECT, format!("it may read what Kubernetes warns of in {}", namespaces.join(", ")));
    }
    let words = format!(
        "it may not {} in {}: what Kubernetes warns of there is no signal (--event-namespaces)",
        words(&wanted(EVENTS)),
        without.join(", ")
    );
    note(SUBJECT, words, Some(mend::bind_events(&without, own)))
}

/// Whether it may ask whose a token is.
pub(super) async fn check_token_reviews(calls: &Calls, own: &str) -> PreflightCheck {
    const SUBJECT: &str = "Callers' tokens";
    match denied_to_ask(calls, "tokenreviews").await {
        Ok(None) => good(SUBJECT, "it may ask the cluster whose a token is"),
        Ok(Some(right)) => {
            let words = format!("it may not {right}: nobody is let in by a token of the cluster (--token-review)");
            note(SUBJECT, words, Some(mend::apply_file(mend::DELEGATOR, own)))
        }
        Err(error) => unknown(SUBJECT, &error, ASKING, own),
    }
}

/// Whether it may ask what somebody may.
pub(super) async fn check_access_reviews(calls: &Calls, own: &str) -> PreflightCheck {
    const SUBJECT: &str = "Approvers' rights";
    match denied_to_ask(calls, "subjectaccessreviews").await {
        Ok(None) => good(SUBJECT, "it may ask the cluster what somebody may who approves"),
        Ok(Some(right)) => {
            let words = format!("it may not {right}: nobody can approve anything (--subject-access-review)");
            missing(SUBJECT, words, mend::apply_file(mend::DELEGATOR, own))
        }
        Err(error) => unknown(SUBJECT, &error, ASKING, own),
    }
}

/// The right to ask this, in words, where it is denied.
async fn denied_to_ask(calls: &Calls, resource: &str) -> Result<Option<String>, CallError> {
    let wanted = wanted(DELEGATOR).into_iter().filter(|right| right.resource == resource).collect();
    let denied = denied(calls, EVERYWHERE, wanted).await?;
    Ok(denied.first().map(Wanted::words))
}

/// All of the console's Role, in this namespace.
pub(super) async fn check(calls: &Calls, namespace: &str) -> PreflightCheck {
    const SUBJECT: &str = "Rights";
    let denied = match denied(calls, namespace, wanted(ROLE)).await {
        Ok(denied) => denied,
        Err(error) => return unknown(SUBJECT, &error, ASKING, namespace),
    };
    if denied.is_empty() {
        return good(SUBJECT, format!("all that the console needs in {namespace}"));
    }
    let (less, denied): (Vec<_>, Vec<_>) = denied.into_iter().partition(is_spared);
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
        for right in ["get tasks kubernaut-action", "get pipelines playbook-executor-retry-5"] {
            assert!(all.iter().any(|words| words == right), "each name: {right}: {all:?}");
        }
    }

    #[test]
    fn listing_takes_a_right_to_its_own_image() {
        let all: Vec<String> = wanted_to_list("registry.example.com/x:1").iter().map(Wanted::words).collect();
        assert_eq!(
            all,
            [
                "get persistentvolumeclaims",
                "get pods",
                "create pods",
                "delete pods",
                "use listerimages registry.example.com/x:1"
            ]
        );
    }

    #[test]
    fn settings_take_what_their_components_give() {
        let all = |manifest| wanted(manifest).iter().map(Wanted::words).collect::<Vec<_>>();
        assert_eq!(all(EVENTS), ["list events", "watch events"]);
        assert_eq!(all(DELEGATOR), ["create tokenreviews", "create subjectaccessreviews"]);
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
