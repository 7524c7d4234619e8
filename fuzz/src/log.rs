//! What a container writes: nothing is left that a terminal would obey or a reader would not see, whatever the bytes, and what a page makes of it
//! is made of its own characters.

use crate::{Came, kind};
use domain::{
    log::{
        ansi,
        clean::{LONGEST, clean},
        find, level,
    },
    text::is_unseen,
};

pub const SEEDS: &[&[u8]] = &[
    b"\x1b[31mERROR:\x1b[0m it failed \x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    b"\xc2\x9b31mred\xc2\x9dtitle\xc2\x9c after \x1bP1$tx\x1b\\ end",
    b"::group::Fetch\r10%\r20%\t\xff\xfe\x00",
    b"\x1b[38;5;196mx\x1b[>4;2m\x1b(Bx\x1b=y\xe2\x80\xae",
    b"level=warn msg=\"a\" {\"level\":\"debug\"}",
];

pub fn run(input: &[u8]) -> Came {
    let cleaned = clean(input);
    assert!(cleaned.len() <= LONGEST + 40, "{} bytes", cleaned.len());
    let plain = ansi::plain(&cleaned);
    if let Some(unseen) = plain.chars().find(|c| is_unseen(*c)) {
        panic!("U+{:04X} is left of {input:?}", u32::from(unseen));
    }
    if cleaned.len() < LONGEST {
        assert_eq!(clean(cleaned.as_bytes()), cleaned, "what is clean stays as it is");
    }
    let pieces = ansi::pieces(&cleaned);
    assert!(pieces.iter().all(|piece| !piece.text.is_empty()));
    assert_eq!(pieces.iter().map(|piece| piece.text).collect::<String>(), plain);
    let level = level::of(&plain);
    let mut hits = 0;
    for needle in ["e", "ERROR", "İ", " ", plain.get(..2).unwrap_or_default()] {
        for place in find::places(&plain, needle) {
            assert!(plain.get(place.clone()).is_some_and(|hit| !hit.is_empty()), "{place:?} of {plain:?}");
            hits += 1;
        }
    }
    let of = (pieces.len().min(6), format!("{level:?}"), hits.min(3), plain.is_empty());
    if plain.is_empty() { Came::Refused(kind(of)) } else { Came::Taken(kind(of)) }
}
