//! What Kubernetes warns of: its Events of type Warning about the objects of a run. Kubernetes forgets them after an hour; with the
//! run they stay. Pure: whoever reads Events says which are a run's.

use crate::{
    limits::warnings::{MESSAGE, OBJECT, OF_A_REASON, REASON},
    text::one_line,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// A Warning about an object of a run. The same again is counted, not kept once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// The object's kind: Pod, TaskRun, PipelineRun or PersistentVolumeClaim.
    pub kind: String,
    /// The object's name.
    pub object: String,
    /// The task that the object is of; none where it is of the whole run.
    pub task: Option<String>,
    /// A word for programs, `FailedMount`.
    pub reason: String,
    /// A sentence for people, on one line.
    pub message: String,
    /// How often it was told, at least.
    pub count: u32,
    /// When it was told first.
    pub first_at: Timestamp,
    /// When it was told last.
    pub last_at: Timestamp,
}

impl Warning {
    /// The same with texts that can be shown and kept: anybody who may write Events writes them.
    #[must_use]
    pub fn safe(self) -> Self {
        Self {
            object: one_line(&self.object, OBJECT),
            reason: one_line(&self.reason, REASON),
            message: one_line(&self.message, MESSAGE),
            ..self
        }
    }

    fn about(&self) -> (&str, &str, &str) {
        (&self.kind, &self.object, &self.reason)
    }

    fn key(&self) -> (&str, &str, &str, &str) {
        (&self.kind, &self.object, &self.reason, &self.message)
    }

    /// Counts the same one.
    fn again(&mut self, other: &Self) {
        self.task = self.task.take().or_else(|| other.task.clone());
        self.count = self.count.max(other.count);
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// Adds what was seen to what is known, newest first. Of one reason of an object the newest few are kept, of all at most `most`.
/// Whether anything changed; the same again changes nothing.
pub fn merge(known: &mut Vec<Warning>, seen: Vec<Warning>, most: usize) -> bool {
    if seen.is_empty() {
        return false;
    }
    let mut all = known.clone();
    all.extend(seen);
    all.sort_by(|a, b| a.key().cmp(&b.key()));
    all.dedup_by(|again, first| {
        let same = again.key() == first.key();
        if same {
            first.again(again);
        }
        same
    });
    all.sort_by_key(|warning| Reverse(warning.last_at));
    let mut kept: Vec<Warning> = Vec::new();
    for warning in all {
        if kept.len() == most {
            break;
        }
        if kept.iter().filter(|newer| newer.about() == warning.about()).count() < OF_A_REASON {
            kept.push(warning);
        }
    }
    let changed = kept != *known;
    *known = kept;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(object: &str, reason: &str, message: &str, last_at: i64) -> Warning {
        Warning {
            kind: "Pod".into(),
            object: object.into(),
            task: Some("execute".into()),
            reason: reason.into(),
            message: message.into(),
            count: 1,
            first_at: Timestamp::from_millis(last_at),
            last_at: Timestamp::from_millis(last_at),
        }
    }

    fn merged(seen: Vec<Warning>, most: usize) -> Vec<Warning> {
        let mut known = Vec::new();
        merge(&mut known, seen, most);
        known
    }

    #[test]
    fn the_same_again_is_counted_from_its_first_to_its_last() {
        let mut known = merged(vec![warning("a", "FailedMount", "no secret", 1000)], 9);
        let later = Warning {
            count: 4,
            first_at: Timestamp::from_millis(900),
            ..warning("a", "FailedMount", "no secret", 5000)
        };
        assert!(merge(&mut known, vec![later.clone()], 9));
        assert_eq!(known, [later]);
        let older = warning("a", "FailedMount", "no secret", 2000);
        assert!(!merge(&mut known, vec![older], 9), "what is older takes nothing back");
        for other in [
            warning("b", "FailedMount", "no secret", 1),
            warning("a", "FailedSync", "no secret", 1),
            warning("a", "FailedMount", "no volume", 1),
            Warning { kind: "TaskRun".into(), ..warning("a", "FailedMount", "no secret", 1) },
        ] {
            assert_eq!(merged(vec![known[0].clone(), other.clone()], 9).len(), 2, "{other:?}");
        }
    }

    #[test]
    fn the_newest_are_kept_and_a_reason_that_never_reads_the_same_leaves_room_for_others() {
        let mut seen = vec![warning("a", "FailedMount", "no secret", 1)];
        seen.extend((10..60).map(|n| warning("a", "FailedCreatePodSandBox", &format!("sandbox {n}"), n)));
        let kept = merged(seen.clone(), 9);
        let messages: Vec<&str> = kept.iter().map(|w| w.message.as_str()).collect();
        assert_eq!(messages, ["sandbox 59", "sandbox 58", "sandbox 57", "no secret"]);
        let many = (0..50).map(|n| warning(&format!("pod-{n}"), "FailedMount", "no secret", n)).collect::<Vec<_>>();
        let kept = merged(many.clone(), 9);
        assert_eq!((kept.len(), kept[0].object.as_str(), kept[8].object.as_str()), (9, "pod-49", "pod-41"));
        for (all, most) in [(seen, 2), (many, 9)] {
            let mut known = merged(all.clone(), most);
            assert!(!merge(&mut known, all, most), "what was dropped comes back to nothing");
        }
    }

    #[test]
    fn texts_are_made_safe() {
        let odd = warning("a", "Failed\u{202e}Mount", &format!("one\ntwo\0{}", "x".repeat(2000)), 1).safe();
        assert_eq!(odd.reason, "Failed Mount");
        assert!(odd.message.starts_with("one two x") && odd.message.ends_with('…'), "{}", odd.message);
        assert_eq!(odd.message.chars().count(), MESSAGE + 1);
    }
}
