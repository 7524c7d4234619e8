//! Several values in one line of text: `a, b`. A value that would not come back as it is (it has a comma, a blank at an end,
//! or nothing in it) stands as a JSON string: `"a, b"`. Conditions are `NAME: a, b; OTHER: c`.

/// The values as one line.
pub fn write<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    let written = values.into_iter().map(|value| {
        let value = value.as_ref();
        let plain = !value.is_empty()
            && value.trim() == value
            && !value.contains([',', ';', '"', ':'])
            && !value.chars().any(char::is_control);
        if plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
    });
    written.collect::<Vec<_>>().join(", ")
}

/// The values of a line; blank ones do not count.
pub fn read(text: &str) -> Vec<String> {
    split(text, ',').into_iter().filter_map(|part| unquoted(&part)).collect()
}

/// Names with their values.
pub fn read_conditions(text: &str) -> Vec<(String, Vec<String>)> {
    let parts = split(text, ';').into_iter().filter(|part| !part.trim().is_empty());
    parts
        .map(|part| match part.split_once(':') {
            Some((name, values)) => (name.trim().to_owned(), read(values)),
            None => (part.trim().to_owned(), Vec::new()),
        })
        .collect()
}

/// Splits where the separator stands outside of quotes.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == separator && !quoted {
            parts.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

fn unquoted(part: &str) -> Option<String> {
    let part = part.trim();
    if part.starts_with('"')
        && let Ok(text) = serde_json::from_str::<String>(part)
    {
        return Some(text);
    }
    (!part.is_empty()).then(|| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        for values in [
            vec!["Deployment", "StatefulSet"],
            vec!["a, b", "", " c", "d;e", "f:g", "\"h\"", "i\\", "\\\"", "j\nk"],
            vec!["\""],
            vec![],
        ] {
            assert_eq!(read(&write(&values)), values, "{}", write(&values));
        }
        assert_eq!(write(["a", "b c"]), "a, b c");
        assert_eq!(read(" a ,, b "), ["a", "b"]);
    }

    #[test]
    fn conditions_name_their_values() {
        let read = read_conditions("MODE: scale, \"a;b\"; N: 1;");
        assert_eq!(
            read,
            [("MODE".to_owned(), vec!["scale".to_owned(), "a;b".to_owned()]), ("N".to_owned(), vec!["1".to_owned()])]
        );
        assert_eq!(read_conditions("MODE"), [("MODE".to_owned(), vec![])]);
    }
}
