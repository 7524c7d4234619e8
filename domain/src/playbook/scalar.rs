//! One value against one type: is it of the type, is it safe to hand to a container, and how is it written.
//! Knows nothing of the other constraints of a parameter: those are judged by JSON Schema.

use serde_json::{Number, Value};

use super::parameter::ParameterType;
use crate::fault::{Complaint, code};
use crate::json::canonical;
use crate::reader::{described, quoted, whole};
use crate::text;

/// The greatest magnitude up to which every JSON reader agrees on a whole number (I-JSON, RFC 7493): 2^53 − 1.
pub(super) const SAFE_INTEGER: i64 = 9_007_199_254_740_991;

/// The value in its one form, if it is of the type and safe; never another value.
pub(super) fn fit(kind: ParameterType, value: &Value) -> Result<Value, Complaint> {
    let fitted = match (kind, value) {
        (ParameterType::String, Value::String(content)) => text::check_value(content).map(|()| value.clone()),
        (ParameterType::Boolean, Value::Bool(_)) => Ok(value.clone()),
        (ParameterType::Integer, Value::Number(number)) => integer(number).map(Value::Number),
        (ParameterType::Number, Value::Number(number)) => any_number(number).map(Value::Number),
        _ => return Err(wrong_type(kind, value)),
    }?;
    Ok(fitted)
}

/// The text that the container gets: a string as it is, whole numbers as digits, other numbers as RFC 8785 writes them.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => canonical::to_string(other),
    }
}

/// A value for a message: short, on one line.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => canonical::to_string(other),
    }
}

/// Values for a message.
#[cfg(feature = "judge")]
pub(super) fn shown_list<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    const MOST: usize = 20;
    let mut words: Vec<_> = values.into_iter().take(MOST + 1).map(shown).collect();
    if words.len() > MOST {
        words.truncate(MOST);
        words.push("…".to_owned());
    }
    words.join(", ")
}

fn integer(number: &Number) -> Result<Number, Complaint> {
    if let Some(whole) = whole(number) {
        return if is_safe(whole) { Ok(whole.into()) } else { Err(too_big()) };
    }
    if number.as_f64().is_some_and(|float| float.fract() != 0.0) {
        return Err(Complaint::new(code::WRONG_TYPE, format!("send a whole number, not {number}")));
    }
    Err(too_big())
}

fn any_number(number: &Number) -> Result<Number, Complaint> {
    match whole(number) {
        Some(whole) if is_safe(whole) => Ok(whole.into()),
        // Digits that a double cannot hold would be rounded by somebody on the way.
        _ if !number.is_f64() => Err(too_big()),
        _ => Ok(number.clone()),
    }
}

fn is_safe(whole: i64) -> bool {
    (-SAFE_INTEGER..=SAFE_INTEGER).contains(&whole)
}

fn too_big() -> Complaint {
    let message = format!("choose a whole number from -{SAFE_INTEGER} to {SAFE_INTEGER}: greater ones get rounded");
    Complaint::new(code::OUT_OF_RANGE, message)
}

fn wrong_type(kind: ParameterType, value: &Value) -> Complaint {
    let got = described(value);
    let meant = match (kind, value) {
        (_, Value::Null) => {
            return Complaint::new(code::WRONG_TYPE, "leave it out: null is not a value");
        }
        (_, Value::Array(_) | Value::Object(_)) => {
            let message = format!("send one {kind}, not {got}: parameters are flat");
            return Complaint::new(code::WRONG_TYPE, message);
        }
        (ParameterType::Integer | ParameterType::Number, Value::String(text)) => {
            let number = serde_json::from_str::<Number>(text.trim()).ok();
            number
                .filter(|number| kind == ParameterType::Number || whole(number).is_some())
                .map(|n| format!("the number {n}"))
        }
        (ParameterType::Boolean, Value::String(text)) => {
            matches!(text.trim(), "true" | "false").then(|| format!("{} without quotes", text.trim()))
        }
        (ParameterType::String, other) => Some(format!("the string {}", quoted(&written(other)))),
        _ => None,
    };
    let wanted = meant.unwrap_or_else(|| match kind {
        ParameterType::String => "a string".to_owned(),
        ParameterType::Integer => "a whole number".to_owned(),
        ParameterType::Number => "a number".to_owned(),
        ParameterType::Boolean => "true or false".to_owned(),
    });
    Complaint::new(code::WRONG_TYPE, format!("send {wanted}, not {got}"))
}

#[cfg(test)]
mod tests {
    use ParameterType::{Boolean, Integer, Number as Num, String as Text};
    use serde_json::json;

    use super::*;

    #[test]
    fn values_have_one_form() {
        for (kind, given, text) in [
            (Text, json!(" a b=c "), " a b=c "),
            (Text, json!(""), ""),
            (Integer, json!(1), "1"),
            (Integer, json!(1.0), "1"),
            (Integer, json!(-0.0), "0"),
            (Integer, json!(9_007_199_254_740_991_i64), "9007199254740991"),
            (Num, json!(1.0), "1"),
            (Num, json!(0.1), "0.1"),
            (Num, json!(1e21), "1e+21"),
            (Num, json!(1e-7), "1e-7"),
            (Boolean, json!(true), "true"),
        ] {
            assert_eq!(written(&fit(kind, &given).expect("fits")), text, "{kind} {given}");
        }
    }

    #[test]
    fn refusals_say_what_to_send() {
        for (kind, given, code, message) in [
            (Integer, json!("3"), "wrong_type", "send the number 3, not the string \"3\""),
            (Integer, json!("three"), "wrong_type", "send a whole number, not the string \"three\""),
            (Integer, json!("3.5"), "wrong_type", "send a whole number, not the string \"3.5\""),
            (Integer, json!(1.5), "wrong_type", "send a whole number, not 1.5"),
            (Integer, json!(true), "wrong_type", "send a whole number, not true"),
            (Num, json!("0.5"), "wrong_type", "send the number 0.5, not the string \"0.5\""),
            (Boolean, json!("true"), "wrong_type", "send true without quotes, not the string \"true\""),
            (Boolean, json!(1), "wrong_type", "send true or false, not the number 1"),
            (Text, json!(3), "wrong_type", "send the string \"3\", not the number 3"),
            (Text, json!(null), "wrong_type", "leave it out: null is not a value"),
            (Text, json!(["a"]), "wrong_type", "send one string, not a list: parameters are flat"),
        ] {
            let complaint = fit(kind, &given).expect_err("refused");
            assert_eq!((complaint.code.as_ref(), complaint.message.as_str()), (code, message));
        }
    }

    #[test]
    fn numbers_that_somebody_would_round_are_refused() {
        for (kind, given) in [
            (Integer, json!(9_007_199_254_740_992_i64)),
            (Integer, json!(i64::MIN)),
            (Integer, json!(u64::MAX)),
            (Integer, json!(1e300)),
            (Num, json!(9_007_199_254_740_993_i64)),
            (Num, json!(i64::MIN)),
            (Num, json!(u64::MAX)),
        ] {
            assert_eq!(fit(kind, &given).expect_err("refused").code, "out_of_range", "{kind} {given}");
        }
    }
}
