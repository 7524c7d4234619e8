//! Dragging the picture, and pointing at its map.

use super::{frame, map};
use crate::islands::browser::events::around;
use leptos::prelude::*;
use std::cell::Cell;
use web_sys::PointerEvent;

/// Pixels before a press becomes a drag.
const SLOP: i32 = 4;

/// A press on the picture.
#[derive(Clone, Copy)]
struct Drag {
    from: (i32, i32),
    scroll: (i32, i32),
    moved: bool,
}

thread_local! {
    static DRAG: Cell<Option<Drag>> = const { Cell::new(None) };
}

/// Whether the picture was dragged until now: the click that follows means nothing else.
pub fn let_go() -> bool {
    let dragged = DRAG.get().is_some_and(|drag| drag.moved);
    if dragged {
        DRAG.set(None);
    }
    dragged
}

pub fn down(event: &PointerEvent) {
    DRAG.set(None);
    // A finger scrolls by itself.
    if event.button() != 0 || event.pointer_type() == "touch" {
        return;
    }
    if around(event, ".dag-map").is_some() {
        event.prevent_default();
        map::go_to(event);
    } else if around(event, ".dag").is_some()
        && let Some(frame) = frame()
    {
        let scroll = (frame.scroll_left(), frame.scroll_top());
        DRAG.set(Some(Drag { from: (event.client_x(), event.client_y()), scroll, moved: false }));
    }
}

pub fn moved(event: &PointerEvent) {
    if event.buttons() & 1 == 0 {
        return;
    }
    if around(event, ".dag-map").is_some() && DRAG.get().is_none() {
        map::go_to(event);
        return;
    }
    let (Some(mut drag), Some(frame)) = (DRAG.get(), frame()) else { return };
    let (x, y) = (event.client_x() - drag.from.0, event.client_y() - drag.from.1);
    drag.moved |= x.abs() > SLOP || y.abs() > SLOP;
    if drag.moved {
        frame.set_scroll_left(drag.scroll.0 - x);
        frame.set_scroll_top(drag.scroll.1 - y);
    }
    DRAG.set(Some(drag));
}

/// A drag is told from a click by the click that follows; where none does, nothing is left of it.
pub fn up() {
    if DRAG.get().is_some_and(|drag| drag.moved) {
        set_timeout(|| DRAG.set(None), std::time::Duration::ZERO);
    } else {
        DRAG.set(None);
    }
}
