//! The one clock of a page: it keeps every relative time and countdown that the server wrote up to date, by the server's
//! clock. Without it the texts stay as they were written, each with its absolute time beside it.

use leptos::prelude::*;

/// Ticks the times on the page; `now_ms` is the server's time as it answered, in milliseconds since the Unix epoch.
///
/// It looks for `data-until` (a countdown, after the words in `data-before`, `data-over` once it is over), `data-since` (how long ago) and `data-elapsed` (for how long), each in
/// milliseconds since the epoch, and disables buttons whose `data-closes` has passed, showing the element that their
/// `aria-describedby` names.
#[island]
pub fn Clockwork(now_ms: i64) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start(now_ms));
    #[cfg(not(feature = "hydrate"))]
    let _ = now_ms;
}

#[cfg(feature = "hydrate")]
pub(super) use browser::answered;

#[cfg(feature = "hydrate")]
mod browser {
    use crate::{
        islands::browser::elements::all_of,
        words::{ago, left},
    };
    use domain::time::human;
    use leptos::prelude::*;
    use std::time::Duration;
    use wasm_bindgen::JsCast;
    use web_sys::{Element, Performance, PerformanceResourceTiming};

    /// Starts the clock. The server answered when the first byte of the page arrived; `performance.now()` runs evenly from
    /// there whatever the wall clock of this machine says, and goes on through the back-forward cache.
    pub fn start(now_ms: i64) {
        let Some(performance) = window().performance() else { return };
        let answered = answered(&performance);
        tick(now_ms, 0);
        set_interval(
            move || {
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a page's life fit")]
                let passed = (performance.now() - answered) as i64;
                tick(now_ms, passed);
            },
            Duration::from_secs(1),
        );
    }

    /// When the first byte of the page arrived, on the clock of `performance.now()`.
    pub fn answered(performance: &Performance) -> f64 {
        let navigation = performance.get_entries_by_type("navigation").get(0);
        navigation.dyn_into::<PerformanceResourceTiming>().map_or(0.0, |timing| timing.response_start())
    }

    fn tick(answered_at: i64, passed: i64) {
        let now = answered_at + passed;
        each("data-until", |element, until| {
            let words = |name: &str| element.get_attribute(name).unwrap_or_default();
            write(element, &left(until - now, &words("data-before"), &words("data-over")));
        });
        each("data-since", |element, since| write(element, &ago(now - since)));
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
