//! The browser's side of a run's page: what moves between two events, links within the run, and what stays in sight when the
//! page is shown anew. That it is shown anew is not done here.

use crate::islands::{
    browser::{
        self,
        elements::{all, find, fixed, number},
        events::{around, on_document, on_window, plain},
        pages::address,
    },
    clockwork,
    follow::{self, Around},
};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsValue;
use web_sys::{Element, MouseEvent};

/// Milliseconds from one heartbeat to the next.
const BEAT: u64 = 250;
/// Milliseconds from one telling to the next: what is read aloud must be read to its end.
const TELLING: f64 = 5000.0;

struct Run {
    id: String,
    ended: RwSignal<bool>,
    /// How it stood when that was last known to the reader, and when they were told of it.
    known: RefCell<String>,
    told: Cell<f64>,
}

fn root() -> Option<Element> {
    document().get_element_by_id("run")
}

/// Keeps the run of the page for as long as the page lives.
pub fn start(id: &str, ended: RwSignal<bool>) {
    let Some(root) = root() else { return };
    ended.set(root.has_attribute("data-ended"));
    let run = Rc::new(Run {
        id: id.to_owned(),
        ended,
        known: RefCell::new(standing(&root)),
        told: Cell::new(f64::NEG_INFINITY),
    });
    into_sight(&root);
    take_links();
    let around: Rc<dyn Around> = Rc::clone(&run) as Rc<dyn Around>;
    follow::around(around);
    if !root.has_attribute("data-ended") {
        let beat = move || {
            run.grow();
            run.tell();
        };
        set_interval(beat, Duration::from_millis(BEAT));
    }
}

impl Around for Run {
    fn before(&self, fresh: &Element) -> bool {
        find(fresh, "#run").is_some_and(|run| run.get_attribute("data-run").as_ref() == Some(&self.id))
    }

    fn after(&self, chosen: bool) {
        let Some(root) = root() else { return };
        self.ended.set(root.has_attribute("data-ended"));
        if chosen {
            into_sight(&root);
        }
    }
}

impl Run {
    /// Tells how the run stands now, if the reader does not know it; not in the middle of another telling.
    fn tell(&self) {
        let now = browser::now();
        let stands = root().map(|root| standing(&root)).unwrap_or_default();
        if now - self.told.get() < TELLING || *self.known.borrow() == stands {
            return;
        }
        self.told.set(now);
        if let Some(said) = document().get_element_by_id("run-said") {
            said.set_text_content(Some(&format!("This run: {}", stands.to_ascii_lowercase())));
        }
        self.known.replace(stands);
    }

    /// Moves the now-line and lengthens the bars of what goes on, until the axis ends; then the server draws a longer one.
    fn grow(&self) {
        if self.ended.get_untracked() || !browser::seen() {
            return;
        }
        let Some(now) = clockwork::now() else { return };
        let Ok(Some(time)) = document().query_selector(".time[data-span]") else { return };
        let (Some(from), Some(span)) = (number(&time, "data-from"), number(&time, "data-span")) else { return };
        if now > from + span {
            follow::stale();
            return;
        }
        let percent = |ms: f64| (ms / span * 100.0).clamp(0.0, 100.0);
        for line in all(&time, "[data-now]") {
            let x = format!("{}%", fixed(percent(now - from), 2));
            let _ = line.set_attribute("x1", &x);
            let _ = line.set_attribute("x2", &x);
        }
        for bar in all(&time, "[data-grows]") {
            if let Some(since) = number(&bar, "data-grows") {
                let width = (percent(now - from) - percent(since - from)).max(0.4);
                let _ = bar.set_attribute("width", &format!("{}%", fixed(width, 2)));
            }
        }
    }
}

/// The word for how the run stands.
fn standing(root: &Element) -> String {
    find(root, ".head .state").and_then(|state| state.text_content()).unwrap_or_default()
}

/// Links within the run select without a page load; back and forward work. Whatever is more than a plain click, and links to a
/// line, are the browser's.
fn take_links() {
    on_document("click", move |event: MouseEvent| {
        let link = around(&event, "#run a[href]").filter(|_| plain(&event));
        if let Some(href) = link.and_then(|link| within(&link)) {
            event.prevent_default();
            follow::choose(&href);
        }
    });
    on_window("popstate", move |_: JsValue| follow::here());
}

/// The address of a link that leads to another selection of this very page.
fn within(link: &Element) -> Option<String> {
    let (url, here) = (address(&link.get_attribute("href")?)?, window().location());
    let same = url.origin() == here.origin().ok()? && url.pathname() == here.pathname().ok()?;
    (same && url.hash().is_empty() && !link.has_attribute("download")).then(|| url.href())
}

/// Scrolls the picture and the timeline, but not the page, so that the selected task is seen in both.
fn into_sight(root: &Element) {
    for (frame, selected) in [(".dag", ".node.sel rect"), (".time-rows", ".r.sel")] {
        let (Some(frame), Some(selected)) = (find(root, frame), find(root, selected)) else { continue };
        let (outer, inner) = (frame.get_bounding_client_rect(), selected.get_bounding_client_rect());
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
        let to_middle = |from: f64, size: f64, of: f64| (from - (size - of) / 2.0) as i32;
        if inner.left() < outer.left() || inner.right() > outer.right() {
            frame.set_scroll_left(
                frame.scroll_left() + to_middle(inner.left() - outer.left(), outer.width(), inner.width()),
            );
        }
        if inner.top() < outer.top() || inner.bottom() > outer.bottom() {
            frame.set_scroll_top(
                frame.scroll_top() + to_middle(inner.top() - outer.top(), outer.height(), inner.height()),
            );
        }
    }
}
