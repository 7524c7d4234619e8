//! The browser's side of a log: for every chunk of it there is a place of its height, and what is in sight is asked of the
//! server, which alone renders lines. So a log of any length costs what a few chunks cost, and scrolls as the browser scrolls.

use crate::islands::{
    browser::{
        elements::{all, first, whole},
        events::before_all,
        pages::ask,
    },
    follow::morph::morph,
};
use domain::log::window::{CHUNK, chunk_of};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet, VecDeque},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{
    Document, DocumentFragment, Element, Event, HtmlElement, IntersectionObserver, IntersectionObserverEntry,
    IntersectionObserverInit, MouseEvent, MutationObserver, MutationObserverInit, ResizeObserver,
};

mod acts;
mod groups;
mod scroll;

use acts::{clicked, submitted};
use groups::toggled;
use scroll::{resized, scrolled};

/// So far outside of the frame a chunk is loaded, and kept.
const MARGIN: &str = "2400px 0px";
/// What a line takes before it was seen, in pixels.
const LINE: u32 = 24;
/// Chunks that are kept after they went out of sight.
const KEPT: usize = 24;
/// Requests at a time.
const AT_ONCE: usize = 2;
/// The pause before what could not be had is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

thread_local! {
    /// The viewer of the page: there is one log.
    static VIEWER: RefCell<Option<Rc<Viewer>>> = const { RefCell::new(None) };
    static LISTENS: Cell<bool> = const { Cell::new(false) };
    /// Where a few words are said to whoever can't see what happened.
    static SAID: Cell<Option<RwSignal<&'static str>>> = const { Cell::new(None) };
}

struct Viewer {
    frame: HtmlElement,
    base: String,
    last: Cell<u32>,
    /// The line that is meant, once it is loaded.
    meant: Cell<Option<u32>>,
    /// The end is followed.
    at_end: Cell<bool>,
    /// How far it was scrolled when that was last heard of, in pixels.
    top: Cell<i32>,
    /// The line that was the first in sight then, and which share of it was above the frame's top.
    first: RefCell<Option<(Element, f64)>>,
    /// It was told once what is in sight.
    settled: Cell<bool>,
    near: RefCell<HashSet<u32>>,
    wanted: RefCell<Vec<u32>>,
    asked: RefCell<HashSet<u32>>,
    kept: RefCell<VecDeque<(u32, DocumentFragment)>>,
    /// Which groups are unfolded, by their opening line.
    groups: RefCell<HashMap<u32, bool>>,
    sight: IntersectionObserver,
    changes: MutationObserver,
    size: ResizeObserver,
    _seen: Closure<dyn FnMut(js_sys::Array)>,
    _changed: Closure<dyn FnMut()>,
    _sized: Closure<dyn FnMut()>,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.sight.disconnect();
        self.changes.disconnect();
        self.size.disconnect();
    }
}

fn viewer() -> Option<Rc<Viewer>> {
    VIEWER.with_borrow(Clone::clone)
}

/// Begins with the log that is on the page now; `key` is the one that it should be.
pub fn start(key: &str, said: RwSignal<&'static str>) {
    SAID.set(Some(said));
    if !LISTENS.replace(true) {
        before_all("click", |event: MouseEvent| clicked(&event));
        before_all("submit", |event: Event| submitted(&event));
        before_all("toggle", |event: Event| toggled(&event));
        before_all("scroll", |event: Event| scrolled(&event));
    }
    let frame = first(".log-box[data-own]").filter(|frame| frame.get_attribute("data-own").as_deref() == Some(key));
    let viewer = frame.and_then(|frame| frame.dyn_into::<HtmlElement>().ok()).and_then(Viewer::new).map(Rc::new);
    VIEWER.with_borrow_mut(|now| now.clone_from(&viewer));
    if let Some(viewer) = viewer {
        viewer.begin();
    }
}

impl Viewer {
    fn new(frame: HtmlElement) -> Option<Self> {
        let seen = Closure::<dyn FnMut(js_sys::Array)>::new(|entries: js_sys::Array| {
            if let Some(viewer) = viewer() {
                viewer.seen(&entries);
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root(Some(&frame));
        options.set_root_margin(MARGIN);
        let sight = IntersectionObserver::new_with_options(seen.as_ref().unchecked_ref(), &options).ok()?;
        let changed = Closure::<dyn FnMut()>::new(|| {
            if let Some(viewer) = viewer() {
                viewer.changed();
            }
        });
        let watch = MutationObserver::new(changed.as_ref().unchecked_ref()).ok()?;
        let what = MutationObserverInit::new();
        what.set_attributes(true);
        watch.observe_with_options(&frame, &what).ok()?;
        let sized = Closure::<dyn FnMut()>::new(resized);
        let size = ResizeObserver::new(sized.as_ref().unchecked_ref()).ok()?;
        size.observe(&frame);
        Some(Self {
            base: frame.get_attribute("data-base")?,
            last: Cell::new(whole(&frame, "data-last")?),
            meant: Cell::new(whole(&frame, "data-line")),
            at_end: Cell::new(frame.has_attribute("data-end")),
            top: Cell::new(frame.scroll_top()),
            first: RefCell::default(),
            settled: Cell::new(false),
            frame,
            near: RefCell::default(),
            wanted: RefCell::default(),
            asked: RefCell::default(),
            kept: RefCell::default(),
            groups: RefCell::default(),
            sight,
            changes: watch,
            size,
            _seen: seen,
            _changed: changed,
            _sized: sized,
        })
    }

    /// Makes places for all chunks around those that came with the page, without moving what is seen.
    fn begin(&self) {
        let there = all(&self.frame, ".chunk");
        let Some(anchor) = there.first() else { return };
        let tops: Vec<f64> = there.iter().map(|chunk| self.below(chunk)).collect();
        let from: u32 = whole(anchor, "data-from").unwrap_or(1);
        let to: u32 = there.last().and_then(|chunk| whole(chunk, "data-from")).unwrap_or(from);
        let before = self.places((1..from).step_by(CHUNK as usize));
        let _ = self.frame.insert_before(&before, Some(anchor));
        self.places_until_the_end(to);
        self.set_groups(&self.frame);
        // Of a group that is folded the chunk that came first may be out of sight.
        if let Some((chunk, top)) = there.iter().zip(tops).find(|(chunk, _)| !chunk.has_attribute("hidden")) {
            self.scroll(self.place(chunk) - top);
        }
        for chunk in all(&self.frame, ".chunk") {
            self.sight.observe(&chunk);
        }
        self.settle();
    }

    /// Shows the line that is meant, or the end.
    fn settle(&self) {
        match whole(&self.frame, "data-line") {
            Some(line) => self.go_to(line),
            None if self.at_end.get() => self.to_the_end(),
            None => {}
        }
    }

    fn places_until_the_end(&self, from: u32) {
        let more = self.places((from..=self.last.get()).step_by(CHUNK as usize).skip(1));
        let _ = self.frame.append_child(&more);
    }

    fn places(&self, firsts: impl Iterator<Item = u32>) -> DocumentFragment {
        let document = document();
        let places = document.create_document_fragment();
        for first in firsts {
            if let Ok(place) = document.create_element("div") {
                place.set_class_name("chunk");
                let _ = place.set_attribute("data-from", &first.to_string());
                self.set_height(&place, first, None);
                let _ = places.append_child(&place);
            }
        }
        places
    }

    /// Gives an empty place the height that its lines had, or would have.
    fn set_height(&self, place: &Element, first: u32, height: Option<i32>) {
        let lines = CHUNK.min(self.last.get().saturating_sub(first) + 1);
        let height = height.map_or_else(|| i64::from(lines * LINE), i64::from);
        if let Some(place) = place.dyn_ref::<HtmlElement>() {
            let _ = place.style().set_property("height", &format!("{height}px"));
        }
    }

    fn chunk(&self, first: u32) -> Option<Element> {
        self.frame.query_selector(&format!(".chunk[data-from=\"{first}\"]")).ok().flatten()
    }

    fn seen(self: &Rc<Self>, entries: &js_sys::Array) {
        // By the first word of what is in sight the page has its sizes: then the place is the right one, and what was measured
        // before it is not so any more.
        let first_word = !self.settled.replace(true);
        if first_word {
            self.settle();
        }
        for entry in entries.iter().filter_map(|entry| entry.dyn_into::<IntersectionObserverEntry>().ok()) {
            let chunk = entry.target();
            let Some(first) = whole(&chunk, "data-from") else { continue };
            if entry.is_intersecting() {
                self.near.borrow_mut().insert(first);
                if chunk.first_child().is_none() {
                    if !self.taken_back(&chunk, first) {
                        self.want(first);
                    } else if let Some(line) = self.meant.get().filter(|line| chunk_of(*line) == first) {
                        self.go_to(line);
                    }
                }
            } else {
                self.near.borrow_mut().remove(&first);
                self.wanted.borrow_mut().retain(|wanted| *wanted != first);
                if !first_word {
                    self.put_away(&chunk, first);
                }
            }
        }
        self.load();
    }

    fn want(&self, first: u32) {
        let mut wanted = self.wanted.borrow_mut();
        wanted.retain(|known| *known != first);
        wanted.push(first);
    }

    /// What has been loaded before is there at once.
    fn taken_back(&self, chunk: &Element, first: u32) -> bool {
        let mut kept = self.kept.borrow_mut();
        let Some(at) = kept.iter().position(|(known, _)| *known == first) else { return false };
        let Some((_, nodes)) = kept.remove(at) else { return false };
        let _ = chunk.append_child(&nodes);
        natural(chunk);
        self.set_groups(chunk);
        true
    }

    /// Empties a chunk that is out of sight, unless the reader is at work in it.
    fn put_away(&self, chunk: &Element, first: u32) {
        let document = document();
        let focused = document.active_element().is_some_and(|active| chunk.contains(Some(&active)));
        let selected = document.get_selection().ok().flatten().filter(|selection| !selection.is_collapsed());
        let selected = selected.and_then(|selection| selection.anchor_node());
        if chunk.first_child().is_none() || focused || selected.is_some_and(|node| self.frame.contains(Some(&node))) {
            return;
        }
        let seen = chunk.dyn_ref::<HtmlElement>().filter(|chunk| !chunk.hidden());
        self.set_height(chunk, first, seen.map(HtmlElement::offset_height));
        let nodes = document.create_document_fragment();
        while let Some(node) = chunk.first_child() {
            let _ = nodes.append_child(&node);
        }
        let mut kept = self.kept.borrow_mut();
        kept.push_back((first, nodes));
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// Asks for what is in sight, what came into sight last first.
    fn load(self: &Rc<Self>) {
        while self.asked.borrow().len() < AT_ONCE {
            let Some(first) = self.wanted.borrow_mut().pop() else { return };
            if !self.asked.borrow_mut().insert(first) {
                continue;
            }
            let this = Rc::clone(self);
            ask(&format!("{}&from={first}&only=1", self.base), move |page| {
                this.asked.borrow_mut().remove(&first);
                match page {
                    Some(page) => this.arrived(first, &page),
                    None => this.again(first),
                }
                this.load();
            });
        }
    }

    /// What could not be had is asked for again after a pause, while it is in sight.
    fn again(self: &Rc<Self>, first: u32) {
        let this = Rc::clone(self);
        let ask = move || {
            if this.near.borrow().contains(&first) {
                this.want(first);
                this.load();
            }
        };
        set_timeout(ask, AGAIN);
    }

    fn arrived(&self, first: u32, page: &Document) {
        let fresh = page.query_selector(&format!(".chunk[data-from=\"{first}\"]")).ok().flatten();
        let (Some(fresh), Some(chunk)) = (fresh, self.chunk(first)) else { return };
        if !self.near.borrow().contains(&first) && self.meant.get().map(chunk_of) != Some(first) {
            return;
        }
        self.steady(|| {
            if chunk.first_child().is_some() {
                morph(&chunk, &fresh);
            } else {
                while let Some(node) = fresh.first_child() {
                    let _ = chunk.append_child(&node);
                }
            }
            natural(&chunk);
            self.set_groups(&chunk);
        });
        match self.meant.get() {
            Some(line) => self.go_to(line),
            None => self.follow(),
        }
    }

    /// Shows a line in the middle of the frame; as soon as it is loaded where it is not.
    fn go_to(&self, line: u32) {
        self.at_end.set(false);
        self.unfold_around(line);
        let Some(chunk) = self.chunk(chunk_of(line)) else { return };
        let found = chunk.query_selector(&format!("#L{line}")).ok().flatten();
        let Some(found) = found.and_then(|line| line.dyn_into::<HtmlElement>().ok()) else {
            self.meant.set(Some(line));
            self.scroll(self.place(&chunk));
            return;
        };
        self.meant.set(None);
        self.mark(&found);
        let margin = f64::from(self.frame.client_height() - found.offset_height()) / 2.0;
        self.scroll(self.place(&found) - margin);
    }

    fn mark(&self, line: &Element) {
        for marked in all(&self.frame, "li.on") {
            let _ = marked.class_list().remove_1("on");
        }
        let _ = line.class_list().add_1("on");
    }

    /// The page told something new: lines came, or another line is meant.
    fn changed(self: &Rc<Self>) {
        let (before, last) = (self.last.get(), whole(&self.frame, "data-last").unwrap_or(0));
        if last > before {
            self.last.set(last);
            let partial = chunk_of(before);
            self.kept.borrow_mut().retain(|(first, _)| *first != partial);
            self.places_until_the_end(partial);
            let fresh = |chunk: &Element| whole(chunk, "data-from").is_some_and(|first| first >= partial);
            for chunk in all(&self.frame, ".chunk").into_iter().rev().take_while(fresh) {
                self.sight.observe(&chunk);
            }
            match self.chunk(partial) {
                Some(chunk) if chunk.first_child().is_some() && before % CHUNK != 0 => self.want(partial),
                Some(chunk) if chunk.first_child().is_none() => self.set_height(&chunk, partial, None),
                _ => {}
            }
            self.follow();
            self.load();
        }
        let meant = whole(&self.frame, "data-line");
        let marked = self.frame.query_selector("li.on").ok().flatten();
        let marked = marked.and_then(|line| line.id().strip_prefix('L')?.parse::<u32>().ok());
        if let Some(line) = meant.filter(|line| Some(*line) != marked && last == before) {
            self.go_to(line);
        }
    }
}

/// Lets a place have the height of what is in it.
fn natural(chunk: &Element) {
    if let Some(chunk) = chunk.dyn_ref::<HtmlElement>() {
        let _ = chunk.style().remove_property("height");
    }
}
