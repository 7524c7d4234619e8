//! Kubernetes events: one object for each thing that happens to an object, counted up when it happens again.

use serde_json::{Value, json};

use crate::api::{Api, Key};
use crate::{digest, manifests};

/// What an event is about, and who says so.
pub(crate) struct Event<'a> {
    pub(crate) about: &'a Value,
    /// A container, as `spec.containers{name}`.
    pub(crate) field: Option<String>,
    pub(crate) warning: bool,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    pub(crate) component: &'a str,
    pub(crate) host: Option<&'a str>,
}

pub(crate) fn emit(api: &Api, event: &Event<'_>) {
    let metadata = &event.about["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (namespace, name, uid) = (text(&metadata["namespace"]), text(&metadata["name"]), text(&metadata["uid"]));
    let field = event.field.clone().unwrap_or_default();
    let id = digest::sha256(&["event", &uid, event.component, event.reason, event.message, &field]);
    let key = Key::new(namespace.clone(), format!("{name}.{}", id.get(7..23).unwrap_or_default()));
    let now = api.time.now();
    let counted = api.modify("events", &key, |existing| {
        existing["count"] = json!(existing["count"].as_i64().unwrap_or(1) + 1);
        existing["lastTimestamp"] = now.clone().into();
    });
    if counted.is_some() {
        return;
    }
    let mut involved = json!({
        "kind": event.about["kind"], "apiVersion": event.about["apiVersion"], "namespace": namespace, "name": name, "uid": uid,
        "resourceVersion": metadata["resourceVersion"],
    });
    if let Some(field) = &event.field {
        involved["fieldPath"] = field.clone().into();
    }
    let mut source = json!({"component": event.component});
    if let Some(host) = event.host {
        source["host"] = host.into();
    }
    let object = json!({
        "metadata": {"name": key.name},
        "involvedObject": involved,
        "type": if event.warning { "Warning" } else { "Normal" },
        "reason": event.reason, "message": event.message, "source": source,
        "firstTimestamp": now, "lastTimestamp": now, "count": 1, "eventTime": null,
        "reportingComponent": event.component, "reportingInstance": event.host.unwrap_or_default(),
    });
    manifests::create(api, "events", &key.namespace, object);
}
