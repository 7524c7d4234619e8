//! What the tests' store knows of recommendations, tickets and decisions, and the door for WorkflowExecutions that somebody
//! applied.

use super::store::FakeStore;
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    decision::Decision,
    fault::Fault,
    identity::Actor,
    ids::{Digest, RecommendationId},
    paging::{Page, PageOf},
    playbook::{Registration, applied},
    ports::{
        AppliedPlaybook, AppliedWorkflow, ClusterIntake, DecideError, Decided, DecidedRecommendation, Judged,
        NewDecision, NewRecommendation, PlaybookApplied, PlaybookRecord, PlaybookStatus, RecommendationFilter,
        RecommendationStore, SignalIntake, StoreError, StoredTicket,
    },
    recommendation::{Recommendation, RecommendationState},
    signal::Told,
    time::Timestamp,
};
use std::sync::{Arc, Mutex};

#[async_trait]
impl RecommendationStore for FakeStore {
    async fn insert(&self, _: NewRecommendation, _: AuditEntry) -> Result<Recommendation, StoreError> {
        Err(StoreError::Failed("not a part of these tests".into()))
    }

    async fn get(&self, _: &RecommendationId) -> Result<Option<Recommendation>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: &RecommendationFilter, _: &Page) -> Result<PageOf<Recommendation>, StoreError> {
        Ok(PageOf::default())
    }

    async fn open_count(&self) -> Result<i64, StoreError> {
        Ok(0)
    }

    async fn by_cluster_uid(&self, uid: &str) -> Result<Option<Recommendation>, StoreError> {
        Ok(self.state()?.recommendations.get(uid).cloned())
    }

    async fn put_ticket(&self, _: StoredTicket, _: AuditEntry) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn ticket(&self, digest: &Digest) -> Result<Option<StoredTicket>, StoreError> {
        Ok(self.state()?.tickets.get(digest).cloned())
    }

    async fn decisions(&self, _: &RecommendationId) -> Result<Vec<Decision>, StoreError> {
        Ok(self.state()?.decisions.clone())
    }

    async fn decide(&self, _: NewDecision) -> Result<Decided, DecideError> {
        Err(DecideError::NotFound)
    }

    async fn judged(
        &self,
        _: Timestamp,
        _: Option<(Timestamp, RecommendationId)>,
        _: u32,
    ) -> Result<Vec<Judged>, StoreError> {
        Ok(vec![])
    }

    async fn import(&self, _: &[DecidedRecommendation]) -> Result<(), StoreError> {
        Err(StoreError::Failed("not a part of these tests".into()))
    }

    async fn expire_due(&self) -> Result<Vec<RecommendationId>, StoreError> {
        Ok(vec![])
    }
}

/// The door for applied objects: keeps what came, and answers as told.
#[derive(Default)]
pub struct FakeIntake {
    pub came: Mutex<Vec<AppliedWorkflow>>,
    pub faults: Mutex<Vec<Fault>>,
    pub store: Mutex<Option<Arc<FakeStore>>>,
    /// Names of RemediationWorkflows that were handed in.
    pub handed_in: Mutex<Vec<String>>,
    /// What was registered.
    pub catalog: Mutex<Vec<PlaybookRecord>>,
    /// What was told of Warnings, and how often that fails first.
    pub warned: Mutex<Vec<Told>>,
    pub unkept: Mutex<u32>,
}

#[async_trait]
impl SignalIntake for FakeIntake {
    async fn warned(&self, told: Vec<Told>) -> Result<(), StoreError> {
        let mut unkept = self.unkept.lock().unwrap();
        if *unkept > 0 {
            *unkept -= 1;
            return Err(StoreError::Unavailable("away".into()));
        }
        self.warned.lock().unwrap().extend(told);
        Ok(())
    }
}

#[async_trait]
impl ClusterIntake for FakeIntake {
    async fn workflow_applied(
        &self,
        applied: AppliedWorkflow,
    ) -> Result<Result<RecommendationId, Vec<Fault>>, StoreError> {
        let faults = self.faults.lock().unwrap().clone();
        if faults.is_empty()
            && let Some(store) = self.store.lock().unwrap().as_ref()
        {
            store.put_recommendation(&applied.uid, recommendation(RecommendationState::Open));
        }
        self.came.lock().unwrap().push(applied);
        Ok(if faults.is_empty() { Ok(RecommendationId::new("rec-1")) } else { Err(faults) })
    }

    /// The rules of `domain`, and a catalog that is away when the store is.
    async fn playbook_applied(&self, object: AppliedPlaybook) -> PlaybookApplied {
        self.handed_in.lock().unwrap().push(object.name);
        if self.store.lock().unwrap().as_ref().is_some_and(|store| store.state().is_err()) {
            return PlaybookApplied::Later;
        }
        let registration = match Registration::parse(&applied::registration(&object.spec)) {
            Ok(registration) => registration,
            Err(faults) => return PlaybookApplied::Invalid(faults.into_iter().map(applied::fault).collect()),
        };
        let mut catalog = self.catalog.lock().unwrap();
        let same = |known: &&PlaybookRecord| {
            known.registration.id == registration.id && known.registration.version == registration.version
        };
        match catalog.iter().find(same) {
            Some(known) if known.registration == registration => PlaybookApplied::Registered(Box::new(known.clone())),
            Some(_) => PlaybookApplied::Different("give this one a new version".into()),
            None => {
                let record = PlaybookRecord {
                    image: registration.image.with_digest(Digest::from_bytes([7; 32])),
                    registration,
                    signed: None,
                    status: PlaybookStatus::Active,
                    status_reason: None,
                    registered_at: Timestamp::parse("2026-11-23T03:00:00Z").unwrap(),
                    registered_by: Actor::cluster(),
                };
                catalog.push(record.clone());
                PlaybookApplied::Registered(Box::new(record))
            }
        }
    }
}

/// A recommendation in that state.
pub fn recommendation(state: RecommendationState) -> Recommendation {
    serde_json::from_value(serde_json::json!({
        "id": "rec-1", "revision": 1, "state": state.name(), "origin": {"by": "hand"},
        "proposer": {"id": "user:eve", "name": "Eve"}, "cluster": "test",
        "created_at": "2026-11-23T03:00:00.000Z", "expires_at": "2026-11-23T03:15:00.000Z",
        "incident": {"id": "inc-1", "signal_type": "manual", "severity": "high"},
        "model": null, "analysis_summary": "x", "root_cause_assessment": "x", "strategies": [], "warnings": [],
        "context_used": {}, "additional_findings": [],
    }))
    .expect("a recommendation")
}
