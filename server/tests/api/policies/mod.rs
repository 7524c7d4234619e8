//! Approval policies: written, tried, put in force, and held to by every decision.

mod documents;
mod evasions;
mod rules;

use crate::support::{Answer, Caller, Console};
use serde_json::{Value, json};

pub const PLAYBOOK: &str = "hidden-oomkill-scale-down.json";

/// Two must agree to change it, and two must approve.
pub const CAREFUL: &str = "\
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

pub async fn drafted(admin: &Caller<'_>, yaml: &str) -> String {
    let kept = admin.post("/api/v1/policies", &json!({ "yaml": yaml })).await;
    assert_eq!(kept.headers["location"].to_str().unwrap(), kept.json["links"]["self"], "{}", kept.text);
    kept.expect(201)["links"]["self"].as_str().unwrap().to_owned()
}

pub async fn agree(by: &Caller<'_>, version: &str) -> Answer {
    by.post(&format!("{version}/activate"), &json!({ "reason": "agreed in the review" })).await
}

/// Puts a policy in force; its version.
pub async fn in_force(admin: &Caller<'_>, yaml: &str) -> Value {
    let version = drafted(admin, yaml).await;
    let done = agree(admin, &version).await.expect(200);
    assert_eq!(done["policy"]["state"], "active", "{done}");
    done["policy"]["version"].clone()
}

/// A policy with this rule for everything.
pub fn one_rule(rule: &str) -> String {
    format!("name: one\nrules:\n  - name: everything\n    {}\n", rule.replace('\n', "\n    "))
}

/// What a model says of an incident; its address.
pub async fn proposed(by: &Caller<'_>, body: &Value) -> String {
    let taken = by.post("/api/v1/recommendations", body).await.expect(201);
    format!("/api/v1/recommendations/{}", taken["id"].as_str().unwrap())
}

pub async fn ticket(by: &Caller<'_>, path: &str) -> Value {
    by.post(&format!("{path}/tickets"), &json!({ "strategy": 0 })).await.expect(201)
}

pub async fn approve(by: &Caller<'_>, path: &str, ticket: &Value) -> Answer {
    let body = json!({ "decision": "approve", "strategy": 0, "ticket_digest": ticket["digest"] });
    by.post(&format!("{path}/decisions"), &body).await
}

pub async fn reject(by: &Caller<'_>, path: &str) -> Answer {
    by.post(&format!("{path}/decisions"), &json!({ "decision": "reject", "reason": "not now" })).await
}

pub fn told(answer: &Answer) -> (u16, &str) {
    let kind = answer.json["type"].as_str().unwrap_or_default();
    (answer.status.as_u16(), kind.strip_prefix("urn:kubernaut:problem:").unwrap_or(kind))
}

pub async fn rows(auditor: &Caller<'_>, action: &str) -> Vec<Value> {
    let rows = auditor.get(&format!("/api/v1/audit?action={action}")).await.expect(200);
    rows["items"].as_array().unwrap().clone()
}

/// A token of somebody's own: people are in groups by the names of their accounts.
pub fn person<'c>(console: &'c Console, name: &str) -> Caller<'c> {
    assert!(console.command(&["user", "create", "--name", name, "--role", "operator"]).status.success());
    token_of(console, name, "operator")
}

/// A token of this person with this role.
pub fn token_of<'c>(console: &'c Console, name: &str, role: &str) -> Caller<'c> {
    let token = format!("{role}-of-{name}");
    let made = console.command(&["token", "create", "--name", &token, "--role", role, "--owner", name]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Caller { console, secret: Some(String::from_utf8(made.stdout).unwrap().trim().to_owned()) }
}
