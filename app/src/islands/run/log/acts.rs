//! What the reader does in a log: takes a line's address, searches, goes from hit to hit.

use super::{SAID, viewer};
use crate::islands::{
    browser::{
        clipboard,
        elements::{all, first},
        events::{around, plain},
        pages::{address, ask, go, replace_address},
    },
    follow::morph::morph,
};
use leptos::prelude::Set as _;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, MouseEvent};

/// A line's number makes the address its permalink and copies it; from hit to hit goes without a page.
pub fn clicked(event: &MouseEvent) {
    if !plain(event) {
        return;
    }
    if let Some(link) = around(event, ".log-box[data-own] .log li > a[href]") {
        event.prevent_default();
        let href = link.get_attribute("href").and_then(|href| address(&href)).map(|url| url.href());
        let (Some(viewer), Some(href), Some(line)) = (viewer(), href, link.closest("li").ok().flatten()) else {
            return;
        };
        viewer.mark(&line);
        replace_address(&href);
        say("The address is now the link to this line.");
        clipboard::write(&href, || say("The address is now the link to this line, and copied."));
    } else if let Some(href) = around(event, ".log-find a.step").and_then(|link| link.get_attribute("href")) {
        event.prevent_default();
        show(&href);
    }
}

pub fn submitted(event: &Event) {
    let Some(form) = around(event, ".log-find") else { return };
    event.prevent_default();
    let fields = all(&form, "input[name]").into_iter().filter_map(|field| field.dyn_into::<HtmlInputElement>().ok());
    let pairs = fields
        .filter(|field| !field.value().is_empty())
        .map(|field| format!("{}={}", field.name(), String::from(js_sys::encode_uri_component(&field.value()))));
    let query = pairs.collect::<Vec<_>>().join("&");
    show(&format!("{}?{query}", form.get_attribute("action").unwrap_or_default()));
}

/// Shows another part of the log without the rest of the page; where that can't be had, the page.
fn show(href: &str) {
    let Some(url) = address(href) else { return };
    let (page, part) = (url.href(), format!("{}/log{}", url.pathname(), url.search()));
    ask(&part, move |answer| {
        let fresh = answer.and_then(|page| page.query_selector(".log-area").ok().flatten());
        let (Some(fresh), Some(old)) = (fresh, first(".log-area")) else {
            go(&page);
            return;
        };
        replace_address(&page);
        morph(&old, &fresh);
    });
}

/// A few words for whoever can't see what happened.
fn say(words: &'static str) {
    if let Some(said) = SAID.get() {
        said.set(words);
    }
}
