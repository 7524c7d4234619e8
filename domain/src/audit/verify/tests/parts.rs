//! What is judged without the whole trail: what comes after a known row, and some rows by themselves.

use super::*;
use crate::audit::end_of_some;

/// What comes after the end of `known`, as a database has it.
fn judged_after(known: &Trail, trail: &Trail) -> Verdict {
    let keys = keys();
    let mut verifier = Verifier::whole(&keys).after(&known.known());
    for row in trail.rows.iter().filter(|row| row.record.sequence > known.head.sequence) {
        verifier.row(&Row::from(row));
    }
    verifier.end(trail.head.clone(), trail.seal());
    verifier.finish()
}

#[test]
fn what_comes_after_a_row_that_is_known_is_judged_by_itself() {
    for rows in [0, 3] {
        let known = Trail::of(rows);
        for more in [0, 2] {
            let trail = Trail::of(rows + more);
            let Verdict::Unbroken(whole) = judged_after(&known, &trail) else { panic!() };
            assert_eq!((whole.rows, whole.until), (trail.head.rows().unsigned_abs(), trail.known()));
            assert_eq!(whole.between, (rows + more > 0).then_some((1, rows + more)));
        }
    }
    let known = Trail::of(3);
    assert_eq!(broken(judged_after(&known, &Trail::of(2))).0, "end", "it was set back");
    let mut trail = Trail::of(6);
    trail.rows[4].record.reason = Some("x".into());
    assert_eq!(broken(judged_after(&known, &trail)), ("altered", 5, None));
    trail.rows.remove(3);
    assert_eq!(broken(judged_after(&known, &trail)), ("removed", 4, None));
    trail.rows.truncate(3);
    assert_eq!(broken(judged_after(&known, &trail)), ("cut_off", 4, None));
    let mut other = Trail::new();
    (0..5).for_each(|_| other.write("thing.undo", None));
    assert_eq!(broken(judged_after(&known, &other)), ("altered", 4, None), "another trail of the same key");
}

#[test]
fn an_end_that_names_no_key_is_none() {
    let mut trail = Trail::of(3);
    trail.head.key = String::new();
    assert_eq!(broken(judged(&trail.lines())), ("end", 3, None));
}

#[test]
fn some_rows_are_judged_one_by_one_and_do_not_pass_for_all() {
    let trail = Trail::of(6);
    let some: Vec<_> = [1, 3, 4].map(|n| trail.rows[n].line()).into_iter().chain([end_of_some(3)]).collect();
    let keys = keys();
    let judged_rows = |lines: &[String]| judged_by(lines, Verifier::rows(&keys));
    assert_eq!(judged_rows(&some), Verdict::Genuine { rows: 3 });
    assert_eq!(judged_rows(&trail.lines()), Verdict::Genuine { rows: 6 });
    assert_eq!(broken(judged(&some)).0, "removed");
    let first: Vec<_> = trail.lines()[..3].iter().cloned().chain([end_of_some(3)]).collect();
    assert_eq!(broken(judged(&first)).0, "filtered", "whoever asks for all is not content with some");

    let mut altered = some.clone();
    altered[1] = altered[1].replace("\"n\":4", "\"n\":5");
    assert_eq!(broken(judged_rows(&altered)), ("altered", 4, Some(2)));
    let mut swapped = some.clone();
    swapped.swap(0, 1);
    assert_eq!(broken(judged_rows(&swapped)).0, "swapped");
    let mut cut = some.clone();
    cut.remove(2);
    assert_eq!(broken(judged_rows(&cut)).0, "cut_off");
    assert_eq!(broken(judged_rows(&some[..3])).0, "cut_off");
}

#[test]
fn what_is_no_trail_is_told_with_its_line() {
    let lines = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (text, name) in
        [("[]", "unreadable"), ("{}", "unreadable"), ("{\"end\":{}}", "unreadable"), ("{\"sequence\":1}", "altered")]
    {
        assert_eq!(broken(judged(&lines(&["", text]))), (name, 1, Some(2)), "{text}");
    }
    assert_eq!(broken(judged(&[])), ("cut_off", 1, None));
}
