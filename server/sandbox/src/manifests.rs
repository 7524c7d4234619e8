//! Objects from YAML, and those that every cluster is founded with. It knows no kinds of its own.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, ApiError, Key, Kind, Write};
use std::sync::Arc;

/// Why a manifest could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the manifest is not YAML: {0}")]
    Yaml(#[from] serde_norway::Error),
    #[error("the manifest names no kind that is served: {api_version} {kind}")]
    UnknownKind { api_version: String, kind: String },
    #[error("{name}: {source}")]
    Refused { name: String, source: ApiError },
}

/// Creates or merges each document of `text`.
pub(crate) fn apply(api: &Api, text: &str) -> Result<(), ApplyError> {
    for document in serde_norway::Deserializer::from_str(text) {
        let value = Value::deserialize(document)?;
        if value.is_null() {
            continue;
        }
        match value["items"].as_array() {
            Some(items) if value["kind"] == "List" => {
                for item in items {
                    apply_value(api, item)?;
                }
            }
            _ => apply_value(api, &value)?,
        }
    }
    Ok(())
}

fn apply_value(api: &Api, value: &Value) -> Result<(), ApplyError> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
    let found = api.transaction(|tx| tx.kinds().by_kind(&api_version, &kind));
    let kind = found.ok_or(ApplyError::UnknownKind { api_version, kind })?;
    let namespace = if kind.namespaced { text("/metadata/namespace") } else { String::new() };
    let namespace = if kind.namespaced && namespace.is_empty() { "default".to_owned() } else { namespace };
    let key = Key::new(namespace, name.clone());
    write(api, &kind, &key, value).map_err(|source| ApplyError::Refused { name, source })
}

fn write(api: &Api, kind: &Arc<Kind>, key: &Key, value: &Value) -> Result<(), ApiError> {
    match api.create(kind, &key.namespace, value.clone(), Write::default()) {
        Err(error) if error.reason == "AlreadyExists" => api.merge(kind, key, value).map(|_| ()),
        other => other.map(|_| ()),
    }
}

/// The namespaces and service accounts that a cluster has from the first moment.
pub(crate) fn found(api: &Api, namespace: &str) {
    for name in ["default", "kube-system", "tekton-pipelines", "production", namespace] {
        create(api, "namespaces", "", json!({"metadata": {"name": name}}));
        create(api, "serviceaccounts", name, json!({"metadata": {"name": "default"}}));
    }
}

/// Creates an object of the cluster's own; one that is there already is left alone.
pub(crate) fn create(api: &Api, qualified: &str, namespace: &str, value: Value) {
    let result = api.kind(qualified).and_then(|kind| api.create(&kind, namespace, value, Write::default()));
    if let Err(error) = result
        && error.reason != "AlreadyExists"
    {
        tracing::error!(%error, qualified, "the sandbox could not create an object of its own");
    }
}
