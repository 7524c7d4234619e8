//! What can be wrong with a trail, and how it is told.

use std::fmt;

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It can't be read.
    Unreadable(String),
    /// It is not what was written.
    Altered,
    /// It and those up to this one are missing.
    Removed(i64),
    /// Another row stands in its place; it stands as this one, in this line, where that is known.
    Swapped(Option<(i64, Option<u64>)>),
    /// It was put behind the end.
    Appended,
    /// The key file has no such key.
    UnknownKey(String),
    /// Another key was in use then.
    OtherKey {
        /// The one that it names.
        used: String,
        /// The one that was in use.
        expected: String,
    },
    /// It and those up to this one (to an end that nobody knows, where there is none) are missing at the end.
    CutOff(Option<i64>),
    /// The end is not the one that was sealed.
    End,
    /// It is not the row that somebody noted.
    Noted,
    /// Some rows were exported, not all.
    Some,
    /// There are rows, and none of them is chained.
    NotBegun,
    /// It says that the rows before it were chained after they were written, where that can't be.
    Rechained,
}

/// The first link that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line of the export, counted from 1; none in a database and where there is no line.
    pub line: Option<u64>,
    /// The row that belongs there.
    pub sequence: i64,
    /// What is wrong.
    pub wrong: Wrong,
}

impl Broken {
    /// A stable word for what is wrong.
    pub const fn name(&self) -> &'static str {
        match self.wrong {
            Wrong::Unreadable(_) => "unreadable",
            Wrong::Altered => "altered",
            Wrong::Removed(_) => "removed",
            Wrong::Swapped(_) => "swapped",
            Wrong::Appended => "appended",
            Wrong::UnknownKey(_) => "unknown_key",
            Wrong::OtherKey { .. } => "other_key",
            Wrong::CutOff(_) => "cut_off",
            Wrong::End => "end",
            Wrong::Noted => "noted",
            Wrong::Some => "filtered",
            Wrong::NotBegun => "not_begun",
            Wrong::Rechained => "rechained",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        let n = self.sequence;
        match &self.wrong {
            Wrong::Unreadable(why) => write!(f, "row {n} can't be read: {why}"),
            Wrong::Altered => write!(f, "row {n} was altered: its mac fits neither what it says nor the row before it"),
            Wrong::Removed(to) if *to == n => write!(f, "row {n} was removed"),
            Wrong::Removed(to) => write!(f, "rows {n} to {to} were removed"),
            Wrong::Swapped(None) => write!(f, "row {n} stands out of its order"),
            Wrong::Swapped(Some((found, line))) => {
                write!(f, "row {n} was swapped: another stands in its place, and it stands as row {found}")?;
                line.map_or(Ok(()), |line| write!(f, " in line {line}"))
            }
            Wrong::Appended => write!(f, "row {n} was appended: the trail ends before it"),
            Wrong::UnknownKey(key) => {
                write!(f, "row {n} was chained with the key {key}, which the key file does not have")
            }
            Wrong::OtherKey { used, expected } => {
                write!(f, "row {n} was altered: it names the key {used}, but {expected} was in use")
            }
            Wrong::CutOff(None) => {
                write!(f, "row {n} and whatever followed was cut off: the line that tells the end is missing")
            }
            Wrong::CutOff(Some(to)) if *to == n => write!(f, "row {n} was cut off at the end"),
            Wrong::CutOff(Some(to)) => write!(f, "rows {n} to {to} were cut off at the end"),
            Wrong::End => {
                write!(f, "the end at row {n} is not the one that was sealed: it was altered, or rows were cut off")
            }
            Wrong::Noted => write!(f, "row {n} is not the one that was noted: rows were cut off or written anew"),
            Wrong::Some => {
                write!(f, "this is an export of some rows: whether others are missing can't be seen from it")
            }
            Wrong::NotBegun => {
                write!(f, "row {n} and all after it are not chained: the chain never began, or it was taken away")
            }
            Wrong::Rechained => {
                write!(f, "row {n} says that the rows before it were chained then, but a chain was there already")
            }
        }
    }
}
