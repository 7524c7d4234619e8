//! How the engine is: what `/readyz` knows, in words, with what to do.

use super::{Tab, Tabs};
use crate::{
    components::{Command, Equivalent, Mark, Notice, PageHead, Section, State, Tone, equivalent},
    error::sentence,
    icon::Icon,
    islands::CopyText,
    page::{Ask, Page},
    words::acts_elsewhere,
};
use domain::{
    identity::{Caller, Right},
    ports::{PreflightCheck, PreflightOutcome},
    services::{Answer, HealthView},
    time::human,
};
use leptos::prelude::*;

/// Asks for the health, and looks at the cluster itself where the address says so.
pub async fn page(ask: Ask) -> Answer<Page> {
    let health = ask.console.shell.health(&ask.caller).await?;
    let found = match ask.query.get("preflight") {
        Some(_) => Some(ask.console.shell.preflight(&ask.caller).await?),
        None => None,
    };
    let commands = equivalent::health(&health, &ask.console.public_url);
    Ok(Page::below("Cluster", cluster(health, found, ask.caller, commands)))
}

/// The page; `found` is what the preflight came to, where it was asked for.
pub fn cluster(
    health: HealthView,
    found: Option<Vec<PreflightCheck>>,
    caller: Caller,
    commands: Vec<Command>,
) -> AnyView {
    let looks = !health.cluster.sandbox && caller.may(Right::RunsControl);
    let ready = health.ready();
    let title = if ready { "Decisions and new runs are possible" } else { "New runs can't start" };
    let HealthView { cluster, database_ms, environment, namespace, kubeconfig_secret, approval_ttl_ms } = health;
    let state = |good: bool, yes: &'static str, no: &'static str| {
        if good {
            Mark { word: yes, icon: Icon::Check, tone: Tone::Ok }
        } else {
            Mark { word: no, icon: Icon::Cross, tone: Tone::Bad }
        }
    };
    let database = state(database_ms.is_some(), "Answers", "Does not answer");
    let engine = match &cluster.acting {
        Some(_) if cluster.ready => Mark { word: "Stands by", icon: Icon::Check, tone: Tone::Ok },
        _ => state(cluster.ready, "Ready", "Not ready"),
    };
    let acting = cluster.acting.as_deref().map(acts_elsewhere);
    let problems = cluster.problems.clone();
    view! {
        <PageHead title=title sub=|| "Runs that are under way go on, whatever stands here." />
        <Tabs here=Tab::Cluster caller />
        {(!problems.is_empty()).then(|| view! {
            <Section title=if cluster.ready { "What is missing, and runs go without" } else { "What stands in the way" }>
                {problems.into_iter().map(|problem| view! { <Notice tone=if cluster.ready { Tone::Wait } else { Tone::Bad }><p>{sentence(&problem)}</p></Notice> }).collect_view()}
            </Section>
        })}
        <Section title="The engine">
            <dl class="kv ruled">
                <dt>"Cluster"</dt>
                <dd><b>{cluster.name}</b>" "<span class="sub">{if cluster.sandbox { "the built-in sandbox: nothing here touches a real cluster" } else { "a real cluster" }}</span></dd>
                {environment.map(|word| view! { <dt>"Environment"</dt><dd>{word}</dd> })}
                <dt>"Watches and Tekton"</dt><dd><State of=engine />{acting.map(|words| view! { " "<span class="sub">{words}</span> })}</dd>
                <dt>"Kubernetes"</dt><dd>{cluster.version.unwrap_or_else(|| "not known yet".to_owned())}</dd>
                <dt>"Database"</dt>
                <dd><State of=database />{database_ms.map(|ms| view! { " "<span class="sub">{if ms == 0 { "at once".to_owned() } else { format!("in {}", human(ms)) }}</span> })}</dd>
                <dt>"Runs live in"</dt><dd>"namespace "<code>{namespace}</code></dd>
                <dt>"Playbooks reach the target"</dt>
                <dd>{match kubeconfig_secret {
                    Some(name) => view! { "by the Secret "<code>{name}</code> }.into_any(),
                    None => "by their pod's own account".into_any(),
                }}</dd>
                <dt>"An approval holds"</dt><dd>{human(approval_ttl_ms)}</dd>
            </dl>
        </Section>
        {looks.then(|| view! { <Preflight found /> })}
        <Equivalent commands />
    }
    .into_any()
}

/// Whether the cluster has all that runs need, part by part, each miss with what mends it.
#[component]
fn Preflight(found: Option<Vec<PreflightCheck>>) -> impl IntoView {
    let asked = found.is_some();
    let mark = |outcome: PreflightOutcome| match outcome {
        PreflightOutcome::Good => Mark { word: "Good", icon: Icon::Check, tone: Tone::Ok },
        PreflightOutcome::Note => Mark { word: "Note", icon: Icon::Info, tone: Tone::Idle },
        PreflightOutcome::Unknown => Mark { word: "Not known", icon: Icon::Question, tone: Tone::Wait },
        PreflightOutcome::Missing => Mark { word: "Missing", icon: Icon::Cross, tone: Tone::Bad },
    };
    view! {
        <Section title="Preflight" id="preflight">
            <p class="sub">"Looks at the cluster as the console: Tekton and its flags, definitions, rights, policies, storage, signatures. It changes nothing."</p>
            {found.map(|found| view! {
                <ul class="rows preflight">
                    {found.into_iter().map(|PreflightCheck { subject, outcome, words, mend }| view! {
                        <li>
                            <State of=mark(outcome) />
                            <div>
                                <b>{subject}</b>": "{words}
                                {mend.map(|line| view! { <p><code>{line.clone()}</code>" "<CopyText text=line what="command" /></p> })}
                            </div>
                        </li>
                    }).collect_view()}
                </ul>
            })}
            <p class="actions"><a class="btn" href="/settings/cluster?preflight=1#preflight">{if asked { "Look again" } else { "Look at the cluster" }}</a></p>
        </Section>
    }
    .into_any()
}
