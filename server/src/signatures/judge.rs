//! What is said of an image by all of its signatures: one that holds and is of somebody trusted is enough.

use super::{
    certificate,
    found::Found,
    trust::{Trust, TrustedKey, signed_by},
};
use domain::signature::{ImageSignature, Signature, Signer};
use rustls::pki_types::{CertificateDer, UnixTime};

/// Why one does not count.
struct Distrusted {
    /// Whom the certificate names, where an authority that is trusted gave it.
    signer: Option<Signer>,
    why: String,
}

impl From<String> for Distrusted {
    fn from(why: String) -> Self {
        Self { signer: None, why }
    }
}

/// By these signatures, or by what is wrong with them.
pub fn judge(all: &[Result<Found, String>], trust: &Trust, now: UnixTime) -> ImageSignature {
    let mut distrusted: Option<Distrusted> = None;
    for one in all {
        let judged = match one {
            Ok(found) => by_one(found, trust, now),
            Err(why) => Err(why.clone().into()),
        };
        match judged {
            Ok(signer) => {
                return ImageSignature {
                    state: Signature::Verified,
                    signer: Some(signer),
                    ..ImageSignature::default()
                };
            }
            // Of several the one that names somebody says most.
            Err(other) if distrusted.as_ref().is_none_or(|known| known.signer.is_none() && other.signer.is_some()) => {
                distrusted = Some(other);
            }
            Err(_) => {}
        }
    }
    match distrusted {
        Some(Distrusted { signer, why }) => {
            ImageSignature { state: Signature::Untrusted, signer, detail: Some(why), checked_at: None }
        }
        None => ImageSignature { state: Signature::Missing, ..ImageSignature::default() },
    }
}

fn by_one(found: &Found, trust: &Trust, now: UnixTime) -> Result<Signer, Distrusted> {
    // Whose key is trusted needs no certificate, and whether there is an entry of a log does not matter.
    let by_key = trust.keys.iter().find(|TrustedKey { key, .. }| signed_by(key, &found.signed, &found.signature));
    if let Some(TrustedKey { name, .. }) = by_key {
        return Ok(Signer::Key { name: name.clone() });
    }
    let Some(certificate) = &found.certificate else {
        return Err("it was signed with a key that is not trusted, or changed since".to_owned().into());
    };
    let signer = by_certificate(found, certificate, trust, now)?;
    if trust.identities.iter().any(|identity| identity.fits(&signer)) {
        return Ok(signer);
    }
    Err(Distrusted { why: format!("{signer} signed it, who is not trusted"), signer: Some(signer) })
}

/// Who signed it, trusted or not, once all that the certificate says is known to be so.
fn by_certificate(
    found: &Found,
    certificate: &CertificateDer<'_>,
    trust: &Trust,
    now: UnixTime,
) -> Result<Signer, String> {
    if trust.authorities.is_empty() {
        return Err("it was signed with a certificate, and no authorities are trusted".into());
    }
    let signer = certificate::signer(certificate)?;
    if !certificate::signed(certificate, &found.signed, &found.signature) {
        return Err("the signature does not hold".into());
    }
    let at = match (&found.entry, trust.logs.is_empty()) {
        // A certificate of minutes: that it held when it was used is known by the log alone.
        (Some(entry), false) => entry.vouches(&trust.logs, found, certificate)?,
        (None, false) => return Err("no transparency log vouches for when it was signed".into()),
        (_, true) => now,
    };
    certificate::given_by(&trust.authorities, certificate, &found.chain, at)?;
    Ok(signer)
}
