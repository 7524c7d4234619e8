//! The picture's size: by the buttons, by the wheel, and kept in the address.

use super::{frame, map};
use crate::islands::{
    browser::{
        elements::{first, fixed, fraction, number},
        events::around,
        pages::{address, replace_address},
    },
    run::zoom::{FAR, STEPS},
};
use leptos::prelude::*;
use std::cell::RefCell;
use web_sys::{Element, WheelEvent};

thread_local! {
    /// The size that the reader chose since the page came: links still have the one before.
    static ZOOM: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes the picture larger (`+`), smaller (`-`), so large (`100`) or as large as there is room (`fit`), around a point of the
/// frame or its middle.
pub fn zoom(to: &str, around: Option<(f64, f64)>) {
    let Some(frame) = frame() else { return };
    let Some(picture) = frame.query_selector("svg").ok().flatten() else { return };
    let (Some(width), Some(height)) = (number(&frame, "data-w"), number(&frame, "data-h")) else {
        return;
    };
    let before = picture.get_bounding_client_rect().width() / width;
    let step = |found: Option<f64>| found.unwrap_or(before * 100.0);
    let mut steps = STEPS.map(f64::from).into_iter();
    let percent = match to {
        "+" => step(steps.find(|step| *step > before * 100.0 + 0.5)),
        "-" => step(steps.rfind(|step| *step < before * 100.0 - 0.5)),
        other => fraction(other).unwrap_or(100.0),
    };
    let fit = to == "fit";
    let classes = frame.class_list();
    let _ = classes.toggle_with_force("fit", fit);
    let _ = classes.toggle_with_force("far", !fit && percent < f64::from(FAR));
    if fit {
        let _ = picture.remove_attribute("width");
        let _ = picture.remove_attribute("height");
    } else {
        let scale = percent / 100.0;
        let (x, y) = around.unwrap_or((f64::from(frame.client_width()) / 2.0, f64::from(frame.client_height()) / 2.0));
        let (left, top) = (f64::from(frame.scroll_left()) + x, f64::from(frame.scroll_top()) + y);
        let _ = picture.set_attribute("width", &fixed(width * scale, 0));
        let _ = picture.set_attribute("height", &fixed(height * scale, 0));
        let ratio = scale / before;
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
        let to = |at: f64, from: f64| (at * ratio - from) as i32;
        frame.set_scroll_left(to(left, x));
        frame.set_scroll_top(to(top, y));
    }
    let word = if fit { "fit".to_owned() } else { fixed(percent, 0) };
    if let Some(shown) = first(".dag-tools .sizes .now") {
        shown.set_text_content(Some(&if fit { "Fit".to_owned() } else { format!("{word} %") }));
    }
    if let Some(url) = window().location().href().ok().and_then(|href| address(&href)) {
        set_zoom(&url, &word);
        replace_address(&url.href());
    }
    ZOOM.set(Some(word));
    map::draw();
}

pub fn turned(event: &WheelEvent) {
    if !(event.ctrl_key() || event.meta_key()) || around(event, ".dag").is_none() {
        return;
    }
    event.prevent_default();
    if let Some(frame) = frame() {
        let at = frame.get_bounding_client_rect();
        let point = (f64::from(event.client_x()) - at.left(), f64::from(event.client_y()) - at.top());
        zoom(if event.delta_y() < 0.0 { "+" } else { "-" }, Some(point));
    }
}

/// Puts the size that was chosen meanwhile into a link before it is followed.
pub fn keep_in(link: &Element) {
    let Some(zoom) = ZOOM.with_borrow(Clone::clone) else { return };
    let url = link.get_attribute("href").and_then(|href| address(&href));
    if let Some(url) = url.filter(|url| Ok(url.pathname()) == window().location().pathname()) {
        set_zoom(&url, &zoom);
        let _ = link.set_attribute("href", &format!("{}{}{}", url.pathname(), url.search(), url.hash()));
    }
}

fn set_zoom(url: &web_sys::Url, zoom: &str) {
    if zoom == "100" { url.search_params().delete("zoom") } else { url.search_params().set("zoom", zoom) }
}
