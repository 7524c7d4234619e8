//! A target as the cluster shows it: the few facts that somebody who decides wants to see. It knows no wire form; the controller
//! reads objects into it.

use crate::{recommendation::ResourceRef, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What came of looking at a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reading {
    /// It is there.
    Found(Box<TargetState>),
    /// The API server says that there is no such object.
    Missing {
        /// When it said so.
        read_at: Timestamp,
    },
    /// The console may not look at it.
    NotAllowed {
        /// What to apply so that it may.
        advice: String,
    },
    /// Nothing came in time: the page does not wait.
    Late,
    /// The cluster can't be asked, or answered something else.
    Unavailable {
        /// Its words.
        detail: String,
    },
    /// A kind that the console does not read, or a name that no object can have.
    Unknown,
}

/// Something read beside the target, which may be kept from the console by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beside<T> {
    /// What is there; it may be empty.
    Read(Vec<T>),
    /// The console may not look.
    NotAllowed,
    /// Nobody could tell just now.
    Unknown,
}

impl<T> Beside<T> {
    /// What is there, as far as it is known.
    pub fn known(&self) -> &[T] {
        match self {
            Self::Read(found) => found,
            Self::NotAllowed | Self::Unknown => &[],
        }
    }
}

/// The pods of a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pods {
    /// Wanted by the spec.
    pub wanted: i64,
    /// Ready.
    pub ready: i64,
    /// Of the newest template.
    pub updated: i64,
}

/// A container of its template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// What it asks for, by resource.
    #[serde(default)]
    pub requests: BTreeMap<String, String>,
    /// What it may use, by resource.
    #[serde(default)]
    pub limits: BTreeMap<String, String>,
}

/// A condition that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Its type, such as `Available`.
    pub kind: String,
    /// The cluster's sentence, or its word.
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A PodDisruptionBudget that selects its pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Its name.
    pub name: String,
    /// `minAvailable 2`, `maxUnavailable 25%`.
    pub rule: String,
    /// Pods that must stay, where the rule is a number of them.
    pub least: Option<i64>,
    /// Pods that may be taken away now; none where the cluster has not counted.
    pub allowed: Option<i64>,
}

/// A HorizontalPodAutoscaler that scales it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autoscaler {
    /// Its name.
    pub name: String,
    /// Replicas at least.
    pub least: i64,
    /// Replicas at most.
    pub most: i64,
    /// Replicas that it wants now.
    pub wanted: Option<i64>,
}

/// A tool that keeps the object as it is written elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    /// `Argo CD`, `Helm`, `Flux`.
    pub tool: String,
    /// Its application, release or kustomization.
    pub name: Option<String>,
    /// Whether it puts back what others change, by itself.
    pub reverts: bool,
}

/// A target that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetState {
    /// The object.
    pub resource: ResourceRef,
    /// Its uid: another object under the same name has another one.
    pub uid: String,
    /// Grows with its spec, where the kind counts.
    pub generation: Option<i64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When its spec was last changed, where the API server keeps that.
    pub spec_changed_at: Option<Timestamp>,
    /// By what, such as `kubectl-edit`.
    pub spec_changed_by: Option<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its pods, for kinds that have some.
    pub pods: Option<Pods>,
    /// Containers of its template (or its own).
    pub containers: Vec<Container>,
    /// Further facts worth a line: a node's schedulability and memory, a pod's phase.
    pub facts: BTreeMap<String, String>,
    /// What is not as it should be.
    pub complaints: Vec<Complaint>,
    /// Who owns it, nearest first.
    pub owners: Vec<ResourceRef>,
    /// The tool that manages it (or its owner).
    pub manager: Option<Manager>,
    /// Budgets on its pods.
    pub budgets: Beside<Budget>,
    /// What scales it.
    pub autoscalers: Beside<Autoscaler>,
    /// When it was read.
    pub read_at: Timestamp,
}

impl TargetState {
    /// Whether the kind runs pods of a template.
    pub fn has_template(&self) -> bool {
        self.resource.kind != "Pod" && !self.containers.is_empty()
    }
}
