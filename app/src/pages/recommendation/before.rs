//! What to heed before anybody decides: the target is gone, is another one than the incident's, or has changed since the analysis;
//! the ticket is no longer the one that was opened. In short beside the state, in full above the buttons.

use super::{Beside, reading};
use crate::{
    components::{Notice, Tone, before_and_after, target as object},
    icon::{Glyph, Icon},
    words::{ago, came_to},
};
use domain::{
    execution::{Assessment, ExecutionState},
    json::diff::Change,
    recommendation::{Origin, Proposal, RecommendationState, target::Target},
    services::{RecommendationView, TargetView},
    target::{change::nothing_to_change, state::Reading},
};
use leptos::prelude::*;

/// One thing to heed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heed {
    tone: Tone,
    /// In two or three words.
    short: &'static str,
    /// Where more of it stands.
    at: &'static str,
    /// As a sentence.
    text: String,
}

/// What there is to heed of the target and of the ticket, the weightiest first.
pub fn of_target(view: &RecommendationView, beside: &Beside) -> Vec<Heed> {
    let mut heeds = Vec::new();
    let mut add = |tone, short, at, text| heeds.push(Heed { tone, short, at, text });
    if let Some(of) = &beside.target {
        if let (Reading::Missing { .. }, Some(resource)) = (&of.reading, of.target.acts_on()) {
            let text = reading::nothing(&of.reading, resource).unwrap_or_default();
            add(Tone::Bad, "Target not found", "#target", text);
        }
        if let Target::Mismatch { acts_on, incident } = &of.target {
            let text = format!("This acts on {}, and the incident is about {}.", object(acts_on), object(incident));
            add(Tone::Bad, "Another target", "#target", text);
        }
        if let Some(what) = reading::changed(&of.since) {
            let name = of.target.acts_on().map_or_else(|| "The target".to_owned(), reading::name);
            add(Tone::Wait, "Target has changed", "#target", format!("{name} has changed since the analysis: {what}."));
        }
        if let Some(text) = tried(view, of) {
            add(Tone::Wait, "Tried before", "#target", text);
        }
    }
    if let Some(text) =
        view.ticket.as_ref().and_then(|ticket| ticket.warnings.iter().find(|text| text.starts_with(STALE)))
    {
        add(Tone::Wait, "Ticket has changed", "#ticket-title", text.clone());
    }
    heeds
}

/// The same, and what only the page of one recommendation has far from its buttons: that nothing would change, and that the ticket has
/// other values than those for which the reasons were written.
pub fn heeds(view: &RecommendationView, beside: &Beside) -> Vec<Heed> {
    let mut heeds = of_target(view, beside);
    if let Some(text) = beside.target.as_ref().and_then(|of| nothing_to_change(&of.changes)) {
        heeds.push(Heed { tone: Tone::Wait, short: "Changes nothing", at: "#target", text: text.to_owned() });
    }
    let open = view.recommendation.state == RecommendationState::Open;
    let changes = view.ticket.as_ref().filter(|_| open).map(|ticket| &*ticket.changes).unwrap_or_default();
    if view.recommendation.origin == Origin::Model && !changes.is_empty() {
        let one = |change: &Change| {
            let [before, after] = before_and_after(change);
            format!("{} {before} → {after}", change.pointer.trim_start_matches('/'))
        };
        let mut words: Vec<_> = changes.iter().take(NAMED).map(one).collect();
        if changes.len() > NAMED {
            words.push(format!("and {} more", changes.len() - NAMED));
        }
        let text = format!("The model’s reasons were written for other values: {}.", words.join(", "));
        heeds.push(Heed { tone: Tone::Idle, short: "Edited", at: "#ticket-title", text });
    }
    heeds
}

/// Changed values that are named before the rest is only counted.
const NAMED: usize = 3;

/// What the same playbook came to on the same object lately, where that is a warning.
fn tried(view: &RecommendationView, of: &TargetView) -> Option<String> {
    let strategy = view.strategies.get(usize::try_from(view.selected).ok()?)?;
    let Proposal::Playbook { workflow_id, .. } = &strategy.strategy.proposal else { return None };
    let last =
        of.earlier.iter().find(|run| run.subject.workflow_id.as_ref() == Some(workflow_id) && run.state.ended())?;
    let came = match (last.state, last.assessment) {
        (ExecutionState::Succeeded, Assessment::Ineffective) => "did not help",
        (ExecutionState::Succeeded, _) => return None,
        (state, _) => came_to(state),
    };
    let when = ago(view.now.since(last.finished_at.unwrap_or(last.created_at)));
    Some(format!("The same playbook ran on the same object {when} and {came}."))
}

/// How the services begin to say that the ticket of the address is not the current one.
const STALE: &str = "The ticket that you opened is no longer";

/// In two or three words each, as links.
pub fn short(heeds: &[Heed]) -> impl IntoView + use<> {
    heeds
        .iter()
        .map(|heed| {
            let icon = match heed.tone {
                Tone::Bad => Icon::Cross,
                Tone::Idle => Icon::Info,
                _ => Icon::Warn,
            };
            view! { <a class=format!("chip heed {}", heed.tone.class()) href=heed.at title=heed.text.clone()><Glyph of=icon />{heed.short}</a> }
        })
        .collect_view()
}

/// As sentences, for where the decision is made.
pub fn full(heeds: Vec<Heed>) -> impl IntoView {
    heeds.into_iter().map(|heed| view! { <Notice tone=heed.tone><p>{heed.text}</p></Notice> }).collect_view()
}
