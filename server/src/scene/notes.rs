//! What the script writes down of an investigation, as an agent's is written down, so that an incident's page shows how its recommendation
//! came about. It is asked for in the scene's own name, by which pages tell that no agent was asked
//! (`domain::investigation::Investigation::by_script`). Where HolmesGPT is set, investigations are left to it.

use super::{ROUTE, SceneWorld};
use domain::{
    audit::AuditEntry,
    identity::Actor,
    ids::{IncidentId, InvestigationId},
    investigation::{SCENE, StepKind, Usage},
    ports::{
        Asked, BegunInvestigation, Claim, Ended, InvestigationLimits, InvestigationStore, NewInvestigation, NewStep,
        StoreError,
    },
};
use std::sync::Arc;

/// Nothing is asked of anybody, so nothing has to be bounded; what an earlier start left is not tried again.
const LIMITS: InvestigationLimits = InvestigationLimits { attempts: 1, at_once: 1000, per_hour: 1_000_000 };
/// Investigations of an earlier start that are put an end to in one go.
const LEFT_BEHIND: u32 = 50;
/// What is said of those, and of one that the console's end breaks off.
pub const STOPPED: &str = "the console was stopped meanwhile";

/// An investigation that is being written down.
pub struct Notes {
    store: Arc<dyn InvestigationStore>,
    claim: Claim,
}

impl Notes {
    /// Begins one of this incident; none where there is nothing to write in. One after the other: whatever else waits is of an earlier
    /// start, and ends here.
    pub async fn begin(world: &SceneWorld, incident: &IncidentId) -> Result<Option<Self>, StoreError> {
        if world.has_agent {
            return Ok(None);
        }
        let store = world.investigations.clone();
        let id = InvestigationId::new(world.ids.fresh());
        let (action, kind) = ("investigation.ask", "investigation");
        let audit = AuditEntry::of_console(SCENE, ROUTE, action, kind, id.as_str(), world.ids.fresh());
        let new = NewInvestigation { id, incident: incident.clone(), asked_by: Actor::system(SCENE), automatic: false };
        let asked = match store.ask(new, audit).await? {
            Asked::New(asked) | Asked::Known(asked) => asked.id,
            Asked::NotWanted | Asked::Missing => return Ok(None),
        };
        for _ in 0..LEFT_BEHIND {
            match store.begin(&world.cluster, &world.ids.fresh(), LIMITS).await? {
                BegunInvestigation::Attempt(begun, claim) if begun.id == asked => {
                    return Ok(Some(Self { store, claim }));
                }
                BegunInvestigation::Attempt(_, claim) => {
                    store.end(&claim, Usage::default(), Ended::Failed { fault: STOPPED.into() }).await?;
                }
                BegunInvestigation::Settled => {}
                BegunInvestigation::Nothing | BegunInvestigation::Bounded => break,
            }
        }
        Ok(None)
    }

    /// Its id, for what is recommended.
    pub fn id(&self) -> &InvestigationId {
        &self.claim.id
    }

    /// Writes a step down.
    pub async fn step(&self, kind: StepKind, text: &str) -> Result<(), StoreError> {
        self.tell(vec![NewStep { kind, text: text.to_owned() }], None).await
    }

    /// Writes the root cause down.
    pub async fn root_cause(&self, text: &str) -> Result<(), StoreError> {
        let step = NewStep { kind: StepKind::Agent, text: "Found a root cause".into() };
        self.tell(vec![step], Some(text.to_owned())).await
    }

    async fn tell(&self, steps: Vec<NewStep>, root_cause: Option<String>) -> Result<(), StoreError> {
        self.store.tell(&self.claim, steps, Usage::default(), root_cause, None).await.map(|_| ())
    }

    /// Writes its end down.
    pub async fn end(self, ended: Ended) -> Result<(), StoreError> {
        self.store.end(&self.claim, Usage::default(), ended).await.map(|_| ())
    }
}
