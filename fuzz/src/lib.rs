//! What is fuzzed: for each reader of something from outside a function that takes any bytes and holds the reader to what it promises. It
//! panics when a promise is broken, and says else what kind of input it was, so that a mutator without coverage knows new ones.

pub mod intake;
pub mod json;
pub mod log;
pub mod mutate;
pub mod registration;
pub mod steps;
pub mod text;
pub mod ticket;

use domain::{fault::Fault, json::strict};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Came {
    /// It was refused, in this way.
    Refused(u64),
    /// It was taken, in this way.
    Taken(u64),
}

/// A target.
pub struct Target {
    /// Its name: of its module, its file in `fuzz_targets` and its directory in `corpus`.
    pub name: &'static str,
    /// Tries an input.
    pub run: fn(&[u8]) -> Came,
    /// Inputs to begin with, besides those that are kept.
    pub seeds: &'static [&'static [u8]],
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "registration", run: registration::run, seeds: registration::SEEDS },
    Target { name: "intake", run: intake::run, seeds: intake::SEEDS },
    Target { name: "steps", run: steps::run, seeds: steps::SEEDS },
    Target { name: "json", run: json::run, seeds: json::SEEDS },
    Target { name: "ticket", run: ticket::run, seeds: &[] },
    Target { name: "text", run: text::run, seeds: text::SEEDS },
    Target { name: "log", run: log::run, seeds: log::SEEDS },
];

/// A number for a kind.
fn kind(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The input as the doors read a body; none where it is no proper JSON.
fn document(input: &[u8]) -> Result<Value, Came> {
    strict::parse(input, strict::Limits::default()).map_err(|error| Came::Refused(kind(error.code())))
}

/// Each fault has a code and says what to do, and points at something that was sent, or at a member of something that was sent.
fn refused(document: &Value, faults: &[Fault]) -> Came {
    assert!(!faults.is_empty(), "refused without a reason");
    for fault in faults {
        assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{fault:?}");
        let parent = fault.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let there = document.pointer(&fault.pointer).or_else(|| document.pointer(parent)).is_some();
        assert!(there, "{fault:?} points at nothing in {document}");
    }
    let mut codes: Vec<&str> = faults.iter().map(|fault| &*fault.code).collect();
    codes.sort_unstable();
    codes.dedup();
    Came::Refused(kind(codes))
}

/// Every text in a document.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            found.push(name);
            texts(member, found);
        }),
        _ => {}
    }
}
