//! A form that the server judges while somebody types. The page is whole without it: a plain submit is answered with the
//! same page, faults and all. The island sends the fields to the address in the form's `data-check`, which answers that
//! page again without any effect, and takes over what it says:
//!
//! - elements marked `data-checked`, matched by id (no fields may stand in them);
//! - for each field that has been left or changed, or for all once the form came back with faults, its `aria-invalid`, its
//!   `aria-describedby` and the message with the id `<field>-error` in the `.field` around it.
//!
//! Enter in a field below a `data-enter` presses the button that it names.
//!
//! A button of the form with `data-takes` (ids, separated by blanks) is answered in place: those elements become like the
//! answer's, fields and all; what had been typed stays, and what the answer marks `autofocus` gets the focus.
//!
//! A page that is shown anew by itself knows nothing of what was typed: what was judged by it stays, and is judged anew.

use leptos::prelude::*;

/// Makes the form of this id live.
#[island]
pub fn LiveForm(form: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start(&form));
    #[cfg(not(feature = "hydrate"))]
    let _ = &form;
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::{
        browser::{
            elements::{all, all_of},
            events::{around as around_event, on_document},
            pages::send,
        },
        follow::{Around, around, morph::morph},
    };
    use crate::part::Part;
    use leptos::prelude::*;
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
        time::Duration,
    };
    use wasm_bindgen::{JsCast, JsValue};
    use web_sys::{Document, Element, Event, FormData, HtmlElement, HtmlFormElement, KeyboardEvent, UrlSearchParams};

    /// From the last key to the asking.
    const PAUSE: Duration = Duration::from_millis(300);

    struct Live {
        form: HtmlFormElement,
        /// Fields that have been left or changed, by id.
        touched: RefCell<Vec<String>>,
        /// All fields count as touched: the form has been sent before.
        all: bool,
        /// The asking that is to come.
        due: Cell<Option<TimeoutHandle>>,
        /// The number of the newest request: answers to older ones come too late.
        newest: Cell<u32>,
        /// Something has been typed.
        typed: Cell<bool>,
        /// A button is being answered; the form is judged afterwards.
        busy: Cell<bool>,
    }

    /// Watches over a form for as long as the page lives.
    pub fn start(id: &str) {
        let form = document().get_element_by_id(id).and_then(|found| found.dyn_into::<HtmlFormElement>().ok());
        let Some(form) = form.filter(|form| form.has_attribute("data-check")) else { return };
        let controls = form.elements();
        let faulty = (0..controls.length()).filter_map(|at| controls.item(at)).any(|c| c.has_attribute("aria-invalid"));
        let all = faulty || form.has_attribute("data-came-back");
        let live = Rc::new(Live {
            form,
            touched: RefCell::default(),
            all,
            due: Cell::new(None),
            newest: Cell::new(0),
            typed: Cell::new(false),
            busy: Cell::new(false),
        });
        for name in ["input", "change", "focusout"] {
            let this = Rc::clone(&live);
            on_document(name, move |event: Event| this.changed(name, &event));
        }
        around(Rc::new(Followed(Rc::clone(&live))));
        let this = Rc::clone(&live);
        on_document("keydown", move |event: KeyboardEvent| this.entered(&event));
        on_document("click", move |event: Event| live.pressed(&event));
    }

    /// The form on a page that is shown anew by itself.
    struct Followed(Rc<Live>);

    impl Around for Followed {
        fn before(&self, fresh: &Element) -> bool {
            if self.0.typed.get() && self.0.form.is_connected() {
                for mine in all_of(&document(), "[data-checked]") {
                    let theirs = all(fresh, "[data-checked]").into_iter().find(|other| other.id() == mine.id());
                    if let (Some(theirs), Ok(copy)) = (theirs, mine.clone_node_with_deep(true)) {
                        let _ = theirs.replace_with_with_node_1(&copy);
                    }
                }
            }
            true
        }

        fn after(&self, _: bool) {
            if self.0.typed.get() && self.0.form.is_connected() {
                self.0.check();
            }
        }
    }

    impl Live {
        /// Whether a control belongs to the form, wherever it stands.
        fn owns(&self, control: &Element) -> bool {
            let form = js_sys::Reflect::get(control, &JsValue::from_str("form"));
            let own: &JsValue = self.form.as_ref();
            form.is_ok_and(|form| form == *own)
        }

        /// Enter in a field below a `data-enter` presses the button of that id, not the first of the form.
        fn entered(&self, event: &KeyboardEvent) {
            let field =
                around_event(event, "input:not([type=checkbox], [type=radio])").filter(|field| self.owns(field));
            let button =
                field.filter(|_| event.key() == "Enter").and_then(|field| field.closest("[data-enter]").ok()?);
            let button = button.and_then(|place| document().get_element_by_id(&place.get_attribute("data-enter")?));
            if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                event.prevent_default();
                button.click();
            }
        }

        fn changed(self: &Rc<Self>, how: &str, event: &Event) {
            let control = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let Some(control) = control.filter(|control| self.owns(control) && control.tag_name() != "BUTTON") else {
                return;
            };
            if how != "input" {
                let known = self.touched.borrow().contains(&control.id());
                if known && how == "focusout" {
                    return;
                }
                if !known {
                    self.touched.borrow_mut().push(control.id());
                }
            }
            self.soon();
        }

        fn soon(self: &Rc<Self>) {
            self.typed.set(true);
            let this = Rc::clone(self);
            let due = set_timeout_with_handle(move || this.check(), PAUSE).ok();
            if let Some(before) = self.due.replace(due) {
                before.clear();
            }
        }

        fn check(self: &Rc<Self>) {
            if self.busy.get() {
                return;
            }
            let address = self.form.get_attribute("data-check").unwrap_or_default();
            if let Ok(fields) = FormData::new_with_form(&self.form) {
                self.ask(&address, &fields, |live, page| {
                    if let Some(page) = page {
                        live.judged(&page);
                    }
                });
            }
        }

        /// Sends fields and hands on the page that answers them; none where there is no such page. An answer that a newer
        /// request has overtaken is dropped.
        fn ask(
            self: &Rc<Self>,
            address: &str,
            fields: &FormData,
            then: impl FnOnce(&Rc<Self>, Option<Document>) + 'static,
        ) {
            let Ok(fields) = UrlSearchParams::new_with_str_sequence_sequence(fields) else { return };
            self.newest.set(self.newest.get() + 1);
            let (this, mine) = (Rc::clone(self), self.newest.get());
            send(Some(&fields), address, Part::Whole, move |(status, page)| {
                if this.newest.get() == mine {
                    let same = |page: &Document| page.get_element_by_id(&this.form.id()).is_some();
                    let page = page.filter(|page| matches!(status, 200 | 422) && same(page));
                    then(&this, page);
                }
            });
        }

        fn judged(&self, page: &Document) {
            for old in all_of(&document(), "[data-checked]") {
                if let Some(new) = page.get_element_by_id(&old.id()) {
                    morph(&old, &new);
                }
            }
            let controls = self.form.elements();
            for control in (0..controls.length()).filter_map(|at| controls.item(at)) {
                if self.all || self.touched.borrow().contains(&control.id()) {
                    judge(&control, page);
                }
            }
        }

        /// A button that is answered in place, if it was one; without an answer it does what it does without us.
        fn pressed(self: &Rc<Self>, event: &Event) {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let button = target.and_then(|target| target.closest("button[data-takes]").ok().flatten());
            let Some(button) = button.filter(|button| self.owns(button)) else { return };
            let attribute = |name: &str| button.get_attribute(name).unwrap_or_default();
            let Ok(fields) = FormData::new_with_form(&self.form) else { return };
            let _ = fields.append_with_str(&attribute("name"), &attribute("value"));
            let address = button.get_attribute("formaction").or_else(|| self.form.get_attribute("action"));
            event.prevent_default();
            if self.busy.replace(true) {
                return;
            }
            let (takes, sent) = (attribute("data-takes"), fields.clone());
            self.ask(&address.unwrap_or_default(), &fields, move |live, page| {
                live.busy.set(false);
                match page {
                    Some(page) => {
                        for id in takes.split(' ') {
                            take(id, &page, &sent);
                        }
                        live.check();
                    }
                    None => {
                        let _ = live.form.request_submit_with_submitter(button.dyn_ref());
                    }
                }
            });
        }
    }

    /// Says of one field what the answer says of it.
    fn judge(control: &Element, page: &Document) {
        let id = control.id();
        let Some(fresh) = page.get_element_by_id(&id).filter(|_| !id.is_empty()) else { return };
        for name in ["aria-invalid", "aria-describedby"] {
            let _ = match fresh.get_attribute(name) {
                Some(value) => control.set_attribute(name, &value),
                None => control.remove_attribute(name),
            };
        }
        let message = format!("{id}-error");
        match (document().get_element_by_id(&message), page.get_element_by_id(&message)) {
            (Some(old), Some(new)) => morph(&old, &new),
            (Some(old), None) => old.remove(),
            (None, Some(new)) => {
                if let Ok(Some(field)) = control.closest(".field") {
                    let _ = field.append_child(&new);
                }
            }
            (None, None) => {}
        }
    }

    /// Takes over a part of the page with its fields. What the server put in place of what was `sent` is put in, too, also
    /// where somebody had typed.
    fn take(id: &str, page: &Document, sent: &FormData) {
        let (Some(old), Some(new)) = (document().get_element_by_id(id), page.get_element_by_id(id)) else { return };
        let mut put = Vec::new();
        for input in all(&new, "input[value]:not([type=checkbox]):not([type=radio])") {
            let value = input.get_attribute("value");
            let before = sent.get(&input.get_attribute("name").unwrap_or_default()).as_string();
            if before.is_some() && before != value {
                put.push((input.id(), value.unwrap_or_default()));
            }
        }
        morph(&old, &new);
        for (id, value) in put {
            if let Some(input) = document().get_element_by_id(&id) {
                let _ = js_sys::Reflect::set(&input, &JsValue::from_str("value"), &JsValue::from_str(&value));
                // For what follows this very field; nobody has typed, so the form does not hear of it.
                let _ = Event::new("input").map(|event| input.dispatch_event(&event));
            }
        }
        if let Ok(Some(next)) = old.query_selector("[autofocus]") {
            let _ = next.remove_attribute("autofocus");
            let _ = next.dyn_ref::<HtmlElement>().map(HtmlElement::focus);
        }
    }
}
