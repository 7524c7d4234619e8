//! The keys of the audit trail, as their file has them: a JSON object a line, the oldest first. Knows text and no file.

use super::Mac;
use crate::time::Timestamp;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// The most characters of a key's id.
const MAX_ID: usize = 64;

/// A key: its id stands in every row that was chained with it, its secret only in the key file.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    id: String,
    secret: [u8; 32],
    since: Option<Timestamp>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    id: String,
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
}

/// What is wrong with a key file. Never says a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct KeyFault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong and what it should be.
    pub what: &'static str,
}

impl Key {
    /// A new key of these bytes, which nobody can guess; its id tells the day and nothing of the secret.
    pub fn new(secret: [u8; 32], since: Timestamp) -> Self {
        let day = since.to_string().chars().take(10).collect::<String>();
        let print = hex::encode(&<Sha256 as sha2::Digest>::digest(secret)[..4]);
        Self { id: format!("k-{day}-{print}"), secret, since: Some(since) }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its line in the file, without the line's end.
    pub fn line(&self) -> String {
        let form = Form { id: self.id.clone(), secret: hex::encode(self.secret), since: self.since };
        // Three texts can always be written.
        serde_json::to_string(&form).unwrap_or_default()
    }

    /// HMAC-SHA256 of these texts, one after the other (RFC 2104).
    pub(super) fn sign(&self, texts: [&str; 2]) -> Mac {
        // What HMAC does with a key that is shorter than its block.
        let mut block = [0_u8; 64];
        block[..32].copy_from_slice(&self.secret);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for text in texts {
            mac.update(text.as_bytes());
        }
        Mac::from_bytes(mac.finalize().into_bytes().into())
    }
}

/// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// All keys of a trail, the oldest first. Those that are no longer used are still needed to check what was chained with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// Reads a key file. Blank lines and those that begin with `#` count for nothing.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let mut keys = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let key = read(text).map_err(|what| KeyFault { line, what })?;
            if keys.get(&key.id).is_some() {
                return Err(KeyFault { line, what: "there is a key of this id above: give each its own" });
            }
            keys.0.push(key);
        }
        Ok(keys)
    }

    /// These keys, and this one as the newest.
    #[must_use]
    pub fn with(mut self, key: Key) -> Self {
        self.0.push(key);
        self
    }

    /// The key of this id.
    pub fn get(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }

    /// The newest key.
    pub fn newest(&self) -> Option<&Key> {
        self.0.last()
    }

    /// The keys that came after the one of this id; all where it is not there.
    pub fn after(&self, id: &str) -> &[Key] {
        let place = self.0.iter().position(|key| key.id == id);
        self.0.get(place.map_or(0, |place| place + 1)..).unwrap_or_default()
    }
}

fn read(text: &str) -> Result<Key, &'static str> {
    let form: Form = serde_json::from_str(text).map_err(
        |_| "write {\"id\": \"…\", \"secret\": \"…\"}, with the time it was made as \"since\" or without it",
    )?;
    let named = (1..=MAX_ID).contains(&form.id.len())
        && form.id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !named {
        return Err("an id has 1 to 64 letters, digits, dots, hyphens and underscores");
    }
    let mut secret = [0; 32];
    hex::decode_to_slice(&form.secret, &mut secret)
        .map_err(|_| "a secret has 64 hexadecimal digits, such as `openssl rand -hex 32` makes")?;
    Ok(Key { id: form.id, secret, since: form.since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_rfc_4231_says() {
        // Test case 1, whose key of 20 bytes HMAC pads with zeros.
        let mut secret = [0; 32];
        secret[..20].fill(0x0b);
        let key = Key { id: "k".into(), secret, since: None };
        let mac = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(key.sign(["Hi ", "There"]).to_string(), mac);
    }

    #[test]
    fn a_key_file_is_read_as_it_is_written() {
        let at = Timestamp::parse("2026-11-28T03:00:00Z").unwrap();
        let (old, new) = (Key::new([7; 32], at), Key::new([8; 32], at));
        let text = format!("# keys of the audit trail\n\n{}\r\n{}\n", old.line(), new.line());
        let keys = Keys::parse(&text).unwrap();
        assert_eq!(keys, Keys::default().with(old.clone()).with(new.clone()));
        assert!(old.id().starts_with("k-2026-11-28-") && old.id() != new.id());
        assert_eq!((keys.newest(), keys.get(old.id())), (Some(&new), Some(&old)));
        assert_eq!((keys.after(old.id()), keys.after(new.id()).len()), (&[new][..], 0));
        assert_eq!(keys.after("other").len(), 2);
        assert!(!format!("{keys:?}").contains("0707"), "no secret is told");
    }

    #[test]
    fn what_is_wrong_with_a_key_file_is_said_without_its_secrets() {
        let secret = "ab".repeat(32);
        for (text, line) in [
            (format!("{{\"id\":\"a\",\"secret\":\"{secret}\"}}\n{{\"id\":\"a\",\"secret\":\"{secret}\"}}"), 2),
            (format!("{{\"id\":\"a b\",\"secret\":\"{secret}\"}}"), 1),
            (format!("{{\"id\":\"\",\"secret\":\"{secret}\"}}"), 1),
            (format!("\n{{\"id\":\"a\",\"secret\":\"{secret}ff\"}}"), 2),
            (format!("{{\"id\":\"a\",\"secret\":\"{secret}\",\"until\":1}}"), 1),
            (secret.clone(), 1),
        ] {
            let fault = Keys::parse(&text).unwrap_err();
            assert_eq!(fault.line, line, "{text}");
            assert!(!fault.to_string().contains("abab"), "{fault}");
        }
        assert_eq!(Keys::parse("").unwrap().newest(), None);
    }
}
