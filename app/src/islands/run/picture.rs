//! The browser's side of a run's picture: dragging, sizes, the map and the search at once, and keys that move the selection in
//! picture, timeline and table. All of it works on what the server drew and leaves selecting to links.

use super::zoom::{FAR, STEPS};
use crate::islands::browser::{
    elements::{all, first, fixed, fraction, number},
    events::{around, before_all, plain, take},
    pages::{address, replace_address},
};
use leptos::prelude::*;
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{
    CssStyleSheet, Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent, MouseEventInit,
    MutationObserver, MutationObserverInit, PointerEvent, SvgElement, WheelEvent,
};

/// Pixels before a press becomes a drag.
const SLOP: i32 = 4;
/// The picture's edge: where its coordinates begin.
const EDGE: f64 = 8.0;

/// A frame smaller than this has no map, in pixels.
const MAPPED: (i32, i32) = (480, 320);

thread_local! {
    static STARTED: Cell<bool> = const { Cell::new(false) };
    /// The size that the reader chose since the page came: links still have the one before.
    static ZOOM: RefCell<Option<String>> = const { RefCell::new(None) };
    static DRAG: Cell<Option<Drag>> = const { Cell::new(None) };
    static SHEET: RefCell<Option<CssStyleSheet>> = const { RefCell::new(None) };
}

/// A press on the picture.
#[derive(Clone, Copy)]
struct Drag {
    from: (i32, i32),
    scroll: (i32, i32),
    moved: bool,
}

/// Begins once for the page.
pub fn start() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-alive", "");
    }
    if STARTED.replace(true) {
        return;
    }
    before_all("click", |event: MouseEvent| clicked(&event));
    before_all("keydown", |event: KeyboardEvent| pressed(&event));
    before_all("input", |event: Event| sought(&event));
    before_all("scroll", |event: Event| {
        if around(&event, ".dag").is_some() {
            draw_map();
        }
    });
    let _ = window_event_listener_untyped("resize", |_| draw_map());
    if let Some(frame) = first("#dag-frame") {
        take(&frame, "wheel", |event: WheelEvent| turned(&event));
    }
    before_all("pointerdown", |event: PointerEvent| down(&event));
    before_all("pointermove", |event: PointerEvent| moved(&event));
    before_all("pointerup", |_: PointerEvent| up());
    before_all("dragstart", |event: Event| {
        if around(&event, ".dag").is_some() {
            event.prevent_default();
        }
    });
    watch();
    draw_map();
}

/// Draws the map anew when the server's picture changes.
fn watch() {
    let changed = Closure::<dyn FnMut()>::new(draw_map);
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

// --- selecting ------------------------------------------------------------------------------------------------------

fn clicked(event: &MouseEvent) {
    if DRAG.get().is_some_and(|drag| drag.moved) {
        DRAG.set(None);
        event.prevent_default();
        event.stop_propagation();
        return;
    }
    if !plain(event) {
        return;
    }
    if let Some(link) = around(event, "a[data-zoom]") {
        event.prevent_default();
        zoom(&link.get_attribute("data-zoom").unwrap_or_default(), None);
        return;
    }
    let Some(link) = around(event, "#run a[href]") else { return };
    with_zoom(&link);
    if link.has_attribute("data-name") {
        select(&link);
    }
}

/// Puts the size that was chosen meanwhile into a link before it is followed.
fn with_zoom(link: &Element) {
    let Some(zoom) = ZOOM.with_borrow(Clone::clone) else { return };
    let url = link.get_attribute("href").and_then(|href| address(&href));
    if let Some(url) = url.filter(|url| Ok(url.pathname()) == window().location().pathname()) {
        set_zoom(&url, &zoom);
        let _ = link.set_attribute("href", &format!("{}{}{}", url.pathname(), url.search(), url.hash()));
    }
}

fn set_zoom(url: &web_sys::Url, zoom: &str) {
    if zoom == "100" { url.search_params().delete("zoom") } else { url.search_params().set("zoom", zoom) }
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

// --- keys -----------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
    Left,
    Right,
}

fn pressed(event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    if event.key() == "Enter" && chosen(event) {
        return;
    }
    let Some(here) = around(event, "#run .tasks a[data-i]") else { return };
    let way = match event.key().as_str() {
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

/// Enter in the search selects the first task that is found on the picture.
fn chosen(event: &KeyboardEvent) -> bool {
    let Some(input) = around(event, ".dag-seek input").and_then(|i| i.dyn_into::<HtmlInputElement>().ok()) else {
        return false;
    };
    let text = input.value().to_ascii_lowercase();
    let Some(frame) = frame().filter(|_| !text.trim().is_empty()) else { return false };
    let named =
        |node: &Element| node.get_attribute("data-name").is_some_and(|name| name.to_ascii_lowercase().contains(&text));
    let Some(found) = all(&frame, ".node[data-name]").into_iter().find(named) else { return false };
    event.prevent_default();
    press(&found);
    true
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

fn press(link: &Element) {
    let init = MouseEventInit::new();
    init.set_bubbles(true);
    init.set_cancelable(true);
    if let Ok(event) = MouseEvent::new_with_mouse_event_init_dict("click", &init) {
        let _ = link.dispatch_event(&event);
    }
}

// --- size -----------------------------------------------------------------------------------------------------------

/// Makes the picture larger (`+`), smaller (`-`), so large (`100`) or as large as there is room (`fit`), around a point of the
/// frame or its middle.
fn zoom(to: &str, around: Option<(f64, f64)>) {
    let Some(frame) = frame() else { return };
    let Some(picture) = frame.query_selector("svg").ok().flatten() else { return };
    let (Some(width), Some(height)) = (number(&frame, "data-w"), number(&frame, "data-h")) else {
        return;
    };
    let before = picture.get_bounding_client_rect().width() / width;
    let step = |found: Option<f64>| found.unwrap_or(before * 100.0);
    let mut steps = STEPS.map(f64::from).into_iter();
    let percent = match to {
        "+" => step(steps.find(|step| *step > before * 100.0 + 0.5)),
        "-" => step(steps.rfind(|step| *step < before * 100.0 - 0.5)),
        other => fraction(other).unwrap_or(100.0),
    };
    let fit = to == "fit";
    let classes = frame.class_list();
    let _ = classes.toggle_with_force("fit", fit);
    let _ = classes.toggle_with_force("far", !fit && percent < f64::from(FAR));
    if fit {
        let _ = picture.remove_attribute("width");
        let _ = picture.remove_attribute("height");
    } else {
        let scale = percent / 100.0;
        let (x, y) = around.unwrap_or((f64::from(frame.client_width()) / 2.0, f64::from(frame.client_height()) / 2.0));
        let (left, top) = (f64::from(frame.scroll_left()) + x, f64::from(frame.scroll_top()) + y);
        let _ = picture.set_attribute("width", &fixed(width * scale, 0));
        let _ = picture.set_attribute("height", &fixed(height * scale, 0));
        let ratio = scale / before;
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
        let to = |at: f64, from: f64| (at * ratio - from) as i32;
        frame.set_scroll_left(to(left, x));
        frame.set_scroll_top(to(top, y));
    }
    let word = if fit { "fit".to_owned() } else { fixed(percent, 0) };
    if let Some(shown) = first(".dag-tools .sizes .now") {
        shown.set_text_content(Some(&if fit { "Fit".to_owned() } else { format!("{word} %") }));
    }
    if let Some(url) = window().location().href().ok().and_then(|href| address(&href)) {
        set_zoom(&url, &word);
        replace_address(&url.href());
    }
    ZOOM.set(Some(word));
    draw_map();
}

fn turned(event: &WheelEvent) {
    if !(event.ctrl_key() || event.meta_key()) || around(event, ".dag").is_none() {
        return;
    }
    event.prevent_default();
    if let Some(frame) = frame() {
        let at = frame.get_bounding_client_rect();
        let point = (f64::from(event.client_x()) - at.left(), f64::from(event.client_y()) - at.top());
        zoom(if event.delta_y() < 0.0 { "+" } else { "-" }, Some(point));
    }
}

// --- dragging -------------------------------------------------------------------------------------------------------

fn down(event: &PointerEvent) {
    DRAG.set(None);
    // A finger scrolls by itself.
    if event.button() != 0 || event.pointer_type() == "touch" {
        return;
    }
    if around(event, ".dag-map").is_some() {
        event.prevent_default();
        to_on_map(event);
    } else if around(event, ".dag").is_some()
        && let Some(frame) = frame()
    {
        let scroll = (frame.scroll_left(), frame.scroll_top());
        DRAG.set(Some(Drag { from: (event.client_x(), event.client_y()), scroll, moved: false }));
    }
}

fn moved(event: &PointerEvent) {
    if event.buttons() & 1 == 0 {
        return;
    }
    if around(event, ".dag-map").is_some() && DRAG.get().is_none() {
        to_on_map(event);
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
fn up() {
    if DRAG.get().is_some_and(|drag| drag.moved) {
        set_timeout(|| DRAG.set(None), std::time::Duration::ZERO);
    } else {
        DRAG.set(None);
    }
}

// --- the map --------------------------------------------------------------------------------------------------------

/// Shows on the map which part of the picture is seen.
fn draw_map() {
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
fn to_on_map(event: &PointerEvent) {
    let (Some(frame), Some(map)) = (frame(), first("#run .dag-map")) else { return };
    let at = map.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - at.left()) / at.width();
    let y = (f64::from(event.client_y()) - at.top()) / at.height();
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    let middle = |share: f64, whole: i32, part: i32| (share * f64::from(whole)) as i32 - part / 2;
    frame.set_scroll_left(middle(x, frame.scroll_width(), frame.client_width()));
    frame.set_scroll_top(middle(y, frame.scroll_height(), frame.client_height()));
}

// --- the search -----------------------------------------------------------------------------------------------------

/// Lets what is not called so stand back while a name is typed: by one rule of style, whatever the size of the run.
fn sought(event: &Event) {
    let input = around(event, ".dag-seek input").and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else { return };
    let text = input.value().trim().replace('\\', "\\\\").replace('"', "\\\"");
    let other = format!(":not([data-name*=\"{text}\" i], .many)");
    let rule = format!("#run .dag .node{other}, #run .time .r{other} {{ opacity: 0.25 }}");
    let Some(sheet) = sheet() else { return };
    let _ = sheet.replace_sync(if text.is_empty() { "" } else { &rule });
}

/// A style sheet of our own on the page; made when it is first needed.
fn sheet() -> Option<CssStyleSheet> {
    if let Some(sheet) = SHEET.with_borrow(Clone::clone) {
        return Some(sheet);
    }
    let sheet = CssStyleSheet::new().ok()?;
    let name = JsValue::from_str("adoptedStyleSheets");
    let sheets = js_sys::Reflect::get(&document(), &name).ok()?;
    let all = js_sys::Array::from(&sheets);
    all.push(&sheet);
    js_sys::Reflect::set(&document(), &name, &all).ok()?;
    SHEET.set(Some(sheet.clone()));
    Some(sheet)
}
