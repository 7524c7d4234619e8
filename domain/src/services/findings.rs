//! Findings, as doors ask for them.

use super::Answer;
use crate::{
    finding::{Card, FindingState, Noticed},
    identity::Caller,
    ids::{FindingId, RecommendationId},
    paging::{Page, PageOf},
    playbook::PlaybookId,
    ports::{FindingFilter, PlaybookRecord},
    recommendation::Recommendation,
};
use async_trait::async_trait;
use serde_json::{Map, Value};

/// What was noticed beside the point, and what people make of it.
#[async_trait]
pub trait FindingService: Send + Sync {
    /// A page, the gravest first; needs `recommendations:read`.
    async fn findings(&self, caller: &Caller, filter: &FindingFilter, page: &Page) -> Answer<PageOf<Card>>;
    /// One, with where it was noticed; needs `recommendations:read`.
    async fn finding(&self, caller: &Caller, id: &FindingId) -> Answer<Card>;
    /// The cards of what was noticed with a recommendation; needs `recommendations:read`.
    async fn noticed_with(&self, caller: &Caller, id: &RecommendationId) -> Answer<Vec<Card>>;
    /// What a recommendation that is made of it would be filled with: the suggested playbook (or the one that is named), and values
    /// of its parameters that the finding tells; none where there is no such playbook. Needs `recommendations:decide`; has no effect.
    async fn filled(&self, caller: &Caller, id: &FindingId, playbook: Option<PlaybookId>) -> Answer<Option<Filled>>;
    /// Sets the state; needs `recommendations:decide`, and a reason to dismiss.
    async fn triage(
        &self,
        caller: &Caller,
        id: &FindingId,
        state: FindingState,
        reason: Option<String>,
    ) -> Answer<Card>;
    /// Makes a recommendation of it, as by hand: it awaits its decision like any other. Needs `recommendations:decide`.
    async fn turn(
        &self,
        caller: &Caller,
        id: &FindingId,
        playbook: &PlaybookId,
        reason: String,
        values: Map<String, Value>,
    ) -> Answer<Recommendation>;
    /// Opens a finding that the console itself noticed, such as a pattern in its history; what is known counts on its card. For the
    /// console's own parts: nobody calls it from outside.
    async fn open_finding(&self, noticed: Noticed) -> Answer<FindingId>;
}

/// A form that is filled in from a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// The playbook, its newest active version.
    pub playbook: PlaybookRecord,
    /// Values by parameter, as texts.
    pub values: Vec<(String, String)>,
}
