//! Whether runs helped: what is kept of it, and where signals are asked.

use super::StoreError;
use crate::{
    assessment::{AssessmentRecord, Overrule, SignalRef, SignalState, judge::Judged, pattern::Past},
    audit::AuditEntry,
    effectiveness::{EffectivenessFilter, calibration::BinCounts},
    execution::Execution,
    ids::ExecutionId,
    time::Timestamp,
};
use async_trait::async_trait;

/// A run whose signal cleared and may come back.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// The run, without its tasks.
    pub run: Execution,
    /// What was found.
    pub record: AssessmentRecord,
    /// How many spans of [`crate::assessment::recurrence`] are counted.
    pub counted: u32,
}

/// What one look at a watched run found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchedAgain {
    /// When the signal came back; none where it has not.
    pub recurred_at: Option<Timestamp>,
}

/// Of one model, counts by bin.
pub type CalibrationCounts = Vec<(String, Vec<(i64, BinCounts)>)>;

/// Assessments.
#[async_trait]
pub trait AssessmentStore: Send + Sync {
    /// Runs in this cluster that ended at least `settle_ms` ago by the database's clock and at which nobody has looked, oldest end first,
    /// without tasks. Runs that never started are not among them.
    async fn unassessed(&self, cluster: &str, settle_ms: i64, limit: u32) -> Result<Vec<Execution>, StoreError>;
    /// Names of other runs that were let go and whose time on the same objects falls between `from` and now; of a next strategy without the
    /// rollback that it followed.
    async fn beside(&self, run: &ExecutionId, from: Timestamp) -> Result<Vec<String>, StoreError>;
    /// Keeps what was found, with the rollups and a live event; `false`, and nothing is written, where somebody has looked already.
    async fn assess(&self, run: &ExecutionId, judged: &Judged) -> Result<bool, StoreError>;
    /// Runs in this cluster whose signal may come back: the next one to be counted first.
    async fn watched(&self, cluster: &str, limit: u32) -> Result<Vec<Watched>, StoreError>;
    /// Keeps what a look at a watched run found, and counts the spans that are over by the database's clock.
    async fn watched_again(&self, run: &ExecutionId, found: WatchedAgain) -> Result<(), StoreError>;
    /// What is kept of a run's assessment.
    async fn assessment(&self, run: &ExecutionId) -> Result<Option<AssessmentRecord>, StoreError>;
    /// Puts a person's word in place of the verdict, with the rollups, a live event and the audit row. The time is the database's. None
    /// where there is no such run, or it has not ended.
    async fn overrule(
        &self,
        run: &ExecutionId,
        word: Overrule,
        audit: AuditEntry,
    ) -> Result<Option<AssessmentRecord>, StoreError>;
    /// The newest of the runs that were approved at or after that time and have ended, for patterns; without tasks, and without those
    /// that undo others.
    async fn past(&self, since: Timestamp, limit: u32) -> Result<Vec<Past>, StoreError>;
    /// What models said against what came of it, by model.
    async fn calibration(&self, filter: &EffectivenessFilter) -> Result<CalibrationCounts, StoreError>;
}

/// Where signals are asked. A source that can't tell says so: a silence is no all-clear.
#[async_trait]
pub trait Signals: Send + Sync {
    /// How this signal stands now.
    async fn firing(&self, signal: &SignalRef) -> SignalState;
    /// What is remembered between looks is read anew; called before each round of them.
    async fn refresh(&self) {}
}
