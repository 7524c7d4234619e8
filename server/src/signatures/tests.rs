//! Signatures as cosign makes them (`samples/make`), each judged as the settings of a cautious team say.

use super::{Found, Log, Trust, TrustedKey, judge, of_bundle, of_layer};
use domain::{
    ids::Digest,
    signature::{ImageSignature, Signature, Signer, TrustedIdentity},
};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime, pem::PemObject as _};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

const SUBJECT: &str = "https://git.example/team/playbooks/.github/workflows/release.yaml@refs/tags/v1";
const ISSUER: &str = "https://token.example";

struct Samples(Value);

impl Samples {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("samples/samples.json")).unwrap())
    }

    fn image(&self) -> Digest {
        Digest::try_from(self.0["digest"].as_str().unwrap().to_owned()).unwrap()
    }

    fn at(&self, when: &str) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0[when].as_u64().unwrap()))
    }

    fn layer(&self, name: &str) -> Result<Found, String> {
        let sample = &self.0["layers"][name];
        let annotations: BTreeMap<String, String> = serde_json::from_value(sample["annotations"].clone()).unwrap();
        of_layer(&annotations, sample["payload"].as_str().unwrap().into(), &self.image())
    }

    fn bundle(&self, name: &str) -> Result<Option<Found>, String> {
        let sample = &self.0["bundles"][name];
        assert!(sample.is_object(), "{name}");
        of_bundle(sample.to_string().as_bytes(), &self.image())
    }

    /// By the trusted team, long after the certificates have run out.
    fn judged(&self, one: Result<Found, String>) -> ImageSignature {
        judge(&[one], &team(), self.at("later"))
    }
}

fn key(pem: &str) -> SubjectPublicKeyInfoDer<'static> {
    SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Who is trusted by the samples' team.
pub fn team() -> Trust {
    let authority = CertificateDer::from_pem_slice(include_bytes!("samples/ca.pem")).unwrap();
    let identity = |subject: &str| TrustedIdentity { issuer: ISSUER.into(), subject: subject.into() };
    Trust {
        keys: vec![TrustedKey { name: "release".into(), key: key(include_str!("samples/release.pub")) }],
        identities: vec![
            identity("https://git.example/team/playbooks/.github/workflows/*@refs/tags/*"),
            identity("mara@team.example"),
        ],
        authorities: vec![webpki::anchor_from_trusted_cert(&authority).unwrap().to_owned()],
        logs: vec![Log { key: key(include_str!("samples/rekor.pub")) }],
    }
}

fn by_key() -> Signer {
    Signer::Key { name: "release".into() }
}

fn by(subject: &str) -> Signer {
    Signer::Identity { subject: subject.into(), issuer: Some(ISSUER.into()) }
}

#[test]
fn whose_signature_holds_is_named() {
    let samples = Samples::read();
    for (name, signer) in
        [("by the key", by_key()), ("by the workflow", by(SUBJECT)), ("by a person", by("mara@team.example"))]
    {
        let judged = samples.judged(samples.layer(name));
        assert_eq!((judged.state, &judged.signer), (Signature::Verified, &Some(signer)), "{name}: {judged:?}");
    }
    for (name, signer) in [("by the key", by_key()), ("by the workflow", by(SUBJECT))] {
        let found = samples.bundle(name).unwrap().unwrap();
        let judged = samples.judged(Ok(found));
        assert_eq!((judged.state, &judged.signer), (Signature::Verified, &Some(signer)), "{name}: {judged:?}");
    }
}

#[test]
fn what_does_not_hold_says_why_and_counts_as_nobodys() {
    let samples = Samples::read();
    for (name, why) in [
        ("by an unknown key", "a key that is not trusted"),
        ("by the key, of another image", "another image was signed"),
        ("by the workflow, without an entry", "no transparency log"),
        ("by the workflow, too late", "had run out"),
        ("by the workflow, with the entry of another signature", "another signature"),
        ("by the workflow, in another log", "written down in is not trusted"),
        ("by another key than the certificate's", "does not hold"),
        ("by another authority", "no authority that is trusted"),
        ("by a server", "not for signing code"),
        ("by whom nobody vouched for", "who is not trusted"),
    ] {
        let judged = samples.judged(samples.layer(name));
        assert_eq!(judged.state, Signature::Untrusted, "{name}: {judged:?}");
        let detail = judged.detail.unwrap();
        assert!(detail.contains(why), "{name}: {detail}");
    }
    for (name, why) in [
        ("by an unknown key", "a key that is not trusted"),
        ("by the key, of another image", "another image was signed"),
        ("by the workflow, too late", "had run out"),
        ("by the workflow, with the entry of something else", "another signature"),
        ("by another authority", "no authority that is trusted"),
    ] {
        let judged = samples.judged(samples.bundle(name).map(|found| found.unwrap()));
        assert_eq!(judged.state, Signature::Untrusted, "{name}: {judged:?}");
        let detail = judged.detail.unwrap();
        assert!(detail.contains(why), "{name}: {detail}");
    }
}

#[test]
fn what_is_said_about_an_image_is_no_signature_of_it() {
    let samples = Samples::read();
    assert!(samples.bundle("by the key, an attestation").unwrap().is_none());
    let nothing = judge(&[], &team(), samples.at("now"));
    assert_eq!((nothing.state, nothing.detail), (Signature::Missing, None));
}

#[test]
fn whose_name_is_known_and_not_trusted_is_told() {
    let samples = Samples::read();
    let mut trust = team();
    trust.keys.clear();
    trust.identities = vec![TrustedIdentity { issuer: "https://other.example".into(), subject: "*".into() }];
    let found = [samples.layer("by an unknown key"), samples.layer("by the workflow")];
    let judged = judge(&found, &trust, samples.at("later"));
    assert_eq!((judged.state, judged.signer), (Signature::Untrusted, Some(by(SUBJECT))));
    // Without authorities nothing that a certificate says is known to be so.
    trust.authorities.clear();
    let judged = judge(&found[1..], &trust, samples.at("later"));
    assert_eq!((judged.state, judged.signer), (Signature::Untrusted, None));
}

#[test]
fn without_a_log_a_certificate_must_hold_now() {
    let samples = Samples::read();
    let trust = Trust { logs: Vec::new(), ..team() };
    let found = [samples.layer("by the workflow, without an entry")];
    assert_eq!(judge(&found, &trust, samples.at("now")).state, Signature::Verified);
    let late = judge(&found, &trust, samples.at("later"));
    assert_eq!((late.state, late.detail.as_deref()), (Signature::Untrusted, Some("its certificate had run out")));
}

#[test]
fn one_that_holds_is_enough_beside_others_that_do_not() {
    let samples = Samples::read();
    let found =
        [samples.layer("by an unknown key"), samples.layer("by another authority"), samples.layer("by the key")];
    assert_eq!(judge(&found, &team(), samples.at("later")).signer, Some(by_key()));
}

#[test]
fn a_signature_changed_in_one_byte_does_not_hold() {
    let samples = Samples::read();
    for name in ["by the key", "by the workflow"] {
        let mut found = samples.layer(name).unwrap();
        let last = found.signature.len() - 1;
        found.signature[last] ^= 1;
        assert_eq!(samples.judged(Ok(found)).state, Signature::Untrusted, "{name}");
        let mut found = samples.layer(name).unwrap();
        found.signed.push(b' ');
        assert_eq!(samples.judged(Ok(found)).state, Signature::Untrusted, "{name}");
    }
}

#[test]
fn an_entry_can_not_be_moved_in_time() {
    let samples = Samples::read();
    let mut found = samples.layer("by the workflow, too late").unwrap();
    let entry = found.entry.as_mut().unwrap();
    entry.integrated_time -= 900;
    let judged = samples.judged(Ok(found));
    assert_eq!(judged.detail.as_deref(), Some("the transparency log's promise does not hold"));
}

#[test]
fn what_can_not_be_read_is_no_signature() {
    let image = Samples::read().image();
    let none = BTreeMap::new();
    assert!(of_layer(&none, b"{}".to_vec(), &image).is_err());
    assert!(of_layer(&none, Vec::new(), &image).is_err());
    for text in ["", "[]", "{\"verificationMaterial\":{},\"dsseEnvelope\":{}}"] {
        assert!(of_bundle(text.as_bytes(), &image).is_err(), "{text}");
    }
}

#[test]
fn other_settings_have_another_name() {
    let usual = team().name();
    assert_eq!(team().name(), usual);
    let mut others = vec![usual];
    let changes: [fn(&mut Trust); 6] = [
        |trust| trust.keys[0].name = "other".into(),
        |trust| trust.keys.clear(),
        |trust| trust.identities[0].issuer.push('x'),
        |trust| trust.identities[0].subject.push('x'),
        |trust| trust.authorities.clear(),
        |trust| trust.logs.clear(),
    ];
    for change in changes {
        let mut trust = team();
        change(&mut trust);
        assert!(!others.contains(&trust.name()));
        others.push(trust.name());
    }
}
