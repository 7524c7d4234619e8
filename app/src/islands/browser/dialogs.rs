//! Dialogs of the page.

use super::{elements::first, events::on};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, MouseEvent};

/// The dialog of that id.
pub fn dialog(id: &str) -> Option<HtmlDialogElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Says that what opens this dialog works from now on: whoever drives the page by a program waits for it.
pub fn alive(dialog: &HtmlDialogElement) {
    let _ = dialog.set_attribute("data-alive", "");
}

/// Whether any dialog is open.
pub fn dialog_open() -> bool {
    first("dialog[open]").is_some()
}

/// A press on the ground behind a dialog closes it.
pub fn close_by_ground(dialog: &HtmlDialogElement) {
    let own = dialog.clone();
    on(dialog, "click", move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let (x, y, box_) = (f64::from(event.client_x()), f64::from(event.client_y()), own.get_bounding_client_rect());
        let inside = (box_.left()..box_.right()).contains(&x) && (box_.top()..box_.bottom()).contains(&y);
        if !inside && target.is_some_and(|target| target.is_same_node(Some(&own))) {
            own.close();
        }
    });
}
