//! Decisions: who said yes or no to exactly which ticket, and the one rule that judges an attempt. The store calls
//! [`judge`] inside its transaction, so every door meets the same answer.

use crate::{
    identity::Actor,
    ids::{ActorId, DecisionId, Digest, RecommendationId},
    policy::{Grant, Terms},
    recommendation::{Recommendation, RecommendationState},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The groups of the policy that they stood for then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stands_for: Vec<String>,
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
    /// What the policy holds it to.
    pub terms: Terms,
    /// The groups of the policy that they stand for.
    pub stands_for: Vec<String>,
    /// The person who last edited the ticket's parameters, where somebody did.
    pub last_editor: Option<ActorId>,
    /// Whether it is the policy itself that approves.
    pub automatic: bool,
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
    /// Who set the parameters does not count under this rule.
    #[error("you set these parameters yourself; the policy's rule {rule} asks for somebody else to approve them")]
    OwnEdit {
        /// Which rule.
        rule: String,
    },
    /// Others are asked.
    #[error("the policy's rule {rule} counts only people of {}; you are in none of these groups", .of.join(", "))]
    NotAsked {
        /// Which rule.
        rule: String,
        /// The groups.
        of: Vec<String>,
    },
    /// Each group counts once.
    #[error("your groups have approved this already; a person of another group is needed, out of {}", .of.join(", "))]
    GroupCounted {
        /// The groups.
        of: Vec<String>,
    },
    /// The policy forbids it.
    #[error("the policy's rule {rule} lets nobody approve this; reject it, or have an admin change the policy")]
    Never {
        /// Which rule.
        rule: String,
    },
    /// Not now.
    #[error(
        "nothing of this kind is approved during {name}, which ends at {until}; approve it then, or have an admin change the policy"
    )]
    Frozen {
        /// The freeze.
        name: String,
        /// Its end.
        until: Timestamp,
    },
    /// The policy does not act by itself here.
    #[error("the policy asks for people here")]
    NotAutomatic,
}

/// Names how a recommendation stands: what was said never changes, only its state and who has decided.
pub fn tag(on: &Recommendation, decided: usize) -> String {
    format!("{}-{}-{decided}", on.revision, on.state)
}

/// What approvals are held against when they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When the policy in force was put in force: what was approved before does not count, even under the same version.
    pub since: Timestamp,
    /// Who may decide by now, each with the groups of that policy that they are in.
    pub able: BTreeMap<ActorId, Vec<String>>,
}

/// The decisions without the approvals that count no more: an approval is worth what its giver is when it is counted. Who has left
/// a group stands for it no more, and who has left all that they stood for counts no more.
pub fn counting(decisions: Vec<Decision>, standing: &Standing) -> Vec<Decision> {
    let counts = |mut decision: Decision| {
        if decision.verb == Verb::Reject {
            return Some(decision);
        }
        let groups = standing.able.get(decision.actor.person()).filter(|_| decision.at >= standing.since)?;
        let anybody = decision.stands_for.is_empty();
        decision.stands_for.retain(|group| groups.contains(group));
        (anybody || !decision.stands_for.is_empty()).then_some(decision)
    };
    decisions.into_iter().filter_map(counts).collect()
}

/// Judges an attempt. `now` is the database's clock; `prior` are the decisions that counted so far ([`counting`]), oldest first.
///
/// Rules (`safety.md`): only while open and not expired; the first rejection ends it, whoever it is by; what the policy says of
/// an approval holds: by whom, by how many, and when not. The approvals of distinct people for one and the same ticket are counted.
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
    let terms = &attempt.terms;
    if terms.grant == Grant::Never {
        return Err(Refusal::Never { rule: terms.rule.clone() });
    }
    if let Some((freeze, until)) = terms.frozen(now) {
        return Err(Refusal::Frozen { name: freeze.name.clone(), until });
    }
    if attempt.automatic {
        let alone = terms.grant == Grant::Automatic;
        return if alone { Ok(Verdict::Approved { have: 0 }) } else { Err(Refusal::NotAutomatic) };
    }
    by_people(on, prior, attempt)
}

/// Whether this person counts, and whether they are enough.
fn by_people(on: &Recommendation, prior: &[Decision], attempt: &Attempt) -> Result<Verdict, Refusal> {
    let Terms { rule, quorum, .. } = &attempt.terms;
    // A person and their tokens are one.
    let person = attempt.actor.person();
    if !quorum.requester_counts && person == on.proposer.person() {
        return Err(Refusal::OwnProposal);
    }
    if !quorum.last_editor_counts && Some(person) == attempt.last_editor.as_ref() {
        return Err(Refusal::OwnEdit { rule: rule.clone() });
    }
    if !quorum.asks(&attempt.stands_for) {
        return Err(Refusal::NotAsked { rule: rule.clone(), of: quorum.of.clone() });
    }
    let ticket = &attempt.ticket_digest;
    let same_ticket = || prior.iter().filter(move |d| d.verb == Verb::Approve && d.ticket_digest == *ticket);
    if same_ticket().any(|d| d.actor.person() == person) {
        return Err(Refusal::AlreadyApproved { need: quorum.need });
    }
    let before = same_ticket().map(|d| (&d.actor, d.stands_for.as_slice()));
    let have = quorum.have(before.clone().chain([(&attempt.actor, attempt.stands_for.as_slice())]));
    if have == quorum.have(before) {
        return Err(Refusal::GroupCounted { of: quorum.of.clone() });
    }
    Ok(if have >= quorum.need { Verdict::Approved { have } } else { Verdict::Waiting { have } })
}

#[cfg(test)]
mod tests;
