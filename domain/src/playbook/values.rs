//! Values for a playbook's parameters: judged against the registration, and merged with what the registration sets.
//! Knows nothing of who decides or of how the values reach a container.

#[cfg(feature = "judge")]
mod verdict;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Registration;
use super::names::{ParameterName, SecretKey, SecretName};
use super::parameter::{HiddenParameter, HiddenSource};
use crate::fault::{Complaint, Fault, code};
use crate::json::pointer::join;
use crate::text;

#[cfg(feature = "judge")]
pub use verdict::validate;

/// An exposed parameter with its value, as [`validate`] answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The parameter.
    pub name: ParameterName,
    /// Its value as the container gets it.
    pub value: String,
    /// Where the value comes from.
    pub source: BoundSource,
}

/// Where the value of an exposed parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundSource {
    /// It was given.
    Given,
    /// It was left out, and the registration has a default.
    Default,
}

/// One environment variable of a run, exposed or hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvEntry {
    /// The variable.
    pub name: ParameterName,
    /// What it holds.
    pub value: EnvValue,
    /// Who set it.
    pub source: EnvSource,
}

impl EnvEntry {
    /// What a hidden parameter sets.
    pub fn of_hidden(hidden: &HiddenParameter) -> Self {
        let value = match &hidden.source {
            HiddenSource::Value(text) => EnvValue::Text(text.clone()),
            HiddenSource::SecretRef { name, key } => EnvValue::Secret { name: name.clone(), key: key.clone() },
        };
        Self { name: hidden.name.clone(), value, source: EnvSource::Registration }
    }
}

/// What a variable holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnvValue {
    /// This text.
    Text(String),
    /// A key of a Secret; its value is never read here.
    Secret {
        /// The Secret.
        name: SecretName,
        /// The key in it.
        key: SecretKey,
    },
}

/// Who set a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnvSource {
    /// The model's answer.
    Model,
    /// Whoever proposed it where no model was asked: a person, or an object applied to the cluster.
    Proposal,
    /// A person who edited the parameters.
    Operator,
    /// The default of an exposed parameter.
    Default,
    /// A hidden parameter.
    Registration,
}

/// Everything the container gets: the exposed values in registration order, then the hidden ones.
///
/// `edited` are the parameters whose given value is an operator's. What registration promised is checked again (safety
/// rules: disjoint "at registration **and** at run time"), as the registration may have been read from storage.
///
/// # Errors
/// The first broken promise; its pointer is relative to the parameters object.
pub fn merge(
    registration: &Registration,
    bound: &[Bound],
    edited: &BTreeSet<ParameterName>,
) -> Result<Vec<EnvEntry>, Fault> {
    let mut seen = BTreeSet::new();
    let mut entries = Vec::with_capacity(bound.len() + registration.parameters.hidden.len());
    for Bound { name, value, source } in bound {
        let at = |complaint: Complaint| complaint.at(join("", name.as_str()));
        if registration.exposed(name.as_str()).is_none() {
            let message = format!("leave {name} out: this playbook exposes no such parameter");
            return Err(at(Complaint::new("undeclared_parameter", message)));
        }
        if !seen.insert(name) {
            return Err(at(Complaint::new(code::DUPLICATE, format!("give {name} once"))));
        }
        text::check_value(value).map_err(at)?;
        let source = match source {
            BoundSource::Default => EnvSource::Default,
            BoundSource::Given if edited.contains(name) => EnvSource::Operator,
            BoundSource::Given => EnvSource::Model,
        };
        entries.push(EnvEntry { name: name.clone(), value: EnvValue::Text(value.clone()), source });
    }
    for hidden in &registration.parameters.hidden {
        let name = &hidden.name;
        let at = |complaint: Complaint| complaint.at(join("", name.as_str()));
        if registration.exposed(name.as_str()).is_some() || !seen.insert(name) {
            let message = format!("register the playbook anew: {name} is set twice, so nothing runs");
            return Err(at(Complaint::new("parameter_conflict", message)));
        }
        if let HiddenSource::Value(text) = &hidden.source {
            text::check_value(text).map_err(at)?;
        }
        entries.push(EnvEntry::of_hidden(hidden));
    }
    Ok(entries)
}
