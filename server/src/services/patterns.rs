//! What many runs show together: told to whoever asks, and opened as findings by the console that acts. A finding counts again only
//! when another run shows its pattern (`domain::assessment::pattern`), so that nobody is told the same at every look.

use super::{Services, store_fault};
use domain::{
    assessment::pattern::{self, Pattern},
    effectiveness::DAY_MS,
    services::{Answer, FindingService as _},
};
use std::time::Duration;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(10);
/// How far back it looks.
const DAYS: u32 = 90;
/// Runs that patterns are looked for in, the newest.
const PAST: u32 = 5000;

impl Services {
    /// Looks again and again, for ever.
    pub async fn keep_noticing_patterns(self) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = self.notice_patterns().await {
                tracing::warn!(%error, "patterns in what ran could not be looked for; it is tried again");
            }
        }
    }

    /// Opens a finding for each pattern of this console's cluster that people have not been told of; of several consoles the one that
    /// acts does.
    async fn notice_patterns(&self) -> Answer<()> {
        if self.acts_elsewhere() {
            return Ok(());
        }
        let now = self.world.clock.now();
        for found in self.patterns_of(DAYS).await? {
            if found.cluster != self.world.settings.cluster {
                continue;
            }
            let noticed = found.noticed();
            let card = self.world.findings.card_of(&noticed).await.map_err(store_fault)?;
            if found.is_news(card.as_ref(), now) {
                let finding = self.open_finding(noticed).await?;
                tracing::info!(%finding, kind = found.kind.name(), subject = found.subject, "a pattern was noticed");
            }
        }
        Ok(())
    }

    /// What the runs of the last so many days show.
    pub(super) async fn patterns_of(&self, days: u32) -> Answer<Vec<Pattern>> {
        let now = self.world.clock.now();
        let since = now.plus_ms(-i64::from(days) * DAY_MS);
        let past = self.world.assessments.past(since, PAST).await.map_err(store_fault)?;
        Ok(pattern::find(&past, now))
    }
}
