//! The keys, in words. The same list is what `?` shows anywhere, taken from this page.

use super::{Tab, Tabs};
use crate::{
    components::{Notice, PageHead, Section, Tone},
    page::{Ask, Page},
    preferences::{Keys, Preferences},
};
use domain::{identity::Caller, services::Answer};
use leptos::prelude::*;

/// What is pressed, one after the other, and what it does.
type Key = (&'static [&'static str], &'static str);

/// Groups of keys: what is pressed, one after the other, and what it does.
const GROUPS: [(&str, &[Key]); 5] = [
    (
        "Everywhere",
        &[
            (&["Ctrl", "K"], "Search or jump to anything (on a Mac Cmd K)"),
            (&["/"], "Search this page's list, or everything"),
            (&["?"], "Show these keys"),
            (&["Esc"], "Close what is open"),
        ],
    ),
    (
        "Go to",
        &[
            (&["g", "o"], "Overview"),
            (&["g", "i"], "Incidents"),
            (&["g", "a"], "Approvals"),
            (&["g", "r"], "Runs"),
            (&["g", "c"], "Catalog"),
            (&["g", "e"], "Effectiveness"),
            (&["g", "u"], "Audit"),
            (&["g", "s"], "Settings"),
        ],
    ),
    ("In a list", &[(&["j"], "Next line"), (&["k"], "Line before"), (&["Enter"], "Open it")]),
    (
        "In Approvals",
        &[(&["a"], "Open the recommendation at its ticket and buttons"), (&["r"], "Open it at its reason")],
    ),
    (
        "On a run, from a task in picture, timeline or table",
        &[
            (&["↑", "↓"], "Select the task above, below"),
            (&["←", "→"], "Select a task before it, after it"),
            (&["h", "j", "k", "l"], "The same: left, down, up, right"),
            (&["Enter"], "In the search for a task: select the first that is found"),
            (&["Ctrl", "wheel"], "Over the picture: make it larger or smaller (on a Mac also Cmd)"),
        ],
    ),
];

/// Asks for nothing.
pub async fn page(ask: Ask) -> Answer<Page> {
    Ok(Page::below("Keys", keys(ask.caller, Preferences::of_request().keys)))
}

/// The page.
pub fn keys(caller: Caller, single: Keys) -> AnyView {
    let on = single == Keys::On;
    view! {
        <PageHead title="Keys" sub=|| "No single key ever decides anything, and none does something while you type." />
        <Tabs here=Tab::Keys caller />
        {(!on).then(|| view! {
            <Notice tone=Tone::Idle><p>"Single keys are off in this browser. "<a href="/settings#looks">"Switch them on"</a></p></Notice>
        })}
        <div id="key-list" class="key-list">
            {GROUPS.into_iter().map(|(title, keys)| view! {
                <Section title>
                    <dl class="keys">
                        {keys.iter().map(|(pressed, what)| view! {
                            <div>
                                <dt>{pressed.iter().map(|key| view! { <kbd>{*key}</kbd>" " }).collect_view()}</dt>
                                <dd>{*what}</dd>
                            </div>
                        }).collect_view()}
                    </dl>
                </Section>
            }).collect_view()}
        </div>
        {on.then(|| view! { <p class="sub after">"They are in the way? "<a href="/settings#looks">"Switch single keys off"</a></p> })}
    }
    .into_any()
}
