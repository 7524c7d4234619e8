//! Lists: selection, pages by `limit` and `continue`, and the envelope around them. Items are copied as bytes.
//! It knows no HTTP.

use bytes::Bytes;
use serde_json::json;

use super::kinds::Kind;
use super::selector::Selector;
use super::status::ApiError;
use super::store::Key;
use super::{Api, Query};

/// Where a list is to start: after this key, at this version.
struct Continue {
    version: u64,
    after: Key,
}

impl Continue {
    fn encode(&self) -> String {
        hex::encode(json!([self.version, self.after.namespace, self.after.name]).to_string())
    }

    fn decode(token: &str) -> Result<Self, ApiError> {
        let wrong = || ApiError::bad_request("continue key is not valid: unrecognized token");
        let bytes = hex::decode(token).map_err(|_| wrong())?;
        let (version, namespace, name): (u64, String, String) = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        Ok(Self { version, after: Key::new(namespace, name) })
    }
}

impl Api {
    /// A `…List` as it goes on the wire. `meta` asks for `PartialObjectMetadataList`.
    pub(crate) fn page(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &Selector,
        query: &Query,
        meta: bool,
    ) -> Result<Bytes, ApiError> {
        let limit = query.get("limit").and_then(|text| text.parse::<usize>().ok()).filter(|limit| *limit > 0);
        let start =
            query.get("continue").filter(|token| !token.is_empty()).map(|token| Continue::decode(token)).transpose()?;
        let tx = self.store.lock();
        let asked = query.get("resourceVersion").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        if asked > tx.version() {
            return Err(ApiError::from_the_future(asked, tx.version()));
        }
        let version = start.as_ref().map_or(tx.version(), |start| start.version);
        let mut picked = tx
            .list(&kind.qualified, namespace)
            .filter(|object| start.as_ref().is_none_or(|start| object.key > start.after))
            .filter(|object| selector.is_empty() || selector.matches(&object.labels, |field| object.field(field)));
        let items: Vec<_> = picked.by_ref().take(limit.unwrap_or(usize::MAX)).cloned().collect();
        let remaining = picked.count();
        drop(tx);
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if kind.custom {
            metadata["continue"] = "".into();
        }
        if remaining > 0
            && let Some(last) = items.last()
        {
            metadata["continue"] = Continue { version, after: last.key.clone() }.encode().into();
            metadata["remainingItemCount"] = remaining.into();
        }
        let (api_version, list_kind) = if meta {
            ("meta.k8s.io/v1".into(), "PartialObjectMetadataList".into())
        } else {
            (kind.api_version(), format!("{}List", kind.kind))
        };
        let mut out =
            format!("{{\"kind\":\"{list_kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":[")
                .into_bytes();
        for (index, object) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if meta { out.extend_from_slice(&partial(&object.json)) } else { out.extend_from_slice(&object.json) }
        }
        out.extend_from_slice(b"]}");
        Ok(Bytes::from(out))
    }
}

/// `PartialObjectMetadata` of an object.
pub(crate) fn partial(object: &Bytes) -> Bytes {
    let value: serde_json::Value = serde_json::from_slice(object).unwrap_or_default();
    let partial =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]});
    Bytes::from(serde_json::to_vec(&partial).unwrap_or_default())
}
