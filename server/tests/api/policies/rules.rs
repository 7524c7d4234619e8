//! What the policy in force asks for: by whom, by how many, when not, and what runs without anybody.

use super::{CAREFUL, PLAYBOOK, approve, in_force, one_rule, person, proposed, reject, rows, ticket, token_of, told};
use crate::support::{Console, Database, recommendation, seed};
use serde_json::{Value, json};

async fn a_ticket_is_of_the_policy_in_force(console: &Console) {
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let operator = console.token("operator", "operator");
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    let path = proposed(&model, &recommendation("inc-1")).await;
    let old = ticket(&operator, &path).await;
    assert_eq!((&old["policy"]["name"], &old["policy"]["need"]), (&json!("default"), &json!(1)));
    let version = in_force(&admin, CAREFUL).await;

    let stale = approve(&operator, &path, &old).await;
    assert_eq!(told(&stale), (409, "stale-ticket"));
    let places: Vec<&str> =
        stale.json["differences"].as_array().unwrap().iter().filter_map(|d| d["pointer"].as_str()).collect();
    assert!(places.iter().any(|place| place.starts_with("/policy")), "{}", stale.text);

    let new = ticket(&operator, &path).await;
    let policy = &new["policy"];
    assert_eq!((&policy["version"], &policy["need"], &policy["rule"]), (&version, &json!(2), &json!("production")));
    assert_eq!(
        policy["explanation"],
        "Two different people must approve: rule production of the policy careful v2 (environment production)."
    );
    assert_eq!(policy["conditions"], json!(["It pays our wages."]));
    assert_eq!(new["content"]["policy"]["version"], version);
    let first = approve(&operator, &path, &new).await.expect(200);
    assert_eq!(first["approvals"], json!({ "have": 1, "need": 2 }));
    let page = console.browser().await.get(&path.replace("/api/v1", "")).await.text.replace("<!>", "");
    assert!(page.contains("rule production of the policy careful v2"), "{page}");
    let second = approve(&admin, &path, &new).await.expect(200);
    assert!(second["execution_id"].is_string(), "{second}");
}

#[tokio::test]
async fn a_ticket_is_of_the_policy_in_force_on_sqlite() {
    a_ticket_is_of_the_policy_in_force(&Console::start()).await;
}

#[tokio::test]
async fn a_ticket_is_of_the_policy_in_force_on_postgresql() {
    if let Some(console) = Console::start_on(Database::Postgres) {
        a_ticket_is_of_the_policy_in_force(&console).await;
    }
}

#[tokio::test]
async fn no_model_talks_down_what_a_playbook_says_of_itself() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let mut risky = seed(PLAYBOOK);
    risky["risk"] = json!("high");
    admin.post("/api/v1/playbooks", &risky).await.expect(201);
    let mut soothing = recommendation("inc-1");
    soothing["strategies"][0]["estimated_risk"] = json!("low");
    let path = proposed(&model, &soothing).await;
    let first = ticket(&admin, &path).await;
    assert_eq!((&first["policy"]["rule"], &first["policy"]["need"]), (&json!("high-risk"), &json!(2)));
    assert_eq!(approve(&admin, &path, &first).await.expect(200)["approvals"], json!({ "have": 1, "need": 2 }));

    let by_hand = json!({
        "workflowType": "oomkill-scale-down", "reason": "Too many for this node.",
        "playbook": { "id": "oomkill-scale-down", "version": "1.0.0", "parameters": [
            { "name": "TARGET_RESOURCE_KIND", "value": "Deployment" },
            { "name": "TARGET_RESOURCE_NAME", "value": "my-app" },
            { "name": "TARGET_NAMESPACE", "value": "production" },
            { "name": "SCALE_TARGET_REPLICAS", "value": "1" },
        ] },
    });
    let operator = console.token("operator", "operator");
    let taken = operator.post("/api/v1/executions", &by_hand).await.expect(201);
    assert_eq!(taken["strategies"][0]["estimated_risk"], "high", "by hand no less: {taken}");
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    assert_eq!(ticket(&admin, &path).await["policy"]["need"], 2);
}

#[tokio::test]
async fn what_nobody_may_approve_and_what_is_frozen_is_only_rejected() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    in_force(&admin, &one_rule("grant: never\nwhy: Ask the platform team.")).await;
    let path = proposed(&model, &recommendation("inc-1")).await;
    let never = ticket(&admin, &path).await;
    assert_eq!((&never["policy"]["grant"], &never["policy"]["need"]), (&json!("never"), &json!(0)));
    let refused = approve(&admin, &path, &never).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json["detail"].as_str().unwrap().contains("everything"), "it names the rule: {}", refused.text);
    let page = console.browser().await.get(&path.replace("/api/v1", "")).await;
    assert!(page.text.contains("Ask the platform team."), "{}", page.text);

    let freeze = "name: frozen\n\
                  freezes:\n  - name: holidays\n    once: { from: \"2020-01-01T00:00:00Z\", to: \"2999-01-01T00:00:00Z\" }\n\
                  rules:\n  - name: all\n    approvals: 1\n    freeze: holidays\n";
    in_force(&admin, freeze).await;
    let frozen = ticket(&admin, &path).await;
    let refused = approve(&admin, &path, &frozen).await;
    assert_eq!(told(&refused), (409, "frozen"));
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains("holidays") && detail.contains("2999-01-01"), "until when: {detail}");
    reject(&admin, &path).await.expect(200);
}

#[tokio::test]
async fn people_in_two_groups_count_once_and_others_do_not() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    let [mara, otto, tom, vera] = ["mara", "otto", "tom", "vera"].map(|name| person(&console, name));
    let yaml = "name: groups\n\
                groups:\n  sre: [mara, otto, tom]\n  dba: [otto, \"role:admin\"]\n\
                rules:\n  - name: all\n    approvals: { need: 2, of: [sre, dba], count: groups }\n";
    in_force(&admin, yaml).await;
    let path = proposed(&model, &recommendation("inc-1")).await;
    let paper = ticket(&mara, &path).await;
    assert_eq!(approve(&vera, &path, &paper).await.status, 403, "in none of the groups");
    assert_eq!(approve(&otto, &path, &paper).await.expect(200)["approvals"], json!({ "have": 1, "need": 2 }));
    assert_eq!(approve(&otto, &path, &paper).await.status, 403, "in two groups, and still one");
    let second = approve(&mara, &path, &paper).await.expect(200);
    assert!(second["execution_id"].is_string(), "he stands for the one, she for the other: {second}");

    let path = proposed(&model, &recommendation("inc-2")).await;
    let paper = ticket(&mara, &path).await;
    approve(&mara, &path, &paper).await.expect(200);
    let refused = approve(&tom, &path, &paper).await;
    assert_eq!(refused.status, 403, "her group has spoken: {}", refused.text);
    approve(&admin, &path, &paper).await.expect(200)["execution_id"].as_str().expect("by their role");
}

#[tokio::test]
async fn who_edited_last_and_who_requested_count_as_the_rule_says() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    in_force(&admin, &one_rule("approvals: { need: 1, last_editor_counts: false, requester_counts: true }")).await;
    let path = proposed(&model, &recommendation("inc-1")).await;
    let mut parameters = recommendation("inc-1")["strategies"][0]["parameters"].clone();
    parameters["SCALE_TARGET_REPLICAS"] = json!(2);
    let edit = json!({ "strategy": 0, "parameters": parameters });
    let edited = one.post(&format!("{path}/tickets"), &edit).await.expect(201);
    assert_eq!(approve(&one, &path, &edited).await.status, 403, "their own numbers");
    approve(&two, &path, &edited).await.expect(200);

    let path = proposed(&one, &recommendation("inc-2")).await;
    let own = ticket(&one, &path).await;
    approve(&one, &path, &own).await.expect(200);
}

#[tokio::test]
async fn who_left_a_parameter_out_has_edited() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let (one, two) = (console.token("one", "operator"), console.token("two", "operator"));
    let mut playbook = seed(PLAYBOOK);
    playbook["parameters"]["exposed"].as_array_mut().unwrap().push(json!({
        "name": "GRACE_SECONDS", "description": "How long it waits", "type": "integer", "required": false, "default": 30,
    }));
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    in_force(&admin, &one_rule("approvals: { need: 1, last_editor_counts: false }")).await;
    let mut answer = recommendation("inc-1");
    answer["strategies"][0]["parameters"]["GRACE_SECONDS"] = json!(10);
    let path = proposed(&model, &answer).await;
    let less = recommendation("inc-1")["strategies"][0]["parameters"].clone();
    let edited = one.post(&format!("{path}/tickets"), &json!({ "strategy": 0, "parameters": less })).await.expect(201);
    assert_eq!(approve(&one, &path, &edited).await.status, 403, "the default is in the place of the model's number");
    approve(&two, &path, &edited).await.expect(200);
}

#[tokio::test]
async fn on_one_object_there_is_time_between_two_runs() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    in_force(&admin, &one_rule("approvals: 1\ncool_down: 1h")).await;
    let first = proposed(&model, &recommendation("inc-1")).await;
    let mut elsewhere = recommendation("inc-2");
    elsewhere["incident"]["resource"]["name"] = json!("checkout");
    elsewhere["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("checkout");
    let elsewhere = proposed(&model, &elsewhere).await;
    let second = proposed(&model, &recommendation("inc-3")).await;
    let decided = approve(&admin, &first, &ticket(&admin, &first).await).await.expect(200);
    let paper = ticket(&admin, &second).await;
    assert_eq!(told(&approve(&admin, &second, &paper).await), (409, "busy"));
    approve(&admin, &elsewhere, &ticket(&admin, &elsewhere).await).await.expect(200);

    let run = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    admin.until(&run, "succeeded", |e| e["state"] == "succeeded").await;
    let refused = approve(&admin, &second, &paper).await;
    assert_eq!(told(&refused), (409, "busy"));
    assert!(refused.json["detail"].as_str().unwrap().contains("a short time ago"), "{}", refused.text);
    let page = console.browser().await.get(&second.replace("/api/v1", "")).await;
    assert!(page.text.contains("a short time ago"), "the page says so before anybody presses: {}", page.text);
    assert_eq!(admin.get(&second).await.expect(200)["state"], "open");
}

/// Lets run by itself what went through once, where the model is sure.
const BY_ITSELF: &str = "\
name: known
rules:
  - name: known-remedy
    grant: automatic
    match:
      risk: [low, medium]
      confidence: { at_least: 0.8 }
      measured_success: { at_least: 0.9, runs: 1 }
      when: origin == 'model' && target.kind == 'Deployment'
  - name: everything-else
    approvals: 1
";

#[tokio::test]
async fn what_is_known_to_help_runs_by_itself_and_says_by_whose_word() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    in_force(&admin, BY_ITSELF).await;
    let first = proposed(&model, &recommendation("inc-1")).await;
    assert_eq!(admin.get(&first).await.expect(200)["state"], "open", "nothing is measured yet");
    let decided = approve(&admin, &first, &ticket(&admin, &first).await).await.expect(200);
    let run = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    admin.until(&run, "succeeded", |e| e["state"] == "succeeded").await;
    let measured = "/api/v1/effectiveness?group_by=version";
    admin.until(measured, "counted", |list| list["items"][0]["succeeded"] == 1).await;

    let taken = model.post("/api/v1/recommendations", &recommendation("inc-2")).await.expect(201);
    assert_eq!((&taken["state"], taken["decisions"].as_array().unwrap().len()), (&json!("decided"), 1), "{taken}");
    let second = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let now = admin.get(&second).await.expect(200);
    let decision = &now["decisions"][0];
    assert_eq!((&decision["verb"], &decision["actor"]["name"]), (&json!("approve"), &json!("policy known v2")));
    let runs = admin.get("/api/v1/executions").await.expect(200);
    let run = runs["items"].as_array().unwrap().iter().find(|run| run["ticket_digest"] == decision["ticket_digest"]);
    let run = format!("/api/v1/executions/{}", run.expect("its run")["id"].as_str().unwrap());
    admin.until(&run, "succeeded", |e| e["state"] == "succeeded").await;
    let by = |row: &Value| row["actor"]["name"] == "policy known v2" && row["object_id"] == now["id"];
    assert!(rows(&admin, "decision.approve").await.iter().any(by), "it stands in the trail");
    let page = console.browser().await.get(&second.replace("/api/v1", "")).await.text.replace("<!>", "");
    assert!(page.contains("policy known v2") && page.contains("By its rule, without anybody."), "{page}");

    let mut unsure = recommendation("inc-3");
    unsure["strategies"][0]["confidence"] = json!(0.5);
    let mut risky = recommendation("inc-4");
    risky["strategies"][0]["estimated_risk"] = json!("high");
    let mut astray = recommendation("inc-5");
    astray["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("another");
    for (said, why) in [(unsure, "not sure"), (risky, "of high risk"), (astray, "on another object")] {
        let path = proposed(&model, &said).await;
        assert_eq!(admin.get(&path).await.expect(200)["state"], "open", "{why}");
    }
    // Nobody gets past their colleagues by calling themselves a model.
    for role in ["operator", "admin"] {
        let path = proposed(&console.token(&format!("own-{role}"), role), &recommendation(role)).await;
        assert_eq!(admin.get(&path).await.expect(200)["state"], "open", "{role}");
    }
    person(&console, "mara");
    let own = token_of(&console, "mara", "propose");
    let mut sure = recommendation("inc-6");
    sure["strategies"][0]["confidence"] = json!(1.0);
    let path = proposed(&own, &sure).await;
    assert_eq!(admin.get(&path).await.expect(200)["state"], "open", "nor by a lesser token of their own");
    sure["incident"]["id"] = json!("inc-7");
    let path = proposed(&model, &sure).await;
    assert_eq!(admin.get(&path).await.expect(200)["state"], "decided", "a model's own token says the same");
}

#[tokio::test]
async fn nothing_runs_by_itself_where_the_model_asks_for_a_person() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let mut playbook = seed(PLAYBOOK);
    playbook["risk"] = json!("low");
    admin.post("/api/v1/playbooks", &playbook).await.expect(201);
    in_force(&admin, BY_ITSELF).await;
    let answer = |incident: &str, asks: bool| {
        let seeds = recommendation(incident);
        json!({
            "incident": seeds["incident"],
            "rootCauseAnalysis": { "summary": "The node is full." },
            "selectedWorkflow": {
                "workflowId": playbook["workflow_id"], "actionType": "scale_down_replicas", "confidence": 0.9,
                "parameters": seeds["strategies"][0]["parameters"],
            },
            "needsHumanReview": asks,
        })
    };
    let first = proposed(&model, &answer("inc-1", false)).await;
    let decided = approve(&admin, &first, &ticket(&admin, &first).await).await.expect(200);
    let run = format!("/api/v1/executions/{}", decided["execution_id"].as_str().unwrap());
    admin.until(&run, "succeeded", |e| e["state"] == "succeeded").await;
    let measured = "/api/v1/effectiveness?group_by=version";
    admin.until(measured, "counted", |list| list["items"][0]["succeeded"] == 1).await;
    let asks = model.post("/api/v1/recommendations", &answer("inc-2", true)).await.expect(201);
    assert_eq!(asks["state"], "open", "{asks}");
    let sure = model.post("/api/v1/recommendations", &answer("inc-3", false)).await.expect(201);
    assert_eq!(sure["state"], "decided", "{sure}");
}
