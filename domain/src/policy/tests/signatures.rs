//! Rules that ask who signed.

use super::*;
use crate::signature::Signature;

#[test]
fn what_nobody_could_verify_lets_nothing_pass() {
    let policy = with_rules(&json!([
        { "name": "signed", "match": { "signed": true }, "approvals": 1 },
        { "name": "unsigned", "match": { "signed": false, "environment": "production" }, "grant": "never" },
        { "name": "rest", "approvals": 2 },
    ]));
    assert!(policy.asks_for_signatures());
    for signature in Signature::ALL {
        let ruling = judge(&policy, 1, &Facts { signature, ..facts() }, &Words);
        let rule = if signature == Signature::Verified { "signed" } else { "unsigned" };
        assert_eq!(ruling.terms.rule, rule, "{signature:?}");
    }
    assert!(!with_rules(&json!([{ "name": "rest", "approvals": 1 }])).asks_for_signatures());
}

#[test]
fn a_rule_that_requires_a_signature_lets_nobody_approve_without() {
    let rules = json!([
        { "name": "prod", "match": { "environment": "production" }, "approvals": 2, "require_signature": true },
        { "name": "rest", "approvals": 1 },
    ]);
    let policy = with_rules(&rules);
    assert!(policy.asks_for_signatures());
    for signature in Signature::ALL {
        let ruling = judge(&policy, 1, &Facts { signature, ..facts() }, &Words);
        let (grant, approvals) = if signature == Signature::Verified { (Grant::People, 2) } else { (Grant::Never, 0) };
        assert_eq!((ruling.terms.grant, ruling.terms.rule.as_str()), (grant, "prod"), "{signature:?}");
        assert_eq!(
            ruling.ticket_terms().approvals,
            approvals,
            "the ticket says it, so it is another one once that changes"
        );
        assert!(ruling.explanation().contains("it asks for signed images"), "{}", ruling.explanation());
        assert!(ruling.terms.signed, "it is asked again when it starts");
    }
    let missing = judge(&policy, 1, &Facts { signature: Signature::Missing, ..facts() }, &Words);
    assert!(missing.explanation().starts_with("Nobody can approve this: rule prod"), "{}", missing.explanation());
    assert!(missing.explanation().contains("what runs is not signed"), "{}", missing.explanation());
    assert_eq!(policy.in_words()[0].asks, ["Only what somebody trusted signed."]);
    let stored = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
}

#[test]
fn of_several_namespaces_the_rule_that_requires_a_signature_stops_it() {
    let policy = with_rules(&json!([
        { "name": "dev", "match": { "namespace": "dev" }, "approvals": 1 },
        { "name": "rest", "approvals": 1, "require_signature": true },
    ]));
    let judged = |signature| {
        let facts = Facts { namespaces: vec!["dev".into(), "payments".into()], signature, ..facts() };
        judge(&policy, 1, &facts, &Words).terms.grant
    };
    assert_eq!((judged(Signature::Verified), judged(Signature::Unknown)), (Grant::People, Grant::Never));
    let facts = Facts { namespaces: vec!["dev".into(), "payments".into()], ..facts() };
    assert!(judge(&policy, 1, &facts, &Words).terms.signed, "whichever of the rules asks for it");
}

#[test]
fn an_automatic_rule_can_require_a_signature_and_never_the_lack_of_one() {
    let mut rule = automatic();
    rule["require_signature"] = json!(true);
    let policy = with_rules(&json!([rule, { "name": "rest", "approvals": 1 }]));
    let judged = |signature| judge(&policy, 1, &Facts { signature, ..facts() }, &Words).terms.grant;
    assert_eq!((judged(Signature::Verified), judged(Signature::Unknown)), (Grant::Automatic, Grant::Never));
    let mut rule = automatic();
    rule["match"]["signed"] = json!(false);
    let document = json!({ "name": "p", "rules": [rule, { "name": "rest", "approvals": 1 }] });
    assert_eq!(faults(&document), [("/rules/0/match/signed".to_owned(), "not_allowed".to_owned())]);
    let never = json!({ "name": "p", "rules": [{ "name": "rest", "grant": "never", "require_signature": true }] });
    assert_eq!(faults(&never), [("/rules/0/require_signature".to_owned(), "not_allowed".to_owned())]);
}
