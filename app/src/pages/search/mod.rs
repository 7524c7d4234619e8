//! Search or jump to: pages, actions, recommendations, incidents, runs and playbooks by a few words. The page works by itself; the palette
//! shows the same hits, taken from it, so that they are rendered in one place.

mod places;

use crate::{
    components::{Empty, Mark, PageHead, State, target},
    icon::{Glyph, Icon},
    page::{Ask, Page},
    query::Query,
};
use domain::{
    execution::Execution,
    identity::Caller,
    incident::IncidentRecord,
    ports::PlaybookRecord,
    recommendation::Recommendation,
    services::{Answer, SearchView},
};
use leptos::prelude::*;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What kind of thing it is.
    pub icon: Icon,
    /// Its name.
    pub title: String,
    /// What tells it from others like it.
    pub sub: String,
    /// Where it is.
    pub href: String,
    /// How it stands, where it has a state.
    pub mark: Option<Mark>,
    /// The form of the frame that it sends instead of leading somewhere.
    pub sends: Option<&'static str>,
}

/// Hits of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The kind.
    pub title: &'static str,
    /// Its hits.
    pub hits: Vec<Hit>,
}

/// Asks for what the words find.
pub async fn page(ask: Ask) -> Answer<Page> {
    let q = ask.query.text("q").map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
    let found = ask.console.shell.search(&ask.caller, q.as_deref()).await?;
    let groups = groups(found, q.as_deref(), &ask.caller);
    Ok(Page::below("Search", search(groups, q.as_deref())))
}

/// All that was found, what one acts on first.
pub fn groups(found: SearchView, q: Option<&str>, caller: &Caller) -> Vec<Group> {
    let SearchView { incidents, recommendations, runs, playbooks, more } = found;
    let all = |path: &str, more: bool, word: &str, icon: Icon| {
        let q = q.filter(|_| more)?;
        let href = format!("{path}{}", Query::parse("").with("q", Some(q)));
        Some(Hit {
            icon, title: format!("All {word} with “{q}”"), sub: String::new(), href, mark: None, sends: None
        })
    };
    let mut happened: Vec<Hit> = incidents.iter().map(incident).collect();
    happened.extend(all("/incidents", more.incidents, "incidents", Icon::Find));
    let mut waiting: Vec<Hit> = recommendations.iter().map(recommendation).collect();
    waiting.extend(
        all("/approvals", more.recommendations, "recommendations", Icon::Find)
            .map(|hit| Hit { href: format!("{}&state=any", hit.href), ..hit }),
    );
    let mut ran: Vec<Hit> = runs.iter().map(run).collect();
    ran.extend(all("/runs", more.runs, "runs", Icon::Find));
    let mut known: Vec<Hit> = playbooks.iter().map(playbook).collect();
    known.extend(all("/catalog", more.playbooks, "playbooks", Icon::Find));
    let (pages, actions) = places::matching(q, caller);
    let groups = [
        ("Recommendations", waiting),
        ("Incidents", happened),
        ("Runs", ran),
        ("Playbooks", known),
        ("Pages", pages),
        ("Actions", actions),
    ];
    let mut groups: Vec<Group> =
        groups.into_iter().filter(|(_, hits)| !hits.is_empty()).map(|(title, hits)| Group { title, hits }).collect();
    // Whoever types a page's name wants the page.
    if let (Some(q), Some(at)) = (q, groups.iter().position(|group| group.title == "Pages")) {
        let named = |hit: &Hit| hit.title.to_lowercase().starts_with(&q.to_lowercase());
        if groups[at].hits.first().is_some_and(named) {
            groups[..=at].rotate_right(1);
        }
    }
    groups
}

fn incident(of: &IncidentRecord) -> Hit {
    let what = [Some(of.about.signal_type.clone()), of.about.resource.as_ref().map(target)];
    Hit {
        icon: Icon::Warn,
        title: of.about.title.clone(),
        sub: what.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        href: format!("/incidents/{}", of.id),
        mark: Some(of.state.into()),
        sends: None,
    }
}

fn recommendation(of: &Recommendation) -> Hit {
    let incident = &of.content.incident;
    let what = [Some(incident.id.clone()), incident.resource.as_ref().map(target)];
    Hit {
        icon: Icon::Inbox,
        title: of.headline().to_owned(),
        sub: what.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        href: format!("/recommendations/{}", of.id),
        mark: Some(of.state.into()),
        sends: None,
    }
}

fn run(of: &Execution) -> Hit {
    let subject = &of.subject;
    let what = [Some(subject.name.clone()), Some(subject.incident_id.clone()), subject.target().map(target)];
    Hit {
        icon: Icon::Runs,
        title: subject.title.clone(),
        sub: what.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        href: format!("/runs/{}", subject.id),
        mark: Some(of.state.into()),
        sends: None,
    }
}

fn playbook(of: &PlaybookRecord) -> Hit {
    let registration = &of.registration;
    Hit {
        icon: Icon::Book,
        title: registration.title.clone(),
        sub: format!("{} {}", registration.id, registration.version),
        href: format!("/catalog/{}", registration.id),
        mark: Some(of.status.into()),
        sends: None,
    }
}

/// The page.
pub fn search(groups: Vec<Group>, q: Option<&str>) -> AnyView {
    let typed = q.unwrap_or_default().to_owned();
    let label = "Search pages, runs, playbooks, incidents, actions";
    view! {
        <PageHead title="Search or jump to" />
        <form class="filters" method="get" action="/search" role="search">
            <div class="find">
                <Glyph of=Icon::Find />
                <input type="search" name="q" value=typed aria-label=label placeholder=label autocomplete="off" />
            </div>
            <button class="btn" type="submit">"Search"</button>
        </form>
        <Hits groups q=q.map(str::to_owned) />
    }
    .into_any()
}

/// The hits, as page and palette show them.
#[component]
fn Hits(groups: Vec<Group>, q: Option<String>) -> impl IntoView {
    let count: usize = groups.iter().map(|group| group.hits.len()).sum();
    view! {
        <div id="hits" class="hits" data-count=count.to_string()>
            {groups.into_iter().map(|group| view! {
                <section class="hit-group">
                    <h2>{group.title}</h2>
                    <ul class="rows">{group.hits.into_iter().map(|hit| view! { <li><Line hit /></li> }).collect_view()}</ul>
                </section>
            }).collect_view()}
            {q.filter(|_| count == 0).map(|q| view! {
                <Empty title=format!("Nothing is found for “{q}”")>
                    <p>"Fewer or other words may find it: names, incidents, resources, playbooks, ids."</p>
                </Empty>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn Line(hit: Hit) -> impl IntoView {
    let Hit { icon, title, sub, href, mark, sends } = hit;
    let says = view! {
        <Glyph of=icon />
        <span class="hit-what">
            <span class="hit-title">{title}</span>
            {(!sub.is_empty()).then(|| view! { " "<span class="sub">{sub}</span> })}
        </span>
        {mark.map(|of| view! { <State of /> })}
    };
    match sends {
        Some(form) => view! { <button class="hit" type="submit" form=form>{says}</button> }.into_any(),
        None => view! { <a class="hit" href=href>{says}</a> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::identity::{Actor, Role, Way};

    fn caller(role: Role) -> Caller {
        Caller {
            actor: Actor::system("x"),
            roles: vec![role],
            request_id: String::new(),
            route: String::new(),
            way: Way::default(),
            session: None,
        }
    }

    #[test]
    fn a_pages_name_finds_the_page_first_and_only_what_one_may_see() {
        let of = |q, role| groups(SearchView::default(), Some(q), &caller(role));
        let found = of("audit", Role::Auditor);
        assert_eq!((found[0].title, found[0].hits[0].href.as_str()), ("Pages", "/audit"));
        assert!(of("audit", Role::Viewer).iter().all(|g| g.hits.iter().all(|hit| hit.href != "/audit")));
        assert!(of("nothing like this", Role::Admin).is_empty());
    }

    #[test]
    fn without_words_all_pages_and_actions_are_offered() {
        let found = groups(SearchView::default(), None, &caller(Role::Viewer));
        let titles: Vec<_> = found.iter().map(|group| group.title).collect();
        assert_eq!(titles, ["Pages", "Actions"]);
    }

    #[test]
    fn signing_out_is_done_and_not_only_led_to() {
        let found = groups(SearchView::default(), Some("sign out"), &caller(Role::Viewer));
        let page = Owner::new().with(|| search(found, Some("sign out")).to_html());
        assert!(page.contains("type=\"submit\" form=\"sign-out\"") && !page.contains("href=\"/settings\""), "{page}");
    }
}
