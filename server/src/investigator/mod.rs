//! Has incidents investigated by HolmesGPT. Of several consoles the one that acts does it; were two to do it, the store keeps what is one's
//! from the other, and how much is asked in all. One attempt stands in `attempt`, the questions in `talk`, the calls in `holmes`.

mod attempt;
mod holmes;
mod talk;

pub use holmes::Holmes;

use crate::{
    config::{HolmesConfig, millis},
    edge::UuidIds,
    services::Services,
};
use domain::{
    investigation::Investigation,
    ports::{
        BegunInvestigation, Claim, Cluster, Ids as _, InvestigationLimits, InvestigationStore, RecommendationStore,
        SignalStore, StoreError,
    },
    recommendation::Severity,
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::Store;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked for incidents that nobody has to ask for, and counted what waits.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// The pause when the store has failed, or as much was asked within an hour as may be.
const PATIENCE: Duration = Duration::from_secs(5);

/// Has incidents investigated.
pub struct Investigator {
    services: Services,
    investigations: Arc<dyn InvestigationStore>,
    signals: Arc<dyn SignalStore>,
    recommendations: Arc<dyn RecommendationStore>,
    cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
    holmes: Holmes,
    /// The cluster's name.
    name: String,
    automatic: Vec<Severity>,
    mcp: bool,
    timeout: Duration,
    limits: InvestigationLimits,
}

impl Investigator {
    /// As the settings have it.
    ///
    /// # Errors
    /// When its certificates can't be used; the message says what to do.
    pub fn new(
        config: &HolmesConfig,
        services: Services,
        store: &Arc<Store>,
        cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
        name: String,
    ) -> Result<Self, String> {
        Ok(Self {
            services,
            investigations: store.clone(),
            signals: store.clone(),
            recommendations: store.clone(),
            cluster,
            holmes: Holmes::new(config)?,
            name,
            automatic: config.automatic.clone(),
            mcp: config.mcp,
            timeout: config.timeout,
            limits: config.limits,
        })
    }

    /// Investigates until `stop`. Nothing that goes wrong here ends the console: it is logged, and tried again at the next look.
    pub async fn run(self, stop: CancellationToken) {
        let this = Arc::new(self);
        let mut running = JoinSet::new();
        let mut ask_at = Instant::now();
        while !stop.is_cancelled() {
            while let Some(ended) = running.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!(%error, "an investigation broke off");
                }
            }
            let pause = match this.look(&mut ask_at).await {
                Ok(Some((asked, claim))) => {
                    running.spawn(this.clone().attempt(asked, claim, stop.clone()));
                    continue;
                }
                Ok(None) => LOOK_EVERY,
                Err(pause) => pause,
            };
            stop.run_until_cancelled(sleep(pause)).await;
        }
        // Each hears of it by itself, and gives back what it had.
        while running.join_next().await.is_some() {}
    }

    /// What is to be investigated now; or how long there is nothing.
    async fn look(&self, ask_at: &mut Instant) -> Result<Option<(Investigation, Claim)>, Duration> {
        if !self.cluster.get().is_some_and(|cluster| cluster.acts()) {
            return Ok(None);
        }
        if Instant::now() >= *ask_at {
            *ask_at = Instant::now() + ASK_EVERY;
            if let Err(error) = self.ask().await {
                tracing::warn!(%error, "incidents that are to be investigated can't be looked for");
                return Err(PATIENCE);
            }
        }
        loop {
            match self.investigations.begin(&self.name, &UuidIds.fresh(), self.limits).await {
                Ok(BegunInvestigation::Attempt(asked, claim)) => {
                    metrics::gauge!("kubernaut_investigations_bounded").set(0.0);
                    return Ok(Some((*asked, claim)));
                }
                Ok(BegunInvestigation::Settled) => {}
                Ok(BegunInvestigation::Nothing) => {
                    metrics::gauge!("kubernaut_investigations_bounded").set(0.0);
                    return Ok(None);
                }
                Ok(BegunInvestigation::Bounded) => {
                    metrics::gauge!("kubernaut_investigations_bounded").set(1.0);
                    return Err(PATIENCE);
                }
                Err(error) => {
                    tracing::warn!(%error, "investigations can't be taken up");
                    return Err(PATIENCE);
                }
            }
        }
    }

    /// Asks where nobody has to, and counts what waits.
    async fn ask(&self) -> Result<(), StoreError> {
        let queued = self.services.investigate_by_itself(&self.automatic).await?;
        if queued > 0 {
            tracing::info!(queued, "incidents are investigated because of how bad they are");
        }
        let counts = self.investigations.investigation_counts(&self.name).await?;
        for (state, many) in [("queued", counts.queued), ("running", counts.running)] {
            metrics::gauge!("kubernaut_investigations", "state" => state).set(f64::from(many));
        }
        Ok(())
    }

    fn timeout_in_words(&self) -> String {
        domain::time::human(millis(self.timeout))
    }
}
