//! What a reader has in hand while the page changes around it: the focus, what was typed, a ticket that is being judged, a
//! finger on a button.

use super::told;
use crate::islands::browser::{elements::all, events::on_document, now};
use leptos::prelude::*;
use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement, HtmlFormElement, HtmlInputElement, HtmlTextAreaElement, Node};

/// Milliseconds for which a pressed button is waited for.
const PRESSED: f64 = 1500.0;

thread_local! {
    static SINCE: Cell<Option<f64>> = const { Cell::new(None) };
}

/// Notices from now on when a button or a finger is down.
pub fn watch() {
    on_document("pointerdown", |_: wasm_bindgen::JsValue| SINCE.set(Some(now())));
    for up in ["pointerup", "pointercancel", "dragend"] {
        on_document(up, |_: wasm_bindgen::JsValue| SINCE.set(None));
    }
}

/// Whether something is being pressed: then nothing may move under it.
pub fn pressed() -> bool {
    SINCE.get().is_some_and(|since| now() - since < PRESSED)
}

/// A form that the reader works with, and where it stands: itself first, then what it stands in.
struct Form {
    line: Vec<Element>,
    /// What was typed: what the field is called, and its text.
    typed: Vec<(String, String)>,
}

/// What a reader has in hand.
pub struct Hands {
    focus: Option<HtmlElement>,
    forms: Vec<Form>,
}

impl Hands {
    /// What of `old` is in the reader's hands. A ticket that is being judged and would change is left in `fresh` as it is in
    /// `old`, and the reader is told: nobody approves what they have not read.
    pub fn of(old: &Element, fresh: &Element) -> Self {
        for mine in all(old, "[data-pinned]") {
            let theirs = all(fresh, "[data-pinned]").into_iter().find(|other| other.id() == mine.id());
            let pin = |element: &Element| element.get_attribute("data-pinned");
            if let Some(theirs) = theirs.filter(|theirs| pin(theirs) != pin(&mine)) {
                told::changed(&mine);
                if let Ok(copy) = mine.clone_node_with_deep(true) {
                    let _ = theirs.replace_with_with_node_1(&copy);
                }
            }
        }
        let focus = document().active_element().filter(|at| old.contains(Some(at)));
        let forms = all(old, "form[method=post]").into_iter().filter_map(|form| {
            let typed = typed(form.dyn_ref()?);
            let inside = focus.as_ref().is_some_and(|at| form.contains(Some(at)));
            let decides = form.closest("[data-pinned]").is_ok_and(|at| at.is_some());
            (decides || inside || !typed.is_empty()).then(|| Form { line: line(form), typed })
        });
        let forms = forms.collect();
        Self { focus: focus.and_then(|at| at.dyn_into().ok()), forms }
    }

    /// Gives back what can be given back, and tells of what can't.
    pub fn give_back(self) {
        told::stay();
        let mut told = None;
        for form in self.forms {
            let [own, above @ ..] = &*form.line else { continue };
            if own.is_connected() {
                continue;
            }
            if let Some(place) = above.iter().find(|element| element.is_connected()) {
                told = told::closed(place, &form.typed).or(told);
            }
        }
        let Some(mut focus) = self.focus else { return };
        if !focus.is_connected()
            && let Some(told) = told
        {
            let _ = told.set_attribute("tabindex", "-1");
            focus = told;
        }
        let now = document().active_element();
        if focus.is_connected() && !focus.is_same_node(now.as_ref().map(AsRef::<Node>::as_ref)) {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = focus.focus_with_options(&options);
        }
    }
}

fn line(form: Element) -> Vec<Element> {
    std::iter::successors(Some(form), |at| at.parent_element()).collect()
}

/// What was typed into a form and differs from what the server had put there.
fn typed(form: &HtmlFormElement) -> Vec<(String, String)> {
    let controls = form.elements();
    (0..controls.length()).filter_map(|index| said(&controls.item(index)?)).collect()
}

fn said(control: &Element) -> Option<(String, String)> {
    let (value, before, labels) = if let Some(area) = control.dyn_ref::<HtmlTextAreaElement>() {
        (area.value(), area.default_value().ok()?, area.labels())
    } else {
        let input = control.dyn_ref::<HtmlInputElement>()?;
        if matches!(&*input.type_(), "hidden" | "password" | "checkbox" | "radio" | "submit" | "button") {
            return None;
        }
        (input.value(), input.default_value(), input.labels()?)
    };
    // Browsers and servers end lines differently.
    let lines = |text: &str| text.replace("\r\n", "\n");
    if value.trim().is_empty() || lines(&value) == lines(&before) {
        return None;
    }
    let label = labels.get(0).and_then(|label| label.first_child()?.text_content());
    Some((label.unwrap_or_default(), value))
}
