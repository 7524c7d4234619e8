//! A text that orders, byte by byte, as SemVer 2.0.0 (section 11) orders versions: databases know no versions.

use domain::{playbook::Version, ports::StoreError};
use std::fmt::Write as _;

/// The key of this version.
pub(crate) fn version_key(version: &Version) -> Result<String, StoreError> {
    let version: semver::Version = version
        .to_string()
        .parse()
        .map_err(|e| StoreError::Corrupt { what: "version", detail: format!("{version}: {e}") })?;
    let mut key = format!("{:020}.{:020}.{:020}", version.major, version.minor, version.patch);
    if version.pre.is_empty() {
        // A release comes after its pre-releases.
        key.push('~');
        return Ok(key);
    }
    key.push('-');
    for part in version.pre.split('.') {
        // Numbers come before words and are ordered by their length first; '!' is before every character of a word, so
        // that a word comes before the longer ones that begin with it.
        let numeric = part.bytes().all(|b| b.is_ascii_digit());
        let _ = if numeric { write!(key, "0{:03}{part}!", part.len()) } else { write!(key, "1{part}!") };
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_versions_do() {
        let versions = [
            "0.0.1",
            "0.9.0",
            "0.10.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-alpha-1",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
            "10.0.0-0",
            "10.0.0-1",
            "10.0.0-10",
            "10.0.0-a",
            "10.0.0",
            "18446744073709551615.0.0",
        ];
        let mut parsed: Vec<Version> = versions.iter().map(|v| v.parse().unwrap()).collect();
        parsed.sort();
        let mut keyed: Vec<(String, Version)> = parsed.iter().map(|v| (version_key(v).unwrap(), v.clone())).collect();
        keyed.sort();
        assert_eq!(keyed.into_iter().map(|(_, v)| v).collect::<Vec<_>>(), parsed);
    }
}
