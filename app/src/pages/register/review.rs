//! Beside the form: whether it can be registered, what a model would see, what would run, and how it compares with the version
//! that it follows. All of it is taken over anew while somebody types, so no field stands here.

use super::places::{Places, control};
use crate::{
    components::{Notice, Tone},
    error::sentence,
    icon::{Glyph, Icon},
    islands::CopyText,
    pages::playbook::{Alterations, Schema, rule},
    words::number,
};
use domain::{
    fault::Fault,
    playbook::{Parameter, Reach, Registration},
    services::{BaseView, Review},
};
use leptos::prelude::*;
use serde_json::Value;

/// Both panels.
#[component]
pub fn Beside(review: Option<Review>, places: Places) -> impl IntoView {
    let Some(Review { faults, draft, registered, base }) = review else {
        return view! {
            <div class="beside" id="review" data-checked>
                <aside class="ticket preview" aria-labelledby="seen-title">
                    <header><h2 id="seen-title">"What the model will see"</h2></header>
                    <div><p class="sub">"Begin to type, or press Check: what a model is shown of this playbook, and what would run, appears here.
                        Nothing is stored by that."</p></div>
                </aside>
            </div>
        }
        .into_any();
    };
    view! {
        <div class="beside" id="review" data-checked>
            <aside class="ticket preview" aria-labelledby="standing-title">
                <header><h2 id="standing-title">"Before it is registered"</h2></header>
                <div class="standing-of-it" role="status"><Standing faults places registered /></div>
                {base.map(|base| view! { <Since base /> })}
            </aside>
            {draft.clone().map(|draft| view! {
                <aside class="ticket preview" aria-labelledby="seen-title">
                    <header><h2 id="seen-title">"What the model will see"</h2></header>
                    <Seen registration=draft.registration />
                    <div class="folds"><Schema schema=draft.schema /></div>
                </aside>
            })}
            {draft.map(|draft| view! { <Runs pipeline_run=draft.pipeline_run /> })}
        </div>
    }
    .into_any()
}

/// Title, description, and each parameter with its rule.
#[component]
fn Seen(registration: Registration) -> impl IntoView {
    let hidden = registration.parameters.hidden.len();
    let hidden = match hidden {
        0 => None,
        1 => Some("One hidden parameter: a model sees neither its name nor its value.".to_owned()),
        n => {
            let count = sentence(&number(i64::try_from(n).unwrap_or(i64::MAX)));
            Some(format!("{} hidden parameters: a model sees neither names nor values.", count.trim_end_matches('.')))
        }
    };
    let exposed = registration.parameters.exposed;
    view! {
        <div><h3>{registration.title}</h3><p class="sub seen-text">{registration.description}</p></div>
        <div>
            {if exposed.is_empty() {
                view! { <p class="sub">"No parameters: it runs as it is registered."</p> }.into_any()
            } else {
                view! { <dl class="seen">{exposed.iter().map(|p| view! {
                    <div><dt><code>{p.name.to_string()}</code></dt><dd>{short_rule(p)}</dd></div>
                }).collect_view()}</dl> }.into_any()
            }}
            {hidden.map(|words| view! { <p class="sub seen-hidden">{words}</p> })}
        </div>
    }
    .into_any()
}

/// The rule of a parameter in a few words.
fn short_rule(parameter: &Parameter) -> String {
    let words = match (parameter.allowed.len(), rule(parameter).into_iter().next()) {
        (n @ 4.., _) => format!("one of {n}"),
        (_, Some(first)) if parameter.pattern.is_none() || !parameter.allowed.is_empty() => first,
        _ => parameter.kind.to_string(),
    };
    if parameter.always_needed() { words } else { format!("{words}, optional") }
}

#[component]
fn Standing(faults: Vec<Fault>, places: Places, registered: bool) -> impl IntoView {
    if faults.is_empty() {
        let words = if registered {
            "The very same is registered already. Registering it again changes nothing."
        } else {
            "Nothing stands in the way of registering it."
        };
        return view! { <Notice tone=Tone::Ok><p>{words}</p></Notice> }.into_any();
    }
    let (missing, rest) = places.missing(&faults);
    let rest: Vec<Fault> = rest.into_iter().cloned().collect();
    view! {
        {(!missing.is_empty()).then(|| {
            let last = missing.len() - 1;
            view! {
                <Notice tone=Tone::Idle><p>"Still to fill in: "
                    {missing.into_iter().enumerate().map(|(at, (label, field))| view! {
                        <a href=format!("#{}", control(&field))>{label}</a>{if at == last { "." } else { ", " }}
                    }).collect_view()}
                </p></Notice>
            }
        })}
        {(!rest.is_empty()).then(|| view! { <FaultList faults=rest places=places.clone() /> })}
    }
    .into_any()
}

/// Faults, each by the name that the form has for its place, beside the name that programs know.
#[component]
pub fn FaultList(faults: Vec<Fault>, places: Places) -> impl IntoView {
    view! {
        <ul class="faults">
            {faults.into_iter().map(|fault| {
                let href = places.field(&fault.pointer).map(|field| format!("#{}", control(&field)));
                let pointer = fault.pointer.clone();
                let label = places.label(&pointer).unwrap_or_else(|| "The document".to_owned());
                view! {
                    <li class="note bad"><Glyph of=Icon::Cross /><div>
                        {match href {
                            Some(href) => view! { <a href=href>{label}</a> }.into_any(),
                            None => view! { {label} }.into_any(),
                        }}
                        {(!pointer.is_empty()).then(|| view! { " "<span class="sub">"("<code>{pointer.clone()}</code>")"</span> })}
                        ": "{sentence(&fault.message)}
                    </div></li>
                }
            }).collect_view()}
        </ul>
    }
    .into_any()
}

/// What changes since the version that it follows.
#[component]
fn Since(base: BaseView) -> impl IntoView {
    let BaseView { id, version, renamed, comparison, proposed, enough, .. } = base;
    let href = format!("/catalog/{id}?version={}", crate::pages::playbook::encode(&version.to_string()));
    if renamed {
        return view! {
            <div><p class="sub">"It starts from "<a href=href>{format!("{id} {version}")}</a>" and becomes a playbook of its own, with its own versions."</p></div>
        }
        .into_any();
    }
    let reach = comparison.reach();
    let verdict = match reach {
        None => "Nothing changed yet.".to_owned(),
        Some(Reach::Breaking) => format!("A breaking change: what was stored for {version} may not fit any more."),
        Some(Reach::Compatible) => format!("A compatible change: whatever fits {version} fits this, too."),
        Some(Reach::Patch) => "Only words and the image change: a patch.".to_owned(),
    };
    let tone = match reach {
        Some(Reach::Breaking) => Tone::Wait,
        Some(_) => Tone::Ok,
        None => Tone::Idle,
    };
    let small = reach.is_some() && !enough;
    let action = format!("version.{proposed}");
    view! {
        <div class="since">
            <h3>"Since "<a href=href>{version.to_string()}</a></h3>
            <Notice tone><p>{verdict}</p></Notice>
            {small.then(|| view! {
                <p class="since-version">{format!("Its version should be {proposed} or later.")}" "
                    <button class="btn small" type="submit" form="register" name="action" value=action formaction="/catalog/new"
                        data-takes="identity">{format!("Use {proposed}")}</button></p>
            })}
            <Alterations alterations=comparison.alterations />
        </div>
    }
    .into_any()
}

/// What would run.
#[component]
fn Runs(pipeline_run: Value) -> impl IntoView {
    if pipeline_run.is_null() {
        return ().into_any();
    }
    let yaml = serde_norway::to_string(&pipeline_run).unwrap_or_default();
    view! {
        <aside class="ticket preview" aria-labelledby="runs-title">
            <header><h2 id="runs-title">"What would run"</h2></header>
            <div class="folds">
                <details>
                    <summary>"PipelineRun"</summary>
                    <p class="sub">"As it would be built, with example values; the digest of a run ticket stands as zeros. "
                        <CopyText text=yaml.clone() what="PipelineRun" /></p>
                    <pre class="code" tabindex="0" role="region" aria-label="PipelineRun">{yaml}</pre>
                </details>
            </div>
        </aside>
    }
    .into_any()
}
