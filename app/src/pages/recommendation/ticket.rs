//! The run ticket: exactly what would run (or ran), value by value with where each comes from, and the digest that a decision
//! binds to.

pub use crate::components::Image;

use crate::{
    components::{DigestId, Faults, Notice, Signatures, State, TableBox, Tone, equivalent, plain},
    error::sentence,
    islands::{CopyOf, CopyText},
    words::number,
};
use domain::{
    decision::Verb,
    json::diff::Change,
    playbook::values::{EnvEntry, EnvSource, EnvValue},
    policy::Grant,
    recommendation::RecommendationState,
    services::{RecommendationView, TicketView},
    ticket::Plan,
    time::human,
    workflow::Step,
};
use leptos::prelude::*;
use serde_json::Value;

/// The upper part of the aside.
#[component]
pub fn Ticket(view: RecommendationView) -> impl IntoView {
    let open = view.recommendation.state == RecommendationState::Open;
    let rejected = !open && view.decisions.last().is_some_and(|last| last.verb == Verb::Reject);
    match view.ticket {
        Some(ticket) => view! {
            <Whole ticket have=view.have need=view.need />
            {rejected.then(|| view! {
                <div class="stamp"><State of=Verb::Reject /><span class="sub">"This is the ticket as it was rejected. It never ran."</span></div>
            })}
        }
        .into_any(),
        None => view! {
            <header><h2 id="ticket-title">"Run ticket"</h2></header>
            <div>
                <p>{match (open, rejected) {
                    (true, _) => "There is none: this strategy can't run. Look at another one, or reject it; only a new recommendation can mend it.",
                    (false, true) => "There is none: the rejection named no ticket.",
                    (false, false) => "There is none: nothing was approved.",
                }}</p>
                <Faults faults=view.ticket_faults named=true />
            </div>
        }
        .into_any(),
    }
}

/// A ticket in full. The run page may show it too.
#[component]
pub fn Whole(ticket: TicketView, have: u32, need: u32) -> impl IntoView {
    let TicketView { digest, content, canonical, name, changes, warnings, pipeline_run, .. } = ticket.clone();
    view! {
        <header>
            <h2 id="ticket-title">"Run ticket"</h2>
            <DigestId of=digest />
        </header>
        <div>
            {match content.plan {
                Plan::Playbook { parameters, .. } => view! { <Parameters parameters changes /> }.into_any(),
                Plan::Steps { steps, .. } => view! { <Steps steps /> }.into_any(),
            }}
            {warnings.into_iter().map(|text| view! { <Notice tone=Tone::Wait><p>{text}</p></Notice> }).collect_view()}
        </div>
        <Terms ticket have need />
        <div class="folds">
            <Rendered name pipeline_run id="ticket-pipelinerun".to_owned() />
            <details>
                <summary>"Canonical text"</summary>
                <p class="sub">"RFC 8785; its SHA-256 is the ticket's digest. "<CopyOf of="ticket-canonical".to_owned() what="canonical text" /></p>
                <pre class="code wrap" id="ticket-canonical" tabindex="0">{canonical}</pre>
            </details>
        </div>
    }
    .into_any()
}

/// How it would run, beside the values: the image and who signed it, as whom, where, how long, under which policy.
#[component]
pub fn Terms(
    ticket: TicketView,
    have: u32,
    need: u32,
    /// Whether the ticket is named here too, where it has no heading.
    #[prop(optional)]
    named: bool,
) -> impl IntoView {
    let TicketView { digest, content, images, ruling, .. } = ticket;
    let policy = &content.policy;
    let people = match policy.approvals {
        1 => "one person approves".to_owned(),
        n => format!("{} different people approve", number(i64::from(n))),
    };
    let people = match policy.grant {
        Some(Grant::Automatic) => format!("it runs by itself, or {people}"),
        _ => people,
    };
    let retries = match content.retry_count {
        0 => "no retries".to_owned(),
        1 => "1 retry".to_owned(),
        n => format!("{n} retries"),
    };
    let limits = format!("{}, {retries}", human(i64::try_from(content.timeout_ms).unwrap_or(i64::MAX)));
    let given = match have {
        0 => "nobody has yet".to_owned(),
        have if have >= need => "done".to_owned(),
        1 => "one has".to_owned(),
        have => format!("{} have", number(i64::from(have))),
    };
    let never = policy.grant == Some(Grant::Never);
    let policy_words = if never { "nobody may approve it".to_owned() } else { format!("{people}, {given}") };
    let policy_name = match &policy.rule {
        Some(rule) => format!("(policy {}, version {}, rule {rule})", policy.id, policy.version),
        None => format!("(policy {}, version {})", policy.id, policy.version),
    };
    // While it can be decided the policy says it in its own words.
    let said = ruling.map(|ruling| {
        let stands = if never { String::new() } else { format!(" {}", sentence(&given)) };
        (format!("{}{stands}", ruling.explanation()), ruling.conditions())
    });
    let image = match &content.plan {
        Plan::Playbook { image, .. } => Some(image.clone()),
        Plan::Steps { .. } => None,
    };
    view! {
        <dl class="kv">
            {named.then(|| view! { <dt>"Ticket"</dt><dd><DigestId of=digest /></dd> })}
            {image.map(|image| view! { <dt>"Image"</dt><dd><Image image /></dd> })}
            <dt>"Signature"</dt><dd><Signatures images /></dd>
            <dt>"Runs as"</dt><dd><code>{content.service_account}</code></dd>
            {content.kubeconfig_secret.map(|name| view! { <dt>"Kubeconfig"</dt><dd>"Secret "<code>{name}</code></dd> })}
            <dt>"Where"</dt><dd>{content.cluster}" / "{content.namespace}</dd>
            <dt>"Limits"</dt><dd>{limits}</dd>
            <dt>"Policy"</dt><dd>{match said {
                Some((words, conditions)) => view! {
                    {words}
                    {conditions.into_iter().map(|text| view! { <p class="sub">{sentence(&text)}</p> }).collect_view()}
                }
                .into_any(),
                None => view! { {policy_words}" "<span class="sub">{policy_name}</span> }.into_any(),
            }}</dd>
        </dl>
    }
    .into_any()
}

/// The values that the container gets.
#[component]
pub fn Parameters(parameters: Vec<EnvEntry>, changes: Vec<Change>) -> impl IntoView {
    if parameters.is_empty() {
        return view! { <p class="sub">"It takes no parameters."</p> }.into_any();
    }
    view! {
        <table class="values">
            <caption class="vh">"Parameters, and where each value comes from"</caption>
            <thead class="vh"><tr><th scope="col">"Parameter"</th><th scope="col">"Value"</th></tr></thead>
            <tbody>
                {parameters.into_iter().map(|entry| {
                    let before = (entry.source == EnvSource::Operator).then(|| replaced(&changes, entry.name.as_str()));
                    let (from, by_operator) = source(entry.source);
                    let value = match entry.value {
                        EnvValue::Text(text) if text.is_empty() => view! { <i>"empty"</i> }.into_any(),
                        EnvValue::Text(text) => view! { {text} }.into_any(),
                        EnvValue::Secret { name, key } => view! { "Secret "<code>{format!("{name}/{key}")}</code> }.into_any(),
                    };
                    view! {
                        <tr>
                            <th scope="row">{breakable(entry.name.as_str())}</th>
                            <td>
                                {before.flatten().map(|text| view! { <span class="vh">"the model said "</span><del>{text}</del>" → " })}
                                {if by_operator { view! { <ins>{value}</ins> }.into_any() } else { value }}
                                " "<span class="from" class:op=by_operator>{from}</span>
                            </td>
                        </tr>
                    }
                }).collect_view()}
            </tbody>
        </table>
    }
    .into_any()
}

/// A name that may break after its underscores, and only there.
fn breakable(name: &str) -> impl IntoView + use<> {
    name.split_inclusive('_').map(|part| view! { {part.to_owned()}<wbr /> }).collect_view()
}

const fn source(source: EnvSource) -> (&'static str, bool) {
    match source {
        EnvSource::Model => ("model", false),
        EnvSource::Proposal => ("proposal", false),
        EnvSource::Operator => ("operator", true),
        EnvSource::Default => ("default", false),
        EnvSource::Registration => ("registration", false),
    }
}

/// What the model had said in place of an operator's value.
fn replaced(changes: &[Change], name: &str) -> Option<String> {
    let change = changes.iter().find(|c| c.pointer.rsplit('/').next() == Some(name))?;
    change.before.as_ref().map(plain)
}

#[component]
fn Steps(steps: Vec<Step>) -> impl IntoView {
    view! {
        <ol class="steps">
            {steps.into_iter().map(|step| {
                let after = step.run_after.join(", ");
                let inputs = format!("Inputs of {}", step.name);
                view! {
                    <li>
                        <p><b>{step.name}</b>" "<span class="sub">{step.action_type}</span></p>
                        {(!after.is_empty()).then(|| view! { <p class="sub">"after "{after}</p> })}
                        <p><Image image=step.image /></p>
                        {(!step.inputs.is_empty()).then(|| view! {
                            <TableBox label=inputs>
                                <dl class="kv">{step.inputs.iter().map(|(k, v)| view! { <dt><code>{k.clone()}</code></dt><dd>{plain(v)}</dd> }).collect_view()}</dl>
                            </TableBox>
                        })}
                        {step.uses_workspace.then(|| view! { <p class="sub">"gets the shared workspace"</p> })}
                    </li>
                }
            }).collect_view()}
        </ol>
    }
    .into_any()
}

/// The PipelineRun as it would be applied, with the way to look at it in the cluster.
#[component]
pub fn Rendered(
    name: String,
    pipeline_run: Value,
    /// The id of its text.
    id: String,
) -> impl IntoView {
    let yaml = serde_norway::to_string(&pipeline_run).unwrap_or_else(|_| pipeline_run.to_string());
    let namespace = pipeline_run.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("default");
    let command = equivalent::of_ticket(&name, namespace);
    view! {
        <details>
            <summary>"PipelineRun"</summary>
            <p class="sub">"As it is applied. "<CopyOf of=id.clone() what="PipelineRun" /></p>
            <pre class="code" id=id tabindex="0">{yaml}</pre>
            {command.map(|line| view! {
                <p class="sub">"Once it runs: "<code>{line.clone()}</code>" "<CopyText text=line what="command" /></p>
            })}
        </details>
    }
    .into_any()
}
