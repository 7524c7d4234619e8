//! Durations as Go writes them, which is how Kubernetes and Tekton do: `10m0s`, `1h30m0s`. Whole seconds only.

/// The canonical form of milliseconds, rounded up to a second: what an API server answers, so that it can be compared.
pub fn canonical(ms: u64) -> String {
    let s = ms.div_ceil(1000);
    match (s / 3600, s % 3600 / 60, s % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, s) => format!("{h}h{m}m{s}s"),
    }
}

/// The seconds of `[0-9]+h` then `[0-9]+m` then `[0-9]+s`, each at most once and at least one.
pub fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    for (unit, factor) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((amount, after)) = rest.split_once(unit) {
            if !(1..=9).contains(&amount.len()) || !amount.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            total += amount.parse::<u64>().ok()? * factor;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for (ms, text) in
            [(0, "0s"), (1, "1s"), (90_000, "1m30s"), (600_000, "10m0s"), (3_600_000, "1h0m0s"), (5_400_001, "1h30m1s")]
        {
            assert_eq!(canonical(ms), text);
            assert_eq!(seconds(text), Some(ms.div_ceil(1000)));
        }
        assert_eq!(seconds("60m"), Some(3600));
        for bad in ["", "10", "m", "10m1h", "1h1h", "1.5h", "-1m", "99999999999h"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
