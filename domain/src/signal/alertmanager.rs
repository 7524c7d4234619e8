//! Reading Alertmanager's webhook, version 4 (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>). It is another
//! project's form, which grows: members that are not needed are not looked at.

use super::{Facts, SignalSource, Told, Word, group, mapping::Mapping};
use crate::{
    fault::{Complaint, Faults, code},
    json::pointer::join,
    reader::{self, ObjectReader},
    text::one_line,
    time::Timestamp,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most alerts in one request; `max_alerts` of the receiver keeps below it.
pub const MAX_ALERTS: usize = 500;
/// The most labels, or annotations, of an alert.
const MAX_LABELS: usize = 128;
/// The longest label or annotation, in characters.
const MAX_VALUE: usize = 8192;
/// The longest summary, in characters.
const SUMMARY: usize = 200;
/// The longest address that is kept.
const LINK: usize = 2048;

/// What a request tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// What it tells of each alert, in its order; without those that are ignored.
    pub told: Vec<Told>,
    /// How many were left out because the mapping ignores them.
    pub ignored: u32,
    /// How many alerts of the group Alertmanager left out (`max_alerts`).
    pub truncated: u32,
}

/// Reads a request; every fault is found in one pass.
pub fn read(body: &Value, mapping: &Mapping) -> Result<Webhook, Faults> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(body, "", &mut faults);
    object.required("version", reader::one_of(&[("4", ())]));
    let key = object.required("groupKey", reader::free_text(1..=65_536));
    let truncated = object.optional("truncatedAlerts", reader::integer(0..=i64::from(u32::MAX)));
    let alerts = object.required("alerts", reader::array(1..=MAX_ALERTS, alert));
    match (key, alerts) {
        (Some(key), Some(alerts)) if faults.is_empty() => {
            let (group, all) = (group(&[key.as_str()]), alerts.len());
            let told: Vec<Told> = alerts
                .into_iter()
                .filter(|alert| !mapping.ignores(&alert.labels))
                .map(|alert| alert.told(&group, mapping))
                .collect();
            let ignored = u32::try_from(all - told.len()).unwrap_or(u32::MAX);
            let truncated = truncated.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            Ok(Webhook { told, ignored, truncated })
        }
        _ => Err(faults),
    }
}

/// An alert of a request.
struct Alert {
    fires: bool,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    link: Option<String>,
    fingerprint: String,
}

fn alert(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Alert> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let fires = object.required("status", reader::one_of(&[("firing", true), ("resolved", false)]));
    let labels = object.required("labels", texts);
    let annotations = object.optional("annotations", texts);
    let starts_at = object.required("startsAt", reader::parsed::<Timestamp>());
    let ends_at = object.optional("endsAt", reader::parsed::<Timestamp>());
    let link = object.optional("generatorURL", reader::free_text(0..=65_536));
    let fingerprint = object.required("fingerprint", reader::line(1..=256));
    Some(Alert {
        fires: fires?,
        labels: labels?,
        annotations: annotations.unwrap_or_default(),
        starts_at: starts_at?,
        ends_at,
        link: link.filter(|link| is_link(link)),
        fingerprint: fingerprint?,
    })
}

/// An object whose members are all texts.
fn texts(value: &Value, pointer: &str, faults: &mut Faults) -> Option<BTreeMap<String, String>> {
    let Some(object) = value.as_object() else {
        return reader::wrong_type(value, pointer, faults, "an object {…}");
    };
    if object.len() > MAX_LABELS {
        let message = format!("send fewer: {} of them, at most {MAX_LABELS}", object.len());
        return reader::refuse(Complaint::new(code::TOO_MANY, message), pointer, faults);
    }
    let mut all = BTreeMap::new();
    for (name, value) in object {
        let at = join(pointer, name);
        if name.contains('\0') || name.chars().count() > MAX_VALUE {
            let complaint = Complaint::new(code::MALFORMED, "shorten the name, and take NUL out of it");
            return reader::refuse(complaint, &at, faults);
        }
        all.insert(name.clone(), reader::free_text(0..=MAX_VALUE)(value, &at, faults)?);
    }
    Some(all)
}

/// Whether a page may lead there.
fn is_link(text: &str) -> bool {
    let web = text.starts_with("http://") || text.starts_with("https://");
    web && text.len() <= LINK && text.chars().all(|c| c.is_ascii_graphic())
}

impl Alert {
    fn told(self, group: &str, mapping: &Mapping) -> Told {
        let said = ["summary", "message", "description"].into_iter().find_map(|name| self.annotations.get(name));
        let summary = said.map(|text| one_line(text, SUMMARY)).filter(|text| !text.is_empty());
        let word = match (self.fires, self.ends_at) {
            (true, _) => Word::Firing { seen_at: None },
            (false, at) => Word::Resolved { at: at.unwrap_or(self.starts_at) },
        };
        let facts = Facts { summary, link: self.link, ..mapping.facts(self.labels) };
        Told {
            source: SignalSource::Alertmanager,
            fingerprint: self.fingerprint,
            group: group.to_owned(),
            starts_at: self.starts_at,
            word,
            facts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendation::Severity;
    use serde_json::json;

    /// As Alertmanager 0.28 sends it.
    fn sent() -> Value {
        json!({
            "receiver": "console", "status": "firing", "version": "4", "truncatedAlerts": 0,
            "groupKey": "{}:{alertname=\"KubePodCrashLooping\", namespace=\"shop\"}",
            "groupLabels": { "alertname": "KubePodCrashLooping" }, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093",
            "alerts": [{
                "status": "firing",
                "labels": { "alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "web-1", "severity": "warning" },
                "annotations": { "summary": "Pod is\ncrash looping.", "description": "more" },
                "startsAt": "2026-11-23T03:00:00.123Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://prometheus:9090/graph?g0.expr=up", "fingerprint": "4ac3b0f5d3a1e6c7"
            }]
        })
    }

    fn faults(body: &Value) -> Vec<(String, String)> {
        let faults = read(body, &Mapping::default()).expect_err("it is refused");
        faults.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    #[test]
    fn what_alertmanager_sends_is_read() {
        let read = read(&sent(), &Mapping::default()).unwrap();
        assert_eq!((read.told.len(), read.ignored, read.truncated), (1, 0, 0));
        let told = &read.told[0];
        assert_eq!((told.fingerprint.as_str(), told.word), ("4ac3b0f5d3a1e6c7", Word::Firing { seen_at: None }));
        assert_eq!(told.starts_at.to_string(), "2026-11-23T03:00:00.123Z");
        let facts = &told.facts;
        assert_eq!((facts.signal_type.as_str(), facts.severity), ("CrashLoopBackOff", Severity::Medium));
        assert_eq!(facts.summary.as_deref(), Some("Pod is crash looping."));
        assert_eq!(facts.link.as_deref(), Some("http://prometheus:9090/graph?g0.expr=up"));
        assert_eq!(facts.resource.as_ref().unwrap().name, "web-1");
    }

    #[test]
    fn an_end_has_its_time() {
        let mut body = sent();
        body["alerts"][0]["status"] = json!("resolved");
        body["alerts"][0]["endsAt"] = json!("2026-11-23T04:00:00+00:00");
        let told = read(&body, &Mapping::default()).unwrap().told;
        assert_eq!(told[0].word, Word::Resolved { at: Timestamp::parse("2026-11-23T04:00:00Z").unwrap() });
    }

    #[test]
    fn what_later_versions_add_is_no_fault_and_another_version_is() {
        let mut body = sent();
        body["notificationReason"] = json!("repeat");
        body["alerts"][0]["more"] = json!([1]);
        assert!(read(&body, &Mapping::default()).is_ok());
        body["version"] = json!("5");
        assert_eq!(faults(&body), [("/version".into(), "not_allowed".into())]);
    }

    #[test]
    fn every_fault_is_told_at_its_place() {
        let mut body = sent();
        body["alerts"][0]["status"] = json!("pending");
        body["alerts"][0]["labels"]["pod"] = json!(7);
        body["alerts"][0]["startsAt"] = json!("yesterday");
        body["alerts"][0].as_object_mut().unwrap().remove("fingerprint");
        let found = faults(&body);
        let places: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        let expected = ["/alerts/0/status", "/alerts/0/labels/pod", "/alerts/0/startsAt", "/alerts/0/fingerprint"];
        assert_eq!(places, expected);
        assert_eq!(faults(&json!([])), [("".into(), "wrong_type".into())]);
        body["alerts"] = json!([]);
        assert_eq!(faults(&body), [("/alerts".into(), "too_few".into())]);
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let mut body = sent();
        let one = body["alerts"][0].clone();
        body["alerts"] = Value::Array(vec![one; MAX_ALERTS + 1]);
        assert_eq!(faults(&body), [("/alerts".into(), "too_many".into())]);
        let mut body = sent();
        for n in 0..=MAX_LABELS {
            body["alerts"][0]["labels"][format!("l{n}")] = json!("x");
        }
        assert_eq!(faults(&body), [("/alerts/0/labels".into(), "too_many".into())]);
        let mut body = sent();
        body["alerts"][0]["labels"]["pod"] = json!("a\0b");
        assert_eq!(faults(&body), [("/alerts/0/labels/pod".into(), "control_character".into())]);
    }

    #[test]
    fn the_alert_that_always_fires_is_left_out_and_a_link_is_one_of_the_web() {
        let mut body = sent();
        let mut watchdog = body["alerts"][0].clone();
        watchdog["labels"] = json!({ "alertname": "Watchdog", "severity": "none" });
        body["alerts"].as_array_mut().unwrap().push(watchdog);
        body["alerts"][0]["generatorURL"] = json!("javascript:alert(1)");
        let read = read(&body, &Mapping::default()).unwrap();
        assert_eq!((read.told.len(), read.ignored), (1, 1));
        assert_eq!(read.told[0].facts.link, None);
    }
}
