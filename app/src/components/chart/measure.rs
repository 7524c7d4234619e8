//! What a chart shows of a group: how often it helped, or how often it went through. The two are never mixed.

use crate::words::percent;
use domain::{effectiveness::EffectivenessRow, stats::Interval};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The trouble was over afterwards, of those whose effect could be told.
    Helped,
    /// The run ended well, of all that ended.
    WentThrough,
}

impl Measure {
    pub const ALL: [Self; 2] = [Self::Helped, Self::WentThrough];

    /// In the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::WentThrough => "went_through",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// On the page, within a sentence.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Helped => "helped",
            Self::WentThrough => "went through",
        }
    }

    /// Whatever there are numbers for: nobody may have looked yet whether anything helped.
    pub fn of_choice(total: Option<&EffectivenessRow>) -> Self {
        if total.is_some_and(|row| row.assessed() > 0) { Self::Helped } else { Self::WentThrough }
    }

    /// The share with its interval; none without data.
    pub fn share(self, row: &EffectivenessRow) -> Option<Interval> {
        match self {
            Self::Helped => row.help(),
            Self::WentThrough => row.success(),
        }
    }

    /// Of how many.
    pub const fn of(self, row: &EffectivenessRow) -> i64 {
        match self {
            Self::Helped => row.assessed(),
            Self::WentThrough => row.runs,
        }
    }

    /// `91 % (79–97 %) of 43`; none without data.
    pub fn in_numbers(self, row: &EffectivenessRow) -> Option<String> {
        let share = self.share(row)?;
        Some(format!("{} ({:.0}–{}) of {}", percent(share.rate), share.low * 100.0, percent(share.high), self.of(row)))
    }
}
