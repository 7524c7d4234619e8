//! The map: which part of the picture is seen, and going to another.

use super::frame;
use crate::islands::browser::elements::{first, fixed, number};
use leptos::prelude::*;
use web_sys::{Element, PointerEvent};

/// The picture's edge: where its coordinates begin.
const EDGE: f64 = 8.0;
/// A frame smaller than this has no map, in pixels.
const MAPPED: (i32, i32) = (480, 320);

/// Shows on the map which part of the picture is seen.
pub fn draw() {
    let (Some(frame), Some(root)) = (frame(), document().document_element()) else { return };
    let Some(seen) = first("#run .dag-map .seen rect") else { return };
    let (Some(width), Some(height)) = (number(&frame, "data-w"), number(&frame, "data-h")) else {
        return;
    };
    let share = |at: i32, of: i32| f64::from(at) / f64::from(of.max(1));
    let (w, h) = (frame.scroll_width(), frame.scroll_height());
    let (wide, high) = (share(frame.client_width(), w).min(1.0), share(frame.client_height(), h).min(1.0));
    // Who sees most of it needs no map, and in a small frame it would hide more than it shows.
    let small = frame.client_width() < MAPPED.0 || frame.client_height() < MAPPED.1;
    let whole = small || wide * high > 0.5;
    set(&root, "data-map", if whole { "off" } else { "on" });
    set(&seen, "x", &fixed(share(frame.scroll_left(), w) * width - EDGE, 1));
    set(&seen, "y", &fixed(share(frame.scroll_top(), h) * height - EDGE, 1));
    set(&seen, "width", &fixed(wide * width, 1));
    set(&seen, "height", &fixed(high * height, 1));
}

/// Sets an attribute if it says something else.
fn set(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        let _ = element.set_attribute(name, value);
    }
}

/// Shows the part of the picture that was pointed at on the map.
pub fn go_to(event: &PointerEvent) {
    let (Some(frame), Some(map)) = (frame(), first("#run .dag-map")) else { return };
    let at = map.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - at.left()) / at.width();
    let y = (f64::from(event.client_y()) - at.top()) / at.height();
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    let middle = |share: f64, whole: i32, part: i32| (share * f64::from(whole)) as i32 - part / 2;
    frame.set_scroll_left(middle(x, frame.scroll_width(), frame.client_width()));
    frame.set_scroll_top(middle(y, frame.scroll_height(), frame.client_height()));
}
