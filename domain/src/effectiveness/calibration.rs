//! Calibration: does a model's word hold? Of all runs that it was 80 % sure about, about eight in ten should have helped. Counted in ten
//! bins of what was said; only runs whose effect could be told count.

use crate::stats::{self, Interval};
use serde::{Deserialize, Serialize};

/// Bins of what was said, a tenth each.
pub const BINS: i64 = 10;

/// What was counted in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinCounts {
    /// Runs whose effect could be told.
    pub runs: i64,
    /// Of them, effective.
    pub helped: i64,
    /// The sum of what the model said, thousandths.
    pub said_milli: i64,
    /// The sum of the squares of what was said less what came of it (1 helped, 0 did not), millionths.
    pub squared_micro: i64,
}

impl BinCounts {
    /// One run about which a model was `said_milli` thousandths sure.
    pub fn one(said_milli: i64, helped: bool) -> Self {
        let helped = i64::from(helped);
        let off = said_milli - helped * 1000;
        Self { runs: 1, helped, said_milli, squared_micro: off * off }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            runs: self.runs + other.runs,
            helped: self.helped + other.helped,
            said_milli: self.said_milli + other.said_milli,
            squared_micro: self.squared_micro + other.squared_micro,
        }
    }

    /// What takes it away again: of a verdict that changed.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self {
            runs: -self.runs,
            helped: -self.helped,
            said_milli: -self.said_milli,
            squared_micro: -self.squared_micro,
        }
    }
}

/// What a model says in thousandths, from a confidence of 0 to 1.
pub fn said_milli(confidence: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a share of one in thousandths")]
    let milli = (confidence.clamp(0.0, 1.0) * 1000.0).round() as i64;
    milli
}

/// The bin of what was said: 0 for less than a tenth, 9 from nine tenths on.
pub fn bin(said_milli: i64) -> i64 {
    (said_milli * BINS / 1000).min(BINS - 1)
}

/// One bin as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalibrationBin {
    /// Said at least so much, 0 to 1.
    pub from: f64,
    /// Said less than so much (the last: at most).
    pub to: f64,
    /// Runs whose effect could be told.
    pub runs: i64,
    /// Of them, effective.
    pub helped: i64,
    /// What was said on average, 0 to 1.
    pub said: f64,
    /// How many of them helped, with the 95 % interval.
    pub measured: Interval,
}

/// How well a model's word holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Calibration {
    /// The model.
    pub model: String,
    /// Runs whose effect could be told.
    pub runs: i64,
    /// The Brier score: the mean square of what was said less what came of it. 0 is perfect, 0.25 is what always saying 50 % gets.
    pub brier: f64,
    /// Bins with runs in them, by what was said.
    pub bins: Vec<CalibrationBin>,
}

/// Of these counts by bin; none without runs.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn calibration(model: &str, counts: &[(i64, BinCounts)]) -> Option<Calibration> {
    let all = counts.iter().fold(BinCounts::default(), |sum, (_, of)| sum.plus(*of));
    if all.runs <= 0 {
        return None;
    }
    let bins = counts.iter().filter_map(|(bin, of)| {
        let measured = stats::wilson(u64::try_from(of.helped).ok()?, u64::try_from(of.runs).ok()?)?;
        Some(CalibrationBin {
            from: *bin as f64 / BINS as f64,
            to: (*bin + 1) as f64 / BINS as f64,
            runs: of.runs,
            helped: of.helped,
            said: of.said_milli as f64 / of.runs as f64 / 1000.0,
            measured,
        })
    });
    let brier = all.squared_micro as f64 / all.runs as f64 / 1e6;
    Some(Calibration { model: model.to_owned(), runs: all.runs, brier, bins: bins.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_tenths_and_certainty_is_in_the_last() {
        assert_eq!([0, 99, 100, 850, 999, 1000].map(bin), [0, 0, 1, 8, 9, 9]);
        assert_eq!([0.0, 0.8504, 1.0, 7.0, -1.0].map(said_milli), [0, 850, 1000, 1000, 0]);
    }

    #[test]
    fn the_brier_score_is_the_mean_square_of_what_was_off() {
        // Said 0.8 twice, helped once; said 0.3 once, did not help: (0.04 + 0.64 + 0.09) / 3.
        let high = BinCounts::one(800, true).plus(BinCounts::one(800, false));
        let found = calibration("m", &[(3, BinCounts::one(300, false)), (8, high)]).unwrap();
        assert!((found.brier - 0.77 / 3.0).abs() < 1e-9, "{}", found.brier);
        assert_eq!((found.runs, found.bins.len(), found.bins[1].runs, found.bins[1].helped), (3, 2, 2, 1));
        assert!((found.bins[1].said - 0.8).abs() < 1e-9 && (found.bins[1].measured.rate - 0.5).abs() < 1e-9);
    }

    #[test]
    fn no_runs_are_no_calibration_and_a_verdict_taken_back_leaves_none() {
        assert_eq!(calibration("m", &[]), None);
        let gone = BinCounts::one(800, true).plus(BinCounts::one(800, true).negated());
        assert_eq!(calibration("m", &[(8, gone)]), None);
        // All failed: the model was sure, and wrong each time.
        let wrong = calibration("m", &[(9, BinCounts::one(1000, false))]).unwrap();
        assert!((wrong.brier - 1.0).abs() < 1e-9);
    }
}
