//! Whether a signature of an image holds, and whose it is: cosign's signatures, by key or by certificate, from what the registry has and
//! what the settings trust. Nobody is asked here and nothing is read; `registry` gets the signatures. Why it is written here and not
//! taken from a library stands in `docs/decisions/0008-signatures.md`.

mod certificate;
mod entry;
mod found;
mod judge;
mod trust;
mod watch;

pub use found::{BUNDLE, Found, SIMPLE_SIGNING, of_bundle, of_layer};
pub use judge::judge;
pub use trust::{Log, Trust, TrustedKey};
pub use watch::watch;

#[cfg(test)]
pub mod tests;

use rustls::pki_types::SignatureVerificationAlgorithm;

/// The ways of signing that are known. A key is only ever used with those that fit it.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P256_SHA384,
    webpki::ring::ECDSA_P384_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
    webpki::ring::RSA_PKCS1_2048_8192_SHA256,
    webpki::ring::RSA_PKCS1_2048_8192_SHA384,
    webpki::ring::RSA_PKCS1_2048_8192_SHA512,
    webpki::ring::ED25519,
];
