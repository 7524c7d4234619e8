//! Settings: one's own account and how the console looks; accounts, tokens, keys, policies, notifications and the cluster's
//! health each at their own address.

pub mod accounts;
pub mod cluster;
mod groups;
pub mod keys;
pub mod notifications;
pub mod policies;
pub mod sessions;
pub mod tokens;

use crate::{
    components::{Field, FormFaults, Notice, PageHead, Section, Tone},
    context::FormOutcome,
    page::{Ask, Page},
    preferences::{Keys, Preferences, Theme, Times},
};
use domain::{
    accounts::MIN_PASSWORD,
    identity::{Caller, Right},
    services::Answer,
};
use leptos::prelude::*;

/// The pages of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Account and looks.
    You,
    /// Where one is signed in.
    Sessions,
    /// Tokens.
    Tokens,
    /// Keys.
    Keys,
    /// The cluster's health.
    Cluster,
    /// Approval policies.
    Policies,
    /// Receivers of notifications.
    Notifications,
    /// Everybody's accounts.
    Accounts,
}

impl Tab {
    const fn word(self) -> &'static str {
        match self {
            Self::You => "You",
            Self::Sessions => "Sessions",
            Self::Tokens => "Tokens",
            Self::Keys => "Keys",
            Self::Cluster => "Cluster",
            Self::Policies => "Policies",
            Self::Notifications => "Notifications",
            Self::Accounts => "Accounts",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::You => "/settings",
            Self::Sessions => "/settings/sessions",
            Self::Tokens => "/settings/tokens",
            Self::Keys => "/settings/keys",
            Self::Cluster => "/settings/cluster",
            Self::Policies => "/settings/policies",
            Self::Notifications => notifications::PATH,
            Self::Accounts => "/settings/accounts",
        }
    }
}

/// The way between the pages of the settings.
#[component]
pub fn Tabs(here: Tab, caller: Caller) -> impl IntoView {
    let seen = [Tab::You, Tab::Sessions, Tab::Tokens, Tab::Keys, Tab::Cluster]
        .into_iter()
        .chain(caller.may(Right::PoliciesRead).then_some(Tab::Policies))
        .chain(caller.may(Right::NotificationsRead).then_some(Tab::Notifications))
        .chain(caller.may(Right::AccountsRead).then_some(Tab::Accounts));
    view! {
        <nav class="subnav" aria-label="Settings">
            {seen.map(|tab| view! {
                <a href=tab.path() aria-current=(tab == here).then_some("page")>{tab.word()}</a>
            }).collect_view()}
            <a href="/api">"API"</a>
        </nav>
    }
    .into_any()
}

/// Asks for the caller's account.
pub async fn page(ask: Ask) -> Answer<Page> {
    let done = ask.query.text("done");
    let own = ask.console.accounts.own(&ask.caller).await?;
    let there = own.as_ref().and_then(|user| user.external.clone()).map(|external| {
        let provider = ask.console.ways.provider.as_ref().map(|provider| provider.name.clone());
        (provider.unwrap_or_else(|| external.issuer.clone()), external.groups)
    });
    let body = settings(ask.caller, there, Preferences::of_request(), ask.form, done.as_deref());
    Ok(Page::of_place("Settings", body))
}

/// The page. `there` is where the caller signs in and their groups there, if that is not here; `done` is what was just changed.
pub fn settings(
    caller: Caller,
    there: Option<(String, Vec<String>)>,
    preferences: Preferences,
    form: FormOutcome,
    done: Option<&str>,
) -> AnyView {
    let person = there.is_none() && caller.actor.id.as_str().starts_with("user:");
    let told = match done {
        Some("password") => Some("Your password is changed. All your other sessions are signed out."),
        Some("looks") => Some("Kept in this browser."),
        _ => None,
    };
    view! {
        <PageHead title="Settings" />
        <Tabs here=Tab::You caller=caller.clone() />
        {told.map(|text| view! { <div role="status"><Notice tone=Tone::Ok><p>{text}</p></Notice></div> })}
        <Account caller there />
        <Looks preferences />
        {person.then(|| view! { <Password form /> })}
    }
    .into_any()
}

#[component]
fn Account(caller: Caller, there: Option<(String, Vec<String>)>) -> impl IntoView {
    let roles = caller.roles_in_words();
    let rights = Right::ALL.into_iter().filter(|right| caller.may(*right)).collect::<Vec<_>>();
    view! {
        <Section title="Your account">
            <dl class="kv">
                <dt>"Name"</dt><dd>{caller.actor.name}</dd>
                {there.map(|(provider, groups)| view! {
                    <dt>"Signs in at"</dt><dd>{provider}</dd>
                    <dt>"Groups"</dt><dd>{if groups.is_empty() { "none".to_owned() } else { groups.join(", ") }}</dd>
                })}
                <dt>"Roles"</dt><dd>{roles}</dd>
                <dt>"You may"</dt>
                <dd><ul class="tags">{rights.into_iter().map(|right| view! { <li><code>{right.name()}</code></li> }).collect_view()}</ul></dd>
            </dl>
            <form class="actions start" method="post" action="/logout">
                <button class="btn" type="submit">"Sign out"</button>
            </form>
        </Section>
    }
    .into_any()
}

/// Colours, times and keys: kept in this browser.
#[component]
fn Looks(preferences: Preferences) -> impl IntoView {
    let theme = |choice| match choice {
        Theme::Auto => "As the system",
        Theme::Light => "Light",
        Theme::Dark => "Dark",
    };
    let times = |choice| match choice {
        Times::Relative => "How long ago",
        Times::Absolute => "Date and clock, UTC",
    };
    let keys = |choice| match choice {
        Keys::On => "On",
        Keys::Off => "Off",
    };
    view! {
        <Section title="Looks and keys" aside=|| "kept in this browser">
            <form class="looks" id="looks" method="post" action="/settings/appearance">
                <Choice legend="Colours" name=Theme::COOKIE
                    choices=Theme::ALL.iter().map(|c| (c.name(), theme(*c), *c == preferences.theme)).collect() />
                <Choice legend="Times" name=Times::COOKIE
                    choices=Times::ALL.iter().map(|c| (c.name(), times(*c), *c == preferences.times)).collect() />
                <Choice legend="Single keys" name=Keys::COOKIE
                    choices=Keys::ALL.iter().map(|c| (c.name(), keys(*c), *c == preferences.keys)).collect() />
                <p class="hint">"Single keys such as "<kbd>"/"</kbd>" and "<kbd>"j"</kbd>" never decide anything. "<a href="/settings/keys">"All keys"</a></p>
                <p class="actions"><button class="btn" type="submit">"Keep these"</button></p>
            </form>
        </Section>
    }
    .into_any()
}

/// One choice among words: value, word, whether it is the present one.
#[component]
pub(super) fn Choice(
    legend: &'static str,
    name: &'static str,
    choices: Vec<(&'static str, &'static str, bool)>,
) -> impl IntoView {
    view! {
        <fieldset class="choice">
            <legend>{legend}</legend>
            {choices.into_iter().map(|(value, word, chosen)| view! {
                <label><input type="radio" name=name value=value checked=chosen /><span>{word}</span></label>
            }).collect_view()}
        </fieldset>
    }
    .into_any()
}

#[component]
fn Password(form: FormOutcome) -> impl IntoView {
    let form = if form.value("about") == Some("password") { form } else { FormOutcome::default() };
    let hint = format!("At least {MIN_PASSWORD} characters. A few words are easy to keep in mind.");
    view! {
        <Section title="Your password">
            <form class="narrow-form" id="password" method="post" action="/settings/password">
                <FormFaults form=form.clone() fields=vec!["old_password".into(), "new_password".into(), "again".into()] />
                <Field name="old_password" label="Present password" kind="password" required=true autocomplete="current-password"
                    error=form.error("old_password") />
                <Field name="new_password" label="New password" kind="password" required=true autocomplete="new-password"
                    hint error=form.error("new_password") />
                <Field name="again" label="New password again" kind="password" required=true autocomplete="new-password"
                    error=form.error("again") />
                <p class="actions"><button class="btn" type="submit">"Change the password"</button></p>
            </form>
        </Section>
    }
    .into_any()
}
