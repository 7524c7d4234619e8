//! One contract for both databases: every test here is one function that runs on a fresh SQLite file, and on a fresh
//! PostgreSQL database when `TEST_POSTGRES_URL` names a server (in CI it must).
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod apart;
mod assessments;
mod catalog;
mod decide;
mod effectiveness;
mod executions;
mod hangup;
mod investigations;
mod lapse;
mod notifications;
mod observe;
mod open;
mod policies;
mod provider;
mod prune;
mod races;
mod recommendations;
mod records;
mod sessions;
mod signals;
mod signatures;
mod support;
mod trail;
mod tries;
mod undo;
