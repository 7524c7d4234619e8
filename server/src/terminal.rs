//! What the process tells whoever started it, and why it ends.

use crate::config::ConfigError;
use std::{io::Write as _, process::ExitCode};
use store::OpenError;

/// Why the process ends: a sentence for people, and the exit code.
#[derive(Debug)]
pub struct Fault {
    /// What happened and what to do.
    pub message: String,
    /// 2 for wrong settings, 1 for the rest.
    pub code: ExitCode,
}

impl Fault {
    /// Something outside is not as it should be.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: ExitCode::FAILURE }
    }

    /// A setting can't be used.
    pub fn wrong_setting(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: ExitCode::from(2) }
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::wrong_setting(error.to_string())
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Url(_) => Self::wrong_setting(error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<domain::ports::AuditKeysError> for Fault {
    fn from(error: domain::ports::AuditKeysError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<domain::ports::StoreError> for Fault {
    fn from(error: domain::ports::StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

/// A line on standard output.
pub fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is the reader's choice, no fault.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// The one sentence of a fault, on standard error.
pub fn complain(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "kubernaut-console: {message}");
}
