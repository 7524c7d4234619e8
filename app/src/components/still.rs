//! What can't change while a page is open. A page that follows what it shows is asked for without it, and keeps what it has.

use crate::part::Part;
use leptos::prelude::*;

/// A piece of a page that stays as it is for as long as the page is open; `id` tells it from others.
#[component]
pub fn Still(#[prop(into)] id: String, children: Children) -> impl IntoView {
    let inside = (Part::asked() == Part::Whole).then(children);
    view! { <div id=id data-still="">{inside}</div> }.into_any()
}
