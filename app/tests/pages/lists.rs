//! What lists must show, and what they must never show: the overview, the inbox, what is reviewed together, the runs.

use crate::{html, runs_samples, samples};
use app::{
    FormOutcome,
    pages::{approvals::approvals, overview::overview, review::review, runs::runs},
    query::Query,
};
use domain::{
    decision::Verb,
    effectiveness::{Counts, EffectivenessRow},
    execution::{Assessment, ExecutionLine, ExecutionState, Progress, Standing},
    fault::Fault,
    ids::{ExecutionId, RecommendationId},
    paging::PageOf,
    ports::{ExecutionFilter, RecommendationFilter},
    recommendation::{Proposal, RecommendationState, ResourceRef, Risk, target::Target},
    services::{EarlierRun, InboxItem, OverviewView, ReviewItem, TargetView},
    target::{
        since::{Moved, Since},
        state::{Manager, Reading},
    },
};
use serde_json::json;

fn open() -> RecommendationFilter {
    RecommendationFilter { state: Some(RecommendationState::Open), ..RecommendationFilter::default() }
}

fn inbox(items: Vec<InboxItem>, decides: bool) -> String {
    html(|| approvals(PageOf { items, next_cursor: None }, &open(), &Query::default(), decides, samples::NOW))
}

#[test]
fn the_overview_says_what_waits_and_never_zero_percent_without_runs() {
    let page = html(|| overview(samples::overview()));
    assert!(page.contains("Three are waiting for a decision"), "{page}");
    assert!(page.contains("no runs yet") && page.contains("Week by week"));
    assert!(page.contains("<g tabindex=\"0\" role=\"img\" aria-label=\"Week from "), "numbers by keyboard");

    let weeks = samples::overview()
        .weeks
        .into_iter()
        .map(|week| domain::effectiveness::Week { row: EffectivenessRow::new("week", &Counts::default()), ..week });
    let view =
        OverviewView { waiting: vec![], waiting_count: 0, helped: None, weeks: weeks.collect(), ..samples::overview() };
    let page = html(|| overview(view));
    assert!(page.contains("Nothing is waiting for a decision") && page.contains("No runs yet"));
    assert!(!page.contains("0\u{a0}%"), "no data is not zero");
}

#[test]
fn the_overview_counts_all_that_waits_and_not_only_what_it_shows() {
    let page = html(|| overview(OverviewView { waiting_count: 23, ..samples::overview() }));
    assert!(page.contains("23 are waiting for a decision") && page.contains("All 23 that wait"), "{page}");
}

#[test]
fn help_is_told_apart_from_success_and_only_where_it_was_assessed() {
    let assessed = html(|| overview(samples::overview()));
    assert!(
        assessed.contains("Went through") && assessed.contains("Helped") && assessed.contains("359 of 362 assessed")
    );
    let counts = Counts { runs: 9, succeeded: 9, not_assessed: 9, ..Counts::default() };
    let row = EffectivenessRow::new("all", &counts);
    let view = OverviewView { helped: Some(row), weeks: vec![], ..samples::overview() };
    assert!(html(|| overview(view)).contains("Nothing has been assessed in this time."));
}

#[test]
fn the_engine_says_what_keeps_runs_from_starting() {
    let mut view = samples::overview();
    view.cluster.ready = false;
    view.cluster.problems = vec!["Tekton is not installed; apply its release".into()];
    view.standing.pending_since = Some(samples::NOW.plus_ms(-200_000));
    let page = html(|| overview(view.clone()));
    assert!(page.contains("Can't start") && page.contains("Tekton is not installed; apply its release."));
    assert!(page.contains("One approved run has not started for 3m 20s"), "{page}");
    view.standing = Standing { running: 12, pending: 20, ..view.standing };
    let page = html(|| overview(view));
    assert!(page.contains("20 approved runs have not started, one of them for 3m 20s"), "more than are shown: {page}");
    assert!(page.contains("All 12 running"), "{page}");
}

#[test]
fn the_inbox_keeps_the_order_it_was_given_and_an_empty_one_offers_the_next_step() {
    let items = samples::inbox();
    let list = PageOf { items, next_cursor: Some("a b".into()) };
    let page = html(|| approvals(list, &open(), &Query::default(), true, samples::NOW));
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(place("payment-service restarts") < place("my-app is being killed"));
    assert!(place("my-app is being killed") < place("node worker-7"));
    assert!(page.contains("/approvals?cursor=a+b"));

    let filter = RecommendationFilter { q: Some("nothing".into()), ..open() };
    let page = html(|| approvals(PageOf::default(), &filter, &Query::parse("q=nothing"), true, samples::NOW));
    assert!(page.contains("Nothing matches"));
    assert!(inbox(vec![], true).contains("Nothing awaits a decision"));
}

#[test]
fn only_who_may_decide_can_select() {
    let box_of = "name=\"id\" value=\"001\"";
    assert!(inbox(samples::inbox(), true).contains(box_of));
    let viewer = inbox(samples::inbox(), false);
    assert!(!viewer.contains("type=\"checkbox\"") && !viewer.contains("Review selected"));
}

#[test]
fn two_for_the_same_incident_are_told_apart_at_a_glance() {
    let mut items: Vec<InboxItem> = samples::inbox().into_iter().take(2).collect();
    for (item, replicas) in items.iter_mut().zip([2, 7]) {
        item.recommendation.content.incident.id = "inc-same".into();
        let Proposal::Playbook { parameters, .. } = &mut item.recommendation.content.strategies[0].proposal else {
            panic!()
        };
        parameters.insert("SCALE_TARGET_REPLICAS".into(), json!(replicas));
    }
    let page = inbox(items, true);
    assert!(page.contains("inc-same") && page.contains("2 recommendations"));
    assert!(page.contains("SCALE_TARGET_REPLICAS=2") && page.contains("SCALE_TARGET_REPLICAS=7"), "{page}");
}

#[test]
fn what_it_acts_on_is_told_where_the_incident_is_silent_and_warned_of_where_they_differ() {
    let mut silent = samples::recommendation("001", "It is full", Risk::Low, 600_000);
    silent.content.incident.resource = None;
    assert!(inbox(vec![samples::inbox_item(silent, None)], true).contains("production / Deployment my-app"));

    let mut other = samples::recommendation("001", "It is full", Risk::Low, 600_000);
    other.content.incident.resource.as_mut().unwrap().name = "payment-service".into();
    let page = inbox(vec![samples::inbox_item(other, None)], true);
    assert!(page.contains(
        "Acts on production / Deployment my-app, but the incident is about production / Deployment payment-service"
    ));
}

#[test]
fn what_was_tried_before_is_said_with_what_came_of_it() {
    let mut item = samples::inbox().remove(1);
    item.earlier = Some(EarlierRun {
        id: ExecutionId::new("run-9"),
        title: "Scale down replicas".into(),
        state: ExecutionState::Succeeded,
        assessment: Assessment::Ineffective,
        at: samples::NOW.plus_ms(-7_200_000),
        same_playbook: true,
    });
    let page = inbox(vec![item], true);
    assert!(page.contains("The same was run on it") && page.contains("/runs/run-9") && page.contains("did not help"));
}

#[test]
fn a_decided_one_says_what_was_decided_and_by_whom() {
    let mut item = samples::inbox().remove(0);
    item.recommendation.state = RecommendationState::Decided;
    item.decided = Some(samples::decision(Verb::Reject, None));
    let page = inbox(vec![item], true);
    assert!(page.contains("Rejected") && page.contains("a.lindqvist"), "{page}");
    assert!(!page.contains("type=\"checkbox\""), "what is decided can't be selected");
}

fn reviewed(risks: &[Risk], form: FormOutcome) -> String {
    let items = risks.iter().zip(1..).map(|(risk, n)| item(n, *risk, Some(samples::target_view(|_| {}))));
    let items = items.collect();
    html(|| review(items, 0, form, samples::NOW))
}

fn item(n: u32, risk: Risk, target: Option<TargetView>) -> ReviewItem {
    let mut view = samples::view(risk);
    view.recommendation.id = RecommendationId::new(format!("r{n}"));
    ReviewItem { id: view.recommendation.id.clone(), view: Some(Box::new(view)), target }
}

#[test]
fn each_of_several_is_warned_of_as_on_its_own_page() {
    let object = |name: &str| ResourceRef { kind: "Deployment".into(), namespace: None, name: name.into() };
    let gone = TargetView { reading: Reading::Missing { read_at: samples::NOW }, ..samples::target_view(|_| {}) };
    let moved = vec![Moved { fact: "replicas".into(), before: Some("4".into()), after: Some("2".into()) }];
    let changed = TargetView { since: Since::Changed { moved, at: None, by: None }, ..samples::target_view(|_| {}) };
    let other = Target::Mismatch { acts_on: object("other"), incident: object("my-app") };
    let other = TargetView { target: other, ..samples::target_view(|_| {}) };
    let late = TargetView { reading: Reading::Late, ..samples::target_view(|_| {}) };
    let mut run = samples::execution("e1", "Scale down my-app", ExecutionState::Failed, None);
    run.subject.workflow_id = Some("oomkill-scale-down".into());
    let tried = TargetView { earlier: vec![run], ..samples::target_view(|_| {}) };
    let managed = samples::target_view(|state| {
        state.manager = Some(Manager { tool: "Argo CD".into(), name: None, reverts: true });
    });
    for (target, words) in [
        (Some(gone), "There is no Deployment my-app in production in the cluster. A run would very likely fail."),
        (Some(changed), "Deployment my-app has changed since the analysis: replicas 4 → 2."),
        (Some(other), "This acts on Deployment other, and the incident is about Deployment my-app."),
        (Some(late), "The cluster did not answer in time"),
        (Some(tried.clone()), "The same playbook ran on the same object 9s ago and failed."),
        (Some(tried), "href=\"/runs/e1\""),
        (Some(managed), "Argo CD manages it and may undo the change"),
        (Some(samples::target_view(|_| {})), "leaves no room: 2 replicas"),
        (None, "Neither the incident nor the parameters name an object"),
    ] {
        let page = html(|| review(vec![item(1, Risk::Medium, target)], 0, FormOutcome::default(), samples::NOW));
        assert!(page.replace("<!>", "").contains(words), "{words}: {page}");
    }
}

#[test]
fn each_of_several_shows_what_its_own_page_does_and_is_pinned_to_what_was_read() {
    let page = reviewed(&[Risk::Medium, Risk::High], FormOutcome::default()).replace("<!>", "");
    for part in ["2 retries", "Signature", "two different people approve", "model says 85\u{a0}%", "helped"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for id in ["pipelinerun-r1", "pipelinerun-r2"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    assert!(page.contains("What would change now") && page.contains("<code>spec.replicas</code>"), "{page}");
    let digest = samples::ticket(Risk::Medium).digest;
    assert!(page.contains(&format!("id=\"review-r1\" data-pinned=\"{digest}\"")), "{page}");
}

#[test]
fn each_of_several_has_its_own_digest_and_tick_and_high_risk_its_target_to_type() {
    let page = reviewed(&[Risk::Medium, Risk::High], FormOutcome::default());
    for name in ["item.r1", "ticket.r1", "take.r1", "strategy.r1", "ticket.r2", "take.r2", "confirm.r2"] {
        assert!(page.contains(&format!("name=\"{name}\"")), "{name}");
    }
    assert!(!page.contains("name=\"confirm.r1\""), "only high risk is typed");
    let digest = samples::ticket(Risk::Medium).digest;
    assert!(page.contains(&format!("name=\"ticket.r1\" value=\"{digest}\"")));
    assert!(!page.contains(" checked"), "nothing is ticked before it was read");
    assert!(page.contains("Type my-app to approve"));
}

#[test]
fn a_refusal_stands_at_the_one_it_belongs_to_and_what_was_ticked_stays_ticked() {
    let form = FormOutcome {
        fields: vec![
            ("take.r1".into(), "yes".into()),
            ("take.r2".into(), "yes".into()),
            ("reason".into(), "it fits".into()),
        ],
        faults: vec![Fault::new("/confirm.r2", "mismatch", "type my-app to approve: this strategy's risk is high")],
        code: "some_refused".into(),
        ..FormOutcome::default()
    };
    let page = reviewed(&[Risk::Low, Risk::High], form);
    assert!(page.contains("One was not decided; it says why below."), "{page}");
    assert!(page.contains("f-confirm-r2-error") && page.contains("it fits"));
    assert_eq!(page.matches(" checked").count(), 2);
}

#[test]
fn nothing_selected_leads_back_and_what_is_gone_is_said() {
    assert!(html(|| review(vec![], 0, FormOutcome::default(), samples::NOW)).contains("Nothing is selected"));
    let gone = vec![ReviewItem { id: RecommendationId::new("gone"), view: None, target: None }];
    let page = html(|| review(gone, 0, FormOutcome::default(), samples::NOW));
    assert!(page.contains("There is no recommendation") && !page.contains("name=\"decision\""));
}

#[test]
fn a_run_says_what_it_acts_on_by_whom_and_whether_it_helped() {
    let mut run = runs_samples::running();
    run.subject.resource = Some(ResourceRef { kind: "Node".into(), namespace: None, name: "worker-2".into() });
    run.subject.acts_on = Some(ResourceRef { kind: "Deployment".into(), namespace: None, name: "my-app".into() });
    run.tasks.clear();
    let listed = |run: domain::execution::Execution| {
        let line = ExecutionLine { execution: run, progress: Progress { ended: 2, tasks: 3 } };
        let list = PageOf { items: vec![line], next_cursor: None };
        html(|| runs(list, ExecutionFilter::default(), Query::default(), vec!["a".into()], true, samples::NOW))
    };
    let page = listed(run.clone());
    assert!(
        page.contains("Deployment my-app") && page.contains("approved by m.okafor") && page.contains("2 of 3 tasks")
    );
    run.state = ExecutionState::Succeeded;
    assert!(listed(run.clone()).contains("not assessed"));
    run.assessment = Assessment::Ineffective;
    assert!(listed(run).contains("Did not help"));
}
