//! Time as the sandbox knows it: a clock that was handed in, and a pace at which its world moves.
//! It knows nothing of what happens in that time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Where the sandbox reads the time: unix milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The clock and the pace. Durations inside the sandbox are written in *world* milliseconds; `pace` says how many real
/// ones each lasts (1.0 = as in a real cluster, 0.01 = a hundred times faster).
#[derive(Clone)]
pub struct Time {
    clock: Clock,
    pace: f64,
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Time").field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl Time {
    pub(crate) fn new(clock: Clock, pace: f64) -> Self {
        let pace = if pace.is_finite() { pace.clamp(0.0001, 100.0) } else { 1.0 };
        Self { clock, pace }
    }

    /// Unix milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// `metav1.Time`: whole seconds, `2026-11-23T04:20:00Z`.
    pub(crate) fn now(&self) -> String {
        seconds(self.now_ms())
    }

    /// World milliseconds as the real duration they last.
    pub(crate) fn scaled(&self, world_ms: u64) -> Duration {
        // A thousand years are for ever, and no arithmetic overflows on them.
        #[expect(clippy::cast_precision_loss, reason = "2^45 milliseconds are exact")]
        let ms = world_ms.min(1 << 45) as f64;
        Duration::from_secs_f64(ms * self.pace / 1000.0)
    }

    pub(crate) async fn sleep(&self, world_ms: u64) {
        tokio::time::sleep(self.scaled(world_ms)).await;
    }
}

fn format(ms: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).strftime(pattern).to_string()
}

/// Unix milliseconds as `metav1.Time`.
pub(crate) fn seconds(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%SZ")
}

/// Unix milliseconds as the kubelet writes them before a log line.
pub(crate) fn nanos(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%S.%9fZ")
}

/// An RFC 3339 time as unix milliseconds.
pub(crate) fn parse(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// A Go duration (`1h30m`, `90s`, `1.5h`, `250ms`) in milliseconds.
pub(crate) fn parse_duration(text: &str) -> Option<u64> {
    let text = text.trim();
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match rest.get(..unit)? {
                "ms" => 1.0,
                "s" => 1000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                _ => return None,
            };
        rest = rest.get(unit..)?;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of non-negative durations")]
    let ms = total as u64;
    Some(ms)
}

/// Milliseconds as Go prints a duration: `1h0m0s`, `10m0s`, `8s`.
pub(crate) fn print_duration(ms: u64) -> String {
    let (hours, minutes, seconds, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    let seconds = if rest == 0 {
        format!("{seconds}s")
    } else if ms < 1000 {
        return format!("{ms}ms");
    } else {
        format!("{seconds}.{}s", format!("{rest:03}").trim_end_matches('0'))
    };
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, ms, printed) in [
            ("10m", 600_000, "10m0s"),
            ("1h", 3_600_000, "1h0m0s"),
            ("1h30m", 5_400_000, "1h30m0s"),
            ("8s", 8_000, "8s"),
            ("1.5s", 1_500, "1.5s"),
            ("250ms", 250, "250ms"),
            ("0", 0, "0s"),
        ] {
            assert_eq!(parse_duration(text), Some(ms), "{text}");
            assert_eq!(print_duration(ms), printed, "{text}");
        }
        assert_eq!(parse_duration("ten minutes"), None);
        assert_eq!(parse_duration("5"), None);
        assert_eq!(parse_duration(""), None);
    }

    #[test]
    fn times_have_the_precision_of_their_type() {
        assert_eq!(seconds(1_760_868_000_123), "2025-10-19T10:00:00Z");
        assert_eq!(nanos(1_760_868_000_123), "2025-10-19T10:00:00.123000000Z");
        assert_eq!(parse("2025-10-19T10:00:00.123Z"), Some(1_760_868_000_123));
    }
}
