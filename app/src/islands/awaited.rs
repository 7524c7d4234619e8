//! What stands where something is awaited that an island asks for: lines without words. They stand still.

use leptos::prelude::*;

/// So many lines. Nobody hears of them.
#[component]
pub fn Awaited(lines: usize) -> impl IntoView {
    view! { <div class="awaited" aria-hidden="true">{(0..lines).map(|_| view! { <i></i> }).collect_view()}</div> }
}
