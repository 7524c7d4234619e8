//! After the decision, and on the way there: who decided what and why, whose word is still missing, what came of the run, and what was
//! made of that.

use crate::{
    components::{Ago, DigestId, Elapsed, Outcome, Prose, Section, State},
    icon::{Glyph, Icon},
    pages::run::MadeOfIt,
    query::Query,
    words::telling,
};
use domain::{
    decision::{Decision, Verb},
    execution::Execution,
    ids::Digest,
    recommendation::RecommendationState,
    recovery::Made as MadeOfRun,
    services::RecommendationView,
    time::Timestamp,
};
use leptos::prelude::*;

/// Every decision, then the run and what was made of it.
#[component]
pub fn Decisions(
    view: RecommendationView,
    /// What was made of the run, newest first.
    made: Vec<MadeOfRun>,
) -> impl IntoView {
    let lapsed: Vec<bool> = view.decisions.iter().map(|decision| view.has_lapsed(decision)).collect();
    let RecommendationView { decisions, run, recommendation, ticket, have, need, now, .. } = view;
    if decisions.is_empty() && run.is_none() {
        return ().into_any();
    }
    let open = recommendation.state == RecommendationState::Open;
    let digest = ticket.filter(|_| open).map(|ticket| ticket.digest);
    let missing = need.saturating_sub(have);
    let title = if open { "Decided so far" } else { "What was decided, and what came of it" };
    let runs = run.as_ref().map(|_| format!("/runs{}", Query::of(&[("recommendation", recommendation.id.as_str())])));
    let aside = move || runs.clone().map(|href| view! { <a href=href>"In the list of runs"</a> });
    view! {
        <Section title=title id="decided" aside>
            <ol class="rows decisions">
                {decisions.into_iter().zip(lapsed).map(|(decision, lapsed)| view! {
                    <li><Made decision lapsed now awaited=digest.clone() /></li>
                }).collect_view()}
                {(open && missing > 0).then(|| view! {
                    <li><p class="warned idle"><Glyph of=Icon::Clock />{waits(missing)}</p></li>
                })}
                {run.map(|run| view! { <li class="run-told"><RunLine run now /></li> })}
                // In the order in which it happened.
                {made.into_iter().rev().map(|made| view! { <li class="run-told"><MadeOfIt made now /></li> }).collect_view()}
            </ol>
        </Section>
    }
    .into_any()
}

fn waits(missing: u32) -> String {
    if missing == 1 {
        "Another person has to approve.".to_owned()
    } else {
        format!("{missing} more people have to approve.")
    }
}

#[component]
fn Made(
    decision: Decision,
    /// Whether it is an approval that counts no more.
    lapsed: bool,
    now: Timestamp,
    /// The ticket that awaits its decision.
    awaited: Option<Digest>,
) -> impl IntoView {
    let approved = decision.ticket_digest.filter(|_| decision.verb == Verb::Approve);
    let by_policy = decision.actor.is_policy();
    let other = awaited.zip(approved.clone()).is_some_and(|(awaited, approved)| awaited != approved);
    view! {
        <p><State of=decision.verb />" by "<b>{decision.actor.name}</b>" "<span class="sub"><Ago at=decision.at now /></span></p>
        {match decision.reason {
            Some(reason) => view! { <Prose text=reason /> }.into_any(),
            None if by_policy => view! { <p class="sub">"By its rule, without anybody."</p> }.into_any(),
            None => view! { <p class="sub">"No reason given."</p> }.into_any(),
        }}
        {approved.map(|digest| view! { <p class="sub">"Ticket "<DigestId of=digest /></p> })}
        {lapsed.then(|| view! {
            <p class="warned wait"><Glyph of=Icon::Warn />"It does not count: whoever gave it is disabled by now or may no more, or another policy was in force since."</p>
        })}
        {(other && !lapsed).then(|| view! {
            <p class="warned wait"><Glyph of=Icon::Warn />"That was another ticket than the one above: for this one it does not count."</p>
        })}
    }
    .into_any()
}

/// A run in a line: how it stands, whether it helped, where to go on.
#[component]
pub fn RunLine(run: Execution, now: Timestamp) -> impl IntoView {
    let href = format!("/runs/{}", run.subject.id);
    let reason = telling(run.reason.clone());
    let title = match &run.subject.version {
        Some(version) => format!("{} {version}", run.subject.title),
        None => run.subject.title.clone(),
    };
    view! {
        <State of=run.state />
        <span class="what">
            <a href=href>{title}</a>
            {reason.map(|reason| view! { " "<span class="sub">{reason}</span> })}
        </span>
        <span class="outcome"><Outcome state=run.state assessment=run.assessment /></span>
        <span class="sub when">
            {match run.finished_at {
                Some(at) => view! { <Ago at now /> }.into_any(),
                None => view! { <Elapsed from=run.started_at.unwrap_or(run.created_at) to=None now /> }.into_any(),
            }}
        </span>
    }
    .into_any()
}
