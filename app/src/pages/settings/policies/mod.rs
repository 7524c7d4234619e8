//! Approval policies: the one in force in plain words, every version that was written, and the form for the next one. Each version
//! has a page of its own, on which it is tried and put in force.

mod lines;
mod rules;
mod simulator;
pub mod version;

use super::{Tab, Tabs};
use crate::{
    components::{
        Ago, Command, Equivalent, Field, FormFaults, Notice, PageHead, Pager, Section, State, TableBox, Tone,
        equivalent,
    },
    context::FormOutcome,
    error::sentence,
    icon::{Glyph, Icon},
    page::{Ask, Page},
    query::Query,
};
use domain::{
    fault::Fault,
    identity::{Caller, Right},
    paging::{Page as ListPage, PageOf},
    policy::{MAX_BYTES, Policy},
    ports::PolicyRecord,
    services::{Answer, ServiceError},
    time::Timestamp,
};
use leptos::prelude::*;
use lines::line_of;
use rules::{Rules, UnknownNames};

pub(crate) const PATH: &str = "/settings/policies";
/// The code of an outcome without faults, where nothing was to be stored.
pub const CHECKED: &str = "checked";
/// The field of the form.
pub const YAML: &str = "yaml";

/// What the page shows.
pub struct Shown {
    /// The version in force.
    pub active: PolicyRecord,
    /// A page of all versions.
    pub list: PageOf<PolicyRecord>,
    /// The file that the policy is kept in, where it is.
    pub file: Option<String>,
    /// What the form begins with.
    pub start: String,
    /// What is typed says, where it was checked and is fine; and the names in its groups that no account has.
    pub typed: Option<(Policy, Vec<String>)>,
}

/// Asks for the versions. A form that was checked is read once more, so that it can be shown in words.
pub async fn page(ask: Ask) -> Answer<Page> {
    let policies = &ask.console.policies;
    let active = policies.policy_in_force(&ask.caller).await?;
    let list = policies.policies(&ask.caller, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let from = match ask.query.get("from").map(str::parse::<u32>) {
        None => None,
        Some(Ok(version)) => Some(policies.policy(&ask.caller, version).await?.yaml),
        Some(Err(_)) => return Err(ServiceError::NotFound("version of the policy")),
    };
    let typed = match ask.form.value(YAML) {
        Some(yaml) if ask.form.code == CHECKED => {
            let policy = policies.check_policy(&ask.caller, yaml).await?;
            let unknown = policies.unknown_names(&ask.caller, &policy).await?;
            Some((policy, unknown))
        }
        _ => None,
    };
    let start = from.unwrap_or_else(|| active.yaml.clone());
    let file = policies.policy_file();
    let shown = Shown { active, list, file, start, typed };
    let commands = equivalent::of_policies(&ask.console.public_url);
    Ok(Page::below("Policies", policies_page(shown, ask.caller, ask.form, ask.query, commands, ask.now)))
}

/// The page.
pub fn policies_page(
    shown: Shown,
    caller: Caller,
    form: FormOutcome,
    query: Query,
    commands: Vec<Command>,
    now: Timestamp,
) -> AnyView {
    let Shown { active, list, file, start, typed } = shown;
    let writes = caller.may(Right::PoliciesWrite) && file.is_none();
    let PageOf { items, next_cursor } = list;
    let title = format!("In force: {}, version {}", active.policy.name, active.version);
    let href = format!("{PATH}/{}", active.version);
    view! {
        <PageHead title="Policies" sub=|| "Who must agree before something runs. One version is in force, and no version ever changes." />
        <Tabs here=Tab::Policies caller />
        {file.map(|file| view! { <KeptInFile file /> })}
        <Section title aside=move || view! { <a href=href.clone()>"This version"</a> }>
            <Rules policy=active.policy label="Rules of the version in force" />
        </Section>
        <Section title="Versions">
            <Versions items now />
            <Pager path=PATH query next=next_cursor />
        </Section>
        {writes.then(|| view! { <New form start typed /> })}
        <Equivalent commands />
    }
    .into_any()
}

/// It is changed in its file only.
#[component]
fn KeptInFile(file: String) -> impl IntoView {
    view! {
        <Notice tone=Tone::Idle>
            <p>"The policy is kept in the file "<code>{file}</code>": change it there and start the console again."</p>
        </Notice>
    }
    .into_any()
}

#[component]
fn Versions(items: Vec<PolicyRecord>, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label="Versions of the policy">
            <table class="grid policy-versions">
                <caption class="vh">"Versions, newest first"</caption>
                <thead><tr>
                    <th scope="col">"Version"</th><th scope="col">"Name"</th><th scope="col">"State"</th>
                    <th scope="col">"Written by"</th><th scope="col">"In force since"</th>
                </tr></thead>
                <tbody>
                    {items.into_iter().map(|record| {
                        let href = format!("{PATH}/{}", record.version);
                        view! {
                            <tr>
                                <th scope="row"><a href=href>{record.version}</a></th>
                                <td>{record.policy.name}</td>
                                <td><State of=record.state /></td>
                                <td>{record.made_by.name}" "<span class="sub"><Ago at=record.made_at now /></span></td>
                                <td class="sub">{match record.activated_at {
                                    Some(at) => view! { <Ago at now /> }.into_any(),
                                    None => "never".into_any(),
                                }}</td>
                            </tr>
                        }
                    }).collect_view()}
                </tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn New(
    form: FormOutcome,
    /// What it begins with.
    start: String,
    /// What is typed says.
    typed: Option<(Policy, Vec<String>)>,
) -> impl IntoView {
    let text = form.value(YAML).map_or(start, str::to_owned);
    let rows = u16::try_from(text.lines().count()).unwrap_or(u16::MAX).clamp(14, 36);
    let error = form.faults.first().map(|fault| match form.faults.len() {
        1 => sentence(&fault.message),
        n => format!("{} And {} more.", sentence(&fault.message), n - 1),
    });
    let faults = form.faults.clone();
    let max = u32::try_from(MAX_BYTES).ok();
    view! {
        <Section title="New version" id="new">
            <form class="policy-form" method="post" action=PATH>
                {if faults.is_empty() {
                    view! { <FormFaults form=form.clone() fields=Vec::new() /> }.into_any()
                } else {
                    view! { <Mend faults yaml=text.clone() /> }.into_any()
                }}
                {typed.map(|(policy, names)| view! {
                    <div class="form-fine" role="status">
                        <Notice tone=Tone::Ok><p>"It can be read. Nothing was stored: press Keep to store it. This is what it says:"</p></Notice>
                        <Rules policy label="Rules of the new version" />
                        <UnknownNames names />
                    </div>
                })}
                <Field name=YAML label="Policy" small="YAML or JSON; it begins with the one in force" value=text rows mono=true error
                    max_length=max hint="name, rules; activation, groups, freezes" />
                <p class="hint">"A version that is kept changes nothing: it is tried and put in force on its own page."</p>
                <p class="actions">
                    <button class="btn" type="submit" name="act" value="check">"Check"</button>
                    <button class="btn primary" type="submit" name="act" value="keep">"Keep"</button>
                </p>
            </form>
        </Section>
    }
    .into_any()
}

/// Every fault, by the line on which it stands.
#[component]
fn Mend(faults: Vec<Fault>, yaml: String) -> impl IntoView {
    let counted = match faults.len() {
        1 => "One thing to mend. Nothing was stored.".to_owned(),
        n => format!("{n} things to mend. Nothing was stored."),
    };
    view! {
        <div class="form-faults" role="alert">
            <Notice tone=Tone::Bad><p>{counted}</p></Notice>
            <ul class="faults">
                {faults.into_iter().map(|fault| {
                    let line = line_of(&yaml, &fault.pointer).map(|line| format!("Line {line} "));
                    view! {
                        <li class="note bad"><Glyph of=Icon::Cross /><div>
                            {line}
                            {(!fault.pointer.is_empty()).then(|| view! { <code>{fault.pointer.clone()}</code>" " })}
                            {sentence(&fault.message)}
                        </div></li>
                    }
                }).collect_view()}
            </ul>
        </div>
    }
    .into_any()
}
