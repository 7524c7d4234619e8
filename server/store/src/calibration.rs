//! What models said against what came of it, by tenths: written with the rollups, whenever a verdict that can be told comes or goes.

use crate::{
    Store,
    effectiveness::only,
    rollup::Key,
    sql::{Row, Sql},
    write::Write,
};
use domain::{
    effectiveness::{
        EffectivenessFilter,
        calibration::{BinCounts, bin, said_milli},
    },
    execution::{Assessment, Execution},
    ports::{CalibrationCounts, StoreError},
};
use std::collections::BTreeMap;

/// A row's key, but for the version of playbook and prompt. Ordered, so that all transactions lock the rows in one order.
type Place = (i64, i64, [String; 5], i64);

/// What is to be added, by row.
#[derive(Default)]
pub(crate) struct Words(BTreeMap<Place, BinCounts>);

impl Words {
    /// Adds one execution with this verdict; takes it away again where it is `gone`. A verdict that tells nothing adds nothing, nor does
    /// what no model was sure of.
    pub(crate) fn add(&mut self, key: &Key, of: &Execution, verdict: Assessment, gone: bool) {
        let helped = match verdict {
            Assessment::Effective => true,
            Assessment::Ineffective => false,
            Assessment::Inconclusive | Assessment::NotAssessed => return,
        };
        let Some(confidence) = of.subject.confidence.filter(|_| !key.model.is_empty()) else { return };
        let said = said_milli(confidence);
        let one = BinCounts::one(said, helped);
        let texts = [&key.cluster, &key.model, &key.workflow_id, &key.signal_type, &key.action_type];
        let place = (key.span, key.day, texts.map(Clone::clone), bin(said));
        let sum = self.0.entry(place).or_default();
        *sum = sum.plus(if gone { one.negated() } else { one });
    }

    /// Writes all of it.
    pub(crate) async fn write(self, write: &mut Write) -> Result<(), StoreError> {
        for ((span, day, texts, bin), counts) in self.0.into_iter().filter(|(_, of)| *of != BinCounts::default()) {
            let [cluster, model, workflow_id, signal_type, action_type] = texts;
            let mut sql = Sql::new(
                "calibration",
                "INSERT INTO calibration (span, day, cluster, model, workflow_id, signal_type, action_type, bin, runs, helped, \
                 said_milli, squared) VALUES ",
            );
            sql.tuple([
                span.into(),
                day.into(),
                cluster.into(),
                model.into(),
                workflow_id.into(),
                signal_type.into(),
                action_type.into(),
                bin.into(),
                counts.runs.into(),
                counts.helped.into(),
                counts.said_milli.into(),
                counts.squared_micro.into(),
            ]);
            sql.push(
                " ON CONFLICT (span, day, cluster, model, workflow_id, signal_type, action_type, bin) DO UPDATE SET \
                 runs = calibration.runs + excluded.runs, helped = calibration.helped + excluded.helped, \
                 said_milli = calibration.said_milli + excluded.said_milli, \
                 squared = calibration.squared + excluded.squared",
            );
            sql.run(write.on()).await?;
        }
        Ok(())
    }
}

/// By model, then by bin; both ascending.
pub(crate) async fn read(store: &Store, filter: &EffectivenessFilter) -> Result<CalibrationCounts, StoreError> {
    let mut sql = Sql::new(
        "calibration",
        "SELECT model, bin, CAST(SUM(runs) AS BIGINT) AS runs, CAST(SUM(helped) AS BIGINT) AS helped, \
         CAST(SUM(said_milli) AS BIGINT) AS said_milli, CAST(SUM(squared) AS BIGINT) AS squared FROM calibration WHERE ",
    );
    store.within(&mut sql, filter.days).await?;
    only(&mut sql, filter);
    sql.push(" GROUP BY model, bin ORDER BY model, bin");
    let rows = sql.all(&mut *store.read().await?).await?;
    let mut models: BTreeMap<String, Vec<(i64, BinCounts)>> = BTreeMap::new();
    for row in &rows {
        models.entry(row.text("model")?).or_default().push((row.int("bin")?, counts(row)?));
    }
    // What was counted and taken back is nothing.
    for bins in models.values_mut() {
        bins.retain(|(_, of)| of.runs > 0);
    }
    Ok(models.into_iter().filter(|(_, bins)| !bins.is_empty()).collect())
}

fn counts(row: &Row) -> Result<BinCounts, StoreError> {
    Ok(BinCounts {
        runs: row.int("runs")?,
        helped: row.int("helped")?,
        said_milli: row.int("said_milli")?,
        squared_micro: row.int("squared")?,
    })
}
