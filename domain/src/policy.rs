//! How many people must agree. One default policy for now; versioned policies take this module's place in the ticket later.

use crate::recommendation::Risk;
use serde::{Deserialize, Serialize};

/// The policy that a ticket was made under, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyTerms {
    /// Which policy.
    pub id: String,
    /// Which version of it.
    pub version: u32,
    /// How many distinct people must approve.
    pub approvals: u32,
}

impl PolicyTerms {
    /// The default policy: one approval, two for high risk, never automatically (`safety.md`, Who may do what).
    pub fn default_for(risk: Risk) -> Self {
        Self { id: "default".into(), version: 1, approvals: if risk == Risk::High { 2 } else { 1 } }
    }
}
