//! What somebody types into a form, as the JSON that a parameter wants. The rules judge it afterwards; this only reads.

use super::parameter::{Parameter, ParameterType};
use serde_json::{Number, Value, json};

impl Parameter {
    /// A field's text as a value; an empty field was not given. What is no number stays text, and the rules say so.
    pub fn from_text(&self, text: &str) -> Option<Value> {
        if text.is_empty() {
            return None;
        }
        Some(match self.kind {
            ParameterType::Integer | ParameterType::Number => {
                serde_json::from_str::<Number>(text.trim()).map_or_else(|_| json!(text), Value::Number)
            }
            ParameterType::Boolean => match text {
                "true" | "on" => json!(true),
                "false" => json!(false),
                other => json!(other),
            },
            ParameterType::String => json!(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: &str) -> Parameter {
        serde_json::from_value(json!({ "name": "X", "type": kind })).unwrap()
    }

    #[test]
    fn a_text_becomes_what_the_parameter_wants_or_stays_a_text() {
        for (kind, text, value) in [
            ("integer", "3", Some(json!(3))),
            ("integer", " 3 ", Some(json!(3))),
            ("integer", "three", Some(json!("three"))),
            ("number", "0.5", Some(json!(0.5))),
            ("boolean", "true", Some(json!(true))),
            ("boolean", "false", Some(json!(false))),
            ("boolean", "maybe", Some(json!("maybe"))),
            ("string", "3", Some(json!("3"))),
            ("string", "", None),
        ] {
            assert_eq!(parameter(kind).from_text(text), value, "{kind} {text}");
        }
    }
}
