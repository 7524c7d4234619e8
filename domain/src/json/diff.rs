//! What differs between two JSON values, place by place.
//!
//! Compares as [`canonical`] does (`1` is `1.0`, key order does not matter): no differences means one digest. Arrays are
//! compared by position. It does not know which differences matter.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{canonical, pointer};

/// One place whose value was changed, added or removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// JSON Pointer to the place.
    pub pointer: String,
    /// What stood there; absent if nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub before: Option<Value>,
    /// What stands there now; absent if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub after: Option<Value>,
}

/// A `null` that is there is a value, not an absence.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The differences: two objects are compared key by key (in code point order), two arrays
/// element by element; anything else that differs is one change, with the whole value on each side.
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut changes);
    changes
}

fn compare(at: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Object(b)), Some(Value::Object(a))) => {
            let keys: BTreeSet<&String> = b.keys().chain(a.keys()).collect();
            for key in keys {
                compare(pointer::join(&at, key), b.get(key), a.get(key), changes);
            }
        }
        (Some(Value::Array(b)), Some(Value::Array(a))) => {
            for i in 0..b.len().max(a.len()) {
                compare(pointer::join_index(&at, i), b.get(i), a.get(i), changes);
            }
        }
        (Some(b), Some(a)) if canonical::to_string(b) == canonical::to_string(a) => {}
        _ => changes.push(Change { pointer: at, before: before.cloned(), after: after.cloned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(pointer: &str, before: Option<Value>, after: Option<Value>) -> Change {
        Change { pointer: pointer.into(), before, after }
    }

    #[test]
    fn names_each_place_in_order() {
        let before = json!({"z": 1, "p": {"MEMORY": "1Gi", "a/b": [1, 2, 3]}, "gone": null, "kind": "x"});
        let after = json!({"kind": {"deep": true}, "z": 1.0, "p": {"a/b": [1, 5], "MEMORY": "2Gi", "NEW": null}});
        assert_eq!(
            diff(&before, &after),
            [
                change("/gone", Some(json!(null)), None),
                change("/kind", Some(json!("x")), Some(json!({"deep": true}))),
                change("/p/MEMORY", Some(json!("1Gi")), Some(json!("2Gi"))),
                change("/p/NEW", None, Some(json!(null))),
                change("/p/a~1b/1", Some(json!(2)), Some(json!(5))),
                change("/p/a~1b/2", Some(json!(3)), None),
            ]
        );
    }

    #[test]
    fn the_whole_document_has_the_empty_pointer() {
        assert_eq!(diff(&json!([]), &json!({})), [change("", Some(json!([])), Some(json!({})))]);
        assert_eq!(diff(&json!({}), &json!({})), []);
    }

    #[test]
    fn a_null_survives_the_wire() {
        for original in [change("/a", Some(json!(null)), None), change("/a", None, Some(json!(null)))] {
            let text = serde_json::to_string(&original).unwrap();
            assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), original);
        }
    }
}
