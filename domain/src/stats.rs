//! The statistics the console shows: how sure a success rate is, and how long things take.
//!
//! Pure arithmetic: where there is no data there is no number. It does not know what is counted.

use serde::{Deserialize, Serialize};

/// The standard normal quantile of 97.5 %: intervals are at 95 %.
const Z: f64 = 1.959_964;

/// A measured rate and the interval that holds the true one with 95 % confidence; all from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interval {
    /// Successes by trials.
    pub rate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// The Wilson score interval of `successes` in `n` trials. `None` without trials, and for more successes than trials.
///
/// Unlike the normal approximation it stays within 0 and 1 and is honest for few trials (Wilson 1927; Brown, Cai and
/// DasGupta 2001).
pub fn wilson(successes: u64, n: u64) -> Option<Interval> {
    if n == 0 || successes > n {
        return None;
    }
    let (rate, n) = (real(successes) / real(n), real(n));
    let z2 = Z * Z;
    let center = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    // Rounding alone could push a bound past the rate at 0 and 1, where they are equal.
    Some(Interval { rate, low: (center - half).clamp(0.0, rate), high: (center + half).clamp(rate, 1.0) })
}

/// The difference of two rates and the interval that holds the true one with 95 % confidence; all from -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RateDifference {
    /// The second rate less the first.
    pub difference: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// How much higher the second of two rates is, each successes in trials, with Newcombe's hybrid score interval (Newcombe 1998, method
/// 10): made of the Wilson bounds of both, so it holds for few trials too. `None` where one of them has no trials.
pub fn difference(first: (u64, u64), second: (u64, u64)) -> Option<RateDifference> {
    let (first, second) = (wilson(first.0, first.1)?, wilson(second.0, second.1)?);
    let difference = second.rate - first.rate;
    let down = (second.rate - second.low).hypot(first.high - first.rate);
    let up = (second.high - second.rate).hypot(first.rate - first.low);
    Some(RateDifference { difference, low: (difference - down).max(-1.0), high: (difference + up).min(1.0) })
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

/// The nearest-rank quantile: the smallest value that at least `q` (0 to 1) of all values do not exceed, so always one
/// that was measured. `sorted` is ascending. `None` without values, or for a `q` outside 0 to 1.
pub fn quantile(sorted: &[i64], q: f64) -> Option<i64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 0 and the length"
    )]
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// The median and the 90th percentile, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    /// Half of the values are at most this.
    pub p50: i64,
    /// Nine in ten values are at most this.
    pub p90: i64,
}

impl Percentiles {
    /// From values in any order; `None` without values.
    pub fn of(values: &[i64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        Some(Self { p50: quantile(&sorted, 0.5)?, p90: quantile(&sorted, 0.9)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(successes: u64, n: u64) -> (f64, f64) {
        let interval = wilson(successes, n).unwrap();
        ((interval.low * 1e4).round() / 1e4, (interval.high * 1e4).round() / 1e4)
    }

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe 1998, table I, method 3.
        assert_eq!(rounded(81, 263), (0.2553, 0.3662));
        assert_eq!(rounded(15, 148), (0.0624, 0.1605));
        assert_eq!(rounded(0, 20), (0.0, 0.1611));
        assert_eq!(rounded(1, 29), (0.0061, 0.1718));
    }

    #[test]
    fn differences_match_published_values() {
        // Newcombe 1998, Statistics in Medicine 17:873–890, table II, method 10: 56/70 − 48/80, 9/10 − 3/10, 10/10 − 0/20.
        let rounded = |second, first| {
            let d = difference(first, second).unwrap();
            [d.difference, d.low, d.high].map(|x| format!("{x:.4}"))
        };
        assert_eq!(rounded((56, 70), (48, 80)), ["0.2000", "0.0524", "0.3339"]);
        assert_eq!(rounded((9, 10), (3, 10)), ["0.6000", "0.1705", "0.8090"]);
        assert_eq!(rounded((10, 10), (0, 20)), ["1.0000", "0.6791", "1.0000"]);
        assert_eq!(difference((0, 0), (1, 2)), None);
    }

    #[test]
    fn no_data_is_no_number() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(3, 2), None);
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(Percentiles::of(&[]), None);
    }

    #[test]
    fn quantiles_are_measured_values() {
        let sorted = [15, 20, 35, 40, 50];
        for (q, value) in [(0.0, 15), (0.05, 15), (0.3, 20), (0.4, 20), (0.5, 35), (1.0, 50)] {
            assert_eq!(quantile(&sorted, q), Some(value), "{q}");
        }
        assert_eq!(quantile(&sorted, 1.1), None);
        assert_eq!(quantile(&sorted, f64::NAN), None);
        assert_eq!(Percentiles::of(&[3, 1, 2, 10, 4, 5, 6, 7, 8, 9]), Some(Percentiles { p50: 5, p90: 9 }));
    }
}
