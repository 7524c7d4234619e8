//! Black-box tests: the built binary, started as a newcomer would, spoken to over HTTP. They know `api.md`'s wire and nothing
//! of the code.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod assessment;
mod audit;
mod bad_input;
mod catalog;
mod commands;
mod conditional;
mod errors;
mod escaping;
mod forms;
mod gets;
mod headers;
mod idempotency;
mod incidents;
mod investigations;
mod job;
mod limits;
mod lists;
mod live;
mod logs;
mod mcp;
mod mutations;
mod notifications;
mod oidc;
mod openapi;
mod patterns;
mod policies;
mod proposals;
mod reauthentication;
mod refusals;
mod register;
mod review;
mod rights;
mod search;
mod secrets;
mod sessions;
mod settings;
mod steps;
mod support;
mod targets;
mod undo;
mod workspaces;
mod world;
