//! Lines that belong together: what stands between `::group::title` and `::endgroup::` (GitHub's workflow commands, as the
//! Tekton dashboard knows them). Groups do not nest; a new one ends the one before. A group may begin before the lines that are
//! shown and end after them: it is one group all the same. Pure.

use super::{
    ansi::plain,
    level::{self, Needle},
};
use crate::execution::LogLine;

/// So many lines before and after the shown ones a group's beginning and end are looked for.
pub const REACH: u32 = 10_000;

/// A group, whole, however much of it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The line that opens it.
    pub opening: u32,
    /// Its title; empty where none was given.
    pub title: String,
    /// How many lines are in it.
    pub lines: u32,
    /// Its last line, the mark of its end included.
    pub last: u32,
    /// Whether its end was written; until then it goes on.
    pub ended: bool,
    /// Nothing in it says that something is wrong.
    pub calm: bool,
}

impl Group {
    fn begun(opening: u32, title: String) -> Self {
        Self { opening, title, lines: 0, last: opening, ended: false, calm: true }
    }

    /// Whether it can be folded without hiding what matters.
    pub const fn is_quiet(&self) -> bool {
        self.ended && self.calm
    }

    /// Whether a line is in it; the one that opens it stands for the whole.
    pub const fn holds(&self, line: u32) -> bool {
        self.opening < line && line <= self.last
    }

    /// Takes in what follows it: the mark that ends it, or where there is none the last line so far.
    pub fn end(&mut self, mark: Option<&LogLine>, last: u32) {
        self.ended = mark.is_some();
        (self.lines, self.last) = match mark {
            Some(mark) if closes(mark) => (mark.line.saturating_sub(self.opening + 1), mark.line),
            Some(mark) => (mark.line.saturating_sub(self.opening + 1), mark.line.saturating_sub(1)),
            None => (last.saturating_sub(self.opening), last),
        };
    }
}

/// A row of a log as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<'l> {
    /// A line.
    Line(&'l LogLine),
    /// As much of a group as is there.
    Part(Part<'l>),
}

/// Some of a group's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'l> {
    /// The whole group.
    pub group: &'l Group,
    /// The lines; without the marks.
    pub lines: &'l [LogLine],
    /// Whether the group begins here.
    pub begins: bool,
    /// The first and the last line that it stands for, with the marks.
    pub span: (u32, u32),
}

/// How a line that may be a mark looks: for a database that finds candidates faster than the rule.
pub fn needle() -> Needle {
    Needle::Holds("group::".to_owned())
}

/// The title that a line opens a group with.
fn opens(line: &LogLine) -> Option<String> {
    plain(&line.text).trim_start().strip_prefix("::group::").map(|title| title.trim().to_owned())
}

fn closes(line: &LogLine) -> bool {
    plain(&line.text).trim_start().starts_with("::endgroup::")
}

/// Whether a line opens or ends a group.
pub fn is_mark(line: &LogLine) -> bool {
    closes(line) || opens(line).is_some()
}

/// Whether a line says that something is wrong.
pub fn is_trouble(line: &LogLine) -> bool {
    level::of(&plain(&line.text)) >= Some(level::Level::Warning)
}

/// The groups that some lines in order are in. `before` is the last mark before these lines, `last` the log's last line. The
/// last group may go on behind them: then it has not ended, and what follows is to be taken in by [`Group::end`].
pub fn groups(lines: &[LogLine], before: Option<&LogLine>, last: u32) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut open = before.and_then(|line| opens(line).map(|title| Group::begun(line.line, title)));
    for line in lines {
        if is_mark(line) {
            if let Some(mut group) = open.take() {
                group.end(Some(line), last);
                groups.push(group);
            }
            open = opens(line).map(|title| Group::begun(line.line, title));
        } else if let Some(group) = &mut open {
            group.calm &= !is_trouble(line);
        }
    }
    if let Some(mut group) = open {
        group.end(None, last);
        groups.push(group);
    }
    groups
}

/// Rows of some lines in order, which are in these groups. The end of a group that nobody saw begin shows nothing.
pub fn rows<'l>(lines: &'l [LogLine], groups: &'l [Group]) -> Vec<Row<'l>> {
    let mut rows = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let begins = |group: &&Group| group.opening == line.line;
        let Some(group) = groups.iter().find(|group| begins(group) || group.holds(line.line)) else {
            if !closes(line) {
                rows.push(Row::Line(line));
            }
            at += 1;
            continue;
        };
        let rest = &lines[at..];
        let length = rest.iter().position(|line| line.line > group.last).unwrap_or(rest.len()).max(1);
        let all = &rest[..length];
        at += length;
        let begins = begins(&group);
        let inner = if begins { &all[1..] } else { all };
        let inner = match inner.split_last() {
            Some((last, some)) if closes(last) => some,
            _ => inner,
        };
        if begins || !inner.is_empty() {
            let span = (line.line, all.last().map_or(line.line, |line| line.line));
            rows.push(Row::Part(Part { group, lines: inner, begins, span }));
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

    fn words(rows: Vec<Row<'_>>) -> Vec<String> {
        let word = |row| match row {
            Row::Line(line) => line.text.clone(),
            Row::Part(part) => {
                let (before, after) = (if part.begins { "" } else { "…" }, if part.group.ended { "" } else { "…" });
                format!("{before}{}({} of {}){after}", part.group.title, part.lines.len(), part.group.lines)
            }
        };
        rows.into_iter().map(word).collect()
    }

    fn told(texts: &[&str]) -> Vec<String> {
        let lines = lines(texts);
        words(rows(&lines, &groups(&lines, None, u32::try_from(lines.len()).unwrap())))
    }

    #[test]
    fn lines_between_the_marks_are_a_group() {
        assert_eq!(told(&["a", "::group::Fetch", "b", "c", "::endgroup::", "d"]), ["a", "Fetch(2 of 2)", "d"]);
        assert_eq!(told(&["::group::One", "a", "::group::Two", "b", "::endgroup::"]), ["One(1 of 1)", "Two(1 of 1)"]);
        assert_eq!(told(&["::group::Open", "a", "b"]), ["Open(2 of 2)…"]);
        assert_eq!(told(&["\u{1b}[36m::group::Coloured\u{1b}[0m", "::endgroup::"]), ["Coloured(0 of 0)"]);
        assert_eq!(told(&["a", "::endgroup::", "b"]), ["a", "b"]);
        assert_eq!(told(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_group_with_trouble_or_without_an_end_stays_open() {
        let quiet = |texts: &[&str]| groups(&lines(texts), None, 9).iter().all(Group::is_quiet);
        assert!(quiet(&["::group::x", "fine", "::endgroup::"]));
        assert!(!quiet(&["::group::x", "ERROR: no", "::endgroup::"]));
        assert!(!quiet(&["::group::x", "fine"]));
    }

    /// A log of one group of 450 lines: its marks are lines 3 and 454.
    fn long() -> Vec<LogLine> {
        let mut texts = vec!["a", "b", "::group::Fetch"];
        texts.extend(["layer"; 450]);
        texts.extend(["::endgroup::", "c"]);
        lines(&texts)
    }

    #[test]
    fn a_group_goes_on_from_chunk_to_chunk() {
        let all = long();
        let groups = groups(&all, None, 455);
        let chunks: Vec<_> = all.chunks(200).map(|chunk| words(rows(chunk, &groups))).collect();
        assert_eq!(chunks[0], ["a", "b", "Fetch(197 of 450)"]);
        assert_eq!(chunks[1], ["…Fetch(200 of 450)"]);
        assert_eq!(chunks[2], ["…Fetch(53 of 450)", "c"]);
        assert!(groups[0].is_quiet() && groups[0].holds(300) && groups[0].holds(454));
        assert!(!groups[0].holds(3) && !groups[0].holds(455));
    }

    #[test]
    fn a_window_in_a_group_knows_what_it_is_told_of_its_beginning_and_end() {
        let all = long();
        let window = &all[200..400];
        assert_eq!(groups(window, None, 455), [], "nobody saw it begin");
        let mut known = groups(window, Some(&all[2]), 455);
        assert_eq!((known[0].ended, known[0].lines, known[0].last), (false, 452, 455), "it goes on");
        known[0].end(Some(&all[453]), 455);
        assert_eq!(known, groups(&all, None, 455));
        assert_eq!(words(rows(window, &known)), ["…Fetch(200 of 450)"]);
        let end = &all[453..];
        assert_eq!(words(rows(end, &groups(end, Some(&all[2]), 455))), ["c"], "of a mark alone nothing shows");
    }
}
