//! The settings of the audit trail.

use super::{Config, ConfigError, Reader, Setting, days};
use std::path::{Path, PathBuf};

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "audit-key-file",
        "FILE",
        "The keys of the audit trail: one file for all consoles of a database \
         [KUBERNAUT_AUDIT_KEY_FILE] [default: audit.keys in the data directory]",
    ),
    Setting::flag(
        "audit-retention",
        "DAYS",
        "How long audit rows are kept, days, or off [KUBERNAUT_AUDIT_RETENTION] [default: off]",
    ),
];

/// The file with its keys: beside the embedded database, unless another is named.
pub(super) fn key_file(reader: &Reader<'_>, data_dir: &Path) -> PathBuf {
    reader.texts.get("audit-key-file").map_or_else(|| data_dir.join("audit.keys"), PathBuf::from)
}

/// How long its rows are kept, days; for ever when none.
pub(super) fn retention(reader: &Reader<'_>) -> Result<Option<u32>, ConfigError> {
    reader.get(
        "audit-retention",
        "off",
        |text| if text == "off" { Some(None) } else { days(text).map(Some) },
        "write off, or a number of days, 90 or more",
    )
}

/// For `config show`. Where the keys lie is no secret.
pub(super) fn shown(config: &Config) -> [(&'static str, String); 2] {
    [
        ("audit-key-file", config.audit_key_file.display().to_string()),
        ("audit-retention", config.audit_retention_days.map_or_else(|| "off".into(), |days| days.to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::Given;
    use super::*;

    fn load(name: &'static str, value: &str) -> Result<Config, ConfigError> {
        Config::load(&Given::from([(name, value.to_owned())]), None, |_| None)
    }

    #[test]
    fn the_trail_is_kept_for_ever_and_its_keys_beside_the_database() {
        let of = |name: &'static str, value: &str| load(name, value).unwrap();
        let usual = of("data-dir", "/somewhere");
        assert_eq!(
            (usual.audit_key_file.as_path(), usual.audit_retention_days),
            (Path::new("/somewhere/audit.keys"), None)
        );
        assert_eq!(of("audit-key-file", "/keys").audit_key_file, Path::new("/keys"));
        assert_eq!(of("audit-retention", "730").audit_retention_days, Some(730));
        assert_eq!(of("audit-retention", "off").audit_retention_days, None);
    }

    #[test]
    fn a_wrong_time_is_refused_with_what_to_write() {
        for value in ["30", "never"] {
            let error = load("audit-retention", value).unwrap_err().to_string();
            assert!(error.contains("audit-retention") && error.contains("write off"), "{error}");
        }
    }
}
