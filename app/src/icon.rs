//! The icons: one stroke, 16 × 16, in the colour of the text around them. They only accompany a word, so assistive technology
//! skips them.

use leptos::prelude::*;

macro_rules! icons {
    ($($(#[$doc:meta])* $name:ident = $paths:literal),+ $(,)?) => {
        /// An icon by its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon { $($(#[$doc])* $name),+ }

        impl Icon {
            const fn paths(self) -> &'static str {
                match self { $(Self::$name => $paths),+ }
            }
        }
    };
}

icons! {
    /// The console's mark.
    Logo = r#"<path d="M8 1.700 13.700 4.700v6.600L8 14.300 2.300 11.300V4.700z"/><path d="m5.300 8 2 2 3.700-4"/>"#,
    /// Overview.
    Home = r#"<path d="M2.500 7.500 8 3l5.500 4.500V13h-4V9.500h-3V13h-4z"/>"#,
    /// Approvals.
    Inbox = r#"<path d="M2.500 9.500 4.500 3.500h7l2 6v3h-11z"/><path d="M2.500 9.500H6l.8 1.500h2.400l.8-1.500h3.500"/>"#,
    /// Runs.
    Runs = r#"<circle cx="3.500" cy="4" r="1.500"/><circle cx="3.500" cy="12" r="1.500"/><circle cx="12.500" cy="8" r="1.500"/><path d="M5 4.300 11 7.400M5 11.700 11 8.600"/>"#,
    /// Catalog.
    Book = r#"<path d="M3 2.800h8.500a1.500 1.500 0 0 1 1.500 1.500v9H4.500A1.500 1.500 0 0 1 3 11.800z"/><path d="M6 6h4M6 8.500h4"/>"#,
    /// Effectiveness.
    Trend = r#"<path d="M2 11.500 5.500 7l3 2.500L14 3.500"/><path d="M10.500 3.500H14V7"/>"#,
    /// Audit.
    List = r#"<path d="M5.500 4h8M5.500 8h8M5.500 12h8M2.500 4h.01M2.500 8h.01M2.500 12h.01"/>"#,
    /// Settings.
    Gear = r#"<circle cx="8" cy="8" r="2"/><path d="M8 1.800v2M8 12.200v2M1.800 8h2M12.200 8h2M3.600 3.600 5 5M11 11l1.400 1.400M12.400 3.600 11 5M5 11l-1.400 1.400"/>"#,
    /// More places.
    Menu = r#"<path d="M3.500 8h.01M8 8h.01M12.500 8h.01"/>"#,
    /// A key: accounts and tokens.
    Key = r#"<circle cx="5" cy="11" r="2.800"/><path d="m7 9 6-6M10.500 5.500l2 2"/>"#,
    /// A finding.
    Eye = r#"<path d="M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8z"/><circle cx="8" cy="8" r="1.800"/>"#,
    /// Search.
    Find = r#"<circle cx="7" cy="7" r="4.500"/><path d="m10.500 10.500 3 3"/>"#,
    /// Succeeded.
    Check = r#"<circle cx="8" cy="8" r="6"/><path d="m5.500 8.200 1.800 1.800 3.400-4"/>"#,
    /// Failed.
    Cross = r#"<circle cx="8" cy="8" r="6"/><path d="m6 6 4 4M10 6l-4 4"/>"#,
    /// Running: an open ring, the only icon that moves.
    Ring = r#"<path d="M14 8a6 6 0 1 1-6-6"/>"#,
    /// Awaiting a person.
    Pause = r#"<circle cx="8" cy="8" r="6"/><path d="M6.500 5.800v4.400M9.500 5.800v4.400"/>"#,
    /// Pending.
    Clock = r#"<circle cx="8" cy="8" r="6"/><path d="M8 4.800V8l2 1.500"/>"#,
    /// Cancelled.
    Bar = r#"<circle cx="8" cy="8" r="6"/><path d="M5.200 8h5.600"/>"#,
    /// Skipped.
    Skip = r#"<path d="M2.500 8h7.500M7 4.800 10.200 8 7 11.200M13.200 4.500v7"/>"#,
    /// Ended by the clock.
    Hourglass = r#"<path d="M4 2.500h8M4 13.500h8M5 2.500c0 3.200 3 3.700 3 5.500s-3 2.300-3 5.500M11 2.500c0 3.200-3 3.700-3 5.500s3 2.300 3 5.500"/>"#,
    /// Vanished.
    Question = r#"<circle cx="8" cy="8" r="6"/><path d="M6.300 6.500a1.800 1.800 0 1 1 2.500 1.600c-.5.3-.8.6-.8 1.200M8 11.300h.01"/>"#,
    /// A warning.
    Warn = r#"<path d="M8 2.500 14.500 13.500h-13z"/><path d="M8 6.500v3.200M8 11.700h.01"/>"#,
    /// For information.
    Info = r#"<circle cx="8" cy="8" r="6"/><path d="M8 7.400v3.400M8 5.200h.01"/>"#,
    /// A signature.
    Seal = r#"<path d="M8 1.800 13 4v4c0 3-2.200 5.200-5 6.200C5.200 13.200 3 11 3 8V4z"/><path d="m5.800 8 1.600 1.600L10.400 6.400"/>"#,
    /// Undo, roll back.
    Undo = r#"<path d="M5.500 3 2.500 6l3 3"/><path d="M2.500 6h7a4 4 0 0 1 0 8H7"/>"#,
    /// Copy.
    Copy = r#"<rect x="5.500" y="5.500" width="8" height="8" rx="1.500"/><path d="M10.500 5.500V4A1.500 1.500 0 0 0 9 2.500H4A1.500 1.500 0 0 0 2.500 4v5A1.500 1.500 0 0 0 4 10.500h1.500"/>"#,
    /// A person.
    User = r#"<circle cx="8" cy="5.300" r="2.600"/><path d="M2.800 13.600c.7-2.700 2.700-4 5.200-4s4.500 1.300 5.200 4"/>"#,
    /// Take away.
    Away = r#"<path d="m4.500 4.500 7 7M11.500 4.500l-7 7"/>"#,
    /// Onwards.
    Next = r#"<path d="m6 3.500 4.500 4.500L6 12.500"/>"#,
}

/// An icon as SVG.
#[component]
pub fn Glyph(
    /// Which one.
    of: Icon,
) -> impl IntoView {
    // The size stands in attributes too: inside another picture the style sheet's is not heeded.
    view! { <svg class="i" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false" inner_html=of.paths()></svg> }.into_any()
}
