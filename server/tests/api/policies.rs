//! Approval policies: written, tried, put in force, and held to by every decision.

use crate::support::{Answer, Caller, Console, Database, console_command, recommendation, seed};
use serde_json::{Value, json};

const PLAYBOOK: &str = "hidden-oomkill-scale-down.json";

/// Two must agree to change it, and two must approve.
const CAREFUL: &str = "\
name: careful
activation:
  approvals: 2
rules:
  - name: production
    why: It pays our wages.
    match:
      environment: production
    approvals: 2
  - name: everything-else
    approvals: 1
";

async fn drafted(admin: &Caller<'_>, yaml: &str) -> String {
    let kept = admin.post("/api/v1/policies", &json!({ "yaml": yaml })).await;
    assert_eq!(kept.headers["location"].to_str().unwrap(), kept.json["links"]["self"], "{}", kept.text);
    kept.expect(201)["links"]["self"].as_str().unwrap().to_owned()
}

async fn agree(by: &Caller<'_>, version: &str) -> Answer {
    by.post(&format!("{version}/activate"), &json!({ "reason": "agreed in the review" })).await
}

/// Puts a policy in force; its version.
async fn in_force(admin: &Caller<'_>, yaml: &str) -> Value {
    let version = drafted(admin, yaml).await;
    let done = agree(admin, &version).await.expect(200);
    assert_eq!(done["policy"]["state"], "active", "{done}");
    done["policy"]["version"].clone()
}

/// A policy with this rule for everything.
fn one_rule(rule: &str) -> String {
    format!("name: one\nrules:\n  - name: everything\n    {}\n", rule.replace('\n', "\n    "))
}

/// What a model says of an incident; its address.
async fn proposed(by: &Caller<'_>, body: &Value) -> String {
    let taken = by.post("/api/v1/recommendations", body).await.expect(201);
    format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap())
}

async fn ticket(by: &Caller<'_>, path: &str) -> Value {
    by.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201)
}

async fn approve(by: &Caller<'_>, path: &str, ticket: &Value) -> Answer {
    let body = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    by.post(&format!("{path}/decisions"), &body).await
}

async fn reject(by: &Caller<'_>, path: &str) -> Answer {
    by.post(&format!("{path}/decisions"), &json!({ "decision": "reject", "reason": "not now" })).await
}

fn told(answer: &Answer) -> (u16, &str) {
    let kind = answer.json["type"].as_str().unwrap_or_default();
    (answer.status.as_u16(), kind.strip_prefix("urn:kubernaut:problem:").unwrap_or(kind))
}

async fn rows(auditor: &Caller<'_>, action: &str) -> Vec<Value> {
    let rows = auditor.get(&format!("/api/v1/audit?action={action}")).await.expect(200);
    rows["items"].as_array().unwrap().clone()
}

/// A token of somebody's own: people are in groups by the names of their accounts.
fn person<'c>(console: &'c Console, name: &str) -> Caller<'c> {
    assert!(console.command(&["user", "create", "--name", name, "--role", "operator"]).status.success());
    let token = format!("of-{name}");
    let made = console.command(&["token", "create", "--name", &token, "--role", "operator", "--owner", name]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Caller { console, secret: Some(String::from_utf8(made.stdout).unwrap().trim().to_owned()) }
}

#[tokio::test]
async fn the_default_is_in_force_from_the_first_start() {
    let console = Console::start();
    let list = console.token("auditor", "auditor").get("/api/v1/policies").await.expect(200);
    let [only] = list["items"].as_array().unwrap().as_slice() else { panic!("one version: {list}") };
    assert_eq!((&only["version"], &only["state"], &only["origin"]), (&json!(1), &json!("active"), &json!("built_in")));
    assert_eq!(only["policy"]["rules"][0]["approvals"]["need"], 2, "two for high risk");
    assert_eq!(only["policy"]["rules"][1]["approvals"]["need"], 1);
    assert!(only["yaml"].as_str().unwrap().contains("Never automatically"));
}

#[tokio::test]
async fn the_documents_examples_are_policies() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policies.md")).unwrap();
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<&str> = blocks.filter(|yaml| yaml.contains("rules:\n")).collect();
    assert_eq!(examples.len(), 2);
    for yaml in &examples {
        admin.post("/api/v1/policies/validate", &json!({ "yaml": yaml })).await.expect(200);
    }
    assert_eq!(admin.get("/api/v1/policies/1").await.expect(200)["yaml"], examples[0], "the default");
}

#[tokio::test]
async fn faults_are_told_at_their_places_and_nothing_is_kept() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let wrong = "name: x\nrules:\n  - name: first\n    match:\n      when: enviroment == 'x'\n    aprovals: 2\n";
    for path in ["/api/v1/policies", "/api/v1/policies/validate"] {
        let refused = admin.post(path, &json!({ "yaml": wrong })).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        for fault in [
            ("/yaml/rules/0/aprovals", "unknown_field"),
            ("/yaml/rules/0/approvals", "required"),
            ("/yaml/rules/0/match/when", "condition"),
        ] {
            let (pointer, code) = fault;
            assert!(refused.faults().contains(&(pointer.into(), code.into())), "{fault:?} in {}", refused.text);
        }
        assert!(refused.text.contains("did you mean environment?"), "{}", refused.text);
        assert!(refused.text.contains(r#"did you mean \"approvals\"?"#), "{}", refused.text);
        for broken in ["name: [", "", "- a\n", "name: x\nname: y\nrules: []\n"] {
            assert_eq!(admin.post(path, &json!({ "yaml": broken })).await.status, 422, "{broken}");
        }
    }
    let json = r#"{ "name": "as-json", "rules": [{ "name": "all", "approvals": 1 }] }"#;
    let checked = admin.post("/api/v1/policies/validate", &json!({ "yaml": json })).await.expect(200);
    assert_eq!(checked["policy"]["name"], "as-json");
    assert_eq!(admin.get("/api/v1/policies").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_version_is_put_in_force_with_a_reason_and_its_rows_in_the_trail() {
    let console = Console::start();
    let (admin, auditor) = (console.token("admin", "admin"), console.token("auditor", "auditor"));
    let version = drafted(&admin, &one_rule("approvals: 3")).await;
    assert_eq!(auditor.get(&version).await.expect(200)["state"], "draft");
    let silent = admin.post(&format!("{version}/activate"), &json!({ "reason": " " })).await;
    assert_eq!((silent.status.as_u16(), silent.faults()[0].0.as_str()), (422, "/reason"), "{}", silent.text);
    assert_eq!(agree(&auditor, &version).await.status, 403);
    let done = agree(&admin, &version).await.expect(200);
    assert_eq!((&done["policy"]["state"], &done["approvals"]), (&json!("active"), &json!({ "have": 1, "need": 1 })));
    assert_eq!(told(&agree(&admin, &version).await), (409, "in-force"));
    assert_eq!(agree(&admin, "/api/v1/policies/99").await.status, 404);
    assert_eq!(auditor.get("/api/v1/policies/1").await.expect(200)["state"], "retired");

    assert_eq!(rows(&auditor, "policy.draft").await[0]["object_id"], "2");
    let row = rows(&auditor, "policy.activate").await[0].clone();
    assert_eq!((&row["actor"]["name"], &row["reason"]), (&json!("admin"), &json!("agreed in the review")));
    assert_eq!((&row["before"]["version"], &row["after"]["version"]), (&json!(1), &json!(2)));
    // What was in force once can be again.
    assert_eq!(agree(&admin, "/api/v1/policies/1").await.expect(200)["policy"]["state"], "active");
}

#[tokio::test]
async fn where_two_must_agree_one_alone_changes_nothing() {
    let console = Console::start();
    let (one, two) = (console.token("one", "admin"), console.token("two", "admin"));
    in_force(&one, CAREFUL).await;
    let next = drafted(&one, &one_rule("approvals: 1")).await;
    let first = agree(&one, &next).await.expect(200);
    assert_eq!((&first["policy"]["state"], &first["approvals"]), (&json!("draft"), &json!({ "have": 1, "need": 2 })));
    assert_eq!(agree(&one, &next).await.status, 403, "one person, one word");
    let second = agree(&two, &next).await.expect(200);
    assert_eq!(second["policy"]["state"], "active", "{second}");
    assert_eq!(second["policy"]["agreed"].as_array().unwrap().len(), 2);
    assert_eq!(rows(&one, "policy.agree").await.len(), 1);
    assert_eq!(rows(&one, "policy.activate").await.len(), 2);
}

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
}

#[tokio::test]
async fn a_policy_is_tried_on_what_was_decided_before_it_is_put_in_force() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    admin.post("/api/v1/playbooks", &seed(PLAYBOOK)).await.expect(201);
    let approved = proposed(&model, &recommendation("inc-1")).await;
    approve(&admin, &approved, &ticket(&admin, &approved).await).await.expect(200);
    let rejected = proposed(&model, &recommendation("inc-2")).await;
    reject(&admin, &rejected).await.expect(200);
    proposed(&model, &recommendation("inc-3")).await;

    let version = drafted(&admin, CAREFUL).await;
    let before = rows(&admin, "policy.activate").await.len();
    let found = console.token("auditor", "auditor").get(&format!("{version}/simulate")).await.expect(200);
    assert_eq!((&found["judged"], &found["days"], &found["cut"]), (&json!(2), &json!(90), &json!(false)), "{found}");
    assert_eq!(found["counts"], json!({ "stricter": 1, "looser": 0, "automatic": 0 }));
    let difference = &found["differences"][0];
    assert_eq!(format!("/api/v1/recommendations/{}", difference["id"].as_str().unwrap()), approved);
    assert_eq!((&difference["effect"], &difference["was"]), (&json!("stricter"), &json!("approved by admin")));
    assert!(difference["would"].as_str().unwrap().contains("1 of 2"), "{difference}");
    assert!(difference["why"].as_str().unwrap().contains("rule production of the policy careful v2"), "{difference}");
    assert_eq!(rows(&admin, "policy.activate").await.len(), before, "it changes nothing");
    assert_eq!(admin.get(&version).await.expect(200)["state"], "draft");
    let same = admin.get("/api/v1/policies/1/simulate?days=7").await.expect(200);
    assert_eq!((&same["days"], &same["differences"]), (&json!(7), &json!([])), "the one in force said the same");
    for wrong in ["days=0", "days=366", "days=many"] {
        let answer = admin.get(&format!("{version}/simulate?{wrong}")).await;
        assert!(answer.status.is_client_error(), "{wrong}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_policy_in_a_file_is_changed_there_only() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("policy.yaml");
    std::fs::write(&file, CAREFUL).unwrap();
    let path = file.to_str().unwrap();
    let console = Console::start_with(Database::Sqlite, &["--policy-file", path]);
    let admin = console.token("admin", "admin");
    let list = admin.get("/api/v1/policies").await.expect(200);
    let newest = &list["items"][0];
    assert_eq!((&newest["state"], &newest["origin"]), (&json!("active"), &json!("file")), "{list}");
    assert_eq!(newest["policy"]["name"], "careful");
    assert_eq!(rows(&admin, "policy.activate").await[0]["actor"]["name"], "policy file");
    let draft = drafted(&admin, &one_rule("approvals: 1")).await;
    let refused = agree(&admin, &draft).await;
    assert_eq!(told(&refused), (409, "kept-in-file"));
    assert!(refused.json["detail"].as_str().unwrap().contains(path), "{}", refused.text);
    let page = console.browser().await.get("/settings/policies").await;
    assert!(page.text.contains("start the console again") && !page.text.contains("name=\"yaml\""), "{}", page.text);
}

#[test]
fn a_file_that_is_no_policy_keeps_the_console_from_starting() {
    let files = tempfile::tempdir().unwrap();
    let started = |text: Option<&str>| {
        let file = files.path().join("policy.yaml");
        match text {
            Some(text) => std::fs::write(&file, text).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let data = tempfile::tempdir().unwrap();
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--policy-file", file.to_str().unwrap()];
        let output = console_command(data.path(), None).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, told) = started(Some("name: x\nrules:\n  - name: all\n    aprovals: 1\n"));
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("/rules/0/aprovals") && told.contains("did you mean \"approvals\"?"), "{told}");
    assert!(told.contains("policy.yaml"), "{told}");
    let (code, told) = started(None);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("can't be read"), "{told}");
}

#[tokio::test]
async fn by_the_pages_a_policy_is_checked_kept_tried_and_put_in_force() {
    let console = Console::start();
    let admin = console.browser().await;
    let list = admin.get("/settings/policies").await;
    assert_eq!(list.status, 200);
    for part in ["In force: default, version 1", "Two different people must approve.", "aria-current=\"page\">Policies"]
    {
        assert!(list.text.replace("<!>", "").contains(part), "{part} in {}", list.text);
    }
    let send = |yaml: &'static str, act: &'static str| {
        let admin = &admin;
        async move { admin.post("/settings/policies", &[("yaml", yaml), ("act", act)]).await }
    };
    let wrong = send("name: x\r\nrules:\r\n  - name: all\r\n    aprovals: 1\r\n", "keep").await;
    assert_eq!(wrong.status, 422);
    let shown = wrong.text.replace("<!>", "");
    assert!(shown.contains("Line 4 ") && shown.contains("aprovals: 1"), "what was typed stays: {shown}");
    assert_eq!(send("", "keep").await.status, 422);
    let checked = send(CAREFUL, "check").await;
    assert_eq!(checked.status, 200);
    assert!(checked.text.contains("Nothing was stored") && checked.text.contains("It pays our wages."));
    assert!(!admin.get("/settings/policies").await.text.contains("/settings/policies/2\""), "it was only checked");

    let kept = send(CAREFUL, "keep").await;
    assert_eq!(kept.headers["location"], "/settings/policies/2?done=kept", "{}", kept.text);
    let page = admin.get("/settings/policies/2?done=kept").await.text.replace("<!>", "");
    for part in ["It is kept, and changes nothing yet", "Against version 1", "Try it on the last 90 days"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let tried = admin.get("/settings/policies/2?simulate=1").await;
    assert!(tried.text.contains("Nothing was decided and nothing expired"), "{}", tried.text);
    let silent = admin.post("/settings/policies/2/activate", &[("reason", " ")]).await;
    assert_eq!(silent.status, 422);
    assert!(silent.text.contains("Say why"), "{}", silent.text);
    let done = admin.post("/settings/policies/2/activate", &[("reason", "agreed")]).await;
    assert_eq!(done.headers["location"], "/settings/policies/2?done=active", "{}", done.text);
    assert!(admin.get("/settings/policies/2?done=active").await.text.contains("It is in force."));
    for nothing in ["/settings/policies/9", "/settings/policies/x", "/settings/policies?from=9"] {
        assert_eq!(admin.get(nothing).await.status, 404, "{nothing}");
    }

    for role in ["viewer", "operator", "author"] {
        let token = console.token(role, role);
        assert_eq!(token.get("/settings/policies").await.status, 403, "{role}");
        let sent =
            token.request(reqwest::Method::POST, "/settings/policies").form(&[("yaml", CAREFUL), ("act", "keep")]);
        assert_eq!(token.send(sent).await.status, 403, "{role}");
    }
    let auditor = console.token("auditor", "auditor");
    assert!(!auditor.get("/settings/policies/2").await.text.contains("name=\"reason\""), "they read only");
}
