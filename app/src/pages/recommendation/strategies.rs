//! The strategies: side by side, then the chosen one in full, the model's word beside the measurement; the others folded.

use super::compare::Compared;
use crate::{
    components::{Chip, Faults, Prose, RiskChip, Scale, Section, Tone, beside, best_words, plain},
    icon::{Glyph, Icon},
    words::humane,
};
use domain::{
    effectiveness::EffectivenessRow,
    recommendation::{Proposal, RecommendationState},
    services::{RecommendationView, StrategyView},
    target::state::TargetState,
};
use leptos::prelude::*;

/// All strategies of a recommendation.
#[component]
pub fn Strategies(
    view: RecommendationView,
    /// The target of the chosen one, where it was read.
    state: Option<TargetState>,
) -> impl IntoView {
    let count = view.strategies.len();
    let selected = usize::try_from(view.selected).unwrap_or_default();
    let aside = if count > 1 { format!("{} of {count} strategies", selected + 1) } else { String::new() };
    let id = view.recommendation.id.clone();
    let all = view.strategies.clone();
    let parameters = view.parameters.clone();
    // Above the ticket it says how to undo; where there is no such place any more, here.
    let over = view.recommendation.state != RecommendationState::Open;
    let (chosen, others): (Vec<_>, Vec<_>) =
        view.strategies.into_iter().enumerate().partition(|(index, _)| *index == selected);
    view! {
        <Section title="Proposed remediation" aside=move || aside.clone()>
            <Compared id=id.clone() strategies=all selected parameters state />
            {chosen.into_iter().map(|(_, strategy)| view! { <div class="panel strategy"><Whole strategy undo=over /></div> }).collect_view()}
            {others.into_iter().map(|(index, strategy)| {
                let href = format!("/recommendations/{id}?strategy={index}");
                view! {
                    <details class="other">
                        <summary class="sub">
                            {name(&strategy)}": "{beside(strategy.strategy.confidence, strategy.track.as_ref())}
                            {(!strategy.strategy.runnable()).then_some(", can't run")}
                        </summary>
                        <div class="panel strategy">
                            <Whole strategy undo=true />
                            <p class="actions"><a class="btn small" href=href>"Look at what this would run"</a></p>
                        </div>
                    </details>
                }
            }).collect_view()}
        </Section>
    }
    .into_any()
}

pub fn name(strategy: &StrategyView) -> String {
    humane(&strategy.strategy.action_type)
}

/// A strategy in full.
#[component]
fn Whole(
    strategy: StrategyView,
    /// Whether to say here how it is undone.
    undo: bool,
) -> impl IntoView {
    let title = name(&strategy);
    let StrategyView { strategy, title: playbook_title, track, version_track, steps, .. } = strategy;
    let risk = strategy.risk();
    let less = (risk != strategy.estimated_risk)
        .then(|| format!("by its registration; the model says {}", strategy.estimated_risk.name()));
    let mut version = None;
    let (reference, back) = match strategy.proposal {
        Proposal::Playbook { workflow_id, version: of, rollback_parameters, .. } => {
            version.clone_from(&of);
            let label = [Some(workflow_id.clone()), of].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let link = playbook_title.is_some().then(|| format!("/catalog/{workflow_id}"));
            let reference = match link {
                Some(href) => view! { <a href=href title=playbook_title><code>{label}</code></a> }.into_any(),
                None => view! { <code>{label}</code>" "<Chip word="not in the catalog" tone=Tone::Bad /> }.into_any(),
            };
            (reference, rollback_parameters)
        }
        Proposal::Steps { steps } => (view! { <code>{steps.workflow_type}</code> }.into_any(), None),
    };
    let back = back.filter(|_| undo).map(|parameters| {
        parameters.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(", ")
    });
    view! {
        <div class="line">
            <h3>{title}</h3>
            <span class="sub">{reference}</span>
            <RiskChip of=risk />
            {less.map(|words| view! { <span class="sub">{words}</span> })}
        </div>
        {(!strategy.rationale.is_empty()).then(|| view! { <Prose text=strategy.rationale class="why" /> })}
        <Scale said=strategy.confidence track=track.clone() />
        <OfVersion version track version_track />
        {(!steps.is_empty()).then(|| view! {
            <details class="inside">
                <summary class="sub">"What happens inside"</summary>
                <ol>{steps.into_iter().map(|step| view! { <li>{step}</li> }).collect_view()}</ol>
            </details>
        })}
        {(!strategy.errors.is_empty()).then(|| view! {
            <div class="cannot"><p><b>"This can't run as it was proposed:"</b></p><Faults faults=strategy.errors named=true /></div>
        })}
        {(!strategy.rollback_errors.is_empty()).then(|| view! {
            <div class="cannot"><p><b>"What would undo it does not fit:"</b></p><Faults faults=strategy.rollback_errors named=true /></div>
        })}
        {back.map(|values| view! {
            <p class="sub undo"><Glyph of=Icon::Undo /><span>"To undo: "<code>{values}</code>", same playbook"</span></p>
        })}
    }
    .into_any()
}

/// Of which versions the record is: a new version has earned nothing yet.
#[component]
fn OfVersion(
    version: Option<String>,
    track: Option<EffectivenessRow>,
    version_track: Option<EffectivenessRow>,
) -> impl IntoView {
    let (Some(version), Some(track)) = (version, track) else { return ().into_any() };
    let runs = version_track.as_ref().map_or(0, |row| row.runs);
    let text = match version_track.as_ref().and_then(best_words) {
        Some(_) if runs == track.runs => format!("All of these runs were of {version}."),
        Some(of) => {
            format!("Of all versions. {version} alone {of}{}.", if runs < 10 { ", too few to tell" } else { "" })
        }
        None => format!("Of other versions: {version} has not run yet."),
    };
    view! { <p class="sub of-version">{text}</p> }.into_any()
}
