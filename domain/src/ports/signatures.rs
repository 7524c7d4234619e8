//! Who signed which image, as it was last found out.

use super::StoreError;
use crate::{
    playbook::ImageRef,
    signature::{ImageSignature, SignedImage},
    time::Timestamp,
};
use async_trait::async_trait;

/// What is known of images' signatures, by the image with its digest.
#[async_trait]
pub trait SignatureStore: Send + Sync {
    /// Of each of these images, in their order; nothing is known of those that nobody has looked at.
    async fn signatures(&self, images: &[ImageRef]) -> Result<Vec<SignedImage>, StoreError>;
    /// Keeps what was found out of an image under these settings ([`super::Registry::trust`]), as [`ImageSignature::or_before`]
    /// says; `used` where somebody is about to use it. What is kept now.
    async fn keep_signature(
        &self,
        image: &ImageRef,
        found: ImageSignature,
        trust: &str,
        used: bool,
    ) -> Result<ImageSignature, StoreError>;
    /// Images in use (of a playbook that can run, or looked at in the last days) of which nothing was found out since `since`, or
    /// nothing is known and nobody looked since `unknown_since`; the longest waiting first.
    async fn due_signatures(
        &self,
        since: Timestamp,
        unknown_since: Timestamp,
        most: u32,
    ) -> Result<Vec<ImageRef>, StoreError>;
    /// Forgets what was found out under other settings. Of how many images.
    async fn forget_signatures(&self, trust: &str) -> Result<u64, StoreError>;
}
