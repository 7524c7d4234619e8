//! An incident: how it stands, its signals, what was recommended for it and what ran; and closing it by hand.

use super::investigations::Investigations;
use crate::{
    components::{
        Ago, Elapsed, Empty, Field, FormFaults, Id, Notice, PageHead, Prose, RunRow, Section, SeverityChip, State,
        TableBox, Tone, target,
    },
    context::FormOutcome,
    page::{Ask, Page},
    query::Query,
};
use domain::{
    identity::Right,
    ids::IncidentId,
    incident::{Closed, IncidentRecord, IncidentState},
    recommendation::Recommendation,
    services::{Answer, IncidentView},
    signal::{Signal, SignalSource},
    time::Timestamp,
};
use leptos::prelude::*;
use std::fmt::Write as _;

/// The form that closes it.
pub const CLOSE: &str = "close";

/// Asks for an incident.
pub async fn page(ask: Ask) -> Answer<Page> {
    let id = IncidentId::new(ask.param("id"));
    let view = ask.console.incidents.incident(&ask.caller, &id).await?;
    let follows = follows(&view);
    let title = view.incident.about.title.clone();
    let own = (ask.form.action.as_deref() == Some(CLOSE)).then(|| "reason".to_owned());
    let closable = ask.caller.may(Right::Decide) && view.incident.state == IncidentState::Firing;
    let close = closable.then(|| closing(&id, &ask.form));
    let shown =
        view! { <FormFaults form=ask.form fields=own.into_iter().collect() />{incident(view)}{close} }.into_any();
    Ok(Page::below(title, shown).following(follows).with_history(&ask.caller, id.as_str()))
}

/// The section that closes it, for who may and while it fires.
pub fn closing(id: &IncidentId, form: &FormOutcome) -> AnyView {
    let reason = form.value("reason").unwrap_or_default().to_owned();
    let error = form.error("reason");
    let action = format!("/incidents/{id}/{CLOSE}#close");
    view! {
        <Section title="Close it by hand" id="close">
            <p class="sub">
                "For an incident that no alert will end. Nobody says by that that it is over: no run counts as having helped by it, and what fires on is a new incident when it is told again."
            </p>
            <form class="narrow-form" method="post" action=action>
                <Field name="reason" label="Reason" small="goes into the audit trail" rows=2 value=reason error required=true max_length=Some(4096) />
                <p class="actions"><button class="btn" type="submit">"Close the incident"</button></p>
            </form>
        </Section>
    }
    .into_any()
}

/// Its own events, and those of what was recommended and run for it.
fn follows(view: &IncidentView) -> String {
    let mut follows = format!("incident:{}", view.incident.id);
    // Writing into a String can't fail.
    for recommendation in &view.recommendations {
        let _ = write!(follows, " recommendation:{}", recommendation.id);
    }
    for run in &view.runs {
        let _ = write!(follows, " execution:{}", run.execution.subject.id);
    }
    follows
}

/// The page.
pub fn incident(view: IncidentView) -> AnyView {
    let IncidentView { incident, signals, recommendations, runs, investigations, cannot_investigate, now } = view;
    let id = incident.id.clone();
    let (state, severity) = (incident.state, incident.severity);
    let (from, to) = (incident.started_at, incident.resolved_at);
    let fires = state == IncidentState::Firing;
    let title = incident.about.title.clone();
    let nobody = recommendations.is_empty();
    let more = usize::try_from(incident.signal_count).is_ok_and(|all| all > signals.len());
    let shown = signals.len();
    view! {
        <PageHead title sub=move || view! {
            <State of=state />" "<SeverityChip of=severity />" "
            {if fires { "for " } else { "lasted " }}<Elapsed from to now />
        } />
        {(fires && nobody).then(|| view! {
            <Notice tone=Tone::Wait><p>"It fires, and nothing was recommended for it yet."</p></Notice>
        })}
        {incident.closed.clone().map(|closed| view! { <ClosedByHand closed now /> })}
        <Facts incident now />
        <Section title="Signals" id="signals">
            <Signals signals now />
            {more.then(|| view! { <p class="sub more-line">{format!("Only {shown} are shown.")}</p> })}
        </Section>
        <Investigations incident=id all=investigations cannot=cannot_investigate now />
        <Section title="Recommendations" id="recommendations">
            {if nobody {
                view! {
                    <Empty title="Nothing was recommended yet">
                        <p>"A recommendation belongs here when it names this incident's id, or the fingerprint of one of its alerts."</p>
                    </Empty>
                }
                .into_any()
            } else {
                view! { <ul class="rows">{recommendations.into_iter().map(|one| view! { <Recommended one now /> }).collect_view()}</ul> }.into_any()
            }}
        </Section>
        <Section title="Runs" id="runs">
            {if runs.is_empty() {
                view! { <p class="none sub">"Nothing ran for it."</p> }.into_any()
            } else {
                view! { <ul class="rows">{runs.into_iter().map(|run| view! { <RunRow run now /> }).collect_view()}</ul> }.into_any()
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn ClosedByHand(closed: Closed, now: Timestamp) -> impl IntoView {
    let Closed { by, reason, at } = closed;
    view! {
        <Notice tone=Tone::Idle>
            <p>"Closed by hand by "<b>{by.name}</b>" "<Ago at now />". Whether it was over nobody said."</p>
            <Prose text=reason />
        </Notice>
    }
    .into_any()
}

#[component]
fn Facts(incident: IncidentRecord, now: Timestamp) -> impl IntoView {
    let about = incident.about;
    let alike = format!("/incidents{}", Query::of(&[("signal_type", &about.signal_type)]));
    let source = match incident.source {
        SignalSource::Alertmanager => "Alertmanager",
        SignalSource::Kubernetes => "Events of Kubernetes",
    };
    view! {
        <dl class="kv ruled">
            <dt>"Signal"</dt><dd>{about.signal_type}", "<a href=alike>"all of this kind"</a></dd>
            {about.resource.map(|resource| view! { <dt>"Object"</dt><dd>{target(&resource)}</dd> })}
            {about.environment.map(|environment| view! { <dt>"Environment"</dt><dd>{environment}</dd> })}
            <dt>"Began"</dt><dd><Ago at=incident.started_at now /></dd>
            {incident.resolved_at.map(|at| view! { <dt>"Resolved"</dt><dd><Ago at now /></dd> })}
            <dt>"Told by"</dt><dd>{source}", first "<Ago at=incident.opened_at now /></dd>
            {incident.earlier.map(|earlier| view! {
                <dt>"Before it"</dt>
                <dd><a href=format!("/incidents/{earlier}")>"The incident before it"</a>" had the same alert or belonged to the same group"</dd>
            })}
            <dt>"Id"</dt><dd><Id of=incident.id.to_string() what="incident id" /></dd>
        </dl>
    }
    .into_any()
}

#[component]
fn Signals(signals: Vec<Signal>, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label="Signals">
            <table class="grid">
                <caption class="vh">"Signals, those that fire first"</caption>
                <thead><tr>
                    <th scope="col">"Alert"</th><th scope="col">"State"</th><th scope="col">"Object"</th>
                    <th scope="col">"Began"</th><th scope="col">"Ended"</th><th scope="col">"Labels"</th>
                </tr></thead>
                <tbody>{signals.into_iter().map(|signal| view! { <SignalRow signal now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn SignalRow(signal: Signal, now: Timestamp) -> impl IntoView {
    let Signal { fingerprint, starts_at, seen_at, resolved_at, count, facts, .. } = signal;
    let state = if resolved_at.is_none() { IncidentState::Firing } else { IncidentState::Resolved };
    let labels = facts.labels.len();
    view! {
        <tr>
            <th scope="row">
                {facts.name}
                {facts.summary.map(|summary| view! { <p class="sub">{summary}</p> })}
                {facts.link.map(|href| view! { <p class="sub">"From "<a href=href rel="noreferrer">"its query"</a></p> })}
            </th>
            <td><State of=state />" "<SeverityChip of=facts.severity /></td>
            <td>{facts.resource.as_ref().map_or_else(|| "not named".to_owned(), target)}</td>
            <td class="sub"><Ago at=starts_at now /></td>
            <td class="sub">
                {match resolved_at {
                    Some(at) => view! { <Ago at now /> }.into_any(),
                    None => view! { {format!("told {}, last ", times(count))}<Ago at=seen_at now /> }.into_any(),
                }}
            </td>
            <td>
                <details>
                    <summary class="btn small">{format!("{labels} labels")}</summary>
                    <dl class="kv">
                        {facts.labels.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> }).collect_view()}
                        <dt>"Fingerprint"</dt><dd><code>{fingerprint}</code></dd>
                    </dl>
                </details>
            </td>
        </tr>
    }
    .into_any()
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[component]
fn Recommended(one: Recommendation, now: Timestamp) -> impl IntoView {
    let href = format!("/recommendations/{}", one.id);
    let model = one
        .content
        .model
        .as_ref()
        .and_then(|model| model.provider.clone())
        .unwrap_or_else(|| one.proposer.name.clone());
    view! {
        <li class="run-row recommended">
            <State of=one.state />
            <span class="what"><a href=href>{one.headline().to_owned()}</a><span class="sub under">{model}</span></span>
            <span class="sub when"><Ago at=one.created_at now /></span>
        </li>
    }
    .into_any()
}
