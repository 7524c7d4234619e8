//! Listening, and what an event is about.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, convert::FromWasmAbi, prelude::Closure};
use web_sys::{AddEventListenerOptions, Element, Event, EventTarget, KeyboardEvent, MouseEvent};

/// Listens for as long as the page lives.
pub fn on<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, act: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(act);
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Listens on the document.
pub fn on_document<E: FromWasmAbi + 'static>(name: &str, act: impl FnMut(E) + 'static) {
    on(&document(), name, act);
}

/// Listens on the window.
pub fn on_window<E: FromWasmAbi + 'static>(name: &str, act: impl FnMut(E) + 'static) {
    on(&window(), name, act);
}

/// Listens on the document before whoever listens on what is inside.
pub fn before_all<E: FromWasmAbi + 'static>(name: &str, act: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(act);
    let on = closure.as_ref().unchecked_ref();
    let _ = document().add_event_listener_with_callback_and_bool(name, on, true);
    closure.forget();
}

/// Listens on one element and may keep the browser from doing what it would. Not for the document: the browser would wait for
/// it at each turn of a wheel.
pub fn take<E: FromWasmAbi + 'static>(of: &Element, name: &str, act: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(act);
    let options = AddEventListenerOptions::new();
    options.set_passive(false);
    let on = closure.as_ref().unchecked_ref();
    let _ = of.add_event_listener_with_callback_and_add_event_listener_options(name, on, &options);
    closure.forget();
}

/// The element that an event is about, or one around it, that this selector fits.
pub fn around(event: &Event, selector: &str) -> Option<Element> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok().flatten()
}

/// Whether a click is no more than that: with a key held, or another button, it is the browser's.
pub fn plain(event: &MouseEvent) -> bool {
    event.button() == 0
        && !(event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key() || event.default_prevented())
}

/// Whether single letters do something: not for who has switched them off.
pub fn single_keys() -> bool {
    let root = document().document_element();
    root.is_some_and(|root| root.get_attribute("data-keys").as_deref() != Some("off"))
}

/// Whether the event comes from where somebody types. A field of a dialog that has just been closed keeps the focus until the next
/// frame; nobody types there any more.
pub fn typing(event: &KeyboardEvent) -> bool {
    let inside = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
    around(event, inside).is_some() && around(event, "dialog:not([open])").is_none()
}
