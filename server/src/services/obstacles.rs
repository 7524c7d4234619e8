//! What stands in the way of a decision, and how it is told.

use super::store_fault;
use domain::{
    decision::{Decision, Refusal},
    fault::Fault,
    identity::{Caller, Right},
    ports::DecideError,
    recommendation::{Recommendation, RecommendationState, Strategy},
    services::{Answer, ServiceError},
};

/// Why this caller may not decide on it at all.
pub(super) fn cannot_decide(caller: &Caller, recommendation: &Recommendation) -> Option<String> {
    if recommendation.state != RecommendationState::Open {
        return Some(format!("This recommendation is {}.", recommendation.state));
    }
    caller.require(Right::Decide).err().map(|denied| format!("{denied}."))
}

/// Why there is nothing to decide any more.
pub(super) fn not_open(recommendation: &Recommendation, decisions: &[Decision]) -> ServiceError {
    let refusal = match recommendation.state {
        RecommendationState::Expired => Refusal::Expired { at: recommendation.expires_at },
        RecommendationState::Superseded => Refusal::Superseded,
        RecommendationState::Open | RecommendationState::Decided => {
            let last = decisions.last();
            Refusal::AlreadyDecided {
                who: last.map_or_else(|| "somebody".into(), |d| d.actor.name.clone()),
                at: last.map_or(recommendation.created_at, |d| d.at),
            }
        }
    };
    refused(&refusal)
}

fn refused(refusal: &Refusal) -> ServiceError {
    let code = match refusal {
        Refusal::OwnProposal
        | Refusal::AlreadyApproved { .. }
        | Refusal::OwnEdit { .. }
        | Refusal::NotAsked { .. }
        | Refusal::GroupCounted { .. }
        | Refusal::Never { .. } => return ServiceError::Forbidden(refusal.to_string()),
        Refusal::Frozen { .. } => "frozen",
        Refusal::NotAutomatic => "not_automatic",
        Refusal::AlreadyDecided { .. } => "decided",
        Refusal::Expired { .. } => "expired",
        Refusal::Superseded => "superseded",
        Refusal::Changed => "stale_ticket",
    };
    ServiceError::Conflict { code, detail: refusal.to_string(), differences: Vec::new() }
}

fn conflict(code: &'static str, error: &DecideError) -> ServiceError {
    ServiceError::Conflict { code, detail: error.to_string(), differences: Vec::new() }
}

/// A strategy that was stored with its errors is shown, not run. The errors point into the recommendation; what was sent here
/// only names the strategy.
pub(super) fn runnable(strategy: &Strategy, index: u32) -> Answer<()> {
    if strategy.runnable() {
        return Ok(());
    }
    let told = |fault: &Fault| {
        let message = format!("strategy {index} can't run: {} ({})", fault.message, fault.pointer);
        Fault::new("/strategy", fault.code.clone(), message)
    };
    Err(ServiceError::Invalid(strategy.errors.iter().map(told).collect()))
}

/// A refusal of the store.
pub(super) fn decide_fault(error: DecideError) -> ServiceError {
    match error {
        DecideError::Refused(refusal) => refused(&refusal),
        DecideError::NotFound => ServiceError::NotFound("recommendation"),
        DecideError::TicketUsed => conflict("ticket_used", &error),
        DecideError::NameUsed(_) => conflict("name_used", &error),
        DecideError::PlaybookDisabled(_) | DecideError::PolicyChanged => conflict("stale_ticket", &error),
        DecideError::Busy(_) => conflict("busy", &error),
        DecideError::Moved { tag } => ServiceError::Moved { tag },
        DecideError::Store(error) => store_fault(error),
    }
}
