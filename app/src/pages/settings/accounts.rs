//! Accounts: who may sign in and what they may do. Everything is a plain form; what can't be undone by the same page says so.

use super::{
    Tab, Tabs,
    groups::{ABOUT, Groups},
};
use crate::{
    components::{Ago, Field, FormFaults, Mark, Notice, PageHead, Section, State, TableBox, Tone},
    context::{FormOutcome, SignInWays},
    icon::{Glyph, Icon},
    islands::CopyText,
    page::{Ask, Page},
};
use domain::{
    accounts::{MAX_NAME, MIN_PASSWORD, Secret},
    identity::{Caller, Right, Role},
    ports::UserRecord,
    provider::FederatedIdentity,
    services::{Answer, GroupView},
    text::one_line,
    time::Timestamp,
};
use leptos::prelude::*;

/// The roles that a person can have.
pub const ROLES: [Role; 5] = [Role::Viewer, Role::Operator, Role::Author, Role::Auditor, Role::Admin];

/// What a role may, in a few words.
pub const fn in_words(role: Role) -> &'static str {
    match role {
        Role::Viewer => "reads recommendations, runs and the catalog",
        Role::Operator => "decides, cancels, proposes by hand",
        Role::Author => "registers playbooks",
        Role::Auditor => "reads audit, policies, accounts and tokens",
        Role::Admin => "everything",
        Role::Propose => "hands in recommendations and searches the catalog",
        Role::Ingest => "hands in signals",
    }
}

/// Asks for the accounts.
pub async fn page(ask: Ask) -> Answer<Page> {
    let users = ask.console.accounts.users(&ask.caller).await?;
    let groups = ask.console.accounts.groups(&ask.caller).await?.unwrap_or_default();
    // Only what is true is said: anybody can write an address.
    let known =
        |name: &String| users.iter().any(|user| user.name == *name) || groups.iter().any(|group| group.name == *name);
    let done = ask.query.text("done").filter(known);
    let ways = ask.console.ways;
    Ok(Page::below("Accounts", accounts(users, groups, ways, ask.caller, ask.form, done, ask.now)))
}

/// The page. `done` names the account or the group that was just changed.
pub fn accounts(
    users: Vec<UserRecord>,
    groups: Vec<GroupView>,
    ways: SignInWays,
    caller: Caller,
    form: FormOutcome,
    done: Option<String>,
    now: Timestamp,
) -> AnyView {
    let may_write = caller.may(Right::AccountsWrite);
    let active = users.iter().filter(|user| !user.disabled).count();
    let sub = format!("{active} of {} can sign in", users.len());
    let made = form.made.clone();
    // A form that came back belongs to one account, or to the new one.
    let about = form.value("about").map(str::to_owned);
    let at_new = if about.is_none() { form.clone() } else { FormOutcome::default() };
    let at_groups = if about.as_deref() == Some(ABOUT) { form.clone() } else { FormOutcome::default() };
    let several = ways.provider.is_some() || users.iter().any(|user| user.external.is_some());
    let (local, provider) = (ways.local, ways.provider.clone());
    view! {
        <PageHead title="Accounts" sub=move || sub.clone() />
        <Tabs here=Tab::Accounts caller=caller.clone() />
        {made.map(|(name, password)| view! { <Made name password /> })}
        {done.map(|name| view! { <div role="status"><Notice tone=Tone::Ok><p>{format!("{name} is changed.")}</p></Notice></div> })}
        <TableBox label="Accounts">
            <table class="grid people">
                <caption class="vh">"Accounts, by name"</caption>
                <thead><tr>
                    <th scope="col">"Name"</th>
                    {several.then(|| view! { <th scope="col">"Signs in"</th> })}
                    <th scope="col">"Roles"</th><th scope="col">"State"</th>
                    <th scope="col">"Last signed in"</th>
                    {may_write.then(|| view! { <th scope="col"><span class="vh">"Change"</span></th> })}
                </tr></thead>
                <tbody>
                    {users.into_iter().map(|user| {
                        let own = caller.actor.person().as_str() == user.id;
                        let form = if about.as_deref() == Some(user.id.as_str()) { form.clone() } else { FormOutcome::default() };
                        let place = several.then(|| place(user.external.as_ref(), &ways));
                        view! { <Row user place own may_write form now /> }
                    }).collect_view()}
                </tbody>
            </table>
        </TableBox>
        {provider.map(|provider| view! { <Groups provider=provider.name groups may_write form=at_groups now /> })}
        {match (may_write, local) {
            (true, true) => view! { <New form=at_new /> }.into_any(),
            (true, false) => view! {
                <p class="sub after">"Accounts of the console's own are switched off: nobody signs in with one, and none can be made here."</p>
            }.into_any(),
            (false, _) => view! { <p class="sub">"An admin can make and change accounts."</p> }.into_any(),
        }}
    }
    .into_any()
}

/// Where somebody signs in, and what they are in there.
fn place(external: Option<&FederatedIdentity>, ways: &SignInWays) -> (String, String) {
    const GROUPS_SHOWN: usize = 120; // characters
    let Some(FederatedIdentity { issuer, groups, .. }) = external else {
        return (if ways.local { "here" } else { "here: switched off" }.to_owned(), String::new());
    };
    let now = ways.provider.as_ref().filter(|provider| provider.issuer == *issuer);
    let name = now.map_or_else(|| format!("{issuer}, which is not the provider any more"), |now| now.name.clone());
    (name, one_line(&groups.join(", "), GROUPS_SHOWN))
}

/// A password that was made: it is shown this once.
#[component]
fn Made(name: String, password: Secret) -> impl IntoView {
    view! {
        <div class="once" role="status">
            <p><b>{format!("The password of {name}")}</b>". It is shown this once: hand it over, and have it changed at the first sign-in."</p>
            <p class="secret"><code>{password.0.clone()}</code><CopyText text=password.0 what="password" /></p>
        </div>
    }
    .into_any()
}

#[component]
fn Row(
    user: UserRecord,
    /// Where they sign in and their groups there; none where all do so here.
    place: Option<(String, String)>,
    own: bool,
    may_write: bool,
    form: FormOutcome,
    now: Timestamp,
) -> impl IntoView {
    let state = if user.disabled {
        Mark { word: "Disabled", icon: Icon::Bar, tone: Tone::Idle }
    } else {
        Mark { word: "Active", icon: Icon::Check, tone: Tone::Ok }
    };
    let roles = user.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let seen = user.last_sign_in_at;
    view! {
        <tr>
            <th scope="row">{if own { format!("{} ", user.name) } else { user.name.clone() }}{own.then(|| view! { <span class="sub">"you"</span> })}</th>
            {place.map(|(name, groups)| view! {
                <td class="place" data-label="signs in">{name}{(!groups.is_empty()).then(|| view! { <br /><span class="sub">{groups}</span> })}</td>
            })}
            <td>{if roles.is_empty() { "none".to_owned() } else { roles }}</td>
            <td><State of=state /></td>
            <td class="sub" data-label="signed in">{match seen {
                Some(at) => view! { <Ago at now /> }.into_any(),
                None => "never".into_any(),
            }}</td>
            {may_write.then(|| view! { <td class="change"><Change user own form /></td> })}
        </tr>
    }
    .into_any()
}

/// What an admin can change of an account.
#[component]
fn Change(user: UserRecord, own: bool, form: FormOutcome) -> impl IntoView {
    let came_back = form.value("about").is_some();
    let path = |act: &str| format!("/settings/accounts/{}/{act}", user.id);
    let named = format!("Change {}", user.name);
    let chosen = |role: Role| {
        if came_back && form.value("act") == Some("roles") {
            form.value(&format!("role.{role}")).is_some()
        } else {
            user.roles.contains(&role)
        }
    };
    let picked: Vec<(Role, bool)> = ROLES.into_iter().map(|role| (role, chosen(role))).collect();
    let (word, to) = if user.disabled { ("Enable", "enable") } else { ("Disable", "disable") };
    let prefix = user.id.clone();
    let local = user.external.is_none();
    view! {
        <details open=came_back>
            <summary class="btn small" aria-label=named>"Change"</summary>
            <div class="changes-of">
                <FormFaults form=form.clone() fields=vec!["password".into(), "roles".into()] />
                {local.then(|| view! {
                    <form method="post" action=path("roles")>
                        <Roles legend="Roles" of=picked error=form.error("roles") prefix=prefix.clone() />
                        <p class="actions"><button class="btn small" type="submit">"Set roles"</button></p>
                    </form>
                })}
                {(!local).then(|| view! { <p class="sub">"The roles come from the groups; there is no password here."</p> })}
                {(!own && local).then(|| view! {
                    <form method="post" action=path("password")>
                        <PasswordField error=form.error("password") prefix=prefix.clone() />
                        <p class="actions"><button class="btn small" type="submit">"Set a new password"</button></p>
                    </form>
                })}
                {(!own).then(|| view! {
                    {(!user.disabled).then(|| view! {
                        <form method="post" action=path("sessions")>
                            <p class="sub">"Signs this person out everywhere. They may sign in again."</p>
                            <p class="actions"><button class="btn small" type="submit">"End all sessions"</button></p>
                        </form>
                    })}
                    <form method="post" action=path(to)>
                        <p class="sub">{if user.disabled {
                            "Lets this person and their tokens in again."
                        } else {
                            "Ends all sessions at once; their tokens stop working."
                        }}</p>
                        <p class="actions"><button class="btn small" class:danger=!user.disabled type="submit">{word}</button></p>
                    </form>
                })}
                {(own && local).then(|| view! { <p class="sub">"Your own password is changed under "<a href="/settings#password">"You"</a>"."</p> })}
            </div>
        </details>
    }
    .into_any()
}

/// Roles to choose from, each with what it may.
#[component]
pub fn Roles(
    legend: &'static str,
    of: Vec<(Role, bool)>,
    error: Option<String>,
    /// Makes the ids of this form its own.
    prefix: String,
) -> impl IntoView {
    let error_id = format!("roles-error-{prefix}");
    let described = error.is_some().then(|| error_id.clone());
    view! {
        <fieldset class="choice roles" aria-describedby=described>
            <legend>{legend}</legend>
            {of.into_iter().map(|(role, chosen)| view! {
                <label>
                    <input type="checkbox" name=format!("role.{role}") value="on" checked=chosen />
                    <span>{format!("{} ", role.name())}<small class="sub">{in_words(role)}</small></span>
                </label>
            }).collect_view()}
            {error.map(|text| view! {
                <p class="err" id=error_id><Glyph of=Icon::Cross /><span>{crate::error::sentence(&text)}</span></p>
            })}
        </fieldset>
    }
    .into_any()
}

/// A password for somebody else. Several of these stand on one page, so each has ids of its own.
#[component]
fn PasswordField(error: Option<String>, prefix: String) -> impl IntoView {
    let id = format!("password-{prefix}");
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = if error.is_some() { format!("{hint_id} {error_id}") } else { hint_id.clone() };
    view! {
        <div class="field">
            <label for=id.clone()>"Password "<small>"leave it empty to have one made"</small></label>
            <input id=id name="password" type="password" autocomplete="new-password" aria-describedby=described
                aria-invalid=error.is_some().then_some("true") />
            <p class="hint" id=hint_id>{format!("At least {MIN_PASSWORD} characters.")}</p>
            {error.map(|text| view! {
                <p class="err" id=error_id><Glyph of=Icon::Cross /><span>{crate::error::sentence(&text)}</span></p>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn New(form: FormOutcome) -> impl IntoView {
    let chosen = |role: Role| form.value(&format!("role.{role}")).is_some();
    let picked = ROLES.into_iter().map(|role| (role, chosen(role))).collect();
    let name = if form.made.is_some() { String::new() } else { form.value("name").unwrap_or_default().to_owned() };
    let max = u32::try_from(MAX_NAME).ok();
    view! {
        <Section title="New account">
            <form class="narrow-form" id="new" method="post" action="/settings/accounts">
                <FormFaults form=form.clone() fields=vec!["name".into(), "password".into(), "roles".into()] />
                <Field name="name" label="Name to sign in with" value=name required=true autocomplete="off" mono=true max_length=max
                    error=form.error("name") />
                <PasswordField error=form.error("password") prefix="new".to_owned() />
                <Roles legend="Roles" of=picked error=form.error("roles") prefix="new".to_owned() />
                <p class="actions"><button class="btn primary" type="submit">"Make the account"</button></p>
            </form>
        </Section>
    }
    .into_any()
}
