//! The preflight: whether a cluster has all that the console needs of it, part by part, and for each miss the command that mends it.
//! It reads and asks, and changes nothing. What is judged is pure; only `examine` and the calls below it ask the cluster.

use crate::{
    calls::{CallError, Calls},
    client, crd,
    health::UNWARNED,
    shipped,
};
use domain::{
    json::canonical,
    ports::{PreflightCheck, PreflightOutcome},
};
use serde_json::{Value, json};

fn good(subject: &'static str, words: impl Into<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Good, words: words.into(), mend: None }
}

fn missing(subject: &'static str, words: impl Into<String>, mend: impl Into<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Missing, words: words.into(), mend: Some(mend.into()) }
}

fn note(subject: &'static str, words: impl Into<String>, mend: Option<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Note, words: words.into(), mend }
}

/// Where Tekton says its version: upstream, and OpenShift Pipelines.
const TEKTON: [(&str, &str); 2] = [("tekton-pipelines", "upstream"), ("openshift-pipelines", "OpenShift Pipelines")];
/// What runs go without, and what that means.
const SPARED: [(&str, &str); 2] =
    [("remediationworkflows", "nothing is registered from the cluster"), ("events", UNWARNED)];
const CRD: &str = "kubernaut-console crds | kubectl apply -f -";
const ROLE: &str = include_str!("../../../deploy/base/rbac/console.yaml");
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// Looks at everything, as whoever the client is; only at the API server where that does not answer.
pub async fn examine(client: kube::Client, namespace: &str) -> Vec<PreflightCheck> {
    look(&Calls::new(client), namespace).await
}

pub(crate) async fn look(calls: &Calls, namespace: &str) -> Vec<PreflightCheck> {
    let version = match calls.version().await {
        Ok(version) => good("Kubernetes", version),
        Err(error) => {
            let words = format!("the API server does not answer: {error}");
            return vec![missing("Kubernetes", words, "kubectl cluster-info")];
        }
    };
    let served = match Served::ask(calls).await {
        Ok(served) => served,
        Err(error) => {
            return vec![version, note("Tekton", format!("what the cluster serves can't be read: {error}"), None)];
        }
    };
    let mut found = vec![version, tekton(calls, &served).await];
    found.extend(definitions(calls, &served).await);
    let place = format!("/api/v1/namespaces/{namespace}");
    if let Err(CallError::NotFound(_)) = calls.read(&place).await {
        found.push(missing(
            "Namespace",
            format!("{namespace} is not there"),
            format!("kubectl create namespace {namespace}"),
        ));
    }
    found.push(pieces(calls, namespace).await);
    found.push(rights(calls, namespace).await);
    found.push(storage(calls).await);
    found.push(signatures(calls, &served).await);
    found
}

/// The object or list at this path; none where the API server says that it is not there.
async fn read(calls: &Calls, path: &str) -> Result<Option<Value>, CallError> {
    match calls.read(path).await {
        Ok(found) => Ok(Some(found)),
        Err(CallError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// What the API server serves beside the core: each group with its version, `tekton.dev/v1`.
struct Served(Vec<String>);

impl Served {
    async fn ask(calls: &Calls) -> Result<Self, CallError> {
        let groups = calls.read("/apis").await?;
        let groups = groups["groups"].as_array().into_iter().flatten();
        let versions = groups.filter_map(|group| group["versions"].as_array()).flatten();
        Ok(Self(versions.filter_map(|version| Some(version["groupVersion"].as_str()?.to_owned())).collect()))
    }

    fn has(&self, group_version: &str) -> bool {
        self.0.iter().any(|served| served == group_version)
    }
}

async fn tekton(calls: &Calls, served: &Served) -> PreflightCheck {
    const SUBJECT: &str = "Tekton";
    if !served.has("tekton.dev/v1") {
        return missing(
            SUBJECT,
            "the cluster does not serve tekton.dev/v1",
            "kubectl apply -f RELEASE.yaml of Tekton Pipelines 1.0 or later (on OpenShift: install the OpenShift Pipelines operator)",
        );
    }
    for (namespace, which) in TEKTON {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/pipelines-info");
        if let Ok(Some(info)) = read(calls, &path).await {
            let version = info["data"]["version"].as_str().unwrap_or("a version that it does not tell");
            return good(SUBJECT, format!("Pipelines {version}, {which}"));
        }
    }
    note(SUBJECT, "it is there; which version can't be read", None)
}

/// A finding for each definition. Runs go without RemediationWorkflow.
async fn definitions(calls: &Calls, served: &Served) -> Vec<PreflightCheck> {
    const SUBJECTS: [&str; 2] = [crd::KIND, "RemediationWorkflow"];
    let group = format!("{}/{}", crd::GROUP, crd::VERSION);
    let resources = if served.has(&group) { read(calls, &format!("/apis/{group}")).await } else { Ok(None) };
    let mut found = Vec::new();
    for ours in crd::crds().iter().filter_map(|crd| serde_json::to_value(crd).ok()) {
        let kind = &ours["spec"]["names"]["kind"];
        let Some(subject) = SUBJECTS.into_iter().find(|subject| kind == *subject) else { continue };
        found.push(match &resources {
            Ok(list) if is_served(list.as_ref(), subject) => definition(calls, subject, &ours).await,
            Ok(_) => lacking(subject, "the cluster does not know it".into()),
            Err(error) => note(subject, format!("it can't be told whether it is there: {error}"), None),
        });
    }
    found
}

/// Whether the list of what a group serves has this kind.
fn is_served(list: Option<&Value>, kind: &str) -> bool {
    list.and_then(|list| list["resources"].as_array())
        .is_some_and(|resources| resources.iter().any(|resource| resource["kind"] == kind))
}

async fn definition(calls: &Calls, subject: &'static str, ours: &Value) -> PreflightCheck {
    let name = ours["metadata"]["name"].as_str().unwrap_or_default();
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    match read(calls, &path).await {
        Ok(Some(there)) if !differs(ours, &there) => good(subject, "as this console defines it"),
        Ok(_) => lacking(subject, format!("{name} is not the one of this console")),
        Err(_) => note(subject, "it is there; whether it is this console's can't be read", None),
    }
}

/// A definition that is not there, or another.
fn lacking(subject: &'static str, words: String) -> PreflightCheck {
    if subject == crd::KIND {
        return missing(subject, words, CRD);
    }
    note(
        subject,
        format!("{words}; runs go without it, playbooks are then registered in the console only"),
        Some(CRD.into()),
    )
}

/// Whether a definition says anything else than ours. Beside the versions the server fills in names and conversion; 5.0 and 5 are the
/// same number (RFC 8785).
fn differs(ours: &Value, there: &Value) -> bool {
    let text = |definition: &Value| canonical::to_string(&definition["spec"]["versions"]);
    text(ours) != text(there)
}

async fn pieces(calls: &Calls, namespace: &str) -> PreflightCheck {
    const SUBJECT: &str = "Task and Pipelines";
    match shipped::faults(calls, namespace).await {
        None => note(SUBJECT, "the cluster did not answer", None),
        Some(faults) if faults.is_empty() => good(SUBJECT, format!("as this console ships them, in {namespace}")),
        Some(faults) => {
            let mut mends: Vec<&str> = faults.iter().map(|fault| fault.mend).collect();
            mends.sort_unstable();
            mends.dedup();
            let words: Vec<String> = faults.into_iter().map(|fault| fault.words).collect();
            missing(SUBJECT, words.join("; "), mends.join(" && "))
        }
    }
}

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

async fn rights(calls: &Calls, namespace: &str) -> PreflightCheck {
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
            Err(error) => return note(SUBJECT, format!("the cluster does not tell: {error}"), None),
        }
    }
    if denied.is_empty() {
        return good(SUBJECT, format!("all that the console needs in {namespace}"));
    }
    let (less, denied): (Vec<_>, Vec<_>) = denied.into_iter().partition(is_spared);
    let words = |rights: &[Wanted]| rights.iter().map(Wanted::words).collect::<Vec<_>>().join(", ");
    let mend = if namespace == "kubernaut-system" {
        "kubectl apply -k deploy/base/rbac/".to_owned()
    } else {
        format!("sed s/kubernaut-system/{namespace}/ deploy/base/rbac/console.yaml | kubectl apply -f -")
    };
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

async fn storage(calls: &Calls) -> PreflightCheck {
    const SUBJECT: &str = "Storage";
    match calls.read("/apis/storage.k8s.io/v1/storageclasses").await {
        Ok(list) => match default_class(&list) {
            Some(name) => good(SUBJECT, format!("{name} is the default class: steps can share a workspace")),
            None => note(
                SUBJECT,
                "no class is the default: runs whose steps share a workspace wait for a volume",
                Some(format!("kubectl annotate storageclass NAME {DEFAULT_CLASS}=true")),
            ),
        },
        Err(error) => note(SUBJECT, format!("the classes can't be read: {error}"), None),
    }
}

fn default_class(list: &Value) -> Option<&str> {
    let classes = list["items"].as_array()?;
    let default = classes.iter().find(|class| class["metadata"]["annotations"][DEFAULT_CLASS] == "true")?;
    default["metadata"]["name"].as_str()
}

async fn signatures(calls: &Calls, served: &Served) -> PreflightCheck {
    const SUBJECT: &str = "Signatures";
    const GROUP: &str = "policy.sigstore.dev/v1beta1";
    let policies =
        if served.has(GROUP) { read(calls, &format!("/apis/{GROUP}/clusterimagepolicies")).await } else { Ok(None) };
    match policies {
        Ok(Some(list)) if list["items"].as_array().is_some_and(|policies| !policies.is_empty()) => {
            good(SUBJECT, "the cluster has image policies")
        }
        Ok(_) => note(SUBJECT, "no image policy: the cluster runs images that nobody signed", None),
        Err(error) => note(SUBJECT, format!("the policies can't be read: {error}"), None),
    }
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

    #[test]
    fn a_definition_is_ours_though_the_server_filled_something_in() {
        let registration = serde_json::to_value(&crd::crds()[1]).unwrap();
        assert!(!differs(&registration, &registration));
        let ours = serde_json::to_value(&crd::crds()[0]).unwrap();
        assert!(differs(&ours, &registration));
        let mut there = ours.clone();
        there["spec"]["conversion"] = json!({ "strategy": "None" });
        there["status"] = json!({ "acceptedNames": {} });
        let retries = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/retries/maximum";
        *there.pointer_mut(retries).unwrap() = json!(5);
        assert!(!differs(&ours, &there));
        there["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["description"] = json!("other");
        assert!(differs(&ours, &there));
    }

    #[test]
    fn a_kind_is_served_only_where_the_list_of_its_group_has_it() {
        let list = json!({ "resources": [{ "name": "workflowexecutions", "kind": "WorkflowExecution" }] });
        assert!(is_served(Some(&list), "WorkflowExecution"));
        assert!(!is_served(Some(&list), "RemediationWorkflow") && !is_served(None, "WorkflowExecution"));
        let (runs, registrations) =
            (lacking("WorkflowExecution", String::new()), lacking("RemediationWorkflow", String::new()));
        assert_eq!((runs.outcome, registrations.outcome), (PreflightOutcome::Missing, PreflightOutcome::Note));
        assert!([runs, registrations].iter().all(|check| check.mend.as_deref() == Some(CRD)));
    }

    #[test]
    fn the_default_class_is_the_one_that_says_so() {
        let class = |name: &str, default: &str| json!({ "metadata": { "name": name, "annotations": { DEFAULT_CLASS: default } } });
        let list =
            json!({ "items": [{ "metadata": { "name": "plain" } }, class("slow", "false"), class("fast", "true")] });
        assert_eq!(default_class(&list), Some("fast"));
        assert_eq!(default_class(&json!({ "items": [] })), None);
    }
}
