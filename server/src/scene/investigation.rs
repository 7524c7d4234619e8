//! One investigation by the script: it reads the cluster, says what it sees, and hands in a recommendation as a model's agent would, with
//! a proposer's rights and nothing more. It takes its time, so that whoever watches can follow.

use super::{
    SceneError, SceneWorld, answer, caller,
    evidence::Evidence,
    notes::{Notes, STOPPED},
    people,
    script::Script,
};
use domain::{
    decision::Verb,
    identity::{Actor, Caller, Role},
    ids::ActorId,
    investigation::StepKind,
    ports::{Ended, Known},
    recommendation::{Recommendation, Risk},
    services::{ApprovalService as _, DecisionRequest},
};
use sandbox::Alert;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between one step and the next.
const STEP: Duration = Duration::from_millis(800);

/// Who proposes: a token as a model's agent would have.
fn proposer() -> Caller {
    let actor = Actor::new(ActorId::new("token:demo-investigator"), "investigator");
    caller(actor, Role::Propose)
}

/// An investigation that is about to begin.
pub struct Investigation {
    pub world: SceneWorld,
    /// Where it is written down, if anywhere.
    pub notes: Option<Notes>,
    pub script: &'static Script,
    pub alert: Alert,
    /// Which of the script's answers it comes to.
    pub turn: usize,
}

impl Investigation {
    /// From the first look to the recommendation; nothing comes of it when `stop` comes first.
    pub async fn carry_out(mut self, stop: CancellationToken) -> Result<(), SceneError> {
        let through = stop.run_until_cancelled(self.find()).await;
        let ended = match &through {
            None => Ended::Failed { fault: STOPPED.into() },
            Some(Err(error)) => Ended::Failed { fault: error.to_string() },
            Some(Ok(recommendation)) => {
                Ended::Answered { recommendation: Some(recommendation.id.clone()), fault: None }
            }
        };
        if let Some(notes) = self.notes.take() {
            notes.end(ended).await?;
        }
        let Some(recommendation) = through else { return Ok(()) };
        self.first_approval(&recommendation?).await
    }

    async fn find(&self) -> Result<Recommendation, SceneError> {
        self.step(StepKind::Console, "Asked for the root cause").await?;
        let evidence = Evidence::gather(&self.world.sandbox.client(), &self.alert).await?;
        for seen in evidence.in_words() {
            self.step(StepKind::Tool, &seen).await?;
        }
        let mut body = answer::answer(self.script, &self.alert, &evidence, self.turn);
        if let Some(notes) = &self.notes {
            notes.root_cause(body["root_cause_assessment"].as_str().unwrap_or_default()).await?;
            body["model"]["investigation_id"] = json!(notes.id());
        }
        self.step(StepKind::Console, "Asked which playbook helps").await?;
        self.step(StepKind::Agent, &answer::choice(&body)).await?;
        Ok(self.world.services.submit(&proposer(), &body).await?)
    }

    async fn step(&self, kind: StepKind, text: &str) -> Result<(), SceneError> {
        if let Some(notes) = &self.notes {
            notes.step(kind, text).await?;
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    }

    /// High risk needs two people; one of them has looked already.
    async fn first_approval(&self, recommendation: &Recommendation) -> Result<(), SceneError> {
        let first = recommendation.content.strategies.first();
        if !first.is_some_and(|strategy| strategy.risk() == Risk::High && strategy.runnable()) {
            return Ok(());
        }
        let Some(operator) = people::operator(self.world.accounts.as_ref(), people::FIRST_OPERATOR).await? else {
            return Ok(());
        };
        let operator = caller(operator, Role::Operator);
        let view = self.world.services.view(&operator, &recommendation.id, Some(0), None).await?;
        let Some(ticket) = view.ticket else { return Ok(()) };
        let request = DecisionRequest {
            decision: Verb::Approve,
            strategy: 0,
            ticket_digest: Some(ticket.digest),
            reason: Some("The evidence and the amount agree with what I see; a second person, please.".into()),
            confirm: None,
            known: Known::Any,
        };
        self.world.services.decide(&operator, &recommendation.id, request).await?;
        Ok(())
    }
}
