//! What is told of values: what they are, and what somebody meant.

use serde_json::Value;

use super::whole;

/// What somebody meant who sent a string that is nearly right, as models do. It is told, and never taken for what was sent.
pub(super) fn meant(value: &Value, needed: &str) -> Option<String> {
    let text = value.as_str()?.trim();
    match needed {
        "a number" | "a whole number" => {
            let number = serde_json::from_str::<serde_json::Number>(text).ok()?;
            let fits = needed == "a number" || whole(&number).is_some();
            fits.then(|| format!("write {number} without quotes"))
        }
        "true or false" => {
            let word = ["true", "false"].into_iter().find(|word| word.eq_ignore_ascii_case(text))?;
            Some(format!("write {word} without quotes"))
        }
        _ if !needed.starts_with("an object") && !needed.starts_with("a list") => None,
        _ if text.starts_with("```") => Some("send the JSON itself, without the Markdown fence around it".to_owned()),
        _ if text.starts_with(['{', '[']) => Some("send the JSON itself, not a string that holds it".to_owned()),
        _ => None,
    }
}

/// A value in a few words, for messages.
pub fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A text in quotes for a message: escaped, and cut when it is long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// The known name that somebody who wrote `name` most likely meant, if any is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of the lengths; nobody mistypes a name into a novel.
    if name.len() > 128 {
        return None;
    }
    let folded = name.to_lowercase();
    let likeness = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let part =
            folded.len() >= 4 && candidate.contains(&folded) || candidate.len() >= 4 && folded.contains(&candidate);
        strsim::jaro_winkler(&folded, &candidate).max(if part { 0.85 } else { 0.0 })
    };
    known
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_stay_short() {
        assert!(quoted(&"ä".repeat(9_000)).chars().count() < 100);
        assert_eq!(nearest(&"a".repeat(9_000), ["a"]), None);
        assert_eq!(nearest("TARGET_NAMESPASE", ["TARGET_NAME", "TARGET_NAMESPACE"]), Some("TARGET_NAMESPACE"));
        assert_eq!(nearest("REPLICAS", ["TARGET_NAME", "SCALE_TARGET_REPLICAS"]), Some("SCALE_TARGET_REPLICAS"));
        assert_eq!(nearest("zzz", ["title"]), None);
    }
}
