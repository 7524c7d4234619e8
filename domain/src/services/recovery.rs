//! What comes after a run that went wrong, as doors ask for it.

use super::Answer;
use crate::{
    identity::Caller,
    ids::ExecutionId,
    recommendation::Recommendation,
    recovery::{Made, Way},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Undoing and repeating runs.
#[async_trait]
pub trait RecoveryService: Send + Sync {
    /// Makes a recommendation that undoes a run, with its own ticket and all the same checks; needs `runs:control`. A conflict says
    /// why it can't be undone.
    async fn rollback(&self, caller: &Caller, id: &ExecutionId, reason: Option<String>) -> Answer<Recommendation>;
    /// Makes a recommendation that repeats what of a run is left; needs `runs:control`. A conflict says why it can't be repeated.
    async fn retry(&self, caller: &Caller, id: &ExecutionId, reason: Option<String>) -> Answer<Recommendation>;
    /// What came after a run, and what may; needs `runs:read`. Has no effect.
    async fn aftermath(&self, caller: &Caller, id: &ExecutionId) -> Answer<Aftermath>;
    /// What was made of a run, newest first; needs `runs:read`.
    async fn made_of(&self, caller: &Caller, id: &ExecutionId) -> Answer<Vec<Made>>;
}

/// What came after a run, and what may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Aftermath {
    /// What the run itself was made of.
    pub of: Option<OfRun>,
    /// What was made of it, newest first.
    pub made: Vec<Made>,
    /// What the console said of recovering from it by itself, where the policy asks for that.
    pub by_itself: Option<String>,
    /// With which values it would be undone, in words; none where it can't be.
    pub undo: Option<String>,
    /// Why it can't be undone; none where it can.
    pub no_rollback: Option<String>,
    /// Why it can't be repeated; none where it can.
    pub no_retry: Option<String>,
}

/// The run that another was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfRun {
    /// To what end.
    pub way: Way,
    /// Whether the console made it by itself.
    pub automatic: bool,
    /// Which run.
    pub execution_id: ExecutionId,
    /// Its name, while it is kept.
    pub name: Option<String>,
}
