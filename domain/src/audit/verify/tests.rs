//! A trail that is tampered with in each way, as an export and as a database has it.

mod parts;

use super::*;
use crate::{
    audit::{AuditRecord, Key},
    identity::{Actor, Door},
    time::Timestamp,
};

fn key(n: u8) -> Key {
    Key::new([n; 32], Timestamp::from_millis(i64::from(n) * 86_400_000))
}

fn keys() -> Keys {
    Keys::default().with(key(1)).with(key(2))
}

fn record(sequence: i64, action: &str, after: Option<Value>) -> AuditRecord {
    AuditRecord {
        sequence,
        at: Timestamp::from_millis(sequence * 1000),
        actor: Actor::system("x"),
        door: Door::Api,
        address: "10.0.0.1".parse().ok(),
        route: "POST /x".into(),
        action: action.into(),
        object_kind: "thing".into(),
        object_id: format!("t{sequence}"),
        before: None,
        after: after.or_else(|| Some(json!({ "n": sequence, "x": 1.0, "y": u64::MAX }))),
        reason: None,
        request_id: "r".into(),
        key: None,
        mac: None,
    }
}

/// A trail that is written as the store does.
struct Trail {
    rows: Vec<Chained>,
    head: Head,
}

impl Trail {
    fn new() -> Self {
        let head = Head { sequence: 0, mac: Mac::NONE, key: key(1).id().into(), first: 1, anchor: Mac::NONE };
        Self { rows: Vec::new(), head }
    }

    fn of(rows: i64) -> Self {
        let mut trail = Self::new();
        (0..rows).for_each(|_| trail.write("thing.do", None));
        trail
    }

    fn write(&mut self, action: &str, after: Option<Value>) {
        let next = match (action, &after) {
            (ROTATE_KEY | REPLACE_KEY, Some(after)) => after["key"].as_str().unwrap().to_owned(),
            _ => self.head.key.clone(),
        };
        let mut record = record(self.head.sequence + 1, action, after);
        record.key = Some(if action == REPLACE_KEY { next.clone() } else { self.head.key.clone() });
        let mac = link(keys().get(record.key.as_ref().unwrap()).unwrap(), self.head.mac, &record.content());
        record.mac = Some(mac);
        let previous = Some(self.head.mac);
        self.head = Head { sequence: record.sequence, mac, key: next, ..self.head.clone() };
        self.rows.push(Chained { record, previous });
    }

    fn known(&self) -> Known {
        Known { sequence: self.head.sequence, mac: self.head.mac, key: self.head.key.clone() }
    }

    fn seal(&self) -> Option<Mac> {
        keys().get(&self.head.key).map(|key| self.head.seal(key))
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.rows.iter().map(Chained::line).collect();
        lines.push(self.head.line(self.seal()));
        lines
    }
}

fn judged(lines: &[String]) -> Verdict {
    let keys = keys();
    judged_by(lines, Verifier::whole(&keys))
}

fn judged_by(lines: &[String], mut verifier: Verifier<'_>) -> Verdict {
    for line in lines {
        verifier.line(line.as_bytes());
    }
    verifier.finish()
}

/// As a database has it: what a row follows on is the mac of the row that is numbered before it.
fn judged_rows(rows: &[AuditRecord], head: &Head, seal: Option<Mac>) -> Verdict {
    let keys = keys();
    let mut verifier = Verifier::whole(&keys).begun_at(head);
    for record in rows {
        let before = rows.iter().find(|other| other.sequence == record.sequence - 1);
        let previous = if record.sequence == head.first { Some(head.anchor) } else { before.and_then(|row| row.mac) };
        verifier.row(&Row::from(&Chained { record: record.clone(), previous }));
    }
    verifier.end(head.clone(), seal);
    verifier.finish()
}

fn broken(verdict: Verdict) -> (&'static str, i64, Option<u64>) {
    match verdict {
        Verdict::Broken(broken) => {
            let words = broken.to_string();
            assert!(words.contains(&broken.sequence.to_string()) || broken.name() == "filtered", "{words}");
            (broken.name(), broken.sequence, broken.line)
        }
        other => panic!("nothing was found: {other:?}"),
    }
}

#[test]
fn an_untouched_trail_is_unbroken_as_lines_and_as_rows() {
    for rows in [0, 1, 5] {
        let trail = Trail::of(rows);
        let between = (rows > 0).then_some((1, rows));
        let whole = Verdict::Unbroken(Unbroken {
            rows: rows.unsigned_abs(),
            between,
            mac: trail.head.mac,
            until: trail.known(),
            newer_keys: vec![key(2).id().into()],
        });
        assert_eq!(judged(&trail.lines()), whole);
        let records: Vec<_> = trail.rows.iter().map(|row| row.record.clone()).collect();
        assert_eq!(judged_rows(&records, &trail.head, trail.seal()), whole);
    }
}

#[test]
fn the_mac_of_a_row_is_what_the_documentation_says() {
    // docs/audit.md shows how to make it with other tools: what is signed must not change with a version.
    let trail = Trail::of(1);
    let content = "{\"action\":\"thing.do\",\"actor\":{\"id\":\"system:x\",\"name\":\"x\"},\"address\":\"10.0.0.1\",\
                   \"after\":{\"n\":1,\"x\":1,\"y\":18446744073709551615},\"at\":\"1970-01-01T00:00:01.000Z\",\
                   \"door\":\"api\",\"key\":\"k-1970-01-02-72cd6e84\",\"object_id\":\"t1\",\"object_kind\":\"thing\",\
                   \"request_id\":\"r\",\"route\":\"POST /x\",\"sequence\":1}";
    let made = key(1).sign([&"0".repeat(64), content]);
    assert_eq!(
        trail.rows[0].record.mac,
        Some(made),
        "{}",
        crate::json::canonical::to_string(&trail.rows[0].record.content())
    );
}

#[test]
fn an_altered_line_is_found() {
    let lines = Trail::of(5).lines();
    for (from, to) in [
        ("\"n\":3", "\"n\":4"),
        ("10.0.0.1", "10.0.0.2"),
        ("\"t3\"", "\"t3\",\"reason\":\"none\""),
        ("\"door\":\"api\",", ""),
    ] {
        let mut lines = lines.clone();
        lines[2] = lines[2].replace(from, to);
        assert_eq!(broken(judged(&lines)), ("altered", 3, Some(3)), "{from}");
    }
    let mut lines = lines.clone();
    lines[2].insert_str(1, "\"reason\":\"a\",\"reason\":\"b\",");
    assert_eq!(broken(judged(&lines)).0, "unreadable", "a key that stands twice reads differently here and there");
}

#[test]
fn a_removed_line_is_found() {
    for gone in 0..5 {
        let mut lines = Trail::of(6).lines();
        lines.remove(gone);
        let row = i64::try_from(gone).unwrap() + 1;
        // That the first is missing is seen at the end, since it could have been removed after its time.
        let line = (gone > 0).then_some(row.unsigned_abs());
        assert_eq!(broken(judged(&lines)), ("removed", row, line));
    }
    let mut lines = Trail::of(9).lines();
    lines.drain(2..6);
    let Verdict::Broken(found) = judged(&lines) else { panic!() };
    assert_eq!((found.sequence, found.wrong), (3, Wrong::Removed(6)));
}

#[test]
fn swapped_lines_are_found() {
    let mut lines = Trail::of(6).lines();
    lines.swap(1, 4);
    let Verdict::Broken(found) = judged(&lines) else { panic!() };
    assert_eq!((found.line, found.sequence, &found.wrong), (Some(2), 2, &Wrong::Swapped(Some((2, Some(5))))));
}

#[test]
fn appended_lines_are_found() {
    let trail = Trail::of(3);
    let mut forged = record(4, "thing.do", None);
    (forged.key, forged.mac) = (Some(key(1).id().into()), Some(trail.head.mac));
    let forged = Chained { record: forged, previous: Some(trail.head.mac) }.line();
    let mut before_the_end = trail.lines();
    before_the_end.insert(3, forged.clone());
    assert_eq!(broken(judged(&before_the_end)), ("appended", 4, Some(4)));
    let mut after_the_end = trail.lines();
    after_the_end.push(forged);
    assert_eq!(broken(judged(&after_the_end)), ("appended", 4, Some(5)));
    let mut again = trail.lines();
    again.insert(3, again[1].clone());
    assert_eq!(broken(judged(&again)), ("appended", 4, Some(4)), "a genuine row that stands there once more");
}

#[test]
fn what_is_cut_off_at_the_end_is_found() {
    let trail = Trail::of(5);
    let lines = trail.lines();
    assert_eq!(broken(judged(&lines[..3])), ("cut_off", 4, None), "without the line that tells the end");
    let with_the_end: Vec<_> = lines[..3].iter().chain(&lines[5..]).cloned().collect();
    let Verdict::Broken(found) = judged(&with_the_end) else { panic!() };
    assert_eq!((found.sequence, found.wrong), (4, Wrong::CutOff(Some(5))));
    // An end that is made up has no seal.
    let third = Head { sequence: 3, mac: trail.rows[2].record.mac.unwrap(), ..trail.head.clone() };
    for seal in [None, trail.seal(), Some(Mac::NONE)] {
        let made_up: Vec<_> = lines[..3].iter().cloned().chain([third.line(seal)]).collect();
        assert_eq!(broken(judged(&made_up)), ("end", 3, None));
    }
    // One that was sealed once and is put back is only known by whoever noted a later row.
    let put_back = Trail::of(3);
    assert!(matches!(judged(&put_back.lines()), Verdict::Unbroken(_)));
    let keys = keys();
    let noted = |sequence, mac| judged_by(&put_back.lines(), Verifier::whole(&keys).with_noted(sequence, mac));
    assert_eq!(broken(noted(5, trail.head.mac)), ("noted", 5, None));
    assert_eq!(broken(noted(3, trail.head.mac)), ("noted", 3, None));
    assert!(matches!(noted(3, put_back.head.mac), Verdict::Unbroken(_)));
}

#[test]
fn rows_that_are_tampered_with_in_the_database_are_found() {
    let trail = Trail::of(6);
    let records: Vec<_> = trail.rows.iter().map(|row| row.record.clone()).collect();
    let found = |change: &dyn Fn(&mut Vec<AuditRecord>)| {
        let mut records = records.clone();
        change(&mut records);
        let (name, sequence, _) = broken(judged_rows(&records, &trail.head, trail.seal()));
        (name, sequence)
    };
    assert_eq!(found(&|rows| rows[2].reason = Some("nice".into())), ("altered", 3));
    assert_eq!(found(&|rows| rows[2].mac = None), ("altered", 3));
    assert_eq!(found(&|rows| drop(rows.remove(2))), ("removed", 3));
    assert_eq!(found(&|rows| drop(rows.drain(..2))), ("removed", 1));
    assert_eq!(found(&|rows| drop(rows.drain(4..))), ("cut_off", 5));
    let renumbered = |rows: &mut Vec<AuditRecord>| {
        rows.remove(2);
        rows[2..].iter_mut().for_each(|row| row.sequence -= 1);
    };
    assert_eq!(found(&renumbered), ("altered", 3), "the row in the place of the removed one is another");
    let swapped = |rows: &mut Vec<AuditRecord>| {
        rows.swap(2, 3);
        (rows[2].sequence, rows[3].sequence) = (3, 4);
    };
    assert_eq!(found(&swapped), ("swapped", 3));
    let appended = |rows: &mut Vec<AuditRecord>| rows.push(AuditRecord { sequence: 7, ..rows[5].clone() });
    assert_eq!(found(&appended), ("appended", 7));
}

#[test]
fn a_key_is_changed_by_a_row_of_the_trail_only() {
    let mut trail = Trail::of(2);
    trail.write(ROTATE_KEY, Some(json!({ "key": key(2).id() })));
    trail.write("thing.do", None);
    assert_eq!(trail.rows[3].record.key.as_deref(), Some(key(2).id()));
    let Verdict::Unbroken(whole) = judged(&trail.lines()) else { panic!() };
    assert_eq!((whole.rows, whole.newer_keys.len()), (4, 0));

    // Who has the old key alone can't go on with it.
    let mut forged = trail.lines();
    let mut record = record(4, "thing.do", None);
    record.key = Some(key(1).id().into());
    record.mac = Some(link(&key(1), trail.rows[2].record.mac.unwrap(), &record.content()));
    forged[3] = Chained { record, previous: trail.rows[2].record.mac }.line();
    assert_eq!(broken(judged(&forged)), ("other_key", 4, Some(4)));

    let only = |n| Keys::default().with(key(n));
    let (old, new) = (only(1), only(2));
    assert_eq!(broken(judged_by(&trail.lines(), Verifier::whole(&old))), ("unknown_key", 4, Some(4)));
    assert_eq!(broken(judged_by(&trail.lines(), Verifier::whole(&new))), ("unknown_key", 1, Some(1)));

    let mut lost = Trail::of(2);
    lost.write(REPLACE_KEY, Some(json!({ "key": key(2).id() })));
    lost.write("thing.do", None);
    assert!(matches!(judged(&lost.lines()), Verdict::Unbroken(_)));
}

#[test]
fn rows_that_were_removed_after_their_time_are_vouched_for_by_a_row() {
    let mut trail = Trail::of(4);
    let mac = trail.rows[1].record.mac.unwrap();
    trail.write(PRUNE, Some(json!({ "last_sequence": 2, "last_mac": mac })));
    (trail.head.first, trail.head.anchor) = (3, mac);
    trail.rows.drain(..2);
    trail.write("thing.do", None);
    let Verdict::Unbroken(whole) = judged(&trail.lines()) else { panic!() };
    assert_eq!((whole.rows, whole.between), (4, Some((3, 6))));
    // One more is one too many.
    assert_eq!(broken(judged(&trail.lines()[1..])), ("removed", 3, None));
    let mac = trail.rows[0].record.mac.unwrap();
    (trail.head.first, trail.head.anchor) = (4, mac);
    trail.rows.remove(0);
    assert_eq!(broken(judged(&trail.lines())), ("removed", 1, None), "no row says that row 3 was removed");
}

#[test]
fn earlier_rows_are_chained_once_and_before_anything_else() {
    let seal = |trail: &mut Trail| {
        let after = json!({ "last_sequence": trail.head.sequence, "last_mac": trail.head.mac, "key": trail.head.key });
        trail.write(SEAL, Some(after));
    };
    let mut trail = Trail::of(3);
    seal(&mut trail);
    trail.write("thing.do", None);
    assert!(matches!(judged(&trail.lines()), Verdict::Unbroken(_)));
    seal(&mut trail);
    assert_eq!(broken(judged(&trail.lines())), ("rechained", 6, Some(6)));

    for action in [ROTATE_KEY, REPLACE_KEY] {
        let mut trail = Trail::of(2);
        trail.write(action, Some(json!({ "key": key(2).id() })));
        seal(&mut trail);
        assert_eq!(broken(judged(&trail.lines())), ("rechained", 4, Some(4)), "{action}");
    }
    let mut elsewhere = Trail::of(3);
    let first = elsewhere.rows[0].record.mac;
    elsewhere.write(SEAL, Some(json!({ "last_sequence": 1, "last_mac": first })));
    assert_eq!(broken(judged(&elsewhere.lines())), ("rechained", 4, Some(4)), "it tells of other rows");
}
