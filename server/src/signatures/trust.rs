//! Who is trusted, as the settings say it.

use super::ALGORITHMS;
use domain::signature::TrustedIdentity;
use rustls::pki_types::{SubjectPublicKeyInfoDer, TrustAnchor};
use sha2::{Digest as _, Sha256};
use webpki::RawPublicKeyEntity;

/// A key whose signatures count.
#[derive(Clone, Debug)]
pub struct TrustedKey {
    /// What people call it.
    pub name: String,
    /// The key.
    pub key: SubjectPublicKeyInfoDer<'static>,
}

/// A transparency log that vouches for when something was signed.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its key.
    pub key: SubjectPublicKeyInfoDer<'static>,
}

impl Log {
    /// How entries name it: the hash of its key.
    pub fn id(&self) -> String {
        hex::encode(Sha256::digest(self.key.as_ref()))
    }
}

/// Everything that is trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Keys.
    pub keys: Vec<TrustedKey>,
    /// Whose certificates count.
    pub identities: Vec<TrustedIdentity>,
    /// Who may give certificates.
    pub authorities: Vec<TrustAnchor<'static>>,
    /// Logs; with none a certificate must be valid when it is looked at.
    pub logs: Vec<Log>,
}

impl Trust {
    /// Names all of it: something else is trusted, another name.
    pub fn name(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        };
        for TrustedKey { name, key } in &self.keys {
            add(b"key");
            add(name.as_bytes());
            add(key.as_ref());
        }
        for TrustedIdentity { issuer, subject } in &self.identities {
            add(b"identity");
            add(issuer.as_bytes());
            add(subject.as_bytes());
        }
        for anchor in &self.authorities {
            add(b"authority");
            add(anchor.subject.as_ref());
            add(anchor.subject_public_key_info.as_ref());
        }
        for log in &self.logs {
            add(b"log");
            add(log.key.as_ref());
        }
        hex::encode(&hash.finalize()[..16])
    }
}

/// Whether this key signed that.
pub(super) fn signed_by(key: &SubjectPublicKeyInfoDer<'_>, message: &[u8], signature: &[u8]) -> bool {
    let Ok(entity) = RawPublicKeyEntity::try_from(key) else { return false };
    ALGORITHMS.iter().any(|algorithm| entity.verify_signature(*algorithm, message, signature).is_ok())
}
