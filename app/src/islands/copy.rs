//! Buttons that copy a text, and the one island of a page that makes all of them work: a table may have one in each cell.
//! Without WebAssembly they could do nothing, so they are not seen; their place is kept.

use crate::icon::{Glyph, Icon};
#[cfg(feature = "hydrate")]
use crate::islands::browser::{
    clipboard,
    events::{around, on_document},
};
use leptos::prelude::*;

/// Copies `text`; `what` names it for assistive technology: "Copy request id". Of what stands on the page anyway and is long,
/// [`CopyOf`] copies without carrying it a second time.
#[component]
pub fn CopyText(text: String, #[prop(into)] mut what: String) -> impl IntoView {
    what.insert_str(0, "Copy ");
    view! { <button class="copy" type="button" data-copy=text aria-label=what><Glyph of=Icon::Copy /></button> }
        .into_any()
}

/// Copies what the element with the id `of` says.
#[component]
pub fn CopyOf(of: String, #[prop(into)] mut what: String) -> impl IntoView {
    what.insert_str(0, "Copy ");
    view! { <button class="copy" type="button" data-copy-of=of aria-label=what><Glyph of=Icon::Copy /></button> }
        .into_any()
}

/// Listens to all of them, and lets them be seen.
#[island]
pub fn Copying() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        let root = document().document_element().filter(|_| clipboard::usable());
        if let Some(root) = root {
            let _ = root.set_attribute("data-copies", "");
            on_document("click", |event: web_sys::MouseEvent| copy(&event));
        }
    });
}

/// Copies, and says so for a moment.
#[cfg(feature = "hydrate")]
fn copy(event: &web_sys::MouseEvent) {
    let Some(button) = around(event, "button.copy") else { return };
    let of = || document().get_element_by_id(&button.get_attribute("data-copy-of")?)?.text_content();
    let Some(text) = button.get_attribute("data-copy").or_else(of) else { return };
    clipboard::write(&text, move || {
        let label = button.get_attribute("aria-label").filter(|_| !button.class_list().contains("done"));
        let _ = button.class_list().add_1("done");
        let _ = button.set_attribute("aria-label", "Copied");
        let back = move || {
            let _ = button.class_list().remove_1("done");
            let _ = label.map(|label| button.set_attribute("aria-label", &label));
        };
        set_timeout(back, std::time::Duration::from_secs(2));
    });
}
