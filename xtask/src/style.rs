//! Joins the style sheets of `style/` into one. It reads no CSS: the order is by file name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What the others build on comes first; then every other sheet of `style/` by name, then `style/pages/` by name.
const FIRST: [&str; 5] = ["fonts.css", "tokens.css", "base.css", "shell.css", "components.css"];

/// All sheets below `style`, joined, each under a comment with its name.
pub fn join(style: &Path) -> Result<Vec<u8>> {
    let mut sheets = sheets(style)?;
    sheets.sort_by_key(|path| rank(path.file_name().map(|name| name.to_string_lossy()).as_deref()));
    let pages = style.join("pages");
    if pages.is_dir() {
        sheets.extend(self::sheets(&pages)?);
    }
    let mut joined = Vec::new();
    for sheet in sheets {
        let name = sheet.strip_prefix(style).unwrap_or(&sheet);
        joined.extend(format!("/* {} */\n", name.display()).bytes());
        joined.extend(fs::read(&sheet).with_context(|| format!("cannot read {}", sheet.display()))?);
        joined.push(b'\n');
    }
    Ok(joined)
}

fn rank(name: Option<&str>) -> usize {
    FIRST.iter().position(|first| Some(*first) == name).unwrap_or(FIRST.len())
}

/// The sheets that lie directly in a directory, by name.
fn sheets(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "css"));
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foundations_come_first_and_pages_last() {
        let style = tempfile::tempdir().unwrap();
        fs::create_dir(style.path().join("pages")).unwrap();
        for name in ["charts.css", "base.css", "pages/run.css", "tokens.css", "notes.md"] {
            fs::write(style.path().join(name), name).unwrap();
        }
        let joined = String::from_utf8(join(style.path()).unwrap()).unwrap();
        let order: Vec<&str> = joined.lines().filter(|line| line.starts_with("/*")).collect();
        assert_eq!(order, ["/* tokens.css */", "/* base.css */", "/* charts.css */", "/* pages/run.css */"]);
    }
}
