//! The custom resource `WorkflowExecution`: what a cluster user may apply and what the console creates (architecture seed,
//! "WorkflowExecution CRD"; parameter seed for the playbook form). Beside it, in a module of its own, `RemediationWorkflow`.
//!
//! Types and the definition only. It does not know tickets, Tekton, or who may approve.

mod registration;

pub use registration::{
    REGISTERED, RegisteredVersion, RemediationWorkflow, RemediationWorkflowSpec, RemediationWorkflowStatus,
};

use domain::limits;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::{CustomResource, CustomResourceExt, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The API group.
pub const GROUP: &str = "workflowexecution.kubernaut.ai";
/// The version of the API group.
pub const VERSION: &str = "v1alpha1";
/// The plural, as it stands in paths.
pub const PLURAL: &str = "workflowexecutions";
/// The kind.
pub const KIND: &str = "WorkflowExecution";

/// What is to run: a list of steps, or a playbook. It never changes once applied.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "workflowexecution.kubernaut.ai",
    version = "v1alpha1",
    kind = "WorkflowExecution",
    plural = "workflowexecutions",
    singular = "workflowexecution",
    namespaced,
    status = "WorkflowExecutionStatus",
    doc = "A remediation that waits for its decision, runs, or has run. The console creates one for each approved run ticket; one applied by hand waits for a decision in the console.",
    category = "kubernaut",
    selectable = ".spec.workflowType",
    printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}"#,
    printcolumn = r#"{"name": "Type", "type": "string", "jsonPath": ".spec.workflowType"}"#,
    printcolumn = r#"{"name": "Playbook", "type": "string", "jsonPath": ".spec.playbook.id"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".spec.reason", "priority": 1}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[x_kube(validation = Rule::new("self == oldSelf").message("spec is immutable: apply another WorkflowExecution instead"))]
#[x_kube(validation = Rule::new("has(self.steps) != has(self.playbook)").message("give exactly one of steps and playbook"))]
#[serde(rename_all = "camelCase")]
pub struct WorkflowExecutionSpec {
    /// What kind of workflow it is, such as `multi-step-remediation`; for a playbook its id.
    #[schemars(length(min = 1, max = limits::WORKFLOW_TYPE))]
    pub workflow_type: String,
    /// Why it is to run.
    #[schemars(length(min = 1, max = limits::REASON))]
    pub reason: String,
    /// The steps, where it is a list of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::STEPS))]
    pub steps: Option<Vec<StepSpec>>,
    /// The playbook, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<PlaybookSpec>,
    /// The service account that the pods run as; the console's default where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account: Option<String>,
    /// Of the whole run, in Go's form such as `10m0s`; the console's default where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 32), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    pub timeout: Option<String>,
    /// How often a failed task is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 5))]
    pub retries: Option<u32>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepSpec {
    /// Its name, unique in the list; the name of its Tekton task.
    #[schemars(length(min = 1, max = limits::STEP_NAME), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// The action, such as `kubernetes/scale_deployment`.
    #[schemars(length(min = 1, max = limits::ACTION_TYPE))]
    pub action_type: String,
    /// The action's image.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// What the action gets, as JSON.
    #[serde(default)]
    #[schemars(schema_with = "any_object")]
    pub inputs: Map<String, Value>,
    /// Names of the steps it waits for.
    #[serde(default)]
    #[schemars(length(max = limits::STEPS), inner(length(max = limits::STEP_NAME)))]
    pub run_after: Vec<String>,
    /// Whether it gets the volume that the steps share.
    #[serde(default)]
    pub uses_workspace: bool,
    /// Whether doing it twice does no more than doing it once: then a failed run can be gone on with from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
}

/// A playbook with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaybookSpec {
    /// The playbook's id in the catalog.
    #[schemars(length(min = 1, max = 253))]
    pub id: String,
    /// Its version.
    #[schemars(length(min = 1, max = 64))]
    pub version: String,
    /// Its image by digest; the catalog's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// What kind of thing it does, such as `scale_down_replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::ACTION_TYPE))]
    pub action_type: Option<String>,
    /// Its parameters, exposed ones first.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub parameters: Vec<ParameterSpec>,
}

/// One parameter: a value, or a Secret's key that is only named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.value) != has(self.secretRef)").message("give exactly one of value and secretRef"))]
#[serde(rename_all = "camelCase")]
pub struct ParameterSpec {
    /// Its name, such as `TARGET_NAMESPACE`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Z][A-Z0-9_]*$"))]
    pub name: String,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// The Secret's key that holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// A key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// How far it has got. Only the console writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowExecutionStatus {
    /// Initializing, Executing, Completed or Failed; empty before the console saw it.
    #[serde(default)]
    pub phase: Phase,
    /// The same in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Valid`, `Approved` and `Succeeded`, in the form of the Kubernetes API conventions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The PipelineRun, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline_run: Option<String>,
    /// The digest of the approved run ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_digest: Option<String>,
    /// Each step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepStatus>,
    /// When the PipelineRun started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<String>,
}

/// The phases of the architecture seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nobody looked at it yet.
    #[default]
    #[serde(rename = "")]
    New,
    /// Waits for its decision or for its PipelineRun.
    Initializing,
    /// The PipelineRun is at work.
    Executing,
    /// Ended well.
    Completed,
    /// Ended otherwise; conditions and message say how.
    Failed,
}

impl Phase {
    /// Whether nothing more will happen to it.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

// schemars describes unit variants one by one (`oneOf`), which a structural schema must not have.
impl JsonSchema for Phase {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Phase".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "enum": ["", "Initializing", "Executing", "Completed", "Failed"],
        })
    }
}

/// A condition (`metav1.Condition`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which condition.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// When `status` last changed.
    pub last_transition_time: String,
    /// The generation that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// How a step stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// Its name.
    pub name: String,
    /// pending, running, succeeded, failed, skipped, cancelled, `timed_out` or lost.
    pub state: String,
    /// The reason, as the cluster gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
}

/// Any JSON object, kept as it is.
fn any_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "description": "What the action gets, as JSON.",
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

/// Every definition that the console brings, for the subcommand `crds` and for `deploy/base/crds/`.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut all = vec![WorkflowExecution::crd(), RemediationWorkflow::crd()];
    let versions = all.iter_mut().flat_map(|crd| &mut crd.spec.versions);
    for schema in versions.filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut()) {
        without_null(schema);
    }
    all
}

/// kube calls every optional field nullable. Ours are given or left out: `has()` in the rules takes a null for given.
fn without_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        without_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        without_null(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        without_null(values);
    }
}

/// The definitions as YAML documents.
pub fn crds_yaml() -> Result<String, serde_norway::Error> {
    crds().iter().map(yaml).collect()
}

fn yaml(crd: &CustomResourceDefinition) -> Result<String, serde_norway::Error> {
    Ok(format!("---\n{}", serde_norway::to_string(crd)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version_of(crd: &CustomResourceDefinition) -> Value {
        serde_json::to_value(&crd.spec.versions[0]).unwrap()
    }

    #[test]
    fn the_files_and_the_code_agree() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base/crds");
        let mut files = Vec::new();
        for crd in crds() {
            let file = format!("{}.yaml", crd.spec.names.plural);
            let path = format!("{directory}/{file}");
            let code = format!(
                "# Generated by `kubernaut-console crds`; `UPDATE=1 cargo test -p controller` writes it anew.\n{}",
                yaml(&crd).unwrap()
            );
            if std::env::var_os("UPDATE").is_some() {
                std::fs::create_dir_all(directory).unwrap();
                std::fs::write(&path, &code).unwrap();
            }
            let stored = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(stored, code, "run UPDATE=1 cargo test -p controller crd and commit {file}");
            files.push(file);
        }
        for entry in std::fs::read_dir(directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(files.contains(&name) || name.starts_with("kustomization"), "{name} is no definition of ours");
        }
        assert_eq!(crds_yaml().unwrap().matches("\nkind: CustomResourceDefinition\n").count(), files.len());
    }

    #[test]
    fn they_take_no_short_name_and_serve_status_apart() {
        let names = crds().into_iter().map(|crd| {
            assert!(crd.spec.names.short_names.as_ref().is_none_or(Vec::is_empty), "`wfe` and `rw` belong to others");
            assert_eq!((crd.spec.group.as_str(), crd.spec.versions[0].name.as_str()), (GROUP, VERSION));
            assert!(crd.spec.versions[0].subresources.as_ref().unwrap().status.is_some());
            crd.metadata.name.unwrap()
        });
        let expected = ["workflowexecutions", "remediationworkflows"].map(|plural| format!("{plural}.{GROUP}"));
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_schemas_are_structural_and_specs_are_immutable() {
        for crd in crds() {
            let version = version_of(&crd);
            let rules = &version["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"];
            assert_eq!(rules[0]["rule"], "self == oldSelf");
            assert!(rules[0]["message"].as_str().unwrap().starts_with("spec is immutable"));
            // A structural schema has no union keywords and no references anywhere.
            let text = version.to_string();
            for keyword in ["\"oneOf\"", "\"anyOf\"", "\"$ref\"", "\"definitions\"", "\"nullable\""] {
                assert!(!text.contains(keyword), "{keyword} in {}", crd.spec.names.kind);
            }
        }
        let spec = &version_of(&crds()[0])["schema"]["openAPIV3Schema"]["properties"]["spec"];
        assert_eq!(spec["x-kubernetes-validations"][1]["rule"], "has(self.steps) != has(self.playbook)");
        let inputs = &spec["properties"]["steps"]["items"]["properties"]["inputs"];
        assert_eq!(inputs["x-kubernetes-preserve-unknown-fields"], json!(true));
    }

    #[test]
    fn the_seeds_example_is_read() {
        let spec: WorkflowExecutionSpec = serde_json::from_value(json!({
            "workflowType": "multi-step-remediation",
            "reason": "OOMKilled alert detected for payment-service",
            "steps": [{
                "name": "scale-deployment", "actionType": "kubernetes/scale_deployment",
                "image": "ghcr.io/kubernaut/actions/scale@sha256:abc123",
                "inputs": {"deployment": "payment-service", "replicas": 10}, "runAfter": [],
            }],
        }))
        .unwrap();
        let step = &spec.steps.unwrap()[0];
        assert_eq!(step.inputs["replicas"], json!(10));
        assert!(!step.uses_workspace);
    }
}
