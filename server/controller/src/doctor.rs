//! The preflight: whether a cluster has all that the console needs of it, part by part, and for each miss the command that mends it.
//! It reads and asks, and changes nothing. What is judged is pure; only `examine` and the calls below it ask the cluster. What it may not
//! read is not known, which is another answer than that it is not there; `deploy/base/rbac/preflight.yaml` lets it read all.

mod flags;
mod policies;
mod rights;

use crate::{
    calls::{CallError, Calls},
    crd, mend,
    reviews::Reviews,
    shipped,
};
use domain::{
    json::canonical,
    ports::{PreflightCheck, PreflightOutcome},
};
use serde_json::Value;

fn good(subject: &'static str, words: impl Into<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Good, words: words.into(), mend: None }
}

fn missing(subject: &'static str, words: impl Into<String>, mend: impl Into<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Missing, words: words.into(), mend: Some(mend.into()) }
}

fn note(subject: &'static str, words: impl Into<String>, mend: Option<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Note, words: words.into(), mend }
}

/// What can't be told, and why.
fn untold(subject: &'static str, words: impl Into<String>, mend: Option<String>) -> PreflightCheck {
    PreflightCheck { subject, outcome: PreflightOutcome::Unknown, words: words.into(), mend }
}

/// What the console may not read.
fn unpermitted(subject: &'static str, right: &str, namespace: &str) -> PreflightCheck {
    let words = format!(
        "the console needs the right to {right}; grant it, or ask an administrator to run \
         `kubernaut-console doctor --cluster kubeconfig --namespace {namespace}`"
    );
    untold(subject, words, Some(mend::apply(mend::RIGHTS, namespace)))
}

/// What could not be read. `right` is what reading it needs.
fn unknown(subject: &'static str, error: &CallError, right: &str, namespace: &str) -> PreflightCheck {
    match error {
        CallError::Refused { code: 403, .. } => unpermitted(subject, right, namespace),
        other => untold(subject, other.to_string(), None),
    }
}

/// Where Tekton says its version: upstream, and OpenShift Pipelines.
const TEKTON: [(&str, &str); 2] = [("tekton-pipelines", "upstream"), ("openshift-pipelines", "OpenShift Pipelines")];
const TEKTON_API: &str = "tekton.dev/v1";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// What the settings take of the cluster beside what runs do (`deploy/components`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// The image by which volumes are to be listed; none where they are not.
    pub lister: Option<&'a str>,
    /// The namespaces whose Warnings are to be signals.
    pub event_namespaces: &'a [String],
    /// What is to be asked about others.
    pub reviews: Reviews,
}

/// Looks at everything, as whoever the client is; only at the API server where that does not answer.
pub async fn examine(client: kube::Client, namespace: &str, extras: &Extras<'_>) -> Vec<PreflightCheck> {
    look(&Calls::new(client), namespace, extras).await
}

pub(crate) async fn look(calls: &Calls, namespace: &str, extras: &Extras<'_>) -> Vec<PreflightCheck> {
    let version = match calls.version().await {
        Ok(version) => good("Kubernetes", version),
        Err(error) => {
            let words = format!("the API server does not answer: {error}");
            return vec![missing("Kubernetes", words, "kubectl cluster-info")];
        }
    };
    let served = match Served::ask(calls).await {
        Ok(served) => served,
        Err(error) => return vec![version, unknown("Tekton", &error, "read what the cluster serves", namespace)],
    };
    let place = Place::read(calls, namespace).await;
    let (engine, tekton) = tekton(calls, &served, namespace).await;
    let mut found = vec![version, engine];
    if served.has(TEKTON_API) {
        found.push(flags::check(calls, &served, tekton, &place).await);
    }
    found.extend(definitions(calls, &served, namespace).await);
    if let Err(CallError::NotFound(_)) = &place.labels {
        found.push(missing(
            "Namespace",
            format!("{namespace} is not there"),
            mend::apply_file(mend::NAMESPACE, namespace),
        ));
    }
    found.push(pieces(calls, namespace).await);
    found.push(rights::check(calls, namespace).await);
    found.push(policies::check(calls, &served, tekton, namespace).await);
    if let Some(image) = extras.lister {
        found.push(listings(calls, namespace, image).await);
    }
    if !extras.event_namespaces.is_empty() {
        found.push(rights::check_events(calls, namespace, extras.event_namespaces).await);
    }
    if extras.reviews.tokens {
        found.push(rights::check_token_reviews(calls, namespace).await);
    }
    if extras.reviews.people {
        found.push(rights::check_access_reviews(calls, namespace).await);
    }
    found.push(storage(calls, namespace).await);
    found.push(signatures(calls, &served, &place).await);
    found
}

/// Whether the console may list volumes, and may not do more. The right is looked at where its policy is: without that nobody should give it.
async fn listings(calls: &Calls, namespace: &str, image: &str) -> PreflightCheck {
    let bound = policies::check_lister(calls, namespace).await;
    if bound.outcome != PreflightOutcome::Good {
        return bound;
    }
    rights::check_lister(calls, namespace, image).await.unwrap_or(bound)
}

/// The object or list at this path; none where the API server says that it is not there.
async fn read(calls: &Calls, path: &str) -> Result<Option<Value>, CallError> {
    match calls.read(path).await {
        Ok(found) => Ok(Some(found)),
        Err(CallError::NotFound(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// The namespace of the runs.
struct Place<'a> {
    name: &'a str,
    /// Its labels, as an object; why not, where they can't be read.
    labels: Result<Value, CallError>,
}

impl<'a> Place<'a> {
    async fn read(calls: &Calls, name: &'a str) -> Self {
        let there = calls.read(&format!("/api/v1/namespaces/{name}")).await;
        Self { name, labels: there.map(|there| there["metadata"]["labels"].clone()) }
    }

    /// Whether it has this label with this value; none where that is not known.
    fn is_labelled(&self, label: &str, value: &str) -> Option<bool> {
        self.labels.as_ref().ok().map(|labels| labels[label] == value)
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

/// Whether Tekton is there, and its own namespace, where that can be told.
async fn tekton(calls: &Calls, served: &Served, own: &str) -> (PreflightCheck, Option<&'static str>) {
    const SUBJECT: &str = "Tekton";
    if !served.has(TEKTON_API) {
        let absent = missing(
            SUBJECT,
            "the cluster does not serve tekton.dev/v1",
            "kubectl apply -f RELEASE.yaml of Tekton Pipelines 1.0 or later (on OpenShift: install the OpenShift Pipelines operator)",
        );
        return (absent, None);
    }
    let mut refused = None;
    for (namespace, which) in TEKTON {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/pipelines-info");
        match read(calls, &path).await {
            Ok(Some(info)) => {
                let version = info["data"]["version"].as_str().unwrap_or("a version that it does not tell");
                return (good(SUBJECT, format!("Pipelines {version}, {which}")), Some(namespace));
            }
            Ok(None) => {}
            Err(error) => refused = Some(error),
        }
    }
    let check = match refused {
        Some(error) => unknown(SUBJECT, &error, "get the ConfigMap pipelines-info of Tekton", own),
        None => note(
            SUBJECT,
            "it is there, in a namespace of another name than its releases have; which version is not known",
            None,
        ),
    };
    (check, None)
}

/// A finding for each definition. Runs go without RemediationWorkflow.
async fn definitions(calls: &Calls, served: &Served, namespace: &str) -> Vec<PreflightCheck> {
    const SUBJECTS: [&str; 2] = [crd::KIND, "RemediationWorkflow"];
    let group = format!("{}/{}", crd::GROUP, crd::VERSION);
    let resources = if served.has(&group) { read(calls, &format!("/apis/{group}")).await } else { Ok(None) };
    let mut found = Vec::new();
    for ours in crd::crds().iter().filter_map(|crd| serde_json::to_value(crd).ok()) {
        let kind = &ours["spec"]["names"]["kind"];
        let Some(subject) = SUBJECTS.into_iter().find(|subject| kind == *subject) else { continue };
        found.push(match &resources {
            Ok(list) if is_served(list.as_ref(), subject) => definition(calls, subject, &ours, namespace).await,
            Ok(_) => lacking(subject, "the cluster does not know it".into()),
            Err(error) => unknown(subject, error, "read what the cluster serves", namespace),
        });
    }
    found
}

/// Whether the list of what a group serves has this kind.
fn is_served(list: Option<&Value>, kind: &str) -> bool {
    list.and_then(|list| list["resources"].as_array())
        .is_some_and(|resources| resources.iter().any(|resource| resource["kind"] == kind))
}

async fn definition(calls: &Calls, subject: &'static str, ours: &Value, namespace: &str) -> PreflightCheck {
    let name = ours["metadata"]["name"].as_str().unwrap_or_default();
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    match read(calls, &path).await {
        Ok(Some(there)) if !differs(ours, &there) => good(subject, "as this console defines it"),
        Ok(_) => lacking(subject, format!("{name} is not the one of this console")),
        Err(error) => unknown(subject, &error, &format!("get the CustomResourceDefinition {name}"), namespace),
    }
}

/// A definition that is not there, or another.
fn lacking(subject: &'static str, words: String) -> PreflightCheck {
    if subject == crd::KIND {
        return missing(subject, words, mend::DEFINITIONS);
    }
    note(
        subject,
        format!("{words}; runs go without it, playbooks are then registered in the console only"),
        Some(mend::DEFINITIONS.into()),
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
        None => untold(SUBJECT, "the cluster did not answer", None),
        Some(faults) if faults.is_empty() => good(SUBJECT, format!("as this console ships them, in {namespace}")),
        Some(faults) if faults.iter().all(|fault| fault.lacks.is_some()) => {
            let rights: Vec<String> = faults.into_iter().filter_map(|fault| fault.lacks).collect();
            unpermitted(SUBJECT, &rights.join(", "), namespace)
        }
        Some(faults) => {
            let mut mends: Vec<String> = faults.iter().map(|fault| fault.mend.clone()).collect();
            mends.sort_unstable();
            mends.dedup();
            let words: Vec<String> = faults.into_iter().map(|fault| fault.words).collect();
            missing(SUBJECT, words.join("; "), mends.join(" && "))
        }
    }
}

async fn storage(calls: &Calls, namespace: &str) -> PreflightCheck {
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
        Err(error) => unknown(SUBJECT, &error, "list storageclasses", namespace),
    }
}

fn default_class(list: &Value) -> Option<&str> {
    let classes = list["items"].as_array()?;
    let default = classes.iter().find(|class| class["metadata"]["annotations"][DEFAULT_CLASS] == "true")?;
    default["metadata"]["name"].as_str()
}

/// Whether an image policy of sigstore's policy-controller has to admit what runs. It looks at the namespaces that ask for it.
async fn signatures(calls: &Calls, served: &Served, place: &Place<'_>) -> PreflightCheck {
    const SUBJECT: &str = "Signatures";
    const GROUP: &str = "policy.sigstore.dev/v1beta1";
    const INCLUDE: &str = "policy.sigstore.dev/include";
    let policies =
        if served.has(GROUP) { read(calls, &format!("/apis/{GROUP}/clusterimagepolicies")).await } else { Ok(None) };
    match policies {
        Ok(Some(list)) if list["items"].as_array().is_some_and(|policies| !policies.is_empty()) => {
            match (place.is_labelled(INCLUDE, "true"), &place.labels) {
                (Some(true), _) => {
                    good(SUBJECT, format!("the cluster has image policies, and {} is under them", place.name))
                }
                (_, Err(error)) => unknown(SUBJECT, error, &format!("get the namespace {}", place.name), place.name),
                _ => note(
                    SUBJECT,
                    format!(
                        "the cluster has image policies, and {} is not under them: it runs images that nobody signed",
                        place.name
                    ),
                    Some(format!("kubectl label namespace {} {INCLUDE}=true", place.name)),
                ),
            }
        }
        Ok(_) => note(
            SUBJECT,
            "no image policy: the cluster runs images that nobody signed; docs/install.md, \"Signed images\", says how to have one",
            Some("kubectl apply -f deploy/components/signatures/policies.yaml".into()),
        ),
        Err(error) => unknown(SUBJECT, &error, "list clusterimagepolicies", place.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        assert!([runs, registrations].iter().all(|check| check.mend.as_deref() == Some(mend::DEFINITIONS)));
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
