//! Points in time and durations as the wire and the store carry them. No clock: `now` is always handed in.

use crate::fault::{Complaint, code};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A point in time, UTC, in milliseconds since the Unix epoch. On the wire RFC 3339 with milliseconds (`api.md`, Conventions).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a time; write RFC 3339, such as 2026-11-23T03:00:00.000Z")]
pub struct NotATime(String);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset. Only years that RFC 3339 can write, 0000 to 9999: whatever is read can be written, and
    /// read again.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        const WRITABLE: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;
        let read = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
        read.filter(|ms| WRITABLE.contains(ms)).map(Self).ok_or_else(|| NotATime(text.to_owned()))
    }

    /// The time `ms` milliseconds later (earlier when negative), saturating.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        Self::parse(text)
    }
}

impl From<NotATime> for Complaint {
    fn from(error: NotATime) -> Self {
        Self::new(code::MALFORMED, error.to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{}", t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// A duration in two units, as people read it: `350ms`, `44s`, `1m 30s`, `2h 05m`, `3d 4h`.
pub fn human(ms: i64) -> String {
    let ms = ms.max(0);
    let s = ms / 1000;
    match s {
        0 if ms > 0 => format!("{ms}ms"),
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {:02}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d {}h", s / 86_400, s % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_has_milliseconds_and_z() {
        let t = Timestamp::parse("2026-11-23T04:00:00+01:00").unwrap();
        assert_eq!(t.to_string(), "2026-11-23T03:00:00.000Z");
        assert_eq!(serde_json::to_string(&t).unwrap(), "\"2026-11-23T03:00:00.000Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>("\"2026-11-23T03:00:00.000Z\"").unwrap(), t);
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again() {
        for text in ["0000-01-01T00:00:00Z", "9999-12-30T00:00:00Z", "1969-12-31T23:59:59.999Z"] {
            let t = Timestamp::parse(text).unwrap();
            assert_eq!(Timestamp::parse(&t.to_string()), Ok(t), "{text}");
        }
        for text in ["-000001-01-01T00:00:00Z", "-009999-01-02T00:00:00Z", "0000-01-01T00:00:00+00:01"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_two_units() {
        let cases = [
            (350, "350ms"),
            (44_000, "44s"),
            (90_000, "1m 30s"),
            (7_500_000, "2h 05m"),
            (273_600_000, "3d 4h"),
            (0, "0s"),
        ];
        for (ms, text) in cases {
            assert_eq!(human(ms), text);
        }
    }
}
