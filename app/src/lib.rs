//! The console people see: pages rendered whole on the server, with small islands of WebAssembly where something ticks or
//! follows (docs/decisions/0001-islands.md).
//!
//! Two builds of one crate. `ssr` is the server's half: document, frame, pages, components. `hydrate` is the browser's half:
//! the [`islands`] alone. It asks through the services of `domain` and knows neither databases nor clusters nor cookies.

#![cfg_attr(
    feature = "ssr",
    expect(
        clippy::needless_pass_by_value,
        reason = "components own their props: a view may outlive the call that makes it"
    )
)]

pub mod islands;

pub mod icon;
pub mod part;
pub mod words;

#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
pub mod document;
#[cfg(feature = "ssr")]
pub mod error;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod preferences;
#[cfg(feature = "ssr")]
pub mod query;
#[cfg(feature = "ssr")]
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;

#[cfg(feature = "ssr")]
pub use context::{Away, Console, FormOutcome, ProviderWay, SignInWays};
#[cfg(feature = "ssr")]
pub use document::document;
#[cfg(feature = "ssr")]
pub use preferences::Preferences;
#[cfg(feature = "ssr")]
pub use routes::App;

/// Where the browser begins: the islands of the page come alive, everything else stays as the server sent it.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
