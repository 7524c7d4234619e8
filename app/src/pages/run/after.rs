//! What comes after a run: which run it was made of, what was made of it, and making a rollback or a retry. Each is a plain form and
//! leads to a recommendation, which is decided as any other.

use crate::{
    components::{Ago, Chip, Field, Section, State, Tone},
    context::FormOutcome,
    error::sentence,
    icon::{Glyph, Icon},
    query::Query,
};
use domain::{
    execution::{Execution, ExecutionState},
    recovery::{Made, Way},
    services::{Aftermath, OfRun},
    time::Timestamp,
};
use leptos::prelude::*;

/// The section. While the run goes on it keeps its place, so that nothing moves when it ends.
#[component]
pub fn After(
    run: Execution,
    aftermath: Aftermath,
    /// Whether the reader may make something of it.
    may_control: bool,
    form: FormOutcome,
    /// The query of the page, for whoever comes back to what they looked at.
    query: Query,
    now: Timestamp,
) -> impl IntoView {
    let Aftermath { of, made, by_itself, undo, no_rollback, no_retry } = aftermath;
    let ended = run.state.ended();
    let id = run.subject.id.to_string();
    let failed = ended && run.state != ExecutionState::Succeeded;
    let retry = failed && no_retry.is_none();
    let no_retry = no_retry.filter(|_| failed);
    let some = ended && (undo.is_some() || retry);
    let (offers, none_may) = (some && may_control, some && !may_control);
    let reason = form.value("reason").unwrap_or_default().to_owned();
    view! {
        <Section title="Before and after it" id="after">
            {of.map(|of| view! { <MadeOf of /> })}
            {(!made.is_empty()).then(|| view! {
                <ol class="rows made-of-it">{made.into_iter().map(|made| view! { <li><MadeOfIt made now /></li> }).collect_view()}</ol>
            })}
            {by_itself.map(|said| view! { <p class="sub">{sentence(&said)}</p> })}
            {(!ended).then(|| view! { <p class="sub">"It can be undone or repeated when it has ended, where that is known to be safe."</p> })}
            {offers.then(|| view! {
                <div class="acts">
                    {undo.map(|says| view! {
                        <Act action=format!("/runs/{id}/rollback{query}") icon=Icon::Undo word="Roll back" apart="rollback-" reason=reason.clone()
                            says button="Make the rollback" />
                    })}
                    {retry.then(|| view! {
                        <Act action=format!("/runs/{id}/retry{query}") icon=Icon::Ring word="Retry" apart="retry-" reason=reason.clone()
                            says="What is left of it, once more.".to_owned() button="Make the retry" />
                    })}
                </div>
            })}
            {no_rollback.map(|why| view! { <p class="sub">"No rollback: "{why}"."</p> })}
            {no_retry.map(|why| view! { <p class="sub">"No retry: "{why}"."</p> })}
            {none_may.then(|| view! { <p class="sub">"Operators and admins can undo and repeat runs."</p> })}
        </Section>
    }
    .into_any()
}

/// Folded, so that no single slip does it. It only proposes.
#[component]
fn Act(
    action: String,
    icon: Icon,
    word: &'static str,
    apart: &'static str,
    says: String,
    reason: String,
    button: &'static str,
) -> impl IntoView {
    view! {
        <details class="act">
            <summary class="btn small"><Glyph of=icon />{word}</summary>
            <form class="panel" method="post" action=action>
                <p class="sub">{says}" It gets its own ticket and awaits its own decision; who asks for it does not approve it alone."</p>
                <Field name="reason" apart label="Reason" small="goes into the audit trail" rows=2 value=reason max_length=Some(4096) />
                <button class="btn primary full" type="submit">{button}</button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn MadeOf(of: OfRun) -> impl IntoView {
    let words = match of.way {
        Way::Rollback => "This run undoes ",
        Way::Retry => "This run repeats ",
        Way::NextStrategy => "This run is the next strategy after ",
    };
    let href = format!("/runs/{}", of.execution_id);
    view! {
        <p class="made-of">
            {words}
            {match of.name {
                Some(name) => view! { <a href=href><code>{name}</code></a> }.into_any(),
                None => view! { "a run that is not kept any more" }.into_any(),
            }}
            {of.automatic.then(|| view! { " "<Chip word="by itself, as the policy says" tone=Tone::Wait /> })}
        </p>
    }
    .into_any()
}

/// Something that was made of the run, how it stands, and where to go on.
#[component]
pub fn MadeOfIt(made: Made, now: Timestamp) -> impl IntoView {
    let recommendation = format!("/recommendations/{}", made.recommendation_id);
    let run = made.execution_id.as_ref().map(|id| format!("/runs/{id}"));
    view! {
        {match made.run {
            Some(state) => view! { <State of=state /> }.into_any(),
            None => view! { <State of=made.state /> }.into_any(),
        }}
        <span class="what">
            <a href=recommendation>{made.way.words()}</a>
            {run.map(|href| view! { " · "<a href=href>"its run"</a> })}
            {made.automatic.then(|| view! { " "<Chip word="by itself" tone=Tone::Wait /> })}
        </span>
        <span class="sub when"><Ago at=made.at now /></span>
    }
    .into_any()
}
