//! References to container images. Pure text: knows no registry and resolves nothing.
//! Grammar: <https://github.com/distribution/reference>, narrowed to references that name their registry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fault::{Complaint, code};
use crate::ids::Digest;
use crate::reader::quoted;

/// A container image: `registry/path:tag`, `registry/path@sha256:…`, or both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
    abbreviation: Option<String>,
}

impl ImageRef {
    /// Registry and path, such as `quay.io/kubernaut/playbook-oomkill-multi`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The registry, such as `quay.io` or `localhost:5000`.
    pub fn registry(&self) -> &str {
        self.repository.split_once('/').map_or(&self.repository, |(registry, _)| registry)
    }

    /// The tag, such as `v1.0.0`. A tag is a promise; only a digest says what runs.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, when the reference is pinned.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same image pinned to a digest; the tag stays, for people.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), abbreviation: None, ..self.clone() }
    }

    /// Whether `pinned` is this very image with its digest written out.
    pub fn is_pinned_by(&self, pinned: &Self) -> bool {
        self.repository == pinned.repository
            && self.tag == pinned.tag
            && pinned.digest.is_some()
            && (self.digest.is_none() || self.digest == pinned.digest)
    }

    /// Reads a reference whose digest may be abbreviated, as the architecture seed writes them (`…/scale@sha256:abc123`). It
    /// is not pinned: a registry must find the whole digest or refuse.
    pub fn parse_abbreviated(text: &str) -> Result<Self, Complaint> {
        match text.split_once("@sha256:") {
            Some((rest, short))
                if (4..64).contains(&short.len()) && short.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                let whole = format!("{rest}@sha256:{}", "0".repeat(64)).parse::<Self>()?;
                Ok(Self { digest: None, abbreviation: Some(short.to_owned()), ..whole })
            }
            _ => text.parse(),
        }
    }

    /// The beginning of a digest, where only that was given.
    pub fn abbreviation(&self) -> Option<&str> {
        self.abbreviation.as_deref()
    }
}

/// On the wire it is a string.
#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for ImageRef {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for ImageRef {}

impl FromStr for ImageRef {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let complaint =
            |advice: &str| Complaint::new(code::MALFORMED, format!("{} is no image reference: {advice}", quoted(text)));
        if text.len() > crate::limits::registration::IMAGE {
            return Err(complaint("at most 512 characters are allowed"));
        }
        if text.contains("://") {
            return Err(complaint(
                "leave out the scheme and begin with the registry, such as quay.io/org/playbook:v1.0.0",
            ));
        }
        let (name, digest) = match text.split_once('@') {
            None => (text, None),
            Some((name, digest)) => (name, Some(digest)),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let Some((registry, path)) = repository.split_once('/') else {
            return Err(complaint("name the registry too, such as docker.io/library/busybox:1.36"));
        };
        if !is_registry(registry) {
            return Err(complaint("begin with the registry's host name, such as quay.io/org/playbook:v1.0.0"));
        }
        if repository.len() > 255 || !path.split('/').all(is_path_component) {
            return Err(complaint(
                "the path after the registry is made of lower-case letters, digits and inner '.', '_', '-', with '/' between, \
                 at most 255 characters",
            ));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(complaint("a tag is made of letters, digits, '_', '.' and '-', at most 128 characters"));
        }
        let digest = digest
            .map(|digest| Digest::try_from(digest.to_owned()).map_err(|error| complaint(&error.to_string())))
            .transpose()?;
        if tag.is_none() && digest.is_none() {
            return Err(complaint("add a tag such as :v1.0.0, or a digest @sha256:…"));
        }
        Ok(Self { repository: repository.to_owned(), tag: tag.map(str::to_owned), digest, abbreviation: None })
    }
}

/// A host name, with a dot or a port or `localhost`: what container tools take for a registry rather than for a path.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        None => (text, None),
        Some((host, port)) => (host, Some(port)),
    };
    let labels = host.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    let port_is_a_number =
        port.is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()));
    labels && port_is_a_number && (host.contains('.') || port.is_some() || host == "localhost")
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let edges = bytes.first().copied().is_some_and(alphanumeric) && bytes.last().copied().is_some_and(alphanumeric);
    let separator = |run: &[u8]| matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-');
    edges && bytes.split(|byte| alphanumeric(*byte)).all(separator)
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

/// What was written must be readable again, an abbreviated digest too; what is sent goes through [`FromStr`].
impl TryFrom<String> for ImageRef {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        Self::parse_abbreviated(&text)
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.to_string()
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match (&self.digest, &self.abbreviation) {
            (Some(digest), _) => write!(f, "@{digest}"),
            (None, Some(short)) => write!(f, "@sha256:{short}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let digest = Digest::from_bytes([7; 32]);
        let text = format!("localhost:5000/a/b__c:v1.0.0@{digest}");
        let image: ImageRef = text.parse().unwrap();
        assert_eq!(image.registry(), "localhost:5000");
        assert_eq!(image.repository(), "localhost:5000/a/b__c");
        assert_eq!((image.tag(), image.digest()), (Some("v1.0.0"), Some(&digest)));
        assert_eq!(image.to_string(), text);
    }

    #[test]
    fn pinning_keeps_the_tag() {
        let image: ImageRef = "quay.io/kubernaut/playbook:v1".parse().unwrap();
        let digest = Digest::from_bytes([1; 32]);
        assert_eq!(image.with_digest(digest.clone()).to_string(), format!("quay.io/kubernaut/playbook:v1@{digest}"));
    }

    #[test]
    fn an_abbreviated_digest_is_kept_but_never_taken_for_one() {
        let text = "quay.io/kubernaut/scale@sha256:abc123";
        assert!(text.parse::<ImageRef>().is_err());
        let image = ImageRef::parse_abbreviated(text).unwrap();
        assert_eq!((image.digest(), image.abbreviation()), (None, Some("abc123")));
        let stored = serde_json::to_string(&image).unwrap();
        assert_eq!(serde_json::from_str::<ImageRef>(&stored).unwrap(), image);
    }

    #[test]
    fn what_is_no_reference_is_refused_with_advice() {
        let long = format!("quay.io/{}:v1", "a".repeat(300));
        for (bad, advice) in [
            ("", "name the registry"),
            ("busybox:1.36", "name the registry"),
            ("library/busybox:1.36", "begin with the registry"),
            ("-a.io/x:1", "begin with the registry"),
            ("quay.io:port/x:1", "begin with the registry"),
            ("quay.io:+80/x:1", "begin with the registry"),
            ("https://quay.io/x:1", "leave out the scheme"),
            ("quay.io/x", "add a tag"),
            ("quay.io/X:1", "the path"),
            ("quay.io/a..b:1", "the path"),
            ("quay.io/a_-b:1", "the path"),
            ("quay.io//b:1", "the path"),
            ("quay.io/:1", "the path"),
            ("quay.io/a :1", "the path"),
            (&long, "the path"),
            ("quay.io/a:", "a tag is"),
            ("quay.io/a:-x", "a tag is"),
            ("quay.io/a:v1\n", "a tag is"),
            ("quay.io/a@sha256:abc", "a digest is"),
            ("quay.io/a@sha512:abc", "a digest is"),
            ("quay.io/$(x):1", "the path"),
        ] {
            let complaint = bad.parse::<ImageRef>().expect_err(bad);
            assert!(complaint.message.contains(advice), "{bad}: {complaint}");
        }
    }
}
