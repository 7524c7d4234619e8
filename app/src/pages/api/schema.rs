//! A JSON Schema of a body, flattened for reading: one line a member, by its path.

use serde_json::Value;

/// Deeper than this nobody reads.
const DEEPEST: usize = 4;

/// A member of what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaField {
    /// Its path: `parameters.exposed[].name`.
    pub name: String,
    /// Its type in a word.
    pub kind: String,
    /// What it may be.
    pub rule: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it is.
    pub description: String,
}

/// The members of a schema, each below what it is part of.
pub fn fields(document: &Value, schema: &Value) -> Vec<SchemaField> {
    let mut found = Vec::new();
    object(document, schema, "", DEEPEST, &mut found);
    found
}

/// What a reference refers to, or the schema itself.
fn resolved<'v>(document: &'v Value, schema: &'v Value) -> &'v Value {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

fn object(document: &Value, schema: &Value, path: &str, depth: usize, found: &mut Vec<SchemaField>) {
    let schema = resolved(document, schema);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let needed: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    // What must be there comes first.
    let mut names: Vec<&String> = properties.keys().collect();
    names.sort_by_key(|name| needed.iter().position(|n| n == name).unwrap_or(needed.len()));
    for name in names {
        let Some(member) = properties.get(name) else { continue };
        let full = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let text = |schema: &Value| schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        found.push(SchemaField {
            kind: kind(member),
            rule: rule(resolved(document, member)),
            required: needed.contains(&name.as_str()),
            description: text(member),
            name: full.clone(),
        });
        if depth > 1 {
            inner(document, member, &full, depth - 1, found);
        }
    }
}

/// The members of what a member holds: an object, the items of a list, or the first form of several that has any.
fn inner(document: &Value, schema: &Value, path: &str, depth: usize, found: &mut Vec<SchemaField>) {
    let schema = resolved(document, schema);
    if schema.get("properties").is_some() {
        object(document, schema, path, depth, found);
    } else if let Some(items) = schema.get("items") {
        inner(document, items, &format!("{path}[]"), depth, found);
    } else {
        let forms = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
        let with_members =
            forms.into_iter().flatten().find(|form| resolved(document, form).get("properties").is_some());
        if let Some(form) = with_members {
            object(document, form, path, depth, found);
        }
    }
}

/// What a value may be, in words.
fn rule(schema: &Value) -> String {
    let list = |key: &str| {
        let values = schema.get(key)?.as_array()?;
        Some(values.iter().map(crate::components::plain).collect::<Vec<_>>().join(", "))
    };
    let number = |key: &str| schema.get(key).map(ToString::to_string);
    let range = |low: Option<String>, high: Option<String>, unit: &str| match (
        low.filter(|n| n != "0" || unit.is_empty()),
        high,
    ) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
        (Some(low), None) => Some(format!("at least {low}{unit}")),
        (None, Some(high)) => Some(format!("at most {high}{unit}")),
        (None, None) => None,
    };
    let rules = [
        list("enum").map(|values| format!("one of {values}")),
        range(number("minimum"), number("maximum"), ""),
        range(number("minLength"), number("maxLength"), " characters"),
        range(number("minItems"), number("maxItems"), " items"),
        schema.get("pattern").and_then(Value::as_str).map(|pattern| format!("matches {pattern}")),
        schema.get("default").map(|value| format!("{} unless given", crate::components::plain(value))),
    ];
    rules.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A schema in a word: the name it refers to, or its type.
pub fn kind(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match schema.get("type") {
        Some(Value::String(word)) if word == "array" => {
            format!("list of {}", schema.get("items").map(kind).unwrap_or_default())
        }
        Some(Value::String(word)) => word.clone(),
        Some(Value::Array(words)) => {
            let words = words.iter().filter_map(Value::as_str).filter(|word| *word != "null");
            words.collect::<Vec<_>>().join(" or ")
        }
        _ => {
            let any = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema.get(key)?.as_array());
            let kinds = any.into_iter().flatten().map(kind).filter(|word| !word.is_empty() && word != "null");
            kinds.collect::<Vec<_>>().join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_told_by_their_path() {
        let document = json!({"components": {"schemas": {
            "Form": {"properties": {
                "labels": {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "minItems": 0, "maxItems": 3}}},
                "steps": {"type": "array", "items": {"$ref": "#/components/schemas/Step"}},
                "id": {"type": "string", "minLength": 1, "maxLength": 63, "description": "The id"},
            }, "required": ["id"]},
            "Step": {"properties": {"kind": {"type": "string", "enum": ["a", "b"]}}, "required": ["kind"]},
        }}});
        let found = fields(&document, &json!({"$ref": "#/components/schemas/Form"}));
        let told: Vec<_> =
            found.iter().map(|f| (f.name.as_str(), f.kind.as_str(), f.rule.as_str(), f.required)).collect();
        assert_eq!(
            told,
            [
                ("id", "string", "1 to 63 characters", true),
                ("labels", "object", "", false),
                ("labels.tags", "list of string", "at most 3 items", false),
                ("steps", "list of Step", "", false),
                ("steps[].kind", "string", "one of a, b", true),
            ]
        );
    }
}
