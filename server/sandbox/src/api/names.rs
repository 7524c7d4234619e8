//! What names, labels and annotations may be (`k8s.io/apimachinery/pkg/util/validation`), with the API server's own words for
//! what they may not.

use serde_json::Value;

use super::kinds::Kind;
use super::status::Cause;

const NAME: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
    and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_NAME: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
    end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
    start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// All annotations together, in bytes.
const ANNOTATIONS: usize = 262_144;

/// The longest name part of a key, and the longest value of a label.
const LABEL_LENGTH: usize = 63;
/// The longest subdomain.
const SUBDOMAIN_LENGTH: usize = 253;

/// RFC 1123: what a name may be.
pub(crate) fn name_faults(kind: &Kind, name: &str) -> Vec<Cause> {
    if kind.group == "rbac.authorization.k8s.io" {
        return Vec::new();
    }
    let (limit, form, well_formed) = if kind.qualified == "namespaces" {
        (LABEL_LENGTH, LABEL_NAME, is_label(name))
    } else {
        (SUBDOMAIN_LENGTH, NAME, is_subdomain(name))
    };
    let mut causes = Vec::new();
    let mut add = |why: &str| causes.push(Cause::invalid("metadata.name", &Value::from(name), why));
    if name.len() > limit {
        add(&format!("must be no more than {limit} characters"));
    }
    if !well_formed {
        add(form);
    }
    causes
}

fn is_label(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && edge(text.chars().next())
        && edge(text.chars().last())
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`
fn is_word(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && edge(text.chars().next())
        && edge(text.chars().last())
}

/// Why this is no qualified name: a word, with or without a subdomain and a slash before it.
fn qualified_faults(key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                faults.push("prefix part must be non-empty".into());
            } else if prefix.len() > SUBDOMAIN_LENGTH {
                faults.push(format!("prefix part must be no more than {SUBDOMAIN_LENGTH} characters"));
            } else if !is_subdomain(prefix) {
                faults.push(format!("prefix part {NAME}"));
            }
            name
        }
        _ => {
            let words = QUALIFIED.trim_start_matches("must consist");
            return vec![format!(
                "a qualified name must consist{words} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".into());
    } else if name.len() > LABEL_LENGTH {
        faults.push(format!("name part must be no more than {LABEL_LENGTH} characters"));
    }
    if !is_word(name) {
        faults.push(format!("name part {QUALIFIED}"));
    }
    faults
}

/// Faults of labels and annotations.
pub(crate) fn metadata_faults(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |field: &'static str, value: &Value, why: &str| causes.push(Cause::invalid(field, value, why));
    for (key, value) in value["metadata"]["labels"].as_object().into_iter().flatten() {
        for why in qualified_faults(key) {
            add("metadata.labels", &Value::from(key.as_str()), &why);
        }
        let text = value.as_str().unwrap_or_default();
        if text.len() > LABEL_LENGTH {
            add("metadata.labels", value, "must be no more than 63 characters");
        }
        if !text.is_empty() && !is_word(text) {
            add("metadata.labels", value, LABEL_VALUE);
        }
    }
    let annotations = || value["metadata"]["annotations"].as_object().into_iter().flatten();
    for (key, _) in annotations() {
        // The same rule, but case does not matter in the prefix either.
        for why in qualified_faults(&key.to_lowercase()) {
            add("metadata.annotations", &Value::from(key.as_str()), &why);
        }
    }
    let size: usize = annotations().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if size > ANNOTATIONS {
        causes.push(Cause {
            field: "metadata.annotations".into(),
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {ANNOTATIONS} bytes"),
        });
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(field: &str, key: &str) -> Vec<(String, String)> {
        let causes = metadata_faults(&json!({"metadata": {field: {key: "value"}}}));
        causes.into_iter().map(|cause| (cause.field, cause.message)).collect()
    }

    #[test]
    fn keys_are_words_with_or_without_a_domain() {
        for good in ["app", "my.name", "A_b-9", "example.com/MyName", "kubernaut.io/ticket-digest"] {
            assert!(faults("labels", good).is_empty() && faults("annotations", good).is_empty(), "{good}");
        }
        for (bad, why) in [
            ("", "name part must be non-empty"),
            ("-app", "name part must consist of"),
            ("a b", "name part must consist of"),
            ("a/b/c", "a qualified name must consist of"),
            ("/name", "prefix part must be non-empty"),
            ("example.com/", "name part must be non-empty"),
            ("exa_mple.com/name", "prefix part a lowercase RFC 1123 subdomain"),
            ("example..com/name", "prefix part a lowercase RFC 1123 subdomain"),
            (&"x".repeat(64), "name part must be no more than 63 characters"),
            (&format!("{}/name", "x".repeat(254)), "prefix part must be no more than 253 characters"),
        ] {
            for field in ["labels", "annotations"] {
                let faults = faults(field, bad);
                assert!(faults.iter().all(|(of, _)| *of == format!("metadata.{field}")), "{faults:?}");
                assert!(faults.iter().any(|(_, message)| message.contains(why)), "{field} {bad}: {faults:?}");
            }
        }
        assert!(faults("annotations", "Example.com/Name").is_empty(), "case does not matter in annotations");
        assert!(!faults("labels", "Example.com/Name").is_empty());
    }

    #[test]
    fn each_part_of_a_subdomain_is_a_label() {
        for (name, good) in [("a.b", true), ("a..b", false), ("a.-b", false), ("a-.b", false), ("", false)] {
            assert_eq!(is_subdomain(name), good, "{name:?}");
        }
    }
}
