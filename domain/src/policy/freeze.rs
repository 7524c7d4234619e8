//! Times in which nothing is approved: once, or every week. All of it in UTC, since the console knows no time zones: a window
//! that follows a clock on a wall is written twice a year.

use crate::{
    fault::{Complaint, code},
    reader::quoted,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
/// The first of January 1970 was a Thursday.
const FIRST_DAY: i64 = 3;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A time in which nothing is approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Freeze {
    /// What it is called.
    pub name: String,
    /// When.
    #[serde(flatten)]
    pub window: Window,
}

/// When a freeze holds; its end is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Every week.
    Weekly {
        /// From here.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        from: Moment,
        /// To here; in the week after where that is earlier in the week.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        to: Moment,
    },
    /// Once.
    Once {
        /// From here.
        from: Timestamp,
        /// To here.
        to: Timestamp,
    },
}

/// A moment of the week in UTC, to the minute: `Fri 18:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(u16);

impl Moment {
    fn ms(self) -> i64 {
        i64::from(self.0) * MINUTE_MS
    }
}

impl FromStr for Moment {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let read = || {
            let (day, clock) = text.split_once(' ')?;
            let day = DAYS.iter().position(|name| *name == day)?;
            let (hour, minute) = clock.split_once(':')?;
            let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            let (hour, minute) = (Some(hour).filter(|h| digits(h))?, Some(minute).filter(|m| digits(m))?);
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60).then_some(Self(u16::try_from(day).ok()? * 24 * 60 + hour * 60 + minute))
        };
        read().ok_or_else(|| {
            let message =
                format!("{} is no moment of a week: write a day and a time in UTC, such as Fri 18:00", quoted(text));
            Complaint::new(code::MALFORMED, message)
        })
    }
}

impl TryFrom<String> for Moment {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, minute) = (usize::from(self.0 / (24 * 60)), self.0 % (24 * 60));
        write!(f, "{} {:02}:{:02}", DAYS.get(day).copied().unwrap_or_default(), minute / 60, minute % 60)
    }
}

impl Window {
    /// When it ends, where it holds now.
    pub fn until(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Once { from, to } => (from <= now && now < to).then_some(to),
            Self::Weekly { from, to } => {
                let length = (to.ms() - from.ms()).rem_euclid(WEEK_MS);
                let since = (of_week(now) - from.ms()).rem_euclid(WEEK_MS);
                (since < length).then(|| now.plus_ms(length - since))
            }
        }
    }

    /// When it begins next; now where it holds already, none where it is over for good.
    pub fn begins(self, now: Timestamp) -> Option<Timestamp> {
        if self.until(now).is_some() {
            return Some(now);
        }
        match self {
            Self::Once { from, .. } => (now < from).then_some(from),
            Self::Weekly { from, .. } => Some(now.plus_ms((from.ms() - of_week(now)).rem_euclid(WEEK_MS))),
        }
    }
}

/// Milliseconds since the week began, on Monday.
fn of_week(at: Timestamp) -> i64 {
    (at.as_millis() + FIRST_DAY * DAY_MS).rem_euclid(WEEK_MS)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weekly { from, to } => write!(f, "every week from {from} to {to} UTC"),
            Self::Once { from, to } => write!(f, "from {from} to {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn weekly(from: &str, to: &str) -> Window {
        Window::Weekly { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        for text in ["Mon 00:00", "Fri 18:05", "Sun 23:59"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for bad in ["", "Fri", "18:00", "fri 18:00", "Fri 24:00", "Fri 18:60", "Fri 8:00", "Fri  18:00", "Fri +8:00"] {
            assert_eq!(bad.parse::<Moment>().expect_err(bad).code, "malformed", "{bad}");
        }
    }

    #[test]
    fn a_weekend_holds_over_the_end_of_the_week() {
        let weekend = weekly("Fri 18:00", "Mon 06:00");
        // The 27th of November 2026 is a Friday.
        for (now, until) in [
            ("2026-11-27T17:59:59.999Z", None),
            ("2026-11-27T18:00:00.000Z", Some("2026-11-30T06:00:00.000Z")),
            ("2026-11-29T23:59:59.000Z", Some("2026-11-30T06:00:00.000Z")),
            ("2026-11-30T05:59:59.999Z", Some("2026-11-30T06:00:00.000Z")),
            ("2026-11-30T06:00:00.000Z", None),
        ] {
            assert_eq!(weekend.until(at(now)), until.map(at), "{now}");
        }
        assert_eq!(weekend.begins(at("2026-11-30T06:00:00Z")), Some(at("2026-12-04T18:00:00Z")));
        assert_eq!(weekend.begins(at("2026-11-28T01:00:00Z")), Some(at("2026-11-28T01:00:00Z")));
    }

    #[test]
    fn a_single_one_is_over_for_good() {
        let once = Window::Once { from: at("2026-12-20T00:00:00Z"), to: at("2027-01-03T00:00:00+01:00") };
        assert_eq!(once.until(at("2027-01-02T22:59:59Z")), Some(at("2027-01-02T23:00:00Z")));
        assert_eq!(once.until(at("2027-01-02T23:00:00Z")), None);
        assert_eq!(once.begins(at("2026-12-01T00:00:00Z")), Some(at("2026-12-20T00:00:00Z")));
        assert_eq!(once.begins(at("2027-01-02T23:00:00Z")), None);
    }

    #[test]
    fn the_stored_form_is_the_documents() {
        let freeze = Freeze { name: "weekend".into(), window: weekly("Fri 18:00", "Mon 06:00") };
        let stored = serde_json::json!({"name": "weekend", "weekly": {"from": "Fri 18:00", "to": "Mon 06:00"}});
        assert_eq!(serde_json::to_value(&freeze).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Freeze>(stored).unwrap(), freeze);
    }
}
