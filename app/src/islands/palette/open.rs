//! The browser's side of the palette: opened and closed, what is typed asked for, a hit chosen by keys or pointer. Focus stays
//! in the field; `aria-activedescendant` says which hit is chosen.

use crate::islands::browser::{
    dialogs::{alive, close_by_ground, dialog},
    elements::all,
    events::{around, on, on_document, plain},
    pages::ask,
};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsCast;
use web_sys::{
    Document, Element, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent,
    ScrollIntoViewOptions, ScrollLogicalPosition,
};

/// Milliseconds of rest before what was typed is asked for.
const REST: Duration = Duration::from_millis(120);

struct Palette {
    dialog: HtmlDialogElement,
    field: HtmlInputElement,
    list: Element,
    /// The hits as they are shown, and which is chosen.
    hits: RefCell<Vec<HtmlElement>>,
    chosen: Cell<usize>,
    /// The words whose hits are shown; none before the first answer.
    shown: RefCell<Option<String>>,
    /// The number of the newest asking: answers to older ones come too late.
    newest: Cell<u32>,
}

/// Makes the palette of the page work.
pub fn start() {
    let Some(palette) = found() else { return };
    let this = Rc::clone(&palette);
    on_document("keydown", move |event: KeyboardEvent| {
        let command = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
        if command && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            if this.dialog.open() { this.dialog.close() } else { this.open() }
        }
    });
    let this = Rc::clone(&palette);
    on_document("click", move |event: MouseEvent| {
        if plain(&event) && around(&event, "[data-palette]").is_some() {
            event.prevent_default();
            this.open();
        }
    });
    close_by_ground(&palette.dialog);
    for button in all(&palette.dialog, "button[value=close]") {
        let dialog = palette.dialog.clone();
        on(&button, "click", move |_: MouseEvent| dialog.close());
    }
    let dialog = palette.dialog.clone();
    on(&palette.list, "click", move |event: MouseEvent| {
        // A hit may lead to a part of this very page. One that opens elsewhere leaves the palette as it is.
        if !(event.meta_key() || event.ctrl_key() || event.shift_key()) {
            dialog.close();
        }
    });
    let this = Rc::clone(&palette);
    on(&palette.field, "keydown", move |event: KeyboardEvent| this.pressed(&event));
    let this = Rc::clone(&palette);
    on(&palette.field, "input", move |_: web_sys::Event| this.typed());
    alive(&palette.dialog);
}

fn found() -> Option<Rc<Palette>> {
    let dialog = dialog("palette")?;
    let field = document().get_element_by_id("palette-q")?.dyn_into().ok()?;
    let list = document().get_element_by_id("palette-hits")?;
    Some(Rc::new(Palette {
        dialog,
        field,
        list,
        hits: RefCell::default(),
        chosen: Cell::new(0),
        shown: RefCell::default(),
        newest: Cell::new(0),
    }))
}

impl Palette {
    fn open(self: &Rc<Self>) {
        // One dialog at a time: whatever else is open gives way.
        for other in all(&document().document_element().unwrap_or_else(|| self.list.clone()), "dialog[open]") {
            if let Ok(other) = other.dyn_into::<HtmlDialogElement>() {
                other.close();
            }
        }
        if self.dialog.show_modal().is_err() {
            return;
        }
        self.field.select();
        self.ask();
    }

    fn typed(self: &Rc<Self>) {
        self.newest.set(self.newest.get() + 1);
        let (this, mine) = (Rc::clone(self), self.newest.get());
        set_timeout(
            move || {
                if this.newest.get() == mine {
                    this.ask();
                }
            },
            REST,
        );
    }

    /// Asks for the hits of what stands in the field.
    fn ask(self: &Rc<Self>) {
        self.newest.set(self.newest.get() + 1);
        let (this, mine, words) = (Rc::clone(self), self.newest.get(), self.field.value());
        let address = format!("/search?q={}", String::from(js_sys::encode_uri_component(words.trim())));
        ask(&address, move |page| {
            if this.newest.get() == mine {
                this.show(page, words);
            }
        });
    }

    /// Shows the hits of a page. Its list becomes a list box: the field keeps the focus, so a hit is no stop of the tab key.
    fn show(&self, page: Option<Document>, words: String) {
        self.list.set_text_content(None);
        let _ = self.list.remove_attribute("aria-busy");
        let Some(hits) = page.and_then(|page| page.get_element_by_id("hits")) else {
            // Signed out, or not reached: Enter leads to the page, which says so.
            *self.shown.borrow_mut() = None;
            self.hits.borrow_mut().clear();
            return Self::tell("The search does not answer here. Press Enter to see it as a page.");
        };
        let empty = hits.get_attribute("data-count").as_deref() == Some("0");
        let set = |element: &Element, name: &str, value: &str| drop(element.set_attribute(name, value));
        for group in all(&hits, "section") {
            let name = all(&group, "h2").first().and_then(|heading| heading.text_content()).unwrap_or_default();
            set(&group, "role", "group");
            set(&group, "aria-label", &name);
            for plain in all(&group, "h2, ul, li") {
                set(&plain, "role", "presentation");
            }
            let _ = self.list.append_child(&group);
        }
        let found = all(&self.list, ".hit");
        for (at, hit) in found.iter().enumerate() {
            set(hit, "id", &format!("palette-hit-{at}"));
            set(hit, "role", "option");
            set(hit, "tabindex", "-1");
        }
        let count = found.len();
        *self.hits.borrow_mut() = found.into_iter().filter_map(|hit| hit.dyn_into().ok()).collect();
        *self.shown.borrow_mut() = Some(words);
        set(&self.field, "aria-expanded", if empty { "false" } else { "true" });
        Self::tell(if empty { "Nothing is found. Fewer or other words may find it." } else { "" });
        if let Some(said) = document().get_element_by_id("palette-said") {
            said.set_text_content(Some(&format!("{count} found")));
        }
        self.choose(0);
    }

    /// A sentence in place of hits.
    fn tell(text: &str) {
        let Some(none) = document().get_element_by_id("palette-none") else { return };
        none.set_text_content(Some(text));
        let _ = none.toggle_attribute_with_force("hidden", text.is_empty());
    }

    fn choose(&self, at: usize) {
        let hits = self.hits.borrow();
        self.chosen.set(at);
        for (index, hit) in hits.iter().enumerate() {
            let _ = hit.set_attribute("aria-selected", if index == at { "true" } else { "false" });
        }
        match hits.get(at) {
            Some(hit) => {
                let _ = self.field.set_attribute("aria-activedescendant", &hit.id());
                let nearest = ScrollIntoViewOptions::new();
                nearest.set_block(ScrollLogicalPosition::Nearest);
                hit.scroll_into_view_with_scroll_into_view_options(&nearest);
            }
            None => drop(self.field.remove_attribute("aria-activedescendant")),
        }
    }

    fn pressed(&self, event: &KeyboardEvent) {
        let count = self.hits.borrow().len();
        let at = self.chosen.get();
        match event.key().as_str() {
            "ArrowDown" if count > 0 => self.choose((at + 1) % count),
            "ArrowUp" if count > 0 => self.choose((at + count - 1) % count),
            // Only what these words found: while the answer is out, Enter leads to the page of results.
            "Enter" if !event.is_composing() && self.shown.borrow().as_deref() == Some(self.field.value().as_str()) => {
                let Some(hit) = self.hits.borrow().get(at).cloned() else { return };
                hit.click();
            }
            _ => return,
        }
        event.prevent_default();
    }
}
