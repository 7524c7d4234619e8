//! The search among the tasks, at once: what is not called so stands back, and Enter selects the first that is.

use super::{frame, select::press};
use crate::islands::browser::{elements::all, events::around};
use leptos::prelude::*;
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CssStyleSheet, Element, Event, HtmlInputElement, KeyboardEvent};

thread_local! {
    static SHEET: RefCell<Option<CssStyleSheet>> = const { RefCell::new(None) };
}

/// Lets what is not called so stand back while a name is typed: by one rule of style, whatever the size of the run.
pub fn sought(event: &Event) {
    let input = around(event, ".dag-seek input").and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else { return };
    let text = input.value().trim().replace('\\', "\\\\").replace('"', "\\\"");
    let other = format!(":not([data-name*=\"{text}\" i], .many)");
    let rule = format!("#run .dag .node{other}, #run .time .r{other} {{ opacity: 0.25 }}");
    let Some(sheet) = sheet() else { return };
    let _ = sheet.replace_sync(if text.is_empty() { "" } else { &rule });
}

/// A style sheet of our own on the page; made when it is first needed.
fn sheet() -> Option<CssStyleSheet> {
    if let Some(sheet) = SHEET.with_borrow(Clone::clone) {
        return Some(sheet);
    }
    let sheet = CssStyleSheet::new().ok()?;
    let name = JsValue::from_str("adoptedStyleSheets");
    let sheets = js_sys::Reflect::get(&document(), &name).ok()?;
    let all = js_sys::Array::from(&sheets);
    all.push(&sheet);
    js_sys::Reflect::set(&document(), &name, &all).ok()?;
    SHEET.set(Some(sheet.clone()));
    Some(sheet)
}

/// Enter in the search selects the first task that is found on the picture.
pub fn chosen(event: &KeyboardEvent) -> bool {
    let Some(input) = around(event, ".dag-seek input").and_then(|i| i.dyn_into::<HtmlInputElement>().ok()) else {
        return false;
    };
    let text = input.value().to_ascii_lowercase();
    let Some(frame) = frame().filter(|_| !text.trim().is_empty()) else { return false };
    let named =
        |node: &Element| node.get_attribute("data-name").is_some_and(|name| name.to_ascii_lowercase().contains(&text));
    let Some(found) = all(&frame, ".node[data-name]").into_iter().find(named) else { return false };
    event.prevent_default();
    press(&found);
    true
}
