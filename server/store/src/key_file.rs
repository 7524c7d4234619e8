//! The file with the keys of the audit trail, for its owner alone. It stands beside the database and never in it: whoever can
//! write to the one should not be able to read the other.

use domain::{
    audit::{Key, Keys},
    ports::{AuditKeys, AuditKeysError},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// What stands at the top of a file that is made here.
const PREFACE: &str = "# Keys of the audit trail, the oldest first. Keep all of them, and a copy elsewhere: rows are checked with the key that\n\
                       # chained them (docs/audit.md).\n";

/// A key file.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    fresh: fn() -> Key,
    known: RwLock<Option<Arc<Keys>>>,
}

impl KeyFile {
    /// At this path; `fresh` makes a key that nobody can guess.
    pub fn at(path: impl Into<PathBuf>, fresh: fn() -> Key) -> Self {
        Self { path: path.into(), fresh, known: RwLock::new(None) }
    }

    /// The key to change to from this one: the first after it in the file; where there is none, a new one is added.
    pub fn next_after(&self, id: &str) -> Result<Key, AuditKeysError> {
        let keys = self.keys(true)?;
        match keys.get(id).and(keys.after(id).first()) {
            Some(key) => Ok(key.clone()),
            None => self.add(),
        }
    }

    /// Adds a new key. Neither a reader nor a crash finds half a file.
    fn add(&self) -> Result<Key, AuditKeysError> {
        let key = (self.fresh)();
        let write = || {
            let mut text = match fs::read_to_string(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => PREFACE.to_owned(),
                read => read?,
            };
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&key.line());
            text.push('\n');
            replace(&self.path, &text)
        };
        write().map_err(|error| {
            let path = self.path.display();
            AuditKeysError(format!(
                "the key file {path} can't be written ({error}): make it writable for this user, choose another with \
                 --audit-key-file, or add a line of `kubernaut-console audit new-key` to it yourself"
            ))
        })?;
        self.keys(true)?;
        Ok(key)
    }
}

impl AuditKeys for KeyFile {
    fn keys(&self, anew: bool) -> Result<Arc<Keys>, AuditKeysError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|_| !anew) {
            return Ok(known);
        }
        let wrong =
            |what: String| AuditKeysError(format!("the key file {} can't be used: {what}", self.path.display()));
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| wrong(error.to_string()))?,
        };
        let keys = Arc::new(Keys::parse(&text).map_err(|fault| wrong(fault.to_string()))?);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    fn first(&self) -> Result<Key, AuditKeysError> {
        match self.keys(true)?.newest() {
            Some(key) => Ok(key.clone()),
            None => self.add(),
        }
    }
}

/// Puts a file with this text in the place of the one that is there, or of none.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    // Left by a start that was ended; its rights may be others.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;
    use std::{
        os::unix::fs::PermissionsExt as _,
        sync::atomic::{AtomicU8, Ordering},
    };

    fn fresh() -> Key {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        Key::new([NEXT.fetch_add(1, Ordering::Relaxed); 32], Timestamp::default())
    }

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/audit.keys");
        let file = KeyFile::at(&path, fresh);
        assert!(file.keys(false).unwrap().newest().is_none());
        assert!(!path.exists(), "asking makes nothing");
        let first = file.first().unwrap();
        assert_eq!((file.first().unwrap(), KeyFile::at(&path, fresh).first().unwrap()), (first.clone(), first.clone()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let second = file.next_after(first.id()).unwrap();
        assert_eq!(file.next_after(first.id()).unwrap(), second, "one that is there is taken");
        let third = file.next_after(second.id()).unwrap();
        assert_eq!(file.next_after("one that is lost").unwrap().id(), file.keys(false).unwrap().newest().unwrap().id());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# Keys of the audit trail"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('{')).count(), 4);
        // What another console adds is found when it is asked for anew.
        let other = KeyFile::at(&path, fresh);
        other.keys(false).unwrap();
        let fifth = file.next_after(file.keys(false).unwrap().newest().unwrap().id()).unwrap();
        assert!(
            other.keys(false).unwrap().get(fifth.id()).is_none() && other.keys(true).unwrap().get(fifth.id()).is_some()
        );
        assert_eq!(file.keys(false).unwrap().after(first.id())[1], third);
    }

    #[test]
    fn a_file_that_is_none_is_told_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        fs::write(&path, "\nnot a key\n").unwrap();
        let error = KeyFile::at(&path, fresh).first().unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("keys"), "{error}");
        let error = KeyFile::at(path.join("beneath"), fresh).first().unwrap_err().to_string();
        assert!(error.contains("can't be used"), "{error}");
    }
}
