//! What works: rows made from the rollups.

use super::{Services, limits, store_fault};
use async_trait::async_trait;
use domain::{
    assessment::pattern::Pattern,
    effectiveness::{
        EffectivenessFilter, EffectivenessRow, GroupBy,
        calibration::{Calibration, calibration},
        versions::{VersionsCompared, compared},
        weeks,
    },
    identity::{Caller, Right},
    playbook::Registration,
    ports::Grouped,
    services::{Answer, EffectivenessReport, EffectivenessService},
};
use std::collections::HashMap;

/// Weeks of a trend.
const LEAST_WEEKS: u32 = 6;
const MOST_WEEKS: u32 = 53;

#[async_trait]
impl EffectivenessService for Services {
    async fn rows(&self, caller: &Caller, by: GroupBy, filter: &EffectivenessFilter) -> Answer<Vec<EffectivenessRow>> {
        Ok(rows(&self.counts(caller, by, filter).await?))
    }

    async fn report(&self, caller: &Caller, by: GroupBy, filter: &EffectivenessFilter) -> Answer<EffectivenessReport> {
        let counts = self.counts(caller, by, filter).await?;
        // Whole weeks, at least enough for a trend and at most a year of them.
        let count = filter.days.map_or(MOST_WEEKS, |days| days.div_ceil(7)).clamp(LEAST_WEEKS, MOST_WEEKS);
        let lately = EffectivenessFilter { days: Some(count * 7), ..filter.clone() };
        let days = self.world.effectiveness.by_day(&lately).await.map_err(store_fault)?;
        let rows = rows(&counts);
        Ok(EffectivenessReport {
            calibration: self.calibrated(filter).await?,
            versions: if by == GroupBy::Version { compared(&rows) } else { Vec::new() },
            rows,
            total: counts.all.map(|all| EffectivenessRow::new("all", &all)),
            weeks: weeks(&days, self.world.clock.now(), count),
        })
    }

    async fn calibration(&self, caller: &Caller, filter: &EffectivenessFilter) -> Answer<Vec<Calibration>> {
        caller.require(Right::RunsRead)?;
        short(filter)?;
        self.calibrated(filter).await
    }

    async fn patterns(&self, caller: &Caller, days: u32) -> Answer<Vec<Pattern>> {
        caller.require(Right::RunsRead)?;
        self.patterns_of(days).await
    }

    async fn versions(&self, caller: &Caller, filter: &EffectivenessFilter) -> Answer<Vec<VersionsCompared>> {
        Ok(compared(&rows(&self.counts(caller, GroupBy::Version, filter).await?)))
    }
}

impl Services {
    async fn counts(&self, caller: &Caller, by: GroupBy, filter: &EffectivenessFilter) -> Answer<Grouped> {
        caller.require(Right::RunsRead)?;
        short(filter)?;
        self.world.effectiveness.counts(by, filter).await.map_err(store_fault)
    }

    async fn calibrated(&self, filter: &EffectivenessFilter) -> Answer<Vec<Calibration>> {
        let counts = self.world.assessments.calibration(filter).await.map_err(store_fault)?;
        Ok(counts.iter().filter_map(|(model, bins)| calibration(model, bins)).collect())
    }

    pub(super) async fn effectiveness_rows(
        &self,
        by: GroupBy,
        filter: &EffectivenessFilter,
    ) -> Answer<Vec<EffectivenessRow>> {
        Ok(rows(&self.world.effectiveness.counts(by, filter).await.map_err(store_fault)?))
    }

    /// The track record of one version of a playbook, over all time.
    pub(super) async fn version_record(&self, registration: &Registration) -> Answer<Option<EffectivenessRow>> {
        let Registration { id, version, .. } = registration;
        let filter = EffectivenessFilter { workflow_id: Some(id.to_string()), ..Default::default() };
        let rows = self.effectiveness_rows(GroupBy::Version, &filter).await?;
        let group = format!("{id}@{version}");
        Ok(rows.into_iter().find(|row| row.group == group))
    }

    /// Track records by playbook id, over all time.
    pub(super) async fn track_records(&self) -> Answer<HashMap<String, EffectivenessRow>> {
        let rows = self.effectiveness_rows(GroupBy::Playbook, &EffectivenessFilter::default()).await?;
        Ok(rows.into_iter().map(|row| (row.group.clone(), row)).collect())
    }
}

fn short(filter: &EffectivenessFilter) -> Answer<()> {
    limits::short([
        ("workflow_id", &filter.workflow_id),
        ("signal_type", &filter.signal_type),
        ("action_type", &filter.action_type),
        ("model", &filter.model),
    ])
}

fn rows(counts: &Grouped) -> Vec<EffectivenessRow> {
    counts.groups.iter().map(|(group, counts)| EffectivenessRow::new(group, counts)).collect()
}
