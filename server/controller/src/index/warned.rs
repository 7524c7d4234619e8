//! What Kubernetes warned of, by the object that it is about. An Event may come before its object, and most are about objects that
//! are nobody's here: little is kept of each, and of the objects those of runs, and of others only those that were warned of last. Pure.

use super::owners::About;
use domain::warning::{self, Warning};
use std::collections::HashMap;

/// The kind of a claim: the one that is known by its name alone, since nobody watches claims.
pub const CLAIM: &str = "PersistentVolumeClaim";
/// What a run is made of.
const KINDS: [&str; 4] = ["Pod", "TaskRun", "PipelineRun", CLAIM];
/// Objects of which anything is kept.
const OBJECTS: usize = 500;
/// Warnings kept of an object.
const OF_AN_OBJECT: usize = 6;

/// All Warnings that are known.
#[derive(Debug, Default)]
pub struct Warnings {
    /// By the object's uid, newest first.
    by_uid: HashMap<String, Vec<Warning>>,
    /// Of the claims of one name the uid of the one that was warned of last.
    claims: HashMap<String, String>,
}

impl Warnings {
    /// Keeps one; whether it is new.
    pub fn put(&mut self, uid: &str, warning: Warning) -> bool {
        // A uid has 36 characters; what an Event says of its object nobody has checked.
        if uid.is_empty() || uid.len() > 64 || !KINDS.contains(&warning.kind.as_str()) {
            return false;
        }
        // The first that tells of an object says what it is.
        if self.by_uid.get(uid).is_some_and(|of| of.iter().any(|known| known.kind != warning.kind)) {
            return false;
        }
        if warning.kind == CLAIM && self.of_claim(&warning.object).first().is_none_or(|w| w.last_at <= warning.last_at)
        {
            self.claims.insert(warning.object.clone(), uid.to_owned());
        }
        let of_object = self.by_uid.entry(uid.to_owned()).or_default();
        warning::merge(of_object, vec![warning], OF_AN_OBJECT)
    }

    /// Drops what there is no room for: first what is no run's, the oldest of it.
    pub fn bound(&mut self, is_a_runs: impl Fn(&About) -> bool) {
        while self.by_uid.len() > OBJECTS {
            let oldest = self.by_uid.iter().min_by_key(|(uid, of)| {
                let newest = of.first();
                let kept =
                    newest.is_some_and(|warning| self.is_found(uid, warning) && is_a_runs(&About::of(uid, warning)));
                (kept, newest.map(|warning| warning.last_at))
            });
            let Some(oldest) = oldest.map(|(uid, _)| uid.clone()) else { break };
            self.drop_object(&oldest);
        }
    }

    /// Of the claims of one name one is found.
    fn is_found(&self, uid: &str, warning: &Warning) -> bool {
        warning.kind != CLAIM || self.claims.get(&warning.object).is_some_and(|last| last == uid)
    }

    /// Those about the object of this uid, newest first.
    pub fn of(&self, uid: &str) -> &[Warning] {
        self.by_uid.get(uid).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those about the claim of this name, newest first.
    pub fn of_claim(&self, name: &str) -> &[Warning] {
        self.claims.get(name).map(|uid| self.of(uid)).unwrap_or_default()
    }

    /// Drops what is known of objects that matter no more.
    pub fn forget<'a>(&mut self, uids: impl Iterator<Item = &'a str>, claims: impl Iterator<Item = &'a str>) {
        for uid in uids {
            self.by_uid.remove(uid);
        }
        for name in claims {
            if let Some(uid) = self.claims.remove(name) {
                self.by_uid.remove(&uid);
            }
        }
    }

    fn drop_object(&mut self, uid: &str) {
        self.by_uid.remove(uid);
        self.claims.retain(|_, of| of != uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;

    fn warning(kind: &str, object: &str, message: &str, at: i64) -> Warning {
        Warning {
            kind: kind.into(),
            object: object.into(),
            task: None,
            reason: format!("Because{message}"),
            message: message.into(),
            count: 1,
            first_at: Timestamp::from_millis(at),
            last_at: Timestamp::from_millis(at),
        }
    }

    #[test]
    fn only_what_runs_are_made_of_is_kept_and_the_same_again_is_not_new() {
        let mut known = Warnings::default();
        assert!(known.put("u", warning("Pod", "p", "x", 1)));
        assert!(!known.put("u", warning("Pod", "p", "x", 1)));
        assert!(known.put("u", Warning { count: 2, ..warning("Pod", "p", "x", 2) }));
        assert!(!known.put("d", warning("Deployment", "p", "x", 1)) && !known.put("", warning("Pod", "p", "x", 1)));
        assert_eq!((known.of("u").len(), known.of("d").len()), (1, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut known = Warnings::default();
        for n in 0..1000 {
            known.put("many", warning("Pod", "p", &n.to_string(), n));
            known.put(&format!("u{n}"), warning(CLAIM, &format!("c{n}"), "x", n));
            known.bound(|_| false);
        }
        assert_eq!((known.by_uid.len(), known.claims.len()), (OBJECTS, OBJECTS - 1));
        assert_eq!((known.of("many").len(), known.of("many")[0].message.as_str()), (OF_AN_OBJECT, "999"));
        assert!(known.of("u0").is_empty() && !known.of("u999").is_empty());
        known.forget(["many"].into_iter(), ["c999"].into_iter());
        assert!(known.of("many").is_empty() && known.of("u999").is_empty() && known.of_claim("c999").is_empty());
    }

    #[test]
    fn what_is_a_runs_own_is_kept_before_what_is_nobodys() {
        let mut known = Warnings::default();
        known.put("own", warning("Pod", "p", "x", 0));
        known.put("own-claim", warning(CLAIM, "c", "x", 0));
        for n in 1..1000 {
            known.put(&format!("u{n}"), warning("Pod", "p", "x", n));
            known.bound(|about| [About::Uid("own".into()), About::Claim("c".into())].contains(about));
        }
        assert_eq!(known.by_uid.len(), OBJECTS);
        assert!(!known.of("own").is_empty() && !known.of_claim("c").is_empty());
        assert!(known.of("u1").is_empty() && !known.of("u999").is_empty());
    }

    #[test]
    fn a_claim_is_found_by_its_name_and_never_mixed_with_an_earlier_one() {
        let mut known = Warnings::default();
        known.put("new", warning(CLAIM, "c", "b", 20));
        known.put("old", warning(CLAIM, "c", "a", 10));
        let messages: Vec<&str> = known.of_claim("c").iter().map(|w| w.message.as_str()).collect();
        assert_eq!(messages, ["b"]);
        assert!(known.of_claim("d").is_empty());
    }
}
