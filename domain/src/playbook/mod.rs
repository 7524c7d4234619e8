//! Playbooks: what a registration says, whether it is consistent, what a model is shown of it, and whether given values fit.
//!
//! The wire form is `api.md` ("A registration is…") and the parameter seed (DD-WORKFLOW-003). Knows nothing of the catalog's
//! lifecycle, of storage, or of how values reach a container.

pub mod actions;
pub mod applied;
mod compare;
mod consistency;
mod dependency;
mod draft;
pub mod example;
mod image;
pub mod import;
mod intake;
#[cfg(feature = "judge")]
mod judge;
mod names;
mod parameter;
mod parameter_intake;
mod scalar;
pub mod schema;
mod settings;
mod typed;
pub mod values;

use serde::{Deserialize, Serialize};

use crate::json::diff::{self, Change};
use crate::recommendation::Risk;

pub use compare::{Alteration, Comparison, Reach, proposed, says_enough};
pub use draft::draft;
pub use image::ImageRef;
pub use names::{OutputName, ParameterName, PlaybookId, SecretKey, SecretName, ServiceAccountName, Version};
pub use parameter::{HiddenParameter, HiddenSource, Parameter, ParameterType, Parameters};
pub use settings::{Capture, ExecutionSettings, Labels, OutputDeclaration, PullPolicy, Timeout};

/// How many parameters a playbook has at most, exposed and hidden together (safety rules).
pub const MOST_PARAMETERS: usize = 64;

/// Everything that an author says about one version of a playbook. Never changes once it is in the catalog.
///
/// [`Registration::parse`] is the only way in for what somebody sent. `Deserialize` reads back what was stored: it checks
/// names, versions and images, but not the rules across fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registration {
    /// The playbook.
    #[serde(rename = "workflow_id")]
    pub id: PlaybookId,
    /// This version of it.
    pub version: Version,
    /// A line for lists.
    pub title: String,
    /// When to use it: what a model chooses by.
    pub description: String,
    /// The image that does the work; a ticket pins it by digest.
    #[serde(rename = "container_image")]
    pub image: ImageRef,
    /// When the kubelet pulls the image.
    #[serde(default)]
    pub image_pull_policy: PullPolicy,
    /// What the container is told.
    #[serde(default)]
    pub parameters: Parameters,
    /// What may go wrong when it runs, as its author says. Approval policies go by it where a model says less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// What the playbook is for.
    #[serde(default)]
    pub labels: Labels,
    /// What happens inside, for people; a model never sees it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub internal_steps: Vec<String>,
    /// The same under the seeds' other name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remediation_steps: Vec<String>,
    /// How it runs.
    #[serde(default)]
    pub execution: ExecutionSettings,
    /// What the container must report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputDeclaration>,
}

impl Registration {
    /// The exposed parameter of that name.
    pub fn exposed(&self, name: &str) -> Option<&Parameter> {
        self.parameters.exposed.iter().find(|parameter| parameter.name.as_str() == name)
    }

    /// The hidden parameter of that name.
    pub fn hidden(&self, name: &str) -> Option<&HiddenParameter> {
        self.parameters.hidden.iter().find(|parameter| parameter.name.as_str() == name)
    }

    /// A text as the value of that exposed parameter's type; as the text that it is where it is none of it.
    pub fn typed(&self, name: &str, text: &str) -> serde_json::Value {
        match self.exposed(name).map(|parameter| parameter.kind) {
            Some(ParameterType::Integer | ParameterType::Number | ParameterType::Boolean) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.into())
            }
            _ => text.into(),
        }
    }

    /// What a model may see: no hidden parameters, no steps, and nothing of how it runs.
    #[must_use]
    pub fn for_model(&self) -> Self {
        Self {
            parameters: Parameters { exposed: self.parameters.exposed.clone(), hidden: Vec::new() },
            internal_steps: Vec::new(),
            remediation_steps: Vec::new(),
            execution: ExecutionSettings::default(),
            ..self.clone()
        }
    }
}

/// What differs between two registrations, in the canonical wire form.
pub fn compare(old: &Registration, new: &Registration) -> Vec<Change> {
    let wire = |registration| serde_json::to_value(registration).unwrap_or_default();
    diff::diff(&wire(old), &wire(new))
}
