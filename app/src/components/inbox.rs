//! A recommendation as a line of a list: what would be done and to what, what the model says beside what was measured, the
//! risk, how long there is to decide, or who has decided.

use super::{Ago, Beside, Mark, RiskChip, State, Tone, Until, plain, target};
use crate::{
    icon::{Glyph, Icon},
    words::{came_to, humane},
};
use domain::{
    execution::{Assessment, ExecutionState},
    recommendation::{Proposal, RecommendationState, Strategy, target as rule, target::Target},
    services::{EarlierRun, InboxItem},
    time::Timestamp,
};
use leptos::prelude::*;

/// Values in a line, before the rest is only counted.
const VALUES: usize = 4;
/// Characters of a value in a line.
const VALUE: usize = 40;

/// What a strategy would do, in a few words.
pub fn remedy(strategy: &Strategy) -> String {
    match &strategy.proposal {
        Proposal::Playbook { .. } => humane(&strategy.action_type),
        Proposal::Steps { steps } => match steps.steps.len() {
            1 => "One step".to_owned(),
            n => format!("{n} steps"),
        },
    }
}

/// The values that tell this proposal from another of the same kind: all but those that say where; where somebody has approved
/// others, those. Steps are named.
fn values(strategy: &Strategy, changed: &[(String, String)]) -> Vec<String> {
    let all: Vec<String> = match &strategy.proposal {
        Proposal::Playbook { parameters, .. } => {
            let what = parameters.iter().filter(|(name, _)| !rule::names_target(name));
            let now = |name: &str| changed.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            what.map(|(name, value)| format!("{name}={}", short(&now(name).unwrap_or_else(|| plain(value))))).collect()
        }
        Proposal::Steps { steps } => steps.steps.iter().map(|step| step.name.clone()).collect(),
    };
    let more = all.len().saturating_sub(VALUES);
    let mut shown: Vec<String> = all.into_iter().take(VALUES).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown
}

fn short(value: &str) -> String {
    match value.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// A recommendation in the inbox.
#[component]
pub fn InboxRow(
    item: InboxItem,
    now: Timestamp,
    /// Offers to select it, as a field `id` of the form around the list.
    #[prop(optional)]
    pick: bool,
) -> impl IntoView {
    let InboxItem { recommendation, track, have, need, decided, earlier, changed } = item;
    let open = recommendation.state == RecommendationState::Open;
    let incident = recommendation.content.incident.clone();
    let strategy = recommendation.content.strategies.first().cloned();
    let found = strategy.as_ref().map(|s| Target::of_strategy(&incident, s));
    let object = found.as_ref().and_then(Target::acts_on).or(incident.resource.as_ref()).map(target);
    let people = (open && need > 1).then(|| match &decided {
        Some(last) if have > 0 => {
            let changed = if changed.is_empty() { "" } else { ", with other values than the model's" };
            format!("{have} of {need} approvals, {}{changed}", last.actor.name)
        }
        _ => format!("{have} of {need} approvals"),
    });
    let cannot = strategy.as_ref().is_none_or(|s| !s.runnable()) && open;
    let what = [strategy.as_ref().map(remedy), object, Some(incident.signal_type), Some(incident.id.clone()), people];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let values = strategy.as_ref().map(|strategy| values(strategy, &changed)).unwrap_or_default();
    let said = strategy.as_ref().map(|s| s.confidence);
    let headline = recommendation.headline().to_owned();
    let id = recommendation.id.to_string();
    view! {
        <li class="inbox-row" class:picks=pick>
            {pick.then(|| view! {
                <label class="pick"><input type="checkbox" name="id" value=id.clone() aria-label=format!("Select {headline}, {}", incident.id) /></label>
            })}
            <div class="what">
                <h2><a href=format!("/recommendations/{id}")>{headline.clone()}</a></h2>
                <p class="sub">{what}{(!open).then(|| view! { " · came "<Ago at=recommendation.created_at now /> })}</p>
                {(!values.is_empty()).then(|| view! {
                    <p class="sub values-line">{values.into_iter().map(|value| view! { <code>{value}</code>" " }).collect_view()}</p>
                })}
                {found.as_ref().and_then(off_target).filter(|_| open).map(|words| view! { <Hint tone=Tone::Wait icon=Icon::Warn>{words}</Hint> })}
                {cannot.then(|| view! { <Hint tone=Tone::Bad icon=Icon::Cross>"Can't run as proposed"</Hint> })}
                {earlier.map(|run| view! { <Earlier run now /> })}
            </div>
            <div class="sub measured-words">{said.map(|said| view! { <Beside said track /> })}</div>
            <p class="risk">{strategy.as_ref().map(|s| view! { <RiskChip of=s.risk() /> })}</p>
            <div class="when">
                {if open {
                    view! { <p><span class="vh">"time left: "</span><Until at=recommendation.expires_at now /></p> }.into_any()
                } else {
                    let last = decided.filter(|_| recommendation.state == RecommendationState::Decided);
                    let mark: Mark = last.as_ref().map_or_else(|| recommendation.state.into(), |d| d.verb.into());
                    view! {
                        <p><State of=mark /></p>
                        {last.map(|d| view! { <p class="sub">"by "{d.actor.name}", "<Ago at=d.at now /></p> })}
                    }
                    .into_any()
                }}
            </div>
        </li>
    }
    .into_any()
}

/// What does not fit between incident and parameters, in words.
pub fn off_target(found: &Target) -> Option<String> {
    match found {
        Target::Mismatch { acts_on, incident } => {
            Some(format!("Acts on {}, but the incident is about {}", target(acts_on), target(incident)))
        }
        Target::Elsewhere { acts_on, incident } => {
            Some(format!("Acts on {} for the sake of {}", target(acts_on), target(incident)))
        }
        Target::Unknown | Target::Agreed(_) => None,
    }
}

/// A line under a row that should not be missed.
#[component]
pub fn Hint(tone: Tone, icon: Icon, children: Children) -> impl IntoView {
    view! { <p class=format!("sub hint-line {}", tone.class())><Glyph of=icon /><span>{children()}</span></p> }
        .into_any()
}

/// What was tried on the same object not long ago, and what came of it.
#[component]
pub fn Earlier(run: EarlierRun, now: Timestamp) -> impl IntoView {
    let href = format!("/runs/{}", run.id);
    let (words, tone) = match (run.state, run.assessment) {
        (ExecutionState::Pending | ExecutionState::Running, _) => {
            return view! {
                <Hint tone=Tone::Wait icon=Icon::Ring>"A run on it goes on right now: "<a href=href>{run.title}</a>", approved "<Ago at=run.at now /></Hint>
            }
            .into_any();
        }
        (_, Assessment::Effective) => ("helped", Tone::Idle),
        (_, Assessment::Ineffective) => ("did not help", Tone::Wait),
        (ExecutionState::Succeeded | ExecutionState::Cancelled, _) => (came_to(run.state), Tone::Idle),
        (ExecutionState::Failed | ExecutionState::TimedOut | ExecutionState::Lost, _) => {
            (came_to(run.state), Tone::Wait)
        }
    };
    let what = if run.same_playbook { "The same was run on it" } else { "Something else was run on it" };
    view! {
        <Hint tone icon=Icon::Undo>
            {what}" "<Ago at=run.at now />": "<a href=href>{run.title}</a>" "{words}
        </Hint>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recommendation::Risk;
    use serde_json::{Map, json};

    fn of(parameters: &serde_json::Value) -> Strategy {
        Strategy {
            action_type: "scale_down_replicas".into(),
            confidence: None,
            rationale: String::new(),
            estimated_risk: Risk::Low,
            declared_risk: None,
            proposal: Proposal::Playbook {
                workflow_id: "w".into(),
                version: None,
                parameters: parameters.as_object().cloned().unwrap_or_else(Map::new),
                rollback_parameters: None,
            },
            errors: Vec::new(),
            rollback_errors: Vec::new(),
        }
    }

    #[test]
    fn the_values_of_a_line_tell_what_and_not_where() {
        let strategy = of(&json!({ "TARGET_RESOURCE_NAME": "my-app", "REPLICAS": 1, "NOTE": "ä".repeat(50) }));
        assert_eq!(values(&strategy, &[]), [format!("NOTE={}…", "ä".repeat(40)), "REPLICAS=1".to_owned()]);
        let changed = [("REPLICAS".to_owned(), "3".to_owned())];
        assert_eq!(values(&strategy, &changed)[1], "REPLICAS=3", "what was approved, not what the model said");
        let many = of(&json!({ "A": 1, "B": 2, "C": 3, "D": 4, "E": 5, "F": 6 }));
        assert_eq!(values(&many, &[]).last().map(String::as_str), Some("and 2 more"));
        assert_eq!(remedy(&strategy), "Scale down replicas");
    }
}
