//! Which lines of a log are shown at once. Lines come in chunks of a fixed number, so that a page, a link and a viewer that
//! scrolls through all of them cut a log alike. Pure.

use super::{LogState, group::Group, level::Level};
use crate::execution::LogLine;
use std::ops::RangeInclusive;

/// Lines in a chunk.
pub const CHUNK: u32 = 200;
/// Chunks on a page.
pub const CHUNKS: u32 = 3;
/// A log of so many lines is shown whole.
pub const WHOLE: u32 = CHUNK * CHUNKS;
/// More hits than this are not counted.
pub const MOST_HITS: u32 = 10_000;

/// Where a reader wants to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// At the end.
    #[default]
    End,
    /// From this line on.
    From(u32),
    /// Before this line.
    Before(u32),
    /// Around this line.
    Around(u32),
}

/// What is asked of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogAsk {
    /// Where.
    pub place: Place,
    /// How many chunks at most.
    pub chunks: u32,
    /// A text to be found.
    pub find: Option<String>,
    /// Which of its hits, counted from 1; none is the last.
    pub hit: Option<u32>,
    /// Only lines of this level or a graver one.
    pub level: Option<Level>,
}

/// What is shown of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogView {
    /// How the log stands.
    pub state: LogState,
    /// The number of its last line; 0 without any.
    pub last: u32,
    /// The lines, in order.
    pub lines: Vec<LogLine>,
    /// The groups that these are in; none where lines are picked out.
    pub groups: Vec<Group>,
    /// Whether there are lines of that kind before and after these.
    pub more: (bool, bool),
    /// What was found.
    pub hits: Option<Hits>,
    /// The line that is meant.
    pub line: Option<u32>,
}

/// What a search found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// How many lines.
    pub count: u32,
    /// Whether there are more, which nobody counted.
    pub more: bool,
    /// Which of them is shown, counted from 1; 0 without any.
    pub shown: u32,
}

/// The first line of the chunk that a line is in.
pub const fn chunk_of(line: u32) -> u32 {
    let before = if line == 0 { 0 } else { line - 1 };
    before / CHUNK * CHUNK + 1
}

/// The lines of whole chunks that are shown of a log of `last` lines; empty for an empty one.
pub fn span(place: Place, chunks: u32, last: u32) -> RangeInclusive<u32> {
    let length = chunks.max(1).saturating_mul(CHUNK);
    let newest = chunk_of(last).saturating_sub((chunks.max(1) - 1).saturating_mul(CHUNK)).max(1);
    let first = match place {
        Place::End => newest,
        Place::From(line) => chunk_of(line.min(last)),
        Place::Before(line) => chunk_of(line.saturating_sub(1).min(last)).saturating_sub(length - CHUNK).max(1),
        // What comes before a line says as much as what comes after.
        Place::Around(line) => {
            chunk_of(line.min(last)).saturating_sub((chunks.max(1) / 2).saturating_mul(CHUNK)).clamp(1, newest)
        }
    };
    first..=first.saturating_add(length - 1).min(last)
}

/// Which hit is meant, counted from 1, of so many: none named is the last; 0 without any.
pub fn which_hit(asked: Option<u32>, count: u32) -> u32 {
    asked.unwrap_or(count).clamp(1.min(count), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_whole_chunks() {
        let cases = [
            (Place::End, 1000, 401, 1000),
            (Place::End, 1001, 601, 1001),
            (Place::End, 9, 1, 9),
            (Place::From(401), 5000, 401, 1000),
            (Place::From(402), 5000, 401, 1000),
            (Place::From(9999), 1000, 801, 1000),
            (Place::Before(1001), 5000, 401, 1000),
            (Place::Before(1), 5000, 1, 600),
            (Place::Around(1234), 5000, 1001, 1600),
            (Place::Around(5), 5000, 1, 600),
            (Place::Around(5000), 5000, 4401, 5000),
            (Place::Around(7), 9, 1, 9),
        ];
        for (place, last, from, to) in cases {
            assert_eq!(span(place, CHUNKS, last), from..=to, "{place:?} of {last}");
        }
        assert!(span(Place::End, CHUNKS, 0).is_empty());
        assert!(span(Place::From(u32::MAX), CHUNKS, u32::MAX).contains(&u32::MAX));
    }

    #[test]
    fn a_place_is_always_in_its_window() {
        for last in [1, 199, 200, 201, 600, 601, 4999] {
            for line in [1, 2, 200, 201, 599, 4999].into_iter().filter(|line| *line <= last) {
                for place in [Place::From(line), Place::Around(line)] {
                    assert!(span(place, CHUNKS, last).contains(&line), "{place:?} of {last}");
                }
            }
        }
    }

    #[test]
    fn a_hit_that_there_is_not_is_the_nearest() {
        assert_eq!(
            [which_hit(None, 7), which_hit(Some(3), 7), which_hit(Some(99), 7), which_hit(Some(0), 7)],
            [7, 3, 7, 1]
        );
        assert_eq!([which_hit(None, 0), which_hit(Some(4), 0)], [0, 0]);
    }
}
