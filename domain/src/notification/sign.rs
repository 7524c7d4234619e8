//! Signatures by the scheme of Standard Webhooks 1.0 (standardwebhooks.com): a receiver knows by them that a message is the console's,
//! unchanged, and not from long ago.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;

/// The header with the message's id.
pub const ID: &str = "webhook-id";
/// The header with the seconds since 1970 at which this try was signed.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// What a secret may begin with.
const PREFIX: &str = "whsec_";
/// How many bytes a secret has.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that the console and a receiver share.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// A text that is no such secret. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is whsec_ and the base64 of 24 to 64 random bytes, such as `openssl rand -base64 32` prints")]
pub struct NotAKey;

impl SigningKey {
    /// Reads `whsec_…`; the prefix may be left out.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let bytes = BASE64_STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| NotAKey)?;
        if BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(NotAKey) }
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    fn signature(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        // HMAC takes keys of any length: this never fails.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// What stands in the header [`SIGNATURE`]: a signature by each key, with blanks between them. Of two keys the receiver knows one
/// while they are changed.
pub fn signatures(keys: &[SigningKey], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    keys.iter().map(|key| key.signature(id, timestamp_s, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference libraries of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_example_comes_out() {
        let key = SigningKey::parse(SECRET).unwrap();
        assert_eq!(signatures(std::slice::from_ref(&key), ID, AT, BODY), SIGNED);
        assert_eq!(SigningKey::parse(&format!(" {}\n", &SECRET[PREFIX.len()..])), Ok(key));
    }

    #[test]
    fn id_time_body_and_key_all_count() {
        let key = [SigningKey::parse(SECRET).unwrap()];
        let other = [SigningKey::parse("whsec_AAKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()];
        for signed in [
            signatures(&key, "msg_2", AT, BODY),
            signatures(&key, ID, AT + 1, BODY),
            signatures(&key, ID, AT, b"{}"),
            signatures(&other, ID, AT, BODY),
        ] {
            assert_ne!(signed, SIGNED);
        }
        let both = signatures(&[other[0].clone(), key[0].clone()], ID, AT, BODY);
        assert_eq!(both.split(' ').nth(1), Some(SIGNED), "while keys are changed both sign");
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_key_is_not_shown() {
        for bad in ["", "whsec_", "hunter2", "whsec_c2hvcnQ=", &format!("whsec_{}", "A".repeat(88))] {
            assert_eq!(SigningKey::parse(bad), Err(NotAKey), "{bad}");
        }
        assert_eq!(format!("{:?}", SigningKey::parse(SECRET).unwrap()), "SigningKey(…)");
    }
}
