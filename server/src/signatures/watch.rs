//! Looks by the clock at who signed the images in use, so that no page has to ask a registry.

use crate::services::Services;
use std::time::Duration;

/// How often what is due is looked at.
const EVERY: Duration = Duration::from_mins(1);

/// Looks at once, and then by the minute.
pub async fn watch(services: Services) {
    loop {
        if let Err(error) = services.look_again().await {
            tracing::warn!(?error, "who signed the images in use can't be looked at");
        }
        tokio::time::sleep(EVERY).await;
    }
}
