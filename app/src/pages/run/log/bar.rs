//! What stands above a log: its attempts, the search in it, levels, and how it is set.

use super::{super::selection::Selection, Log};
use crate::{
    components::day,
    icon::{Glyph, Icon},
};
use domain::{
    execution::{Execution, Task},
    log::{
        find,
        level::Level,
        window::{Hits, Place},
    },
};
use leptos::prelude::*;

/// The bar.
#[component]
pub fn Bar(run: Execution, task: Task, log: Log, selection: Selection) -> impl IntoView {
    let attempt = log.view.state.attempt;
    let attempts = log.attempts;
    let file = format!("{}-{}-{attempt}.log", run.subject.name, task.name);
    let download = format!("/api/v1/executions/{}/tasks/{}/logs?attempt={attempt}", run.subject.id, task.name);
    let download = if selection.log.times { format!("{download}&timestamps=true") } else { download };
    let look = selection.log.clone();
    let days = look.times.then(|| days(&task, &log)).flatten();
    let level = |level: Option<Level>| {
        selection
            .with_log(|log| {
                log.go_to(Place::End);
                log.level = level;
            })
            .href()
    };
    let levels = [(None, "All"), (Some(Level::Warning), "Warnings"), (Some(Level::Error), "Errors")];
    let toggles = [
        (selection.with_log(|log| log.times = !log.times).href(), "Times", look.times),
        (selection.with_log(|log| log.long = !log.long).href(), "Wrap", !look.long),
        (selection.with_log(|log| log.wide = !log.wide).href(), "Wide", look.wide),
    ];
    view! {
        <div class="log-bar">
            {(attempts > 1).then(|| view! {
                <ul class="attempts" aria-label="Attempts">
                    {(1..=attempts).map(|n| view! {
                        <li><a href=selection.of_attempt(n) aria-current=(n == attempt).then_some("true")>"Attempt "{n}</a></li>
                    }).collect_view()}
                </ul>
            })}
            <Find selection=selection.clone() hits=log.view.hits growing=!task.state.ended() task=task.name />
            <div class="log-look">
                <ul aria-label="Which lines">
                    {levels.map(|(which, word)| view! {
                        <li><a href=level(which) aria-current=(which == look.level).then_some("true")>{word}</a></li>
                    })}
                </ul>
                <ul class="right" aria-label="How they are set">
                    {toggles.map(|(href, word, on)| view! {
                        <li><a href=href aria-current=on.then_some("true")>{word}<span class="vh">{if on { " on" } else { " off" }}</span></a></li>
                    })}
                    <li><a href=download download=file>"Download"</a></li>
                </ul>
            </div>
            {days.map(|days| view! { <p class="sub days">{days}</p> })}
        </div>
    }
    .into_any()
}

/// On which days the times of a log are, and in which zone: the lines themselves have the clock only.
fn days(task: &Task, log: &Log) -> Option<String> {
    let attempt = task.attempts.iter().find(|one| one.attempt == log.view.state.attempt);
    let mut written = log.view.lines.iter().filter_map(|line| line.at);
    let from = attempt.and_then(|one| one.running_at).or(written.next())?;
    let to = attempt.and_then(|one| one.finished_at).or(written.next_back()).unwrap_or(from);
    let [from, to] = [from, to].map(day);
    Some(if from == to { format!("Times are UTC, of {from}.") } else { format!("Times are UTC, of {from} to {to}.") })
}

/// The search: a form whose answer is an address, and the way from hit to hit.
#[component]
fn Find(
    selection: Selection,
    hits: Option<Hits>,
    /// Lines are still being written to it.
    growing: bool,
    task: String,
) -> impl IntoView {
    let bare = selection.with_log(|log| {
        log.go_to(Place::End);
        log.find = None;
    });
    let action = format!("/runs/{}", bare.run);
    let clear = bare.href();
    let text = selection.log.find.clone().unwrap_or_default();
    let hit = |n: u32| {
        selection
            .with_log(|log| {
                log.go_to(Place::End);
                log.hit = Some(n);
            })
            .href()
    };
    let told = hits.map(|hits| {
        let more = if hits.more { "+" } else { "" };
        match hits.count {
            0 => "No line holds it".to_owned(),
            n => format!("{} of {n}{more}", hits.shown),
        }
    });
    let around = hits.filter(|hits| hits.count > 0).map(|hits| {
        let (before, after) = (hits.shown.checked_sub(1).filter(|n| *n > 0), hits.shown + 1);
        (before.unwrap_or(hits.count), if after > hits.count { 1 } else { after })
    });
    view! {
        <form class="log-find" method="get" action=action role="search" aria-label="In this log">
            {bare.query().pairs().map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned() /> }).collect_view()}
            <div class="find">
                <Glyph of=Icon::Find />
                <input type="search" name="find" value=text aria-label=format!("Find in the log of {task}") placeholder="Find in this log"
                    autocomplete="off" maxlength=find::LONGEST.to_string() />
            </div>
            {told.map(|told| view! {
                // The count of a log that grows is read aloud by nobody to its end; whether there is anything, is.
                <span class="hits" role=(!growing).then_some("status")>{told}</span>
                {growing.then(|| view! { <span class="vh" role="status">{if around.is_some() { "Found" } else { "Not found yet" }}</span> })}
                {around.map(|(before, after)| view! {
                    <a class="step" href=hit(before) aria-label="The hit before"><span class="up"><Glyph of=Icon::Next /></span></a>
                    <a class="step" href=hit(after) aria-label="The next hit"><span class="down"><Glyph of=Icon::Next /></span></a>
                })}
                <a href=clear>"Clear"</a>
            })}
        </form>
    }
    .into_any()
}
