//! Termination messages: how Tekton's entry point, in the container, tells Tekton's controller what a step reported.

use serde::{Deserialize, Serialize};

/// An entry of a termination message, as Tekton's entry point writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) key: String,
    pub(crate) value: String,
    #[serde(rename = "type")]
    kind: u8,
}

impl Note {
    pub(crate) fn result(key: &str, value: &str) -> Self {
        Self { key: key.into(), value: value.into(), kind: 1 }
    }

    /// What Tekton tells itself.
    pub(crate) fn internal(key: &str, value: &str) -> Self {
        Self { key: key.into(), value: value.into(), kind: 3 }
    }

    pub(crate) fn message(notes: &[Self]) -> String {
        serde_json::to_string(notes).unwrap_or_default()
    }
}
