//! Tickets for tests: the seeds' playbook and the seeds' three steps.

use domain::ticket::{Ticket, TicketContent};
use serde_json::{Value, json};

/// A digest-pinned image.
pub const IMAGE: &str =
    "quay.io/kubernaut/playbook-oomkill:v1@sha256:dfb67a6ce8cd066e46db86c7a9658b6ebe5fd32e938f61386ce9c7870c851526";

/// A ticket of this plan; `with` changes the content before it is hashed.
pub fn ticket(plan: &Value, with: impl FnOnce(&mut Value)) -> Ticket {
    let mut content = json!({
        "format": "kubernaut.ai/run-ticket/v1",
        "recommendation_id": "rec-1",
        "revision": 1,
        "strategy": 0,
        "incident_id": "inc-001",
        "action_type": "scale_down_replicas",
        "reason": "OOMKilled alert detected for payment-service",
        "cluster": "test",
        "namespace": "kubernaut-system",
        "adopts": null,
        "plan": plan,
        "service_account": "playbook-executor",
        "timeout_ms": 3_600_000,
        "retry_count": 0,
        "policy": {"id": "default", "version": 1, "approvals": 1},
        "expires_at": "2026-11-23T03:15:00.000Z",
        "business_context": {"service_owner": "payments-team"},
    });
    with(&mut content);
    let content: TicketContent = serde_json::from_value(content).expect("a ticket's content");
    Ticket::new(content)
}

/// The parameter seed's playbook.
pub fn playbook_plan(outputs: &Value) -> Value {
    json!({
        "kind": "playbook",
        "workflow_id": "oomkill-scale-down",
        "version": "1.0.0",
        "image": IMAGE,
        "image_pull_policy": "IfNotPresent",
        "parameters": [
            {"name": "TARGET_RESOURCE_NAME", "value": {"text": "my-app"}, "source": "model"},
            {"name": "SCALE_TARGET_REPLICAS", "value": {"text": "1"}, "source": "model"},
            {"name": "PAGER_TOKEN", "value": {"secret": {"name": "pager", "key": "token"}}, "source": "registration"},
        ],
        "outputs": outputs,
    })
}

/// The architecture seed's three steps.
pub fn steps_plan() -> Value {
    let step = |name: &str, action: &str, image: &str, inputs: Value, run_after: Value, workspace: bool| {
        json!({
            "name": name, "actionType": action, "inputs": inputs, "runAfter": run_after, "usesWorkspace": workspace,
            "image": format!("ghcr.io/kubernaut/actions/{image}:v1@sha256:{}", "ab".repeat(32)),
        })
    };
    json!({
        "kind": "steps",
        "workflow_type": "multi-step-remediation",
        "steps": [
            step("restart-pods", "kubernetes/restart_pod", "restart",
                json!({"namespace": "production", "labelSelector": "app=payment"}), json!([]), false),
            step("scale-deployment", "kubernetes/scale_deployment", "scale",
                json!({"deployment": "payment-service", "namespace": "production", "replicas": 10}), json!([]), false),
            step("create-gitops-pr", "git/create-pr", "git-pr",
                json!({"repository": "https://github.com/company/k8s-configs", "branch": "kubernaut/payment-memory-fix",
                "title": "Kubernaut: Fix payment-service OOMKilled"}),
                json!(["restart-pods", "scale-deployment"]), true),
        ],
    })
}

/// A ticket for a playbook without declared outputs.
pub fn playbook_ticket() -> Ticket {
    ticket(&playbook_plan(&json!([])), |_| {})
}

/// A ticket for the three steps.
pub fn steps_ticket() -> Ticket {
    ticket(&steps_plan(), |content| content["action_type"] = json!("multi-step-remediation"))
}

/// The same for an object that a person applied.
pub fn adopted_steps_ticket() -> Ticket {
    ticket(&steps_plan(), |content| {
        content["adopts"] = json!({"name": "remediate-payment-oom", "uid": "ebdfd822-26aa-4ad8-97d7-58b0a42d8548"});
    })
}

/// A ticket for the recorded shell image: `RUN_SECONDS`, `RUN_UNTIL`, `FAIL` and `OUTPUTS` steer what it does.
pub fn shell_ticket(parameters: &[(&str, &str)], outputs: &Value, with: impl FnOnce(&mut Value)) -> Ticket {
    let mut plan = playbook_plan(outputs);
    plan["image"] = json!(IMAGE.replace("playbook-oomkill", "playbook-shell"));
    let entry = |(name, text): &(&str, &str)| json!({"name": name, "value": {"text": text}, "source": "model"});
    plan["parameters"] = parameters.iter().map(entry).collect();
    ticket(&plan, with)
}
