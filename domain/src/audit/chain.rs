//! The chain: the mac of a row covers the row and the mac of the row before it, and the seal of the trail's end covers where
//! that is. What is written so can be checked by any tool that knows HMAC-SHA256 and RFC 8785 (`docs/audit.md`).

use super::{AuditRecord, Key};
use crate::json::canonical;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, str::FromStr};

/// What HMAC-SHA256 gives, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Mac([u8; 32]);

/// A text that is no mac.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mac has 64 hexadecimal digits")]
pub struct NotAMac;

impl Mac {
    /// What stands in place of a mac before the first row.
    pub const NONE: Self = Self([0; 32]);

    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Mac {
    type Err = NotAMac;

    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotAMac)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Mac {
    type Error = NotAMac;

    fn try_from(text: String) -> Result<Self, NotAMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// The mac of a row: over the digits of the mac before it, and the row's canonical JSON.
pub fn link(key: &Key, previous: Mac, content: &Value) -> Mac {
    key.sign([&previous.to_string(), &canonical::to_string(content)])
}

/// A row with the mac of the row before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Chained {
    /// The row.
    pub record: AuditRecord,
    /// What its mac follows on; none where the row before it is missing.
    pub previous: Option<Mac>,
}

impl Chained {
    /// Its line in an export: what its mac covers, and both macs.
    pub fn line(&self) -> String {
        let mut line = self.record.content();
        if let Some(members) = line.as_object_mut() {
            members.insert("previous".into(), json!(self.previous));
            members.insert("mac".into(), json!(self.record.mac));
        }
        canonical::to_string(&line)
    }
}

/// Where the trail ends, and from where on it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The last row; 0 before there is one.
    pub sequence: i64,
    /// Its mac.
    pub mac: Mac,
    /// The key that the next row is chained with.
    pub key: String,
    /// The first row that is kept.
    pub first: i64,
    /// The mac that the first row follows on.
    pub anchor: Mac,
}

impl Head {
    /// What shows that this end was once the end of the trail: nobody can set it back to a row of their choice without the key.
    pub fn seal(&self, key: &Key) -> Mac {
        // No digits stand before it: it can't be taken for a row.
        key.sign(["head", &canonical::to_string(&self.content())])
    }

    /// The last line of an export of the whole trail.
    pub fn line(&self, seal: Option<Mac>) -> String {
        let mut end = self.content();
        if let Some(members) = end.as_object_mut() {
            members.insert("whole".into(), json!(true));
        }
        canonical::to_string(&json!({ "end": end, "seal": seal }))
    }

    /// How many rows are kept.
    pub const fn rows(&self) -> i64 {
        self.sequence - self.first + 1
    }

    fn content(&self) -> Value {
        json!({ "sequence": self.sequence, "mac": self.mac, "key": self.key, "first": self.first, "anchor": self.anchor })
    }
}

/// The last line of an export of some rows: it can't show that none is missing between them, and says so.
pub fn end_of_some(rows: u64) -> String {
    canonical::to_string(&json!({ "end": { "whole": false, "rows": rows } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_its_digits() {
        let text = "0f".repeat(32);
        let mac: Mac = text.parse().unwrap();
        assert_eq!((mac.to_string(), serde_json::to_value(mac).unwrap()), (text.clone(), json!(text)));
        for bad in ["", "0f", &"0g".repeat(32), &format!("{text}00")] {
            assert_eq!(bad.parse::<Mac>(), Err(NotAMac), "{bad}");
        }
    }
}
