//! Where images come from: the sandbox's make-believe registry, or — on a real cluster — the image's own digest. Asking a
//! real registry over the network comes with image signatures; until then a real cluster wants digests.

use async_trait::async_trait;
use domain::{
    ids::Digest,
    playbook::ImageRef,
    ports::{ClusterError, ImageResolution, Registry, Signature},
};

/// The sandbox's registry: every tag has a stable digest, the field's own images are signed.
pub struct SandboxRegistry(pub sandbox::Registry);

#[async_trait]
impl Registry for SandboxRegistry {
    async fn resolve(&self, image: &ImageRef) -> Result<ImageResolution, ClusterError> {
        let fault = |detail: String| ClusterError::Image { image: image.to_string(), detail };
        // An abbreviated digest stands for one image as a tag does.
        let text = match image.abbreviation() {
            Some(short) => format!("{}:{short}", image.repository()),
            None => image.to_string(),
        };
        let digest = self.0.resolve(&text).map_err(|e| fault(e.to_string()))?;
        let digest = Digest::try_from(digest).map_err(|e| fault(e.to_string()))?;
        let signature = if self.0.signed(image.repository()) { Signature::Verified } else { Signature::Missing };
        Ok(ImageResolution { image: image.with_digest(digest), signature })
    }
}

/// Takes digests only.
pub struct PinnedOnly;

#[async_trait]
impl Registry for PinnedOnly {
    async fn resolve(&self, image: &ImageRef) -> Result<ImageResolution, ClusterError> {
        if image.digest().is_some() {
            return Ok(ImageResolution { image: image.clone(), signature: Signature::Unknown });
        }
        let detail =
            "on a real cluster an image must be given with its whole digest, name@sha256:…; `crane digest` prints it";
        Err(ClusterError::Image { image: image.to_string(), detail: detail.into() })
    }
}
