//! Two versions of a playbook compared: by how much more often the newer one helped, with the interval of the difference, and whether
//! that says anything yet.

use super::EffectivenessRow;
use crate::stats::{self, RateDifference};
use serde::{Deserialize, Serialize};

/// What the difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VersionVerdict {
    /// The newer one helps more often.
    Better,
    /// The newer one helps less often.
    Worse,
    /// It may be either: the interval holds both.
    TooEarly,
}

/// Two versions side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionsCompared {
    /// The older one, `id@version`.
    pub older: String,
    /// Runs of it whose effect could be told.
    pub older_assessed: i64,
    /// The newer one.
    pub newer: String,
    /// Runs of it whose effect could be told.
    pub newer_assessed: i64,
    /// How much more often the newer one helped; none where one of them was never assessed.
    pub helped: Option<RateDifference>,
    /// What that says.
    pub verdict: VersionVerdict,
}

/// Compares two rows by how often they helped.
pub fn compare(older: &EffectivenessRow, newer: &EffectivenessRow) -> VersionsCompared {
    let of = |row: &EffectivenessRow| Some((u64::try_from(row.effective).ok()?, u64::try_from(row.assessed()).ok()?));
    let helped = of(older).zip(of(newer)).and_then(|(older, newer)| stats::difference(older, newer));
    let verdict = match helped {
        Some(by) if by.low > 0.0 => VersionVerdict::Better,
        Some(by) if by.high < 0.0 => VersionVerdict::Worse,
        _ => VersionVerdict::TooEarly,
    };
    VersionsCompared {
        older: older.group.clone(),
        older_assessed: older.assessed(),
        newer: newer.group.clone(),
        newer_assessed: newer.assessed(),
        helped,
        verdict,
    }
}

/// Each version with the one before it, of each playbook. Rows are named `id@version`; what is no version is left out.
pub fn compared(rows: &[EffectivenessRow]) -> Vec<VersionsCompared> {
    let named = rows.iter().filter_map(|row| {
        let (id, version) = row.group.split_once('@')?;
        Some((id, semver::Version::parse(version).ok()?, row))
    });
    let mut versions: Vec<_> = named.collect();
    versions.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let pairs = versions.windows(2).filter_map(|pair| match pair {
        [older, newer] if older.0 == newer.0 => Some(compare(older.2, newer.2)),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effectiveness::Counts;

    fn row(group: &str, effective: i64, ineffective: i64) -> EffectivenessRow {
        let runs = effective + ineffective;
        EffectivenessRow::new(group, &Counts { runs, succeeded: runs, effective, ineffective, ..Counts::default() })
    }

    #[test]
    fn few_runs_are_too_early_to_tell() {
        let said = |older: (i64, i64), newer: (i64, i64)| {
            compare(&row("p@1.0.0", older.0, older.1), &row("p@2.0.0", newer.0, newer.1)).verdict
        };
        assert_eq!(said((1, 1), (2, 0)), VersionVerdict::TooEarly);
        assert_eq!(said((0, 0), (9, 0)), VersionVerdict::TooEarly, "never assessed");
        assert_eq!(said((48, 32), (56, 14)), VersionVerdict::Better);
        assert_eq!(said((56, 14), (48, 32)), VersionVerdict::Worse);
    }

    #[test]
    fn each_version_is_compared_with_the_one_before_it() {
        let rows = [row("p@1.10.0", 1, 1), row("p@1.9.0", 1, 1), row("q@1.0.0", 1, 0), row("step list", 3, 3)];
        let pairs: Vec<_> = compared(&rows).into_iter().map(|pair| (pair.older, pair.newer)).collect();
        assert_eq!(pairs, [("p@1.9.0".to_owned(), "p@1.10.0".to_owned())]);
        assert!(compared(&[]).is_empty());
    }
}
