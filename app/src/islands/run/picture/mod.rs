//! The browser's side of a run's picture: dragging, sizes, the map and the search at once, and keys that move the selection in
//! picture, timeline and table. All of it works on what the server drew and leaves selecting to links.

mod hand;
mod keys;
mod map;
mod seek;
mod select;
mod size;

use crate::islands::browser::{
    elements::first,
    events::{around, before_all, take},
};
use leptos::prelude::*;
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{
    Event, HtmlElement, KeyboardEvent, MouseEvent, MutationObserver, MutationObserverInit, PointerEvent, WheelEvent,
};

thread_local! {
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

/// Begins once for the page.
pub fn start() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-alive", "");
    }
    if STARTED.replace(true) {
        return;
    }
    before_all("click", |event: MouseEvent| select::clicked(&event));
    before_all("keydown", |event: KeyboardEvent| keys::pressed(&event));
    before_all("input", |event: Event| seek::sought(&event));
    before_all("scroll", |event: Event| {
        if around(&event, ".dag").is_some() {
            map::draw();
        }
    });
    let _ = window_event_listener_untyped("resize", |_| map::draw());
    if let Some(frame) = first("#dag-frame") {
        take(&frame, "wheel", |event: WheelEvent| size::turned(&event));
    }
    before_all("pointerdown", |event: PointerEvent| hand::down(&event));
    before_all("pointermove", |event: PointerEvent| hand::moved(&event));
    before_all("pointerup", |_: PointerEvent| hand::up());
    before_all("dragstart", |event: Event| {
        if around(&event, ".dag").is_some() {
            event.prevent_default();
        }
    });
    watch();
    map::draw();
}

/// Draws the map anew when the server's picture changes.
fn watch() {
    let changed = Closure::<dyn FnMut()>::new(map::draw);
    let Some(tasks) = first("#run .tasks") else { return };
    if let Ok(observer) = MutationObserver::new(changed.as_ref().unchecked_ref()) {
        let what = MutationObserverInit::new();
        what.set_child_list(true);
        what.set_subtree(true);
        what.set_attributes(true);
        what.set_attribute_filter(&js_sys::Array::of1(&JsValue::from_str("viewBox")));
        let _ = observer.observe_with_options(&tasks, &what);
    }
    changed.forget();
}

fn frame() -> Option<HtmlElement> {
    first("#run .dag").and_then(|frame| frame.dyn_into().ok())
}
