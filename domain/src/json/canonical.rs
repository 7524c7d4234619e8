//! The one way to write a JSON value (RFC 8785), and the digest of that text: what a run ticket is identified by.
//!
//! Knows nothing of tickets. serde_json_canonicalizer writes the scalars; objects are put together here, because it
//! prints every integer as a double: above 2^53 two different integers would get one text, and one digest.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// The largest integer up to which doubles are exact, 2^53.
const EXACT: u64 = 1 << 53;

/// The canonical text: keys in UTF-16 order, no blanks, numbers as ECMAScript prints them.
///
/// Integers of magnitude above 2^53 are outside RFC 8785's data (I-JSON, RFC 7493) and are written with all their
/// digits, so that values which [`strict::parse`](super::strict::parse) tells apart never share a text.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// The value as its canonical text says it: what was sent as `1.0` is `1`. Two values with one text are equal afterwards.
pub fn normal(value: &Value) -> Value {
    // Its own text can always be read; the value itself is the harmless other choice.
    serde_json::from_str(&to_string(value)).unwrap_or_else(|_| value.clone())
}

/// SHA-256 of the canonical text.
pub fn digest(value: &Value) -> [u8; 32] {
    Sha256::digest(to_string(value).as_bytes()).into()
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (key, value)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&scalar(&Value::String(key.clone())));
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Number(number) if beyond_doubles(number) => out.push_str(&number.to_string()),
        _ => out.push_str(&scalar(value)),
    }
}

fn beyond_doubles(number: &Number) -> bool {
    number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs)).is_some_and(|n| n > EXACT)
}

/// The library only fails for what a `Value` can't be (NaN, keys that aren't strings).
fn scalar(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_the_example_of_rfc_8785_section_3_2() {
        let value: Value = serde_json::from_str(
            r#"{
                "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals": [null, true, false]
            }"#,
        )
        .unwrap();
        assert_eq!(
            to_string(&value),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn sorts_keys_as_rfc_8785_section_3_2_3_does() {
        let value = json!({
            "\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7
        });
        let order: Vec<_> = to_string(&value).bytes().filter(u8::is_ascii_digit).collect();
        // "\r" is written escaped; "1" is itself a digit, before its value 4.
        assert_eq!(String::from_utf8(order).unwrap(), "21467153");
    }

    #[test]
    fn agrees_with_the_library_on_its_data() {
        let value = json!({"a": [1, -0.0, 1e21, 5e-324, 9_007_199_254_740_992_u64], "Ω": {"z": "\u{7f}", "": {}}});
        assert_eq!(to_string(&value), serde_json_canonicalizer::to_string(&value).unwrap());
    }

    #[test]
    fn keeps_integers_apart_that_doubles_do_not() {
        assert_eq!(to_string(&json!(9_007_199_254_740_993_u64)), "9007199254740993");
        assert_eq!(to_string(&json!(i64::MIN)), "-9223372036854775808");
        assert_ne!(digest(&json!(u64::MAX)), digest(&json!(u64::MAX - 1)));
    }

    #[test]
    fn one_and_one_point_zero_are_the_same_number() {
        assert_eq!(to_string(&json!(1.0)), "1");
    }

    #[test]
    fn digest_is_sha256_of_the_text() {
        assert_eq!(hex::encode(digest(&json!({}))), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
