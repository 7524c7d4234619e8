//! The pages. Each has an async `page` that asks the services, and a view of plain data.

pub mod api;
pub mod approvals;
pub mod audit;
pub mod catalog;
pub mod effectiveness;
pub mod incidents;
pub mod login;
pub mod overview;
pub mod playbook;
pub mod reauthentication;
pub mod recommendation;
pub mod register;
pub mod review;
pub mod run;
pub mod runs;
pub mod search;
pub mod settings;
