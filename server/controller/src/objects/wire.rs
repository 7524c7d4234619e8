//! The wire form, as far as it is read. Everything that is not named here is dropped while parsing.

use super::{
    Attempt, Child, Condition, Container, PENDING, PipelineRun, PipelineTask, Pod, Registration, TaskRun, Workflow,
};
use domain::{
    pipeline_run::{DIGEST_ANNOTATION, WORKFLOW_LABEL},
    time::Timestamp,
};
use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// Metadata without who manages which field: nobody reads that here, and whoever may write an object may write times into it that
/// nothing can read.
pub fn without_managers<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let mut metadata = serde_json::Map::deserialize(from)?;
    metadata.remove("managedFields");
    serde_json::from_value(metadata.into()).map_err(serde::de::Error::custom)
}

macro_rules! watched {
    ($(#[$doc:meta])* $name:ident, $group:literal, $version:literal, $kind:literal, $plural:literal, $spec:ty, $status:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        pub struct $name {
            #[serde(deserialize_with = "without_managers")]
            metadata: ObjectMeta,
            #[serde(default)]
            spec: $spec,
            #[serde(default)]
            status: $status,
        }

        impl Resource for $name {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }

            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

watched! {
    /// A WorkflowExecution as it is watched.
    WorkflowObject, "workflowexecution.kubernaut.ai", "v1alpha1", "WorkflowExecution", "workflowexecutions", Ignored, WorkflowStatus
}
watched! {
    /// A RemediationWorkflow as it is watched: its spec is read when it is registered.
    RegistrationObject, "workflowexecution.kubernaut.ai", "v1alpha1", "RemediationWorkflow", "remediationworkflows", Ignored, crate::crd::RemediationWorkflowStatus
}
watched! {
    /// A PipelineRun as it is watched.
    PipelineRunObject, "tekton.dev", "v1", "PipelineRun", "pipelineruns", PipelineRunSpec, PipelineRunStatus
}
watched! {
    /// A TaskRun as it is watched.
    TaskRunObject, "tekton.dev", "v1", "TaskRun", "taskruns", TaskRunSpec, TaskRunStatus
}
watched! {
    /// A pod as it is watched.
    PodObject, "", "v1", "Pod", "pods", PodSpec, PodStatus
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Ignored {}

#[derive(Clone, Debug, Default, Deserialize)]
struct WorkflowStatus {
    #[serde(default)]
    phase: crate::crd::Phase,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineRunSpec {
    pipeline_spec: Option<PipelineSpec>,
    status: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PipelineSpec {
    #[serde(default)]
    tasks: Vec<WireTask>,
    #[serde(default)]
    finally: Vec<WireTask>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTask {
    name: String,
    #[serde(default)]
    run_after: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineRunStatus {
    #[serde(default)]
    conditions: Vec<WireCondition>,
    start_time: Option<Timestamp>,
    completion_time: Option<Timestamp>,
    pipeline_spec: Option<PipelineSpec>,
    #[serde(default)]
    child_references: Vec<ChildReference>,
    #[serde(default)]
    skipped_tasks: Vec<SkippedTask>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChildReference {
    name: String,
    #[serde(default)]
    pipeline_task_name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct SkippedTask {
    name: String,
    #[serde(default)]
    reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    last_transition_time: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskRunSpec {
    status_message: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskRunStatus {
    #[serde(default)]
    conditions: Vec<WireCondition>,
    pod_name: Option<String>,
    start_time: Option<Timestamp>,
    completion_time: Option<Timestamp>,
    #[serde(default)]
    steps: Vec<StepState>,
    #[serde(default)]
    results: Vec<TaskResult>,
    #[serde(default)]
    retries_status: Vec<TaskRunStatus>,
}

#[derive(Clone, Debug, Deserialize)]
struct TaskResult {
    name: String,
    value: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct StepState {
    #[serde(default)]
    container: String,
    #[serde(flatten)]
    state: ContainerState,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ContainerState {
    waiting: Option<Waiting>,
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Deserialize)]
struct Waiting {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    started_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated {
    exit_code: Option<i64>,
    reason: Option<String>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PodSpec {
    #[serde(default)]
    volumes: Vec<Volume>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    persistent_volume_claim: Option<ClaimSource>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimSource {
    claim_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    conditions: Vec<WireCondition>,
    #[serde(default)]
    init_container_statuses: Vec<ContainerStatus>,
    #[serde(default)]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Deserialize)]
struct ContainerStatus {
    name: String,
    #[serde(default)]
    state: ContainerState,
}

fn label(meta: &ObjectMeta, key: &str) -> String {
    meta.labels.as_ref().and_then(|labels| labels.get(key)).cloned().unwrap_or_default()
}

fn digest(meta: &ObjectMeta) -> Option<String> {
    meta.annotations.as_ref()?.get(DIGEST_ANNOTATION).cloned()
}

fn controller_uid(meta: &ObjectMeta) -> Option<String> {
    let owners = meta.owner_references.as_ref()?;
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
}

fn created(meta: &ObjectMeta) -> Option<Timestamp> {
    meta.creation_timestamp.as_ref().map(|time| Timestamp::from_millis(time.0.as_millisecond()))
}

fn succeeded(conditions: Vec<WireCondition>) -> Option<Condition> {
    conditions.into_iter().find(|c| c.kind == "Succeeded").map(|c| Condition {
        status: c.status,
        reason: c.reason,
        message: c.message,
        since: c.last_transition_time,
    })
}

fn container(name: String, state: ContainerState) -> Container {
    let ContainerState { waiting, running, terminated } = state;
    let started = terminated.as_ref().and_then(|t| t.started_at).or(running.and_then(|r| r.started_at));
    Container {
        name,
        waiting: waiting.map(|w| (w.reason, w.message)),
        started_at: started,
        finished_at: terminated.as_ref().and_then(|t| t.finished_at),
        exit_code: terminated.as_ref().and_then(|t| t.exit_code),
        reason: terminated.and_then(|t| t.reason),
    }
}

fn pipeline_tasks(spec: PipelineSpec) -> Vec<PipelineTask> {
    let task = |finally| move |t: WireTask| PipelineTask { name: t.name, run_after: t.run_after, finally };
    spec.tasks.into_iter().map(task(false)).chain(spec.finally.into_iter().map(task(true))).collect()
}

impl From<WorkflowObject> for Workflow {
    fn from(object: WorkflowObject) -> Self {
        let WorkflowObject { metadata: meta, spec: Ignored {}, status } = object;
        Self {
            digest: digest(&meta),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            ended: status.phase.ended(),
            deleting: meta.deletion_timestamp.is_some(),
        }
    }
}

impl From<RegistrationObject> for Registration {
    fn from(object: RegistrationObject) -> Self {
        let RegistrationObject { metadata: meta, spec: Ignored {}, status } = object;
        Self {
            settled: status.observed_generation.is_some()
                && status.observed_generation == meta.generation
                && status.registered().is_some_and(|condition| condition.status != "Unknown"),
            name: meta.name.unwrap_or_default(),
            deleting: meta.deletion_timestamp.is_some(),
        }
    }
}

impl From<PipelineRunObject> for PipelineRun {
    fn from(object: PipelineRunObject) -> Self {
        let PipelineRunObject { metadata: meta, spec, status } = object;
        Self {
            workflow: label(&meta, WORKFLOW_LABEL),
            owner_uid: controller_uid(&meta),
            digest: digest(&meta),
            created_at: created(&meta),
            held: spec.status.as_deref() == Some(PENDING),
            condition: succeeded(status.conditions),
            started_at: status.start_time,
            finished_at: status.completion_time,
            tasks: status.pipeline_spec.or(spec.pipeline_spec).map(pipeline_tasks).unwrap_or_default(),
            children: status.child_references.into_iter().map(Child::from).collect(),
            skipped: status.skipped_tasks.into_iter().map(|skipped| (skipped.name, skipped.reason)).collect(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
        }
    }
}

impl From<ChildReference> for Child {
    fn from(reference: ChildReference) -> Self {
        Self { name: reference.name, task: reference.pipeline_task_name }
    }
}

impl From<TaskRunStatus> for Attempt {
    fn from(status: TaskRunStatus) -> Self {
        Self {
            condition: succeeded(status.conditions),
            pod: status.pod_name.filter(|name| !name.is_empty()),
            started_at: status.start_time,
            finished_at: status.completion_time,
            // One step does the work; an injected sidecar stands elsewhere (`status.sidecars`).
            step: status.steps.into_iter().next().map(|step| container(step.container, step.state)),
            results: status.results.into_iter().map(|result| (result.name, result.value)).collect(),
        }
    }
}

impl From<TaskRunObject> for TaskRun {
    fn from(object: TaskRunObject) -> Self {
        let TaskRunObject { metadata: meta, spec, mut status } = object;
        let earlier = std::mem::take(&mut status.retries_status);
        Self {
            workflow: label(&meta, WORKFLOW_LABEL),
            task: label(&meta, "tekton.dev/pipelineTask"),
            owner_uid: controller_uid(&meta),
            created_at: created(&meta),
            asked_because: spec.status_message,
            now: status.into(),
            earlier: earlier.into_iter().map(Into::into).collect(),
            replaced: Vec::new(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
        }
    }
}

impl From<PodObject> for Pod {
    fn from(object: PodObject) -> Self {
        let PodObject { metadata: meta, spec, status } = object;
        let begun = |c: &ContainerStatus| c.state.running.is_some() || c.state.terminated.is_some();
        let set_up = status.conditions.iter().any(|c| c.kind == "PodReadyToStartContainers" && c.status == "True")
            || status.init_container_statuses.iter().chain(&status.container_statuses).any(begun);
        let claims = spec.volumes.into_iter().filter_map(|volume| Some(volume.persistent_volume_claim?.claim_name));
        let scheduled = status.conditions.iter().find(|c| c.kind == "PodScheduled");
        // A pull that fails before the steps (Tekton's own images) is a reason to wait like any other.
        let blocked = status.init_container_statuses.iter().find_map(|init| {
            let waiting = init.state.waiting.as_ref()?;
            (waiting.reason != "PodInitializing").then(|| (waiting.reason.clone(), waiting.message.clone()))
        });
        let mut steps: Vec<Container> = status
            .container_statuses
            .into_iter()
            .filter(|c| c.name.starts_with("step-"))
            .map(|c| container(c.name, c.state))
            .collect();
        if let (Some(blocked), Some(step)) = (blocked, steps.first_mut()) {
            step.waiting = Some(blocked);
        }
        Self {
            workflow: label(&meta, WORKFLOW_LABEL),
            owner_uid: controller_uid(&meta),
            scheduled_at: scheduled.filter(|c| c.status == "True").and_then(|c| c.last_transition_time),
            unscheduled: scheduled.filter(|c| c.status == "False").map(|c| (c.reason.clone(), c.message.clone())),
            set_up,
            claims: claims.collect(),
            steps,
            ended: matches!(status.phase.as_str(), "Succeeded" | "Failed"),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
        }
    }
}
