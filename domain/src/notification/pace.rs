//! How often a notification is tried, and when again. Pure: the share of chance is handed in.

/// The pause after the first try, at most, milliseconds.
const FIRST_MS: i64 = 2_000;
/// The longest pause that the console chooses by itself, milliseconds.
pub const LONGEST_MS: i64 = 60 * 60 * 1000;
/// The longest pause that a receiver is granted, milliseconds.
pub const LONGEST_ASKED_MS: i64 = 24 * 60 * 60 * 1000;

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it (any status of 200 to 299).
    Taken,
    /// It did not.
    Failed {
        /// What happened; without the address, which may hold a secret.
        reason: String,
        /// How long the receiver asks to be left alone (`Retry-After`), milliseconds.
        asks_ms: Option<i64>,
    },
    /// It says that it never will again (410 Gone).
    Gone,
}

/// What becomes of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was delivered.
    Delivered,
    /// It is tried again.
    Again {
        /// After how long, milliseconds.
        in_ms: i64,
        /// Why not now.
        reason: String,
    },
    /// It is not tried again by itself: somebody has to look.
    Dead {
        /// Why.
        reason: String,
    },
}

/// What becomes of it after try number `tries` (counted from 1) of at most `most`; `share` of 65,536 is chance.
pub fn settle(outcome: Outcome, tries: u32, most: u32, share: u16) -> Settled {
    match outcome {
        Outcome::Taken => Settled::Delivered,
        Outcome::Gone => Settled::Dead { reason: "it answered 410: nobody takes notifications there any more".into() },
        Outcome::Failed { reason, .. } if tries >= most => Settled::Dead { reason },
        Outcome::Failed { reason, asks_ms } => Settled::Again { in_ms: pause_ms(tries, share, asks_ms), reason },
    }
}

/// The pause after a try: between half and the whole of a step that doubles, and never shorter than the receiver asks.
fn pause_ms(tries: u32, share: u16, asks_ms: Option<i64>) -> i64 {
    let step = FIRST_MS.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_MS);
    let half = step / 2;
    let chosen = half + half * i64::from(share) / i64::from(u16::MAX);
    chosen.max(asks_ms.unwrap_or(0).min(LONGEST_ASKED_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(asks_ms: Option<i64>) -> Outcome {
        Outcome::Failed { reason: "it answered 500".into(), asks_ms }
    }

    #[test]
    fn pauses_double_within_bounds_and_spread() {
        assert_eq!((pause_ms(1, 0, None), pause_ms(1, u16::MAX, None)), (1_000, 2_000));
        assert_eq!((pause_ms(2, 0, None), pause_ms(2, u16::MAX, None)), (2_000, 4_000));
        for tries in [12, 13, 40, u32::MAX] {
            assert_eq!(pause_ms(tries, u16::MAX, None), LONGEST_MS, "{tries}");
            assert_eq!(pause_ms(tries, 0, None), LONGEST_MS / 2, "{tries}");
        }
        let middle = pause_ms(5, u16::MAX / 2, None);
        assert!(16_000 < middle && middle < 32_000, "{middle}");
    }

    #[test]
    fn the_receivers_wish_is_the_least_within_a_day() {
        assert_eq!(pause_ms(1, 0, Some(30_000)), 30_000);
        assert_eq!(pause_ms(8, u16::MAX, Some(1_000)), 256_000);
        assert_eq!(pause_ms(1, 0, Some(i64::MAX)), LONGEST_ASKED_MS);
        assert_eq!(pause_ms(1, 0, Some(-5)), 1_000);
    }

    #[test]
    fn tries_end_in_the_dead_letters_and_a_yes_ends_them() {
        let dead = Settled::Dead { reason: "it answered 500".into() };
        assert_eq!(settle(failed(None), 3, 3, 0), dead);
        assert_eq!(settle(failed(None), 4, 3, 0), dead, "one that a console that ended had begun");
        assert_eq!(settle(failed(None), 2, 3, 0), Settled::Again { in_ms: 2_000, reason: "it answered 500".into() });
        assert_eq!(settle(Outcome::Taken, 9, 3, 0), Settled::Delivered);
        assert!(matches!(settle(Outcome::Gone, 1, 3, 0), Settled::Dead { .. }), "it is not asked again");
    }
}
