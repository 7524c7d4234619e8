//! Archiving what containers write: each try of each task is followed while it runs, cleaned, numbered, and put into the store
//! in small batches. Tekton deletes the pod on timeout and cancel, so what was not followed is lost.

mod archive;
mod follow;
mod lines;

pub use archive::{Archive, Source};
pub use follow::Follower;
