//! One alert for each workload: it fires when a pod is killed for its memory, and clears when all have been well for a
//! while. It knows no store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Whether an alert is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    Firing,
    Resolved,
}

/// The alert of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// `OOMKilled`.
    pub signal_type: &'static str,
    pub namespace: String,
    /// `Deployment` or `StatefulSet`.
    pub kind: String,
    pub name: String,
    pub state: AlertState,
    /// When the state was entered, unix milliseconds.
    pub since_ms: i64,
    /// Kills counted on the pods that are there now.
    pub kills: u64,
    /// For people.
    pub summary: String,
}

/// All alerts; those that never fired are not among them.
pub(crate) struct Alerts {
    by_workload: Mutex<BTreeMap<(String, String, String), Alert>>,
    changed: watch::Sender<u64>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { by_workload: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Alerts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String, String), Alert>> {
        self.by_workload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn list(&self) -> Vec<Alert> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Takes note of how a workload is: `ill`, well (`Some(false)`), or on its way (`None`).
    pub(crate) fn note(&self, (namespace, kind, name): (&str, &str, &str), ill: Option<bool>, kills: u64, now_ms: i64) {
        let key = (namespace.to_owned(), kind.to_owned(), name.to_owned());
        let mut alerts = self.lock();
        let known = alerts.get(&key).map(|alert| alert.state);
        let state = match (ill, known) {
            (Some(true), _) => AlertState::Firing,
            (Some(false), Some(_)) => AlertState::Resolved,
            (None, Some(state)) => state,
            (_, None) => return,
        };
        let since_ms = alerts.get(&key).filter(|alert| alert.state == state).map_or(now_ms, |alert| alert.since_ms);
        let summary = match state {
            AlertState::Firing => {
                format!("Containers of {kind} {namespace}/{name} are killed for their memory ({kills} times so far)")
            }
            AlertState::Resolved => {
                format!("{kind} {namespace}/{name} has had no container killed for its memory lately")
            }
        };
        let alert = Alert {
            signal_type: "OOMKilled",
            namespace: namespace.into(),
            kind: kind.into(),
            name: name.into(),
            state,
            since_ms,
            kills,
            summary,
        };
        let moved = known != Some(state);
        alerts.insert(key, alert);
        drop(alerts);
        if moved {
            self.changed.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_fires_stays_and_resolves() {
        let alerts = Alerts::default();
        let who = ("production", "Deployment", "my-app");
        alerts.note(who, Some(false), 0, 1);
        assert!(alerts.list().is_empty(), "what was never ill has no alert");
        alerts.note(who, Some(true), 1, 2);
        alerts.note(who, Some(true), 2, 3);
        alerts.note(who, None, 2, 4);
        let firing = alerts.list();
        assert_eq!((firing[0].state, firing[0].since_ms, firing[0].kills), (AlertState::Firing, 2, 2));
        alerts.note(who, Some(false), 0, 5);
        assert_eq!((alerts.list()[0].state, alerts.list()[0].since_ms), (AlertState::Resolved, 5));
    }
}
