//! Tokens: what programs sign in with. Everybody sees and makes their own; who may read accounts sees all of them.

use super::{
    Choice, Tab, Tabs,
    accounts::{ROLES, Roles},
};
use crate::{
    components::{
        Ago, Empty, Field, FormFaults, Id, Mark, Notice, PageHead, Section, Select, State, TableBox, Tone, Until,
        equivalent,
    },
    context::FormOutcome,
    icon::Icon,
    islands::CopyText,
    page::{Ask, Page},
};
use domain::{
    accounts::{MAX_NAME, Secret, TokenStanding, check_within},
    identity::{Caller, Right, Role},
    services::{Answer, TokenView},
    time::Timestamp,
};
use leptos::prelude::*;

/// How long a token may work, as the form offers it: value, word, milliseconds.
pub const LIFETIMES: [(&str, &str, Option<i64>); 5] = [
    ("7d", "7 days", Some(7 * DAY)),
    ("30d", "30 days", Some(30 * DAY)),
    ("90d", "90 days", Some(90 * DAY)),
    ("365d", "a year", Some(365 * DAY)),
    ("never", "until it is revoked", None),
];
const DAY: i64 = 86_400_000;
/// The most tokens that no longer work which are listed.
const ENDED: usize = 50;

/// Asks for the tokens.
pub async fn page(ask: Ask) -> Answer<Page> {
    let tokens = ask.console.accounts.tokens(&ask.caller).await?;
    // Only what is true is said: anybody can write an address.
    let revoked = |name: &str| tokens.iter().any(|view| view.token.name == name && view.token.revoked_at.is_some());
    let done = ask.query.text("done").filter(|name| revoked(name));
    let url = ask.console.public_url.clone();
    Ok(Page::below("Tokens", tokens_page(tokens, ask.caller, ask.form, done, &url, ask.now)))
}

/// The page. `done` names the token that was just revoked, `url` is where programs reach the console.
pub fn tokens_page(
    tokens: Vec<TokenView>,
    caller: Caller,
    form: FormOutcome,
    done: Option<String>,
    url: &str,
    now: Timestamp,
) -> AnyView {
    let (ended, live): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|view| view.standing.ended());
    let (own, others): (Vec<_>, Vec<_>) = live.into_iter().partition(|view| view.own);
    let all = caller.may(Right::AccountsRead);
    let may_write = caller.may(Right::AccountsWrite);
    let person = caller.actor.id.as_str().starts_with("user:");
    let made = form.made.clone();
    let url = url.to_owned();
    view! {
        <PageHead title="Tokens" sub=|| "Programs sign in with them. A token never gets more than its owner may." />
        <Tabs here=Tab::Tokens caller=caller.clone() />
        {made.map(|(name, secret)| view! { <Made name secret url /> })}
        {done.map(|name| view! { <div role="status"><Notice tone=Tone::Ok><p>{format!("{name} is revoked. It is refused from now on.")}</p></Notice></div> })}
        <Section title="Yours">
            {if own.is_empty() {
                view! { <Empty title="You have no token"><p>"Make one for a script, or for your command line: "<a href="#new">"new token"</a>"."</p></Empty> }.into_any()
            } else {
                view! { <List label="Your tokens" tokens=own may_revoke=true owners=false now /> }.into_any()
            }}
        </Section>
        {all.then(|| view! {
            <Section title="All others">
                {if others.is_empty() {
                    view! { <p class="none sub">"Nobody else has a token."</p> }.into_any()
                } else {
                    view! { <List label="Tokens of others" tokens=others may_revoke=may_write owners=true now /> }.into_any()
                }}
            </Section>
        })}
        {(person || may_write).then(|| view! { <New caller form person may_write /> })}
        {(!ended.is_empty()).then(|| {
            let count = ended.len();
            let shown = ended.into_iter().take(ENDED).collect::<Vec<_>>();
            let title = format!("{count} no longer work");
            view! {
                <details class="ended"><summary>{title}</summary>
                    <List label="Tokens that no longer work" tokens=shown may_revoke=false owners=all now />
                </details>
            }
        })}
    }
    .into_any()
}

/// A secret that was made: it is shown this once.
#[component]
fn Made(name: String, secret: Secret, url: String) -> impl IntoView {
    let try_it = equivalent::first_call(&url);
    view! {
        <div class="once" role="status">
            <p><b>{format!("The secret of {name}")}</b>". It is shown this once and kept nowhere: put it where your program finds it."</p>
            <p class="secret"><code>{secret.0.clone()}</code><CopyText text=secret.0 what="secret" /></p>
            <p class="sub">"To try it: "<Id of=try_it what="command" /></p>
        </div>
    }
    .into_any()
}

const fn mark(standing: TokenStanding) -> Mark {
    match standing {
        TokenStanding::Live => Mark { word: "Works", icon: Icon::Check, tone: Tone::Ok },
        TokenStanding::Curtailed => Mark { word: "Curtailed", icon: Icon::Warn, tone: Tone::Wait },
        TokenStanding::OwnerDisabled => Mark { word: "Owner disabled", icon: Icon::Bar, tone: Tone::Idle },
        TokenStanding::Expired => Mark { word: "Expired", icon: Icon::Hourglass, tone: Tone::Idle },
        TokenStanding::Revoked => Mark { word: "Revoked", icon: Icon::Cross, tone: Tone::Idle },
    }
}

#[component]
fn List(
    label: &'static str,
    tokens: Vec<TokenView>,
    may_revoke: bool,
    /// Whether each says whose it is.
    owners: bool,
    now: Timestamp,
) -> impl IntoView {
    view! {
        <TableBox label>
            <table class="grid people">
                <caption class="vh">{label}</caption>
                <thead><tr>
                    <th scope="col">"Name"</th>
                    {owners.then(|| view! { <th scope="col">"Owner"</th> })}
                    <th scope="col">"Role"</th><th scope="col">"State"</th><th scope="col">"Last used"</th><th scope="col">"Ends"</th>
                    {may_revoke.then(|| view! { <th scope="col"><span class="vh">"Revoke"</span></th> })}
                </tr></thead>
                <tbody>{tokens.into_iter().map(|view| view! { <Row view may_revoke owners now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn Row(view: TokenView, may_revoke: bool, owners: bool, now: Timestamp) -> impl IntoView {
    let TokenView { token, owner, standing, .. } = view;
    let roles = token.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
    let why = match standing {
        TokenStanding::Curtailed => Some("Its owner may less by now."),
        _ => None,
    };
    let ends = match (standing, token.revoked_at, token.expires_at) {
        (TokenStanding::Revoked, Some(at), _) | (TokenStanding::Expired, _, Some(at)) => {
            view! { <Ago at now /> }.into_any()
        }
        (_, _, Some(at)) => view! { <Until at now before="in " over="just now" /> }.into_any(),
        _ => "when revoked".into_any(),
    };
    let action = format!("/settings/tokens/{}/revoke", token.id);
    let named = format!("Revoke {}", token.name);
    view! {
        <tr>
            <th scope="row">{token.name}</th>
            {owners.then(|| view! { <td>{owner.unwrap_or_else(|| "a machine".to_owned())}</td> })}
            <td>{roles}</td>
            <td><State of=mark(standing) />{why.map(|text| view! { <p class="sub">{text}</p> })}</td>
            <td class="sub" data-label="used">{match token.last_used_at {
                Some(at) => view! { <Ago at now /> }.into_any(),
                None => "never".into_any(),
            }}</td>
            <td class="sub" data-label="ends">{ends}</td>
            {may_revoke.then(|| view! {
                <td class="change">
                    <details>
                        <summary class="btn small" aria-label=named>"Revoke"</summary>
                        <form class="changes-of" method="post" action=action>
                            <p class="sub">"Whoever uses it is refused from the next call on. This can't be undone."</p>
                            <p class="actions"><button class="btn small danger" type="submit">"Revoke it"</button></p>
                        </form>
                    </details>
                </td>
            })}
        </tr>
    }
    .into_any()
}

#[component]
fn New(caller: Caller, form: FormOutcome, person: bool, may_write: bool) -> impl IntoView {
    let fresh = form.made.is_some();
    let typed = |name: &str| if fresh { String::new() } else { form.value(name).unwrap_or_default().to_owned() };
    let chosen = |role: Role| !fresh && form.value(&format!("role.{role}")).is_some();
    // Only what the owner may is offered; the service judges all the same.
    let mine = |role: &Role| check_within(&[*role], &caller.roles).is_ok();
    let own_roles = ROLES.into_iter().chain([Role::Propose, Role::Ingest]).filter(mine);
    let offered: Vec<(Role, bool)> = own_roles.map(|role| (role, chosen(role))).collect();
    let name = typed("name");
    let lifetime = Some(typed("expires")).filter(|text| !text.is_empty()).unwrap_or_else(|| "30d".to_owned());
    let lifetimes = LIFETIMES.map(|(value, word, _)| Select { value: value.into(), word: word.into() }).to_vec();
    let of_machine = !person || typed("owner") == "nobody";
    let owners = [("me", "Yours", !of_machine), ("nobody", "A machine's", of_machine)];
    let owners: Vec<_> = owners.into_iter().filter(|(value, ..)| person || *value != "me").collect();
    let max = u32::try_from(MAX_NAME).ok();
    view! {
        <Section title="New token">
            <form class="narrow-form" id="new" method="post" action="/settings/tokens">
                <FormFaults form=form.clone() fields=vec!["name".into(), "roles".into(), "expires".into()] />
                <Field name="name" label="Name" small="says where it is used" value=name required=true autocomplete="off" max_length=max
                    error=form.error("name") />
                <Roles legend="What it may" of=offered error=form.error("roles") prefix="token".to_owned() />
                <Field name="expires" label="Works for" value=lifetime choices=lifetimes error=form.error("expires") />
                {may_write.then(|| view! {
                    <Choice legend="Whose it is" name="owner" choices=owners />
                    <p class="hint">"What a token of yours decides counts as your decision. A machine's token stands for nobody and can't decide."</p>
                })}
                <p class="actions"><button class="btn primary" type="submit">"Make the token"</button></p>
            </form>
        </Section>
    }
    .into_any()
}
