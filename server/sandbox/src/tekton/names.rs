//! Names of children, as Tekton derives them (`knative.dev/pkg/kmeta.ChildName`): 63 characters at most, cut and hashed
//! beyond that.

use md5::{Digest, Md5};
use sha2::Sha256;

const LONGEST: usize = 63;
/// What stays of the parent's name beside 32 digits of MD5.
const HEAD: usize = LONGEST - 32;

fn cut(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text)
}

pub(crate) fn child(parent: &str, suffix: &str) -> String {
    if parent.len() + suffix.len() <= LONGEST {
        return format!("{parent}{suffix}");
    }
    if suffix.len() >= HEAD {
        let hash = hex::encode(Md5::digest(format!("{parent}{suffix}")));
        let name = format!("{}{hash}{suffix}", cut(parent, HEAD));
        return cut(&name, LONGEST).trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    }
    format!("{}{}{suffix}", cut(parent, HEAD - suffix.len()), hex::encode(Md5::digest(parent)))
}

/// The claim that a volume claim template becomes: the same for the same workspace of the same run.
pub(crate) fn claim(workspace: &str, run_uid: &str) -> String {
    let hash = hex::encode(Sha256::digest(format!("{workspace}{run_uid}")));
    format!("pvc-{}", cut(&hash, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_hashed_as_tekton_does() {
        assert_eq!(child("run", "-task"), "run-task");
        // Seen on a real Tekton: fixtures/long-names.
        let run = "remediation-inc-001-inc-001-inc-001-inc-001-inc-001-inc-001-abc";
        let task_run = child(run, "-execute");
        assert_eq!(task_run, "remediation-inc-001-inc65e3f36bea9d7b81e0eaa7331d5c3776-execute");
        assert_eq!(child(&task_run, "-pod"), "remediation-inc-001-inc65e32b0bcb1f5c4bc0d46c9f1fd7ccb1f961-pod");
        // Seen on a real Tekton: fixtures/first-step-fails.
        assert_eq!(claim("shared-workspace", "13252ed0-a9ef-4f13-9dcc-5340ec89f949"), "pvc-f1bb2d4002");
        let long = child("run", &format!("-{}", "t".repeat(62)));
        assert_eq!(long.len(), LONGEST);
    }
}
