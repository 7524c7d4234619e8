//! Whether a run helped, as it is read and overruled.

use super::{Services, reason, store_fault};
use domain::{
    assessment::{AssessmentRecord, Overrule},
    audit::AuditEntry,
    execution::Assessment,
    fault::{Fault, code},
    identity::{Caller, Right},
    ids::ExecutionId,
    services::{Answer, ServiceError},
};
use serde_json::json;

impl Services {
    /// What is kept of a run's assessment; none where nobody has looked.
    pub(super) async fn kept_assessment(&self, caller: &Caller, id: &ExecutionId) -> Answer<Option<AssessmentRecord>> {
        caller.require(Right::RunsRead)?;
        self.execution(id).await?;
        self.world.assessments.assessment(id).await.map_err(store_fault)
    }

    /// Puts a person's word in place of the verdict. What the console saw stays beside it.
    pub(super) async fn overrule_assessment(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        verdict: Assessment,
        reason: Option<String>,
    ) -> Answer<AssessmentRecord> {
        caller.require(Right::RunsControl)?;
        let Some(reason) = reason::checked(reason)? else {
            let fault = Fault::new("/reason", code::REQUIRED, "say why: whoever reads the verdict later reads this");
            return Err(ServiceError::Invalid(vec![fault]));
        };
        let execution = self.execution(id).await?;
        if !execution.state.ended() {
            return Err(ServiceError::Conflict {
                code: "not_ended",
                detail: "this run has not ended; whether it helped can be said when it has".into(),
                differences: Vec::new(),
            });
        }
        let mut audit = AuditEntry::by(caller, "execution.assess", "execution", id.as_str());
        audit.before = Some(json!({ "assessment": execution.assessment }));
        audit.after = Some(json!({ "assessment": verdict }));
        audit.reason = Some(reason.clone());
        let word = Overrule { verdict, by: caller.actor.clone(), reason, at: self.world.clock.now() };
        let kept = self.world.assessments.overrule(id, word, audit).await.map_err(store_fault)?;
        kept.ok_or(ServiceError::NotFound("execution"))
    }
}
