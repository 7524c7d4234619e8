//! Whether a signal came back after it had cleared: within an hour, a day, a week. Each span counts once it is over, so that what is
//! measured is the share of those that were watched for all of it.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The spans, milliseconds, shortest first.
pub const SPANS_MS: [i64; 3] = [60 * 60 * 1000, 24 * 60 * 60 * 1000, 7 * 24 * 60 * 60 * 1000];

/// How often a signal came back within a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Of how many the whole span was watched.
    pub watched: i64,
    /// After how many of them it came back.
    pub came_back: i64,
}

impl Returned {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { watched: self.watched + other.watched, came_back: self.came_back + other.came_back }
    }

    /// The share after which it came back; none where nothing was watched.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub fn rate(self) -> Option<f64> {
        (self.watched > 0).then(|| self.came_back as f64 / self.watched as f64)
    }
}

/// The spans that are over by `now` and of which the first `counted` are counted already: of each whether it came back within it. A clock
/// that was set back ends nothing.
pub fn over(cleared_at: Timestamp, recurred_at: Option<Timestamp>, counted: usize, now: Timestamp) -> Vec<bool> {
    let spans = SPANS_MS.iter().skip(counted).take_while(|span| now.since(cleared_at) >= **span);
    spans.map(|span| recurred_at.is_some_and(|at| at.since(cleared_at) < *span)).collect()
}

/// When the next span is over; none after the last.
pub fn next(cleared_at: Timestamp, counted: usize) -> Option<Timestamp> {
    SPANS_MS.get(counted).map(|span| cleared_at.plus_ms(*span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = SPANS_MS[0];

    #[test]
    fn a_span_counts_once_it_is_over_and_only_once() {
        let (cleared, later) = (Timestamp::from_millis(5), |ms: i64| Timestamp::from_millis(5 + ms));
        assert_eq!(over(cleared, None, 0, later(HOUR - 1)), [false; 0]);
        assert_eq!(over(cleared, None, 0, later(HOUR)), [false]);
        assert_eq!(over(cleared, None, 1, later(HOUR)), [false; 0]);
        // Nobody looked for a month: all three at once.
        assert_eq!(over(cleared, Some(later(2 * HOUR)), 0, later(30 * 24 * HOUR)), [false, true, true]);
        assert_eq!(over(cleared, Some(later(0)), 0, later(HOUR)), [true]);
        assert_eq!(over(cleared, None, 0, Timestamp::from_millis(-9)), [false; 0]);
        assert_eq!((next(cleared, 0), next(cleared, 3)), (Some(later(HOUR)), None));
    }

    #[test]
    fn nothing_watched_is_no_rate() {
        assert_eq!(Returned::default().rate(), None);
        assert_eq!(Returned { watched: 4, came_back: 1 }.rate(), Some(0.25));
    }
}
