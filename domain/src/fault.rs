//! What is wrong with something that was sent: where, what kind, and what to do about it.
//! Knows nothing of what was sent nor of HTTP; the doors turn faults into `errors: [{pointer, code, message}]` (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable, machine-readable kinds of faults that several readers share. Rules of one area add their own.
pub mod code {
    /// A member that must be there is missing; the pointer says where it belongs.
    pub const REQUIRED: &str = "required";
    /// Another JSON type than the one that is needed.
    pub const WRONG_TYPE: &str = "wrong_type";
    /// A member that this form does not have.
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    /// A text with fewer characters than needed.
    pub const TOO_SHORT: &str = "too_short";
    /// A text with more characters than allowed.
    pub const TOO_LONG: &str = "too_long";
    /// A list with fewer items than needed.
    pub const TOO_FEW: &str = "too_few";
    /// A list with more items than allowed.
    pub const TOO_MANY: &str = "too_many";
    /// A number outside its bounds.
    pub const OUT_OF_RANGE: &str = "out_of_range";
    /// A text that is not of its form (an id, a version, an image, a duration).
    pub const MALFORMED: &str = "malformed";
    /// A word that is not among the allowed ones.
    pub const NOT_ALLOWED: &str = "not_allowed";
    /// The same thing twice.
    pub const DUPLICATE: &str = "duplicate";
    /// A control character (C0, C1, NUL, U+2028, U+2029).
    pub const CONTROL_CHARACTER: &str = "control_character";
    /// A character that changes the direction in which text is shown.
    pub const BIDI_CONTROL: &str = "bidi_control";
    /// A character that is not seen.
    pub const INVISIBLE: &str = "invisible_character";
    /// The list of faults was cut.
    pub const MORE_FAULTS: &str = "more_faults";
}

/// One fault, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fault {
    /// RFC 6901 pointer into what was sent. For a missing member: where it belongs.
    pub pointer: String,
    /// Stable word in `snake_case`, for programs.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: Cow<'static, str>,
    /// What is wrong and what to do, for people and models.
    pub message: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

/// A fault that does not know its place yet: what newtypes answer when they refuse a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Complaint {
    /// See [`Fault::code`].
    pub code: Cow<'static, str>,
    /// See [`Fault::message`].
    pub message: String,
}

impl Complaint {
    /// A complaint of a kind.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The complaint at its place.
    pub fn at(self, pointer: impl Into<String>) -> Fault {
        Fault { pointer: pointer.into(), code: self.code, message: self.message }
    }
}

/// All the faults of one pass, in the order in which they were found.
///
/// Never more than [`Faults::LIMIT`] are kept: hostile input must not buy an answer larger than itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    list: Vec<Fault>,
    left_out: usize,
}

impl Faults {
    /// How many faults are listed; of the others only the number is told.
    pub const LIMIT: usize = 256;

    /// No faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault.
    pub fn push(&mut self, fault: Fault) {
        if self.list.len() < Self::LIMIT {
            self.list.push(fault);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a fault from its parts.
    pub fn add(&mut self, pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.push(Fault::new(pointer, code, message));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many faults were found, listed or not.
    pub fn len(&self) -> usize {
        self.list.len() + self.left_out
    }

    /// The listed faults.
    pub fn as_slice(&self) -> &[Fault] {
        &self.list
    }

    /// The faults as they go over the wire; when the list was cut, the last one says so.
    pub fn into_vec(mut self) -> Vec<Fault> {
        if self.left_out > 0 {
            let message = format!("{} more faults are not listed: mend these first", self.left_out);
            self.list.push(Fault::new("", code::MORE_FAULTS, message));
        }
        self.list
    }

    /// The value when nothing is wrong, else the faults.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { list: vec![fault], left_out: 0 }
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.split_first() {
            None => f.write_str("no faults"),
            Some((first, [])) if self.left_out == 0 => first.fmt(f),
            Some((first, _)) => write!(f, "{first} (and {} more)", self.len() - 1),
        }
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_faults_is_counted_not_listed() {
        let mut faults = Faults::new();
        for index in 0..Faults::LIMIT + 7 {
            faults.add(format!("/{index}"), code::WRONG_TYPE, "no");
        }
        assert_eq!(faults.len(), Faults::LIMIT + 7);
        let listed = faults.into_vec();
        assert_eq!(listed.len(), Faults::LIMIT + 1);
        assert_eq!(listed[Faults::LIMIT].message, "7 more faults are not listed: mend these first");
    }

    #[test]
    fn the_wire_form_is_pointer_code_message() {
        let fault = Fault::new("/a", code::REQUIRED, "add it");
        let wire = serde_json::json!({"pointer": "/a", "code": "required", "message": "add it"});
        assert_eq!(serde_json::to_value(&fault).unwrap(), wire);
        assert_eq!(serde_json::from_value::<Fault>(wire).unwrap(), fault);
    }

    #[test]
    fn no_faults_no_error() {
        assert_eq!(Faults::new().into_result(1), Ok(1));
        assert!(Faults::from(Fault::new("", "x", "y")).into_result(1).is_err());
    }
}
