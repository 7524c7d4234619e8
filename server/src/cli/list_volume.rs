//! `list-volume`: what the pod runs that lists a workspace. It walks a directory without following links and prints a listing, as
//! `domain::workspace` reads it. It opens directories alone, never a file, and each from the one it lies in: a link that took a directory's
//! place since it was seen (a run's last pods may still write) leads nowhere.

use super::{Fault, print};
use domain::{
    time::Timestamp,
    workspace::{BYTES, Cut, DEPTH, ENTRIES, EntryKind, SECONDS, WorkspaceEntry, WorkspaceListing, name},
};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, open, openat, statat};
use std::{
    collections::VecDeque,
    ffi::OsStr,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
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
fn walk(root: &Path, late: impl Fn() -> bool) -> io::Result<WorkspaceListing> {
    let root = open(root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut walk = Walk { late, listing: WorkspaceListing::default(), bytes: AROUND, stopped: false };
    let mut waiting = VecDeque::from([(PathBuf::new(), String::new(), 0)]);
    while let Some((directory, path, depth)) = waiting.pop_front() {
        let Ok(found) = beneath(&root, &directory).and_then(|directory| Ok(Dir::new(directory)?)) else {
            walk.listing.unread += 1;
            continue;
        };
        walk.directory(found, &directory, &path, depth, &mut waiting);
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

/// The directory at this path below the root, opened name by name: as many at once as lie in a volume could not be kept open.
fn beneath(root: &OwnedFd, path: &Path) -> io::Result<OwnedFd> {
    let mut directory = child(root, OsStr::new("."))?;
    for name in path {
        directory = child(&directory, name)?;
    }
    Ok(directory)
}

/// The directory of this name in that one. Anything else of that name is an error, a link to a directory too.
fn child(directory: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

struct Walk<F> {
    late: F,
    listing: WorkspaceListing,
    bytes: usize,
    stopped: bool,
}

impl<F: Fn() -> bool> Walk<F> {
    /// Lists one directory of the volume: where it lies, and that as it is told. What lies in it to be walked later goes to `waiting`.
    fn directory(
        &mut self,
        mut found: Dir,
        directory: &Path,
        path: &str,
        depth: usize,
        waiting: &mut VecDeque<(PathBuf, String, usize)>,
    ) {
        while let Some(entry) = found.read() {
            let Ok(entry) = entry else {
                self.listing.unread += 1;
                continue;
            };
            let name = entry.file_name();
            if [b".".as_slice(), b".."].contains(&name.to_bytes()) {
                continue;
            }
            if (self.late)() {
                return self.stop(Cut::Time);
            }
            if depth >= DEPTH {
                return self.listing.cut.push(Cut::Depth);
            }
            // Of the entry itself: a link is not followed.
            let Ok(stat) = found.fd().and_then(|found| statat(found, name, AtFlags::SYMLINK_NOFOLLOW)) else {
                self.listing.unread += 1;
                continue;
            };
            let told_path = joined(path, name.to_bytes());
            let told = told(told_path.clone(), &stat);
            let walks = told.kind == EntryKind::Directory;
            if !self.add(told) {
                return;
            }
            if walks {
                waiting.push_back((directory.join(OsStr::from_bytes(name.to_bytes())), told_path, depth + 1));
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

fn joined(path: &str, entry: &[u8]) -> String {
    let name = name(entry);
    if path.is_empty() { name } else { format!("{path}/{name}") }
}

fn told(path: String, stat: &Stat) -> WorkspaceEntry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let size = u64::try_from(stat.st_size).ok().filter(|_| kind == EntryKind::File);
    WorkspaceEntry { path, kind, size, modified_at: modified(stat) }
}

/// None before 1970 and after what can be written.
fn modified(stat: &Stat) -> Option<Timestamp> {
    let nanos = i64::try_from(stat.st_mtime_nsec).ok()?;
    let millis = stat.st_mtime.checked_mul(1000)?.checked_add(nanos / 1_000_000)?;
    let at = Timestamp::from_millis(millis);
    Timestamp::parse(&at.to_string()).ok().filter(|_| millis >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

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
    fn a_link_that_took_a_directorys_place_is_not_entered() {
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("deep")).unwrap();
        fs::write(outside.path().join("secret"), b"").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let swap = |name: &str| {
            fs::remove_dir(dir.path().join(name)).unwrap();
            symlink(outside.path(), dir.path().join(name)).unwrap();
        };
        for name in ["a", "b"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let looks = std::cell::Cell::new(0);
        // At the second look one of both has been seen as a directory, and none has been opened.
        let late = || {
            looks.set(looks.get() + 1);
            if looks.get() == 2 {
                swap("a");
                swap("b");
            }
            false
        };
        let listing = walk(dir.path(), late).unwrap();
        let mut kinds: Vec<_> = listing.entries.iter().map(|entry| format!("{:?}", entry.kind)).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["Directory", "Link"]);
        assert_eq!((listing.cut.as_slice(), listing.unread), ([].as_slice(), 1));

        let root = open(dir.path(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        assert!(child(&root, OsStr::new("a")).is_err());
        assert!(beneath(&root, Path::new("a/deep")).is_err(), "nor is one on the way");
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
