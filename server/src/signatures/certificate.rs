//! What a signing certificate says, and whether an authority gave it. Sources: RFC 5280; Fulcio's certificates
//! (github.com/sigstore/fulcio, docs/certificate-specification.md and docs/oid-info.md).

use super::ALGORITHMS;
use domain::{signature::Signer, text::check_line};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::{
    Certificate, TbsCertificate,
    der::{Decode as _, asn1::ObjectIdentifier},
    ext::pkix::{ExtendedKeyUsage, SubjectAltName, name::GeneralName},
};

/// For signing code: as a number, and as it stands in a certificate.
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const CODE_SIGNING_DER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
/// Who vouched for the subject, as a text in DER.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// The same as Fulcio wrote it at first: the bytes of the text themselves.
const ISSUER_BYTES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// The longest name, bytes.
const MOST_BYTES: usize = 512;

/// Whom a certificate names that is for signing.
pub fn signer(certificate: &CertificateDer<'_>) -> Result<Signer, String> {
    let unreadable = || "its certificate can't be read".to_owned();
    let read = Certificate::from_der(certificate.as_ref()).map_err(|_| unreadable())?;
    let fields = &read.tbs_certificate;
    // The certificates above it may leave this out; this one must say it.
    match fields.get::<ExtendedKeyUsage>().map_err(|_| unreadable())? {
        Some((_, ExtendedKeyUsage(purposes))) if purposes.contains(&CODE_SIGNING) => {}
        _ => return Err("its certificate is not for signing code".into()),
    }
    let Some((_, SubjectAltName(names))) = fields.get::<SubjectAltName>().map_err(|_| unreadable())? else {
        return Err("its certificate names nobody".into());
    };
    let subject = match names.as_slice() {
        [GeneralName::UniformResourceIdentifier(name) | GeneralName::Rfc822Name(name)] => name.to_string(),
        _ => return Err("its certificate does not name one address or one person".into()),
    };
    let issuer = match one(fields, ISSUER) {
        Some(text) => Some(String::from_der(text).map_err(|_| unreadable())?),
        None => match one(fields, ISSUER_BYTES) {
            Some(bytes) => Some(String::from_utf8(bytes.to_vec()).map_err(|_| unreadable())?),
            None => None,
        },
    };
    // It is shown to people.
    let shown = |text: &str| text.len() <= MOST_BYTES && check_line(text).is_ok();
    if !shown(&subject) || !issuer.as_deref().is_none_or(shown) {
        return Err("its certificate names somebody in a way that can't be shown".into());
    }
    Ok(Signer::Identity { subject, issuer })
}

/// An extension that is there once.
fn one(fields: &TbsCertificate, id: ObjectIdentifier) -> Option<&[u8]> {
    let mut found = fields.extensions.iter().flatten().filter(|extension| extension.extn_id == id);
    let first = found.next()?;
    found.next().is_none().then(|| first.extn_value.as_bytes())
}

/// Whether the key of this certificate signed that.
pub fn signed(certificate: &CertificateDer<'_>, message: &[u8], signature: &[u8]) -> bool {
    let Ok(entity) = EndEntityCert::try_from(certificate) else { return false };
    ALGORITHMS.iter().any(|algorithm| entity.verify_signature(*algorithm, message, signature).is_ok())
}

/// Whether one of these authorities gave it, itself or by those of the chain, and it held at that time.
pub fn given_by(
    authorities: &[TrustAnchor<'static>],
    certificate: &CertificateDer<'_>,
    chain: &[CertificateDer<'_>],
    at: UnixTime,
) -> Result<(), String> {
    let entity = EndEntityCert::try_from(certificate).map_err(|_| "its certificate can't be read".to_owned())?;
    let usage = KeyUsage::required_if_present(CODE_SIGNING_DER);
    let verified = entity.verify_for_usage(ALGORITHMS, authorities, chain, at, usage, None, None).map(|_| ());
    match verified {
        Ok(()) => Ok(()),
        Err(webpki::Error::CertExpired { .. }) => Err("its certificate had run out".into()),
        Err(webpki::Error::CertNotValidYet { .. }) => Err("its certificate was not valid yet".into()),
        Err(_) => Err("its certificate is of no authority that is trusted".into()),
    }
}
