//! A registry whose images' signatures are looked at: where an image lies its signatures do, too.

use super::client::{Client, Repository};
use crate::signatures::{BUNDLE, Found, SIMPLE_SIGNING, Trust, judge, of_bundle, of_layer};
use async_trait::async_trait;
use domain::{
    ids::Digest,
    playbook::ImageRef,
    ports::{Clock, ClusterError, Registry},
    signature::{ImageSignature, Signature},
};
use rustls::pki_types::UnixTime;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// Images that are looked at at the same time.
const AT_ONCE: usize = 8;
/// What one may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Signatures of one image that are read, of each form.
const MOST: usize = 20;

/// Pins as another one does, and asks the registries of the settings who signed.
pub struct Checked {
    pins: Arc<dyn Registry>,
    client: Client,
    trust: Trust,
    name: String,
    clock: Arc<dyn Clock>,
    turns: Semaphore,
}

impl Checked {
    /// Over the registry that pins.
    pub fn new(pins: Arc<dyn Registry>, client: Client, trust: Trust, clock: Arc<dyn Clock>) -> Self {
        Self { pins, client, name: trust.name(), trust, clock, turns: Semaphore::new(AT_ONCE) }
    }

    async fn look(&self, image: &ImageRef) -> Result<ImageSignature, String> {
        let digest = image.digest().ok_or_else(|| "it is not named by its digest".to_owned())?;
        let mut repository = self.client.repository(image.repository())?;
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now));

        let mut found: Vec<Result<Found, String>> = Vec::new();
        let signatures = repository.tagged(&format!("sha256-{}.sig", digest.hex())).await?.unwrap_or_default();
        for layer in signatures.layers.iter().filter(|layer| layer.media_type == SIMPLE_SIGNING).take(MOST) {
            let Some(payload) = repository.blob(&layer.digest).await? else { continue };
            found.push(of_layer(&layer.annotations, payload, digest));
        }
        let by_tag = judge(&found, &self.trust, now);
        if by_tag.state.is_verified() {
            return Ok(by_tag);
        }
        let mut referrers = repository.referrers(digest).await?;
        // A list under a tag may not say what is in it: those that are bundles by their word come first.
        referrers.sort_by_key(|one| !one.artifact_type.as_deref().is_some_and(|kind| kind.starts_with(BUNDLE)));
        for bundle in referrers.iter().take(MOST) {
            found.extend(self.bundle(&mut repository, &bundle.digest, digest).await?);
        }
        Ok(judge(&found, &self.trust, now))
    }

    /// The bundles of one that refers to the image. What only says something about the image is no signature, and none that fails.
    async fn bundle(
        &self,
        repository: &mut Repository<'_>,
        at: &Digest,
        image: &Digest,
    ) -> Result<Vec<Result<Found, String>>, String> {
        let manifest = repository.pinned(at).await?.unwrap_or_default();
        let mut found = Vec::new();
        for layer in manifest.layers.iter().filter(|layer| layer.media_type.starts_with(BUNDLE)).take(MOST) {
            let Some(bytes) = repository.blob(&layer.digest).await? else { continue };
            match of_bundle(&bytes, image) {
                Ok(None) => {}
                Ok(Some(one)) => found.push(Ok(one)),
                Err(why) => found.push(Err(why)),
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl Registry for Checked {
    async fn resolve(&self, image: &ImageRef) -> Result<ImageRef, ClusterError> {
        self.pins.resolve(image).await
    }

    async fn signature(&self, image: &ImageRef) -> ImageSignature {
        let Ok(_turn) = self.turns.acquire().await else { return ImageSignature::default() };
        let unknown = |detail: String| ImageSignature {
            state: Signature::Unknown,
            detail: Some(detail),
            ..ImageSignature::default()
        };
        match timeout(WITHIN, self.look(image)).await {
            Ok(Ok(found)) => found,
            Ok(Err(why)) => unknown(why),
            Err(_) => unknown(format!("{} did not answer in time", image.registry())),
        }
    }

    fn trust(&self) -> Option<&str> {
        Some(&self.name)
    }
}
