//! From a ticket to the objects that Tekton runs. Pure and total: a ticket that exists can be built, and the same ticket
//! gives the same bytes. What is built here is shown before the decision and applied after it.
//!
//! The container gets its parameters by `envFrom` of an immutable ConfigMap, which neither Tekton nor the kubelet rewrites;
//! the PipelineRun's own `parameters` are for people (`safety.md`, Parameters).

mod preview;

use crate::{
    duration,
    ids::Digest,
    json::canonical,
    playbook::{
        ImageRef, PlaybookId, PullPolicy, Version,
        values::{EnvEntry, EnvValue},
    },
    ticket::{Plan, Ticket, TicketContent},
    workflow::Step,
};
use serde_json::{Map, Value, json};

pub use preview::{Place, preview};

/// Annotation on every object: the digest of the ticket it comes from.
pub const DIGEST_ANNOTATION: &str = "kubernaut.io/ticket-digest";
/// Annotation: the recommendation.
pub const RECOMMENDATION_ANNOTATION: &str = "kubernaut.io/recommendation";
/// Label: the WorkflowExecution.
pub const WORKFLOW_LABEL: &str = "kubernaut.io/workflow";
/// The name of the workspace that steps share (architecture seed).
const SHARED_WORKSPACE: &str = "shared-workspace";

/// The WorkflowExecution that owns what is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// The objects of a run, in the order in which they are created.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// Immutable ConfigMaps with what the containers get.
    pub config_maps: Vec<Value>,
    /// The PipelineRun.
    pub pipeline_run: Value,
}

/// Builds the objects of a ticket. Without an owner (before the WorkflowExecution exists) the owner references are left out;
/// nothing else differs.
pub fn build(ticket: &Ticket, owner: Option<&Owner>) -> Built {
    match &ticket.content().plan {
        Plan::Playbook { workflow_id, version, image, image_pull_policy, parameters, .. } => {
            let playbook = Playbook { id: workflow_id, version, image, pull_policy: *image_pull_policy, parameters };
            playbook_run(ticket, owner, &playbook)
        }
        Plan::Steps { steps, .. } => steps_run(ticket, owner, steps),
    }
}

/// What a ticket says of a playbook.
struct Playbook<'a> {
    id: &'a PlaybookId,
    version: &'a Version,
    image: &'a ImageRef,
    pull_policy: PullPolicy,
    parameters: &'a [EnvEntry],
}

fn playbook_run(ticket: &Ticket, owner: Option<&Owner>, playbook: &Playbook<'_>) -> Built {
    let content = ticket.content();
    let name = ticket.name();
    let config_map = format!("{name}-parameters");
    let mut meta = metadata(ticket, owner, &name);
    meta["labels"]["playbook-id"] = json!(playbook.id.as_str());
    meta["labels"]["remediation-strategy"] = json!(label_value(&content.action_type));
    meta["annotations"]["kubernaut.io/playbook-version"] = json!(playbook.version.to_string());
    let spec = playbook_spec(content, playbook, &config_map);
    Built {
        config_maps: vec![immutable_config_map(ticket, owner, &config_map, &text_values(playbook.parameters))],
        pipeline_run: pipeline_run(&meta, &spec),
    }
}

fn playbook_spec(content: &TicketContent, playbook: &Playbook<'_>, config_map: &str) -> Value {
    let mut spec = json!({
        "pipelineRef": { "name": executor(content.retry_count) },
        "params": [
            param("playbook-id", playbook.id.as_str()),
            param("playbook-image", &playbook.image.to_string()),
            param("image-pull-policy", pull_policy(playbook.pull_policy)),
            param("parameters", &lines(playbook.parameters)),
            param("parameters-configmap", config_map),
        ],
        "taskRunTemplate": { "serviceAccountName": content.service_account },
        "timeouts": { "pipeline": duration::canonical(content.timeout_ms) },
        "taskRunSpecs": [task_limit(PLAYBOOK_TASK, content.timeout_ms)],
    });
    if let Some(secret) = &content.kubeconfig_secret {
        // Not optional, and by its key: without it a playbook would act on the wrong cluster.
        let items = json!([{ "key": "kubeconfig", "path": "kubeconfig" }]);
        spec["workspaces"] = json!([{ "name": "kubeconfig", "secret": { "secretName": secret, "items": items } }]);
    }
    let secrets = secret_env(playbook.parameters);
    if !secrets.is_empty() {
        spec["taskRunTemplate"]["podTemplate"] = json!({ "env": secrets });
    }
    spec
}

/// The parameters that are no secrets: what the ConfigMap holds.
fn text_values(parameters: &[EnvEntry]) -> Map<String, Value> {
    let text = |entry: &EnvEntry| match &entry.value {
        EnvValue::Text(text) => Some((entry.name.to_string(), json!(text))),
        EnvValue::Secret { .. } => None,
    };
    parameters.iter().filter_map(text).collect()
}

fn steps_run(ticket: &Ticket, owner: Option<&Owner>, steps: &[Step]) -> Built {
    let config_maps = steps
        .iter()
        .map(|step| immutable_config_map(ticket, owner, &step_config_map(ticket, step), &step_data(step)))
        .collect();
    let meta = metadata(ticket, owner, &ticket.name());
    Built { config_maps, pipeline_run: pipeline_run(&meta, &steps_spec(ticket, steps)) }
}

/// The Pipeline that runs playbooks with this many retries. Tekton takes retries only as a literal in the Pipeline.
pub fn executor(retry_count: u32) -> String {
    if retry_count == 0 { "playbook-executor".into() } else { format!("playbook-executor-retry-{retry_count}") }
}

/// The name of the one task of a playbook's run.
pub const PLAYBOOK_TASK: &str = "execute";

/// The workspaces for which a run claims a volume of its own.
pub fn claimed_workspaces(plan: &Plan) -> &'static [&'static str] {
    match plan {
        Plan::Steps { steps, .. } if share_a_volume(steps) => &[SHARED_WORKSPACE],
        Plan::Steps { .. } | Plan::Playbook { .. } => &[],
    }
}

fn share_a_volume(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.uses_workspace)
}

fn steps_spec(ticket: &Ticket, steps: &[Step]) -> Value {
    let content = ticket.content();
    let tasks: Vec<Value> = steps.iter().map(|step| pipeline_task(ticket, step)).collect();
    let limits: Vec<Value> = steps.iter().map(|step| task_limit(&step.name, content.timeout_ms)).collect();
    let mut spec = json!({
        "pipelineSpec": { "tasks": tasks },
        "taskRunSpecs": limits,
        "taskRunTemplate": { "serviceAccountName": content.service_account },
        "timeouts": { "pipeline": duration::canonical(content.timeout_ms) },
    });
    if share_a_volume(steps) {
        spec["pipelineSpec"]["workspaces"] =
            json!([{ "name": SHARED_WORKSPACE, "description": "Shared workspace for multi-step workflows" }]);
        spec["workspaces"] = json!([{
            "name": SHARED_WORKSPACE,
            "volumeClaimTemplate": { "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } },
        }]);
    }
    spec
}

fn pipeline_task(ticket: &Ticket, step: &Step) -> Value {
    let mut task = json!({
        "name": step.name,
        "taskRef": { "name": "kubernaut-action" },
        "params": [
            param("actionType", &step.action_type),
            param("actionImage", &step.image.to_string()),
            param("inputs", &Value::Object(step.inputs.clone()).to_string()),
            param("parametersConfigMap", &step_config_map(ticket, step)),
        ],
    });
    let retries = ticket.content().retry_count;
    if retries > 0 {
        task["retries"] = json!(retries);
    }
    if !step.run_after.is_empty() {
        task["runAfter"] = json!(step.run_after);
    }
    if step.uses_workspace {
        task["workspaces"] = json!([{ "name": "workspace", "workspace": SHARED_WORKSPACE }]);
    }
    task
}

/// Without a limit of its own a task ends after an hour, whatever the run's limit says.
fn task_limit(task: &str, timeout_ms: u64) -> Value {
    json!({ "pipelineTaskName": task, "timeout": duration::canonical(timeout_ms) })
}

/// The digest tells runs apart whose names run into their steps' (run `a`, step `b-c`; run `a-b`, step `c`). An adopted object
/// may have the longest name there is, and then lends only its beginning.
fn step_config_map(ticket: &Ticket, step: &Step) -> String {
    const LONGEST: usize = 253;
    let tail = format!("-{}-{}", step.name, &ticket.digest().hex()[..10]);
    let name: String = ticket.name().chars().take(LONGEST.saturating_sub(tail.len())).collect();
    format!("{}{tail}", name.trim_end_matches(['-', '.']))
}

fn step_data(step: &Step) -> Map<String, Value> {
    let inputs = Value::Object(step.inputs.clone()).to_string();
    Map::from_iter([("ACTION_TYPE".into(), json!(step.action_type)), ("ACTION_INPUTS".into(), json!(inputs))])
}

fn pipeline_run(metadata: &Value, spec: &Value) -> Value {
    json!({ "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": spec })
}

fn immutable_config_map(ticket: &Ticket, owner: Option<&Owner>, name: &str, data: &Map<String, Value>) -> Value {
    let mut meta = metadata(ticket, owner, name);
    if let Some(annotations) = meta["annotations"].as_object_mut() {
        annotations.retain(|key, _| key == DIGEST_ANNOTATION);
    }
    let mut map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "immutable": true });
    // The API server leaves out what is empty, and what comes back must be what was sent.
    if !data.is_empty() {
        map["data"] = json!(data);
    }
    map
}

fn metadata(ticket: &Ticket, owner: Option<&Owner>, name: &str) -> Value {
    let content = ticket.content();
    let mut annotations = Map::from_iter([
        (DIGEST_ANNOTATION.to_owned(), json!(ticket.digest())),
        (RECOMMENDATION_ANNOTATION.to_owned(), json!(content.recommendation_id)),
        ("kubernaut.io/incident-id".to_owned(), json!(content.incident_id)),
    ]);
    for (key, value) in &content.business_context {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        annotations.insert(format!("business-context.kubernaut.io/{}", annotation_name(key)), json!(text));
    }
    let mut meta = json!({
        "name": name,
        "namespace": content.namespace,
        "labels": {
            WORKFLOW_LABEL: ticket.name(),
            "incident-id": label_value(&content.incident_id),
        },
        "annotations": annotations,
    });
    if let Some(owner) = owner {
        meta["ownerReferences"] = json!([{
            "apiVersion": "workflowexecution.kubernaut.ai/v1alpha1",
            "kind": "WorkflowExecution",
            "name": owner.name,
            "uid": owner.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }]);
    }
    meta
}

fn param(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

/// `KEY=VALUE` lines, exposed parameters first, then hidden ones (parameter seed); a secret is only named.
fn lines(parameters: &[EnvEntry]) -> String {
    parameters
        .iter()
        .map(|p| match &p.value {
            EnvValue::Text(text) => format!("{}={text}\n", p.name),
            EnvValue::Secret { name, key } => format!("{}=<secret {name}/{key}>\n", p.name),
        })
        .collect()
}

fn secret_env(parameters: &[EnvEntry]) -> Vec<Value> {
    parameters
        .iter()
        .filter_map(|p| match &p.value {
            EnvValue::Secret { name, key } => {
                Some(json!({ "name": p.name, "valueFrom": { "secretKeyRef": { "name": name, "key": key } } }))
            }
            EnvValue::Text(_) => None,
        })
        .collect()
}

const fn pull_policy(policy: PullPolicy) -> &'static str {
    match policy {
        PullPolicy::Always => "Always",
        PullPolicy::IfNotPresent => "IfNotPresent",
        PullPolicy::Never => "Never",
    }
}

/// `key` as the name of an annotation. One that is legal stays; another gets some digits of its hash, so that two keys never
/// fall onto one name, and none onto no name.
fn annotation_name(key: &str) -> String {
    let name = label_value(key);
    if name == key {
        return name;
    }
    let readable: String = name.chars().take(50).collect();
    let digest = Digest::from_bytes(canonical::digest(&json!(key)));
    format!("{readable}{}{}", if readable.is_empty() { "" } else { "-" }, &digest.hex()[..10])
}

/// `text` as a label value: at most 63 of `[A-Za-z0-9._-]`, beginning and ending with a letter or digit. The exact text
/// stands in an annotation where it matters.
pub fn label_value(text: &str) -> String {
    let mapped: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .take(63)
        .collect();
    mapped.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::Adopts;

    fn config_maps(run: &str, step: &str) -> Vec<String> {
        let content = json!({
            "format": crate::ticket::FORMAT, "recommendation_id": "rec-1", "revision": 1, "strategy": 0,
            "incident_id": "inc", "action_type": "x", "reason": "x", "cluster": "c", "namespace": "n",
            "adopts": Adopts { name: run.into(), uid: "u".into() },
            "plan": {"kind": "steps", "workflow_type": "x", "steps": [
                {"name": step, "actionType": "x", "image": format!("quay.io/x/y@sha256:{}", "ab".repeat(32))},
            ]},
            "service_account": "a", "kubeconfig_secret": null, "timeout_ms": 1000, "retry_count": 0,
            "policy": {"id": "default", "version": 1, "approvals": 1}, "expires_at": "2026-11-23T03:15:00.000Z",
            "business_context": {},
        });
        let built = build(&Ticket::new(serde_json::from_value(content).unwrap()), None);
        let task = &built.pipeline_run["spec"]["pipelineSpec"]["tasks"][0];
        let names: Vec<String> =
            built.config_maps.iter().map(|m| m["metadata"]["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(task["params"][3]["value"], json!(names[0]), "the task reads what was made for it");
        names
    }

    #[test]
    fn config_maps_of_two_runs_never_share_a_name() {
        assert_ne!(config_maps("a", "b-c"), config_maps("a-b", "c"));
        let long = format!("{}-{}", "a".repeat(176), "b".repeat(76));
        for run in ["a", &long] {
            let name = &config_maps(run, &"s".repeat(63))[0];
            let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(name.len() <= 253 && name.bytes().all(good) && !name.contains("--"), "{name}");
        }
    }
}
