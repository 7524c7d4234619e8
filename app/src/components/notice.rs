//! What a page says beside its data: notices, faults, differences, and empty places that offer the next step.

use super::Tone;
use crate::context::last_segment;
use crate::error::{of_value, sentence};
use crate::icon::{Glyph, Icon};
use domain::{fault::Fault, json::diff::Change};
use leptos::prelude::*;
use serde_json::Value;

/// A sentence that should not be missed, with its icon.
#[component]
pub fn Notice(#[prop(default = Tone::Wait)] tone: Tone, children: Children) -> impl IntoView {
    let icon = match tone {
        Tone::Ok => Icon::Check,
        Tone::Bad => Icon::Cross,
        Tone::Wait => Icon::Warn,
        Tone::Run | Tone::Idle => Icon::Info,
    };
    view! { <div class=format!("note {}", tone.class())><Glyph of=icon /><div>{children()}</div></div> }.into_any()
}

/// An empty place: what is not here, and the next step.
#[component]
pub fn Empty(
    /// What is not here.
    #[prop(into)]
    title: String,
    /// Why, or what to do; links are welcome.
    children: Children,
) -> impl IntoView {
    view! { <div class="empty"><p class="what">{title}</p><div class="sub">{children()}</div></div> }.into_any()
}

/// Faults as a list, each with its place.
#[component]
pub fn Faults(
    faults: Vec<Fault>,
    /// Names the field alone, for readers who did not send the document.
    #[prop(optional)]
    named: bool,
) -> impl IntoView {
    let place = move |pointer: &str| if named { last_segment(pointer).to_owned() } else { pointer.to_owned() };
    let words = move |message: &str| if named { sentence(&of_value(message)) } else { sentence(message) };
    view! {
        <ul class="faults">
            {faults.into_iter().map(|f| view! {
                <li class="note bad"><Glyph of=Icon::Cross /><div>
                    {(!f.pointer.is_empty()).then(|| view! { <code>{place(&f.pointer)}</code>" " })}
                    {words(&f.message)}
                </div></li>
            }).collect_view()}
        </ul>
    }
    .into_any()
}

/// Why a form was not taken: above the form, announced, with what belongs to none of its fields.
#[component]
pub fn FormFaults(
    /// The outcome; shows nothing when the form was not refused.
    form: crate::context::FormOutcome,
    /// The fields that show their own faults.
    fields: Vec<String>,
) -> impl IntoView {
    if form.message.is_none() && form.faults.is_empty() {
        return ().into_any();
    }
    let names: Vec<&str> = fields.iter().map(String::as_str).collect();
    let rest = form.elsewhere(&names);
    let at_fields = form.faults.len() - rest.len();
    let counted = match at_fields {
        0 => "This was not taken. Nothing was stored.".to_owned(),
        1 => "One field has to be mended. Nothing was stored.".to_owned(),
        n => format!("{n} fields have to be mended. Nothing was stored."),
    };
    let message = form.message.as_deref().map_or(counted, sentence);
    view! {
        <div class="form-faults" role="alert">
            <Notice tone=Tone::Bad><p>{message}</p></Notice>
            {(!rest.is_empty()).then(|| view! { <Faults faults=rest named=true /> })}
            {(!form.differences.is_empty())
                .then(|| view! { <Changes changes=form.differences.clone() caption="What has changed" /> })}
        </div>
    }
    .into_any()
}

/// What differs: place, before, after.
#[component]
pub fn Changes(
    changes: Vec<Change>,
    /// What the table is about.
    caption: &'static str,
) -> impl IntoView {
    view! {
        <table class="grid changes">
            <caption>{caption}</caption>
            <thead><tr><th scope="col">"Where"</th><th scope="col">"Before"</th><th scope="col">"After"</th></tr></thead>
            <tbody>
                {changes.into_iter().map(|c| view! {
                    <tr>
                        <th scope="row"><code>{c.pointer}</code></th>
                        <td>{c.before.as_ref().map(|v| view! { <del>{plain(v)}</del> })}</td>
                        <td>{c.after.as_ref().map(|v| view! { <ins>{plain(v)}</ins> })}</td>
                    </tr>
                }).collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}

/// Before and after, as people read them.
pub fn before_and_after(change: &Change) -> [String; 2] {
    [&change.before, &change.after].map(|value| value.as_ref().map_or_else(|| "not given".to_owned(), plain))
}

/// A JSON value as people read it: a text without its quotes.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
