//! What a policy lets run without anybody. It is decided as by a person: by the same service, in the same transaction, with the
//! same ticket, decision and row in the audit trail; only that the policy stands where a person would. It is tried once, when a
//! model's answer comes in, or what the console itself makes of a run that went wrong, with its first strategy as it came. Where it
//! does not come to a decision people are asked, and always where whoever handed it in may decide, or it came by a person's token,
//! whatever that token may: nobody gets past their colleagues by calling themselves a model.

use super::{Services, store_fault, tickets::Made};
use domain::{
    decision::Verb,
    identity::{Actor, Caller, Right, Way},
    policy::{Grant, Ruling},
    ports::Known,
    recommendation::{Origin, Recommendation, Strategy, target::Target},
    services::{Answer, DecisionRequest, ServiceError},
    signature::Signature,
    target,
};

impl Services {
    /// Lets the policy in force decide on what has just come in; as it stands afterwards. The intake never fails for it.
    pub(super) async fn let_policy_decide(&self, came_by: &Caller, taken: Recommendation) -> Recommendation {
        let now = match self.decided_by_policy(came_by, &taken).await {
            Ok(false) => return taken,
            Ok(true) => self.world.recommendations.get(&taken.id).await.map_err(store_fault),
            Err(error) => Err(error),
        };
        now.unwrap_or_else(|error| {
            tracing::warn!(%error, recommendation = %taken.id, "the policy could not decide; people are asked");
            None
        })
        .unwrap_or(taken)
    }

    async fn decided_by_policy(&self, came_by: &Caller, taken: &Recommendation) -> Answer<bool> {
        let first = taken.content.strategies.first();
        let by_machine = came_by.actor.owner.is_none() && !came_by.may(Right::Decide);
        if taken.content.needs_human_review {
            tracing::info!(recommendation = %taken.id, "not decided by the policy: the model asks for a person");
            return Ok(false);
        }
        let of_model = matches!(taken.origin, Origin::Model | Origin::Run { automatic: true, .. }) && by_machine;
        // Where the cluster is asked about each person who approves, nobody stands in for one.
        if !of_model || !first.is_some_and(Strategy::runnable) || self.world.settings.subject_access_review {
            return Ok(false);
        }
        let record = self.in_force().await?;
        if record.policy.rules.iter().all(|rule| rule.grant != Grant::Automatic) {
            return Ok(false);
        }
        let made = self.make_ticket(taken, 0, None).await?;
        let Some(ruling) = made.ruling.as_ref().filter(|ruling| ruling.terms.grant == Grant::Automatic) else {
            return Ok(false);
        };
        let people = match asks_for_people(taken, &made, self.checks_signatures()) {
            None => self.played_down(taken).await?,
            why => why,
        };
        if let Some(why) = people {
            tracing::info!(recommendation = %taken.id, why, "not decided by the policy");
            return Ok(false);
        }
        let request = DecisionRequest {
            decision: Verb::Approve,
            strategy: 0,
            ticket_digest: Some(made.ticket.digest().clone()),
            reason: None,
            confirm: None,
            known: Known::Any,
        };
        match self.settle(&as_policy(came_by, ruling), taken, request, true).await {
            Ok(_) => Ok(true),
            // Frozen, or another run is in the way.
            Err(ServiceError::Conflict { code, detail, .. }) => {
                tracing::info!(recommendation = %taken.id, code, detail, "not decided by the policy");
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    /// What an answer says of an incident of the console's own more mildly than the console knows it. Rules judge by the answer.
    async fn played_down(&self, taken: &Recommendation) -> Answer<Option<&'static str>> {
        let signals = &self.world.signals;
        let Some(id) = signals.incident_of(&taken.id).await.map_err(store_fault)? else { return Ok(None) };
        let Some(known) = signals.incident(&id).await.map_err(store_fault)? else { return Ok(None) };
        let said = &taken.content.incident;
        if said.severity < known.severity {
            return Ok(Some("it calls its incident less severe than it is"));
        }
        // Where the console is set to an environment, that is what rules judge by.
        let asked = self.world.settings.environment.is_none();
        let other =
            |environment: &String| said.environment.as_ref().is_none_or(|said| !said.eq_ignore_ascii_case(environment));
        let elsewhere = asked && known.about.environment.as_ref().is_some_and(other);
        Ok(elsewhere.then_some("it does not name its incident's environment"))
    }
}

/// The policy as whoever decides, in the request by which it came.
fn as_policy(came_by: &Caller, ruling: &Ruling) -> Caller {
    Caller {
        actor: Actor::policy(&ruling.policy, ruling.terms.version),
        roles: Vec::new(),
        request_id: came_by.request_id.clone(),
        route: came_by.route.clone(),
        way: Way::default(),
        session: None,
    }
}

/// What no policy takes from people.
fn asks_for_people(taken: &Recommendation, made: &Made, checked: bool) -> Option<&'static str> {
    let target = target::of_plan(taken.content.incident.resource.as_ref(), &made.ticket.content().plan);
    if matches!(target, Target::Mismatch { .. }) {
        return Some("it acts on another object than the incident is about");
    }
    match Signature::worst(made.images.iter().map(|one| one.signature.state)) {
        Signature::Verified => None,
        Signature::Unknown => checked.then_some("nobody could check who signed its image"),
        Signature::Missing | Signature::Untrusted => Some("nobody trusted signed its image"),
    }
}
