//! Looks, some time after a run has ended, whether it helped, and for a week after whether its signal came back. Of several consoles the
//! one that acts does it; were two to do it, the store keeps what the first found. What is seen is judged by `domain::assessment`.

mod alertmanager;
mod ask;
mod prometheus;
mod scene;
mod told;

pub use alertmanager::Alertmanager;
pub use prometheus::Prometheus;
pub use scene::SandboxSignals;
pub use told::ToldSignals;

use crate::{
    config::{AssessConfig, millis},
    outbound::Outbound,
};
use ask::Ask;
use async_trait::async_trait;
use domain::{
    assessment::{
        SignalRef, SignalState,
        judge::{Facts, MetricSeen, judge},
        recurrence,
    },
    execution::Execution,
    ids::ExecutionId,
    ports::{AssessmentStore, Clock, Cluster, RecommendationStore, Signals, StoreError, Watched, WatchedAgain},
    time::Timestamp,
};
use sandbox::Sandbox;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Between two looks for runs whose time has come.
const EVERY: Duration = Duration::from_secs(5);
/// Between two looks at signals that may come back.
const WATCH_EVERY: Duration = Duration::from_secs(30);
/// Runs that are looked at in one round.
const AT_ONCE: u32 = 20;
/// Signals that are watched; of more the next to be counted.
const WATCHED: u32 = 2000;

/// What the assessor needs of the world.
pub struct Assessor {
    /// What is kept.
    pub assessments: Arc<dyn AssessmentStore>,
    /// Incidents, for their fingerprints.
    pub recommendations: Arc<dyn RecommendationStore>,
    /// The cluster, once it is there.
    pub cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
    /// Where signals are asked.
    pub signals: Arc<dyn Signals>,
    /// Where numbers are asked.
    pub prometheus: Option<Prometheus>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The cluster's name.
    pub name: String,
    /// How long after a run's end it is looked at, milliseconds.
    pub settle_ms: i64,
    known: HashMap<ExecutionId, SignalRef>,
}

/// Sources of signals and numbers, as they are set.
pub struct Sources {
    /// Signals.
    pub signals: Vec<Arc<dyn Signals>>,
    /// Numbers.
    pub prometheus: Option<Prometheus>,
}

impl Sources {
    /// What the console was told, and by these settings whom it asks; in the sandbox its own alerts. What can't be used is said in a
    /// sentence.
    pub fn new(
        config: &AssessConfig,
        told: ToldSignals,
        sandbox: Option<&Arc<Sandbox>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mut signals: Vec<Arc<dyn Signals>> = Vec::new();
        if let Some(sandbox) = sandbox {
            signals.push(Arc::new(SandboxSignals(sandbox.clone())));
        }
        let told = Arc::new(told);
        if config.alertmanager.is_none() && config.prometheus.is_none() {
            signals.push(told);
            return Ok(Self { signals, prometheus: None });
        }
        let Neighbours { alertmanager, prometheus } = Neighbours::new(config, clock)?;
        if let Some(alertmanager) = alertmanager {
            signals.push(Arc::new(alertmanager));
        }
        signals.push(told);
        Ok(Self { signals, prometheus })
    }
}

/// Whom the settings name.
pub struct Neighbours {
    /// Who is asked which alerts fire.
    pub alertmanager: Option<Alertmanager>,
    /// Who is asked for numbers.
    pub prometheus: Option<Prometheus>,
}

impl Neighbours {
    /// By these settings. What can't be used is said in a sentence.
    pub fn new(config: &AssessConfig, clock: Arc<dyn Clock>) -> Result<Self, String> {
        // Whoever sets these addresses is believed; they are private ones as a rule.
        let http = Outbound::believing("monitoring-ca-file", config.ca_file.as_deref(), true)?;
        let ask = |url: &String| Ask::new(http.clone(), url.clone(), config.token_file.clone());
        Ok(Self {
            alertmanager: config.alertmanager.as_ref().map(|url| Alertmanager::new(ask(url), clock)),
            prometheus: config.prometheus.as_ref().map(|url| Prometheus::new(ask(url), config.queries.clone())),
        })
    }
}

/// Several sources as one.
pub struct Several(pub Vec<Arc<dyn Signals>>);

#[async_trait]
impl Signals for Several {
    async fn firing(&self, signal: &SignalRef) -> SignalState {
        let mut state =
            SignalState::Unknown { why: "no source of signals is set: --alertmanager-url names one".to_owned() };
        for (place, source) in self.0.iter().enumerate() {
            let told = source.firing(signal).await;
            state = if place == 0 { told } else { state.or(told) };
        }
        state
    }

    async fn refresh(&self) {
        for source in &self.0 {
            source.refresh().await;
        }
    }
}

impl Assessor {
    /// Over this world.
    pub fn new(
        assessments: Arc<dyn AssessmentStore>,
        recommendations: Arc<dyn RecommendationStore>,
        cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
        sources: Sources,
        clock: Arc<dyn Clock>,
        name: String,
        config: &AssessConfig,
    ) -> Self {
        Self {
            assessments,
            recommendations,
            cluster,
            signals: Arc::new(Several(sources.signals)),
            prometheus: sources.prometheus,
            clock,
            name,
            settle_ms: millis(config.after),
            known: HashMap::new(),
        }
    }

    /// Looks for ever. Nothing that goes wrong here ends the console: it is logged, and tried again at the next look.
    pub async fn run(mut self) {
        let mut watch_at = Instant::now();
        loop {
            sleep(EVERY).await;
            if self.cluster.get().is_none_or(|cluster| cluster.health().acting.is_some()) {
                continue;
            }
            self.signals.refresh().await;
            if let Err(error) = self.assess().await {
                tracing::warn!(%error, "it can't be looked whether runs helped");
            }
            if Instant::now() >= watch_at {
                watch_at = Instant::now() + WATCH_EVERY;
                if let Err(error) = self.watch().await {
                    tracing::warn!(%error, "it can't be looked whether signals came back");
                }
            }
        }
    }

    /// Judges the runs whose time has come.
    async fn assess(&mut self) -> Result<(), StoreError> {
        for run in self.assessments.unassessed(&self.name, self.settle_ms, AT_ONCE).await? {
            let Some(facts) = self.facts(&run).await? else { continue };
            let judged = judge(&facts, self.clock.now());
            if self.assessments.assess(&run.subject.id, &judged).await? {
                tracing::info!(run = run.subject.name, verdict = %judged.verdict, "it was looked whether a run helped");
            }
        }
        Ok(())
    }

    /// What is seen of a run; none of one that has not begun or not ended.
    async fn facts(&mut self, run: &Execution) -> Result<Option<Facts>, StoreError> {
        let (Some(started_at), Some(finished_at)) = (run.started_at, run.finished_at) else { return Ok(None) };
        let signal = self.signal(run).await?;
        // What ended shortly before may still have its effect, and what began since has its own.
        let others = self.assessments.beside(&run.subject.id, started_at.plus_ms(-self.settle_ms)).await?;
        let target = match (run.subject.target(), self.cluster.get()) {
            (Some(target), Some(cluster)) => Some(cluster.health_since(target, finished_at).await),
            _ => None,
        };
        Ok(Some(Facts {
            state: run.state,
            started_at,
            finished_at,
            signal: self.signals.firing(&signal).await,
            target,
            metric: self.metric(run, started_at).await,
            others,
        }))
    }

    async fn metric(&self, run: &Execution, started_at: Timestamp) -> Option<MetricSeen> {
        self.prometheus.as_ref()?.moved(&run.subject.signal_type, run.subject.target(), started_at).await
    }

    /// Looks at signals that may come back, and counts what is over.
    async fn watch(&mut self) -> Result<(), StoreError> {
        let watched = self.assessments.watched(&self.name, WATCHED).await?;
        let ids: HashSet<&ExecutionId> = watched.iter().map(|one| &one.run.subject.id).collect();
        self.known.retain(|id, _| ids.contains(id));
        let now = self.clock.now();
        for one in &watched {
            let Watched { run, record, counted } = one;
            let Some(cleared_at) = record.cleared_at else { continue };
            let recurred_at = match record.recurred_at {
                Some(_) => None,
                None => self.back(run, cleared_at, now).await?,
            };
            let due = recurrence::next(cleared_at, *counted as usize).is_some_and(|at| now >= at);
            if due || recurred_at.is_some() {
                self.assessments.watched_again(&run.subject.id, WatchedAgain { recurred_at }).await?;
            }
        }
        Ok(())
    }

    /// When the signal of this run came back; none where it has not.
    async fn back(
        &mut self,
        run: &Execution,
        cleared_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let signal = self.signal(run).await?;
        Ok(match self.signals.firing(&signal).await {
            SignalState::Firing { since } => Some(since.filter(|at| *at > cleared_at).unwrap_or(now)),
            SignalState::Resolved { .. } | SignalState::Unknown { .. } => None,
        })
    }

    async fn signal(&mut self, run: &Execution) -> Result<SignalRef, StoreError> {
        let subject = &run.subject;
        if let Some(known) = self.known.get(&subject.id) {
            return Ok(known.clone());
        }
        let recommendation = self.recommendations.get(&subject.recommendation_id).await?;
        let signal = SignalRef {
            incident: subject.incident_id.clone(),
            fingerprint: recommendation.and_then(|one| one.content.incident.fingerprint),
            signal_type: subject.signal_type.clone(),
            resource: subject.resource.clone().or_else(|| subject.acts_on.clone()),
        };
        self.known.insert(subject.id.clone(), signal.clone());
        Ok(signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(SignalState);

    #[async_trait]
    impl Signals for Says {
        async fn firing(&self, _: &SignalRef) -> SignalState {
            self.0.clone()
        }
    }

    #[tokio::test]
    async fn several_sources_are_one_and_none_knows_nothing() {
        let signal = SignalRef { incident: "i".into(), fingerprint: None, signal_type: "s".into(), resource: None };
        let none = Several(vec![]).firing(&signal).await;
        assert!(matches!(&none, SignalState::Unknown { why } if why.contains("--alertmanager-url")), "{none:?}");
        let firing = SignalState::Firing { since: None };
        let resolved = SignalState::Resolved { at: None };
        let both = Several(vec![Arc::new(Says(resolved)), Arc::new(Says(firing.clone()))]);
        assert_eq!(both.firing(&signal).await, firing);
    }
}
