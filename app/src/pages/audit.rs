//! The audit trail: who did what, newest first; what changed in it; filters in the address, and an export of what they let
//! through.

use crate::{
    components::{
        Ago, DigestId, Empty, Field, Filters, Id, ImageName, PageHead, Pager, Prose, Select, TableBox, plain, short_id,
    },
    islands::CopyText,
    page::{Ask, Page},
    query::Query,
    words::humane,
};
use domain::{
    audit::{ACTIONS, AuditFilter, AuditRecord, family, words},
    effectiveness::DAY_MS,
    identity::{Door, Right},
    ids::Digest,
    json::diff::{Change, diff},
    paging::{Page as ListPage, PageOf},
    playbook::ImageRef,
    services::Answer,
    time::Timestamp,
};
use leptos::prelude::*;
use serde_json::{Map, Value};
use std::collections::HashMap;

const PATH: &str = "/audit";
/// Changes that a row shows unfolded.
const UNFOLDED: usize = 5;

/// What objects are called, by kind and id.
pub type Titles = HashMap<(String, String), String>;

/// Asks for a page of the trail; without the right the answer is a refusal, not an empty trail.
pub async fn page(ask: Ask) -> Answer<Page> {
    ask.caller.require(Right::AuditRead)?;
    let filter = filter(&ask.query);
    let list = ask.console.audit.list(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let titles = ask.console.audit.titles(&ask.caller, &list.items).await?;
    let page = Page::of_place("Audit", audit(list, &titles, filter, ask.query, ask.now));
    // What is done shows there when it has an event of its own.
    Ok(page.following("recommendation execution playbook"))
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

/// The address of the export of what this filter lets through.
fn export(filter: &AuditFilter) -> String {
    let times = [filter.from, filter.to].map(|at| at.map(|at| at.to_string()));
    let [from, to] = &times;
    let all = [
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("object", &filter.object),
        ("q", &filter.q),
        ("from", from),
        ("to", to),
    ];
    let mut pairs = vec![("format", "jsonl")];
    pairs.extend(all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    format!("/api/v1/audit{}", Query::of(&pairs))
}

/// The page.
pub fn audit(list: PageOf<AuditRecord>, titles: &Titles, filter: AuditFilter, query: Query, now: Timestamp) -> AnyView {
    let PageOf { items, next_cursor } = list;
    let filtered = filter != AuditFilter::default();
    let empty = items.is_empty();
    let export = export(&filter);
    let export_word = if filtered { "Export what matches" } else { "Export all" };
    let items = items.into_iter().map(|record| {
        let title = titles.get(&(record.object_kind.clone(), record.object_id.clone())).cloned();
        (record, title)
    });
    let items: Vec<_> = items.collect();
    view! {
        <PageHead title="Audit" sub=move || "Every act, newest first. Rows are only ever added.">
            <a class="btn" href=export download="audit.jsonl">{export_word}</a>
        </PageHead>
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
    format!("{}s", kind_word(family.trim_end_matches('.')))
}

#[component]
fn Controls(filter: AuditFilter, query: Query, filtered: bool) -> impl IntoView {
    let day = |name: &str| query.get(name).unwrap_or_default().chars().take(10).collect::<String>();
    let (from, to) = (day("from"), day("to"));
    let used = [&filter.object, &query.text("from"), &query.text("to")].iter().any(|value| value.is_some());
    let choices = actions(filter.action.as_deref());
    let object = filter.object.unwrap_or_default();
    let more = move || {
        view! {
            <details class="more" open=used>
                <summary class="sub">"More filters"</summary>
                <div class="more-fields">
                    <Field name="object" label="Object" small="its id, or a part of it" value=object.clone() />
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

#[component]
fn Row(record: AuditRecord, title: Option<String>, now: Timestamp) -> impl IntoView {
    let only = |name: &str, value: &str| format!("{PATH}{}", Query::default().with(name, Some(value)));
    let (by_actor, by_action) = (only("actor", record.actor.id.as_str()), only("action", &record.action));
    let changes = changes(record.before.as_ref(), record.after.as_ref());
    let number = record.sequence;
    view! {
        <tr>
            <td class="num sub">{number}</td>
            <td class="sub"><Ago at=record.at now /></td>
            <th scope="row"><a href=by_actor title=record.actor.id.to_string()>{record.actor.name}</a></th>
            <td class="act">
                <a href=by_action>{words(&record.action).map_or_else(|| humane(&record.action.replace('.', " ")), str::to_owned)}</a>
                <code class="sub">{record.action}</code>
            </td>
            <td class="object"><Object kind=record.object_kind id=record.object_id title /></td>
            <td class="details">
                {record.reason.map(|reason| view! { <Prose text=reason class="reason" /> })}
                <Changed changes number />
                <details>
                    <summary class="sub">"Request"</summary>
                    <p class="sub">"By "<code>{record.route}</code>", request "<Id of=record.request_id what="request id" /></p>
                </details>
            </td>
        </tr>
    }
    .into_any()
}

/// An object by its title, where it has one, and its id, with a link to its page, where it has one.
#[component]
fn Object(kind: String, id: String, title: Option<String>) -> impl IntoView {
    let href = object_page(&kind, &id);
    let only = format!("{PATH}{}", Query::default().with("object", Some(&id)));
    let word = kind_word(&kind);
    let copy = view! { "\u{a0}"<CopyText text=id.clone() what="its id" /> };
    let whole = id.clone();
    let id = short_id(&id);
    match (href, title) {
        (Some(href), Some(title)) => view! {
            <a class="title" href=href>{title}</a>
            <span class="sub">{word}" "<a href=only title=format!("Every act on {whole}")><code>{id}</code></a>{copy}</span>
        }
        .into_any(),
        (Some(href), None) => {
            view! { <span class="sub">{word}" "</span><a href=href title=whole><code>{id}</code></a>{copy} }.into_any()
        }
        (None, _) => {
            view! { <span class="sub">{word}" "</span><a href=only title=format!("Every act on {whole}")><code>{id}</code></a>{copy} }
                .into_any()
        }
    }
}

fn kind_word(kind: &str) -> String {
    match kind {
        "execution" => "run".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The page of an object, where it has one.
fn object_page(kind: &str, id: &str) -> Option<String> {
    match kind {
        "execution" => Some(format!("/runs/{id}")),
        "recommendation" => Some(format!("/recommendations/{id}")),
        "playbook" => {
            let (playbook, version) = id.split_once('@')?;
            Some(format!("/catalog/{playbook}{}", Query::default().with("version", Some(version))))
        }
        _ => None,
    }
}

/// What changed, field by field: objects are looked into, what stayed as it was is left out.
fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let nothing = Value::Object(Map::new());
    let [before, after] = [before, after].map(|state| match state {
        Some(state @ Value::Object(_)) => state.clone(),
        // A state that is no object is one field of its own.
        Some(other) => Value::Object(Map::from_iter([("state".to_owned(), other.clone())])),
        None => nothing.clone(),
    });
    diff(&before, &after).into_iter().flat_map(leaves).collect()
}

/// A change of an object that came or went as changes of its fields; and a list of changes (a ticket's) as those.
fn leaves(change: Change) -> Vec<Change> {
    if let (None, Some(Value::Array(items))) = (&change.before, &change.after)
        && !items.is_empty()
        && let Ok(listed) = serde_json::from_value::<Vec<Change>>(Value::Array(items.clone()))
    {
        return listed;
    }
    let object = match (&change.before, &change.after) {
        (Some(Value::Object(fields)), None) | (None, Some(Value::Object(fields))) if !fields.is_empty() => fields,
        _ => return vec![change],
    };
    let gone = change.before.is_some();
    let fields = object.iter().map(|(name, value)| {
        let (before, after) = if gone { (Some(value.clone()), None) } else { (None, Some(value.clone())) };
        Change { pointer: format!("{}/{name}", change.pointer), before, after }
    });
    fields.flat_map(leaves).collect()
}

/// The changes as a small table; many are folded.
#[component]
fn Changed(changes: Vec<Change>, number: i64) -> impl IntoView {
    if changes.is_empty() {
        return ().into_any();
    }
    let count = changes.len();
    let table = move |changes: Vec<Change>| {
        view! {
            <table class="fields-changed">
                <caption class="vh">{format!("What changed in row {number}")}</caption>
                <thead class="vh"><tr><th scope="col">"Field"</th><th scope="col">"Before and after"</th></tr></thead>
                <tbody>{changes.into_iter().map(|change| view! { <OneField change /> }).collect_view()}</tbody>
            </table>
        }
    };
    if count <= UNFOLDED {
        return table(changes).into_any();
    }
    view! { <details><summary class="sub">{format!("{count} fields")}</summary>{table(changes)}</details> }.into_any()
}

/// A field: what it was → what it is. A field that only one side tells of has neither come nor gone: only that is known.
#[component]
fn OneField(change: Change) -> impl IntoView {
    let name = change.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    view! {
        <tr>
            <th scope="row">{name.split_inclusive(['_', '.']).map(|part| view! { {part.to_owned()}<wbr /> }).collect_view()}</th>
            <td>{match (change.before, change.after) {
                (Some(before), Some(after)) => view! {
                    <Told value=before /><span aria-hidden="true">" → "</span><span class="vh">" became "</span><b><Told value=after /></b>
                }.into_any(),
                (Some(before), None) => view! { <span class="sub">"before: "</span><Told value=before /> }.into_any(),
                (None, Some(after)) => view! { <Told value=after /> }.into_any(),
                (None, None) => ().into_any(),
            }}</td>
        </tr>
    }
    .into_any()
}

/// An image that a digest pins: nothing else has this form.
fn pinned(text: &str) -> Option<ImageRef> {
    text.parse::<ImageRef>().ok().filter(|image| image.digest().is_some())
}

/// A value as people read it; a digest is short, and whole in its tooltip.
#[component]
fn Told(value: Value) -> impl IntoView {
    match &value {
        Value::Null => view! { <i>"none"</i> }.into_any(),
        Value::Array(items) if items.is_empty() => view! { <i>"none"</i> }.into_any(),
        Value::String(text) => match Digest::try_from(text.clone()) {
            Ok(digest) => view! { <DigestId of=digest what="digest" /> }.into_any(),
            Err(_) if text.is_empty() => view! { <i>"empty"</i> }.into_any(),
            Err(_) => match pinned(text) {
                Some(image) => view! { <ImageName image /> }.into_any(),
                None => view! { <span>{text.clone()}</span> }.into_any(),
            },
        },
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            view! { <span>{items.iter().map(plain).collect::<Vec<_>>().join(", ")}</span> }.into_any()
        }
        other => view! { <code>{plain(other)}</code> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_lead_to_their_pages() {
        assert_eq!(object_page("playbook", "oomkill@1.0.0+a").as_deref(), Some("/catalog/oomkill?version=1.0.0%2Ba"));
        assert_eq!(object_page("execution", "x").as_deref(), Some("/runs/x"));
        assert_eq!(object_page("account", "user:a"), None);
    }

    #[test]
    fn days_of_the_address_are_whole_and_nonsense_bounds_nothing() {
        let found = filter(&Query::parse("from=2026-11-23&to=2026-11-23"));
        assert_eq!(found.from, Timestamp::parse("2026-11-23T00:00:00Z").ok());
        assert_eq!(found.to, Timestamp::parse("2026-11-24T00:00:00Z").ok());
        assert_eq!(filter(&Query::parse("from=yesterday&to=&action=")), AuditFilter::default());
    }

    #[test]
    fn the_export_is_of_what_is_shown() {
        let found = filter(&Query::parse("actor=a&action=decision.&from=2026-11-23&cursor=x"));
        let address = "/api/v1/audit?format=jsonl&actor=a&action=decision.&from=2026-11-23T00%3A00%3A00.000Z";
        assert_eq!(export(&found), address);
        assert_eq!(export(&AuditFilter::default()), "/api/v1/audit?format=jsonl");
    }

    #[test]
    fn only_what_differs_is_told_down_to_the_last_field() {
        let before = json!({ "state": "active", "kept": 1, "by": "a" });
        let after = json!({ "state": "disabled", "kept": 1.0, "more": { "x": [1, 2], "y": { "z": null } } });
        let told: Vec<_> = changes(Some(&before), Some(&after)).into_iter().map(|c| c.pointer).collect();
        assert_eq!(told, ["/by", "/more/x", "/more/y/z", "/state"]);
        assert!(changes(None, None).is_empty());
        let ticket = json!({ "digest": "x", "changes": [{ "pointer": "/REPLICAS", "before": 1, "after": 2 }] });
        let told: Vec<_> = changes(None, Some(&ticket)).into_iter().map(|c| (c.pointer, c.before)).collect();
        assert_eq!(told, [("/REPLICAS".to_owned(), Some(json!(1))), ("/digest".to_owned(), None)]);
        assert_eq!(changes(Some(&json!("open")), None)[0].pointer, "/state");
    }

    #[test]
    fn every_action_can_be_chosen_alone_and_with_its_family() {
        let values: Vec<_> = actions(Some("odd.one")).into_iter().map(|choice| choice.value).collect();
        for wanted in ["", "decision.", "decision.approve", "token.revoke", "odd.one"] {
            assert_eq!(values.iter().filter(|value| *value == wanted).count(), 1, "{wanted}");
        }
    }
}
