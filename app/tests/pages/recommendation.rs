//! The recommendation page: the regression tests of what others got wrong. What it says of the target stands in `targets.rs`.

use crate::{between, html, samples, tag};
use app::{
    FormOutcome,
    pages::{
        reauthentication,
        recommendation::{Beside, CHECKED, recommendation},
    },
};
use domain::{
    decision::Verb,
    execution::ExecutionState,
    fault::Fault,
    json::diff::Change,
    policy::{Ruling, Terms},
    recommendation::{RecommendationState, Risk},
    services::RecommendationView,
};
use http::StatusCode;
use serde_json::json;

fn page(view: RecommendationView) -> String {
    html(|| recommendation(view, Beside::default(), FormOutcome::default()))
}

#[test]
fn there_is_no_default_reason_and_the_form_carries_the_ticket() {
    let view = samples::view(Risk::Medium);
    let digest = view.ticket.as_ref().unwrap().digest.to_string();
    let page = page(view);
    let reason = page.split("name=\"reason\"").nth(1).unwrap();
    let content = &reason[reason.find('>').unwrap() + 1..reason.find("</textarea>").unwrap()];
    assert_eq!(content.trim(), "", "no default reason");
    assert!(tag(&page, "name=\"ticket_digest\"").contains(&digest));
    assert!(!tag(&page, "value=\"approve\"").contains("disabled"));
    assert!(!page.contains("autofocus"), "focus never starts on a button");
}

#[test]
fn enter_in_a_field_decides_nothing() {
    let page = page(samples::view(Risk::High));
    let form = &page[page.find("id=\"decide\"").unwrap()..];
    let first_button = &form[form.find("<button").unwrap()..];
    let first_button = &first_button[..first_button.find('>').unwrap()];
    assert!(first_button.contains("disabled") && !first_button.contains("decision"), "{first_button}");
}

#[test]
fn high_risk_asks_for_the_name_and_others_do_not() {
    assert!(page(samples::view(Risk::High)).contains("Type my-app to approve"));
    assert!(!page(samples::view(Risk::Medium)).contains("name=\"confirm\""));
}

#[test]
fn a_disabled_button_says_why() {
    let view =
        RecommendationView { cannot_approve: Some("you proposed this yourself".into()), ..samples::view(Risk::Medium) };
    let page = page(view);
    let approve = tag(&page, "value=\"approve\"");
    assert!(approve.contains("disabled") && approve.contains("aria-describedby=\"why-not-approve\""), "{approve}");
    assert!(page.contains("You proposed this yourself."));
    assert!(!tag(&page, "value=\"reject\"").contains("disabled"));
}

#[test]
fn the_models_value_stays_beside_the_operators_and_every_value_says_where_it_is_from() {
    let page = page(samples::view(Risk::Medium)).replace("<wbr>", "").replace("<!>", "");
    let row = page.split("SCALE_TARGET_REPLICAS</th>").nth(1).unwrap();
    let row = &row[..row.find("</tr>").unwrap()];
    assert!(row.contains("<del>1</del>") && row.contains("<ins>2") && row.contains("operator"), "{row}");
    for from in ["model", "default", "registration"] {
        assert!(page.contains(&format!(">{from}</span>")), "{from}");
    }
}

#[test]
fn confidence_never_stands_alone() {
    let page = page(samples::view(Risk::Medium));
    assert!(page.contains("model says 85\u{a0}%") && page.contains("succeeded in 39 of 43 runs"));
    assert!(page.contains("model says 62\u{a0}%, no runs yet"), "the folded one too");
}

#[test]
fn what_was_proposed_by_hand_and_never_ran_has_no_scale() {
    let mut view = samples::view(Risk::Medium);
    view.strategies.truncate(1);
    view.strategies[0].strategy.confidence = None;
    view.strategies[0].track = None;
    let page = page(view);
    assert!(page.contains("proposed by hand, no confidence given") && page.contains("no runs yet, nothing measured"));
    assert!(!page.contains("class=\"scale\""), "{page}");
}

#[test]
fn what_a_model_wrote_is_text() {
    let mut view = samples::view(Risk::Medium);
    view.recommendation.content.root_cause_assessment = "<img src=x onerror=alert(1)> [x](javascript:alert(1))".into();
    let page = page(view);
    assert!(!page.contains("<img") && !page.contains("href=\"javascript"));
}

#[test]
fn a_refused_form_comes_back_as_it_was_typed_with_the_fault_at_its_field() {
    let form = FormOutcome {
        fields: vec![("strategy".into(), "0".into()), ("p.SCALE_TARGET_REPLICAS".into(), "1000".into())],
        faults: vec![Fault::new("/parameters/SCALE_TARGET_REPLICAS", "out_of_range", "choose at most 100")],
        status: StatusCode::UNPROCESSABLE_ENTITY,
        ..FormOutcome::default()
    };
    let page = html(|| recommendation(samples::view(Risk::Medium), Beside::default(), form));
    let input = tag(&page, "name=\"p.SCALE_TARGET_REPLICAS\"");
    assert!(input.contains("value=\"1000\"") && input.contains("aria-invalid=\"true\""), "{input}");
    assert!(input.contains("f-p-SCALE_TARGET_REPLICAS-error") && page.contains("Choose at most 100."));
    assert!(page.contains("<details open"), "the form is open, or nobody sees the fault");
}

#[test]
fn what_is_over_can_not_be_decided() {
    for state in [RecommendationState::Decided, RecommendationState::Expired, RecommendationState::Superseded] {
        let mut view = samples::view(Risk::Medium);
        view.recommendation.state = state;
        view.decisions = vec![samples::decision(Verb::Reject, Some("not now"))];
        let page = page(view);
        assert!(!page.contains("name=\"decision\""), "{state}");
    }
}

#[test]
fn a_rejection_reads_as_a_rejection() {
    let mut view = samples::view(Risk::Medium);
    view.recommendation.state = RecommendationState::Decided;
    view.decisions = vec![samples::decision(Verb::Reject, Some("capacity is needed tonight"))];
    let page = page(view);
    assert!(page.contains("Rejected") && page.contains("capacity is needed tonight") && !page.contains("Approved"));
}

#[test]
fn a_ticket_that_can_be_decided_is_pinned_and_one_that_is_over_is_not() {
    let view = samples::view(Risk::Medium);
    let digest = view.ticket.as_ref().unwrap().digest.to_string();
    assert!(tag(&page(view.clone()), "id=\"ticket\"").contains(&format!("data-pinned=\"{digest}\"")));
    let mut over = view;
    over.recommendation.state = RecommendationState::Decided;
    assert!(!page(over).contains("data-pinned"));
}

#[test]
fn what_is_typed_is_judged_without_a_word_of_refusal() {
    let mut preview = samples::ticket(Risk::Medium);
    preview.changes =
        vec![Change { pointer: "/SCALE_TARGET_REPLICAS".into(), before: Some(json!(1)), after: Some(json!(3)) }];
    preview.digest = domain::ids::Digest::from_bytes([7; 32]);
    let form = FormOutcome {
        fields: vec![("p.SCALE_TARGET_REPLICAS".into(), "3".into())],
        code: CHECKED.into(),
        ..FormOutcome::default()
    };
    let beside = Beside { preview: Some(preview), ..Beside::default() };
    let page = html(|| recommendation(samples::view(Risk::Medium), beside, form)).replace("<!>", "");
    assert!(!page.contains("role=\"alert\"") && !page.contains("This was not taken"), "{page}");
    let preview = between(&page, "id=\"edit-preview\"", "</div>");
    assert!(preview.contains("<del>1</del>") && preview.contains("<ins>3</ins>"), "{preview}");
    assert!(between(&page, "id=\"said-SCALE_TARGET_REPLICAS\"", "</div>").contains("Take it back"));
    assert!(between(&page, "id=\"unsaved\"", "</div>").contains("Make a new ticket first"));
}

#[test]
fn of_another_ticket_than_the_models_it_is_said_what_its_reasons_are_about() {
    let mut view = samples::view(Risk::Medium);
    view.ticket.as_mut().unwrap().changes.clear();
    assert!(!page(view.clone()).contains("other values"));
    let changes = ["A", "B", "C", "D"].map(|name| Change {
        pointer: format!("/{name}"),
        before: Some(json!(1)),
        after: Some(json!(3)),
    });
    view.ticket.as_mut().unwrap().changes = changes.to_vec();
    let shown = page(view.clone());
    let heed = between(&shown, "id=\"heed\"", "id=\"unsaved\"");
    assert!(heed.contains("were written for other values: A 1 → 3, B 1 → 3, C 1 → 3, and 1 more."), "{heed}");
    let mut by_hand = view.clone();
    by_hand.recommendation.origin = domain::recommendation::Origin::Hand;
    view.recommendation.state = RecommendationState::Decided;
    for view in [view, by_hand] {
        assert!(!page(view).contains("other values"), "what is over, and what no model wrote, needs no such word");
    }
}

#[test]
fn before_a_new_ticket_is_made_it_is_said_whose_approval_would_be_lost() {
    let mut view = samples::view(Risk::High);
    assert!(!page(view.clone()).contains("will not count for a new one"));
    let digest = view.ticket.as_ref().map(|ticket| ticket.digest.clone());
    view.decisions =
        vec![domain::decision::Decision { ticket_digest: digest, ..samples::decision(Verb::Approve, None) }];
    let shown = page(view);
    let edit = between(&shown, "id=\"edit\"", "Make a new ticket");
    assert!(edit.contains("a.lindqvist approved this ticket. That will not count for a new one."), "{edit}");
}

#[test]
fn what_has_to_be_mended_first_has_the_focus() {
    let refused = |decision: &str, pointer: &str| {
        let fields = vec![("decision".to_owned(), decision.to_owned())];
        let faults = vec![Fault::new(pointer, "x", "mend it")];
        let form = FormOutcome { fields, faults, code: "invalid".into(), ..FormOutcome::default() };
        html(|| recommendation(samples::view(Risk::High), Beside::default(), form))
    };
    for (decision, pointer, id) in [("reject", "/reason", "f-reason"), ("approve", "/confirm", "f-confirm")] {
        let page = refused(decision, pointer);
        assert_eq!(page.matches("autofocus").count(), 1, "{pointer}");
        assert!(tag(&page, &format!("id=\"{id}\"")).contains("autofocus"), "{pointer}");
    }
    let edited = FormOutcome {
        fields: vec![("p.SCALE_TARGET_REPLICAS".into(), "99999".into())],
        faults: vec![Fault::new("/parameters/SCALE_TARGET_REPLICAS", "x", "mend it")],
        code: "invalid".into(),
        ..FormOutcome::default()
    };
    let judged = FormOutcome { code: CHECKED.into(), ..edited.clone() };
    // Pressed Approve with a value that is in no ticket, good or not: one field has the focus, and no button.
    let mut unsaved = FormOutcome { code: "unsaved_changes".into(), message: Some("not yet".into()), ..edited.clone() };
    unsaved.fields.push(("decision".into(), "approve".into()));
    let good = FormOutcome { faults: vec![], ..unsaved.clone() };
    let shown = |form| html(|| recommendation(samples::view(Risk::Medium), Beside::default(), form));
    for form in [edited, unsaved, good] {
        let page = shown(form);
        assert_eq!(page.matches("autofocus").count(), 1, "{page}");
        assert!(tag(&page, "id=\"f-p-SCALE_TARGET_REPLICAS\"").contains("autofocus"));
    }
    assert!(!shown(judged).contains("autofocus"), "nobody who types is led away");
}

#[test]
fn the_models_value_needs_no_way_back_where_it_stands() {
    let mut view = samples::view(Risk::Medium);
    view.parameters.insert("SCALE_TARGET_REPLICAS".into(), json!(1));
    let page = page(view);
    assert!(!page.contains("Take it back"), "{page}");
    assert!(page.contains("model: 1"));
}

#[test]
fn a_record_says_of_which_version_it_is() {
    let with = |version: Option<domain::effectiveness::EffectivenessRow>| {
        let mut view = samples::view(Risk::Medium);
        view.strategies[0].version_track = version;
        page(view)
    };
    assert!(with(None).contains("Of other versions: 1.0.0 has not run yet."));
    let few = with(Some(samples::track(2, 3)));
    assert!(few.contains("Of all versions. 1.0.0 alone helped ") && few.contains("too few to tell"), "{few}");
    assert!(with(Some(samples::track(39, 43))).contains("All of these runs were of 1.0.0."));
}

#[test]
fn strategies_stand_side_by_side_and_the_shown_one_is_marked() {
    let page = page(samples::view(Risk::Medium));
    let list = between(&page, "Strategies compared", "</ol>");
    assert_eq!(list.matches("class=\"scale\"").count(), 2, "{list}");
    assert_eq!(list.matches("aria-current=\"true\"").count(), 1, "{list}");
    assert!(list.contains("can't run"), "the second one");
}

#[test]
fn a_rejected_ticket_stays_in_sight() {
    let mut view = samples::view(Risk::Medium);
    view.recommendation.state = RecommendationState::Decided;
    view.decisions = vec![samples::decision(Verb::Reject, Some("not tonight"))];
    let page = page(view);
    assert!(page.contains("This is the ticket as it was rejected. It never ran."));
    assert!(page.contains("SCALE_TARGET_"));
}

#[test]
fn of_two_people_the_missing_one_is_waited_for() {
    let mut view = samples::view(Risk::High);
    let digest = view.ticket.as_ref().map(|ticket| ticket.digest.clone());
    view.decisions =
        vec![domain::decision::Decision { ticket_digest: digest, ..samples::decision(Verb::Approve, None) }];
    view.have = 1;
    let page = page(view);
    assert!(page.contains("Needs two different people; a.lindqvist approved this ticket."), "{page}");
    assert!(page.contains("Another person has to approve."));
    assert!(page.contains("Approve (2 of 2)"));
}

#[test]
fn the_approval_of_somebody_disabled_since_is_shown_and_does_not_count() {
    let mut view = samples::view(Risk::High);
    let digest = view.ticket.as_ref().map(|ticket| ticket.digest.clone());
    view.decisions =
        vec![domain::decision::Decision { ticket_digest: digest, ..samples::decision(Verb::Approve, None) }];
    view.lapsed = [view.decisions[0].id.clone()].into();
    let page = page(view);
    assert!(page.contains("It does not count: whoever gave it is disabled by now"), "{page}");
    assert!(page.contains("nobody has approved yet") && page.contains("Approve (1 of 2)"), "{page}");
}

#[test]
fn what_is_over_leads_to_what_came_after() {
    for state in [RecommendationState::Expired, RecommendationState::Superseded] {
        let mut view = samples::view(Risk::Medium);
        view.recommendation.state = state;
        view.newer = Some(domain::ids::RecommendationId::new("002"));
        assert!(page(view).contains("href=\"/recommendations/002\""), "{state}");
    }
}

#[test]
fn ids_can_be_copied_and_the_deadline_has_its_clock() {
    let view = samples::view(Risk::Medium);
    let (incident, id) = (view.recommendation.content.incident.id.clone(), view.recommendation.id.to_string());
    let page = page(view);
    for text in [incident, id] {
        assert!(page.contains(&format!("data-copy=\"{text}\"")), "{text}");
    }
    let head = between(&page, "expires in ", "</span>");
    assert!(head.contains("class=\"at\"") && head.contains(" UTC</time>"), "{head}");
}

#[test]
fn what_was_refused_leads_to_where_it_is_mended() {
    let refused = |fields: &[(&str, &str)], faults: Vec<Fault>, code: &str, message: Option<&str>| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let message = message.map(str::to_owned);
        FormOutcome { fields, faults, code: code.into(), message, ..FormOutcome::default() }
    };
    let fault = |pointer: &str| vec![Fault::new(pointer, "x", "mend it")];
    let (reject, value) = (("decision", "reject"), ("p.SCALE_TARGET_REPLICAS", "3"));
    for (form, at) in [
        (refused(&[reject, value], fault("/reason"), "invalid", None), "f-reason"),
        (refused(&[("decision", "approve")], fault("/confirm"), "invalid", None), "f-confirm"),
        (refused(&[value], fault("/parameters/SCALE_TARGET_REPLICAS"), "invalid", None), "edit"),
        (refused(&[("decision", "approve"), value], vec![], "unsaved_changes", Some("not yet")), "edit"),
        (refused(&[("decision", "approve")], vec![], "stale_ticket", Some("it has changed")), "decide"),
    ] {
        let page = html(|| recommendation(samples::view(Risk::High), Beside::default(), form));
        let link = between(&page, "This was not taken.", "</a>");
        assert!(link.contains(&format!("href=\"#{at}\"")), "{at}: {link}");
        assert!(page.contains(&format!("id=\"{at}\"")), "it is there: {at}");
    }
    let mut over = samples::view(Risk::Medium);
    over.recommendation.state = RecommendationState::Decided;
    let form = refused(&[reject], vec![], "decided", Some("decided already by m.okafor"));
    let page = html(|| recommendation(over, Beside::default(), form));
    assert!(between(&page, "This was not taken.", "</a>").contains("href=\"#ticket\""), "{page}");
}

#[test]
fn incident_signal_object_and_known_playbooks_lead_on_and_unknown_ones_do_not() {
    let view = samples::view(Risk::Medium);
    let shown = page(view.clone());
    for href in ["/approvals?incident=inc-001&amp;state=any", "/effectiveness?signal_type=OOMKilled", "/runs?q=my-app"]
    {
        assert!(shown.contains(&format!("href=\"{href}\"")), "{href}: {shown}");
    }
    assert!(
        !shown.contains("href=\"/catalog/node-drain\"") && shown.contains("which the catalog does not know"),
        "{shown}"
    );
    let mut ran = view.clone();
    ran.run = Some(samples::execution("e1", "Scale down my-app", ExecutionState::Running, None));
    assert!(page(ran).contains("href=\"/runs?recommendation=001\""));
    let beside = Beside { known: vec!["node-drain".into()], ..Beside::default() };
    let known = html(|| recommendation(view, beside, FormOutcome::default()));
    assert!(known.contains("href=\"/catalog/node-drain\""), "{known}");
}

#[test]
fn the_ticket_says_which_rule_asks_for_whom_and_why() {
    let mut view = samples::view(Risk::High);
    view.ticket.as_mut().unwrap().ruling = Some(Ruling {
        policy: "careful".into(),
        terms: Terms { rule: "production".into(), ..Terms::people(3, 2) },
        risk: Risk::High,
        recovery: domain::recovery::Recovery::None,
        expires_ms: None,
        why: Some("It pays our <wages>".into()),
        because: vec!["environment production".into(), "risk high".into()],
        trouble: None,
    });
    let page = page(view);
    let words = "Two different people must approve: rule production of the policy careful v3 \
                 (environment production, risk high). Nobody has yet.";
    assert!(page.contains(words) && page.contains("It pays our &lt;wages&gt;."), "{page}");
}

#[test]
fn what_a_policy_decided_is_told_as_such() {
    let mut view = samples::view(Risk::Low);
    view.recommendation.state = RecommendationState::Decided;
    let actor = domain::identity::Actor::policy("careful", 3);
    view.decisions = vec![domain::decision::Decision { actor, ..samples::decision(Verb::Approve, None) }];
    let page = page(view);
    assert!(page.contains("<b>policy careful v3</b>") && page.contains("By its rule, without anybody."), "{page}");
}

#[test]
fn a_countdown_says_nothing_wrong_once_it_is_over() {
    let mut view = samples::view(Risk::Medium);
    assert!(page(view.clone()).contains(">expires in 11m 24s</time>"), "{}", page(view));
    view.recommendation.expires_at = samples::NOW;
    let over = page(view);
    assert!(over.contains(">expired</time>") && !over.replace("<!>", "").contains("expires in expired"), "{over}");
}

#[test]
fn who_is_asked_for_the_password_loses_nothing_of_the_form_and_the_password_is_never_sent_back() {
    let caller = domain::identity::Caller {
        actor: domain::identity::Actor::new(domain::ids::ActorId::new("user:1"), "mara"),
        roles: vec![domain::identity::Role::Operator],
        request_id: String::new(),
        route: String::new(),
        way: domain::identity::Way::default(),
        session: None,
    };
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let form = FormOutcome {
        fields: vec![
            field("strategy", "1"),
            field("ticket_digest", &format!("sha256:{}", "9f".repeat(32))),
            field("decision", "approve"),
            field("reason", "\"quoted\" <b>\nsecond line"),
            field(reauthentication::PASSWORD, "hunter2"),
        ],
        faults: vec![Fault::new("/proof_password", "wrong", "this is not your password")],
        action: Some("/recommendations/001".into()),
        ..FormOutcome::default()
    };
    let page = html(|| reauthentication::reauthentication_page(form, &caller));
    assert!(tag(&page, "name=\"reason\"").contains("&lt;b&gt;"), "{page}");
    for kept in ["name=\"strategy\" value=\"1\"", "name=\"decision\" value=\"approve\""] {
        assert!(page.contains(kept), "{kept} in {page}");
    }
    assert!(page.contains("This is not your password") && !page.contains("hunter2"), "{page}");
    assert_eq!(page.matches("name=\"proof_password\"").count(), 1);
    assert!(page.contains("href=\"/recommendations/001?strategy=1&amp;ticket=sha256%3A9f"), "the way back: {page}");
}
