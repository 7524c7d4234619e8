//! A small mutator for the stable compiler. It knows no coverage: what a target says an input was stands in for it, and inputs of a new kind are
//! gone on with. The same seed gives the same inputs, so that a failure can be had again.

use crate::{Came, Target};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// Pieces that readers look at twice.
const WORDS: [&[u8]; 40] = [
    b"null",
    b"true",
    b"0",
    b"-0",
    b"1e400",
    b"18446744073709551616",
    b"9007199254740993",
    b"0.1",
    b"NaN",
    b"\"\"",
    b"{}",
    b"[]",
    b"{\"a\":1,\"a\":2}",
    b"\"\\u0000\"",
    b"\\ud800",
    b"\\u202e",
    b"$(",
    b"$(params.x)",
    b"../",
    b"</script>",
    b"*",
    b"@sha256:",
    b"%00",
    b"\0",
    b"\xff",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\x1b[31m",
    b"\x1b]0;",
    b"\x1b\\",
    b"\r\n",
    b"LD_PRELOAD",
    b"PATH",
    b"depends_on",
    b"enum",
    b"pattern",
    b"runAfter",
    b"secret_ref",
    b"(a+)+$",
];
/// The most inputs that are gone on with.
const POOL: usize = 512;
/// The longest input.
const LONGEST: usize = 64 * 1024;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// How many inputs were tried.
    pub tried: u64,
    /// Of how many kinds.
    pub kinds: usize,
    /// Whether any was taken.
    pub taken: bool,
}

/// Numbers that follow from a seed (xorshift64*).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// One below `end`; 0 where there is none.
    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { usize::try_from(self.next() % end as u64).unwrap_or(0) }
    }
}

/// Tries all of `kept` and the target's seeds, and then inputs made of them, for this long. `failed` is handed an input that broke a promise.
pub fn run(target: &Target, kept: &[Vec<u8>], seed: u64, time: Duration, failed: impl Fn(&[u8])) -> Outcome {
    let mut pool: Vec<Vec<u8>> = target.seeds.iter().map(|seed| seed.to_vec()).chain(kept.iter().cloned()).collect();
    let (mut kinds, mut numbers) = (HashSet::new(), Numbers::new(seed));
    let mut outcome = Outcome { tried: 0, kinds: 0, taken: false };
    let mut attempt = |input: &[u8], kinds: &mut HashSet<Came>| {
        let came = std::panic::catch_unwind(|| (target.run)(input)).unwrap_or_else(|panic| {
            failed(input);
            std::panic::resume_unwind(panic)
        });
        outcome.tried += 1;
        outcome.taken |= matches!(came, Came::Taken(_));
        kinds.insert(came)
    };
    for input in &pool {
        attempt(input, &mut kinds);
    }
    let begun = Instant::now();
    while begun.elapsed() < time {
        let input = mutated(&pool, &mut numbers);
        if attempt(&input, &mut kinds) {
            if pool.len() < POOL {
                pool.push(input);
            } else {
                let at = numbers.below(POOL);
                pool[at] = input;
            }
        }
    }
    outcome.kinds = kinds.len();
    outcome
}

/// One of the pool with one to eight changes.
fn mutated(pool: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let empty = Vec::new();
    let mut input = pool.get(numbers.below(pool.len())).unwrap_or(&empty).clone();
    for _ in 0..=numbers.below(8) {
        let (from, to) = {
            let (one, other) = (numbers.below(input.len() + 1), numbers.below(input.len() + 1));
            (one.min(other), one.max(other))
        };
        match numbers.below(9) {
            0 if from < input.len() => input[from] ^= 1 << numbers.below(8),
            1 if from < input.len() => input[from] = u8::try_from(numbers.below(256)).unwrap_or(0),
            2 => drop(input.drain(from..to.min(from + 32))),
            3 => {
                let piece: Vec<u8> = input[from..to.min(from + 64)].to_vec();
                input.splice(to..to, piece);
            }
            4 => {
                let other = pool.get(numbers.below(pool.len())).unwrap_or(&empty);
                let begin = numbers.below(other.len() + 1);
                let end = other.len().min(begin + numbers.below(128));
                input.splice(from..from, other[begin..end].iter().copied());
            }
            // A word between the structure: readers see it as a value of its own.
            5 => {
                let marks = |byte: &u8| matches!(byte, b'"' | b':' | b',' | b'[' | b'{');
                let places: Vec<usize> = (0..input.len()).filter(|at| marks(&input[*at])).collect();
                let at = places.get(numbers.below(places.len())).map_or(from, |at| at + 1);
                input.splice(at..at, WORDS[numbers.below(WORDS.len())].iter().copied());
            }
            // One value in place of another.
            6 => {
                let rest = &input[from..];
                if let Some(begin) = rest.iter().position(|byte| *byte == b':').map(|at| from + at + 1) {
                    let end = input[begin..].iter().position(|byte| matches!(byte, b',' | b'}' | b'\n'));
                    let end = end.map_or(input.len(), |at| begin + at);
                    input.splice(begin..end, WORDS[numbers.below(WORDS.len())].iter().copied());
                }
            }
            _ => input.splice(from..from, WORDS[numbers.below(WORDS.len())].iter().copied()).for_each(drop),
        }
    }
    input.truncate(LONGEST);
    input
}
