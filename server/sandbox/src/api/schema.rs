//! Structural schemas of custom resources: defaulting, pruning and validation, as far as the console's own definition
//! uses them, with the CEL rules that can be read without a CEL engine. It knows no store.

use regex::Regex;
use serde_json::{Map, Value};

use super::cel::Rule;
use super::status::Cause;

/// The API server asks its rules only about what has none of these faults.
const BLOCKING: [&str; 5] =
    ["FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"];
const UNCHECKED: &str = "some validation rules were not checked because the object was invalid; correct the existing errors \
    to complete validation";

/// One node of an `openAPIV3Schema`.
#[derive(Debug, Default)]
pub struct Schema {
    kind: Option<String>,
    properties: Vec<(String, Schema)>,
    additional: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    required: Vec<String>,
    allowed: Vec<Value>,
    pattern: Option<Regex>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    max_properties: Option<u64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    default: Option<Value>,
    nullable: bool,
    preserve: bool,
    int_or_string: bool,
    unique: Option<Unique>,
    rules: Vec<Rule>,
}

/// What no two items of a list may have in common (`x-kubernetes-list-type`).
#[derive(Debug)]
enum Unique {
    /// A set: the whole item.
    Whole,
    /// A map: these fields.
    Keys(Vec<String>),
}

impl Unique {
    fn new(json: &Value) -> Option<Self> {
        let keys = json["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
        match json["x-kubernetes-list-type"].as_str() {
            Some("set") => Some(Self::Whole),
            Some("map") => Some(Self::Keys(keys.filter_map(|key| key.as_str().map(Into::into)).collect())),
            _ => None,
        }
    }

    /// What of an item must be unique.
    fn of(&self, item: &Value) -> Value {
        match self {
            Self::Whole => item.clone(),
            Self::Keys(keys) => keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect(),
        }
    }
}

impl Schema {
    /// Reads a schema. Keywords that are not understood are ignored.
    pub(crate) fn new(json: &Value) -> Self {
        let number = |key: &str| json.get(key).and_then(Value::as_u64);
        Self {
            kind: json["type"].as_str().map(Into::into),
            properties: json["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), Self::new(schema)))
                .collect(),
            additional: json
                .get("additionalProperties")
                .filter(|v| **v != Value::Bool(false))
                .map(|v| Box::new(Self::new(v))),
            items: json.get("items").map(|v| Box::new(Self::new(v))),
            required: json["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|v| v.as_str().map(Into::into))
                .collect(),
            allowed: json["enum"].as_array().cloned().unwrap_or_default(),
            pattern: json["pattern"].as_str().and_then(|pattern| Regex::new(pattern).ok()),
            min_length: number("minLength"),
            max_length: number("maxLength"),
            min_items: number("minItems"),
            max_items: number("maxItems"),
            max_properties: number("maxProperties"),
            minimum: json["minimum"].as_f64(),
            maximum: json["maximum"].as_f64(),
            default: json.get("default").cloned(),
            nullable: json["nullable"] == Value::Bool(true),
            preserve: json["x-kubernetes-preserve-unknown-fields"] == Value::Bool(true),
            int_or_string: json["x-kubernetes-int-or-string"] == Value::Bool(true),
            unique: Unique::new(json),
            rules: json["x-kubernetes-validations"].as_array().into_iter().flatten().map(Rule::new).collect(),
        }
    }

    /// Drops what the schema does not name (at the root, `apiVersion`, `kind` and `metadata` always stay) and fills in
    /// defaults, as the API server does before it validates.
    pub(crate) fn prune_and_default(&self, object: &mut Value) {
        self.shape(object, true);
    }

    fn shape(&self, value: &mut Value, root: bool) {
        match value {
            Value::Object(map) => self.shape_map(map, root),
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    for item in items {
                        schema.shape(item, false);
                    }
                }
            }
            _ => {}
        }
    }

    fn shape_map(&self, map: &mut Map<String, Value>, root: bool) {
        let known = |name: &str| self.properties.iter().any(|(property, _)| property == name);
        if let Some(additional) = &self.additional {
            map.values_mut().for_each(|value| additional.shape(value, false));
        } else if !self.preserve {
            map.retain(|name, _| known(name) || root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
        }
        for (name, schema) in &self.properties {
            if root && name == "metadata" {
                continue;
            }
            if map.get(name).is_some_and(Value::is_null) && !schema.nullable {
                map.remove(name);
            }
            if let (false, Some(default)) = (map.contains_key(name), &schema.default) {
                map.insert(name.clone(), default.clone());
            }
            if let Some(value) = map.get_mut(name) {
                schema.shape(value, false);
            }
        }
    }

    /// Every fault of `object`; `old` is what it replaces, for transition rules.
    pub(crate) fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let (mut causes, mut broken) = (Vec::new(), Vec::new());
        self.check(object, old, "", &mut causes, &mut broken);
        if causes.iter().any(|cause| BLOCKING.contains(&cause.reason)) && self.has_rules() {
            broken = vec![Cause::invalid("<nil>", &Value::Null, UNCHECKED)];
        }
        causes.extend(broken);
        causes
    }

    fn has_rules(&self) -> bool {
        let properties = self.properties.iter().map(|(_, schema)| schema);
        let mut below = properties.chain(self.items.as_deref()).chain(self.additional.as_deref());
        !self.rules.is_empty() || below.any(Self::has_rules)
    }

    /// `causes` is what is wrong with the shape of things, `broken` are rules that do not hold.
    fn check(&self, value: &Value, old: Option<&Value>, path: &str, causes: &mut Vec<Cause>, broken: &mut Vec<Cause>) {
        if value.is_null() && self.nullable {
            return;
        }
        if let Some(wanted) = &self.kind
            && !is_of(value, wanted)
            && !(self.int_or_string && (value.is_string() || value.is_i64()))
        {
            causes.push(Cause::wrong_type(path, value, wanted));
            return;
        }
        if !self.allowed.is_empty() && !self.allowed.contains(value) {
            causes.push(Cause::unsupported(path, value, &self.allowed));
        }
        match value {
            Value::String(text) => self.check_text(value, text, path, causes),
            Value::Number(_) => self.check_number(value, path, causes),
            Value::Array(items) => self.check_items(items, old, path, causes, broken),
            Value::Object(map) => self.check_map(map, old, path, causes, broken),
            _ => {}
        }
        let field = if path.is_empty() { "<nil>" } else { path };
        for rule in &self.rules {
            if let Err(why) = rule.check(value, old) {
                broken.push(Cause::invalid(field, value, &why));
            }
        }
    }

    fn check_text(&self, value: &Value, text: &str, path: &str, causes: &mut Vec<Cause>) {
        let length = text.chars().count() as u64;
        if self.min_length.is_some_and(|least| length < least) {
            let least = self.min_length.unwrap_or_default();
            causes.push(Cause::invalid(path, value, &format!("{path} in body should be at least {least} chars long")));
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            causes.push(Cause {
                field: path.into(),
                reason: "FieldValueTooLong",
                message: format!("Too long: may not be more than {most} bytes"),
            });
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            causes.push(Cause::invalid(path, value, &format!("{path} in body should match '{}'", pattern.as_str())));
        }
    }

    fn check_number(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) {
        let Some(number) = value.as_f64() else { return };
        if let Some(least) = self.minimum.filter(|least| number < *least) {
            let why = format!("{path} in body should be greater than or equal to {least}");
            causes.push(Cause::invalid(path, value, &why));
        }
        if let Some(most) = self.maximum.filter(|most| number > *most) {
            let why = format!("{path} in body should be less than or equal to {most}");
            causes.push(Cause::invalid(path, value, &why));
        }
    }

    fn check_items(
        &self,
        items: &[Value],
        old: Option<&Value>,
        path: &str,
        causes: &mut Vec<Cause>,
        broken: &mut Vec<Cause>,
    ) {
        let length = items.len() as u64;
        if let Some(most) = self.max_items.filter(|most| length > *most) {
            causes.push(Cause {
                field: path.into(),
                reason: "FieldValueTooMany",
                message: format!("Too many: {length}: must have at most {most} items"),
            });
        }
        if let Some(least) = self.min_items.filter(|least| length < *least) {
            let why = format!("{path} in body should have at least {least} items");
            causes.push(Cause::invalid(path, &Value::from(length), &why));
        }
        if let Some(unique) = &self.unique {
            let keys: Vec<Value> = items.iter().map(|item| unique.of(item)).collect();
            causes.extend(keys.iter().enumerate().filter(|(index, key)| keys[..*index].contains(key)).map(
                |(index, key)| Cause {
                    field: format!("{path}[{index}]"),
                    reason: "FieldValueDuplicate",
                    message: format!("Duplicate value: {key}"),
                },
            ));
        }
        let Some(schema) = &self.items else { return };
        for (index, item) in items.iter().enumerate() {
            schema.check(item, old.and_then(|old| old.get(index)), &format!("{path}[{index}]"), causes, broken);
        }
    }

    fn check_map(
        &self,
        map: &Map<String, Value>,
        old: Option<&Value>,
        path: &str,
        causes: &mut Vec<Cause>,
        broken: &mut Vec<Cause>,
    ) {
        let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for name in self.required.iter().filter(|name| !map.contains_key(*name)) {
            causes.push(Cause::required(join(name)));
        }
        if let Some(most) = self.max_properties.filter(|most| map.len() as u64 > *most) {
            causes.push(Cause {
                field: path.into(),
                reason: "FieldValueTooMany",
                message: format!("Too many: {}: must have at most {most} items", map.len()),
            });
        }
        for (name, schema) in &self.properties {
            if path.is_empty() && name == "metadata" {
                continue;
            }
            if let Some(value) = map.get(name) {
                schema.check(value, old.and_then(|old| old.get(name)), &join(name), causes, broken);
            }
        }
        if let Some(additional) = &self.additional {
            for (name, value) in map {
                additional.check(value, old.and_then(|old| old.get(name)), &join(name), causes, broken);
            }
        }
    }
}

fn is_of(value: &Value, wanted: &str) -> bool {
    match wanted {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::new(&json!({
            "type": "object",
            "required": ["spec"],
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                        "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
                        "count": {"type": "integer", "minimum": 1},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                        "env": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                },
            },
        }))
    }

    #[test]
    fn prunes_defaults_and_keeps_what_is_free() {
        let mut object = json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "x"}, "other": 1,
            "spec": {"name": "ok", "unknown": 1, "free": {"kept": {"deep": 1}}, "env": {"A": "1"}}});
        schema().prune_and_default(&mut object);
        assert_eq!(
            object,
            json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "x"},
                "spec": {"name": "ok", "mode": "a", "free": {"kept": {"deep": 1}}, "env": {"A": "1"}}})
        );
        assert!(schema().validate(&object, None).is_empty());
    }

    #[test]
    fn names_every_fault_with_its_field() {
        let object = json!({"spec": {"name": "TOO LONG", "mode": "c", "count": 0, "env": {"A": 1}}});
        let causes = schema().validate(&object, None);
        let fields: Vec<&str> = causes.iter().map(|cause| cause.field.as_str()).collect();
        assert_eq!(fields, ["spec.count", "spec.env.A", "spec.mode", "spec.name", "spec.name", "<nil>"]);
        let unchecked = || Cause::invalid("<nil>", &Value::Null, UNCHECKED);
        assert_eq!(schema().validate(&json!({}), None), [Cause::required("spec"), unchecked()]);
        assert_eq!(schema().validate(&json!({"spec": {}}), None), [Cause::required("spec.name"), unchecked()]);
    }

    #[test]
    fn nothing_is_twice_in_a_set_or_under_one_key() {
        let schema = Schema::new(&json!({"type": "object", "properties": {
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "named": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}}},
        }}));
        let twice = json!({"tags": ["a", "b", "a"], "named": [{"name": "x", "n": 1}, {"name": "x", "n": 2}]});
        let causes = schema.validate(&twice, None);
        let told: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        assert_eq!(told, ["named[1]: Duplicate value: {\"name\":\"x\"}", "tags[2]: Duplicate value: \"a\""]);
        assert!(
            schema.validate(&json!({"tags": ["a", "b"], "named": [{"name": "x"}, {"name": "y"}]}), None).is_empty()
        );
    }

    #[test]
    fn an_immutable_spec_cannot_change() {
        let old = json!({"spec": {"name": "one"}});
        let new = json!({"spec": {"name": "two"}});
        assert!(schema().validate(&old, Some(&old)).is_empty());
        let causes = schema().validate(&new, Some(&old));
        assert_eq!(causes.len(), 1);
        assert!(causes[0].message.ends_with("spec is immutable"), "{causes:?}");
    }
}
