//! What becomes of an attempt that failed: when the agent is asked again, and when no more. Pure: the share of chance is handed in.

/// The pause after the first attempt, at most, milliseconds.
const FIRST_MS: i64 = 60_000;
/// The longest pause, whoever asks for it, milliseconds.
const LONGEST_MS: i64 = 60 * 60 * 1000;

/// Why nothing came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened and what to do, in words for people.
    pub reason: String,
    /// Whether another attempt may help.
    pub again: Again,
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Somebody has to change something first.
    Never,
    /// It may.
    Later {
        /// How long the agent asks to be left alone, milliseconds.
        asks_ms: Option<i64>,
    },
}

impl Failure {
    /// One that another attempt may mend.
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Later { asks_ms: None } }
    }

    /// One that it can't.
    pub fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: Again::Never }
    }
}

/// After how long it is tried again after attempt number `attempts` (counted from 1) of at most `most`, milliseconds; none when it is not.
/// `share` of 65,535 is chance, so that what failed together is not tried again together.
pub fn again_in(failure: &Failure, attempts: u32, most: u32, share: u16) -> Option<i64> {
    let Again::Later { asks_ms } = failure.again else { return None };
    if attempts >= most {
        return None;
    }
    let step = FIRST_MS.saturating_mul(1 << attempts.saturating_sub(1).saturating_mul(2).min(16)).min(LONGEST_MS);
    let half = step / 2;
    let chosen = half + half * i64::from(share) / i64::from(u16::MAX);
    Some(chosen.max(asks_ms.unwrap_or(0)).min(LONGEST_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_within_bounds_and_attempts_end() {
        let away = Failure::for_now("it did not answer");
        assert_eq!((again_in(&away, 1, 3, 0), again_in(&away, 1, 3, u16::MAX)), (Some(30_000), Some(60_000)));
        assert_eq!((again_in(&away, 2, 3, 0), again_in(&away, 2, 3, u16::MAX)), (Some(120_000), Some(240_000)));
        assert_eq!(again_in(&away, 3, 3, 0), None);
        for attempts in [5, 9, 40, u32::MAX - 1] {
            assert_eq!(again_in(&away, attempts, u32::MAX, u16::MAX), Some(LONGEST_MS), "{attempts}");
        }
    }

    #[test]
    fn what_the_agent_asks_is_granted_within_bounds_and_what_cannot_help_is_not_tried() {
        let busy = |asks_ms| Failure { reason: "429".into(), again: Again::Later { asks_ms: Some(asks_ms) } };
        assert_eq!(again_in(&busy(90_000), 1, 3, 0), Some(90_000));
        assert_eq!(again_in(&busy(1), 1, 3, 0), Some(30_000));
        assert_eq!(again_in(&busy(i64::MAX), 1, 3, 0), Some(LONGEST_MS));
        assert_eq!(again_in(&Failure::for_good("401"), 1, 3, 0), None);
    }
}
