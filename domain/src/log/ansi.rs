//! Colours in a log (ECMA-48, 8.3.117 SGR): of all that a terminal would obey only colour and weight are kept, and a colour is
//! one of a few that both themes can show. Each line begins plain. Pure.

use std::borrow::Cow;

const ESCAPE: char = '\u{1b}';
/// The longest list of parameters that is heeded.
const LONGEST: usize = 32;

/// A colour, light and bright alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// What stands back.
    Grey,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Blue.
    Blue,
    /// Magenta.
    Magenta,
    /// Cyan.
    Cyan,
}

/// How a piece of text is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Heavier.
    pub bold: bool,
    /// Its colour; none is the text's own.
    pub colour: Option<Colour>,
}

/// A piece of a line, all set alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'t> {
    /// How it is set.
    pub style: Style,
    /// The text, without any escape.
    pub text: &'t str,
}

/// Whether an archive keeps the sequence `ESC [ parameters m`.
pub fn is_kept(parameters: &str) -> bool {
    parameters.len() <= LONGEST && parameters.chars().all(|c| c.is_ascii_digit() || matches!(c, ';' | ':'))
}

/// The pieces of a line, none of them empty. What is no colour is left out.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut style = Style::default();
    let mut rest = text;
    loop {
        let (before, after) = match rest.split_once(ESCAPE) {
            Some((before, after)) => (before, Some(after)),
            None => (rest, None),
        };
        if !before.is_empty() {
            found.push(Piece { style, text: before });
        }
        let Some(after) = after else { return found };
        rest = match sequence(after) {
            Some((parameters, rest)) => {
                style = applied(style, parameters);
                rest
            }
            None => after,
        };
    }
}

/// The text alone.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(ESCAPE) {
        Cow::Owned(pieces(text).into_iter().map(|piece| piece.text).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The parameters after `ESC`, and what follows the sequence.
fn sequence(after: &str) -> Option<(&str, &str)> {
    let (parameters, rest) = after.strip_prefix('[')?.split_once('m')?;
    is_kept(parameters).then_some((parameters, rest))
}

fn applied(mut style: Style, parameters: &str) -> Style {
    let mut codes = parameters.split([';', ':']).map(|code| code.parse::<u16>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => style = Style::default(),
            1 => style.bold = true,
            22 => style.bold = false,
            2 | 90 => style.colour = Some(Colour::Grey),
            30..=37 => style.colour = basic(code - 30),
            39 => style.colour = None,
            91..=97 => style.colour = basic(code - 90),
            38 => style.colour = extended(&mut codes),
            // A ground's colour has parameters too.
            48 => drop(extended(&mut codes)),
            _ => {}
        }
    }
    style
}

/// One of the first eight. Black on a dark ground and white on a light one would not be seen.
const fn basic(number: u16) -> Option<Colour> {
    Some(match number {
        0 => Colour::Grey,
        1 => Colour::Red,
        2 => Colour::Green,
        3 => Colour::Yellow,
        4 => Colour::Blue,
        5 => Colour::Magenta,
        6 => Colour::Cyan,
        _ => return None,
    })
}

/// After 38 or 48: `5;n` of 256 colours, or `2;r;g;b`.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<Colour> {
    match codes.next()? {
        5 => match codes.next()? {
            8 | 232..=245 => Some(Colour::Grey),
            n @ 0..=15 => basic(n % 8),
            n @ 16..=231 => {
                let step = |n: u16| [0, 95, 135, 175, 215, 255].get(usize::from(n % 6)).copied().unwrap_or(0);
                nearest(step((n - 16) / 36), step((n - 16) / 6), step(n - 16))
            }
            _ => None,
        },
        2 => {
            let (red, green, blue) = (codes.next()?, codes.next()?, codes.next()?);
            nearest(red, green, blue)
        }
        _ => None,
    }
}

/// The colour whose hue comes nearest: which of the three lights stand out.
fn nearest(red: u16, green: u16, blue: u16) -> Option<Colour> {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most - least < 48 {
        return (most < 150).then_some(Colour::Grey);
    }
    let middle = u16::midpoint(most, least);
    Some(match (red > middle, green > middle, blue > middle) {
        (true, true, _) => Colour::Yellow,
        (true, false, true) => Colour::Magenta,
        (true, false, false) => Colour::Red,
        (false, true, true) => Colour::Cyan,
        (false, true, false) => Colour::Green,
        _ => Colour::Blue,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(Option<Colour>, bool, &str)> {
        pieces(text).into_iter().map(|p| (p.style.colour, p.style.bold, p.text)).collect()
    }

    #[test]
    fn colours_and_weight_are_kept_until_they_end() {
        let text = "a \u{1b}[1;31merror\u{1b}[22m: \u{1b}[0mx \u{1b}[92mok\u{1b}[39m.";
        assert_eq!(
            told(text),
            [
                (None, false, "a "),
                (Some(Colour::Red), true, "error"),
                (Some(Colour::Red), false, ": "),
                (None, false, "x "),
                (Some(Colour::Green), false, "ok"),
                (None, false, "."),
            ]
        );
        assert_eq!(plain(text), "a error: x ok.");
        assert!(matches!(plain("as it was"), Cow::Borrowed(_)));
    }

    #[test]
    fn any_colour_becomes_one_that_both_themes_show() {
        for (code, colour) in [
            ("30", Some(Colour::Grey)),
            ("97", None),
            ("38;5;196", Some(Colour::Red)),
            ("38;5;46", Some(Colour::Green)),
            ("38;5;8", Some(Colour::Grey)),
            ("38;5;255", None),
            ("38;2;255;200;0", Some(Colour::Yellow)),
            ("38:2:10:10:200", Some(Colour::Blue)),
            ("48;5;196", None),
            ("48;2;1;2;3;36", Some(Colour::Cyan)),
            ("7", None),
            ("38;5", None),
        ] {
            assert_eq!(told(&format!("\u{1b}[{code}mx")), [(colour, false, "x")], "{code}");
        }
    }

    #[test]
    fn nothing_that_escapes_is_ever_left() {
        for text in ["\u{1b}", "\u{1b}[", "\u{1b}[31", "\u{1b}[2Jx", "\u{1b}]0;t\u{7}x", "\u{1b}\u{1b}[mx", "[31mx"] {
            assert!(!plain(text).contains(ESCAPE), "{text:?}");
            assert!(pieces(text).iter().all(|piece| !piece.text.is_empty()));
        }
        assert_eq!(plain("[31mx"), "[31mx", "without its escape it is text");
        assert!(is_kept("1;31") && is_kept("") && !is_kept("?25") && !is_kept(&"1;".repeat(40)));
    }
}
