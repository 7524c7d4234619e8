//! The one clock of a page: it keeps every relative time and countdown that the server wrote up to date, by the server's
//! clock. It is set anew by each answer of the server, and asks for one when somebody comes back to the page: in some browsers
//! it stands still while the machine sleeps. Without it the texts stay as they were written.

use leptos::prelude::*;

/// Ticks the times on the page; `now_ms` is the server's time as it answered, in milliseconds since the Unix epoch.
///
/// It looks for `data-until` (a countdown, after the words in `data-before`, `data-over` once it is over), `data-since` (how long
/// ago; in the tooltip where it is `data-titled`) and `data-elapsed` (for how long), each in milliseconds since the epoch, and
/// disables buttons whose `data-closes` has passed, showing the element that their
/// `aria-describedby` names.
#[island]
pub fn Clockwork(now_ms: i64) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start(now_ms));
    #[cfg(not(feature = "hydrate"))]
    let _ = now_ms;
}

#[cfg(feature = "hydrate")]
pub(super) use browser::{now, set};

#[cfg(feature = "hydrate")]
mod browser {
    use crate::{
        islands::{
            browser::{self, elements::all_of, events::on_document},
            follow,
        },
        words::{ago, left},
    };
    use domain::time::human;
    use leptos::prelude::*;
    use std::{cell::Cell, time::Duration};
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Document, Element, PerformanceResourceTiming};

    /// Who was away for so long, by the clock on the wall, is shown the page anew.
    const AWAY: f64 = 10_000.0;

    thread_local! {
        /// The server's time at a moment of `performance.now()`, both in milliseconds.
        static CLOCK: Cell<Option<(f64, f64)>> = const { Cell::new(None) };
    }

    /// Starts the clock. The server answered when the first byte of the page arrived; `performance.now()` runs evenly from
    /// there whatever the wall clock of this machine says, and goes on through the back-forward cache.
    pub fn start(now_ms: i64) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are well below 2^53")]
        CLOCK.set(Some((now_ms as f64, answered())));
        tick();
        set_interval(tick, Duration::from_secs(1));
        let left = Cell::new(None);
        on_document("visibilitychange", move |_: JsValue| {
            if !browser::seen() {
                left.set(Some(js_sys::Date::now()));
            } else if left.take().is_some_and(|left| js_sys::Date::now() - left > AWAY) {
                follow::missed();
            }
        });
    }

    /// Sets the clock by a fresh answer of the server.
    pub fn set(page: &Document) {
        let told = page.get_element_by_id("now").and_then(|now| browser::elements::number(&now, "value"));
        if let Some(told) = told {
            CLOCK.set(Some((told, browser::now())));
            tick();
        }
    }

    /// The server's time; none before the clock goes.
    pub fn now() -> Option<f64> {
        CLOCK.get().map(|(server, at)| server + browser::now() - at)
    }

    /// When the first byte of the page arrived, on the clock of `performance.now()`.
    fn answered() -> f64 {
        let navigation = window().performance().map(|performance| performance.get_entries_by_type("navigation").get(0));
        let timing = navigation.and_then(|navigation| navigation.dyn_into::<PerformanceResourceTiming>().ok());
        timing.map_or(0.0, |timing| timing.response_start())
    }

    fn tick() {
        let Some(now) = now() else { return };
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
        let now = now as i64;
        each("data-until", |element, until| {
            let words = |name: &str| element.get_attribute(name).unwrap_or_default();
            write(element, &left(until - now, &words("data-before"), &words("data-over")));
        });
        each("data-since", |element, since| {
            let text = ago(now - since);
            if !element.has_attribute("data-titled") {
                write(element, &text);
            } else if element.get_attribute("title").as_ref() != Some(&text) {
                let _ = element.set_attribute("title", &text);
            }
        });
        each("data-elapsed", |element, since| write(element, &human((now - since) / 1000 * 1000)));
        each("data-closes", |element, closes| {
            if now >= closes && !element.has_attribute("disabled") {
                let _ = element.set_attribute("disabled", "");
                if let Some(note) =
                    element.get_attribute("aria-describedby").and_then(|id| document().get_element_by_id(&id))
                {
                    let _ = note.remove_attribute("hidden");
                }
            }
        });
    }

    /// Writes only what differs, so that nothing is selected or announced anew without need.
    fn write(element: &Element, text: &str) {
        if element.text_content().as_deref() != Some(text) {
            element.set_text_content(Some(text));
        }
    }

    fn each(attribute: &str, act: impl Fn(&Element, i64)) {
        for element in all_of(&document(), &format!("[{attribute}]")) {
            if let Some(value) = element.get_attribute(attribute).and_then(|value| value.parse().ok()) {
                act(&element, value);
            }
        }
    }
}
