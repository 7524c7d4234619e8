//! The recommendation: why, exactly what would run, how often that has worked before, and the decision. Readable in thirty
//! seconds, top to bottom; every part of it a plain form or link.

mod after;
pub mod before;
mod compare;
mod decide;
mod edit;
pub mod reading;
mod strategies;
pub mod target;
pub mod ticket;

use crate::{
    components::{
        Ago, At, Chip, Empty, Equivalent, Id, Mark, Notice, Prose, Section, SeverityChip, State, Tone, Until,
        equivalent, plain, target as object,
    },
    context::FormOutcome,
    islands::CopyText,
    page::{Ask, Page},
    pages::run::followed,
    query::Query,
    words::humane,
};
use after::Decisions;
use before::{heeds, short};
use decide::Decide;
use domain::{
    decision::Decision,
    ids::{Digest, RecommendationId},
    playbook::PlaybookId,
    recommendation::{Finding, Model, Origin, Recommendation, RecommendationState},
    recovery::{Made, Way},
    services::{Answer, RecommendationView, ServiceError, TargetView, TicketView},
    target::state::Reading,
};
use edit::Edit;
pub use edit::{CHECKED, changed};
pub(crate) use edit::{choices, hint};
use leptos::prelude::*;
use std::{collections::BTreeSet, time::Duration};
use strategies::Strategies;
use target::WouldChange;
use ticket::Ticket;

/// From one reading of an open recommendation's target to the next, while somebody sees the page.
const EVERY: Duration = Duration::from_secs(20);
/// The same after a reading that did not come in time.
const LATE: Duration = Duration::from_secs(1);

/// What stands beside the stored recommendation: read or worked out for this very page.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What the shown strategy would act on.
    pub target: Option<TargetView>,
    /// The ticket that the values in the form would make, where they came with the request and are good.
    pub preview: Option<TicketView>,
    /// Of the playbooks that the model suggests beside the point, those that the catalog knows.
    pub known: Vec<String>,
    /// What was made of its run: rollbacks, retries, next strategies.
    pub made: Vec<Made>,
}

/// Asks for the recommendation, with the strategy and the ticket that the address names (or the form that came back).
pub async fn page(ask: Ask) -> Answer<Page> {
    let id = RecommendationId::new(ask.param("id"));
    let mut form = ask.form;
    let typed = |form: &FormOutcome, name: &str| form.value(name).filter(|v| !v.is_empty()).map(str::to_owned);
    let strategy = typed(&form, "strategy").or_else(|| ask.query.text("strategy")).and_then(|n| n.parse().ok());
    // A ticket that is no longer current is not asked for again: the page shows the current one and what differs.
    let stale = form.code == "stale_ticket";
    let ticket = typed(&form, "ticket_digest").or_else(|| ask.query.text("ticket"));
    let ticket = ticket.filter(|_| !stale).and_then(|text| Digest::try_from(text).ok());
    let approvals = &ask.console.approvals;
    let view = approvals.view(&ask.caller, &id, strategy, ticket).await?;

    edit::take_back(&view, &mut form);
    let mut beside = Beside::default();
    if let Some(values) = edit::values(&view, &form) {
        match approvals.preview(&ask.caller, &id, view.selected, values).await {
            Ok(ticket) => beside.preview = Some(ticket),
            // A form that was refused brings its faults already.
            Err(ServiceError::Invalid(faults)) if form.faults.is_empty() => form.faults = faults,
            Err(_) => {}
        }
    }
    if view.recommendation.state == RecommendationState::Open {
        let ticket = beside.preview.as_ref().or(view.ticket.as_ref());
        let plan = ticket.map(|ticket| &ticket.content.plan);
        beside.target = approvals.target(&ask.caller, &view.recommendation, view.selected, plan).await?;
    }
    let suggested =
        view.recommendation.content.additional_findings.iter().filter_map(|f| f.suggested_workflow_id.clone());
    // A model may write anything here; only a playbook's name leads anywhere.
    for id in suggested.collect::<BTreeSet<_>>() {
        if let Ok(playbook) = id.parse::<PlaybookId>()
            && ask.console.catalog.newest(&ask.caller, &playbook).await.is_ok()
        {
            beside.known.push(id);
        }
    }
    // The page is worth showing without it.
    if let Some(run) = &view.run {
        beside.made = ask.console.recoveries.made_of(&ask.caller, &run.subject.id).await.unwrap_or_default();
    }
    let made: Vec<String> = beside.made.iter().map(followed).collect();
    let title = view.recommendation.content.incident.id.clone();
    // A playbook's new version or status may change what would run; once it runs, the run is followed too.
    let run = view.run.as_ref().map(|run| format!(" execution:{}", run.subject.id)).unwrap_or_default();
    let follows = format!("recommendation:{id} playbook{run}{}", made.concat());
    let again = read_again(beside.target.as_slice());
    let page = Page::below(title, recommendation(view, beside, form)).following(follows).anew(again);
    Ok(page.with_history(&ask.caller, id.as_str()))
}

/// After how long what the cluster says of targets is to be asked for again, if anything is; no event tells that one changed.
pub fn read_again<'t>(targets: impl IntoIterator<Item = &'t TargetView>) -> Option<Duration> {
    let readings = targets.into_iter().map(|of| &of.reading);
    let wait = |reading: &Reading| if *reading == Reading::Late { LATE } else { EVERY };
    readings.map(wait).min()
}

/// The page.
pub fn recommendation(view: RecommendationView, beside: Beside, form: FormOutcome) -> AnyView {
    let recommendation = &view.recommendation;
    let now = view.now;
    let content = recommendation.content.clone();
    let summary = content.analysis_summary.trim();
    let rest = summary.strip_prefix(recommendation.headline()).unwrap_or(summary);
    let rest = rest.trim_start_matches(['.', '。']).trim().to_owned();
    let open = recommendation.state == RecommendationState::Open;
    let refused =
        (form.code != CHECKED && (!form.faults.is_empty() || form.message.is_some())).then(|| to_mend(&view, &form));
    let decidable = open && (view.cannot_approve.is_none() || view.cannot_reject.is_none());
    let approvable = view.approvable();
    // Whoever may decide has this ticket before them: no other one takes its place while they read.
    let pinned = decidable.then(|| view.ticket.as_ref().map(|t| t.digest.to_string()).unwrap_or_default());
    let expires_at = view.closes_at();
    view! {
        <div class="two recommendation">
            <div>
                {refused.map(|(href, words)| view! {
                    <div class="narrow">
                        <Notice tone=Tone::Bad><p>"This was not taken. "<a href=href>{words}</a></p></Notice>
                    </div>
                })}
                <Head view=view.clone() beside=beside.clone() />
                {(!rest.is_empty()).then(|| view! { <Prose text=rest class="lede" /> })}
                {(!content.root_cause_assessment.is_empty()).then(|| view! {
                    <Section title="Root cause"><Prose text=content.root_cause_assessment.clone() /></Section>
                })}
                <Evidence recommendation=recommendation.clone() />
                <Strategies view=view.clone() state=reading::found(&beside).cloned() />
                {open.then(|| view! { <WouldChange view=view.clone() beside=beside.clone() /> })}
                <Decisions view=view.clone() made=beside.made.clone() />
                <Findings of=recommendation.id.to_string() findings=content.additional_findings known=beside.known.clone() />
                <Equivalent commands=equivalent::of_recommendation(&view) />
                // On a phone the decision is far down: the way there is always under the thumb.
                {decidable.then(|| view! {
                    <p class="jump">
                        <Until at=expires_at now />
                        <a class="btn" href="#ticket-title">"Ticket"</a>
                        <a class="btn" class:primary=approvable href="#decide">{if approvable { "Decide" } else { "Decision" }}</a>
                    </p>
                })}
            </div>
            <aside class="ticket" id="ticket" aria-labelledby="ticket-title" data-pinned=pinned>
                <div class="read">
                    <Ticket view=view.clone() />
                </div>
                <Edit view=view.clone() preview=beside.preview.clone() form=form.clone() />
                <Decide view=view.clone() beside form />
            </aside>
        </div>
    }
    .into_any()
}

/// Where it says what is wrong with the form that was refused, and what one finds there.
fn to_mend(view: &RecommendationView, form: &FormOutcome) -> (&'static str, &'static str) {
    let at = match form {
        _ if view.recommendation.state != RecommendationState::Open => return ("#ticket", "See what became of it"),
        form if form.error("reason").is_some() => "#f-reason",
        form if form.error("confirm").is_some() => "#f-confirm",
        form if edit::came_back(view, form) => "#edit",
        _ => "#decide",
    };
    (at, "See what to mend")
}

#[component]
fn Head(view: RecommendationView, beside: Beside) -> impl IntoView {
    let heeds = heeds(&view, &beside);
    let closes_at = view.closes_at();
    let RecommendationView { recommendation, for_incident, decisions, have, need, now, .. } = view;
    let incident = recommendation.content.incident.clone();
    let open = recommendation.state == RecommendationState::Open;
    let who = match &recommendation.origin {
        Origin::Model => recommendation
            .content
            .model
            .as_ref()
            .and_then(|m| m.provider.clone())
            .map(|p| format!("investigated by {p}")),
        Origin::Hand => Some(format!("proposed by {}", recommendation.proposer.name)),
        Origin::Cluster { name, .. } => Some(format!("applied to the cluster as {name}")),
        Origin::Run { way, automatic: true, .. } => {
            Some(format!("{} by itself, as the policy says", way.words().to_lowercase()))
        }
        Origin::Run { .. } => Some(format!("asked for by {}", recommendation.proposer.name)),
    };
    let of_run = recommendation.origin.of_run().map(|(way, run)| {
        let words = match way {
            Way::Rollback => "the run that it undoes",
            Way::Retry => "the run that it repeats",
            Way::NextStrategy => "the run before it",
        };
        (format!("/runs/{run}#after"), words)
    });
    let last = decisions.last().map(|d| (d.actor.name.clone(), d.at));
    let of_incident = format!("/approvals{}", Query::of(&[("incident", &incident.id), ("state", "any")]));
    let of_signal = format!("/effectiveness{}", Query::of(&[("signal_type", &incident.signal_type)]));
    view! {
        <div class="head">
            <div class="line">
                <SeverityChip of=incident.severity />
                {incident.priority.map(|word| view! { <Chip word /> })}
                {incident.environment.map(|word| view! { <Chip word /> })}
                <span class="sub">
                    <a href=of_incident title="All recommendations for this incident">{incident.id.clone()}</a>"\u{a0}"
                    <CopyText text=incident.id what="incident id" />" · "
                    {for_incident.map(|id| view! { <a href=format!("/incidents/{id}")>"Its signals"</a>" · " })}
                    <a href=of_signal title="What helped against this signal">{incident.signal_type}</a>
                    {incident.started_at.map(|at| view! { " · started "<Ago at now /> })}
                    {who.map(|who| format!(" · {who}"))}
                    {of_run.map(|(href, words)| view! { " · "<a href=href>{words}</a> })}
                </span>
            </div>
            <h1>{recommendation.headline().to_owned()}</h1>
            <div class="line">
                <State of=standing(recommendation.state, &decisions) />
                <span class="sub">
                    {incident.resource.as_ref().map(|r| {
                        let href = format!("/runs{}", Query::of(&[("q", &r.name)]));
                        view! { <a href=href title="Runs about it">{object(r)}</a>" · " }
                    })}
                    {open.then(|| view! {
                        {(need > 1).then(|| format!("{have} of {need} given · "))}
                        {last.clone().filter(|_| have > 0).map(|(name, at)| view! { {name}" approved "<Ago at now />" · " })}
                        <Until at=closes_at now before="expires in " />" at "<At at=closes_at now />
                    })}
                    {(!open).then(|| match last {
                        Some((name, at)) => view! { "by "{name}" "<Ago at now /> }.into_any(),
                        None => view! { "came "<Ago at=recommendation.created_at now /> }.into_any(),
                    })}
                </span>
                {open.then(|| short(&heeds))}
            </div>
            <p class="sub ids">
                <span>"Recommendation "<Id of=recommendation.id.to_string() what="recommendation id" /></span>
            </p>
        </div>
    }
    .into_any()
}

/// A decided recommendation shows what was decided.
fn standing(state: RecommendationState, decisions: &[Decision]) -> Mark {
    match (state, decisions.last()) {
        (RecommendationState::Decided, Some(last)) => last.verb.into(),
        _ => state.into(),
    }
}

/// What the model looked at, and what it warns of.
#[component]
fn Evidence(recommendation: Recommendation) -> impl IntoView {
    let content = recommendation.content;
    let by = content.model.map(words_of).unwrap_or_default();
    let nothing = content.context_used.is_empty() && content.warnings.is_empty();
    if nothing && by.is_empty() {
        return ().into_any();
    }
    view! {
        <Section title="What the model looked at" aside=move || by.clone()>
            <dl class="kv">
                {content.context_used.iter().map(|(name, value)| view! { <dt>{humane(name)}</dt><dd>{plain(value)}</dd> }).collect_view()}
            </dl>
            {content.warnings.into_iter().map(|text| view! { <Notice tone=Tone::Wait><p>{text}</p></Notice> }).collect_view()}
            {nothing.then(|| view! { <Empty title="It says nothing about that"><p>"Judge by the root cause and the measured record."</p></Empty> })}
        </Section>
    }
    .into_any()
}

fn words_of(model: Model) -> String {
    let prompt = model.prompt_version.map(|v| format!("prompt {v}"));
    let investigation = model.investigation_id.map(|id| format!("investigation {id}"));
    [model.name, prompt, investigation].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[component]
fn Findings(
    /// The recommendation.
    of: String,
    findings: Vec<Finding>,
    /// The playbooks that the catalog knows.
    known: Vec<String>,
) -> impl IntoView {
    if findings.is_empty() {
        return ().into_any();
    }
    let cards = format!("/findings{}", Query::of(&[("recommendation", &of), ("state", "any")]));
    view! {
        <Section title="Also noticed" aside=move || view! { <a href=cards.clone()>"What became of it"</a> }>
            <ul class="rows findings">
                {findings.into_iter().map(|finding| view! {
                    <li>
                        <h3>{finding.title}{finding.severity.map(|of| view! { " "<SeverityChip of /> })}</h3>
                        {finding.resource.as_ref().map(|r| view! { <p class="sub">{object(r)}</p> })}
                        <Prose text=finding.description />
                        {finding.suggested_workflow_id.map(|id| {
                            let name = if known.contains(&id) {
                                view! { <a href=format!("/catalog/{id}")><code>{id.clone()}</code></a> }.into_any()
                            } else {
                                view! { <code>{id}</code>", which the catalog does not know" }.into_any()
                            };
                            view! { <p class="sub">"May help: "{name}</p> }
                        })}
                    </li>
                }).collect_view()}
            </ul>
        </Section>
    }
    .into_any()
}
