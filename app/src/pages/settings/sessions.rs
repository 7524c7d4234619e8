//! Sessions: where one is signed in, and the way to end that elsewhere.

use super::{Tab, Tabs};
use crate::{
    components::{Ago, FormFaults, Notice, PageHead, Section, TableBox, Tone},
    context::FormOutcome,
    page::{Ask, Page},
};
use domain::{
    agent,
    identity::{Caller, SignInMethod},
    services::{Answer, SessionView},
    time::Timestamp,
};
use leptos::prelude::*;

/// Asks for one's own sessions.
pub async fn page(ask: Ask) -> Answer<Page> {
    let sessions = ask.console.accounts.sessions(&ask.caller).await?;
    let done = ask.query.text("done");
    Ok(Page::below("Sessions", sessions_page(sessions, ask.caller, ask.form, done.as_deref(), ask.now)))
}

/// The page. `done` is what was just ended.
pub fn sessions_page(
    sessions: Vec<SessionView>,
    caller: Caller,
    form: FormOutcome,
    done: Option<&str>,
    now: Timestamp,
) -> AnyView {
    let others = sessions.iter().filter(|view| !view.here).count();
    let told = match done {
        Some("one") => Some("That session is ended."),
        Some("others") if others == 0 => Some("All your other sessions are ended."),
        _ => None,
    };
    view! {
        <PageHead title="Your sessions" sub=|| "Where you are signed in. End what you do not know, and change your password." />
        <Tabs here=Tab::Sessions caller />
        {told.map(|text| view! { <div role="status"><Notice tone=Tone::Ok><p>{text}</p></Notice></div> })}
        <FormFaults form fields=Vec::new() />
        <TableBox label="Your sessions">
            <table class="grid people">
                <caption class="vh">"Your sessions, last used first"</caption>
                <thead><tr>
                    <th scope="col">"Browser"</th><th scope="col">"Address"</th><th scope="col">"Signed in"</th>
                    <th scope="col">"Last used"</th><th scope="col"><span class="vh">"End"</span></th>
                </tr></thead>
                <tbody>{sessions.into_iter().map(|view| view! { <Row view now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
        {(others > 0).then(|| view! {
            <Section title="All others">
                <form method="post" action="/settings/sessions/end-others">
                    <p class="sub">"Signs you out everywhere but here. Your tokens go on."</p>
                    <p class="actions start"><button class="btn danger" type="submit">"End all others"</button></p>
                </form>
            </Section>
        })}
    }
    .into_any()
}

#[component]
fn Row(view: SessionView, now: Timestamp) -> impl IntoView {
    let SessionView { session, here } = view;
    let browser = agent::in_words(session.from.agent.as_deref());
    let action = format!("/settings/sessions/{}/end", session.id);
    let named = if here { "End this session".to_owned() } else { format!("End the session of {browser}") };
    let word = if here { "End it: you are signed out" } else { "End it" };
    let way = match session.method {
        SignInMethod::Password => "with your password",
        SignInMethod::Oidc => "by single sign-on",
    };
    view! {
        <tr>
            <th scope="row">{format!("{browser} ")}{here.then(|| view! { <span class="sub">"this one"</span> })}</th>
            <td data-label="address"><code>{session.from.address.unwrap_or_else(|| "unknown".to_owned())}</code></td>
            <td class="sub" data-label="signed in"><Ago at=session.began_at now />" "{way}</td>
            <td class="sub" data-label="used"><Ago at=session.used_at now /></td>
            <td class="change">
                <details>
                    <summary class="btn small" aria-label=named>"End"</summary>
                    <form class="changes-of" method="post" action=action>
                        <p class="sub">"Whoever uses it has to sign in again."</p>
                        <p class="actions"><button class="btn small danger" type="submit">{word}</button></p>
                    </form>
                </details>
            </td>
        </tr>
    }
    .into_any()
}
