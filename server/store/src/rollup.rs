//! Counting executions as they end: for each kind of execution one row a day, one for sixteen days and one for all time, with
//! how long their phases took. What the counts come to is read in `effectiveness`.

use crate::{
    phases::Histogram,
    recommendations::Came,
    sql::{Sql, Value},
    write::Write,
};
use domain::{
    execution::{Assessment, Execution, ExecutionState},
    ports::StoreError,
    time::Timestamp,
};
use std::collections::BTreeMap;

pub(crate) use domain::effectiveness::DAY_MS;

/// Days of each span that is counted by itself; of all time there is one.
pub(crate) const ALL_TIME: i64 = 0;
pub(crate) const BLOCK: i64 = 16;
pub(crate) const DAY: i64 = 1;

/// What is counted together. Ordered, so that all transactions lock the rows in one order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    span: i64,
    /// The first of its days, since 1970.
    day: i64,
    cluster: String,
    workflow_id: String,
    version: String,
    signal_type: String,
    action_type: String,
    model: String,
}

#[derive(Default)]
struct Counted {
    runs: i64,
    succeeded: i64,
    effective: i64,
    ineffective: i64,
    inconclusive: i64,
    not_assessed: i64,
    /// Of how many a model had said how sure it was, and the sum of that in thousandths.
    said: i64,
    said_milli: i64,
    phases: Histogram,
}

/// Counts executions that have just ended, each with when it was recommended, where that is still known. `now`
/// stands in for an end that nobody saw.
pub(crate) async fn count<'a>(
    write: &mut Write,
    ended: impl IntoIterator<Item = (&'a Execution, Option<Came>)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut counts: BTreeMap<Key, Counted> = BTreeMap::new();
    for (execution, came) in ended {
        for key in keys(execution, now) {
            counts.entry(key).or_default().add(execution, came);
        }
    }
    for (key, counted) in counts {
        add(write, &key, &counted).await?;
    }
    Ok(())
}

fn keys(of: &Execution, now: Timestamp) -> [Key; 3] {
    let subject = &of.subject;
    let day = of.finished_at.unwrap_or(now).as_millis().div_euclid(DAY_MS);
    [(ALL_TIME, 0), (DAY, day), (BLOCK, day.div_euclid(BLOCK) * BLOCK)].map(|(span, day)| Key {
        span,
        day,
        cluster: subject.cluster.clone(),
        workflow_id: subject.workflow_id.clone().unwrap_or_default(),
        version: subject.version.clone().unwrap_or_default(),
        signal_type: subject.signal_type.clone(),
        action_type: subject.action_type.clone(),
        model: subject.model.clone().unwrap_or_default(),
    })
}

impl Counted {
    fn add(&mut self, execution: &Execution, came: Option<Came>) {
        self.runs += 1;
        self.succeeded += i64::from(execution.state == ExecutionState::Succeeded);
        *match execution.assessment {
            Assessment::Effective => &mut self.effective,
            Assessment::Ineffective => &mut self.ineffective,
            Assessment::Inconclusive => &mut self.inconclusive,
            Assessment::NotAssessed => &mut self.not_assessed,
        } += 1;
        if let Some(confidence) = execution.subject.confidence {
            self.said += 1;
            #[expect(clippy::cast_possible_truncation, reason = "a share of one in thousandths")]
            let milli = (confidence.clamp(0.0, 1.0) * 1000.0).round() as i64;
            self.said_milli += milli;
        }
        for (phase, ms) in lengths(execution, came) {
            self.phases.add(phase, ms);
        }
    }
}

/// From the alert to the recommendation, from there to the last approval, and from the start of the run to its end, milliseconds.
fn lengths(of: &Execution, came: Option<Came>) -> Vec<(&'static str, i64)> {
    let investigate = came.and_then(|came| Some(("investigate", came.at.since(came.incident_at?))));
    let decide = came.map(|came| ("decide", of.created_at.since(came.at)));
    let run = of.started_at.zip(of.finished_at).map(|(start, end)| ("run", end.since(start)));
    investigate.into_iter().chain(decide).chain(run).collect()
}

async fn add(write: &mut Write, key: &Key, counted: &Counted) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "rollup",
        "INSERT INTO rollups (span, day, cluster, workflow_id, version, signal_type, action_type, model, runs, succeeded, \
         effective, ineffective, inconclusive, not_assessed, recurred, said, said_milli, phases) VALUES ",
    );
    let [span, day, cluster, workflow_id, version, signal_type, action_type, model] = key.values();
    sql.tuple([
        span,
        day,
        cluster,
        workflow_id,
        version,
        signal_type,
        action_type,
        model,
        counted.runs.into(),
        counted.succeeded.into(),
        counted.effective.into(),
        counted.ineffective.into(),
        counted.inconclusive.into(),
        counted.not_assessed.into(),
        0_i64.into(),
        counted.said.into(),
        counted.said_milli.into(),
        "".into(),
    ]);
    // What is locked now can be read and added to.
    sql.push(
        " ON CONFLICT (span, day, cluster, workflow_id, version, signal_type, action_type, model) DO UPDATE SET \
         runs = rollups.runs + excluded.runs, succeeded = rollups.succeeded + excluded.succeeded, \
         effective = rollups.effective + excluded.effective, \
         ineffective = rollups.ineffective + excluded.ineffective, \
         inconclusive = rollups.inconclusive + excluded.inconclusive, \
         not_assessed = rollups.not_assessed + excluded.not_assessed, said = rollups.said + excluded.said, \
         said_milli = rollups.said_milli + excluded.said_milli RETURNING phases",
    );
    let row = sql.one(write.on()).await?;
    if counted.phases.is_empty() {
        return Ok(());
    }
    let mut phases = counted.phases.clone();
    phases.read(&row.text("phases")?).ok_or_else(|| row.corrupt("phases", &"no histogram"))?;
    let mut sql = Sql::new("rollup", "UPDATE rollups SET phases = ");
    sql.value(phases.to_string());
    sql.push(" WHERE (span, day, cluster, workflow_id, version, signal_type, action_type, model) = ")
        .tuple(key.values());
    sql.run(write.on()).await?;
    Ok(())
}

impl Key {
    /// In the order of the columns.
    fn values(&self) -> [Value; 8] {
        [
            self.span.into(),
            self.day.into(),
            self.cluster.as_str().into(),
            self.workflow_id.as_str().into(),
            self.version.as_str().into(),
            self.signal_type.as_str().into(),
            self.action_type.as_str().into(),
            self.model.as_str().into(),
        ]
    }
}
