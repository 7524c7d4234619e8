//! What a version is told: what a model fills in, with its rules in words, and what a model never sees.

use crate::{
    components::{Section, TableBox, plain},
    islands::CopyText,
};
use domain::playbook::{HiddenParameter, HiddenSource, Parameter};
use leptos::prelude::*;

/// The rule of a parameter in words: what a value must be.
pub fn rule(parameter: &Parameter) -> Vec<String> {
    let list = |values: &[serde_json::Value]| values.iter().map(plain).collect::<Vec<_>>().join(", ");
    let range = |low: Option<String>, high: Option<String>, unit: &str| match (low, high) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
        (Some(low), None) => Some(format!("at least {low}{unit}")),
        (None, Some(high)) => Some(format!("at most {high}{unit}")),
        (None, None) => None,
    };
    let numbers = |n: &Option<serde_json::Number>| n.as_ref().map(ToString::to_string);
    let lengths = |n: Option<u32>| n.map(|n| n.to_string());
    let depends = parameter.depends_on.iter().map(|(name, values)| format!("only when {name} is {}", list(values)));
    let rules = [
        (!parameter.allowed.is_empty()).then(|| format!("one of {}", list(&parameter.allowed))),
        range(numbers(&parameter.minimum), numbers(&parameter.maximum), ""),
        range(lengths(parameter.min_length), lengths(parameter.max_length), " characters"),
        parameter.pattern.as_ref().map(|pattern| format!("matches {pattern}")),
        parameter.default.as_ref().map(|value| format!("{} unless given", plain(value))),
        (!parameter.examples.is_empty()).then(|| format!("such as {}", list(&parameter.examples))),
    ];
    rules.into_iter().flatten().chain(depends).collect()
}

/// What the model fills in.
#[component]
pub fn Exposed(parameters: Vec<Parameter>) -> impl IntoView {
    view! {
        <Section title="Parameters the model fills in">
            {if parameters.is_empty() {
                view! { <p class="none sub">"None: it runs as it is registered."</p> }.into_any()
            } else {
                view! {
                    <TableBox label="Parameters the model fills in">
                        <table class="grid parameters">
                            <caption class="vh">"Exposed parameters"</caption>
                            <thead><tr><th scope="col">"Name"</th><th scope="col">"Type"</th><th scope="col">"Rule"</th><th scope="col">"Needed"</th></tr></thead>
                            <tbody>
                                {parameters.into_iter().map(|p| {
                                    let rules = rule(&p).join("; ");
                                    view! {
                                        <tr>
                                            <th scope="row"><code>{p.name.to_string()}</code>
                                                {(!p.description.is_empty()).then(|| view! { <p class="sub">{p.description.clone()}</p> })}</th>
                                            <td>{p.kind.to_string()}</td>
                                            <td class="sub rule">{if rules.is_empty() { "any".to_owned() } else { rules }}</td>
                                            <td>{if p.required { "yes" } else { "no" }}</td>
                                        </tr>
                                    }
                                }).collect_view()}
                            </tbody>
                        </table>
                    </TableBox>
                }
                .into_any()
            }}
        </Section>
    }
    .into_any()
}

/// The schema that a model is shown, folded.
#[component]
pub fn Schema(schema: serde_json::Value) -> impl IntoView {
    let text = format!("{schema:#}");
    view! {
        <details class="schema">
            <summary>"JSON Schema that a model is shown"</summary>
            <p class="sub">"2020-12, made from the exposed parameters. "<CopyText text=text.clone() what="JSON Schema" /></p>
            <pre class="code" tabindex="0" role="region" aria-label="JSON Schema">{text}</pre>
        </details>
    }
    .into_any()
}

/// What the model never sees.
#[component]
pub fn Hidden(parameters: Vec<HiddenParameter>) -> impl IntoView {
    if parameters.is_empty() {
        return ().into_any();
    }
    view! {
        <Section title="Parameters the model never sees">
            <TableBox label="Parameters the model never sees">
                <table class="grid parameters">
                    <caption class="vh">"Hidden parameters"</caption>
                    <thead><tr><th scope="col">"Name"</th><th scope="col">"Value"</th></tr></thead>
                    <tbody>
                        {parameters.into_iter().map(|p| view! {
                            <tr>
                                <th scope="row"><code>{p.name.to_string()}</code>
                                    {(!p.description.is_empty()).then(|| view! { <p class="sub">{p.description.clone()}</p> })}</th>
                                <td>{match p.source {
                                    HiddenSource::Value(text) => view! { <code>{text}</code> }.into_any(),
                                    HiddenSource::SecretRef { name, key } => view! {
                                        <span class="sub">"from the Secret "</span><code>{format!("{name}/{key}")}</code>
                                    }
                                    .into_any(),
                                }}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </TableBox>
        </Section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_is_told_in_words() {
        let parameter: Parameter = serde_json::from_value(json!({"name": "N", "type": "integer", "required": true,
            "minimum": 0, "maximum": 100, "default": 2, "depends_on": {"MODE": ["scale", "drain"]}}))
        .unwrap();
        assert_eq!(rule(&parameter), ["0 to 100", "2 unless given", "only when MODE is scale, drain"]);
    }
}
