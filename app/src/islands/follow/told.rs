//! What a reader is told when what they see and what is so have come apart. The words stand in the page's templates; nobody
//! but the reader takes them away, by loading the page again.

use crate::islands::browser::elements::{all, find};
use leptos::prelude::document;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlTemplateElement};

struct Notice {
    of: &'static str,
    place: Element,
    shown: Element,
}

thread_local! {
    static TOLD: RefCell<Vec<Notice>> = const { RefCell::new(Vec::new()) };
}

/// The ticket in `place` is not the current one any more.
pub fn changed(place: &Element) {
    tell("told-changed", place);
}

/// Something on a page that came back with its form has changed; it is opened again at `address`.
pub fn returned(address: &str) {
    let Some(main) = document().get_element_by_id("main") else { return };
    // Beside what is being decided, if anything is; else at the head of the page.
    let beside = find(&main, "[data-pinned]");
    if let Some(notice) = tell("told-returned", beside.as_ref().unwrap_or(&main)) {
        if beside.is_none() {
            let _ = main.prepend_with_node_1(&notice);
        }
        for link in all(&notice, "a") {
            let _ = link.set_attribute("href", address);
        }
    }
}

/// A form that stood in `place` is gone, with what was typed into it. Answers the notice, for the focus to go to.
pub fn closed(place: &Element, typed: &[(String, String)]) -> Option<HtmlElement> {
    let notice = tell("told-closed", place)?;
    let part = find(&notice, ".typed")?;
    if typed.is_empty() {
        part.remove();
    } else if let Some(list) = find(&part, "dl") {
        for (tag, text) in typed.iter().flat_map(|(label, text)| [("dt", label), ("dd", text)]) {
            if let Ok(element) = document().create_element(tag) {
                element.set_text_content(Some(text));
                let _ = list.append_with_node_1(&element);
            }
        }
    }
    notice.dyn_into().ok()
}

/// Puts back what a fresh page, which knows nothing of it, has pushed away.
pub fn stay() {
    TOLD.with_borrow(|told| {
        for notice in told.iter().filter(|notice| !notice.shown.is_connected()) {
            if notice.place.is_connected() {
                let _ = notice.place.append_with_node_1(&notice.shown);
            }
        }
    });
}

/// Shows a copy of a template at the end of `place`; nothing where it is shown already.
fn tell(of: &'static str, place: &Element) -> Option<Element> {
    let known = |notice: &Notice| notice.of == of && notice.place.is_same_node(Some(place));
    if TOLD.with_borrow(|told| told.iter().any(known)) {
        return None;
    }
    let template: HtmlTemplateElement = document().get_element_by_id(of)?.dyn_into().ok()?;
    let shown = template.content().first_element_child()?.clone_node_with_deep(true).ok()?;
    let shown: Element = shown.dyn_into().ok()?;
    let _ = place.append_with_node_1(&shown);
    TOLD.with_borrow_mut(|told| told.push(Notice { of, place: place.clone(), shown: shown.clone() }));
    Some(shown)
}
