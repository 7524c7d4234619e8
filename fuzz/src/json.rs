//! Strict reading, canonical writing and what differs: the ground that digests stand on.

use crate::{Came, kind};
use domain::json::{
    canonical,
    diff::diff,
    strict::{self, Limits},
};
use serde_json::Value;

pub const SEEDS: &[&[u8]] = &[
    br#"{"a":[1,2.5,-0,1e3,null,true],"b":{"c":"\u00e4\n\"\\/"},"":{}}"#,
    br#"[18446744073709551615,-9223372036854775808,0.1,1e-7,5e-324,9007199254740991]"#,
    br#"{"a":1,"a":2}"#,
    br#"{"\ud83d\ude00":"\ud83d","x":[[[[[[]]]]]]}"#,
];

pub fn run(input: &[u8]) -> Came {
    let value = match strict::parse(input, Limits::default()) {
        Ok(value) => value,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Came::Refused(kind(error.code()));
        }
    };
    // Whatever the strict reader takes, any reader takes, and reads the same.
    let loose: Value = serde_json::from_slice(input).expect("what is strict JSON is JSON");
    let text = canonical::to_string(&value);
    assert_eq!(canonical::to_string(&loose), text);
    let again = strict::parse(text.as_bytes(), Limits { bytes: usize::MAX, ..Limits::default() });
    let again = again.unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(canonical::to_string(&again), text, "canonical text is canonical");
    assert_eq!(canonical::digest(&again), canonical::digest(&value));
    assert_eq!(canonical::normal(&canonical::normal(&value)), canonical::normal(&value));
    assert!(diff(&value, &again).is_empty());
    // The two halves of an array: no difference exactly where they hash alike.
    if let Some([before, after, ..]) = value.as_array().map(Vec::as_slice) {
        let same = canonical::digest(before) == canonical::digest(after);
        let changes = diff(before, after);
        assert_eq!(changes.is_empty(), same, "{changes:?}");
        for change in &changes {
            assert_eq!(before.pointer(&change.pointer), change.before.as_ref(), "{}", change.pointer);
            assert_eq!(after.pointer(&change.pointer), change.after.as_ref(), "{}", change.pointer);
        }
    }
    let shape: String =
        text.chars().filter(|c| matches!(c, '{' | '[' | '.' | '-' | 'e' | '"' | '\\')).take(12).collect();
    Came::Taken(kind(shape))
}
