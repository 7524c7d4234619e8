//! Text only: what a terminal would obey or a reader would not see is taken out (`safety.md`: "Logs are stripped of escape
//! sequences (C1 too) and bidi controls"). Colours alone are kept, in the one form that [`super::ansi`] reads; every door
//! takes them out again or draws them. Pure.

use super::ansi;
use crate::text::is_unseen;
use std::fmt::Write as _;

/// The longest line that is kept, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// The text of a line without escape sequences but colours, control and bidirectional characters, cut at [`LONGEST`] with a mark.
pub fn clean(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => {
                if let Some(colour) = colour(rest.as_str()) {
                    let _ = write!(out, "\u{1b}[{colour}m");
                }
                skip_escape(&mut rest);
            }
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\t' => out.push_str("    "),
            // What a terminal would overwrite stays to be read.
            '\r' => out.push(' '),
            character if is_unseen(character) => {}
            character => out.push(character),
        }
    }
    let kept = out.trim_end().len();
    out.truncate(kept);
    cut(out)
}

/// The parameters of the colour that an escape begins, if it is one.
fn colour(after: &str) -> Option<&str> {
    let (parameters, _) = after.strip_prefix('[')?.split_once('m')?;
    ansi::is_kept(parameters).then_some(parameters)
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let whole = text.len();
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text = format!("{text} [… {} bytes cut]", whole - end);
    }
    text
}

/// After ESC: a control sequence, a string, or one or two more characters (ECMA-48).
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.clone().next() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some('P' | 'X' | ']' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        Some(' '..='/') => {
            while matches!(rest.clone().next(), Some(' '..='/')) {
                rest.next();
            }
            rest.next();
        }
        Some('0'..='~') => {
            rest.next();
        }
        _ => {}
    }
}

/// Parameters, intermediates, and the character that ends it.
fn skip_control_sequence(rest: &mut std::str::Chars<'_>) {
    while matches!(rest.clone().next(), Some(' '..='?')) {
        rest.next();
    }
    if matches!(rest.clone().next(), Some('@'..='~')) {
        rest.next();
    }
}

/// Up to BEL, ST or the end of the line. An unended one hides no more than its line.
fn skip_string(rest: &mut std::str::Chars<'_>) {
    while let Some(character) = rest.next() {
        match character {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                if rest.clone().next() == Some('\\') {
                    rest.next();
                }
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_left() {
        for (raw, text) in [
            ("\u{1b}[31mred\u{1b}[0m plain\u{1b}[?25h", "\u{1b}[31mred\u{1b}[0m plain"),
            ("\u{1b}[38;5;196mx\u{1b}[K", "\u{1b}[38;5;196mx"),
            ("\u{1b}[>4;2mx\u{1b}[31", "x"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jx\u{9d}title\u{9c}y", "xy"),
            ("\u{1b}(Bx\u{1b}=y", "xy"),
            ("a\u{202e}b\u{2066}c\u{200f}d", "abcd"),
            ("a\0b\u{8}c\u{85}d\u{2028}e", "abcde"),
            ("10%\r20%", "10% 20%"),
            ("a\tb  ", "a    b"),
            ("ünïcödé ✓", "ünïcödé ✓"),
            ("broken \u{1b}[", "broken"),
            ("end \u{1b}", "end"),
        ] {
            assert_eq!(clean(raw.as_bytes()), text, "{raw:?}");
        }
        let kept = clean("\u{1b}[1mb\u{1b}]0;31m\u{7}\u{1b}(0\u{9b}31mc".as_bytes());
        assert_eq!(ansi::plain(&kept), "bc", "nothing but colours comes through");
        assert_eq!(clean(b"bad \xff utf-8"), "bad \u{fffd} utf-8");
    }

    #[test]
    fn a_long_line_is_cut_with_a_mark() {
        let long = clean("ä".repeat(LONGEST).as_bytes());
        assert!(long.len() <= LONGEST + 40);
        assert!(long.ends_with(&format!(" [… {LONGEST} bytes cut]")), "{}", &long[long.len() - 40..]);
    }
}
