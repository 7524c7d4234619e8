//! What acts on something is held to its rules however it is written: without a namespace, by a namespace alone, by another
//! spelling of the kind, behind a first step that is harmless.

use super::{PLAYBOOK, approve, in_force, one_rule, proposed, ticket, told};
use crate::support::{Caller, Console, alert, alerts, recommendation, seed};
use serde_json::{Value, json};

const BY_NAMESPACE: &str = "\
name: by-namespace
rules:
  - name: playground
    match:
      namespace: dev
    approvals: 1
  - name: wages
    match:
      namespace: production
    approvals: 3
  - name: everything-else
    approvals: 2
";

/// The seeds' three steps, of which the first two are told this.
async fn steps(by: &Caller<'_>, inputs: [Value; 2]) -> String {
    let mut list = seed("workflow-execution-spec.json");
    for (place, inputs) in inputs.into_iter().enumerate() {
        list["steps"][place]["inputs"] = inputs;
    }
    let taken = by.post("/api/v1/executions", &list).await.expect(201);
    format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap())
}

async fn rule(by: &Caller<'_>, path: &str) -> Value {
    ticket(by, path).await["policy"]["rule"].clone()
}

#[tokio::test]
async fn a_namespace_that_only_the_parameters_say_is_where_it_acts() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    in_force(&admin, BY_NAMESPACE).await;
    let mut unsaid = recommendation("inc-1");
    unsaid["incident"]["resource"] = json!({ "kind": "Deployment", "name": "my-app" });
    assert_eq!(rule(&admin, &proposed(&model, &unsaid).await).await, "wages");
    unsaid["strategies"][0]["parameters"]["TARGET_NAMESPACE"] = json!("dev");
    unsaid["incident"]["id"] = json!("inc-2");
    assert_eq!(rule(&admin, &proposed(&model, &unsaid).await).await, "playground");
}

#[tokio::test]
async fn a_namespace_counts_where_nothing_in_it_is_named() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let operator = console.token("operator", "operator");
    let mut by_namespace = seed(PLAYBOOK);
    by_namespace["parameters"]["exposed"].as_array_mut().unwrap().retain(|one| {
        let name = one["name"].as_str().unwrap();
        !name.starts_with("TARGET_RESOURCE")
    });
    admin.post("/api/v1/playbooks", &by_namespace).await.expect(201);
    in_force(&admin, BY_NAMESPACE).await;
    let mut dev = recommendation("inc-1");
    dev["incident"]["resource"]["namespace"] = json!("dev");
    dev["strategies"][0]["parameters"] = json!({ "TARGET_NAMESPACE": "production", "SCALE_TARGET_REPLICAS": 1 });
    assert_eq!(rule(&admin, &proposed(&model, &dev).await).await, "wages", "what runs outranks what is said");

    let pods = json!({ "namespace": "production", "labelSelector": "app=payment" });
    let path = steps(&operator, [pods.clone(), pods]).await;
    assert_eq!(rule(&admin, &path).await, "wages");
}

#[tokio::test]
async fn an_object_is_one_however_its_kind_is_written() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let mut any_kind = seed(PLAYBOOK);
    any_kind["parameters"]["exposed"][0].as_object_mut().unwrap().remove("enum");
    admin.post("/api/v1/playbooks", &any_kind).await.expect(201);
    in_force(&admin, &one_rule("approvals: 1\ncool_down: 1h")).await;
    let first = proposed(&model, &recommendation("inc-1")).await;
    approve(&admin, &first, &ticket(&admin, &first).await).await.expect(200);
    for (place, kind) in ["deployment", "DEPLOYMENT", "deploy", "deployments.apps"].into_iter().enumerate() {
        let mut again = recommendation(&format!("again-{place}"));
        again["incident"]["resource"]["kind"] = json!(kind);
        again["strategies"][0]["parameters"]["TARGET_RESOURCE_KIND"] = json!(kind);
        let path = proposed(&model, &again).await;
        assert_eq!(told(&approve(&admin, &path, &ticket(&admin, &path).await).await), (409, "busy"), "{kind}");
    }
}

#[tokio::test]
async fn no_first_step_hides_what_the_others_act_on() {
    let console = Console::start();
    let (admin, operator) = (console.token("admin", "admin"), console.token("operator", "operator"));
    let app = |namespace: &str, name: &str| json!({ "deployment": name, "namespace": namespace, "replicas": 1 });
    in_force(&admin, BY_NAMESPACE).await;
    let harmless = steps(&operator, [app("dev", "decoy"), app("dev", "other")]).await;
    assert_eq!(rule(&admin, &harmless).await, "playground");
    let hidden = steps(&operator, [app("dev", "decoy"), app("production", "payment-service")]).await;
    assert_eq!(rule(&admin, &hidden).await, "wages");
    let anywhere = steps(&operator, [app("dev", "decoy"), json!({ "node": "worker-1" })]).await;
    assert_eq!(rule(&admin, &anywhere).await, "everything-else", "a node is not in dev");

    in_force(&admin, &one_rule("approvals: 1\ncool_down: 1h")).await;
    let first = steps(&operator, [app("production", "payment-service"), app("production", "payment-service")]).await;
    approve(&admin, &first, &ticket(&admin, &first).await).await.expect(200);
    let refused = approve(&admin, &hidden, &ticket(&admin, &hidden).await).await;
    assert_eq!(told(&refused), (409, "busy"), "{}", refused.text);
    approve(&admin, &harmless, &ticket(&admin, &harmless).await).await.expect(200);
}

/// Lets run by itself what is for an incident that is not severe.
const MILD_BY_ITSELF: &str = "\
name: mild
rules:
  - name: mild
    grant: automatic
    match:
      severity: [info, low]
      risk: [low, medium]
      confidence: { at_least: 0.8 }
      measured_success: { at_least: 0.9, runs: 1 }
  - name: everything-else
    approvals: 1
";

#[tokio::test]
async fn no_answer_talks_an_incident_down_that_the_console_knows() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let alertmanager = console.token("alertmanager", "ingest");
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    let first = proposed(&model, &recommendation("inc-1")).await;
    let decided = approve(&admin, &first, &ticket(&admin, &first).await).await.expect(200);
    let run = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    admin.until(&run, "succeeded", |run| run["state"] == "succeeded").await;
    let measured = "/api/v1/effectiveness?group_by=version";
    admin.until(measured, "counted", |list| list["items"][0]["succeeded"] == 1).await;
    in_force(&admin, MILD_BY_ITSELF).await;

    let fires = async |name: &str, severity: &str, environment: Option<&str>| {
        let mut body = alerts(&[alert(name, "firing", "2025-11-23T03:00:00Z")]);
        body["groupKey"] = json!(name);
        body["alerts"][0]["labels"]["severity"] = json!(severity);
        if let Some(environment) = environment {
            body["alerts"][0]["labels"]["environment"] = json!(environment);
        }
        let taken = alertmanager.post("/api/v1/signals/alertmanager", &body).await.expect(200);
        taken["incidents"][0].as_str().unwrap().to_owned()
    };
    let grave = fires("grave", "critical", None).await;
    let elsewhere = fires("elsewhere", "info", Some("staging")).await;
    let mild = fires("mild", "info", Some("Production")).await;
    for (incident, state) in [(grave, "open"), (elsewhere, "open"), (mild, "decided")] {
        let mut said = recommendation(&incident);
        said["incident"]["severity"] = json!("low");
        let path = proposed(&model, &said).await;
        assert_eq!(admin.get(&path).await.expect(200)["state"], state, "{incident}");
    }
}
