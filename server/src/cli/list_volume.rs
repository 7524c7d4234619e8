//! `list-volume`: what the pod runs that lists a workspace. It walks a directory without following links and prints a listing, as
//! `domain::workspace` reads it. It opens directories alone, never a file. Nobody writes to the volume of a run that has ended; a
//! link that took a directory's place between two looks would lead into the pod's own root, which holds this program.

use super::{Fault, print};
use domain::{
    time::Timestamp,
    workspace::{BYTES, Cut, DEPTH, ENTRIES, EntryKind, SECONDS, WorkspaceEntry, WorkspaceListing, name},
};
use std::{
    collections::VecDeque,
    fs::{self, DirEntry, Metadata},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant, UNIX_EPOCH},
};

/// Bytes of a listing around its entries, with all reasons why it is cut.
const AROUND: usize = 200;

/// Prints what the directory holds.
pub fn list_volume(path: &Path) -> Result<(), Fault> {
    let begun = Instant::now();
    let listing = walk(path, || begun.elapsed() >= Duration::from_secs(SECONDS))
        .map_err(|error| Fault::failed(format!("{} can't be read: {error}", path.display())))?;
    print(&serde_json::to_string(&listing).map_err(|error| Fault::failed(error.to_string()))?);
    Ok(())
}

/// Walks level by level, so that what is cut short still shows the whole upper part. Only a root that can't be read is an error.
fn walk(root: &Path, late: impl Fn() -> bool) -> std::io::Result<WorkspaceListing> {
    let mut walk = Walk { late, listing: WorkspaceListing::default(), bytes: AROUND, stopped: false };
    let mut waiting = VecDeque::from([(root.to_owned(), String::new(), 0)]);
    let mut first = Some(fs::read_dir(root)?);
    while let Some((directory, path, depth)) = waiting.pop_front() {
        let Ok(found) = first.take().map_or_else(|| fs::read_dir(&directory), Ok) else {
            walk.listing.unread += 1;
            continue;
        };
        walk.directory(found, &path, depth, &mut waiting);
        if walk.stopped {
            break;
        }
    }
    let mut listing = walk.listing;
    // A directory stands before what is in it.
    listing.entries.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    listing.cut.sort_unstable();
    listing.cut.dedup();
    Ok(listing)
}

struct Walk<F> {
    late: F,
    listing: WorkspaceListing,
    bytes: usize,
    stopped: bool,
}

impl<F: Fn() -> bool> Walk<F> {
    /// Lists one directory, whose path in the volume this is; what lies in it to be walked later goes to `waiting`.
    fn directory(
        &mut self,
        found: fs::ReadDir,
        path: &str,
        depth: usize,
        waiting: &mut VecDeque<(PathBuf, String, usize)>,
    ) {
        for entry in found {
            if (self.late)() {
                return self.stop(Cut::Time);
            }
            if depth >= DEPTH {
                return self.listing.cut.push(Cut::Depth);
            }
            let Ok(entry) = entry else {
                self.listing.unread += 1;
                continue;
            };
            // Of the entry itself: a link is not followed.
            let Ok(metadata) = entry.metadata() else {
                self.listing.unread += 1;
                continue;
            };
            let entry_path = joined(path, &entry);
            if !self.add(told(entry_path.clone(), &metadata)) {
                return;
            }
            if metadata.is_dir() {
                waiting.push_back((entry.path(), entry_path, depth + 1));
            }
        }
    }

    /// Whether there was room for it.
    fn add(&mut self, entry: WorkspaceEntry) -> bool {
        let size = serde_json::to_string(&entry).map_or(BYTES, |text| text.len() + 1);
        if self.listing.entries.len() >= ENTRIES {
            self.stop(Cut::Entries);
        } else if self.bytes + size > BYTES {
            self.stop(Cut::Bytes);
        } else {
            self.bytes += size;
            self.listing.entries.push(entry);
        }
        !self.stopped
    }

    fn stop(&mut self, cut: Cut) {
        self.listing.cut.push(cut);
        self.stopped = true;
    }
}

fn joined(path: &str, entry: &DirEntry) -> String {
    let name = name(entry.file_name().as_bytes());
    if path.is_empty() { name } else { format!("{path}/{name}") }
}

fn told(path: String, metadata: &Metadata) -> WorkspaceEntry {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => EntryKind::File,
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_symlink() => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let size = (kind == EntryKind::File).then_some(metadata.len());
    WorkspaceEntry { path, kind, size, modified_at: modified(metadata) }
}

/// None before 1970 and after what can be written.
fn modified(metadata: &Metadata) -> Option<Timestamp> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let at = Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?);
    Timestamp::parse(&at.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::fs::symlink};

    fn listed(root: &Path) -> WorkspaceListing {
        let listing = walk(root, || false).unwrap();
        let text = serde_json::to_string(&listing).unwrap();
        assert!(text.len() <= BYTES, "{}", text.len());
        assert_eq!(WorkspaceListing::parse(&text).as_ref(), Ok(&listing), "what is written is read");
        listing
    }

    fn paths(listing: &WorkspaceListing) -> Vec<&str> {
        listing.entries.iter().map(|entry| entry.path.as_str()).collect()
    }

    #[test]
    fn names_kinds_and_sizes_are_told_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("out/deep")).unwrap();
        fs::write(root.join("out/report.json"), b"{}\n").unwrap();
        fs::write(root.join("out.txt"), b"").unwrap();
        symlink(root, root.join("out/deep/loop")).unwrap();
        symlink("/etc", root.join("etc")).unwrap();
        symlink("/nowhere", root.join("broken")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        let listing = listed(root);
        let all: Vec<_> = listing.entries.iter().map(|e| (e.path.as_str(), e.kind, e.size)).collect();
        assert_eq!(
            all,
            [
                ("broken", EntryKind::Link, None),
                ("etc", EntryKind::Link, None),
                ("out", EntryKind::Directory, None),
                ("out/deep", EntryKind::Directory, None),
                ("out/deep/loop", EntryKind::Link, None),
                ("out/report.json", EntryKind::File, Some(3)),
                ("out.txt", EntryKind::File, Some(0)),
                ("socket", EntryKind::Other, None),
            ]
        );
        assert!(listing.entries.iter().all(|entry| entry.modified_at.is_some()));
        assert_eq!((listing.cut.as_slice(), listing.unread), ([].as_slice(), 0));
    }

    #[test]
    fn names_that_are_no_text_are_made_one() {
        let dir = tempfile::tempdir().unwrap();
        for name in [b"a\xffb".as_slice(), b"x\ny\x1b[31m", "exe.\u{202e}txt".as_bytes(), b"\"quoted\\"] {
            fs::write(dir.path().join(OsStr::from_bytes(name)), b"").unwrap();
        }
        let listing = listed(dir.path());
        assert_eq!(paths(&listing), ["\"quoted\\", "a\u{fffd}b", "exe.\u{fffd}txt", "x\u{fffd}y\u{fffd}[31m"]);
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_cut_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let deep = (0..DEPTH + 3).fold(dir.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(deep).unwrap();
        let listing = listed(dir.path());
        assert_eq!((listing.entries.len(), listing.cut.as_slice()), (DEPTH, [Cut::Depth].as_slice()));

        let dir = tempfile::tempdir().unwrap();
        for number in 0..=ENTRIES {
            fs::write(dir.path().join(format!("{number:05}")), b"").unwrap();
        }
        let listing = listed(dir.path());
        assert_eq!((listing.entries.len(), listing.cut.as_slice()), (ENTRIES, [Cut::Entries].as_slice()));
        fs::remove_file(dir.path().join("00000")).unwrap();
        assert_eq!(listed(dir.path()).cut, [], "as many as may be are all");

        // Each byte of these names takes six in JSON's words or three in UTF-8.
        let dir = tempfile::tempdir().unwrap();
        let parent = dir.path().join("\u{1}".repeat(255)).join("\u{1}".repeat(255));
        fs::create_dir_all(&parent).unwrap();
        for number in 0..1500 {
            fs::write(parent.join(format!("{number:0>255}")), b"").unwrap();
        }
        let listing = listed(dir.path());
        assert_eq!(listing.cut, [Cut::Bytes]);
        assert!(listing.entries.len() > 400, "{}", listing.entries.len());
    }

    #[test]
    fn a_walk_ends_when_its_time_is_over() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        let looks = std::cell::Cell::new(0);
        let late = || {
            looks.set(looks.get() + 1);
            looks.get() > 2
        };
        let listing = walk(dir.path(), late).unwrap();
        assert_eq!((listing.entries.len(), listing.cut.as_slice()), (2, [Cut::Time].as_slice()));
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        assert!(walk(Path::new("/nowhere/at/all"), || false).is_err());
    }
}
