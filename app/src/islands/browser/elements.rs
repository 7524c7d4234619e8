//! Elements of a page, found by selectors, and the numbers in their attributes.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement, NodeList};

/// The first element of the page that the selector fits.
pub fn first(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// The same as one that can be pressed and take the focus.
pub fn html(selector: &str) -> Option<HtmlElement> {
    first(selector)?.dyn_into().ok()
}

/// The first element inside that the selector fits.
pub fn find(within: &Element, selector: &str) -> Option<Element> {
    within.query_selector(selector).ok().flatten()
}

/// Every element inside that the selector fits, in the page's order.
pub fn all(within: &Element, selector: &str) -> Vec<Element> {
    within.query_selector_all(selector).map(of).unwrap_or_default()
}

/// Every element of a document that the selector fits, in its order.
pub fn all_of(document: &Document, selector: &str) -> Vec<Element> {
    document.query_selector_all(selector).map(of).unwrap_or_default()
}

#[expect(clippy::needless_pass_by_value, reason = "a list that was just made")]
fn of(list: NodeList) -> Vec<Element> {
    (0..list.length()).filter_map(|at| list.get(at)?.dyn_into().ok()).collect()
}

/// A whole number in an attribute.
pub fn whole(element: &Element, name: &str) -> Option<u32> {
    element.get_attribute(name)?.parse().ok()
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
