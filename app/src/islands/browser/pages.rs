//! Addresses, and asking for what stands there.

use crate::part::Part;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Document, Url, UrlSearchParams, XmlHttpRequest, XmlHttpRequestResponseType};

/// What was answered: the HTTP status, 0 where there was no answer, and the document, if it is one.
pub type Answer = (u16, Option<Document>);

/// Asks for a document and hands it on; none where it could not be had. What stands in `<main>` is enough.
pub fn ask(address: &str, then: impl FnOnce(Option<Document>) + 'static) {
    send(None, address, Part::Page, |(status, page)| then(page.filter(|_| status == 200)));
}

/// Asks for a document, or posts fields for it, and hands on what is answered within 20 s.
pub fn send(fields: Option<&UrlSearchParams>, address: &str, part: Part, then: impl FnOnce(Answer) + 'static) {
    let Ok(request) = XmlHttpRequest::new() else { return then((0, None)) };
    if request.open(if fields.is_some() { "POST" } else { "GET" }, address).is_err() {
        return then((0, None));
    }
    request.set_response_type(XmlHttpRequestResponseType::Document);
    request.set_timeout(20_000);
    if let Some(word) = part.word() {
        let _ = request.set_request_header(Part::HEADER, word);
    }
    let answer = request.clone();
    let done = Closure::once_into_js(move || {
        then((answer.status().unwrap_or_default(), answer.response_xml().ok().flatten()));
    });
    request.set_onloadend(Some(done.unchecked_ref()));
    let _ = match fields {
        Some(fields) => request.send_with_opt_url_search_params(Some(fields)),
        None => request.send(),
    };
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

/// Goes to an address.
pub fn go(address: &str) {
    let _ = window().location().assign(address);
}
