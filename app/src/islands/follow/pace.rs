//! How soon a page may be asked for again: at once, as a rule; while changes go on and on, ten times a second; and never so
//! often that the browser does nothing else.

/// Milliseconds between an answer and the next asking, at least.
const SHORT: f64 = 16.0;
/// So many askings at once are granted, and one more each so many milliseconds.
const BURST: f64 = 10.0;
const EACH: f64 = 100.0;
/// Milliseconds after which a server that does not answer is asked again.
const TROUBLE: f64 = 3000.0;

/// When the page may be asked for; by a clock in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    granted: f64,
    counted: f64,
    begun: f64,
    not_before: f64,
}

impl Pace {
    /// Nothing was asked for yet.
    pub const fn new() -> Self {
        Self { granted: BURST, counted: 0.0, begun: 0.0, not_before: 0.0 }
    }

    /// Milliseconds to wait from now on.
    pub fn wait(self, now: f64) -> f64 {
        (self.not_before - now).max(0.0)
    }

    /// It is asked for now.
    pub fn asked(&mut self, now: f64) {
        self.count(now);
        self.granted = (self.granted - 1.0).max(0.0);
        self.begun = now;
    }

    /// The answer is shown: what it took is given back to the reader, at least.
    pub fn shown(&mut self, now: f64) {
        self.count(now);
        let until_granted = (1.0 - self.granted) * EACH;
        self.not_before = now + SHORT.max(now - self.begun).max(until_granted);
    }

    /// There was no answer.
    pub fn failed(&mut self, now: f64) {
        self.not_before = now + TROUBLE;
    }

    fn count(&mut self, now: f64) {
        self.granted = BURST.min(self.granted + (now - self.counted) / EACH);
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks as soon as it may for as long as changes go on; how often it asked.
    fn askings(pace: &mut Pace, from: f64, to: f64, took: f64) -> u32 {
        let (mut now, mut count) = (from, 0);
        while now < to {
            pace.asked(now);
            now += took;
            pace.shown(now);
            now += pace.wait(now);
            count += 1;
        }
        count
    }

    #[test]
    fn a_change_is_shown_at_once_and_so_are_a_few_more() {
        let mut pace = Pace::new();
        assert!(pace.wait(500.0) <= 0.0);
        for change in 0..8 {
            let now = 500.0 + f64::from(change) * 100.0;
            assert!(pace.wait(now) <= 0.0);
            pace.asked(now);
            pace.shown(now + 20.0);
        }
    }

    #[test]
    fn a_storm_of_changes_is_asked_for_ten_times_a_second() {
        let mut pace = Pace::new();
        let asked = askings(&mut pace, 500.0, 10_500.0, 20.0);
        assert!((100..=112).contains(&asked), "{asked}");
        pace.asked(20_000.0);
        pace.shown(20_020.0);
        assert!(pace.wait(20_020.0) <= 20.0, "afterwards it is quick again");
    }

    #[test]
    fn a_server_that_does_not_answer_is_given_time() {
        let mut pace = Pace::new();
        pace.asked(500.0);
        pace.failed(510.0);
        assert!(pace.wait(510.0) >= TROUBLE);
    }

    #[test]
    fn a_slow_page_leaves_the_browser_half_of_the_time() {
        let mut pace = Pace::new();
        pace.asked(500.0);
        pace.shown(2500.0);
        assert!(pace.wait(2500.0) >= 2000.0);
    }
}
