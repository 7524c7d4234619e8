//! The run ticket: the canonical content of exactly what would run. A decision binds to its digest, and nothing runs that
//! does not hash to it (`safety.md`, The run ticket).

use crate::{
    ids::{Digest, RecommendationId},
    json::{
        canonical,
        diff::{self, Change},
    },
    playbook::{ImageRef, OutputDeclaration, PlaybookId, PullPolicy, Version, values::EnvEntry},
    policy::PolicyTerms,
    time::Timestamp,
    workflow::Step,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name of the form of the content; part of the content, so that a new form can never hash like an old one.
pub const FORMAT: &str = "kubernaut.ai/run-ticket/v1";

/// What would run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Plan {
    /// A playbook with all its parameters, exposed and hidden.
    Playbook {
        /// The playbook.
        workflow_id: PlaybookId,
        /// Its version.
        version: Version,
        /// The image by digest.
        image: ImageRef,
        /// When the kubelet pulls.
        image_pull_policy: PullPolicy,
        /// All merged parameters in registration order, hidden ones last, each with where it comes from.
        parameters: Vec<EnvEntry>,
        /// What the container must report.
        outputs: Vec<OutputDeclaration>,
    },
    /// A list of steps.
    Steps {
        /// The seed's `workflowType`.
        workflow_type: String,
        /// The steps, images by digest.
        steps: Vec<Step>,
    },
}

impl Plan {
    /// The images that would run, each once, in their order.
    pub fn images(&self) -> Vec<ImageRef> {
        match self {
            Self::Playbook { image, .. } => vec![image.clone()],
            Self::Steps { steps, .. } => images_of(steps),
        }
    }
}

/// The images of these steps, each once, in their order.
pub fn images_of(steps: &[Step]) -> Vec<ImageRef> {
    let mut images: Vec<ImageRef> = Vec::new();
    for step in steps {
        if !images.contains(&step.image) {
            images.push(step.image.clone());
        }
    }
    images
}

/// A WorkflowExecution that waits in the cluster and is to be adopted instead of created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopts {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// Everything that decides what will run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketContent {
    /// Always [`FORMAT`].
    pub format: String,
    /// The recommendation.
    pub recommendation_id: RecommendationId,
    /// Its revision.
    pub revision: u32,
    /// Which strategy, counted from 0.
    pub strategy: u32,
    /// The incident.
    pub incident_id: String,
    /// What kind of thing it does: the label `remediation-strategy`.
    pub action_type: String,
    /// The reason that the WorkflowExecution gives.
    pub reason: String,
    /// The target cluster.
    pub cluster: String,
    /// The namespace of the run.
    pub namespace: String,
    /// An object already in the cluster, where there is one.
    pub adopts: Option<Adopts>,
    /// What would run.
    pub plan: Plan,
    /// Runs as.
    pub service_account: String,
    /// The Secret with the kubeconfig of the target; none when the pod's own account reaches it.
    pub kubeconfig_secret: Option<String>,
    /// Of the whole run, milliseconds.
    pub timeout_ms: u64,
    /// Of each task.
    pub retry_count: u32,
    /// What approves it.
    pub policy: PolicyTerms,
    /// When the approval runs out.
    pub expires_at: Timestamp,
    /// Carried into the PipelineRun's annotations.
    pub business_context: Map<String, Value>,
}

/// A ticket: content, its canonical text and its digest. Made only by [`Ticket::new`], so the three always agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    content: TicketContent,
    canonical: String,
    digest: Digest,
}

/// A stored text that is no ticket, or not the one its digest says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Not this form.
    #[error("the stored ticket cannot be read: {0}")]
    Unreadable(String),
    /// The text does not hash to the digest.
    #[error("the stored ticket hashes to {actual}, not to {expected}; nothing runs")]
    Tampered {
        /// The digest it was stored under.
        expected: Digest,
        /// What the content hashes to.
        actual: Digest,
    },
}

impl Ticket {
    /// The ticket of this content.
    pub fn new(content: TicketContent) -> Self {
        // Serialising plain data into a Value cannot fail; Null would only make a digest that matches nothing.
        let value = serde_json::to_value(&content).unwrap_or(Value::Null);
        let canonical = canonical::to_string(&value);
        let digest = Digest::from_bytes(canonical::digest(&value));
        // The canonical text rules: a number sent as `1.0` is hashed as `1`, so it is shown and run as `1`, too.
        let content = serde_json::from_str(&canonical).unwrap_or(content);
        Self { content, canonical, digest }
    }

    /// Reads a stored canonical text and recomputes its digest.
    pub fn verify(canonical: &str, expected: &Digest) -> Result<Self, TicketError> {
        let content: TicketContent =
            serde_json::from_str(canonical).map_err(|e| TicketError::Unreadable(e.to_string()))?;
        let ticket = Self::new(content);
        if ticket.digest == *expected && ticket.canonical == canonical {
            Ok(ticket)
        } else {
            Err(TicketError::Tampered { expected: expected.clone(), actual: ticket.digest })
        }
    }

    /// The content.
    pub fn content(&self) -> &TicketContent {
        &self.content
    }

    /// RFC 8785 text of the content.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// SHA-256 of the canonical text.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Name of the WorkflowExecution and of the PipelineRun: readable, unique by ten digits of the digest, at most 63
    /// characters, and never generated by the server. An adopted object keeps its name.
    pub fn name(&self) -> String {
        if let Some(adopts) = &self.content.adopts {
            return adopts.name.clone();
        }
        let what = match &self.content.plan {
            Plan::Playbook { workflow_id, .. } => workflow_id.as_str(),
            Plan::Steps { workflow_type, .. } => workflow_type,
        };
        let incident = dns_label(&self.content.incident_id, 16);
        let what = dns_label(what, 23);
        let parts = ["remediation", &incident, &what, &self.digest.hex()[..10]];
        parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join("-")
    }

    /// What differs between this ticket and another, as shown when a digest is no longer current.
    pub fn differences(&self, other: &Self) -> Vec<Change> {
        let value = |t: &Self| serde_json::to_value(&t.content).unwrap_or(Value::Null);
        diff::diff(&value(self), &value(other))
    }
}

/// `text` as part of a DNS label: lower case, digits and inner hyphens, at most `max` characters.
pub fn dns_label(text: &str, max: usize) -> String {
    let mapped: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(max).collect();
    mapped.trim_matches('-').to_owned()
}
