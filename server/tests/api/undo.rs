//! When it goes wrong: undoing a run, repeating it, what happens by itself, and findings.

use crate::{
    policies::{approve, in_force, one_rule, person, proposed, ticket, token_of, told},
    support::{Caller, Console, Database, recommendation, seed},
};
use serde_json::{Value, json};

/// An answer whose strategy can be undone, about this workload.
fn answer(incident: &str, workload: &str, back: &Value) -> Value {
    let mut body = recommendation(incident);
    body["incident"]["resource"]["name"] = json!(workload);
    body["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!(workload);
    body["strategies"][0]["rollback_parameters"] = back.clone();
    body
}

/// The playbook with these settings of its runs.
fn playbook(version: &str, execution: &Value) -> Value {
    let mut body = seed("hidden-oomkill-scale-down.json");
    body["version"] = json!(version);
    body["execution"] = execution.clone();
    body
}

/// Approves what is at this address; the address of the run.
pub async fn approved(by: &Caller<'_>, path: &str) -> String {
    let ticket = ticket(by, path).await;
    let decided = approve(by, path, &ticket).await.expect(200);
    format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap())
}

pub async fn ended(by: &Caller<'_>, run: &str) -> Value {
    by.until(run, "an end", |run| run["finished_at"].is_string()).await
}

fn path_of(made: &Value) -> String {
    format!("/api/v1/recommendations/{}", made["id"].as_str().unwrap())
}

async fn a_run_is_undone_with_a_ticket_of_its_own(console: &Console) {
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let (operator, viewer) = (console.token("operator", "operator"), console.token("viewer", "viewer"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let path = proposed(&model, &answer("inc-1", "my-app", &json!({ "SCALE_TARGET_REPLICAS": 4 }))).await;
    let run = approved(&operator, &path).await;
    let (rollback, recoveries) = (format!("{run}/rollback"), format!("{run}/recoveries"));
    assert_eq!(told(&operator.post(&rollback, &json!({})).await), (409, "not-ended"));
    let first = ended(&viewer, &run).await;
    assert_eq!(viewer.post(&rollback, &json!({})).await.status, 403);
    assert_eq!(told(&operator.post(&format!("{run}/retry"), &json!({})).await), (409, "succeeded"));

    let made = operator.post(&rollback, &json!({ "reason": "it made things worse" })).await.expect(201);
    assert_eq!(made["origin"], json!({ "by": "run", "way": "rollback", "execution": first["id"], "automatic": false }));
    assert_eq!(made["strategies"][0]["parameters"]["SCALE_TARGET_REPLICAS"], 4);
    assert_eq!(made["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"], "my-app", "the rest is as it ran");
    assert_eq!(made["incident"]["id"], "inc-1");
    assert_eq!(told(&operator.post(&rollback, &json!({})).await), (409, "recovering"));
    let back = path_of(&made);
    let paper = ticket(&operator, &back).await;
    assert_eq!(approve(&operator, &back, &paper).await.status, 403, "who asked for it does not approve it");
    let undoing = approved(&admin, &back).await;
    let second = ended(&viewer, &undoing).await;
    assert_eq!(second["state"], "succeeded", "{second}");

    let known = viewer.get(&recoveries).await.expect(200);
    assert_eq!(known["made"][0]["execution_id"], second["id"]);
    assert_eq!((&known["made"][0]["run"], &known["made"][0]["way"]), (&json!("succeeded"), &json!("rollback")));
    assert_eq!(told(&operator.post(&rollback, &json!({})).await), (409, "undone"));
    let of = viewer.get(&format!("{undoing}/recoveries")).await.expect(200);
    assert_eq!((&of["of"]["execution_id"], &of["of"]["way"]), (&first["id"], &json!("rollback")));

    let browser = console.browser().await;
    let page = async |run: &Value| browser.get(&format!("/runs/{}", run["id"].as_str().unwrap())).await.text;
    let (undone, undoes) = (page(&first).await, page(&second).await);
    assert!(undone.contains(&format!("/runs/{}", second["id"].as_str().unwrap())), "the one leads to the other");
    assert!(undoes.contains(&format!("/runs/{}", first["id"].as_str().unwrap())), "and back");
    let decided = path.replace("/api/v1", "");
    let decided = browser.get(&decided).await.text;
    assert!(decided.contains(&format!("/runs/{}\"", second["id"].as_str().unwrap())), "so does what was approved");
    let auditor = console.token("auditor", "auditor");
    let rows = auditor.get("/api/v1/audit?action=recommendation.rollback").await.expect(200);
    assert_eq!(rows["items"][0]["reason"], "it made things worse");
    assert_eq!(rows["items"].as_array().unwrap().len(), 1, "a refusal leaves no row");
}

#[tokio::test]
async fn a_run_is_undone_with_a_ticket_of_its_own_on_sqlite() {
    a_run_is_undone_with_a_ticket_of_its_own(&Console::start()).await;
}

#[tokio::test]
async fn a_run_is_undone_with_a_ticket_of_its_own_on_postgresql() {
    if let Some(console) = Console::start_on(Database::Postgres) {
        a_run_is_undone_with_a_ticket_of_its_own(&console).await;
    }
}

#[tokio::test]
async fn rollback_parameters_are_checked_when_they_come_and_what_was_captured_stands_in() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &playbook("1.0.0", &json!({}))).await.expect(201);
    let body = answer("inc-1", "my-app", &json!({ "SCALE_TARGET_REPLICAS": 900 }));
    let taken = model.post("/api/v1/recommendations", &body).await.expect(201);
    let fault = &taken["strategies"][0]["rollback_errors"][0];
    assert_eq!(fault["pointer"], "/strategies/0/rollback_parameters/SCALE_TARGET_REPLICAS", "{taken}");
    assert_eq!(taken["strategies"][0]["errors"], json!([]), "it can run all the same");
    let run = approved(&admin, &path_of(&taken)).await;
    ended(&admin, &run).await;
    let refused = admin.post(&format!("{run}/rollback"), &json!({})).await;
    assert_eq!(told(&refused), (409, "no-rollback"));
    assert!(refused.json["detail"].as_str().unwrap().contains("by hand"), "{}", refused.text);

    let wrong = json!({ "capture": [{ "field": "spec.replicas", "parameter": "SCALE_TARGET_REPLICAS" }] });
    let refused = admin.post("/api/v1/playbooks", &playbook("1.1.0", &wrong)).await;
    assert_eq!(refused.faults(), [("/execution/capture/0/field".to_owned(), "malformed".to_owned())]);
    let variable = "/spec/template/spec/containers/0/env/0/value";
    for field in [variable, "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"] {
        let secret = json!({ "capture": [{ "field": field, "parameter": "SCALE_TARGET_REPLICAS" }] });
        let refused = admin.post("/api/v1/playbooks", &playbook("1.1.0", &secret)).await;
        assert_eq!(refused.faults(), [("/execution/capture/0/field".to_owned(), "not_allowed".to_owned())], "{field}");
    }
    let wrong = json!({ "capture": [{ "field": "/spec/replicas", "parameter": "REMEDIATION_TYPE" }] });
    let refused = admin.post("/api/v1/playbooks", &playbook("1.1.0", &wrong)).await;
    assert_eq!(refused.faults(), [("/execution/capture/0/parameter".to_owned(), "unknown_parameter".to_owned())]);

    let captures = json!({ "capture": [{ "field": "/spec/replicas", "parameter": "SCALE_TARGET_REPLICAS" }] });
    admin.post("/api/v1/playbooks", &playbook("1.1.0", &captures)).await.expect(201);
    let path = proposed(&model, &answer("inc-2", "my-app", &Value::Null)).await;
    let run = approved(&admin, &path).await;
    ended(&admin, &run).await;
    let made = admin.post(&format!("{run}/rollback"), &json!({})).await.expect(201);
    let strategy = &made["strategies"][0];
    assert!(strategy["parameters"]["SCALE_TARGET_REPLICAS"].is_i64(), "{strategy}");
    assert!(strategy["rationale"].as_str().unwrap().contains("captured"), "{strategy}");
}

#[tokio::test]
async fn only_what_says_that_it_is_safe_is_repeated() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &playbook("1.0.0", &json!({}))).await.expect(201);
    let failed = async |incident: &str| {
        let run = approved(&admin, &proposed(&model, &answer(incident, "not-there", &Value::Null)).await).await;
        assert_eq!(ended(&admin, &run).await["state"], "failed");
        run
    };
    let run = failed("inc-1").await;
    let refused = admin.post(&format!("{run}/retry"), &json!({})).await;
    assert_eq!(told(&refused), (409, "not-idempotent"));
    assert!(refused.json["detail"].as_str().unwrap().contains("idempotent: true"), "{}", refused.text);
    admin.post("/api/v1/playbooks", &playbook("1.1.0", &json!({ "idempotent": true }))).await.expect(201);
    let refused = admin.post(&format!("{run}/retry"), &json!({})).await;
    assert_eq!(told(&refused), (409, "not-idempotent"), "the version that ran says so or not");
    let run = failed("inc-2").await;
    let made = admin.post(&format!("{run}/retry"), &json!({})).await.expect(201);
    assert_eq!(made["origin"]["way"], "retry");
    assert_eq!(made["strategies"][0]["version"], "1.1.0");
    assert_eq!(made["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"], "not-there");
}

#[tokio::test]
async fn what_failed_is_undone_by_itself_once_where_the_policy_says_so() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &playbook("1.0.0", &json!({}))).await.expect(201);
    let back = json!({ "SCALE_TARGET_REPLICAS": 4 });
    let failed = async |incident: &str, body: &Value| {
        let run = approved(&admin, &proposed(&model, body).await).await;
        assert_eq!(ended(&admin, &run).await["state"], "failed", "{incident}");
        run
    };
    let before = failed("inc-0", &answer("inc-0", "not-there", &back)).await;
    in_force(&admin, &one_rule("approvals: 1\nrecovery: rollback")).await;
    let run = failed("inc-1", &answer("inc-1", "not-there-1", &back)).await;
    let of = async |run: &str, what: &str| {
        admin.until(&format!("{run}/recoveries"), what, |known| known["by_itself"].is_string()).await
    };
    let known = of(&run, "a rollback by itself").await;
    let made = known["made"].as_array().unwrap();
    assert_eq!((made.len(), &made[0]["automatic"], &made[0]["way"]), (1, &json!(true), &json!("rollback")));
    assert_eq!(made[0]["state"], "open", "no rule lets it run without people");
    let id = made[0]["recommendation_id"].as_str().unwrap();
    let proposal = admin.get(&format!("/api/v1/recommendations/{id}")).await.expect(200);
    assert_eq!(proposal["proposer"]["id"], "system:recovery");

    // What undoes it fails as well: nothing follows.
    let undoing = approved(&admin, &format!("/api/v1/recommendations/{id}")).await;
    assert_eq!(ended(&admin, &undoing).await["state"], "failed");
    // Where nothing is known to undo it with, that is said.
    let bare = failed("inc-2", &answer("inc-2", "not-there-2", &Value::Null)).await;
    let known = of(&bare, "why there is none").await;
    assert_eq!(known["made"], json!([]));
    assert!(known["by_itself"].as_str().unwrap().contains("can't be made"), "{known}");
    let known = admin.get(&format!("{undoing}/recoveries")).await.expect(200);
    assert_eq!((&known["made"], &known["of"]["automatic"]), (&json!([]), &json!(true)));
    let known = admin.get(&format!("{before}/recoveries")).await.expect(200);
    assert_eq!(known["made"], json!([]), "what ended before the policy was in force is people's");
}

/// Lets rollbacks run by themselves, and nothing else.
const UNDOES_BY_ITSELF: &str = "\
name: undoes
rules:
  - name: rollbacks
    grant: automatic
    match:
      origin: rollback
      risk: [low, medium]
      measured_success: { at_least: 0, runs: 1 }
  - name: everything-else
    approvals: 1
    recovery: rollback
";

#[tokio::test]
async fn what_a_person_handed_in_is_undone_by_itself_only_where_people_let_it() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &playbook("1.0.0", &json!({}))).await.expect(201);
    person(&console, "mara");
    let (own, operator) = (token_of(&console, "mara", "propose"), console.token("operator", "operator"));
    let failed = async |by: &Caller<'_>, incident: &str| {
        let body = answer(incident, &format!("not-there-{incident}"), &json!({ "SCALE_TARGET_REPLICAS": 4 }));
        let run = approved(&admin, &proposed(by, &body).await).await;
        assert_eq!(ended(&admin, &run).await["state"], "failed", "{incident}");
        format!("{run}/recoveries")
    };
    failed(&model, "inc-0").await;
    let measured = "/api/v1/effectiveness?group_by=version";
    admin.until(measured, "counted", |list| list["items"][0]["runs"] == 1).await;
    in_force(&admin, UNDOES_BY_ITSELF).await;

    let people = [failed(&own, "inc-1").await, failed(&operator, "inc-2").await];
    let machine = failed(&model, "inc-3").await;
    admin.until(&machine, "a rollback by the policy", |known| known["made"][0]["state"] == "decided").await;
    // Runs are looked at in the order of their ends.
    for recoveries in people {
        let known = admin.get(&recoveries).await.expect(200);
        let made = &known["made"][0];
        assert_eq!((&made["automatic"], &made["state"]), (&json!(true), &json!("open")), "{known}");
    }
}

#[tokio::test]
async fn a_verdict_of_a_person_alone_makes_nothing_by_itself() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let operator = console.token("operator", "operator");
    admin.post("/api/v1/playbooks", &playbook("1.0.0", &json!({}))).await.expect(201);
    in_force(&admin, &one_rule("approvals: 1\nrecovery: rollback")).await;
    let body = answer("inc-1", "my-app", &json!({ "SCALE_TARGET_REPLICAS": 4 }));
    let run = approved(&admin, &proposed(&model, &body).await).await;
    assert_eq!(ended(&admin, &run).await["state"], "succeeded");
    let verdict = json!({ "verdict": "ineffective", "reason": "I want it undone" });
    operator.post(&format!("{run}/assessment"), &verdict).await.expect(200);
    let known = admin.until(&format!("{run}/recoveries"), "a look", |known| known["by_itself"].is_string()).await;
    assert!(known["by_itself"].as_str().unwrap().contains("A person said"), "{known}");
    assert_eq!(known["made"], json!([]), "whoever wants it undone asks for it, and another approves");
}

#[tokio::test]
async fn what_could_not_run_when_it_came_is_not_what_is_tried_next() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let mut known = playbook("1.0.0", &json!({}));
    known["risk"] = json!("low");
    admin.post("/api/v1/playbooks", &known).await.expect(201);
    in_force(&admin, &one_rule("approvals: 1\nrecovery: next-strategy")).await;
    let seeds = answer("inc-1", "not-there", &Value::Null);
    let parameters = |replicas: i64| {
        let mut parameters = seeds["strategies"][0]["parameters"].clone();
        parameters["SCALE_TARGET_REPLICAS"] = json!(replicas);
        parameters
    };
    let id = &known["workflow_id"];
    let said = json!({
        "incident": seeds["incident"],
        "rootCauseAnalysis": { "summary": "The node is full." },
        "selectedWorkflow": {
            "workflowId": id, "actionType": "scale_down_replicas", "confidence": 0.9, "parameters": parameters(1),
        },
        "alternativeWorkflows": [
            { "workflowId": id, "executionBundle": "quay.io/somebody/else:1.0.0", "parameters": parameters(2) },
            { "workflowId": id, "parameters": parameters(3) },
        ],
    });
    let run = approved(&admin, &proposed(&model, &said).await).await;
    assert_eq!(ended(&admin, &run).await["state"], "failed");
    let recoveries = format!("{run}/recoveries");
    let known = admin.until(&recoveries, "what is tried next", |known| known["by_itself"].is_string()).await;
    let made = &known["made"][0];
    assert_eq!(made["way"], "next_strategy", "{known}");
    let id = made["recommendation_id"].as_str().unwrap();
    let next = admin.get(&format!("/api/v1/recommendations/{id}")).await.expect(200);
    let strategies = next["strategies"].as_array().unwrap();
    assert_eq!((strategies.len(), &strategies[0]["parameters"]["SCALE_TARGET_REPLICAS"]), (1, &json!(3)), "{next}");
}

async fn the_same_finding_is_one_card_that_people_triage(console: &Console) {
    let (admin, model, viewer) =
        (console.token("admin", "admin"), console.token("model", "propose"), console.token("viewer", "viewer"));
    admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let tell = async |incident: &str, title: &str| {
        let mut body = recommendation(incident);
        body["additional_findings"] = json!([{
            "title": title, "severity": "medium", "description": "It swaps.",
            "resource": { "kind": "Deployment", "namespace": "production", "name": "my-app" },
            "suggested_workflow_id": "oomkill-scale-down",
        }]);
        proposed(&model, &body).await
    };
    tell("inc-1", "worker-2 is full").await;
    tell("inc-2", "Worker-2 is full!").await;
    let list = viewer.get("/api/v1/findings?severity=medium&q=swaps").await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["seen"], &items[0]["state"]), (1, &json!(2), &json!("open")));
    let path = items[0]["links"]["self"].as_str().unwrap().to_owned();
    let card = viewer.get(&path).await.expect(200);
    assert_eq!(card["sources"].as_array().unwrap().len(), 2);
    let status = format!("{path}/status");
    assert_eq!(viewer.post(&status, &json!({ "status": "resolved" })).await.status, 403);
    assert_eq!(model.get(&path).await.status, 403, "a model reads no findings");
    let silent = admin.post(&status, &json!({ "status": "dismissed", "reason": " " })).await;
    assert_eq!(silent.faults(), [("/reason".to_owned(), "required".to_owned())]);
    admin.post(&status, &json!({ "status": "dismissed", "reason": "being replaced" })).await.expect(200);
    tell("inc-3", "worker-2 is full").await;
    let card = viewer.get(&path).await.expect(200);
    assert_eq!((&card["seen"], &card["state"]), (&json!(3), &json!("dismissed")));
    assert_eq!(admin.post("/api/v1/findings/none/status", &json!({ "status": "open" })).await.status, 404);

    // By the page: the form is filled with what the finding tells, and leads to a recommendation.
    let browser = console.browser().await;
    let page = card["links"]["page"].as_str().unwrap();
    let shown = browser.get(page).await.text;
    assert!(shown.contains("name=\"p.TARGET_RESOURCE_NAME\"") && shown.contains("value=\"my-app\""), "{shown}");
    let mut form = vec![
        ("workflow_id", "oomkill-scale-down"),
        ("why", "worker-2 is full"),
        ("p.TARGET_RESOURCE_KIND", "Deployment"),
        ("p.TARGET_RESOURCE_NAME", "my-app"),
        ("p.TARGET_NAMESPACE", "production"),
    ];
    let wrong = browser.post(&format!("{page}/recommendation"), &form).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    form.push(("p.SCALE_TARGET_REPLICAS", "1"));
    let made = browser.post(&format!("{page}/recommendation"), &form).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let card = viewer.get(&path).await.expect(200);
    assert_eq!(card["state"], "acknowledged");
    let made = format!("/api/v1/recommendations/{}", card["turned_into"].as_str().unwrap());
    let made = viewer.get(&made).await.expect(200);
    assert_eq!((&made["origin"]["by"], &made["incident"]["resource"]["name"]), (&json!("hand"), &json!("my-app")));
    // By REST: the same checks, and another recommendation.
    let turn = format!("{path}/recommendation");
    let mut body = json!({ "workflow_id": "oomkill-scale-down", "reason": "it swaps", "parameters": {
        "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "my-app", "TARGET_NAMESPACE": "production",
    } });
    assert_eq!(admin.post(&turn, &body).await.status, 422, "a parameter is missing");
    body["parameters"]["SCALE_TARGET_REPLICAS"] = json!(2);
    assert_eq!(viewer.post(&turn, &body).await.status, 403);
    assert_eq!(admin.post("/api/v1/findings/none/recommendation", &body).await.status, 404);
    let by_rest = admin.post(&turn, &body).await.expect(201);
    assert_eq!((&by_rest["origin"]["by"], &by_rest["proposer"]["name"]), (&json!("hand"), &json!("token admin")));
    assert_eq!(viewer.get(&path).await.expect(200)["turned_into"], by_rest["id"]);
    let rows = console.token("auditor", "auditor").get("/api/v1/audit?action=finding.").await.expect(200);
    let actions: Vec<_> = rows["items"].as_array().unwrap().iter().map(|row| row["action"].clone()).collect();
    assert_eq!(actions, [json!("finding.turn"), json!("finding.turn"), json!("finding.triage")]);
}

#[tokio::test]
async fn the_same_finding_is_one_card_that_people_triage_on_sqlite() {
    the_same_finding_is_one_card_that_people_triage(&Console::start()).await;
}

#[tokio::test]
async fn the_same_finding_is_one_card_that_people_triage_on_postgresql() {
    if let Some(console) = Console::start_on(Database::Postgres) {
        the_same_finding_is_one_card_that_people_triage(&console).await;
    }
}
