//! Which characters a text may have, for texts that people read and for values that reach a container.
//! Source: safety rules on parameter values. Knows nothing of fields and places.

use crate::fault::{Complaint, code};

/// The longest parameter value, in bytes of UTF-8.
pub const VALUE_BYTES: usize = 4096;

/// A text on one line, for people: no control characters (line breaks and tabs are some), nothing that turns the direction.
pub fn check_line(text: &str) -> Result<(), Complaint> {
    check_characters(text, &[])
}

/// A text of several lines, for people: as [`check_line`], but line breaks and tabs are welcome.
pub fn check_paragraphs(text: &str) -> Result<(), Complaint> {
    check_characters(text, &['\n', '\r', '\t'])
}

/// A parameter value: one line, at most [`VALUE_BYTES`], and nothing that a later reader would expand.
pub fn check_value(text: &str) -> Result<(), Complaint> {
    if text.len() > VALUE_BYTES {
        let message = format!("shorten the value: it has {} bytes, at most {VALUE_BYTES} are allowed", text.len());
        return Err(Complaint::new(code::TOO_LONG, message));
    }
    check_line(text)?;
    if let Some((position, character)) = text.chars().enumerate().find(|(_, character)| joins(*character)) {
        return Err(complaint(code::INVISIBLE, "invisible character", character, position));
    }
    check_substitution(text)
}

/// A text that reaches Tekton: nothing that it, and then the kubelet, would expand.
pub fn check_substitution(text: &str) -> Result<(), Complaint> {
    if text.contains("$(") {
        return Err(Complaint::new(
            "substitution",
            "remove \"$(\": Tekton and then the kubelet expand it, so what runs would not be what was approved",
        ));
    }
    Ok(())
}

/// Any text on one line, for people: what is not seen becomes a blank, blanks are joined, and after `most` characters it is cut with an
/// ellipsis.
pub fn one_line(text: &str, most: usize) -> String {
    let shown = |c: char| if is_unseen(c) { ' ' } else { c };
    let line: String = text.chars().map(shown).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

fn check_characters(text: &str, welcome: &[char]) -> Result<(), Complaint> {
    for (position, character) in text.chars().enumerate() {
        if is_control(character) && !welcome.contains(&character) {
            return Err(complaint(code::CONTROL_CHARACTER, "control character", character, position));
        }
        if is_bidi_control(character) {
            return Err(complaint(code::BIDI_CONTROL, "direction-changing character", character, position));
        }
        if is_invisible(character) {
            return Err(complaint(code::INVISIBLE, "invisible character", character, position));
        }
    }
    Ok(())
}

fn complaint(code: &'static str, what: &str, character: char, position: usize) -> Complaint {
    let message = format!(
        "remove the {what} U+{:04X} at character {}: it would not be seen on the page",
        u32::from(character),
        position + 1
    );
    Complaint::new(code, message)
}

/// Any character that is not seen as what it is: control characters, line breaks among them, changes of direction, invisible ones.
pub fn is_unseen(character: char) -> bool {
    is_control(character) || is_bidi_control(character) || is_invisible(character)
}

/// The text with each such character replaced by U+FFFD, which is seen.
pub fn seen(text: &str) -> String {
    text.chars().map(|character| if is_unseen(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// C0, DEL, C1 and the line and paragraph separators.
pub fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides, isolates and marks that turn the direction in which text is shown.
pub fn is_bidi_control(character: char) -> bool {
    matches!(character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What is not seen, or seen as nothing, and has no place in a text: two texts that read alike must be alike. Of Unicode's
/// Default_Ignorable_Code_Point, without what joins letters or chooses their form ([`joins`]); blanks that are none; annotations.
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'
        | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// What joins letters, or chooses their form: scripts and emoji need it, values do not.
fn joins(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Whether a text is as the pattern says, in which `*` stands for any characters.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(result: Result<(), Complaint>) -> String {
        result.expect_err("refused").code.into_owned()
    }

    #[test]
    fn control_characters_are_refused_in_values() {
        for character in ['\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{2029}'] {
            assert_eq!(code_of(check_value(&format!("a{character}b"))), "control_character", "{character:?}");
        }
    }

    #[test]
    fn direction_changes_are_refused_everywhere() {
        for character in ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
            let text = format!("a{character}b");
            assert_eq!(code_of(check_value(&text)), "bidi_control", "{character:?}");
            assert_eq!(code_of(check_paragraphs(&text)), "bidi_control", "{character:?}");
        }
    }

    #[test]
    fn what_is_not_seen_is_refused_everywhere_and_what_joins_letters_in_values() {
        for character in ['\u{ad}', '\u{200b}', '\u{2060}', '\u{2800}', '\u{3164}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(code_of(check_value(&format!("a{character}b"))), "invisible_character", "{character:?}");
            assert_eq!(code_of(check_paragraphs(&format!("a{character}b"))), "invisible_character", "{character:?}");
        }
        assert!(check_line("👩\u{200d}🚒 می\u{200c}خواهم ❤\u{fe0f}").is_ok());
        assert_eq!(code_of(check_value("a\u{200d}b")), "invisible_character");
    }

    #[test]
    fn paragraphs_may_have_line_breaks_and_lines_may_not() {
        assert!(check_paragraphs("a\n\tb\r\n").is_ok());
        assert_eq!(code_of(check_line("a\nb")), "control_character");
    }

    #[test]
    fn what_tekton_would_expand_is_refused_with_the_reason() {
        let complaint = check_value("$(params.x)").expect_err("refused");
        assert_eq!(complaint.code, "substitution");
        assert!(complaint.message.contains("Tekton and then the kubelet"));
        assert!(check_value("$HOME ${x} $$ (").is_ok());
    }

    #[test]
    fn any_text_becomes_a_line_that_is_seen_whole() {
        assert_eq!(one_line("a\n\tb\0 \u{202e}c\u{200b} ", 20), "a b c");
        assert_eq!(one_line("ääää", 4), "ääää");
        assert_eq!(one_line("ää ää", 3), "ää…");
    }

    #[test]
    fn values_are_measured_in_bytes() {
        assert!(check_value(&"ä".repeat(2048)).is_ok());
        assert_eq!(code_of(check_value(&"ä".repeat(2049))), "too_long");
    }

    #[test]
    fn the_message_names_the_place() {
        assert!(check_line("ab\u{202e}").expect_err("refused").message.contains("U+202E at character 3"));
    }
}
