//! The library: the playbooks that a small SRE team would have, among them the seeds' four. What is in them stands in
//! `playbooks/`.

use domain::playbook::Registration;
use serde_json::Value;

/// A registration and, where a later version has taken its place, why.
#[derive(Debug)]
pub struct Entry {
    file: &'static str,
    text: &'static str,
    /// Why it is deprecated; none when it is not.
    pub deprecated: Option<&'static str>,
}

/// A file of the library is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("the playbook {file} of the library can't be read: {detail}")]
pub struct LibraryError {
    file: &'static str,
    detail: String,
}

macro_rules! entry {
    ($file:literal) => {
        entry!($file, None)
    };
    ($file:literal, $deprecated:expr) => {
        Entry { file: $file, text: include_str!(concat!("../playbooks/", $file, ".json")), deprecated: $deprecated }
    };
}

/// In the order in which they are registered: older versions first.
pub static LIBRARY: [Entry; 13] = [
    entry!("oomkill-scale-down-1.0.0", Some("1.1.0 never scales to zero and reports what it did")),
    entry!("oomkill-scale-down-1.1.0"),
    entry!("oomkill-increase-memory-1.0.0", Some("1.1.0 checks names and reports what it did")),
    entry!("oomkill-increase-memory-1.1.0"),
    entry!("oomkill-optimize-application-1.0.0", Some("1.1.0 checks names and reports what it did")),
    entry!("oomkill-optimize-application-1.1.0"),
    entry!("oomkill-cost-optimized-1.0.0"),
    entry!("pod-restart-rolling-1.0.0", Some("1.1.0 stops at the first batch that does not become ready")),
    entry!("pod-restart-rolling-1.1.0"),
    entry!("deployment-rollback-1.0.0"),
    entry!("node-drain-1.0.0"),
    entry!("disk-prune-images-1.0.0"),
    entry!("certificate-renew-1.0.0"),
];

impl Entry {
    /// The registration as it is sent.
    pub fn body(&self) -> Result<Value, LibraryError> {
        serde_json::from_str(self.text).map_err(|error| self.broken(Some(&error)))
    }

    /// The registration as it is read.
    pub fn registration(&self) -> Result<Registration, LibraryError> {
        Registration::parse(&self.body()?).map_err(|faults| self.broken(faults.into_vec().first()))
    }

    fn broken(&self, why: Option<&impl std::fmt::Display>) -> LibraryError {
        LibraryError { file: self.file, detail: why.map(ToString::to_string).unwrap_or_default() }
    }
}

/// All of it, as it is read.
pub fn registrations() -> Result<Vec<Registration>, LibraryError> {
    LIBRARY.iter().map(Entry::registration).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registration_is_good_and_named_after_its_file() {
        for entry in &LIBRARY {
            let registration = entry.registration().unwrap();
            assert_eq!(format!("{}-{}", registration.id, registration.version), entry.file);
        }
        assert_eq!(registrations().unwrap().len(), LIBRARY.len());
    }

    #[test]
    fn the_seeds_are_registered_as_they_are() {
        let seeds = [
            ("oomkill-scale-down-1.0.0", include_str!("../../../domain/tests/seeds/hidden-oomkill-scale-down.json")),
            (
                "oomkill-increase-memory-1.0.0",
                include_str!("../../../domain/tests/seeds/hidden-oomkill-increase-memory.json"),
            ),
            (
                "oomkill-optimize-application-1.0.0",
                include_str!("../../../domain/tests/seeds/hidden-oomkill-optimize-application.json"),
            ),
            ("oomkill-cost-optimized-1.0.0", include_str!("../../../domain/tests/seeds/oomkill-cost-optimized.json")),
        ];
        for (file, seed) in seeds {
            let entry = LIBRARY.iter().find(|e| e.file == file).unwrap();
            assert_eq!(entry.body().unwrap(), serde_json::from_str::<Value>(seed).unwrap(), "{file}");
        }
    }

    #[test]
    fn what_the_sandbox_cannot_perform_says_so() {
        for entry in &LIBRARY {
            let registration = entry.registration().unwrap();
            let performed = registration.image.repository().contains("playbook-oomkill-");
            let said = registration.description.contains("The sandbox has no stand-in for this image");
            assert_eq!(performed, !said, "{}", entry.file);
        }
    }
}
