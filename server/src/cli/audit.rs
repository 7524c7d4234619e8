//! `audit …`: checks the trail, changes its key, sets and releases the legal hold. Checking an export needs the key file and
//! nothing else.

use super::{Fault, open, open_as_it_is, print};
use crate::{
    config::Config,
    edge::{self, UuidIds},
    services::reason,
};
use clap::Subcommand;
use domain::{
    audit::{AuditEntry, Mac, Verdict, Verifier},
    identity::{Actor, Door, Way},
    ports::{AuditKeys as _, AuditStore as _, Ids as _},
    services::ServiceError,
};
use std::{
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};
use store::KeyFile;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Checks every row, of the database or of an export; exit code 1 names the first link that is broken
    Verify {
        /// An export (JSON lines); without one the database is looked at
        file: Option<PathBuf>,
        /// The key file, where it is not the one of --audit-key-file
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// A row and its mac that were noted earlier, as an earlier check printed them: the trail must still have it
        #[arg(long, value_name = "ROW:MAC", value_parser = noted)]
        noted: Option<(i64, Mac)>,
        /// The export is of some rows: each is checked by itself
        #[arg(long, requires = "file", conflicts_with = "noted")]
        rows: bool,
    },
    /// Chains rows that never were, as they are now: after an upgrade for which the keys were made beforehand
    Begin,
    /// Changes to a new key: the next in the key file, or one that is added to it
    RotateKey {
        /// The present key is lost: rows that it chained can't be checked any more
        #[arg(long)]
        old_key_lost: bool,
    },
    /// Prints a line with a new key, for a key file that the console can't write
    NewKey,
    /// Sets the legal hold: nothing of the trail is removed while it stands
    Hold {
        /// Why; goes into the trail
        #[arg(long)]
        reason: String,
    },
    /// Releases the legal hold
    Release {
        /// Why; goes into the trail
        #[arg(long)]
        reason: String,
    },
}

fn noted(text: &str) -> Result<(i64, Mac), String> {
    let read = text.split_once(':').and_then(|(row, mac)| Some((row.parse().ok()?, mac.parse().ok()?)));
    read.ok_or_else(|| "write a row's number, a colon and its mac, as `audit verify` prints them".into())
}

/// Does it.
pub async fn run(mut config: Config, command: AuditCommand) -> Result<(), Fault> {
    match command {
        AuditCommand::Verify { file, key_file, noted, rows } => {
            if let Some(key_file) = key_file {
                config.audit_key_file = key_file;
            }
            let verdict = match file {
                Some(file) => of_file(&config, &file, noted, rows)?,
                None => open_as_it_is(&config).await?.verify(noted).await?,
            };
            told(verdict)
        }
        AuditCommand::Begin => {
            let begun = open_as_it_is(&config).await?.begin_audit(entry("", "trail")).await?;
            done(
                begun,
                "the rows are chained as they are now",
                "the trail has a chain, or had one: `audit verify` says how it stands, and `audit rotate-key` goes on with it",
            )
        }
        AuditCommand::RotateKey { old_key_lost } => rotate(&config, old_key_lost).await,
        AuditCommand::NewKey => {
            print(&edge::audit_key().line());
            Ok(())
        }
        AuditCommand::Hold { reason } => {
            let set = open(&config).await?.set_hold(with_reason("audit.hold", reason)?).await?;
            done(
                set,
                "the hold stands: nothing of the audit trail is removed",
                "a hold stands already: release it first",
            )
        }
        AuditCommand::Release { reason } => {
            let released = open(&config).await?.release_hold(with_reason("audit.release", reason)?).await?;
            done(released, "the hold is released", "no hold stands")
        }
    }
}

fn done(done: bool, what: &str, otherwise: &str) -> Result<(), Fault> {
    if !done {
        return Err(Fault::failed(otherwise));
    }
    print(what);
    Ok(())
}

/// What the command line leaves in the trail.
fn entry(action: &str, object: &str) -> AuditEntry {
    AuditEntry {
        actor: Actor::system("command line"),
        way: Way::by(Door::Cli),
        route: "kubernaut-console audit".into(),
        action: action.into(),
        object_kind: "audit".into(),
        object_id: object.into(),
        before: None,
        after: None,
        reason: None,
        request_id: UuidIds.fresh(),
    }
}

fn with_reason(action: &str, reason: String) -> Result<AuditEntry, Fault> {
    let wrong = |why: &str| Fault::wrong_setting(format!("--reason: {why}"));
    let reason = reason::checked(Some(reason)).map_err(|error| match error {
        ServiceError::Invalid(faults) => {
            wrong(faults.first().map_or("it can't be used", |fault| fault.message.as_str()))
        }
        other => Fault::failed(other.to_string()),
    })?;
    let reason = reason.ok_or_else(|| wrong("say why"))?;
    Ok(AuditEntry { reason: Some(reason), ..entry(action, "trail") })
}

/// Checks an export. Nothing but the two files is touched.
fn of_file(config: &Config, file: &Path, noted: Option<(i64, Mac)>, rows: bool) -> Result<Verdict, Fault> {
    let keys = KeyFile::at(&config.audit_key_file, edge::audit_key).keys(true)?;
    if keys.newest().is_none() {
        let path = config.audit_key_file.display();
        return Err(Fault::wrong_setting(format!(
            "there are no keys in {path}: name the console's key file with --key-file"
        )));
    }
    let mut verifier = if rows { Verifier::rows(&keys) } else { Verifier::whole(&keys) };
    if let Some((sequence, mac)) = noted {
        verifier = verifier.with_noted(sequence, mac);
    }
    read(file, verifier).map_err(|error| Fault::failed(format!("{} can't be read: {error}", file.display())))
}

fn read(file: &Path, mut verifier: Verifier<'_>) -> io::Result<Verdict> {
    let mut lines = BufReader::new(File::open(file)?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        verifier.line(&line);
        line.clear();
    }
    Ok(verifier.finish())
}

fn told(verdict: Verdict) -> Result<(), Fault> {
    match verdict {
        Verdict::Broken(broken) => return Err(Fault::failed(broken.to_string())),
        Verdict::Genuine { rows } => {
            print(&format!(
                "each of these {rows} rows is as it was written; whether others are missing was not checked"
            ));
        }
        Verdict::Unbroken(whole) => {
            let Some((first, last)) = whole.between else {
                print("unbroken: no row yet");
                return Ok(());
            };
            print(&format!("unbroken: {} rows, from {first} to {last}", whole.rows));
            print(&format!("to note, for a later check: --noted {last}:{}", whole.mac));
            if !whole.newer_keys.is_empty() {
                print(&format!(
                    "the key file has newer keys, which are not in use yet: {}; if one was, the trail was cut off",
                    whole.newer_keys.join(", ")
                ));
            }
        }
    }
    Ok(())
}

async fn rotate(config: &Config, lost: bool) -> Result<(), Fault> {
    let store = open_as_it_is(config).await?;
    let Some(in_use) = store.audit_key_in_use().await? else {
        return Err(Fault::failed(
            "no row is chained yet: start the console, or chain what is there with `audit begin`",
        ));
    };
    let file = KeyFile::at(&config.audit_key_file, edge::audit_key);
    let there = file.keys(true)?.get(&in_use).is_some();
    if lost && there {
        return Err(Fault::failed(format!("the key {in_use} is in the key file: leave out --old-key-lost")));
    }
    let key = if lost {
        file.first()?
    } else {
        store.audit_key_is_there().await?;
        file.next_after(&in_use)?
    };
    let id = key.id().to_owned();
    store.change_audit_key(key, lost, entry("", "key")).await?;
    print(&format!("the next rows are chained with the key {id}; keep the key file, and a copy of it elsewhere"));
    Ok(())
}
