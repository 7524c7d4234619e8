//! What the services hand to the pages: read models, complete, so that a page asks once.

use super::EarlierRun;
use crate::{
    audit::{Hold, Mac},
    decision::{Decision, Verb},
    effectiveness::{EffectivenessRow, Week, calibration::Calibration, versions::VersionsCompared},
    execution::{Execution, ExecutionLine, Standing},
    fault::Fault,
    ids::{DecisionId, Digest, IncidentId, RecommendationId},
    incident::IncidentRecord,
    json::diff::Change,
    paging::PageOf,
    playbook::{Comparison, ImageRef, Parameter, PlaybookId, Registration, Version},
    policy::Ruling,
    ports::{ClusterHealth, PlaybookRecord},
    recommendation::{
        Recommendation, Strategy,
        target::{self, Target},
    },
    search::Meaning,
    signature::{Signature, SignedImage},
    target::{change::FieldChange, since::Since, state::Reading},
    ticket::TicketContent,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A line of the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxItem {
    /// The recommendation.
    pub recommendation: Recommendation,
    /// What was measured for its first strategy's playbook; none without runs.
    pub track: Option<EffectivenessRow>,
    /// Approvals given for any one ticket of it.
    pub have: u32,
    /// Approvals its first strategy needs.
    pub need: u32,
    /// The last decision that counted; none before there is one.
    pub decided: Option<Decision>,
    /// The newest run on the same object in the last days, where there was one.
    pub earlier: Option<EarlierRun>,
    /// What an operator changed in the ticket that was approved last, while others are still to approve it: names and values.
    pub changed: Vec<(String, String)>,
}

/// A recommendation to be decided together with others: what its own page is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewItem {
    /// Which recommendation was asked for.
    pub id: RecommendationId,
    /// It; none when there is no such recommendation (any more).
    pub view: Option<Box<RecommendationView>>,
    /// What it would act on, as the cluster has it now; none where nothing names an object or nobody can decide any more.
    pub target: Option<TargetView>,
}

/// A line of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogItem {
    /// The newest version that matches.
    pub playbook: PlaybookRecord,
    /// What was measured over all its versions; none without runs.
    pub track: Option<EffectivenessRow>,
    /// Why it was found, in a few words.
    pub matched: Vec<String>,
}

/// What a search of the catalog found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// A page of it.
    pub page: PageOf<CatalogItem>,
    /// What meaning had to do with it.
    pub meaning: Meaning,
}

/// What can be said of a registration while it is being written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// What stands in the way of registering it; empty when nothing does.
    pub faults: Vec<Fault>,
    /// What can be read of it, with what follows from that.
    pub draft: Option<DraftView>,
    /// Whether the very same is registered already.
    pub registered: bool,
    /// How it compares with the version that it follows; none for a new playbook.
    pub base: Option<BaseView>,
}

/// As much of a registration as can be read, and what would be made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftView {
    /// What was understood; placeholders where nothing was.
    pub registration: Registration,
    /// The schema that a model would be shown.
    pub schema: Value,
    /// The PipelineRun with example values.
    pub pipeline_run: Value,
}

/// The version that a registration follows, and what changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaseView {
    /// The playbook of the base.
    pub id: PlaybookId,
    /// The version of the base.
    pub version: Version,
    /// Whether the registration has another id: then it becomes a playbook of its own, and nothing is compared.
    pub renamed: bool,
    /// What changes.
    pub comparison: Comparison,
    /// The version that the changes ask for.
    pub proposed: Version,
    /// Whether the version that was given says enough.
    pub enough: bool,
    /// Whether nothing differs but the number of the version: not even the image that its tag points at now.
    pub same: bool,
}

impl Review {
    /// The version that this could be registered under another number of, without any difference.
    pub fn repeats(&self) -> Option<&BaseView> {
        self.base.as_ref().filter(|base| base.same && self.faults.is_empty() && !self.registered)
    }
}

/// A playbook's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaybookView {
    /// All versions, newest first; never empty.
    pub versions: Vec<PlaybookRecord>,
    /// JSON Schema of the newest version's exposed parameters.
    pub schema: Value,
    /// Track record over all versions.
    pub track: Option<EffectivenessRow>,
    /// Track record by version.
    pub by_version: Vec<EffectivenessRow>,
    /// Its newest executions.
    pub recent: Vec<ExecutionLine>,
}

/// A run ticket as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketView {
    /// The digest that a decision must carry.
    pub digest: Digest,
    /// The content.
    pub content: TicketContent,
    /// The exact text that was hashed.
    pub canonical: String,
    /// The name of the run.
    pub name: String,
    /// What the operator changed of the model's parameters.
    pub changes: Vec<Change>,
    /// What to know before deciding.
    pub warnings: Vec<String>,
    /// The PipelineRun as it would be applied.
    pub pipeline_run: Value,
    /// Who signed what would run: of its images, the worst.
    pub signature: Signature,
    /// Who signed each of its images.
    pub images: Vec<SignedImage>,
    /// What the policy in force says about it; none of a ticket that was decided on.
    pub ruling: Option<Ruling>,
    /// When its approval runs out.
    pub expires_at: Timestamp,
}

/// A strategy with all that is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyView {
    /// The strategy.
    pub strategy: Strategy,
    /// The playbook's title; none for step lists and unknown playbooks.
    pub title: Option<String>,
    /// The playbook's image by digest.
    pub image: Option<ImageRef>,
    /// What was measured for this playbook, over all its versions; none without runs.
    pub track: Option<EffectivenessRow>,
    /// What was measured for this very version; none without runs.
    pub version_track: Option<EffectivenessRow>,
    /// The form to edit its parameters: the exposed parameters in registration order.
    pub form: Vec<Parameter>,
    /// What happens inside, as its author says it; a model never sees this.
    pub steps: Vec<String>,
}

/// The recommendation page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecommendationView {
    /// The recommendation.
    pub recommendation: Recommendation,
    /// The incident of the console that it came for, where there is one.
    pub for_incident: Option<IncidentId>,
    /// Its strategies.
    pub strategies: Vec<StrategyView>,
    /// Which strategy is shown in full.
    pub selected: u32,
    /// The ticket of the selected strategy, while it can be decided or once it was.
    pub ticket: Option<TicketView>,
    /// Why there is no ticket, where there is none.
    pub ticket_faults: Vec<Fault>,
    /// The parameters that the form starts from: the operator's where a ticket with edits is shown, else the model's.
    pub parameters: Map<String, Value>,
    /// The decisions that were taken.
    pub decisions: Vec<Decision>,
    /// Approvals that count no more, while it is open: whoever gave them may no more, or another policy was in force since.
    pub lapsed: BTreeSet<DecisionId>,
    /// Approvals given for this ticket that count.
    pub have: u32,
    /// Approvals needed.
    pub need: u32,
    /// What the policy in force says about the selected strategy, while it can be decided.
    pub ruling: Option<Ruling>,
    /// Why this caller can't approve; none when they can.
    pub cannot_approve: Option<String>,
    /// Why this caller can't reject; none when they can.
    pub cannot_reject: Option<String>,
    /// The execution, once approved.
    pub run: Option<Execution>,
    /// The recommendation that has taken its place, or came after it for the same incident.
    pub newer: Option<RecommendationId>,
    /// The server's time.
    pub now: Timestamp,
}

/// What a strategy would act on, as the cluster has it now.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetView {
    /// The object, and whether it is what the incident is about.
    pub target: Target,
    /// What the cluster says of it.
    pub reading: Reading,
    /// What the parameters would obviously change in it.
    pub changes: Vec<FieldChange>,
    /// What stands in the way or follows, as sentences.
    pub cautions: Vec<String>,
    /// Whether it is still what was analysed.
    pub since: Since,
    /// Runs about the same object in the last seven days, newest first.
    pub earlier: Vec<Execution>,
}

impl RecommendationView {
    /// Whether this decision is an approval that counts no more.
    pub fn has_lapsed(&self, decision: &Decision) -> bool {
        self.lapsed.contains(&decision.id)
    }

    /// Whether this caller can approve the ticket that is shown.
    pub fn approvable(&self) -> bool {
        self.cannot_approve.is_none() && self.ticket.is_some()
    }

    /// Until when it can be decided: what the policy gives a ticket may be less than the recommendation itself has.
    pub fn closes_at(&self) -> Timestamp {
        let whole = self.recommendation.expires_at;
        self.ticket.as_ref().map_or(whole, |ticket| ticket.expires_at.min(whole))
    }

    /// Who has approved the ticket that is shown and counts, in their order.
    pub fn approvers(&self) -> Vec<&str> {
        let Some(ticket) = &self.ticket else { return Vec::new() };
        let of_this = |d: &&Decision| {
            d.verb == Verb::Approve && d.ticket_digest.as_ref() == Some(&ticket.digest) && !self.has_lapsed(d)
        };
        self.decisions.iter().filter(of_this).map(|decision| decision.actor.name.as_str()).collect()
    }

    /// What the selected strategy acts on: by the ticket that would run, with hidden values and the operator's changes; where there is
    /// none, by what was proposed.
    pub fn target(&self) -> Target {
        let incident = self.recommendation.content.incident.resource.as_ref();
        if let Some(ticket) = &self.ticket {
            return crate::target::of_plan(incident, &ticket.content.plan);
        }
        let place = target::place(&self.parameters);
        Target::of(incident, target::named(&self.parameters), place.as_slice())
    }

    /// What has to be typed before the selected strategy is approved, where its risk is high: what
    /// [`crate::target::to_type`] says of all that it acts on.
    pub fn confirmation(&self) -> Option<String> {
        let strategy = self.strategies.get(usize::try_from(self.selected).ok()?)?;
        let incident = &self.recommendation.content.incident;
        let risk = self.ruling.as_ref().map_or(strategy.strategy.risk(), |ruling| ruling.risk);
        risk.needs_step_up().then(|| match &self.ticket {
            Some(ticket) => {
                let scope = crate::target::Scope::of_plan(incident.resource.as_ref(), &ticket.content.plan);
                crate::target::to_type(incident, &scope.objects)
            }
            None => crate::target::to_type(incident, self.target().acts_on()),
        })
    }
}

/// The frame around every page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShellView {
    /// The signed-in person's name.
    pub user: String,
    /// How many recommendations await a decision.
    pub waiting: i64,
    /// The cluster.
    pub cluster: ClusterHealth,
    /// What the cluster is for, such as production; none where nobody said.
    pub environment: Option<String>,
    /// Whether the audit trail may be read.
    pub may_audit: bool,
    /// Whether playbooks may be registered.
    pub may_register: bool,
    /// Whether runs may be cancelled.
    pub may_control: bool,
    /// The server's time.
    pub now: Timestamp,
}

/// The overview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverviewView {
    /// What needs a decision, most urgent first; not all of it where there is much.
    pub waiting: Vec<InboxItem>,
    /// How many need a decision in all.
    pub waiting_count: i64,
    /// What fires and nobody has recommended anything for, newest first; not all of it where there is much.
    pub unanswered: Vec<IncidentRecord>,
    /// How many of them there are in all.
    pub unanswered_count: i64,
    /// What runs or is about to, newest first; not all of it where there is much.
    pub running: Vec<ExecutionLine>,
    /// How many run or are about to.
    pub standing: Standing,
    /// What ended last.
    pub ended: Vec<ExecutionLine>,
    /// How many findings nobody has looked at.
    pub findings: i64,
    /// The last 30 days over everything; none without runs.
    pub helped: Option<EffectivenessRow>,
    /// The same by week, oldest first.
    pub weeks: Vec<Week>,
    /// How the engine is.
    pub cluster: ClusterHealth,
    /// The server's time.
    pub now: Timestamp,
}

/// What works, for one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectivenessReport {
    /// A row per group.
    pub rows: Vec<EffectivenessRow>,
    /// All that ended; none where nothing did.
    pub total: Option<EffectivenessRow>,
    /// The same by week, oldest first; without phases.
    pub weeks: Vec<Week>,
    /// What models said against what came of it.
    pub calibration: Vec<Calibration>,
    /// Each version with the one before it; only where rows are by version.
    pub versions: Vec<VersionsCompared>,
}

/// How the audit trail stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrailView {
    /// How many rows are kept.
    pub rows: i64,
    /// The first that is kept.
    pub first: i64,
    /// The last; 0 before there is one.
    pub last: i64,
    /// Its mac: whoever notes both can tell later whether the trail still has it.
    pub mac: Mac,
    /// The key that the next row is chained with.
    pub key: String,
    /// What came of looking at every row; none since the console started.
    pub checked: Option<TrailCheck>,
    /// Whether that is being done now.
    pub checking: bool,
    /// The legal hold, where one stands.
    pub hold: Option<Hold>,
}

/// What came of looking at every row of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrailCheck {
    /// When.
    pub at: Timestamp,
    /// How many rows there were.
    pub rows: u64,
    /// The first link that is broken; none where none is.
    pub broken: Option<BrokenLink>,
}

/// A broken link of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BrokenLink {
    /// The row that belongs there.
    pub sequence: i64,
    /// A stable word: `altered`, `removed`, `swapped`, `appended`, `cut_off`, `end`, `unknown_key`, `other_key`, `unreadable`, `noted`,
    /// `not_begun`, `rechained`.
    pub what: String,
    /// The same in words.
    pub detail: String,
}
