//! What goes on beside the doors.

use crate::doors::{live::Reader, rate::Limits, refusals::Refusals};
use domain::{
    event::Topic,
    ids::RecommendationId,
    ports::{Cluster, RecommendationStore as _, SignalStore as _},
    signal::SignalSource,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio_util::sync::CancellationToken;

/// How often deadlines, retention and limits are looked after.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Does this beside the rest, until `stop`.
pub fn until<F>(stop: &CancellationToken, work: F)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(stop.clone().run_until_cancelled_owned(work));
}

/// What was decided at another console is for whichever acts: it hears of it here.
pub async fn carry_out(mut reader: Reader, cluster: Arc<dyn Cluster>) {
    loop {
        let event = reader.next().await;
        // A run that was approved is told with its recommendation.
        let wanted = event.data["recommendation"].is_string() || event.data["cancel_requested"] == true;
        if event.topic == Topic::Execution && wanted {
            cluster.wake();
        }
        if event.topic == Topic::Recommendation && event.data["state"] != "open" {
            cluster.decided(&RecommendationId::new(&*event.subject));
        }
    }
}

/// After what things are over.
pub struct Times {
    /// Raw history, days.
    pub retention_days: u32,
    /// A signal of Kubernetes that is not told again, milliseconds.
    pub event_quiet_ms: i64,
    /// An alert that Alertmanager does not repeat, milliseconds; never when none.
    pub alert_quiet_ms: Option<i64>,
}

impl Times {
    /// Ends signals that have fallen silent.
    async fn end_quiet(&self, store: &Store) {
        let alerts = self.alert_quiet_ms.map(|quiet_ms| (SignalSource::Alertmanager, quiet_ms));
        let all = [Some((SignalSource::Kubernetes, self.event_quiet_ms)), alerts];
        for (source, quiet_ms) in all.into_iter().flatten() {
            if let Err(error) = store.end_quiet(source, quiet_ms).await {
                tracing::warn!(%error, "signals that are over can't be ended");
            }
        }
    }
}

/// Ends what has run out: recommendations by the second, old history and quiet limiters by the hour and soon after the start. What was
/// measured is summed up now and then, whether or not anybody asks for it.
pub async fn keep_house(
    store: Store,
    times: Times,
    limits: Limits,
    refusals: Refusals,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) {
    let mut seconds: u64 = 0;
    while stop.run_until_cancelled(tokio::time::sleep(HOUSEKEEPING)).await.is_some() {
        if let Err(error) = store.expire_due().await {
            tracing::warn!(%error, "expired recommendations can't be marked");
        }
        seconds += 1;
        if seconds.is_multiple_of(5) {
            metrics.run_upkeep();
            times.end_quiet(&store).await;
        }
        if seconds.is_multiple_of(60) {
            refusals.tell(false).await;
        }
        if seconds % 3600 == 30 {
            limits.sweep();
            if let Err(error) = store.sweep().await {
                tracing::warn!(%error, "ended sessions can't be removed");
            }
            if let Err(error) = store.prune(times.retention_days).await {
                tracing::warn!(%error, "old history can't be removed");
            }
        }
    }
    refusals.tell(true).await;
}
