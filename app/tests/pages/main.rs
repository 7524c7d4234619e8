//! What pages must show, and what they must never show: rendered from plain data, without a server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod catalog;
mod catalog_samples;
mod lists;
mod policies;
mod recommendation;
mod register;
mod runs;
mod runs_samples;
mod samples;
mod settings;
mod workspaces;

use leptos::prelude::*;

/// A view as HTML.
fn html(view: impl FnOnce() -> AnyView) -> String {
    Owner::new().with(|| view().to_html())
}
