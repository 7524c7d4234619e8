//! The two forms in which cosign leaves signatures: layers of a "simple signing" image under a tag, and bundles that refer to the image
//! (OCI 1.1). Both say by digest what they sign; what is of another image is none of this one. Sources: github.com/sigstore/cosign,
//! specs/SIGNATURE_SPEC.md and specs/BUNDLE_SPEC.md; github.com/sigstore/protobuf-specs, sigstore_bundle.proto; DSSE 1.0.

use super::entry::Entry;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::ids::Digest;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

/// The media type of a layer that is a signature.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// What the media types of bundles begin with.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const ENTRY: &str = "dev.sigstore.cosign/bundle";
const OF_IMAGE: &str = "cosign container image signature";
const STATEMENT: &str = "application/vnd.in-toto+json";
/// What a statement says that is a signature, and no attestation of something else about the image.
const SIGNS: &str = "https://sigstore.dev/cosign/sign/v1";
/// Certificates of one chain.
const MOST_CERTIFICATES: usize = 10;

/// A signature of an image, not verified yet.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was signed about the image.
    pub payload: Vec<u8>,
    /// The very bytes that the signature is of.
    pub signed: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// The certificate that came with it.
    pub certificate: Option<CertificateDer<'static>>,
    /// Those above it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The entry of a transparency log that came with it.
    pub entry: Option<Entry>,
}

/// What a layer with these annotations and this content signs, where it is of this image.
pub fn of_layer(annotations: &BTreeMap<String, String>, payload: Vec<u8>, image: &Digest) -> Result<Found, String> {
    let signs: Simple = serde_json::from_slice(&payload).map_err(|_| "what was signed can't be read".to_owned())?;
    if signs.critical.kind != OF_IMAGE || signs.critical.image.digest != image.as_str() {
        return Err("another image was signed".into());
    }
    let certificate = annotations.get(CERTIFICATE).filter(|text| !text.is_empty());
    let entry = annotations.get(ENTRY).filter(|text| !text.is_empty());
    Ok(Found {
        signed: payload.clone(),
        payload,
        signature: decoded(annotations.get(SIGNATURE).map_or("", String::as_str))?,
        certificate: certificate.map(|pem| certificates(pem)?.into_iter().next().ok_or_else(unreadable)).transpose()?,
        chain: annotations.get(CHAIN).map_or_else(|| Ok(Vec::new()), |pem| certificates(pem))?,
        entry: entry.map(|text| OldEntry::read(text)).transpose()?,
    })
}

/// What a bundle signs, where it is of this image; none where it signs nothing and only says something about it.
pub fn of_bundle(bundle: &[u8], image: &Digest) -> Result<Option<Found>, String> {
    let bundle: Bundle = serde_json::from_slice(bundle).map_err(|_| "its bundle can't be read".to_owned())?;
    let Some(envelope) = bundle.dsse_envelope else { return Ok(None) };
    let statement: Option<Statement> =
        if envelope.payload_type == STATEMENT { serde_json::from_slice(&envelope.payload.0).ok() } else { None };
    let statement = statement.ok_or_else(|| "what was signed can't be read".to_owned())?;
    if statement.predicate_type != SIGNS {
        return Ok(None);
    }
    if !statement.subject.iter().any(|subject| subject.digest.get("sha256").is_some_and(|hex| hex == image.hex())) {
        return Err("another image was signed".into());
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err("its bundle does not hold one signature".into());
    };
    let material = bundle.verification_material;
    let mut chain: Vec<CertificateDer<'static>> = match (material.certificate, material.x509_certificate_chain) {
        (Some(one), _) => vec![one.raw_bytes.0.into()],
        (None, Some(chain)) => chain.certificates.into_iter().map(|one| one.raw_bytes.0.into()).collect(),
        (None, None) => Vec::new(),
    };
    if chain.len() > MOST_CERTIFICATES {
        return Err("its chain of certificates is too long".into());
    }
    let certificate = (!chain.is_empty()).then(|| chain.remove(0));
    // Newer logs promise nothing: without a promise there is no entry that could be verified here.
    let entry = material.tlog_entries.into_iter().find_map(NewEntry::promised);
    Ok(Some(Found {
        signed: encoded(&envelope.payload_type, &envelope.payload.0),
        signature: signature.sig.0.clone(),
        payload: envelope.payload.0,
        certificate,
        chain,
        entry,
    }))
}

/// DSSE's pre-authentication encoding.
fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn unreadable() -> String {
    "its certificate can't be read".to_owned()
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text.trim()).map_err(|_| "its signature can't be read".to_owned())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).take(MOST_CERTIFICATES).collect();
    all.map_err(|_| unreadable())
}

#[derive(Deserialize)]
struct Simple {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: OfDigest,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct OfDigest {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// An entry as it stands in an annotation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OldEntry {
    signed_entry_timestamp: Bytes,
    payload: OldPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldPayload {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

impl OldEntry {
    fn read(text: &str) -> Result<Entry, String> {
        let read: Self = serde_json::from_str(text).map_err(|_| "its log entry can't be read".to_owned())?;
        let OldPayload { body, integrated_time, log_index, log_id } = read.payload;
        Ok(Entry { body, integrated_time, log_index, log_id, promise: read.signed_entry_timestamp.0 })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<RawBytes>,
    x509_certificate_chain: Option<Chain>,
    #[serde(default)]
    tlog_entries: Vec<NewEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: Bytes,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<RawBytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: Bytes,
    payload_type: String,
    signatures: Vec<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    sig: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

/// An entry as it stands in a bundle.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewEntry {
    #[serde(default)]
    log_index: Number,
    log_id: Option<LogId>,
    #[serde(default)]
    integrated_time: Number,
    inclusion_promise: Option<Promise>,
    canonicalized_body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: Bytes,
}

impl NewEntry {
    fn promised(self) -> Option<Entry> {
        Some(Entry {
            body: self.canonicalized_body?,
            integrated_time: self.integrated_time.0,
            log_index: self.log_index.0,
            log_id: hex::encode(self.log_id?.key_id.0),
            promise: self.inclusion_promise?.signed_entry_timestamp.0,
        })
    }
}

/// Bytes in base64.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

/// A number that is written as a text, as protobuf writes 64 bits.
#[derive(Default)]
struct Number(i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(i64),
        }
        match Written::deserialize(from)? {
            Written::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
            Written::Number(number) => Ok(Self(number)),
        }
    }
}
