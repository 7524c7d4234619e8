//! JSON as the safety rules want it: read strictly, written canonically, pointed into and compared.
//!
//! Knows nothing of playbooks, tickets or HTTP: it only turns bytes into values, values into bytes, and two values into
//! their differences.

pub mod canonical;
pub mod diff;
pub mod pointer;
pub mod strict;
