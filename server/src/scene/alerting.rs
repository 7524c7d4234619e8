//! Alertmanager's part in the scene: what the sandbox's alerts do is told in the webhook's own form and by its door, so that an incident
//! is there before anybody investigates it, and closes when its alert clears. All of it is labelled as the sandbox's.

use super::{SceneError, answer, caller, reader, script::Script};
use crate::services::Services;
use domain::{
    identity::{Actor, Caller, Role},
    ids::{ActorId, IncidentId},
    incident::IncidentState,
    paging::Page,
    ports::IncidentFilter,
    services::IncidentService,
    time::Timestamp,
};
use sandbox::{Alert, AlertState};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The label by which the scene's alerts are known, for people and for itself.
const LABEL: (&str, &str) = ("source", "demo scene");

/// What was told of alerts.
pub struct Alerting {
    /// Those that fire, as they were told, by fingerprint.
    firing: BTreeMap<String, Value>,
    /// The incident that the console made of each, by fingerprint.
    incidents: BTreeMap<String, IncidentId>,
}

/// Who tells: a token as an Alertmanager would have.
fn alertmanager() -> Caller {
    caller(Actor::new(ActorId::new("token:demo-alertmanager"), "alertmanager"), Role::Ingest)
}

impl Alerting {
    /// Takes up what was told before the console was started anew: the sandbox begins from its start each time.
    pub async fn new(services: &Services) -> Result<Self, SceneError> {
        let filter = IncidentFilter { state: Some(IncidentState::Firing), ..IncidentFilter::default() };
        let incidents = services.incidents(&reader(), &filter, &Page::first(Page::MAX_LIMIT)).await?;
        let (mut firing, mut known) = (BTreeMap::new(), BTreeMap::new());
        for incident in incidents.items {
            let view = services.incident(&reader(), &incident.id).await?;
            let own = |label: Option<&String>| label.is_some_and(|value| value == LABEL.1);
            for signal in view.signals {
                if signal.resolved_at.is_none() && own(signal.facts.labels.get(LABEL.0)) {
                    let told = json!({
                        "status": "firing", "labels": signal.facts.labels,
                        "annotations": { "summary": signal.facts.summary.unwrap_or_default() },
                        "startsAt": signal.starts_at, "fingerprint": signal.fingerprint,
                    });
                    known.insert(signal.fingerprint.clone(), incident.id.clone());
                    firing.insert(signal.fingerprint, told);
                }
            }
        }
        Ok(Self { firing, incidents: known })
    }

    /// The console's incident of an alert that was told of.
    pub fn incident(&self, alert: &Alert) -> Option<&IncidentId> {
        self.incidents.get(&answer::fingerprint(alert))
    }

    /// Tells of each alert that has begun or cleared since it was last told of.
    pub async fn tell(&mut self, services: &Services, alerts: &[Alert], now: Timestamp) -> Result<(), SceneError> {
        let firing: BTreeMap<String, Value> = alerts
            .iter()
            .filter(|alert| alert.state == AlertState::Firing)
            .filter_map(|alert| Some((answer::fingerprint(alert), begun(Script::of(&alert.name)?, alert))))
            .collect();
        for told in moved(&self.firing, &firing, now) {
            let taken = services.take_alerts(&alertmanager(), &message(&told)).await?;
            if let (Some(fingerprint), Some(incident)) = (told["fingerprint"].as_str(), taken.incidents.first()) {
                self.incidents.insert(fingerprint.to_owned(), incident.clone());
            }
        }
        self.firing = firing;
        Ok(())
    }
}

/// An alert that fires, as Alertmanager tells it.
fn begun(script: &Script, alert: &Alert) -> Value {
    json!({
        "status": "firing",
        "labels": {
            "alertname": "ContainerOOMKilled", "signal_type": alert.signal_type, "severity": script.severity,
            "environment": alert.namespace, "namespace": alert.namespace, alert.kind.to_lowercase(): alert.name,
            LABEL.0: LABEL.1,
        },
        "annotations": { "summary": alert.summary },
        "startsAt": Timestamp::from_millis(alert.since_ms),
        "fingerprint": answer::fingerprint(alert),
    })
}

/// What is to be told: those that begin, and those that are over.
fn moved(known: &BTreeMap<String, Value>, firing: &BTreeMap<String, Value>, now: Timestamp) -> Vec<Value> {
    let begin = firing.iter().filter(|(fingerprint, told)| {
        known.get(*fingerprint).is_none_or(|known| known["startsAt"] != told["startsAt"])
    });
    let over = known.iter().filter(|(fingerprint, _)| !firing.contains_key(*fingerprint)).map(|(_, told)| {
        let mut told = told.clone();
        told["status"] = json!("resolved");
        told["endsAt"] = json!(now);
        told
    });
    begin.map(|(_, told)| told.clone()).chain(over).collect()
}

/// What Alertmanager sends: each alert is a group of its own.
fn message(told: &Value) -> Value {
    json!({
        "version": "4", "receiver": "console", "status": told["status"],
        "groupKey": format!("{{}}:{{fingerprint={}}}", told["fingerprint"]), "alerts": [told],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::script::SCRIPTS;
    use domain::{
        recommendation::Severity,
        signal::{Word, alertmanager, mapping::Mapping},
    };

    fn alert(since_ms: i64) -> Alert {
        Alert {
            signal_type: "OOMKilled",
            namespace: "production".into(),
            kind: "Deployment".into(),
            name: SCRIPTS[0].workload.into(),
            state: AlertState::Firing,
            since_ms,
            kills: 2,
            summary: "my-app was killed for its memory".into(),
        }
    }

    fn firing(since_ms: i64) -> BTreeMap<String, Value> {
        let alert = alert(since_ms);
        BTreeMap::from([(answer::fingerprint(&alert), begun(&SCRIPTS[0], &alert))])
    }

    #[test]
    fn what_is_told_is_of_alertmanagers_form() {
        let told = begun(&SCRIPTS[0], &alert(1000));
        let read = alertmanager::read(&message(&told), &Mapping::default()).unwrap();
        let facts = &read.told[0].facts;
        assert_eq!((facts.signal_type.as_str(), facts.severity), ("OOMKilled", Severity::High));
        let object = facts.resource.as_ref().unwrap();
        assert_eq!((object.kind.as_str(), object.name.as_str()), ("Deployment", "my-app"));
        assert_eq!(
            (facts.environment.as_deref(), read.told[0].starts_at),
            (Some("production"), Timestamp::from_millis(1000))
        );
    }

    #[test]
    fn each_beginning_and_each_end_is_told_once() {
        let now = Timestamp::from_millis(9000);
        let none = BTreeMap::new();
        assert_eq!(moved(&none, &firing(1000), now).len(), 1);
        assert!(moved(&firing(1000), &firing(1000), now).is_empty());
        let again = moved(&firing(1000), &firing(5000), now);
        assert_eq!((again.len(), &again[0]["status"]), (1, &json!("firing")));
        let over = moved(&firing(1000), &none, now);
        let read = alertmanager::read(&message(&over[0]), &Mapping::default()).unwrap();
        assert_eq!((over.len(), read.told[0].word), (1, Word::Resolved { at: now }));
    }
}
