//! Whose an object is that Kubernetes warned of: an Event names the object, not the run. Pure.

use super::warned::CLAIM;
use domain::warning::Warning;
use std::collections::{HashMap, HashSet};

/// What a Warning is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// The object of this uid.
    Uid(String),
    /// The claim of this name: nobody watches claims, so their uids are not known.
    Claim(String),
}

impl About {
    /// What this Warning, of an object with this uid, is about.
    pub fn of(uid: &str, warning: &Warning) -> Self {
        if warning.kind == CLAIM { Self::Claim(warning.object.clone()) } else { Self::Uid(uid.to_owned()) }
    }
}

/// The objects of runs.
#[derive(Debug, Default)]
pub struct Owners {
    runs: HashMap<About, String>,
    of_run: HashMap<String, HashSet<About>>,
}

impl Owners {
    /// These are the run's. What it had stays its own.
    pub fn own(&mut self, run: &str, objects: impl Iterator<Item = About>) {
        let of_run = self.of_run.entry(run.to_owned()).or_default();
        for object in objects {
            if of_run.insert(object.clone()) {
                self.runs.insert(object, run.to_owned());
            }
        }
    }

    /// The run whose it is.
    pub fn run(&self, object: &About) -> Option<&str> {
        self.runs.get(object).map(String::as_str)
    }

    /// Drops a run with all its objects.
    pub fn forget(&mut self, run: &str) {
        for object in self.of_run.remove(run).into_iter().flatten() {
            if self.run(&object) == Some(run) {
                self.runs.remove(&object);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_its_run_until_that_is_forgotten() {
        let uid = |uid: &str| About::Uid(uid.to_owned());
        let mut owners = Owners::default();
        owners.own("a", [uid("1"), About::Claim("c".into())].into_iter());
        owners.own("a", [uid("1"), uid("2")].into_iter());
        owners.own("b", [uid("3"), uid("2")].into_iter());
        assert_eq!((owners.run(&uid("1")), owners.run(&About::Claim("c".into()))), (Some("a"), Some("a")));
        assert_eq!(owners.run(&uid("c")), None, "a name is no uid");
        owners.forget("a");
        assert_eq!((owners.run(&uid("1")), owners.run(&uid("2"))), (None, Some("b")));
        owners.forget("b");
        assert!(owners.runs.is_empty() && owners.of_run.is_empty());
    }
}
