//! What comes after a run, on its page; and findings, their list and a card.

use crate::{
    between, html,
    runs_samples::{eventful, running},
    samples, tag,
};
use app::{
    FormOutcome,
    pages::{
        findings::{
            card::{FindingView, TRIAGE, finding},
            findings,
        },
        recommendation::{Beside, recommendation},
        run::{Paper, RunView, Selection, run_page},
    },
    query::Query,
};
use domain::{
    execution::{Execution, ExecutionState},
    fault::Fault,
    finding::{Card, FindingState, NOTICED_BY_MODEL, Noticed, Source},
    identity::Actor,
    ids::{ActorId, ExecutionId, FindingId, RecommendationId},
    paging::PageOf,
    ports::FindingFilter,
    recommendation::{RecommendationState, ResourceRef, Risk, Severity},
    recovery::{Made, Way},
    services::{Aftermath, Listings, OfRun},
};

/// The section of a run's page; empty where there is none.
fn after(run: Execution, aftermath: Aftermath, may_control: bool) -> String {
    let selection = Selection::of(&run, &Query::default());
    let (log, quote, now, listings) = (None, None, samples::NOW, Listings::On);
    let (paper, form) = (Paper::NotKept, FormOutcome::default());
    let page = html(move || {
        let assessment = None;
        run_page(RunView { run, selection, log, quote, paper, assessment, may_control, aftermath, listings, form, now })
    });
    let page = page.replace("<!>", "");
    page.split("id=\"after\"")
        .nth(1)
        .map(|rest| rest.split("</section>").next().unwrap().to_owned())
        .unwrap_or_default()
}

fn failed() -> Execution {
    Execution { state: ExecutionState::Failed, ..eventful() }
}

#[test]
fn a_run_that_can_be_undone_has_a_form_for_it_and_says_with_what() {
    let can = Aftermath { undo: Some("Sets back REPLICAS=4, as the model said.".into()), ..Aftermath::default() };
    let shown = after(failed(), can.clone(), true);
    let form = tag(&shown, "/rollback?");
    assert!(form.starts_with("<form") && form.contains("method=\"post\""), "{form}");
    assert!(shown.contains("Sets back REPLICAS=4") && shown.contains("/retry?"), "{shown}");
    let reader = after(failed(), can, false);
    assert!(!reader.contains("<form") && reader.contains("Operators and admins"), "{reader}");
    let going = after(running(), Aftermath::default(), true);
    assert!(
        !going.contains("<form") && going.contains("when it has ended"),
        "what goes on is cancelled, not undone: {going}"
    );
}

#[test]
fn why_it_can_not_is_said_in_place_of_the_button() {
    let cannot = Aftermath {
        no_rollback: Some("nothing is known to undo this run with".into()),
        no_retry: Some("nobody knows what doing it twice does".into()),
        ..Aftermath::default()
    };
    let shown = after(failed(), cannot.clone(), true);
    assert!(shown.contains("No rollback: nothing is known") && shown.contains("No retry: nobody knows"), "{shown}");
    assert!(!shown.contains("<form"), "{shown}");
    let went_well = Execution { state: ExecutionState::Succeeded, ..eventful() };
    assert!(!after(went_well, cannot, true).contains("No retry"), "what succeeded needs none");
}

#[test]
fn a_run_and_what_undoes_it_lead_to_each_other() {
    let made = Made {
        way: Way::Rollback,
        automatic: true,
        recommendation_id: RecommendationId::new("rec-9"),
        state: RecommendationState::Decided,
        at: samples::NOW,
        execution_id: Some(ExecutionId::new("run-9")),
        run: Some(ExecutionState::Succeeded),
    };
    let by_itself = Some("The policy demo v2 asks for its rollback: it was proposed by itself.".to_owned());
    let shown = after(failed(), Aftermath { made: vec![made], by_itself, ..Aftermath::default() }, true);
    for part in ["/recommendations/rec-9", "/runs/run-9", "Succeeded", "by itself", "The policy demo v2"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let of = |name: Option<&str>| {
        let of = OfRun {
            way: Way::Rollback,
            automatic: false,
            execution_id: ExecutionId::new("run-1"),
            name: name.map(str::to_owned),
        };
        after(running(), Aftermath { of: Some(of), ..Aftermath::default() }, true)
    };
    assert!(of(Some("remediation-1")).contains("This run undoes <a href=\"/runs/run-1\">"));
    assert!(of(None).contains("not kept any more") && !of(None).contains("/runs/run-1"));
}

#[test]
fn a_decided_recommendation_leads_to_what_was_made_of_its_run() {
    let made = |way, id: &str, run: Option<ExecutionState>| Made {
        way,
        automatic: true,
        recommendation_id: RecommendationId::new(id),
        state: RecommendationState::Open,
        at: samples::NOW,
        execution_id: run.map(|_| ExecutionId::new(format!("run-of-{id}"))),
        run,
    };
    let mut view = samples::view(Risk::Medium);
    view.recommendation.state = RecommendationState::Decided;
    view.run = Some(failed());
    let newest_first =
        vec![made(Way::NextStrategy, "next", None), made(Way::Rollback, "back", Some(ExecutionState::Succeeded))];
    let beside = Beside { made: newest_first, ..Beside::default() };
    let page = html(|| recommendation(view, beside, FormOutcome::default()));
    let shown = between(&page, "id=\"decided\"", "</section>");
    let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part} in {shown}"));
    assert!(at("/recommendations/back") < at("/recommendations/next"), "as it happened: {shown}");
    assert!(at("/runs/run-of-back") < at("Next strategy"), "{shown}");
}

fn card(title: &str, state: FindingState) -> Card {
    Card {
        id: FindingId::new("f-1"),
        state,
        noticed: Noticed {
            kind: NOTICED_BY_MODEL.into(),
            cluster: "sandbox".into(),
            title: title.into(),
            description: "It swaps.".into(),
            severity: Some(Severity::High),
            resource: Some(ResourceRef { kind: "Node".into(), namespace: None, name: "worker-2".into() }),
            evidence: vec!["4 runs in a day".into()],
            suggested_workflow_id: Some("not-there".into()),
        },
        seen: 3,
        first_seen: samples::NOW.plus_ms(-3_600_000),
        last_seen: samples::NOW.plus_ms(-60_000),
        revision: 3,
        turned_into: None,
        triaged_by: None,
        triaged_at: None,
        reason: None,
        sources: vec![Source {
            recommendation_id: RecommendationId::new("rec-1"),
            incident_id: "inc-1".into(),
            at: samples::NOW,
        }],
    }
}

#[test]
fn the_list_tells_how_often_and_what_to_do_where_there_is_none() {
    let list = |items: Vec<Card>, query: &str| {
        let page = PageOf { items, next_cursor: None };
        let query = Query::parse(query);
        html(move || findings(page, FindingFilter::default(), query, samples::NOW)).replace("<!>", "")
    };
    let shown = list(vec![card("<b>worker-2</b> is full", FindingState::Open)], "");
    assert!(shown.contains("noticed 3 times") && shown.contains("href=\"/findings/f-1\""), "{shown}");
    assert!(!shown.contains("<b>worker-2"), "what a model says is text");
    assert!(list(vec![], "").contains("Nothing is waiting to be looked at"));
    let none = list(vec![], "severity=low&recommendation=rec-1");
    assert!(none.contains("No finding matches"), "{none}");
}

fn view(card: Card, decides: bool, form: FormOutcome) -> String {
    let view = FindingView { card, decides, filled: None, named: None, form, now: samples::NOW };
    html(move || finding(view)).replace("<!>", "")
}

#[test]
fn a_card_tells_what_speaks_for_it_where_it_was_noticed_and_what_people_said() {
    let mut dismissed = card("worker-2 is full", FindingState::Dismissed);
    dismissed.triaged_by = Some(Actor::new(ActorId::new("user:1"), "ada"));
    dismissed.reason = Some("It is replaced".into());
    let shown = view(dismissed, true, FormOutcome::default());
    for part in ["4 runs in a day", "/recommendations/rec-1", "inc-1", "ada", "It is replaced", "Open again"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains(">Dismiss<"), "it is dismissed");
    assert!(shown.contains("no active playbook") && shown.contains("not-there"), "{shown}");
    let reader = view(card("worker-2 is full", FindingState::Open), false, FormOutcome::default());
    assert!(!reader.contains("method=\"post\""), "{reader}");
}

#[test]
fn a_dismissal_without_a_reason_comes_back_at_its_field() {
    let form = FormOutcome {
        faults: vec![Fault::new("/reason", "required", "say why it needs nothing")],
        action: Some(TRIAGE.to_owned()),
        ..FormOutcome::default()
    };
    let shown = view(card("worker-2 is full", FindingState::Open), true, form);
    let triage = between(&shown, "id=\"triage\"", "</section>");
    assert!(triage.contains("Say why it needs nothing"), "{triage}");
    assert!(tag(triage, "name=\"reason\"").contains("aria-invalid"), "{triage}");
}
