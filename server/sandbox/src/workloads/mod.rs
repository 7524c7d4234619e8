//! The workloads that remediations act on: their controllers, how much memory they need, and the alert that each raises.
//! It knows no Tekton and no playbook.

mod alerts;
mod budgets;
mod controller;
mod demand;
mod scene;

pub(crate) use self::alerts::Alerts;
pub use self::alerts::{Alert, AlertState};
pub(crate) use self::controller::run;
pub(crate) use self::demand::Demand;
pub(crate) use self::scene::found;
