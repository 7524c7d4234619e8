//! Policies as a whole: how documents are read, and which rule decides.

mod signatures;
mod simulation;

use super::*;
use crate::{fault::Fault, ids::ActorId};
use serde_json::{Value, json};

/// Knows the conditions "true" and "false"; "broken" fails when it is asked.
struct Words;

impl Conditions for Words {
    fn check(&self, condition: &str) -> Option<String> {
        (!["true", "false", "broken"].contains(&condition)).then(|| "this is no condition".to_owned())
    }

    fn holds(&self, condition: &str, _: &Facts) -> Result<bool, String> {
        condition.parse().map_err(|_| "it is broken".to_owned())
    }
}

fn policy(document: &Value) -> Policy {
    read(document, &Words).unwrap_or_else(|faults| panic!("{faults}"))
}

fn with_rules(rules: &Value) -> Policy {
    policy(&json!({
        "name": "p", "rules": rules,
        "groups": { "sre": ["ann", "bob"], "dba": ["bob", "role:admin"] },
        "freezes": [{ "name": "weekend", "weekly": { "from": "Fri 18:00", "to": "Mon 06:00" } }],
    }))
}

fn faults(document: &Value) -> Vec<(String, String)> {
    let found = read(document, &Words).expect_err("it has faults");
    found.into_iter().map(|Fault { pointer, code, .. }| (pointer, code.into_owned())).collect()
}

fn facts() -> Facts {
    let [full, _] = Facts::samples();
    full
}

fn the_default() -> Policy {
    policy(&json!({
        "name": "default",
        "rules": [
            { "name": "high-risk", "match": { "risk": "high" }, "approvals": 2 },
            { "name": "everything-else", "approvals": 1 },
        ],
    }))
}

#[test]
fn the_default_policy_asks_one_and_two_for_high_risk_and_never_acts_by_itself() {
    for risk in Risk::ALL {
        let ruling = judge(&the_default(), 1, &Facts { risk, ..facts() }, &Words);
        assert_eq!(ruling.terms.grant, Grant::People);
        assert_eq!(ruling.ticket_terms().approvals, PolicyTerms::default_for(risk).approvals);
        assert_eq!(ruling.risk, risk);
        assert!(ruling.terms.freezes.is_empty() && ruling.terms.guard.is_none());
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policy = with_rules(&json!([
        { "name": "never-here", "match": { "environment": ["staging", "prod*"], "playbook": "oomkill-*" }, "grant": "never" },
        { "name": "two", "match": { "severity": ["high", "critical"] }, "approvals": 2 },
        { "name": "rest", "approvals": 1 },
    ]));
    let rule = |facts: Facts| judge(&policy, 1, &facts, &Words).terms.rule;
    assert_eq!(rule(facts()), "never-here");
    assert_eq!(rule(Facts { playbook: Some("disk".into()), ..facts() }), "two");
    assert_eq!(rule(Facts { environment: None, ..facts() }), "two");
    assert_eq!(rule(Facts { environment: None, severity: Severity::Low, ..facts() }), "rest");
}

#[test]
fn what_acts_in_several_namespaces_is_held_to_the_strictest_of_their_rules() {
    let policy = with_rules(&json!([
        { "name": "playground", "match": { "namespace": "dev" }, "approvals": 1, "cool_down": "1h" },
        { "name": "wages", "match": { "namespace": "pay*" }, "approvals": { "need": 2, "of": "sre" }, "freeze": "weekend" },
        { "name": "data", "match": { "namespace": "db" }, "approvals": { "need": 2, "of": "dba" } },
        { "name": "closed", "match": { "namespace": "vault" }, "grant": "never" },
        { "name": "rest", "approvals": 2 },
    ]));
    let ruling = |namespaces: &[&str]| {
        let namespaces = namespaces.iter().map(|&name| name.to_owned()).collect();
        judge(&policy, 1, &Facts { namespaces, ..facts() }, &Words)
    };
    let told = |namespaces: &[&str]| ruling(namespaces).terms.rule;
    assert_eq!((told(&["dev"]), told(&[])), ("playground".into(), "rest".into()));
    assert_eq!((told(&["dev", "web"]), told(&["web", "dev"])), ("rest".into(), "rest".into()));
    assert_eq!(told(&["dev", ""]), "rest", "some of it may be anywhere");
    assert_eq!(told(&["dev", "vault", "db", "pay"]), "closed");
    let both = ruling(&["dev", "pay"]);
    assert_eq!((both.terms.rule.as_str(), both.terms.freezes.len()), ("wages", 1));
    assert_eq!(both.terms.guard.cool_down_ms, 3_600_000, "and to all that the others ask of time");
    assert_eq!(ruling(&["dev", "web", "pay"]).terms.rule, "wages");
    assert_eq!(ruling(&["dev"; 51]).terms.grant, Grant::Never);
    let torn = ruling(&["pay", "db"]);
    assert_eq!(torn.terms.grant, Grant::Never);
    assert!(torn.trouble.as_deref().is_some_and(|why| why.contains("wages, data")), "{torn:?}");
}

#[test]
fn patterns_have_stars() {
    for (pattern, text, fits) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "a", true),
        ("*", "", true),
        ("team-*-eu", "team-x-eu", true),
        ("team-*-eu", "team-eu", false),
        ("*a*b", "xaab", true),
        ("*a*b", "xba", false),
    ] {
        assert_eq!(crate::text::like(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn nothing_measured_and_nothing_said_never_holds() {
    let policy = with_rules(&json!([
        { "name": "known", "match": { "measured_success": { "at_least": 0.0, "runs": 20 } }, "approvals": 1 },
        { "name": "bad", "match": { "measured_success": { "below": 1.0, "runs": 1 } }, "approvals": 3 },
        { "name": "sure", "match": { "confidence": { "at_least": 0.0 } }, "approvals": 1 },
        { "name": "rest", "approvals": 2 },
    ]));
    let rule = |measured, confidence| {
        let facts = Facts { confidence, measured, ..facts() };
        judge(&policy, 1, &facts, &Words).terms.rule
    };
    assert_eq!(rule(Measure::of(20, 20), None), "known");
    assert_eq!(rule(Measure::of(19, 18), None), "bad");
    assert_eq!(rule(None, Some(0.0)), "sure");
    assert_eq!(rule(None, None), "rest");
}

fn automatic() -> Value {
    json!({
        "name": "sure", "grant": "automatic",
        "match": {
            "risk": ["low", "medium"], "confidence": { "at_least": 0.9 },
            "measured_success": { "at_least": 0.95, "runs": 20 },
        },
    })
}

#[test]
fn what_is_automatic_is_never_of_high_risk_and_says_what_it_needs() {
    let mut rule = automatic();
    assert_eq!(
        judge(&with_rules(&json!([rule, { "name": "rest", "approvals": 1 }])), 1, &facts(), &Words).terms.grant,
        Grant::Automatic
    );
    rule["match"] = json!({ "risk": "high", "measured_success": { "below": 1.0, "runs": 1 } });
    let document = json!({ "name": "p", "rules": [rule, { "name": "rest", "approvals": 1 }] });
    let expected = ["risk", "confidence", "measured_success"];
    let expected = expected.map(|field| (format!("/rules/0/match/{field}"), "required".to_owned()));
    assert_eq!(faults(&document), expected);
    let bare = json!({ "name": "p", "rules": [{ "name": "all", "grant": "automatic" }] });
    assert_eq!(
        faults(&bare),
        vec![("/rules/0/match".to_owned(), "required".to_owned()); 3],
        "a place that can be there"
    );
    // A stored one that says so all the same.
    let mut stored = the_default();
    stored.rules[0].grant = Grant::Automatic;
    let ruling = judge(&stored, 1, &Facts { risk: Risk::High, ..facts() }, &Words);
    assert_eq!((ruling.terms.grant, ruling.terms.quorum.need), (Grant::People, 2));
}

#[test]
fn a_condition_that_fails_lets_nothing_pass() {
    let mut sure = automatic();
    sure["match"]["when"] = json!("broken");
    let policy = with_rules(
        &json!([sure, { "name": "odd", "match": { "when": "broken" }, "approvals": 1 }, { "name": "rest", "approvals": 1 }]),
    );
    let ruling = judge(&policy, 4, &facts(), &Words);
    assert_eq!(
        (ruling.terms.grant, ruling.terms.rule.as_str()),
        (Grant::Never, "odd"),
        "the automatic one is passed over"
    );
    assert!(ruling.explanation().starts_with("Nobody can approve this until the policy p v4 is mended"));
    let policy = with_rules(&json!([
        { "name": "no", "match": { "when": "false" }, "approvals": 3 },
        { "name": "yes", "match": { "when": "true" }, "approvals": 2 },
        { "name": "rest", "approvals": 1 },
    ]));
    assert_eq!(judge(&policy, 1, &facts(), &Words).terms.rule, "yes");
}

#[test]
fn every_fault_is_told_at_its_place() {
    let document = json!({
        "name": "No Name", "activation": { "approvals": 0 }, "owner": "me",
        "groups": { "sre": ["ann", "role:root"], "Bad": [] },
        "freezes": [{ "name": "f", "weekly": { "from": "Fri", "to": "Mon 06:00" }, "once": { "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" } }],
        "rules": [
            { "name": "a", "match": { "enviroment": "x", "severity": "awful", "when": "what?" }, "approvals": 2, "expires": "5s" },
            { "name": "b", "grant": "never", "approvals": 1 },
            { "name": "c" },
        ],
    });
    let mut found = faults(&document);
    found.sort();
    let mut expected = [
        ("/activation/approvals", "out_of_range"),
        ("/freezes/0", "required"),
        ("/freezes/0/once/to", "out_of_range"),
        ("/freezes/0/weekly/from", "malformed"),
        ("/groups/Bad", "malformed"),
        ("/groups/Bad", "too_few"),
        ("/groups/sre/1", "not_allowed"),
        ("/name", "malformed"),
        ("/owner", "unknown_field"),
        ("/rules/0/expires", "out_of_range"),
        ("/rules/0/match/enviroment", "unknown_field"),
        ("/rules/0/match/severity", "not_allowed"),
        ("/rules/0/match/when", "condition"),
        ("/rules/1/approvals", "not_allowed"),
        ("/rules/2/approvals", "required"),
    ]
    .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    expected.sort();
    assert_eq!(found, expected);
    let told = read(&document, &Words).expect_err("faults").to_string();
    assert!(told.contains("more"), "{told}");
}

#[test]
fn rules_fit_together() {
    let document = json!({
        "name": "p", "groups": { "sre": ["ann", "bob"] },
        "freezes": [{ "name": "weekend", "weekly": { "from": "Fri 18:00", "to": "Mon 06:00" } }],
        "rules": [
            { "name": "a", "approvals": { "need": 3, "of": "sre" }, "freeze": "weekends" },
            { "name": "a", "match": { "risk": "high" }, "approvals": { "need": 2, "of": ["sre", "db"], "count": "groups" } },
        ],
    });
    let expected = [
        ("/rules/1/name", "duplicate"),
        ("/rules/0/match", "unreachable"),
        ("/rules/0/freeze/0", "unknown_freeze"),
        ("/rules/0/approvals", "unreachable"),
        ("/rules/1", "required"),
        ("/rules/1/approvals/of/1", "unknown_group"),
    ];
    assert_eq!(faults(&document), expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    let hint = read(&document, &Words).expect_err("faults").into_iter().find(|f| f.code == "unknown_freeze").unwrap();
    assert!(hint.message.contains("did you mean \"weekend\"?"), "{hint}");
}

#[test]
fn what_was_stored_is_read_back_as_it_was() {
    let policy = policy(&json!({
        "name": "p", "description": "For us.", "activation": { "approvals": 2 },
        "groups": { "sre": ["ann", "role:admin"], "dba": ["bob"] },
        "freezes": [{ "name": "year-end", "once": { "from": "2026-12-20T00:00:00Z", "to": "2027-01-03T00:00:00Z" } }],
        "rules": [
            automatic(),
            {
                "name": "prod", "why": "It pays our wages.", "match": { "environment": "production", "when": "true" },
                "approvals": { "need": 2, "of": ["sre", "dba"], "count": "groups", "last_editor_counts": false },
                "expires": "30m", "freeze": "year-end", "cool_down": "1h",
            },
            { "name": "rest", "approvals": 1, "one_at_a_time": true },
        ],
    }));
    let stored = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
    assert_eq!(policy.activation, 2);
    let prod = &policy.rules[1];
    assert_eq!((prod.expires_ms, prod.guard.cool_down_ms), (Some(1_800_000), 3_600_000));
    assert!(prod.guard.one_at_a_time && policy.rules[2].guard.one_at_a_time && policy.rules[2].guard.cool_down_ms == 0);
}

#[test]
fn groups_are_people_and_roles() {
    let policy = with_rules(&json!([{ "name": "rest", "approvals": 1 }]));
    let voter =
        |name: &str, roles: Vec<Role>| Voter { person: ActorId::new(format!("user:{name}")), name: name.into(), roles };
    assert_eq!(policy.groups_of(&voter("bob", vec![])), ["dba", "sre"]);
    assert_eq!(policy.groups_of(&voter("eve", vec![Role::Admin])), ["dba"]);
    assert!(policy.groups_of(&voter("role:admin", vec![])).is_empty(), "a name is no role");
}

#[test]
fn people_are_told_why() {
    let policy = with_rules(&json!([
        { "name": "prod", "why": "It pays our wages.", "match": { "environment": "production", "risk": "medium" },
          "approvals": { "need": 2, "of": ["sre", "dba"], "last_editor_counts": false }, "freeze": "weekend", "cool_down": "30m" },
        { "name": "rest", "approvals": 1 },
    ]));
    let ruling = judge(&policy, 3, &facts(), &Words);
    assert_eq!(
        ruling.explanation(),
        "Two different people of sre or dba must approve: rule prod of the policy p v3 (environment production, risk medium)."
    );
    assert_eq!(
        ruling.conditions(),
        [
            "It pays our wages.",
            "Who last edited the parameters does not count.",
            "Not during weekend: every week from Fri 18:00 to Mon 06:00 UTC.",
            "Not before 30m 00s after the end of the last run on the same object.",
        ]
    );
    let rest = judge(&policy, 3, &Facts { environment: None, ..facts() }, &Words);
    assert_eq!(rest.explanation(), "One person must approve: rule rest of the policy p v3 (no other rule is for it).");
}

#[test]
fn rules_are_read_in_words() {
    let policy = with_rules(&json!([
        { "name": "sure", "grant": "automatic",
          "match": { "environment": ["dev", "staging"], "risk": "low", "confidence": { "at_least": 0.9 },
                     "measured_success": { "at_least": 0.95, "runs": 20 }, "when": "true" },
          "approvals": 1, "cool_down": "10m" },
        { "name": "weekends", "match": { "severity": ["low"], "confidence": { "at_least": 0.2, "below": 0.5 } },
          "approvals": { "need": 2, "of": ["dba", "sre"], "last_editor_counts": false }, "freeze": ["weekend"] },
        { "name": "rest", "grant": "never", "why": "Ask the platform team." },
    ]));
    let words = policy.in_words();
    let [sure, weekends, rest] = words.as_slice() else { panic!("three rules: {words:?}") };
    assert_eq!(
        sure.fits,
        [
            "environment dev or staging",
            "risk low",
            "confidence at least 0.9",
            "measured success at least 0.95 over 20 runs or more"
        ]
    );
    assert_eq!(sure.when.as_deref(), Some("true"));
    assert!(sure.who.starts_with("the policy itself") && sure.who.ends_with("one person must approve"), "{}", sure.who);
    assert_eq!(sure.asks, ["Not before 10m 00s after the end of the last run on the same object."]);
    assert_eq!(weekends.fits, ["severity low", "confidence at least 0.2 and below 0.5"]);
    assert_eq!(weekends.who, "two different people of dba or sre must approve");
    assert_eq!(
        weekends.asks,
        [
            "Who last edited the parameters does not count.",
            "Not during weekend: every week from Fri 18:00 to Mon 06:00 UTC."
        ]
    );
    assert_eq!((rest.fits.len(), rest.who.as_str()), (0, "nobody can approve this"));
    assert_eq!(rest.asks, ["Ask the platform team."]);
}

#[test]
fn what_happens_after_a_run_is_as_the_rule_says_and_nothing_without_a_word() {
    let policy = with_rules(&json!([
        { "name": "dev", "match": { "namespace": "dev" }, "approvals": 1, "recovery": "rollback" },
        { "name": "qa", "match": { "namespace": "qa" }, "approvals": 1, "recovery": "next-strategy" },
        { "name": "rest", "approvals": 1 },
    ]));
    let recovery = |namespaces: &[&str]| {
        let namespaces = namespaces.iter().map(|&name| name.to_owned()).collect();
        judge(&policy, 1, &Facts { namespaces, ..facts() }, &Words).recovery
    };
    assert_eq!((recovery(&["dev"]), recovery(&["qa"])), (Recovery::Rollback, Recovery::NextStrategy));
    assert_eq!(recovery(&["web"]), Recovery::None);
    assert_eq!(recovery(&["dev", "qa"]), Recovery::None, "what not all of its rules say is not said");
    let told = judge(&policy, 1, &Facts { namespaces: vec!["dev".into()], ..facts() }, &Words).conditions();
    assert!(told.iter().any(|words| words.contains("its rollback is proposed by itself")), "{told:?}");
    let wrong = json!({ "name": "p", "rules": [
        { "name": "a", "match": { "risk": "low" }, "grant": "never", "recovery": "rollback" },
        { "name": "b", "approvals": 1, "recovery": "undo" },
    ] });
    assert_eq!(
        faults(&wrong),
        [("/rules/0/recovery".into(), "not_allowed".into()), ("/rules/1/recovery".into(), "not_allowed".into())]
    );
}

#[test]
fn only_a_rule_for_rollbacks_alone_lets_something_pass_without_a_models_word() {
    let rules = |origin: &Value| {
        json!({ "name": "p", "rules": [
            { "name": "auto", "grant": "automatic", "match": {
                "origin": origin, "risk": "low", "measured_success": { "at_least": 0.9, "runs": 5 },
            } },
            { "name": "rest", "approvals": 1 },
        ] })
    };
    let policy = policy(&rules(&json!("rollback")));
    let case = Facts { risk: Risk::Low, confidence: None, origin: "rollback".into(), ..facts() };
    assert_eq!(judge(&policy, 1, &case, &Words).terms.grant, Grant::Automatic);
    let of_model = Facts { origin: "model".into(), confidence: Some(1.0), ..case.clone() };
    assert_eq!(judge(&policy, 1, &of_model, &Words).terms.rule, "rest");
    let unmeasured = Facts { measured: None, ..case };
    assert_eq!(judge(&policy, 1, &unmeasured, &Words).terms.rule, "rest");
    for origin in [json!(["rollback", "model"]), json!("next_strategy"), json!("retry")] {
        assert_eq!(faults(&rules(&origin)), [("/rules/0/match/confidence".into(), "required".into())], "{origin}");
    }
    assert_eq!(faults(&rules(&json!("anybody")))[0], ("/rules/0/match/origin".into(), "not_allowed".into()));
}
