//! A row of the audit trail: who, what, on what, what changed in it and why; the rest unfolds.

use super::PATH;
use crate::{
    components::{Ago, DigestId, Id, ImageName, Prose, plain, short_id},
    islands::CopyText,
    query::Query,
    words::humane,
};
use domain::{
    audit::{AuditRecord, words},
    identity::Door,
    ids::Digest,
    json::diff::{Change, diff},
    playbook::ImageRef,
    time::Timestamp,
};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// Changes that a row shows unfolded.
const UNFOLDED: usize = 5;

#[component]
pub fn Row(record: AuditRecord, title: Option<String>, now: Timestamp) -> impl IntoView {
    let only = |name: &str, value: &str| format!("{PATH}{}", Query::default().with(name, Some(value)));
    let (by_actor, by_action) = (only("actor", record.actor.id.as_str()), only("action", &record.action));
    let changes = changes(record.before.as_ref(), record.after.as_ref());
    let number = record.sequence;
    let from = record.address.map(|address| view! { " from "<code>{address.to_string()}</code> });
    // What stayed as it was is left out of what changed: here is all of both.
    let states = record.before.as_ref().zip(record.after.as_ref()).map(|(before, after)| [before, after].map(plain));
    let chained = record.mac.zip(record.key).map(|(mac, key)| (ends(&mac.to_string()), key));
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
                    <summary class="sub">"Details"</summary>
                    <p class="sub">{door_word(record.door)}": "<code>{record.route}</code>{from}", request "<Id of=record.request_id what="request id" /></p>
                    {states.map(|[before, after]| view! {
                        <p class="sub">"Before: "<code>{before}</code></p>
                        <p class="sub">"After: "<code>{after}</code></p>
                    })}
                    {chained.map(|(mac, key)| view! { <p class="sub">"Chained as "<code>{mac}</code>" with the key "<code>{key}</code></p> })}
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

/// A door, for people.
pub const fn door_word(door: Door) -> &'static str {
    match door {
        Door::Page => "By a page",
        Door::Api => "By the API",
        Door::Cli => "By the command line",
        Door::Cluster => "By the cluster",
        Door::Console => "By the console itself",
    }
}

/// The ends of a mac: enough to see whether two are one.
fn ends(mac: &str) -> String {
    let end = mac.len().saturating_sub(4);
    format!("{}…{}", mac.get(..8).unwrap_or(mac), mac.get(end..).unwrap_or_default())
}

/// A kind of objects, for people.
pub fn kind_word(kind: &str) -> String {
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
        "finding" => Some(format!("/findings/{id}")),
        "policy" => Some(format!("/settings/policies/{id}")),
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
        assert_eq!(object_page("policy", "3").as_deref(), Some("/settings/policies/3"));
        assert_eq!(object_page("account", "user:a"), None);
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
    fn a_mac_is_shown_by_its_ends() {
        assert_eq!(ends(&"0123456789abcdef".repeat(4)), "01234567…cdef");
    }
}
