//! Selecting a task: at once in the browser, the rest comes from the server.

use super::{hand, size};
use crate::islands::browser::{
    elements::{all, first},
    events::{around, plain},
};
use web_sys::{Element, MouseEvent, MouseEventInit};

pub fn clicked(event: &MouseEvent) {
    if hand::let_go() {
        event.prevent_default();
        event.stop_propagation();
        return;
    }
    if !plain(event) {
        return;
    }
    if let Some(link) = around(event, "a[data-zoom]") {
        event.prevent_default();
        size::zoom(&link.get_attribute("data-zoom").unwrap_or_default(), None);
        return;
    }
    let Some(link) = around(event, "#run a[href]") else { return };
    size::keep_in(&link);
    if link.has_attribute("data-name") {
        select(&link);
    }
}

/// Shows at once what is selected; the rest comes from the server.
fn select(link: &Element) {
    let Some(tasks) = first("#run .tasks") else { return };
    for old in all(&tasks, ".sel") {
        let _ = old.class_list().remove_1("sel");
    }
    let Some(number) = link.get_attribute("data-i") else { return };
    for fresh in all(&tasks, &format!("[data-name][data-i=\"{number}\"]")) {
        let _ = fresh.class_list().add_1("sel");
    }
}

/// Clicks a link as a hand would.
pub fn press(link: &Element) {
    let init = MouseEventInit::new();
    init.set_bubbles(true);
    init.set_cancelable(true);
    if let Ok(event) = MouseEvent::new_with_mouse_event_init_dict("click", &init) {
        let _ = link.dispatch_event(&event);
    }
}
