//! The action registry: which types of actions steps may have, what each takes, and the image that does it.

use crate::{
    components::{Empty, Notice, PageHead, Section, Tone},
    page::{Ask, Page},
};
use domain::{
    playbook::actions::{ActionRegistry, ActionType, BadContract, CONFIG_MAP},
    services::Answer,
};
use leptos::prelude::*;

/// Asks for the registry.
pub async fn page(ask: Ask) -> Answer<Page> {
    let registry = ask.console.catalog.actions(&ask.caller).await?;
    Ok(Page::below("Action types", actions(registry)))
}

/// The page; none where no registry is configured.
pub fn actions(registry: Option<ActionRegistry>) -> AnyView {
    let Some(ActionRegistry { actions, bad }) = registry else {
        return view! {
            <PageHead title="Action types" />
            <Empty title="No registry is configured">
                <p>"Steps may have any action type. With a ConfigMap "<code>{CONFIG_MAP}</code>" in the console's namespace only those that it lists."</p>
            </Empty>
        }
        .into_any();
    };
    let none = actions.is_empty();
    view! {
        <PageHead title="Action types" sub=|| "What steps of a WorkflowExecution may do. Others are refused." />
        {bad.into_iter().map(|bad| view! { <Bad bad /> }).collect_view()}
        {none.then(|| view! { <Empty title="The registry is empty"><p>"No step is accepted."</p></Empty> })}
        {actions.into_iter().map(|action| view! { <Contract action /> }).collect_view()}
    }
    .into_any()
}

/// A key that holds no contract.
#[component]
fn Bad(bad: BadContract) -> impl IntoView {
    let BadContract { key, faults } = bad;
    view! {
        <Notice tone=Tone::Bad>
            <p>"The key "<code>{key}</code>" holds no contract, and allows nothing:"</p>
            <ul class="plain">{faults.into_iter().map(|fault| view! { <li>{fault.to_string()}</li> }).collect_view()}</ul>
        </Notice>
    }
    .into_any()
}

#[component]
fn Contract(action: ActionType) -> impl IntoView {
    let ActionType { action_type, version, description, image, inputs, outputs, repeatable } = action;
    let (takes, reports) = (format!("What {action_type} takes"), format!("What {action_type} reports"));
    view! {
        <Section title=action_type>
            <p>{description}</p>
            <dl class="kv ruled">
                <dt>"Contract"</dt><dd>{version}</dd>
                <dt>"Image"</dt><dd><code>{image.to_string()}</code></dd>
                {repeatable.map(|words| view! { <dt>"May be repeated"</dt><dd>{words}</dd> })}
            </dl>
            <details class="schema">
                <summary>"What it takes"</summary>
                <pre class="code" tabindex="0" role="region" aria-label=takes>{format!("{inputs:#}")}</pre>
            </details>
            {(!outputs.is_null()).then(|| view! {
                <details class="schema">
                    <summary>"What it reports"</summary>
                    <pre class="code" tabindex="0" role="region" aria-label=reports>{format!("{outputs:#}")}</pre>
                </details>
            })}
        </Section>
    }
    .into_any()
}
