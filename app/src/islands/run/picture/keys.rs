//! Keys that move the selection in picture, timeline and table.

use super::{seek, select::press};
use crate::islands::browser::{
    elements::{all, first, fraction},
    events::{around, single_keys},
};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, SvgElement};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
    Left,
    Right,
}

pub fn pressed(event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    if event.key() == "Enter" && seek::chosen(event) {
        return;
    }
    let Some(here) = around(event, "#run .tasks a[data-i]") else { return };
    let key = event.key();
    if key.len() == 1 && !single_keys() {
        return;
    }
    let way = match key.as_str() {
        "ArrowUp" | "k" => Way::Up,
        "ArrowDown" | "j" => Way::Down,
        "ArrowLeft" | "h" => Way::Left,
        "ArrowRight" | "l" => Way::Right,
        _ => return,
    };
    // Where there is no further, the key does nothing: the page stays.
    event.prevent_default();
    event.stop_propagation();
    if let Some(there) = next(&here, way) {
        focus(&there);
        if !there.class_list().contains("many") {
            press(&there);
        }
    }
}

fn next(here: &Element, way: Way) -> Option<Element> {
    let tasks = first("#run .tasks")?;
    let in_list = |list: &str| {
        let all = all(&tasks, list);
        let at = all.iter().position(|link| link == here)?;
        all.get(if way == Way::Up { at.checked_sub(1)? } else { at + 1 }).cloned()
    };
    let list = if here.class_list().contains("r") {
        ".time-rows a[data-i]"
    } else if here.class_list().contains("node") {
        return neighbour(here, way);
    } else {
        ".as-table a[data-i]"
    };
    if matches!(way, Way::Up | Way::Down) {
        return in_list(list);
    }
    let same = |number: &str, list: &str| tasks.query_selector(&format!("{list}[data-i=\"{number}\"]")).ok().flatten();
    let node = same(&here.get_attribute("data-i")?, ".dag a")?;
    same(&neighbour(&node, way)?.get_attribute("data-i")?, list.trim_end_matches("[data-i]"))
}

/// The box next to this one: in its column, or the nearest of the next column.
fn neighbour(here: &Element, way: Way) -> Option<Element> {
    let (x, y) = place(here)?;
    let others = all(&first("#run .dag")?, ".node").into_iter().filter_map(|node| Some((place(&node)?, node)));
    let others = others.filter(|((ox, oy), _)| match way {
        Way::Up => (ox - x).abs() < 1.0 && *oy < y - 1.0,
        Way::Down => (ox - x).abs() < 1.0 && *oy > y + 1.0,
        Way::Left => *ox < x - 1.0,
        Way::Right => *ox > x + 1.0,
    });
    // A column further costs more than any way along one.
    let far = |(ox, oy): &(f64, f64)| (ox - x).abs() * 1e4 + (oy - y).abs();
    others.min_by(|(a, _), (b, _)| far(a).total_cmp(&far(b))).map(|(_, node)| node)
}

/// Where a box stands, as the server wrote it.
fn place(node: &Element) -> Option<(f64, f64)> {
    let group = node.query_selector("g[transform]").ok().flatten()?;
    let transform = group.get_attribute("transform")?;
    let (x, y) = transform.strip_prefix("translate(")?.strip_suffix(')')?.split_once(' ')?;
    Some((fraction(x)?, fraction(y)?))
}

fn focus(link: &Element) {
    if let Some(link) = link.dyn_ref::<HtmlElement>() {
        let _ = link.focus();
    } else if let Some(link) = link.dyn_ref::<SvgElement>() {
        let _ = link.focus();
    }
}
