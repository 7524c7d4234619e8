//! What many runs show together: the same target again and again, a playbook that stopped working, a target that flaps; and when that
//! is worth telling people again. Pure rules over the history of runs; who calls them decides what is done about it. A rollback is no
//! try to help, and is not among the runs that are looked at.

use crate::{
    execution::{Assessment, Execution},
    finding::{Card, FindingState, Noticed},
    ids::ExecutionId,
    recommendation::{ResourceRef, Severity},
    target::kinds,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The same target is conspicuous from so many runs on within [`AGAIN_WITHIN_MS`].
pub const AGAIN: usize = 4;
/// Seven days. What no newer run shows is told to nobody any more.
pub const AGAIN_WITHIN_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A playbook stopped working when so many of its newest runs in a row did not help…
pub const STOPPED: usize = 3;
/// …and of those before at least this share did, among at least [`STOPPED`].
pub const WORKED: f64 = 0.5;
/// A target flaps when its signal came back within an hour after so many runs in a row.
pub const FLAPS: usize = 2;
/// Runs that a pattern names, the newest: more than any kind of pattern takes.
pub const NAMED: usize = 10;
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

impl PatternKind {
    /// The word on the wire, which is the kind of its finding, too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::StoppedWorking => "stopped_working",
            Self::Flapping => "flapping",
        }
    }

    /// So many runs show it at least.
    const fn least(self) -> usize {
        match self {
            Self::Repeated => AGAIN,
            Self::StoppedWorking => STOPPED,
            Self::Flapping => FLAPS,
        }
    }
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pattern {
    /// Of which kind.
    pub kind: PatternKind,
    /// In which cluster.
    pub cluster: String,
    /// The target as `namespace/kind/name`, or the playbook's id.
    pub subject: String,
    /// The target; none of a playbook.
    pub resource: Option<ResourceRef>,
    /// The playbook; none of a target.
    pub workflow_id: Option<String>,
    /// The version of the playbook that all of these runs had; none where they had several, and of a target.
    pub version: Option<String>,
    /// How many runs show it.
    pub runs: usize,
    /// When the newest of them ended.
    pub last_at: Timestamp,
    /// What was seen, as a sentence.
    pub words: String,
    /// The newest of these runs, newest first.
    pub shown_by: Vec<Shown>,
}

/// A run that shows a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shown {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Its name.
    pub name: String,
    /// When it ended.
    pub at: Timestamp,
}

/// A run, as patterns look at it.
#[derive(Clone, Debug)]
pub struct Past {
    /// The run.
    pub run: Execution,
    /// How long after its signal cleared it came back, milliseconds; none where it did not.
    pub back_after_ms: Option<i64>,
}

/// A run and when it ended.
type Ended<'a> = (&'a Past, Timestamp);

impl Pattern {
    /// As a finding: the same pattern of the same subject is always the same finding.
    pub fn noticed(&self) -> Noticed {
        let of = self.resource.as_ref().map_or_else(|| self.subject.clone(), |r| format!("{} {}", r.kind, r.name));
        let (title, severity) = match self.kind {
            PatternKind::Repeated => (format!("{of} is remediated again and again"), Severity::Medium),
            PatternKind::StoppedWorking => (format!("Playbook {of} stopped working"), Severity::High),
            PatternKind::Flapping => (format!("The signal of {of} comes back after each run"), Severity::Medium),
        };
        Noticed {
            kind: self.kind.name().to_owned(),
            cluster: self.cluster.clone(),
            title,
            description: self.words.clone(),
            severity: Some(severity),
            resource: self.resource.clone(),
            evidence: self.shown_by.iter().map(|run| format!("{} ended at {}", run.name, run.at)).collect(),
            suggested_workflow_id: None,
        }
    }

    /// Whether people are to be told, given the card of its finding as it stands. A run that ended since the card was written last is
    /// news; that the same runs still show it is not. What somebody resolved is told again when as many runs as it takes have ended
    /// since then. What ended more than [`AGAIN_WITHIN_MS`] ago is history.
    pub fn is_news(&self, card: Option<&Card>, now: Timestamp) -> bool {
        if now.since(self.last_at) >= AGAIN_WITHIN_MS {
            return false;
        }
        let Some(card) = card else { return true };
        let ended_since = |at: Timestamp| self.shown_by.iter().filter(|run| run.at > at).count();
        match card.state {
            FindingState::Open | FindingState::Acknowledged | FindingState::Dismissed => {
                ended_since(card.last_seen) > 0
            }
            FindingState::Resolved => ended_since(card.triaged_at.unwrap_or(card.last_seen)) >= self.kind.least(),
        }
    }
}

/// Finds the patterns in these runs, in any order; by kind, then by cluster and subject.
pub fn find(past: &[Past], now: Timestamp) -> Vec<Pattern> {
    let mut ended: Vec<Ended> = past.iter().filter_map(|one| Some((one, one.run.finished_at?))).collect();
    ended.sort_by_key(|(one, at)| (*at, one.run.subject.id.to_string()));
    let mut targets: BTreeMap<(String, String), Vec<Ended>> = BTreeMap::new();
    let mut playbooks: BTreeMap<(String, String), Vec<Ended>> = BTreeMap::new();
    for (one, at) in ended {
        let subject = &one.run.subject;
        if let Some(target) = subject.target() {
            targets.entry((subject.cluster.clone(), path_of(&kinds::canonical(target)))).or_default().push((one, at));
        }
        if let Some(id) = &subject.workflow_id {
            playbooks.entry((subject.cluster.clone(), id.clone())).or_default().push((one, at));
        }
    }
    let mut found: Vec<Pattern> = targets.values().filter_map(|runs| repeated(runs, now)).collect();
    found.extend(playbooks.values().filter_map(|runs| stopped(runs)));
    found.extend(targets.values().filter_map(|runs| flapping(runs)));
    found.sort_by(|a, b| (a.kind, &a.cluster, &a.subject).cmp(&(b.kind, &b.cluster, &b.subject)));
    found
}

fn path_of(target: &ResourceRef) -> String {
    format!("{}/{}/{}", target.namespace.as_deref().unwrap_or("-"), target.kind, target.name)
}

/// The pattern that these runs show, oldest first: on the target of the newest, or in its playbook.
fn shown(kind: PatternKind, by: &[Ended], words: String) -> Option<Pattern> {
    let (newest, last_at) = by.last()?;
    let of = &newest.run.subject;
    let of_playbook = kind == PatternKind::StoppedWorking;
    let resource = of.target().filter(|_| !of_playbook).map(kinds::canonical);
    let workflow_id = of.workflow_id.clone().filter(|_| of_playbook);
    let one_version = of_playbook && by.iter().all(|(one, _)| one.run.subject.version == of.version);
    let named = by.iter().rev().take(NAMED).map(|(one, at)| Shown {
        execution_id: one.run.subject.id.clone(),
        name: one.run.subject.name.clone(),
        at: *at,
    });
    Some(Pattern {
        kind,
        cluster: of.cluster.clone(),
        subject: resource.as_ref().map(path_of).or_else(|| workflow_id.clone())?,
        resource,
        workflow_id,
        version: of.version.clone().filter(|_| one_version),
        runs: by.len(),
        last_at: *last_at,
        words,
        shown_by: named.collect(),
    })
}

fn repeated(runs: &[Ended], now: Timestamp) -> Option<Pattern> {
    let lately = runs.iter().filter(|(_, at)| now.since(*at) < AGAIN_WITHIN_MS).count();
    let words = format!("{lately} runs on it ended within seven days: what is behind it has not been mended.");
    shown(PatternKind::Repeated, &runs[runs.len() - lately..], words).filter(|_| lately >= AGAIN)
}

fn stopped(runs: &[Ended]) -> Option<Pattern> {
    let told: Vec<(Ended, bool)> = runs
        .iter()
        .filter_map(|one| match one.0.run.assessment {
            Assessment::Effective => Some((*one, true)),
            Assessment::Ineffective => Some((*one, false)),
            Assessment::Inconclusive | Assessment::NotAssessed => None,
        })
        .collect();
    let useless = told.iter().rev().take_while(|(_, helped)| !*helped).count();
    let (before, lately) = told.split_at(told.len() - useless);
    let helped = before.iter().filter(|(_, helped)| *helped).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of runs")]
    let worked = before.len() >= STOPPED && helped as f64 >= before.len() as f64 * WORKED;
    if useless < STOPPED || !worked {
        return None;
    }
    let lately: Vec<Ended> = lately.iter().map(|(one, _)| *one).collect();
    let mut pattern = shown(PatternKind::StoppedWorking, &lately, String::new())?;
    let of = pattern.version.as_ref().map(|version| format!(", all of version {version}")).unwrap_or_default();
    pattern.words =
        format!("It helped in {helped} of {} runs before and in none of the last {useless}{of}.", before.len());
    Some(pattern)
}

fn flapping(runs: &[Ended]) -> Option<Pattern> {
    let back = |one: &Past| one.back_after_ms.is_some_and(|ms| ms < HOUR_MS);
    let times = runs.iter().rev().take_while(|(one, _)| back(one)).count();
    let words = format!("After each of the last {times} runs its signal came back within an hour.");
    shown(PatternKind::Flapping, &runs[runs.len() - times..], words).filter(|_| times >= FLAPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Digest, FindingId};
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(AGAIN_WITHIN_MS * 10);

    fn past(number: i64, hours_ago: i64, target: &str, assessment: Assessment) -> Past {
        let ended = NOW.plus_ms(-hours_ago * HOUR_MS);
        let run = serde_json::from_value(json!({
            "id": format!("e{number}"), "recommendation_id": "r", "strategy": 0,
            "ticket_digest": Digest::from_bytes([1; 32]), "name": format!("n{number}"), "cluster": "c", "sandbox": true,
            "namespace": "ns", "incident_id": "i", "signal_type": "s", "severity": "high", "action_type": "a",
            "title": "t", "workflow_id": "p", "version": "1.0.0",
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

    fn card(state: FindingState, last_seen: Timestamp, triaged_at: Option<Timestamp>, of: &Pattern) -> Card {
        Card {
            id: FindingId::new("f"),
            state,
            noticed: of.noticed(),
            seen: 1,
            first_seen: last_seen,
            last_seen,
            revision: 1,
            turned_into: None,
            triaged_by: None,
            triaged_at,
            reason: None,
            sources: vec![],
        }
    }

    fn again(count: i64) -> Pattern {
        let runs: Vec<_> = (1..=count).map(|n| past(n, n * 2, "a", Assessment::NotAssessed)).collect();
        find(&runs, NOW).remove(0)
    }

    #[test]
    fn one_object_is_one_however_it_is_written_and_another_in_another_cluster() {
        let mut runs: Vec<_> = (1..=4).map(|n| past(n, n, "a", Assessment::NotAssessed)).collect();
        runs[0].run.subject.resource.as_mut().expect("one").kind = "deploy".into();
        assert_eq!(kinds(&runs), [(PatternKind::Repeated, "production/Deployment/a".into(), 4)]);
        runs[0].run.subject.cluster = "other".into();
        assert!(kinds(&runs).is_empty());
    }

    #[test]
    fn it_names_the_runs_that_show_it_the_newest_first() {
        let pattern = again(12);
        assert_eq!((pattern.runs, pattern.shown_by.len()), (12, NAMED));
        assert_eq!((pattern.shown_by[0].name.as_str(), pattern.shown_by[0].at), ("n1", pattern.last_at));
        let verdicts = [true, true, true, false, false, false]
            .map(|helped| if helped { Assessment::Effective } else { Assessment::Ineffective });
        let mut runs: Vec<_> = (1..=6).zip(verdicts).map(|(n, of)| past(n, 100 - n, &format!("t{n}"), of)).collect();
        // What came last and has no verdict yet shows nothing.
        runs.push(past(7, 1, "t7", Assessment::NotAssessed));
        let stopped = find(&runs, NOW).remove(0);
        let names: Vec<_> = stopped.shown_by.iter().map(|run| run.name.as_str()).collect();
        assert_eq!((names, stopped.version.as_deref()), (vec!["n6", "n5", "n4"], Some("1.0.0")));
        assert!(stopped.words.ends_with("in none of the last 3, all of version 1.0.0."), "{}", stopped.words);
        runs[4].run.subject.version = Some("2.0.0".into());
        assert_eq!(find(&runs, NOW).remove(0).version, None);
    }

    #[test]
    fn more_of_the_same_is_the_same_finding() {
        let (four, five) = (again(4).noticed(), again(5).noticed());
        assert_eq!(four.identity(), five.identity());
        assert_ne!(four.description, five.description);
        assert_eq!((four.kind.as_str(), four.evidence.len()), ("repeated", 4));
        assert_eq!(
            serde_json::to_value(PatternKind::StoppedWorking).expect("a word"),
            PatternKind::StoppedWorking.name()
        );
    }

    #[test]
    fn only_a_run_that_ended_since_is_news() {
        let pattern = again(5);
        let ago = |hours: i64| NOW.plus_ms(-hours * HOUR_MS);
        assert!(pattern.is_news(None, NOW));
        assert!(!pattern.is_news(None, pattern.last_at.plus_ms(AGAIN_WITHIN_MS)), "it is history");
        for state in [FindingState::Open, FindingState::Acknowledged, FindingState::Dismissed] {
            assert!(!pattern.is_news(Some(&card(state, ago(1), None, &pattern)), NOW), "{state:?}: the same runs");
            assert!(pattern.is_news(Some(&card(state, ago(3), None, &pattern)), NOW), "{state:?}: another run");
        }
        // Its runs ended 2, 4, 6, 8 and 10 hours ago, and it takes four.
        let resolved = |hours| card(FindingState::Resolved, ago(11), Some(ago(hours)), &pattern);
        assert!(!pattern.is_news(Some(&resolved(7)), NOW), "three runs since it was mended");
        assert!(pattern.is_news(Some(&resolved(9)), NOW), "four");
    }
}
