//! The cluster, as the services need it. Everything about objects and watches stays in the controller.

use super::{PlaybookRecord, StoreError};
use crate::{
    execution::Execution,
    fault::Fault,
    ids::RecommendationId,
    playbook::ImageRef,
    recommendation::ResourceRef,
    target::state::Reading,
    workspace::{NoListing, WorkspaceListing},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whether an image is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// A signature was verified.
    Verified,
    /// There is none.
    Missing,
    /// Nobody looked.
    Unknown,
}

/// An image pinned to its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageResolution {
    /// The image by digest.
    pub image: ImageRef,
    /// Whether it is signed.
    pub signature: Signature,
}

/// Why the cluster did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The image's digest can't be found out.
    #[error("{image} can't be resolved to a digest: {detail}")]
    Image {
        /// The image.
        image: String,
        /// Why.
        detail: String,
    },
    /// The object is not there.
    #[error("there is no such object in the cluster")]
    NotFound,
    /// The API server refuses or can't be reached.
    #[error("the cluster did not answer as it should: {0}")]
    Unavailable(String),
}

/// How the engine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterHealth {
    /// The cluster's name for people.
    pub name: String,
    /// Whether it is the sandbox.
    pub sandbox: bool,
    /// Kubernetes' version, once known.
    pub version: Option<String>,
    /// Whether runs can start.
    pub ready: bool,
    /// What is missing, in plain words, with what to do. While it is ready: what runs go without.
    pub problems: Vec<String>,
    /// The other console that acts, where this one only stands by.
    #[serde(default)]
    pub acting: Option<String>,
}

/// How a part of the cluster stands, as the preflight found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreflightOutcome {
    /// As it should be.
    Good,
    /// Runs go without it; what that means is said.
    Note,
    /// It can't be told: a right is lacking, or the cluster does not answer.
    Unknown,
    /// Nothing runs before it is mended.
    Missing,
}

/// What the preflight found of one part of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreflightCheck {
    /// The part.
    pub subject: &'static str,
    /// How it stands.
    pub outcome: PreflightOutcome,
    /// What was found, as a sentence without its stop.
    pub words: String,
    /// The command that mends it, where there is one.
    pub mend: Option<String>,
}

/// Whose a token of the cluster is, as the cluster says (TokenReview).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterUser {
    /// `system:serviceaccount:NAMESPACE:NAME` for a service account.
    pub username: String,
    /// Their groups.
    pub groups: Vec<String>,
}

/// A right in the cluster that somebody is asked to have (SubjectAccessReview).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRight {
    /// What is done: `create`.
    pub verb: &'static str,
    /// To what, with its group: `workflowexecutions.workflowexecution.kubernaut.ai`.
    pub resource: &'static str,
    /// In which namespace; none for all of the cluster.
    pub namespace: Option<String>,
}

impl std::fmt::Display for ClusterRight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {} in namespace {namespace}", self.verb, self.resource),
            None => write!(f, "{} {} in the whole cluster", self.verb, self.resource),
        }
    }
}

/// Where images come from.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Pins an image to its digest. An image that has a whole one keeps it.
    async fn resolve(&self, image: &ImageRef) -> Result<ImageResolution, ClusterError>;
}

/// A WorkflowExecution that somebody applied by hand: it has no ticket yet and waits.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedWorkflow {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its `spec` as the cluster has it.
    pub spec: Value,
}

/// A RemediationWorkflow that somebody applied: a version of a playbook to be registered.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedPlaybook {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its `spec` as the cluster has it.
    pub spec: Value,
}

/// What came of a RemediationWorkflow.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaybookApplied {
    /// The catalog has this version with this content: since now, or since before.
    Registered(Box<PlaybookRecord>),
    /// It has this version with another content; a sentence that says what to do.
    Different(String),
    /// What is wrong with it, with pointers into the `spec`.
    Invalid(Vec<Fault>),
    /// It can't be told now, and nothing is wrong with it that is known: hand it in again.
    Later,
}

/// The door for what comes by way of the cluster. It asks for the same checks as any other door.
#[async_trait]
pub trait ClusterIntake: Send + Sync {
    /// Makes a recommendation of it (the same uid again gives the same one), or says what is wrong with it.
    async fn workflow_applied(
        &self,
        applied: AppliedWorkflow,
    ) -> Result<Result<RecommendationId, Vec<Fault>>, StoreError>;
    /// Registers it, unless the catalog has this version already. Handing it in again gives the same answer and changes nothing.
    async fn playbook_applied(&self, applied: AppliedPlaybook) -> PlaybookApplied;
}

/// The cluster.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Whether this console is the one that acts.
    fn acts(&self) -> bool {
        self.health().acting.is_none()
    }
    /// How the engine is, from what the watches know; no call to the API server.
    fn health(&self) -> ClusterHealth;
    /// The PipelineRun of that name as the cluster has it.
    async fn pipeline_run(&self, namespace: &str, name: &str) -> Result<Value, ClusterError>;
    /// The object that a remediation would act on, as it is now, with what budgets, scales and owns it. Answers within 400 ms,
    /// whatever the cluster does.
    async fn target(&self, resource: &ResourceRef) -> Reading;
    /// Whose this token is, if the cluster knows it and it was made for this audience.
    async fn whose_token(&self, token: &str, audience: &str) -> Result<Option<ClusterUser>, ClusterError>;
    /// Whether somebody has this right in the cluster.
    async fn may(&self, user: &ClusterUser, right: &ClusterRight) -> Result<bool, ClusterError>;
    /// Whether the cluster has all that runs need, part by part: some sixty calls, so only when somebody asks.
    async fn preflight(&self) -> Vec<PreflightCheck>;
    /// Whether anything is known to stand in the way of listing a workspace; makes nothing, some three calls.
    async fn may_list_workspace(&self, run: &Execution, workspace: &str) -> Result<(), NoListing>;
    /// What a run that has ended left in the volume of one of its workspaces: a pod of its own looks and is deleted again. Takes up to
    /// a minute.
    async fn list_workspace(&self, run: &Execution, workspace: &str) -> Result<WorkspaceListing, NoListing>;
    /// Wakes the dispatcher: there is a claimed execution, or a cancel was asked for.
    fn wake(&self);

    /// A recommendation is open no longer, whoever decided: an object in the cluster may wait for that.
    fn decided(&self, recommendation: &RecommendationId);
}
