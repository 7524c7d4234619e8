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
        /// The API server's word, where it knows no right to the step. One that has just started knows nobody's for a moment: whether
        /// it means it shows in time ([`Context::settled`](crate::context::Context::settled)).
        denied: Option<String>,
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
        Self::Later { asked: None, why: why.into(), denied: None }
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
        let denied = error.lacks_a_right();
        match error {
            CallError::Refused { reason, .. } if denied => Self::Later { asked: None, why, denied: Some(reason) },
            CallError::Refused { reason, message, .. } => Self::Never { reason, message },
            CallError::Busy { retry_after, .. } => Self::Later { asked: retry_after, why, denied: None },
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
