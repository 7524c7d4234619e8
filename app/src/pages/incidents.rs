//! The list of incidents: newest first, keyset pages, filters in the address. One incident: [`one`].

mod investigations;
pub mod one;

use crate::{
    components::{Ago, Elapsed, Empty, Field, Filters, Mark, PageHead, Pager, Select, SeverityChip, State, target},
    page::{Ask, Page},
    query::Query,
    words::{humane, number},
};
use domain::{
    incident::{IncidentRecord, IncidentState},
    paging::{Page as ListPage, PageOf},
    ports::IncidentFilter,
    recommendation::Severity,
    services::Answer,
    time::Timestamp,
};
use leptos::prelude::*;

const PATH: &str = "/incidents";

/// Asks for a page of incidents.
pub async fn page(ask: Ask) -> Answer<Page> {
    let filter = filter(&ask.query);
    let list = ask.console.incidents.incidents(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let page = incidents(list, filter, ask.query, ask.now);
    Ok(Page::of_place("Incidents", page).following("incident recommendation"))
}

/// The filter that the address asks for; unknown words count as not said.
fn filter(query: &Query) -> IncidentFilter {
    IncidentFilter {
        state: query.get("state").and_then(IncidentState::from_name),
        unanswered: query.get("state") == Some("unanswered"),
        signal_type: query.text("signal_type"),
        severity: query.get("severity").and_then(Severity::from_name).map(|s| s.name().to_owned()),
        q: query.text("q"),
    }
}

/// The page.
pub fn incidents(list: PageOf<IncidentRecord>, filter: IncidentFilter, query: Query, now: Timestamp) -> AnyView {
    let PageOf { items, next_cursor } = list;
    let filtered = filter != IncidentFilter::default();
    let empty = items.is_empty();
    let sub = if empty { "" } else { "Newest first" };
    view! {
        <PageHead title="Incidents" sub=move || sub />
        <Controls filter filtered />
        {if empty {
            view! { <Nothing filtered /> }.into_any()
        } else {
            view! { <IncidentRows items now /> }.into_any()
        }}
        <Pager path=PATH query next=next_cursor />
    }
    .into_any()
}

/// Incidents, a line each.
#[component]
pub fn IncidentRows(items: Vec<IncidentRecord>, now: Timestamp) -> impl IntoView {
    view! { <ul class="rows runs">{items.into_iter().map(|incident| view! { <Line incident now /> }).collect_view()}</ul> }
        .into_any()
}

#[component]
fn Controls(filter: IncidentFilter, filtered: bool) -> impl IntoView {
    let any = |word: &str| Select { value: String::new(), word: word.into() };
    let mut states = vec![any("Any state")];
    states
        .extend(IncidentState::ALL.iter().map(|s| Select { value: s.name().into(), word: Mark::from(*s).word.into() }));
    states.push(Select { value: "unanswered".into(), word: "Firing, nothing recommended".into() });
    let state = if filter.unanswered { "unanswered" } else { filter.state.map_or("", IncidentState::name) };
    let mut severities = vec![any("Any severity")];
    severities
        .extend(Severity::ALL.into_iter().rev().map(|s| Select { value: s.name().into(), word: humane(s.name()) }));
    let only = filter.signal_type.clone();
    let kept = only.clone();
    view! {
        <Filters path=PATH label="Search alerts, objects, environments" q=filter.q.unwrap_or_default() filtered>
            <Field name="state" label="State" value=state.to_owned() choices=states />
            <Field name="severity" label="Severity" value=filter.severity.unwrap_or_default() choices=severities />
            // What a link from elsewhere narrowed the list to stays while the others change; "Clear" takes it away.
            {kept.map(|value| view! { <input type="hidden" name="signal_type" value=value /> })}
        </Filters>
        {only.map(|kind| view! { <p class="sub only">{format!("Only {kind}")}</p> })}
    }
    .into_any()
}

/// An incident of the list.
#[component]
fn Line(incident: IncidentRecord, now: Timestamp) -> impl IntoView {
    let href = format!("/incidents/{}", incident.id);
    let about = incident.about.clone();
    let what = [about.resource.as_ref().map(target), Some(about.signal_type), about.environment];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let several = (incident.signal_count > 1).then(|| many_signals(&incident));
    let at = incident.resolved_at.unwrap_or(incident.started_at);
    view! {
        <li class="run-line">
            <State of=incident.state />
            <div class="what">
                <h2><a href=href>{about.title}</a></h2>
                <p class="sub">{what}</p>
                {several.map(|words| view! { <p class="sub why">{words}</p> })}
            </div>
            <div class="came-of"><SeverityChip of=incident.severity /></div>
            <p class="took"><span class="vh">"lasted "</span><Elapsed from=incident.started_at to=incident.resolved_at now /></p>
            <p class="sub when"><Ago at now /></p>
        </li>
    }
    .into_any()
}

/// How many signals there are, and how many of them fire.
fn many_signals(incident: &IncidentRecord) -> String {
    let all = humane(&number(i64::from(incident.signal_count)));
    match incident.firing_count {
        0 => format!("{all} signals, all have ended"),
        n if n == incident.signal_count => format!("{all} signals fire"),
        1 => format!("{all} signals, one of them fires"),
        n => format!("{all} signals, {} of them fire", number(i64::from(n))),
    }
}

#[component]
fn Nothing(filtered: bool) -> impl IntoView {
    if filtered {
        return view! { <Empty title="No incident matches"><p>"Take a filter away, or "<a href=PATH>"see all incidents"</a>"."</p></Empty> }
            .into_any();
    }
    view! {
        <Empty title="No incidents">
            <p>"They come from Alertmanager, or from Kubernetes: "<a href="/api">"POST /api/v1/signals/alertmanager"</a>" takes what Alertmanager sends."</p>
        </Empty>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_in_the_address_filter_nothing() {
        assert_eq!(filter(&Query::parse("state=bogus&severity=awful&q=")), IncidentFilter::default());
        assert_eq!(filter(&Query::parse("state=firing")).state, Some(IncidentState::Firing));
        let unanswered = filter(&Query::parse("state=unanswered"));
        assert!(unanswered.unanswered && unanswered.state.is_none());
        assert_eq!(filter(&Query::parse("severity=high")).severity.as_deref(), Some("high"));
    }
}
