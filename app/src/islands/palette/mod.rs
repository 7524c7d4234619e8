//! The palette: search or jump to anything by Ctrl or Cmd K. The hits are those of `/search`, asked for while one types; without
//! WebAssembly the same control leads to that page.

#[cfg(feature = "hydrate")]
mod open;

use crate::{
    icon::{Glyph, Icon},
    islands::awaited::Awaited,
};
use leptos::prelude::*;

/// The palette, closed.
#[island]
pub fn Palette() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| open::start());
    view! {
        <dialog id="palette" class="palette" aria-label="Search or jump to">
            <form method="get" action="/search">
                <Glyph of=Icon::Find />
                <input id="palette-q" name="q" type="text" role="combobox" aria-label="Search or jump to" aria-expanded="false"
                    aria-controls="palette-hits" aria-autocomplete="list" autocomplete="off" autocapitalize="off" spellcheck="false"
                    enterkeyhint="go" placeholder="Pages, runs, playbooks, incidents, actions" />
                <button class="btn small ghost" type="button" value="close">"Close"</button>
            </form>
            <div id="palette-hits" role="listbox" aria-label="What was found" aria-busy="true"><Awaited lines=7 /></div>
            <p id="palette-none" class="sub" hidden></p>
            <p id="palette-said" class="vh" role="status"></p>
        </dialog>
    }
}
