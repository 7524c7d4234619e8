//! When the page is asked for again, and what becomes of the answer.

use super::{
    hands::{Hands, pressed},
    morph::morph,
    pace::Pace,
    tokens, told,
};
use crate::islands::{
    browser::{
        self,
        elements::{all_of, find, number, whole},
        pages::{Answer, send},
    },
    clockwork,
    live::{Order, give_up},
};
use crate::part::Part;
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsValue;
use web_sys::{Document, Element};

/// Milliseconds until it is tried again to show what was not shown under a pressed finger.
const UNDER_A_FINGER: u64 = 120;

/// How much is to be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    #[default]
    Nothing,
    /// What changes of the frame.
    Frame,
    /// The page as well.
    Page,
}

/// What an island does around the taking over of a fresh page.
pub trait Around {
    /// Before: whether the fresh content of `<main>` may be shown.
    fn before(&self, fresh: &Element) -> bool;
    /// After; `chosen` when the reader chose it, else it is the same page again.
    fn after(&self, chosen: bool);
}

struct Follower {
    order: Cell<Order>,
    wanted: Cell<Wanted>,
    pace: Cell<Pace>,
    /// A request is on its way; and the number of the newest: answers to older ones come too late.
    asking: Cell<bool>,
    newest: Cell<u32>,
    /// A later asking is arranged.
    arranged: Cell<bool>,
    /// When the page is shown anew though nothing was heard.
    anew: Cell<Option<TimeoutHandle>>,
    around: RefCell<Vec<Rc<dyn Around>>>,
}

thread_local! {
    static FOLLOWER: Rc<Follower> = Rc::new(Follower {
        order: Cell::new(Order::new(event_of(main().as_ref()).unwrap_or(0))),
        wanted: Cell::default(),
        pace: Cell::new(Pace::new()),
        asking: Cell::default(),
        newest: Cell::default(),
        arranged: Cell::default(),
        anew: Cell::default(),
        around: RefCell::default(),
    });
}

fn follower() -> Rc<Follower> {
    FOLLOWER.with(Rc::clone)
}

fn main() -> Option<Element> {
    document().get_element_by_id("main")
}

/// What the content of the page follows; none when it does not.
fn follows(main: &Element) -> Option<String> {
    main.get_attribute("data-follow")
}

fn event_of(main: Option<&Element>) -> Option<i64> {
    main?.get_attribute("data-event")?.parse().ok()
}

/// Where a page that came back with its form is to be opened again.
fn returned(main: &Element) -> Option<String> {
    main.get_attribute("data-returned")
}

/// Begins.
pub fn start() {
    super::hands::watch();
    follower().wait();
}

/// Reads or changes what was heard and shown.
pub fn order<T>(act: impl FnOnce(&mut Order) -> T) -> T {
    let follower = follower();
    let mut order = follower.order.get();
    let told = act(&mut order);
    follower.order.set(order);
    told
}

/// The newest event that was heard.
pub fn heard() -> i64 {
    follower().order.get().heard()
}

/// Has `act` called around each taking over, for as long as the page lives.
pub fn around(act: Rc<dyn Around>) {
    follower().around.borrow_mut().push(act);
}

/// Something happened.
pub fn concerns(topic: &str, subject: &str) {
    let concerned = |element: &Element| follows(element).is_some_and(|f| tokens::concerns(&f, topic, subject));
    if main().is_some_and(|main| concerned(&main)) {
        stale();
    } else if all_of(&document(), "[data-follow]:not(main)").iter().any(concerned) {
        follower().want(Wanted::Frame);
    }
}

/// Nobody knows what happened.
pub fn missed() {
    if main().is_some_and(|main| follows(&main).is_some()) { stale() } else { follower().want(Wanted::Frame) }
}

/// What is shown is not what is so any more.
pub fn stale() {
    match main().and_then(|main| returned(&main)) {
        // Shown anew, it would no longer say what is wrong with the form.
        Some(address) => {
            told::returned(&address);
            follower().want(Wanted::Frame);
        }
        None => follower().want(Wanted::Page),
    }
}

/// The page is looked at again.
pub fn seen() {
    follower().arrange();
}

/// The reader chose another address of the same page.
pub fn choose(address: &str) {
    follower().ask(address, Wanted::Page, Some(address.to_owned()));
}

/// The reader went back or forward to an address of the same page.
pub fn here() {
    follower().ask(&window().location().href().unwrap_or_default(), Wanted::Page, None);
}

impl Follower {
    /// Lets the time run after which the page is shown anew, where it has one. Out of sight it then waits to be seen.
    fn wait(self: &Rc<Self>) {
        let due = main().and_then(|main| whole(&main, "data-anew")).and_then(|ms| {
            let this = Rc::clone(self);
            set_timeout_with_handle(move || this.want(Wanted::Page), Duration::from_millis(ms.into())).ok()
        });
        if let Some(before) = self.anew.replace(due) {
            before.clear();
        }
    }

    fn want(self: &Rc<Self>, wanted: Wanted) {
        self.wanted.set(self.wanted.get().max(wanted));
        self.arrange();
    }

    /// Asks now, or as soon as it may.
    fn arrange(self: &Rc<Self>) {
        if self.wanted.get() == Wanted::Nothing || self.asking.get() || self.arranged.get() || !browser::seen() {
            return;
        }
        let wait = self.pace.get().wait(browser::now());
        if wait > 0.0 || pressed() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds to wait")]
            let wait = if wait > 0.0 { wait.ceil() as u64 } else { UNDER_A_FINGER };
            self.arranged.set(true);
            let this = Rc::clone(self);
            set_timeout(
                move || {
                    this.arranged.set(false);
                    this.arrange();
                },
                Duration::from_millis(wait),
            );
            return;
        }
        let wanted = self.wanted.take();
        // A page that came back with its form has the form's address, at which there may be nothing to open.
        let address = main().and_then(|main| returned(&main)).or_else(|| window().location().href().ok());
        self.ask(&address.unwrap_or_default(), wanted, None);
    }

    fn ask(self: &Rc<Self>, address: &str, part: Wanted, chosen: Option<String>) {
        let asked = if part == Wanted::Page { Part::Page } else { Part::Frame };
        self.newest.set(self.newest.get() + 1);
        self.asking.set(true);
        self.pace(|pace| pace.asked(browser::now()));
        let (this, mine) = (Rc::clone(self), self.newest.get());
        send(None, address, asked, move |answer| {
            if this.newest.get() == mine {
                this.asking.set(false);
                this.arrived(answer, part, chosen.as_deref());
                this.arrange();
            }
        });
    }

    fn pace(&self, act: impl FnOnce(&mut Pace)) {
        let mut pace = self.pace.get();
        act(&mut pace);
        self.pace.set(pace);
    }

    fn arrived(self: &Rc<Self>, answer: Answer, part: Wanted, chosen: Option<&str>) {
        match answer {
            (200, Some(page)) => match self.take_over(&page, part, chosen) {
                Taken::Yes => {
                    self.pace(|pace| pace.shown(browser::now()));
                    if part == Wanted::Page {
                        self.wait();
                    }
                }
                Taken::Later => {
                    self.wanted.set(self.wanted.get().max(part));
                    self.pace(|pace| pace.shown(browser::now()));
                }
                Taken::Never => open_or_give_up(chosen),
            },
            _ if chosen.is_some() => open_or_give_up(chosen),
            // The server or the way to it is down for a while.
            (0 | 429 | 500..=599, _) => {
                self.wanted.set(self.wanted.get().max(part));
                self.pace(|pace| pace.failed(browser::now()));
            }
            // The address of a page that was refused: the answer is that page again, in its frame.
            (403..=405, Some(page)) if part == Wanted::Frame => {
                self.take_over(&page, part, None);
                self.pace(|pace| pace.shown(browser::now()));
            }
            _ => give_up(),
        }
    }

    /// Takes over what came, unless it is older than what is shown: nothing goes backwards.
    fn take_over(&self, page: &Document, part: Wanted, chosen: Option<&str>) -> Taken {
        clockwork::set(page);
        let fresh = page.get_element_by_id("main");
        if part == Wanted::Page {
            let (Some(old), Some(fresh)) = (main(), &fresh) else { return Taken::Never };
            if follows(fresh).is_none() {
                return Taken::Never;
            }
            if chosen.is_none() && pressed() {
                return Taken::Later;
            }
            let mut order = self.order.get();
            if older(&old, fresh) || !order.shows(event_of(Some(fresh)).unwrap_or(0)) {
                return Taken::Later;
            }
            if !self.around.borrow().iter().all(|each| each.before(fresh)) {
                return Taken::Never;
            }
            self.order.set(order);
            if let (Some(address), Ok(history)) = (chosen, window().history()) {
                let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
            }
            let hands = Hands::of(&old, fresh);
            morph(&old, fresh);
            hands.give_back();
            let title = page.title();
            if !title.is_empty() && title != document().title() {
                document().set_title(&title);
            }
        } else if page.get_element_by_id("waiting").is_none() {
            return Taken::Never;
        }
        for old in all_of(&document(), "[data-follow]:not(main)") {
            if let Some(fresh) = page.get_element_by_id(&old.id()) {
                morph(&old, &fresh);
            }
        }
        if part == Wanted::Page {
            for each in self.around.borrow().iter() {
                each.after(chosen.is_some());
            }
        }
        Taken::Yes
    }
}

/// Whether what is shown is at a later revision than this.
fn older(shown: &Element, fresh: &Element) -> bool {
    let revision = |main: &Element| number(&find(main, "[data-revision]")?, "data-revision");
    matches!((revision(shown), revision(fresh)), (Some(shown), Some(fresh)) if fresh < shown)
}

/// What became of an answer.
enum Taken {
    Yes,
    /// Not now: it is asked for again.
    Later,
    /// It is another page.
    Never,
}

fn open_or_give_up(chosen: Option<&str>) {
    match chosen {
        Some(address) => drop(window().location().assign(address)),
        None => give_up(),
    }
}
