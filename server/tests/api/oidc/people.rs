//! Who gets in by the provider, and who no more: disabled people, blocked groups, no role, another's name, local accounts switched off.

use super::{audit, console, private, provider::Provider, sign_in, stranger};
use crate::support::{ADMIN_PASSWORD, Browser, Caller};
use serde_json::json;

/// The id of an account, as the page of accounts names it.
async fn account(admin: &Browser<'_>, name: &str) -> String {
    let page = admin.get("/settings/accounts").await.text;
    let row = page.split("<tr").find(|row| row.contains(&format!(">{name}<"))).unwrap_or_else(|| panic!("{page}"));
    let at = row.find("user:").unwrap_or_else(|| panic!("{row}"));
    row[at..].split('/').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_a_person_or_a_group_takes_effect_at_their_next_request() {
    let provider = Provider::start().await;
    let console = private(&provider);
    let admin = console.browser().await;
    let mara = sign_in(&console, &provider).await.unwrap();
    assert_eq!(mara.get("/runs").await.status, 200);
    let made = mara.post("/settings/tokens", &[("name", "maras"), ("role.viewer", "on")]).await;
    let (_, rest) = made.text.split_once("class=\"secret\"").unwrap();
    let secret = rest.split_once("<code>").unwrap().1.split('<').next().unwrap().to_owned();
    let token = Caller { console: &console, secret: Some(secret) };
    token.get("/api/v1/executions").await.expect(200);

    let page = admin.get("/settings/accounts").await.text;
    assert!(page.contains("everyone, oncall") && page.contains("Groups of Testers"), "{page}");
    let path = format!("/settings/accounts/{}", account(&admin, "mara").await);
    for (act, form) in [("roles", [("role.admin", "on")]), ("password", [("password", "correct horse battery")])] {
        assert_eq!(admin.post(&format!("{path}/{act}"), &form).await.status, 403, "{act} are not ours to set");
    }
    assert_eq!(admin.post(&format!("{path}/disable"), &[]).await.status, 303);
    assert_eq!(mara.get("/runs").await.status, 303, "to sign-in");
    assert_eq!(token.get("/api/v1/executions").await.status, 401);
    let refused = sign_in(&console, &provider).await.err().unwrap();
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("Your account is disabled here"), "{}", refused.text);
    assert_eq!(admin.post(&format!("{path}/enable"), &[]).await.status, 303);

    let mara = sign_in(&console, &provider).await.unwrap();
    assert_eq!(admin.post("/settings/groups/block", &[("group", "everyone")]).await.status, 303);
    assert_eq!(mara.get("/runs").await.status, 303, "whatever else they are in");
    assert_eq!(token.get("/api/v1/executions").await.status, 401, "with their tokens");
    let refused = sign_in(&console, &provider).await.err().unwrap();
    assert!(refused.status == 403 && refused.text.contains("Blocked here: everyone."), "{}", refused.text);
    assert_eq!(admin.post("/settings/groups/block", &[("group", "everyone")]).await.status, 409);
    assert_eq!(admin.post("/settings/groups/block", &[("group", "*")]).await.status, 422);
    assert_eq!(admin.post("/settings/groups/unblock", &[("group", "nobody")]).await.status, 404);
    assert_eq!(admin.post("/settings/groups/unblock", &[("group", "everyone")]).await.status, 303);
    assert_eq!(mara.get("/runs").await.status, 200, "the session is still there");
    assert_eq!(
        mara.post("/settings/groups/block", &[("group", "oncall")]).await.status,
        403,
        "an operator blocks nobody"
    );

    provider.said().claims = json!({ "sub": "43", "preferred_username": "bea", "groups": ["admins"] });
    let bea = sign_in(&console, &provider).await.unwrap();
    let own = bea.post("/settings/groups/block", &[("group", "admins")]).await;
    assert!(own.status == 403 && own.text.contains("You are in this group yourself"), "{}", own.text);
    assert_eq!(bea.post("/settings/groups/block", &[("group", "oncall")]).await.status, 303);
    for (name, action) in [("a", "group.block"), ("b", "group.unblock"), ("c", "account.refuse_sign_in")] {
        assert!(!audit(&console, name, action).await.is_empty(), "{action}");
    }
    let row = &audit(&console, "d", "account.refuse_sign_in").await[0];
    assert_eq!((row["after"]["refused"].as_str(), row["object_id"].as_str()), (Some("group_blocked"), Some("mara")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_role_or_anothers_name_is_told_so() {
    let provider = Provider::start().await;
    let console = private(&provider);
    provider.said().claims = json!({ "groups": ["staff", "<b>"] });
    let refused = sign_in(&console, &provider).await.err().unwrap();
    let told = "None of your groups at Testers is given a role here: &lt;b&gt;, staff.";
    assert!(refused.status == 403 && refused.text.contains(told), "{}", refused.text);
    assert!(refused.text.contains("Sign in with Testers"), "the way back");
    for (claims, told) in [
        (json!({ "preferred_username": "admin" }), "The name admin belongs to another account here"),
        (json!({ "preferred_username": null }), "it sent no claim preferred_username"),
        (json!({ "preferred_username": "user:1" }), "can't name an account here"),
        (json!({ "groups": { "a": 1 } }), "is no list of groups"),
        (
            json!({ "groups": null, "_claim_names": { "groups": "src1" } }),
            "more groups there than it or the console lists",
        ),
    ] {
        provider.said().claims = claims.clone();
        let refused = sign_in(&console, &provider).await.err().unwrap();
        assert!(refused.status == 403 && refused.text.contains(told), "{claims}: {}", refused.text);
    }
    let admin = console.browser().await;
    assert_eq!(admin.get("/settings/accounts").await.status, 200, "the local admin is who they were");
}

#[tokio::test(flavor = "multi_thread")]
async fn local_accounts_can_be_switched_off_and_their_tokens_go_on() {
    let provider = Provider::start().await;
    let console = console(&provider.url, "oidc-allow-private = \"on\"\nlocal-accounts = \"off\"");
    assert!(console.command(&["user", "list"]).stdout.is_empty(), "no first admin that nobody could be");
    let page = stranger(&console).get("/login").await.text;
    assert!(page.contains("Sign in with Testers") && !page.contains("name=\"password\""), "{page}");
    // The way back in is made ready on the command line.
    assert!(console.command(&["user", "create", "--name", "bea", "--role", "admin"]).status.success());
    let by_password = stranger(&console).post("/login", &[("username", "bea"), ("password", ADMIN_PASSWORD)]).await;
    assert_eq!(by_password.status, 403);
    assert!(by_password.text.contains("switched off"), "{}", by_password.text);
    let made = console.command(&["token", "create", "--name", "beas", "--role", "viewer", "--owner", "bea"]);
    let secret = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    Caller { console: &console, secret: Some(secret) }.get("/api/v1/executions").await.expect(200);

    provider.said().claims = json!({ "groups": ["admins"] });
    let mara = sign_in(&console, &provider).await.unwrap();
    let page = mara.get("/settings/accounts").await.text;
    assert!(page.contains("are switched off") && page.contains("here: switched off"), "{page}");
    assert_eq!(mara.post("/settings/accounts", &[("name", "x"), ("role.viewer", "on")]).await.status, 403);
    // bea is an admin, but gets in by no door.
    let path = format!("/settings/accounts/{}/disable", account(&mara, "bea").await);
    assert_eq!(mara.post(&path, &[]).await.status, 303);
}
