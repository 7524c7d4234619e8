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

/// Adds a condition for every word of `q`: the column must contain all of them, in any order.
pub(crate) fn contains_words(sql: &mut Sql, column: &str, q: &str) {
    for word in q.split_whitespace().take(MOST_WORDS) {
        contains(sql, column, word);
    }
}

/// The words of `q` for SQLite's index of substrings (FTS5, trigrams): all that are long enough, each as it is; none when
/// none is.
pub(crate) fn indexable(q: &str) -> Option<String> {
    let long = q.split_whitespace().take(MOST_WORDS).map(str::to_lowercase).filter(|word| word.chars().count() >= 3);
    let words: Vec<_> = long.map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
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
        assert_eq!(indexable("OOM at \"x y my-App").as_deref(), Some("\"oom\" AND \"my-app\""));
        assert_eq!(indexable("a\"b"), Some("\"a\"\"b\"".into()));
        assert_eq!(indexable("no y"), None);
        assert_eq!(searchable(["OOMKilled", "", "Ärger"]), "oomkilled\närger");
    }
}
