//! The inbox: what awaits a decision, in the order in which somebody has to begin, grouped by incident; filters stand in the
//! address, and what is selected goes on to be reviewed and decided together.

use crate::{
    components::{Empty, Field, Filters, InboxRow, Mark, PageHead, Pager, Select},
    page::{Ask, Page},
    pages::review,
    query::Query,
    words::{humane, number},
};
use domain::{
    identity::Right,
    paging::{Page as ListPage, PageOf},
    ports::RecommendationFilter,
    recommendation::{RecommendationState, Severity},
    services::{Answer, InboxItem},
    time::Timestamp,
};
use leptos::prelude::*;

const PATH: &str = "/approvals";

/// Asks for a page of the inbox.
pub async fn page(ask: Ask) -> Answer<Page> {
    let filter = filter(&ask.query);
    let list = ask.console.approvals.inbox(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let decides = ask.caller.may(Right::Decide);
    Ok(Page::of_place("Approvals", approvals(list, &filter, &ask.query, decides, ask.now)).following("recommendation"))
}

/// The filter that the address asks for: open ones unless it says otherwise; unknown words count as not said.
fn filter(query: &Query) -> RecommendationFilter {
    let state = match query.get("state") {
        Some("any") => None,
        Some(word) => RecommendationState::from_name(word).or(Some(RecommendationState::Open)),
        None => Some(RecommendationState::Open),
    };
    RecommendationFilter {
        state,
        incident: query.text("incident"),
        signal_type: query.text("signal_type"),
        severity: query.get("severity").and_then(Severity::from_name).map(|s| s.name().to_owned()),
        workflow_id: query.text("workflow_id"),
        q: query.text("q"),
    }
}

/// Items of one incident together, at the place of the first.
fn group(items: Vec<InboxItem>) -> Vec<(String, Vec<InboxItem>)> {
    let mut groups: Vec<(String, Vec<InboxItem>)> = Vec::new();
    for item in items {
        let incident = &item.recommendation.content.incident.id;
        match groups.iter_mut().find(|(id, _)| id == incident) {
            Some((_, group)) => group.push(item),
            None => groups.push((incident.clone(), vec![item])),
        }
    }
    groups
}

/// How the open ones are ordered (`Recommendation::begin_by`).
const ORDER: &str = "Most urgent first: by deadline, higher risk sooner.";

fn sub(shown: usize, more: bool, open: bool) -> String {
    if shown == 0 {
        return String::new();
    }
    let count = humane(&number(i64::try_from(shown).unwrap_or(i64::MAX)));
    match (open, more) {
        (true, false) => format!("{count} waiting. {ORDER}"),
        (true, true) => format!("{shown} on this page. {ORDER}"),
        (false, false) => format!("{count}, newest first"),
        (false, true) => format!("{shown} on this page, newest first"),
    }
}

/// The page. `decides` tells whether the reader may decide.
pub fn approvals(
    list: PageOf<InboxItem>,
    filter: &RecommendationFilter,
    query: &Query,
    decides: bool,
    now: Timestamp,
) -> AnyView {
    let PageOf { items, next_cursor } = list;
    let open = filter.state == Some(RecommendationState::Open);
    let filtered =
        *filter != RecommendationFilter { state: Some(RecommendationState::Open), ..RecommendationFilter::default() };
    let words = sub(items.len(), next_cursor.is_some(), open);
    // What has been decided can't be selected, nor can anything by who may not decide.
    let pick = decides && items.iter().any(|item| item.recommendation.state == RecommendationState::Open);
    let empty = items.is_empty();
    let rows = move || {
        view! { <ul class="rows inbox">{group(items).into_iter().map(|(id, items)| view! { <Group id items pick now /> }).collect_view()}</ul> }
    };
    view! {
        <PageHead title="Approvals" sub=move || words.clone() />
        <Controls filter=filter.clone() filtered />
        {if empty {
            view! { <Nothing filtered /> }.into_any()
        } else if pick {
            view! {
                <form class="picking" method="get" action=review::PATH>
                    {rows()}
                    <div class="bulk">
                        <button class="btn" type="submit">"Review selected"</button>
                        <p class="sub">"Select several to read their tickets on one page and decide them together."</p>
                    </div>
                </form>
            }
            .into_any()
        } else {
            rows().into_any()
        }}
        <Pager path=PATH query=query.clone() next=next_cursor />
    }
    .into_any()
}

#[component]
fn Controls(filter: RecommendationFilter, filtered: bool) -> impl IntoView {
    let state = filter.state.map_or("any", RecommendationState::name);
    let mut states: Vec<Select> = RecommendationState::ALL
        .into_iter()
        .map(|s| Select { value: s.name().into(), word: Mark::from(s).word.into() })
        .collect();
    states.push(Select { value: "any".into(), word: "Any state".into() });
    let mut severities = vec![Select { value: String::new(), word: "Any severity".into() }];
    severities
        .extend(Severity::ALL.into_iter().rev().map(|s| Select { value: s.name().into(), word: humane(s.name()) }));
    // What a link from elsewhere narrowed the list to stays while words and state change; "Clear" takes it away.
    let kept =
        [("incident", filter.incident), ("signal_type", filter.signal_type), ("workflow_id", filter.workflow_id)];
    let only: Vec<(&str, String)> = kept.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let words: Vec<String> = only.iter().map(|(_, value)| value.clone()).collect();
    view! {
        <Filters path=PATH label="Search incidents, summaries, resources" q=filter.q.unwrap_or_default() filtered>
            <Field name="state" label="State" value=state choices=states />
            <Field name="severity" label="Severity" value=filter.severity.unwrap_or_default() choices=severities />
            {only.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()}
        </Filters>
        {(!words.is_empty()).then(|| view! { <p class="sub only">"Only what belongs to "<code>{words.join(", ")}</code></p> })}
    }
    .into_any()
}

#[component]
fn Group(id: String, items: Vec<InboxItem>, pick: bool, now: Timestamp) -> impl IntoView {
    let one = move |item: InboxItem| {
        let pick = pick && item.recommendation.state == RecommendationState::Open;
        view! { <InboxRow item pick now /> }
    };
    if items.len() == 1 {
        return items.into_iter().map(one).collect_view().into_any();
    }
    view! {
        <li class="group">
            <p class="group-name"><b>{id}</b>" "<span class="sub">{format!("{} recommendations", items.len())}</span></p>
            <ul class="rows inbox">{items.into_iter().map(one).collect_view()}</ul>
        </li>
    }
    .into_any()
}

#[component]
fn Nothing(filtered: bool) -> impl IntoView {
    if filtered {
        view! { <Empty title="Nothing matches"><p>"Take a filter away, or "<a href=PATH>"see all that is open"</a>"."</p></Empty> }
            .into_any()
    } else {
        view! {
            <Empty title="Nothing awaits a decision">
                <p>"New recommendations arrive here as incidents are investigated. "<a href="/approvals?state=any">"See earlier ones"</a></p>
            </Empty>
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inbox_shows_what_is_open_unless_asked_otherwise() {
        assert_eq!(filter(&Query::default()).state, Some(RecommendationState::Open));
        assert_eq!(filter(&Query::parse("state=any")).state, None);
        assert_eq!(filter(&Query::parse("state=expired")).state, Some(RecommendationState::Expired));
        assert_eq!(filter(&Query::parse("state=bogus")).state, Some(RecommendationState::Open));
        assert_eq!(filter(&Query::parse("severity=bogus&q=")).severity, None);
    }

    #[test]
    fn the_order_is_told_as_it_is() {
        assert_eq!(sub(3, false, true), "Three waiting. Most urgent first: by deadline, higher risk sooner.");
        assert_eq!(sub(50, true, false), "50 on this page, newest first");
        assert_eq!(sub(0, false, true), "");
    }
}
