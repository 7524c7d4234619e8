//! Buttons that copy a text. Without WebAssembly they could do nothing, so they are not there.

use crate::icon::{Glyph, Icon};
#[cfg(feature = "hydrate")]
use crate::islands::browser::clipboard;
use leptos::prelude::*;

/// Copies `text`; `what` names it for assistive technology: "Copy request id". Of what stands on the page anyway and is long,
/// [`CopyOf`] copies without carrying it a second time.
#[island]
pub fn CopyText(text: String, what: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move || {
        #[cfg(feature = "hydrate")]
        write(&text, copied);
        #[cfg(not(feature = "hydrate"))]
        let _ = (&text, copied);
    };
    view! { <Button what copied copy /> }
}

/// Copies what the element with the id `of` says.
#[island]
pub fn CopyOf(of: String, what: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move || {
        #[cfg(feature = "hydrate")]
        if let Some(text) = document().get_element_by_id(&of).and_then(|element| element.text_content()) {
            write(&text, copied);
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (&of, copied);
    };
    view! { <Button what copied copy /> }
}

#[component]
fn Button(what: String, copied: RwSignal<bool>, copy: impl Fn() + 'static) -> impl IntoView {
    let alive = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| alive.set(clipboard::usable()));
    let label = move || if copied.get() { "Copied".to_owned() } else { format!("Copy {what}") };
    view! {
        <button class="copy" class:done=copied type="button" hidden=move || !alive.get() aria-label=label on:click=move |_| copy()>
            <Glyph of=Icon::Copy />
        </button>
    }
}

/// Writes to the clipboard and says so for a moment.
#[cfg(feature = "hydrate")]
fn write(text: &str, copied: RwSignal<bool>) {
    clipboard::write(text, move || {
        copied.set(true);
        set_timeout(move || copied.set(false), std::time::Duration::from_secs(2));
    });
}
