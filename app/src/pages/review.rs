//! Several recommendations on one page, each with the ticket that would run, decided together by one form: each is ticked by
//! itself, and the digest that was shown for it goes along. Which ones stand in the address.

use crate::{
    components::{
        Ago, Beside, Empty, Field, FormFaults, Mark, Notice, PageHead, RiskChip, State, Tone, Until, off_target, plain,
        remedy, target,
    },
    context::FormOutcome,
    error::sentence,
    page::{Ask, Page},
    pages::recommendation::{
        self,
        before::{full, of_target},
        reading,
        target::{EARLIER, Earlier, NAMELESS, Now},
        ticket::{Parameters, Rendered, Terms},
    },
    query::Query,
    words::{humane, number},
};
use domain::{
    decision::Verb,
    identity::Right,
    ids::RecommendationId,
    recommendation::{RecommendationState, target::Target},
    services::{Answer, RecommendationView, ReviewItem, TargetView, TicketView},
    target::state::Reading,
    ticket::Plan,
    time::Timestamp,
    workflow::Step,
};
use leptos::prelude::*;

/// Where it is.
pub const PATH: &str = "/approvals/review";
/// The most that are decided at once: a person reads each.
pub const MOST: usize = 20;

/// The address of a review of these.
pub fn address(ids: &[RecommendationId]) -> String {
    let pairs: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
    format!("{PATH}{}", Query::of(&pairs))
}

/// Asks for the recommendations that the address names, each once.
pub async fn page(ask: Ask) -> Answer<Page> {
    ask.caller.require(Right::Decide)?;
    let mut ids: Vec<RecommendationId> = Vec::new();
    for id in ask.query.all("id").map(RecommendationId::new) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let left_out = ids.len().saturating_sub(MOST);
    ids.truncate(MOST);
    let items = ask.console.approvals.review(&ask.caller, &ids).await?;
    // A playbook's new version or status may change what would run.
    let each = ids.iter().map(|id| format!("recommendation:{id}"));
    let follows = each.chain(["playbook".to_owned()]).collect::<Vec<_>>().join(" ");
    let again = recommendation::read_again(items.iter().filter_map(|item| item.target.as_ref()));
    Ok(Page::below("Review", review(items, left_out, ask.form, ask.now)).following(follows).anew(again))
}

fn open(item: &ReviewItem) -> bool {
    item.view.as_ref().is_some_and(|view| view.recommendation.state == RecommendationState::Open)
}

/// The page. `left_out` are those that were too many.
pub fn review(items: Vec<ReviewItem>, left_out: usize, form: FormOutcome, now: Timestamp) -> AnyView {
    if items.is_empty() {
        return view! {
            <PageHead title="Nothing is selected" />
            <Empty title="There is nothing to review">
                <p>"Tick what belongs together "<a href="/approvals">"in the inbox"</a>", then choose “Review selected”."</p>
            </Empty>
        }
        .into_any();
    }
    let again = address(&items.iter().map(|item| item.id.clone()).collect::<Vec<_>>());
    let waiting = items.iter().filter(|item| open(item)).count();
    let refused = form.code == "some_refused";
    let ids: Vec<String> = items.iter().map(|item| item.id.to_string()).collect();
    let own = ids.iter().flat_map(|id| [format!("take.{id}"), format!("confirm.{id}")]);
    let fields: Vec<String> = own.chain(["reason".to_owned()]).collect();
    let count = |n: usize| number(i64::try_from(n).unwrap_or(i64::MAX));
    let words = match waiting {
        0 => became(&items),
        _ => "Read each ticket and tick it. What you tick is decided with one reason; the rest stays as it is."
            .to_owned(),
    };
    let title = match waiting {
        0 => "None of these awaits a decision".to_owned(),
        1 => "Review one decision".to_owned(),
        n => format!("Review {} decisions", count(n)),
    };
    view! {
        <PageHead title sub=move || words.clone() />
        {(waiting > 0).then(|| view! {
            <noscript><p class="sub">"What the cluster says was read when this page was made. "<a href=again>"Read again"</a></p></noscript>
        })}
        {(left_out > 0).then(|| view! {
            <Notice tone=Tone::Wait><p>{format!("The last {left_out} of your selection are left out: at most {MOST} are decided at once.")}</p></Notice>
        })}
        <form class="review" method="post" action=PATH>
            // Enter in a field presses the first button of a form. This one does nothing, so that nothing is decided by it.
            <button type="submit" disabled hidden></button>
            {if refused {
                let n = form.faults.iter().map(|fault| fault.pointer.rsplit('.').next()).collect::<std::collections::BTreeSet<_>>().len();
                let words = if n == 1 { "One was not decided; it says why below.".to_owned() }
                    else { format!("{} were not decided; each says why below.", humane(&count(n))) };
                view! {
                    <div class="form-faults" role="alert">
                        <Notice tone=Tone::Bad><p>{words}" What else you ticked is done."</p></Notice>
                    </div>
                }.into_any()
            } else {
                view! { <FormFaults form=form.clone() fields /> }.into_any()
            }}
            <ol class="review-items">
                {items.into_iter().map(|item| view! { <Item item form=form.clone() now /> }).collect_view()}
            </ol>
            {if waiting > 0 {
                view! { <Decide form /> }.into_any()
            } else {
                view! { <p class="actions"><a class="btn" href="/approvals">"Back to the inbox"</a><a class="btn" href="/runs">"See the runs"</a></p> }.into_any()
            }}
        </form>
    }
    .into_any()
}

/// What became of them, in a sentence.
fn became(items: &[ReviewItem]) -> String {
    let last = |item: &ReviewItem| {
        let view = item.view.as_ref().filter(|view| view.recommendation.state == RecommendationState::Decided)?;
        view.decisions.last().map(|decision| decision.verb)
    };
    let of = |verb: Verb| items.iter().filter(|item| last(item) == Some(verb)).count();
    let words = [(of(Verb::Approve), "approved"), (of(Verb::Reject), "rejected")];
    let words = words.into_iter().filter(|(n, _)| *n > 0);
    let words = words.map(|(n, word)| format!("{} {word}", number(i64::try_from(n).unwrap_or(i64::MAX))));
    humane(&words.collect::<Vec<_>>().join(", "))
}

/// One reason and the two buttons, always in sight.
#[component]
fn Decide(form: FormOutcome) -> impl IntoView {
    view! {
        <div class="bulk review-decide">
            <Field name="reason" label="Reason for all that are ticked" small="needed to reject; goes into the audit trail" rows=2
                value=form.value("reason").unwrap_or_default() error=form.error("reason") placeholder="Why this, why now" />
            <div class="actions">
                <button class="btn danger" type="submit" name="decision" value="reject">"Reject ticked"</button>
                <button class="btn primary" type="submit" name="decision" value="approve">"Approve ticked"</button>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Item(item: ReviewItem, form: FormOutcome, now: Timestamp) -> impl IntoView {
    let id = item.id.to_string();
    let Some(view) = item.view else {
        return view! {
            <li class="panel review-item">
                <Notice tone=Tone::Idle><p>"There is no recommendation "<code>{id}</code>", or not any more."</p></Notice>
            </li>
        }
        .into_any();
    };
    let refusal = form.error(&format!("take.{id}"));
    let chosen = usize::try_from(view.selected).ok().and_then(|at| view.strategies.get(at)).cloned();
    let (said, track) = chosen.as_ref().map_or((None, None), |s| (s.strategy.confidence, s.track.clone()));
    let strategy = chosen.map(|chosen| chosen.strategy);
    let incident = &view.recommendation.content.incident;
    let object = view.target().acts_on().map(target);
    let what = [strategy.as_ref().map(remedy), object, Some(incident.signal_type.clone()), Some(incident.id.clone())];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let href = format!("/recommendations/{id}?strategy={}", view.selected);
    let waits = view.recommendation.state == RecommendationState::Open;
    // Whoever may decide has this ticket before them: no other one takes its place while they read.
    let decidable = waits && (view.cannot_approve.is_none() || view.cannot_reject.is_none());
    let pinned = decidable.then(|| view.ticket.as_ref().map(|t| t.digest.to_string()).unwrap_or_default());
    view! {
        <li class="panel review-item" class:waits=waits id=format!("review-{id}") data-pinned=pinned>
            <input type="hidden" name=format!("item.{id}") value="" />
            <header>
                <div class="what">
                    <h2><a href=href>{view.recommendation.headline().to_owned()}</a></h2>
                    <p class="sub">{what}</p>
                </div>
                <div class="sub measured-words"><Beside said track /></div>
                {strategy.map(|s| view! { <RiskChip of=s.risk() /> })}
                <Standing view=(*view).clone() now />
            </header>
            {refusal.map(|why| view! { <div id=format!("f-take-{id}-error")><Notice tone=Tone::Bad><p>{sentence(&why)}</p></Notice></div> })}
            {waits.then(|| view! { <Waiting view=(*view).clone() target=item.target form /> })}
        </li>
    }
    .into_any()
}

/// How long there is, or what was decided, by whom, and the run of it.
#[component]
fn Standing(view: RecommendationView, now: Timestamp) -> impl IntoView {
    let state = view.recommendation.state;
    if state == RecommendationState::Open {
        return view! {
            <p class="when">
                <span class="vh">"time left: "</span><Until at=view.closes_at() now />
                {(view.need > 1).then(|| view! { <span class="sub">{format!("{} of {} given", view.have, view.need)}</span> })}
            </p>
        }
        .into_any();
    }
    let last = view.decisions.last().cloned().filter(|_| state == RecommendationState::Decided);
    let mark: Mark = last.as_ref().map_or_else(|| state.into(), |d| d.verb.into());
    view! {
        <div class="when">
            <p><State of=mark /></p>
            {last.map(|d| view! { <p class="sub">"by "{d.actor.name}", "<Ago at=d.at now /></p> })}
            {view.run.map(|run| view! { <p><a href=format!("/runs/{}", run.subject.id)>"Watch the run"</a></p> })}
        </div>
    }
    .into_any()
}

/// The ticket, and the tick that takes it along.
#[component]
fn Waiting(view: RecommendationView, target: Option<TargetView>, form: FormOutcome) -> impl IntoView {
    let id = view.recommendation.id.to_string();
    let confirmation = view.confirmation();
    let closes = view.closes_at().as_millis().to_string();
    let closed = format!("closed-{id}");
    let RecommendationView { ticket, ticket_faults, cannot_approve, cannot_reject, selected, have, need, .. } =
        view.clone();
    let digest = ticket.as_ref().map(|t| t.digest.clone());
    let rendered = ticket.as_ref().map(|t| (t.name.clone(), t.pipeline_run.clone()));
    let earlier = target.as_ref().map(|of| of.earlier.clone()).unwrap_or_default();
    // What was done is told when it is asked for, what is being done at once.
    let goes_on = earlier.iter().any(|run| !run.state.ended());
    let found = target.clone().filter(|of| matches!(of.reading, Reading::Found(_)));
    let (take, confirm) = (format!("take.{id}"), format!("confirm.{id}"));
    let ticked = form.value(&take).is_some();
    let readable = digest.as_ref().map_or_else(String::new, domain::ids::Digest::short);
    view! {
        <input type="hidden" name=format!("strategy.{id}") value=selected.to_string() />
        {digest.map(|digest| view! { <input type="hidden" name=format!("ticket.{id}") value=digest.to_string() /> })}
        {match ticket {
            Some(ticket) => view! { <Paper ticket have need /> }.into_any(),
            None => view! {
                <Notice tone=Tone::Bad><p>"It can't run, so it can only be rejected: "
                    {ticket_faults.into_iter().map(|fault| sentence(&fault.message)).collect::<Vec<_>>().join(" ")}</p></Notice>
            }.into_any(),
        }}
        <Looked view=view.clone() target />
        <div class="folds">
            {(!earlier.is_empty()).then(|| view! {
                <details open=goes_on><summary>{EARLIER}</summary><Earlier runs=earlier now=view.now /></details>
            })}
            {found.map(|of| view! {
                <details><summary>"What would change now"</summary><Now view of /></details>
            })}
            {rendered.map(|(name, pipeline_run)| view! { <Rendered name pipeline_run id=format!("pipelinerun-{id}") /> })}
        </div>
        {match (cannot_approve, cannot_reject) {
            (_, Some(neither)) => view! { <Notice tone=Tone::Idle><p>{sentence(&neither)}</p></Notice> }.into_any(),
            (cannot, None) => {
                let words = if readable.is_empty() { "I read this; decide it".to_owned() } else { format!("I read this ticket, {readable}; decide it") };
                let approvable = cannot.is_none();
                // That a strategy can't run has been said in place of its ticket.
                let cannot = cannot.filter(|_| !readable.is_empty());
                view! {
                    {cannot.map(|why| view! { <Notice tone=Tone::Idle><p>"You can't approve this: "{sentence(&why)}</p></Notice> })}
                    <div class="take">
                        <label>
                            <input type="checkbox" name=take value="yes" checked=ticked data-closes=closes aria-describedby=closed.clone() />
                            {words}
                        </label>
                        <div id=closed hidden>
                            <Notice tone=Tone::Wait><p>"Its time ran out while this page was open; it is not decided."</p></Notice>
                        </div>
                        {confirmation.filter(|_| approvable).map(|word| view! {
                            <Field name=confirm.clone() label=format!("Type {word} to approve") small="high risk"
                                value=form.value(&confirm).unwrap_or_default() error=form.error(&confirm) autocomplete="off" mono=true />
                        })}
                    </div>
                }.into_any()
            }
        }}
    }
    .into_any()
}

/// What to heed of what it would act on, as on its own page.
#[component]
fn Looked(view: RecommendationView, target: Option<TargetView>) -> impl IntoView {
    let beside = recommendation::Beside { target, ..recommendation::Beside::default() };
    let heeds = of_target(&view, &beside);
    let Some(of) = beside.target else {
        return view! { <div class="heeds">{full(heeds)}<Notice tone=Tone::Idle><p>{NAMELESS}</p></Notice></div> }
            .into_any();
    };
    let elsewhere = off_target(&of.target).filter(|_| matches!(of.target, Target::Elsewhere { .. }));
    // That it is not there is among what to heed.
    let nothing = of.target.acts_on().filter(|_| !matches!(of.reading, Reading::Missing { .. }));
    let nothing = nothing.and_then(|resource| reading::nothing(&of.reading, resource));
    view! {
        <div class="heeds">
            {full(heeds)}
            {of.cautions.into_iter().map(|text| view! { <Notice tone=Tone::Wait><p>{text}</p></Notice> }).collect_view()}
            {elsewhere.map(|text| view! { <Notice tone=Tone::Idle><p>{sentence(&text)}</p></Notice> })}
            {nothing.map(|text| view! { <Notice tone=Tone::Idle><p>{sentence(&text)}</p></Notice> })}
        </div>
    }
    .into_any()
}

/// What would run: every value with where it comes from, and how it would run.
#[component]
fn Paper(ticket: TicketView, have: u32, need: u32) -> impl IntoView {
    let TicketView { content, changes, warnings, .. } = ticket.clone();
    view! {
        <div class="paper">
            {match content.plan {
                Plan::Playbook { parameters, .. } => view! { <div><Parameters parameters changes /></div> }.into_any(),
                Plan::Steps { steps, .. } => view! {
                    <table class="values">
                        <caption class="vh">"Steps, and what each gets"</caption>
                        <thead class="vh"><tr><th scope="col">"Step"</th><th scope="col">"What it does"</th></tr></thead>
                        <tbody>{steps.into_iter().map(|step| view! { <Doing step /> }).collect_view()}</tbody>
                    </table>
                }.into_any(),
            }}
            <Terms ticket have need named=true />
        </div>
        {warnings.into_iter().map(|text| view! { <Notice tone=Tone::Wait><p>{text}</p></Notice> }).collect_view()}
    }
    .into_any()
}

/// A step in a line: its inputs are on the recommendation's own page, where they can be read in full.
#[component]
fn Doing(step: Step) -> impl IntoView {
    let inputs: Vec<String> = step.inputs.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    view! {
        <tr>
            <th scope="row">{step.name}</th>
            <td>{step.action_type}{(!inputs.is_empty()).then(|| view! { <span class="sub inputs">{inputs.join(", ")}</span> })}</td>
        </tr>
    }
    .into_any()
}
