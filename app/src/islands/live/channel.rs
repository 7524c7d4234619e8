//! What the tabs of a browser have between them: a channel on which they talk, and a lock that only one of them holds. Knows
//! nothing of what is said.

use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

/// Name of the channel and of the lock.
const NAME: &str = "kubernaut-live";

/// What one tab tells the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Said {
    /// An event.
    Event(Event),
    /// The stream begins after this event; whether it goes on from where it was asked to.
    Begins(i64, bool),
    /// The stream is alive.
    Alive,
    /// The stream is lost.
    Lost,
    /// A tab came and asks how it stands.
    How,
}

/// A live event, as far as a page needs it to know whether it is concerned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// What it is about: a topic of the stream, or `log` for lines that were written.
    pub topic: String,
    /// The object; of a log `execution/task`.
    pub subject: String,
}

/// The channel; closed when dropped.
pub struct Channel {
    channel: BroadcastChannel,
    _hear: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Opens it; none where the browser has none.
    pub fn open(mut hear: impl FnMut(Said) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(NAME).ok()?;
        let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            // A tab of another build of the console may say what this one does not understand.
            if let Some(said) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                hear(said);
            }
        });
        channel.set_onmessage(Some(hear.as_ref().unchecked_ref()));
        Some(Self { channel, _hear: hear })
    }

    /// Tells the other tabs.
    pub fn say(&self, said: &Said) {
        if let Ok(text) = serde_json::to_string(said) {
            let _ = self.channel.post_message(&JsValue::from_str(&text));
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

/// Asks for the lock. `held` is called once it is this tab's, with what gives it back; `over` when it is this tab's no longer,
/// given back or taken away. With `steal` it is taken away from whoever holds it. False where the browser has no locks.
pub fn lock(steal: bool, held: impl FnOnce(Function) + 'static, over: impl FnOnce() + 'static) -> bool {
    ask(steal, held, over).is_some()
}

/// By reflection: the bindings for locks are not stable yet.
fn ask(steal: bool, held: impl FnOnce(Function) + 'static, over: impl FnOnce() + 'static) -> Option<()> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok().filter(JsValue::is_object)?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let options = Object::new();
    Reflect::set(&options, &"steal".into(), &steal.into()).ok()?;
    let mut held = Some(held);
    let granted = Closure::once_into_js(move |_: JsValue| -> JsValue {
        // The lock is held until this promise is fulfilled.
        Promise::new(&mut |fulfil: Function, _: Function| {
            if let Some(held) = held.take() {
                held(fulfil);
            }
        })
        .into()
    });
    let until = request.call3(&locks, &NAME.into(), &options, &granted).ok()?;
    let then: Function = Reflect::get(&until, &"then".into()).ok()?.dyn_into().ok()?;
    let mut over = Some(over);
    let over = Closure::<dyn FnMut(JsValue)>::new(move |_: JsValue| {
        if let Some(over) = over.take() {
            over();
        }
    })
    .into_js_value();
    then.call2(&until, &over, &over).ok().map(drop)
}
