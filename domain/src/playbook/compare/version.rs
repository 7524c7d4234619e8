//! The version that a change asks for.

use super::Reach;
use crate::playbook::Version;

/// The next version after `old` for a change of that reach which is not taken yet. Before 1.0.0 a minor version may break
/// (SemVer, item 4), and after a pre-release comes its release.
pub fn proposed(old: &Version, reach: Reach, taken: &[Version]) -> Version {
    let mut next = step(old, reach);
    for _ in taken {
        if !taken.contains(&next) {
            break;
        }
        next = step(&next, reach);
    }
    next
}

fn step(from: &Version, reach: Reach) -> Version {
    let (major, minor, patch) = from.core();
    if from.is_prerelease() {
        return Version::new(major, minor, patch);
    }
    match (reach, major) {
        (Reach::Breaking, 0) => Version::new(0, minor.saturating_add(1), 0),
        (Reach::Breaking, _) => Version::new(major.saturating_add(1), 0, 0),
        (Reach::Compatible, 1..) => Version::new(major, minor.saturating_add(1), 0),
        (Reach::Compatible, 0) | (Reach::Patch, _) => Version::new(major, minor, patch.saturating_add(1)),
    }
}

/// Whether `new` is as large a step from `old` as a change of that reach asks for.
pub fn says_enough(old: &Version, new: &Version, reach: Reach) -> bool {
    new > old && (*new >= step(old, reach) || (new.is_prerelease() && new.release() >= step(old, reach)))
}
