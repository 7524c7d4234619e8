//! Who signed an image, as far as the console could verify it itself. What is said here is always about one digest: a signature names
//! what was signed by its digest, and a run names its images so, too.

use crate::{playbook::ImageRef, text::like, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an image stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// Signed by somebody trusted.
    Verified,
    /// There is a signature, and none of somebody trusted that holds.
    Untrusted,
    /// There is none.
    Missing,
    /// Nobody looked, or the registry could not be asked.
    #[default]
    Unknown,
}

impl Signature {
    /// Every state, the worst first.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Untrusted, Self::Unknown, Self::Verified];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Untrusted => "untrusted",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether somebody trusted signed it. Nothing else lets anything pass that asks for that.
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Verified)
    }

    /// What that means for an image, to follow "the image".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Verified => "is signed by somebody trusted",
            Self::Untrusted => "is signed, but by nobody trusted",
            Self::Missing => "is not signed",
            Self::Unknown => "has a signature that could not be checked, or none",
        }
    }

    /// Of several images, the worst; not known of none.
    pub fn worst(of: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<Self> = of.into_iter().collect();
        Self::ALL.into_iter().find(|state| all.contains(state)).unwrap_or_default()
    }
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Signer {
    /// Whoever has this key.
    Key {
        /// What the settings call it.
        name: String,
    },
    /// Whom an authority's certificate names.
    Identity {
        /// An address of a workflow, or of a person.
        subject: String,
        /// Who vouched for that when the certificate was given; none where the certificate does not say.
        issuer: Option<String>,
    },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { name } => write!(f, "key {name}"),
            Self::Identity { subject, issuer: Some(issuer) } => write!(f, "{subject} ({issuer})"),
            Self::Identity { subject, issuer: None } => f.write_str(subject),
        }
    }
}

/// What was found of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageSignature {
    /// Where it stands.
    pub state: Signature,
    /// Who signed; of one that is not trusted, whom its certificate names, where an authority of the settings gave it.
    pub signer: Option<Signer>,
    /// Why it stands there, where that is not obvious: a sentence without its stop.
    pub detail: Option<String>,
    /// When that was found out; none where nobody looked.
    pub checked_at: Option<Timestamp>,
}

impl ImageSignature {
    /// How long something that was found out holds while the registry can't be asked, milliseconds.
    pub const HOLDS_MS: i64 = 24 * 60 * 60 * 1000;

    /// What is known after somebody looked again. A registry that does not answer takes nothing away for a day: a signature of a digest
    /// does not change. Then nothing is known any more.
    #[must_use]
    pub fn or_before(self, before: Option<&Self>, now: Timestamp) -> Self {
        let holds = |before: &Self| {
            before.state != Signature::Unknown
                && before.checked_at.is_some_and(|at| now < at.plus_ms(Self::HOLDS_MS) && at <= now)
        };
        match before.filter(|before| self.state == Signature::Unknown && holds(before)) {
            Some(before) => before.clone(),
            None => self,
        }
    }
}

/// An image by digest, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedImage {
    /// The image.
    pub image: ImageRef,
    /// What was found of it.
    #[serde(flatten)]
    pub signature: ImageSignature,
}

/// Whose certificate counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedIdentity {
    /// Who must have vouched, letter by letter.
    pub issuer: String,
    /// A pattern of the subject, in which `*` stands for any characters.
    pub subject: String,
}

impl TrustedIdentity {
    /// Whether this signer is meant. A certificate that says no issuer never is.
    pub fn fits(&self, signer: &Signer) -> bool {
        match signer {
            Signer::Identity { subject, issuer: Some(issuer) } => {
                *issuer == self.issuer && like(&self.subject, subject)
            }
            _ => false,
        }
    }
}

/// What of these images nobody trusted signed, as sentences for whoever decides. `checked` tells whether signatures are looked at at
/// all: where they are not, that is no news of this image.
pub fn warnings(images: &[SignedImage], checked: bool) -> Vec<String> {
    let wrong = images.iter().filter(|one| match one.signature.state {
        Signature::Verified => false,
        Signature::Unknown => checked,
        Signature::Missing | Signature::Untrusted => true,
    });
    wrong
        .map(|SignedImage { image, signature }| match &signature.detail {
            Some(detail) => format!("The image {image} {}: {detail}.", signature.state.words()),
            None => format!("The image {image} {}.", signature.state.words()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Digest;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn found(state: Signature, checked_at: i64) -> ImageSignature {
        ImageSignature { state, checked_at: Some(at(checked_at)), ..ImageSignature::default() }
    }

    #[test]
    fn of_several_the_worst_counts_and_of_none_nothing_is_known() {
        use Signature::{Missing, Unknown, Untrusted, Verified};
        for (of, worst) in [
            (vec![], Unknown),
            (vec![Verified, Verified], Verified),
            (vec![Verified, Unknown], Unknown),
            (vec![Unknown, Untrusted], Untrusted),
            (vec![Untrusted, Missing, Verified], Missing),
        ] {
            assert_eq!(Signature::worst(of.clone()), worst, "{of:?}");
        }
        for state in Signature::ALL {
            assert_eq!(Signature::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(state.is_verified(), state == Verified);
        }
    }

    #[test]
    fn a_registry_that_is_away_takes_nothing_away_for_a_day_and_gives_nothing() {
        let day = ImageSignature::HOLDS_MS;
        let away = found(Signature::Unknown, day);
        for before in [Signature::Verified, Signature::Untrusted, Signature::Missing] {
            let before = found(before, 0);
            assert_eq!(away.clone().or_before(Some(&before), at(day - 1)), before);
            assert_eq!(away.clone().or_before(Some(&before), at(day)), away);
        }
        let ahead = found(Signature::Verified, day * 2);
        assert_eq!(away.clone().or_before(Some(&ahead), at(day)), away, "a time to come proves nothing");
        assert_eq!(away.clone().or_before(None, at(0)), away);
        let gone = found(Signature::Missing, 5);
        assert_eq!(
            gone.clone().or_before(Some(&found(Signature::Verified, 0)), at(5)),
            gone,
            "what is found out counts"
        );
    }

    #[test]
    fn an_identity_is_of_its_issuer_and_never_of_none() {
        let trusted = TrustedIdentity {
            issuer: "https://token.example".into(),
            subject: "https://git.example/team/*/release.yaml@refs/tags/*".into(),
        };
        let signer = |subject: &str, issuer: Option<&str>| Signer::Identity {
            subject: subject.into(),
            issuer: issuer.map(str::to_owned),
        };
        let subject = "https://git.example/team/playbooks/release.yaml@refs/tags/v1";
        assert!(trusted.fits(&signer(subject, Some("https://token.example"))));
        for other in [
            signer(subject, None),
            signer(subject, Some("https://token.example.evil")),
            signer(subject, Some("")),
            signer("https://git.example/other/playbooks/release.yaml@refs/tags/v1", Some("https://token.example")),
            signer(&format!("x{subject}"), Some("https://token.example")),
            Signer::Key { name: subject.into() },
        ] {
            assert!(!trusted.fits(&other), "{other}");
        }
    }

    #[test]
    fn what_nobody_trusted_signed_is_said_by_name() {
        let image: ImageRef = format!("registry.example/scale@{}", Digest::from_bytes([7; 32])).parse().unwrap();
        let one = |state, detail: Option<&str>| SignedImage {
            image: image.clone(),
            signature: ImageSignature { state, detail: detail.map(str::to_owned), ..ImageSignature::default() },
        };
        let all = [
            one(Signature::Verified, None),
            one(Signature::Missing, None),
            one(Signature::Unknown, Some("registry.example did not answer")),
        ];
        let told = warnings(&all, true);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0], format!("The image {image} is not signed."));
        assert!(told[1].ends_with("could not be checked, or none: registry.example did not answer."), "{}", told[1]);
        assert_eq!(warnings(&all, false).len(), 1, "where nobody looks that is no news of this image");
    }
}
