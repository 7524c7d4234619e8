//! The files that the console serves as they are: kept in memory, written to a directory together with their
//! compressed twins.
//!
//! It does not know where a file came from, nor that the server carries the directory inside its binary.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// What shrinks; pictures and fonts are compressed already.
const COMPRESSIBLE: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Paths relative to the site's root, with `/`, and contents.
#[derive(Debug, Default)]
pub struct Site(BTreeMap<String, Vec<u8>>);

impl Site {
    pub fn add(&mut self, path: &str, content: Vec<u8>) {
        self.0.insert(path.to_owned(), content);
    }

    /// Adds every file below a directory, at `prefix` (empty, or ending in `/`).
    pub fn add_tree(&mut self, directory: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
            let path = entry?.path();
            let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { continue };
            if path.is_dir() {
                self.add_tree(&path, &format!("{prefix}{name}/"))?;
            } else {
                self.add(
                    &format!("{prefix}{name}"),
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?,
                );
            }
        }
        Ok(())
    }

    /// SHA-256 over all paths and contents, in hex: changes when, and only when, a file does.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, content) in &self.0 {
            hash.update(path.len().to_le_bytes());
            hash.update(path);
            hash.update(content.len().to_le_bytes());
            hash.update(content);
        }
        hex::encode(hash.finalize())
    }

    /// Makes `directory` hold exactly these files with their `.br` and `.gz`. Files that are right already are not
    /// touched, so that whoever watches the directory builds anew only when something changed. `quality` is brotli's,
    /// 0 to 11.
    pub fn write(&self, directory: &Path, quality: u32) -> Result<()> {
        let mut wanted = Vec::new();
        for (path, content) in &self.0 {
            let path = directory.join(path);
            let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
            let twins = match extension {
                Some(extension) if COMPRESSIBLE.contains(&extension.as_str()) => {
                    vec![path.with_extension(format!("{extension}.br")), path.with_extension(format!("{extension}.gz"))]
                }
                _ => Vec::new(),
            };
            let fresh =
                fs::read(&path).is_ok_and(|present| present == *content) && twins.iter().all(|twin| twin.is_file());
            if !fresh {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                for twin in &twins {
                    let brotli = twin.extension().is_some_and(|extension| extension == "br");
                    write(twin, &if brotli { brotli_of(content, quality)? } else { gzip_of(content)? })?;
                }
                write(&path, content)?;
            }
            wanted.push(path);
            wanted.extend(twins);
        }
        remove_others(directory, &wanted)
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn brotli_of(content: &[u8], quality: u32) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 64 * 1024, quality, 22).write_all(content)?;
    Ok(out)
}

fn gzip_of(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

fn remove_others(directory: &Path, wanted: &[PathBuf]) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn site(files: &[(&str, &str)]) -> Site {
        let mut site = Site::default();
        for (path, content) in files {
            site.add(path, content.as_bytes().to_vec());
        }
        site
    }

    #[test]
    fn the_directory_holds_exactly_the_site() {
        let directory = tempfile::tempdir().unwrap();
        site(&[("pkg/a.js", "let a = 1;"), ("old/b.txt", "gone soon")]).write(directory.path(), 5).unwrap();
        site(&[("pkg/a.js", "let a = 2;"), ("c.woff2", "font")]).write(directory.path(), 5).unwrap();

        let mut found = Site::default();
        found.add_tree(directory.path(), "").unwrap();
        let paths: Vec<&str> = found.0.keys().map(String::as_str).collect();
        assert_eq!(paths, ["c.woff2", "pkg/a.js", "pkg/a.js.br", "pkg/a.js.gz"]);

        let mut plain = String::new();
        brotli::Decompressor::new(found.0["pkg/a.js.br"].as_slice(), 4096).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, "let a = 2;");
        plain.clear();
        flate2::read::GzDecoder::new(found.0["pkg/a.js.gz"].as_slice()).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, "let a = 2;");
    }

    #[test]
    fn an_unchanged_file_is_not_written_again() {
        let directory = tempfile::tempdir().unwrap();
        let same = site(&[("a.css", "b {}")]);
        same.write(directory.path(), 5).unwrap();
        let before = fs::metadata(directory.path().join("a.css")).unwrap().modified().unwrap();
        same.write(directory.path(), 5).unwrap();
        assert_eq!(fs::metadata(directory.path().join("a.css")).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn the_digest_follows_the_content() {
        let one = site(&[("a", "1")]);
        assert_eq!(one.digest(), site(&[("a", "1")]).digest());
        assert_ne!(one.digest(), site(&[("a", "2")]).digest());
        assert_ne!(one.digest(), site(&[("b", "1")]).digest());
    }
}
