//! The audit trail: who did what, newest first; how it stands; filters in the address, and an export of what they let through.

mod row;
mod trail;

use crate::{
    components::{Empty, Field, Filters, FormFaults, PageHead, Pager, Select, TableBox},
    context::FormOutcome,
    page::{Ask, Page},
    query::Query,
};
use domain::{
    audit::{ACTIONS, AuditFilter, AuditRecord, family},
    effectiveness::DAY_MS,
    identity::{Door, Right},
    paging::{Page as ListPage, PageOf},
    services::{Answer, TrailView},
    time::Timestamp,
};
use leptos::prelude::*;
use row::{Row, door_word, kind_word};
use std::collections::HashMap;
use trail::{Exports, Trail};

const PATH: &str = "/audit";

/// What objects are called, by kind and id.
pub type Titles = HashMap<(String, String), String>;

/// All that the page shows.
pub struct AuditView {
    /// The rows.
    pub list: PageOf<AuditRecord>,
    /// What their objects are called.
    pub titles: Titles,
    /// How the trail stands.
    pub trail: TrailView,
    /// Which rows were asked for.
    pub filter: AuditFilter,
    /// The query of the address.
    pub query: Query,
    /// Whether whoever looks may set and release the legal hold.
    pub may_hold: bool,
    /// A form that was not taken; empty when there is none.
    pub form: FormOutcome,
    /// The server's time.
    pub now: Timestamp,
}

/// Asks for a page of the trail; without the right the answer is a refusal, not an empty trail.
pub async fn page(ask: Ask) -> Answer<Page> {
    ask.caller.require(Right::AuditRead)?;
    let filter = filter(&ask.query);
    let list = ask.console.audit.list(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let titles = ask.console.audit.titles(&ask.caller, &list.items).await?;
    let trail = ask.console.audit.trail(&ask.caller).await?;
    let may_hold = ask.caller.may(Right::AuditHold);
    let view = AuditView { list, titles, trail, filter, query: ask.query, may_hold, form: ask.form, now: ask.now };
    // What is done shows there when it has an event of its own.
    Ok(Page::of_place("Audit", audit(view)).following("recommendation execution playbook"))
}

/// The filter that the address asks for. Days are whole ones, in UTC; what is no day or time counts as not said.
pub fn filter(query: &Query) -> AuditFilter {
    let time = |name: &str, days: i64| {
        let text = query.get(name)?;
        let midnight = Timestamp::parse(&format!("{text}T00:00:00Z")).ok().map(|at| at.plus_ms(days * DAY_MS));
        midnight.or_else(|| Timestamp::parse(text).ok())
    };
    AuditFilter {
        actor: query.text("actor"),
        action: query.text("action"),
        object: query.text("object"),
        door: query.get("door").and_then(Door::from_name),
        q: query.text("q"),
        from: time("from", 0),
        to: time("to", 1),
    }
}

/// The page.
pub fn audit(view: AuditView) -> AnyView {
    let AuditView { list, titles, trail, filter, query, may_hold, form, now } = view;
    let PageOf { items, next_cursor } = list;
    let filtered = filter != AuditFilter::default();
    let empty = items.is_empty();
    let items = items.into_iter().map(|record| {
        let title = titles.get(&(record.object_kind.clone(), record.object_id.clone())).cloned();
        (record, title)
    });
    let items: Vec<_> = items.collect();
    let sub = if trail.first > 1 {
        format!(
            "Every act, newest first. Rows are only ever added; those before {} went after their time.",
            trail.first
        )
    } else {
        "Every act, newest first. Rows are only ever added.".to_owned()
    };
    let shown = filter.clone();
    view! {
        <PageHead title="Audit" sub=move || sub.clone()>
            <Exports filter=shown filtered />
        </PageHead>
        <FormFaults form=form.clone() fields=vec!["reason".into()] />
        <Trail trail may_hold form now />
        <Controls filter query=query.clone() filtered />
        {if empty {
            view! {
                <Empty title=if filtered { "No row matches" } else { "Nothing was done yet" }>
                    <p>{if filtered {
                        view! { "Take a filter away, or "<a href=PATH>"see the whole trail"</a>"." }.into_any()
                    } else {
                        view! { "Decisions, registrations, sign-ins: whatever is done is written here." }.into_any()
                    }}</p>
                </Empty>
            }
            .into_any()
        } else {
            view! { <Rows items now /> }.into_any()
        }}
        <Pager path=PATH query next=next_cursor />
    }
    .into_any()
}

/// The actions to choose from, by family; one that the address names and nobody knows is among them.
fn actions(chosen: Option<&str>) -> Vec<Select> {
    let mut choices = vec![Select { value: String::new(), word: "Any action".into() }];
    let mut last = None;
    for (action, words) in ACTIONS {
        if let Some(family) = family(action).filter(|family| last != Some(*family)) {
            last = Some(family);
            choices.push(Select { value: family.into(), word: format!("All of {}", family_word(family)) });
        }
        // A little to the right of its family.
        choices.push(Select { value: (*action).into(), word: format!("\u{a0}\u{a0}{words}") });
    }
    if let Some(chosen) = chosen.filter(|chosen| choices.iter().all(|choice| choice.value != *chosen)) {
        choices.push(Select { value: chosen.into(), word: chosen.into() });
    }
    choices
}

/// What a family of actions is about: `decision.` is about decisions.
fn family_word(family: &str) -> String {
    match family {
        "audit." => "the trail itself".into(),
        family => {
            let word = kind_word(family.trim_end_matches('.'));
            word.strip_suffix('y').map_or_else(|| format!("{word}s"), |stem| format!("{stem}ies"))
        }
    }
}

/// The doors to choose from.
fn doors() -> Vec<Select> {
    let any = Select { value: String::new(), word: "Any way".into() };
    let each = Door::ALL.map(|door| Select { value: door.name().into(), word: door_word(door).into() });
    [any].into_iter().chain(each).collect()
}

#[component]
fn Controls(filter: AuditFilter, query: Query, filtered: bool) -> impl IntoView {
    let day = |name: &str| query.get(name).unwrap_or_default().chars().take(10).collect::<String>();
    let (from, to) = (day("from"), day("to"));
    let used = [&filter.object, &query.text("from"), &query.text("to")].iter().any(|value| value.is_some());
    let used = used || filter.door.is_some();
    let choices = actions(filter.action.as_deref());
    let object = filter.object.unwrap_or_default();
    let door = filter.door.map(Door::name).unwrap_or_default();
    let more = move || {
        view! {
            <details class="more" open=used>
                <summary class="sub">"More filters"</summary>
                <div class="more-fields">
                    <Field name="object" label="Object" small="its id, or a part of it" value=object.clone() />
                    <Field name="door" label="Came in" value=door choices=doors() />
                    <Field name="from" label="From" small="UTC" kind="date" value=from.clone() />
                    <Field name="to" label="To" small="UTC, that day included" kind="date" value=to.clone() />
                </div>
            </details>
        }
    };
    view! {
        <Filters path=PATH label="Search the whole row" q=filter.q.unwrap_or_default() filtered more>
            <Field name="action" label="Action" value=filter.action.unwrap_or_default() choices />
            <Field name="actor" label="Actor" placeholder="Anyone" value=filter.actor.unwrap_or_default() />
        </Filters>
    }
    .into_any()
}

#[component]
fn Rows(items: Vec<(AuditRecord, Option<String>)>, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label="Audit trail">
            <table class="grid audit">
                <caption class="vh">"Who did what, newest first"</caption>
                <thead><tr>
                    <th scope="col" class="num">"No."</th><th scope="col">"When"</th><th scope="col">"Who"</th>
                    <th scope="col">"What"</th><th scope="col">"On what"</th><th scope="col">"What changed, and why"</th>
                </tr></thead>
                <tbody>{items.into_iter().map(|(record, title)| view! { <Row record title now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_address_are_whole_and_nonsense_bounds_nothing() {
        let found = filter(&Query::parse("from=2026-11-23&to=2026-11-23"));
        assert_eq!(found.from, Timestamp::parse("2026-11-23T00:00:00Z").ok());
        assert_eq!(found.to, Timestamp::parse("2026-11-24T00:00:00Z").ok());
        assert_eq!(filter(&Query::parse("from=yesterday&to=&action=")), AuditFilter::default());
    }

    #[test]
    fn every_action_can_be_chosen_alone_and_with_its_family() {
        let values: Vec<_> = actions(Some("odd.one")).into_iter().map(|choice| choice.value).collect();
        for wanted in ["", "decision.", "decision.approve", "token.revoke", "audit.", "audit.prune", "odd.one"] {
            assert_eq!(values.iter().filter(|value| *value == wanted).count(), 1, "{wanted}");
        }
    }
}
