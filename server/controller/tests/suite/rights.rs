//! The Role that is shipped against what the controller asks for: it may do all of that, and nothing else.

use super::{
    tickets::{shell_ticket, steps_plan, steps_ticket, ticket},
    world::{NAMESPACE, World},
};
use domain::execution::{ExecutionState, TaskState};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    group: String,
    resource: String,
    verb: String,
    /// Empty where any object is meant, or none by name: a list, a watch, what is to be created.
    name: String,
}

impl Right {
    fn to(verb: &str, group: &str, resource: &str, name: &str) -> Self {
        let [group, resource, verb, name] = [group, resource, verb, name].map(str::to_owned);
        Self { group, resource, verb, name }
    }

    /// Whether who has this right may do that: one that names an object is for that object alone.
    fn covers(&self, asked: &Self) -> bool {
        let same = |of: fn(&Self) -> &str| of(self) == of(asked);
        same(|right| &right.group)
            && same(|right| &right.resource)
            && same(|right| &right.verb)
            && (self.name.is_empty() || self.name == asked.name)
    }
}

/// What is asked for and not granted.
fn refused(asked: &BTreeSet<Right>, granted: &BTreeSet<Right>) -> BTreeSet<Right> {
    asked.iter().filter(|right| !granted.iter().any(|has| has.covers(right))).cloned().collect()
}

/// What is granted and never asked for.
fn idle(granted: &BTreeSet<Right>, asked: &BTreeSet<Right>) -> BTreeSet<Right> {
    granted.iter().filter(|has| !asked.iter().any(|right| has.covers(right))).cloned().collect()
}

/// What a request needs; none for what every account may ask.
fn right(method: &str, uri: &str) -> Option<Right> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = path.rsplit_once("://").map_or(path, |(_, rest)| &rest[rest.find('/').unwrap()..]);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let ["namespaces", NAMESPACE, resource, rest @ ..] = rest else { panic!("outside the namespace: {uri}") };
    let resource = match rest {
        [_, sub] => format!("{resource}/{sub}"),
        _ => (*resource).to_owned(),
    };
    let verb = match (method, rest) {
        ("GET", [_, ..]) => "get",
        ("GET", []) if query.contains("watch=true") => "watch",
        ("GET", []) => "list",
        ("POST", []) => "create",
        ("PATCH", [_, ..]) => "patch",
        ("DELETE", [_]) => "delete",
        other => panic!("{other:?} on {uri}"),
    };
    Some(Right::to(verb, group, &resource, rest.first().copied().unwrap_or_default()))
}

fn granted(file: &str) -> BTreeSet<Right> {
    let file = format!("{}/../../deploy/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).unwrap();
    let objects = serde_norway::Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap());
    let role = objects.into_iter().find(|object| object["kind"] == "Role").unwrap();
    let words = |rule: &Value, field: &str| -> Vec<String> { serde_json::from_value(rule[field].clone()).unwrap() };
    let mut all = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        let any = rule["resourceNames"].is_null();
        let names = if any { vec![String::new()] } else { words(rule, "resourceNames") };
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for verb in words(rule, "verbs") {
                    all.extend(names.iter().map(|name| Right::to(&verb, &group, &resource, name)));
                }
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_grants_what_is_asked_for_and_nothing_else() {
    let mut world = World::without_controller().await;
    world.replica = Some("a".into());
    world.start_controller();
    let done = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    assert_eq!(world.ended(&done).await.state, ExecutionState::Succeeded);
    let long = world.approve(&shell_ticket(&[("RUN_SECONDS", "600")], &json!([]), |_| {}));
    world.until(&long, "running", |e| e.tasks[0].state == TaskState::Running).await;
    world.logged(&long, "execute", 1, "RUN_SECONDS").await;
    world.stop_controller().await;
    world.start_controller();
    world.store.ask_to_cancel(&long);
    world.cluster().wake();
    assert_eq!(world.ended(&long).await.state, ExecutionState::Cancelled);
    let object = json!({
        "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1", "kind": "WorkflowExecution",
        "metadata": {"name": "by-hand", "namespace": NAMESPACE},
        "spec": {"workflowType": "multi-step-remediation", "reason": "OOMKilled alert detected for payment-service",
            "steps": steps_plan()["steps"]},
    });
    world.apply(&object).await.unwrap();
    let uid = world.workflow("by-hand").await.unwrap()["metadata"]["uid"].clone();
    let adopted = ticket(&steps_plan(), |content| content["adopts"] = json!({"name": "by-hand", "uid": uid}));
    // A name that is taken is looked up, and a run that was held is looked at again.
    for kind in ["configmaps", "pipelineruns"] {
        world.sandbox().faults().push(sandbox::Fault::once(sandbox::Verb::Create, kind, sandbox::Effect::LoseReply));
    }
    let id = world.approve(&adopted);
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    world.apply(&super::registrations::applied(NAMESPACE)).await.unwrap();
    super::registrations::answered(&world, super::registrations::NAME, "True").await;
    // A TaskRun that the watch does not bring is asked for.
    let declared = json!([{"name": "observed", "type": "string"}]);
    let unseen = world.approve(&shell_ticket(&[("RUN_SECONDS", "60")], &declared, |_| {}));
    world.until(&unseen, "running", |e| e.tasks[0].state == TaskState::Running).await;
    for verb in [sandbox::Verb::Watch, sandbox::Verb::List] {
        let fault = sandbox::Fault::once(verb, "taskruns", sandbox::Effect::Unavailable);
        world.sandbox().faults().push(fault.times(1000));
    }
    world.sandbox().faults().drop_watches();
    assert_eq!(world.ended(&unseen).await.state, ExecutionState::Succeeded);
    world.sandbox().faults().clear();
    world.eventually("ready", async || world.cluster().health().ready.then_some(())).await;

    let asked = world.asked.lock().unwrap().clone();
    let asked: BTreeSet<Right> = asked.iter().filter_map(|(method, uri)| right(method, uri)).collect();
    let granted = granted("base/rbac/console.yaml");
    let refused = refused(&asked, &granted);
    assert!(refused.is_empty(), "asked for and not granted: {refused:?}");
    // The API server asks for this one on the controller's behalf.
    let finalizers = Right::to("update", "workflowexecution.kubernaut.ai", "workflowexecutions/finalizers", "");
    assert_eq!(idle(&granted, &asked), BTreeSet::from([finalizers]), "granted and never asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_asks_for_what_its_role_grants_and_nothing_else() {
    let mut world = World::without_controller().await;
    world.lister_image = Some(super::listings::IMAGE.into());
    world.start_controller();
    let run = world.ended(&world.approve(&steps_ticket())).await;
    world.asked.lock().unwrap().clear();
    world.cluster().list_workspace(&run, "shared-workspace").await.unwrap();
    let asked = world.asked.lock().unwrap().clone();
    let asked: BTreeSet<Right> = asked.iter().filter_map(|(method, uri)| right(method, uri)).collect();
    let (usual, mut added) = (granted("base/rbac/console.yaml"), granted("components/listing/rbac.yaml"));
    // The admission policy asks for this one.
    assert!(added.remove(&Right::to("use", "kubernaut.ai", "listerimages", "kubernaut-console:0.1.0")));
    let beyond = refused(&asked, &usual);
    assert!(refused(&beyond, &added).is_empty(), "asked for {beyond:?}, granted {added:?}");
    assert!(idle(&added, &beyond).is_empty(), "asked for {beyond:?}, granted {added:?}");
}

#[test]
fn a_right_that_names_an_object_is_for_that_object_alone() {
    let named = Right::to("get", "tekton.dev", "tasks", "kubernaut-action");
    assert!(named.covers(&named) && Right::to("get", "tekton.dev", "tasks", "").covers(&named));
    assert!(!named.covers(&Right::to("get", "tekton.dev", "tasks", "another")));
    assert!(!named.covers(&Right::to("get", "tekton.dev", "tasks", "")), "creating can't be given by name");
    assert!(!named.covers(&Right::to("patch", "tekton.dev", "tasks", "kubernaut-action")));
}

#[test]
fn an_author_registers_and_can_do_nothing_else() {
    let verbs = granted("base/rbac/playbook-authors.yaml").into_iter().map(|right| {
        assert_eq!(right, Right::to(&right.verb, "workflowexecution.kubernaut.ai", "remediationworkflows", ""));
        right.verb
    });
    assert_eq!(verbs.collect::<Vec<_>>(), ["create", "delete", "get", "list", "patch", "watch"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_edits_the_pipeline_is_noticed() {
    let world = World::start().await;
    world.eventually("ready", async || world.cluster().health().ready.then_some(())).await;
    drop(world);
    let another =
        json!([{"name": "execute", "taskSpec": {"steps": [{"name": "execute", "image": "evil.example/x:1"}]}}]);
    for (path, change, word) in [
        (
            "pipelines/playbook-executor-retry-3",
            json!({"spec": {"tasks": another}}),
            "Pipeline playbook-executor-retry-3",
        ),
        ("tasks/kubernaut-action", json!({"spec": {"volumes": [{"name": "x"}]}}), "Task kubernaut-action"),
    ] {
        let mut world = World::without_controller().await;
        world.edit(&format!("/apis/tekton.dev/v1/namespaces/{NAMESPACE}/{path}"), &change).await;
        world.start_controller();
        let problems = world
            .eventually("noticed", async || {
                let health = world.cluster().health();
                (!health.ready && health.problems.iter().any(|p| p.contains(word))).then_some(health.problems)
            })
            .await;
        assert!(problems.iter().any(|p| p.contains("kubectl replace -k deploy/base/tekton/")), "{problems:?}");
    }
    let mut world = World::without_controller().await;
    world.delete(&format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/playbook-executor")).await;
    world.start_controller();
    world
        .eventually("missing", async || {
            let problems = world.cluster().health().problems;
            let said = |p: &String| p.contains("ServiceAccount playbook-executor") && p.contains("kubectl apply");
            problems.iter().any(said).then_some(())
        })
        .await;
}
