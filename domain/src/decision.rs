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
mod tests {
    use super::*;
    use crate::{
        policy::{Count, Freeze, Quorum, Window},
        recommendation::intake,
    };
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
        Attempt {
            actor: by,
            verb: Verb::Approve,
            revision: 1,
            ticket_digest: None,
            ticket_expires_at: Timestamp::from_millis(1000),
            terms: Terms::people(1, 2),
            stands_for: Vec::new(),
            last_editor: None,
            automatic: false,
        }
    }

    fn held_to(terms: Terms, by: &str) -> Attempt {
        Attempt { terms, ..approval(actor(&format!("user:{by}"), None)) }
    }

    fn by_model() -> Recommendation {
        proposed_by(actor("token:model", None))
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
            stands_for: Vec::new(),
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
    fn a_rejection_ends_it_whatever_the_policy_says() {
        for grant in [Grant::People, Grant::Automatic, Grant::Never] {
            let attempt = Attempt { verb: Verb::Reject, ..held_to(Terms { grant, ..Terms::people(1, 3) }, "ann") };
            assert_eq!(judge(Timestamp::default(), &by_model(), &[], &attempt), Ok(Verdict::Rejected));
        }
    }

    #[test]
    fn nobody_approves_what_the_policy_forbids_or_freezes() {
        let now = Timestamp::default();
        let never = held_to(Terms { grant: Grant::Never, ..Terms::people(1, 1) }, "ann");
        assert!(matches!(judge(now, &by_model(), &[], &never), Err(Refusal::Never { .. })));
        // The first of January 1970 was a Thursday.
        let window = Window::Weekly { from: "Thu 00:00".parse().unwrap(), to: "Thu 06:00".parse().unwrap() };
        let freezes = vec![Freeze { name: "night".into(), window }];
        let frozen = held_to(Terms { freezes, ..Terms::people(1, 1) }, "ann");
        let until = Timestamp::from_millis(6 * 3_600_000);
        assert_eq!(judge(now, &by_model(), &[], &frozen), Err(Refusal::Frozen { name: "night".into(), until }));
    }

    #[test]
    fn a_policy_approves_only_what_it_lets_run_by_itself() {
        let now = Timestamp::default();
        let by = |grant| Attempt {
            automatic: true,
            actor: Actor::policy("p", 1),
            ..held_to(Terms { grant, ..Terms::people(1, 2) }, "nobody")
        };
        assert_eq!(judge(now, &by_model(), &[], &by(Grant::Automatic)), Ok(Verdict::Approved { have: 0 }));
        assert_eq!(judge(now, &by_model(), &[], &by(Grant::People)), Err(Refusal::NotAutomatic));
        let people = held_to(Terms { grant: Grant::Automatic, ..Terms::people(1, 2) }, "ann");
        assert_eq!(
            judge(now, &by_model(), &[], &people),
            Ok(Verdict::Waiting { have: 1 }),
            "people as many as it says"
        );
    }

    #[test]
    fn who_requested_and_who_edited_count_as_the_rule_says() {
        let now = Timestamp::default();
        let (on, ann) = (proposed_by(actor("user:ann", None)), || ActorId::new("user:ann"));
        let quorum = |requester_counts, last_editor_counts| Terms {
            quorum: Quorum { requester_counts, last_editor_counts, ..Quorum::people(1) },
            ..Terms::people(1, 1)
        };
        assert_eq!(judge(now, &on, &[], &held_to(quorum(false, true), "ann")), Err(Refusal::OwnProposal));
        assert_eq!(judge(now, &on, &[], &held_to(quorum(true, true), "ann")), Ok(Verdict::Approved { have: 1 }));
        let edited = |terms| Attempt { last_editor: Some(ann()), ..held_to(terms, "ann") };
        assert_eq!(judge(now, &by_model(), &[], &edited(quorum(false, true))), Ok(Verdict::Approved { have: 1 }));
        let refused = judge(now, &by_model(), &[], &edited(quorum(false, false)));
        assert!(matches!(refused, Err(Refusal::OwnEdit { .. })), "{refused:?}");
    }

    #[test]
    fn only_the_groups_that_are_asked_count_and_each_once() {
        let now = Timestamp::default();
        let of = vec!["sre".to_owned(), "dba".to_owned()];
        let terms = || Terms {
            quorum: Quorum { of: of.clone(), count: Count::Groups, ..Quorum::people(2) },
            ..Terms::people(1, 2)
        };
        let in_groups = |by: &str, groups: &[&str]| Attempt {
            stands_for: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..held_to(terms(), by)
        };
        let ann = Decision { stands_for: vec!["sre".into()], ..counted(actor("user:ann", None)) };
        let prior = [ann];
        let judged = |attempt: &Attempt| judge(now, &by_model(), &prior, attempt);
        assert!(matches!(judged(&in_groups("tom", &["web"])), Err(Refusal::NotAsked { .. })));
        assert!(matches!(judged(&in_groups("bob", &["sre"])), Err(Refusal::GroupCounted { .. })));
        assert_eq!(judged(&in_groups("bob", &["sre", "dba"])), Ok(Verdict::Approved { have: 2 }));
    }

    #[test]
    fn the_approval_of_somebody_who_may_decide_no_more_does_not_count() {
        let (gone, gones_token) = (actor("user:gone", None), actor("token:t", Some("user:gone")));
        let able = ["user:p", "user:q"].map(|id| (ActorId::new(id), Vec::new()));
        let standing = Standing { able: able.into(), ..Standing::default() };
        let rejected = Decision { verb: Verb::Reject, ..counted(gone.clone()) };
        let all = vec![counted(gone), counted(gones_token), counted(actor("user:p", None)), rejected];
        let kept: Vec<_> = counting(all, &standing).into_iter().map(|d| (d.actor.name, d.verb)).collect();
        assert_eq!(kept, [("user:p".to_owned(), Verb::Approve), ("user:gone".to_owned(), Verb::Reject)]);
        let prior = counting(vec![counted(actor("user:gone", None))], &standing);
        let verdict =
            judge(Timestamp::default(), &proposed_by(actor("token:m", None)), &prior, &approval(actor("user:q", None)));
        assert_eq!(verdict, Ok(Verdict::Waiting { have: 1 }));
    }

    #[test]
    fn what_was_approved_before_the_policy_was_put_in_force_does_not_count() {
        let at = |ms| Decision { at: Timestamp::from_millis(ms), ..counted(actor("user:ann", None)) };
        let able = [(ActorId::new("user:ann"), Vec::new())];
        let standing = Standing { since: Timestamp::from_millis(500), able: able.into() };
        assert_eq!(counting(vec![at(499), at(500)], &standing), [at(500)]);
    }

    #[test]
    fn who_has_left_a_group_stands_for_it_no_more() {
        let names = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect::<Vec<String>>();
        let of = |groups: &[&str]| Decision { stands_for: names(groups), ..counted(actor("user:ann", None)) };
        let able = [(ActorId::new("user:ann"), names(&["sre", "web"]))];
        let standing = Standing { able: able.into(), ..Standing::default() };
        let all = vec![of(&["sre", "dba"]), of(&["dba"]), of(&[])];
        assert_eq!(counting(all, &standing), [of(&["sre"]), of(&[])], "none is won, and none left is none");
    }
}
