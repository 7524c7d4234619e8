//! The few things that islands want of a browser's page.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, convert::FromWasmAbi, prelude::Closure};
use web_sys::{Document, Element, EventTarget, NodeList, VisibilityState};

/// Milliseconds on the clock that runs evenly since the page began.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Whether somebody can see this page.
pub fn seen() -> bool {
    document().visibility_state() != VisibilityState::Hidden
}

/// Listens on the document for as long as the page lives.
pub fn on_document<E: FromWasmAbi + 'static>(name: &str, act: impl FnMut(E) + 'static) {
    on(&document(), name, act);
}

/// Listens on the window for as long as the page lives.
pub fn on_window<E: FromWasmAbi + 'static>(name: &str, act: impl FnMut(E) + 'static) {
    on(&window(), name, act);
}

fn on<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, act: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(act);
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// The first element inside that the selector fits.
pub fn find(within: &Element, selector: &str) -> Option<Element> {
    within.query_selector(selector).ok().flatten()
}

/// Every element inside that the selector fits.
pub fn all(within: &Element, selector: &str) -> Vec<Element> {
    within.query_selector_all(selector).map(elements).unwrap_or_default()
}

/// Every element of a document that the selector fits.
pub fn all_of(document: &Document, selector: &str) -> Vec<Element> {
    document.query_selector_all(selector).map(elements).unwrap_or_default()
}

#[expect(clippy::needless_pass_by_value, reason = "a list that was just made")]
fn elements(list: NodeList) -> Vec<Element> {
    (0..list.length()).filter_map(|index| list.get(index)?.dyn_into().ok()).collect()
}

/// An attribute that is a number.
pub fn number(element: &Element, name: &str) -> Option<f64> {
    fraction(&element.get_attribute(name)?)
}

/// A number as the browser reads it. Rust's own way to read and write fractions is larger than a whole island.
pub fn fraction(text: &str) -> Option<f64> {
    Some(js_sys::parse_float(text)).filter(|number| number.is_finite())
}

/// A number with so many places, as the browser writes it.
pub fn fixed(number: f64, places: u8) -> String {
    js_sys::Number::from(number).to_fixed(places).map(String::from).unwrap_or_default()
}
