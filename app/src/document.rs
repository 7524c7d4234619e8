//! The HTML document around the app: what the browser must know before the first line of the page. A part of a page needs
//! nothing of it.

use crate::{part::Part, preferences::Preferences, routes::App};
use leptos::{config::LeptosOptions, hydration::HydrationScripts, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// What runs before anything else. Leptos begins when the browser has nothing else to do, which on a busy machine it may never say:
/// it is waited for so long. And the document is marked when its program could not be loaded: what the program would do better is
/// then done by links. Whatever goes wrong with the loading ends as a promise that nobody has taken care of.
const FIRST: &str = "{\
    const { requestIdleCallback: idle } = window;\
    if (idle) window.requestIdleCallback = (begin) => idle.call(window, begin, { timeout: 200 });\
}\
addEventListener('unhandledrejection', () => {\
    const { dataset } = document.documentElement;\
    if (dataset.alive === undefined) dataset.unaided = '';\
});";

/// The document of one request. Scripts carry the nonce of the request's Content Security Policy; there are no inline
/// styles and no inline handlers, so the policy needs no exception for them.
pub fn document(options: LeptosOptions) -> impl IntoView {
    if Part::asked() != Part::Whole {
        return view! { <!DOCTYPE html><html><head><MetaTags /></head><body><App /></body></html> }.into_any();
    }
    let preferences = Preferences::of_request();
    provide_context(preferences);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=preferences.theme.name() data-keys=preferences.keys.name()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                <link rel="preload" href="/fonts/inter.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous" />
                <link rel="preload" href="/fonts/jetbrains-mono.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous" />
                <link rel="stylesheet" href="/pkg/console.css" />
                <link rel="icon" href="/favicon.svg" r#type="image/svg+xml" />
                <script nonce=use_nonce()>{FIRST}</script>
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
    .into_any()
}
