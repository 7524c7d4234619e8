//! What the doors may ask for: the authorised service layer as pages and programs see it. `server` implements it over the
//! [`crate::ports`]; every method demands the [`Caller`] and checks the right itself, so no door can forget to.

mod accounts;
mod earlier;
mod findings;
mod incidents;
mod notifications;
mod policies;
mod recovery;
mod shell;
mod views;

pub use accounts::{AccountService, GroupView, MadeToken, SessionView, TokenOwner, TokenRequest, TokenView};
pub use earlier::EarlierRun;
pub use findings::{Filled, FindingService};
pub use incidents::{IncidentService, IncidentView, InvestigationView, SignalsTaken};
pub use notifications::{NotificationService, ReceiverView};
pub use policies::{ActivationAnswer, LOOK_BACK_DAYS, PolicyService};
pub use recovery::{Aftermath, OfRun, RecoveryService};
pub use shell::{HealthView, MoreFound, SearchView, ShellService};
pub use views::*;

use crate::{
    assessment::{AssessmentRecord, pattern::Pattern},
    audit::{AuditFilter, AuditRecord, Chained, Head, Mac},
    decision::{Decision, Verb},
    effectiveness::{
        EffectivenessFilter, EffectivenessRow, GroupBy, calibration::Calibration, versions::VersionsCompared,
    },
    execution::{ActionRecord, Assessment, Execution, ExecutionLine, LogLine},
    fault::Fault,
    identity::{Caller, Denied},
    ids::{Digest, ExecutionId, RecommendationId},
    json::diff::Change,
    log::{
        LogState,
        window::{LogAsk, LogView},
    },
    paging::{Page, PageOf},
    playbook::{PlaybookId, Registration, Version, actions::ActionRegistry},
    ports::{
        ActionFilter, CatalogFilter, ExecutionFilter, Facet, Known, PlaybookRecord, RecommendationFilter, StatusChange,
    },
    recommendation::Recommendation,
    ticket::Plan,
    workspace::WorkspaceListing,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Why a service did not do it. One place turns it into a status code, one into a page.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Too little right.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Allowed in general, but not for this caller and this object: own proposal, separation of duties.
    #[error("{0}")]
    Forbidden(String),
    /// The caller's sign-in is too long ago for this; nothing was done.
    #[error("{0}")]
    SignInAgain(String),
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// What was sent breaks rules; nothing was stored.
    #[error("what was sent breaks {} rule(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// It clashes with what is there.
    #[error("{detail}")]
    Conflict {
        /// A stable word: `stale_ticket`, `decided`, `expired`, `different_content`, …
        code: &'static str,
        /// What happened and what to do.
        detail: String,
        /// What differs, where that is the point.
        differences: Vec<Change>,
    },
    /// It has moved on from the state that the caller knows; nothing was done.
    #[error("this has changed since you read it; read it again")]
    Moved {
        /// The tag of its state now.
        tag: String,
    },
    /// A neighbour (database, cluster) is not there; nothing was done.
    #[error("{0}")]
    Unavailable(String),
    /// The database went away in the moment of keeping it: it may have been done or not.
    #[error("the database went away before it said whether this was done; look whether it was, before you do it again")]
    Unsure,
    /// Our fault. The detail is for the log.
    #[error("something went wrong on our side")]
    Internal(String),
}

/// The short form that every service method returns.
pub type Answer<T> = Result<T, ServiceError>;

/// Playbooks.
#[async_trait]
pub trait CatalogService: Send + Sync {
    /// Registers; needs `catalog:write`. `true` when it is new.
    async fn register(&self, caller: &Caller, registration: &Value) -> Answer<(PlaybookRecord, bool)>;
    /// The same checks, nothing stored; needs `catalog:write`.
    async fn validate(&self, caller: &Caller, registration: &Value) -> Answer<RegistrationPreview>;
    /// The same checks without an end at the first kind of fault, and what would become of the document: for a form that is
    /// being filled. `base` is the version that it starts from; without one it is compared with the newest of its id.
    /// Needs `catalog:write`.
    async fn review(&self, caller: &Caller, document: &Value, base: Option<(PlaybookId, Version)>) -> Answer<Review>;
    /// A page of the catalog: by id, the more exact labels first; the best first where something is asked in words. Needs
    /// `catalog:search`. Without `catalog:read` hidden parameters and steps are left out, without `runs:read` what was measured, unless
    /// the console is set to tell it to models.
    async fn find(&self, caller: &Caller, filter: &CatalogFilter, page: &Page) -> Answer<Found>;
    /// The same without what meaning had to do with it.
    async fn search(&self, caller: &Caller, filter: &CatalogFilter, page: &Page) -> Answer<PageOf<CatalogItem>> {
        Ok(self.find(caller, filter, page).await?.page)
    }
    /// What the catalog can be narrowed down by, with how many playbooks each value would leave; needs `catalog:search`.
    async fn facets(&self, caller: &Caller, filter: &CatalogFilter) -> Answer<Vec<Facet>>;
    /// The action registry; none where there is none. Needs `catalog:read`.
    async fn actions(&self, caller: &Caller) -> Answer<Option<ActionRegistry>>;
    /// A playbook: newest version, all versions, track record; needs `catalog:read`.
    async fn playbook(&self, caller: &Caller, id: &PlaybookId) -> Answer<PlaybookView>;
    /// A page of a playbook's versions, newest first; needs `catalog:read`.
    async fn versions(&self, caller: &Caller, id: &PlaybookId, page: &Page) -> Answer<PageOf<PlaybookRecord>>;
    /// The newest active version, or the newest of all where none is active; needs `catalog:search`, projected as in
    /// `search`.
    async fn newest(&self, caller: &Caller, id: &PlaybookId) -> Answer<PlaybookRecord>;
    /// One version; needs `catalog:search`, projected as in `search`.
    async fn version(&self, caller: &Caller, id: &PlaybookId, version: &Version) -> Answer<PlaybookRecord>;
    /// JSON Schema 2020-12 of the exposed parameters; needs `catalog:search`.
    async fn schema(&self, caller: &Caller, id: &PlaybookId, version: &Version) -> Answer<Value>;
    /// Sets the status; needs `catalog:write`.
    async fn set_status(
        &self,
        caller: &Caller,
        id: &PlaybookId,
        version: &Version,
        change: StatusChange,
    ) -> Answer<PlaybookRecord>;
}

/// What a person or program decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRequest {
    /// Yes or no.
    pub decision: Verb,
    /// Which strategy, counted from 0.
    pub strategy: u32,
    /// The ticket that was read; an approval must have it.
    pub ticket_digest: Option<Digest>,
    /// Why. A rejection must say it.
    pub reason: Option<String>,
    /// What a person typed to confirm an approval of high risk.
    pub confirm: Option<String>,
    /// From which states of the recommendation, as whoever decides has read it.
    #[serde(skip)]
    pub known: Known,
}

/// What a decision came to (`api.md`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionAnswer {
    /// The decision.
    pub decision: Decision,
    /// Approvals for this ticket now.
    pub have: u32,
    /// Approvals needed.
    pub need: u32,
    /// The execution, once the last approval was given.
    pub execution_id: Option<ExecutionId>,
}

/// Recommendations, tickets, decisions.
#[async_trait]
pub trait ApprovalService: Send + Sync {
    /// Takes in a model's answer; needs `recommendations:propose`.
    async fn submit(&self, caller: &Caller, body: &Value) -> Answer<Recommendation>;
    /// Takes in a step list by hand; needs `recommendations:decide` (an operator's right).
    async fn propose_steps(&self, caller: &Caller, body: &Value) -> Answer<Recommendation>;
    /// A page of recommendations; needs `recommendations:read`.
    async fn list(&self, caller: &Caller, filter: &RecommendationFilter, page: &Page)
    -> Answer<PageOf<Recommendation>>;
    /// The same page with what a line of the inbox says about each; needs `recommendations:read`.
    async fn inbox(&self, caller: &Caller, filter: &RecommendationFilter, page: &Page) -> Answer<PageOf<InboxItem>>;
    /// One recommendation with its decisions; needs `recommendations:read`.
    async fn get(&self, caller: &Caller, id: &RecommendationId) -> Answer<(Recommendation, Vec<Decision>)>;
    /// All that the recommendation page shows. `strategy` picks one, `ticket` a stored ticket with edits; needs
    /// `recommendations:read`. Has no effect.
    async fn view(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: Option<u32>,
        ticket: Option<Digest>,
    ) -> Answer<RecommendationView>;
    /// Several at once, each with its own ticket and target, in the order asked for; needs `recommendations:decide`. Has no
    /// effect.
    async fn review(&self, caller: &Caller, ids: &[RecommendationId]) -> Answer<Vec<ReviewItem>>;
    /// Makes a ticket, with the operator's parameters in place of the model's where given; needs `recommendations:decide`.
    async fn ticket(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: u32,
        parameters: Option<Map<String, Value>>,
    ) -> Answer<TicketView>;
    /// The ticket that [`Self::ticket`] would make, without making it; needs `recommendations:decide`. Has no effect.
    async fn preview(
        &self,
        caller: &Caller,
        id: &RecommendationId,
        strategy: u32,
        parameters: Map<String, Value>,
    ) -> Answer<TicketView>;
    /// What a strategy would act on, as the cluster has it now: by `plan` where a ticket is shown, else by what was proposed.
    /// None where nothing names an object. Needs `recommendations:read`; has no effect, and takes at most 400 ms.
    async fn target(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        strategy: u32,
        plan: Option<&Plan>,
    ) -> Answer<Option<TargetView>>;
    /// Decides; needs `recommendations:decide`.
    async fn decide(&self, caller: &Caller, id: &RecommendationId, request: DecisionRequest) -> Answer<DecisionAnswer>;
}

/// Executions.
#[async_trait]
pub trait RunService: Send + Sync {
    /// A page, with tasks; needs `runs:read`.
    async fn list(&self, caller: &Caller, filter: &ExecutionFilter, page: &Page) -> Answer<PageOf<Execution>>;
    /// A page, with how far each has got; needs `runs:read`.
    async fn lines(&self, caller: &Caller, filter: &ExecutionFilter, page: &Page) -> Answer<PageOf<ExecutionLine>>;
    /// One with tasks; needs `runs:read`.
    async fn get(&self, caller: &Caller, id: &ExecutionId) -> Answer<Execution>;
    /// Log lines after `since_line`; `attempt` none is the newest. Needs `runs:read`.
    async fn log(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        task: &str,
        attempt: Option<u32>,
        since_line: u32,
        limit: u32,
    ) -> Answer<Vec<LogLine>>;
    /// What is shown of a log: a part of it, what is found in it, how it stands; `attempt` none is the newest. Needs `runs:read`.
    async fn log_view(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        task: &str,
        attempt: Option<u32>,
        ask: &LogAsk,
    ) -> Answer<LogView>;
    /// Whether more of a log can come; `attempt` none is the newest. Needs `runs:read`.
    async fn log_state(&self, caller: &Caller, id: &ExecutionId, task: &str, attempt: Option<u32>) -> Answer<LogState>;
    /// The PipelineRun as the cluster has it; needs `runs:read`.
    async fn pipeline_run(&self, caller: &Caller, id: &ExecutionId) -> Answer<Value>;
    /// The ticket it runs under; needs `runs:read`.
    async fn ticket(&self, caller: &Caller, id: &ExecutionId) -> Answer<TicketView>;
    /// Asks to cancel; needs `runs:control`.
    async fn cancel(&self, caller: &Caller, id: &ExecutionId, reason: Option<String>) -> Answer<Execution>;
    /// Whether it helped, as far as somebody has looked; needs `runs:read`.
    async fn assessment(&self, caller: &Caller, id: &ExecutionId) -> Answer<Option<AssessmentRecord>>;
    /// Puts a person's word, which must have a reason, in place of the verdict on a run that has ended; needs `runs:control`.
    async fn overrule(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        verdict: Assessment,
        reason: Option<String>,
    ) -> Answer<AssessmentRecord>;
    /// Whether workspaces can be listed here; anybody may know.
    fn listings(&self) -> Listings;
    /// What a run that has ended left in a workspace: names, kinds, sizes and times, never contents. Takes up to a minute. Needs
    /// `runs:control`, for it starts a pod.
    async fn list_workspace(&self, caller: &Caller, id: &ExecutionId, workspace: &str) -> Answer<WorkspaceListing>;
    /// A page of action records; needs `runs:read`.
    async fn actions(&self, caller: &Caller, filter: &ActionFilter, page: &Page) -> Answer<PageOf<ActionRecord>>;
}

/// Whether workspaces can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listings {
    /// Yes.
    On,
    /// No image is set for it.
    Off,
    /// The sandbox keeps no files.
    Sandbox,
}

/// What works.
#[async_trait]
pub trait EffectivenessService: Send + Sync {
    /// A row per group; needs `runs:read`.
    async fn rows(&self, caller: &Caller, by: GroupBy, filter: &EffectivenessFilter) -> Answer<Vec<EffectivenessRow>>;
    /// The same with what all of it comes to and its weeks; needs `runs:read`.
    async fn report(&self, caller: &Caller, by: GroupBy, filter: &EffectivenessFilter) -> Answer<EffectivenessReport>;
    /// What models said against what came of it, a row per model; needs `runs:read`.
    async fn calibration(&self, caller: &Caller, filter: &EffectivenessFilter) -> Answer<Vec<Calibration>>;
    /// What the runs of the last so many days show together, without those that undo others; needs `runs:read`.
    async fn patterns(&self, caller: &Caller, days: u32) -> Answer<Vec<Pattern>>;
    /// Each version of a playbook with the one before it; needs `runs:read`.
    async fn versions(&self, caller: &Caller, filter: &EffectivenessFilter) -> Answer<Vec<VersionsCompared>>;
}

/// Who did what.
#[async_trait]
pub trait AuditService: Send + Sync {
    /// A page, newest first; needs `audit:read`.
    async fn list(&self, caller: &Caller, filter: &AuditFilter, page: &Page) -> Answer<PageOf<AuditRecord>>;
    /// What the objects of these rows are called, by kind and id; those without a name of their own are left out. Needs
    /// `audit:read`.
    async fn titles(&self, caller: &Caller, rows: &[AuditRecord]) -> Answer<HashMap<(String, String), String>>;
    /// Rows after a sequence number with what each follows on, oldest first, for export; needs `audit:read`.
    async fn chained(&self, caller: &Caller, filter: &AuditFilter, sequence: i64, limit: u32) -> Answer<Vec<Chained>>;
    /// Where the trail ends, and the seal of that, for export; needs `audit:read`.
    async fn end(&self, caller: &Caller) -> Answer<(Head, Option<Mac>)>;
    /// Writes down that the caller exports these rows in this format; needs `audit:read`.
    async fn note_export(&self, caller: &Caller, filter: &AuditFilter, format: &str) -> Answer<()>;
    /// How the trail stands; needs `audit:read`. Looks at no row.
    async fn trail(&self, caller: &Caller) -> Answer<TrailView>;
    /// Looks at every row, for two seconds at most: what takes longer is seen by [`Self::trail`]. Needs `audit:read`.
    async fn check(&self, caller: &Caller) -> Answer<()>;
    /// Sets the legal hold; needs `audit:hold` and a reason.
    async fn set_hold(&self, caller: &Caller, reason: Option<String>) -> Answer<()>;
    /// Releases the legal hold; needs `audit:hold` and a reason.
    async fn release_hold(&self, caller: &Caller, reason: Option<String>) -> Answer<()>;
}

/// A registration that passed, for previews.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistrationPreview {
    /// What was understood.
    pub registration: Registration,
    /// What a model will see.
    pub schema: Value,
    /// Whether the very same is registered already.
    pub registered: bool,
}
