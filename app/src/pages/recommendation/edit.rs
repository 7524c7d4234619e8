//! Editing the parameters: fields built from the playbook's schema. They change nothing by themselves: the server judges the
//! values and makes a new ticket of them. They belong to the form that decides, so that whoever edits and then presses Approve
//! is told that the ticket is without their changes, with JavaScript or without. With it they are judged while they are typed, by
//! the same rules.

use super::Beside;
use crate::{
    components::{DigestId, Field, FormFaults, Notice, Select, Tone, before_and_after, plain},
    context::FormOutcome,
    icon::{Glyph, Icon},
    islands::Slide,
};
use domain::{
    playbook::{Parameter, ParameterType},
    recommendation::{Proposal, RecommendationState, target::names_target},
    services::{RecommendationView, TicketView},
};
use leptos::prelude::*;
use serde_json::{Map, Value};

/// The code of a form that was only looked at: nothing was asked for, nothing is refused.
pub const CHECKED: &str = "checked";
/// A slider with more places than this can't be set with a thumb.
const MOST_PLACES: i64 = 200;

/// The values of the form that came with the request, where it brings some and somebody may edit.
pub fn values(view: &RecommendationView, form: &FormOutcome) -> Option<Map<String, Value>> {
    let strategy = view.strategies.get(usize::try_from(view.selected).ok()?)?;
    if !editable(view) || !sent(form) {
        return None;
    }
    let typed = strategy.form.iter().filter_map(|parameter| {
        let name = parameter.name.as_str();
        Some((name.to_owned(), parameter.from_text(form.value(&format!("p.{name}"))?)?))
    });
    Some(typed.collect())
}

/// Whether a form that came back is about the parameters. What was decided is told at the decision. The fields come with it, too;
/// it is about them only where they hold something that the ticket does not.
pub fn came_back(view: &RecommendationView, form: &FormOutcome) -> bool {
    sent(form) && (form.value("decision").is_none() || !changed(view, &form.fields).is_empty())
}

/// The parameters whose fields hold something else than the ticket that is shown, in the order of the form.
pub fn changed<'v>(view: &'v RecommendationView, fields: &[(String, String)]) -> Vec<&'v str> {
    let chosen = usize::try_from(view.selected).ok().and_then(|at| view.strategies.get(at));
    let names = chosen.into_iter().flat_map(|chosen| &chosen.form).map(|parameter| parameter.name.as_str());
    let differs = |name: &&str| {
        // As it was sent, also when it is empty, beside what the page wrote into the field.
        let field = fields.iter().find(|(field, _)| field.strip_prefix("p.") == Some(*name));
        field.is_some_and(|(_, text)| *text != view.parameters.get(*name).map(plain).unwrap_or_default())
    };
    names.filter(differs).collect()
}

/// Whether this caller may put values in place of the model's. What can't run as it was proposed is not mended by that: it was
/// stored with its faults, and only a new recommendation is another one.
fn editable(view: &RecommendationView) -> bool {
    let chosen = usize::try_from(view.selected).ok().and_then(|at| view.strategies.get(at));
    let open = view.recommendation.state == RecommendationState::Open && view.cannot_reject.is_none();
    open && chosen.is_some_and(|chosen| chosen.strategy.runnable())
}

fn sent(form: &FormOutcome) -> bool {
    form.fields.iter().any(|(name, _)| name.starts_with("p."))
}

/// Puts the model's value back into the field whose button was pressed.
pub fn take_back(view: &RecommendationView, form: &mut FormOutcome) {
    let Some(name) = form.value("take_back").map(str::to_owned) else { return };
    let value = models(view).get(&name).map(plain).unwrap_or_default();
    let field = format!("p.{name}");
    form.fields.retain(|(name, _)| *name != "take_back" && *name != field);
    form.fields.push((field, value));
}

/// What the model gave.
fn models(view: &RecommendationView) -> Map<String, Value> {
    let strategy = usize::try_from(view.selected).ok().and_then(|at| view.strategies.get(at));
    match strategy.map(|strategy| &strategy.strategy.proposal) {
        Some(Proposal::Playbook { parameters, .. }) => parameters.clone(),
        _ => Map::new(),
    }
}

/// What to do before approving, where the form holds other values than the ticket that is shown.
pub fn unsaved(view: &RecommendationView, beside: &Beside, form: &FormOutcome) -> Option<&'static str> {
    if !sent(form) || form.code != CHECKED {
        return None;
    }
    let shown = view.ticket.as_ref().map(|ticket| &ticket.digest);
    match &beside.preview {
        Some(preview) if Some(&preview.digest) == shown => None,
        Some(_) => Some("The ticket is without your changes. Make a new ticket first, then approve that one."),
        None => Some("Your changes can't run yet. Mend them, or take the model's values back."),
    }
}

/// The folded form; open when it came back.
#[component]
pub fn Edit(view: RecommendationView, preview: Option<TicketView>, form: FormOutcome) -> impl IntoView {
    let selected = usize::try_from(view.selected).unwrap_or_default();
    let Some(strategy) = view.strategies.get(selected) else { return ().into_any() };
    if !editable(&view) || strategy.form.is_empty() {
        return ().into_any();
    }
    let deciding = form.value("decision").is_some();
    let came_back = came_back(&view, &form);
    let checked = form.code == CHECKED;
    let form = if came_back { form } else { FormOutcome::default() };
    let said = models(&view);
    let path = format!("/recommendations/{}", view.recommendation.id);
    let action = format!("{path}/parameters");
    let names = strategy.form.iter().map(|p| p.name.as_str().to_owned()).collect::<Vec<_>>();
    // What to do comes before the names of what it is done to: those are seldom wrong.
    let (whom, what): (Vec<_>, Vec<_>) =
        strategy.form.iter().cloned().partition(|parameter| names_target(parameter.name.as_str()));
    let fields: Vec<_> = what.into_iter().chain(whom).collect();
    let shown = view.ticket.as_ref().map(|ticket| ticket.digest.clone());
    let start = view.parameters.clone();
    let faults = form.faults.len();
    let approvers = view.approvers().join(", ");
    // One field begins with the focus: the first with a fault, or the first that the ticket is without.
    let wrong = strategy.form.iter().map(|p| p.name.as_str()).find(|name| fault(&form, name).is_some());
    let unsaved = changed(&view, &form.fields).first().copied().filter(|_| form.code == "unsaved_changes");
    let focused = wrong.or(unsaved).filter(|_| came_back && !checked).map(str::to_owned);
    view! {
        <div class="folds" id="edit">
            <details open=came_back>
                <summary>"Edit parameters"</summary>
                // Enter in a field presses this form's button, with a script; without one it presses the first of the form, which
                // does nothing.
                <div data-enter="make-ticket">
                    <button type="submit" form="decide" disabled hidden></button>
                    {(!deciding && !checked).then(|| view! { <FormFaults form=form.clone() fields=names /> })}
                    {fields.into_iter().map(|parameter| {
                        let name = parameter.name.as_str();
                        let value = form.value(&format!("p.{name}")).map(str::to_owned)
                            .or_else(|| start.get(name).map(plain))
                            .unwrap_or_default();
                        let error = fault(&form, name);
                        let focus = focused.as_deref() == Some(name);
                        let said = said.get(name).cloned();
                        let check = format!("{path}/check");
                        view! { <Control parameter value error focus said check /> }
                    }).collect_view()}
                    <div id="edit-preview" data-checked aria-live="polite">
                        {match preview.filter(|_| came_back) {
                            Some(ticket) if Some(&ticket.digest) == shown.as_ref() => view! {
                                <p class="sub">"These are the values of the ticket above."</p>
                            }.into_any(),
                            Some(ticket) => view! { <Preview ticket /> }.into_any(),
                            None if faults > 0 => view! {
                                <p class="sub">{if faults == 1 { "One value has to be mended first.".to_owned() } else { format!("{faults} values have to be mended first.") }}</p>
                            }.into_any(),
                            None => view! {
                                <p class="sub">"Nothing runs yet. The new ticket shows what would; the model's values stay visible."</p>
                            }.into_any(),
                        }}
                    </div>
                    {(!approvers.is_empty()).then(|| view! {
                        <Notice tone=Tone::Wait><p>{format!("{approvers} approved this ticket. That will not count for a new one.")}</p></Notice>
                    })}
                    <p class="actions">
                        <button class="btn" type="submit" id="make-ticket" form="decide" formaction=action>"Make a new ticket"</button>
                    </p>
                </div>
            </details>
        </div>
    }
    .into_any()
}

/// What is wrong with a parameter's value, whichever door says so.
fn fault(form: &FormOutcome, name: &str) -> Option<String> {
    form.error(name).or_else(|| form.error(&format!("p.{name}")))
}

/// The ticket that the values would make, against what the model said.
#[component]
fn Preview(ticket: TicketView) -> impl IntoView {
    let changes = ticket.changes;
    view! {
        <p class="sub">"The new ticket would be "<DigestId of=ticket.digest /></p>
        <p class="sub">{if changes.is_empty() { "As the model said." } else { "Against the model's answer:" }}</p>
        <ul class="diff">
            {changes.into_iter().map(|change| {
                let [before, after] = before_and_after(&change);
                view! {
                    <li><code>{change.pointer.trim_start_matches('/').to_owned()}</code>" "<del>{before}</del>" → "<ins>{after}</ins></li>
                }
            }).collect_view()}
        </ul>
    }
    .into_any()
}

/// The control that fits a parameter's type, and the model's value beside it where it is another one.
#[component]
fn Control(
    parameter: Parameter,
    value: String,
    error: Option<String>,
    /// Whether it is the first to be mended.
    focus: bool,
    said: Option<Value>,
    /// The address that looks at the form without any effect.
    check: String,
) -> impl IntoView {
    let own = parameter.name.as_str().to_owned();
    let name = format!("p.{own}");
    let required = parameter.always_needed();
    let models = said.as_ref().map(plain);
    let small = match &models {
        Some(said) => format!("model: {said}"),
        None if required => "needed".to_owned(),
        None => "optional".to_owned(),
    };
    let hint = hint(&parameter);
    let choices = choices(&parameter);
    let (kind, step) = match parameter.kind {
        ParameterType::Integer => ("number", Some("1".to_owned())),
        ParameterType::Number => ("number", Some("any".to_owned())),
        ParameterType::String | ParameterType::Boolean => ("text", None),
    };
    let (min, max) = (parameter.minimum.map(|n| n.to_string()), parameter.maximum.map(|n| n.to_string()));
    let slide = slider(parameter.kind, min.as_deref(), max.as_deref()).filter(|_| choices.is_empty());
    let block = format!("edit-{own}");
    // What is chosen from a list is put back by loading the page: in place only texts can be.
    let in_place = choices.is_empty().then(|| block.clone());
    let differs = models.clone().filter(|said| *said != value);
    let (input, said_id) = (format!("f-p-{own}"), format!("said-{own}"));
    view! {
        <div class="edit-field">
            <div id=block>
                <Field name label=own.clone() small value hint error focus kind required choices min max step max_length=parameter.max_length
                    mono=true of_form="decide" autocomplete="off" />
            </div>
            {slide.map(|(min, max)| view! { <Slide of=input min max label=own.clone() /> })}
            <div class="said-by" id=said_id data-checked>
                {differs.map(|said| view! {
                    <p class="sub">
                        "The model said "<code>{said}</code>" "
                        <button class="btn small ghost" type="submit" form="decide" formaction=check formnovalidate name="take_back"
                            value=own data-takes=in_place>
                            <Glyph of=Icon::Undo />"Take it back"
                        </button>
                    </p>
                })}
            </div>
        </div>
    }
    .into_any()
}

/// Ends of a slider, where a whole number lies between two that are not too far apart.
fn slider(kind: ParameterType, min: Option<&str>, max: Option<&str>) -> Option<(i64, i64)> {
    let (min, max): (i64, i64) = (min?.parse().ok()?, max?.parse().ok()?);
    (kind == ParameterType::Integer && min < max && max - min <= MOST_PLACES).then_some((min, max))
}

/// Fixed choices, for enumerations and booleans; empty for everything else. Where a value may be left out, that is the
/// first choice.
pub fn choices(parameter: &Parameter) -> Vec<Select> {
    let mut choices = match parameter.kind {
        _ if !parameter.allowed.is_empty() => Select::same(parameter.allowed.iter().map(plain)),
        ParameterType::Boolean => Select::same(["true", "false"]),
        _ => return Vec::new(),
    };
    if !parameter.always_needed() {
        let word = match &parameter.default {
            Some(default) => format!("not given ({} by default)", plain(default)),
            None => "not given".to_owned(),
        };
        choices.insert(0, Select { value: String::new(), word });
    }
    choices
}

/// What the schema asks for, in words.
pub fn hint(parameter: &Parameter) -> String {
    let range = match (&parameter.minimum, &parameter.maximum) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (None, None) => None,
    };
    let default = parameter.default.as_ref().map(|v| format!("{} when left empty", plain(v)));
    let depends = parameter.depends_on.iter().map(|(name, values)| {
        let values = values.iter().map(plain).collect::<Vec<_>>().join(" or ");
        format!("only when {name} is {values}")
    });
    let description = (!parameter.description.is_empty()).then(|| parameter.description.clone());
    // An example says more than a pattern.
    let pattern = parameter.pattern.as_ref().map(|pattern| match parameter.examples.first() {
        Some(example) => format!("like {}", plain(example)),
        None => format!("matches {pattern}"),
    });
    [description, range, pattern, default].into_iter().flatten().chain(depends).collect::<Vec<_>>().join(" · ")
}
