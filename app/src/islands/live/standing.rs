//! How the following stands; one for all islands of a page.

use leptos::prelude::ArcRwSignal;

/// How the following stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser loses a stream"))]
pub enum Standing {
    /// Nothing is heard: before it began, or while nobody sees the page.
    #[default]
    Off,
    /// What changes arrives.
    On,
    /// The stream is lost; nothing was heard for so many seconds. It is tried again.
    Lost(u32),
    /// What changes arrives again, since a moment.
    Back,
    /// The server shows this page no longer: signed out, or what it shows is gone.
    Gone,
}

/// The one standing of this page.
#[cfg(feature = "hydrate")]
pub fn standing() -> ArcRwSignal<Standing> {
    thread_local! {
        static STANDING: ArcRwSignal<Standing> = ArcRwSignal::new(Standing::Off);
    }
    STANDING.with(Clone::clone)
}

/// On the server nothing is heard.
#[cfg(not(feature = "hydrate"))]
pub fn standing() -> ArcRwSignal<Standing> {
    ArcRwSignal::new(Standing::Off)
}
