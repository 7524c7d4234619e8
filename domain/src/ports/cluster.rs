//! The cluster, as the services need it. Everything about objects and watches stays in the controller.

use super::{PlaybookRecord, StoreError};
use crate::{
    assessment::judge::TargetHealth,
    execution::Execution,
    fault::Fault,
    ids::RecommendationId,
    playbook::{ImageRef, Version},
    recommendation::ResourceRef,
    signature::ImageSignature,
    target::state::Reading,
    time::Timestamp,
    workspace::{NoListing, WorkspaceListing},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

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
    async fn resolve(&self, image: &ImageRef) -> Result<ImageRef, ClusterError>;
    /// Who signed an image that is pinned. It takes ten seconds at most once it is its turn, and what could not be found out is not
    /// known. Says no time.
    async fn signature(&self, image: &ImageRef) -> ImageSignature;
    /// Names what counts as trusted: what was found out under other settings is not known under these. None where nobody looks at
    /// signatures.
    fn trust(&self) -> Option<&str>;
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
    /// The same, and the catalog has a newer one that is active.
    Superseded(Box<PlaybookRecord>, Version),
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
    /// A run is about to be let go: whatever has to be known of the cluster before it is read now. Takes no longer than the cluster
    /// is given to answer, and keeps no run from starting.
    async fn about_to_start(&self, run: &Execution) {
        // For whoever has nothing to read.
        let _ = run;
    }
    /// The RemediationWorkflow of that name is not there any more: a version that came by the cluster and that no other object has is
    /// disabled, and stays. Names of other objects of the playbook, whose status may have changed by that.
    async fn playbook_gone(&self, name: &str) -> Result<Vec<String>, StoreError>;
    /// Names of the RemediationWorkflows that have a version in the catalog: all, or those of the same playbook as this one.
    async fn playbooks_kept(&self, of: Option<&str>) -> Result<Vec<String>, StoreError>;
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
    /// What an object says at these places (JSON Pointers), none where it says nothing; why it can't be told, in words. Answers
    /// within 400 ms, and only of kinds that remediations act on: never of Secrets.
    async fn fields(&self, resource: &ResourceRef, pointers: &[String]) -> Result<Vec<Option<Value>>, String> {
        let _ = pointers;
        Err(format!("the {} can't be read here", resource.kind))
    }

    /// How the pods of a run's target stand since it ended: those of the newest template, not of older ones, and their restarts since then.
    async fn health_since(&self, _resource: &ResourceRef, _since: Timestamp) -> TargetHealth {
        TargetHealth::Unknown { why: "this cluster is not looked at".into() }
    }

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
    /// The contracts of the action registry by their keys: the ConfigMap [`crate::playbook::actions::CONFIG_MAP`]; none where there is
    /// none.
    async fn action_contracts(&self) -> Result<Option<BTreeMap<String, String>>, ClusterError>;
    /// Wakes the dispatcher: there is a claimed execution, or a cancel was asked for.
    fn wake(&self);

    /// A recommendation is open no longer, whoever decided: an object in the cluster may wait for that.
    fn decided(&self, recommendation: &RecommendationId);
}
