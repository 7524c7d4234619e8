//! Decisions: who said yes or no to exactly which ticket, and the one rule that judges an attempt. The store calls
//! [`judge`] inside its transaction, so every door meets the same answer.

use crate::{
    identity::Actor,
    ids::{ActorId, DecisionId, Digest, RecommendationId},
    recommendation::{Recommendation, RecommendationState},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Run exactly this ticket.
    Approve,
    /// Do not; the first rejection ends it.
    Reject,
}

impl Verb {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    /// The verb of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Approve, Self::Reject].into_iter().find(|v| v.name() == name)
    }
}

/// A decision that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// About which recommendation.
    pub recommendation_id: RecommendationId,
    /// Yes or no.
    pub verb: Verb,
    /// Which strategy, counted from 0.
    pub strategy: u32,
    /// The ticket it binds to; a rejection may have none.
    pub ticket_digest: Option<Digest>,
    /// The reason as given; never made up.
    pub reason: Option<String>,
    /// Who.
    pub actor: Actor,
    /// When, by the database's clock.
    pub at: Timestamp,
}

/// An attempt to decide. For an approval the ticket has been found current by the service and is checked again here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who.
    pub actor: Actor,
    /// Yes or no.
    pub verb: Verb,
    /// The revision the ticket was made from.
    pub revision: u32,
    /// The ticket approved; approvals count per ticket.
    pub ticket_digest: Option<Digest>,
    /// When the approval of this ticket runs out.
    pub ticket_expires_at: Timestamp,
    /// How many distinct people must approve.
    pub need: u32,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Counted; more people must approve.
    Waiting {
        /// Approvals now, this one included.
        have: u32,
    },
    /// That was the last one needed: run it.
    Approved {
        /// Approvals now, this one included.
        have: u32,
    },
    /// Ended.
    Rejected,
}

/// Why an attempt does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody was first.
    #[error("decided already by {who} at {at}; open the recommendation to see it")]
    AlreadyDecided {
        /// Who.
        who: String,
        /// When.
        at: Timestamp,
    },
    /// Too late.
    #[error("expired at {at}; ask for a new recommendation")]
    Expired {
        /// When it ran out.
        at: Timestamp,
    },
    /// A newer answer came.
    #[error("a newer recommendation for this incident has taken its place; decide on that one")]
    Superseded,
    /// The recommendation changed under the ticket.
    #[error("the recommendation has changed since this ticket was made; make a new ticket")]
    Changed,
    /// Nobody approves their own.
    #[error("you proposed this yourself; somebody else must approve it")]
    OwnProposal,
    /// One person, one vote.
    #[error("you approved this already; {need} different people are needed")]
    AlreadyApproved {
        /// How many are needed.
        need: u32,
    },
}

/// The decisions without the approvals of those who may decide no more: an approval is worth what its giver is when it is counted.
pub fn counting(mut decisions: Vec<Decision>, lapsed: &BTreeSet<ActorId>) -> Vec<Decision> {
    decisions.retain(|decision| decision.verb == Verb::Reject || !lapsed.contains(decision.actor.person()));
    decisions
}

/// Judges an attempt. `now` is the database's clock; `prior` are the decisions that counted so far ([`counting`]), oldest first.
///
/// Rules (`safety.md`): only while open and not expired; the first rejection ends it; a proposer never approves their own;
/// the approvals of distinct people for one and the same ticket are counted.
pub fn judge(now: Timestamp, on: &Recommendation, prior: &[Decision], attempt: &Attempt) -> Result<Verdict, Refusal> {
    match on.state {
        RecommendationState::Open => {}
        RecommendationState::Decided => {
            let last = prior.last();
            return Err(Refusal::AlreadyDecided {
                who: last.map_or_else(|| "somebody".into(), |d| d.actor.name.clone()),
                at: last.map_or(on.created_at, |d| d.at),
            });
        }
        RecommendationState::Expired => return Err(Refusal::Expired { at: on.expires_at }),
        RecommendationState::Superseded => return Err(Refusal::Superseded),
    }
    if now >= on.expires_at {
        return Err(Refusal::Expired { at: on.expires_at });
    }
    if attempt.verb == Verb::Reject {
        return Ok(Verdict::Rejected);
    }
    if attempt.revision != on.revision {
        return Err(Refusal::Changed);
    }
    if now >= attempt.ticket_expires_at {
        return Err(Refusal::Expired { at: attempt.ticket_expires_at });
    }
    // A person and their tokens are one.
    if attempt.actor.person() == on.proposer.person() {
        return Err(Refusal::OwnProposal);
    }
    let same_ticket = prior.iter().filter(|d| d.verb == Verb::Approve && d.ticket_digest == attempt.ticket_digest);
    let mut people: Vec<_> = same_ticket.map(|d| d.actor.person()).collect();
    if people.contains(&attempt.actor.person()) {
        return Err(Refusal::AlreadyApproved { need: attempt.need });
    }
    people.push(attempt.actor.person());
    people.sort();
    people.dedup();
    let have = u32::try_from(people.len()).unwrap_or(u32::MAX);
    Ok(if have >= attempt.need { Verdict::Approved { have } } else { Verdict::Waiting { have } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendation::intake;
    use serde_json::json;

    fn actor(id: &str, owner: Option<&str>) -> Actor {
        Actor { owner: owner.map(ActorId::new), ..Actor::new(ActorId::new(id), id) }
    }

    fn proposed_by(proposer: Actor) -> Recommendation {
        let body = json!({
            "incident": { "id": "inc-1", "signal_type": "OOMKilled", "severity": "high" },
            "analysis_summary": "x", "root_cause_assessment": "x",
            "strategies": [{ "action_type": "a", "workflow_id": "w", "confidence": 0.5, "rationale": "r", "estimated_risk": "high" }],
        });
        Recommendation {
            id: RecommendationId::new("r-1"),
            revision: 1,
            state: RecommendationState::Open,
            origin: crate::recommendation::Origin::Model,
            proposer,
            cluster: "c".into(),
            created_at: Timestamp::default(),
            expires_at: Timestamp::from_millis(1000),
            content: intake::parse(&body).expect("of this form"),
        }
    }

    fn approval(by: Actor) -> Attempt {
        let ticket_expires_at = Timestamp::from_millis(1000);
        Attempt { actor: by, verb: Verb::Approve, revision: 1, ticket_digest: None, ticket_expires_at, need: 2 }
    }

    fn counted(by: Actor) -> Decision {
        Decision {
            id: DecisionId::new("d-1"),
            recommendation_id: RecommendationId::new("r-1"),
            verb: Verb::Approve,
            strategy: 0,
            ticket_digest: None,
            reason: None,
            actor: by,
            at: Timestamp::default(),
        }
    }

    #[test]
    fn a_person_and_their_token_are_one() {
        let (person, token) = (actor("user:p", None), actor("token:t", Some("user:p")));
        let now = Timestamp::default();
        let own = judge(now, &proposed_by(token.clone()), &[], &approval(person.clone()));
        assert_eq!(own, Err(Refusal::OwnProposal));
        let on = proposed_by(actor("token:model", None));
        let twice = judge(now, &on, &[counted(person.clone())], &approval(token));
        assert_eq!(twice, Err(Refusal::AlreadyApproved { need: 2 }));
        let two = judge(now, &on, &[counted(person)], &approval(actor("token:other", Some("user:q"))));
        assert_eq!(two, Ok(Verdict::Approved { have: 2 }));
    }

    #[test]
    fn the_approval_of_somebody_who_may_decide_no_more_does_not_count() {
        let (gone, gones_token) = (actor("user:gone", None), actor("token:t", Some("user:gone")));
        let lapsed = BTreeSet::from([ActorId::new("user:gone")]);
        let rejected = Decision { verb: Verb::Reject, ..counted(gone.clone()) };
        let all = vec![counted(gone), counted(gones_token), counted(actor("user:p", None)), rejected];
        let kept: Vec<_> = counting(all, &lapsed).into_iter().map(|d| (d.actor.name, d.verb)).collect();
        assert_eq!(kept, [("user:p".to_owned(), Verb::Approve), ("user:gone".to_owned(), Verb::Reject)]);
        let prior = counting(vec![counted(actor("user:gone", None))], &lapsed);
        let verdict =
            judge(Timestamp::default(), &proposed_by(actor("token:m", None)), &prior, &approval(actor("user:q", None)));
        assert_eq!(verdict, Ok(Verdict::Waiting { have: 1 }));
    }
}
