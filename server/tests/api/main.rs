//! Black-box tests: the built binary, started as a newcomer would, spoken to over HTTP. They know `api.md`'s wire and nothing
//! of the code.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod bad_input;
mod catalog;
mod commands;
mod conditional;
mod errors;
mod forms;
mod idempotency;
mod job;
mod lists;
mod live;
mod logs;
mod oidc;
mod openapi;
mod proposals;
mod refusals;
mod register;
mod review;
mod search;
mod settings;
mod steps;
mod support;
mod targets;
mod workspaces;
