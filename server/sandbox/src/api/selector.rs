//! Label and field selectors. It knows no store.

use std::collections::BTreeMap;

use super::status::ApiError;

/// Labels of an object.
pub(crate) type Labels = BTreeMap<String, String>;

/// What a list or watch asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, String, bool)>,
}

#[derive(Debug, Clone)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// `selectable` are the fields that may be named.
    pub(crate) fn parse(labels: &str, fields: &str, selectable: &[&str]) -> Result<Self, ApiError> {
        let selector = Self { labels: parse_labels(labels)?, fields: parse_fields(fields)? };
        match selector.fields.iter().find(|(name, ..)| !selectable.contains(&name.as_str())) {
            Some((name, ..)) => Err(ApiError::bad_request(format!("field label not supported: {name}"))),
            None => Ok(selector),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, labels: &Labels, field: impl Fn(&str) -> String) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(labels))
            && self.fields.iter().all(|(name, wanted, equal)| (field(name) == *wanted) == *equal)
    }
}

impl Requirement {
    fn holds(&self, labels: &Labels) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::Absent(key) => !labels.contains_key(key),
        }
    }
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(start..index).unwrap_or_default());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, ApiError> {
    let wrong = |part: &str| ApiError::bad_request(format!("unable to parse requirement: found '{part}'"));
    let mut requirements = Vec::new();
    for part in split(text) {
        if part.ends_with(" in") || part.ends_with(" notin") {
            return Err(ApiError::bad_request("unable to parse requirement: found '' expected: '('"));
        }
        let set = |word: &str| {
            let (key, rest) = part.split_once(word)?;
            let values = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
            Some((key.trim().to_owned(), values.split(',').map(|value| value.trim().to_owned()).collect()))
        };
        requirements.push(if let Some((key, values)) = set(" notin ") {
            Requirement::NotIn(key, values)
        } else if let Some((key, values)) = set(" in ") {
            Requirement::In(key, values)
        } else if let Some((key, value)) = part.split_once("!=") {
            Requirement::NotIn(key.trim().into(), vec![value.trim().into()])
        } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            Requirement::In(key.trim().into(), vec![value.trim().into()])
        } else if let Some(key) = part.strip_prefix('!') {
            Requirement::Absent(key.trim().into())
        } else if part.contains(char::is_whitespace) {
            return Err(wrong(part));
        } else {
            Requirement::Exists(part.into())
        });
    }
    Ok(requirements)
}

fn parse_fields(text: &str) -> Result<Vec<(String, String, bool)>, ApiError> {
    split(text)
        .into_iter()
        .map(|part| {
            let parsed = part
                .split_once("!=")
                .map(|(key, value)| (key, value, false))
                .or_else(|| part.split_once("==").or_else(|| part.split_once('=')).map(|(k, v)| (k, v, true)));
            let (key, value, equal) = parsed.ok_or_else(|| {
                ApiError::bad_request(format!("invalid selector: '{part}'; can't understand '{part}'"))
            })?;
            Ok((key.trim().to_owned(), value.trim().to_owned(), equal))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(selector: &str) -> bool {
        let labels = Labels::from([("app".into(), "my-app".into()), ("tier".into(), "web".into())]);
        Selector::parse(selector, "", &[]).unwrap().matches(&labels, |_| String::new())
    }

    #[test]
    fn label_selectors_of_every_form() {
        for yes in ["", "app=my-app", "app==my-app,tier", "app in (x, my-app)", "other notin (a)", "!other", "app!=x"] {
            assert!(picks(yes), "{yes}");
        }
        for no in ["app=x", "app notin (my-app)", "!app", "other", "app=my-app,tier!=web"] {
            assert!(!picks(no), "{no}");
        }
        assert!(Selector::parse("a b", "", &[]).is_err());
        assert!(Selector::parse("", "nonsense", &[]).is_err());
    }

    #[test]
    fn field_selectors() {
        let selector =
            Selector::parse("", "metadata.name=x,status.phase!=Running", &["metadata.name", "status.phase"]).unwrap();
        assert!(Selector::parse("", "spec.x=1", &["metadata.name"]).is_err());
        let fields = |phase: &'static str| {
            move |name: &str| match name {
                "metadata.name" => "x".to_owned(),
                "status.phase" => phase.to_owned(),
                _ => String::new(),
            }
        };
        assert!(selector.matches(&Labels::new(), fields("Pending")));
        assert!(!selector.matches(&Labels::new(), fields("Running")));
    }
}
