//! Splitting a log stream into lines, and knowing which of them are in the archive already. Pure.
//!
//! The kubelet writes its own troubles into the stream with status 200 ("unable to retrieve container logs …"). With
//! `timestamps=true` every line of the container begins with a time; whatever does not is not the container's.

use domain::{
    execution::LogLine,
    log::clean::{LONGEST, clean},
    time::Timestamp,
};

/// A line of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The container's, with the kubelet's time.
    Container(Timestamp, String),
    /// The kubelet's own words.
    Kubelet(String),
}

/// Reads one line without its end.
pub fn parse(raw: &[u8]) -> Line {
    let space = raw.iter().take(40).position(|byte| *byte == b' ').unwrap_or(raw.len().min(40));
    let (stamp, text) = raw.split_at(space);
    match std::str::from_utf8(stamp).ok().and_then(|stamp| Timestamp::parse(stamp).ok()) {
        Some(at) => Line::Container(at, clean(text.strip_prefix(b" ").unwrap_or(text))),
        None => Line::Kubelet(clean(raw)),
    }
}

/// Puts chunks together to lines; of an endless line no more than its beginning is held.
#[derive(Debug, Default)]
pub struct Splitter {
    held: Vec<u8>,
    dropped: usize,
}

impl Splitter {
    /// The lines that this chunk completes.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.hold(&rest[..end]);
            lines.extend(self.finish());
            rest = &rest[end + 1..];
        }
        self.hold(rest);
        lines
    }

    /// The last line, if it had no end.
    pub fn finish(&mut self) -> Option<Line> {
        let held = std::mem::take(&mut self.held);
        let dropped = std::mem::take(&mut self.dropped);
        if held.is_empty() {
            return None;
        }
        let mut line = parse(&held);
        if let (Line::Container(_, text), true) = (&mut line, dropped > 0) {
            *text = format!("{text} [… {dropped} more bytes dropped]");
        }
        Some(line)
    }

    fn hold(&mut self, bytes: &[u8]) {
        // Room for the time and for what cleaning takes out.
        let room = (4 * LONGEST).saturating_sub(self.held.len());
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.dropped += bytes.len().saturating_sub(room);
    }
}

/// How far the archive has got. Times are compared in milliseconds, as the archive has them; several lines may share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The number of the last line.
    pub line: u32,
    /// The time of the last line that has one.
    pub at: Option<Timestamp>,
    /// How many of the archived lines bear that time.
    pub same: u32,
    /// How much text that was, in bytes.
    pub bytes: u64,
}

/// The most lines that are archived of one attempt. A playbook writes hundreds; a loop gone wrong writes without end, and
/// what it writes would fill the database that decides about all other runs.
pub const MOST_LINES: u32 = 1_000_000;
/// The most text that is archived of one attempt, in bytes: 64 MiB. Few lines may be long ones.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

impl Position {
    /// Goes on over archived lines, in order.
    pub fn pass(&mut self, line: &LogLine) {
        self.line = line.line;
        self.bytes += line.text.len() as u64;
        if let Some(at) = line.at {
            self.same = if self.at == Some(at) { self.same + 1 } else { 1 };
            self.at = Some(at);
        }
    }

    /// Whether no more is archived.
    pub const fn is_full(&self) -> bool {
        self.line >= MOST_LINES || self.bytes >= MOST_BYTES
    }

    /// The next line to archive.
    pub fn next(&mut self, at: Option<Timestamp>, text: String) -> LogLine {
        let line = LogLine { line: self.line + 1, at, text };
        self.pass(&line);
        line
    }
}

/// Leaves out the lines at the beginning of a stream that the archive has.
#[derive(Debug)]
pub struct Resume {
    upto: Position,
    same: u32,
    caught_up: bool,
}

impl Resume {
    /// A stream that begins again at the start of the log.
    pub fn from(upto: Position) -> Self {
        Self { upto, same: 0, caught_up: upto.at.is_none() }
    }

    /// Whether a line with this time is new.
    pub fn is_new(&mut self, at: Timestamp) -> bool {
        let Some(last) = self.upto.at.filter(|_| !self.caught_up) else { return true };
        if at < last {
            return false;
        }
        if at == last && self.same < self.upto.same {
            self.same += 1;
            return false;
        }
        self.caught_up = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_kubelets_words_are_no_log() {
        let real = parse(b"2026-11-23T04:48:45.272027907Z started as 65532");
        assert!(
            matches!(&real, Line::Container(at, text) if at.as_millis() % 1000 == 272 && text == "started as 65532")
        );
        assert!(matches!(parse(b"2026-11-23T04:48:45.272027907Z"), Line::Container(_, text) if text.is_empty()));
        for words in [
            "unable to retrieve container logs for containerd://56aeecb86",
            "failed to try resolving symlinks in path \"/var/log/pods/x\": lstat: no such file or directory",
            "",
        ] {
            assert!(matches!(parse(words.as_bytes()), Line::Kubelet(_)), "{words}");
        }
    }

    #[test]
    fn a_real_log_is_read_whole() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../sandbox/fixtures/playbook-fails/fails-execute-pod.log");
        let raw = std::fs::read(path).unwrap();
        let mut splitter = Splitter::default();
        let mut lines: Vec<Line> = raw.chunks(7).flat_map(|chunk| splitter.push(chunk)).collect();
        lines.extend(splitter.finish());
        assert_eq!(lines.len(), raw.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count());
        assert!(lines.iter().all(|line| matches!(line, Line::Container(..))));
    }

    #[test]
    fn reading_again_doubles_and_loses_nothing() {
        let all: Vec<(i64, &str)> =
            vec![(1, "a"), (2, "b"), (2, "c"), (2, "d"), (3, "e"), (3, "e"), (9, "f"), (9, "f"), (9, "f")];
        for cut in 0..=all.len() {
            let mut position = Position::default();
            let mut archive = Vec::new();
            for upto in [cut, all.len()] {
                let mut resume = Resume::from(position);
                for (ms, text) in &all[..upto] {
                    if resume.is_new(at(*ms)) {
                        archive.push(position.next(Some(at(*ms)), (*text).to_owned()));
                    }
                }
            }
            let texts: Vec<&str> = archive.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts, all.iter().map(|(_, text)| *text).collect::<Vec<_>>(), "cut at {cut}");
            assert_eq!(archive.last().unwrap().line, 9);
        }
    }

    #[test]
    fn an_endless_log_is_archived_in_bounds() {
        let mut many = Position { line: MOST_LINES - 1, ..Position::default() };
        assert!(!many.is_full());
        many.next(Some(at(1)), "x".into());
        assert!(many.is_full());
        let mut long = Position::default();
        for ms in 0..=i64::try_from(MOST_BYTES / LONGEST as u64).unwrap() {
            assert!(!long.is_full());
            let line = long.next(Some(at(ms)), "x".repeat(LONGEST - 1));
            assert_eq!(line.line, long.line);
        }
        long.next(Some(at(9_999_999)), "x".repeat(LONGEST));
        assert!(long.is_full());
    }

    #[test]
    fn an_endless_line_is_held_in_bounds() {
        let mut splitter = Splitter::default();
        splitter.push(b"2026-11-23T04:48:45Z ");
        for _ in 0..1000 {
            assert!(splitter.push(&[b'x'; 1024]).is_empty());
        }
        assert!(splitter.held.len() <= 4 * LONGEST);
        assert!(matches!(splitter.finish(), Some(Line::Container(_, text)) if text.contains("dropped")));
    }
}
