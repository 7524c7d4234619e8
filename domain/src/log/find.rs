//! Where a text stands in a line, whatever the case of its letters; and which line of a log tells best why it ended. Pure.

use super::{
    ansi::plain,
    level::{self, Level},
};
use crate::execution::LogLine;
use std::ops::Range;

/// The longest text that is searched for, in characters.
pub const LONGEST: usize = 200;

/// Every place of `text` in `line`, in order and without overlaps; nothing for an empty text.
pub fn places(line: &str, text: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    for (start, _) in line.char_indices() {
        if found.last().is_some_and(|last| last.end > start) {
            continue;
        }
        if let Some(length) = begins(&line[start..], &wanted) {
            found.push(start..start + length);
        }
    }
    found
}

/// How many bytes of `line` are `wanted`, if it begins with it.
fn begins(line: &str, wanted: &[char]) -> Option<usize> {
    let mut left = wanted;
    for (at, character) in line.char_indices() {
        for lower in character.to_lowercase() {
            left = match left.split_first() {
                Some((first, rest)) if *first == lower => rest,
                _ => return None,
            };
        }
        if left.is_empty() {
            return Some(at + character.len_utf8());
        }
    }
    None
}

/// The line that tells best why a task ended as it did: the last that says it is an error, else the last that says anything.
/// Lines without a time are the archive's own words.
pub fn telling(lines: &[LogLine]) -> Option<&LogLine> {
    let says = |line: &&LogLine| {
        let text = plain(&line.text);
        line.at.is_some() && text.chars().any(char::is_alphanumeric) && !text.trim_start().starts_with("::")
    };
    let error = |line: &&LogLine| level::of(&plain(&line.text)) == Some(Level::Error);
    let last = || lines.iter().rev();
    last().filter(|l| l.at.is_some()).find(error).or_else(|| last().find(says))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_text_is_found_whatever_its_case() {
        assert_eq!(places("Error: an ERROR", "error"), [0..5, 10..15]);
        assert_eq!(places("aaaa", "aa"), [0..2, 2..4]);
        assert_eq!(places("Ärger über Ärger", "ärger"), [0..6, 13..19]);
        assert!(places("abc", "").is_empty() && places("ab", "abc").is_empty());
    }

    #[test]
    fn the_last_error_tells_more_than_the_last_line() {
        let at = Some(Timestamp::from_millis(1));
        let line = |n: u32, text: &str| LogLine { line: n, at, text: text.into() };
        let all = [line(1, "ERROR: first"), line(2, "ERROR: refused"), line(3, "cleaning up"), line(4, "---")];
        assert_eq!(telling(&all).map(|l| l.line), Some(2));
        assert_eq!(telling(&all[2..]).map(|l| l.line), Some(3));
        let own = LogLine { line: 5, at: None, text: "[… log gap: pod was removed …]".into() };
        assert_eq!(telling(&[all[2].clone(), own]).map(|l| l.line), Some(3));
        assert_eq!(telling(&[]), None);
    }
}
