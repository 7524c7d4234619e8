//! An image registry: which digest a reference has, and whether it is signed. It keeps nothing: digests are derived
//! from names, so that they are the same in every sandbox.

use crate::digest;

/// Why a reference has no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It is not `host/repository[:tag][@digest]`.
    #[error("\"{0}\" is not an image reference")]
    Malformed(String),
    /// Hosts under `.invalid` (RFC 2606) never answer.
    #[error("failed to do request: Head \"https://{host}/v2/\": dial tcp: lookup {host}: no such host")]
    UnknownHost { host: String },
    /// Repositories whose name ends in `-unknown` do not exist.
    #[error("GET https://{host}/v2/{path}/manifests/{reference}: NAME_UNKNOWN: Unknown name")]
    UnknownName { host: String, path: String, reference: String },
}

/// An image reference in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// With the registry's host: `quay.io/kubernaut/playbook-oomkill-multi`.
    pub repository: String,
    pub tag: Option<String>,
    /// As it was written; the seeds abbreviate (`sha256:def456`).
    pub digest: Option<String>,
}

impl Reference {
    pub fn parse(text: &str) -> Result<Self, ResolveError> {
        let malformed = || ResolveError::Malformed(text.to_owned());
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) if digest.starts_with("sha256:") => (name, Some(digest.to_owned())),
            Some(_) => return Err(malformed()),
            None => (text, None),
        };
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (name, None),
        };
        let character =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | '/' | ':');
        if repository.is_empty() || !repository.chars().all(character) || tag.as_ref().is_some_and(String::is_empty) {
            return Err(malformed());
        }
        Ok(Self { repository: repository.to_owned(), tag, digest })
    }

    /// The registry's host; Docker Hub when none is named.
    pub fn host(&self) -> &str {
        match self.repository.split_once('/') {
            Some((host, _)) if host.contains('.') || host.contains(':') || host == "localhost" => host,
            _ => "docker.io",
        }
    }

    /// The last part of the repository: `playbook-oomkill-multi`.
    pub fn short_name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Registry;

impl Registry {
    /// The digest (`sha256:` and 64 hexadecimal digits) of a reference; one that names a digest keeps it.
    pub fn resolve(&self, reference: &str) -> Result<String, ResolveError> {
        let parsed = Reference::parse(reference)?;
        let host = parsed.host();
        let name = host.split(':').next().unwrap_or(host);
        if name == "invalid" || name.rsplit('.').next() == Some("invalid") {
            return Err(ResolveError::UnknownHost { host: host.to_owned() });
        }
        let tag = parsed.tag.as_deref().unwrap_or("latest");
        if parsed.repository.ends_with("-unknown") {
            let path = parsed.repository.strip_prefix(host).unwrap_or(&parsed.repository).trim_start_matches('/');
            let reference = parsed.digest.as_deref().unwrap_or(tag);
            return Err(ResolveError::UnknownName {
                host: host.into(),
                path: path.into(),
                reference: reference.into(),
            });
        }
        Ok(parsed.digest.clone().unwrap_or_else(|| digest::sha256(&["image", &parsed.repository, tag])))
    }

    /// The reference by digest, as Tekton's controller makes it when it asks for an image's entry point.
    pub(crate) fn entrypoint(self, reference: &str) -> Result<String, ResolveError> {
        let digest = self.resolve(reference)?;
        let parsed = Reference::parse(reference)?;
        Ok(if parsed.digest.is_some() { reference.to_owned() } else { format!("{}@{digest}", parsed.repository) })
    }

    /// Whether images of this repository carry a signature: those of kubernaut do.
    pub fn signed(&self, repository: &str) -> bool {
        ["quay.io/kubernaut/", "ghcr.io/kubernaut/"].iter().any(|prefix| repository.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_one_digest_and_a_digest_is_kept() {
        let registry = Registry;
        let tag = "quay.io/kubernaut/playbook-oomkill-multi:v1.0.0";
        let digest = registry.resolve(tag).unwrap();
        assert_eq!(digest.len(), 71);
        assert_eq!(registry.resolve(tag).unwrap(), digest);
        assert_ne!(registry.resolve("quay.io/kubernaut/playbook-oomkill-multi:v1.0.1").unwrap(), digest);
        let pinned = format!("quay.io/kubernaut/playbook-oomkill-multi@{digest}");
        assert_eq!(registry.resolve(&pinned).unwrap(), digest);
    }

    #[test]
    fn what_cannot_be_resolved_says_why() {
        let registry = Registry;
        assert!(matches!(registry.resolve("registry.invalid/x:1"), Err(ResolveError::UnknownHost { .. })));
        assert!(matches!(registry.resolve("quay.io/x/y-unknown:1"), Err(ResolveError::UnknownName { .. })));
        assert!(matches!(registry.resolve("UPPER/x"), Err(ResolveError::Malformed(_))));
        assert!(matches!(registry.resolve(""), Err(ResolveError::Malformed(_))));
    }

    #[test]
    fn kubernauts_images_are_signed_and_others_are_not() {
        let registry = Registry;
        assert!(registry.signed("quay.io/kubernaut/playbook-oomkill-cost"));
        assert!(registry.signed("ghcr.io/kubernaut/actions/scale"));
        assert!(!registry.signed("docker.io/library/busybox"));
        assert!(!registry.signed("quay.io/kubernaut-evil/x"));
    }

    #[test]
    fn references_come_apart() {
        let reference = Reference::parse("localhost:5000/a/b:v1").unwrap();
        assert_eq!(
            (reference.host(), reference.short_name(), reference.tag.as_deref()),
            ("localhost:5000", "b", Some("v1"))
        );
        assert_eq!(Reference::parse("busybox").unwrap().host(), "docker.io");
    }
}
