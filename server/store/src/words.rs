//! Finding by words: what is searched in, and the pattern a word makes. Both sides are lowered here and not by the
//! databases, which disagree about letters outside ASCII. Knows no table.

use crate::sql::Sql;

/// More words than this narrow nothing down.
const MOST_WORDS: usize = 16;

/// The text that a row is found by.
pub(crate) fn searchable<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !all.is_empty() {
            all.push('\n');
        }
        all.push_str(&part.to_lowercase());
    }
    all
}

/// The words of what somebody typed.
pub(crate) fn words(q: &str) -> Vec<&str> {
    q.split_whitespace().take(MOST_WORDS).collect()
}

/// Adds a condition for each of the texts: the column must contain all of them, in any order.
pub(crate) fn contains_all(sql: &mut Sql, column: &str, texts: &[&str]) {
    for text in texts {
        contains(sql, column, text);
    }
}

/// The texts for SQLite's index of substrings (FTS5, trigrams): all that are long enough, each as it is; none when none is.
pub(crate) fn indexable(texts: &[&str]) -> Option<String> {
    quoted(texts.iter().map(|text| text.to_lowercase()))
}

/// Of each name in parts (`inc-1a2b3c4d`) its last part, by which names differ: all that holds the texts holds these. What many
/// names begin with costs the index more than it narrows down.
pub(crate) fn endings(texts: &[&str]) -> Option<String> {
    quoted(texts.iter().filter_map(|text| Some(text.rsplit_once('-')?.1.to_lowercase())))
}

fn quoted(texts: impl Iterator<Item = String>) -> Option<String> {
    let long = texts.filter(|text| text.chars().count() >= 3);
    let quoted: Vec<_> = long.map(|text| format!("\"{}\"", text.replace('"', "\"\""))).collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND "))
}

/// Adds the condition that the column contains this text.
pub(crate) fn contains(sql: &mut Sql, column: &str, text: &str) {
    sql.push(" AND ").push(column).push(" LIKE ").value(pattern(text)).push(" ESCAPE '\\'");
}

/// Adds the condition that the column, in lower case already, begins with this text.
pub(crate) fn starts_with(sql: &mut Sql, column: &str, text: &str) {
    sql.push(" AND ")
        .push(column)
        .push(" LIKE ")
        .value(format!("{}%", escaped(&text.to_lowercase())))
        .push(" ESCAPE '\\'");
}

fn pattern(text: &str) -> String {
    format!("%{}%", escaped(&text.to_lowercase()))
}

/// A text in which no character stands for others, as `LIKE … ESCAPE '\'` reads it.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_no_pattern() {
        assert_eq!(pattern("100%_\\Ä"), "%100\\%\\_\\\\ä%");
        let typed = words(" OOM at \"x y  my-App");
        assert_eq!(typed, ["OOM", "at", "\"x", "y", "my-App"]);
        assert_eq!(indexable(&typed).as_deref(), Some("\"oom\" AND \"my-app\""));
        assert_eq!(indexable(&["a\"b", "two words"]), Some("\"a\"\"b\" AND \"two words\"".into()));
        assert_eq!(indexable(&["no", "y"]), None);
        assert_eq!(endings(&["inc-1A2b3c4d", "checkout", "v-12"]).as_deref(), Some("\"1a2b3c4d\""));
        assert_eq!(endings(&["checkout"]), None);
        assert_eq!(searchable(["OOMKilled", "", "Ärger"]), "oomkilled\närger");
    }
}
