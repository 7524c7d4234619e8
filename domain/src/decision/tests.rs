//! The rule of decisions, case by case.

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
    assert_eq!(judge(now, &by_model(), &[], &people), Ok(Verdict::Waiting { have: 1 }), "people as many as it says");
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
