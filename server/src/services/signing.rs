//! Who signed what would run. Pages and tickets take what was kept; the registry is asked when a playbook is registered, when steps
//! are proposed, and by the clock.

use super::{Services, store_fault};
use domain::{
    playbook::ImageRef,
    ports::PlaybookRecord,
    services::Answer,
    signature::{ImageSignature, SignedImage},
};
use std::time::Duration;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

/// What whoever registers or proposes waits for it; what takes longer is looked at afterwards.
const WITHIN: Duration = Duration::from_secs(6);
/// What one round by the clock may take.
const ROUND: Duration = Duration::from_mins(5);
/// What was found out is looked at again after so long, milliseconds.
const AGAIN_MS: i64 = 60 * 60 * 1000;
/// What could not be, after so long.
const UNKNOWN_AGAIN_MS: i64 = 2 * 60 * 1000;
/// Images of one round.
const MOST: u32 = 200;

impl Services {
    /// Whether signatures are looked at at all.
    pub(super) fn checks_signatures(&self) -> bool {
        self.world.registry.trust().is_some()
    }

    /// What is known of these images.
    pub(super) async fn signed(&self, images: &[ImageRef]) -> Answer<Vec<SignedImage>> {
        self.world.signatures.signatures(images).await.map_err(store_fault)
    }

    /// Asks the registry about one image.
    async fn look_at(&self, image: &ImageRef) -> ImageSignature {
        let found = self.world.registry.signature(image).await;
        ImageSignature { checked_at: Some(self.world.clock.now()), ..found }
    }

    /// The same for who waits for it: what takes too long is not known, and looked at in the next round.
    pub(super) async fn look_now(&self, image: &ImageRef) -> ImageSignature {
        timeout(WITHIN, self.look_at(image)).await.unwrap_or_default()
    }

    /// Looks at images that somebody is about to use.
    pub(super) async fn look_at_all(&self, images: Vec<ImageRef>) {
        self.look(images, true, WITHIN).await;
    }

    /// Looks again at what is due.
    pub async fn look_again(&self) -> Answer<()> {
        if !self.checks_signatures() {
            return Ok(());
        }
        let now = self.world.clock.now();
        let due = self.world.signatures.due_signatures(now.plus_ms(-AGAIN_MS), now.plus_ms(-UNKNOWN_AGAIN_MS), MOST);
        self.look(due.await.map_err(store_fault)?, false, ROUND).await;
        Ok(())
    }

    async fn look(&self, images: Vec<ImageRef>, used: bool, within: Duration) {
        let Some(trust) = self.world.registry.trust() else { return };
        let deadline = Instant::now() + within;
        let mut looks = JoinSet::new();
        for image in &images {
            let (services, image) = (self.clone(), image.clone());
            looks.spawn(async move {
                let found = services.look_at(&image).await;
                (image, found)
            });
        }
        let mut waiting = images;
        while let Ok(Some(Ok((image, found)))) = timeout_at(deadline, looks.join_next()).await {
            waiting.retain(|one| *one != image);
            self.keep(&image, found, trust, used).await;
        }
        // They are in use from now on, and looked at in the next round.
        for image in waiting.iter().filter(|_| used) {
            self.keep(image, ImageSignature::default(), trust, used).await;
        }
    }

    /// What can't be kept is not known, and looked at again.
    async fn keep(&self, image: &ImageRef, found: ImageSignature, trust: &str, used: bool) {
        if let Err(error) = self.world.signatures.keep_signature(image, found, trust, used).await {
            tracing::warn!(%error, %image, "who signed an image can't be kept");
        }
    }
}

/// The image of a version, as its row says it is signed.
pub(super) fn signed_image(record: &PlaybookRecord) -> SignedImage {
    SignedImage { image: record.image.clone(), signature: record.signature.clone() }
}
