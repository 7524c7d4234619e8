//! Which tab holds the stream, and what each hears. Only tabs that are seen take part: one of them holds the lock and with it
//! the stream, and tells the others; when it closes or is put aside, the lock and the stream go to the next. A tab that is not
//! seen holds nothing, hears nothing and catches up when it is looked at (docs/decisions/0005-one-stream.md).

use super::{
    channel::{self, Channel, Said},
    order::News,
    standing::{Standing, standing},
    stream::Stream,
};
use crate::islands::{
    browser::{
        events::{on_document, on_window},
        now, seen,
    },
    follow,
};
use js_sys::Function;
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsValue;

/// From one look at the clock to the next.
const TICK: Duration = Duration::from_millis(500);
/// Milliseconds for which a lost stream is not worth a word: most come back within them.
const BLINK: f64 = 1500.0;
/// Milliseconds for which it is said that the stream is back.
const RELIEF: f64 = 3000.0;
/// Milliseconds until the server is asked again after it refused.
const RETRY: f64 = 3000.0;
/// Milliseconds of silence after which a stream is taken for dead: it gives a sign of life every fifteen seconds.
const SILENCE: f64 = 35_000.0;
/// Milliseconds of silence after which a tab asks the one that holds the stream, and takes the lock away if it is mute.
const DOUBT: f64 = 20_000.0;
const MUTE: f64 = 24_000.0;

#[derive(Default)]
struct Hub {
    channel: RefCell<Option<Channel>>,
    stream: RefCell<Option<Stream>>,
    /// Gives the lock back; there while this tab holds it, with the number of the asking that got it.
    lock: RefCell<Option<(u32, Option<Function>)>>,
    /// How often the lock was asked for, and how many of these are not over.
    asked: Cell<u32>,
    pending: Cell<u32>,
    /// When the server last gave a sign of life, when whoever holds the stream last spoke, when a stream was last opened, since
    /// when it is lost, since when it is back, and when it may be opened again; by `performance.now()`.
    heard: Cell<f64>,
    spoken: Cell<f64>,
    tried: Cell<f64>,
    lost: Cell<Option<f64>>,
    back: Cell<f64>,
    retry: Cell<f64>,
    /// The tab that holds the stream was asked whether it lives, and has not answered.
    doubted: Cell<bool>,
    gone: Cell<bool>,
}

thread_local! {
    static HUB: Rc<Hub> = Rc::default();
}

/// Takes part for as long as the page lives.
pub fn start() {
    let hub = HUB.with(Rc::clone);
    follow::start();
    hub.seen_or_not();
    let seen = Rc::clone(&hub);
    on_document("visibilitychange", move |_: JsValue| seen.seen_or_not());
    // Back from the back-forward cache, or the network is there again.
    for name in ["pageshow", "online"] {
        let again = Rc::clone(&hub);
        on_window(name, move |_: JsValue| {
            again.retry.set(0.0);
            again.seen_or_not();
        });
    }
    let leaving = Rc::clone(&hub);
    on_window("pagehide", move |_: JsValue| leaving.rest());
    set_interval(move || hub.tick(), TICK);
}

/// The server shows this page no longer: nothing is followed until it is loaded again.
pub fn give_up() {
    let hub = HUB.with(Rc::clone);
    hub.gone.set(true);
    hub.rest();
    standing().set(Standing::Gone);
}

impl Hub {
    fn seen_or_not(self: &Rc<Self>) {
        if seen() { self.join() } else { self.rest() }
    }

    /// Takes part: hears the others, and waits for the lock.
    fn join(self: &Rc<Self>) {
        if self.gone.get() {
            return;
        }
        self.spoken.set(now());
        if self.channel.borrow().is_none() {
            self.heard.set(now());
            let this = Rc::clone(self);
            *self.channel.borrow_mut() = Channel::open(move |said| this.overhear(said));
            self.say(&Said::How);
        }
        follow::seen();
        self.ask_for_lock(false);
    }

    /// Takes no part: nobody sees this tab.
    fn rest(&self) {
        self.stream.take();
        self.channel.take();
        if let Some((_, Some(release))) = self.lock.take() {
            let _ = release.call0(&JsValue::NULL);
        }
        self.lost.set(None);
        self.set(Standing::Off);
    }

    fn ask_for_lock(self: &Rc<Self>, steal: bool) {
        if (self.pending.get() > 0 || self.leads()) && !steal {
            return;
        }
        let mine = self.asked.get() + 1;
        self.asked.set(mine);
        self.pending.set(self.pending.get() + 1);
        let (this, over) = (Rc::clone(self), Rc::clone(self));
        let held = move |release: Function| {
            *this.lock.borrow_mut() = Some((mine, Some(release)));
            // Put aside while it waited: the next one's turn.
            if seen() && !this.gone.get() { this.connect() } else { this.rest() }
        };
        let over = move || over.over(mine);
        if !channel::lock(steal, held, over) {
            // A browser without locks: each tab that is seen has a stream of its own.
            self.pending.set(0);
            self.channel.take();
            *self.lock.borrow_mut() = Some((mine, None));
            self.connect();
        }
    }

    /// The lock that was asked for with this number is not held any more.
    fn over(self: &Rc<Self>, asked: u32) {
        self.pending.set(self.pending.get().saturating_sub(1));
        let held = self.lock.borrow().as_ref().is_some_and(|(number, _)| *number == asked);
        if held {
            // Taken away by a tab that heard nothing.
            self.lock.take();
            self.stream.take();
        }
        if seen() && !self.gone.get() {
            self.ask_for_lock(false);
        }
    }

    fn connect(self: &Rc<Self>) {
        self.tried.set(now());
        self.retry.set(now() + RETRY);
        let this = Rc::clone(self);
        let stream = Stream::open(follow::heard(), move |said| {
            this.say(&said);
            this.hear(said);
        });
        *self.stream.borrow_mut() = stream;
    }

    fn say(&self, said: &Said) {
        if let Some(channel) = &*self.channel.borrow() {
            channel.say(said);
        }
    }

    /// Hears what another tab says.
    fn overhear(&self, said: Said) {
        // Two streams at once, for a moment while the lock changes hands: how it stands this one's own stream tells.
        match said {
            Said::How => self.answer(),
            Said::Event(_) => self.hear(said),
            _ if self.leads() => {}
            _ => self.hear(said),
        }
    }

    /// A tab came and asks how it stands.
    fn answer(&self) {
        if self.leads() {
            let lost = self.lost.get().is_some();
            self.say(&if lost { Said::Lost } else { Said::Begins(follow::heard(), true) });
        }
    }

    fn leads(&self) -> bool {
        self.lock.borrow().is_some()
    }

    fn hear(&self, said: Said) {
        self.spoken.set(now());
        self.doubted.set(false);
        if matches!(said, Said::Lost) {
            self.lost.set(self.lost.get().or(Some(now())));
            return;
        }
        self.heard.set(now());
        if self.lost.take().is_some() && matches!(standing().get_untracked(), Standing::Lost(_)) {
            self.back.set(now());
            self.set(Standing::Back);
        } else if standing().get_untracked() != Standing::Back {
            self.set(Standing::On);
        }
        match said {
            Said::Event(event) => match follow::order(|order| order.event(event.id)) {
                News::Known => {}
                News::Next => follow::concerns(&event.topic, &event.subject),
                News::Gap => follow::missed(),
            },
            Said::Begins(id, resumed) => {
                if follow::order(|order| order.begins(id, resumed)) {
                    follow::missed();
                }
            }
            Said::Alive | Said::Lost | Said::How => {}
        }
    }

    fn tick(self: &Rc<Self>) {
        if !seen() || self.gone.get() {
            return;
        }
        let now = now();
        let silent = now - self.heard.get();
        if self.leads() {
            let refused = self.stream.borrow().as_ref().is_none_or(Stream::given_up);
            let dead = now - self.heard.get().max(self.tried.get()) > SILENCE;
            if dead {
                self.say(&Said::Lost);
                self.hear(Said::Lost);
            }
            if dead || (refused && now > self.retry.get()) {
                self.connect();
                // Signed out, perhaps: then the page is answered otherwise, too.
                follow::missed();
            }
        } else if now - self.spoken.get() > MUTE {
            self.spoken.set(now);
            self.ask_for_lock(true);
        } else if now - self.spoken.get() > DOUBT && !self.doubted.replace(true) {
            self.say(&Said::How);
        }
        match (self.lost.get(), standing().get_untracked()) {
            (Some(since), _) if now - since > BLINK => self.set(Standing::Lost(seconds(silent))),
            (None, Standing::Back) if now - self.back.get() > RELIEF => self.set(Standing::On),
            _ => {}
        }
    }

    /// Tells of a change only.
    fn set(&self, standing_now: Standing) {
        let standing = standing();
        if !self.gone.get() && standing.get_untracked() != standing_now {
            standing.set(standing_now);
        }
    }
}

fn seconds(ms: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a page's life")]
    let seconds = (ms / 1000.0).max(0.0) as u32;
    seconds
}
