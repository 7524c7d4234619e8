//! RemediationWorkflows that somebody applied: the documented example, and what can be wrong with one.

use super::{
    tickets::shell_ticket,
    world::{NAMESPACE, World},
};
use domain::{
    execution::ExecutionState,
    playbook::{Registration, applied as names},
};
use serde_json::{Value, json};
use std::{sync::atomic::Ordering, time::Duration};

/// The name of the example.
pub const NAME: &str = "oomkill-scale-down-1.0.0";
const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/\
                          remediationworkflows.workflowexecution.kubernaut.ai";

/// The example of docs/install.md, in this namespace.
pub fn applied(namespace: &str) -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/install.md");
    let text = std::fs::read_to_string(file).unwrap();
    let mut blocks = text.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let example = blocks.find(|block| block.contains("kind: RemediationWorkflow\n")).expect("an example");
    let mut object: Value = serde_norway::from_str(example).unwrap();
    assert_eq!(object["metadata"]["namespace"], NAMESPACE);
    object["metadata"]["namespace"] = json!(namespace);
    object
}

/// The example under another name and with something else in it.
fn another(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut object = applied(NAMESPACE);
    object["metadata"]["name"] = json!(name);
    change(&mut object["spec"]);
    object
}

/// Its status once its condition says so.
pub async fn answered(world: &World, name: &str, registered: &str) -> Value {
    world
        .eventually(&format!("{name} is {registered}"), async || {
            let status = world.registration(name).await?["status"].clone();
            (status["conditions"][0]["status"] == registered).then_some(status)
        })
        .await
}

fn condition(status: &Value) -> (&str, &str) {
    assert_eq!((&status["conditions"][0]["type"], &status["observedGeneration"]), (&json!("Registered"), &json!(1)));
    let text = |field: &str| status["conditions"][0][field].as_str().unwrap();
    (text("reason"), text("message"))
}

fn times(world: &World, name: &str) -> usize {
    world.intake.handed_in.lock().unwrap().iter().filter(|handed| *handed == name).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_example_is_registered_whole_and_once() {
    let mut world = World::start().await;
    let object = applied(NAMESPACE);
    world.apply(&object).await.unwrap();
    let told = answered(&world, NAME, "True").await;
    assert_eq!(condition(&told).0, "Registered");
    let image = object["spec"]["containerImage"].as_str().unwrap().split('@').next().unwrap();
    assert_eq!(
        (told["playbook"]["id"].as_str(), told["playbook"]["version"].as_str()),
        (Some("oomkill-scale-down"), Some("1.0.0"))
    );
    assert!(told["playbook"]["image"].as_str().unwrap().starts_with(&format!("{image}@sha256:")), "{told}");
    let registered = world.intake.catalog.lock().unwrap()[0].registration.clone();
    let whole = names::registration(&object["spec"]);
    assert_eq!(registered, Registration::parse(&whole).unwrap(), "nothing was dropped by the schema");
    assert_eq!(registered.parameters.exposed[4].depends_on.len(), 1);

    // Our own status asks for nothing, nor do labels and the same content again.
    world.edit(&path(NAME), &json!({"metadata": {"labels": {"team": "a"}}})).await;
    world.apply(&object).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(times(&world, NAME), 1);

    // Who starts anew looks again, and writes nothing where all is said.
    let writes = world.journal.count("/remediationworkflows/");
    world.stop_controller().await;
    world.start_controller();
    world.eventually("looked at again", async || (times(&world, NAME) == 2).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.journal.count("/remediationworkflows/"), writes);

    // Versions are kept.
    world.delete(&path(NAME)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.intake.catalog.lock().unwrap().len(), 1);
    world.apply(&object).await.unwrap();
    assert!(condition(&answered(&world, NAME, "True").await).1.starts_with("the catalog has it"));
}

fn path(name: &str) -> String {
    format!("/apis/workflowexecution.kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationworkflows/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_with_another_content_is_refused_and_with_the_same_is_fine() {
    let world = World::start().await;
    world.apply(&applied(NAMESPACE)).await.unwrap();
    answered(&world, NAME, "True").await;
    world.apply(&another("twin", |_| {})).await.unwrap();
    world.apply(&another("other", |spec| spec["title"] = json!("another title"))).await.unwrap();
    world.apply(&another("next", |spec| spec["version"] = json!("1.0.1"))).await.unwrap();
    answered(&world, "twin", "True").await;
    answered(&world, "next", "True").await;
    let told = answered(&world, "other", "False").await;
    let (reason, message) = condition(&told);
    assert_eq!(reason, "VersionExists");
    assert!(message.contains("new version") && told["playbook"].is_null(), "{told}");
    assert_eq!(world.intake.catalog.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_resources_words_and_can_be_mended() {
    let mut world = World::start().await;
    let wrong = another("wrong", |spec| {
        spec["parameters"]["exposed"][4]["dependsOn"] = json!({"STRATGY": ["keep"]});
        spec["parameters"]["exposed"][0]["default"] = json!({"not": "a value"});
        spec["containerImage"] = json!("no image");
        spec["execution"]["timeout"] = json!("99h");
    });
    world.apply(&wrong).await.unwrap();
    let told = answered(&world, "wrong", "False").await;
    let (reason, message) = condition(&told);
    assert_eq!(reason, "Invalid");
    for words in [
        "/containerImage: ",
        "/parameters/exposed/0/default: ",
        "/parameters/exposed/4/dependsOn/STRATGY: there is no exposed parameter",
        "/execution/timeout: choose a timeout from 1s to 24h",
        "kubectl replace --force",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let refused = format!("{:?}", world.apply(&another("wrong", |_| {})).await.unwrap_err());
    assert!(refused.contains("spec is immutable") && refused.contains("replace --force"), "{refused}");
    // As `kubectl replace --force` does.
    world.delete(&path("wrong")).await;
    world.apply(&another("wrong", |_| {})).await.unwrap();
    answered(&world, "wrong", "True").await;
    world.stop_controller().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_while_nobody_looked_is_registered_at_the_next_start() {
    let mut world = World::without_controller().await;
    world.apply(&applied(NAMESPACE)).await.unwrap();
    world.apply(&another("held", |spec| spec["version"] = json!("2.0.0"))).await.unwrap();
    world.edit(&path("held"), &json!({"metadata": {"finalizers": ["example.com/holds-it"]}})).await;
    world.delete(&path("held")).await;
    world.start_controller();
    answered(&world, NAME, "True").await;
    assert_eq!(times(&world, "held"), 0, "one that is being deleted is not registered any more");

    // A catalog that lost a version gets it back at the next start, whatever the status says.
    world.stop_controller().await;
    world.intake.catalog.lock().unwrap().clear();
    world.start_controller();
    world
        .eventually("registered again", async || (!world.intake.catalog.lock().unwrap().is_empty()).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_told_once_also_when_no_console_ran() {
    let mut world = World::start().await;
    let gone = |world: &World| world.intake.gone.lock().unwrap().clone();
    world.apply(&applied(NAMESPACE)).await.unwrap();
    world.apply(&another("next", |spec| spec["version"] = json!("1.0.1"))).await.unwrap();
    answered(&world, NAME, "True").await;
    answered(&world, "next", "True").await;
    world.delete(&path("next")).await;
    world.eventually("next is gone", async || (gone(&world) == ["next"]).then_some(())).await;

    world.stop_controller().await;
    world.delete(&path(NAME)).await;
    world.start_controller();
    world.eventually("the example is gone", async || (gone(&world) == ["next", NAME]).then_some(())).await;
    assert_eq!(world.intake.catalog.lock().unwrap().len(), 2, "versions are kept");

    // Deleted and made anew, as `kubectl replace --force` does: it is there.
    world.apply(&applied(NAMESPACE)).await.unwrap();
    answered(&world, NAME, "True").await;
    assert_eq!(gone(&world).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_supersedes_and_both_say_so() {
    let world = World::start().await;
    world.apply(&applied(NAMESPACE)).await.unwrap();
    answered(&world, NAME, "True").await;
    world.apply(&another("next", |spec| spec["version"] = json!("1.0.1"))).await.unwrap();
    let reason =
        async |name: &str| world.registration(name).await.unwrap()["status"]["conditions"][0]["reason"].clone();
    world.eventually("superseded", async || (reason(NAME).await == "Superseded").then_some(())).await;
    let told = answered(&world, NAME, "True").await;
    assert!(condition(&told).1.ends_with("1.0.1 is newer and active") && !told["playbook"].is_null(), "{told}");
    assert_eq!(reason("next").await, "Registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_it_is_unknown_and_tried_again() {
    let world = World::start().await;
    world.eventually("ready", async || world.cluster().health().ready.then_some(())).await;
    world.store.down.store(true, Ordering::SeqCst);
    world.apply(&applied(NAMESPACE)).await.unwrap();
    let told = answered(&world, NAME, "Unknown").await;
    let (reason, message) = condition(&told);
    assert!(reason == "NotYet" && message.contains("tries again by itself"), "{message}");
    world.eventually("tried again", async || (times(&world, NAME) > 2).then_some(())).await;
    assert_eq!(world.journal.count("/remediationworkflows/"), 1, "the same is not written again");
    world.store.down.store(false, Ordering::SeqCst);
    answered(&world, NAME, "True").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_was_not_taken_is_written_later() {
    let world = World::start().await;
    world.store.down.store(true, Ordering::SeqCst);
    world.apply(&applied(NAMESPACE)).await.unwrap();
    answered(&world, NAME, "Unknown").await;
    let fault = sandbox::Fault::once(sandbox::Verb::Patch, "remediationworkflows", sandbox::Effect::Unavailable);
    world.sandbox().faults().push(fault.times(3));
    world.store.down.store(false, Ordering::SeqCst);
    answered(&world, NAME, "True").await;
    assert_eq!(world.intake.catalog.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_definition_runs_go_on_and_it_is_said_what_mends_it() {
    let mut world = World::without_controller().await;
    let definition = world.get(DEFINITION).await.unwrap();
    world.delete(DEFINITION).await;
    world.start_controller();
    let health = world
        .eventually("ready, with a note", async || {
            Some(world.cluster().health()).filter(|health| health.ready && !health.problems.is_empty())
        })
        .await;
    assert!(health.problems[0].contains("does not know RemediationWorkflow"), "{health:?}");
    assert!(health.problems[0].contains("kubectl apply -k deploy/base/crds/"), "{health:?}");
    let id = world.approve(&shell_ticket(&[("RUN_SECONDS", "1")], &json!([]), |_| {}));
    assert_eq!(world.ended(&id).await.state, ExecutionState::Succeeded);
    let preflight =
        controller::doctor::examine(world.sandbox().client(), NAMESPACE, &controller::doctor::Extras::default()).await;
    let found = preflight.iter().find(|finding| finding.subject == "RemediationWorkflow").unwrap();
    assert_eq!(found.outcome, domain::ports::PreflightOutcome::Note);
    assert_eq!(found.mend.as_deref(), Some("kubectl apply -k deploy/base/crds/"));
    assert!(
        preflight
            .iter()
            .any(|f| f.subject == "WorkflowExecution" && f.outcome == domain::ports::PreflightOutcome::Good)
    );

    let again = json!({"apiVersion": definition["apiVersion"], "kind": definition["kind"],
        "metadata": {"name": definition["metadata"]["name"]}, "spec": definition["spec"]});
    world.apply(&again).await.unwrap();
    world.apply(&applied(NAMESPACE)).await.unwrap();
    answered(&world, NAME, "True").await;
    assert!(world.cluster().health().problems.is_empty());
}

/// What the definition refuses by itself, before anything is looked at.
pub async fn refuses_what_it_must(world: &World, namespace: &str) {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 8] = [
        ("can't be both exposed and hidden", |spec| {
            spec["parameters"]["hidden"][0]["name"] = json!("STRATEGY");
        }),
        ("exactly one of value and secretRef", |spec| {
            spec["parameters"]["hidden"][1]["value"] = json!("x");
        }),
        ("maximum is less than minimum", |spec| {
            spec["parameters"]["exposed"][4]["maximum"] = json!(0);
        }),
        ("for parameters of type integer or number", |spec| {
            spec["parameters"]["exposed"][0]["minimum"] = json!(1);
        }),
        ("for parameters of type string", |spec| {
            spec["parameters"]["exposed"][4]["pattern"] = json!("^1$");
        }),
        // "Duplicate value" where it is created, "duplicate entries" where it is applied by the server.
        ("uplicate", |spec| {
            spec["parameters"]["exposed"][1]["name"] = json!("STRATEGY");
        }),
        ("spec.version", |spec| spec["version"] = json!("v1")),
        ("spec.workflowId", |spec| spec["workflowId"] = json!("No Id")),
    ];
    for (words, change) in cases {
        let mut object = applied(namespace);
        object["metadata"]["name"] = json!("refused");
        change(&mut object["spec"]);
        let refused = format!("{:?}", world.apply(&object).await.expect_err(words));
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_action_registry_is_a_config_map_and_what_it_says_counts_at_once() {
    let world = World::start().await;
    let cluster = world.cluster();
    assert_eq!(cluster.action_contracts().await, Ok(None));
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "kubernaut-actions", "namespace": NAMESPACE }, "data": { "scale.json": "one" } });
    world.apply(&map).await.unwrap();
    let said = cluster.action_contracts().await.unwrap().unwrap();
    assert_eq!(said.into_iter().collect::<Vec<_>>(), [("scale.json".to_owned(), "one".to_owned())]);
    world.delete(&format!("/api/v1/namespaces/{NAMESPACE}/configmaps/kubernaut-actions")).await;
    assert_eq!(cluster.action_contracts().await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_definition_refuses_what_it_must() {
    let world = World::without_controller().await;
    refuses_what_it_must(&world, NAMESPACE).await;
}
