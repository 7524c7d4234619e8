//! How long to wait before the next try: doubling, with a jitter that is derived from the name, so that many runs that failed
//! together do not come back together. Pure: no clock, no randomness.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after try number `tries` (counted from 1) of `name`: between half and the whole of a doubling step, and never
/// shorter than the server asked.
pub fn pause(name: &str, tries: u32, server_asks: Option<Duration>) -> Duration {
    let step = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (name, tries).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1024).unwrap_or(0);
    let jittered = step / 2 + step / 2 * share / 1024;
    server_asks.map_or(jittered, |asked| asked + jittered / 4).max(jittered.min(FIRST / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_within_bounds_and_names_spread() {
        let mut pauses = std::collections::BTreeSet::new();
        for tries in 1..40 {
            for name in ["a", "b", "c", "d"] {
                let pause = pause(name, tries, None);
                assert!(pause >= FIRST / 2 && pause <= LONGEST, "{tries} {pause:?}");
                pauses.insert(pause);
            }
        }
        assert!(pauses.len() > 100, "names must not come back together");
        assert!(pause("a", 8, None) > pause("a", 1, None) * 10);
    }

    #[test]
    fn the_servers_wish_is_the_least() {
        assert!(pause("a", 1, Some(Duration::from_mins(1))) >= Duration::from_mins(1));
        assert!(pause("a", 30, Some(Duration::from_secs(1))) >= Duration::from_secs(1));
    }
}
