//! Approval policies: what their pages must say before anything is put in force.

use crate::{html, samples::NOW};
use app::{
    FormOutcome,
    pages::{
        reauthentication,
        settings::policies::{
            self, CHECKED, YAML, policies_page,
            version::{self, Done, version_page},
        },
    },
    query::Query,
};
use domain::{
    fault::Fault,
    identity::{Actor, Caller, Role, Way},
    ids::{ActorId, Digest, RecommendationId},
    paging::PageOf,
    policy::{
        Conditions, DEFAULT_YAML, Facts, Policy, read,
        simulate::{Difference, Effect, Simulation},
    },
    ports::{PolicyOrigin, PolicyRecord, PolicyState},
};
use http::StatusCode;
use serde_json::{Value, json};

struct Known;

impl Conditions for Known {
    fn check(&self, _: &str) -> Option<String> {
        None
    }

    fn holds(&self, _: &str, _: &Facts) -> Result<bool, String> {
        Ok(true)
    }
}

fn caller(role: Role) -> Caller {
    let actor = Actor::new(ActorId::new("user:1"), "mara");
    Caller {
        actor,
        roles: vec![role],
        request_id: String::new(),
        route: String::new(),
        way: Way::default(),
        session: None,
    }
}

fn policy(document: &Value) -> Policy {
    read(document, &Known).unwrap_or_else(|faults| panic!("{faults}"))
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

/// A policy in which something runs by itself and two must agree to change it.
fn careful() -> Policy {
    policy(&json!({
        "name": "careful",
        "activation": { "approvals": 2 },
        "groups": { "sre": ["mara", "role:admin"] },
        "rules": [
            { "name": "known", "grant": "automatic",
              "match": { "risk": "low", "confidence": { "at_least": 0.9 },
                         "measured_success": { "at_least": 0.95, "runs": 20 }, "when": "origin == 'model' && 1 < 2" } },
            { "name": "rest", "approvals": { "need": 2, "of": "sre" } },
        ],
    }))
}

fn record(version: u32, state: PolicyState, policy: Policy, yaml: &str) -> PolicyRecord {
    PolicyRecord {
        version,
        state,
        origin: PolicyOrigin::Console,
        policy,
        yaml: yaml.into(),
        digest: Digest::from_bytes([7; 32]),
        made_by: Actor::new(ActorId::new("user:2"), "ada"),
        made_at: NOW,
        agreed: vec![],
        activated_at: (state != PolicyState::Draft).then_some(NOW),
        retired_at: None,
    }
}

fn active() -> PolicyRecord {
    record(1, PolicyState::Active, the_default(), DEFAULT_YAML)
}

fn draft() -> PolicyRecord {
    record(2, PolicyState::Draft, careful(), "name: careful\nrules: []\n")
}

fn list(role: Role, file: Option<&str>, form: FormOutcome, typed: Option<Policy>) -> String {
    let shown = policies::Shown {
        active: active(),
        list: PageOf { items: vec![draft(), active()], next_cursor: None },
        file: file.map(str::to_owned),
        start: DEFAULT_YAML.into(),
        typed: typed.map(|policy| (policy, vec!["nobody".to_owned()])),
    };
    html(|| policies_page(shown, caller(role), form, Query::default(), vec![], NOW)).replace("<!>", "")
}

fn one(role: Role, change: impl FnOnce(&mut version::Shown), form: FormOutcome) -> String {
    let mut shown =
        version::Shown { record: draft(), active: active(), unknown: vec![], found: None, file: None, done: None };
    change(&mut shown);
    html(|| version_page(shown, caller(role), form, vec![], NOW)).replace("<!>", "")
}

#[test]
fn the_policy_in_force_is_read_in_words_and_the_next_begins_with_it() {
    let page = list(Role::Admin, None, FormOutcome::default(), None);
    for part in [
        "In force: default, version 1",
        "risk high",
        "Two different people must approve.",
        "everything else",
        "One person must approve.",
        "href=\"/settings/policies/2\"",
        "Draft",
        "name=\"yaml\"",
        "name: high-risk",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("without anybody"), "the default never acts by itself: {page}");
}

#[test]
fn who_may_not_write_and_what_is_kept_in_a_file_has_no_form() {
    let reads = list(Role::Auditor, None, FormOutcome::default(), None);
    assert!(reads.contains("risk high") && !reads.contains("name=\"yaml\""), "{reads}");
    let file = list(Role::Admin, Some("/etc/<policy>.yaml"), FormOutcome::default(), None);
    assert!(file.contains("/etc/&lt;policy&gt;.yaml") && !file.contains("name=\"yaml\""), "{file}");
    let file = one(Role::Admin, |shown| shown.file = Some("p.yaml".into()), FormOutcome::default());
    assert!(!file.contains("name=\"reason\"") && file.contains("start the console again"), "{file}");
}

#[test]
fn faults_stand_with_their_lines_and_what_was_typed_stays() {
    let yaml = "name: x\nrules:\n  - name: all\n    aprovals: 1\n</textarea><script>";
    let form = FormOutcome {
        fields: vec![(YAML.into(), yaml.into())],
        faults: vec![
            Fault::new("/rules/0/aprovals", "unknown_field", "there is no aprovals: did you mean approvals?"),
            Fault::new("", "yaml_syntax", "this is no YAML"),
        ],
        code: "invalid".into(),
        status: StatusCode::UNPROCESSABLE_ENTITY,
        ..FormOutcome::default()
    };
    let page = list(Role::Admin, None, form, None);
    assert!(page.contains("2 things to mend") && page.contains("Line 4 "), "{page}");
    assert!(page.contains("did you mean approvals?") && page.contains("And 1 more."), "{page}");
    assert!(page.contains("    aprovals: 1\n&lt;/textarea&gt;&lt;script&gt;"), "{page}");
}

#[test]
fn what_was_checked_is_read_back_in_words() {
    let form = FormOutcome {
        fields: vec![(YAML.into(), "name: careful".into())],
        code: CHECKED.into(),
        status: StatusCode::OK,
        ..FormOutcome::default()
    };
    let page = list(Role::Admin, None, form, Some(careful()));
    assert!(page.contains("It can be read. Nothing was stored"), "{page}");
    for part in
        ["confidence at least 0.9", "origin == 'model' &amp;&amp; 1 &lt; 2", "Group sre", "two different admins"]
    {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "{part}: {page}");
    }
    assert!(page.contains("Some of it may run without anybody"), "{page}");
}

#[test]
fn a_version_is_shown_against_the_one_in_force() {
    let page = one(Role::Admin, |_| {}, FormOutcome::default());
    assert!(page.contains("Against version 1, which is in force"), "{page}");
    assert!(page.contains("removed: ") && page.contains("added: "), "{page}");
    assert!(page.contains("action=\"/settings/policies/2/activate\"") && page.contains("name=\"reason\""), "{page}");
    assert!(page.contains("href=\"/settings/policies/2?simulate=1#simulator\""), "{page}");
    let own = one(Role::Admin, |shown| shown.record = active(), FormOutcome::default());
    assert!(!own.contains("name=\"reason\"") && !own.contains("Against version"), "nothing to put in force: {own}");
    let reads = one(Role::Auditor, |_| {}, FormOutcome::default());
    assert!(!reads.contains("name=\"reason\"") && reads.contains("simulate=1"), "{reads}");
}

#[test]
fn what_would_have_been_otherwise_is_counted_and_told() {
    let difference = Difference {
        id: RecommendationId::new("001"),
        headline: "my-app <is> killed".into(),
        came_at: NOW.plus_ms(-86_400_000),
        effect: Effect::Automatic,
        was: "approved by ada".into(),
        would: "run by itself as soon as it came in".into(),
        why: "rule known of the policy careful v2".into(),
    };
    let simulation = Simulation { version: 2, days: 90, judged: 12, cut: true, differences: vec![difference] };
    let found = simulation.clone();
    let page = one(Role::Auditor, |shown| shown.found = Some(found), FormOutcome::default());
    for part in [
        "Of 12 in the last 90 days, 1 would have run without anybody.",
        "these are the newest 12",
        "href=\"/recommendations/001\"",
        "my-app &lt;is&gt; killed",
        "approved by ada",
        "By itself",
        "rule known of the policy careful v2",
        "Try it again",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let many = vec![simulation.differences[0].clone(); 203];
    let found = Simulation { differences: many, ..simulation.clone() };
    let page = one(Role::Auditor, |shown| shown.found = Some(found), FormOutcome::default());
    assert!(page.contains("3 older ones are left out here"), "{page}");
    let nothing = Simulation { judged: 0, cut: false, differences: vec![], ..simulation };
    let page = one(Role::Auditor, |shown| shown.found = Some(nothing), FormOutcome::default());
    assert!(page.contains("Nothing was decided and nothing expired in the last 90 days."), "{page}");
}

#[test]
fn where_two_must_agree_each_sees_who_did() {
    let two = |shown: &mut version::Shown| shown.active.policy.activation = 2;
    let page = one(Role::Admin, two, FormOutcome::default());
    assert!(page.contains("two different admins; nobody has agreed yet") && page.contains("Agree to put it in force"));
    let ada = |shown: &mut version::Shown| {
        two(shown);
        shown.record.agreed = vec![Actor::new(ActorId::new("user:2"), "ada")];
    };
    let page = one(Role::Admin, ada, FormOutcome::default());
    assert!(page.contains("two different admins; ada agreed") && page.contains("name=\"reason\""), "{page}");
    let mine = |shown: &mut version::Shown| {
        two(shown);
        shown.record.agreed = vec![Actor::new(ActorId::new("user:1"), "mara")];
        shown.done = Some(Done::Agreed);
    };
    let page = one(Role::Admin, mine, FormOutcome::default());
    assert!(page.contains("You agreed already") && page.contains("It is in force once others do"), "{page}");
    assert!(!page.contains("name=\"reason\""), "{page}");
}

#[test]
fn names_that_no_account_has_are_told_where_a_policy_is_read_and_checked() {
    let warning = "No account has these names of its groups: nobody.";
    let form = FormOutcome {
        fields: vec![(YAML.into(), DEFAULT_YAML.into())],
        code: CHECKED.into(),
        ..FormOutcome::default()
    };
    let checked = list(Role::Admin, None, form, Some(careful()));
    assert!(checked.contains(warning), "{checked}");
    assert!(!list(Role::Admin, None, FormOutcome::default(), None).contains(warning));
    let read = one(Role::Auditor, |shown| shown.unknown = vec!["nobody".into()], FormOutcome::default());
    assert!(read.contains(warning), "{read}");
    assert!(!one(Role::Auditor, |_| {}, FormOutcome::default()).contains("No account has"));
}

#[test]
fn who_is_asked_for_the_password_first_reads_what_it_is_for() {
    let form = FormOutcome {
        fields: vec![("reason".into(), "agreed".into())],
        action: Some("/settings/policies/2/activate".into()),
        ..FormOutcome::default()
    };
    let page = html(|| reauthentication::reauthentication_page(form, &caller(Role::Admin))).replace("<!>", "");
    for part in [
        "Version 2 of the policy",
        "agreed",
        "Sign in again and put it in force",
        "action=\"/settings/policies/2/activate\"",
        "href=\"/settings/policies/2\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("approve"), "{page}");
}

#[test]
fn who_changes_an_account_types_its_new_password_once_more_and_it_is_never_sent_back() {
    let asked = |action: &str, fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let form = FormOutcome { fields, action: Some(action.into()), ..FormOutcome::default() };
        html(|| reauthentication::reauthentication_page(form, &caller(Role::Admin))).replace("<!>", "")
    };
    let page = asked("/settings/accounts", &[("name", "vera"), ("role.viewer", "on"), ("password", "")]);
    for part in [
        "Make the account",
        "vera",
        "name=\"role.viewer\" value=\"on\"",
        "once more",
        "Back, without changing anything",
        "href=\"/settings/accounts\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches("name=\"password\"").count(), 1, "{page}");
    let page = asked("/settings/tokens", &[("name", "deploy")]);
    assert!(page.contains("Make the token") && page.contains("href=\"/settings/tokens\""), "{page}");
    assert!(!page.contains("name=\"password\""), "{page}");
    let page = asked("/settings/groups/block", &[("group", "contractors")]);
    for part in ["Block the group", "contractors", "href=\"/settings/accounts\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(asked("/settings/accounts/user%3A1/sessions", &[]).contains("End its sessions"));
    let page = asked("/settings/accounts/user%3A1/disable", &[]);
    assert!(page.contains("Disable it") && page.contains("href=\"/settings/accounts\""), "{page}");
}

#[test]
fn an_address_says_nothing_that_is_not_so() {
    let page = |done| one(Role::Admin, |shown| shown.done = Some(done), FormOutcome::default());
    assert!(page(Done::Kept).contains("It is kept, and changes nothing yet"));
    assert!(!page(Done::Active).contains("It is in force."), "{}", page(Done::Active));
    assert!(!page(Done::Agreed).contains("You agree."));
}
