//! What many runs show together: the same target again and again, a playbook that stopped working, a target that flaps. Pure rules over
//! the history of runs; who calls them decides what is done about it.

use crate::{
    execution::{Assessment, Execution},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The same target is conspicuous from so many runs on within [`AGAIN_WITHIN_MS`].
pub const AGAIN: usize = 4;
/// Seven days.
pub const AGAIN_WITHIN_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A playbook stopped working when so many of its newest runs in a row did not help…
pub const STOPPED: usize = 3;
/// …and of those before at least this share did, among at least [`STOPPED`].
pub const WORKED: f64 = 0.5;
/// A target flaps when its signal came back within an hour after so many runs in a row.
pub const FLAPS: usize = 2;
/// An hour.
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PatternKind {
    /// The same target again and again.
    Repeated,
    /// A playbook that stopped working.
    StoppedWorking,
    /// A target whose signal clears and comes back.
    Flapping,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pattern {
    /// Of which kind.
    pub kind: PatternKind,
    /// The target as `namespace/kind/name`, or the playbook's id.
    pub subject: String,
    /// Runs that show it.
    pub runs: usize,
    /// When the newest of them ended.
    pub last_at: Timestamp,
    /// What was seen, as a sentence.
    pub words: String,
}

/// A run, as patterns look at it.
#[derive(Clone, Debug)]
pub struct Past {
    /// The run.
    pub run: Execution,
    /// How long after its signal cleared it came back, milliseconds; none where it did not.
    pub back_after_ms: Option<i64>,
}

/// Finds the patterns in these runs, in any order; by kind, then by subject.
pub fn find(past: &[Past], now: Timestamp) -> Vec<Pattern> {
    let mut ended: Vec<(&Past, Timestamp)> = past.iter().filter_map(|one| Some((one, one.run.finished_at?))).collect();
    ended.sort_by_key(|(one, at)| (*at, one.run.subject.id.to_string()));
    let mut targets: BTreeMap<String, Vec<(&Past, Timestamp)>> = BTreeMap::new();
    let mut playbooks: BTreeMap<String, Vec<(&Past, Timestamp)>> = BTreeMap::new();
    for (one, at) in ended {
        if let Some(target) = one.run.subject.target() {
            let namespace = target.namespace.as_deref().unwrap_or("-");
            targets.entry(format!("{namespace}/{}/{}", target.kind, target.name)).or_default().push((one, at));
        }
        if let Some(id) = &one.run.subject.workflow_id {
            playbooks.entry(id.clone()).or_default().push((one, at));
        }
    }
    let mut found: Vec<Pattern> = targets.iter().filter_map(|(name, runs)| repeated(name, runs, now)).collect();
    found.extend(playbooks.iter().filter_map(|(id, runs)| stopped(id, runs)));
    found.extend(targets.iter().filter_map(|(name, runs)| flapping(name, runs)));
    found.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    found
}

fn repeated(target: &str, runs: &[(&Past, Timestamp)], now: Timestamp) -> Option<Pattern> {
    let lately = runs.iter().filter(|(_, at)| now.since(*at) < AGAIN_WITHIN_MS).count();
    let last_at = runs.last()?.1;
    (lately >= AGAIN).then(|| Pattern {
        kind: PatternKind::Repeated,
        subject: target.to_owned(),
        runs: lately,
        last_at,
        words: format!("{lately} runs on it ended in the last seven days: what is behind it has not been mended."),
    })
}

fn stopped(playbook: &str, runs: &[(&Past, Timestamp)]) -> Option<Pattern> {
    let verdict = |run: &Execution| match run.assessment {
        Assessment::Effective => Some(true),
        Assessment::Ineffective => Some(false),
        Assessment::Inconclusive | Assessment::NotAssessed => None,
    };
    let told: Vec<bool> = runs.iter().filter_map(|(one, _)| verdict(&one.run)).collect();
    let useless = told.iter().rev().take_while(|helped| !**helped).count();
    let before = &told[..told.len() - useless];
    let helped = before.iter().filter(|helped| **helped).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of runs")]
    let worked = before.len() >= STOPPED && helped as f64 >= before.len() as f64 * WORKED;
    (useless >= STOPPED && worked).then(|| Pattern {
        kind: PatternKind::StoppedWorking,
        subject: playbook.to_owned(),
        runs: useless,
        last_at: runs.last().map_or_else(Timestamp::default, |(_, at)| *at),
        words: format!("It helped in {helped} of {} runs before and in none of the last {useless}.", before.len()),
    })
}

fn flapping(target: &str, runs: &[(&Past, Timestamp)]) -> Option<Pattern> {
    let back = |one: &Past| one.back_after_ms.is_some_and(|ms| ms < HOUR_MS);
    let times = runs.iter().rev().take_while(|(one, _)| back(one)).count();
    (times >= FLAPS).then(|| Pattern {
        kind: PatternKind::Flapping,
        subject: target.to_owned(),
        runs: times,
        last_at: runs.last().map_or_else(Timestamp::default, |(_, at)| *at),
        words: format!("After each of the last {times} runs its signal came back within an hour."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Digest;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(AGAIN_WITHIN_MS * 10);

    fn past(number: i64, hours_ago: i64, target: &str, assessment: Assessment) -> Past {
        let ended = NOW.plus_ms(-hours_ago * HOUR_MS);
        let run = serde_json::from_value(json!({
            "id": format!("e{number}"), "recommendation_id": "r", "strategy": 0,
            "ticket_digest": Digest::from_bytes([1; 32]), "name": "n", "cluster": "c", "sandbox": true,
            "namespace": "ns", "incident_id": "i", "signal_type": "s", "severity": "high", "action_type": "a",
            "title": "t", "workflow_id": "p",
            "resource": { "kind": "Deployment", "namespace": "production", "name": target },
            "state": "succeeded", "stage": "ended", "revision": 1, "approved_by": [], "created_at": ended,
            "expires_at": ended, "finished_at": ended, "cancel_requested": false, "assessment": assessment, "tasks": [],
        }))
        .expect("a run");
        Past { run, back_after_ms: None }
    }

    fn kinds(past: &[Past]) -> Vec<(PatternKind, String, usize)> {
        find(past, NOW).into_iter().map(|p| (p.kind, p.subject, p.runs)).collect()
    }

    #[test]
    fn no_runs_and_one_run_show_nothing() {
        assert!(find(&[], NOW).is_empty());
        assert!(kinds(&[past(1, 1, "a", Assessment::Ineffective)]).is_empty());
    }

    #[test]
    fn the_same_target_again_and_again_within_a_week() {
        let mut runs: Vec<_> = (1..=4).map(|n| past(n, n, "a", Assessment::NotAssessed)).collect();
        assert_eq!(kinds(&runs), [(PatternKind::Repeated, "production/Deployment/a".into(), 4)]);
        runs[3] = past(4, 24 * 8, "a", Assessment::NotAssessed);
        assert!(kinds(&runs).is_empty());
    }

    #[test]
    fn a_playbook_stopped_working_only_if_it_worked_before() {
        let runs = |verdicts: &[bool]| -> Vec<Past> {
            let verdict = |helped| if helped { Assessment::Effective } else { Assessment::Ineffective };
            let many = i64::try_from(verdicts.len()).expect("few");
            (0..many)
                .zip(verdicts)
                .map(|(n, helped)| past(n, (many - n) * 24 * 8, &format!("t{n}"), verdict(*helped)))
                .collect()
        };
        let stopped = kinds(&runs(&[true, true, false, true, false, false, false]));
        assert_eq!(stopped, [(PatternKind::StoppedWorking, "p".into(), 3)]);
        assert!(kinds(&runs(&[false, false, false, false, false, false])).is_empty(), "it never worked");
        assert!(kinds(&runs(&[true, true, true, false, false])).is_empty(), "too early to tell");
    }

    #[test]
    fn a_signal_that_comes_back_within_the_hour_flaps() {
        let mut runs = [past(1, 300, "a", Assessment::Effective), past(2, 299, "a", Assessment::Effective)];
        for one in &mut runs {
            one.back_after_ms = Some(HOUR_MS - 1);
        }
        assert_eq!(kinds(&runs), [(PatternKind::Flapping, "production/Deployment/a".into(), 2)]);
        runs[1].back_after_ms = None;
        assert!(kinds(&runs).is_empty());
    }
}
