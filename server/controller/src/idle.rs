//! Whether whoever holds the Lease takes up what is approved. Pure. Anybody who may write the Lease can keep it by touching it; a console
//! that acts takes a run up, or says why not, within seconds.

use domain::{ids::ExecutionId, time::Timestamp};
use std::collections::BTreeSet;

/// Runs of which none was taken up for so long wait for nobody (ms).
const PATIENCE_MS: i64 = 120_000;
/// How often is looked (ms).
const EVERY_MS: i64 = 30_000;

/// What is known of a holder.
#[derive(Default)]
pub struct Idle {
    holder: String,
    looked_at: Option<Timestamp>,
    /// What waits, and since when nothing of it was taken up.
    waiting: Option<(Timestamp, BTreeSet<ExecutionId>)>,
}

impl Idle {
    /// Whether to look again. Of another holder nothing is known.
    pub fn is_due(&mut self, holder: &str, now: Timestamp) -> bool {
        if self.holder != holder {
            *self = Self { holder: holder.to_owned(), ..Self::default() };
        }
        self.looked_at.is_none_or(|at| now.since(at) >= EVERY_MS)
    }

    /// What waits now, and nobody said why.
    pub fn look(&mut self, waiting: BTreeSet<ExecutionId>, now: Timestamp) {
        let since = match self.waiting.take() {
            Some((since, before)) if before.is_subset(&waiting) => since,
            _ => now,
        };
        self.looked_at = Some(now);
        self.waiting = (!waiting.is_empty()).then_some((since, waiting));
    }

    /// Whether it has been long enough at the last look to say so.
    pub fn is_told(&self) -> bool {
        let looks = self.looked_at.zip(self.waiting.as_ref());
        looks.is_some_and(|(looked, (since, _))| looked.since(*since) >= PATIENCE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<ExecutionId> {
        ids.iter().map(|id| ExecutionId::new(*id)).collect()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// Looks of which each found so much waiting; whether it is told after the last.
    fn told(looks: &[(i64, &[&str])]) -> bool {
        let mut idle = Idle::default();
        for (seconds, waiting) in looks {
            assert!(idle.is_due("a", at(*seconds)));
            idle.look(ids(waiting), at(*seconds));
        }
        idle.is_told()
    }

    #[test]
    fn a_holder_that_takes_nothing_up_for_two_minutes_is_told() {
        assert!(told(&[(0, &["x"]), (60, &["x", "y"]), (120, &["x", "y"])]));
        assert!(!told(&[(0, &["x"]), (60, &["x"]), (119, &["x"])]), "it may only be behind");
        assert!(!told(&[(0, &[]), (120, &["x"])]), "nothing waited");
        assert!(!told(&[(0, &["x", "y"]), (60, &["y"]), (150, &["y"])]), "it took one up");
    }

    #[test]
    fn of_another_holder_nothing_is_known_and_looks_have_pauses() {
        let mut idle = Idle::default();
        for seconds in [0, 120] {
            assert!(idle.is_due("a", at(seconds)));
            idle.look(ids(&["x"]), at(seconds));
        }
        assert!(!idle.is_due("a", at(149)) && idle.is_told());
        assert!(idle.is_due("b", at(149)) && !idle.is_told());
    }
}
