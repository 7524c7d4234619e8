//! Following what a page shows: when an event concerns it, the server is asked for it again and what differs is taken over.
//! The server stays the only one who renders, the page is whole without any of this, and what a reader has typed, unfolded,
//! selected or is about to press stays theirs.

#[cfg(feature = "hydrate")]
mod follower;
#[cfg(feature = "hydrate")]
mod hands;
#[cfg(feature = "hydrate")]
pub mod morph;
mod pace;
mod tokens;
#[cfg(feature = "hydrate")]
mod told;

#[cfg(feature = "hydrate")]
pub use follower::{Around, around, choose, concerns, heard, here, missed, order, seen, stale, start};
