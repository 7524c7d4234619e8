//! One version: what it says, how it differs from the one in force, what it would have changed, and putting it in force.

use super::{
    KeptInFile, PATH,
    rules::{Rules, UnknownNames},
    simulator::Simulator,
};
use crate::{
    components::{
        Ago, Command, DigestId, Equivalent, Field, FormFaults, LineDiff, Notice, PageHead, Section, State, Tone,
        equivalent,
    },
    context::FormOutcome,
    islands::CopyOf,
    page::{Ask, Crumb, Page},
    pages::settings::{Tab, Tabs},
    words::number,
};
use domain::{
    identity::{Caller, Right},
    policy::simulate::Simulation,
    ports::{PolicyOrigin, PolicyRecord, PolicyState},
    services::{Answer, LOOK_BACK_DAYS, ServiceError},
    time::Timestamp,
};
use leptos::prelude::*;

/// What was just done to a version, for the page that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was stored.
    Kept,
    /// Somebody agreed.
    Agreed,
    /// It was put in force.
    Active,
}

impl Done {
    const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Agreed => "agreed",
            Self::Active => "active",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Kept, Self::Agreed, Self::Active].into_iter().find(|done| done.name() == name)
    }

    /// The page of the version, which says what was done.
    pub fn address(self, version: u32) -> String {
        format!("{PATH}/{version}?done={}", self.name())
    }

    /// In a sentence. Anybody can write an address, so it says only what is so.
    fn words(self, record: &PolicyRecord, caller: &Caller) -> Option<&'static str> {
        match self {
            Self::Kept if record.state == PolicyState::Draft => {
                Some("It is kept, and changes nothing yet. Try it below, then put it in force.")
            }
            Self::Agreed if record.state != PolicyState::Active && agreed(record, caller) => {
                Some("You agree. It is in force once others do, too.")
            }
            Self::Active if record.state == PolicyState::Active => {
                Some("It is in force. Tickets that were made before are made anew.")
            }
            _ => None,
        }
    }
}

fn agreed(record: &PolicyRecord, caller: &Caller) -> bool {
    record.agreed.iter().any(|one| one.person() == caller.actor.person())
}

/// What the page shows.
pub struct Shown {
    /// The version.
    pub record: PolicyRecord,
    /// The version in force.
    pub active: PolicyRecord,
    /// The names in its groups that no account has.
    pub unknown: Vec<String>,
    /// What it would have changed, where that was asked for.
    pub found: Option<Simulation>,
    /// The file that the policy is kept in, where it is.
    pub file: Option<String>,
    /// What was just done.
    pub done: Option<Done>,
}

/// Asks for the version, and tries it where the address says so.
pub async fn page(ask: Ask) -> Answer<Page> {
    let unknown = || ServiceError::NotFound("version of the policy");
    let version = ask.param("version").parse::<u32>().map_err(|_| unknown())?;
    let policies = &ask.console.policies;
    let record = policies.policy(&ask.caller, version).await?;
    let active = policies.policy_in_force(&ask.caller).await?;
    let unknown = policies.unknown_names(&ask.caller, &record.policy).await?;
    let found = match ask.query.get("simulate") {
        Some(_) => Some(policies.simulate_policy(&ask.caller, version, LOOK_BACK_DAYS).await?),
        None => None,
    };
    let file = policies.policy_file();
    let done = ask.query.get("done").and_then(Done::from_name).filter(|_| ask.form.fields.is_empty());
    let commands = equivalent::of_policy(version, &ask.console.public_url);
    let shown = Shown { record, active, unknown, found, file, done };
    let crumbs = vec![Crumb { name: "Policies".into(), href: PATH.into() }];
    let body = version_page(shown, ask.caller, ask.form, commands, ask.now);
    Ok(Page { crumbs, ..Page::below(format!("Version {version}"), body) })
}

/// The page.
pub fn version_page(
    shown: Shown,
    caller: Caller,
    form: FormOutcome,
    commands: Vec<Command>,
    now: Timestamp,
) -> AnyView {
    let Shown { record, active, unknown, found, file, done } = shown;
    let version = record.version;
    let writes = caller.may(Right::PoliciesWrite) && file.is_none();
    let told = done.and_then(|done| done.words(&record, &caller));
    let next = format!("{PATH}?from={version}#new");
    let differs = record.version != active.version;
    let title = format!("{}, version {version}", record.policy.name);
    let (policy, yaml) = (record.policy.clone(), record.yaml.clone());
    let (old, new) = (active.yaml.clone(), yaml.clone());
    let same = old == new;
    let label = format!("Lines that differ from version {} to {version}", active.version);
    let since = format!("Against version {}, which is in force", active.version);
    view! {
        <PageHead title sub={
            let record = record.clone();
            move || view! { <Standing record=record.clone() now /> }
        }>
            {writes.then(|| view! { <a class="btn" href=next.clone()>"New version from this one"</a> })}
        </PageHead>
        <Tabs here=Tab::Policies caller=caller.clone() />
        {told.map(|words| view! { <div role="status"><Notice tone=Tone::Ok><p>{words}</p></Notice></div> })}
        {file.map(|file| view! { <KeptInFile file /> })}
        {(!writes || !differs).then(|| view! { <FormFaults form=form.clone() fields=Vec::new() /> })}
        <Section title="What it says">
            <Rules policy label="Rules of this version" />
            <UnknownNames names=unknown />
        </Section>
        {differs.then(|| view! {
            <Section title=since>
                {if same {
                    view! { <p class="sub">"It says the same."</p> }.into_any()
                } else {
                    view! { <LineDiff old new label /> }.into_any()
                }}
            </Section>
        })}
        <Simulator version found now />
        {(writes && differs).then(|| view! { <Activate record active caller form /> })}
        <Section title="As it was written" aside=|| view! { <CopyOf of="policy-yaml".to_owned() what="policy" /> }>
            <pre class="code wrap" id="policy-yaml" tabindex="0">{yaml}</pre>
        </Section>
        <Equivalent commands />
    }
    .into_any()
}

/// Where it stands, who wrote it and when.
#[component]
fn Standing(record: PolicyRecord, now: Timestamp) -> impl IntoView {
    let by = match record.origin {
        PolicyOrigin::BuiltIn => "came with the console".to_owned(),
        PolicyOrigin::Console => format!("written by {}", record.made_by.name),
        PolicyOrigin::File => "read from its file".to_owned(),
    };
    view! {
        <State of=record.state />" · "{by}" "<Ago at=record.made_at now />
        {record.activated_at.map(|at| view! { " · put in force "<Ago at now /> })}
        " · "<DigestId of=record.digest what="policy digest" />
    }
    .into_any()
}

/// The form that puts it in force, with who agrees already.
#[component]
fn Activate(record: PolicyRecord, active: PolicyRecord, caller: Caller, form: FormOutcome) -> impl IntoView {
    let need = active.policy.activation;
    let names = record.agreed.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    let mine = agreed(&record, &caller);
    let several = (need > 1).then(|| {
        let count = number(i64::from(need));
        if names.is_empty() {
            format!("The version in force asks for {count} different admins; nobody has agreed yet.")
        } else {
            format!("The version in force asks for {count} different admins; {names} agreed.")
        }
    });
    let action = format!("{PATH}/{}/activate", record.version);
    let word = match (need, record.state) {
        (2.., _) => "Agree to put it in force",
        (_, PolicyState::Retired) => "Put it in force again",
        _ => "Put it in force",
    };
    view! {
        <Section title="Put it in force" id="activate">
            <p class="sub">"From then on every decision is held to it. Tickets that were made under another version are made anew, and approvals of those do not count any more."</p>
            {several.map(|text| view! { <p>{text}</p> })}
            {if mine {
                view! { <Notice tone=Tone::Idle><p>"You agreed already; another admin is needed."</p></Notice> }.into_any()
            } else {
                view! {
                    <form class="narrow-form" method="post" action=action>
                        <FormFaults form=form.clone() fields=vec!["reason".into()] />
                        <Field name="reason" label="Reason" small="goes into the audit trail" rows=2 required=true
                            value=form.value("reason").unwrap_or_default() error=form.error("reason") placeholder="Why this, why now" />
                        <p class="actions"><button class="btn primary" type="submit">{word}</button></p>
                    </form>
                }.into_any()
            }}
        </Section>
    }
    .into_any()
}
