//! How an incident was investigated: what the agent was asked and said, what that cost, and what came of it. All of it is somebody else's
//! words, and shown as text.

use crate::{
    components::{Ago, Chip, Elapsed, Empty, Id, Notice, Prose, Section, State, Tone},
    icon::{Glyph, Icon},
};
use domain::{
    ids::IncidentId,
    investigation::{Attempt, Investigation, InvestigationState, Step, StepKind, Usage},
    services::InvestigationView,
    time::Timestamp,
};
use leptos::prelude::*;

/// The section of an incident's page.
#[component]
pub fn Investigations(
    incident: IncidentId,
    /// Newest first.
    all: Vec<InvestigationView>,
    /// Why the reader can't have it investigated.
    cannot: Option<String>,
    now: Timestamp,
) -> impl IntoView {
    let action = format!("/incidents/{incident}/investigations");
    let again = if all.is_empty() { "Investigate" } else { "Investigate again" };
    let none = all.is_empty();
    view! {
        <Section title="Investigations" id="investigations">
            {match cannot {
                None => view! {
                    <form class="actions start" method="post" action=action>
                        <button class="btn" type="submit"><Glyph of=Icon::Find />{again}</button>
                        <span class="sub">"HolmesGPT looks for the root cause, then for a playbook. Nothing runs by it."</span>
                    </form>
                }
                .into_any(),
                Some(why) if none => view! { <Empty title="It was not investigated"><p>{why}</p></Empty> }.into_any(),
                Some(_) => ().into_any(),
            }}
            {all.into_iter().enumerate().map(|(place, view)| view! { <One view newest={place == 0} now /> }).collect_view()}
        </Section>
    }
    .into_any()
}

#[component]
fn One(view: InvestigationView, newest: bool, now: Timestamp) -> impl IntoView {
    let InvestigationView { investigation, steps } = view;
    let usage = usage_in_words(investigation.usage());
    let scripted = investigation.by_script();
    let Investigation { id, state, asked_by, automatic, asked_at, due_at, ended_at, attempts, .. } = investigation;
    let by = if automatic { "the console, because of its severity".to_owned() } else { asked_by.name };
    let open = newest && !state.ended();
    let answered = state == InvestigationState::Answered;
    let count = steps.len();
    let root_cause = investigation.root_cause;
    let recommendation = investigation.recommendation;
    view! {
        <article class="panel investigation">
            <p>
                <State of=state />" "
                {scripted.then(|| view! { <Chip word="Sandbox" tone=Tone::Wait />" " })}
                <span class="sub">
                    "asked for by "{by}", "<Ago at=asked_at now />
                    {(state != InvestigationState::Queued).then(|| view! { ", for "<Elapsed from=asked_at to=ended_at now /> })}
                </span>
            </p>
            {investigation.fault.map(|fault| if answered {
                view! { <Notice tone=Tone::Idle><p>{fault}</p></Notice> }.into_any()
            } else {
                let next = due_at.map(|at| view! { <p class="sub">"It is tried again "<Ago at now />"."</p> });
                let act = (state == InvestigationState::Failed)
                    .then(|| view! { <p class="sub">"The incident stands as it is: investigate again, or propose a remediation by hand."</p> });
                view! { <Notice tone=Tone::Bad><p>{fault}</p>{next}{act}</Notice> }.into_any()
            })}
            {recommendation.map(|id| view! { <p><a href=format!("/recommendations/{id}")>"Its recommendation"</a></p> })}
            {root_cause.map(|text| view! { <details open=newest><summary class="btn small">"Root cause, in its words"</summary><Prose text /></details> })}
            {scripted.then(|| view! { <p class="sub">"Written by a script of the demo scene from what the sandbox has. No model was asked."</p> })}
            {(count > 0).then(|| view! {
                <details open=open>
                    <summary class="btn small">{format!("{count} steps")}</summary>
                    <ol class="rows">{steps.into_iter().map(|step| view! { <StepRow step scripted now /> }).collect_view()}</ol>
                </details>
            })}
            <dl class="kv">
                <dt>"Attempts"</dt><dd>{attempts_in_words(&attempts)}</dd>
                {(!scripted).then(|| view! {
                    <dt>"Used"</dt><dd>{usage}</dd>
                    <dt>"Model"</dt><dd>{investigation.model.unwrap_or_else(|| "not told".to_owned())}", asked as of "<code>{investigation.prompt_version}</code></dd>
                })}
                <dt>"Id"</dt><dd><Id of=id.to_string() what="investigation id" /></dd>
            </dl>
        </article>
    }
    .into_any()
}

#[component]
fn StepRow(
    step: Step,
    /// Whether the demo scene's script tells it.
    scripted: bool,
    now: Timestamp,
) -> impl IntoView {
    let who = match step.kind {
        StepKind::Console => "Console",
        StepKind::Agent if scripted => "Script",
        StepKind::Agent => "HolmesGPT",
        StepKind::Tool => "Tool",
    };
    let attempt = (step.attempt > 1).then(|| format!(", attempt {}", step.attempt));
    view! { <li><span class="sub">{who}{attempt}", "<Ago at=step.at now />": "</span>{step.text}</li> }.into_any()
}

/// How many, and why those before the last did not do.
fn attempts_in_words(attempts: &[Attempt]) -> String {
    match attempts {
        [] => "none yet".to_owned(),
        [_] => "one".to_owned(),
        [before @ .., _] => {
            let faults: Vec<_> = before.iter().filter_map(|attempt| attempt.fault.as_deref()).collect();
            let faults = if faults.is_empty() { String::new() } else { format!("; before: {}", faults.join("; ")) };
            format!("{}{faults}", attempts.len())
        }
    }
}

/// What is not reported is not told: never zero.
fn usage_in_words(usage: Usage) -> String {
    let tokens = |many: i64, what: &str| format!("{many} tokens {what}");
    let told = [
        usage.prompt_tokens.map(|many| tokens(many, "read")),
        usage.completion_tokens.map(|many| tokens(many, "written")),
        usage.cost_microusd.map(|cost| format!("{}.{:04} US dollars", cost / 1_000_000, cost % 1_000_000 / 100)),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    if told.is_empty() { "not reported".to_owned() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_told_as_far_as_it_is_reported() {
        assert_eq!(usage_in_words(Usage::default()), "not reported");
        let all = Usage { prompt_tokens: Some(1200), completion_tokens: Some(80), cost_microusd: Some(1_004_560) };
        assert_eq!(usage_in_words(all), "1200 tokens read, 80 tokens written, 1.0045 US dollars");
    }
}
