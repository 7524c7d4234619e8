//! One field of a form: label, control, hint and fault, tied together for people who do not see them side by side.

use crate::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A choice in a list: value and word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// What is sent.
    pub value: String,
    /// What it says.
    pub word: String,
}

impl Select {
    /// Choices that say what they send.
    pub fn same<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Vec<Self> {
        values.into_iter().map(Into::into).map(|value: String| Self { word: value.clone(), value }).collect()
    }
}

/// A labelled control: `<input>`, `<textarea>` when it has rows, `<select>` when it has choices.
#[component]
pub fn Field(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    /// What stands in it.
    #[prop(optional, into)]
    value: String,
    /// A few words after the label.
    #[prop(optional, into)]
    small: String,
    /// A line under the control.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong with it.
    #[prop(optional_no_strip)]
    error: Option<String>,
    /// The input's type.
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional, into)] placeholder: Option<String>,
    /// Makes it a text of several lines.
    #[prop(optional)]
    rows: Option<u16>,
    /// Makes it a list of choices.
    #[prop(optional)]
    choices: Vec<Select>,
    #[prop(optional_no_strip)] min: Option<String>,
    #[prop(optional_no_strip)] max: Option<String>,
    #[prop(optional_no_strip)] step: Option<String>,
    #[prop(optional_no_strip)] max_length: Option<u32>,
    /// Set for names, patterns, documents.
    #[prop(optional)]
    mono: bool,
    /// Gets the focus when the page arrives: where one begins to type, or what has to be mended first.
    #[prop(optional)]
    focus: bool,
    /// Sets it apart where several forms of a page have a field of that name.
    #[prop(optional)]
    apart: &'static str,
    /// The id of the form it belongs to, where it stands outside of it.
    #[prop(optional)]
    of_form: Option<&'static str>,
) -> impl IntoView {
    let id = format!("f-{apart}{}", name.replace('.', "-"));
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described: Vec<&str> = [(!hint.is_empty()).then_some(&*hint_id), error.is_some().then_some(&*error_id)]
        .into_iter()
        .flatten()
        .collect();
    let described_by = (!described.is_empty()).then(|| described.join(" "));
    let invalid = error.is_some().then_some("true");
    let class = mono.then_some("mono");
    let control = if let Some(rows) = rows {
        // What stands in a text area is not escaped by the framework, and the parser drops its first line break.
        let text = format!("\n{}", html_escape::encode_text(&value));
        view! {
            <textarea id=id.clone() name=name form=of_form class=class rows=rows.to_string() required=required autofocus=focus spellcheck=(!mono).to_string()
                placeholder=placeholder maxlength=max_length.map(|n| n.to_string()) aria-invalid=invalid aria-describedby=described_by inner_html=text></textarea>
        }
        .into_any()
    } else if choices.is_empty() {
        view! {
            <input id=id.clone() name=name form=of_form class=class type=kind value=value required=required autocomplete=autocomplete
                autofocus=focus placeholder=placeholder min=min max=max step=step maxlength=max_length.map(|n| n.to_string())
                spellcheck=mono.then_some("false") autocapitalize=mono.then_some("off")
                aria-invalid=invalid aria-describedby=described_by />
        }
        .into_any()
    } else {
        view! {
            <select id=id.clone() name=name form=of_form class=class required=required autofocus=focus aria-invalid=invalid aria-describedby=described_by>
                {choices.into_iter().map(|c| {
                    let chosen = c.value == value;
                    view! { <option value=c.value selected=chosen>{c.word}</option> }
                }).collect_view()}
            </select>
        }
        .into_any()
    };
    // A space of its own between two elements is not part of a name.
    let label = if small.is_empty() { label } else { format!("{label} ") };
    view! {
        <div class="field">
            <label for=id.clone()>{label}{(!small.is_empty()).then(|| view! { <small>{small}</small> })}</label>
            {control}
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {error.map(|e| view! {
                <p class="err" id=error_id><Glyph of=Icon::Cross /><span>{crate::error::sentence(&e)}</span></p>
            })}
        </div>
    }
    .into_any()
}
