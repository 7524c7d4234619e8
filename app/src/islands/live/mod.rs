//! The live events of a browser, however many of its tabs are open: the tabs that are seen share one stream. The island says
//! in the frame when what is shown may be behind, and is silent while all is well.

#[cfg(feature = "hydrate")]
mod channel;
#[cfg(feature = "hydrate")]
mod hub;
#[cfg(any(feature = "hydrate", test))]
mod order;
mod standing;
#[cfg(feature = "hydrate")]
mod stream;

#[cfg(feature = "hydrate")]
pub use hub::{give_up, start};
#[cfg(feature = "hydrate")]
pub use order::Order;
pub use standing::{Standing, standing};

use crate::words::ago;
use leptos::prelude::*;

/// Keeps the page up to date, and says so only when it is not.
#[island]
pub fn Live() -> impl IntoView {
    let standing = standing();
    #[cfg(feature = "hydrate")]
    Effect::new(|_| start());
    let shown = standing.clone();
    // The word is announced, the seconds that tick beside it are not.
    let word = {
        let standing = standing.clone();
        Memo::new(move |_| match standing.get() {
            Standing::Off | Standing::On => "",
            Standing::Lost(_) => "Reconnecting",
            Standing::Back => "Connected again",
            Standing::Gone => "Not kept up to date any more",
        })
    };
    let since = {
        let standing = standing.clone();
        move || match standing.get() {
            Standing::Lost(seconds) => format!(", last event {}", ago(i64::from(seconds) * 1000)),
            _ => String::new(),
        }
    };
    view! {
        <p class="live-bar" class:said=move || !word.get().is_empty() class:lost=move || matches!(shown.get(), Standing::Lost(_) | Standing::Gone)>
            <span role="status">{word}</span>
            <span aria-hidden="true">{since}</span>
            <a href="" hidden=move || standing.get() != Standing::Gone>"Load the page again"</a>
        </p>
    }
}
