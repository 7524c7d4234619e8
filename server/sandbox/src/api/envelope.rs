//! What is checked of every body, whatever its kind: that it says what it is, that the shared parts have their types,
//! and, when asked, that nothing in it is unknown.

use serde_json::{Map, Value};

use super::kinds::Kind;
use super::status::{self, ApiError};

/// The object says what it is, and that is what the path says.
pub(super) fn envelope(kind: &Kind, body: &mut Value) -> Result<(), ApiError> {
    let Value::Object(map) = body else {
        return Err(ApiError::bad_request("the body of the request is not an object"));
    };
    let api_version = kind.api_version();
    for (field, words, wanted) in
        [("apiVersion", "API version", api_version.as_str()), ("kind", "kind", kind.kind.as_str())]
    {
        match map.get(field).and_then(Value::as_str) {
            None | Some("") => {
                map.insert(field.into(), wanted.into());
            }
            Some(found) if found != wanted => {
                let why = format!("the {words} in the data ({found}) does not match the expected {words} ({wanted})");
                return Err(ApiError::bad_request(why));
            }
            Some(_) => {}
        }
    }
    map.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    shape(body)
}

/// The parts that every kind shares have the types that they must have.
pub(super) fn shape(body: &Value) -> Result<(), ApiError> {
    let wrong = |field: &str, value: &Value| {
        let found = status::type_name(value);
        Err(ApiError::bad_request(format!("json: cannot unmarshal {found} into Go struct field .{field}")))
    };
    for field in ["metadata", "spec", "status", "data"] {
        if let Some(value) = body.get(field).filter(|value| !value.is_object() && !value.is_null()) {
            return wrong(field, value);
        }
    }
    for field in ["labels", "annotations"] {
        let value = &body["metadata"][field];
        let texts = value.as_object().is_some_and(|map| map.values().all(Value::is_string));
        if !texts && !value.is_null() {
            return wrong(&format!("metadata.{field}"), value);
        }
    }
    for field in ["ownerReferences", "finalizers"] {
        let value = &body["metadata"][field];
        if !value.is_array() && !value.is_null() {
            return wrong(&format!("metadata.{field}"), value);
        }
    }
    Ok(())
}

/// Fields that were sent and are no longer there.
pub(super) fn refuse_unknown(kind: &Kind, sent: &Value, kept: &Value) -> Result<(), ApiError> {
    let mut fields = Vec::new();
    lost(sent, kept, "", &mut fields);
    if fields.is_empty() { Ok(()) } else { Err(ApiError::unknown_fields(kind, &fields)) }
}

fn lost(sent: &Value, kept: &Value, path: &str, fields: &mut Vec<String>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            let empty = |value: &Value| value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
            for (name, value) in sent {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match kept.get(name) {
                    Some(kept) => lost(value, kept, &path, fields),
                    None if empty(value) => {}
                    None => fields.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(kept)) => {
            for (index, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                lost(sent, kept, &format!("{path}[{index}]"), fields);
            }
        }
        _ => {}
    }
}
