//! The selected task: how it stands, and in tabs its log, parameters, results, attempts and what happened to it.

use super::{
    events::Events,
    log::{Lines, Log},
    selection::{Selection, Tab},
    times::{Phase, in_phase},
};
use crate::{
    components::{Ago, Equivalent, Id, State, TableBox, equivalent, plain},
    error::sentence,
    islands::CopyText,
    words::telling,
};
use domain::{
    execution::{Execution, Task, TaskAttempt, TaskState},
    time::{Timestamp, human},
    warning::Warning,
};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// Predecessors that are named; the others are counted.
const NAMED: usize = 4;

/// The panel.
#[component]
pub fn Panel(run: Execution, task: Task, selection: Selection, log: Option<Log>, now: Timestamp) -> impl IntoView {
    let tab = selection.tab;
    let concerns = |warning: &&Warning| warning.task.as_ref().is_none_or(|of| *of == task.name);
    let warnings: Vec<Warning> = run.warnings.iter().filter(concerns).cloned().collect();
    let warned = warnings.len();
    let commands = equivalent::of_task(&run, &task, selection.attempt);
    let attempt = task.attempts.len();
    let after = match (task.finally, task.run_after.len()) {
        (true, _) => Some("after everything".to_owned()),
        (false, 0) => None,
        (false, n) if n <= NAMED => Some(format!("after {}", task.run_after.join(", "))),
        (false, n) => Some(format!("after {} and {} more", task.run_after[..NAMED].join(", "), n - NAMED)),
    };
    let words = [(attempt > 0).then(|| format!("attempt {attempt}")), after];
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    // Of a task that did as it should, the cluster has nothing to add.
    let message = task.message.clone().filter(|_| task.state != TaskState::Succeeded);
    let why = [telling(task.reason.clone()), message].into_iter().flatten().filter(|text| !text.is_empty());
    let why = why.map(|text| sentence(&text)).collect::<Vec<_>>().join(" ");
    view! {
        <div class="task-head">
            <h2 class="task-name">{task.name.clone()}</h2>
            <p class="sub"><State of=task.state />{(!words.is_empty()).then(|| format!(" · {words}"))}</p>
            {(!why.is_empty()).then(|| view! { <p class="why">{why}</p> })}
        </div>
        <nav class="tabs" aria-label="The selected task">
            {Tab::ALL.map(|each| view! {
                <a href=selection.of_tab(each) aria-current=(each == tab).then_some("page")>
                    {each.word()}{count(&task, warned, each).map(|n| view! { " "<span class="sub">{n}</span> })}
                </a>
            }).collect_view()}
        </nav>
        <div class="tab" class:logs=tab == Tab::Logs>
            {match tab {
                Tab::Logs => view! { <Lines run task log selection /> }.into_any(),
                Tab::Parameters => view! { <Values values=task.parameters caption="Parameters" none="It takes no parameters." /> }.into_any(),
                Tab::Results => {
                    let none = if task.state.ended() { "It reported no results." } else { "It has not reported results yet." };
                    view! { <Values values=task.results caption="Results" none /> }.into_any()
                }
                Tab::Attempts => view! { <Attempts task selection now /> }.into_any(),
                Tab::Events => view! { <Events task warnings now /> }.into_any(),
            }}
        </div>
        <Equivalent commands title="This task by command line" />
    }
    .into_any()
}

/// How many things a tab holds, where that is worth knowing before opening it: of the events, what was warned of.
fn count(task: &Task, warned: usize, tab: Tab) -> Option<usize> {
    let n = match tab {
        Tab::Logs => 0,
        Tab::Events => warned,
        Tab::Parameters => task.parameters.len(),
        Tab::Results => task.results.len(),
        Tab::Attempts => task.attempts.len().saturating_sub(1).min(1) * task.attempts.len(),
    };
    (n > 0).then_some(n)
}

#[component]
fn Values(values: Map<String, Value>, caption: &'static str, none: &'static str) -> impl IntoView {
    if values.is_empty() {
        return view! { <p class="nothing sub">{none}</p> }.into_any();
    }
    view! {
        <table class="values wide">
            <caption class="vh">{caption}</caption>
            <thead class="vh"><tr><th scope="col">"Name"</th><th scope="col">"Value"</th></tr></thead>
            <tbody>
                {values.into_iter().map(|(name, value)| {
                    let text = plain(&value);
                    let empty = text.is_empty();
                    view! {
                        <tr>
                            <th scope="row">{name.clone()}</th>
                            <td>{if empty { view! { <i>"empty"</i> }.into_any() } else { view! { {text.clone()} }.into_any() }}
                                " "<CopyText text=text what=name /></td>
                        </tr>
                    }
                }).collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Attempts(task: Task, selection: Selection, now: Timestamp) -> impl IntoView {
    if task.attempts.is_empty() {
        return view! { <p class="nothing sub">"It was not tried yet."</p> }.into_any();
    }
    view! {
        <TableBox label="Attempts">
            <table class="grid tries">
                <caption class="vh">"Attempts, oldest first"</caption>
                <thead><tr>
                    <th scope="col">"Attempt"</th><th scope="col">"State"</th><th scope="col" class="num">"Queued"</th>
                    <th scope="col" class="num">"Pulling"</th><th scope="col" class="num">"Running"</th><th scope="col">"Ended"</th>
                </tr></thead>
                <tbody>
                    {task.attempts.into_iter().map(|attempt| {
                        let href = selection.of_attempt(attempt.attempt);
                        let (reason, pod) = (telling(attempt.reason.clone()), attempt.pod.clone());
                        let both = reason.is_some() && pod.is_some();
                        let details = reason.is_some() || pod.is_some();
                        view! {
                            <tr>
                                <th scope="row"><a href=href>{attempt.attempt}<span class="vh">", its log"</span></a></th>
                                <td><State of=attempt.state /></td>
                                <td class="num">{phase(&attempt, Phase::Queued, now)}</td>
                                <td class="num">{phase(&attempt, Phase::Pulling, now)}</td>
                                <td class="num">{phase(&attempt, Phase::Running, now)}</td>
                                <td class="sub">{match attempt.finished_at {
                                    Some(at) => view! { <Ago at now /> }.into_any(),
                                    None => view! { "not yet" }.into_any(),
                                }}</td>
                            </tr>
                            {details.then(|| view! {
                                <tr class="note-row"><td class="sub" colspan="6">
                                    {reason}{both.then_some(" · ")}{pod.map(|pod| view! { "pod "<Id of=pod what="pod's name" /> })}
                                </td></tr>
                            })}
                        }
                    }).collect_view()}
                </tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

fn phase(attempt: &TaskAttempt, phase: Phase, now: Timestamp) -> String {
    in_phase(attempt, phase, now).map_or_else(|| "–".to_owned(), human)
}
