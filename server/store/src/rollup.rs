//! Counting executions as they end: for each kind of execution one row a day, one for sixteen days and one for all time, with
//! how long their phases took; and what is known of them later, such as whether they helped. What the counts come to is read in
//! `effectiveness`. Runs that undo others are not counted: that a playbook sets something back is not what it is measured by.

use crate::{
    calibration,
    phases::Histogram,
    recommendations::{Came, undoes},
    sql::{Sql, Value},
    write::Write,
};
use domain::{
    assessment::recurrence::Returned,
    effectiveness::calibration::said_milli,
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
pub(crate) struct Key {
    pub(crate) span: i64,
    /// The first of its days, since 1970.
    pub(crate) day: i64,
    pub(crate) cluster: String,
    pub(crate) workflow_id: String,
    version: String,
    pub(crate) signal_type: String,
    pub(crate) action_type: String,
    pub(crate) model: String,
    prompt_version: String,
}

#[derive(Default)]
struct Counted {
    runs: i64,
    succeeded: i64,
    effective: i64,
    ineffective: i64,
    inconclusive: i64,
    not_assessed: i64,
    /// Within an hour, a day, a week.
    returned: [Returned; 3],
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
    let mut words = calibration::Words::default();
    for (execution, came) in ended {
        if came.is_some_and(|came| came.undoes) {
            continue;
        }
        for key in keys(execution, now) {
            words.add(&key, execution, execution.assessment, false);
            counts.entry(key).or_default().add(execution, came);
        }
    }
    for (key, counted) in counts {
        add(write, &key, &counted).await?;
    }
    words.write(write).await
}

/// What becomes known of an execution that was counted when it ended.
#[derive(Clone, Copy, Default)]
pub(crate) struct Later {
    /// The verdict as it was, and as it is.
    pub(crate) verdict: Option<(Assessment, Assessment)>,
    /// How long after its end the signal cleared, milliseconds.
    pub(crate) clear_ms: Option<i64>,
    /// Of each span (hour, day, week) what is counted now.
    pub(crate) returned: [Returned; 3],
}

/// Adds that to the rows that it was counted in.
pub(crate) async fn add_later(
    write: &mut Write,
    execution: &Execution,
    later: &Later,
    now: Timestamp,
) -> Result<(), StoreError> {
    if undoes(write.on(), &execution.subject.recommendation_id).await? {
        return Ok(());
    }
    let mut counted = Counted { returned: later.returned, ..Counted::default() };
    let mut words = calibration::Words::default();
    let mut keys = Vec::from(keys(execution, now));
    // Where nobody saw its end, the day that it was counted on is not known any more.
    keys.retain(|key| key.span == ALL_TIME || execution.finished_at.is_some());
    keys.sort_unstable();
    if let Some((was, is)) = later.verdict {
        *counted.of(was) -= 1;
        *counted.of(is) += 1;
        for key in &keys {
            words.add(key, execution, was, true);
            words.add(key, execution, is, false);
        }
    }
    if let Some(ms) = later.clear_ms {
        counted.phases.add("clear", ms);
    }
    for key in &keys {
        add(write, key, &counted).await?;
    }
    words.write(write).await
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
        prompt_version: subject.prompt_version.clone().unwrap_or_default(),
    })
}

impl Counted {
    fn add(&mut self, execution: &Execution, came: Option<Came>) {
        self.runs += 1;
        self.succeeded += i64::from(execution.state == ExecutionState::Succeeded);
        *self.of(execution.assessment) += 1;
        if let Some(confidence) = execution.subject.confidence {
            self.said += 1;
            self.said_milli += said_milli(confidence);
        }
        for (phase, ms) in lengths(execution, came) {
            self.phases.add(phase, ms);
        }
    }

    fn of(&mut self, verdict: Assessment) -> &mut i64 {
        match verdict {
            Assessment::Effective => &mut self.effective,
            Assessment::Ineffective => &mut self.ineffective,
            Assessment::Inconclusive => &mut self.inconclusive,
            Assessment::NotAssessed => &mut self.not_assessed,
        }
    }
}

/// From the beginning of the incident until the console was told of it, where it was; from there, else from the beginning that the
/// recommendation says, to the recommendation; from there to the last approval; and from the start of the run to its end, milliseconds.
fn lengths(of: &Execution, came: Option<Came>) -> Vec<(&'static str, i64)> {
    let detect = came.and_then(|came| came.noticed).map(|(began, told)| ("detect", told.since(began)));
    let investigate = came.and_then(|came| {
        let from = came.noticed.map(|(_, told)| told).or(came.incident_at)?;
        Some(("investigate", came.at.since(from)))
    });
    let decide = came.map(|came| ("decide", of.created_at.since(came.at)));
    let run = of.started_at.zip(of.finished_at).map(|(start, end)| ("run", end.since(start)));
    detect.into_iter().chain(investigate).chain(decide).chain(run).collect()
}

async fn add(write: &mut Write, key: &Key, counted: &Counted) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "rollup",
        "INSERT INTO rollups (span, day, cluster, workflow_id, version, signal_type, action_type, model, prompt_version, \
         runs, succeeded, effective, ineffective, inconclusive, not_assessed, watched_hour, recurred_hour, watched_day, \
         recurred_day, watched_week, recurred_week, said, said_milli, phases) VALUES ",
    );
    let [span, day, cluster, workflow_id, version, signal_type, action_type, model, prompt_version] = key.values();
    let [hour, one_day, week] = counted.returned;
    sql.tuple([
        span,
        day,
        cluster,
        workflow_id,
        version,
        signal_type,
        action_type,
        model,
        prompt_version,
        counted.runs.into(),
        counted.succeeded.into(),
        counted.effective.into(),
        counted.ineffective.into(),
        counted.inconclusive.into(),
        counted.not_assessed.into(),
        hour.watched.into(),
        hour.came_back.into(),
        one_day.watched.into(),
        one_day.came_back.into(),
        week.watched.into(),
        week.came_back.into(),
        counted.said.into(),
        counted.said_milli.into(),
        "".into(),
    ]);
    // What is locked now can be read and added to.
    sql.push(
        " ON CONFLICT (span, day, cluster, workflow_id, version, signal_type, action_type, model, prompt_version) DO UPDATE SET \
         runs = rollups.runs + excluded.runs, succeeded = rollups.succeeded + excluded.succeeded, \
         effective = rollups.effective + excluded.effective, \
         ineffective = rollups.ineffective + excluded.ineffective, \
         inconclusive = rollups.inconclusive + excluded.inconclusive, \
         not_assessed = rollups.not_assessed + excluded.not_assessed, \
         watched_hour = rollups.watched_hour + excluded.watched_hour, \
         recurred_hour = rollups.recurred_hour + excluded.recurred_hour, \
         watched_day = rollups.watched_day + excluded.watched_day, \
         recurred_day = rollups.recurred_day + excluded.recurred_day, \
         watched_week = rollups.watched_week + excluded.watched_week, \
         recurred_week = rollups.recurred_week + excluded.recurred_week, said = rollups.said + excluded.said, \
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
    sql.push(" WHERE (span, day, cluster, workflow_id, version, signal_type, action_type, model, prompt_version) = ")
        .tuple(key.values());
    sql.run(write.on()).await?;
    Ok(())
}

impl Key {
    /// In the order of the columns.
    fn values(&self) -> [Value; 9] {
        [
            self.span.into(),
            self.day.into(),
            self.cluster.as_str().into(),
            self.workflow_id.as_str().into(),
            self.version.as_str().into(),
            self.signal_type.as_str().into(),
            self.action_type.as_str().into(),
            self.model.as_str().into(),
            self.prompt_version.as_str().into(),
        ]
    }
}
