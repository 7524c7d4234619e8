//! A finding: what was noticed and where, what people made of it, and making a recommendation of it. Plain forms.

use crate::{
    components::{Ago, Chip, Empty, Field, FormFaults, Prose, Section, SeverityChip, State, Tone, target},
    context::FormOutcome,
    page::{Ask, Page},
    pages::recommendation::{choices, hint},
    words::humane,
};
use domain::{
    finding::{Card, FindingState, NOTICED_BY_MODEL},
    identity::Right,
    ids::FindingId,
    playbook::{Parameter, ParameterType, PlaybookId},
    services::{Answer, Filled},
    time::Timestamp,
};
use leptos::prelude::*;

/// The form by which the state is set.
pub const TRIAGE: &str = "status";
/// The form by which a recommendation is made.
pub const TURN: &str = "recommendation";

/// All that the page shows.
#[derive(Clone, Debug)]
pub struct FindingView {
    /// The finding.
    pub card: Card,
    /// Whether the reader may set its state and make something of it.
    pub decides: bool,
    /// The form for a recommendation, where a playbook is known to fill it for.
    pub filled: Option<Filled>,
    /// The playbook that the address names.
    pub named: Option<String>,
    /// A form that was not taken.
    pub form: FormOutcome,
    /// The server's time.
    pub now: Timestamp,
}

/// Asks for the finding, and for what a recommendation of it would be filled with.
pub async fn page(ask: Ask) -> Answer<Page> {
    let id = FindingId::new(ask.param("id"));
    let card = ask.console.findings.finding(&ask.caller, &id).await?;
    let decides = ask.caller.may(Right::Decide);
    let named = ask.form.value("workflow_id").map(str::to_owned).or_else(|| ask.query.text("playbook"));
    let playbook = named.as_deref().and_then(|text| text.parse::<PlaybookId>().ok());
    let filled = if decides { ask.console.findings.filled(&ask.caller, &id, playbook).await? } else { None };
    let title = card.noticed.title.clone();
    let follows = format!("finding:{id}");
    let view = FindingView { card, decides, filled, named, form: ask.form, now: ask.now };
    Ok(Page::below(title, finding(view)).following(follows).with_history(&ask.caller, id.as_str()))
}

/// The page.
pub fn finding(view: FindingView) -> AnyView {
    let FindingView { card, decides, filled, named, form, now } = view;
    let noticed = card.noticed.clone();
    let path = format!("/findings/{}", card.id);
    let times = if card.seen == 1 { "Noticed once".to_owned() } else { format!("Noticed {} times", card.seen) };
    let again = card.seen > 1;
    let suggested = noticed.suggested_workflow_id.clone();
    let sources = card.sources.clone();
    view! {
        <div class="finding">
            <div class="head">
                <div class="line">
                    <State of=card.state />
                    {noticed.severity.map(|of| view! { <SeverityChip of /> })}
                    {(noticed.kind != NOTICED_BY_MODEL).then(|| view! { <Chip word=humane(&noticed.kind) tone=Tone::Idle /> })}
                    <span class="sub">
                        {times}", "{again.then_some("last ")}<Ago at=card.last_seen now />
                        {again.then(|| view! { ", first "<Ago at=card.first_seen now /> })}
                    </span>
                </div>
                <h1>{noticed.title.clone()}</h1>
                {noticed.resource.as_ref().map(|resource| view! { <p class="sub">{target(resource)}</p> })}
            </div>
            {card.triaged_by.clone().map(|by| view! {
                <p class="sub">{card.state.name()}" by "<b>{by.name}</b>{card.triaged_at.map(|at| view! { " "<Ago at now /> })}</p>
            })}
            {card.reason.clone().map(|text| view! { <Prose text /> })}
            {card.turned_into.clone().map(|id| view! {
                <p>"A recommendation was made of it: "<a href=format!("/recommendations/{id}")>"see what became of that"</a></p>
            })}
            {(!noticed.description.is_empty()).then(|| view! { <Section title="What was noticed"><Prose text=noticed.description.clone() /></Section> })}
            {(!noticed.evidence.is_empty()).then(|| view! {
                <Section title="What speaks for it">
                    <ul>{noticed.evidence.clone().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
                </Section>
            })}
            {(!sources.is_empty()).then(|| view! {
                <Section title="Where it was noticed">
                    <ul class="rows">
                        {sources.into_iter().map(|source| view! {
                            <li><a href=format!("/recommendations/{}", source.recommendation_id)>{source.incident_id}</a>" "<span class="sub"><Ago at=source.at now /></span></li>
                        }).collect_view()}
                    </ul>
                </Section>
            })}
            {decides.then(|| view! {
                <Triage path=path.clone() state=card.state form=form.clone() />
                <Turn path=path.clone() card=card.clone() filled suggested named form=form.clone() />
            })}
        </div>
    }
    .into_any()
}

fn of_form(form: &FormOutcome, action: &str) -> FormOutcome {
    if form.action.as_deref() == Some(action) { form.clone() } else { FormOutcome::default() }
}

#[component]
fn Triage(path: String, state: FindingState, form: FormOutcome) -> impl IntoView {
    let form = of_form(&form, TRIAGE);
    let reason = form.value("reason").unwrap_or_default().to_owned();
    let error = form.error("reason");
    let to = [
        (FindingState::Acknowledged, "Acknowledge"),
        (FindingState::Dismissed, "Dismiss"),
        (FindingState::Resolved, "Resolve"),
        (FindingState::Open, "Open again"),
    ];
    let to: Vec<_> = to.into_iter().filter(|(to, _)| *to != state).collect();
    view! {
        <Section title="Triage" id="triage">
            <FormFaults form fields=vec!["reason".to_owned()] />
            <form class="narrow-form" method="post" action=format!("{path}/{TRIAGE}#triage")>
                <Field name="reason" label="Reason" small="needed to dismiss; goes into the audit trail" rows=2 value=reason error max_length=Some(4096) />
                <p class="actions">
                    {to.into_iter().map(|(to, word)| view! {
                        <button class="btn" type="submit" name="status" value=to.name()>{word}</button>
                    }).collect_view()}
                </p>
            </form>
        </Section>
    }
    .into_any()
}

/// A recommendation of it: the playbook's form, filled with what the finding tells.
#[component]
fn Turn(
    path: String,
    card: Card,
    filled: Option<Filled>,
    suggested: Option<String>,
    /// The playbook that was asked for.
    named: Option<String>,
    form: FormOutcome,
) -> impl IntoView {
    let form = of_form(&form, TURN);
    let wanted = named.clone().or(suggested.clone()).unwrap_or_default();
    let unknown = filled.is_none().then(|| named.or(suggested)).flatten();
    let reason = form.value("why").map_or_else(|| card.noticed.title.clone(), str::to_owned);
    view! {
        <Section title="Make a recommendation of it" id="turn">
            <form class="filters" method="get" action=format!("{path}#turn")>
                <Field name="playbook" label="Playbook" value=wanted mono=true autocomplete="off" placeholder="restart-pods" />
                <button class="btn" type="submit">"Fill the form"</button>
            </form>
            {unknown.map(|id| view! {
                <p class="sub">"The catalog has no active playbook "<code>{id}</code>". "<a href="/catalog">"Choose another in the catalog"</a></p>
            })}
            {match filled {
                None => view! {
                    <Empty title="No playbook is chosen"><p>"Name the playbook that may help, and its parameters can be filled in here."</p></Empty>
                }
                .into_any(),
                Some(filled) => view! { <Fill path filled reason form /> }.into_any(),
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn Fill(path: String, filled: Filled, reason: String, form: FormOutcome) -> impl IntoView {
    let Filled { playbook, values } = filled;
    let registration = playbook.registration;
    let mut own: Vec<String> =
        registration.parameters.exposed.iter().map(|parameter| parameter.name.as_str().to_owned()).collect();
    own.push("why".to_owned());
    let error = form.error("why");
    let href = format!("/catalog/{}", registration.id);
    view! {
        <FormFaults form=form.clone() fields=own />
        <form class="narrow-form" method="post" action=format!("{path}/{TURN}#turn")>
            <p class="sub"><a href=href><code>{format!("{} {}", registration.id, registration.version)}</code></a>" · "{registration.title.clone()}</p>
            <input type="hidden" name="workflow_id" value=registration.id.to_string() />
            <Field name="why" label="Why" rows=2 value=reason error required=true max_length=Some(4096) />
            {registration.parameters.exposed.into_iter().map(|parameter| {
                let name = parameter.name.as_str();
                let told = values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                let value = form.value(&format!("p.{name}")).map(str::to_owned).or(told).unwrap_or_default();
                let error = form.error(name);
                view! { <Input parameter value error /> }
            }).collect_view()}
            <p class="sub">"Nothing runs yet: it gets its own ticket and awaits its decision, and who makes it does not approve it alone."</p>
            <p class="actions"><button class="btn primary" type="submit">"Make the recommendation"</button></p>
        </form>
    }
    .into_any()
}

#[component]
fn Input(parameter: Parameter, value: String, error: Option<String>) -> impl IntoView {
    let own = parameter.name.as_str().to_owned();
    let required = parameter.always_needed();
    let small = if required { "needed" } else { "optional" };
    let (kind, step) = match parameter.kind {
        ParameterType::Integer => ("number", Some("1".to_owned())),
        ParameterType::Number => ("number", Some("any".to_owned())),
        ParameterType::String | ParameterType::Boolean => ("text", None),
    };
    let (min, max) =
        (parameter.minimum.as_ref().map(ToString::to_string), parameter.maximum.as_ref().map(ToString::to_string));
    view! {
        <Field name=format!("p.{own}") label=own.clone() small value hint=hint(&parameter) error kind required choices=choices(&parameter)
            min max step max_length=parameter.max_length mono=true autocomplete="off" />
    }
    .into_any()
}
