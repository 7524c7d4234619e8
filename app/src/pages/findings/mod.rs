//! Findings: what models noticed beside the point and what the console saw in its own history, a card each. The gravest first;
//! filters in the address.

pub mod card;

use crate::{
    components::{Ago, Empty, Field, Filters, Mark, PageHead, Pager, Select, SeverityChip, State, target},
    page::{Ask, Page},
    query::Query,
    words::humane,
};
use domain::{
    finding::{Card, FindingState, NOTICED_BY_MODEL},
    paging::{Page as ListPage, PageOf},
    ports::FindingFilter,
    recommendation::Severity,
    services::Answer,
    time::Timestamp,
};
use leptos::prelude::*;

const PATH: &str = "/findings";

/// Asks for a page of findings.
pub async fn page(ask: Ask) -> Answer<Page> {
    let filter = filter(&ask.query);
    let list = ask.console.findings.findings(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    Ok(Page::of_place("Findings", findings(list, filter, ask.query, ask.now)).following("finding"))
}

/// The filter that the address asks for: what is open or in hand unless it says otherwise; unknown words count as not said.
fn filter(query: &Query) -> FindingFilter {
    let pending = vec![FindingState::Open, FindingState::Acknowledged];
    let states = match query.get("state") {
        Some("any") => Vec::new(),
        Some(word) => FindingState::from_name(word).map_or(pending, |state| vec![state]),
        None => pending,
    };
    FindingFilter {
        states,
        severity: query.get("severity").and_then(Severity::from_name),
        kind: query.text("kind"),
        recommendation_id: query.text("recommendation"),
        q: query.text("q"),
    }
}

/// The page.
pub fn findings(list: PageOf<Card>, filter: FindingFilter, query: Query, now: Timestamp) -> AnyView {
    let PageOf { items, next_cursor } = list;
    let filtered = ["state", "severity", "kind", "recommendation", "q"].iter().any(|name| query.text(name).is_some());
    let empty = items.is_empty();
    let sub = if empty { "" } else { "The gravest first; what was noticed again counts on its card" };
    let state = query.text("state").unwrap_or_default();
    view! {
        <PageHead title="Findings" sub=move || sub />
        <Controls filter state filtered />
        {if empty {
            view! { <Nothing filtered /> }.into_any()
        } else {
            view! { <ul class="rows finding-list">{items.into_iter().map(|card| view! { <Line card now /> }).collect_view()}</ul> }.into_any()
        }}
        <Pager path=PATH query next=next_cursor />
    }
    .into_any()
}

#[component]
fn Controls(filter: FindingFilter, state: String, filtered: bool) -> impl IntoView {
    let mut states = vec![
        Select { value: String::new(), word: "Open and acknowledged".into() },
        Select { value: "any".into(), word: "Any state".into() },
    ];
    states.extend(
        FindingState::ALL.map(|state| Select { value: state.name().into(), word: Mark::from(state).word.into() }),
    );
    let mut severities = vec![Select { value: String::new(), word: "Any severity".into() }];
    severities.extend(
        Severity::ALL.into_iter().rev().map(|one| Select { value: one.name().into(), word: humane(one.name()) }),
    );
    let severity = filter.severity.map(|one| one.name().to_owned()).unwrap_or_default();
    // What a link from elsewhere narrowed the list to stays while the others change.
    let kept = [("kind", filter.kind), ("recommendation", filter.recommendation_id)];
    view! {
        <Filters path=PATH label="Search findings, objects, playbooks" q=filter.q.unwrap_or_default() filtered>
            <Field name="state" label="State" value=state choices=states />
            <Field name="severity" label="Severity" value=severity choices=severities />
            {kept.into_iter().filter_map(|(name, value)| Some((name, value?))).map(|(name, value)| view! {
                <input type="hidden" name=name value=value />
            }).collect_view()}
        </Filters>
    }
    .into_any()
}

/// A card of the list.
#[component]
fn Line(card: Card, now: Timestamp) -> impl IntoView {
    let noticed = card.noticed;
    let times = if card.seen == 1 { "noticed once".to_owned() } else { format!("noticed {} times", card.seen) };
    let about = [
        noticed.resource.as_ref().map(target),
        (noticed.kind != NOTICED_BY_MODEL).then(|| humane(&noticed.kind)),
        Some(times),
        card.turned_into.as_ref().map(|_| "a recommendation was made of it".to_owned()),
    ];
    let about = about.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        <li class="finding-line">
            <State of=card.state />
            <div class="what">
                <h2><a href=format!("{PATH}/{}", card.id)>{noticed.title}</a>{noticed.severity.map(|of| view! { " "<SeverityChip of /> })}</h2>
                <p class="sub">{about}</p>
            </div>
            <p class="sub when"><Ago at=card.last_seen now /></p>
        </li>
    }
    .into_any()
}

#[component]
fn Nothing(filtered: bool) -> impl IntoView {
    if filtered {
        return view! { <Empty title="No finding matches"><p>"Take a filter away, or "<a href="/findings?state=any">"see all findings"</a>"."</p></Empty> }
            .into_any();
    }
    view! {
        <Empty title="Nothing is waiting to be looked at">
            <p>"What a model notices beside the point, and patterns in what ran, arrive here by themselves. "<a href="/findings?state=any">"See earlier ones"</a></p>
        </Empty>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_in_the_address_filter_nothing() {
        let usual = filter(&Query::default());
        assert_eq!(usual.states, [FindingState::Open, FindingState::Acknowledged]);
        assert_eq!(filter(&Query::parse("state=bogus&severity=worst&q=")), usual);
        assert_eq!(filter(&Query::parse("state=any")).states, []);
        assert_eq!(filter(&Query::parse("state=dismissed&severity=high")).severity, Some(Severity::High));
    }
}
