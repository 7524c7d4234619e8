//! What islands ask of the browser, in short.

pub mod clipboard;
pub mod dialogs;
pub mod elements;
pub mod events;
pub mod pages;

use leptos::prelude::{document, window};
use web_sys::VisibilityState;

/// Milliseconds on the clock that runs evenly since the page began.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Whether somebody can see this page.
pub fn seen() -> bool {
    document().visibility_state() != VisibilityState::Hidden
}
