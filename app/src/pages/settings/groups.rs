//! Groups of the provider on the page of accounts: what each gives, and shutting its people out.

use crate::{
    components::{Ago, Field, FormFaults, Mark, Section, State, TableBox, Tone},
    context::FormOutcome,
    icon::Icon,
};
use domain::{
    provider::{EVERYBODY, MAX_GROUP},
    services::GroupView,
    time::Timestamp,
};
use leptos::prelude::*;

/// In place of an account's id: a form that came back belongs here.
pub const ABOUT: &str = "groups";

/// The groups that count here.
#[component]
pub fn Groups(
    provider: String,
    groups: Vec<GroupView>,
    may_write: bool,
    /// The form of these that came back, if one did.
    form: FormOutcome,
    now: Timestamp,
) -> impl IntoView {
    let title = format!("Groups of {provider}");
    view! {
        <Section title id="groups">
            <FormFaults form=form.clone() fields=vec!["group".into()] />
            <TableBox label="Groups">
                <table class="grid people">
                    <caption class="vh">"Groups, by name"</caption>
                    <thead><tr>
                        <th scope="col">"Group"</th><th scope="col">"Gives"</th><th scope="col">"People"</th><th scope="col">"State"</th>
                        {may_write.then(|| view! { <th scope="col"><span class="vh">"Change"</span></th> })}
                    </tr></thead>
                    <tbody>{groups.into_iter().map(|group| view! { <Row group may_write now /> }).collect_view()}</tbody>
                </table>
            </TableBox>
            {may_write.then(|| view! { <Block form /> })}
        </Section>
    }
    .into_any()
}

#[component]
fn Row(group: GroupView, may_write: bool, now: Timestamp) -> impl IntoView {
    let GroupView { name, roles, people, blocked } = group;
    let everybody = name == EVERYBODY;
    let state = if blocked.is_some() {
        Mark { word: "Blocked", icon: Icon::Bar, tone: Tone::Idle }
    } else {
        Mark { word: "Let in", icon: Icon::Check, tone: Tone::Ok }
    };
    let gives = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let (word, act) = if blocked.is_some() { ("Unblock", "unblock") } else { ("Block", "block") };
    let danger = blocked.is_none();
    let named = format!("{word} {name}");
    view! {
        <tr>
            <th scope="row">{if everybody { "everybody".to_owned() } else { name.clone() }}</th>
            <td>{if gives.is_empty() { "no role".to_owned() } else { gives }}</td>
            <td data-label="people">{people}</td>
            <td>
                <State of=state />
                {blocked.map(|(at, by)| view! { " "<span class="sub">{format!("by {by} ")}<Ago at now /></span> })}
            </td>
            {may_write.then(|| view! {
                <td class="change">{(!everybody).then(|| view! {
                    <form method="post" action=format!("/settings/groups/{act}")>
                        <input type="hidden" name="group" value=name />
                        <button class="btn small" class:danger=danger type="submit" aria-label=named>{word}</button>
                    </form>
                })}</td>
            })}
        </tr>
    }
    .into_any()
}

/// Any group can be blocked, whether or not it gives a role.
#[component]
fn Block(form: FormOutcome) -> impl IntoView {
    let value = form.value("group").unwrap_or_default().to_owned();
    let max = u32::try_from(MAX_GROUP).ok();
    view! {
        <form class="narrow-form after" method="post" action="/settings/groups/block">
            <Field name="group" label="Another group" small="with its prefix" value=value required=true autocomplete="off" mono=true
                max_length=max error=form.error("group")
                hint="Whoever is in a blocked group is shut out from their next request on, with their tokens." />
            <p class="actions"><button class="btn danger" type="submit">"Block this group"</button></p>
        </form>
    }
    .into_any()
}
