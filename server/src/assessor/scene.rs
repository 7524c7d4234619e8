//! The sandbox's own alerts.

use async_trait::async_trait;
use domain::{
    assessment::{SignalRef, SignalState},
    ports::Signals,
    time::Timestamp,
};
use sandbox::{Alert, AlertState, Sandbox};
use std::sync::Arc;

/// Asks the sandbox.
pub struct SandboxSignals(pub Arc<Sandbox>);

#[async_trait]
impl Signals for SandboxSignals {
    async fn firing(&self, signal: &SignalRef) -> SignalState {
        state(&self.0.alerts(), signal)
    }
}

fn state(alerts: &[Alert], signal: &SignalRef) -> SignalState {
    let is = |alert: &&Alert| {
        signal.resource.as_ref().is_some_and(|resource| {
            alert.signal_type == signal.signal_type
                && alert.kind == resource.kind
                && alert.name == resource.name
                && Some(alert.namespace.as_str()) == resource.namespace.as_deref()
        })
    };
    let since = |alert: &Alert| Some(Timestamp::from_millis(alert.since_ms));
    match alerts.iter().find(is) {
        Some(alert) if alert.state == AlertState::Firing => SignalState::Firing { since: since(alert) },
        Some(alert) => SignalState::Resolved { at: since(alert) },
        None => SignalState::Unknown { why: "the sandbox has had no such alert".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recommendation::ResourceRef;

    #[test]
    fn an_alert_is_found_by_what_it_is_about() {
        let alert = |state| Alert {
            signal_type: "OOMKilled",
            namespace: "production".into(),
            kind: "Deployment".into(),
            name: "my-app".into(),
            state,
            since_ms: 7,
            kills: 1,
            summary: String::new(),
        };
        let signal = |name: &str| SignalRef {
            incident: "i".into(),
            fingerprint: None,
            signal_type: "OOMKilled".into(),
            resource: Some(ResourceRef {
                kind: "Deployment".into(),
                namespace: Some("production".into()),
                name: name.into(),
            }),
        };
        let at = Some(Timestamp::from_millis(7));
        let firing = [alert(AlertState::Firing)];
        assert_eq!(state(&firing, &signal("my-app")), SignalState::Firing { since: at });
        assert_eq!(state(&[alert(AlertState::Resolved)], &signal("my-app")), SignalState::Resolved { at });
        assert!(matches!(state(&firing, &signal("another")), SignalState::Unknown { .. }));
    }
}
