//! The custom resource `RemediationWorkflow`: a version of a playbook, registered by who may create this object (parameter seed,
//! "CRD-based registration").
//!
//! Its `spec` is the registration of `POST /api/v1/playbooks`, all of it and nothing else, with fields in camelCase
//! (`containerImage`), as every Kubernetes API has them and the `WorkflowExecution` of the same group too: whoever writes it
//! lives among such objects, and `kubectl explain`, editors and policies expect them so. The names of the wire would spare a
//! renaming to who has a registration as JSON already; that renaming is mechanical and loses nothing
//! (`domain::playbook::applied`), and faults are told in the resource's names. There is one form of `parameters`, exposed and
//! hidden: a schema can't say "a list or an object", and the flat list is the exposed ones.
//!
//! The schema refuses at once what needs no catalog to judge, but for what hangs on a parameter's values: a value may be of any
//! type, and CEL does not see a field without one (`default`, `enum`, `dependsOn`). The console judges all of it again.

use super::Condition;
use domain::{limits::registration as limits, playbook::MOST_PARAMETERS, text::VALUE_BYTES};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A version of a playbook as it is registered. It never changes once applied.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "workflowexecution.kubernaut.ai",
    version = "v1alpha1",
    kind = "RemediationWorkflow",
    plural = "remediationworkflows",
    singular = "remediationworkflow",
    namespaced,
    status = "RemediationWorkflowStatus",
    doc = "A version of a playbook, to be registered in the console's catalog. The catalog keeps it for good: deleting this object disables the version and takes nothing out of the catalog.",
    category = "kubernaut",
    selectable = ".spec.workflowId",
    selectable = ".spec.version",
    printcolumn = r#"{"name": "Workflow", "type": "string", "jsonPath": ".spec.workflowId"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".spec.version"}"#,
    printcolumn = r#"{"name": "Registered", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Registered\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Registered\")].reason"}"#,
    printcolumn = r#"{"name": "Message", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Registered\")].message", "priority": 1}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[x_kube(validation = Rule::new("self == oldSelf").message("spec is immutable: apply another version under another name; to mend one that was refused, kubectl replace --force"))]
#[serde(rename_all = "camelCase")]
pub struct RemediationWorkflowSpec {
    /// The playbook's id, such as `oomkill-scale-down`.
    #[schemars(length(min = 1, max = limits::ID), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub workflow_id: String,
    /// This version of it, by SemVer, such as `1.0.0`.
    #[schemars(length(min = 5, max = limits::VERSION), regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$"))]
    pub version: String,
    /// A line for lists.
    #[schemars(length(min = 1, max = limits::TITLE))]
    pub title: String,
    /// When to use it: what a model chooses by.
    #[schemars(length(min = 1, max = limits::DESCRIPTION))]
    pub description: String,
    /// The image that does the work. On a real cluster with its whole digest, `name@sha256:…`.
    #[schemars(length(min = 1, max = limits::IMAGE))]
    pub container_image: String,
    /// When the kubelet pulls the image; `IfNotPresent` where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "pull_policy")]
    pub image_pull_policy: Option<String>,
    /// What the container is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<ParametersSpec>,
    /// What may go wrong when it runs, as its author says. Approval policies go by it where a model says less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "risk")]
    pub risk: Option<String>,
    /// What the playbook is for. `*` matches anything; a label that is left out matches no filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelsSpec>,
    /// What happens inside, for people; a model never sees it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::TOLD_STEPS), inner(length(min = 1, max = limits::TOLD_STEP)))]
    pub internal_steps: Vec<String>,
    /// The same under the seeds' other name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::TOLD_STEPS), inner(length(min = 1, max = limits::TOLD_STEP)))]
    pub remediation_steps: Vec<String>,
    /// How it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ExecutionSpec>,
    /// What the container must report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::OUTPUTS), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub outputs: Vec<OutputSpec>,
}

/// All parameters: no name twice, nor in both lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.exposed) || !has(self.hidden) || self.exposed.all(e, !self.hidden.exists(h, h.name == e.name))").message("a parameter can't be both exposed and hidden"))]
#[serde(rename_all = "camelCase")]
pub struct ParametersSpec {
    /// Shown to a model and filled from its answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_PARAMETERS), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub exposed: Vec<ExposedSpec>,
    /// Set at registration, and never shown to a model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_PARAMETERS), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub hidden: Vec<HiddenSpec>,
}

/// A parameter that a model sees and fills. Values are of its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum").message("maximum is less than minimum"))]
#[x_kube(validation = Rule::new("!has(self.minLength) || !has(self.maxLength) || self.minLength <= self.maxLength").message("maxLength is less than minLength"))]
#[x_kube(validation = Rule::new("self.type == 'string' || !(has(self.pattern) || has(self.minLength) || has(self.maxLength))").message("pattern, minLength and maxLength are for parameters of type string"))]
#[x_kube(validation = Rule::new("self.type == 'integer' || self.type == 'number' || !(has(self.minimum) || has(self.maximum))").message("minimum and maximum are for parameters of type integer or number"))]
#[serde(rename_all = "camelCase")]
pub struct ExposedSpec {
    /// The environment variable, such as `TARGET_NAMESPACE`.
    #[schemars(length(min = 1, max = limits::NAME), regex(pattern = r"^[A-Z][A-Z0-9_]*$"))]
    pub name: String,
    /// What to put in, for a model and for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::PARAMETER_DESCRIPTION))]
    pub description: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(schema_with = "value_type")]
    pub kind: String,
    /// Whether a value is needed: always without `dependsOn`, else when that holds. A default is a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The value when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "value")]
    pub default: Option<Value>,
    /// The only values allowed.
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "allowed_values")]
    pub allowed: Option<Vec<Value>>,
    /// An ECMA-262 pattern that a part of the text must match; `^` and `$` tie it to the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::PATTERN))]
    pub pattern: Option<String>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = VALUE_BYTES))]
    pub min_length: Option<u32>,
    /// The most characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = VALUE_BYTES))]
    pub max_length: Option<u32>,
    /// Values that would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "example_values")]
    pub examples: Option<Vec<Value>>,
    /// The parameter is allowed, and if `required` then needed, only when each of these has one of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "conditions")]
    pub depends_on: Option<BTreeMap<String, Vec<Value>>>,
    /// Only ever `env.` and its own name; best left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::MAPPING))]
    pub tekton_mapping: Option<String>,
}

/// A parameter that is set at registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.value) != has(self.secretRef)").message("give exactly one of value and secretRef"))]
#[serde(rename_all = "camelCase")]
pub struct HiddenSpec {
    /// The environment variable.
    #[schemars(length(min = 1, max = limits::NAME), regex(pattern = r"^[A-Z][A-Z0-9_]*$"))]
    pub name: String,
    /// The value, as text: whoever may read this object sees it, so no secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = VALUE_BYTES))]
    pub value: Option<String>,
    /// The Secret's key that holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<super::SecretRef>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::PARAMETER_DESCRIPTION))]
    pub description: Option<String>,
}

/// What a playbook is found by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelsSpec {
    /// The signal it answers, such as `OOMKilled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub signal_type: Option<String>,
    /// How bad the incident is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub severity: Option<String>,
    /// The component it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub component: Option<String>,
    /// Where it may run, such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub environment: Option<String>,
    /// How urgent, such as `P1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub priority: Option<String>,
    /// How much risk the business takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub risk_tolerance: Option<String>,
    /// Which part of the business it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub business_category: Option<String>,
    /// What kind of remediation, such as `resource-management`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::LABEL))]
    pub category: Option<String>,
    /// Free words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::TAGS), inner(length(min = 1, max = limits::TAG)), extend("x-kubernetes-list-type" = "set"))]
    pub tags: Vec<String>,
}

/// How a run of it goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionSpec {
    /// Of the whole run, such as `10m` (which it is where left out), at most a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 32), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    pub timeout: Option<String>,
    /// How often a failed task is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = limits::RETRIES))]
    pub retry_count: Option<u32>,
    /// The service account that the pods run as; `playbook-executor` where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limits::OBJECT_NAME))]
    pub service_account: Option<String>,
    /// Whether running it twice does no more than running it once: then a run that failed may be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// What of the object that it acts on is kept before each run, to undo that run with where nobody says how.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::CAPTURES), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["parameter"]))]
    pub capture: Vec<CaptureSpec>,
}

/// A field of the object that a run acts on, and the parameter that sets it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureSpec {
    /// JSON Pointer into the object's spec or metadata, such as `/spec/replicas`.
    #[schemars(length(min = 1, max = limits::CAPTURE_FIELD), regex(pattern = r"^/(spec|metadata)/"))]
    pub field: String,
    /// The exposed parameter that gets its value when the run is undone.
    #[schemars(length(min = 1, max = limits::NAME), regex(pattern = r"^[A-Z][A-Z0-9_]*$"))]
    pub parameter: String,
}

/// An output that the container must report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutputSpec {
    /// Its name.
    #[schemars(length(min = 1, max = limits::NAME), regex(pattern = r"^[A-Za-z][A-Za-z0-9_]*$"))]
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(schema_with = "value_type")]
    pub kind: String,
}

/// What came of it. Only the console writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemediationWorkflowStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Registered`, in the form of the Kubernetes API conventions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The version in the catalog that has this content; none while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<RegisteredVersion>,
}

/// The condition that says what came of it.
pub const REGISTERED: &str = "Registered";

impl RemediationWorkflowStatus {
    /// The condition [`REGISTERED`].
    pub fn registered(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == REGISTERED)
    }
}

/// A version in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredVersion {
    /// The playbook's id.
    pub id: String,
    /// The version.
    pub version: String,
    /// Its image by digest, as it was pinned at registration.
    pub image: String,
}

type Generator = schemars::SchemaGenerator;

/// A value of a parameter: of which type, only the parameter tells.
fn value(_: &mut Generator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "The value when none is given.",
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

fn values(description: &str, least: usize, most: usize) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array", "description": description, "minItems": least, "maxItems": most,
        "items": { "x-kubernetes-preserve-unknown-fields": true },
    })
}

fn allowed_values(_: &mut Generator) -> schemars::Schema {
    values("The only values allowed.", 1, limits::VALUES)
}

fn example_values(_: &mut Generator) -> schemars::Schema {
    values("Values that would do.", 0, limits::EXAMPLES)
}

fn conditions(_: &mut Generator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object", "maxProperties": limits::CONDITIONS,
        "description": "The parameter is allowed, and if `required` then needed, only when each of these has one of the values.",
        "additionalProperties": {
            "type": "array", "minItems": 1, "maxItems": limits::VALUES,
            "items": { "x-kubernetes-preserve-unknown-fields": true },
        },
    })
}

fn value_type(_: &mut Generator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string", "description": "Its type.", "enum": ["string", "integer", "number", "boolean"],
    })
}

fn risk(_: &mut Generator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "description": "What may go wrong when it runs, as its author says. Approval policies go by it where a model says less.",
        "enum": ["low", "medium", "high"],
    })
}

fn pull_policy(_: &mut Generator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string", "description": "When the kubelet pulls the image; `IfNotPresent` where left out.",
        "enum": ["Always", "IfNotPresent", "Never"],
    })
}
