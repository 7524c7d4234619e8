//! Properties that hold for any input: of the crate's pure algorithms, by random examples (proptest).
#![expect(clippy::unwrap_used, reason = "tests")]

mod dag;
mod graphs;
mod json;
mod layout;
mod picture;
mod stats;
