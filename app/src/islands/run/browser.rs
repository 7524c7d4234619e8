//! What the islands of a run ask of the browser, in short.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue, convert::FromWasmAbi, prelude::Closure};
use web_sys::{
    AddEventListenerOptions, Document, Element, MouseEvent, Url, XmlHttpRequest, XmlHttpRequestResponseType,
};

/// Listens on the document for as long as the page lives, before whoever listens on what is inside.
pub fn listen<E: FromWasmAbi + 'static>(name: &str, act: impl FnMut(E) + 'static) {
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
pub fn around(event: &web_sys::Event, selector: &str) -> Option<Element> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok().flatten()
}

/// The first element of the page that this selector fits.
pub fn first(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// Every element of a list.
pub fn all(within: &Element, selector: &str) -> Vec<Element> {
    let Ok(list) = within.query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.get(at)?.dyn_into().ok()).collect()
}

/// A whole number in an attribute.
pub fn whole(element: &Element, name: &str) -> Option<u32> {
    element.get_attribute(name)?.parse().ok()
}

/// Whether a click is no more than that: with a key held, or another button, it is the browser's.
pub fn plain(event: &MouseEvent) -> bool {
    event.button() == 0
        && !(event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key() || event.default_prevented())
}

/// The whole address of a link.
pub fn address(href: &str) -> Option<Url> {
    Url::new_with_base(href, &window().location().href().ok()?).ok()
}

/// Takes over an address without a step back.
pub fn replace_address(href: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(href));
    }
}

/// Asks for a document; none where the answer is not one.
pub fn ask(href: &str, then: impl FnOnce(Option<Document>) + 'static) {
    let Ok(request) = XmlHttpRequest::new() else { return };
    if request.open("GET", href).is_err() {
        return;
    }
    request.set_response_type(XmlHttpRequestResponseType::Document);
    request.set_timeout(20_000);
    let answer = request.clone();
    let done = Closure::once_into_js(move || {
        then(answer.response_xml().ok().flatten().filter(|_| answer.status() == Ok(200)));
    });
    request.set_onloadend(Some(done.unchecked_ref()));
    let _ = request.send();
}
