//! What would change now: the target as the cluster has it at this moment, what the parameters would obviously change in it, and what
//! stands in the way. Kept up to date while parameters are typed.

use super::{Beside, after::RunLine, compare, reading};
use crate::{
    components::{Ago, Id, Notice, Tone, plain, target as object},
    icon::{Glyph, Icon},
};
use domain::{
    execution::Execution,
    recommendation::{Proposal, target::Target},
    services::{RecommendationView, TargetView},
    target::{
        change::FieldChange,
        since::Since,
        state::{Autoscaler, Beside as Next, Budget, Reading, TargetState},
    },
    time::Timestamp,
};
use leptos::prelude::*;
use serde_json::Value;

/// What is said where no object is named.
pub const NAMELESS: &str = "Neither the incident nor the parameters name an object, so the console can't look at it. Read the playbook to learn what it acts on.";

/// What the runs about the same object are called.
pub const EARLIER: &str = "Done about the same object in the last seven days";

/// The section. An object that nobody names is told, too: then nobody can look.
#[component]
pub fn WouldChange(view: RecommendationView, beside: Beside) -> impl IntoView {
    let now = view.now;
    let Some(of) = beside.target else {
        return view! {
            <section class="section" id="target" data-checked>
                <header><h2>"What would change now"</h2></header>
                <p class="none">{NAMELESS}</p>
                <dl class="kv change">{undo(&view)}</dl>
            </section>
        }
        .into_any();
    };
    let read_at = match &of.reading {
        Reading::Found(state) => Some(state.read_at),
        Reading::Missing { read_at } => Some(*read_at),
        _ => None,
    };
    let again = address(&view);
    let shown = view.ticket.as_ref().map(|ticket| &ticket.digest);
    let typed = beside.preview.as_ref().is_some_and(|preview| Some(&preview.digest) != shown);
    let (target, earlier, cautions) = (of.target.clone(), of.earlier.clone(), of.cautions.clone());
    view! {
        <section class="section" id="target" data-checked>
            <header>
                <h2>"What would change now"</h2>
                <div class="sub">
                    {read_at.map(|at| view! { "read from the cluster "<Ago at now /> })}
                    <noscript>" "<a href=again>"Read again"</a></noscript>
                </div>
            </header>
            {typed.then(|| view! {
                <Notice tone=Tone::Idle><p>"With the values that you typed. They are in no ticket yet."</p></Notice>
            })}
            <About target />
            <Now view of />
            {cautions.into_iter().map(|text| view! { <Notice tone=Tone::Wait><p>{text}</p></Notice> }).collect_view()}
            {(!earlier.is_empty()).then(|| view! { <h3 class="sub-head">{EARLIER}</h3><Earlier runs=earlier now /> })}
        </section>
    }
    .into_any()
}

/// The address of this page, with the strategy and the operator's ticket that it shows.
fn address(view: &RecommendationView) -> String {
    let edited = view.ticket.as_ref().filter(|ticket| !ticket.changes.is_empty());
    let edited = edited.map(|ticket| format!("&ticket={}", ticket.digest)).unwrap_or_default();
    format!("/recommendations/{}?strategy={}{edited}", view.recommendation.id, view.selected)
}

/// What the cluster says of it, and what would change in it; or why it says nothing.
#[component]
pub fn Now(view: RecommendationView, of: TargetView) -> impl IntoView {
    let (now, undo) = (view.now, undo(&view));
    let Some(resource) = of.target.acts_on() else { return ().into_any() };
    let text = reading::nothing(&of.reading, resource).unwrap_or_default();
    match of.reading {
        Reading::Found(state) => {
            view! { <Found state=*state changes=of.changes since=of.since now undo /> }.into_any()
        }
        Reading::Missing { .. } => {
            view! { <div class="missing"><Notice tone=Tone::Bad><p><b>{text}</b></p></Notice></div> }.into_any()
        }
        _ => view! {
            <dl class="kv change"><dt>{reading::name(resource)}</dt><dd><Notice tone=Tone::Idle><p>{text}</p></Notice></dd>{undo}</dl>
        }
        .into_any(),
    }
}

/// Runs about the same object.
#[component]
pub fn Earlier(runs: Vec<Execution>, now: Timestamp) -> impl IntoView {
    view! {
        <ul class="rows">{runs.into_iter().map(|run| view! { <li class="run-told"><RunLine run now /></li> }).collect_view()}</ul>
    }
    .into_any()
}

/// Where it acts on something else than what is in trouble.
#[component]
fn About(target: Target) -> impl IntoView {
    match target {
        Target::Mismatch { acts_on, incident } => view! {
            <Notice tone=Tone::Bad>
                <p>"This acts on "<b>{object(&acts_on)}</b>", and the incident is about "<b>{object(&incident)}</b>". Check the parameters."</p>
            </Notice>
        }
        .into_any(),
        Target::Elsewhere { acts_on, incident } => view! {
            <Notice tone=Tone::Idle><p>"This acts on "{object(&acts_on)}" to help "{object(&incident)}"."</p></Notice>
        }
        .into_any(),
        Target::Agreed(_) | Target::Unknown => ().into_any(),
    }
}

#[component]
fn Found(state: TargetState, changes: Vec<FieldChange>, since: Since, now: Timestamp, undo: AnyView) -> impl IntoView {
    let name = reading::name(&state.resource);
    let still = still(&since, now);
    view! {
        <dl class="kv change">
            <dt>{name}</dt>
            <dd>
                {if changes.is_empty() {
                    view! { <span class="sub">"The parameters name no field of it; the playbook decides what it does."</span> }.into_any()
                } else {
                    changes.into_iter().map(|change| view! { <p><compare::Change change /></p> }).collect_view().into_any()
                }}
            </dd>
            {state.pods.map(|pods| {
                let ill = pods.ready < pods.wanted;
                let text = reading::pods(pods);
                view! { <dt>"Pods"</dt><dd>{if ill { warned(text) } else { view! { {text} }.into_any() }}</dd> }
            })}
            {state.containers.iter().map(|container| {
                let one = state.containers.len() == 1;
                let label = if one { "Container".to_owned() } else { format!("Container {}", container.name) };
                view! { <dt>{label}</dt><dd>{reading::resources(container)}<p class="sub image"><Id of=container.image.clone() what="image" /></p></dd> }
            }).collect_view()}
            {state.facts.iter().map(|(fact, value)| {
                view! { <dt>{crate::words::humane(fact)}</dt><dd>{value.clone()}</dd> }
            }).collect_view()}
            {state.complaints.iter().map(|complaint| {
                let since = complaint.since;
                view! {
                    <dt>{complaint.kind.clone()}</dt>
                    <dd>{warned(complaint.message.clone())}{since.map(|at| view! { " "<span class="sub"><Ago at now /></span> })}</dd>
                }
            }).collect_view()}
            {state.pods.is_some().then(|| view! {
                <dt>"Disruption budget"</dt><dd><Budgets budgets=state.budgets.clone() /></dd>
                <dt>"Autoscaler"</dt><dd><Autoscalers scalers=state.autoscalers.clone() /></dd>
            })}
            {owner(&state).map(|text| view! { <dt>"Owner"</dt><dd>{text}</dd> })}
            <dt>"Since the analysis"</dt><dd>{still}</dd>
            {undo}
        </dl>
    }
    .into_any()
}

/// A value that is not as it should be: with the icon of a warning.
fn warned(text: String) -> AnyView {
    view! { <span class="warned wait"><Glyph of=Icon::Warn />{text}</span> }.into_any()
}

fn still(since: &Since, now: Timestamp) -> AnyView {
    let at = match since {
        Since::Changed { at, .. } => *at,
        _ => None,
    };
    match (since, reading::changed(since)) {
        (Since::Same, _) => {
            view! { <span class="warned ok"><Glyph of=Icon::Check />"spec unchanged"</span> }.into_any()
        }
        (_, Some(what)) => {
            view! { {warned(what)}{at.map(|at| view! { " "<span class="sub"><Ago at now /></span> })} }.into_any()
        }
        (_, None) => view! { <span class="sub">"not known: the cluster keeps no older state of it"</span> }.into_any(),
    }
}

#[component]
fn Budgets(budgets: Next<Budget>) -> impl IntoView {
    match budgets {
        Next::Read(all) if all.is_empty() => "none".into_any(),
        Next::Read(all) => all
            .into_iter()
            .map(|one| {
                let (text, room) = reading::budget(&one);
                let text = if room { view! { {text} }.into_any() } else { warned(text) };
                view! { <p>{text}" "<code class="sub">{one.name}</code></p> }
            })
            .collect_view()
            .into_any(),
        Next::NotAllowed => unreadable().into_any(),
        Next::Unknown => view! { <span class="sub">"not told in time"</span> }.into_any(),
    }
}

#[component]
fn Autoscalers(scalers: Next<Autoscaler>) -> impl IntoView {
    match scalers {
        Next::Read(all) if all.is_empty() => "none".into_any(),
        Next::Read(all) => all
            .into_iter()
            .map(|one| {
                let wants = one.wanted.map(|wanted| format!(", wants {wanted} now")).unwrap_or_default();
                view! { <p>{format!("{} to {} replicas{wants}", one.least, one.most)}" "<code class="sub">{one.name}</code></p> }
            })
            .collect_view()
            .into_any(),
        Next::NotAllowed => unreadable().into_any(),
        Next::Unknown => view! { <span class="sub">"not told in time"</span> }.into_any(),
    }
}

fn unreadable() -> impl IntoView {
    view! { <span class="sub">"the console may not read it; deploy/base/rbac/targets.yaml lets it"</span> }
}

fn owner(state: &TargetState) -> Option<String> {
    let owners = state.owners.iter().map(reading::name).collect::<Vec<_>>().join(", by ");
    let tool = state.manager.as_ref().map(|manager| match &manager.name {
        Some(name) => format!("{} ({name})", manager.tool),
        None => manager.tool.clone(),
    });
    match (owners.is_empty(), tool) {
        (true, None) => None,
        (true, Some(tool)) => Some(tool),
        (false, None) => Some(owners),
        (false, Some(tool)) => Some(format!("{owners}; {tool}")),
    }
}

/// How it is undone.
fn undo(view: &RecommendationView) -> AnyView {
    let Some(strategy) = usize::try_from(view.selected).ok().and_then(|at| view.strategies.get(at)) else {
        return ().into_any();
    };
    let Proposal::Playbook { rollback_parameters, .. } = &strategy.strategy.proposal else { return ().into_any() };
    let text = match rollback_parameters {
        Some(parameters) if !parameters.is_empty() => {
            // What is the same on the way there and back needs no word.
            let other = |(name, value): &(&String, &Value)| view.parameters.get(*name) != Some(*value);
            let mut back: Vec<_> = parameters.iter().filter(other).collect();
            if back.is_empty() {
                back = parameters.iter().collect();
            }
            let values =
                back.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(", ");
            view! { <Glyph of=Icon::Undo /><span><code>{values}</code>", same playbook"</span> }.into_any()
        }
        _ => view! { <span class="sub">"the model names no way back"</span> }.into_any(),
    };
    view! { <dt>"To undo"</dt><dd class="undo">{text}</dd> }.into_any()
}
