//! The catalog: playbooks by what they are for, each with what was measured and why it was found. Everything that narrows it
//! stands in the address; the facets are links with how many playbooks each would leave.

use crate::{
    components::{Empty, Mark, Measured, PageHead, Pager, State},
    icon::{Glyph, Icon},
    page::{Ask, Page},
    query::Query,
};
use domain::{
    identity::Right,
    paging::{Page as ListPage, PageOf},
    playbook::Labels,
    ports::{CatalogFilter, Facet, FacetValue, PlaybookStatus},
    services::{Answer, CatalogItem, Found},
};
use leptos::prelude::*;

const PATH: &str = "/catalog";
/// The facets by name, with what people call them, in the order in which they stand.
const FACETS: [(&str, &str); 10] = [
    ("signal_type", "signal"),
    ("severity", "severity"),
    ("environment", "environment"),
    ("component", "component"),
    ("category", "category"),
    ("priority", "priority"),
    ("risk_tolerance", "risk tolerance"),
    ("business_category", "business"),
    ("tag", "tag"),
    ("status", "status"),
];

/// Asks for a page of the catalog.
pub async fn page(ask: Ask) -> Answer<Page> {
    let filter = filter(&ask.query);
    let service = &ask.console.catalog;
    let found = service.find(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let facets = service.facets(&ask.caller, &filter).await?;
    let (may_read, may_register) = (ask.caller.may(Right::CatalogRead), ask.caller.may(Right::CatalogWrite));
    let page = catalog(found, facets, filter, ask.query, may_read, may_register);
    Ok(Page::of_place("Catalog", page).following("playbook execution"))
}

/// The filter that the address asks for. Any status unless it says one: what was deprecated should be found and say so.
fn filter(query: &Query) -> CatalogFilter {
    CatalogFilter {
        q: query.text("q"),
        signal_type: query.text("signal_type"),
        severity: query.text("severity"),
        component: query.text("component"),
        environment: query.text("environment"),
        priority: query.text("priority"),
        risk_tolerance: query.text("risk_tolerance"),
        business_category: query.text("business_category"),
        category: query.text("category"),
        tags: query.all("tag").map(str::to_owned).collect(),
        status: query.get("status").and_then(PlaybookStatus::from_name),
    }
}

/// The page.
pub fn catalog(
    found: Found,
    facets: Vec<Facet>,
    filter: CatalogFilter,
    query: Query,
    may_read: bool,
    may_register: bool,
) -> AnyView {
    let Found { page: PageOf { items, next_cursor }, meaning } = found;
    let filtered = filter != CatalogFilter::default();
    let empty = items.is_empty();
    view! {
        <PageHead title="Catalog">
            {may_read.then(|| view! { <a class="btn" href="/catalog/actions">"Action types"</a> })}
            {may_register.then(|| view! { <a class="btn primary" href="/catalog/new">"Register a playbook"</a> })}
        </PageHead>
        <Search q=filter.q.unwrap_or_default() query=query.clone() />
        <Narrow facets query=query.clone() filtered />
        {meaning.note().map(|note| view! { <p class="sub" role="status">{note}</p> })}
        {if empty {
            view! { <Nothing filtered may_register /> }.into_any()
        } else {
            view! { <ul class="rows catalog">{items.into_iter().map(|item| view! { <Line item /> }).collect_view()}</ul> }.into_any()
        }}
        <Pager path=PATH query next=next_cursor />
    }
    .into_any()
}

/// The search; what is chosen besides stays.
#[component]
fn Search(q: String, query: Query) -> impl IntoView {
    let others = query.pairs().filter(|(name, _)| *name != "q" && *name != "cursor");
    let others: Vec<_> = others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    view! {
        <form class="filters" method="get" action=PATH role="search">
            <div class="find">
                <Glyph of=Icon::Find />
                <input type="search" name="q" value=q aria-label="Search titles, descriptions, labels" placeholder="Search titles, descriptions, labels"
                    autocomplete="off" />
            </div>
            {others.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()}
            <button class="btn" type="submit">"Search"</button>
        </form>
    }
    .into_any()
}

/// What is chosen, each to be taken away, and what can be.
#[component]
fn Narrow(facets: Vec<Facet>, query: Query, filtered: bool) -> impl IntoView {
    let address = |query: &Query| format!("{PATH}{}", query.with("cursor", None));
    let chosen: Vec<_> = FACETS
        .iter()
        .flat_map(|(name, word)| query.all(name).map(move |value| (*name, *word, value.to_owned())))
        .map(|(name, word, value)| (word, value_word(name, &value), address(&query.minus(name, &value))))
        .collect();
    let open: Vec<_> = FACETS
        .iter()
        .filter_map(|(name, word)| {
            let facet = facets.iter().find(|facet| facet.name == *name)?;
            let several = *name == "tag";
            let left = facet.values.iter().filter(|value| !query.all(name).any(|chosen| chosen == value.value));
            let left: Vec<_> = left
                .map(|FacetValue { value, count }| {
                    let query = if several { query.plus(name, value) } else { query.with(name, Some(value)) };
                    (value_word(name, value), *count, address(&query))
                })
                .collect();
            (!left.is_empty()).then_some((*word, left))
        })
        .collect();
    if chosen.is_empty() && open.is_empty() {
        return ().into_any();
    }
    view! {
        <div class="facets" role="group" aria-label="Narrow the catalog">
            {chosen.into_iter().map(|(word, value, href)| view! {
                <a class="chip facet-chosen" href=href aria-label=format!("{word}: {value}, take it away")>
                    {word}": "<b>{value.clone()}</b><Glyph of=Icon::Away /></a>
            }).collect_view()}
            {open.into_iter().map(|(word, values)| view! {
                <details class="facet" name="facet">
                    <summary class="chip">"+ "{word}</summary>
                    <ul>
                        {values.into_iter().map(|(value, count, href)| view! {
                            <li><a href=href><span>{value}</span>" "<span class="sub">{count}</span></a></li>
                        }).collect_view()}
                    </ul>
                </details>
            }).collect_view()}
            {filtered.then(|| view! { <a class="facet-clear sub" href=PATH>"Clear all"</a> })}
        </div>
    }
    .into_any()
}

/// A value as people read it.
fn value_word(facet: &str, value: &str) -> String {
    match (facet, value) {
        ("status", word) => PlaybookStatus::from_name(word).map_or(word, |status| Mark::from(status).word).to_owned(),
        (_, "*") => "any".to_owned(),
        (_, value) => value.to_owned(),
    }
}

/// A playbook of the list.
#[component]
fn Line(item: CatalogItem) -> impl IntoView {
    let CatalogItem { playbook, track, matched } = item;
    let registration = playbook.registration;
    let labels = label_words(&registration.labels).join(" · ");
    view! {
        <li class="playbook-line">
            <div class="what">
                <h2><a href=format!("/catalog/{}", registration.id)>{registration.title}</a></h2>
                <p class="sub"><code>{registration.id.to_string()}</code>" "{registration.version.to_string()}
                    {(!labels.is_empty()).then(|| format!(" · {labels}"))}</p>
                {(!matched.is_empty()).then(|| view! { <p class="sub why">"Found by "{matched.join(", ")}</p> })}
            </div>
            <div class="track"><Measured track /></div>
            <State of=playbook.status />
        </li>
    }
    .into_any()
}

/// The labels that say what a playbook is for, without the empty ones; `*` is any.
pub fn label_words(labels: &Labels) -> Vec<String> {
    let one = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| if value == "*" { format!("any {name}") } else { value.clone() })
    };
    let named = [
        one("signal", &labels.signal_type),
        one("severity", &labels.severity),
        one("component", &labels.component),
        one("environment", &labels.environment),
        one("priority", &labels.priority),
    ];
    named.into_iter().flatten().collect()
}

#[component]
fn Nothing(filtered: bool, may_register: bool) -> impl IntoView {
    if filtered {
        return view! { <Empty title="No playbook matches"><p>"Take a filter away, or "<a href=PATH>"see the whole catalog"</a>"."</p></Empty> }
            .into_any();
    }
    view! {
        <Empty title="The catalog is empty">
            <p>"A model can only recommend what is registered here. "
                {if may_register {
                    view! { <a href="/catalog/new">"Register the first playbook"</a> }.into_any()
                } else {
                    view! { "Somebody with the role author can register the first one." }.into_any()
                }}
            </p>
        </Empty>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_what_is_searched() {
        let filter = filter(&Query::parse("q=memory&status=bogus&tag=a&tag=b&severity="));
        assert_eq!((filter.q.as_deref(), filter.status, filter.severity), (Some("memory"), None, None));
        assert_eq!(filter.tags, ["a", "b"]);
    }

    #[test]
    fn labels_are_words_and_a_star_is_any() {
        let labels = Labels { signal_type: Some("OOMKilled".into()), severity: Some("*".into()), ..Labels::default() };
        assert_eq!(label_words(&labels), ["OOMKilled", "any severity"]);
    }
}
