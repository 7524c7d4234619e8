//! The ports: what the rules need from the world, one small trait per area. The store and the controller implement them
//! and never see each other; `server` wires them.

mod accounts;
mod assessments;
mod catalog;
mod cluster;
mod executions;
mod findings;
mod investigations;
mod logs;
mod meaning;
mod notifications;
mod policies;
mod provider;
mod recommendations;
mod records;
mod recoveries;
mod sessions;
mod signals;
mod signatures;
mod tries;

pub use accounts::{AccountChange, AccountStore, NewToken, PasswordHash, TokenRecord, UserRecord};
pub use assessments::{AssessmentStore, CalibrationCounts, Signals, Watched, WatchedAgain};
pub use catalog::{
    CatalogFilter, CatalogObject, CatalogStore, Facet, FacetValue, Known, NewPlaybook, PlaybookRecord, PlaybookStatus,
    Registered, StatusChange, StatusChanged,
};
pub use cluster::{
    AppliedPlaybook, AppliedWorkflow, Cluster, ClusterError, ClusterHealth, ClusterIntake, ClusterRight, ClusterUser,
    PlaybookApplied, PreflightCheck, PreflightOutcome, Registry,
};
pub use executions::{ActionFilter, ExecutionFilter, ExecutionStore, NewExecution, Permit};
pub use findings::{FindingFilter, FindingStore, Triage};
pub use investigations::{
    Asked, BegunInvestigation, Claim, Ended, InvestigationCounts, InvestigationStore, Limits as InvestigationLimits,
    NewInvestigation, NewStep, SILENT_MS,
};
pub use logs::{LogOf, LogReader, LogSlice};
pub use meaning::{Meanings, NoMeaning, NoModel, VectorStore, VersionKey};
pub use notifications::{
    CLAIM_MS, Moved, NotificationFilter, NotificationRecord, NotificationState, NotificationStore, Standing,
};
pub use policies::{Activated, Activation, NewPolicy, PolicyOrigin, PolicyRecord, PolicyState, PolicyStore};
pub use provider::{Arrival, BegunSignIn, BlockedGroup, ProviderStore, RolesBy, SIGN_IN_MS};
pub use recommendations::{
    DecideError, Decided, DecidedRecommendation, Judged, NewDecision, NewRecommendation, RecommendationFilter,
    RecommendationStore, StoredTicket,
};
pub use records::{
    AuditKeys, AuditKeysError, AuditStore, EffectivenessStore, EventStore, Grouped, IdempotencyStore, Remembered,
    VersionDay,
};
pub use recoveries::{Begun, Captured, Look, RecoveryStore};
pub use sessions::{
    CameFrom, Ending, LiveSession, NewSession, OldCookie, Reauthentication, SessionLimits, SessionRecord, SessionStore,
};
pub use signals::{IncidentFilter, NewWord, SignalIntake, SignalStore, Taken};
pub use signatures::SignatureStore;
pub use tries::{Allowance, DEVICE_MS, TryStore};

/// A fault of the store itself, not of what was asked. The detail is for the log, never for the caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or refuses; nothing was written.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database went away while it was asked to keep a change: whether it is kept is not known.
    #[error("the database went away before it said whether the change is kept: {0}")]
    Unsure(String),
    /// A stored row can't be read.
    #[error("a stored {what} can't be read: {detail}")]
    Corrupt {
        /// What kind of row.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A cursor that this list did not hand out.
    #[error("this cursor is not from this list; leave it out to begin at the start")]
    BadCursor,
    /// Anything else that the driver says.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// The clock, handed in; only the edge reads the real one.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> crate::time::Timestamp;
}

/// Fresh ids, handed in; only the edge makes real ones.
pub trait Ids: Send + Sync {
    /// A new UUIDv7.
    fn fresh(&self) -> String;
}
