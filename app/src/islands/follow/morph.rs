//! Makes one piece of a page like another with as few changes as possible, so that focus, selection, scrolling and what was
//! typed or unfolded stay. What is inside an element with `data-own` belongs to an island and is left alone; with another
//! value there it is another element. Knows nothing of what the piece shows.

use crate::islands::browser::elements::all;
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Node};

/// Makes `old` like `new`. Nodes may be moved out of `new`.
pub fn morph(old: &Element, new: &Element) {
    if old.is_equal_node(Some(new)) {
        return;
    }
    attributes(old, new);
    if !old.has_attribute("data-own") {
        children(old, new);
    }
}

fn attributes(old: &Element, new: &Element) {
    for name in names(new) {
        let value = new.get_attribute(&name);
        if old.get_attribute(&name) != value {
            let _ = old.set_attribute(&name, value.as_deref().unwrap_or_default());
        }
    }
    for name in names(old) {
        // What a reader unfolded stays so.
        let unfolded = name == "open" && matches!(&*old.tag_name(), "DETAILS" | "DIALOG");
        if !new.has_attribute(&name) && !unfolded {
            let _ = old.remove_attribute(&name);
        }
    }
}

fn names(element: &Element) -> Vec<String> {
    element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect()
}

fn children(old: &Element, new: &Element) {
    let fresh: Vec<Node> = {
        let list = new.child_nodes();
        (0..list.length()).filter_map(|index| list.get(index)).collect()
    };
    let mut next = old.first_child();
    for fresh in fresh {
        pass_marks(old, &mut next, &fresh);
        let place = next.clone().filter(|node| alike(node, &fresh)).or_else(|| elsewhere(old, &fresh));
        if let Some(node) = place {
            if next.as_ref().is_some_and(|next| next.is_same_node(Some(&node))) {
                next = node.next_sibling();
            } else {
                let _ = old.insert_before(&node, next.as_ref());
            }
            take_over(&node, &fresh);
        } else {
            let _ = old.insert_before(&fresh, next.as_ref());
            wake(&fresh);
        }
    }
    while let Some(left) = next {
        next = left.next_sibling();
        let _ = old.remove_child(&left);
    }
}

/// Takes away the marks and spaces before the element that can become `fresh`: an element that is moved, or made anew, loses
/// how far it was scrolled.
fn pass_marks(old: &Element, next: &mut Option<Node>, fresh: &Node) {
    let mark = |node: &Node| node.dyn_ref::<Element>().is_none();
    let mut ahead = next.clone();
    while ahead.as_ref().is_some_and(mark) {
        ahead = ahead.and_then(|node| node.next_sibling());
    }
    if !ahead.is_some_and(|element| alike(&element, fresh)) {
        return;
    }
    while let Some(passed) = next.clone().filter(mark) {
        *next = passed.next_sibling();
        let _ = old.remove_child(&passed);
    }
}

/// Whether one can become the other: the same kind of node and, for elements, the same tag, id and owner. An island lives by its
/// props: with others it is another one. What was ticked stays with what it was ticked for.
fn alike(old: &Node, new: &Node) -> bool {
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(a), Some(b)) => {
            let same = |name: &str| a.get_attribute(name) == b.get_attribute(name);
            a.tag_name() == b.tag_name()
                && same("id")
                && same("data-own")
                && (!island(a) || (same("data-component") && same("data-props")))
                && (!ticked(a) || (same("name") && same("value")))
        }
        (None, None) => old.node_type() == new.node_type(),
        _ => false,
    }
}

fn island(element: &Element) -> bool {
    element.tag_name() == "LEPTOS-ISLAND"
}

/// A control that says yes or no to its value.
fn ticked(element: &Element) -> bool {
    element.tag_name() == "INPUT" && matches!(element.get_attribute("type").as_deref(), Some("checkbox" | "radio"))
}

/// What is as it was when the page came: a piece that can't change, and what is only there where there is no script.
fn settled(old: &Element, new: &Element) -> bool {
    (old.has_attribute("data-still") && new.has_attribute("data-still")) || old.tag_name() == "NOSCRIPT"
}

/// The child of `old` with the same id, if it stands at another place.
fn elsewhere(old: &Element, fresh: &Node) -> Option<Node> {
    // Not `Element::id`: a form's field that is called `id` hides that one.
    let id = fresh.dyn_ref::<Element>()?.get_attribute("id")?;
    let found = document().get_element_by_id(&id).filter(|_| !id.is_empty())?;
    let here = found.parent_node()?.is_same_node(Some(old));
    (here && alike(&found, fresh)).then(|| found.into())
}

fn take_over(old: &Node, new: &Node) {
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        // An island looks after itself.
        (Some(a), Some(_)) if island(a) => {}
        (Some(a), Some(b)) if settled(a, b) => {}
        (Some(a), Some(b)) => morph(a, b),
        _ => {
            let value = new.node_value();
            if old.node_value() != value {
                old.set_node_value(value.as_deref());
            }
        }
    }
}

/// Brings islands alive that came with what was inserted, by the function that leptos' start script leaves on the window.
fn wake(fresh: &Node) {
    let Some(element) = fresh.dyn_ref::<Element>() else { return };
    let Ok(wake) = js_sys::Reflect::get(&leptos::prelude::window(), &JsValue::from_str("__hydrateIsland")) else {
        return;
    };
    let Some(wake) = wake.dyn_ref::<js_sys::Function>() else { return };
    let call = |island: &Element| {
        let name = island.get_attribute("data-component").unwrap_or_default();
        let _ = wake.call2(&JsValue::NULL, island, &JsValue::from_str(&name));
    };
    if island(element) {
        call(element);
    }
    all(element, "leptos-island").iter().for_each(call);
}
