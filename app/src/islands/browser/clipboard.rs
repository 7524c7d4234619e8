//! The clipboard, where the browser lets a page use it: not over plain http.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::{JsValue, prelude::Closure};

/// Whether there is one.
pub fn usable() -> bool {
    Reflect::get(&window().navigator(), &JsValue::from_str("clipboard")).is_ok_and(|clipboard| clipboard.is_object())
}

/// Writes to it, and says when that is done; nothing where the browser refuses.
pub fn write(text: &str, done: impl FnOnce() + 'static) {
    if !usable() {
        return;
    }
    let promise = window().navigator().clipboard().write_text(text);
    let (done, refused) = (Closure::once(move |_: JsValue| done()), Closure::once(|_: JsValue| {}));
    let _ = promise.then2(&done, &refused);
    done.forget();
    refused.forget();
}
