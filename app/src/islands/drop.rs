//! A file dropped on the page, or chosen: it is read in the browser, put into a text field, and a button of the form is
//! pressed. Without WebAssembly the text is pasted there by hand, so nothing of this is shown.

use leptos::prelude::*;

/// Puts a file into the text field with the id `text` and presses the button with the id `button`.
#[island]
pub fn DropFile(text: String, button: String) -> impl IntoView {
    let alive = RwSignal::new(false);
    let refused = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    let aim = browser::Aim { text, button, refused };
    #[cfg(feature = "hydrate")]
    let dropped = aim.clone();
    Effect::new(move |_| {
        alive.set(true);
        #[cfg(feature = "hydrate")]
        browser::catch(&dropped);
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (&text, &button);
    let chosen = move |event: leptos::ev::Event| {
        #[cfg(feature = "hydrate")]
        browser::chosen(&aim, &event);
        #[cfg(not(feature = "hydrate"))]
        let _ = &event;
    };
    view! {
        <span class="drop" hidden=move || !alive.get()>
            "Or drop a file anywhere on this page, or "
            <label class="drop-choose">"choose one"
                <input class="vh" type="file" accept=".json,.yaml,.yml,application/json,application/yaml" on:change=chosen />
            </label>
            "."
            <span class="drop-refused" role="status">
                {move || refused.get().then_some(" This file is too large: a registration has at most 256 KiB.")}
            </span>
        </span>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::browser::events::on_document;
    use domain::json::strict::BODY_BYTES;
    use leptos::{ev::Event, prelude::*};
    use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
    use web_sys::{DataTransfer, DragEvent, FileList, HtmlElement};

    /// Where a file goes.
    #[derive(Clone)]
    pub struct Aim {
        pub text: String,
        pub button: String,
        pub refused: RwSignal<bool>,
    }

    /// Takes files that are dropped anywhere on the page; other things that are dragged are left alone.
    pub fn catch(aim: &Aim) {
        let aim = aim.clone();
        for name in ["dragover", "drop"] {
            let aim = aim.clone();
            on_document(name, move |event: DragEvent| {
                let Some(carried) = event.data_transfer().filter(has_files) else { return };
                event.prevent_default();
                if name == "drop" {
                    read(&aim, carried.files());
                }
            });
        }
    }

    fn has_files(carried: &DataTransfer) -> bool {
        carried.types().includes(&JsValue::from_str("Files"), 0)
    }

    /// The file that was chosen.
    pub fn chosen(aim: &Aim, event: &Event) {
        let files = event.target().and_then(|input| js_sys::Reflect::get(&input, &JsValue::from_str("files")).ok());
        read(aim, files.and_then(|files| files.dyn_into::<FileList>().ok()));
    }

    fn read(aim: &Aim, files: Option<FileList>) {
        let Some(file) = files.and_then(|files| files.get(0)) else { return };
        #[expect(clippy::cast_precision_loss, reason = "a few hundred thousand")]
        aim.refused.set(file.size() > BODY_BYTES as f64);
        if aim.refused.get_untracked() {
            return;
        }
        let aim = aim.clone();
        let done = Closure::once(move |text: JsValue| put(&aim, &text));
        let _ = file.text().then(&done);
        done.forget();
    }

    fn put(aim: &Aim, text: &JsValue) {
        let find = |id: &str| document().get_element_by_id(id);
        if let Some(field) = find(&aim.text) {
            let _ = js_sys::Reflect::set(&field, &JsValue::from_str("value"), text);
        }
        if let Some(button) = find(&aim.button).and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
            button.click();
        }
    }
}
