//! What is made of runs that went wrong, and what is kept before a run to undo it with.

use super::{NewRecommendation, StoreError};
use crate::{
    audit::AuditEntry,
    ids::{ExecutionId, RecommendationId},
    recommendation::Recommendation,
    recovery::{Made, Way},
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The console's own look at a run, which each run gets once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The run.
    pub execution: ExecutionId,
    /// The run that its line began with; itself where it was made of no other.
    pub root: ExecutionId,
    /// What was made; none where nothing was.
    pub made: Option<(Way, RecommendationId)>,
    /// What came of it, for people; empty where the policy asks for nothing.
    pub said: String,
}

/// What came of beginning something of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// It is there.
    Made(Box<Recommendation>),
    /// Something else was made of the run, which stands in the way; nothing was written.
    InTheWay(Made),
    /// The console had looked at this run before, or made the like in its line; nothing was written.
    Looked,
}

/// What the object that a run acts on said before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// Values by the parameter that sets them back.
    pub values: Map<String, Value>,
    /// Why there are none, or not all, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What is made of runs.
#[async_trait]
pub trait RecoveryStore: Send + Sync {
    /// Stores a recommendation whose origin is a run, with audit row and events, unless something stands in the way
    /// (`recovery::in_the_way`), all under one lock: of twenty at once one is made. With a `look` it is the console's own: that is
    /// written in the same transaction.
    async fn begin(&self, new: NewRecommendation, look: Option<Look>, audit: AuditEntry) -> Result<Begun, StoreError>;
    /// What was made of a run, newest first.
    async fn made_of(&self, run: &ExecutionId) -> Result<Vec<Made>, StoreError>;
    /// The console's look at a run, if it had one.
    async fn look_at(&self, run: &ExecutionId) -> Result<Option<Look>, StoreError>;
    /// Writes down that nothing was made of a run; `false` when it was looked at before.
    async fn leave(&self, look: Look) -> Result<bool, StoreError>;
    /// Runs of a cluster that ended at or after `since` in a way that something may be made of, and that were not looked at; the
    /// oldest first.
    async fn to_look_at(&self, cluster: &str, since: Timestamp, many: u32) -> Result<Vec<ExecutionId>, StoreError>;
    /// Keeps what was captured before a run; the first word stands.
    async fn keep_capture(&self, run: &ExecutionId, captured: &Captured) -> Result<(), StoreError>;
    /// What was captured before a run.
    async fn captured(&self, run: &ExecutionId) -> Result<Option<Captured>, StoreError>;
}
