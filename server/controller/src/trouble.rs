//! Why a step did not go through, told apart by what follows: come back later, or never.

use crate::{calls::CallError, queue::Next};
use domain::ports::StoreError;
use std::time::Duration;

/// Trouble with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The same step may go through later.
    Later {
        /// How long the server asks to wait.
        asked: Option<Duration>,
        /// What happened.
        why: String,
    },
    /// It will not; the run ends here.
    Never {
        /// A word for programs.
        reason: String,
        /// A sentence for people.
        message: String,
    },
}

impl Trouble {
    /// It will not go through.
    pub fn never(reason: &str, message: impl Into<String>) -> Self {
        Self::Never { reason: reason.to_owned(), message: message.into() }
    }

    /// It may go through later.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { asked: None, why: why.into() }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::later(error.to_string())
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        let why = error.to_string();
        if error.lacks_a_right() {
            return Self::Later { asked: None, why };
        }
        match error {
            CallError::Refused { reason, message, .. } => Self::Never { reason, message },
            CallError::Busy { retry_after, .. } => Self::Later { asked: retry_after, why },
            CallError::Exists(_) | CallError::Conflict(_) | CallError::NotFound(_) | CallError::Unknown(_) => {
                Self::later(why)
            }
        }
    }
}

impl From<Trouble> for Next {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Later { asked, .. } => Self::Again(asked),
            Trouble::Never { .. } => Self::Done,
        }
    }
}
