//! Small things that more than one island does with the document.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{
    Document, Element, EventTarget, HtmlDialogElement, HtmlElement, KeyboardEvent, XmlHttpRequest,
    XmlHttpRequestResponseType,
};

/// Listens for as long as the page lives.
pub fn listen<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    on: &EventTarget,
    name: &str,
    act: impl FnMut(E) + 'static,
) {
    let closure = Closure::<dyn FnMut(E)>::new(act);
    let _ = on.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// Asks for a page and hands it on; nothing where it could not be had.
pub fn ask(address: &str, then: impl FnOnce(Option<Document>) + 'static) {
    let Ok(request) = XmlHttpRequest::new() else { return };
    if request.open("GET", address).is_err() {
        return;
    }
    request.set_response_type(XmlHttpRequestResponseType::Document);
    request.set_timeout(20_000);
    // What stands in `<main>` is enough, where the server can leave the frame out.
    let _ = request.set_request_header("Kubernaut-Part", "page");
    let answer = request.clone();
    let done = Closure::once_into_js(move || {
        let good = answer.status().is_ok_and(|status| status == 200);
        then(answer.response_xml().ok().flatten().filter(|_| good));
    });
    request.set_onloadend(Some(done.unchecked_ref()));
    let _ = request.send();
}

/// Whether the event comes from where somebody types.
pub fn typing(event: &KeyboardEvent) -> bool {
    let from = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    from.is_some_and(|element| {
        let inside = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
        element.closest(inside).is_ok_and(|found| found.is_some())
    })
}

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
    find("dialog[open]").is_some()
}

/// A press on the ground behind a dialog closes it.
pub fn close_by_ground(dialog: &HtmlDialogElement) {
    let own = dialog.clone();
    listen(dialog, "click", move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let (x, y, box_) = (f64::from(event.client_x()), f64::from(event.client_y()), own.get_bounding_client_rect());
        let inside = (box_.left()..box_.right()).contains(&x) && (box_.top()..box_.bottom()).contains(&y);
        if !inside && target.is_some_and(|target| target.is_same_node(Some(&own))) {
            own.close();
        }
    });
}

/// The first element that fits.
pub fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// All elements within one that fit, in their order.
pub fn all(within: &Element, selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = within.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect()
}

/// Goes to an address.
pub fn go(address: &str) {
    let _ = window().location().assign(address);
}
