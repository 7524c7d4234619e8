//! Lists: selection, pages by `limit` and `continue`, and the envelope around them. Items of custom kinds are copied as bytes.
//! It knows no HTTP.

use bytes::Bytes;
use k8s_openapi::ByteString;
use serde_json::{Value, json};

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
        let content = json!([self.version, self.after.namespace, self.after.name]).to_string();
        let text = serde_json::to_value(ByteString(content.into_bytes())).unwrap_or_default();
        text.as_str().unwrap_or_default().trim_end_matches('=').replace('+', "-").replace('/', "_")
    }

    fn decode(token: &str) -> Result<Self, ApiError> {
        let wrong =
            |why: &str| ApiError::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let padding = "=".repeat((4 - token.len() % 4) % 4);
        let padded = token.replace('-', "+").replace('_', "/") + &padding;
        let decoded = serde_json::from_value::<ByteString>(Value::String(padded));
        let ByteString(bytes) = decoded.map_err(|_| wrong("illegal base64 data at input byte 0"))?;
        let (version, namespace, name): (u64, String, String) = serde_json::from_slice(&bytes)
            .map_err(|_| wrong(&format!("invalid character '{}' looking for beginning of value", first(&bytes))))?;
        Ok(Self { version, after: Key::new(namespace, name) })
    }
}

/// The first byte, as Go quotes a character.
fn first(bytes: &[u8]) -> String {
    let character = bytes.first().copied().map_or(' ', char::from);
    if character.is_control() { format!("\\u{:04x}", u32::from(character)) } else { character.to_string() }
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
        let exact = query.get("resourceVersionMatch").is_some_and(|how| how == "Exact");
        if exact && asked > 0 && asked < tx.oldest() {
            return Err(ApiError::expired_list());
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
            // How many are left is not counted where they would have to be looked at.
            if selector.is_empty() {
                metadata["remainingItemCount"] = remaining.into();
            }
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
            let item = match (meta, kind.custom) {
                (true, _) => partial(&object.json),
                (false, true) => object.json.clone(),
                (false, false) => untyped(&object.json),
            };
            out.extend_from_slice(&item);
        }
        out.extend_from_slice(b"]}");
        Ok(Bytes::from(out))
    }
}

/// An object without what it is: the items of a list of built-in kinds don't say it.
fn untyped(object: &Bytes) -> Bytes {
    let mut value: Value = serde_json::from_slice(object).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
    }
    Bytes::from(serde_json::to_vec(&value).unwrap_or_default())
}

/// `PartialObjectMetadata` of an object.
pub(crate) fn partial(object: &Bytes) -> Bytes {
    let value: Value = serde_json::from_slice(object).unwrap_or_default();
    let partial =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"]});
    Bytes::from(serde_json::to_vec(&partial).unwrap_or_default())
}
