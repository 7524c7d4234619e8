//! What the rollups come to, by group, by day and in all. They are written in `rollup`, as executions end.

use crate::{
    Store,
    phases::Histogram,
    rollup::{ALL_TIME, BLOCK, DAY, DAY_MS},
    sql::{Row, Sql},
};
use async_trait::async_trait;
use domain::{
    assessment::recurrence::Returned,
    effectiveness::{Counts, EffectivenessFilter, GroupBy},
    ports::{EffectivenessStore, Grouped, StoreError, VersionDay},
};
use std::collections::BTreeMap;

#[async_trait]
impl EffectivenessStore for Store {
    async fn counts(&self, by: GroupBy, filter: &EffectivenessFilter) -> Result<Grouped, StoreError> {
        let (group, nameless) = match by {
            // What no model recommended says nothing about any model, and a step list nothing about any playbook, whatever it
            // calls itself.
            GroupBy::Model => ("model", false),
            GroupBy::PromptVersion => ("CASE WHEN model = '' THEN '' ELSE model || '@' || prompt_version END", false),
            GroupBy::Playbook => ("workflow_id", false),
            GroupBy::Version => ("CASE WHEN workflow_id = '' THEN '' ELSE workflow_id || '@' || version END", false),
            GroupBy::SignalType => ("signal_type", true),
            GroupBy::ActionType => ("action_type", true),
        };
        let (mut groups, mut all) = (BTreeMap::new(), None);
        for row in self.sums(group, filter).await? {
            let sum = Sum::read(&row)?;
            all.get_or_insert_with(Sum::default).add(&sum);
            let name = row.text("grouped")?;
            if nameless || !name.is_empty() {
                groups.insert(name, sum.counts());
            }
        }
        Ok(Grouped { groups: groups.into_iter().collect(), all: all.map(Sum::counts) })
    }

    async fn versions_by_day(&self, days: u32) -> Result<Vec<VersionDay>, StoreError> {
        let mut sql = Sql::new(
            "rollup",
            "SELECT workflow_id || '@' || version AS version, day, CAST(SUM(runs) AS BIGINT) AS runs, \
             CAST(SUM(succeeded) AS BIGINT) AS succeeded FROM rollups WHERE workflow_id <> '' AND span = ",
        );
        sql.value(DAY).push(" AND day >= ").value(self.first(days).await?);
        sql.push(" GROUP BY 1, day ORDER BY 1, day");
        let rows = sql.all(&mut *self.read().await?).await?;
        let of = |row: &Row| {
            Ok(VersionDay {
                version: row.text("version")?,
                day: row.int("day")?,
                runs: row.int("runs")?,
                succeeded: row.int("succeeded")?,
            })
        };
        rows.iter().map(of).collect()
    }

    async fn by_day(&self, filter: &EffectivenessFilter) -> Result<Vec<(i64, Counts)>, StoreError> {
        let mut sql = Sql::new("rollup", format!("SELECT day{} FROM rollups WHERE span = ", sums()));
        sql.value(DAY);
        if let Some(days) = filter.days {
            sql.push(" AND day >= ").value(self.first(days).await?);
        }
        only(&mut sql, filter);
        sql.push(" GROUP BY day ORDER BY day");
        let rows = sql.all(&mut *self.read().await?).await?;
        rows.iter().map(|row| Ok((row.int("day")?, counted(row)?))).collect()
    }
}

impl Store {
    /// The sums of each group over what the filter asks for.
    async fn sums(&self, group: &str, filter: &EffectivenessFilter) -> Result<Vec<Row>, StoreError> {
        let text =
            format!("SELECT {group} AS grouped{}, string_agg(phases, ' ') AS phases FROM rollups WHERE ", sums());
        let mut sql = Sql::new("rollup", text);
        self.within(&mut sql, filter.days).await?;
        only(&mut sql, filter);
        sql.push(" GROUP BY 1");
        sql.all(&mut *self.read().await?).await
    }

    /// The rows that the last so many days, or all time, are put together from, as a condition.
    pub(crate) async fn within(&self, sql: &mut Sql, days: Option<u32>) -> Result<(), StoreError> {
        let Some(days) = days else {
            sql.push("span = ").value(ALL_TIME);
            return Ok(());
        };
        // Single days up to the first whole block, then blocks: nothing is later than today.
        let first = self.first(days).await?;
        let whole = (first + BLOCK - 1).div_euclid(BLOCK) * BLOCK;
        sql.push("((span = ").value(DAY).push(" AND day >= ").value(first).push(" AND day < ").value(whole);
        sql.push(") OR (span = ").value(BLOCK).push(" AND day >= ").value(whole).push("))");
        Ok(())
    }

    /// The first of the last so many days by the database's clock; today is one of them.
    async fn first(&self, days: u32) -> Result<i64, StoreError> {
        Ok(self.now().await?.as_millis().div_euclid(DAY_MS) - i64::from(days) + 1)
    }
}

pub(crate) fn only(sql: &mut Sql, filter: &EffectivenessFilter) {
    let EffectivenessFilter { workflow_id, signal_type, action_type, model, days: _ } = filter;
    for (column, wanted) in
        [("workflow_id", workflow_id), ("signal_type", signal_type), ("action_type", action_type), ("model", model)]
    {
        if let Some(wanted) = wanted {
            sql.push(" AND ").push(column).push(" = ").value(wanted);
        }
    }
}

const SUMMED: [&str; 14] = [
    "runs",
    "succeeded",
    "effective",
    "ineffective",
    "inconclusive",
    "not_assessed",
    "watched_hour",
    "recurred_hour",
    "watched_day",
    "recurred_day",
    "watched_week",
    "recurred_week",
    "said",
    "said_milli",
];

/// The sums that [`counted`] reads.
fn sums() -> String {
    SUMMED.map(|column| format!(", CAST(SUM({column}) AS BIGINT) AS {column}")).concat()
}

/// All but the phases.
fn counted(row: &Row) -> Result<Counts, StoreError> {
    let returned = |watched: &str, came_back: &str| {
        Ok::<_, StoreError>(Returned { watched: row.int(watched)?, came_back: row.int(came_back)? })
    };
    Ok(Counts {
        runs: row.int("runs")?,
        succeeded: row.int("succeeded")?,
        effective: row.int("effective")?,
        ineffective: row.int("ineffective")?,
        inconclusive: row.int("inconclusive")?,
        not_assessed: row.int("not_assessed")?,
        returned: [
            returned("watched_hour", "recurred_hour")?,
            returned("watched_day", "recurred_day")?,
            returned("watched_week", "recurred_week")?,
        ],
        said: row.int("said")?,
        said_milli: row.int("said_milli")?,
        phases_ms: BTreeMap::new(),
    })
}

/// Counts and phases, as long as they are added up.
#[derive(Default)]
struct Sum {
    counts: Counts,
    phases: Histogram,
}

impl Sum {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let mut phases = Histogram::default();
        phases.read(&row.text("phases")?).ok_or_else(|| row.corrupt("phases", &"no histogram"))?;
        Ok(Self { counts: counted(row)?, phases })
    }

    fn add(&mut self, other: &Self) {
        self.counts = self.counts.plus(&other.counts);
        self.phases.join(&other.phases);
    }

    fn counts(self) -> Counts {
        Counts { phases_ms: self.phases.samples(), ..self.counts }
    }
}
