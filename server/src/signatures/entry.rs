//! An entry of a transparency log (Rekor), as it comes with a signature: the log promised, by its own signature, to have written this
//! signature down at that time. Nobody is asked for it. Source: github.com/sigstore/rekor, types hashedrekord and dsse, version 0.0.1.

use super::{
    found::Found,
    trust::{Log, signed_by},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::json::canonical;
use rustls::pki_types::{CertificateDer, UnixTime, pem::PemObject as _};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// An entry with the log's promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was written down, in base64 as the promise has it.
    pub body: String,
    /// When, seconds since 1970.
    pub integrated_time: i64,
    /// As which entry.
    pub log_index: i64,
    /// In which log.
    pub log_id: String,
    /// The log's signature of all this.
    pub promise: Vec<u8>,
}

impl Entry {
    /// When the signature was there already, by a log that is trusted. The entry must be of this very signature, made with the key of this
    /// very certificate.
    pub fn vouches(&self, logs: &[Log], found: &Found, certificate: &CertificateDer<'_>) -> Result<UnixTime, String> {
        let Some(log) = logs.iter().find(|log| log.id() == self.log_id) else {
            return Err("the log that it was written down in is not trusted".into());
        };
        let promised = canonical::to_string(&json!({
            "body": self.body,
            "integratedTime": self.integrated_time,
            "logID": self.log_id,
            "logIndex": self.log_index,
        }));
        if !signed_by(&log.key, promised.as_bytes(), &self.promise) {
            return Err("the transparency log's promise does not hold".into());
        }
        if !self.is_of(found, certificate) {
            return Err("what the transparency log wrote down is another signature".into());
        }
        let seconds = u64::try_from(self.integrated_time).map_err(|_| "its time is before 1970".to_owned())?;
        Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }

    fn is_of(&self, found: &Found, certificate: &CertificateDer<'_>) -> bool {
        let Some(body) = STANDARD.decode(&self.body).ok().and_then(|body| serde_json::from_slice::<Body>(&body).ok())
        else {
            return false;
        };
        let (hash, signature, verifier) = match body {
            Body::Hashedrekord { spec } => (spec.data.hash, spec.signature.content, spec.signature.public_key.content),
            Body::Dsse { spec } => {
                let [one] = spec.signatures.as_slice() else { return false };
                (spec.payload_hash, one.signature.clone(), one.verifier.clone())
            }
        };
        let of_payload = hash.algorithm == "sha256" && hash.value == hex::encode(Sha256::digest(&found.payload));
        let of_signature = STANDARD.decode(signature).is_ok_and(|bytes| bytes == found.signature);
        let of_key = STANDARD.decode(verifier).is_ok_and(|pem| {
            CertificateDer::from_pem_slice(&pem).is_ok_and(|one| one.as_ref() == certificate.as_ref())
        });
        of_payload && of_signature && of_key
    }
}

/// What was written down, as far as it is needed.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Body {
    Hashedrekord { spec: OfHash },
    Dsse { spec: OfEnvelope },
}

#[derive(Deserialize)]
struct OfHash {
    data: Data,
    signature: Written,
}

#[derive(Deserialize)]
struct Data {
    hash: Hash,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    content: String,
    public_key: PublicKey,
}

#[derive(Deserialize)]
struct PublicKey {
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfEnvelope {
    payload_hash: Hash,
    signatures: Vec<InEnvelope>,
}

#[derive(Deserialize)]
struct InEnvelope {
    signature: String,
    verifier: String,
}
