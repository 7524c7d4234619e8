//! The JSON Schema (2020-12) of a playbook's exposed parameters: what a model is shown, and what its answer is judged by.
//! Hidden parameters, steps and execution settings never enter it.

use serde_json::{Map, Value, json};

use super::parameter::Parameter;
use super::{Registration, dependency};

/// The dialect.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of the object with the exposed parameters.
///
/// `depends_on` becomes one `if`/`then`/`else` in `allOf` for each parameter that has it: forbidden unless the conditions
/// hold, and needed when they do if it is `required` and has no default.
pub fn json_schema(registration: &Registration) -> Value {
    let exposed = &registration.parameters.exposed;
    let properties: Map<String, Value> =
        exposed.iter().map(|parameter| (parameter.name.to_string(), property(parameter))).collect();
    let required: Vec<_> =
        exposed.iter().filter(|parameter| parameter.always_needed()).map(|parameter| parameter.name.as_str()).collect();
    let mut schema = json!({
        "$schema": DIALECT,
        "title": registration.title,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    });
    let conditional: Vec<_> = conditional(exposed).map(|parameter| condition(exposed, parameter)).collect();
    if !conditional.is_empty() {
        schema["allOf"] = Value::Array(conditional);
    }
    schema
}

/// The parameters that stand in `allOf`, in this order.
pub(super) fn conditional(exposed: &[Parameter]) -> impl Iterator<Item = &Parameter> {
    exposed.iter().filter(|parameter| !parameter.depends_on.is_empty())
}

/// The schema of one parameter's value.
pub(super) fn property(parameter: &Parameter) -> Value {
    let mut schema = Map::new();
    let mut put = |key: &str, value: Value| {
        schema.insert(key.to_owned(), value);
    };
    put("type", json!(parameter.kind));
    if !parameter.description.is_empty() {
        put("description", json!(parameter.description));
    }
    if !parameter.allowed.is_empty() {
        put("enum", json!(parameter.allowed));
    }
    if let Some(pattern) = &parameter.pattern {
        put("pattern", json!(pattern));
    }
    if let Some(minimum) = &parameter.minimum {
        put("minimum", json!(minimum));
    }
    if let Some(maximum) = &parameter.maximum {
        put("maximum", json!(maximum));
    }
    if let Some(fewest) = parameter.min_length {
        put("minLength", json!(fewest));
    }
    if let Some(most) = parameter.max_length {
        put("maxLength", json!(most));
    }
    if let Some(default) = &parameter.default {
        put("default", default.clone());
    }
    if !parameter.examples.is_empty() {
        put("examples", json!(parameter.examples));
    }
    Value::Object(schema)
}

fn condition(exposed: &[Parameter], parameter: &Parameter) -> Value {
    // A named parameter that was left out counts with its default, but only where it is itself allowed: then its own
    // conditions belong to these. One without a default must be given, and then its own rule speaks for it.
    let conditions = dependency::conditions(exposed, parameter, |named| named.default.is_some());
    let mut properties = Map::new();
    let mut given = Vec::new();
    for (name, values) in conditions {
        let default = exposed.iter().find(|candidate| candidate.name == name).and_then(|named| named.default.as_ref());
        if !default.is_some_and(|default| values.contains(default)) {
            given.push(name.to_string());
        }
        properties.insert(name.to_string(), json!({ "enum": values }));
    }
    let mut applies = Map::from_iter([("properties".to_owned(), Value::Object(properties))]);
    if !given.is_empty() {
        applies.insert("required".to_owned(), json!(given));
    }
    let presence = json!({ "required": [parameter.name] });
    let mut rule = Map::from_iter([("if".to_owned(), Value::Object(applies))]);
    if parameter.required && parameter.default.is_none() {
        rule.insert("then".to_owned(), presence.clone());
    }
    rule.insert("else".to_owned(), json!({ "not": presence }));
    Value::Object(rule)
}
