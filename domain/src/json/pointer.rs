//! JSON Pointers (RFC 6901), as errors and differences carry them.
//!
//! Only writes pointers; `serde_json::Value::pointer` follows them.

use std::borrow::Cow;

/// One reference token, escaped: `~` becomes `~0` and `/` becomes `~1`.
pub fn escape(token: &str) -> Cow<'_, str> {
    if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}

/// The pointer to the member `key` of the object at `base`. The empty pointer is the whole document.
pub fn join(base: &str, key: &str) -> String {
    format!("{base}/{}", escape(key))
}

/// The pointer to the element at `index` (from 0) of the array at `base`.
pub fn join_index(base: &str, index: usize) -> String {
    format!("{base}/{index}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn escapes_as_rfc_6901_section_5_does() {
        let document = json!({"": 0, "a/b": 1, "m~n": 8, "~1": 3, "list": [5]});
        for (key, pointer) in [("", "/"), ("a/b", "/a~1b"), ("m~n", "/m~0n"), ("~1", "/~01")] {
            assert_eq!(join("", key), pointer);
            assert_eq!(document.pointer(&join("", key)), document.get(key));
        }
        assert_eq!(document.pointer(&join_index(&join("", "list"), 0)), Some(&json!(5)));
    }
}
