//! Whether a run helped: the verdict, what it rests on, whether the signal came back, and a person's word where one overruled it.

use crate::{
    components::{Ago, Field, Section, Select, State, TableBox},
    context::FormOutcome,
    error::sentence,
    query::Query,
};
use domain::{
    assessment::{AssessmentRecord, Evidence, Overrule, Says},
    execution::{Assessment, Execution},
    time::{Timestamp, human},
};
use leptos::prelude::*;

/// Where the answer is, and so where the browser leads whoever overrules.
const HERE: &str = "assessment";

/// The section. While the run goes on it keeps its place, so that nothing moves when it ends.
#[component]
pub fn Helped(
    run: Execution,
    record: Option<AssessmentRecord>,
    /// The query of the page, for whoever overrules to come back to what they looked at.
    query: Query,
    may_control: bool,
    form: FormOutcome,
    now: Timestamp,
) -> impl IntoView {
    let ended = run.state.ended();
    let verdict = record.as_ref().map_or(run.assessment, AssessmentRecord::verdict);
    let action = format!("/runs/{}/assessment{query}#{HERE}", run.subject.id);
    let unlooked = if !ended {
        "The console looks some time after the run has ended, when the signal has had its time to clear."
    } else if run.started_at.is_none() {
        "It never started: there is nothing to assess."
    } else if run.assessment == Assessment::NotAssessed {
        "Nobody has looked yet. The console looks when the signal has had its time to clear."
    } else {
        "The verdict came with the run from elsewhere; what it rests on is not kept here."
    };
    view! {
        <Section title="Did it help?" id=HERE>
            <p><State of=verdict /></p>
            {match record {
                Some(record) => view! { <Kept record now /> }.into_any(),
                None => view! { <p class="sub">{unlooked}</p> }.into_any(),
            }}
            {may_control.then(|| if ended {
                view! { <Word action form /> }.into_any()
            } else {
                view! { <p class="sub">"Who knows better can overrule its verdict then."</p> }.into_any()
            })}
        </Section>
    }
    .into_any()
}

#[component]
fn Kept(record: AssessmentRecord, now: Timestamp) -> impl IntoView {
    let AssessmentRecord { found, evidence, at, cleared_at, recurred_at, overruled } = record;
    view! {
        {overruled.map(|word| view! { <Overruled word found now /> })}
        {(!evidence.is_empty()).then(|| view! {
            <TableBox label="What was seen">
                <table class="grid evidence">
                    <caption class="vh">"What the verdict rests on"</caption>
                    <thead><tr><th scope="col">"Looked at"</th><th scope="col">"What was seen"</th><th scope="col">"It says"</th></tr></thead>
                    <tbody>{evidence.into_iter().map(|one| view! { <Line one /> }).collect_view()}</tbody>
                </table>
            </TableBox>
            <p class="sub">"Looked at "<Ago at now />". A signal that still fires is never called helped; "<a href="/effectiveness">"how often it helped"</a>" counts what is told here."</p>
        })}
        {cleared_at.map(|cleared| {
            let words = match recurred_at {
                Some(back) => format!("The signal came back {} after it had cleared.", human(back.since(cleared).max(0))),
                None => "The signal has not come back since it cleared, as far as the console has looked.".to_owned(),
            };
            view! { <p class="sub">{words}</p> }
        })}
    }
    .into_any()
}

#[component]
fn Line(one: Evidence) -> impl IntoView {
    let Evidence { of, says, words } = one;
    let says = match says {
        Says::Helped => "it helped",
        Says::DidNot => "it did not help",
        Says::Open => "it leaves that open",
        Says::Nothing => "nothing: it can't be told",
    };
    view! { <tr><th scope="row">{of.word()}</th><td>{sentence(&words)}</td><td>{says}</td></tr> }.into_any()
}

#[component]
fn Overruled(word: Overrule, found: Assessment, now: Timestamp) -> impl IntoView {
    let Overrule { verdict: _, by, reason, at } = word;
    view! {
        <p>
            {by.name.clone()}" said so "<Ago at now />": "<q>{reason}</q>
            " The console had found: "<State of=found />
        </p>
    }
    .into_any()
}

/// Saying otherwise: folded, so that no single slip does it; the reason is the reader's own.
#[component]
fn Word(action: String, form: FormOutcome) -> impl IntoView {
    let (verdict, reason) =
        (form.value("verdict").unwrap_or_default().to_owned(), form.value("reason").unwrap_or_default().to_owned());
    let choice = |value: Assessment, word: &str| Select { value: value.name().into(), word: word.into() };
    let choices = vec![
        choice(Assessment::Effective, "It helped"),
        choice(Assessment::Ineffective, "It did not help"),
        choice(Assessment::Inconclusive, "It can't be told"),
    ];
    view! {
        <details class="fold">
            <summary>"You know better?"</summary>
            <form class="overrule" method="post" action=action>
                <p class="sub">"Your word counts in place of the console's, also in all statistics; what it saw stays here."</p>
                <Field name="verdict" label="What it came to" value=verdict choices />
                <Field name="reason" apart="verdict-" label="Reason" small="goes into the audit trail" rows=2 value=reason required=true max_length=Some(4096) />
                <button class="btn small" type="submit">"Overrule the verdict"</button>
            </form>
        </details>
    }
    .into_any()
}
