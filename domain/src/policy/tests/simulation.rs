//! What would have been under another policy.

use super::*;
use crate::{
    identity::Actor,
    ids::RecommendationId,
    policy::simulate::{Approval, Came, Effect, Past, Ran, differences},
    time::Timestamp,
};

fn at(minutes: i64) -> Timestamp {
    // Monday, the 23rd of November 2026.
    Timestamp::parse("2026-11-23T12:00:00Z").unwrap().plus_ms(minutes * 60_000)
}

fn approval(name: &str, minutes: i64) -> Approval {
    let person = ActorId::new(format!("user:{name}"));
    let voter = Voter { person: person.clone(), name: name.into(), roles: vec![Role::Operator] };
    Approval { actor: Actor::new(person, name), at: at(minutes), voter }
}

fn past(id: &str, came: Came, approvals: Vec<Approval>) -> Past {
    let run = (came == Came::Approved).then(|| Ran {
        object: "sandbox/production/Deployment/my-app".into(),
        from: approvals.last().map_or(at(0), |last| last.at),
        to: Some(at(10)),
        began: true,
    });
    Past {
        id: RecommendationId::new(id),
        headline: "my-app is full".into(),
        came_at: at(0),
        requester: ActorId::new("token:holmes"),
        last_editor: None,
        facts: facts(),
        came,
        approvals,
        run,
    }
}

fn effects(rules: &Value, past: &[Past]) -> Vec<(Effect, String)> {
    let found = differences(&with_rules(rules), 2, past, &Words);
    found.into_iter().map(|one| (one.effect, one.would)).collect()
}

#[test]
fn only_what_would_have_been_otherwise_is_told() {
    let one = [approval("ann", 2)];
    let same = [
        past("a", Came::Approved, one.to_vec()),
        past("r", Came::Rejected { by: "eve".into() }, vec![]),
        past("e", Came::Expired, vec![]),
    ];
    assert_eq!(effects(&json!([{ "name": "rest", "approvals": 1 }]), &same), []);
    assert_eq!(effects(&json!([{ "name": "rest", "grant": "never" }]), &same[1..]), []);
    let never = effects(&json!([{ "name": "rest", "grant": "never" }]), &same);
    assert_eq!(never, [(Effect::Stricter, "nobody could have approved it".to_owned())]);
    let two = effects(&json!([{ "name": "rest", "approvals": 2 }]), &same);
    assert_eq!(two, [(Effect::Stricter, "still waiting: 1 of 2 approvals".to_owned())]);
}

#[test]
fn who_would_not_have_counted_is_told() {
    let edited =
        Past { last_editor: Some(ActorId::new("user:ann")), ..past("a", Came::Approved, vec![approval("ann", 2)]) };
    let editor = json!([{ "name": "rest", "approvals": { "need": 1, "last_editor_counts": false } }]);
    assert_eq!(effects(&editor, &[edited]).len(), 1);
    let of_dba = json!([{ "name": "rest", "approvals": { "need": 1, "of": "dba" } }]);
    assert_eq!(effects(&of_dba, &[past("a", Came::Approved, vec![approval("ann", 2)])]).len(), 1);
    assert_eq!(effects(&of_dba, &[past("a", Came::Approved, vec![approval("bob", 2)])]), []);
}

#[test]
fn what_would_have_run_by_itself_is_told_whatever_came_of_it() {
    let rules = json!([automatic(), { "name": "rest", "approvals": 1 }]);
    let all = [
        past("a", Came::Approved, vec![approval("ann", 2)]),
        past("r", Came::Rejected { by: "eve".into() }, vec![]),
        past("e", Came::Expired, vec![]),
        past("p", Came::Approved, vec![Approval { actor: Actor::policy("p", 1), ..approval("policy", 0) }]),
    ];
    let found = effects(&rules, &all);
    assert_eq!(found.len(), 3, "the one that did run by itself is no difference: {found:?}");
    assert_eq!(found[0], (Effect::Automatic, "run by itself as soon as it came in, 2m 00s earlier".to_owned()));
    let people = effects(&json!([{ "name": "rest", "approvals": 1 }]), &all[3..]);
    assert_eq!(people, [(Effect::Stricter, "still waiting: 0 of 1 approvals".to_owned())]);
}

#[test]
fn fewer_approvals_and_those_that_were_not_enough_are_told() {
    let two = past("a", Came::Approved, vec![approval("ann", 2), approval("bob", 5)]);
    let late = past("e", Came::Expired, vec![approval("ann", 2)]);
    let found = effects(&json!([{ "name": "rest", "approvals": 1 }]), &[two, late]);
    assert_eq!(found[0], (Effect::Looser, "run with 1 of its 2 approvals".to_owned()));
    assert_eq!(found[1], (Effect::Looser, "run with the approvals that it had".to_owned()));
}

#[test]
fn freezes_deadlines_and_other_runs_are_told() {
    let rule = |more: Value| {
        let mut rule = json!({ "name": "rest", "approvals": 1 });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([rule])
    };
    let friday = 4 * 24 * 60 + 7 * 60;
    let in_freeze = past("a", Came::Approved, vec![approval("ann", friday)]);
    let found = effects(&rule(json!({ "freeze": "weekend" })), &[in_freeze]);
    assert_eq!(found[0].1, "refused then: weekend until 2026-11-30T06:00:00.000Z");
    let slow = past("a", Came::Approved, vec![approval("ann", 20)]);
    assert_eq!(effects(&rule(json!({ "expires": "10m" })), &[slow])[0].1, "refused then: its time was over");
    let first = past("a", Came::Approved, vec![approval("ann", 2)]);
    let beside = past("b", Came::Approved, vec![approval("ann", 5)]);
    let both = [beside, first.clone()];
    assert_eq!(effects(&rule(json!({ "one_at_a_time": true })), &both).len(), 1, "the first one was alone");
    let after = past("b", Came::Approved, vec![approval("ann", 15)]);
    let after = Past { run: after.run.map(|run| Ran { to: Some(at(20)), ..run }), ..after };
    let both = [after, first];
    assert_eq!(effects(&rule(json!({ "one_at_a_time": true })), &both), []);
    let cooled = effects(&rule(json!({ "cool_down": "10m" })), &both);
    assert_eq!(cooled.len(), 1);
    assert!(cooled[0].1.contains("a short time before"), "{cooled:?}");
}
