//! Moving through the lines of a list: real focus on each line's own link, so that Enter, screen readers and the eye agree.

use crate::islands::browser::elements::{all, all_of};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// The lines of lists, of what is reviewed, and of tables; what is reviewed is one line, whatever it holds.
const LINES: &str = "#main :is(.rows > li, .review-items > li, table.grid > tbody > tr):not(.review-items > li *)";
/// What a line leads to, or is opened by.
const LINK: &str = "h2 a[href], h3 a[href], .what a[href], .hit, .object a[href], a[href], summary";

/// The lines of the page: those that hold no lines themselves, and lead somewhere.
fn rows() -> Vec<(HtmlElement, HtmlElement)> {
    let lines = all_of(&document(), LINES).into_iter().filter(|line| all(line, LINES).is_empty());
    let lines = lines.filter_map(|line| line.dyn_into::<HtmlElement>().ok());
    let seen = |line: &HtmlElement| line.get_bounding_client_rect().height() > 0.0;
    lines.filter(seen).filter_map(|line| Some((line.clone(), link(&line, LINK)?))).collect()
}

fn link(line: &Element, selectors: &str) -> Option<HtmlElement> {
    // In the order of the selectors, not of the document: the title's link before others.
    selectors.split(", ").find_map(|selector| line.query_selector(selector).ok().flatten())?.dyn_into().ok()
}

fn active() -> Option<Element> {
    document().active_element()
}

/// The next line, or the one before; from nowhere the first or the last. Whether there was one.
pub fn step(forward: bool) -> bool {
    let rows = rows();
    let here = active().and_then(|active| rows.iter().position(|(line, _)| line.contains(Some(&active))));
    let to = match (here, forward) {
        (None, true) => 0,
        (None, false) => rows.len().saturating_sub(1),
        (Some(at), true) => (at + 1).min(rows.len().saturating_sub(1)),
        (Some(at), false) => at.saturating_sub(1),
    };
    rows.get(to).inspect(|(_, link)| drop(link.focus())).is_some()
}

/// The link of that kind in the line that has the focus.
pub fn chosen(selector: &str) -> Option<HtmlElement> {
    let line = active()?.closest(LINES).ok().flatten()?;
    link(&line, selector)
}
