//! Lines of lists that more than one page shows: an execution, and the words for what it is about.

use super::{Ago, Elapsed, State};
use crate::words::telling;
use domain::{
    execution::{Assessment, ExecutionLine, ExecutionState, Progress},
    recommendation::ResourceRef,
    time::Timestamp,
};
use leptos::prelude::*;

/// An object as people name it: `production / Deployment my-app`.
pub fn target(resource: &ResourceRef) -> String {
    let object = format!("{} {}", resource.kind, resource.name);
    resource.namespace.as_ref().map_or_else(|| object.clone(), |namespace| format!("{namespace} / {object}"))
}

/// What became of what a run was for. A run that went on as it should has not helped for that; one that did not go through is
/// told by its state.
#[component]
pub fn Outcome(state: ExecutionState, assessment: Assessment) -> impl IntoView {
    match (state, assessment) {
        (ExecutionState::Succeeded, Assessment::NotAssessed) => {
            view! { <span class="sub">"not assessed"</span> }.into_any()
        }
        (_, Assessment::NotAssessed) => ().into_any(),
        (_, assessment) => view! { <State of=assessment /> }.into_any(),
    }
}

/// How far a run has got: tasks that have ended, of all of them.
#[component]
pub fn HowFar(state: ExecutionState, progress: Progress) -> impl IntoView {
    let Progress { ended: done, tasks: all } = progress;
    if all == 0 || state == ExecutionState::Pending {
        return ().into_any();
    }
    let words = if all == 1 { format!("{done} of 1 task") } else { format!("{done} of {all} tasks") };
    view! {
        <span class="progress">
            <progress max=all.to_string() value=done.to_string() aria-label=format!("{words} done")></progress>
            <span aria-hidden="true">{words}</span>
        </span>
    }
    .into_any()
}

/// An execution in a short list: how it stands, what it does and on what, and how far it has got or whether it helped.
#[component]
pub fn RunRow(run: ExecutionLine, now: Timestamp) -> impl IntoView {
    let ExecutionLine { execution: run, progress } = run;
    let reason = telling(run.reason.clone());
    let object = run.subject.target().map(target);
    let under: Vec<String> = [object, reason].into_iter().flatten().collect();
    let (state, assessment, finished) = (run.state, run.assessment, run.finished_at);
    let since = run.started_at.unwrap_or(run.created_at);
    let (id, title) = (run.subject.id.clone(), run.subject.title.clone());
    view! {
        <li class="run-row">
            <State of=state />
            <span class="what">
                <a href=format!("/runs/{id}")>{title}</a>
                {(!under.is_empty()).then(|| view! { <span class="sub under">{under.join(" · ")}</span> })}
                {if state.ended() {
                    view! { <Outcome state assessment /> }.into_any()
                } else {
                    view! { <HowFar state progress /> }.into_any()
                }}
            </span>
            <span class="sub when">
                {match finished {
                    Some(at) => view! { <Ago at now /> }.into_any(),
                    None => view! { <Elapsed from=since to=None now /> }.into_any(),
                }}
            </span>
        </li>
    }
    .into_any()
}
