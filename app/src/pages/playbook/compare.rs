//! Two versions beside each other: the changes in words, each with how far it reaches, and the documents line by line.

use crate::{
    components::{Field, LineDiff, Notice, Section, Select, Tone},
    icon::{Glyph, Icon},
    pages::register::text::{self, Syntax},
};
use domain::{
    playbook::{Alteration, Comparison, Reach, Registration},
    ports::PlaybookRecord,
};
use leptos::prelude::*;

/// The indexes of the two versions that `1.0.0..1.1.0` names; none where one of them is not there.
pub fn pair(versions: &[PlaybookRecord], compare: &str) -> Option<(usize, usize)> {
    let find = |text: &str| versions.iter().position(|record| record.registration.version.to_string() == text);
    // A version has dots of its own, but never two beside each other.
    let (old, new) = compare.split_once("..")?;
    Some((find(old)?, find(new)?))
}

/// Which two, and what differs.
#[component]
pub fn Compare(versions: Vec<PlaybookRecord>, pair: Option<(usize, usize)>, selected: usize) -> impl IntoView {
    if versions.len() < 2 {
        return ().into_any();
    }
    let texts: Vec<String> = versions.iter().map(|record| record.registration.version.to_string()).collect();
    let last = versions.len() - 1;
    let (old, new) = pair.unwrap_or_else(|| if selected < last { (selected + 1, selected) } else { (last, 0) });
    let (before, after) = (texts[old].clone(), texts[new].clone());
    let current = texts[selected].clone();
    let found = pair.map(|(old, new)| (versions[old].registration.clone(), versions[new].registration.clone()));
    view! {
        <div id="compare">
            <Section title="Compare two versions">
                <form class="compare-form" method="get" action="#compare">
                    <input type="hidden" name="version" value=current />
                    <Field name="old" label="From" value=before choices=Select::same(texts.clone()) />
                    <Field name="new" label="To" value=after choices=Select::same(texts) />
                    <button class="btn" type="submit">"Compare"</button>
                </form>
                {found.map(|(old, new)| view! { <Differences old new /> })}
            </Section>
        </div>
    }
    .into_any()
}

#[component]
fn Differences(old: Registration, new: Registration) -> impl IntoView {
    let comparison = Comparison::of(&old, &new);
    let (before, after) = (old.version.to_string(), new.version.to_string());
    let words = match comparison.reach() {
        None => format!("{before} and {after} say the same."),
        Some(Reach::Breaking) => format!("Breaking: what was stored for {before} may not fit {after}."),
        Some(Reach::Compatible) => format!("Compatible: whatever fits {before} fits {after}, too."),
        Some(Reach::Patch) => format!("Only words and the image differ between {before} and {after}."),
    };
    let tone = match comparison.reach() {
        Some(Reach::Breaking) => Tone::Wait,
        Some(_) => Tone::Ok,
        None => Tone::Idle,
    };
    let write = |registration: &Registration| {
        text::write(&serde_json::to_value(registration).unwrap_or_default(), Syntax::Json)
    };
    let label = format!("Lines that differ from {before} to {after}");
    view! {
        <Notice tone><p>{words}</p></Notice>
        <Alterations alterations=comparison.alterations />
        <LineDiff old=write(&old) new=write(&new) label />
    }
    .into_any()
}

/// The changes in words, breaking ones first.
#[component]
pub fn Alterations(alterations: Vec<Alteration>) -> impl IntoView {
    if alterations.is_empty() {
        return ().into_any();
    }
    view! {
        <ul class="alterations">
            {alterations.into_iter().map(|Alteration { subject, named, reach, words }| {
                let (icon, class) = match reach {
                    Reach::Breaking => (Icon::Warn, "wait"),
                    Reach::Compatible => (Icon::Check, "ok"),
                    Reach::Patch => (Icon::Bar, "idle"),
                };
                view! {
                    <li>
                        <span class=format!("state {class}")><Glyph of=icon />{reach.word()}</span>
                        <p>{if named { view! { <code>{subject}</code> }.into_any() } else { view! { <b>{subject}</b> }.into_any() }}" "{words}</p>
                    </li>
                }
            }).collect_view()}
        </ul>
    }
    .into_any()
}
