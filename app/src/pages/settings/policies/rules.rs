//! A policy in plain words: its rules in their order, and what they refer to.

use crate::{
    components::{Notice, TableBox, Tone},
    error::sentence,
    words::number,
};
use domain::policy::{Grant, Policy, RuleInWords};
use leptos::prelude::*;

/// The rules, who its groups are, and how another policy takes its place.
#[component]
pub fn Rules(
    policy: Policy,
    /// Whose rules these are: the region's name.
    label: &'static str,
) -> impl IntoView {
    let rules = policy.in_words();
    let automatic = policy.rules.iter().any(|rule| rule.grant == Grant::Automatic);
    let groups: Vec<(String, String)> =
        policy.groups.iter().map(|(name, members)| (name.clone(), members.join(", "))).collect();
    let change = match policy.activation {
        1 => "One admin puts another version in force.".to_owned(),
        n => format!("{} different admins must agree before another version is in force.", number(i64::from(n))),
    };
    view! {
        {policy.description.map(|text| view! { <p class="lede">{text}</p> })}
        <TableBox label>
            <table class="grid policy-rules">
                <caption class="vh">"The rules in their order: the first one that matches decides"</caption>
                <thead><tr>
                    <th scope="col">"Rule"</th><th scope="col">"For what"</th><th scope="col">"Who must approve"</th>
                </tr></thead>
                <tbody>{rules.into_iter().map(|rule| view! { <Row rule /> }).collect_view()}</tbody>
            </table>
        </TableBox>
        {automatic.then(|| view! {
            <Notice tone=Tone::Wait>
                <p>"Some of it may run without anybody. High risk, an image without a signature, and whatever acts on another object than the incident's always wait for people."</p>
            </Notice>
        })}
        <dl class="kv policy-facts">
            {groups.into_iter().map(|(name, members)| view! { <dt>"Group "{name}</dt><dd>{members}</dd> }).collect_view()}
            <dt>"To change it"</dt><dd>{sentence(&change)}</dd>
        </dl>
    }
    .into_any()
}

/// Warns of names in its groups that no account has.
#[component]
pub fn UnknownNames(names: Vec<String>) -> impl IntoView {
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        view! {
            <Notice tone=Tone::Wait>
                <p>"No account has these names of its groups: "{names}". They approve nothing until there is one."</p>
            </Notice>
        }
    })
}

#[component]
fn Row(rule: RuleInWords) -> impl IntoView {
    let RuleInWords { name, fits, when, who, asks } = rule;
    let everything = fits.is_empty() && when.is_none();
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td>
                {if everything { "everything else".to_owned() } else { fits.join(", ") }}
                {when.map(|condition| view! { <p><code>{condition}</code></p> })}
            </td>
            <td>
                {sentence(&who)}
                {asks.into_iter().map(|text| view! { <p class="sub">{sentence(&text)}</p> }).collect_view()}
            </td>
        </tr>
    }
    .into_any()
}
