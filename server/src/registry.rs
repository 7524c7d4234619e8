//! Where images come from: the sandbox's make-believe registry, or — on a real cluster — the image's own digest. Around either of them,
//! where the settings say who is trusted, the registries that are asked who signed (`checked`, by way of `client`).

mod checked;
mod client;
#[cfg(test)]
mod tests;

pub use checked::Checked;
pub use client::Client;

use async_trait::async_trait;
use domain::{
    ids::Digest,
    playbook::ImageRef,
    ports::{ClusterError, Registry},
    signature::{ImageSignature, Signature, Signer},
};

/// The sandbox's registry: every tag has a stable digest, the field's own images are signed.
pub struct SandboxRegistry(pub sandbox::Registry);

#[async_trait]
impl Registry for SandboxRegistry {
    async fn resolve(&self, image: &ImageRef) -> Result<ImageRef, ClusterError> {
        let fault = |detail: String| ClusterError::Image { image: image.to_string(), detail };
        // An abbreviated digest stands for one image as a tag does.
        let text = match image.abbreviation() {
            Some(short) => format!("{}:{short}", image.repository()),
            None => image.to_string(),
        };
        let digest = self.0.resolve(&text).map_err(|e| fault(e.to_string()))?;
        let digest = Digest::try_from(digest).map_err(|e| fault(e.to_string()))?;
        Ok(image.with_digest(digest))
    }

    async fn signature(&self, image: &ImageRef) -> ImageSignature {
        if self.0.signed(image.repository()) {
            let signer = Some(Signer::Key { name: "kubernaut".into() });
            ImageSignature { state: Signature::Verified, signer, ..ImageSignature::default() }
        } else {
            ImageSignature { state: Signature::Missing, ..ImageSignature::default() }
        }
    }

    fn trust(&self) -> Option<&str> {
        Some("sandbox")
    }
}

/// Takes digests only, and knows nothing of signatures.
pub struct PinnedOnly;

#[async_trait]
impl Registry for PinnedOnly {
    async fn resolve(&self, image: &ImageRef) -> Result<ImageRef, ClusterError> {
        if image.digest().is_some() {
            return Ok(image.clone());
        }
        let detail =
            "on a real cluster an image must be given with its whole digest, name@sha256:…; `crane digest` prints it";
        Err(ClusterError::Image { image: image.to_string(), detail: detail.into() })
    }

    async fn signature(&self, _: &ImageRef) -> ImageSignature {
        ImageSignature::default()
    }

    fn trust(&self) -> Option<&str> {
        None
    }
}
