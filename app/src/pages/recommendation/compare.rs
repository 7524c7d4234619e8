//! Strategies side by side: all on one scale, with what each would change. The one that is shown in full is marked; the others are a
//! click away, and stand folded below.

use super::strategies::name;
use crate::{
    components::{RiskChip, ScaleLine, beside, plain},
    icon::{Glyph, Icon},
};
use domain::{
    ids::RecommendationId,
    recommendation::Proposal,
    services::StrategyView,
    target::{
        change::{FieldChange, changes},
        state::TargetState,
    },
};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// The list; nothing where there is only one.
#[component]
pub fn Compared(
    id: RecommendationId,
    strategies: Vec<StrategyView>,
    selected: usize,
    /// What the selected one would run with.
    parameters: Map<String, Value>,
    /// The target, to say what would change; none where it is not known.
    state: Option<TargetState>,
) -> impl IntoView {
    if strategies.len() < 2 {
        return ().into_any();
    }
    view! {
        <ol class="rows compared" aria-label="Strategies compared">
            {strategies.into_iter().enumerate().map(|(index, strategy)| {
                let here = index == selected;
                let href = format!("/recommendations/{id}?strategy={index}");
                let title = name(&strategy);
                let said = strategy.strategy.confidence;
                let words = beside(said, strategy.track.as_ref());
                let few = strategy.track.as_ref().is_some_and(|row| row.runs < 10).then_some(" · too few runs to tell");
                let effect = effect(&strategy, here.then_some(&parameters), state.as_ref());
                let runnable = strategy.strategy.runnable();
                view! {
                    <li class:chosen=here>
                        <p class="line">
                            <a href=href aria-current=here.then_some("true")>{title}</a>
                            <RiskChip of=strategy.strategy.risk() />
                        </p>
                        <ScaleLine said track=strategy.track.clone() />
                        <p class="sub">
                            {if runnable { effect } else { view! { <span class="warned bad"><Glyph of=Icon::Cross />"can't run"</span> }.into_any() }}
                            " · "{words}{few}
                            {back(&strategy).then_some(" · can be undone")}
                        </p>
                    </li>
                }
            }).collect_view()}
        </ol>
    }
    .into_any()
}

/// Whether the model names a way back.
fn back(strategy: &StrategyView) -> bool {
    matches!(&strategy.strategy.proposal, Proposal::Playbook { rollback_parameters: Some(back), .. } if !back.is_empty())
}

/// What a strategy would change in the target, or how much it runs.
fn effect(strategy: &StrategyView, edited: Option<&Map<String, Value>>, state: Option<&TargetState>) -> AnyView {
    match &strategy.strategy.proposal {
        Proposal::Playbook { parameters, workflow_id, .. } => {
            let values = edited.unwrap_or(parameters).iter().map(|(name, value)| (name.as_str(), plain(value)));
            let changes = state.map(|state| changes(values, state)).unwrap_or_default();
            if changes.is_empty() {
                return view! { <code>{workflow_id.clone()}</code> }.into_any();
            }
            changes
                .into_iter()
                .enumerate()
                .map(|(n, change)| view! { {(n > 0).then_some(", ")}<Change change /> })
                .collect_view()
                .into_any()
        }
        Proposal::Steps { steps } => {
            let n = steps.steps.len();
            (if n == 1 { "one step".to_owned() } else { format!("{n} steps") }).into_any()
        }
    }
}

/// A field, before and after.
#[component]
pub fn Change(change: FieldChange) -> impl IntoView {
    let same = change.is_so_already();
    let field = change.field.path();
    let before = change.before.unwrap_or_else(|| "not set".to_owned());
    if same {
        return view! { <span class="change-of"><code>{field}</code>" is "{before}" already"</span> }.into_any();
    }
    view! {
        <span class="change-of">
            <code>{field}</code>" "<span class="vh">"from "</span><del>{before}</del>
            <span aria-hidden="true">" → "</span><span class="vh">" to "</span><ins>{change.after}</ins>
        </span>
    }
    .into_any()
}
