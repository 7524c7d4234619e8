//! What only a run's page does beside being followed: its now-line moves, its links select without a page load, and its log
//! stays at its end. The page is whole without any of this.

#[cfg(feature = "hydrate")]
mod follow;
#[cfg(feature = "hydrate")]
mod log;
#[cfg(feature = "hydrate")]
mod picture;
pub mod zoom;

use crate::islands::live::{Standing, standing};
use leptos::prelude::*;

/// Scrolls through the whole of a log whose window the page shows, and follows its end. `key` is the log's: with another one
/// this is another viewer.
#[island]
pub fn LogViewer(key: String) -> impl IntoView {
    let said = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| log::start(&key, said));
    #[cfg(not(feature = "hydrate"))]
    let _ = &key;
    view! { <span class="vh" role="status">{move || said.get()}</span> }
}

/// Makes the picture of a run one that can be panned, zoomed and searched without waiting, and lets keys move the selection in
/// picture, timeline and table alike.
#[island]
pub fn RunPicture() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| picture::start());
}

/// Says that the page follows its run, for as long as the run goes on, and tells whoever can't see it how the run stands when that
/// changes. `id` is the run's.
#[island]
pub fn LiveRun(id: String) -> impl IntoView {
    let ended = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| follow::start(&id, ended));
    #[cfg(not(feature = "hydrate"))]
    let _ = &id;
    // Of a lost stream the frame tells.
    let standing = standing();
    let live = Memo::new(move |_| !ended.get() && matches!(standing.get(), Standing::On | Standing::Back));
    // What was said once keeps its place, so that nothing moves when the run ends.
    let was = Memo::new(move |before: Option<&bool>| before.is_some_and(|was| *was) || live.get());
    view! {
        <span class="live-word" class:on=live class:was=was>{move || if live.get() { "Live" } else { "" }}</span>
        <span id="run-said" class="vh" role="status"></span>
    }
}
