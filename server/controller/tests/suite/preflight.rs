//! The preflight on a cluster that has all, on one that lacks something, and as somebody who may read less; and the ClusterRole that is
//! shipped for it against what it asks for, both ways.

use super::world::{NAMESPACE, World};
use domain::ports::{PreflightCheck, PreflightOutcome};
use sandbox::{Effect, Fault, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// What a cluster has beside what the console brings: Tekton's words about itself, a default class, an image policy that counts.
const CLUSTER: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: pipelines-info, namespace: tekton-pipelines}
data: {version: v1.12.0}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: feature-flags, namespace: tekton-pipelines}
data: {set-security-context: "true", coschedule: workspaces, results-from: termination-message}
---
apiVersion: v1
kind: Namespace
metadata:
  name: kubernaut-system
  labels: {pod-security.kubernetes.io/enforce: restricted, policy.sigstore.dev/include: "true"}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: fast, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: disks.example.com
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusterimagepolicies.policy.sigstore.dev}
spec:
  group: policy.sigstore.dev
  scope: Cluster
  names: {kind: ClusterImagePolicy, plural: clusterimagepolicies, singular: clusterimagepolicy}
  versions:
    - name: v1beta1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: signed}
spec: {images: [{glob: "**"}]}
"#;

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1";
const FLAGS: &str = "/api/v1/namespaces/tekton-pipelines/configmaps/feature-flags";
const ALL: [&str; 11] = [
    "Kubernetes",
    "Tekton",
    "Tekton's flags",
    "WorkflowExecution",
    "RemediationWorkflow",
    "Task and Pipelines",
    "Rights",
    "Policies",
    "Listings",
    "Storage",
    "Signatures",
];

const LISTER: &str = "components/listing/policy.yaml";

fn shipped(file: &str) -> String {
    let file = format!("{}/../../deploy/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(file).unwrap()
}

/// A cluster that has everything.
async fn whole() -> World {
    let world = without_lister().await;
    world.sandbox().apply_yaml(&shipped(LISTER)).unwrap();
    world
}

/// The same without the policy that binds the pod which lists volumes.
async fn without_lister() -> World {
    let mut world = World::without_controller().await;
    world.lister_image = Some("registry.example.com/console:1".into());
    world.start_controller();
    for text in [CLUSTER.to_owned(), shipped("base/policy/runs.yaml"), shipped("base/policy/accounts.yaml")] {
        world.sandbox().apply_yaml(&text).unwrap();
    }
    world
}

/// The findings that are not good.
async fn findings(world: &World) -> Vec<PreflightCheck> {
    let found = world.cluster().preflight().await;
    found.into_iter().filter(|check| check.outcome != PreflightOutcome::Good).collect()
}

/// The only finding that is not good.
async fn finding(world: &World) -> PreflightCheck {
    let mut found = findings(world).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_to_pods_without_its_policy_is_found() {
    let world = without_lister().await;
    let found = finding(&world).await;
    assert_eq!((found.subject, found.outcome), ("Listings", PreflightOutcome::Missing));
    assert!(found.words.contains("ValidatingAdmissionPolicy kubernaut-lister is not there"), "{}", found.words);
    assert_eq!(found.mend.as_deref(), Some("kubectl apply -f deploy/components/listing/policy.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_list_volumes_is_asked_for_where_they_are_listed() {
    for (image, expected) in [(Some("registry.example.com/console:1"), 1), (None, 0)] {
        let mut world = World::without_controller().await;
        world.lister_image = image.map(str::to_owned);
        world.start_controller();
        world.sandbox().apply_yaml(&shipped(LISTER)).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let reviews = Arc::clone(&asked);
        *world.webhook.lock().unwrap() = Some(Box::new(move |_, path, body| {
            if path.ends_with("/selfsubjectaccessreviews") {
                reviews.lock().unwrap().push(body["spec"]["resourceAttributes"].clone());
            }
        }));
        world.cluster().preflight().await;
        let asked = asked.lock().unwrap();
        let of = |what: &Value| asked.iter().filter(|review| *review == what).count();
        let images = json!({
            "namespace": NAMESPACE, "verb": "use", "group": "kubernaut.ai", "resource": "listerimages",
            "subresource": "", "name": image.unwrap_or("kubernaut-console:0.1.0"),
        });
        let pods = json!({
            "namespace": NAMESPACE, "verb": "create", "group": "", "resource": "pods", "subresource": "", "name": "",
        });
        assert_eq!((of(&images), of(&pods)), (expected, expected), "{asked:#?}");
    }
}

/// The rights that this looks for are denied, and no others.
fn deny(world: &World, denied: fn(&Value) -> bool) {
    world.sandbox().forbid("vera");
    *world.webhook.lock().unwrap() = Some(Box::new(move |_, path, body| {
        if path.ends_with("/selfsubjectaccessreviews") && denied(&body["spec"]["resourceAttributes"]) {
            body["spec"]["user"] = json!("vera");
        }
    }));
}

/// Whether a request is refused.
type Refused = fn(&Value) -> bool;

#[tokio::test(flavor = "multi_thread")]
async fn what_settings_take_beside_that_is_looked_at_where_they_are_set() {
    let mut world = whole().await;
    world.event_namespaces = vec!["shop".into(), "web".into()];
    world.reviews = controller::Reviews { tokens: true, people: true };
    world.stop_controller().await;
    world.start_controller();
    let all = world.cluster().preflight().await;
    let told: Vec<_> = all.iter().filter(|check| !ALL.contains(&check.subject)).collect();
    let subjects: Vec<_> = told.iter().map(|check| check.subject).collect();
    assert_eq!(subjects, ["Events", "Callers' tokens", "Approvers' rights"]);
    assert!(told.iter().all(|check| check.outcome == PreflightOutcome::Good), "{told:#?}");

    deny(&world, |right| right["resource"] == "events" && right["namespace"] == "web");
    let found = finding(&world).await;
    assert_eq!((found.subject, found.outcome), ("Events", PreflightOutcome::Note));
    assert!(found.words.starts_with("it may not list events, watch events in web:"), "{found:?}");
    let mend = found.mend.unwrap();
    assert!(mend.contains("kubectl -n web create rolebinding") && !mend.contains("-n shop"), "{mend}");
    let cases: [(Refused, &str, PreflightOutcome); 2] = [
        (|right| right["resource"] == "tokenreviews", "Callers' tokens", PreflightOutcome::Note),
        (
            |right| right["resource"] == "subjectaccessreviews" && right["namespace"] == "",
            "Approvers' rights",
            PreflightOutcome::Missing,
        ),
    ];
    for (denied, subject, outcome) in cases {
        deny(&world, denied);
        let found = finding(&world).await;
        assert_eq!((found.subject, found.outcome), (subject, outcome));
        assert_eq!(found.mend.as_deref(), Some("kubectl apply -f deploy/components/auth-delegator/rbac.yaml"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_has_all_is_found_good_part_by_part() {
    let world = whole().await;
    let found = world.cluster().preflight().await;
    assert!(found.iter().all(|check| check.outcome == PreflightOutcome::Good && check.mend.is_none()), "{found:#?}");
    assert_eq!(found.iter().map(|check| check.subject).collect::<Vec<_>>(), ALL);
    assert_eq!(found[1].words, "Pipelines v1.12.0, upstream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_that_stops_every_run_is_a_miss_with_the_command_that_turns_it() {
    let world = whole().await;
    world.edit(FLAGS, &json!({ "data": { "set-security-context": "false" } })).await;
    let found = finding(&world).await;
    assert_eq!((found.subject, found.outcome), ("Tekton's flags", PreflightOutcome::Missing));
    assert!(found.words.contains("kubernaut-system enforces `restricted`: every run fails"), "{found:?}");
    let mend = r#"kubectl -n tekton-pipelines patch configmap feature-flags --type merge -p '{"data":{"set-security-context":"true"}}'"#;
    assert_eq!(found.mend.as_deref(), Some(mend));
    world.edit(FLAGS, &json!({ "data": { "set-security-context": "true", "coschedule": "disabled" } })).await;
    assert_eq!(finding(&world).await.outcome, PreflightOutcome::Note);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_gone_or_another_is_told_and_runs_go_without() {
    for (kind, change, words) in [
        (
            "validatingadmissionpolicies/kubernaut-runs",
            Some(json!({ "spec": { "failurePolicy": "Ignore" } })),
            "the ValidatingAdmissionPolicy kubernaut-runs is not the one that this console ships (spec.failurePolicy",
        ),
        (
            "validatingadmissionpolicybindings/kubernaut-accounts",
            Some(json!({ "spec": { "validationActions": ["Warn"] } })),
            "the ValidatingAdmissionPolicyBinding kubernaut-accounts is not the one",
        ),
        (
            "validatingadmissionpolicybindings/kubernaut-runs",
            None,
            "the ValidatingAdmissionPolicyBinding kubernaut-runs is not there",
        ),
    ] {
        let world = whole().await;
        let path = format!("{POLICIES}/{kind}");
        match change {
            Some(change) => world.edit(&path, &change).await,
            None => world.delete(&path).await,
        }
        let found = finding(&world).await;
        assert_eq!((found.subject, found.outcome), ("Policies", PreflightOutcome::Note));
        assert!(found.words.starts_with(words), "{found:?}");
        assert_eq!(found.mend.as_deref(), Some("kubectl apply -k deploy/base/policy/"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn image_policies_that_do_not_look_at_the_namespace_are_none() {
    let world = whole().await;
    let label = json!({ "metadata": { "labels": { "policy.sigstore.dev/include": null } } });
    world.edit(&format!("/api/v1/namespaces/{NAMESPACE}"), &label).await;
    let found = finding(&world).await;
    assert_eq!((found.subject, found.outcome), ("Signatures", PreflightOutcome::Note));
    assert_eq!(
        found.mend.as_deref(),
        Some("kubectl label namespace kubernaut-system policy.sigstore.dev/include=true")
    );
    world.delete("/apis/policy.sigstore.dev/v1beta1/clusterimagepolicies/signed").await;
    let found = finding(&world).await;
    assert!(found.words.starts_with("no image policy") && found.mend.is_some(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_not_known_which_is_another_answer_than_missing() {
    let world = whole().await;
    for (verb, kind, name, subject, right) in [
        (Verb::Get, "configmaps", "pipelines-info", "Tekton", "get the ConfigMap pipelines-info of Tekton"),
        (
            Verb::Get,
            "configmaps",
            "feature-flags",
            "Tekton's flags",
            "get the ConfigMap feature-flags in tekton-pipelines",
        ),
        (
            Verb::Get,
            "customresourcedefinitions",
            "workflowexecutions",
            "WorkflowExecution",
            "get the CustomResourceDefinition workflowexecutions.workflowexecution.kubernaut.ai",
        ),
        (
            Verb::Get,
            "validatingadmissionpolicies",
            "kubernaut-runs",
            "Policies",
            "get the ValidatingAdmissionPolicy kubernaut-runs",
        ),
        (
            Verb::Get,
            "pipelines",
            "playbook-executor-retry-2",
            "Task and Pipelines",
            "get the Pipeline playbook-executor-retry-2 in kubernaut-system",
        ),
        (Verb::List, "storageclasses", "", "Storage", "list storageclasses"),
        (Verb::List, "clusterimagepolicies", "", "Signatures", "list clusterimagepolicies"),
        (Verb::Get, "namespaces", NAMESPACE, "Signatures", "get the namespace kubernaut-system"),
    ] {
        world.sandbox().faults().push(Fault::once(verb, kind, Effect::Forbidden("no".into())).named(name).times(2));
        let found = findings(&world).await;
        world.sandbox().faults().clear();
        let told = found.iter().find(|check| check.subject == subject).unwrap();
        assert!(told.words.contains(&format!("needs the right to {right};")), "{found:#?}");
        assert!(told.words.contains("kubernaut-console doctor --cluster kubeconfig"), "{told:?}");
        assert_eq!(told.mend.as_deref(), Some("kubectl apply -k deploy/base/rbac/"));
        // Nothing else is worse for it; without Tekton's namespace its flags are not known either.
        let unknown = found.iter().all(|check| check.outcome == PreflightOutcome::Unknown);
        assert!(unknown && found.len() <= 2, "{found:#?}");
    }
}

/// Group, resource, name and verb; the name is empty where any is meant.
type Right = (String, String, String, String);

/// What a request about something outside the console's own namespace needs; none for what every account may ask.
fn right(method: &str, uri: &str) -> Option<Right> {
    let path = uri.split('?').next().unwrap_or(uri);
    let path = path.rsplit_once("://").map_or(path, |(_, rest)| &rest[rest.find('/').unwrap()..]);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["apis", "authorization.k8s.io", ..] | ["apis", _, _] => return None,
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (resource, name) = match rest {
        ["namespaces", NAMESPACE, _, ..] => return None,
        ["namespaces", _, resource, name] | [resource, name] => (*resource, *name),
        [resource] => (*resource, ""),
        other => panic!("{other:?} of {uri}"),
    };
    assert_eq!(method, "GET", "{uri}");
    let verb = if name.is_empty() { "list" } else { "get" };
    Some((group.to_owned(), resource.to_owned(), name.to_owned(), verb.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_role_grants_what_is_asked_for_and_nothing_else() {
    let world = whole().await;
    world.cluster().preflight().await;
    let asked = world.asked.lock().unwrap().clone();
    let asked: BTreeSet<Right> = asked.iter().filter_map(|(method, uri)| right(method, uri)).collect();

    let text = shipped("base/rbac/preflight.yaml");
    let mut objects = serde_norway::Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap());
    let role = objects.find(|object| object["kind"] == "ClusterRole").unwrap();
    let words = |rule: &Value, field: &str| -> Vec<String> {
        serde_json::from_value(rule[field].clone()).unwrap_or_else(|_| vec![String::new()])
    };
    let mut granted = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for name in words(rule, "resourceNames") {
                    let rights = words(rule, "verbs").into_iter();
                    granted.extend(rights.map(|verb| (group.clone(), resource.clone(), name.clone(), verb)));
                }
            }
        }
    }
    assert_eq!(asked, granted, "left: asked for, right: granted");
}
