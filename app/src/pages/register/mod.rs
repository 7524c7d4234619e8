//! Registering a playbook: by a form, or by its JSON or YAML; one becomes the other without loss. All of it works without
//! JavaScript: what was typed stays, and what is wrong is told at its field, by its label and by its pointer. With it the
//! server judges while somebody types.

mod fields;
mod form;
mod lists;
mod parameters;
mod places;
mod read;
mod review;
pub(crate) mod text;
mod turn;
mod write;

pub use fields::{SAME, from};
pub use read::{Reading, read};
pub use turn::turn;
pub use write::fields as as_fields;

use crate::{
    components::{Field, Notice, PageHead, Tone},
    context::FormOutcome,
    error::sentence,
    islands::{DropFile, LiveForm},
    page::{Ask, Crumb, Page},
};
use domain::{
    identity::Right,
    playbook::{PlaybookId, Reach, Version, proposed},
    services::{Answer, Review, ServiceError},
};
use fields::{AS, CAME_BACK, DOCUMENT, FROM, Fields, PASTE};
use form::ByForm;
use leptos::prelude::*;
use places::Places;
use review::{Beside, FaultList};
use text::Syntax;

/// The code of an outcome that came from checking while somebody types.
pub const CHECKED: &str = "checked";
/// The code of an outcome where a button changed what is shown, and nothing else.
pub const TURNED: &str = "turned";
/// The code of an outcome without faults, where nothing was to be stored.
pub const VALIDATED: &str = "validated";

/// The code of an outcome where nothing but the number of the version differs from what it started from.
const UNCHANGED: &str = "unchanged";

/// Which of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Form,
    Document(Syntax),
}

impl Way {
    fn of(fields: &Fields) -> Self {
        if fields.iter().any(|(name, _)| name == DOCUMENT) {
            Self::Document(fields::value(fields, AS).and_then(Syntax::from_name).unwrap_or(Syntax::Json))
        } else {
            Self::Form
        }
    }
}

/// The version that a form starts from, as it is named in it.
pub fn base(fields: &Fields) -> Option<(PlaybookId, Version)> {
    let (id, version) = from(fields)?.split_once('@')?;
    Some((id.parse().ok()?, version.parse().ok()?))
}

/// Shows the form, with what was typed and what follows from it.
pub async fn page(ask: Ask) -> Answer<Page> {
    ask.caller.require(Right::CatalogWrite)?;
    let mut form = ask.form.clone();
    form.fields = fields::normal(&form.fields);
    if form.fields.is_empty() {
        form.fields = start(&ask).await?;
    }
    let Reading { document, mut faults } = read(&form.fields);
    // How it is shown says nothing yet.
    let said = |(name, value): &(String, String)| ![AS, FROM].contains(&name.as_str()) && !value.trim().is_empty();
    let review = if !form.fields.iter().any(said) {
        None
    } else if document.is_object() {
        let review = ask.console.catalog.review(&ask.caller, &document, base(&form.fields)).await?;
        faults.extend(review.faults.iter().cloned());
        Some(Review { faults, ..review })
    } else {
        Some(Review { faults, ..Review::default() })
    };
    let crumbs = base(&form.fields).map(|(id, _)| Crumb { href: format!("/catalog/{id}"), name: id.to_string() });
    let body = register(form, review);
    Ok(Page { crumbs: crumbs.into_iter().collect(), ..Page::below("Register a playbook", body) })
}

/// What a fresh form begins with: the version that it starts from, or an empty document, or nothing.
async fn start(ask: &Ask) -> Answer<Vec<(String, String)>> {
    let Some(from) = ask.query.text("from") else {
        let wanted = ask.query.get("as").map(|word| Syntax::from_name(word).unwrap_or(Syntax::Json));
        let empty =
            |syntax: Syntax| vec![(DOCUMENT.to_owned(), String::new()), (AS.to_owned(), syntax.name().to_owned())];
        return Ok(wanted.map(empty).unwrap_or_default());
    };
    let (id, version) = from.split_once('@').map_or((from.as_str(), None), |(id, version)| (id, Some(version)));
    let id = id.parse::<PlaybookId>().map_err(|_| ServiceError::NotFound("playbook"))?;
    let catalog = &ask.console.catalog;
    let record = match version.map(str::parse::<Version>) {
        Some(Ok(version)) => catalog.version(&ask.caller, &id, &version).await?,
        Some(Err(_)) => return Err(ServiceError::NotFound("version of this playbook")),
        None => catalog.newest(&ask.caller, &id).await?,
    };
    let taken = catalog.playbook(&ask.caller, &id).await?.versions;
    let taken: Vec<Version> = taken.into_iter().map(|record| record.registration.version).collect();
    let old = record.registration.version.clone();
    let next = proposed(&old, Reach::Compatible, &taken);
    let mut document = serde_json::to_value(&record.registration).unwrap_or_default();
    document["version"] = next.to_string().into();
    // What a form can't hold is shown as the document that it is.
    let mut fields = as_fields(&document).unwrap_or_else(|| {
        vec![
            (DOCUMENT.to_owned(), text::write(&document, Syntax::Json)),
            (AS.to_owned(), Syntax::Json.name().to_owned()),
        ]
    });
    fields.push((FROM.to_owned(), format!("{id}@{old}")));
    Ok(fields)
}

/// Whether somebody who starts from a version has still to be asked before it is registered under another number: not once they have
/// said so of that very version.
pub fn to_be_asked(fields: &Fields) -> bool {
    from(fields).is_some() && from(fields) != fields::value(fields, SAME)
}

/// Whoever would register the same under another number is asked first.
pub fn ask(review: &Review) -> Answer<()> {
    match review.repeats() {
        None => Ok(()),
        Some(base) => Err(ServiceError::Conflict {
            code: UNCHANGED,
            detail: format!(
                "nothing differs from {} but the number of the version: change something, or press Register again to register it all the same",
                base.version
            ),
            differences: Vec::new(),
        }),
    }
}

/// The page.
pub fn register(form: FormOutcome, review: Option<Review>) -> AnyView {
    let way = Way::of(&form.fields);
    let places = Places::new(&form);
    let validated = form.code == VALIDATED;
    // What was sent as a whole came back: from then on all faults are told, also while somebody types.
    let sent = validated || form.message.is_some() || (!form.faults.is_empty() && form.code != CHECKED);
    let came_back = sent || form.value(CAME_BACK).is_some();
    let from = form.value(FROM).map(str::to_owned);
    let same = from.clone().filter(|_| form.code == UNCHANGED);
    view! {
        <div class="two register">
            <div>
                <PageHead title="Register a playbook" sub=move || "One playbook is one remedy. A registered version never changes; register the next one instead." />
                <form id="register" method="post" action="/catalog/new" novalidate data-check="/catalog/new/check" data-came-back=came_back>
                    // Enter in a field presses the first button of a form: this one.
                    <button class="vh" type="submit" name="action" value="validate" tabindex="-1" aria-hidden="true">"Check"</button>
                    {from.map(|from| view! { <input type="hidden" name=FROM value=from /> })}
                    {same.map(|same| view! { <input type="hidden" name=SAME value=same /> })}
                    {came_back.then(|| view! { <input type="hidden" name=CAME_BACK value="1" /> })}
                    <Ways way pasted=fields::value(&form.fields, PASTE).unwrap_or_default().to_owned() />
                    <div id="outcome" data-checked><Outcome form=form.clone() places=places.clone() validated sent came_back /></div>
                    {match way {
                        Way::Form => view! { <ByForm form places=places.clone() /> }.into_any(),
                        Way::Document(syntax) => view! { <ByDocument form syntax /> }.into_any(),
                    }}
                    <p class="actions end">
                        <button class="btn" type="submit" name="action" value="validate">"Check"</button>
                        <button class="btn primary" type="submit" name="action" value="register">"Register"</button>
                    </p>
                </form>
                <LiveForm form="register".to_owned() />
            </div>
            <Beside review places />
        </div>
    }
    .into_any()
}

/// The switch between the form and its document: everything typed goes along.
#[component]
fn Ways(way: Way, pasted: String) -> impl IntoView {
    let ways = [("form", "Form", way == Way::Form)]
        .into_iter()
        .chain(Syntax::ALL.map(|syntax| (syntax.name(), syntax.word(), way == Way::Document(syntax))));
    let open = !pasted.is_empty();
    view! {
        <div class="ways" role="group" aria-label="Shown as">
            {ways.map(|(name, word, here)| view! {
                <button class="way" type="submit" name="action" value=format!("as.{name}") aria-pressed=here.to_string()>{word}</button>
            }).collect_view()}
        </div>
        {(way == Way::Form).then(|| view! {
            <details class="paste" open=open>
                <summary class="sub">"Paste or drop JSON or YAML"</summary>
                <Field name=PASTE label="Registration" small="JSON or YAML; it takes the place of what is in the form" rows=8 mono=true value=pasted />
                <p class="actions"><button class="btn small" id="take-paste" type="submit" name="action" value="as.form">"Fill the form from it"</button></p>
            </details>
            <p class="sub drop-line"><DropFile text="f-paste".to_owned() button="take-paste".to_owned() /></p>
        })}
    }
    .into_any()
}

/// What became of it: faults with their labels and pointers, each leading to its field, or that all is well.
#[component]
fn Outcome(form: FormOutcome, places: Places, validated: bool, sent: bool, came_back: bool) -> impl IntoView {
    if validated {
        return view! {
            <div class="form-fine" role="status">
                <Notice tone=Tone::Ok><p>"All checks passed. Nothing was stored: press Register to store it."</p></Notice>
            </div>
        }
        .into_any();
    }
    if !came_back || (form.message.is_none() && form.faults.is_empty()) {
        return ().into_any();
    }
    let message = form.message.clone().map_or_else(
        || match form.faults.len() {
            1 => "One thing to mend before this can be registered. Nothing was stored.".to_owned(),
            n => format!("{n} things to mend before this can be registered. Nothing was stored."),
        },
        |message| sentence(&message),
    );
    view! {
        <div class="form-faults" role=sent.then_some("alert")>
            <Notice tone=Tone::Bad><p>{message}</p></Notice>
            <FaultList faults=form.faults.clone() places />
            {(!form.differences.is_empty()).then(|| view! {
                <crate::components::Changes changes=form.differences.clone() caption="What differs from what is registered" />
            })}
        </div>
    }
    .into_any()
}

#[component]
fn ByDocument(form: FormOutcome, syntax: Syntax) -> impl IntoView {
    let text = form.value(DOCUMENT).unwrap_or_default().to_owned();
    let rows = u16::try_from(text.lines().count()).unwrap_or(u16::MAX).clamp(18, 40);
    let faults = form.faults.iter().map(|fault| sentence(&fault.message)).collect::<Vec<_>>();
    let error = faults.first().map(|first| match faults.len() {
        1 => first.clone(),
        n => format!("{first} And {} more.", n - 1),
    });
    view! {
        <input type="hidden" name=AS value=syntax.name() />
        <Field name=DOCUMENT label="Registration" small="JSON or YAML" value=text rows mono=true error=error
            hint="workflow_id, version, title, description, container_image, parameters {exposed, hidden}, labels, execution, outputs" />
        <p class="sub drop-line"><DropFile text="f-document".to_owned() button="take-document".to_owned() /></p>
        <button class="vh" id="take-document" type="submit" name="action" value="as.form" tabindex="-1" aria-hidden="true">"Fill the form from it"</button>
    }
    .into_any()
}

#[cfg(test)]
mod tests;
