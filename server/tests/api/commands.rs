//! The command line: clear faults with exit codes, and a stop within its deadline while streams are open.

use crate::support::{Console, Database, console_command};
use std::{process::Command, time::Duration};

fn fails(arguments: &[&str], code: i32, word: &str) {
    let data = tempfile::tempdir().unwrap();
    let output = console_command(data.path(), None).args(arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert_eq!(message.trim().lines().count(), 1, "one sentence: {message}");
    assert!(message.contains(word), "{word} in {message}");
}

#[test]
fn a_wrong_start_says_what_to_do_in_one_sentence() {
    fails(&["serve", "--listen", "nowhere"], 2, "listen");
    fails(&["serve", "--cluster", "cloud"], 2, "sandbox, kubeconfig or in-cluster");
    fails(&["serve", "--public-url", "http://console.example"], 2, "https");
    fails(&["serve", "--token-review", "sre=operator"], 2, "belongs to a person");
    fails(&["serve", "--token-review", "@/nonexistent"], 2, "/nonexistent");
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        fails(&["serve", "--listen", listen], 2, "--public-url https://");
    }
    fails(&["serve", "--scene", "demo", "--cluster", "kubeconfig"], 2, "sandbox");
    fails(&["serve", "--listen", "127.0.0.1:0", "--database-url", "mysql://x"], 2, "postgres://");
    fails(
        &["serve", "--listen", "127.0.0.1:0", "--database-url", "postgres://nobody@127.0.0.1:1/none"],
        1,
        "--database-url",
    );
    fails(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "/proc/kubernaut"], 1, "--data-dir");
    fails(&["serve", "--config", "/nonexistent.toml"], 2, "/nonexistent.toml");
    fails(&["token", "create", "--name", "x", "--role", "root"], 2, "propose");
    fails(&["user", "create", "--name", "x", "--role", "propose"], 2, "token");
    for other in ["operator", "ingest", "admin"] {
        fails(&["token", "create", "--name", "x", "--role", "propose", "--role", other], 2, "propose stands alone");
    }
    fails(&["token", "create", "--name", "x", "--role", "viewer,ingest"], 2, "ingest stands alone");
    fails(&["token", "create", "--name", "x", "--role", "viewer", "--owner", "nobody"], 1, "user list");
    fails(&["token", "create", "--name", "", "--role", "viewer"], 2, "--name");
    fails(&["user", "create", "--name", "token ci", "--role", "viewer"], 2, "as “token …”");
    fails(&["user", "create", "--name", "mara (token ci)", "--role", "viewer"], 2, "as “token …”");
    fails(&["user", "create", "--name", &"x".repeat(129), "--role", "viewer"], 2, "--name");
    fails(&["token", "revoke", "nothing"], 1, "token list");
}

#[test]
fn kubernauts_own_workflows_are_imported_and_nothing_is_renamed_silently() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("workflows.yaml");
    let workflow = |name: &str, parameter: &str| {
        format!(
            "apiVersion: kubernaut.ai/v1alpha1\nkind: RemediationWorkflow\nmetadata: {{ name: {name} }}\nspec:\n  \
             version: \"1.0.0\"\n  description: {{ what: Restarts a Deployment., whenToUse: Its pods hang. }}\n  \
             actionType: RestartDeployment\n  labels: {{ severity: [critical, high], environment: production, \
             component: [deployment], priority: p1 }}\n  execution: {{ engine: job, bundle: quay.io/kubernaut/restart:v1 }}\n  \
             parameters:\n    - {{ name: {parameter}, type: string, required: true, description: Where. }}\n"
        )
    };
    let two =
        format!("{}---\n{}", workflow("restart", "TARGET_NAMESPACE"), workflow("restart-by-name", "targetNamespace"));
    std::fs::write(&file, two).unwrap();
    let run = |more: &[&str]| {
        let mut command = console_command(data.path(), None);
        let output = command.arg("import").arg(&file).args(more).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, told) = run(&["--dry-run"]);
    assert!(code == Some(1) && told.contains("restart 1.0.0 can be registered"), "{told}");
    let (code, told) = run(&[]);
    assert!(code == Some(1) && told.contains("restart 1.0.0 is registered"), "{told}");
    assert!(
        told.contains("#2: not registered: /spec/parameters/0/name") && told.contains("TARGET_NAMESPACE would be one"),
        "{told}"
    );
    let (code, told) = run(&["--rename-parameters"]);
    assert!(code == Some(0) && told.contains("restart 1.0.0 was registered already"), "{told}");
    assert!(
        told.contains("\"targetNamespace\" is TARGET_NAMESPACE now")
            && told.contains("restart-by-name 1.0.0 is registered"),
        "{told}"
    );
    assert!(told.contains("severity lists critical, high"), "{told}");
    std::fs::write(&file, "kind: ConfigMap\n").unwrap();
    let (code, told) = run(&[]);
    assert!(code == Some(1) && told.contains("this is no RemediationWorkflow"), "{told}");
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(&["serve", "--listen", &address], 1, "--listen");
}

#[test]
fn accounts_tokens_definitions_and_settings_are_at_hand() {
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = console_command(data.path(), None).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&["migrate"]).contains("up to date"));
    assert_eq!(run(&["user", "create", "--name", "mara", "--role", "operator"]).trim().len(), 20);
    run(&["user", "set-role", "mara", "--role", "viewer"]);
    run(&["user", "disable", "mara"]);
    let users = run(&["user", "list"]);
    assert!(users.contains("mara") && users.contains("viewer") && users.contains("disabled"), "{users}");
    assert!(run(&["token", "create", "--name", "ci", "--role", "propose", "--expires", "30d"]).starts_with("kbn_"));
    let tokens = run(&["token", "list"]);
    assert!(tokens.contains("ci") && tokens.contains("propose") && !tokens.contains("kbn_"), "{tokens}");
    run(&["user", "enable", "mara"]);
    assert_eq!(run(&["user", "set-password", "mara"]).trim().len(), 20);
    run(&["token", "create", "--name", "maras", "--role", "viewer", "--owner", "mara"]);
    let tokens = run(&["token", "list"]);
    let owned =
        |name: &str| tokens.lines().find(|l| l.contains(name)).unwrap().rsplit_once("owner ").unwrap().1.to_owned();
    assert_eq!(owned("maras"), "mara", "{tokens}");
    assert_eq!(owned("ci"), "-");
    let definitions = run(&["crds"]);
    assert!(
        definitions.contains("kind: CustomResourceDefinition")
            && definitions.contains("name: workflowexecutions.workflowexecution.kubernaut.ai")
            && definitions.contains("name: remediationworkflows.workflowexecution.kubernaut.ai")
    );
    let url = "postgres://me@db/x?user=me&password=hunter2&sslpassword=hunter3";
    let shown = run(&["config", "show", "--database-url", url]);
    assert!(shown.contains("password=(hidden)") && !shown.contains("hunter"), "{shown}");
    let settings = run(&["config", "show"]);
    assert!(
        settings.contains("data-dir")
            && settings.contains("environment")
            && !settings.contains(crate::support::ADMIN_PASSWORD)
    );
}

#[test]
fn a_token_gets_no_more_than_its_owner_on_the_command_line_too() {
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| console_command(data.path(), None).args(arguments).output().unwrap();
    assert!(run(&["user", "create", "--name", "vera", "--role", "viewer"]).status.success());
    for role in ["operator", "admin", "propose"] {
        let refused = run(&["token", "create", "--name", "x", "--role", role, "--owner", "vera"]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{role}: {told}");
        assert!(told.contains("no more than its owner may"), "{told}");
    }
    let weak = console_command(data.path(), None)
        .env("KUBERNAUT_USER_PASSWORD", "short")
        .args(["user", "create", "--name", "weak", "--role", "viewer"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&weak.stderr).contains("KUBERNAUT_USER_PASSWORD"), "the rule for passwords too");
}

#[tokio::test]
async fn health_is_told_to_machines() {
    let console = Console::start();
    let nobody = console.nobody();
    assert_eq!(nobody.get("/healthz").await.status, 200);
    let ready = nobody.get("/readyz").await.expect(200);
    assert_eq!((&ready["ready"], &ready["sandbox"]), (&true.into(), &true.into()));
    assert!(nobody.get("/metrics").await.text.contains("kubernaut_http_request_seconds"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_open_streams_and_is_quick() {
    let mut console = Console::start_with(Database::Sqlite, &[]);
    let viewer = console.token("viewer", "viewer");
    let stream = viewer.request(reqwest::Method::GET, "/api/v1/events").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let reading = tokio::spawn(async move { stream.text().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(Command::new("kill").args(["-TERM", &console.pid().to_string()]).status().unwrap().success());
    assert!(
        tokio::task::block_in_place(|| console.ended_within(Duration::from_secs(10))),
        "it ends within the deadline"
    );
    let text = reading.await.unwrap().unwrap_or_default();
    assert!(text.contains("event: snapshot"), "{text}");
}
