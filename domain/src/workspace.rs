//! What a run left in the volume that its steps shared, as a listing: names, kinds, sizes and times, never contents. Who walks the
//! volume and who asks for it stand elsewhere; here is what a listing is, how much of it there may be, and how its text is read.
//! Names in a volume are whatever a playbook wrote: nothing of them is trusted.

use crate::{
    ids::ExecutionId,
    text::{is_unseen, seen},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most entries of a listing.
pub const ENTRIES: usize = 5_000;
/// The most names in a path: what lies deeper is not looked at.
pub const DEPTH: usize = 16;
/// The most bytes of a listing's text.
pub const BYTES: usize = 1024 * 1024;
/// The longest that a walk may take, seconds.
pub const SECONDS: u64 = 10;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; where it leads is not looked at.
    Link,
    /// A socket, a pipe, a device.
    Other,
}

impl EntryKind {
    /// The word for it, on the wire and on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Other => "other",
        }
    }
}

/// One thing in a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceEntry {
    /// Where it is, from the volume's root, without a slash before it. What is no text in a name, or would not be seen, is U+FFFD.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file; null of anything else.
    pub size: Option<u64>,
    /// When it was last changed; null where the file system does not tell.
    pub modified_at: Option<Timestamp>,
}

/// Why a listing does not have everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// There are more than [`ENTRIES`].
    Entries,
    /// There is something deeper than [`DEPTH`].
    Depth,
    /// Its text would be longer than [`BYTES`].
    Bytes,
    /// It took longer than [`SECONDS`].
    Time,
}

impl Cut {
    /// The reason in words.
    pub fn words(self) -> String {
        match self {
            Self::Entries => format!("there are more than {ENTRIES} entries"),
            Self::Depth => format!("what lies more than {DEPTH} names deep is left out"),
            Self::Bytes => format!("the names take more than {} MiB", BYTES / 1024 / 1024),
            Self::Time => format!("it took longer than {SECONDS} s"),
        }
    }
}

/// What a volume holds, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkspaceListing {
    /// What was found.
    pub entries: Vec<WorkspaceEntry>,
    /// Why there may be more; empty where this is all.
    pub cut: Vec<Cut>,
    /// Directories and entries that could not be read, most often for want of a right.
    pub unread: u32,
}

/// A text that is no listing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no listing: {0}")]
pub struct NotAListing(String);

impl WorkspaceListing {
    /// Reads the text that a lister wrote, and believes nothing of it that a lister would not write.
    pub fn parse(text: &str) -> Result<Self, NotAListing> {
        let no = |why: &str| Err(NotAListing(why.to_owned()));
        if text.len() > BYTES {
            return no("it is too long");
        }
        // What serde says may repeat what it read; the place alone is told.
        let listing: Self = serde_json::from_str(text)
            .map_err(|error| NotAListing(format!("line {}, column {}", error.line(), error.column())))?;
        if listing.entries.len() > ENTRIES {
            return no("it has too many entries");
        }
        if !listing.entries.iter().all(|entry| is_path(&entry.path)) {
            return no("a path is none that a volume has");
        }
        if listing.entries.iter().any(|entry| entry.size.is_some() != (entry.kind == EntryKind::File)) {
            return no("files have sizes, and nothing else has");
        }
        Ok(listing)
    }
}

/// Whether a path leads down from a volume's root, and every character of it is seen.
fn is_path(path: &str) -> bool {
    path.split('/').count() <= DEPTH
        && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
        && !path.chars().any(is_unseen)
}

/// A name as a volume has it, made a text: what is none, and what would not be seen, is U+FFFD.
pub fn name(raw: &[u8]) -> String {
    seen(&String::from_utf8_lossy(raw))
}

/// The name of the claim that Tekton makes of a run's volume claim template: the same for the same workspace of the same run
/// (Tekton, `pkg/reconciler/volumeclaim`).
pub fn claim_name(workspace: &str, run_uid: &str) -> String {
    format!("pvc-{}", digits(&[workspace, run_uid], 10))
}

/// The name of the pod that lists a workspace of a run: the same whenever it is asked for, so that there is never more than one.
pub fn pod_name(execution: &ExecutionId, workspace: &str) -> String {
    format!("kubernaut-listing-{}", digits(&[execution.as_str(), "/", workspace], 20))
}

/// The first hexadecimal digits of the SHA-256 of texts put together.
fn digits(texts: &[&str], count: usize) -> String {
    let mut all = hex::encode(Sha256::digest(texts.concat().as_bytes()));
    all.truncate(count);
    all
}

/// Why there is no listing. Each says what to do, where something can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoListing {
    /// No image is set.
    #[error("listings are off: set --lister-image, or take in deploy/components/listing")]
    Off,
    /// The sandbox.
    #[error("the sandbox keeps no files: there is nothing to list")]
    Sandbox,
    /// The run goes on.
    #[error("the run has not ended: what it leaves is listed afterwards")]
    NotEnded,
    /// There never was a PipelineRun.
    #[error("the run never started, so it left nothing")]
    NeverStarted,
    /// The PipelineRun is not there, or another is under its name.
    #[error("its PipelineRun is not in the cluster any more, and its volume went with it")]
    NoRun,
    /// The claim is not there.
    #[error("the claim {0} is not there any more: its volume is gone, or was never made")]
    NoClaim(String),
    /// The claim is another's.
    #[error("the claim {0} belongs to another than this run, so it is not looked at")]
    Foreign(String),
    /// The claim has no volume.
    #[error("the claim {claim} has no volume ({phase}): nothing was ever written to it, or its volume is lost")]
    Unbound {
        /// Its name.
        claim: String,
        /// The cluster's word for how it stands.
        phase: String,
    },
    /// Somebody asked for the same a moment ago.
    #[error("this workspace is being listed already: try again in a minute")]
    UnderWay,
    /// Too many at once.
    #[error("several workspaces are being listed just now: try again in a moment")]
    Busy,
    /// Something else has the pod's name.
    #[error("a pod {0} is there that does not belong to this run: look whose it is, and delete it")]
    NameTaken(String),
    /// The console has no right to it.
    #[error("the console may not do that: {0}; take in deploy/components/listing")]
    NotAllowed(String),
    /// The cluster refuses the pod.
    #[error("the cluster refuses the pod that would list it: {0}")]
    Refused(String),
    /// The pod never started.
    #[error("the pod did not start within {seconds} s: {why}")]
    NotStarted {
        /// How long it was waited for.
        seconds: u64,
        /// What it waits for.
        why: String,
    },
    /// The pod ended without a listing.
    #[error("the pod that should list it failed: {0}")]
    Failed(String),
    /// The cluster did not answer as it should.
    #[error("the cluster did not answer as it should: {0}; try again in a moment")]
    Unavailable(String),
}

impl NoListing {
    /// A stable word for whoever asks again by itself; none where a neighbour is not as it should be.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Off => Some("listings_off"),
            Self::Sandbox => Some("sandbox"),
            Self::NotEnded => Some("not_ended"),
            Self::NeverStarted => Some("never_started"),
            Self::NoRun | Self::NoClaim(_) => Some("volume_gone"),
            Self::Foreign(_) => Some("foreign_claim"),
            Self::Unbound { .. } => Some("unbound_claim"),
            Self::UnderWay => Some("under_way"),
            Self::NameTaken(_) => Some("name_taken"),
            Self::Busy
            | Self::NotAllowed(_)
            | Self::Refused(_)
            | Self::NotStarted { .. }
            | Self::Failed(_)
            | Self::Unavailable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn file(path: &str) -> Value {
        json!({"path": path, "kind": "file", "size": 3, "modified_at": "2026-11-23T03:00:00.000Z"})
    }

    fn text(entries: &[Value]) -> String {
        json!({"entries": entries, "cut": [], "unread": 0}).to_string()
    }

    #[test]
    fn what_a_lister_writes_is_read() {
        let directory = json!({"path": "out", "kind": "directory", "size": null, "modified_at": null});
        let read = WorkspaceListing::parse(&format!("{}\n", text(&[directory, file("out/a b.txt")]))).unwrap();
        assert_eq!((read.entries[0].kind, read.entries[1].size), (EntryKind::Directory, Some(3)));
        let cut = json!({"entries": [], "cut": ["depth", "time"], "unread": 2}).to_string();
        let read = WorkspaceListing::parse(&cut).unwrap();
        assert_eq!((read.cut, read.unread), (vec![Cut::Depth, Cut::Time], 2));
    }

    #[test]
    fn what_a_lister_would_not_write_is_not_believed() {
        let with = |field: &str, value: Value| {
            let mut entry = file("a");
            entry[field] = value;
            text(&[entry])
        };
        let deep = vec!["d"; DEPTH + 1].join("/");
        for bad in [
            String::new(),
            "kubernaut-console: no such directory".to_owned(),
            text(&[file("a")]).replacen('}', ", \"content\": \"secret\"}", 1),
            text(&[file("a")]).replacen("\"size\":3", "\"size\":3,\"size\":4", 1),
            format!("{} {{}}", text(&[])),
            with("kind", json!("program")),
            with("kind", json!("directory")),
            with("size", json!(-1)),
            with("size", Value::Null),
            with("modified_at", json!("yesterday")),
            with("path", json!("")),
            with("path", json!("/etc/passwd")),
            with("path", json!("a//b")),
            with("path", json!("../x")),
            with("path", json!("a/./b")),
            with("path", json!("a\u{202e}b")),
            with("path", json!("a\nb")),
            with("path", json!(deep)),
            text(&vec![file("a"); ENTRIES + 1]),
            text(&[file(&"x".repeat(BYTES))]),
        ] {
            assert!(WorkspaceListing::parse(&bad).is_err(), "{}", &bad[..bad.len().min(200)]);
        }
        let error = WorkspaceListing::parse("{\"<b>\": 1}").unwrap_err().to_string();
        assert!(!error.contains("<b>"), "{error}");
        assert!(WorkspaceListing::parse(&text(&vec![file("a"); ENTRIES])).is_ok());
        assert!(WorkspaceListing::parse(&with("path", json!(deep[2..]))).is_ok());
    }

    #[test]
    fn a_name_becomes_a_text_of_which_all_is_seen() {
        assert_eq!(name("übung 1.txt".as_bytes()), "übung 1.txt");
        assert_eq!(name(b"a\nb\x1b[31m\xff"), "a\u{fffd}b\u{fffd}[31m\u{fffd}");
        assert_eq!(name("a\u{202e}txt.exe\u{200b}".as_bytes()), "a\u{fffd}txt.exe\u{fffd}");
    }

    #[test]
    fn names_are_derived() {
        // Seen on a real Tekton: server/sandbox/fixtures/first-step-fails.
        assert_eq!(claim_name("shared-workspace", "13252ed0-a9ef-4f13-9dcc-5340ec89f949"), "pvc-f1bb2d4002");
        let of = |execution: &str, workspace: &str| pod_name(&ExecutionId::new(execution), workspace);
        assert_eq!(of("e", "w"), of("e", "w"));
        assert_ne!(of("e", "w"), of("e", "v"));
        assert_ne!(of("e", "w"), of("f", "w"));
        assert!(of("e", &"w".repeat(500)).len() <= 63);
    }
}
