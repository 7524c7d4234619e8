//! Entity tags: what never changes is kept, what may is asked for again, and who writes says what they have read.

use crate::support::{Answer, Caller, Console, recommendation, seed};
use reqwest::Method;
use serde_json::{Value, json};

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

async fn get_if(caller: &Caller<'_>, path: &str, has: &str) -> Answer {
    caller.send(caller.request(Method::GET, path).header("if-none-match", has)).await
}

async fn post_if(caller: &Caller<'_>, path: &str, read: &str, body: &Value) -> Answer {
    caller.send(caller.request(Method::POST, path).header("if-match", read).json(body)).await
}

#[tokio::test]
async fn a_version_is_kept_but_its_status_never_stale() {
    let console = Console::start();
    let author = console.token("author", "author");
    author.post("/api/v1/playbooks", &seed("oomkill-scale-down.json")).await.expect(201);
    let path = "/api/v1/playbooks/oomkill-scale-down/versions/1.0.0";
    let first = author.get(path).await;
    let first_tag = tag(&first);
    for has in [first_tag.clone(), "*".into(), format!("W/{first_tag}"), format!("\"x\", {first_tag}")] {
        let kept = get_if(&author, path, &has).await;
        assert_eq!((kept.status.as_u16(), tag(&kept), &*kept.text), (304, first_tag.clone(), ""), "{has}");
        assert_eq!(kept.headers["cache-control"], first.headers["cache-control"]);
        assert_eq!(kept.headers["cache-control"], "private, no-cache");
    }
    assert_eq!(get_if(&author, path, "\"x\"").await.status, 200);
    author.post(&format!("{path}/status"), &json!({ "status": "disabled" })).await.expect(200);
    let changed = get_if(&author, path, &first_tag).await;
    assert_eq!(changed.json["status"], "disabled");
    assert_ne!(tag(&changed), first_tag);

    let schema = author.get(&format!("{path}/schema")).await;
    assert!(schema.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let kept = get_if(&author, &format!("{path}/schema"), &tag(&schema)).await;
    assert_eq!((kept.status.as_u16(), &kept.headers["cache-control"]), (304, &schema.headers["cache-control"]));
    assert_eq!(tag(&kept), tag(&schema), "the schema has no status");

    let model = console.token("model", "propose").get(path).await;
    assert_ne!(tag(&model), tag(&changed), "a model sees something else");
}

#[tokio::test]
async fn a_status_is_set_only_from_the_state_that_was_read() {
    let console = Console::start();
    let author = console.token("author", "author");
    let registered = author.post("/api/v1/playbooks", &seed("oomkill-scale-down.json")).await;
    let version = "/api/v1/playbooks/oomkill-scale-down/versions/1.0.0";
    let path = format!("{version}/status");
    let read = tag(&author.get(version).await);
    assert_eq!(tag(&registered), read);
    let set = post_if(&author, &path, &read, &json!({ "status": "disabled", "reason": "breaks" })).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let now = tag(&set);
    for stale in [read.as_str(), "\"x\"", "x", &format!("W/{now}")] {
        let refused = post_if(&author, &path, stale, &json!({ "status": "active" })).await;
        assert_eq!((refused.status.as_u16(), tag(&refused)), (412, now.clone()), "{stale}: {}", refused.text);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
    }
    assert_eq!(author.get(version).await.expect(200)["status"], "disabled");
    post_if(&author, &path, &format!("\"x\", {now}"), &json!({ "status": "active" })).await.expect(200);
    post_if(&author, &path, "*", &json!({ "status": "deprecated" })).await.expect(200);
    let missing = "/api/v1/playbooks/none/versions/1.0.0/status";
    assert_eq!(post_if(&author, missing, &now, &json!({ "status": "active" })).await.status, 404);
}

#[tokio::test]
async fn a_decision_may_say_what_was_read() {
    let console = Console::start();
    let (admin, model) = (console.token("admin", "admin"), console.token("model", "propose"));
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-1")).await.expect(201);
    let path = format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap());
    let open = tag(&admin.get(&path).await);
    assert_eq!(get_if(&admin, &path, &open).await.status, 304);
    let reject = json!({ "decision": "reject", "reason": "no" });
    let decisions = format!("{path}/decisions");
    let refused = post_if(&admin, &decisions, "\"x\"", &reject).await;
    assert_eq!((refused.status.as_u16(), tag(&refused)), (412, open.clone()));
    post_if(&admin, &decisions, &open, &reject).await.expect(200);
    let decided = get_if(&admin, &path, &open).await;
    assert_eq!((decided.status.as_u16(), &decided.json["state"]), (200, &json!("decided")));
    assert_eq!(post_if(&admin, &decisions, &open, &reject).await.status, 412);
}
