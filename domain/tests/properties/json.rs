use domain::json::canonical;
use domain::json::diff::diff;
use domain::json::strict::{Limits, StrictError, parse};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Values that strict parsing accepts, nested up to four levels.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-9e15..9e15_f64).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same value as text with the keys of all objects turned round and blanks between.
fn reversed_text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{} : {}", Value::from(key.as_str()), reversed_text(value)))
                .collect();
            format!("{{ {} }}", members.join(",\n"))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reversed_text).collect::<Vec<_>>().join(" , ")),
        scalar => scalar.to_string(),
    }
}

/// The value with one leaf, chosen by `pick`, replaced by another.
fn with_another_leaf(value: &Value, pick: usize) -> Value {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            let i = pick % items.len();
            items[i] = with_another_leaf(&items[i], pick / 2);
            Value::Array(items)
        }
        Value::Object(members) if !members.is_empty() => {
            let mut members: Map<String, Value> = members.clone();
            let i = pick % members.len();
            if let Some(value) = members.values_mut().nth(i) {
                *value = with_another_leaf(value, pick / 2);
            }
            Value::Object(members)
        }
        Value::String(text) => Value::String(format!("{text}!")),
        _ => Value::String("another".into()),
    }
}

proptest! {
    #[test]
    fn reads_back_what_serde_json_writes(value in json()) {
        let text = serde_json::to_vec(&value).unwrap();
        prop_assert_eq!(parse(&text, Limits::default()), Ok(value));
    }

    #[test]
    fn the_canonical_text_does_not_depend_on_key_order_or_blanks(value in json()) {
        let reversed = parse(reversed_text(&value).as_bytes(), Limits::default()).unwrap();
        prop_assert_eq!(canonical::to_string(&reversed), canonical::to_string(&value));
        prop_assert_eq!(canonical::digest(&reversed), canonical::digest(&value));
    }

    #[test]
    fn the_canonical_text_is_its_own(value in json()) {
        let text = canonical::to_string(&value);
        let again = parse(text.as_bytes(), Limits::default()).unwrap();
        prop_assert_eq!(canonical::to_string(&again), text);
    }

    #[test]
    fn any_other_leaf_is_another_digest_and_a_named_difference(value in json(), pick in any::<usize>()) {
        let other = with_another_leaf(&value, pick);
        prop_assert_ne!(canonical::digest(&other), canonical::digest(&value));
        let changes = diff(&value, &other);
        prop_assert_eq!(changes.len(), 1);
        prop_assert_eq!(value.pointer(&changes[0].pointer), changes[0].before.as_ref());
        prop_assert_eq!(other.pointer(&changes[0].pointer), changes[0].after.as_ref());
    }

    #[test]
    fn a_value_does_not_differ_from_itself(value in json()) {
        prop_assert_eq!(diff(&value, &value), vec![]);
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let ours = parse(&bytes, Limits::default());
        let theirs = serde_json::from_slice::<Value>(&bytes);
        prop_assert!(theirs.is_ok() || ours.is_err());
    }

    #[test]
    fn any_text_that_looks_like_json_is_judged_as_serde_json_does_or_harder(text in r#"[\[\]{}:,"a0-9eE.+\-tfn \\u]{0,40}"#) {
        match (parse(text.as_bytes(), Limits::default()), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), theirs) => prop_assert_eq!(Some(ours), theirs.ok()),
            (Err(StrictError::Syntax { .. }), theirs) => prop_assert!(theirs.is_err()),
            (Err(_), _) => {}
        }
    }

    #[test]
    fn a_repeated_key_is_always_found(value in json(), key in ".{0,4}") {
        let key = Value::from(key);
        let text = format!("[{{{key}: {value}, {key}: null}}]");
        let error = parse(text.as_bytes(), Limits::default()).unwrap_err();
        prop_assert_eq!(error.code(), "json_duplicate_key");
        prop_assert_eq!(error.pointer(), "/0");
    }
}
