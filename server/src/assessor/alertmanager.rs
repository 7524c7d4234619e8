//! Alertmanager (API v2, `GET /api/v2/alerts`): which alerts fire. It lists only these, so an alert has cleared when it was seen firing and
//! is there no more; of one that was never seen nothing is known, for a silence is no all-clear.

use super::ask::Ask;
use async_trait::async_trait;
use domain::{
    assessment::{SignalRef, SignalState},
    ports::{Clock, Signals},
    recommendation::ResourceRef,
    time::Timestamp,
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Between two questions, milliseconds.
const FRESH_MS: i64 = 10_000;
/// How long it is remembered that an alert has cleared, milliseconds: longer than it is watched whether it comes back.
const REMEMBERED_MS: i64 = 8 * 24 * 60 * 60 * 1000;
/// Cleared alerts that are remembered.
const MOST: usize = 20_000;

/// An alert that fires, or did.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: HashMap<String, String>,
    #[serde(default)]
    fingerprint: String,
    starts_at: Option<Timestamp>,
}

/// What is known by the last answers.
#[derive(Default)]
struct Known {
    asked_at: Option<Timestamp>,
    /// Why the last question had no answer.
    trouble: Option<String>,
    firing: HashMap<String, Alert>,
    cleared: HashMap<String, (Alert, Timestamp)>,
}

/// Asks one Alertmanager.
pub struct Alertmanager {
    ask: Ask,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

impl Alertmanager {
    pub fn new(ask: Ask, clock: Arc<dyn Clock>) -> Self {
        Self { ask, clock, known: Mutex::default() }
    }

    /// Whether it answers; otherwise why not. It is asked as ever, but for no alert.
    pub async fn answers(&self) -> Result<(), String> {
        let query = [("active", "false"), ("silenced", "false"), ("inhibited", "false"), ("unprocessed", "false")];
        let answer = self.ask.get("/api/v2/alerts", &query).await?;
        if answer.is_array() { Ok(()) } else { Err("its answer is no list of alerts".to_owned()) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Signals for Alertmanager {
    async fn firing(&self, signal: &SignalRef) -> SignalState {
        self.known().state(signal)
    }

    async fn refresh(&self) {
        let now = self.clock.now();
        let fresh = |at: Timestamp| (0..FRESH_MS).contains(&now.since(at));
        if self.known().asked_at.is_some_and(fresh) {
            return;
        }
        // A silenced alert fires all the same.
        let query = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
        let answer = self.ask.get("/api/v2/alerts", &query).await;
        let alerts = answer.and_then(|json| {
            serde_json::from_value(json).map_err(|error| format!("its answer is no list of alerts: {error}"))
        });
        if let Err(error) = &alerts {
            tracing::warn!(error, "Alertmanager does not tell which alerts fire");
        }
        self.known().take(alerts, now);
    }
}

impl Known {
    fn take(&mut self, alerts: Result<Vec<Alert>, String>, now: Timestamp) {
        self.asked_at = Some(now);
        let alerts = match alerts {
            Ok(alerts) => alerts,
            Err(why) => return self.trouble = Some(why),
        };
        self.trouble = None;
        let firing: HashMap<String, Alert> = alerts.into_iter().map(|alert| (alert.key(), alert)).collect();
        for (key, alert) in std::mem::take(&mut self.firing) {
            if !firing.contains_key(&key) {
                self.cleared.insert(key, (alert, now));
            }
        }
        self.cleared.retain(|key, (_, at)| !firing.contains_key(key) && now.since(*at) < REMEMBERED_MS);
        if self.cleared.len() > MOST {
            let mut times: Vec<Timestamp> = self.cleared.values().map(|(_, at)| *at).collect();
            times.sort_unstable();
            let oldest = times[times.len() - MOST];
            self.cleared.retain(|_, (_, at)| *at >= oldest);
        }
        self.firing = firing;
    }

    fn state(&self, signal: &SignalRef) -> SignalState {
        if let Some(why) = &self.trouble {
            return SignalState::Unknown { why: format!("Alertmanager does not tell: {why}") };
        }
        // One that may be the one fires; one that may be the one has not cleared for that.
        if let Some(alert) = self.firing.values().find(|alert| alert.is(signal) != Is::Another) {
            return SignalState::Firing { since: alert.starts_at };
        }
        let cleared = self.cleared.values().filter(|(alert, _)| alert.is(signal) == Is::TheOne).map(|(_, at)| *at);
        match cleared.max() {
            Some(at) => SignalState::Resolved { at: Some(at) },
            None => SignalState::Unknown {
                why: "Alertmanager has not shown this alert since the console looks: whether it cleared is not known"
                    .into(),
            },
        }
    }
}

/// Whether an alert is a signal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    TheOne,
    /// Its labels do not say what it is about.
    Perhaps,
    Another,
}

impl Alert {
    fn key(&self) -> String {
        if !self.fingerprint.is_empty() {
            return self.fingerprint.clone();
        }
        let mut labels: Vec<_> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        labels.sort_unstable();
        labels.join(",")
    }

    fn is(&self, signal: &SignalRef) -> Is {
        if signal.fingerprint.as_ref().is_some_and(|own| !own.is_empty() && *own == self.fingerprint) {
            return Is::TheOne;
        }
        if self.labels.get("alertname") != Some(&signal.signal_type) {
            return Is::Another;
        }
        signal.resource.as_ref().map_or(Is::Perhaps, |resource| self.is_about(resource))
    }

    fn is_about(&self, resource: &ResourceRef) -> Is {
        let label = |name: &str| self.labels.get(name).map(String::as_str);
        if let (Some(own), Some(wanted)) = (label("namespace"), resource.namespace.as_deref())
            && own != wanted
        {
            return Is::Another;
        }
        let told = |same: bool| if same { Is::TheOne } else { Is::Another };
        let kind = resource.kind.to_lowercase();
        if let Some(named) = label(&kind) {
            return told(named == resource.name);
        }
        match (kind.as_str(), label("pod")) {
            // Pods of a workload are named after it, and of another that is named alike, too.
            ("deployment" | "statefulset" | "daemonset" | "replicaset", Some(pod)) => {
                let of = pod.strip_prefix(&resource.name).is_some_and(|rest| rest.starts_with('-'));
                if of { Is::Perhaps } else { Is::Another }
            }
            _ => Is::Perhaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Outbound;
    use axum::{
        Json, Router,
        extract::State,
        http::StatusCode,
        response::{IntoResponse as _, Response},
        routing::get,
    };
    use std::sync::atomic::{AtomicI64, Ordering};

    fn alert(fingerprint: &str, labels: &[(&str, &str)]) -> Alert {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Alert { labels, fingerprint: fingerprint.into(), starts_at: Some(Timestamp::from_millis(5)) }
    }

    fn signal(fingerprint: Option<&str>) -> SignalRef {
        SignalRef {
            incident: "i".into(),
            fingerprint: fingerprint.map(str::to_owned),
            signal_type: "HighMemory".into(),
            resource: Some(ResourceRef {
                kind: "Deployment".into(),
                namespace: Some("shop".into()),
                name: "cart".into(),
            }),
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn an_alert_that_was_seen_and_is_gone_has_cleared() {
        let mut known = Known::default();
        let one = alert("f1", &[("alertname", "HighMemory"), ("namespace", "shop"), ("deployment", "cart")]);
        assert!(matches!(known.state(&signal(None)), SignalState::Unknown { .. }), "never seen");
        known.take(Ok(vec![one.clone()]), at(10));
        assert_eq!(known.state(&signal(None)), SignalState::Firing { since: Some(at(5)) });
        known.take(Ok(vec![]), at(20));
        known.take(Ok(vec![]), at(30));
        assert_eq!(known.state(&signal(None)), SignalState::Resolved { at: Some(at(20)) });
        known.take(Err("away".into()), at(40));
        assert!(matches!(known.state(&signal(None)), SignalState::Unknown { .. }), "nobody can tell");
        known.take(Ok(vec![one]), at(50));
        assert_eq!(known.state(&signal(None)), SignalState::Firing { since: Some(at(5)) }, "it came back");
        known.take(Ok(vec![]), at(60));
        known.take(Ok(vec![]), at(61 + REMEMBERED_MS));
        assert!(matches!(known.state(&signal(None)), SignalState::Unknown { .. }), "too long ago");
    }

    #[test]
    fn what_may_be_the_one_fires_and_has_not_cleared_for_that() {
        let is = |labels: &[(&str, &str)]| alert("f1", labels).is(&signal(Some("another")));
        let named = ("alertname", "HighMemory");
        assert_eq!(is(&[named, ("namespace", "shop"), ("deployment", "cart")]), Is::TheOne);
        assert_eq!(is(&[named, ("namespace", "shop"), ("deployment", "checkout")]), Is::Another);
        assert_eq!(is(&[named, ("namespace", "bank"), ("deployment", "cart")]), Is::Another);
        assert_eq!(is(&[named, ("namespace", "shop"), ("pod", "cart-7f9-x")]), Is::Perhaps);
        assert_eq!(is(&[named, ("namespace", "shop"), ("pod", "web-7f9-x")]), Is::Another);
        assert_eq!(is(&[named, ("namespace", "shop")]), Is::Perhaps);
        assert_eq!(is(&[("alertname", "LowDisk"), ("deployment", "cart")]), Is::Another);
        assert_eq!(alert("f1", &[]).is(&signal(Some("f1"))), Is::TheOne);
        let mut known = Known::default();
        known.take(Ok(vec![alert("f9", &[named, ("namespace", "shop")])]), at(1));
        assert!(matches!(known.state(&signal(None)), SignalState::Firing { .. }));
        known.take(Ok(vec![]), at(2));
        assert!(matches!(known.state(&signal(None)), SignalState::Unknown { .. }));
    }

    #[test]
    fn alerts_are_read_as_alertmanager_writes_them() {
        let json = serde_json::json!([{
            "annotations": {}, "endsAt": "2026-11-28T10:05:00.000Z", "fingerprint": "6f2a", "receivers": [{"name": "x"}],
            "startsAt": "2026-11-28T10:00:00.000Z", "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
            "updatedAt": "2026-11-28T10:01:00.000Z", "generatorURL": "http://p/graph", "labels": {"alertname": "HighMemory"},
        }]);
        let read: Vec<Alert> = serde_json::from_value(json).unwrap();
        assert_eq!(
            (read[0].fingerprint.as_str(), read[0].starts_at),
            ("6f2a", Timestamp::parse("2026-11-28T10:00:00Z").ok())
        );
    }

    /// A clock that is set by hand.
    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            at(self.0.load(Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn over_http_an_alert_fires_clears_and_is_not_known_while_nobody_answers() {
        type Said = Arc<Mutex<Option<serde_json::Value>>>;
        async fn alerts(State(said): State<Said>) -> Response {
            match said.lock().unwrap().clone() {
                Some(list) => Json(list).into_response(),
                None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        }
        let said: Said = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/api/v2/alerts", get(alerts)).with_state(said.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let clock = Arc::new(Hands(AtomicI64::new(0)));
        let asked = Alertmanager::new(Ask::new(Outbound::new(None, true).unwrap(), url, None), clock.clone());
        let look = async |now: i64, list: Option<serde_json::Value>| {
            *said.lock().unwrap() = list;
            clock.0.store(now, Ordering::SeqCst);
            asked.refresh().await;
            asked.firing(&signal(Some("6f2a"))).await
        };
        let firing = serde_json::json!([{
            "labels": { "alertname": "HighMemory", "namespace": "shop" }, "fingerprint": "6f2a",
            "startsAt": "1970-01-01T00:00:05.000Z", "status": { "state": "suppressed" },
        }]);
        let fires = SignalState::Firing { since: Some(at(5000)) };
        assert_eq!(look(20_000, Some(firing.clone())).await, fires, "silenced, but firing");
        assert_eq!(look(21_000, Some(serde_json::json!([]))).await, fires, "asked a moment ago");
        assert_eq!(look(40_000, Some(serde_json::json!([]))).await, SignalState::Resolved { at: Some(at(40_000)) });
        let SignalState::Unknown { why } = look(60_000, None).await else { panic!("nobody can tell") };
        assert!(why.contains("503"), "{why}");
        assert_eq!(look(80_000, Some(firing)).await, fires, "it came back");
        // A clock that was set back stops nobody from asking.
        assert!(matches!(look(1, Some(serde_json::json!([]))).await, SignalState::Resolved { .. }));
    }
}
