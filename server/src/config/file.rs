//! The configuration file.

use super::{ConfigError, Given, oidc, settings};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// The file's form: a flat TOML table with the flags' names as keys.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct FileForm(BTreeMap<String, toml::Value>);

/// What it says.
pub fn read(path: &Path) -> Result<Given, ConfigError> {
    let fault = |detail: String| ConfigError::File { path: path.to_owned(), detail };
    let text = std::fs::read_to_string(path).map_err(|e| fault(e.to_string()))?;
    // What stands in the line may be secret: the fault says where it is, and shows nothing of it.
    let FileForm(table) = toml::from_str(&text).map_err(|e| {
        let line = e.span().and_then(|at| text.get(..at.start)).map_or(1, |before| before.matches('\n').count() + 1);
        fault(format!("line {line} is no TOML: write name = \"value\""))
    })?;
    let mut given = Given::new();
    for (key, value) in table {
        let mut names = settings().map(|setting| setting.name);
        let Some(name) = names.find(|name| *name == key) else {
            let known: Vec<_> = settings().map(|setting| setting.name).collect();
            return Err(fault(format!("it has no setting \"{key}\"; known are {}", known.join(", "))));
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Table(table) if name == "oidc-role" => oidc::lines(&table)
                .ok_or_else(|| fault("oidc-role must name a role, or a list of roles, for each group".into()))?,
            other => return Err(fault(format!("{key} must be a text or a number, not a TOML {}", other.type_str()))),
        };
        given.insert(name, text);
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("console.toml");
        for (text, told) in [
            ("scene = \"off\"\nadmin-password = \"hunter2\n", "is no TOML"),
            ("admin-password = [\"hunter2\"]", "not a TOML array"),
            ("admin-password = hunter2", "line 1 is no TOML"),
            ("[admin-password]\nis = \"hunter2\"", "not a TOML table"),
            ("passwort = \"hunter2\"", "known are"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = read(&file).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}
