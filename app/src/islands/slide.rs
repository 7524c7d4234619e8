//! A slider beside a number field: a thumb sets it faster than it types. The field is what is sent; without WebAssembly the slider
//! could do nothing, so it is not there.

use leptos::prelude::*;

/// Moves the field with the id `of` between `min` and `max`, and follows it; `label` names it for assistive technology.
#[island]
pub fn Slide(of: String, min: i64, max: i64, label: String) -> impl IntoView {
    let alive = RwSignal::new(false);
    let at = RwSignal::new(String::new());
    #[cfg(feature = "hydrate")]
    {
        let field = of.clone();
        Effect::new(move |_| {
            browser::follow(&field, at);
            alive.set(true);
        });
    }
    let slid = move |event: leptos::ev::Event| {
        #[cfg(feature = "hydrate")]
        browser::set(&of, &event_target_value(&event));
        #[cfg(not(feature = "hydrate"))]
        let _ = (&of, event);
    };
    view! {
        <input class="slide" type="range" min=min max=max step="1" aria-label=label + ", slider"
            hidden=move || !alive.get() prop:value=move || at.get() on:input=slid />
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::browser::events::on;
    use leptos::prelude::*;
    use wasm_bindgen::JsValue;
    use web_sys::{Element, Event, EventInit};

    fn field(id: &str) -> Option<Element> {
        document().get_element_by_id(id)
    }

    fn value(of: &Element) -> String {
        js_sys::Reflect::get(of, &JsValue::from_str("value"))
            .ok()
            .and_then(|value| value.as_string())
            .unwrap_or_default()
    }

    /// Keeps `at` at what stands in the field.
    pub fn follow(id: &str, at: RwSignal<String>) {
        let Some(field) = field(id) else { return };
        at.set(value(&field));
        let own = field.clone();
        on(&field, "input", move |_: Event| at.set(value(&own)));
    }

    /// Writes into the field, as if it had been typed.
    pub fn set(id: &str, text: &str) {
        let Some(field) = field(id) else { return };
        let _ = js_sys::Reflect::set(&field, &JsValue::from_str("value"), &JsValue::from_str(text));
        let how = EventInit::new();
        how.set_bubbles(true);
        if let Ok(event) = Event::new_with_event_init_dict("input", &how) {
            let _ = field.dispatch_event(&event);
        }
    }
}
