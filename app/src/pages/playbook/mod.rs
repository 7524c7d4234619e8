//! A playbook: what one version says and does, what a model sees of it, how it has done, its other versions, and two of them
//! beside each other.

mod compare;
mod facts;
mod parameters;
mod versions;

pub use compare::Alterations;
pub use parameters::{Exposed, Schema, rule};

use crate::{
    components::{
        Chip, Empty, Equivalent, Id, Mark, Notice, PageHead, Prose, RunRow, Scale, Section, State, Tone, equivalent,
    },
    context::FormOutcome,
    page::{self, Ask, Page},
    pages::catalog::label_words,
    query::Query,
};
use compare::Compare;
use domain::{
    execution::ExecutionLine,
    identity::Right,
    playbook::{Labels, PlaybookId, Registration, Version, schema},
    ports::{PlaybookRecord, PlaybookStatus},
    services::{Answer, PlaybookView, ServiceError},
    time::Timestamp,
};
use facts::{Facts, StatusForm};
use leptos::prelude::*;
use parameters::Hidden;
use versions::Versions;

/// Asks for the playbook; the address (or the form that came back) picks the version, and the two to compare.
pub async fn page(ask: Ask) -> Answer<Page> {
    let id = ask.param("workflow_id").parse::<PlaybookId>().map_err(|_| ServiceError::NotFound("playbook"))?;
    let wanted = ask.form.value("version").map(str::to_owned).or_else(|| ask.query.text("version"));
    // The two lists of a form become the one word that a link has.
    if let (Some(old), Some(new)) = (ask.query.get("old"), ask.query.get("new")) {
        let pair = format!("{}..{}", encode(old), encode(new));
        let version = wanted.as_deref().map(|version| format!("version={}&", encode(version))).unwrap_or_default();
        page::go_to(&format!("/catalog/{id}?{version}compare={pair}#compare"));
    }
    let view = ask.console.catalog.playbook(&ask.caller, &id).await?;
    let unknown = || ServiceError::NotFound("version of this playbook");
    let selected = match wanted {
        None => 0,
        Some(text) => {
            let wanted = text.parse::<Version>().ok();
            let found = view.versions.iter().position(|record| Some(&record.registration.version) == wanted.as_ref());
            found.ok_or_else(unknown)?
        }
    };
    let pair = match ask.query.get("compare") {
        Some(words) => Some(compare::pair(&view.versions, words).ok_or_else(unknown)?),
        None => None,
    };
    let may_write = ask.caller.may(Right::CatalogWrite);
    let done = ask.query.get("done").and_then(Done::from_name).filter(|_| ask.form.fields.is_empty());
    let told = done.zip(view.versions.get(selected)).map(|(done, record)| done.words(record));
    let page = playbook(view, selected, pair, may_write, ask.form, ask.now);
    let page = view! {
        {told.map(|words| view! { <div role="status"><Notice tone=Tone::Ok><p>{words}</p></Notice></div> })}
        {page}
    };
    let history = format!("{id}@");
    Ok(Page::below(id.to_string(), page).following("playbook execution").with_history(&ask.caller, &history))
}

/// What was just done to a version, for the page that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was registered.
    Registered,
    /// Its status was set.
    Status,
}

impl Done {
    const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Status => "status",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Registered, Self::Status].into_iter().find(|done| done.name() == name)
    }

    /// The page of the version, which says what was done.
    pub fn address(self, registration: &Registration) -> String {
        let version = encode(&registration.version.to_string());
        format!("/catalog/{}?version={version}&done={}", registration.id, self.name())
    }

    /// In a sentence. Anybody can write an address, so it says only what is so.
    fn words(self, record: &PlaybookRecord) -> String {
        let version = &record.registration.version;
        match self {
            Self::Registered => format!("{version} is registered."),
            Self::Status => format!("{version} is {} now.", Mark::from(record.status).word.to_lowercase()),
        }
    }
}

/// The page. `selected` counts versions from the newest, and so does `pair`: the two that are compared, the older first.
pub fn playbook(
    view: PlaybookView,
    selected: usize,
    pair: Option<(usize, usize)>,
    may_write: bool,
    form: FormOutcome,
    now: Timestamp,
) -> AnyView {
    let PlaybookView { versions, track, by_version, recent, .. } = view;
    let Some(record) = versions.get(selected).cloned() else {
        return view! { <Empty title="No version is registered"><p><a href="/catalog">"See the catalog"</a></p></Empty> }.into_any();
    };
    let registration = record.registration.clone();
    let (id, version) = (registration.id.clone(), registration.version.clone());
    let steps = [registration.internal_steps.clone(), registration.remediation_steps.clone()].concat();
    let next = format!("/catalog/new?from={id}@{}", encode(&version.to_string()));
    let group = format!("{id}@{version}");
    let own = by_version.iter().find(|row| row.group == group).cloned();
    let several = versions.len() > 1;
    let measured = format!("/effectiveness{}", Query::of(&[("workflow_id", id.as_str()), ("by", "version")]));
    let waiting = format!("/approvals{}", Query::of(&[("workflow_id", id.as_str())]));
    view! {
        <div class="two">
            <div>
                <PageHead title=registration.title.clone() sub={
                    let (id, version) = (id.clone(), version.clone());
                    move || view! { <Id of=id.to_string() what="playbook id" />" "{version.to_string()} }
                }>
                    {may_write.then(|| view! { <a class="btn" href=next.clone()>"New version from this one"</a> })}
                </PageHead>
                <Standing record=record.clone() versions=versions.clone() selected />
                <Prose text=registration.description.clone() class="lede" />
                <LabelList labels=registration.labels.clone() />
                <Exposed parameters=registration.parameters.exposed.clone() />
                <Schema schema=schema::json_schema(&registration) />
                <Hidden parameters=registration.parameters.hidden.clone() />
                <Steps steps />
                <Versions versions=versions.clone() selected by_version now />
                <Compare versions pair selected />
                <Recent id=id.clone() runs=recent now />
                <Equivalent commands=equivalent::of_playbook(&id, &version) />
            </div>
            <aside class="ticket facts" aria-label="How it runs and how it has done">
                <Facts record=record.clone() now />
                <div>
                    <h2>{format!("Track record of {version}")}</h2>
                    <Scale said=None track=own overall=true />
                </div>
                {several.then(|| view! {
                    <div>
                        <h2>"All versions"</h2>
                        <Scale said=None track overall=true />
                    </div>
                })}
                <ul class="plain sub leads">
                    <li><a href=measured>"Its effectiveness, by version"</a></li>
                    <li><a href=waiting>"Its recommendations that await a decision"</a></li>
                </ul>
                {may_write.then(|| view! { <StatusForm record form /> })}
            </aside>
        </div>
    }
    .into_any()
}

/// Where the version stands, what that means and why, and which one to look at instead.
#[component]
fn Standing(record: PlaybookRecord, versions: Vec<PlaybookRecord>, selected: usize) -> impl IntoView {
    let id = record.registration.id.clone();
    let link = |record: &PlaybookRecord| {
        let version = record.registration.version.to_string();
        (format!("/catalog/{id}?version={}", encode(&version)), version)
    };
    let newest = (selected > 0).then(|| versions.first().map(link)).flatten();
    let active = versions.iter().find(|other| other.status == PlaybookStatus::Active).map(link);
    let means = match record.status {
        PlaybookStatus::Active => None,
        PlaybookStatus::Disabled => Some("It can't run, not even where it is asked for by version."),
        PlaybookStatus::Deprecated => Some("It runs only where it is asked for by version."),
    };
    view! {
        <p class="line standing">
            <State of=record.status />
            {newest.map(|(href, version)| view! {
                <span class="sub">"An older version. "<a href=href>"The newest is "{version}</a></span>
            })}
        </p>
        {means.map(|means| view! {
            <div class="standing-why">
                <Notice tone=Tone::Wait>
                    <p>{means}" "{record.status_reason.clone().map(|reason| format!("Why: {}", crate::error::sentence(&reason)))}
                        {match active {
                            Some((href, version)) => view! { " "<a href=href>"The newest active version is "{version}</a>"." }.into_any(),
                            None => view! { " No version is active: a model can't recommend this playbook." }.into_any(),
                        }}
                    </p>
                </Notice>
            </div>
        })}
    }
    .into_any()
}

/// What it is for.
#[component]
fn LabelList(labels: Labels) -> impl IntoView {
    let mut words = label_words(&labels);
    words.extend([labels.risk_tolerance, labels.business_category, labels.category].into_iter().flatten());
    words.extend(labels.tags.into_iter().map(|tag| format!("#{tag}")));
    if words.is_empty() {
        return ().into_any();
    }
    view! { <ul class="tags labels">{words.into_iter().map(|word| view! { <li><Chip word /></li> }).collect_view()}</ul> }.into_any()
}

#[component]
fn Steps(steps: Vec<String>) -> impl IntoView {
    if steps.is_empty() {
        return ().into_any();
    }
    view! {
        <Section title="What happens inside" aside=move || "for people; a model never sees it">
            <ol class="steps">{steps.into_iter().map(|step| view! { <li>{step}</li> }).collect_view()}</ol>
        </Section>
    }
    .into_any()
}

#[component]
fn Recent(id: PlaybookId, runs: Vec<ExecutionLine>, now: Timestamp) -> impl IntoView {
    let href = format!("/runs{}", Query::default().with("workflow_id", Some(id.as_str())));
    view! {
        <Section title="Recent runs" aside={let href = href.clone(); move || view! { <a href=href.clone()>"All runs"</a> }}>
            {if runs.is_empty() {
                view! { <p class="none sub">"It has not run yet."</p> }.into_any()
            } else {
                view! { <ul class="rows">{runs.into_iter().map(|run| view! { <RunRow run now /> }).collect_view()}</ul> }.into_any()
            }}
        </Section>
    }
    .into_any()
}

/// A version as one segment of a path: `+` of its build part would read as a space to some.
pub fn encode(version: &str) -> String {
    version.replace('+', "%2B")
}
