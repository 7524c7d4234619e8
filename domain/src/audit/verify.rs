//! Whether a trail is still what was written: rows in, verdict out. Takes the lines of an export or the rows of a database one
//! by one, so that it keeps none of them; the first link that is broken is named, and the rest is read only to say how.

mod line;
mod told;

pub use told::{Broken, Wrong};

use super::{Chained, Head, Keys, Mac, PRUNE, REPLACE_KEY, ROTATE_KEY, SEAL, link};
use line::{Line, read};
use serde_json::{Value, json};

/// A row as its line or the database has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    sequence: i64,
    key: Option<String>,
    content: Value,
    previous: Option<Mac>,
    mac: Option<Mac>,
}

impl From<&Chained> for Row {
    fn from(row: &Chained) -> Self {
        Self {
            sequence: row.record.sequence,
            key: row.record.key.clone(),
            content: row.record.content(),
            previous: row.previous,
            mac: row.record.mac,
        }
    }
}

/// Up to where a trail was found unbroken: what comes after can be looked at by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The last row; 0 before there is one.
    pub sequence: i64,
    /// Its mac.
    pub mac: Mac,
    /// The key of the next row.
    pub key: String,
}

/// A trail in which no link is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbroken {
    /// How many rows.
    pub rows: u64,
    /// The first and the last; none where there is no row.
    pub between: Option<(i64, i64)>,
    /// The mac of the last row.
    pub mac: Mac,
    /// Its end.
    pub until: Known,
    /// Keys of the file that are newer than the one in use. Where the key was changed to one of them, the trail was cut off
    /// before that.
    pub newer_keys: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All rows are there and as they were written.
    Unbroken(Unbroken),
    /// Each of these rows is as it was written; whether others are missing was not looked at.
    Genuine {
        /// How many.
        rows: u64,
    },
    /// A link is broken.
    Broken(Broken),
}

enum End {
    All { head: Box<Head>, seal: Option<Mac> },
    Some { rows: u64 },
}

/// Looks at a trail row by row.
pub struct Verifier<'k> {
    keys: &'k Keys,
    /// Whether the rows must follow on each other, or are looked at one by one.
    whole: bool,
    /// The first row that is kept, and what it follows on, where that is known beforehand.
    begins: Option<(i64, Mac)>,
    noted: Option<(i64, Mac)>,
    lines: u64,
    rows: u64,
    /// The first row, and what it follows on.
    first: Option<(i64, Mac)>,
    last: Option<(i64, Mac)>,
    /// The key in use.
    key: Option<String>,
    /// A row of the trail tells that those before the first were removed.
    pruned: bool,
    /// The rows up to the last were looked at another time.
    resumed: bool,
    /// A row was there that only a chain has: no later one can tell of its beginning.
    begun: bool,
    end: Option<End>,
    broken: Option<Broken>,
    /// The row that was not where it belongs, and what it follows on.
    missed: Option<(i64, Mac)>,
}

impl<'k> Verifier<'k> {
    /// Of a whole trail.
    pub fn whole(keys: &'k Keys) -> Self {
        Self {
            keys,
            whole: true,
            begins: None,
            noted: None,
            lines: 0,
            rows: 0,
            first: None,
            last: None,
            key: None,
            pruned: false,
            resumed: false,
            begun: false,
            end: None,
            broken: None,
            missed: None,
        }
    }

    /// Of rows, each by itself.
    pub fn rows(keys: &'k Keys) -> Self {
        Self { whole: false, ..Self::whole(keys) }
    }

    /// The first row must be the one that this head names.
    #[must_use]
    pub fn begun_at(mut self, head: &Head) -> Self {
        self.begins = Some((head.first, head.anchor));
        self
    }

    /// What comes after this, which was found unbroken before.
    #[must_use]
    pub fn after(mut self, known: &Known) -> Self {
        self.last = Some((known.sequence, known.mac));
        self.key = Some(known.key.clone());
        (self.resumed, self.begun) = (true, true);
        self
    }

    /// The trail must have this row with this mac, which somebody noted: so it was not cut off before it, nor written anew.
    #[must_use]
    pub fn with_noted(mut self, sequence: i64, mac: Mac) -> Self {
        self.noted = Some((sequence, mac));
        self
    }

    /// The next line of an export, without the line's end. Blank ones count for nothing.
    pub fn line(&mut self, bytes: &[u8]) {
        self.lines += 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match read(bytes) {
            Err(why) => self.unreadable(self.next(), why),
            Ok(_) if self.end.is_some() => self.breaks(self.next(), Wrong::Appended),
            Ok(Line::Row(row)) => self.row(&row),
            Ok(Line::End(end)) => self.end = Some(end),
        }
    }

    /// The next row.
    pub fn row(&mut self, row: &Row) {
        self.rows += 1;
        self.look_for_missed(row);
        if self.broken.is_some() {
            return;
        }
        let judged = if self.whole { self.follows(row) } else { self.is_genuine(row) };
        match judged {
            Ok(mac) => self.take(row, mac),
            Err((sequence, wrong)) => {
                self.missed = self.expected(row).filter(|_| self.whole);
                self.breaks(sequence, wrong);
            }
        }
    }

    /// A row of the database that can't be read.
    pub fn unreadable(&mut self, sequence: i64, why: String) {
        self.breaks(sequence, Wrong::Unreadable(why));
    }

    /// The end that the database names.
    pub fn end(&mut self, head: Head, seal: Option<Mac>) {
        self.end = Some(End::All { head: Box::new(head), seal });
    }

    /// What was found.
    pub fn finish(mut self) -> Verdict {
        if let Some(mut broken) = self.broken.take() {
            // Behind the end nothing of the trail's own can stand.
            if let Some(End::All { head, .. }) = &self.end
                && head.sequence < broken.sequence
                && !matches!(broken.wrong, Wrong::Swapped(_))
            {
                broken.wrong = Wrong::Appended;
            }
            return Verdict::Broken(broken);
        }
        let judged = match self.end.take() {
            None => Err((self.next(), Wrong::CutOff(None))),
            Some(End::Some { .. }) if self.whole => Err((self.next(), Wrong::Some)),
            Some(End::Some { rows }) if rows != self.rows => Err((self.next(), Wrong::CutOff(None))),
            Some(End::All { head, seal }) if self.whole => self.ends(&head, seal),
            Some(_) => Ok(Verdict::Genuine { rows: self.rows }),
        };
        judged.unwrap_or_else(|(sequence, wrong)| Verdict::Broken(Broken { line: None, sequence, wrong }))
    }

    /// The row after the last.
    fn next(&self) -> i64 {
        self.last.map_or(1, |(last, _)| last + 1)
    }

    fn breaks(&mut self, sequence: i64, wrong: Wrong) {
        if self.broken.is_none() {
            let line = (self.lines > 0).then_some(self.lines);
            self.broken = Some(Broken { line, sequence, wrong });
        }
    }

    /// The number of the row that belongs here, and what it follows on.
    fn expected(&self, row: &Row) -> Option<(i64, Mac)> {
        match (self.last, self.begins) {
            (Some((last, mac)), _) => Some((last + 1, mac)),
            (None, Some(begins)) => Some(begins),
            (None, None) if row.sequence == 1 => Some((1, Mac::NONE)),
            // Whether it may be the first is seen at the end.
            (None, None) => row.previous.map(|previous| (row.sequence, previous)),
        }
    }

    /// Whether the row follows on the last one.
    fn follows(&self, row: &Row) -> Result<Mac, (i64, Wrong)> {
        let (sequence, previous) = self.expected(row).ok_or((row.sequence, Wrong::Altered))?;
        if row.sequence != sequence {
            return Err((sequence, Wrong::Removed(sequence.max(row.sequence - 1))));
        }
        if row.previous.is_some_and(|told| told != previous) {
            return Err((sequence, Wrong::Altered));
        }
        let key = self.key_of(row)?;
        let replaces = action(row) == Some(REPLACE_KEY) && named_key(row) == Some(key);
        if let Some(expected) = self.key.as_ref().filter(|expected| *expected != key && !replaces) {
            return Err((sequence, Wrong::OtherKey { used: key.to_owned(), expected: expected.clone() }));
        }
        let mac = self.checked(row, key, previous)?;
        // It stands right behind the rows that it tells of, once, and a chain that is to begin has done nothing yet.
        if action(row) == Some(SEAL) && (self.begun || anchor(row) != Some((row.sequence, previous))) {
            return Err((row.sequence, Wrong::Rechained));
        }
        Ok(mac)
    }

    /// Whether the row was written as it is, after a row with the mac that it names.
    fn is_genuine(&self, row: &Row) -> Result<Mac, (i64, Wrong)> {
        if self.last.is_some_and(|(last, _)| row.sequence <= last) {
            return Err((row.sequence, Wrong::Swapped(None)));
        }
        let previous = row.previous.ok_or((row.sequence - 1, Wrong::Removed(row.sequence - 1)))?;
        self.checked(row, self.key_of(row)?, previous)
    }

    fn key_of<'r>(&self, row: &'r Row) -> Result<&'r str, (i64, Wrong)> {
        let Some(key) = row.key.as_deref() else { return Err((row.sequence, Wrong::Altered)) };
        if self.keys.get(key).is_none() {
            return Err((row.sequence, Wrong::UnknownKey(key.to_owned())));
        }
        Ok(key)
    }

    fn checked(&self, row: &Row, key: &str, previous: Mac) -> Result<Mac, (i64, Wrong)> {
        let made = self.keys.get(key).map(|key| link(key, previous, &row.content));
        made.filter(|made| row.mac == Some(*made)).ok_or((row.sequence, Wrong::Altered))
    }

    fn take(&mut self, row: &Row, mac: Mac) {
        if self.first.is_none() {
            self.first = Some((row.sequence, row.previous.unwrap_or(Mac::NONE)));
        }
        self.last = Some((row.sequence, mac));
        self.key = match action(row) {
            Some(ROTATE_KEY) => named_key(row).map(str::to_owned),
            _ => row.key.clone(),
        };
        self.begun |= matches!(action(row), Some(SEAL | ROTATE_KEY | REPLACE_KEY | PRUNE));
        if action(row) == Some(PRUNE) && self.first == anchor(row) {
            self.pruned = true;
        }
        if self.noted.is_some_and(|noted| noted == (row.sequence, mac)) {
            self.noted = None;
        }
    }

    /// Says where the row is that was not where it belongs, once it is found.
    fn look_for_missed(&mut self, row: &Row) {
        let Some((sequence, previous)) = self.missed else { return };
        let Some(key) = row.key.as_ref().and_then(|key| self.keys.get(key)) else { return };
        let mut content = row.content.clone();
        if let Some(members) = content.as_object_mut() {
            members.insert("sequence".into(), json!(sequence));
        }
        if row.mac != Some(link(key, previous, &content)) {
            return;
        }
        self.missed = None;
        let line = (self.lines > 0).then_some(self.lines);
        if let Some(broken) = &mut self.broken {
            broken.wrong = Wrong::Swapped(Some((row.sequence, line)));
        }
    }

    /// Whether the rows reach from the first that is kept to the end.
    fn ends(&self, head: &Head, seal: Option<Mac>) -> Result<Verdict, (i64, Wrong)> {
        if head.key.is_empty() {
            return Err((head.sequence, Wrong::End));
        }
        let key = self.keys.get(&head.key).ok_or_else(|| (head.sequence, Wrong::UnknownKey(head.key.clone())))?;
        if seal != Some(head.seal(key)) {
            return Err((head.sequence, Wrong::End));
        }
        if let Some((first, previous)) = self.first.filter(|_| !self.resumed) {
            if first > head.first {
                return Err((head.first, Wrong::Removed(first - 1)));
            }
            if (first, previous) != (head.first, head.anchor) {
                return Err((first, Wrong::End));
            }
            if first > 1 && !self.pruned {
                return Err((1, Wrong::Removed(first - 1)));
            }
        }
        let (last, mac) = self.last.unwrap_or((head.first - 1, head.anchor));
        if last < head.sequence {
            return Err((last + 1, Wrong::CutOff(Some(head.sequence))));
        }
        if (last, mac) != (head.sequence, head.mac) || self.key.as_ref().is_some_and(|key| *key != head.key) {
            return Err((last, Wrong::End));
        }
        if let Some((sequence, _)) = self.noted {
            return Err((sequence, Wrong::Noted));
        }
        let newer_keys = self.keys.after(&head.key).iter().map(|key| key.id().to_owned()).collect();
        let (rows, between) = if self.resumed {
            (head.rows().unsigned_abs(), (head.rows() > 0).then_some((head.first, last)))
        } else {
            (self.rows, self.first.map(|(first, _)| (first, last)))
        };
        let until = Known { sequence: last, mac, key: head.key.clone() };
        Ok(Verdict::Unbroken(Unbroken { rows, between, mac, until, newer_keys }))
    }
}

fn action(row: &Row) -> Option<&str> {
    row.content.get("action")?.as_str()
}

/// The key that a row changes to.
fn named_key(row: &Row) -> Option<&str> {
    row.content.get("after")?.get("key")?.as_str()
}

/// The first row that is kept, and what it follows on, as the row tells that removed those before.
fn anchor(row: &Row) -> Option<(i64, Mac)> {
    let after = row.content.get("after")?;
    Some((after.get("last_sequence")?.as_i64()? + 1, after.get("last_mac")?.as_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests;
