//! The sandbox, seen through an ordinary `kube::Client`. Time is tokio's paused clock: it jumps when nothing is left to do,
//! so that a run of minutes takes milliseconds and always goes the same way.
//! What the console relies on is asserted of a real Kubernetes with Tekton, too, by the same tests (`target`).
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod api;
mod bench;
mod crd;
mod differences;
mod faults;
mod runs;
mod scene;
mod target;
mod truth;
mod watch;
