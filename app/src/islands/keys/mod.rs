//! Single keys: to search, to go to a place, to move in a list. They never decide anything, never fire while somebody types,
//! and are not there at all for who has switched them off (WCAG 2.1.4).

#[cfg(feature = "hydrate")]
mod pressed;
#[cfg(feature = "hydrate")]
mod rows;

use crate::islands::awaited::Awaited;
use leptos::prelude::*;

/// The keys of a page, and the dialog that lists them.
#[island]
pub fn Keys() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| pressed::start());
    view! {
        <dialog id="keys-help" class="sheet" aria-labelledby="keys-title">
            <header>
                <h2 id="keys-title">"Keys"</h2>
                <button class="btn small ghost" type="button" value="close">"Close"</button>
            </header>
            <div id="keys-body" aria-busy="true"><Awaited lines=12 /></div>
            <p class="sub"><a href="/settings#looks">"Switch single keys off"</a></p>
        </dialog>
    }
}
