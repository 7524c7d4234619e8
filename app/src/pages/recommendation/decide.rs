//! The decision: approve exactly this ticket, or reject, with a reason. A plain form; a button that is disabled says why. It is
//! judged while somebody types; what that finds stands at the fields above it.

use super::{
    Beside,
    before::{full, heeds},
    edit,
};
use crate::{
    components::{Field, FormFaults, Notice, State, Tone},
    context::FormOutcome,
    islands::LiveForm,
    words::number,
};
use domain::{decision::Verb, execution::Execution, recommendation::RecommendationState, services::RecommendationView};
use leptos::prelude::*;

/// The lower part of the aside.
#[component]
pub fn Decide(view: RecommendationView, beside: Beside, form: FormOutcome) -> impl IntoView {
    let unsaved = edit::unsaved(&view, &beside, &form);
    let heeds = heeds(&view, &beside);
    let came_back = form.value("decision").is_some();
    let form = if came_back || form.code == edit::CHECKED { form } else { FormOutcome::default() };
    if view.recommendation.state != RecommendationState::Open {
        return view! { <Closed view form /> }.into_any();
    }
    let closes = view.closes_at().as_millis().to_string();
    let approve =
        if view.need > 1 { format!("Approve ({} of {})", view.have + 1, view.need) } else { "Approve".to_owned() };
    let no_ticket = view.ticket.is_none().then(|| "There is no ticket to approve.".to_owned());
    let cannot_approve = view.cannot_approve.clone().or(no_ticket);
    let cannot_reject = view.cannot_reject.clone();
    let action = format!("/recommendations/{}", view.recommendation.id);
    let check = format!("{action}/check");
    let digest = view.ticket.as_ref().map(|t| t.digest.to_string()).unwrap_or_default();
    let approvable = cannot_approve.is_none();
    let nothing = !approvable && cannot_reject.is_some();
    // One sentence is enough where both are refused for the same reason.
    let same = cannot_approve.is_some() && cannot_approve == cannot_reject;
    let why_reject = if same { "why-not-approve" } else { "why-not-reject" };
    let confirm = view.confirmation().filter(|_| approvable).map(|word| view! {
        <Field name="confirm" label=format!("Type {word} to approve") small="high risk" value=form.value("confirm").unwrap_or_default()
            error=form.error("confirm") focus={form.error("confirm").is_some()} autocomplete="off" mono=true />
    });
    let high_risk = confirm.is_some();
    let progress = progress(&view);
    view! {
        <form class="decide" id="decide" method="post" action=action data-check=check>
            // Enter in a field presses the first button of a form. This one does nothing, so that nothing is decided by it.
            <button type="submit" disabled hidden></button>
            <input type="hidden" name="strategy" value=view.selected.to_string() />
            <input type="hidden" name="ticket_digest" value=digest />
            {came_back.then(|| view! { <FormFaults form=form.clone() fields=vec!["reason".into(), "confirm".into()] /> })}
            <div id="heed" class="heeds" data-checked>{full(heeds)}</div>
            {progress}
            {(!nothing).then(|| view! {
                <a id="reason"></a>
                <Field name="reason" label="Reason" small="needed to reject; goes into the audit trail" rows=2
                    value=form.value("reason").unwrap_or_default() error=form.error("reason") focus={form.error("reason").is_some()} placeholder="Why this, why now" />
                {confirm}
            })}
            <div id="unsaved" data-checked>
                {unsaved.map(|text| view! { <Notice tone=Tone::Wait><p>{text}</p></Notice> })}
            </div>
            <div class="actions">
                <Verdict value="reject" class="btn danger" label="Reject".to_owned() why=why_reject
                    cannot=cannot_reject.is_some() closes=closes.clone() />
                <Verdict value="approve" class="btn primary" label=approve why="why-not-approve"
                    cannot=cannot_approve.is_some() closes />
            </div>
            {cannot_approve.map(|why| view! {
                <div id="why-not-approve"><Notice tone=Tone::Idle><p>{crate::error::sentence(&why)}</p></Notice></div>
            })}
            {cannot_reject.filter(|_| !same).map(|why| view! {
                <div id="why-not-reject"><Notice tone=Tone::Idle><p>{crate::error::sentence(&why)}</p></Notice></div>
            })}
            <div id="closed" hidden>
                <Notice tone=Tone::Wait><p>"Its time ran out while this page was open. Load the page again."</p></Notice>
            </div>
            {approvable.then(|| view! {
                <p class="sub">
                    "The approval holds for exactly this ticket, and for no other."
                    {high_risk.then_some(" Whoever signed in some time ago is asked for their password first.")}
                </p>
            })}
            <LiveForm form="decide".to_owned() />
        </form>
    }
    .into_any()
}

/// How many people have approved this ticket, where more than one has to.
fn progress(view: &RecommendationView) -> Option<impl IntoView + use<>> {
    (view.need > 1).then(|| {
        let names = view.approvers().join(", ");
        let need = number(i64::from(view.need));
        let done: Vec<bool> = (0..view.need).map(|n| n < view.have).collect();
        let dots = done.into_iter().map(|done| view! { <i class:done=done></i> }).collect_view();
        let text = if names.is_empty() {
            format!("Needs {need} different people; nobody has approved yet.")
        } else {
            format!("Needs {need} different people; {names} approved this ticket.")
        };
        view! {
            <p class="approvers sub">
                <span class="dots" aria-hidden="true">{dots}</span>
                {text}
            </p>
        }
    })
}

/// A submit button; disabled where it can't be used, and described by the reason.
#[component]
fn Verdict(
    value: &'static str,
    class: &'static str,
    label: String,
    /// The element that says why it can't be used.
    why: &'static str,
    cannot: bool,
    /// Milliseconds since the epoch at which it closes by itself.
    closes: String,
) -> impl IntoView {
    let described = if cannot { why } else { "closed" };
    view! {
        <button class=class type="submit" name="decision" value=value disabled=cannot formnovalidate
            data-closes=(!cannot).then_some(closes) aria-describedby=described>
            {label}
        </button>
    }
    .into_any()
}

/// There is nothing to decide any more: what became of it, and where to go on. Whoever pressed a button too late is told so.
#[component]
fn Closed(view: RecommendationView, form: FormOutcome) -> impl IntoView {
    let state = view.recommendation.state;
    let rejected = view.decisions.last().is_some_and(|last| last.verb == Verb::Reject);
    let words = match state {
        RecommendationState::Superseded => "Decide on that one",
        _ => "Go to the newer recommendation",
    };
    let newer = view.newer.as_ref().map(|id| format!("/recommendations/{id}"));
    let none_newer = newer.is_none();
    let newer = newer.map(|href| view! { " "<a href=href>{words}</a> });
    view! {
        <div class="decide">
            // The other states say below what a button that was pressed too late came to.
            {(state == RecommendationState::Decided).then(|| view! { <FormFaults form fields=Vec::new() /> })}
            {match (state, view.run) {
                (_, Some(run)) => view! { <Came run /> }.into_any(),
                (RecommendationState::Expired, None) => view! {
                    <Notice tone=Tone::Idle><p>
                        "Nobody decided in time, so it can no longer be approved."
                        {none_newer.then_some(" If the incident goes on, a new recommendation will come.")}
                        {newer}
                    </p></Notice>
                }
                .into_any(),
                (RecommendationState::Superseded, None) => view! {
                    <Notice tone=Tone::Idle><p>"A newer recommendation for this incident has taken its place."{newer}</p></Notice>
                }
                .into_any(),
                (RecommendationState::Decided | RecommendationState::Open, None) => view! {
                    {(!rejected).then(|| view! { <p class="sub">"Nothing runs."</p> })}
                    <p class="actions">{newer}" "<a href="/approvals">"What else awaits a decision"</a></p>
                }
                .into_any(),
            }}
        </div>
    }
    .into_any()
}

/// What came of the run, and the way to it.
#[component]
fn Came(run: Execution) -> impl IntoView {
    let href = format!("/runs/{}", run.subject.id);
    let ended = run.state.ended();
    view! {
        <p class="came"><State of=run.state />{ended.then(|| view! { " "<State of=run.assessment /> })}</p>
        <p class="actions"><a class="btn primary full" href=href>"Go to the run"</a></p>
    }
    .into_any()
}
