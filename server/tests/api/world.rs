//! A console in which a little has happened: a playbook, a recommendation that waits, one that was approved, its run with log,
//! action record and audit rows. And the address of each route in it.

use crate::support::{Console, alert, alerts, recommendation, seed};
use serde_json::json;

/// What there is.
pub struct World {
    /// A recommendation that waits for its decision, and its ticket.
    pub open: String,
    pub ticket: String,
    /// One that was approved, its ticket, decision and run.
    decided: String,
    approved: String,
    decision: String,
    pub execution: String,
    action: String,
    incident: String,
    finding: String,
}

impl World {
    /// Lets it happen.
    pub async fn of(console: &Console) -> Self {
        let (admin, model) =
            (console.token("the world's admin", "admin"), console.token("the world's model", "propose"));
        admin.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
        let submit = async |incident: &str| {
            let mut body = recommendation(incident);
            body["additional_findings"] = json!([{ "title": "worker-2 is full", "severity": "medium", "suggested_workflow_id": "oomkill-scale-down" }]);
            let taken = model.post("/api/v1/recommendations", &body).await.expect(201);
            let id = taken["id"].as_str().unwrap().to_owned();
            let tickets = format!("/api/v1/recommendations/{id}/tickets");
            let ticket = admin.post(&tickets, &json!({ "strategy": 0 })).await.expect(201);
            (id, ticket["digest"].as_str().unwrap().to_owned())
        };
        let (decided, approved) = submit("inc-decided").await;
        let approve = json!({ "decision": "approve", "strategy": 0, "ticket_digest": approved, "reason": "read" });
        let path = format!("/api/v1/recommendations/{decided}/decisions");
        let answer = admin.post(&path, &approve).await.expect(200);
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let (decision, execution) = (text(&answer["id"]), text(&answer["execution_id"]));
        let run = format!("/api/v1/executions/{execution}");
        admin.until(&run, "an end", |run| run["finished_at"].is_string()).await;
        // The archive is a moment behind the run.
        let log = admin.get(&format!("{run}/tasks/execute/logs?follow=true")).await;
        assert!(log.text.contains("event: end"), "{}", log.text);
        let actions = admin.until("/api/v1/actions", "recorded", |list| list["items"][0]["id"].is_string()).await;
        let action = text(&actions["items"][0]["id"]);
        let (open, ticket) = submit("inc-open").await;
        let alertmanager = console.token("the world's alertmanager", "ingest");
        let sent = alerts(&[alert("world", "firing", "2025-11-23T03:00:00Z")]);
        let taken = alertmanager.post("/api/v1/signals/alertmanager", &sent).await.expect(200);
        let incident = text(&taken["incidents"][0]);
        let findings = admin.get("/api/v1/findings").await.expect(200);
        let finding = text(&findings["items"][0]["id"]);
        Self { open, ticket, decided, approved, decision, execution, action, incident, finding }
    }

    /// Where a route leads here. A parameter that nobody knows yet is named here with what it stands for.
    pub fn address(&self, route: &str) -> String {
        let of = |part: &str| route.contains(&format!("/{part}/{{id}}"));
        let segment = |segment: &str| -> String {
            let value = match segment {
                "{workflow_id}" => "oomkill-scale-down",
                "{version}" if route.contains("/policies/") => "1",
                "{version}" => "1.0.0",
                "{digest}" => &self.approved,
                "{decision}" => &self.decision,
                "{task}" => "execute",
                "{workspace}" => "shared-workspace",
                "{sequence}" => "1",
                "{investigation}" | "{receiver}" => "none",
                "{*path}" => "console.css",
                "{id}" if of("recommendations") => &self.decided,
                "{id}" if of("executions") || of("runs") => &self.execution,
                "{id}" if of("actions") => &self.action,
                "{id}" if of("incidents") => &self.incident,
                "{id}" if of("findings") => &self.finding,
                "{id}" if of("accounts") => "user:none",
                "{id}" if of("tokens") => "token:none",
                "{id}" if of("sessions") => "session:none",
                "{id}" if of("notifications") => "new_none.none",
                unknown if unknown.starts_with('{') => panic!("say here what {unknown} of {route} is"),
                fixed => fixed,
            };
            value.to_owned()
        };
        route.split('/').map(segment).collect::<Vec<_>>().join("/")
    }
}
