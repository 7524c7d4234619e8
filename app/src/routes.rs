//! The places of the console and the page that stands at each. Types are erased here, so that no page's view becomes part of
//! another's type.

use crate::{
    page::{Place, serve, serve_apart, serve_missing},
    pages,
};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

/// Every page, answered whole: status and title depend on what is found.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <FlatRoutes fallback=serve_missing>
                <Route path=path!("/") view=|| serve(Place::Overview, pages::overview::page) ssr=SsrMode::Async />
                <Route path=path!("/login") view=pages::login::serve ssr=SsrMode::Async />
                <Route path=path!("/login/oidc/callback") view=pages::login::returned::serve ssr=SsrMode::Async />
                <Route path=path!("/approvals") view=|| serve(Place::Approvals, pages::approvals::page) ssr=SsrMode::Async />
                <Route path=path!("/approvals/review") view=|| serve(Place::Approvals, pages::review::page) ssr=SsrMode::Async />
                <Route path=path!("/recommendations/:id") view=|| serve(Place::Approvals, pages::recommendation::page) ssr=SsrMode::Async />
                <Route path=path!("/incidents") view=|| serve(Place::Incidents, pages::incidents::page) ssr=SsrMode::Async />
                <Route path=path!("/incidents/:id") view=|| serve(Place::Incidents, pages::incidents::one::page) ssr=SsrMode::Async />
                <Route path=path!("/runs") view=|| serve(Place::Runs, pages::runs::page) ssr=SsrMode::Async />
                <Route path=path!("/runs/:id") view=|| serve(Place::Runs, pages::run::page) ssr=SsrMode::Async />
                <Route path=path!("/catalog") view=|| serve(Place::Catalog, pages::catalog::page) ssr=SsrMode::Async />
                <Route path=path!("/catalog/new") view=|| serve(Place::Catalog, pages::register::page) ssr=SsrMode::Async />
                <Route path=path!("/catalog/actions") view=|| serve(Place::Catalog, pages::actions::page) ssr=SsrMode::Async />
                <Route path=path!("/catalog/:workflow_id") view=|| serve(Place::Catalog, pages::playbook::page) ssr=SsrMode::Async />
                <Route path=path!("/findings") view=|| serve(Place::Findings, pages::findings::page) ssr=SsrMode::Async />
                <Route path=path!("/findings/:id") view=|| serve(Place::Findings, pages::findings::card::page) ssr=SsrMode::Async />
                <Route path=path!("/effectiveness") view=|| serve(Place::Effectiveness, pages::effectiveness::page) ssr=SsrMode::Async />
                <Route path=path!("/effectiveness/patterns") view=|| serve(Place::Effectiveness, pages::effectiveness::patterns::page) ssr=SsrMode::Async />
                <Route path=path!("/audit") view=|| serve(Place::Audit, pages::audit::page) ssr=SsrMode::Async />
                <Route path=path!("/api") view=|| serve(Place::Settings, pages::api::page) ssr=SsrMode::Async />
                <Route path=path!("/search") view=|| serve_apart(pages::search::page) ssr=SsrMode::Async />
                <Route path=path!("/sign-in-again") view=|| serve(Place::Approvals, pages::reauthentication::page) ssr=SsrMode::Async />
                <Route path=path!("/settings") view=|| serve(Place::Settings, pages::settings::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/accounts") view=|| serve(Place::Settings, pages::settings::accounts::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/sessions") view=|| serve(Place::Settings, pages::settings::sessions::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/tokens") view=|| serve(Place::Settings, pages::settings::tokens::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/keys") view=|| serve(Place::Settings, pages::settings::keys::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/cluster") view=|| serve(Place::Settings, pages::settings::cluster::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/policies") view=|| serve(Place::Settings, pages::settings::policies::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/policies/:version") view=|| serve(Place::Settings, pages::settings::policies::version::page) ssr=SsrMode::Async />
                <Route path=path!("/settings/notifications") view=|| serve(Place::Settings, pages::settings::notifications::page) ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}
