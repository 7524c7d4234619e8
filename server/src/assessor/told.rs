//! What the console was told of signals without asking: by Alertmanager's webhook and by Warnings. That somebody closed an incident tells
//! nothing of its signals.

use async_trait::async_trait;
use domain::{
    assessment::{SignalRef, SignalState},
    ids::IncidentId,
    ports::{SignalStore, Signals},
    signal::SignalSource,
    time::Timestamp,
};
use std::sync::Arc;

/// Looks at what was told.
pub struct ToldSignals {
    /// Where it is kept.
    pub signals: Arc<dyn SignalStore>,
    /// The cluster's name.
    pub cluster: String,
}

#[async_trait]
impl Signals for ToldSignals {
    async fn firing(&self, signal: &SignalRef) -> SignalState {
        let newest = match &signal.fingerprint {
            Some(fingerprint) => self.signals.newest(&self.cluster, fingerprint).await,
            None => Ok(None),
        };
        let told = match newest {
            Ok(Some(newest)) => Ok(Some(Told {
                source: newest.source,
                began: newest.starts_at,
                ended: newest.resolved_at,
                closed: newest.closed,
            })),
            // What came for an incident of the console's own names it, if no alert of it.
            Ok(None) => {
                let incident = self.signals.incident(&IncidentId::new(&signal.incident)).await;
                incident.map(|found| {
                    found.map(|found| Told {
                        source: found.source,
                        began: found.started_at,
                        ended: found.resolved_at,
                        closed: found.closed.is_some(),
                    })
                })
            }
            Err(error) => Err(error),
        };
        match told {
            Ok(Some(told)) => state(&told),
            Ok(None) => {
                unknown("nobody told the console of it: let Alertmanager call it, or name one by --alertmanager-url")
            }
            Err(error) => unknown(&error.to_string()),
        }
    }
}

/// What was told of a signal, or of an incident.
struct Told {
    source: SignalSource,
    began: Timestamp,
    ended: Option<Timestamp>,
    /// Somebody closed it by hand.
    closed: bool,
}

/// Kubernetes never says that something is over: what it warned of ends by silence, which is no all-clear. Nor is it that somebody
/// closed the incident.
fn state(told: &Told) -> SignalState {
    match (told.ended, told.source) {
        (None, _) => SignalState::Firing { since: Some(told.began) },
        (Some(_), _) if told.closed => unknown("somebody closed its incident by hand, and nobody said that it is over"),
        (Some(at), SignalSource::Alertmanager) => SignalState::Resolved { at: Some(at) },
        (Some(_), SignalSource::Kubernetes) => {
            unknown("Kubernetes has not warned of it again, and never says that it is over")
        }
    }
}

fn unknown(why: &str) -> SignalState {
    SignalState::Unknown { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_was_told_is_one_and_a_silence_is_none() {
        let at = Timestamp::from_millis;
        let told = |source, ended| state(&Told { source, began: at(1), ended, closed: false });
        for source in [SignalSource::Alertmanager, SignalSource::Kubernetes] {
            assert_eq!(told(source, None), SignalState::Firing { since: Some(at(1)) });
        }
        assert_eq!(told(SignalSource::Alertmanager, Some(at(2))), SignalState::Resolved { at: Some(at(2)) });
        assert!(matches!(told(SignalSource::Kubernetes, Some(at(2))), SignalState::Unknown { .. }));
        let closed = Told { source: SignalSource::Alertmanager, began: at(1), ended: Some(at(2)), closed: true };
        assert!(matches!(state(&closed), SignalState::Unknown { .. }), "who closes an incident clears no alert");
    }
}
