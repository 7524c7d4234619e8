//! Versions: their faults, agreeing to them, trying them on the past, a file, the pages.

use super::{CAREFUL, PLAYBOOK, agree, approve, drafted, in_force, one_rule, proposed, reject, rows, ticket, told};
use crate::support::{Console, Database, console_command, recommendation, seed};
use serde_json::json;

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
async fn names_that_no_account_has_are_told_of_and_keep_nothing_from_going_on() {
    let console = Console::start();
    assert!(console.command(&["user", "create", "--name", "mara", "--role", "operator"]).status.success());
    let admin = console.token("admin", "admin");
    let yaml = "name: x\ngroups:\n  sre: [mara, otto, \"role:admin\", ann]\nrules:\n  - name: all\n    \
                approvals: { need: 1, of: [sre] }\n";
    let unknown = json!(["ann", "otto"]);
    let sent = json!({ "yaml": yaml });
    assert_eq!(admin.post("/api/v1/policies/validate", &sent).await.expect(200)["unknown_names"], unknown);
    let kept = admin.post("/api/v1/policies", &sent).await.expect(201);
    assert_eq!((&kept["unknown_names"], &kept["state"]), (&unknown, &json!("draft")));
    let done = agree(&admin, kept["links"]["self"].as_str().unwrap()).await.expect(200);
    assert_eq!((&done["unknown_names"], &done["policy"]["state"]), (&unknown, &json!("active")));
    let all = admin.post("/api/v1/policies/validate", &json!({ "yaml": one_rule("approvals: 1") })).await.expect(200);
    assert!(all.get("unknown_names").is_none(), "{all}");
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
    assert_eq!((&row["actor"]["name"], &row["reason"]), (&json!("token admin"), &json!("agreed in the review")));
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
    assert_eq!((&difference["effect"], &difference["was"]), (&json!("stricter"), &json!("approved by token admin")));
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
        let form =
            token.request(reqwest::Method::POST, "/settings/policies").form(&[("yaml", CAREFUL), ("act", "keep")]);
        assert_eq!(token.send(form).await.status, 403, "{role}");
    }
    let auditor = console.token("auditor", "auditor");
    assert!(!auditor.get("/settings/policies/2").await.text.contains("name=\"reason\""), "they read only");
}
