//! The rule of the verdict (`docs/effectiveness.md` has it in plain words). It takes what was seen and makes of it evidence and a
//! verdict; a firing alert is never effective, and what others may have done is nobody's merit.

use super::{Evidence, Looked, Says, SignalState};
use crate::{
    execution::{Assessment, ExecutionState},
    time::Timestamp,
};

/// A change after a run's end counts as somebody else's from so many milliseconds on: the API server notes whole seconds.
const GRACE_MS: i64 = 1000;
/// A number has moved when it differs by at least this share of what it was.
const MOVED: f64 = 0.1;

/// The pods of a target, as they stand some time after the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSeen {
    /// Pods wanted by the spec.
    pub wanted: i64,
    /// Of those made from the newest template, ready.
    pub ready: i64,
    /// Of older templates, still there.
    pub old: i64,
    /// Restarts of the newest template's containers since the run ended.
    pub restarts: i64,
    /// When the spec was last changed and by what, where the API server keeps that.
    pub changed: Option<(Timestamp, String)>,
}

/// What came of looking at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetHealth {
    /// It was seen.
    Seen(TargetSeen),
    /// The API server says that there is none.
    Missing,
    /// Nobody could tell.
    Unknown {
        /// Why.
        why: String,
    },
}

/// Which way a number should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

/// What came of asking Prometheus.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricSeen {
    /// The number when the run began, and now.
    Read {
        /// When the run began.
        before: f64,
        /// Now.
        after: f64,
        /// Which way it should go.
        better: Better,
    },
    /// There is no number.
    Unknown {
        /// Why.
        why: String,
    },
}

/// All that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// How the run ended.
    pub state: ExecutionState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// The signal.
    pub signal: SignalState,
    /// The target; none where nothing names one.
    pub target: Option<TargetHealth>,
    /// A number; none where no query is set for this signal.
    pub metric: Option<MetricSeen>,
    /// Names of other runs on the same object, between the signal's beginning and the look.
    pub others: Vec<String>,
}

/// A verdict with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Assessment,
    /// What was seen, in the order in which it weighs.
    pub evidence: Vec<Evidence>,
    /// When the signal cleared, where it did so after the run had begun.
    pub cleared_at: Option<Timestamp>,
}

/// Judges a run by what was seen at `now`.
pub fn judge(facts: &Facts, now: Timestamp) -> Judged {
    let changed = changed_since(facts);
    let mut evidence: Vec<Evidence> = run(facts).into_iter().collect();
    evidence.push(signal(facts));
    evidence.extend(facts.target.as_ref().map(health));
    evidence.extend(facts.metric.as_ref().map(metric));
    evidence.extend(others(facts));
    evidence.extend(changed.as_ref().map(|by| Evidence {
        of: Looked::Others,
        says: Says::Open,
        words: format!("its spec was changed after the run by {by}"),
    }));
    let verdict = verdict(facts, &evidence, changed.is_some());
    let cleared_at = match facts.signal {
        SignalState::Resolved { at } => Some(at.unwrap_or(now)).filter(|at| *at > facts.started_at),
        SignalState::Firing { .. } | SignalState::Unknown { .. } => None,
    };
    Judged { verdict, evidence, cleared_at }
}

fn verdict(facts: &Facts, evidence: &[Evidence], changed: bool) -> Assessment {
    // What was stopped, or vanished, was not tried.
    if matches!(facts.state, ExecutionState::Cancelled | ExecutionState::Lost) || !facts.state.ended() {
        return Assessment::NotAssessed;
    }
    if matches!(facts.signal, SignalState::Firing { .. }) {
        // Whoever changed it since may have undone what the run did.
        return if changed { Assessment::Inconclusive } else { Assessment::Ineffective };
    }
    let says = |what: Says| evidence.iter().any(|one| one.says == what);
    let of = |what: Looked, says: Says| evidence.iter().any(|one| one.of == what && one.says == says);
    let seen = evidence.iter().any(|one| !matches!(one.of, Looked::Run | Looked::Others) && one.says != Says::Nothing);
    match (says(Says::Helped), says(Says::DidNot)) {
        _ if !seen => Assessment::NotAssessed,
        _ if says(Says::Open) => Assessment::Inconclusive,
        (false, true) => Assessment::Ineffective,
        // A target that is well may have been well before: it takes the signal, or a number.
        (true, false) if of(Looked::Signal, Says::Helped) || of(Looked::Metric, Says::Helped) => Assessment::Effective,
        _ => Assessment::Inconclusive,
    }
}

fn run(facts: &Facts) -> Option<Evidence> {
    let (says, words) = match facts.state {
        ExecutionState::Succeeded | ExecutionState::Pending | ExecutionState::Running => return None,
        ExecutionState::Failed => (Says::DidNot, "the run failed"),
        ExecutionState::TimedOut => (Says::DidNot, "the run took too long and was stopped"),
        ExecutionState::Cancelled => (Says::Open, "the run was cancelled: what it would have done is not known"),
        ExecutionState::Lost => (Says::Open, "the run vanished: what it did is not known"),
    };
    Some(Evidence { of: Looked::Run, says, words: words.into() })
}

fn signal(facts: &Facts) -> Evidence {
    let (says, words) = match &facts.signal {
        SignalState::Firing { since: Some(since) } if *since > facts.finished_at => {
            (Says::DidNot, format!("it fires again, since {since}"))
        }
        SignalState::Firing { since: Some(since) } => (Says::DidNot, format!("it still fires, since {since}")),
        SignalState::Firing { since: None } => (Says::DidNot, "it still fires".to_owned()),
        SignalState::Resolved { at: Some(at) } if *at <= facts.started_at => {
            (Says::Open, format!("it had cleared at {at}, before the run began"))
        }
        SignalState::Resolved { at: Some(at) } => (Says::Helped, format!("it cleared at {at}")),
        SignalState::Resolved { at: None } => (Says::Helped, "it has cleared".to_owned()),
        SignalState::Unknown { why } => (Says::Nothing, why.clone()),
    };
    Evidence { of: Looked::Signal, says, words }
}

fn health(target: &TargetHealth) -> Evidence {
    let (says, words) = match target {
        TargetHealth::Missing => (Says::Open, "the cluster has it no more".to_owned()),
        TargetHealth::Unknown { why } => (Says::Nothing, why.clone()),
        TargetHealth::Seen(seen) => {
            let TargetSeen { wanted, ready, old, restarts, .. } = seen;
            let older = match old {
                0 => String::new(),
                n => format!(", {n} of an older one still there"),
            };
            let restarted = match restarts {
                0 => "none has restarted since the run".to_owned(),
                1 => "1 restart since the run".to_owned(),
                n => format!("{n} restarts since the run"),
            };
            let words = format!("{ready} of {wanted} pods of its newest template are ready{older}, {restarted}");
            let says = if *wanted == 0 {
                Says::Open
            } else if ready >= wanted && *old == 0 && *restarts == 0 {
                Says::Helped
            } else {
                Says::DidNot
            };
            (says, words)
        }
    };
    Evidence { of: Looked::Target, says, words }
}

fn metric(seen: &MetricSeen) -> Evidence {
    let (says, words) = match seen {
        MetricSeen::Unknown { why } => (Says::Nothing, why.clone()),
        MetricSeen::Read { before, after, better } => {
            let moved = after - before;
            let far = moved.abs() >= before.abs() * MOVED && moved != 0.0;
            let right = match better {
                Better::Lower => moved < 0.0,
                Better::Higher => moved > 0.0,
            };
            let says = match (far, right) {
                (true, true) => Says::Helped,
                (true, false) => Says::DidNot,
                (false, _) => Says::Open,
            };
            let wanted = if *better == Better::Lower { "less" } else { "more" };
            (says, format!("it was {before:.4} when the run began and is {after:.4} now; {wanted} is better"))
        }
    };
    Evidence { of: Looked::Metric, says, words }
}

fn others(facts: &Facts) -> Option<Evidence> {
    let first = facts.others.first()?;
    let more = match facts.others.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let words = format!("{first}{more} ran on the same object in this time: neither takes the credit alone");
    Some(Evidence { of: Looked::Others, says: Says::Open, words })
}

/// By whom the target's spec was changed after the run.
fn changed_since(facts: &Facts) -> Option<String> {
    let Some(TargetHealth::Seen(TargetSeen { changed: Some((at, by)), .. })) = &facts.target else { return None };
    let by = if by.is_empty() { "somebody" } else { by.as_str() };
    (at.since(facts.finished_at) > GRACE_MS).then(|| format!("{by} at {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    /// A run from 10 s to 20 s that went through, and whose signal cleared at 30 s.
    fn facts() -> Facts {
        Facts {
            state: ExecutionState::Succeeded,
            started_at: at(10_000),
            finished_at: at(20_000),
            signal: SignalState::Resolved { at: Some(at(30_000)) },
            target: Some(TargetHealth::Seen(TargetSeen { wanted: 2, ready: 2, ..TargetSeen::default() })),
            metric: None,
            others: vec![],
        }
    }

    fn unknown() -> SignalState {
        SignalState::Unknown { why: "no source of signals is set".into() }
    }

    fn verdict_of(change: impl FnOnce(&mut Facts)) -> Assessment {
        let mut facts = facts();
        change(&mut facts);
        judge(&facts, at(60_000)).verdict
    }

    fn with_target(change: impl FnOnce(&mut TargetSeen)) -> TargetHealth {
        let mut seen = TargetSeen { wanted: 2, ready: 2, ..TargetSeen::default() };
        change(&mut seen);
        TargetHealth::Seen(seen)
    }

    #[test]
    fn a_signal_that_cleared_over_a_target_that_is_well_is_effective() {
        let judged = judge(&facts(), at(60_000));
        assert_eq!((judged.verdict, judged.cleared_at), (Assessment::Effective, Some(at(30_000))));
        let says: Vec<_> = judged.evidence.iter().map(|one| (one.of, one.says)).collect();
        assert_eq!(says, [(Looked::Signal, Says::Helped), (Looked::Target, Says::Helped)]);
        // Where the source does not say when it cleared, it is known to have by now.
        let vague = Facts { signal: SignalState::Resolved { at: None }, ..facts() };
        assert_eq!(judge(&vague, at(60_000)).cleared_at, Some(at(60_000)));
    }

    #[test]
    fn a_firing_alert_is_never_effective_whatever_else_is_seen() {
        let states = ExecutionState::ALL;
        let metrics = [
            None,
            Some(MetricSeen::Read { before: 9.0, after: 0.0, better: Better::Lower }),
            Some(MetricSeen::Unknown { why: "x".into() }),
        ];
        let targets = [
            None,
            Some(with_target(|_| ())),
            Some(with_target(|seen| seen.changed = Some((at(40_000), "kubectl-edit".into())))),
            Some(TargetHealth::Missing),
        ];
        for (state, metric) in states.iter().flat_map(|s| metrics.iter().map(move |m| (s, m))) {
            for (target, since) in targets.iter().flat_map(|t| [None, Some(at(1)), Some(at(50_000))].map(|s| (t, s))) {
                for others in [vec![], vec!["another".to_owned()]] {
                    let facts = Facts {
                        state: *state,
                        signal: SignalState::Firing { since },
                        target: target.clone(),
                        metric: metric.clone(),
                        others,
                        ..facts()
                    };
                    assert_ne!(judge(&facts, at(60_000)).verdict, Assessment::Effective, "{facts:?}");
                }
            }
        }
    }

    #[test]
    fn an_alert_that_never_resolves_is_ineffective() {
        let firing = |since| SignalState::Firing { since };
        assert_eq!(verdict_of(|f| f.signal = firing(Some(at(1)))), Assessment::Ineffective);
        assert_eq!(verdict_of(|f| f.signal = firing(None)), Assessment::Ineffective);
        let undone = verdict_of(|f| {
            f.signal = firing(None);
            f.target = Some(with_target(|seen| seen.changed = Some((at(40_000), "argocd".into()))));
        });
        assert_eq!(undone, Assessment::Inconclusive, "whoever changed it since may have undone it");
    }

    #[test]
    fn an_alert_that_resolved_before_the_run_is_not_its_doing() {
        let early = Facts { signal: SignalState::Resolved { at: Some(at(10_000)) }, ..facts() };
        let judged = judge(&early, at(60_000));
        assert_eq!((judged.verdict, judged.cleared_at), (Assessment::Inconclusive, None));
        // While it ran, it may be.
        assert_eq!(verdict_of(|f| f.signal = SignalState::Resolved { at: Some(at(10_001)) }), Assessment::Effective);
    }

    #[test]
    fn of_two_runs_on_one_target_neither_takes_the_credit_alone() {
        assert_eq!(verdict_of(|f| f.others = vec!["a".into(), "b".into()]), Assessment::Inconclusive);
        // That it still fires is plain for both.
        let firing = verdict_of(|f| {
            f.others = vec!["a".into()];
            f.signal = SignalState::Firing { since: None };
        });
        assert_eq!(firing, Assessment::Ineffective);
    }

    #[test]
    fn the_old_pods_and_restarts_of_a_lifetime_are_not_the_targets_health() {
        let ill: [fn(&mut TargetSeen); 3] = [|s| s.ready = 1, |s| s.old = 1, |s| s.restarts = 1];
        for change in ill {
            assert_eq!(
                verdict_of(|f| f.target = Some(with_target(change))),
                Assessment::Inconclusive,
                "cleared, but not well"
            );
            let alone = verdict_of(|f| {
                f.signal = unknown();
                f.target = Some(with_target(change));
            });
            assert_eq!(alone, Assessment::Ineffective);
        }
        let none_wanted = verdict_of(|f| f.target = Some(with_target(|s| (s.wanted, s.ready) = (0, 0))));
        assert_eq!(none_wanted, Assessment::Inconclusive);
    }

    #[test]
    fn without_word_of_the_signal_only_a_number_makes_it_effective() {
        assert_eq!(verdict_of(|f| f.signal = unknown()), Assessment::Inconclusive, "it may have been well before");
        let moved = |after| {
            verdict_of(|f| {
                f.signal = unknown();
                f.metric = Some(MetricSeen::Read { before: 10.0, after, better: Better::Lower });
            })
        };
        assert_eq!(moved(2.0), Assessment::Effective);
        assert_eq!(moved(9.5), Assessment::Inconclusive, "it has hardly moved");
        assert_eq!(moved(14.0), Assessment::Inconclusive, "a target that is well, and a number that got worse");
    }

    #[test]
    fn where_nothing_can_be_seen_nothing_is_assessed() {
        let blind = |state| {
            verdict_of(|f| {
                f.state = state;
                f.signal = unknown();
                f.target = Some(TargetHealth::Unknown { why: "no right".into() });
            })
        };
        assert_eq!(blind(ExecutionState::Succeeded), Assessment::NotAssessed);
        assert_eq!(blind(ExecutionState::Failed), Assessment::NotAssessed);
    }

    #[test]
    fn a_run_that_failed_takes_no_credit_and_one_that_was_stopped_is_not_judged() {
        assert_eq!(verdict_of(|f| f.state = ExecutionState::Failed), Assessment::Inconclusive, "yet it cleared");
        for state in [ExecutionState::Failed, ExecutionState::TimedOut] {
            let firing = verdict_of(|f| {
                f.state = state;
                f.signal = SignalState::Firing { since: None };
            });
            assert_eq!(firing, Assessment::Ineffective);
        }
        for state in [ExecutionState::Cancelled, ExecutionState::Lost] {
            assert_eq!(verdict_of(|f| f.state = state), Assessment::NotAssessed);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_effective_that_is_not() {
        // The look is before the end, and the end before the beginning.
        let moved = Facts { started_at: at(90_000), finished_at: at(20_000), ..facts() };
        let judged = judge(&moved, at(5_000));
        assert_eq!((judged.verdict, judged.cleared_at), (Assessment::Inconclusive, None));
    }

    #[test]
    fn a_change_in_the_runs_last_second_is_the_runs_own() {
        let changed =
            |ms| verdict_of(|f| f.target = Some(with_target(|s| s.changed = Some((at(ms), "kubectl".into())))));
        assert_eq!(changed(15_000), Assessment::Effective);
        assert_eq!(changed(21_000), Assessment::Effective);
        assert_eq!(changed(21_001), Assessment::Inconclusive);
    }
}
