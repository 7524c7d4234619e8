//! Lines that belong together: what stands between `::group::title` and `::endgroup::` (GitHub's workflow commands, as the
//! Tekton dashboard knows them). Groups do not nest; a new one ends the one before. Pure.

use super::{ansi::plain, level};
use crate::execution::LogLine;

/// A row of a log as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<'l> {
    /// A line.
    Line(&'l LogLine),
    /// A group of lines.
    Group(Group<'l>),
}

/// Lines under a title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'l> {
    /// The line that opens it.
    pub opening: &'l LogLine,
    /// Its title; empty where none was given.
    pub title: String,
    /// What is in it.
    pub lines: &'l [LogLine],
    /// Whether its end was written; until then it goes on.
    pub ended: bool,
}

impl Group<'_> {
    /// Whether it can be folded without hiding what matters: it has ended, and nothing in it says that something is wrong.
    pub fn is_quiet(&self) -> bool {
        self.ended && !self.lines.iter().any(|line| level::of(&plain(&line.text)) >= Some(level::Level::Warning))
    }
}

/// The title that a line opens a group with.
fn opens(line: &LogLine) -> Option<String> {
    plain(&line.text).trim_start().strip_prefix("::group::").map(|title| title.trim().to_owned())
}

fn closes(line: &LogLine) -> bool {
    plain(&line.text).trim_start().starts_with("::endgroup::")
}

/// Rows of some lines in order. An end without a beginning is of a group that began before these lines: it shows nothing.
pub fn rows(lines: &[LogLine]) -> Vec<Row<'_>> {
    let mut rows = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(title) = opens(line) {
            let rest = &lines[at..];
            let length = rest.iter().position(|l| closes(l) || opens(l).is_some()).unwrap_or(rest.len());
            let end = rest.get(length);
            rows.push(Row::Group(Group { opening: line, title, lines: &rest[..length], ended: end.is_some() }));
            at += length + usize::from(end.is_some_and(closes));
        } else if !closes(line) {
            rows.push(Row::Line(line));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<LogLine> {
        (1..).zip(texts).map(|(line, text)| LogLine { line, at: None, text: (*text).to_owned() }).collect()
    }

    fn told(texts: &[&str]) -> Vec<String> {
        let lines = lines(texts);
        let told = rows(&lines).into_iter().map(|row| match row {
            Row::Line(line) => line.text.clone(),
            Row::Group(group) => {
                format!("{}({}){}", group.title, group.lines.len(), if group.ended { "" } else { "…" })
            }
        });
        told.collect()
    }

    #[test]
    fn lines_between_the_marks_are_a_group() {
        assert_eq!(told(&["a", "::group::Fetch", "b", "c", "::endgroup::", "d"]), ["a", "Fetch(2)", "d"]);
        assert_eq!(told(&["::group::One", "a", "::group::Two", "b", "::endgroup::"]), ["One(1)", "Two(1)"]);
        assert_eq!(told(&["::group::Open", "a", "b"]), ["Open(2)…"]);
        assert_eq!(told(&["\u{1b}[36m::group::Coloured\u{1b}[0m", "::endgroup::"]), ["Coloured(0)"]);
        assert_eq!(told(&["a", "::endgroup::", "b"]), ["a", "b"]);
        assert_eq!(told(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_group_with_trouble_or_without_an_end_stays_open() {
        let quiet = |texts: &[&str]| match &rows(&lines(texts))[0] {
            Row::Group(group) => group.is_quiet(),
            Row::Line(_) => false,
        };
        assert!(quiet(&["::group::x", "fine", "::endgroup::"]));
        assert!(!quiet(&["::group::x", "ERROR: no", "::endgroup::"]));
        assert!(!quiet(&["::group::x", "fine"]));
    }
}
