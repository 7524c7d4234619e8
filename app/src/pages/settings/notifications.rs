//! Notifications: who is told of recommendations, what waits for them, and what they did not take. Who is told stands in the settings of
//! the console; here it is seen whether they hear.

use super::{Tab, Tabs};
use crate::{
    components::{
        Ago, Command, Empty, Equivalent, FormFaults, Notice, PageHead, Pager, Section, State, TableBox, Tone, Until,
        equivalent,
    },
    context::FormOutcome,
    error::sentence,
    page::{Ask, Page},
    query::Query,
};
use domain::{
    identity::{Caller, Right},
    notification::Occasion,
    paging::{Page as ListPage, PageOf},
    ports::{NotificationFilter, NotificationRecord, NotificationState},
    services::{Answer, ReceiverView},
    time::Timestamp,
};
use leptos::prelude::*;
use std::time::Duration;

/// Where it is.
pub const PATH: &str = "/settings/notifications";
/// What was done: a test was sent.
pub const TESTED: &str = "tested";
/// What was done: one is delivered again.
pub const REDELIVERED: &str = "redelivered";
/// What was done: one was discarded.
pub const DISCARDED: &str = "discarded";
/// While something waits the page is shown anew after so long.
const ANEW: Duration = Duration::from_secs(5);
/// How many of those that arrived are listed.
const LATELY: u32 = 10;

/// What the page shows.
pub struct Shown {
    /// Who is told.
    pub receivers: Vec<ReceiverView>,
    /// A page of what did not arrive (yet).
    pub open: PageOf<NotificationRecord>,
    /// What arrived or was discarded lately.
    pub ended: Vec<NotificationRecord>,
}

/// Asks for the receivers and the notifications.
pub async fn page(ask: Ask) -> Answer<Page> {
    let notifications = &ask.console.notifications;
    let receivers = notifications.receivers(&ask.caller).await?;
    let of = |states: [NotificationState; 2]| NotificationFilter { states: states.into(), receiver: None };
    let open = of([NotificationState::Waiting, NotificationState::Dead]);
    let open = notifications.notifications(&ask.caller, &open, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let ended = of([NotificationState::Delivered, NotificationState::Discarded]);
    let ended = notifications.notifications(&ask.caller, &ended, &ListPage::first(LATELY)).await?.items;
    // No event tells that something arrived.
    let waits = open.items.iter().any(|one| one.state == NotificationState::Waiting);
    let shown = Shown { receivers, open, ended };
    let commands = equivalent::of_notifications(&ask.console.public_url);
    let body = notifications_page(shown, ask.caller, ask.form, ask.query, commands, ask.now);
    Ok(Page::below("Notifications", body).following("recommendation").anew(waits.then_some(ANEW)))
}

/// The page.
pub fn notifications_page(
    shown: Shown,
    caller: Caller,
    form: FormOutcome,
    query: Query,
    commands: Vec<Command>,
    now: Timestamp,
) -> AnyView {
    let Shown { receivers, open, ended } = shown;
    let may_write = caller.may(Right::NotificationsWrite);
    let told = match query.get("done") {
        Some(TESTED) => Some("The test is on its way: look below what comes of it."),
        Some(REDELIVERED) => Some("It is delivered again, with as many tries as a new one has."),
        Some(DISCARDED) => Some("It is discarded."),
        _ => None,
    };
    let PageOf { items, next_cursor } = open;
    view! {
        <PageHead title="Notifications" sub=|| "Who is told of new, expiring and decided recommendations. What they are told leads to a page and does nothing." />
        <Tabs here=Tab::Notifications caller />
        {told.map(|text| view! { <div role="status"><Notice tone=Tone::Ok><p>{text}</p></Notice></div> })}
        <FormFaults form fields=Vec::new() />
        <Section title="Receivers">
            {if receivers.is_empty() {
                view! {
                    <Empty title="Nobody is told">
                        "Receivers are named in a file: start the console with "<code>"--notify-file receivers.toml"</code>"."
                    </Empty>
                }.into_any()
            } else {
                view! { <Receivers receivers may_write now /> }.into_any()
            }}
        </Section>
        <Section title="Not delivered" id="open">
            {if items.is_empty() {
                view! { <Empty title="Nothing waits">"Everything that was to be told has arrived."</Empty> }.into_any()
            } else {
                view! { <Open items may_write now /> }.into_any()
            }}
            <Pager path=PATH query=query.with("done", None) next=next_cursor />
        </Section>
        {(!ended.is_empty()).then(|| view! { <Section title="Lately"><Ended items=ended may_write now /></Section> })}
        <Equivalent commands />
    }
    .into_any()
}

#[component]
fn Receivers(receivers: Vec<ReceiverView>, may_write: bool, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label="Receivers">
            <table class="grid people">
                <caption class="vh">"Receivers, in the order of the settings"</caption>
                <thead><tr>
                    <th scope="col">"Receiver"</th><th scope="col">"Host"</th><th scope="col">"Is told of"</th>
                    <th scope="col">"Last delivered"</th><th scope="col">"Waiting"</th><th scope="col">"Not delivered"</th>
                    {may_write.then(|| view! { <th scope="col"><span class="vh">"Test"</span></th> })}
                </tr></thead>
                <tbody>{receivers.into_iter().map(|receiver| view! { <Receiver receiver may_write now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn Receiver(receiver: ReceiverView, may_write: bool, now: Timestamp) -> impl IntoView {
    let wanted = wanted(&receiver);
    let ReceiverView { name, host, waiting, dead, delivered_at, .. } = receiver;
    let known = host.is_some();
    let named = format!("Send a test to {name}");
    let action = format!("{PATH}/receivers/{name}/test");
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td data-label="host">{match host {
                Some(host) => view! { <code>{host}</code> }.into_any(),
                None => view! { <span class="sub">"no longer in the settings"</span> }.into_any(),
            }}</td>
            <td class="sub" data-label="is told of">{wanted}</td>
            <td class="sub" data-label="last delivered">{match delivered_at {
                Some(at) => view! { <Ago at now /> }.into_any(),
                None => "never".into_any(),
            }}</td>
            <td data-label="waiting">{waiting}</td>
            <td data-label="not delivered">{dead}</td>
            {may_write.then(|| view! {
                <td class="change">{known.then(|| view! {
                    <form method="post" action=action>
                        <button class="btn small" type="submit" aria-label=named>"Send a test"</button>
                    </form>
                })}</td>
            })}
        </tr>
    }
    .into_any()
}

/// What a receiver is told of, in words.
fn wanted(receiver: &ReceiverView) -> String {
    let listed = |before: &str, names: &[&str]| (!names.is_empty()).then(|| format!("{before}{}", names.join(", ")));
    let events: Vec<_> = receiver.events.iter().map(|event| event.name()).collect();
    let severities: Vec<_> = receiver.severities.iter().map(|severity| severity.name()).collect();
    let environments: Vec<_> = receiver.environments.iter().map(String::as_str).collect();
    let parts = [listed("", &events), listed("severity ", &severities), listed("in ", &environments)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[component]
fn Open(items: Vec<NotificationRecord>, may_write: bool, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label="Not delivered">
            <table class="grid people">
                <caption class="vh">"What did not arrive, newest first"</caption>
                <thead><tr>
                    <th scope="col">"Notification"</th><th scope="col">"Receiver"</th><th scope="col">"State"</th><th scope="col">"Tries"</th>
                    {may_write.then(|| view! { <th scope="col"><span class="vh">"Act"</span></th> })}
                </tr></thead>
                <tbody>
                    {items.into_iter().map(|one| {
                        let again = one.state == NotificationState::Dead;
                        view! {
                            <tr>
                                <What of=one.clone() now />
                                <td>
                                    <State of=one.state />
                                    {one.reason.as_deref().map(|reason| view! { " "<span class="sub">{sentence(reason)}</span> })}
                                    {one.due_at.filter(|_| one.attempts > 0).map(|at| view! {
                                        " "<span class="sub"><Until at now before="again in " over="again now" /></span>
                                    })}
                                </td>
                                <td data-label="tries">{one.attempts}</td>
                                {may_write.then(|| view! { <td class="change"><Acts of=one again discard=true /></td> })}
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
fn Ended(items: Vec<NotificationRecord>, may_write: bool, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label="Lately">
            <table class="grid people">
                <caption class="vh">"What arrived or was discarded, newest first"</caption>
                <thead><tr>
                    <th scope="col">"Notification"</th><th scope="col">"Receiver"</th><th scope="col">"State"</th>
                    {may_write.then(|| view! { <th scope="col"><span class="vh">"Act"</span></th> })}
                </tr></thead>
                <tbody>
                    {items.into_iter().map(|one| {
                        let again = one.state == NotificationState::Discarded;
                        view! {
                            <tr>
                                <What of=one.clone() now />
                                <td>
                                    <State of=one.state />
                                    {one.tried_at.map(|at| view! { " "<span class="sub"><Ago at now /></span> })}
                                </td>
                                {may_write.then(|| view! { <td class="change"><Acts of=one again discard=false /></td> })}
                            </tr>
                        }
                    }).collect_view()}
                </tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

/// What is told, and to whom: the first two cells of a row.
#[component]
fn What(of: NotificationRecord, now: Timestamp) -> impl IntoView {
    let occasion = match of.occasion {
        Occasion::New => "New",
        Occasion::Expiring => "Expiring",
        Occasion::Decided => "Decided",
        Occasion::Test => "Test",
    };
    let title = of.notice.title;
    let title = match of.notice.id {
        Some(id) => view! { <a href=format!("/recommendations/{id}")>{title}</a> }.into_any(),
        None => title.into_any(),
    };
    view! {
        <th scope="row">{format!("{occasion}: ")}{title}" "<span class="sub"><Ago at=of.created_at now /></span></th>
        <td data-label="receiver">{of.receiver}</td>
    }
    .into_any()
}

/// What can be done with it.
#[component]
fn Acts(of: NotificationRecord, again: bool, discard: bool) -> impl IntoView {
    let button = move |act: &'static str, word: &'static str, danger: bool| {
        let action = format!("{PATH}/{}/{act}", of.id);
        let named = format!("{word}: {}, for {}", of.notice.title, of.receiver);
        view! {
            <form method="post" action=action>
                <button class="btn small" class:danger=danger type="submit" aria-label=named>{word}</button>
            </form>
        }
    };
    view! {
        {again.then(|| button("redeliver", "Deliver again", false))}
        {discard.then(|| button("discard", "Discard", true))}
    }
    .into_any()
}
