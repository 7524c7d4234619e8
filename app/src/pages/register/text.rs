//! A document as text for people: JSON or YAML, its members in the order in which a registration is read.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Syntax {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Json, Self::Yaml];

    /// The word in the form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }

    /// The syntax of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|syntax| syntax.name() == name)
    }
}

/// The document as text. Texts that the syntax can't carry do not exist: both are written by their libraries.
pub fn write(document: &Value, syntax: Syntax) -> String {
    let ordered = Ordered(document);
    match syntax {
        Syntax::Json => serde_json::to_string_pretty(&ordered).unwrap_or_default(),
        Syntax::Yaml => serde_norway::to_string(&ordered).unwrap_or_default(),
    }
}

/// Members in this order, others after them by name.
const ORDER: [&str; 39] = [
    "workflow_id",
    "version",
    "title",
    "description",
    "container_image",
    "image_pull_policy",
    "name",
    "type",
    "required",
    "value",
    "secret_ref",
    "key",
    "default",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "min_length",
    "max_length",
    "examples",
    "depends_on",
    "tekton_mapping",
    "parameters",
    "exposed",
    "hidden",
    "risk",
    "labels",
    "signal_type",
    "severity",
    "component",
    "environment",
    "priority",
    "risk_tolerance",
    "business_category",
    "category",
    "tags",
    "internal_steps",
    "remediation_steps",
    "execution",
];

struct Ordered<'v>(&'v Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
                members.sort_by_key(|(name, _)| rank(name));
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, &Ordered(value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Ordered(item))?;
                }
                list.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_begins_with_what_is_read_first() {
        let document = json!({"version": "1.0.0", "labels": {"tags": ["a"]}, "workflow_id": "x", "zzz": 1, "aaa": 2});
        assert_eq!(
            write(&document, Syntax::Yaml),
            "workflow_id: x\nversion: 1.0.0\nlabels:\n  tags:\n  - a\naaa: 2\nzzz: 1\n"
        );
        assert!(write(&document, Syntax::Json).starts_with("{\n  \"workflow_id\": \"x\",\n  \"version\""));
    }
}
