//! Identifiers as types: one cannot be handed in where another is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; ids are opaque.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A recommendation, as the console stores it (UUIDv7).
    RecommendationId
}
text_id! {
    /// An execution: the console's record of one WorkflowExecution (UUIDv7).
    ExecutionId
}
text_id! {
    /// A decision (UUIDv7).
    DecisionId
}
text_id! {
    /// A finding (UUIDv7).
    FindingId
}
text_id! {
    /// An action record (UUIDv7).
    ActionId
}
text_id! {
    /// An incident: signals that belong together (UUIDv7).
    IncidentId
}
text_id! {
    /// A signal: one firing of one alert (UUIDv7).
    SignalId
}
text_id! {
    /// An investigation of an incident (UUIDv7).
    InvestigationId
}
text_id! {
    /// A person, a token, the system itself, or a user of the cluster: `user:…`, `token:…`, `system:…`, `cluster:…`.
    ActorId
}

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` followed by 64 lower-case hexadecimal digits")]
pub struct NotADigest;

impl Digest {
    /// From the 32 bytes that SHA-256 gives.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(format!("sha256:{}", hex::encode(bytes)))
    }

    /// The whole text, `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hexadecimal digits.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }

    /// First and last digits, for places where the whole does not fit: `sha256:9f3c2b…a21e`.
    pub fn short(&self) -> String {
        let hex = self.hex();
        format!("sha256:{}…{}", &hex[..6], &hex[60..])
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        let good = text
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        if good { Ok(Self(text)) } else { Err(NotADigest) }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lower_case_digests_pass() {
        let good = format!("sha256:{}", "a1".repeat(32));
        assert_eq!(Digest::try_from(good.clone()).unwrap().as_str(), good);
        for bad in ["", "sha256:", "sha256:abc", &good.to_uppercase(), &good[7..], &format!("{good}0")] {
            assert!(Digest::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert_eq!(Digest::from_bytes([0xab; 32]).short(), "sha256:ababab…abab");
    }
}
