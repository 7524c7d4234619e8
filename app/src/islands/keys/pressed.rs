//! Which key does what.

use super::rows;
use crate::islands::browser::{
    dialogs::{alive, close_by_ground, dialog, dialog_open},
    elements::{all, find, first, html},
    events::{around, on, on_document, typing},
    pages::{ask, go},
};
use leptos::prelude::*;
use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent, ScrollIntoViewOptions, ScrollLogicalPosition};

/// Milliseconds in which the second key of two must follow.
const TOGETHER: f64 = 1200.0;
/// The form on a recommendation's page that decides, and the place of its reason.
const DECIDE: &str = "#decide";
const REASON: &str = "#reason";
/// The reason's field.
const REASON_FIELD: &str = "#f-reason";

/// Makes the keys of the page work.
pub fn start() {
    // `g`, waiting for the place; the time at which it was pressed.
    let going: Cell<Option<f64>> = Cell::new(None);
    on_document("keydown", move |event: KeyboardEvent| {
        let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
        if modified || event.default_prevented() || event.is_composing() || typing(&event) || dialog_open() {
            return;
        }
        let now = event.time_stamp();
        let follows = going.take().is_some_and(|at| now - at < TOGETHER);
        let key = event.key();
        let done = match key.as_str() {
            _ if follows => place(&key),
            "g" => {
                going.set(Some(now));
                true
            }
            "/" => search(),
            "?" => help(),
            "j" => rows::step(true),
            "k" => rows::step(false),
            "a" => decide(DECIDE),
            "r" => decide(REASON),
            "Enter" => open_picked(&event),
            _ => false,
        };
        if done {
            event.prevent_default();
        }
    });
    if let Some(help) = dialog("keys-help") {
        close_by_ground(&help);
        for button in all(&help, "button[value=close]") {
            let help = help.clone();
            on(&button, "click", move |_: MouseEvent| help.close());
        }
        alive(&help);
    }
    arrive();
}

fn place(key: &str) -> bool {
    let path = match key {
        "o" => "/",
        "i" => "/incidents",
        "a" => "/approvals",
        "r" => "/runs",
        "c" => "/catalog",
        "e" => "/effectiveness",
        "u" => "/audit",
        "s" => "/settings",
        _ => return false,
    };
    go(path);
    true
}

/// The search of this page, else the palette (or the page it stands for).
fn search() -> bool {
    let field = first("main input[type=search]").and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    if let Some(field) = field {
        let _ = field.focus();
        field.select();
        return true;
    }
    html("[data-palette]").inspect(HtmlElement::click).is_some()
}

/// The list of keys as the page of keys has it.
fn help() -> bool {
    let (Some(dialog), Some(body)) = (dialog("keys-help"), document().get_element_by_id("keys-body")) else {
        return false;
    };
    if dialog.show_modal().is_err() {
        return false;
    }
    if find(&body, ".key-list").is_none() {
        ask("/settings/keys", move |page| {
            let list = page.and_then(|page| page.get_element_by_id("key-list"));
            body.set_text_content(None);
            let _ = body.remove_attribute("aria-busy");
            match list {
                Some(list) => {
                    let _ = list.remove_attribute("id");
                    let _ = body.append_child(&list);
                }
                None => body.set_text_content(Some("The list can't be had right now.")),
            }
        });
    }
    true
}

/// To the form that decides: of the chosen line in a list, or of this page. It only leads there; a person presses the button.
fn decide(part: &str) -> bool {
    if let Some(link) = rows::chosen("a[href^='/recommendations/']") {
        let href = link.get_attribute("href").unwrap_or_default();
        go(&format!("{href}{part}"));
        return true;
    }
    if first(DECIDE).is_none() {
        return false;
    }
    let target = if part == REASON { html(REASON_FIELD) } else { None };
    let target = target.or_else(|| html(DECIDE));
    target.inspect(focus).is_some()
}

/// On the check box of a line, Enter opens the line as it does on its link: a browser would send the form around the list.
fn open_picked(event: &KeyboardEvent) -> bool {
    around(event, ".pick").and_then(|_| rows::chosen("h2 a[href]")).inspect(HtmlElement::click).is_some()
}

/// Who comes here by `r` goes on typing: a field that the address names gets the focus. A button never does.
fn arrive() {
    let hash = window().location().hash().unwrap_or_default();
    if let Some(field) = (hash == REASON).then(|| html(REASON_FIELD)).flatten() {
        focus(&field);
    }
}

fn focus(element: &HtmlElement) {
    // What is in sight stays where it is: beside the ticket the reasons go on being read.
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
    if element.tag_name() == "TEXTAREA" {
        let _ = element.focus();
        return;
    }
    // A form is no stop of the tab key; it can be read from its beginning all the same.
    let _ = element.set_attribute("tabindex", "-1");
    let _ = element.focus();
}
