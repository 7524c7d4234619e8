//! Signing in again before an approval of high risk, before a policy is put in force, or before a high-risk change of accounts and tokens: what was about to be done is kept, and goes
//! along with the password.

use crate::{
    components::{DigestId, Field, FormFaults, Notice, PageHead, Prose, Tone},
    context::FormOutcome,
    page::{Ask, Page},
};
use domain::{
    identity::{Caller, SignInMethod},
    ids::Digest,
    services::{Answer, ServiceError},
};
use leptos::prelude::*;

/// Where it stands; nobody is led here but by a form that was sent.
pub const PATH: &str = "/sign-in-again";
/// The field of the password. No form that is kept has a field of this name.
pub const PASSWORD: &str = "proof_password";
/// The field of a password for somebody's account: it is not kept, but typed once more.
pub const GIVEN: &str = "password";
/// Where forms of accounts are sent, and below.
const ACCOUNTS: &str = "/settings/accounts";
/// Where the forms of groups are sent, below.
const GROUPS: &str = "/settings/groups/";
/// Where the form of a token is sent.
const TOKENS: &str = "/settings/tokens";

/// Shows the form that was sent; without one there is nothing here.
pub async fn page(ask: Ask) -> Answer<Page> {
    if ask.form.action.is_none() {
        return Err(ServiceError::NotFound("page"));
    }
    Ok(Page::below("Sign in again", reauthentication_page(ask.form, &ask.caller)))
}

/// What the page says about the act that asks for it.
struct Words {
    title: &'static str,
    sub: &'static str,
    /// What is done, and to what.
    act: &'static str,
    what: String,
    button: &'static str,
    /// The way back, and what else whoever signed in at a provider is told.
    back: &'static str,
    elsewhere: &'static str,
}

impl Words {
    fn of(to: &str, form: &FormOutcome) -> Self {
        let decision = Self {
            title: "Sign in again to approve",
            sub: "A risk is high: what follows is decided by whoever knows your password, not by whoever sits here.",
            act: "Approve",
            what: "This ticket".to_owned(),
            button: "Sign in again and approve",
            back: "Back, without deciding",
            elsewhere: "You signed in by single sign-on. Sign out, sign in again, and approve then; nothing has been decided.",
        };
        if let Some(version) = policy_of(to) {
            return Self {
                title: "Sign in again to put a policy in force",
                sub: "A policy says who must agree before anything runs: it is put in force by whoever knows your password, not by whoever sits here.",
                act: "Put in force",
                what: format!("Version {version} of the policy"),
                button: "Sign in again and put it in force",
                ..decision
            };
        }
        if let Some((act, what)) = change(to, form) {
            return Self {
                title: "Sign in again to change who may decide",
                sub: "Accounts, groups and tokens say who may decide: they are changed by whoever knows your password, not by whoever sits here.",
                act,
                what,
                button: "Sign in again and go on",
                back: "Back, without changing anything",
                elsewhere: "You signed in by single sign-on. Sign out, sign in again, and do it then; nothing has been changed.",
            };
        }
        let many = form.fields.iter().filter(|(name, _)| name.starts_with("take.")).count();
        if many > 0 { Self { what: format!("{many} ticked"), ..decision } } else { decision }
    }
}

/// What a form of accounts, groups or tokens does, and to what, where it is such a form.
fn change(to: &str, form: &FormOutcome) -> Option<(&'static str, String)> {
    let name = || form.value("name").unwrap_or_default().to_owned();
    if to == TOKENS {
        return Some(("Make the token", name()));
    }
    if let Some(act) = to.strip_prefix(GROUPS) {
        let act = if act == "block" { "Block the group" } else { "Let the group in again" };
        return Some((act, form.value("group").unwrap_or_default().to_owned()));
    }
    let below = to.strip_prefix(ACCOUNTS)?;
    let act = match below.rsplit_once('/').map(|(_, act)| act) {
        None => return Some(("Make the account", name())),
        Some("roles") => "Set its roles",
        Some("password") => "Set its password",
        Some("disable") => "Disable it",
        Some("sessions") => "End its sessions",
        Some(_) => "Enable it",
    };
    Some((act, "The account that you chose".to_owned()))
}

/// The page.
pub fn reauthentication_page(form: FormOutcome, caller: &Caller) -> AnyView {
    let to = form.action.clone().unwrap_or_default();
    let back = back(&to, &form);
    let digest = form.value("ticket_digest").and_then(|text| Digest::try_from(text.to_owned()).ok());
    let reason = form.value("reason").filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let by_password = caller.session.as_ref().is_none_or(|session| session.method == SignInMethod::Password);
    let reasoned = change(&to, &form).is_none();
    let Words { title, sub, act, what, button, back: way_back, elsewhere } = Words::of(&to, &form);
    view! {
        <PageHead title sub=move || sub />
        <FormFaults form=form.clone() fields=vec![PASSWORD.to_owned()] />
        <dl class="kv">
            <dt>{act}</dt>
            <dd>{match digest {
                Some(of) => view! { "Ticket "<DigestId of /> }.into_any(),
                None => what.into_any(),
            }}</dd>
            {reasoned.then(|| view! {
                <dt>"Reason"</dt>
                <dd>{match reason {
                    Some(text) => view! { <Prose text /> }.into_any(),
                    None => view! { <span class="sub">"none given"</span> }.into_any(),
                }}</dd>
            })}
        </dl>
        {if by_password {
            view! { <Password form to back way_back name=caller.actor.name.clone() button /> }.into_any()
        } else {
            view! {
                <Notice tone=Tone::Wait><p>{elsewhere}</p></Notice>
                <form class="actions start" method="post" action="/logout">
                    <button class="btn primary" type="submit">"Sign out"</button>
                    <a class="btn" href=back>{way_back}</a>
                </form>
            }
            .into_any()
        }}
    }
    .into_any()
}

/// The form that was sent, and the password.
#[component]
fn Password(
    form: FormOutcome,
    to: String,
    back: String,
    way_back: &'static str,
    name: String,
    button: &'static str,
) -> impl IntoView {
    let error = form.error(PASSWORD);
    let given = form.value(GIVEN).is_some();
    let kept = form.fields.into_iter().filter(|(name, _)| name != PASSWORD && name != GIVEN);
    view! {
        <form class="narrow-form" method="post" action=to>
            {kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()}
            // For whoever keeps passwords: it is not sent.
            <input type="text" autocomplete="username" value=name hidden />
            <Field name=PASSWORD label="Your password" kind="password" required=true focus=true autocomplete="current-password" error />
            {given.then(|| view! {
                <Field name=GIVEN label="The account's new password, once more" kind="password" required=true autocomplete="new-password"
                    hint="What you typed was not kept." />
            })}
            <p class="actions">
                <a class="btn" href=back>{way_back}</a>
                <button class="btn primary" type="submit">{button}</button>
            </p>
        </form>
    }
    .into_any()
}

/// The version of the policy that a form puts in force, where it is such a form.
fn policy_of(to: &str) -> Option<&str> {
    to.strip_prefix(super::settings::policies::PATH)?.strip_prefix('/')?.strip_suffix("/activate")
}

/// The page that the form stood on.
fn back(to: &str, form: &FormOutcome) -> String {
    if to == super::review::PATH {
        let ids = form.fields.iter().filter_map(|(name, _)| name.strip_prefix("item."));
        return super::review::address(&ids.map(domain::ids::RecommendationId::new).collect::<Vec<_>>());
    }
    if let Some(version) = policy_of(to) {
        return format!("{}/{version}", super::settings::policies::PATH);
    }
    if change(to, form).is_some() {
        return if to == TOKENS { TOKENS } else { ACCOUNTS }.to_owned();
    }
    let strategy = form.value("strategy").unwrap_or("0");
    let ticket = form.value("ticket_digest");
    let query = crate::query::Query::of(&[("strategy", strategy)]).with("ticket", ticket);
    format!("{to}{query}")
}
