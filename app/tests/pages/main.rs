//! What pages must show, and what they must never show: rendered from plain data, without a server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod catalog;
mod catalog_samples;
mod incidents;
mod lists;
mod notifications;
mod patterns;
mod policies;
mod recommendation;
mod register;
mod run_logs;
mod runs;
mod runs_samples;
mod samples;
mod settings;
mod targets;
mod undo;
mod workspaces;

use leptos::prelude::*;

/// A view as HTML.
fn html(view: impl FnOnce() -> AnyView) -> String {
    Owner::new().with(|| view().to_html())
}

/// What stands between two marks of a page.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("{from} is missing in {page}"));
    let end = page[start..].find(to).map_or(page.len(), |end| start + end);
    &page[start..end]
}

/// The opening tag of the first element that has this text among its attributes.
fn tag<'a>(page: &'a str, attribute: &str) -> &'a str {
    let at = page.find(attribute).unwrap_or_else(|| panic!("{attribute} is missing in {page}"));
    let start = page[..at].rfind('<').unwrap();
    &page[start..=start + page[start..].find('>').unwrap()]
}
