//! The frame around every page: navigation, breadcrumbs, the way to everything else, the cluster always in sight, who is signed
//! in, and whether what is shown is up to date.

use crate::{
    components::{Notice, Tone},
    icon::{Glyph, Icon},
    islands::{Clockwork, Copying, Keys, Live, Palette},
    page::{Page, Place},
    preferences::{self, Preferences},
};
use domain::{
    identity::{Caller, Right},
    services::ShellView,
    time::Timestamp,
};
use leptos::prelude::*;
use std::time::Duration;

/// The id of the form that signs out, for buttons elsewhere.
pub const SIGN_OUT: &str = "sign-out";

/// How a page is followed while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Following {
    /// The events that change what it shows ([`Page::follows`]); empty when it is not followed.
    pub events: String,
    /// After how long it is shown anew though nothing was heard ([`Page::anew`]).
    pub anew: Option<Duration>,
    /// The newest live event that it includes for certain.
    pub event: i64,
    /// Where it is to be opened again, if it shows a form that came back: then it is not shown anew by itself, which would
    /// take away what is wrong with the form.
    pub returned: Option<String>,
}

/// A page in its frame.
#[component]
pub fn Frame(
    place: Option<Place>,
    page: Page,
    following: Following,
    caller: Caller,
    /// Badge and cluster; none when they could not be had.
    shell: Option<ShellView>,
    now: Timestamp,
) -> impl IntoView {
    let waiting = shell.as_ref().map_or(0, |s| s.waiting);
    let may_audit = caller.may(Right::AuditRead);
    let single = Preferences::current().keys == preferences::Keys::On;
    let Page { title, crumbs, root, body, .. } = page;
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="shell">
            <nav class="nav" aria-label="Main">
                <a class="brand" href="/" aria-label="Kubernaut Console, overview"><Glyph of=Icon::Logo /><span>"Kubernaut"</span></a>
                <NavLink to=Place::Overview icon=Icon::Home here=place />
                <NavLink to=Place::Incidents icon=Icon::Warn here=place wide=true />
                <NavLink to=Place::Approvals icon=Icon::Inbox here=place count=waiting />
                <NavLink to=Place::Runs icon=Icon::Runs here=place />
                <NavLink to=Place::Catalog icon=Icon::Book here=place />
                <NavLink to=Place::Effectiveness icon=Icon::Trend here=place wide=true />
                {may_audit.then(|| view! { <NavLink to=Place::Audit icon=Icon::List here=place wide=true /> })}
                <span class="gap"></span>
                <NavLink to=Place::Settings icon=Icon::Gear here=place wide=true />
                <More here=place may_audit />
            </nav>
            <header class="top">
                <nav class="crumbs" aria-label="Breadcrumbs">
                    <ol>
                        {place.filter(|_| !root).map(|place| view! { <li><a href=place.path()>{place.name()}</a></li> })}
                        {crumbs.into_iter().map(|c| view! { <li><a href=c.href>{c.name}</a></li> }).collect_view()}
                        <li aria-current="page">{place.filter(|_| root).map_or(title, |place| place.name().to_owned())}</li>
                    </ol>
                </nav>
                <Live />
                <div class="right">
                    <a class="find-link" href="/search" data-palette="">
                        <Glyph of=Icon::Find /><span>"Search or jump to"</span><kbd aria-hidden="true">"Ctrl K"</kbd>
                    </a>
                    <ClusterPill shell />
                    <a class="who" href="/settings" title="Your account and settings">
                        <Glyph of=Icon::User /><span>{caller.actor.name.clone()}</span>
                    </a>
                    <form class="out" id=SIGN_OUT method="post" action="/logout">
                        <button class="btn ghost small" type="submit">"Sign out"</button>
                    </form>
                </div>
            </header>
            <Main body following />
        </div>
        <Told />
        <Clockwork now_ms=now.as_millis() />
        <Palette />
        <Copying />
        {single.then(|| view! { <Keys /> })}
    }
    .into_any()
}

/// The frame of who is not signed in: nothing but the console's mark.
#[component]
pub fn Door(children: Children) -> impl IntoView {
    view! {
        <main class="door" id="main">
            <div class="door-in">
                <p class="brand"><Glyph of=Icon::Logo /><span>"Kubernaut"</span></p>
                {children()}
            </div>
        </main>
        <Copying />
    }
    .into_any()
}

/// The rest of the places, where the bar of a phone has no room: a sheet that opens without any program.
#[component]
fn More(here: Option<Place>, may_audit: bool) -> impl IntoView {
    let inside = matches!(here, Some(Place::Incidents | Place::Effectiveness | Place::Audit | Place::Settings));
    view! {
        <details class="nav-more">
            <summary class:here=inside><Glyph of=Icon::Menu /><span>"More"</span></summary>
            <div class="nav-sheet">
                <NavLink to=Place::Incidents icon=Icon::Warn here />
                <NavLink to=Place::Effectiveness icon=Icon::Trend here />
                {may_audit.then(|| view! { <NavLink to=Place::Audit icon=Icon::List here /> })}
                <NavLink to=Place::Settings icon=Icon::Gear here />
                <form method="post" action="/logout"><button class="btn full" type="submit">"Sign out"</button></form>
            </div>
        </details>
    }
    .into_any()
}

/// What of a page in its frame is asked for again: the content of `<main>`, if there is one, what changes of the frame, and the
/// server's time, by which the page's clock is set anew.
#[component]
pub fn Piece(
    place: Option<Place>,
    main: Option<(AnyView, Following)>,
    shell: Option<ShellView>,
    now: Timestamp,
) -> impl IntoView {
    let waiting = shell.as_ref().map_or(0, |s| s.waiting);
    view! {
        <NavLink to=Place::Approvals icon=Icon::Inbox here=place count=waiting />
        <ClusterPill shell />
        <data id="now" value=now.as_millis().to_string()></data>
        {main.map(|(body, following)| view! { <Main body following /> })}
    }
    .into_any()
}

/// The content of a page. What it follows stands in its attributes, for whoever follows it in the browser.
#[component]
fn Main(body: AnyView, following: Following) -> impl IntoView {
    let Following { events, anew, event, returned } = following;
    let followed = !events.is_empty();
    let anew = anew.filter(|_| followed && returned.is_none()).map(|after| after.as_millis().to_string());
    view! {
        <main id="main" tabindex="-1" data-follow=followed.then_some(events) data-event=followed.then(|| event.to_string())
            data-returned=returned.filter(|_| followed) data-anew=anew>
            {body}
        </main>
    }
    .into_any()
}

/// What is told when what is shown and what is so have come apart; shown by whoever follows the page.
#[component]
fn Told() -> impl IntoView {
    view! {
        <template id="told-changed">
            <div class="told" role="alert">
                <Notice tone=Tone::Wait>
                    <p>"The ticket has changed since you opened this page: this one can't be approved any more."</p>
                    <p><a href="">"Load the page again"</a>" to see what would run now. What you have typed is lost then."</p>
                </Notice>
            </div>
        </template>
        <template id="told-closed">
            <div class="told" role="alert">
                <Notice tone=Tone::Wait>
                    <p>"This was decided or closed elsewhere while you were here."</p>
                    <div class="typed"><p>"What you had typed was not sent:"</p><dl class="kv"></dl></div>
                </Notice>
            </div>
        </template>
        <template id="told-returned">
            <div class="told" role="alert">
                <Notice tone=Tone::Wait>
                    <p>"Something here has changed since. "<a href="">"Load the page again"</a>" to see it."</p>
                </Notice>
            </div>
        </template>
    }
    .into_any()
}

#[component]
fn NavLink(
    to: Place,
    icon: Icon,
    /// The place that the page belongs to, if it belongs to one.
    here: Option<Place>,
    #[prop(optional)] count: i64,
    /// Only where there is room: not in the bar of a phone.
    #[prop(optional)]
    wide: bool,
) -> impl IntoView {
    let badge = to == Place::Approvals;
    view! {
        <a id=badge.then_some("waiting") data-follow=badge.then_some("recommendation") href=to.path() class:wide=wide aria-current=(here == Some(to)).then_some("page")>
            <Glyph of=icon />
            <span>{to.name()}</span>
            {(count > 0).then(|| view! { <span class="n">{count}<span class="vh">" waiting for a decision"</span></span> })}
        </a>
    }
    .into_any()
}

/// Which cluster all this is about and what it is for, and the way to its health; the sandbox looks different from any other. What
/// stands in the way of new runs is said where it points to, and in its tooltip.
#[component]
fn ClusterPill(shell: Option<ShellView>) -> impl IntoView {
    const HEALTH: &str = "/settings/cluster";
    let Some(ShellView { cluster, environment, .. }) = shell else {
        return view! { <a id="cluster" data-follow="" class="where bad" href=HEALTH><i></i>"Cluster unknown"</a> }
            .into_any();
    };
    let health = match cluster.problems.first() {
        _ if cluster.ready => "ready".to_owned(),
        Some(problem) => format!("not ready: {problem}"),
        None => "not ready".to_owned(),
    };
    let title = match (&cluster.version, cluster.sandbox) {
        (_, true) => format!("Sandbox: nothing here touches a real cluster. {health}"),
        (Some(version), false) => format!("Cluster {}, Kubernetes {version}, {health}", cluster.name),
        (None, false) => format!("Cluster {}, {health}", cluster.name),
    };
    let name = if cluster.sandbox { "Sandbox".to_owned() } else { cluster.name };
    view! {
        <a id="cluster" data-follow="" class="where" class:sandbox=cluster.sandbox class:bad=!cluster.ready href=HEALTH title=title>
            <i></i><span class="vh">"Cluster: "</span><span class="name">{name}</span>
            {environment.map(|word| view! { <span class="vh">", environment: "</span><b class="environment">{word}</b> })}
            {(!cluster.ready).then(|| view! { <span>"· not ready"</span> })}
        </a>
    }
    .into_any()
}
