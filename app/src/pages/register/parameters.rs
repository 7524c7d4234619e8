//! The rows of parameters. Rows are added and removed by buttons that submit the form; those left blank do not count.

use super::{
    fields::{KEPT, present, rows},
    form::Typed,
    places::control,
    read,
};
use crate::{
    components::{Field, Select},
    pages::playbook::rule,
};
use domain::playbook::{MOST_PARAMETERS, Parameter, ParameterType};
use leptos::prelude::*;
use serde_json::Value;

/// Where the answer to a button of these rows leads without JavaScript.
fn back_to(kind: &str) -> String {
    format!("/catalog/new#{kind}")
}

/// The rows of a kind: those that came back, or one blank one.
fn shown(typed: &Typed, kind: &str) -> Vec<usize> {
    let rows = present(&typed.form.fields, kind);
    // Nothing has been typed anywhere: a blank row shows what can be.
    if typed.form.fields.is_empty() { vec![0] } else { rows }
}

/// What the model fills in.
#[component]
pub fn Exposed(typed: Typed) -> impl IntoView {
    let rows = shown(&typed, "exposed");
    let rules = rules(&typed);
    let count = rows.len();
    let fields = rows.into_iter().map(|row| {
        let rule = rules.iter().find(|(known, _)| *known == row).map(|(_, rule)| rule.clone()).unwrap_or_default();
        view! { <ExposedRow row rule typed=typed.clone() /> }
    });
    let fields = fields.collect_view();
    view! {
        <Rows kind="exposed" title="Parameters the model fills in" count typed
            none="None yet: the playbook runs as it is registered.">{fields}</Rows>
    }
    .into_any()
}

/// What the model never sees.
#[component]
pub fn Hidden(typed: Typed) -> impl IntoView {
    let rows = shown(&typed, "hidden");
    let count = rows.len();
    let fields = rows.into_iter().map(|row| view! { <HiddenRow row typed=typed.clone() /> }).collect_view();
    view! {
        <Rows kind="hidden" title="Parameters the model never sees" count typed
            none="None: everything that the container is told comes from the model.">{fields}</Rows>
    }
    .into_any()
}

#[component]
fn Rows(
    kind: &'static str,
    title: &'static str,
    count: usize,
    none: &'static str,
    typed: Typed,
    children: Children,
) -> impl IntoView {
    let add = format!("add.{kind}");
    let focused = typed.focused(&add);
    let full = count >= MOST_PARAMETERS;
    view! {
        <section class="section parameter-rows" id=kind>
            <header>
                <h2>{title}</h2>
            </header>
            {(count == 0).then(|| view! { <p class="none sub">{none}</p> })}
            {children()}
            <p class="parameter-add">
                {if full {
                    view! { <span class="sub">{format!("A playbook has at most {MOST_PARAMETERS} parameters.")}</span> }.into_any()
                } else {
                    view! {
                        <button class="btn small" type="submit" name="action" value=add formaction=back_to(kind) data-takes=kind
                            autofocus=focused>"Add a parameter"</button>
                    }
                    .into_any()
                }}
            </p>
        </section>
    }
    .into_any()
}

/// The rules of the parameters that can be read, in words, by row.
fn rules(typed: &Typed) -> Vec<(usize, String)> {
    let document = read(&typed.form.fields).document;
    let list = document.get("parameters").and_then(|p| p.get("exposed").or(Some(p))).and_then(Value::as_array);
    let read = rows(&typed.form.fields, "exposed").into_iter().zip(list.into_iter().flatten());
    read.map(|(row, value)| {
        let parameter = serde_json::from_value::<Parameter>(value.clone()).ok();
        (row, parameter.map(|parameter| rule(&parameter).join("; ")).unwrap_or_default())
    })
    .collect()
}

/// One field of a row.
fn cell(
    typed: &Typed,
    kind: &'static str,
    row: usize,
    member: &'static str,
    label: &'static str,
    small: &'static str,
    mono: bool,
) -> impl IntoView + use<> {
    let name = format!("{kind}.{row}.{member}");
    let (value, error) = (typed.value(&name), typed.error(&name));
    view! { <Field name label small value error mono autocomplete="off" /> }
}

/// The name of a parameter, which gets the focus when its row is new.
fn name_cell(typed: &Typed, kind: &'static str, row: usize) -> impl IntoView + use<> {
    let name = format!("{kind}.{row}.name");
    let (value, error, focus) = (typed.value(&name), typed.error(&name), typed.focused(&name));
    view! { <Field name label="Name" value error mono=true autocomplete="off" placeholder="UPPER_SNAKE_CASE" focus /> }
}

#[component]
fn Remove(kind: &'static str, row: usize, place: usize, typed: Typed) -> impl IntoView {
    let name = typed.value(&format!("{kind}.{row}.name"));
    let name = if name.trim().is_empty() { format!("parameter {place}") } else { name };
    view! {
        <button class="btn ghost small parameter-remove" type="submit" name="action" value=format!("remove.{kind}.{row}")
            formaction=back_to(kind) data-takes=kind aria-label=format!("Remove {name}")>"Remove"</button>
    }
    .into_any()
}

/// What the form has no field for, kept with its row.
fn kept(typed: &Typed, kind: &str, row: usize) -> impl IntoView + use<> {
    let name = format!("{kind}.{row}.{KEPT}");
    let value = typed.value(&name);
    (!value.is_empty()).then(|| view! { <input type="hidden" name=name value=value /> })
}

#[component]
fn ExposedRow(row: usize, rule: String, typed: Typed) -> impl IntoView {
    const RULES: [&str; 9] =
        ["default", "enum", "pattern", "minimum", "maximum", "min_length", "max_length", "examples", "depends_on"];
    let name = |member: &str| format!("exposed.{row}.{member}");
    let place = shown(&typed, "exposed").iter().position(|known| *known == row).unwrap_or_default() + 1;
    let (kind, needed, description) = (name("type"), name("required"), name("description"));
    let checked = typed.form.value(&needed).is_some();
    let id = control(&needed);
    let open = RULES.iter().any(|member| typed.error(&name(member)).is_some());
    let chosen = typed.value_or(&kind, "string");
    let mut kinds = Select::same(ParameterType::WORDS.iter().map(|(word, _)| *word));
    if chosen.is_empty() {
        kinds.insert(0, Select { value: String::new(), word: "choose".into() });
    }
    let cell = |member, label, small, mono| cell(&typed, "exposed", row, member, label, small, mono);
    view! {
        <fieldset class="parameter" id=format!("exposed-{row}")>
            <legend class="vh">{format!("Parameter {place}")}</legend>
            <div class="cells">
                {name_cell(&typed, "exposed", row)}
                <Field name=kind.clone() label="Type" value=chosen choices=kinds error=typed.error(&kind) />
                <div class="field check">
                    <label for=id.clone()><input id=id.clone() type="checkbox" name=needed checked=checked />" Needed"</label>
                </div>
                <Remove kind="exposed" row place typed=typed.clone() />
            </div>
            <Field name=description.clone() label="Description" small="what to put in, for a model and for people" rows=1
                value=typed.value(&description) error=typed.error(&description) />
            <details open=open>
                <summary class="sub">"Rules"<span class="rule-words" id=format!("rule-{row}") data-checked>{
                    if rule.is_empty() { ": any value".to_owned() } else { format!(": {rule}") }
                }</span></summary>
                <div class="cells half">
                    {cell("enum", "Allowed values", "separated by commas", true)}
                    {cell("default", "Default", "", true)}
                </div>
                <div class="cells four">
                    {cell("minimum", "Least", "", true)}
                    {cell("maximum", "Most", "", true)}
                    {cell("min_length", "Fewest characters", "", true)}
                    {cell("max_length", "Most characters", "", true)}
                </div>
                <div class="cells half">
                    {cell("pattern", "Pattern", "ECMA-262", true)}
                    {cell("examples", "Examples", "separated by commas", true)}
                </div>
                {cell("depends_on", "Only when", "OTHER_PARAMETER: value, value; ANOTHER: value", true)}
            </details>
            {kept(&typed, "exposed", row)}
        </fieldset>
    }
    .into_any()
}

#[component]
fn HiddenRow(row: usize, typed: Typed) -> impl IntoView {
    let place = shown(&typed, "hidden").iter().position(|known| *known == row).unwrap_or_default() + 1;
    let cell = |member, label, small, mono| cell(&typed, "hidden", row, member, label, small, mono);
    view! {
        <fieldset class="parameter" id=format!("hidden-{row}")>
            <legend class="vh">{format!("Hidden parameter {place}")}</legend>
            <div class="cells hidden-cells">
                {name_cell(&typed, "hidden", row)}
                {cell("value", "Value", "or a Secret", true)}
                {cell("secret", "Secret", "name/key", true)}
                <Remove kind="hidden" row place typed=typed.clone() />
            </div>
            {cell("description", "Description", "for people", false)}
            {kept(&typed, "hidden", row)}
        </fieldset>
    }
    .into_any()
}
