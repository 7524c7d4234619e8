//! Effectiveness: counts of what was run and what came of it, and the rates made from them. No data is none, never zero.

pub mod calibration;
pub mod versions;

use crate::{
    assessment::recurrence::Returned,
    stats::{self, Interval},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By what the executions are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// By playbook (a step list counts under its action type).
    Playbook,
    /// By playbook and version.
    Version,
    /// By kind of signal.
    SignalType,
    /// By kind of action.
    ActionType,
    /// By model.
    Model,
    /// By model and the version of its prompt.
    PromptVersion,
}

impl GroupBy {
    /// Every grouping.
    pub const ALL: [Self; 6] =
        [Self::Playbook, Self::Version, Self::SignalType, Self::ActionType, Self::Model, Self::PromptVersion];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Playbook => "playbook",
            Self::Version => "version",
            Self::SignalType => "signal_type",
            Self::ActionType => "action_type",
            Self::Model => "model",
            Self::PromptVersion => "prompt_version",
        }
    }

    /// The grouping of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// What the rollups hold for one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Executions that ended.
    pub runs: i64,
    /// Of them, ended well.
    pub succeeded: i64,
    /// Assessed as effective.
    pub effective: i64,
    /// Assessed as ineffective.
    pub ineffective: i64,
    /// Assessed, but it can't be told.
    pub inconclusive: i64,
    /// Not assessed.
    pub not_assessed: i64,
    /// How often the signal came back within an hour, a day, a week.
    pub returned: [Returned; 3],
    /// Of how many a model had said how sure it was.
    pub said: i64,
    /// The sum of what they said, in thousandths.
    pub said_milli: i64,
    /// Milliseconds by phase (`investigate`, `decide`, `run`, `clear`): sorted samples or bucket midpoints.
    pub phases_ms: BTreeMap<String, Vec<i64>>,
}

/// Percentiles of a phase, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    /// Half took at most this.
    pub p50: i64,
    /// Nine of ten took at most this.
    pub p90: i64,
}

/// How often the signal came back after it had cleared, within a span that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnRate {
    /// Of how many the whole span was watched.
    pub watched: i64,
    /// After how many of them it came back.
    pub came_back: i64,
    /// came_back / watched; none where nothing was watched.
    pub rate: Option<f64>,
}

/// How often the signal came back, by span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recurrence {
    /// Within an hour.
    pub hour: ReturnRate,
    /// Within a day.
    pub day: ReturnRate,
    /// Within a week.
    pub week: ReturnRate,
}

impl From<[Returned; 3]> for Recurrence {
    fn from(spans: [Returned; 3]) -> Self {
        let [hour, day, week] =
            spans.map(|of| ReturnRate { watched: of.watched, came_back: of.came_back, rate: of.rate() });
        Self { hour, day, week }
    }
}

/// One group as it is shown (`api.md`, `GET /api/v1/effectiveness`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EffectivenessRow {
    /// The playbook, version, signal, action or model.
    pub group: String,
    /// Executions that ended.
    pub runs: i64,
    /// Of them, ended well.
    pub succeeded: i64,
    /// Assessed as effective.
    pub effective: i64,
    /// Assessed as ineffective.
    pub ineffective: i64,
    /// Assessed, but it can't be told.
    pub inconclusive: i64,
    /// Not assessed.
    pub not_assessed: i64,
    /// succeeded / runs; none without runs.
    pub success_rate: Option<f64>,
    /// Lower end of the Wilson interval, 95 %.
    pub low: Option<f64>,
    /// Upper end of the Wilson interval, 95 %.
    pub high: Option<f64>,
    /// effective / (effective + ineffective); none where nothing was assessed.
    pub effective_rate: Option<f64>,
    /// Share of executions after which the signal cleared and came back within a day, of those that a day has passed since.
    pub recurrence_rate: Option<f64>,
    /// The same within an hour and within a week, too, with how many were watched for so long.
    pub recurrence: Recurrence,
    /// How sure the models said they were, 0–1, on average; none where no model said anything.
    pub said: Option<f64>,
    /// Time to recovery by phase.
    pub recovery_ms: BTreeMap<String, Percentiles>,
}

impl EffectivenessRow {
    /// The row of these counts.
    pub fn new(group: impl Into<String>, counts: &Counts) -> Self {
        let success = rate(counts.succeeded, counts.runs);
        let assessed = counts.effective + counts.ineffective;
        let recovery_ms = counts.phases_ms.iter().filter_map(|(phase, sorted)| {
            let (p50, p90) = (stats::quantile(sorted, 0.5)?, stats::quantile(sorted, 0.9)?);
            Some((phase.clone(), Percentiles { p50, p90 }))
        });
        Self {
            group: group.into(),
            runs: counts.runs,
            succeeded: counts.succeeded,
            effective: counts.effective,
            ineffective: counts.ineffective,
            inconclusive: counts.inconclusive,
            not_assessed: counts.not_assessed,
            success_rate: success.map(|i| i.rate),
            low: success.map(|i| i.low),
            high: success.map(|i| i.high),
            effective_rate: rate(counts.effective, assessed).map(|i| i.rate),
            recurrence_rate: counts.returned[1].rate(),
            recurrence: Recurrence::from(counts.returned),
            said: said(counts),
            recovery_ms: recovery_ms.collect(),
        }
    }
}

impl EffectivenessRow {
    /// Executions whose effect could be told.
    pub const fn assessed(&self) -> i64 {
        self.effective + self.ineffective
    }

    /// How often a run went through; none without runs.
    pub fn success(&self) -> Option<Interval> {
        rate(self.succeeded, self.runs)
    }

    /// How often it helped, of those whose effect could be told; none where that is none. A run that went through has not
    /// helped for that.
    pub fn help(&self) -> Option<Interval> {
        rate(self.effective, self.assessed())
    }
}

impl Counts {
    /// Both together. Samples of phases are left out: what they come to can't be added up from parts that were sorted apart.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            runs: self.runs + other.runs,
            succeeded: self.succeeded + other.succeeded,
            effective: self.effective + other.effective,
            ineffective: self.ineffective + other.ineffective,
            inconclusive: self.inconclusive + other.inconclusive,
            not_assessed: self.not_assessed + other.not_assessed,
            returned: [0, 1, 2].map(|span: usize| self.returned[span].plus(other.returned[span])),
            said: self.said + other.said,
            said_milli: self.said_milli + other.said_milli,
            phases_ms: BTreeMap::new(),
        }
    }
}

/// Milliseconds of a day; rollups go by UTC days.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Days of a week of the trend.
const WEEK: i64 = 7;

/// What was counted in seven days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// Its first day, midnight UTC.
    pub from: Timestamp,
    /// What was counted; `runs` is 0 where nothing ended.
    pub row: EffectivenessRow,
}

/// The last `count` weeks up to today, oldest first: seven days each, today the last of the last one. A week in which nothing
/// ended is there, with no rates. `days` are counts by day since 1970.
pub fn weeks(days: &[(i64, Counts)], now: Timestamp, count: u32) -> Vec<Week> {
    let today = now.as_millis().div_euclid(DAY_MS);
    let each = (0..i64::from(count)).rev().map(|back| {
        let last = today - back * WEEK;
        let first = last - WEEK + 1;
        let within = days.iter().filter(|(day, _)| (first..=last).contains(day));
        let sum = within.fold(Counts::default(), |sum, (_, counts)| sum.plus(counts));
        Week { from: Timestamp::from_millis(first * DAY_MS), row: EffectivenessRow::new("week", &sum) }
    });
    each.collect()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn said(counts: &Counts) -> Option<f64> {
    (counts.said > 0).then(|| counts.said_milli as f64 / counts.said as f64 / 1000.0)
}

fn rate(part: i64, whole: i64) -> Option<Interval> {
    stats::wilson(u64::try_from(part).ok()?, u64::try_from(whole).ok()?)
}

/// Which executions count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectivenessFilter {
    /// Only this playbook.
    pub workflow_id: Option<String>,
    /// Only this kind of signal.
    pub signal_type: Option<String>,
    /// Only this kind of action.
    pub action_type: Option<String>,
    /// Only what this model recommended.
    pub model: Option<String>,
    /// Only the last so many days.
    pub days: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(runs: i64, succeeded: i64, effective: i64, ineffective: i64) -> Counts {
        Counts { runs, succeeded, effective, ineffective, ..Counts::default() }
    }

    #[test]
    fn success_is_not_help() {
        let row = EffectivenessRow::new("x", &counts(10, 9, 2, 2));
        assert_eq!((row.success().unwrap().rate, row.help().unwrap().rate, row.assessed()), (0.9, 0.5, 4));
        let nobody_looked = EffectivenessRow::new("x", &counts(10, 9, 0, 0));
        assert_eq!(nobody_looked.help(), None, "no data is none");
    }

    #[test]
    fn one_run_has_wide_brackets_and_where_all_failed_it_is_nothing_of_so_many() {
        let none = EffectivenessRow::new("x", &Counts::default());
        assert_eq!((none.success(), none.help(), none.said, none.recurrence_rate), (None, None, None, None), "no runs");
        let one = EffectivenessRow::new("x", &counts(1, 1, 1, 0)).help().unwrap();
        assert!(one.low < 0.21 && (one.high - 1.0).abs() < 1e-9, "{one:?}");
        let failed = EffectivenessRow::new("x", &counts(5, 0, 0, 5));
        assert_eq!((failed.success().unwrap().rate, failed.help().unwrap().rate), (0.0, 0.0));
        assert!(failed.success().unwrap().high > 0.4, "five runs do not show that it never works");
    }

    #[test]
    fn weeks_end_today_and_an_empty_one_has_no_rate() {
        let now = Timestamp::from_millis(100 * DAY_MS + 5);
        let days =
            [(100, counts(2, 1, 0, 0)), (94, counts(1, 1, 0, 0)), (93, counts(4, 4, 0, 0)), (79, counts(9, 9, 0, 0))];
        let found = weeks(&days, now, 3);
        assert_eq!(found.iter().map(|week| week.row.runs).collect::<Vec<_>>(), [0, 4, 3]);
        assert_eq!(found[2].from, Timestamp::from_millis(94 * DAY_MS));
        assert_eq!((found[0].row.success(), found[1].row.success().map(|i| i.rate)), (None, Some(1.0)));
    }

    #[test]
    fn sums_keep_that_nobody_looked_for_recurrence() {
        let back = Returned { watched: 2, came_back: 1 };
        let known = Counts { returned: [back, back, Returned::default()], ..counts(1, 1, 1, 0) };
        let none = EffectivenessRow::new("x", &counts(1, 1, 0, 0).plus(&counts(1, 0, 0, 0)));
        assert_eq!((none.recurrence_rate, none.recurrence.hour.rate), (None, None));
        let some = EffectivenessRow::new("x", &counts(1, 1, 0, 0).plus(&known));
        assert_eq!((some.recurrence_rate, some.recurrence.week.rate), (Some(0.5), None));
    }
}
