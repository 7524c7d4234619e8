//! What the pages of incidents must show, and what they must never show.

use crate::{between, html, samples};
use app::{
    FormOutcome,
    pages::{
        incidents::{
            incidents,
            one::{closing, incident},
        },
        overview::overview,
        recommendation::{Beside, recommendation},
    },
    query::Query,
};
use domain::{
    fault::Fault,
    identity::Actor,
    ids::{ActorId, IncidentId, InvestigationId, RecommendationId, SignalId},
    incident::{About, Closed, IncidentRecord, IncidentState},
    investigation::{Attempt, Investigation, InvestigationState, Step, StepKind, Usage},
    paging::PageOf,
    ports::IncidentFilter,
    recommendation::{ResourceRef, Risk, Severity},
    services::{IncidentView, InvestigationView, OverviewView, RecommendationView},
    signal::{Facts, Signal, SignalSource},
};
use std::collections::BTreeMap;

fn facts() -> Facts {
    Facts {
        name: "KubePodCrashLooping".into(),
        signal_type: "CrashLoopBackOff".into(),
        severity: Severity::High,
        environment: Some("production".into()),
        resource: Some(ResourceRef { kind: "Pod".into(), namespace: Some("shop".into()), name: "web-1".into() }),
        summary: Some("<b>Pod</b> is crash looping.".into()),
        link: Some("http://prometheus.example.com/graph?a=1&b=2".into()),
        labels: BTreeMap::from([("container".to_owned(), "<i>web</i>".to_owned())]),
    }
}

fn record(state: IncidentState) -> IncidentRecord {
    IncidentRecord {
        id: IncidentId::new("i-1"),
        state,
        cluster: "test".into(),
        source: SignalSource::Alertmanager,
        severity: Severity::High,
        about: About::of(&facts()),
        started_at: samples::NOW.plus_ms(-600_000),
        opened_at: samples::NOW.plus_ms(-590_000),
        resolved_at: (state == IncidentState::Resolved).then(|| samples::NOW.plus_ms(-60_000)),
        signal_count: 3,
        firing_count: u32::from(state == IncidentState::Firing),
        earlier: Some(IncidentId::new("i-0")),
        closed: None,
    }
}

fn view(state: IncidentState) -> IncidentView {
    let signal = Signal {
        id: SignalId::new("s-1"),
        source: SignalSource::Alertmanager,
        fingerprint: "4ac3b0f5d3a1e6c7".into(),
        starts_at: samples::NOW.plus_ms(-600_000),
        seen_at: samples::NOW.plus_ms(-30_000),
        resolved_at: None,
        closed: false,
        count: 4,
        facts: facts(),
    };
    IncidentView {
        incident: record(state),
        signals: vec![signal],
        recommendations: vec![],
        runs: vec![],
        investigations: vec![],
        cannot_investigate: None,
        now: samples::NOW,
    }
}

fn list(items: Vec<IncidentRecord>, filter: IncidentFilter) -> String {
    html(|| incidents(PageOf { items, next_cursor: None }, filter, Query::default(), samples::NOW))
}

#[test]
fn the_list_says_how_each_stands_and_what_comes_next_where_there_is_none() {
    let page = list(vec![record(IncidentState::Firing), record(IncidentState::Resolved)], IncidentFilter::default());
    assert!(page.contains("Three signals, one of them fires") && page.contains("all have ended"), "{page}");
    assert!(
        page.contains("shop / Pod web-1 · CrashLoopBackOff · production") && page.contains("href=\"/incidents/i-1\"")
    );
    assert!(page.contains("&lt;b&gt;Pod&lt;/b&gt; is crash looping."), "what an alert says is text: {page}");
    assert!(list(vec![], IncidentFilter::default()).contains("No incidents"));
    let none = list(vec![], IncidentFilter { unanswered: true, ..IncidentFilter::default() });
    assert!(none.contains("No incident matches") && none.contains("selected"), "{none}");
}

#[test]
fn an_incident_shows_its_signals_and_that_nobody_has_answered() {
    let page = html(|| incident(view(IncidentState::Firing)));
    assert!(page.contains("nothing was recommended for it yet"), "{page}");
    let signals = between(&page, "id=\"signals\"", "id=\"recommendations\"");
    assert!(signals.contains("told 4 times") && signals.contains("4ac3b0f5d3a1e6c7"), "{signals}");
    assert!(!signals.contains("<i>web</i>") && signals.contains("rel=\"noreferrer\""), "{signals}");
    assert!(page.contains("href=\"/incidents/i-0\"") && page.contains("Only 1 are shown."));
    let over = html(|| incident(view(IncidentState::Resolved)));
    assert!(over.contains("Resolved") && !over.contains("nothing was recommended for it yet"));
}

#[test]
fn what_was_recommended_and_run_is_a_click_away() {
    let recommended = samples::recommendation("001", "my-app is being killed for memory", Risk::Low, 60_000);
    let run = samples::line("a", "Scale down", domain::execution::ExecutionState::Running, None);
    let whole = IncidentView { recommendations: vec![recommended], runs: vec![run], ..view(IncidentState::Firing) };
    let page = html(|| incident(whole));
    assert!(page.contains("href=\"/recommendations/001\"") && page.contains("href=\"/runs/"), "{page}");
    assert!(!page.contains("nothing was recommended"));
    let linked = RecommendationView { for_incident: Some(IncidentId::new("i-1")), ..samples::view(Risk::Low) };
    let page = html(|| recommendation(linked, Beside::default(), FormOutcome::default()));
    assert!(page.contains("href=\"/incidents/i-1\""), "{page}");
}

#[test]
fn it_is_closed_with_a_reason_and_says_by_whom() {
    let refused = FormOutcome {
        fields: vec![("reason".into(), "<b>".into())],
        faults: vec![Fault::new("/reason", "too_long", "shorten the reason")],
        ..FormOutcome::default()
    };
    let form = html(move || closing(&IncidentId::new("i-1"), &refused));
    assert!(form.contains("action=\"/incidents/i-1/close#close\"") && form.contains("&lt;b&gt;"), "{form}");
    assert!(form.contains("horten the reason"), "{form}");
    let closed = Closed {
        by: Actor::new(ActorId::new("user:mara"), "mara"),
        reason: "The <i>node</i> is gone".into(),
        at: samples::NOW.plus_ms(-60_000),
    };
    let mut over = view(IncidentState::Resolved);
    over.incident.closed = Some(closed);
    let page = html(move || incident(over));
    assert!(page.contains("Closed by hand by") && page.contains("mara"), "{page}");
    assert!(
        page.contains("The &lt;i&gt;node") && !html(|| incident(view(IncidentState::Resolved))).contains("by hand")
    );
}

#[test]
fn the_overview_shows_what_fires_and_nobody_has_answered() {
    let quiet = html(|| overview(samples::overview()));
    assert!(!quiet.contains("nothing recommended yet"));
    let view =
        OverviewView { unanswered: vec![record(IncidentState::Firing)], unanswered_count: 9, ..samples::overview() };
    let page = html(|| overview(view));
    assert!(page.contains("Firing, and nothing recommended yet") && page.contains("All 9"), "{page}");
}

fn investigation(state: InvestigationState) -> InvestigationView {
    let attempt = |number: u32, fault: Option<&str>| Attempt {
        number,
        began_at: samples::NOW.plus_ms(-60_000),
        ended_at: fault.map(|_| samples::NOW.plus_ms(-30_000)),
        usage: Usage { prompt_tokens: Some(1000), completion_tokens: Some(50), cost_microusd: None },
        fault: fault.map(str::to_owned),
    };
    let step = |kind: StepKind, text: &str| Step { attempt: 2, at: samples::NOW, kind, text: text.into() };
    let failed = state == InvestigationState::Failed;
    InvestigationView {
        investigation: Investigation {
            id: InvestigationId::new("v-1"),
            incident: IncidentId::new("i-1"),
            state,
            asked_by: Actor::system("mara"),
            automatic: false,
            asked_at: samples::NOW.plus_ms(-90_000),
            due_at: None,
            ended_at: state.ended().then_some(samples::NOW),
            attempts: vec![attempt(1, Some("HolmesGPT answers 500")), attempt(2, None)],
            model: Some("gpt-4o".into()),
            prompt_version: "console-1".into(),
            root_cause: Some("A leak <script>alert(1)</script>".into()),
            recommendation: (!failed).then(|| RecommendationId::new("r-1")),
            fault: failed.then(|| "HolmesGPT had not answered after 10m 00s".into()),
        },
        steps: vec![step(StepKind::Tool, "kubectl get pods <img src=x>"), step(StepKind::Agent, "Let me look.")],
    }
}

#[test]
fn whoever_may_asks_for_an_investigation_and_whoever_may_not_reads_why() {
    let page = html(|| incident(view(IncidentState::Firing)));
    assert!(page.contains("action=\"/incidents/i-1/investigations\"") && page.contains("Investigate"), "{page}");
    let cannot = IncidentView { cannot_investigate: Some("No agent.".into()), ..view(IncidentState::Firing) };
    let page = html(|| incident(cannot));
    assert!(page.contains("No agent.") && !page.contains("/investigations\""), "{page}");
}

#[test]
fn what_an_agent_did_is_told_as_text_with_what_it_used() {
    let whole = IncidentView {
        investigations: vec![investigation(InvestigationState::Answered)],
        ..view(IncidentState::Firing)
    };
    let page = html(|| incident(whole));
    let part = between(&page, "id=\"investigations\"", "id=\"recommendations\"");
    assert!(!part.contains("<script>") && !part.contains("<img"), "{part}");
    assert!(part.contains("&lt;img src=x&gt;") && part.contains("Let me look."), "{part}");
    assert!(part.contains("2000 tokens read, 100 tokens written") && part.contains("HolmesGPT answers 500"), "{part}");
    assert!(part.contains("href=\"/recommendations/r-1\"") && part.contains("Investigate again"), "{part}");
}

#[test]
fn the_demos_script_never_pretends_to_be_an_agent() {
    let mut view_of = investigation(InvestigationState::Answered);
    view_of.investigation.asked_by = Actor::system(domain::investigation::SCENE);
    view_of.investigation.attempts.clear();
    let page = html(|| {
        incident(IncidentView {
            investigations: vec![view_of],
            cannot_investigate: Some("No agent.".into()),
            ..view(IncidentState::Firing)
        })
    });
    let part = between(&page, "id=\"investigations\"", "id=\"recommendations\"");
    assert!(part.contains("Sandbox") && part.contains("No model was asked"), "{part}");
    assert!(!part.contains("HolmesGPT") && !part.contains("gpt-4o"), "{part}");
}

#[test]
fn one_that_failed_says_why_and_what_a_person_can_do() {
    let whole =
        IncidentView { investigations: vec![investigation(InvestigationState::Failed)], ..view(IncidentState::Firing) };
    let page = html(|| incident(whole));
    assert!(page.contains("had not answered after 10m 00s") && page.contains("by hand"), "{page}");
}
