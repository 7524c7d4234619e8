//! The controller against the sandbox: every row of the fault table that is the controller's, and the ways that go well. Stores
//! are small in-memory ones here; the real ones have their own suite, and both are judged by `domain`'s rules.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with the unit tests, each uses a part")]
#[path = "../support/tickets.rs"]
mod tickets;

mod applied;
mod behind;
mod calls;
mod cancel;
mod decisions;
mod ends;
mod guards;
mod identity;
mod listings;
mod logs;
mod measure;
mod permit;
mod preflight;
mod real;
mod refusals;
mod registrations;
mod replicas;
mod restarts;
mod reviews;
mod rights;
mod runs;
mod signals;
mod store;
mod targets;
mod warnings;
mod world;
