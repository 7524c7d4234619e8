//! How grave a line of a log says it is. Programs say it in many ways; the rule looks for the word where such words stand, and
//! keeps away from prose ("no errors found"). Pure.

/// How grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever wrote the program.
    Debug,
    /// What goes on.
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
}

/// How a line that may be of a level looks: for a database that finds candidates faster than the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needle {
    /// It holds this, whatever the case of its letters.
    Holds(String),
    /// It begins with this, whatever the case of its letters.
    Begins(String),
}

/// So far into a line the level stands, in bytes.
const REACH: usize = 160;

const WORDS: [(&str, Level); 14] = [
    ("error", Level::Error),
    ("err", Level::Error),
    ("fatal", Level::Error),
    ("panic", Level::Error),
    ("critical", Level::Error),
    ("crit", Level::Error),
    ("alert", Level::Error),
    ("emerg", Level::Error),
    ("warning", Level::Warning),
    ("warn", Level::Warning),
    ("notice", Level::Info),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Debug),
];

impl Level {
    /// Those that a reader may ask for, gravest last.
    pub const FILTERS: [Self; 2] = [Self::Warning, Self::Error];

    /// The word in the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Debug, Self::Info, Self::Warning, Self::Error].into_iter().find(|level| level.name() == name)
    }

    /// What a line of this level or a graver one looks like; some that are not may look so too.
    pub fn needles(self) -> Vec<Needle> {
        let wanted = || WORDS.iter().filter(|(_, level)| *level >= self).map(|(word, _)| *word);
        // What holds a longer word holds its beginning too: `err` finds `error`.
        let shortest = wanted().filter(|word| !wanted().any(|other| other != *word && word.starts_with(other)));
        let words = shortest.map(|word| Needle::Holds(word.to_owned()));
        let letters = match self {
            Self::Error => "ef",
            Self::Warning => "efw",
            Self::Info | Self::Debug => "efwi",
        };
        let stamps = letters.chars().flat_map(|c| ['0', '1'].map(|month| Needle::Begins(format!("{c}{month}"))));
        words.chain(stamps).collect()
    }
}

/// The level that a line says; none where it says none. The text is plain.
pub fn of(text: &str) -> Option<Level> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("::") {
        return command(rest);
    }
    if let Some(level) = klog(text.as_bytes()) {
        return Some(level);
    }
    let reach = (0..=REACH.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let head = &text[..reach];
    let mut begin = 0;
    while let Some(found) = head[begin..].find(|c: char| c.is_ascii_alphabetic()) {
        let start = begin + found;
        let length = head[start..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(head.len() - start);
        let end = start + length;
        if let Some(level) = word(&head[..start], &head[start..end], &text[end..]) {
            return Some(level);
        }
        begin = end;
    }
    None
}

/// `::error file=x::what`: GitHub's workflow commands, which tools write for their logs.
fn command(rest: &str) -> Option<Level> {
    let name = rest.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    let known = matches!(name, "error" | "warning" | "notice" | "debug") && rest[name.len()..].contains("::");
    WORDS.iter().find(|(word, _)| known && *word == name).map(|(_, level)| *level)
}

/// `E1126 20:17:15.000000`: klog, as Kubernetes' own programs write.
fn klog(text: &[u8]) -> Option<Level> {
    let [letter, digits @ ..] = text.get(..6)? else { return None };
    if !(digits[..4].iter().all(u8::is_ascii_digit) && digits[4] == b' ') {
        return None;
    }
    Some(match letter {
        b'E' | b'F' => Level::Error,
        b'W' => Level::Warning,
        b'I' => Level::Info,
        _ => return None,
    })
}

/// Whether a word stands as a level: in capitals, before a colon, in brackets, or as the value of a field for it.
fn word(before: &str, word: &str, after: &str) -> Option<Level> {
    let lower = word.to_ascii_lowercase();
    let (_, level) = WORDS.iter().find(|(known, _)| *known == lower)?;
    // `ERROR_COUNT` and `errors.go` are no words of their own.
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'));
    if part(before.chars().next_back()) || after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let capitals = word.len() > 2 && word.bytes().all(|b| b.is_ascii_uppercase());
    let opened = before.ends_with(['[', '<', '(']) && after.starts_with([']', '>', ')', ':']);
    let told = after.starts_with(':') && (before.trim().is_empty() || before.ends_with(": ") || before.ends_with("] "));
    let field = ["level=", "level\":\"", "level\": \"", "lvl=", "severity\":\"", "severity\": \"", "severity="];
    let field = field
        .iter()
        .any(|name| before.to_ascii_lowercase().trim_end_matches('"').ends_with(name.trim_end_matches('"')));
    (capitals || opened || told || field).then_some(*level)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [(&str, Option<Level>); 24] = [
        ("ERROR: this image always fails", Some(Level::Error)),
        ("error: timed out waiting for the condition", Some(Level::Error)),
        ("2026-11-26T20:17:15Z ERROR dispatcher: lost", Some(Level::Error)),
        ("time=\"…\" level=error msg=\"x\"", Some(Level::Error)),
        ("time=\"…\" level=\"warning\" msg=\"x\"", Some(Level::Warning)),
        ("{\"ts\":1,\"level\":\"warn\",\"msg\":\"x\"}", Some(Level::Warning)),
        ("{\"severity\": \"info\"}", Some(Level::Info)),
        ("[WARN] disk", Some(Level::Warning)),
        ("[error] disk", Some(Level::Error)),
        ("E1126 20:17:15.000000       1 x.go:1] no", Some(Level::Error)),
        ("W1126 20:17:15.000000       1 x.go:1] hm", Some(Level::Warning)),
        ("::error file=a.sh::it broke", Some(Level::Error)),
        ("::warning::careful", Some(Level::Warning)),
        ("::group::Error handling", None),
        ("ansible: FATAL: all hosts have failed", Some(Level::Error)),
        ("kubectl: error: unknown command", Some(Level::Error)),
        ("panic: runtime error: index out of range", Some(Level::Error)),
        ("DEBUG x", Some(Level::Debug)),
        ("no errors found", None),
        ("0 errors, 0 warnings", None),
        ("an error is no shame", None),
        ("ERROR_COUNT=0", None),
        ("wrote /var/log/error.log", None),
        ("", None),
    ];

    #[test]
    fn a_level_is_read_where_programs_write_it_and_not_in_prose() {
        for (text, level) in LINES {
            assert_eq!(of(text), level, "{text}");
        }
        assert_eq!(of(&"ü".repeat(REACH)), None, "cut between letters");
    }

    #[test]
    fn whatever_has_a_level_is_found_by_its_needles() {
        let holds = |text: &str, needle: &Needle| match needle {
            Needle::Holds(part) => text.to_lowercase().contains(part),
            Needle::Begins(part) => text.to_lowercase().starts_with(part.as_str()),
        };
        for (text, level) in LINES {
            for asked in Level::FILTERS {
                if level.is_some_and(|level| level >= asked) {
                    assert!(asked.needles().iter().any(|needle| holds(text, needle)), "{text}");
                }
            }
        }
        assert!(!Level::Error.needles().iter().any(|needle| holds("all is well", needle)));
        assert!(!Level::Error.needles().contains(&Needle::Holds("error".into())), "err finds it");
    }

    #[test]
    fn words_of_the_address_are_levels() {
        assert_eq!(Level::from_name("error"), Some(Level::Error));
        assert_eq!(Level::from_name("loud"), None);
        assert!(Level::Error > Level::Warning);
    }
}
