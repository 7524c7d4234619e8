//! Events of Kubernetes, as far as they are read. They count in two ways: by `count` between `firstTimestamp` and `lastTimestamp`,
//! or by a `series` that goes on since `eventTime`.

use super::{Warned, wire::without_managers};
use domain::{time::Timestamp, warning::Warning};
use k8s_openapi::{
    NamespaceResourceScope, Resource as _, api::core::v1::Event, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::Resource;
use serde::Deserialize;
use std::borrow::Cow;

/// An Event as it is watched. Its times are texts: whoever wrote it may have written any.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventObject {
    #[serde(deserialize_with = "without_managers")]
    metadata: ObjectMeta,
    #[serde(default)]
    involved_object: About,
    reason: Option<String>,
    message: Option<String>,
    count: Option<i64>,
    first_timestamp: Option<String>,
    last_timestamp: Option<String>,
    event_time: Option<String>,
    series: Option<Series>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct About {
    kind: Option<String>,
    name: Option<String>,
    uid: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    count: Option<i64>,
    last_observed_time: Option<String>,
}

impl Resource for EventObject {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        Event::KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        Event::GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        Event::VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        Event::URL_PATH_SEGMENT.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl From<EventObject> for Warned {
    fn from(event: EventObject) -> Self {
        let about = event.involved_object;
        let (series_count, last_observed) = event.series.map(|s| (s.count, s.last_observed_time)).unwrap_or_default();
        let times = [event.first_timestamp, event.last_timestamp, event.event_time, last_observed];
        let told: Vec<Timestamp> =
            times.into_iter().flatten().filter_map(|text| Timestamp::parse(&text).ok()).collect();
        // Every object has this; some Events have no other.
        let created = event.metadata.creation_timestamp.map(|time| Timestamp::from_millis(time.0.as_millisecond()));
        let created = created.unwrap_or_default();
        let count = [series_count, event.count].into_iter().flatten().max().unwrap_or(1);
        let warning = Warning {
            kind: about.kind.unwrap_or_default(),
            object: about.name.unwrap_or_default(),
            task: None,
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            count: u32::try_from(count).unwrap_or(1).max(1),
            first_at: told.iter().min().copied().unwrap_or(created),
            last_at: told.into_iter().max().unwrap_or(created),
        };
        Self { uid: about.uid.unwrap_or_default(), warning: warning.safe() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(times: &Value) -> Warning {
        let mut event = json!({
            "metadata": {"name": "e", "creationTimestamp": "2026-11-23T05:00:00Z"}, "type": "Warning",
            "involvedObject": {"kind": "Pod", "name": "p", "uid": "u"}, "reason": "FailedMount", "message": "one\ntwo\u{202e}",
        });
        for (field, value) in times.as_object().unwrap() {
            event[field] = value.clone();
        }
        let told = Warned::from(serde_json::from_value::<EventObject>(event).unwrap());
        assert_eq!((told.uid.as_str(), told.warning.kind.as_str(), told.warning.object.as_str()), ("u", "Pod", "p"));
        assert_eq!(told.warning.message, "one two");
        told.warning
    }

    #[test]
    fn both_forms_of_an_event_are_read() {
        let at = |text: &str| Timestamp::parse(&format!("2026-11-23T05:{text}Z")).unwrap();
        let of = |times: Value| {
            let read = read(&times);
            (read.count, read.first_at, read.last_at)
        };
        let counted = json!({"count": 3, "firstTimestamp": "2026-11-23T05:01:00Z", "lastTimestamp": "2026-11-23T05:02:00Z", "eventTime": null});
        assert_eq!(of(counted), (3, at("01:00"), at("02:00")));
        let once = json!({"eventTime": "2026-11-23T05:01:00.250000Z", "firstTimestamp": null, "lastTimestamp": null});
        assert_eq!(of(once), (1, at("01:00.250"), at("01:00.250")));
        let series = json!({
            "eventTime": "2026-11-23T05:01:00.250000Z",
            "series": {"count": 7, "lastObservedTime": "2026-11-23T05:09:00.500000Z"},
        });
        assert_eq!(of(series), (7, at("01:00.250"), at("09:00.500")));
        assert_eq!(of(json!({"count": 0})), (1, at("00:00"), at("00:00")));
        let nonsense = json!({"firstTimestamp": "-999999999-01-01T00:00:00Z", "lastTimestamp": "soon"});
        assert_eq!(of(nonsense), (1, at("00:00"), at("00:00")), "what nobody can read is no time");
    }

    #[test]
    fn a_recorded_event_is_read() {
        let path = format!("{}/../sandbox/fixtures/strategy-succeeds/ended-events.json", env!("CARGO_MANIFEST_DIR"));
        let recorded: Vec<EventObject> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for event in recorded {
            let told = Warned::from(event).warning;
            assert!(told.first_at > Timestamp::default() && told.count > 0, "{told:?}");
        }
    }
}
