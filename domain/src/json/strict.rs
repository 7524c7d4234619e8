//! Reads JSON from strangers: what two readers could understand differently is refused, not guessed.
//!
//! serde_json is the parser; this module adds what it leaves open: duplicate keys, numbers that would be rounded, depth
//! and size. It does not know what the document means.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::pointer;

/// serde_json itself stops one level further down, so that no document can exhaust the stack.
const DEEPEST: usize = 126;

/// Below this every integer is a double of its own; from here on a number written with a fraction or an exponent may
/// have been rounded to a neighbouring integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The longest body that is taken, bytes (`safety.md`, Parameters).
pub const BODY_BYTES: usize = 256 * 1024;

/// How large a document may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: usize,
    /// Arrays and objects inside each other: a scalar has depth 0, `[[]]` has depth 2. At most 126 counts.
    pub depth: usize,
}

impl Default for Limits {
    /// The longest body and 32 levels.
    fn default() -> Self {
        Self { bytes: BODY_BYTES, depth: 32 }
    }
}

/// Why a document was refused. The message says what to do; [`code`](Self::code) is for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrictError {
    /// More bytes than allowed; nothing was read.
    #[error("the document has {actual} bytes; send at most {limit}")]
    TooLarge {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not UTF-8, which RFC 8259 requires.
    #[error("byte {offset} is not UTF-8; encode the document as UTF-8")]
    InvalidUtf8 {
        /// Bytes before the first that is wrong.
        offset: usize,
    },
    /// Not JSON; `NaN` and `Infinity` are not either.
    #[error("{detail} at line {line}, column {column}; send one JSON value as in RFC 8259")]
    Syntax {
        /// The innermost value that was being read.
        pointer: String,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What the parser found.
        detail: String,
    },
    /// The same key twice in one object: readers disagree on which of them counts.
    #[error("the key \"{key}\" appears twice in this object; keep one of them")]
    DuplicateKey {
        /// The object.
        pointer: String,
        /// The key, unescaped.
        key: String,
    },
    /// Nested too deeply.
    #[error("nested more than {limit} levels deep; make the document flatter")]
    TooDeep {
        /// The first array or object that is too deep.
        pointer: String,
        /// Levels allowed.
        limit: usize,
    },
    /// A number that would not arrive as it was written.
    #[error(
        "this number can't be kept exactly; write an integer between -2^63 and 2^64-1 without fraction or exponent, \
         a number between -2^53 and 2^53, or a string"
    )]
    Number {
        /// The number.
        pointer: String,
    },
}

impl StrictError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "json_too_large",
            Self::InvalidUtf8 { .. } => "json_invalid_utf8",
            Self::Syntax { .. } => "json_syntax",
            Self::DuplicateKey { .. } => "json_duplicate_key",
            Self::TooDeep { .. } => "json_too_deep",
            Self::Number { .. } => "json_number",
        }
    }

    /// JSON Pointer to the place; empty for the whole document.
    pub fn pointer(&self) -> &str {
        match self {
            Self::TooLarge { .. } | Self::InvalidUtf8 { .. } => "",
            Self::Syntax { pointer, .. }
            | Self::DuplicateKey { pointer, .. }
            | Self::TooDeep { pointer, .. }
            | Self::Number { pointer } => pointer,
        }
    }
}

/// Reads one JSON document. The first fault ends the reading: what follows it can't be trusted to be there at all.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, StrictError> {
    if bytes.len() > limits.bytes {
        return Err(StrictError::TooLarge { actual: bytes.len(), limit: limits.bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| StrictError::InvalidUtf8 { offset: e.valid_up_to() })?;
    let mut walk = Walk::new(limits);
    let mut parser = serde_json::Deserializer::from_str(text);
    let outcome = Seed(&mut walk).deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    outcome.map_err(|error| nearly(walk.explain(&error), text))
}

/// Says of what a model writes around its JSON that it has to go. Nothing is cut off for it: where the JSON ends is its affair.
fn nearly(error: StrictError, text: &str) -> StrictError {
    let (pointer, line, column, detail) = match error {
        StrictError::Syntax { pointer, line, column, detail } => (pointer, line, column, detail),
        other => return other,
    };
    let begin = text.trim_start();
    let detail = if begin.starts_with("```") {
        "send the JSON itself, without the Markdown fence (```) around it: found".to_owned()
    } else if detail == "trailing characters" {
        "leave out what follows the JSON value: found".to_owned()
    } else if begin.starts_with(char::is_alphabetic) && begin.contains('{') {
        "leave out what stands before the JSON value: found".to_owned()
    } else {
        detail
    };
    StrictError::Syntax { pointer, line, column, detail }
}

/// Why a document in another format than JSON was refused.
#[derive(Debug)]
pub enum Unread<E> {
    /// It breaks a rule of this module.
    Strict(StrictError),
    /// It is not of its format, or has what JSON has not.
    Format {
        /// The innermost value that was being read.
        pointer: String,
        /// What its parser found.
        error: E,
    },
}

/// Reads a document of another format, such as YAML, into JSON under the same rules. What a format can repeat by reference
/// is counted each time: more values than `limits.bytes` are refused, so a small text can't become a large document.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D, limits: Limits) -> Result<Value, Unread<D::Error>> {
    let mut walk = Walk::new(limits);
    Seed(&mut walk).deserialize(deserializer).map_err(|error| match walk.fault.take() {
        Some(fault) => Unread::Strict(fault),
        None => Unread::Format { pointer: walk.pointer(), error },
    })
}

/// Where the reading stands.
struct Walk {
    depth: usize,
    /// How many values may still be read; in JSON each has a byte of its own at least.
    values: usize,
    bytes: usize,
    /// Steps from the root to the value being read; left as it is when reading fails, so that it tells where.
    trail: Vec<Step>,
    /// serde errors are text; the fault travels beside them.
    fault: Option<StrictError>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Walk {
    fn new(limits: Limits) -> Self {
        let Limits { bytes, depth } = limits;
        Self { depth: depth.min(DEEPEST), values: bytes, bytes, trail: Vec::new(), fault: None }
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.values.checked_sub(1) {
            Some(left) => {
                self.values = left;
                Ok(())
            }
            None => Err(self.refuse(StrictError::TooLarge { actual: self.bytes + 1, limit: self.bytes })),
        }
    }

    fn pointer(&self) -> String {
        self.trail.iter().fold(String::new(), |base, step| match step {
            Step::Key(key) => pointer::join(&base, key),
            Step::Index(index) => pointer::join_index(&base, *index),
        })
    }

    fn refuse<E: serde::de::Error>(&mut self, fault: StrictError) -> E {
        let error = E::custom(&fault);
        self.fault = Some(fault);
        error
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.trail.len() < self.depth {
            return Ok(());
        }
        let fault = StrictError::TooDeep { pointer: self.pointer(), limit: self.depth };
        Err(self.refuse(fault))
    }

    fn explain(self, error: &serde_json::Error) -> StrictError {
        let pointer = self.pointer();
        if let Some(fault) = self.fault {
            return fault;
        }
        let text = error.to_string();
        let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
        // serde_json has no kind for it: 1e400 is a number that no double holds, and its text says so.
        if detail == "number out of range" {
            return StrictError::Number { pointer };
        }
        StrictError::Syntax { pointer, line: error.line(), column: error.column(), detail }
    }
}

struct Seed<'a>(&'a mut Walk);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() < EXACT {
            return Ok(value.into());
        }
        let fault = StrictError::Number { pointer: self.0.pointer() };
        Err(self.0.refuse(fault))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.0.enter()?;
        let mut items = Vec::new();
        loop {
            self.0.trail.push(Step::Index(items.len()));
            let item = seq.next_element_seed(Seed(self.0))?;
            self.0.trail.pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.0.enter()?;
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.contains_key(&key) {
                let fault = StrictError::DuplicateKey { pointer: self.0.pointer(), key };
                return Err(self.0.refuse(fault));
            }
            self.0.trail.push(Step::Key(key.clone()));
            let value = map.next_value_seed(Seed(self.0))?;
            self.0.trail.pop();
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(text: &str) -> StrictError {
        parse(text.as_bytes(), Limits::default()).expect_err(text)
    }

    fn place(text: &str) -> (&'static str, String) {
        let error = refused(text);
        (error.code(), error.pointer().to_owned())
    }

    #[test]
    fn reads_what_json_allows() {
        let text = r#" {"a": [1, -2, 2.5, true, null], "b": {"": "A\n"}, "big": 18446744073709551615} "#;
        let value = json!({"a": [1, -2, 2.5, true, null], "b": {"": "A\n"}, "big": u64::MAX});
        assert_eq!(parse(text.as_bytes(), Limits::default()), Ok(value));
    }

    #[test]
    fn names_the_object_and_the_key_that_appears_twice() {
        let error = refused(r#"{"steps": [{"name": 1}, {"a/b": {"x": 1, "\u0078": 2}}]}"#);
        assert_eq!(error, StrictError::DuplicateKey { pointer: "/steps/1/a~1b".into(), key: "x".into() });
        assert_eq!(error.to_string(), "the key \"x\" appears twice in this object; keep one of them");
    }

    #[test]
    fn the_same_key_in_two_objects_is_fine() {
        assert!(parse(br#"[{"a": 1}, {"a": {"a": 2}}]"#, Limits::default()).is_ok());
    }

    #[test]
    fn says_where_the_syntax_is_wrong() {
        let StrictError::Syntax { pointer, line, column, detail } = refused("{\n  \"a\": [1, NaN]\n}") else {
            panic!("a syntax error")
        };
        assert_eq!((pointer.as_str(), line, column), ("/a/1", 2, 12));
        assert_eq!(detail, "expected value");
    }

    #[test]
    fn says_of_what_stands_around_the_json_that_it_has_to_go() {
        for (text, told) in [
            ("```json\n{\"a\": 1}\n```", "without the Markdown fence (```)"),
            ("{\"a\": 1}\n\nI hope this helps.", "leave out what follows the JSON value: found at line 3, column 1"),
            ("Here it is: {\"a\": 1}", "leave out what stands before the JSON value"),
            ("{\"a\": nul}", "expected"),
        ] {
            let message = refused(text).to_string();
            assert!(message.contains(told), "{text}: {message}");
        }
    }

    #[test]
    fn refuses_everything_that_is_not_json() {
        for text in [
            "",
            " ",
            "nul",
            "Infinity",
            "-Infinity",
            "[1,]",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "1 2",
            "// x\n1",
            "\u{feff}1",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "01",
            "+1",
            "1.",
            "{\"a\":1}}",
        ] {
            assert_eq!(refused(text).code(), "json_syntax", "{text:?}");
        }
    }

    #[test]
    fn refuses_numbers_that_would_be_rounded() {
        assert_eq!(place(r#"{"a": [0, 1e400]}"#), ("json_number", "/a/1".into()));
        assert_eq!(place("18446744073709551616"), ("json_number", String::new()));
        assert_eq!(place("[-9223372036854775809]"), ("json_number", "/0".into()));
        assert_eq!(place("9007199254740993.0"), ("json_number", String::new()));
        assert!(parse(b"[9007199254740993, -9223372036854775808, 1e15, 0.1]", Limits::default()).is_ok());
    }

    #[test]
    fn counts_levels() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(32).as_bytes(), Limits::default()).is_ok());
        let error = refused(&nested(33));
        assert_eq!(error, StrictError::TooDeep { pointer: "/0".repeat(32), limit: 32 });
        let limits = Limits { depth: 1_000_000, ..Limits::default() };
        assert!(parse(nested(126).as_bytes(), limits).is_ok());
        assert_eq!(parse(nested(100_000).as_bytes(), limits).map_err(|e| e.code()), Err("json_too_deep"));
    }

    #[test]
    fn refuses_bytes_that_are_too_many_or_not_utf8() {
        let limits = Limits { bytes: 3, ..Limits::default() };
        assert_eq!(parse(b"[1]", limits), Ok(json!([1])));
        assert_eq!(parse(b"[12]", limits), Err(StrictError::TooLarge { actual: 4, limit: 3 }));
        assert_eq!(parse(b"\"\xff\"", Limits::default()), Err(StrictError::InvalidUtf8 { offset: 1 }));
    }
}
