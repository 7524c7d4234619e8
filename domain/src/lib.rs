//! The words and rules of the field, and nothing else.
//!
//! What the console knows about playbooks, recommendations, run tickets, decisions and executions is written here once. The
//! crate does no I/O, has no clock and no randomness (`now` and ids are handed in), and compiles to WebAssembly. Effects
//! stand behind the [`ports`]; what the pages and programs may ask for stands in [`services`].
#![deny(missing_docs)]

pub mod accounts;
pub mod agent;
pub mod assessment;
pub mod audit;
pub mod dag;
pub mod decision;
pub mod duration;
pub mod effectiveness;
pub mod event;
pub mod execution;
pub mod fault;
pub mod finding;
pub mod identity;
pub mod ids;
pub mod incident;
pub mod investigation;
pub mod json;
pub mod layout;
pub mod limits;
pub mod log;
pub mod notification;
pub mod observation;
pub mod paging;
pub mod pipeline_run;
pub mod playbook;
pub mod policy;
pub mod ports;
pub mod provider;
pub mod reader;
pub mod recommendation;
pub mod recovery;
pub mod search;
pub mod services;
pub mod signal;
pub mod signature;
pub mod spans;
pub mod stats;
pub mod target;
pub mod text;
pub mod ticket;
pub mod time;
pub mod token_review;
pub mod warning;
pub mod workflow;
pub mod workspace;
