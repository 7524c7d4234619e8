//! What a page is, and the one way in which each is asked for and answered: who is calling, what the services say, the frame
//! around it, status and title. A page itself is two things: an async function that asks, and a view of plain data.

use crate::{
    context::{Console, FormOutcome},
    error::{ErrorPage, Trouble},
    part::Part,
    query::Query,
    shell::{Door, Following, Frame, Piece},
};
use domain::{
    identity::{Caller, Right},
    services::{Answer, ServiceError},
    time::Timestamp,
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;
use leptos_router::{hooks::use_params_map, params::ParamsMap};
use std::{future::Future, time::Duration};

/// The places of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What needs me now.
    Overview,
    /// What fires and fired.
    Incidents,
    /// The inbox.
    Approvals,
    /// Executions.
    Runs,
    /// Playbooks.
    Catalog,
    /// What works.
    Effectiveness,
    /// Who did what.
    Audit,
    /// Account and looks.
    Settings,
}

impl Place {
    /// Its name, as the navigation and breadcrumbs say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Incidents => "Incidents",
            Self::Approvals => "Approvals",
            Self::Runs => "Runs",
            Self::Catalog => "Catalog",
            Self::Effectiveness => "Effectiveness",
            Self::Audit => "Audit",
            Self::Settings => "Settings",
        }
    }

    /// Every place, in the navigation's order.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Incidents,
        Self::Approvals,
        Self::Runs,
        Self::Catalog,
        Self::Effectiveness,
        Self::Audit,
        Self::Settings,
    ];

    /// The place that a path belongs to, if it belongs to one.
    pub fn of_path(path: &str) -> Option<Self> {
        let first = path.split(['/', '?']).nth(1).unwrap_or_default();
        if first == "recommendations" {
            return Some(Self::Approvals);
        }
        Self::ALL.into_iter().find(|place| place.path()[1..] == *first)
    }

    /// Where it is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Incidents => "/incidents",
            Self::Approvals => "/approvals",
            Self::Runs => "/runs",
            Self::Catalog => "/catalog",
            Self::Effectiveness => "/effectiveness",
            Self::Audit => "/audit",
            Self::Settings => "/settings",
        }
    }
}

/// A step of the breadcrumbs between the place and the page itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// What it says.
    pub name: String,
    /// Where it leads.
    pub href: String,
}

/// A page, ready to be framed.
pub struct Page {
    /// Its name: the document's title and, below a place's own page, the last breadcrumb.
    pub title: String,
    /// Steps between the place and the page.
    pub crumbs: Vec<Crumb>,
    /// Whether this is the place's own page: then the place's name is the last breadcrumb.
    pub root: bool,
    /// The live events that change what it shows, `topic` or `topic:subject` each, with spaces between; none when it does
    /// not follow.
    pub follows: String,
    /// After how long it is shown anew while somebody sees it, though nothing was heard; never when none.
    pub anew: Option<Duration>,
    /// The content of `<main>`.
    pub body: AnyView,
}

impl Page {
    /// The page of a place itself.
    pub fn of_place(title: impl Into<String>, body: impl IntoView + 'static) -> Self {
        Self { root: true, ..Self::below(title, body) }
    }

    /// A page below its place.
    pub fn below(title: impl Into<String>, body: impl IntoView + 'static) -> Self {
        let body = body.into_any();
        Self { title: title.into(), crumbs: Vec::new(), root: false, follows: String::new(), anew: None, body }
    }

    /// The same page, followed: it is shown anew when such an event comes ([`Page::follows`]).
    #[must_use]
    pub fn following(self, events: impl Into<String>) -> Self {
        Self { follows: events.into(), ..self }
    }

    /// The same page with a link to all that was done to an object, for whoever may read that.
    #[must_use]
    pub fn with_history(self, caller: &Caller, object: &str) -> Self {
        if !caller.may(Right::AuditRead) {
            return self;
        }
        let href = format!("/audit{}", Query::default().with("object", Some(object)));
        let link = view! { <p class="sub more-line"><a href=href>"Who did what to it"</a>", in the audit trail"</p> };
        Self { body: view! { {self.body}{link} }.into_any(), ..self }
    }

    /// The same page, which shows something that no event tells of ([`Page::anew`]).
    #[must_use]
    pub fn anew(self, after: Option<Duration>) -> Self {
        Self { anew: after, ..self }
    }
}

/// What a page is asked with.
#[derive(Clone)]
pub struct Ask {
    /// The services.
    pub console: Console,
    /// Who asks.
    pub caller: Caller,
    /// The named parts of the path.
    pub params: ParamsMap,
    /// The query of the address.
    pub query: Query,
    /// A form that was not taken; empty when there is none.
    pub form: FormOutcome,
    /// The server's time.
    pub now: Timestamp,
}

impl Ask {
    /// A named part of the path; empty when the route has none of that name.
    pub fn param(&self, name: &str) -> String {
        self.params.get(name).unwrap_or_default()
    }

    /// The page of a list that the query asks for.
    pub fn list_page(&self, limit: u32) -> domain::paging::Page {
        domain::paging::Page { cursor: self.query.text("cursor"), ..domain::paging::Page::first(limit) }
    }
}

/// Asks for a page and frames the answer. Without a caller it leads to sign-in, and back afterwards.
pub fn serve<F, Fut>(place: Place, load: F) -> AnyView
where
    F: FnOnce(Ask) -> Fut + Send + 'static,
    Fut: Future<Output = Answer<Page>> + Send + 'static,
{
    answer(Some(place), || use_params_map().get_untracked(), load)
}

/// The same for a page that belongs to no place.
pub fn serve_apart<F, Fut>(load: F) -> AnyView
where
    F: FnOnce(Ask) -> Fut + Send + 'static,
    Fut: Future<Output = Answer<Page>> + Send + 'static,
{
    answer(None, ParamsMap::new, load)
}

/// `params` are read only once there is a request: the route list is made by running the app without one.
fn answer<F, Fut>(place: Option<Place>, params: impl FnOnce() -> ParamsMap, load: F) -> AnyView
where
    F: FnOnce(Ask) -> Fut + Send + 'static,
    Fut: Future<Output = Answer<Page>> + Send + 'static,
{
    let Some(console) = use_context::<Console>() else { return ().into_any() };
    let address = address();
    let Some(caller) = console.caller.clone() else {
        go_to(&sign_in(&address));
        return ().into_any();
    };
    let ask = Ask {
        params: params(),
        query: Query::parse(address.split_once('?').map_or("", |(_, query)| query)),
        form: console.form.clone().unwrap_or_default(),
        now: console.shell.now(),
        caller,
        console,
    };
    let part = Part::asked();
    Suspend::new(async move {
        let (console, caller) = (ask.console.clone(), ask.caller.clone());
        if part == Part::Frame {
            let shell = console.shell.shell(&caller).await.ok();
            let now = console.shell.now();
            return view! { <Piece place main=None shell now /> }.into_any();
        }
        let answer = load(ask).await;
        let page =
            answer.unwrap_or_else(|error| refused(Trouble::of_page(error, &address), console.request_id.clone()));
        if let Some(form) = &console.form {
            set_status(form.status);
        }
        framed(&console, caller, place, page, address).await
    })
    .into_any()
}

/// A page in its frame, or the part of it that was asked for. Without the frame's data the page still stands: then it has no
/// badge and says so about the cluster.
async fn framed(console: &Console, caller: Caller, place: Option<Place>, page: Page, address: String) -> AnyView {
    let following = Following {
        events: page.follows.clone(),
        anew: page.anew,
        event: console.event,
        returned: console.form.as_ref().map(|_| address),
    };
    let shell = console.shell.shell(&caller).await.ok();
    let now = shell.as_ref().map_or_else(|| console.shell.now(), |s| s.now);
    let page_title = title(&page.title);
    view! {
        <Title text=page_title />
        {if Part::asked() == Part::Page {
            view! { <Piece place main=Some((page.body, following)) shell now /> }.into_any()
        } else {
            view! { <Frame place page following caller shell now /> }.into_any()
        }}
    }
    .into_any()
}

/// The document's title. leptos_meta writes it as it is, and a page may be called after something that a model said.
fn title(page: &str) -> String {
    format!("{} · Kubernaut Console", html_escape::encode_text(page))
}

/// The page for an address that leads nowhere, or in place of one that was refused before it was asked.
pub fn serve_missing() -> AnyView {
    match use_context::<Console>() {
        Some(console) if console.trouble.is_some() => troubled(console),
        _ => serve_apart(|_| async { Err(ServiceError::NotFound("page")) }),
    }
}

fn troubled(console: Console) -> AnyView {
    let trouble = console.trouble.clone().unwrap_or_default();
    let place = trouble.asked.as_deref().or(trouble.back.as_deref()).and_then(Place::of_path);
    let page = refused(trouble, console.request_id.clone());
    match console.caller.clone() {
        Some(caller) => Suspend::new(async move { framed(&console, caller, place, page, address()).await }).into_any(),
        None => view! { <Title text=title(&page.title) /><Door>{page.body}</Door> }.into_any(),
    }
}

fn refused(trouble: Trouble, request_id: String) -> Page {
    set_status(trouble.status);
    Page::below(trouble.title(), view! { <ErrorPage trouble request_id /> })
}

/// The address asked for: path and query.
fn address() -> String {
    use_context::<Parts>().and_then(|parts| Some(parts.uri.path_and_query()?.as_str().to_owned())).unwrap_or_default()
}

fn sign_in(back_to: &str) -> String {
    if back_to.is_empty() || back_to == "/" {
        return "/login".to_owned();
    }
    format!("/login{}", Query::default().with("next", Some(back_to)))
}

/// Sets the status of the answer.
pub fn set_status(status: StatusCode) {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(status);
    }
}

/// Answers with a redirect that turns any method into GET.
pub fn go_to(address: &str) {
    if let Some(options) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(address)
    {
        options.set_status(StatusCode::SEE_OTHER);
        options.insert_header(header::LOCATION, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_a_place() {
        for (path, place) in [
            ("/", Some(Place::Overview)),
            ("/recommendations/x?strategy=1", Some(Place::Approvals)),
            ("/incidents/x", Some(Place::Incidents)),
            ("/runs/x/cancel", Some(Place::Runs)),
            ("/settings/tokens", Some(Place::Settings)),
            ("/search?q=x", None),
            ("/nowhere", None),
        ] {
            assert_eq!(Place::of_path(path), place, "{path}");
        }
    }

    #[test]
    fn a_title_is_text() {
        let title = title("</title><meta http-equiv=refresh>&");
        assert_eq!(title, "&lt;/title&gt;&lt;meta http-equiv=refresh&gt;&amp; · Kubernaut Console");
    }
}
