//! The head of a run: state, how long, how far, by whom, under which ticket; and asking to cancel it.

use super::selection::went_wrong;
use crate::{
    components::{Ago, Chip, DigestId, Elapsed, Field, Id, Notice, State, Tone, absolute, target},
    context::FormOutcome,
    error::sentence,
    icon::{Glyph, Icon},
    query::Query,
    words::telling,
};
use domain::{
    execution::{Assessment, Execution, ExecutionState, TaskState},
    time::Timestamp,
};
use leptos::prelude::*;

/// The head. `live` follows the run where it can; the recommendation is linked to where it is `kept`.
#[component]
pub fn Head(
    run: Execution,
    may_cancel: bool,
    kept: bool,
    form: FormOutcome,
    /// The query of the page, for whoever cancels to come back to what they looked at.
    query: Query,
    /// What the log of the task that went wrong says of it.
    quote: Option<Quote>,
    now: Timestamp,
    live: AnyView,
) -> impl IntoView {
    let subject = run.subject.clone();
    let tally = tally(&run);
    let aim = aim(&run);
    let by = run.approved_by.iter().map(|actor| actor.name.as_str()).collect::<Vec<_>>().join(", ");
    let digest = subject.ticket_digest.clone();
    let cancels = may_cancel && !run.state.ended() && !run.cancel_requested;
    let recommendation = format!(
        "/recommendations/{}{}",
        subject.recommendation_id,
        Query::default().with("strategy", (subject.strategy > 0).then(|| subject.strategy.to_string()).as_deref())
    );
    let decided = format!("{recommendation}#decided");
    let measured = format!("/effectiveness{}", Query::default().with("workflow_id", subject.workflow_id.as_deref()));
    let unassessed = run.state == ExecutionState::Succeeded && run.assessment == Assessment::NotAssessed;
    let playbook = subject.workflow_id.as_ref().map(|id| {
        let words = [Some(id.clone()), subject.version.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        (format!("/catalog/{id}{}", Query::default().with("version", subject.version.as_deref())), words)
    });
    view! {
        <div class="head">
            <div class="line">
                <State of=run.state />
                {(run.assessment != Assessment::NotAssessed).then(|| view! { <State of=run.assessment /> })}
                {subject.sandbox.then(|| view! { <Chip word="Sandbox" tone=Tone::Wait /> })}
                {(run.cancel_requested && !run.state.ended()).then(|| view! { <Chip word="Cancel asked for" tone=Tone::Idle /> })}
                <span class="sub">
                    {match run.started_at {
                        Some(from) => view! { <Elapsed from to=run.finished_at now /> }.into_any(),
                        None => view! { "approved "<Ago at=run.created_at now /> }.into_any(),
                    }}
                    {tally.map(|tally| format!(" · {tally}"))}
                    {(!by.is_empty()).then(|| if kept {
                        view! { " · approved by "<a href=decided title="What was decided, and why">{by}</a> }.into_any()
                    } else {
                        view! { " · approved by "{by} }.into_any()
                    })}
                    " · ticket "<DigestId of=digest />
                    {unassessed.then(|| view! { " · "<a href=measured title="How often it went through and helped">"not assessed"</a> })}
                </span>
                <div class="do">{live}{cancels.then(|| view! { <Cancel action=format!("/runs/{}/cancel{query}", subject.id) form /> })}</div>
            </div>
            <h1>{subject.title.clone()}</h1>
            <p class="sub">
                <Id of=subject.name.clone() what="run's name" />" in "<Id of=subject.namespace.clone() what="namespace" />" · "
                {if kept {
                    view! { <a href=recommendation>{subject.incident_id.clone()}</a> }.into_any()
                } else {
                    view! { {subject.incident_id.clone()} }.into_any()
                }}
                {aim.map(|aim| format!(" · {aim}"))}
                {playbook.map(|(href, words)| view! { " · "<a href=href><code>{words}</code></a> })}
                {run.started_at.map(|at| format!(" · started {}", absolute(at)))}
            </p>
            <Why run quote />
        </div>
    }
    .into_any()
}

/// A line of a log that tells why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Whose log.
    pub task: String,
    /// The line, as text.
    pub text: String,
    /// Where it stands.
    pub href: String,
}

/// How far it has got, in words: while it runs how much is done, afterwards what became of its tasks.
fn tally(run: &Execution) -> Option<String> {
    let all = run.tasks.len();
    // Of a single task that has ended, the run's state says it all.
    if all == 0 || (all == 1 && run.state.ended()) {
        return None;
    }
    let count = |state: TaskState| run.tasks.iter().filter(|task| task.state == state).count();
    let tasks = if all == 1 { "task" } else { "tasks" };
    let done = count(TaskState::Succeeded);
    if !run.state.ended() {
        return Some(format!("{done} of {all} {tasks} done"));
    }
    let other = [
        (TaskState::Failed, "failed"),
        (TaskState::TimedOut, "timed out"),
        (TaskState::Lost, "lost"),
        (TaskState::Cancelled, "cancelled"),
        (TaskState::Skipped, "skipped"),
        (TaskState::Running, "running"),
        (TaskState::Pending, "never started"),
    ];
    let other = other.map(|(state, word)| (count(state), word)).into_iter().filter(|(n, _)| *n > 0);
    let other: Vec<String> = other.map(|(n, word)| format!("{n} {word}")).collect();
    if other.is_empty() {
        return Some(format!("all {all} tasks succeeded"));
    }
    let done = (done > 0).then(|| format!("{done} of {all} succeeded"));
    Some(done.into_iter().chain(other).collect::<Vec<_>>().join(", "))
}

/// What it acts on: the incident's object, else what its tasks were told.
fn aim(run: &Execution) -> Option<String> {
    if let Some(resource) = &run.subject.resource {
        return Some(target(resource));
    }
    let value = |name: &str| {
        let mut values = run.tasks.iter().filter_map(|task| task.parameters.get(name)?.as_str());
        values.next().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let name = value("TARGET_RESOURCE_NAME")?;
    let object = value("TARGET_RESOURCE_KIND").map_or_else(|| name.clone(), |kind| format!("{kind} {name}"));
    Some(value("TARGET_NAMESPACE").map_or_else(|| object.clone(), |namespace| format!("{namespace} / {object}")))
}

/// Why it stands as it does, where that needs a word. What a log says is marked as such: anybody may write a log.
#[component]
fn Why(run: Execution, quote: Option<Quote>) -> impl IntoView {
    let reason = telling(run.reason.clone());
    // While it goes on as it should, there is only Tekton's tally, which the tasks below tell better.
    // After its start, Tekton says by this reason that the volume of its steps can't be made yet, and why.
    let held = run.started_at.is_some() && run.reason.as_deref() == Some("PipelineRunPending");
    let message =
        run.message.clone().filter(|text| !text.is_empty() && (run.state.ended() || reason.is_some() || held));
    let said = [reason, message].into_iter().flatten();
    let said = said.map(|text| sentence(&text)).collect::<Vec<_>>().join(" ");
    // The task that went wrong tells more than Tekton's tally of tasks.
    let wrong = went_wrong(&run.tasks).filter(|_| run.state.ended()).and_then(|task| {
        let reason = telling(task.reason.clone());
        let message = task.message.clone().filter(|text| !text.is_empty());
        let words = [reason, message].into_iter().flatten().map(|text| sentence(&text)).collect::<Vec<_>>().join(" ");
        (!words.is_empty() && words != said).then(|| (task.name.clone(), words))
    });
    // What is said already is not said again.
    let again = wrong.as_ref().is_some_and(|(name, _)| {
        let message = run.tasks.iter().find(|task| task.name == *name).and_then(|task| task.message.clone());
        message.is_some_and(|text| said.to_lowercase().contains(&text.to_lowercase()))
    });
    let said = if again { String::new() } else { said };
    let (tone, words) = match run.state {
        ExecutionState::Succeeded => return ().into_any(),
        ExecutionState::Lost if said.is_empty() => {
            (Tone::Bad, "Its PipelineRun vanished from the cluster. It is not made again by itself.".to_owned())
        }
        ExecutionState::Lost | ExecutionState::Failed | ExecutionState::TimedOut => (Tone::Bad, said),
        ExecutionState::Running if run.cancel_requested => {
            (Tone::Idle, "Cancelling: it ends as soon as the cluster has stopped it.".to_owned())
        }
        ExecutionState::Pending | ExecutionState::Running | ExecutionState::Cancelled => (Tone::Idle, said),
    };
    if words.is_empty() && quote.is_none() && wrong.is_none() {
        return ().into_any();
    }
    view! {
        <Notice tone>
            {wrong.map(|(name, words)| view! { <p class="why"><b>{name}</b>": "{words}</p> })}
            {quote.map(|quote| view! {
                <p class="why quote"><a href=quote.href>"Its log"<span class="vh">{format!(", of {}", quote.task)}</span></a>": "<q>{quote.text}</q></p>
            })}
            {(!words.is_empty()).then(|| view! { <p class="why">{words}</p> })}
        </Notice>
    }
    .into_any()
}

/// Cancelling: folded, so that no single slip does it; the reason is the reader's own.
#[component]
fn Cancel(action: String, form: FormOutcome) -> impl IntoView {
    let reason = form.value("reason").unwrap_or_default().to_owned();
    view! {
        <details class="cancel">
            <summary class="btn small"><Glyph of=Icon::Bar />"Cancel"</summary>
            <form class="panel" method="post" action=action>
                <p class="sub">"Tasks at work are stopped; what is done stays done. Nothing is rolled back."</p>
                <Field name="reason" label="Reason" small="goes into the audit trail" rows=2 value=reason max_length=Some(4096) />
                <button class="btn danger full" type="submit">"Cancel this run"</button>
            </form>
        </details>
    }
    .into_any()
}
